//! The library behind `@zkml-chain/web`: what a page's worker calls.
//!
//! Across the border go bytes of files, JSON texts and one listener; what is refused comes out as an `Error` with a `code`. The
//! package's TypeScript, in `ts`, gives these calls the types that people use, and a worker to run in.
//!
//! | feature | gives |
//! |---|---|
//! | `verify` | [`verify`], [`for_contracts`] |
//! | `prove` | [`Prover`](prover::Prover) |
//! | `threads` | the same with many threads, see `pool` |

#![deny(unsafe_code)]

mod fault;
pub mod panic;
#[cfg(feature = "threads")]
pub mod pool;
#[cfg(feature = "prove")]
pub mod prover;
pub mod report;

use wasm_bindgen::prelude::wasm_bindgen;
use zkml::{Proof, Verifier};

use fault::{Code, Fault};

/// Short form of what crosses the border.
type Outcome<T> = Result<T, Fault>;

/// Checks a proof document against a verifier program, both as JSON; the answer is a [`report::Statement`] as JSON.
///
/// # Errors
/// `program`, `proof` or `refused`, by what is wrong.
#[wasm_bindgen]
pub fn verify(program: &[u8], proof: &[u8]) -> Outcome<String> {
    let verifier = verifier(program)?;
    let document = document(&verifier, proof)?;
    verifier.verify(&document)?;
    report::json(&report::Statement::of(&verifier, &document))
}

/// The proof as contracts take it, a [`report::ForContracts`] as JSON. That it holds is for [`verify`] to say.
///
/// # Errors
/// `program` or `proof`, by what is wrong.
#[wasm_bindgen(js_name = forContracts)]
pub fn for_contracts(program: &[u8], proof: &[u8]) -> Outcome<String> {
    let verifier = verifier(program)?;
    let document = document(&verifier, proof)?;
    report::json(&report::ForContracts::of(&verifier, &document)?)
}

fn verifier(program: &[u8]) -> Outcome<Verifier> {
    Verifier::from_json(program).map_err(|e| Fault::new(Code::Program, &e))
}

fn document(verifier: &Verifier, proof: &[u8]) -> Outcome<Proof> {
    Proof::from_json(proof, verifier.program()).map_err(|e| Fault::new(Code::Proof, &e))
}
