//! Proofs that *this committed model, on this committed input, gave this output*: bytes in, bytes out.
//!
//! Nothing here opens a file, a connection or a terminal, so the same calls serve a program, a service, Python and a
//! browser. The way goes over five things:
//!
//! ```text
//! Model ──calibrate──► Calibration ──compile──► Compiled ──setup──► Keys ──prove──► Proof
//!  ONNX bytes           samples, error           integer graph       verifier        verified by a Verifier, or by a contract
//! ```
//!
#![cfg_attr(all(feature = "onnx", feature = "halo2"), doc = "```")]
#![cfg_attr(not(all(feature = "onnx", feature = "halo2")), doc = "```ignore")]
//! use zkml::{Binding, Model, Optimize, Settings, Srs, Verifier};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/credit");
//! # let onnx = std::fs::read(format!("{folder}/credit.onnx"))?;
//! # let samples = std::fs::read_to_string(format!("{folder}/calibration.json"))?;
//! // What the owner of the model does once.
//! let settings = Settings::default();
//! let model = Model::from_onnx("credit", &onnx, &settings)?;
//! let calibration = model.calibrate(&samples, &())?;
//! let compiled = calibration.compile(Optimize::Prover, &())?;
//! let srs = Srs::dev(compiled.plan().k())?; // insecure: its secret is public
//! let keys = compiled.setup(&srs, &())?;
//!
//! // What is done for every input. The salts in `proven.openings` are the prover's secret.
//! let input = keys.compiled().input(&samples)?;
//! let proven = keys.prove(&input, &Binding::default(), &())?;
//!
//! // What everybody else does, with two files: `program` and `proof`.
//! let (program, proof) = (keys.verifier().to_json(), proven.proof.to_json());
//! let verified = Verifier::from_json(&program)?.verify_json(&proof)?;
//! println!("{} = {:?}", verified.outputs[0].name, verified.outputs[0].values);
//! assert!(verified.unsafe_dev_srs);
//! # Ok(())
//! # }
//! ```
//!
//! | feature | gives | without it there is no |
//! |---|---|---|
//! | `verify` | [`Verifier`], [`Proof`] | |
//! | `prove` | `Compiled`, `Keys` derived from a slice of a setup, proofs by sumcheck, salts and openings | curve arithmetic of provers |
//! | `halo2` | proofs by halo2; `Srs`, and keys from it | halo2's library, and whole setups, which are in its form |
//! | `onnx` | `Model`, `Calibration` | tract |
//! | `evm` | `Contracts`: generated Solidity, and a local EVM that judges proofs | revm; solc is looked for at run time |
//!
//! Long work tells an [`Observer`] how far it is, and stops where that asks for it.

#![forbid(unsafe_code)]

#[cfg(feature = "prove")]
mod compiled;
#[cfg(feature = "evm")]
mod contracts;
mod error;
pub mod json;
#[cfg(feature = "prove")]
mod keys;
#[cfg(feature = "onnx")]
mod model;
mod observer;
#[cfg(feature = "prove")]
pub mod opening;
#[cfg(feature = "prove")]
pub mod plan;
#[cfg(feature = "verify")]
pub mod proof;
mod stage;
#[cfg(feature = "verify")]
mod verifier;
#[cfg(feature = "prove")]
pub mod weights;

pub use error::{Error, Result};
pub use observer::Observer;
pub use stage::Stage;
pub use zkml_protocol::{Code, ProofSystem, Statement, Word, binding, commitment::Role};

#[cfg(feature = "evm")]
pub use contracts::{Contracts, Judged};
#[cfg(feature = "halo2")]
pub use zkml_srs::Srs;
#[cfg(feature = "prove")]
pub use {
    compiled::{Compiled, CompiledFiles, Input},
    keys::{Binding, Keys, Proven},
    opening::{Commits, Opening, OpeningError, Part, Preimage, Salt},
    plan::{Backend, Cost, Layout, Plan, Wish},
    zkml_graph::{Optimize, Visibility},
    zkml_interface::{Interface, QuantizedPort, SampleError},
    zkml_srs::Error as SrsError,
    zkml_sumcheck::Error as SumcheckError,
};
#[cfg(feature = "onnx")]
pub use {
    model::{Calibration, Model},
    zkml_onnx::{Alarm, CalibrationReport, Settings},
};
#[cfg(feature = "verify")]
pub use {
    proof::{Commitment, OutputValues, Proof, ProofError},
    verifier::{Verified, Verifier, program_from_json},
    zkml_verifier::VerifyError,
};
