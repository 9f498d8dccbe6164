//! `zkml-chain accept`: results for less than a proof.

use super::chain_args::{
    ChainArgs, ConsumerArgs, FeeArgs, InputArgs, KeyArgs, PasswordArgs, TermArgs, block_on,
};
use super::{folder::Folder, submit};
use crate::{
    error::{Error, Result},
    show::Ui,
};
use std::path::PathBuf;
use zkml_deploy::{Address, amount, chain::Chain};
use zkml_protocol::Word;
use zkml_workspace::{
    artifacts::Artifacts,
    steps::{
        acceptance::{
            act::{self, Act},
            post,
            terms::{Terms, attestations, paths_named},
        },
        prove,
        submit::Request as SubmitRequest,
    },
    value,
};

/// Post a result for less than a proof, under a policy, and have it count
///
/// The contract is one that inherits `ZKMLAcceptance` and offers `postResult(action, posting, policy)` to its callers; see the book, "Results for less
/// than a proof". With --policy, the result is worked out by the integer model and posted; its bond is lost if its proof becomes due and
/// does not come, so input and salts are kept in the artifact folder before anything is sent, and `watch --results` proves. With --finalise,
/// --attest, --prove or --release, a posted result gets on. The deadline is --valid-for after the end of all windows.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    chain: ChainArgs,
    #[command(flatten)]
    consumer: ConsumerArgs,
    #[command(flatten)]
    doing: Doing,
    #[command(flatten)]
    policy: PolicyArgs,
    /// Signatures: {"keyId", "issuedAt", "validUntil", "signature"}, or a list of such, ascending by key; what is signed is in the report of a --dry-run
    #[arg(long, value_name = "FILE", conflicts_with_all = ["finalise", "prove", "release"])]
    attestation: Option<PathBuf>,
    #[command(flatten)]
    terms: TermArgs,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    looking: LookingArgs,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    password: PasswordArgs,
    #[command(flatten)]
    fees: FeeArgs,
    /// Try it on the last block, and send nothing
    #[arg(long)]
    dry_run: bool,
}

/// The deed: exactly one of these.
#[derive(Debug, Clone, clap::Args)]
#[group(required = true, multiple = false)]
struct Doing {
    /// Post a result, and say by which paths it may come to count, with commas between them: optimistic, sampled, attested; or prove it at once: proven
    #[arg(long, value_name = "PATH,…", value_parser = paths)]
    policy: Option<Paths>,
    /// Have the application act on this result: enough of its paths hold, or it is proven
    #[arg(long, value_name = "ID", value_parser = value::word, visible_alias = "finalize")]
    finalise: Option<Word>,
    /// Hand signatures for this result in
    #[arg(long, value_name = "ID", value_parser = value::word, requires = "attestation")]
    attest: Option<Word>,
    /// Raise this result to proven, whether its proof is due or not
    #[arg(long, value_name = "ID", value_parser = value::word)]
    prove: Option<Word>,
    /// Give this result up, and take its bond back, once it can neither be challenged nor drawn
    #[arg(long, value_name = "ID", value_parser = value::word)]
    release: Option<Word>,
}

/// The paths of a policy, as a set; none of them is a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Paths(u8);

fn paths(text: &str) -> Result<Paths, String> {
    if text == "proven" { Ok(Paths(0)) } else { paths_named(text).map(Paths) }
}

/// The terms of a policy. They have to be those that the contract takes.
#[derive(Debug, Clone, clap::Args)]
struct PolicyArgs {
    /// Number of paths that have to hold [default: all of them]
    #[arg(long, value_name = "N")]
    required: Option<u8>,
    /// The bond, which you lose if the proof becomes due and does not come, in the chain's currency or --token
    #[arg(long, value_name = "AMOUNT")]
    bond: Option<String>,
    /// A challenger's deposit, which is yours if you prove
    #[arg(long, value_name = "AMOUNT")]
    deposit: Option<String>,
    /// Set tokens (ERC-20) aside: what your deposit lacks is approved and paid in before
    #[arg(long, value_name = "ADDRESS", value_parser = value::address)]
    token: Option<[u8; 20]>,
    /// Take coins out of your deposit in the contract, instead of sending them along
    #[arg(long)]
    from_deposit: bool,
    /// Seconds in which the proof can be demanded
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
    challenge_window: u32,
    /// Seconds in which a proof has to come that is due
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
    answer_window: u32,
    /// The account that gets what a challenger does not get of a lost bond
    #[arg(long, value_name = "ADDRESS", value_parser = value::address)]
    beneficiary: Option<[u8; 20]>,
    /// Probability of being drawn, as in 0.1
    #[arg(long, value_name = "PROBABILITY", value_parser = rate, default_value = "0")]
    rate: u64,
    /// The beacon that draws
    #[arg(long, value_name = "ADDRESS", value_parser = value::address)]
    beacon: Option<[u8; 20]>,
    /// The registry of keys that attest
    #[arg(long, value_name = "ADDRESS", value_parser = value::address)]
    attestors: Option<[u8; 20]>,
    /// Number of keys that have to sign
    #[arg(long, value_name = "N", default_value_t = 1)]
    signatures: u8,
}

/// Where results are looked for that this folder has no record of.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct LookingArgs {
    /// Block from which a result is looked for [default: the block of the recorded deployment, or the first one]
    #[arg(long, value_name = "N")]
    pub(super) from_block: Option<u64>,
    /// Blocks that are read at once; halved while the endpoint refuses
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) range: u64,
}

