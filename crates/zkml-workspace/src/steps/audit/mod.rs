//! An audit: build everything again from the ONNX file and compare it with what somebody claims.
//!
//! Nothing of an artifact folder is believed, its manifest included. From it come only the choices that were made
//! (settings, scales, what was made cheap, the model's name); all else in it is compared.

mod claims;
mod rebuild;
mod report;
mod weights;

pub use claims::bytecode;
pub use report::{AuditReport, Check, NotChecked, Verdict};

use crate::{error::Result, observer::Observer, steps::relations::Relations};
use claims::Claims;
use rebuild::Rebuilt;
use std::path::PathBuf;
use zkml::{Backend, Optimize};
use zkml_protocol::{VerifierProgram, Word, keccak256};

/// What to audit, and from what.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The artifact folder whose claims are checked; none when only files are at hand.
    pub dir: Option<PathBuf>,
    /// The ONNX file.
    pub model: Option<PathBuf>,
    /// Leave private weights aside: any model of the architecture will do, or `graph.bin` without a model.
    pub architecture: bool,
    /// The settings; those of the folder when absent.
    pub settings: Option<PathBuf>,
    /// The recorded scales; those of the folder when absent.
    pub scales: Option<PathBuf>,
    /// The integer graph, when there is no model.
    pub graph: Option<PathBuf>,
    /// The model's name; the folder's, or the stem of the ONNX file when absent.
    pub name: Option<String>,
    /// What was made cheap; what the folder says, or both are tried when absent.
    pub optimize: Option<Optimize>,
    /// The proof system; what the folder says, or both are tried when absent.
    pub backend: Option<Backend>,
    /// The trusted setup; the smallest in the cache that is large enough when absent.
    pub srs: Option<PathBuf>,
    /// A powers-of-tau file to import the setup from instead.
    pub ptau: Option<PathBuf>,
    /// Bytecode of the verifier on a chain: a file or `0x…`.
    pub bytecode: Option<String>,
    /// The model commitment that a contract pins.
    pub commitment: Option<Word>,
    /// The weights' commitment that a contract stores.
    pub weights_commitment: Option<Word>,
    /// The private file with the salt of the weights; the folder's when absent.
    pub weights_salt: Option<PathBuf>,
    /// The proof that the weights lie in their ranges; the folder's when absent.
    pub weights_ranges: Option<PathBuf>,
}

/// Rebuilds and compares.
///
/// # Errors
/// Something that the rebuilding needs and that is not there; a difference is no error here but part of the report.
pub fn run(observer: &dyn Observer, request: &Request) -> Result<AuditReport> {
    let claims = Claims::read(request)?;
    let rebuilt = Rebuilt::make(observer, request, &claims)?;
    let mut checks = vec![graph(&claims, &rebuilt)];
    let (checked, ranges) = weights::checks(request, &rebuilt)?;
    checks.extend(checked);
    checks.extend(keys(request, &claims, &rebuilt));
    checks.extend(contracts(&claims, &rebuilt)?);
    Ok(AuditReport {
        model: rebuilt.graph.name.clone(),
        checks,
        ledger: Relations::of(&rebuilt.graph, &rebuilt.plan, false)?,
        unsafe_dev_srs: rebuilt.program.srs().unsafe_dev,
        not_checked: not_checked(request, &claims, &rebuilt, ranges),
    })
}

fn graph(claims: &Claims, rebuilt: &Rebuilt) -> Check {
    let found = claims.graph.as_ref().map(|bytes| keccak256([bytes.as_slice()]));
    let how = match rebuilt.from_model {
        true => "built from the ONNX file, settings and scales",
        false => "read from graph.bin: what it was made from was not given",
    };
    Check::digests("integer graph", how, Word(rebuilt.graph.hash()), found)
}

