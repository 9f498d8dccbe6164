//! Keys of a graph, and proofs of its runs.

use halo2curves::bn256::{Fr, G1Affine};
use halo2curves::group::Curve;
use std::sync::Arc;
use zkml_curve::{g1_words, scalar_from_word, scalar_word};
use zkml_graph::{System as Relations, Trace};
use zkml_protocol::{
    G2, Srs, Statement, Word,
    sumcheck::{PROTOCOL_VERSION, Program, Weights},
};

use crate::{
    Layout, RangeKeys, Unconfirmed,
    error::{Error, Result},
    layout::private,
    points::{Points, points_to_bytes},
    prover::{Made, Phase, PrivateWeights, ProvingKey, Witness, made},
};

/// The layout of a graph with the key of its program.
#[derive(Debug)]
pub struct Keys {
    layout: Layout,
    key: ProvingKey,
}

impl Layout {
    /// Powers of the secret that keys take, one more than a vector has elements.
    pub fn powers(&self) -> usize {
        self.opening.length() as usize + 1
    }
}

impl Keys {
    /// Makes the keys. `powers` are the first [`Layout::powers`] of `srs`, `in_g2` is `[τ^b]₂`, `b` being the length of a row.
    ///
    /// # Errors
    /// [`Error::Program`] for a layout whose program contradicts itself, [`Error::Defect`] for another number of powers.
    pub fn setup(
        layout: Layout,
        statement: Statement,
        powers: Vec<G1Affine>,
        srs: Srs,
        in_g2: G2,
    ) -> Result<Self> {
        let commit = |part| g1_words(&layout.weights.sum(part, &powers).to_affine());
        let program = Program {
            version: PROTOCOL_VERSION,
            system: layout.system.clone(),
            opening: layout.opening,
            weights: Weights {
                commitments: layout.weights.parts(layout.opening.length() as usize).map(commit).collect(),
            },
            srs,
            srs_b: in_g2,
            statement,
        };
        program.validate()?;
        let digest = program.vk_digest();
        let key = ProvingKey::new(program, digest, powers, layout.weights.clone())?;
        Ok(Self { layout, key })
    }

    /// The verifier program.
    pub fn program(&self) -> &Program {
        self.key.program()
    }

    /// The points of the key: powers, then what saves operations linear in the weights. Nothing in them is secret.
    pub fn to_bytes(&self) -> Vec<u8> {
        points_to_bytes(self.key.powers.iter().chain(self.key.quotients.iter().flatten()))
    }

    /// The keys that [`Keys::to_bytes`] wrote, for the layout and the program that they were made with. That the program has this
    /// layout's system says that the layout is the one that was confirmed.
    ///
    /// # Errors
    /// [`Error::BadKey`] for a program of another system, and for another number of points.
    pub fn from_points(layout: Unconfirmed, program: Program, points: Points) -> Result<Self> {
        let Unconfirmed(layout) = layout;
        if layout.system != program.system || layout.opening != program.opening {
            return Err(Error::BadKey("the verifier program is not that of the model's layout"));
        }
        let lengths = crate::prover::quotient_lengths(&layout.weights, &layout.opening);
        let all: Vec<usize> = std::iter::once(layout.powers()).chain(lengths).collect();
        let mut quotients = points.split(&all)?;
        let points = quotients.remove(0);
        let key = ProvingKey::from_parts(program, points, layout.weights.clone(), quotients)?;
        Ok(Self { layout, key })
    }

    /// Commits to private weights, one vector per tensor in the graph's order. `salt` is what hides them: drawn once and kept.
    ///
    /// # Errors
    /// [`Error::Defect`] for a model without private weights.
    pub fn commit_to_weights(
        &self,
        relations: &Relations,
        weights: &[Vec<i64>],
        salt: &Word,
    ) -> Result<PrivateWeights> {
        self.key.commit_to_weights(self.private_values(relations, weights), salt)
    }

    /// [`PrivateWeights::commitment`] of the same, which is quicker.
    ///
    /// # Errors
    /// As [`Keys::commit_to_weights`].
    pub fn weights_commitment(
        &self,
        relations: &Relations,
        weights: &[Vec<i64>],
        salt: &Word,
    ) -> Result<Word> {
        self.key.weights_commitment(&self.private_values(relations, weights), salt)
    }

    /// As [`Keys::commit_to_weights`], with what [`PrivateWeights::to_bytes`] gave.
    ///
    /// # Errors
    /// [`Error::BadKey`] for what it did not give.
    pub fn weights_from_bytes(
        &self,
        relations: &Relations,
        weights: &[Vec<i64>],
        salt: &Word,
        bytes: &[u8],
    ) -> Result<PrivateWeights> {
        self.key.private_from_bytes(self.private_values(relations, weights), salt, bytes)
    }

    fn private_values(&self, relations: &Relations, weights: &[Vec<i64>]) -> Vec<Fr> {
        let mut values = vec![vec![]; relations.vars.len()];
        for (var, own) in private::variables(relations).zip(weights) {
            values[var.0 as usize].clone_from(own);
        }
        self.layout.private_values(&values)
    }

    /// The program whose proofs say that committed weights lie in their ranges; none where weights are public.
    ///
    /// # Errors
    /// [`Error::Program`] for a layout whose program contradicts itself.
    pub fn ranges_program(&self) -> Result<Option<Program>> {
        self.layout.ranges_program(self.program())
    }

    /// The same with what proves them.
    ///
    /// # Errors
    /// [`Error::Program`] for a layout whose program contradicts itself.
    pub fn ranges(&self) -> Result<Option<RangeKeys<'_>>> {
        RangeKeys::of(&self.layout, self.program(), &self.key.powers)
    }

    /// The statement of a run: `salts` hide its commitments to inputs and outputs, in the order of the statement.
    ///
    /// # Errors
    /// As [`Layout::witness`].
    pub fn instances(&self, run: &Run<'_>) -> Result<Vec<Word>> {
        let witness = self.witness(run)?;
        Ok(witness.instances.iter().map(scalar_word).collect())
    }

    fn witness(&self, run: &Run<'_>) -> Result<Witness> {
        let scalar = |word: &Word| {
            scalar_from_word(word)
                .ok_or_else(|| Error::Witness(format!("{word} is not below the field's order")))
        };
        let salts = run.salts.iter().map(scalar).collect::<Result<Vec<Fr>>>()?;
        let values = run
            .relations
            .assign(run.trace)
            .ok_or_else(|| Error::Witness("a variable has no value".into()))?;
        let private = run.private.cloned();
        self.layout.witness_with(run.relations, &values, scalar(run.context)?, &salts, private)
    }

    /// Proves a run, and tells what it is at.
    ///
    /// # Errors
    /// As [`Layout::witness`] and [`prove`](crate::prover::prove).
    pub fn prove(&self, run: &Run<'_>, begins: &dyn Fn(Phase)) -> Result<Made> {
        made(&self.key, &self.witness(run)?, begins)
    }
}

/// A run that is proven.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// What has to hold.
    pub relations: &'a Relations,
    /// The values.
    pub trace: &'a Trace,
    /// What the proof is bound to.
    pub context: &'a Word,
    /// What hides the commitments to inputs and outputs, in the order of the statement.
    pub salts: &'a [Word],
    /// The private weights, where the model has some: those of the trace.
    pub private: Option<&'a Arc<PrivateWeights>>,
}
