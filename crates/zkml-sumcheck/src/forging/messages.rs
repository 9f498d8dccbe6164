//! One message changed by the prover, who continues consistently with it.

use zkml_protocol::sumcheck::{SlotId, Source};
use zkml_verifier::sumcheck::VerifyError;

use super::*;
use crate::testing::{cheat::Cheat, false_messages};
use ff::Field;
use halo2curves::bn256::Fr;

#[test]
fn every_false_message_is_refused() {
    let mut refused = 0;
    for toy in Toy::all() {
        for message in false_messages(&toy.key, &toy.witness, 1) {
            let verdict = toy.verdict(&message.proof, &toy.witness.instances);
            assert_eq!(verdict, Err(VerifyError::Rejected), "{}: {}", toy.name, message.name);
            refused += 1;
        }
    }
    assert!(refused > 500, "{refused}");
}

/// The identity is refused by name; all equations hold.
#[test]
fn a_commitment_that_is_the_identity_is_refused_though_all_else_holds() {
    let case = zkml_graph::testing::cases().into_iter().find(|c| c.weights.is_empty()).expect("a case");
    let system = case.graph.system();
    let layout = crate::lay_out(&system, &crate::Options::default()).expect("it is laid out");
    let values = system.assign(&case.graph.eval(&case.inputs).expect("it runs")).expect("all values");
    let salts = vec![Fr::ONE; layout.commitments()];
    let witness = layout.witness(&system, &values, Fr::ZERO, &salts).expect("a witness");
    let key = crate::testing::key(&layout);
    let all = false_messages(&key, &witness, usize::MAX);
    let message = all.iter().find(|m| m.name == "the identity").expect("it is there");
    let words = toy::words(&witness.instances);
    let verdict = zkml_verifier::sumcheck::verify(key.program(), &message.proof, &words);
    assert_eq!(verdict, Err(VerifyError::BadPoint { slot: SlotId::Witness, offset: 0 }));
}

/// Cells that no functional sees: between the layout's end and the vector's.
#[test]
fn beyond_the_layout_nothing_is_seen() {
    let toy = Toy::named("mlp_claim");
    let length = toy.key.program.opening.length() as usize;
    let end = toy.key.shape.multiplicities as usize + (1 << toy.key.program.system.table.bits);
    for (of, at) in [
        (Source::Witness, end),
        (Source::Witness, length - 1),
        (Source::Helpers, length - 1),
        (Source::Helpers, toy.key.shape.helper_mask as usize + 1),
    ] {
        let cheat = Cheat::default().vector(of, move |cells, _| cells[at] += Fr::from(5));
        assert_eq!(toy.tried(&toy.witness, cheat), Ok(()), "{of:?} {at}");
    }
    let mut masks = toy.masks();
    masks.vector[length - 1] += Fr::from(5);
    let proof = crate::prover::prove(&toy.key, &toy.witness, &masks, &|_| ()).expect("a proof");
    assert_eq!(toy.verdict(&proof, &toy.witness.instances), Ok(()), "a cell of the masks");
}
