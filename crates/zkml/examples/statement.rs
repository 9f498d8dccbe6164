//! Says what a proof would say about an input, without a proof: the program that an enclave holds a key beside, see the book's page on
//! attesting results. Reads a compiled model's folder, and from standard input a sample and, where inputs are committed to, the openings of a
//! private file: `{"sample": {"inputs": {…}}, "openings": […]}`.
//!
//!     cargo run --release -p zkml --example statement -- artifacts/credit < input.json

#![forbid(unsafe_code)]

use serde::Deserialize;
use std::{env, error::Error, fs, io, path::PathBuf};
use zkml::{Compiled, CompiledFiles, Verifier, Word, binding, opening};
use zkml_graph::TensorId;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    sample: serde_json::Value,
    #[serde(default)]
    openings: Vec<opening::Opening>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::args_os().nth(1).ok_or("the folder of a compiled model is needed")?);
    let read =
        |name: &str| fs::read(folder.join(name)).map_err(|e| format!("{}: {e}", folder.join(name).display()));
    let compiled = Compiled::from_files(&CompiledFiles {
        graph: read("graph.bin")?,
        plan: read("plan.json")?,
        interface: read("interface.json")?,
        weights: read("weights.bin").ok(),
    })?;
    let verifier = Verifier::from_json(&read("program.json")?)?;
    let statement = verifier.statement();
    if statement.model_hash != compiled.model_hash() {
        return Err("the verifier program is another model's: run `zkml-chain setup` again".into());
    }

    let given: Given = serde_json::from_reader(io::stdin())?;
    let values = compiled.input(&given.sample.to_string())?.into_values();
    let preimages = opening::inputs(compiled.graph(), &values);
    let mut inputs = Vec::new();
    for (field, values) in statement.instances.inputs.iter().zip(&values) {
        match field.encode(values) {
            Some(words) => inputs.extend(words),
            None => inputs.push(commitment(&field.name, &given.openings, &preimages, &compiled)?),
        }
    }
    let data_commitment = match inputs.as_slice() {
        [one] if statement.instances.input_is_commitment() => *one,
        words => binding::public_data_commitment(words),
    };

    let trace = compiled.trace(&values)?;
    let of = |tensor: TensorId| &trace.values[tensor.0 as usize];
    let mut output = String::from("0x");
    for (field, result) in statement.instances.outputs.iter().zip(&compiled.graph().outputs) {
        let words = field.encode(of(result.tensor));
        let words =
            words.ok_or_else(|| format!("output `{}` is committed to, which has a salt", field.name))?;
        output.extend(words.iter().map(|word| word.to_string().trim_start_matches("0x").to_owned()));
    }
    let said = serde_json::json!({
        "modelHash": statement.model_hash,
        "dataCommitment": data_commitment,
        "output": output,
    });
    println!("{said}");
    Ok(())
}

/// The commitment to an input, if one of the openings is to these very values.
fn commitment(
    name: &str,
    openings: &[opening::Opening],
    preimages: &[opening::Preimage],
    compiled: &Compiled,
) -> Result<Word, Box<dyn Error>> {
    let preimage = preimages.iter().find(|p| p.name == name).ok_or("the statement is another graph's")?;
    for opening in openings {
        if opening.opens(compiled.model_hash(), preimage)? {
            return Ok(opening.commitment);
        }
    }
    Err(format!("no opening is of input `{name}` with these values: `zkml-chain commit` makes one").into())
}
