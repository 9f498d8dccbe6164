//! Parts of the verifier taken away, one after the other, as data: each must be noticed.
//!
//! Two things can notice that a rule is gone. A proof by the genuine prover is refused: then the rule could not go unseen, but
//! what it is good for stays open. So a prover of a small circuit ([`toy`]) follows the altered rules and cheats ([`forge`]): it
//! makes a proof of a false statement that they accept. The genuine verifier must refuse every one of those.
//!
//! `tests/attacks/program-mutants.json` says what notices which; a mutant that it does not explain fails here.

#![expect(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests may panic")]

mod edges;
mod forge;
mod plan;
mod poly;
mod rules;
#[path = "../../../../../tests/attacks/table.rs"]
mod table;
mod toy;

use crate::curve::scalar;
use crate::plonk::{VerifyError, verify};
use forge::{Forgery, forge};
use plan::{Late, Plan};
use rules::Mutant;
use std::collections::BTreeMap;
use table::{Row, Table};
use zkml_protocol::{
    Word,
    plonk::{Challenge, Node, Program, Sample, Step},
};

const TABLE: &str = "program-mutants.json";
/// What a row says if a proof of the genuine prover is refused.
const HONEST: &str = "an honest proof is refused";
/// In front of the plan that the mutant accepts a false statement by.
const FORGED: &str = "forged: ";

/// Committed proofs, and of how many mutants of their programs one is tried.
const SAMPLES: [(&str, usize); 4] = [("plain", 1), ("two_phases", 2), ("random_19", 1), ("private", 16)];

