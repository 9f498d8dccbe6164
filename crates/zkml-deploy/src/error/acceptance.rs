//! Reasons why a result under a policy cannot be posted, challenged or ended.

use zkml_protocol::Word;

use crate::Address;

/// The reason. Times are block times in seconds since 1970.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptanceError {
    /// The contract knows no policies.
    #[error("the consumer {consumer} takes no results under policies: it does not inherit ZKMLAcceptance")]
    NoAcceptance {
        /// The consumer.
        consumer: Address,
    },
    /// No log of the contract has posted this result.
    #[error(
        "nobody has posted a result {id} at {consumer} since block {from}: name an earlier one with --from-block, or the consumer that it was posted at"
    )]
    NoSuchResult {
        /// The result.
        id: Word,
        /// The consumer.
        consumer: Address,
        /// First block that was looked at.
        from: u64,
    },
    /// A result is not where it would have to be.
    #[error("the result {id} is {state}: {wanted}")]
    WrongState {
        /// The result.
        id: Word,
        /// Its state.
        state: &'static str,
        /// The state that it would have to be in.
        wanted: &'static str,
    },
    /// The policy of a result lacks a path.
    #[error("the policy of the result {id} is not {path}")]
    NoSuchPath {
        /// The result.
        id: Word,
        /// The path.
        path: &'static str,
    },
    /// A path of a result holds already.
    #[error("the result {id} is {path} already")]
    HoldsAlready {
        /// The result.
        id: Word,
        /// The path.
        path: &'static str,
    },
    /// It is too late.
    #[error("{what} of the result {id} ended at {end}, and the last block's time is {now}")]
    WindowClosed {
        /// The result.
        id: Word,
        /// The window.
        what: &'static str,
        /// Its last second.
        end: u64,
        /// The time of the last block.
        now: u64,
    },
    /// It is too early.
    #[error(
        "{what} of the result {id} is open until {end}, its last second included; the last block's time is {now}"
    )]
    WindowOpen {
        /// The result.
        id: Word,
        /// The window.
        what: &'static str,
        /// Its last second.
        end: u64,
        /// The time of the last block.
        now: u64,
    },
    /// Too few paths hold.
    #[error("of the paths of the result {id}, {required} have to hold, and now {held} do: {open}")]
    NotAcceptable {
        /// The result.
        id: Word,
        /// Number of those that do.
        held: u32,
        /// Number of those that have to.
        required: u8,
        /// The reasons of the others.
        open: String,
    },
    /// More is at stake than was allowed.
    #[error("the {what} is {amount} {unit}, and no more than {most} may be set aside: allow it with {flag}")]
    TooMuch {
        /// `bond` or `deposit`.
        what: &'static str,
        /// The amount.
        amount: String,
        /// The amount that was allowed.
        most: String,
        /// Unit of both.
        unit: String,
        /// The flag.
        flag: &'static str,
    },
    /// The model gives what was posted.
    #[error(
        "the result {id} is right: the model gives its output for this input, so a proof will come and the deposit of {deposit} will be its poster's. Demand the proof all the same with --even-if-right"
    )]
    RightResult {
        /// The result.
        id: Word,
        /// The deposit.
        deposit: String,
    },
    /// An input is not that of a result.
    #[error("this is not the input of the result {id}: its commitment is {found}, the result's {expected}")]
    OtherInput {
        /// The result.
        id: Word,
        /// The commitment to this input.
        found: Word,
        /// The result's.
        expected: Word,
    },
    /// A result says something else than the model.
    #[error(
        "the output of the result {id} hashes to {posted}, and the model gives one that hashes to {computed}: no proof of it can be made"
    )]
    WrongResult {
        /// The result.
        id: Word,
        /// Hash of the posted output.
        posted: Word,
        /// Hash of what the model gives.
        computed: Word,
    },
    /// A result was posted with somebody else's bond.
    #[error("the result {id} is {poster}'s, and only its poster gives it up")]
    NotPoster {
        /// The result.
        id: Word,
        /// Its poster.
        poster: Address,
    },
    /// Nothing would be lost by cheating.
    #[error(
        "an optimistic or sampled result needs a bond above zero: name it with --bond; `zkml-chain bond` works out how much"
    )]
    ZeroBond,
    /// Challenges would cost nothing.
    #[error(
        "an optimistic result needs a challenger's deposit above zero: name it with --deposit; `zkml-chain bond` works out how much a proof costs"
    )]
    ZeroDeposit,
    /// A window is too short or too long.
    #[error("{what} of {seconds} s is refused: the contract takes {shortest} s to {longest} s")]
    Window {
        /// Its name, with its article.
        what: &'static str,
        /// Its length.
        seconds: u32,
        /// The shortest.
        shortest: u32,
        /// The longest.
        longest: u32,
    },
    /// No probability.
    #[error("a rate is a probability above 0 and at most 1: name it with --rate")]
    Rate,
    /// More paths have to hold than there are, or none.
    #[error(
        "{required} of {paths} paths cannot hold: --required is from 1 to the number of names in --policy"
    )]
    Required {
        /// Number of those that have to.
        required: u8,
        /// Their number.
        paths: u32,
    },
    /// Too few or too many signatures.
    #[error("{found} signatures, and {expected} are needed")]
    Signatures {
        /// Their number.
        found: usize,
        /// Number that there has to be.
        expected: String,
    },
    /// The policy lacks an account.
    #[error("a policy that is {path} needs {what}")]
    NotNamed {
        /// The path.
        path: &'static str,
        /// The missing account, with its flag.
        what: &'static str,
    },
    /// A lost bond would go back to who lost it.
    #[error("the beneficiary {beneficiary} is the poster, who would get its own lost bond back")]
    OwnBeneficiary {
        /// The account.
        beneficiary: Address,
    },
    /// The deadline leaves no time for challenge and answer.
    #[error(
        "the deadline {deadline} leaves no time for a challenge and its answer: it has to be {earliest} or later"
    )]
    DeadlineTooSoon {
        /// The deadline.
        deadline: u64,
        /// The earliest one.
        earliest: u64,
    },
    /// The deadline may be over before it is known whether the result is drawn.
    #[error(
        "the deadline {deadline} may be over before the result is drawn: where nobody hands its randomness in, its round is missed at about {decided}, and a proof may come until {earliest}; name that or a later one with --deadline, or none"
    )]
    DeadlineBeforeDraw {
        /// The deadline.
        deadline: u64,
        /// Time by which the round is known or missed.
        decided: u64,
        /// The earliest deadline.
        earliest: u64,
    },
    /// The round that draws a result is neither known nor missed.
    #[error(
        "round {round} of the beacon {beacon}, which draws the result {id}, is not decided: have its randomness handed in there, or wait until it is missed"
    )]
    RoundWaiting {
        /// The result.
        id: Word,
        /// The round.
        round: u64,
        /// The beacon.
        beacon: Address,
    },
    /// The input of a result is named though it was kept.
    #[error(
        "the input of the result {id} was kept when it was posted, in {}: leave --input out, and --index and --salt-file",
        kept.display()
    )]
    InputKept {
        /// The result.
        id: Word,
        /// The file.
        kept: std::path::PathBuf,
    },
    /// Keys are not in order.
    #[error("the key {key_id} is not above the one before: attestations are ascending by key, each key once")]
    KeysNotAscending {
        /// The key.
        key_id: Word,
    },
    /// A signature does not count now.
    #[error(
        "the attestation of {key_id} counts from {issued_at} to {valid_until}, and the last block's time is {now}"
    )]
    AttestationTime {
        /// The key.
        key_id: Word,
        /// From when on.
        issued_at: u64,
        /// Until when.
        valid_until: u64,
        /// The time of the last block.
        now: u64,
    },
    /// The registry of keys refuses a signature.
    #[error("{attestors} does not take the attestation of {key_id}: {reason}")]
    Key {
        /// The key.
        key_id: Word,
        /// The registry.
        attestors: Address,
        /// The custom error by name.
        reason: String,
    },
}

