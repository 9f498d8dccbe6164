//! The sumcheck back end accepts nothing false, and each kind of equation that is removed is missed.

use std::collections::BTreeMap;

use super::*;
use crate::{
    campaign::{Report, forge_all},
    zoo::{Kind, Recipe, Role},
};

/// Some draws do not go together.
fn target(kind: Kind, roles: &[Role]) -> Target {
    let recipe = Recipe::Single(kind, roles.to_vec());
    (1..30).find_map(|seed| recipe.build(seed).ok()).unwrap_or_else(|| panic!("{recipe:?}"))
}

/// One target for each operator that takes private weights, over those.
fn private() -> Vec<Target> {
    let roles = [Role::Weight, Role::Input, Role::Intermediate];
    let of = |kind: &Kind| {
        let recipe = Recipe::Single(*kind, (0..kind.arity()).map(|i| roles[i % 3]).collect());
        (1..30).find_map(|seed| recipe.build(seed).ok())
    };
    Kind::ALL.iter().filter_map(of).filter(|target| !target.graph.weights.is_empty()).collect()
}

/// One target for each operator, over inputs and over what other operators compute.
fn targets() -> Vec<Target> {
    let roles = [Role::Input, Role::Intermediate, Role::Varied];
    let of =
        |kind: Kind| (0..2).map(move |first| (kind, (0..kind.arity()).map(move |i| roles[(first + i) % 3])));
    Kind::ALL.into_iter().flat_map(of).map(|(kind, roles)| target(kind, &roles.collect::<Vec<_>>())).collect()
}

fn attacked(target: &Target, laid: &Laid<'_>, stride: usize) -> Report {
    forge_all(target, laid, (0, 11), stride)
}

#[test]
fn nothing_false_is_accepted_in_any_layout() {
    let (mut tried, mut refused) = (0, 0);
    let private = private();
    assert!(private.len() > 10, "{} operators take private weights", private.len());
    for (number, target) in targets().iter().chain(&private).enumerate() {
        let options = &VARIANTS[number % VARIANTS.len()];
        let laid = Laid::new(target, options).unwrap_or_else(|e| panic!("{}: {e}", target.name));
        let report = attacked(target, &laid, 4);
        assert_eq!(report.findings, vec![], "{}", target.name);
        tried += report.total().tried;
        refused += report.total().refused;
    }
    assert!(tried > 2_000 && refused > 1_000, "{refused} of {tried}");
}

/// The kind of an equation: its name without numbers.
fn kind(name: &str) -> String {
    name.split(' ').filter(|word| word.chars().all(char::is_alphabetic)).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_taken_away_is_noticed() {
    let mut seen: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for target in targets().into_iter().chain(private()) {
        let laid = Laid::new(&target, &VARIANTS[0]).unwrap_or_else(|e| panic!("{}: {e}", target.name));
        let mut kinds: Vec<String> = laid.flat.equations.iter().map(|(name, _)| kind(name)).collect();
        kinds.sort();
        kinds.dedup();
        for gone in kinds {
            let mut weaker = laid.clone();
            weaker.flat = weaker.flat.without(&|name| kind(name) == gone);
            let found = !attacked(&target, &weaker, 3).findings.is_empty();
            let (removed, noticed) = seen.entry(gone).or_default();
            *removed += 1;
            *noticed += usize::from(found);
        }
    }
    assert!(seen.values().all(|(_, noticed)| *noticed > 0), "{seen:#?}");
}
