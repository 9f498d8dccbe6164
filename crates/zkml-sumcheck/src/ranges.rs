//! Ranges of private weights, proven once for each commitment to some.
//!
//! A proof of a run says that committed weights gave an output. It does not say that they are small, without which sums could
//! wrap in the field. A second program about the same vector, opened alike, says that: each weight is a sum of limbs that are
//! looked up. Its statement holds the same commitment as those of runs, and nothing else.

use halo2curves::bn256::{Fr, G1Affine};
use std::sync::Arc;
use zkml_protocol::{
    InstanceLayout, Statement,
    sumcheck::{Program, Weights},
};

use crate::{
    Layout,
    error::{Error, Result},
    layout::{Ranges, private},
    prover::{Made, Phase, PrivateWeights, ProvingKey, made},
};

/// What proves ranges of private weights.
#[derive(Debug)]
pub struct RangeKeys<'a> {
    ranges: &'a Ranges,
    key: ProvingKey,
}

impl Layout {
    /// The program whose proofs say that private weights lie in their ranges: it follows from this layout and the program of its
    /// runs. None where weights are public.
    ///
    /// # Errors
    /// [`Error::Program`] if it contradicts itself.
    pub fn ranges_program(&self, of_runs: &Program) -> Result<Option<Program>> {
        let Some(ranges) = &self.ranges else { return Ok(None) };
        let Statement { instances, .. } = &of_runs.statement;
        let own = InstanceLayout { model: instances.model.clone(), ..InstanceLayout::default() };
        let program = Program {
            system: ranges.layout.system.clone(),
            opening: ranges.layout.opening,
            weights: Weights { commitments: vec![] },
            statement: Statement {
                model_name: format!("{} ranges", of_runs.statement.model_name),
                instances: own,
                ..of_runs.statement.clone()
            },
            ..of_runs.clone()
        };
        program.validate()?;
        Ok(Some(program))
    }
}

impl<'a> RangeKeys<'a> {
    pub(crate) fn of(layout: &'a Layout, of_runs: &Program, powers: &[G1Affine]) -> Result<Option<Self>> {
        let (Some(ranges), Some(program)) = (&layout.ranges, layout.ranges_program(of_runs)?) else {
            return Ok(None);
        };
        let digest = program.vk_digest();
        let key = ProvingKey::new(program, digest, powers.to_vec(), Arc::default())?;
        Ok(Some(Self { ranges, key }))
    }

    /// The program.
    pub fn program(&self) -> &Program {
        self.key.program()
    }

    /// Proves that weights lie in their ranges; they are those that were committed to, one vector per tensor in the graph's order.
    ///
    /// # Errors
    /// [`Error::Witness`] for other weights than the committed ones.
    pub fn prove(
        &self,
        weights: &[Vec<i64>],
        private: &Arc<PrivateWeights>,
        begins: &dyn Fn(Phase),
    ) -> Result<Made> {
        let Ranges { relations, layout } = self.ranges;
        let mut values = vec![vec![]; relations.vars.len()];
        for (var, own) in private::variables(relations).zip(weights) {
            values[var.0 as usize].clone_from(own);
        }
        if layout.private_values(&values) != private.values() {
            return Err(Error::Witness("other weights than the committed ones".into()));
        }
        let context = Fr::from(0);
        let witness = layout.witness_with(relations, &values, context, &[], Some(Arc::clone(private)))?;
        made(&self.key, &witness, begins)
    }
}
