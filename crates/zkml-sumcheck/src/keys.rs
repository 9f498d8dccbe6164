//! Keys of a graph, and proofs of its runs.

use halo2curves::bn256::{Fr, G1Affine};
use halo2curves::group::Curve;
use halo2curves::serde::SerdeObject;
use rand_core::OsRng;
use zkml_curve::{g1_words, scalar_from_word, scalar_word};
use zkml_graph::{System as Relations, Trace};
use zkml_protocol::{
    G2, Srs, Statement, Word,
    sumcheck::{PROTOCOL_VERSION, Program, Weights},
};

use crate::{
    Layout, Unconfirmed,
    error::{Error, Result},
    prover::{Masks, Phase, ProvingKey, Witness, prove},
};

/// Bytes of a point.
const POINT: usize = 64;
/// Attempts at a proof: one in `2^240` has degenerate challenges.
const ATTEMPTS: usize = 3;

/// The layout of a graph with the key of its program.
#[derive(Debug)]
pub struct Keys {
    layout: Layout,
    key: ProvingKey,
}

/// A statement and its proof.
#[derive(Clone, Debug)]
pub struct Made {
    /// Public field elements.
    pub instances: Vec<Word>,
    /// The proof.
    pub bytes: Vec<u8>,
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
        let commit = |part: &[Fr]| g1_words(&zkml_msm::full(part, &powers).to_affine());
        let program = Program {
            version: PROTOCOL_VERSION,
            system: layout.system.clone(),
            opening: layout.opening,
            weights: Weights {
                commitments: layout.weights.chunks(layout.opening.length() as usize).map(commit).collect(),
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
        let points = self.key.powers.iter().chain(self.key.quotients.iter().flatten());
        points.flat_map(SerdeObject::to_raw_bytes).collect()
    }

    /// Takes apart what [`Keys::to_bytes`] wrote, for the layout and the program that it was made with. That the program has this
    /// layout's system says that the layout is the one that was confirmed.
    ///
    /// # Errors
    /// [`Error::BadKey`] for a program of another system, another length, and for what is no point.
    pub fn from_bytes(layout: Unconfirmed, program: Program, bytes: &[u8]) -> Result<Self> {
        let Unconfirmed(layout) = layout;
        if layout.system != program.system || layout.opening != program.opening {
            return Err(Error::BadKey("the verifier program is not that of the model's layout"));
        }
        let lengths = crate::prover::quotient_lengths(&layout.weights, &layout.opening);
        let count = layout.powers() + lengths.iter().sum::<usize>();
        if bytes.len() != count * POINT {
            return Err(Error::BadKey(
                "its length is not that of this model's key: it is damaged, or another model's",
            ));
        }
        let points = bytes.chunks_exact(POINT).map(G1Affine::from_raw_bytes);
        let mut points: Vec<G1Affine> =
            points.collect::<Option<_>>().ok_or(Error::BadKey("it holds what is no point"))?;
        let mut rest = points.split_off(layout.powers());
        let mut quotients = Vec::new();
        for length in lengths {
            let after = rest.split_off(length);
            quotients.push(std::mem::replace(&mut rest, after));
        }
        let key = ProvingKey::from_parts(program, points, layout.weights.clone(), quotients)?;
        Ok(Self { layout, key })
    }

    /// The statement of a run: `salts` hide its commitments, in the order of the statement.
    ///
    /// # Errors
    /// As [`Layout::witness`].
    pub fn instances(
        &self,
        relations: &Relations,
        trace: &Trace,
        context: &Word,
        salts: &[Word],
    ) -> Result<Vec<Word>> {
        let witness = self.witness(relations, trace, context, salts)?;
        Ok(witness.instances.iter().map(scalar_word).collect())
    }

    fn witness(
        &self,
        relations: &Relations,
        trace: &Trace,
        context: &Word,
        salts: &[Word],
    ) -> Result<Witness> {
        let scalar = |word: &Word| {
            scalar_from_word(word)
                .ok_or_else(|| Error::Witness(format!("{word} is not below the field's order")))
        };
        let salts = salts.iter().map(scalar).collect::<Result<Vec<Fr>>>()?;
        let values =
            relations.assign(trace).ok_or_else(|| Error::Witness("a variable has no value".into()))?;
        self.layout.witness(relations, &values, scalar(context)?, &salts)
    }

    /// Proves a run, and tells what it is at.
    ///
    /// # Errors
    /// As [`Layout::witness`] and [`prove`].
    pub fn prove(
        &self,
        relations: &Relations,
        trace: &Trace,
        context: &Word,
        salts: &[Word],
        begins: &dyn Fn(Phase),
    ) -> Result<Made> {
        let witness = self.witness(relations, trace, context, salts)?;
        let instances = witness.instances.iter().map(scalar_word).collect();
        let attempt = || {
            let masks = Masks::random(&self.key.shape, &self.program().opening, &mut OsRng);
            prove(&self.key, &witness, &masks, begins)
        };
        let mut bytes = attempt();
        for _ in 1..ATTEMPTS {
            if !matches!(bytes, Err(Error::Unlucky)) {
                break;
            }
            bytes = attempt();
        }
        Ok(Made { instances, bytes: bytes? })
    }
}
