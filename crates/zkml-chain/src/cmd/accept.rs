//! `zkml-chain accept`: results for less than a proof.

use super::chain_args::{
    ChainArgs, ConsumerArgs, FeeArgs, InputArgs, KeyArgs, PasswordArgs, TermArgs, block_on,
};
use super::{folder::Folder, submit};
use crate::{
    error::{Error, Result},
    show::Ui,
};
use clap::{ArgMatches, FromArgMatches, parser::ValueSource};
use std::{collections::BTreeSet, path::PathBuf};
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
/// --draw, --attest, --prove or --release, a posted result gets on.
#[derive(Debug, clap::Args)]
#[command(mut_arg("valid_for", |flag| flag.help(VALID_FOR)))]
pub struct Args {
    #[command(flatten)]
    given: Given,
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
    /// Signatures: {"keyId", "issuedAt", "validUntil", "signature"}, or a list of such, ascending by key; what is signed is in the report of a --dry-run, and a keyId is what `keyIdOf` of the registry of keys answers
    #[arg(long, value_name = "FILE", conflicts_with_all = ["finalise", "draw", "prove", "release"])]
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
    /// Draw this result, whose round is decided: it is spared, or its proof is due
    #[arg(long, value_name = "ID", value_parser = value::word)]
    draw: Option<Word>,
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
    /// The registry of keys that attest, a `ZKMLAttestors`; its owner registers each key by `register`, see the book
    #[arg(long, value_name = "ADDRESS", value_parser = value::address)]
    attestors: Option<[u8; 20]>,
    /// Number of keys that have to sign
    #[arg(long, value_name = "N", default_value_t = 1)]
    signatures: u8,
}

/// The help of --valid-for here: what `submit` says of it is not so.
const VALID_FOR: &str = "Seconds that the application has to act on the result, from the end of all windows and of the longest wait for its draw, to the deadline";

/// Flags that say a policy.
const POLICY: [&str; 12] = [
    "required",
    "bond",
    "deposit",
    "token",
    "from_deposit",
    "challenge_window",
    "answer_window",
    "beneficiary",
    "rate",
    "beacon",
    "attestors",
    "signatures",
];
/// Flags that are for one path each.
const OF_PATH: [(&str, &[&str]); 3] = [
    ("optimistic", &["challenge_window"]),
    ("sampled", &["rate", "beacon"]),
    ("attested", &["signatures", "attestors", "attestation"]),
];
/// Flags that say what a result is bound to.
const STATEMENT: [&str; 5] = ["action", "action_text", "deadline", "valid_for", "provenance"];
/// Flags that say an input.
const INPUT: [&str; 3] = ["input", "index", "salt_file"];

/// Flags that stand on the command line; defaults, of the program or of `zkml.toml`, do not.
#[derive(Debug, Clone, Default)]
struct Given(BTreeSet<String>);

impl Given {
    fn has(&self, flag: &str) -> bool {
        self.0.contains(flag)
    }

    /// Refuses flags that would do nothing.
    fn refuse(&self, flags: &[&[&str]], why: &str) -> Result<()> {
        let mut all = flags.iter().flat_map(|flags| flags.iter().copied());
        let Some(flag) = all.find(|flag| self.has(flag)) else { return Ok(()) };
        Err(Error::Usage { message: format!("--{} does nothing here: {why}", flag.replace('_', "-")) })
    }
}

impl FromArgMatches for Given {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |id: &&clap::Id| matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
        Ok(Self(matches.ids().filter(given).map(ToString::to_string).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl clap::Args for Given {
    fn augment_args(command: clap::Command) -> clap::Command {
        command
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        command
    }
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
    check(&args)?;
    let chain = args.chain.chain()?;
    let artifacts = args.folder.open()?;
    let (consumer, deployed) = args.consumer.find(&chain, artifacts.model())?;
    match args.doing.policy {
        Some(Paths(0)) => proven(ui, args, chain, artifacts, consumer),
        Some(paths) => posted(ui, args, chain, &artifacts, consumer, paths),
        None => acted(ui, args, chain, &artifacts, consumer, deployed),
    }
}

/// Refuses flags that would do nothing, before anything is read.
fn check(args: &Args) -> Result<()> {
    let (given, posted) = (&args.given, "a result that is posted has its policy and its statement");
    match (args.doing.policy, args.doing.prove) {
        (Some(Paths(0)), _) => given.refuse(&[&POLICY[..], &["attestation"]], "a proof needs no policy"),
        (Some(Paths(paths)), _) => {
            let has = |name: &str| paths_named(name).is_ok_and(|path| paths & path != 0);
            let idle = OF_PATH.iter().filter(|(name, _)| !has(name));
            idle.map(|(_, flags)| *flags)
                .try_for_each(|flags| given.refuse(&[flags], "the policy has no such path"))
        }
        (None, Some(_)) => given.refuse(&[&POLICY[..], &STATEMENT], posted),
        (None, None) => given.refuse(&[&POLICY[..], &STATEMENT, &INPUT], posted),
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
    let Doing { finalise, draw, attest, prove, release, .. } = args.doing;
    let named = INPUT.iter().any(|flag| args.given.has(flag));
    let InputArgs { input, index, salt_file } = args.input;
    let signed = args.attestation.as_deref().map(attestations).transpose()?.unwrap_or_default();
    let all = [
        finalise.map(|id| (id, Act::Finalise)),
        attest.map(|id| (id, Act::Attest(signed))),
        draw.map(|id| (id, Act::Draw)),
        prove.map(|id| (id, Act::Prove { input, named, index, salt_file })),
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