/// A probability, with 18 decimals.
fn rate(text: &str) -> Result<u64, String> {
    let parsed = amount::parse(text, 18).and_then(|rate| u64::try_from(rate).ok());
    parsed.ok_or_else(|| format!("{text:?} is no probability, like 0.1"))
}

impl PolicyArgs {
    fn terms(&self, Paths(paths): Paths) -> Terms {
        let address = |bytes: Option<[u8; 20]>| bytes.map(Address::from);
        Terms {
            paths,
            required: self.required,
            signatures: self.signatures,
            challenge_window: self.challenge_window,
            answer_window: self.answer_window,
            rate: self.rate,
            bond: self.bond.clone(),
            deposit: self.deposit.clone(),
            token: address(self.token),
            beneficiary: address(self.beneficiary),
            beacon: address(self.beacon),
            attestors: address(self.attestors),
        }
    }
}

/// Runs the command.
///
/// # Errors
/// As [`post::run`], [`act::run`], and with `--policy proven` as [`submit::hand_in`].
pub fn run(ui: &Ui, args: Args) -> Result<()> {
    let chain = args.chain.chain()?;
    let artifacts = args.folder.open()?;
    let (consumer, deployed) = args.consumer.find(&chain, artifacts.model())?;
    match args.doing.policy {
        Some(Paths(0)) => proven(ui, args, chain, artifacts, consumer),
        Some(paths) => posted(ui, args, chain, &artifacts, consumer, paths),
        None => acted(ui, args, chain, &artifacts, consumer, deployed),
    }
}

fn posted(
    ui: &Ui,
    args: Args,
    chain: Chain,
    artifacts: &Artifacts,
    consumer: Address,
    paths: Paths,
) -> Result<()> {
    let InputArgs { input, index, salt_file } = args.input;
    let request = post::Request {
        consumer,
        action: args.terms.action(),
        deadline: args.terms.deadline,
        valid_for: args.terms.valid_for,
        input,
        index,
        salt_file,
        provenance: args.terms.provenance.to_vec(),
        terms: args.policy.terms(paths),
        attestations: args.attestation.as_deref().map(attestations).transpose()?.unwrap_or_default(),
        from_deposit: args.policy.from_deposit,
        limits: args.fees.limits(&chain),
        dry_run: args.dry_run,
        chain,
    };
    let report = block_on(async {
        let (account, rpc) = args.key.connected(&args.password, &request.chain).await?;
        Ok(post::run(ui, artifacts, &rpc, &account, request).await?)
    })?;
    ui.result(&report)
}

fn acted(
    ui: &Ui,
    args: Args,
    chain: Chain,
    artifacts: &Artifacts,
    consumer: Address,
    deployed: Option<u64>,
) -> Result<()> {
    let Doing { finalise, attest, prove, release, .. } = args.doing;
    let InputArgs { input, index, salt_file } = args.input;
    let signed = args.attestation.as_deref().map(attestations).transpose()?.unwrap_or_default();
    let all = [
        finalise.map(|id| (id, Act::Finalise)),
        attest.map(|id| (id, Act::Attest(signed))),
        prove.map(|id| (id, Act::Prove { input, index, salt_file })),
        release.map(|id| (id, Act::Release)),
    ];
    let nothing = || Error::Usage { message: "which result, and what is to become of it?".to_owned() };
    let (id, act) = all.into_iter().flatten().next().ok_or_else(nothing)?;
    let request = act::Request {
        consumer,
        id,
        act,
        from_block: args.looking.from_block.or(deployed).unwrap_or_default(),
        range: args.looking.range,
        limits: args.fees.limits(&chain),
        dry_run: args.dry_run,
        chain,
    };
    let report = block_on(async {
        let (account, rpc) = args.key.connected(&args.password, &request.chain).await?;
        Ok(act::run(ui, artifacts, &rpc, &account, request).await?)
    })?;
    ui.result(&report)
}

fn proven(ui: &Ui, args: Args, chain: Chain, artifacts: Artifacts, consumer: Address) -> Result<()> {
    let InputArgs { input, index, salt_file } = args.input;
    let request = SubmitRequest {
        consumer,
        action: args.terms.action(),
        deadline: args.terms.deadline,
        valid_for: args.terms.valid_for,
        ready: None,
        prove: prove::Request { input, index, context: None, out: None, salt_file },
        provenance: args.terms.provenance.to_vec(),
        limits: args.fees.limits(&chain),
        dry_run: args.dry_run,
        chain,
    };
    submit::hand_in(ui, artifacts, request, &args.key, &args.password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_a_set_or_a_proof() {
        assert!(paths("optimistic").is_ok_and(|Paths(all)| all.count_ones() == 1));
        assert!(paths("attested, sampled").is_ok_and(|Paths(all)| all.count_ones() == 2));
        assert_eq!(paths("proven"), Ok(Paths(0)));
        for wrong in ["", "proven,sampled", "optimistic,", "optimistic,optimistic", "Sampled"] {
            assert!(paths(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn rates_have_18_decimals() {
        assert_eq!(rate("0.1"), Ok(100_000_000_000_000_000));
        for wrong in ["", "-0.1", "20", "0.0000000000000000001"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }
}
