//! Keys and proofs under a small development setup, for tests here and in other crates.

mod cells;
pub(crate) mod cheat;
mod messages;
mod sent;

use std::sync::OnceLock;

use ff::Field;
use halo2curves::bn256::{Fr, G1, G1Affine, G2};
use halo2curves::group::{Curve, prime::PrimeCurveAffine};
use zkml_curve::{g1_words, g2_words};
use zkml_protocol::{
    Encoding, Field as Part, InstanceLayout, Srs, Statement, Word,
    sumcheck::{PROTOCOL_VERSION, Program, Weights},
};

use crate::{
    Layout,
    prover::{Masks, ProvingKey, Witness, prove},
};

pub use cells::{Hashed, Held, Limb};
pub use messages::{Message, false_messages};
pub use sent::{Logarithms, Mask, Sent};

const TAU: u64 = 0x5eed_cafe;
const MOST: usize = 1 << 12;

pub(crate) fn powers() -> &'static [G1Affine] {
    static POWERS: OnceLock<Vec<G1Affine>> = OnceLock::new();
    POWERS.get_or_init(|| {
        let mut power = Fr::ONE;
        let all: Vec<G1> = (0..=MOST)
            .map(|_| {
                let here = G1::generator() * power;
                power *= Fr::from(TAU);
                here
            })
            .collect();
        let mut out = vec![G1Affine::identity(); all.len()];
        G1::batch_normalize(&all, &mut out);
        out
    })
}

fn power_of_g2(e: u64) -> zkml_protocol::G2 {
    g2_words(&(G2::generator() * Fr::from(TAU).pow_vartime([e])).to_affine())
}

/// The key of a layout, with a statement that says how many instances there are.
///
/// # Panics
/// If it does not fit the setup, which is small.
pub fn key(layout: &Layout) -> ProvingKey {
    let length = layout.opening.length() as usize;
    assert!(length <= MOST, "2^{}", layout.opening.bits);
    let commit = |part| g1_words(&layout.weights.sum(part, powers()).to_affine());
    let program = program_of(layout, layout.weights.parts(length).map(commit).collect());
    let digest = zkml_protocol::VerifierProgram::vk_digest(&program);
    ProvingKey::new(program, digest, powers()[..=length].to_vec(), layout.weights.clone()).expect("a key")
}

/// The program of a layout whose weights have these commitments.
fn program_of(layout: &Layout, commitments: Vec<zkml_protocol::G1>) -> Program {
    let field = |values: u32, encoding| Part { name: "y".into(), values, scale: 0, encoding, bounds: None };
    let system = &layout.system;
    // What comes before the commitment to private weights, that, and what comes after it.
    let [before, private, after] = match system.private {
        Some(p) => [p.instance - 1, 1, system.instances - 1 - p.instance],
        None => [0, 0, system.instances - 1],
    };
    let signed = |count: u32| (count > 0).then(|| field(count, Encoding::Signed)).into_iter().collect();
    let program = Program {
        version: PROTOCOL_VERSION,
        system: layout.system.clone(),
        opening: layout.opening,
        weights: Weights { commitments },
        srs: Srs { g1: g1_words(&powers()[0]), g2: power_of_g2(0), s_g2: power_of_g2(1), unsafe_dev: true },
        srs_b: power_of_g2(layout.opening.columns()),
        statement: Statement {
            model_name: "m".into(),
            model_hash: Word::ZERO,
            toolkit_version: String::new(),
            instances: InstanceLayout {
                inputs: signed(before),
                model: (private > 0).then(|| field(1, Encoding::Commitment)).into_iter().collect(),
                outputs: signed(after),
            },
        },
    };
    program.validate().expect("a valid program");
    program
}

/// A proof with fresh masks.
///
/// # Panics
/// If the prover refuses the witness.
pub fn proof(key: &ProvingKey, witness: &Witness) -> Vec<u8> {
    let masks = Masks::random(&key.shape, &key.program.opening, &mut rand_core::OsRng);
    prove(key, witness, &masks, &|_| ()).expect("a proof")
}
