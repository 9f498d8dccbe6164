//! Proves a decision of a model from bytes alone, and writes what others need to check it.
//!
//!     cargo run --release -p zkml --example prove -- model.onnx samples.json input.json OUT

#![forbid(unsafe_code)]

use std::{env, error::Error, fs, path::PathBuf};
use zkml::{Binding, Model, Optimize, Settings, Srs};

fn main() -> Result<(), Box<dyn Error>> {
    let paths: [PathBuf; 4] = env::args_os()
        .skip(1)
        .map(PathBuf::from)
        .collect::<Vec<_>>()
        .try_into()
        .map_err(|_| "four paths are needed")?;
    let [model, samples, input, out] = paths;
    let (onnx, samples, input) = (fs::read(model)?, fs::read_to_string(samples)?, fs::read_to_string(input)?);

    let calibration = Model::from_onnx("model", &onnx, &Settings::default())?.calibrate(&samples, &())?;
    let compiled = calibration.compile(Optimize::Prover, &())?;
    let srs = Srs::dev(compiled.plan().k())?; // insecure: read a ceremony's with `Srs::import`
    let keys = compiled.setup(&srs, &())?;
    let proven = keys.prove(&keys.compiled().input(&input)?, &Binding::default(), &())?;

    fs::create_dir_all(&out)?;
    fs::write(out.join("program.json"), keys.verifier().to_json())?;
    fs::write(out.join("proof.json"), proven.proof.to_json())?;
    println!("{}", out.display());
    Ok(())
}
