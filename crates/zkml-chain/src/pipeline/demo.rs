//! The main job in one go: a real model's decision, proven, and judged by its contracts in the local EVM.

use super::{
    calibrate, compile, prove, setup, simulate,
    solidity::{self, Sources},
    srs,
    tamper::Refusal,
};
use crate::{
    artifacts::{Artifacts, write_whole},
    error::{Error, Result},
    folder::Folder,
    output::{BOLD, DIM, GREEN, RED, Report, Ui},
    proof_file::ProofFile,
    table::{self, Align},
};
use serde::Serialize;
use std::{
    io::{self, Write},
    path::PathBuf,
    time::Instant,
};
use zkml_harness::{Address, Call, Evm, Outcome};
use zkml_onnx::Settings;
use zkml_protocol::{Encoding, Program, Word, field};
use zkml_prover::Optimize;

/// The model that is shown when none is named: credit risk on the German credit data.
const CREDIT: (&[u8], &[u8], &[u8]) = (
    include_bytes!("../../../../models/credit/credit.onnx"),
    include_bytes!("../../../../models/credit/calibration.json"),
    include_bytes!("../../../../models/credit/applicants.json"),
);
/// A bank would refuse a credit that is more likely than this to turn out bad.
const THRESHOLD: f64 = 0.5;
/// How long a statement is good for, from the block's time on, in seconds.
const VALID_FOR: u64 = 3600;

/// What to show.
#[derive(Debug, Clone)]
pub struct Request {
    /// The model and its data; the built-in credit model when absent.
    pub model: Option<(PathBuf, Option<PathBuf>, Option<PathBuf>)>,
    /// Which applicant or sample.
    pub index: usize,
    /// What to make cheap.
    pub optimize: Optimize,
}

/// How it ended.
#[derive(Debug, Serialize)]
pub struct DemoReport {
    /// The model's name.
    pub model: String,
    /// The artifact folder.
    pub dir: PathBuf,
    /// What the consumer contract accepted.
    pub accepted: Accepted,
    /// What it refused, and why.
    pub refused: Vec<Refusal>,
    /// The verifier alone: gas by cause.
    pub verifier: simulate::SimulateReport,
    /// Time of everything.
    pub seconds: f64,
}

/// An inference that the consumer contract accepted.
#[derive(Debug, Serialize)]
pub struct Accepted {
    /// Outputs as the contract decoded them.
    pub outputs: Vec<(String, Vec<f64>)>,
    /// What follows from them, for the built-in model.
    pub decision: Option<String>,
    /// Gas of the transaction.
    pub gas: u64,
}

/// Goes all the way.
///
/// # Errors
/// Whatever a step meets; a contract that accepts what it must refuse is one.
pub fn run(ui: &Ui, folder: &Folder, request: &Request) -> Result<DemoReport> {
    let started = Instant::now();
    let staged = Staged::new(request)?;
    let builtin = request.model.is_none();
    step(ui, "calibrate", "choose integer scales from sample data and compare with the float model");
    let calibrated = calibrate::run(ui, folder, &staged.calibration())?;
    let (error, samples) = (calibrated.calibration.max_abs_error(), calibrated.calibration.samples);
    ui.say(format_args!("  largest output error {error:.1e} over {samples} samples"));
    let mut artifacts = Artifacts::open_for_writing(&calibrated.dir)?;
    step(ui, "compile", "an exact integer graph, and a circuit for it");
    let compiled = compile::run(ui, &mut artifacts, request.optimize)?;
    ui.say(format_args!("  2^{} rows, {} commitments", compiled.plan.k, compiled.plan.commitments));
    step(ui, "setup", "a development trusted setup, and the keys");
    // The demo promises a development setup, also where a better one is at hand.
    let dev = srs::make_dev(ui, compiled.plan.k, None)?;
    let keys = setup::run(ui, &mut artifacts, Some(&dev.path))?;
    ui.say(format_args!("  proving key {} in {}", table::size(keys.pk_bytes), table::seconds(keys.seconds)));
    step(ui, "gen-verifier", "print the verifier and its consumer as Solidity, deploy both in a local EVM");
    let mut chain = Chain::deploy(&artifacts)?;
    ui.say(format_args!("  verifier {}, consumer {}", chain.verifier, chain.consumer));
    step(ui, "prove", "one run of the model, bound to this contract, caller, nonce and deadline");
    let proving = prove::Request {
        input: staged.input.clone(),
        index: request.index,
        context: Some(chain.context()?),
        out: None,
        // The built-in applicants lie in a folder that is about to disappear.
        salt_file: builtin.then(|| artifacts.path(&format!("demo.{}.private.json", request.index))),
    };
    let proven = prove::run(ui, &mut artifacts, &proving)?;
    ui.say(format_args!("  {} bytes in {}", proven.proof_bytes, table::seconds(proven.seconds)));
    solidity::run(ui, &mut artifacts, None)?;
    step(ui, "verifyInference", "the contract decides");
    let proof = artifacts.load_json::<ProofFile>(prove::DEFAULT_PROOF)?;
    let refused = chain.tampered(&proof)?;
    let mut accepted = chain.submit(&proof)?;
    let replayed = chain.replayed(&proof)?;
    accepted.decision = builtin.then(|| decision(&accepted.outputs));
    let verifier = simulate::run(ui, &artifacts, &simulate::Request { tamper: true, ..Default::default() })?;
    Ok(DemoReport {
        model: artifacts.model().to_owned(),
        dir: artifacts.dir().to_owned(),
        accepted,
        refused: refused.into_iter().chain([replayed]).collect(),
        verifier,
        seconds: started.elapsed().as_secs_f64(),
    })
}

