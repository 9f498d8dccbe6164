//! Prints the contracts of a model, and lets a local EVM judge a proof. Needs Node, and solc of npm (`npm ci`):
//!
//!     cargo run --release -p zkml --example local_chain --features evm -- program.json proof.json

#![forbid(unsafe_code)]

use std::{env, error::Error, fs};
use zkml::{Contracts, Proof, Verifier};

fn main() -> Result<(), Box<dyn Error>> {
    let mut files = env::args_os().skip(1);
    let mut read = |what: &str| -> Result<Vec<u8>, Box<dyn Error>> {
        Ok(fs::read(files.next().ok_or(format!("the path of {what} is needed"))?)?)
    };
    let verifier = Verifier::from_json(&read("program.json")?)?;
    let proof = Proof::from_json(&read("proof.json")?, verifier.program())?;

    let contracts = Contracts::of(&verifier)?;
    for (name, text) in contracts.files() {
        println!("contract {name}: {} lines", text.lines().count());
    }
    let judged = contracts.simulate(&proof, &())?;
    println!("accepted for {} gas; {} to deploy", judged.gas.transaction, judged.deploy_gas);
    Ok(())
}