impl AcceptanceError {
    /// A stable name for scripts.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoAcceptance { .. } => "no-acceptance",
            Self::NoSuchResult { .. } => "no-such-result",
            Self::WrongState { .. } => "wrong-state",
            Self::NoSuchPath { .. } => "no-such-path",
            Self::HoldsAlready { .. } => "holds-already",
            Self::WindowClosed { .. } => "window-closed",
            Self::WindowOpen { .. } => "window-open",
            Self::NotAcceptable { .. } => "not-acceptable",
            Self::TooMuch { .. } => "too-much-at-stake",
            Self::RightResult { .. } => "right-result",
            Self::OtherInput { .. } => "other-input",
            Self::WrongResult { .. } => "wrong-result",
            Self::NotPoster { .. } => "not-poster",
            Self::ZeroBond => "zero-bond",
            Self::ZeroDeposit => "zero-deposit",
            Self::Window { .. } => "window",
            Self::Rate => "rate",
            Self::Required { .. } => "required",
            Self::Signatures { .. } => "signatures",
            Self::NotNamed { .. } => "not-named",
            Self::OwnBeneficiary { .. } => "own-beneficiary",
            Self::DeadlineTooSoon { .. } => "deadline-too-soon",
            Self::DeadlineBeforeDraw { .. } => "deadline-before-draw",
            Self::RoundWaiting { .. } => "round-waiting",
            Self::InputKept { .. } => "input-kept",
            Self::KeysNotAscending { .. } => "keys-not-ascending",
            Self::AttestationTime { .. } => "attestation-time",
            Self::Key { .. } => "attesting-key",
        }
    }

    /// True if what was asked for could never be done, whatever the chain says.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::NoAcceptance { .. }
                | Self::TooMuch { .. }
                | Self::ZeroBond
                | Self::ZeroDeposit
                | Self::Window { .. }
                | Self::Rate
                | Self::Required { .. }
                | Self::Signatures { .. }
                | Self::NotNamed { .. }
                | Self::OwnBeneficiary { .. }
                | Self::DeadlineTooSoon { .. }
                | Self::DeadlineBeforeDraw { .. }
                | Self::InputKept { .. }
                | Self::KeysNotAscending { .. }
        )
    }
}
