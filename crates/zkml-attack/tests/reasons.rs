//! Reasons to do without a check are not given for checks that are needed.

use std::collections::BTreeMap;

use zkml_attack::halo2::{
    Halo2,
    mutants::{self, Needed},
};

/// Everything that one of the reasons speaks of: pinned constants, blocks, looked-up columns and copies.
fn explained(id: &str) -> bool {
    ["a₀ = w₀", "element-wise", "lookup: a column", "copy: "].iter().any(|part| id.contains(part))
}

#[test]
fn no_reason_explains_a_needed_check_away() {
    let (backend, targets) = (Halo2::new().expect("plans"), mutants::targets());
    let mut needed = Needed::new();
    for (name, variant) in [("Outer, [Intermediate, Input]", 6), ("Relu", 0)] {
        let target = targets.iter().find(|t| t.name.contains(name)).expect("is among the targets");
        let more = mutants::needed(&backend, target, variant, &explained).expect("lays out");
        for (id, (places, reasons)) in more {
            let all = needed.entry(id).or_default();
            all.0 += places;
            all.1.extend(reasons);
        }
    }
    let wrong: BTreeMap<_, _> = needed.iter().filter(|(_, (_, reasons))| !reasons.is_empty()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    for id in [
        "gate: a₀ = w₀ (0)",
        "row of a gate: a₀ = w₀ (0)",
        "gate: element-wise relations (0)",
        "row of a gate: element-wise relations (0)",
        "lookup: a column",
        "copy: of an element",
    ] {
        assert!(needed.contains_key(id), "no forgery is accepted without `{id}`: {needed:?}");
    }
}

/// A zero that fills lanes of products of pairs is its own factor there: without the gate that pins it, a prover adds a
/// square to every result.
#[test]
fn a_zero_that_is_multiplied_by_itself_is_needed() {
    let (backend, targets) = (Halo2::new().expect("plans"), mutants::targets());
    let name = "Outer, [Intermediate, Input]";
    let target = targets.iter().find(|t| t.name.contains(name)).expect("is among the targets");
    let pinned = |id: &str| id == "row of a gate: a₀ = w₀ (0)";
    let needed = mutants::needed(&backend, target, 6, &pinned).expect("lays out");
    // The constants −1 and 0, in a row each.
    assert_eq!(needed.get("row of a gate: a₀ = w₀ (0)"), Some(&(2, vec![])));
}