fn keys(request: &Request, claims: &Claims, rebuilt: &Rebuilt) -> Vec<Check> {
    let program = &rebuilt.program;
    let claimed = claims.program.as_ref();
    let digest = |bytes: Vec<u8>| keccak256([bytes.as_slice()]);
    let plan = claims.plan.as_ref().map(|p| digest(crate::json::pretty(&p.layout)));
    let whole = claimed.map(|p| digest(crate::json::pretty(p)));
    let commitment = request.commitment.or_else(|| claimed.map(|p| p.model_commitment()));
    let setup = "named by its points; the ceremony behind it is not part of this audit";
    vec![
        Check::digests(
            "circuit layout",
            rebuilt.planned(),
            digest(crate::json::pretty(&rebuilt.plan.layout)),
            plan,
        ),
        Check::digests("trusted setup", setup, program.srs().digest(), claimed.map(|p| p.srs().digest())),
        Check::digests(
            "verifying key",
            "generated again from graph, layout and setup",
            program.vk_digest(),
            claimed.map(|p| p.vk_digest()),
        ),
        Check::digests(
            "verifier program",
            "all that the Rust verifier reads",
            digest(crate::json::pretty(program)),
            whole,
        ),
        Check::digests("model commitment", "what a contract pins", program.model_commitment(), commitment),
    ]
}

fn contracts(claims: &Claims, rebuilt: &Rebuilt) -> Result<Vec<Check>> {
    let names = &rebuilt.sources.names;
    let mut checks = Vec::new();
    for (what, name, source) in [
        ("Solidity verifier", &names.verifier, &rebuilt.sources.verifier),
        ("Solidity consumer", &names.consumer, &rebuilt.sources.consumer),
        ("Solidity of requests", &names.request_consumer, &rebuilt.sources.request_consumer),
        ("Solidity consumer, any input", &names.any_input_consumer, &rebuilt.sources.any_input_consumer),
        (
            "Solidity of requests, any input",
            &names.any_input_request_consumer,
            &rebuilt.sources.any_input_request_consumer,
        ),
    ] {
        let claimed = claims.solidity(&format!("{name}.sol"))?.map(|text| keccak256([text.as_slice()]));
        checks.push(Check::digests(what, "printed again", keccak256([source.as_bytes()]), claimed));
    }
    for (what, name) in [
        ("verifier bytecode", &names.verifier),
        ("consumer bytecode", &names.any_input_consumer),
        ("bytecode of requests", &names.any_input_request_consumer),
    ] {
        let contract = rebuilt.compiled.contract(name)?;
        let claimed = claims.solidity(&format!("{name}.json"))?.map(|text| claims::creation(&text));
        let how = "creation code, compiled with the pinned solc";
        checks.push(Check::digests(what, how, keccak256([contract.creation.as_slice()]), claimed));
    }
    let runtime = &rebuilt.compiled.contract(&names.verifier)?.runtime;
    let how = "runtime code of the verifier; its hash is what a chain reports as EXTCODEHASH";
    let claimed = claims.bytecode.as_ref().map(|code| keccak256([code.as_slice()]));
    checks.push(Check::digests("on-chain bytecode", how, keccak256([runtime.as_slice()]), claimed));
    Ok(checks)
}

/// What the audit says nothing about, the most important first.
fn not_checked(
    request: &Request,
    claims: &Claims,
    rebuilt: &Rebuilt,
    ranges: weights::Shown,
) -> Vec<NotChecked> {
    let private = !rebuilt.graph.weights.is_empty() && request.architecture;
    let now = [
        (claims.bytecode.is_none(), NotChecked::Chain),
        (private, NotChecked::Weights),
        (ranges == weights::Shown::No, NotChecked::Ranges),
        (!rebuilt.from_model, NotChecked::Origin),
    ];
    let always = [
        NotChecked::Quality,
        NotChecked::Calibration,
        NotChecked::Ceremony,
        NotChecked::ProvingKey,
        NotChecked::Consumer,
    ];
    now.into_iter().filter(|(holds, _)| *holds).map(|(_, what)| what).chain(always).collect()
}