fn sample(name: &str) -> Sample {
    let path = format!("{}/../../tests/fixtures/protocol/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// An honest proof of the toy circuit.
fn honest(program: &Program) -> Forgery {
    forge(&Mutant::genuine(program.clone()), Plan::HONEST).unwrap()
}

/// Returns true if the altered rules accept what the plan makes, although it is false.
fn accepts(mutant: &Mutant, plan: Plan, made: &Forgery) -> bool {
    let Forgery { proof, instances } = made;
    if mutant.verdict(proof, instances).is_err() {
        return false;
    }
    if plan.2 == Late::Meaning {
        // One proof for two meanings of the output: the digest is all that tells them apart.
        let mut other = mutant.clone();
        other.program.statement.instances.outputs[0].scale += 1;
        other.digest = other.program.vk_digest();
        return other.verdict(proof, instances).is_ok();
    }
    let instances: Vec<_> = instances.iter().map(|word| scalar(word).unwrap()).collect();
    !toy::is_true(&instances)
}

/// The first plan of those given by which the rules accept a false statement. The genuine ones must refuse the proof.
fn forged(mutant: &Mutant, plans: &[Plan], program: &Program) -> Option<Plan> {
    let fits = |plan: &&Plan| {
        let Some(made) = forge(mutant, **plan) else { return false };
        let accepted = accepts(mutant, **plan, &made);
        if accepted {
            let verdict = verify(program, &made.proof, &made.instances);
            assert_eq!(verdict, Err(VerifyError::Rejected), "{} by {plan:?}", mutant.id);
        }
        accepted
    };
    plans.iter().find(fits).copied()
}

/// The reason why nothing can notice a mutant.
fn equivalent(mutant: &Mutant, instances: &[Word]) -> Option<String> {
    if let [(challenge, _)] = mutant.known.as_slice() {
        let read = mutant.program.constraints.nodes.contains(&Node::Challenge(*challenge));
        use Challenge::{Beta, Circuit, Gamma, Theta, Y};
        if *challenge == Y && mutant.program.constraints.identities.len() == 1 {
            return Some("the only identity is folded with no other".into());
        }
        let readable = matches!(challenge, Beta | Circuit(_) | Gamma | Theta);
        return (readable && !read).then(|| "it is squeezed as halo2 does, and no equation reads it".into());
    }
    let until_the_last = |steps: &[Step]| -> Vec<Step> {
        let last = steps.iter().rposition(|step| matches!(step, Step::Squeeze(_)));
        steps[..=last.unwrap_or_default()].to_vec()
    };
    let genuine = Mutant::genuine(mutant.program.clone());
    if mutant.steps != genuine.steps && until_the_last(&mutant.steps) == until_the_last(&genuine.steps) {
        return Some("no challenge is squeezed after it: nothing is left to be chosen too late".into());
    }
    let closing = [Node::LagrangeLast, Node::LagrangeActive];
    if mutant.id.starts_with("program/blinding/")
        && !mutant.program.constraints.nodes.iter().any(|node| closing.contains(node))
    {
        return Some("without copies no equation reads the closing rows".into());
    }
    let zero = mutant.ignored.is_some_and(|index| instances[index].is_zero());
    zero.then(|| "the instance is zero in this statement".into())
}

#[test]
fn the_toy_circuit_proves_what_is_true_and_nothing_else() {
    let program = toy::program();
    program.validate().unwrap();
    let Forgery { proof, instances } = honest(&program);
    assert_eq!(verify(&program, &proof, &instances), Ok(()));
    let plans = Plan::all(&program.layout());
    assert_eq!(forged(&Mutant::genuine(program.clone()), &plans, &program), None, "of {}", plans.len());
}

#[test]
fn every_removed_rule_is_noticed() {
    let program = toy::program();
    let plans: BTreeMap<String, Plan> =
        Plan::all(&program.layout()).into_iter().map(|plan| (format!("{FORGED}{plan}"), plan)).collect();
    let known = if Table::blessing() { None } else { Some(Table::read(TABLE)) };
    let Forgery { proof, instances } = honest(&program);
    let row = |mutant: &Mutant| {
        let refused = mutant.verdict(&proof, &instances).is_err();
        let mut noticed_by: Vec<String> = refused.then(|| HONEST.to_owned()).into_iter().collect();
        // The committed plan, or in search of one all of them.
        let known = known.as_ref().map(|table| table.row(&mutant.id).map_or(&[][..], |row| &row.noticed_by));
        let tried = plans.iter().filter(|(name, _)| known.is_none_or(|known| known.contains(*name)));
        let tried: Vec<Plan> = tried.map(|(_, plan)| *plan).collect();
        noticed_by.extend(forged(mutant, &tried, &program).map(|plan| format!("{FORGED}{plan}")));
        let equivalent = if noticed_by.is_empty() { equivalent(mutant, &instances) } else { None };
        Row { id: mutant.id.clone(), removed: mutant.removed.clone(), noticed_by, equivalent }
    };
    let table = Table {
        about: "Rules of the verifier that were taken away: moves of the transcript, members of the opening, \
                identities and their nodes, constants. Rows are of a small circuit; `tried` counts those of the \
                programs of tests/fixtures/protocol, whose committed proofs were refused."
            .into(),
        refresh: "ZKML_BLESS=1 cargo test --release -p zkml-verifier --lib mutants".into(),
        tried: SAMPLES.iter().map(|(name, step)| ((*name).to_owned(), refusals(name, *step))).collect(),
        mutants: rules::all(&program).iter().map(row).collect(),
    };
    table.explained();
    match known {
        None => table.write(TABLE),
        Some(known) => {
            for (made, committed) in table.mutants.iter().zip(&known.mutants) {
                assert_eq!(made, committed, "tests/attacks/{TABLE} is out of date: {}", table.refresh);
            }
            assert_eq!(table, known, "tests/attacks/{TABLE} is out of date: {}", table.refresh);
        }
    }
}

/// Rows about the verifier's source were tried by hand: the text that they change is still there, and so are their tests.
#[test]
fn rows_about_the_source_are_about_this_source() {
    let table = Table::read("verifier-source-mutants.json");
    table.explained();
    let read =
        |path: &str| std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let tests = read("src/plonk/mutants/edges.rs") + &read("tests/fixtures.rs");
    for row in &table.mutants {
        let (file, _) = row.id.rsplit_once('/').unwrap();
        let (before, _) = row.removed.split_once(" → ").unwrap();
        let source = flat(&read(&format!("src/{file}")));
        assert!(source.contains(&flat(before)), "{}: try it again, and write it anew", row.id);
        for name in &row.noticed_by {
            let name = name.rsplit([':', ' ']).next().unwrap();
            assert!(tests.contains(&format!("fn {name}(")), "{}: no test {name}", row.id);
        }
    }
}

/// Number of mutants of a committed program that refuse its proof; the others must be equivalent.
fn refusals(name: &str, step: usize) -> usize {
    let Sample { program, instances, proof, .. } = sample(name);
    let mutants = rules::all(&program);
    let tried = mutants.iter().step_by(step);
    let (accept, refuse): (Vec<_>, Vec<_>) =
        tried.partition(|mutant| mutant.verdict(&proof, &instances).is_ok());
    let unexplained = accept.iter().filter(|mutant| equivalent(mutant, &instances).is_none());
    let unexplained: Vec<&str> = unexplained.map(|mutant| mutant.id.as_str()).collect();
    assert!(unexplained.is_empty(), "{name}: {unexplained:?}");
    refuse.len()
}