fn step(ui: &Ui, name: &str, what: &str) {
    ui.say(format_args!("{BOLD}{name}{BOLD:#}: {what}"));
}

fn decision(outputs: &[(String, Vec<f64>)]) -> String {
    let risk = outputs.first().and_then(|(_, v)| v.first()).copied().unwrap_or(f64::NAN);
    let verdict = if risk < THRESHOLD { "grant the credit" } else { "decline the credit" };
    format!("{verdict}: the risk of default is {:.1} %, the limit {:.0} %", risk * 100.0, THRESHOLD * 100.0)
}

/// The files that the demo works on.
struct Staged {
    model: PathBuf,
    data: Option<PathBuf>,
    input: Option<PathBuf>,
    _temporary: Option<tempfile::TempDir>,
}

impl Staged {
    fn new(request: &Request) -> Result<Self> {
        if let Some((model, data, input)) = &request.model {
            let (model, data, input) = (model.clone(), data.clone(), input.clone());
            return Ok(Self { model, data, input, _temporary: None });
        }
        let folder =
            tempfile::tempdir().map_err(|e| Error::io("make the folder", &std::env::temp_dir(), e))?;
        let put = |name: &str, bytes: &[u8]| -> Result<PathBuf> {
            let path = folder.path().join(name);
            write_whole(&path, bytes)?;
            Ok(path)
        };
        let (model, data, applicants) = CREDIT;
        Ok(Self {
            model: put("credit.onnx", model)?,
            data: Some(put("calibration.json", data)?),
            input: Some(put("applicants.json", applicants)?),
            _temporary: Some(folder),
        })
    }

    fn calibration(&self) -> calibrate::Request {
        calibrate::Request {
            model: self.model.clone(),
            data: self.data.clone(),
            evaluate: None,
            settings: Settings::default(),
            html: None,
        }
    }
}

/// The local EVM with both contracts deployed.
struct Chain {
    evm: Evm,
    verifier: Address,
    consumer: Address,
    program: Program,
    names: Vec<(String, u32)>,
}

impl Chain {
    fn deploy(artifacts: &Artifacts) -> Result<Self> {
        let program = super::compiled::program(artifacts)?;
        let sources = Sources::of(&program)?;
        let compiled = sources.compile()?;
        let mut evm = Evm::default();
        let verifier = evm.deploy(&compiled.contract(&sources.names.verifier)?.creation)?.address;
        let mut creation = compiled.contract(&sources.names.consumer)?.creation.clone();
        // The demonstration knows its consumer before there is a proof, so it shows public weights.
        creation.extend(zkml_codegen::constructor_arguments(&program, &verifier.into_array(), None)?);
        let consumer = evm.deploy(&creation)?.address;
        let outputs = &program.statement.instances.outputs;
        let names = outputs
            .iter()
            .filter(|o| o.encoding == Encoding::Signed)
            .map(|o| (o.name.clone(), o.values))
            .collect();
        Ok(Self { evm, verifier, consumer, program, names })
    }

    fn deadline(&self) -> Word {
        Word::from_u64(self.evm.config.timestamp + VALID_FOR)
    }

    fn action(&self) -> Word {
        zkml_protocol::keccak256([b"zkml-chain demo".as_slice()])
    }

    /// Asks the consumer what the caller's next proof must be bound to.
    fn context(&mut self) -> Result<Word> {
        let mut data = zkml_codegen::errors::selector("contextOf(address,uint256,uint256,bytes32)").to_vec();
        let words = [address_word(self.evm.config.sender), Word::ZERO, self.deadline(), self.action()];
        words.iter().for_each(|w| data.extend(w.0));
        let call = self.evm.call(self.consumer, &data)?;
        match &call.outcome {
            Outcome::Returned(bytes) if bytes.len() == 32 => {
                let mut word = [0; 32];
                word.copy_from_slice(bytes);
                Ok(Word(word))
            }
            _ => Err(Error::Refused { by: "the consumer contract", why: call.describe() }),
        }
    }

    fn inference(&self, proof: &[u8], instances: &[Word]) -> Result<Vec<u8>> {
        let (deadline, action) = (self.deadline(), self.action());
        Ok(zkml_codegen::verify_inference(&self.program, deadline, action, proof, instances)?)
    }

