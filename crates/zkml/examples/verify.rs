//! Checks a proof of somebody else's, from the two files that they gave. Needs no halo2 and no tract:
//!
//!     cargo run --release -p zkml --example verify --no-default-features --features verify -- program.json proof.json

#![forbid(unsafe_code)]

use std::{env, error::Error, fs};
use zkml::Verifier;

fn main() -> Result<(), Box<dyn Error>> {
    let mut files = env::args_os().skip(1);
    let mut read = |what: &str| -> Result<Vec<u8>, Box<dyn Error>> {
        Ok(fs::read(files.next().ok_or(format!("the path of {what} is needed"))?)?)
    };
    let (program, proof) = (read("program.json")?, read("proof.json")?);

    let verifier = Verifier::from_json(&program)?;
    let verified = verifier.verify_json(&proof)?;

    println!("model {}", verifier.statement().model_hash);
    for output in &verified.outputs {
        println!("{} = {:?}", output.name, output.values);
    }
    for commitment in &verified.commitments {
        println!("commitment to {}: {}", commitment.name, commitment.commitment);
    }
    if verified.unsafe_dev_srs {
        println!("UNSAFE: the setup's secret is public, so anybody could have made this proof");
    }
    Ok(())
}