    /// Sends the good proof.
    fn submit(&mut self, proof: &ProofFile) -> Result<Accepted> {
        let data = self.inference(&proof.proof, &proof.instances)?;
        let call = self.evm.send(self.consumer, &data)?;
        let Outcome::Returned(bytes) = &call.outcome else {
            return Err(Error::Refused { by: "the consumer contract", why: call.describe() });
        };
        let mut numbers = bytes.chunks_exact(32).map(wad);
        let take =
            |(name, words): &(String, u32)| (name.clone(), numbers.by_ref().take(*words as usize).collect());
        Ok(Accepted {
            outputs: self.names.iter().map(take).collect(),
            decision: None,
            gas: call.gas.transaction,
        })
    }

    /// Sends changed proofs and statements, which must be refused.
    fn tampered(&mut self, proof: &ProofFile) -> Result<Vec<Refusal>> {
        let mut output = proof.instances.clone();
        if let Some(last) = output.last_mut() {
            *last = field::add(*last, Word::ONE);
        }
        let mut bytes = proof.proof.clone();
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
        }
        let mut elsewhere = proof.instances.clone();
        if let Some(context) = elsewhere.first_mut() {
            *context = Word::ONE;
        }
        let attempts = [
            ("a tampered output", self.inference(&proof.proof, &output)?, &["ProofRejected"][..]),
            (
                "a tampered proof",
                self.inference(&bytes, &proof.instances)?,
                &["ProofRejected", "InvalidPoint"],
            ),
            ("a proof for somebody else", self.inference(&proof.proof, &elsewhere)?, &["WrongContext"]),
        ];
        attempts.into_iter().map(|(change, data, errors)| self.refused(change, &data, errors)).collect()
    }

    /// Sends the accepted proof a second time.
    fn replayed(&mut self, proof: &ProofFile) -> Result<Refusal> {
        let data = self.inference(&proof.proof, &proof.instances)?;
        self.refused("the same proof again", &data, &["WrongContext"])
    }

    fn refused(&mut self, change: &'static str, data: &[u8], errors: &[&'static str]) -> Result<Refusal> {
        let call: Call = self.evm.call(self.consumer, data)?;
        let answer = call.describe();
        let expected = errors.first().copied().unwrap_or_default();
        if !matches!(call.outcome, Outcome::Reverted(_)) || !errors.iter().any(|e| answer.starts_with(e)) {
            return Err(Error::Accepted { change, expected, answer });
        }
        Ok(Refusal { change, answer, gas: call.gas.transaction })
    }
}

fn address_word(address: Address) -> Word {
    let mut word = [0; 32];
    word[12..].copy_from_slice(address.as_slice());
    Word(word)
}

/// A signed number with 18 decimals, as the consumer returns it.
fn wad(word: &[u8]) -> f64 {
    let negative = word[0] & 0x80 != 0;
    let magnitude = word.iter().fold(0.0, |sum, b| sum * 256.0 + f64::from(if negative { !b } else { *b }));
    (if negative { -(magnitude + 1.0) } else { magnitude }) / 1e18
}

impl Report for DemoReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out)?;
        let note = format!("({} gas)", table::thousands(self.accepted.gas));
        writeln!(out, "{GREEN}accepted{GREEN:#} by the consumer contract {DIM}{note}{DIM:#}")?;
        for (name, values) in &self.accepted.outputs {
            writeln!(out, "  {name} = {}", prove::show(values))?;
        }
        if let Some(decision) = &self.accepted.decision {
            writeln!(out, "  {BOLD}{decision}{BOLD:#}")?;
        }
        writeln!(out, "{RED}refused{RED:#} by the consumer contract")?;
        let row = |r: &Refusal| vec![r.change.to_owned(), shortened(&r.answer)];
        table::print(out, &[Align::Left; 2], &self.refused.iter().map(row).collect::<Vec<_>>())?;
        writeln!(out)?;
        writeln!(out, "{BOLD}the verifier alone{BOLD:#}")?;
        self.verifier.print(out)?;
        writeln!(out)?;
        writeln!(
            out,
            "all of it took {}; the artifacts are in {}",
            table::seconds(self.seconds),
            self.dir.display()
        )
    }
}

/// An answer without the digits that nobody reads.
fn shortened(answer: &str) -> String {
    const LONGEST: usize = 60;
    match answer.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &answer[..end]),
        None => answer.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_signed_decimals() {
        let mut word = [0u8; 32];
        word[24..].copy_from_slice(&500_000_000_000_000_000u64.to_be_bytes());
        assert_eq!(wad(&word), 0.5);
        let mut word = [0xffu8; 32];
        word[24..].copy_from_slice(&(-250_000_000_000_000_000i64).to_be_bytes());
        assert!((wad(&word) + 0.25).abs() < 1e-12);
    }

    #[test]
    fn a_risk_becomes_a_decision() {
        assert!(decision(&[("p".into(), vec![0.2])]).starts_with("grant"));
        assert!(decision(&[("p".into(), vec![0.7])]).starts_with("decline"));
    }
}
