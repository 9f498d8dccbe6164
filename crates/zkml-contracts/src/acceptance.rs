//! Results under policies, with less than a proof: calls and logs of `ZKMLAcceptance`, and the hashes that it makes.

mod logs;
mod policy;
#[cfg(test)]
mod tests;

use zkml_protocol::{
    Word,
    binding::{Context, address_word, input_commitment},
    keccak256,
};

use crate::{
    AbiError,
    abi::{self, Arg},
    log::small,
};

pub use logs::{
    RESULT_ACCEPTED, RESULT_ATTESTED, RESULT_CHALLENGED, RESULT_DRAWN, RESULT_LOST, RESULT_POSTED,
    RESULT_PROVEN, RESULT_VOIDED, ResultEvent,
};
pub use policy::{ATTESTED, OPTIMISTIC, PROVEN, Policy, SAMPLED, path_names};

/// Types of the structs, as signatures have them.
const RESULT: &str = "(address,address,uint256,uint256,bytes32,bytes32,bytes32,uint256)";
const POLICY: &str =
    "(uint8,uint8,uint8,uint32,uint32,uint64,uint256,uint256,address,address,address,address)";
const ATTESTATIONS: &str = "(bytes32,uint64,uint64,bytes)[]";

/// EIP-712 type of a result's id.
const RESULT_TYPE: &str =
    "ZKMLResult(address poster,uint256 modelId,bytes32 statement,bytes32 outputHash,bytes32 policyHash)";
/// EIP-712 type of an attestation.
pub const ATTESTATION_TYPE: &str =
    "ZKMLAttestation(uint256 modelId,bytes32 statement,bytes32 outputHash,uint64 issuedAt,uint64 validUntil)";

/// The state of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Nobody has posted it.
    None,
    /// Its bond is set aside, and its paths are open.
    Posted,
    /// Its proof is due.
    Demanded,
    /// It is proven, its bond is back, and nothing was done with it yet.
    Proven,
    /// The application has acted on it. Final.
    Accepted,
    /// Its proof did not come in time. Final.
    Lost,
    /// It counts for nothing, and nobody has lost anything. Final.
    Void,
}

impl State {
    const ALL: [Self; 7] =
        [Self::None, Self::Posted, Self::Demanded, Self::Proven, Self::Accepted, Self::Lost, Self::Void];

    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        ["none", "posted", "demanded", "proven", "accepted", "lost", "void"][self as usize]
    }
}

/// All that the contract keeps of a result. Times are block times in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Its state.
    pub state: State,
    /// Paths that hold, and [`PROVEN`] once it is proven; that a window is over is not written down.
    pub held: u8,
    /// Time at which it was posted.
    pub since: u64,
    /// Last time at which a proof that is due may come.
    pub until: u64,
    /// The beacon's round that draws it.
    pub round: u64,
}

impl Status {
    /// Reads what `statusOf` answered.
    ///
    /// # Errors
    /// [`AbiError::ResultStatus`] if it is no status.
    pub fn decode(answer: &[u8]) -> Result<Self, AbiError> {
        let refuse = || AbiError::ResultStatus { answer: answer.to_vec() };
        let (words, rest) = answer.as_chunks::<32>();
        let numbers: Option<Vec<u64>> = words.iter().map(small).collect();
        match numbers.as_deref() {
            Some([state, held, since, until, round]) if rest.is_empty() => {
                let state = usize::try_from(*state).ok().and_then(|state| State::ALL.get(state));
                let held = u8::try_from(*held).map_err(|_| refuse())?;
                let state = *state.ok_or_else(refuse)?;
                Ok(Self { state, held, since: *since, until: *until, round: *round })
            }
            _ => Err(refuse()),
        }
    }

    /// Paths that hold at a block time: those that are written down, and the optimistic one once its window is over.
    #[must_use]
    pub fn held_at(&self, policy: &Policy, time: u64) -> u8 {
        let over = policy.has(OPTIMISTIC) && time > policy.challenge_end(self.since);
        self.held | if over { OPTIMISTIC } else { 0 }
    }
}

/// A posted result. The contract keeps its hash; whoever calls hands all of it in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Posted {
    /// Whose bond it is.
    pub poster: [u8; 20],
    /// Whom the inference is about.
    pub subject: [u8; 20],
    /// The subject's nonce that it has used up.
    pub nonce: Word,
    /// Last block time at which the application may act on it.
    pub deadline: Word,
    /// The use of the output, hashed.
    pub action: Word,
    /// The commitment to the input.
    pub data_commitment: Word,
    /// Keccak-256 of the output words.
    pub output_hash: Word,
    /// The model in force when it was posted.
    pub model_id: Word,
}

impl Posted {
    /// Number of its words.
    pub const WORDS: usize = 8;

    /// Its words, in the contract's order.
    #[must_use]
    pub fn words(&self) -> [Word; Self::WORDS] {
        let Self { poster, subject, nonce, deadline, action, data_commitment, output_hash, model_id } = *self;
        let [poster, subject] = [poster, subject].map(|address| address_word(&address));
        [poster, subject, nonce, deadline, action, data_commitment, output_hash, model_id]
    }

    /// The same from its words; none if an address is none.
    #[must_use]
    pub fn of_words(words: [Word; Self::WORDS]) -> Option<Self> {
        let [poster, subject, nonce, deadline, action, data_commitment, output_hash, model_id] = words;
        let (poster, subject) = (address(poster)?, address(subject)?);
        Some(Self { poster, subject, nonce, deadline, action, data_commitment, output_hash, model_id })
    }

    /// The parts that a proof of it is bound to: the context that `verifyInference` would ask for.
    #[must_use]
    pub fn context(&self, chain_id: u64, consumer: [u8; 20]) -> Context {
        let Self { subject, nonce, deadline, action, .. } = *self;
        Context { chain_id, consumer, subject, nonce, deadline, action }
    }

    /// The statement: ERC-7992's input commitment, of data and context.
    #[must_use]
    pub fn statement(&self, chain_id: u64, consumer: [u8; 20]) -> Word {
        input_commitment(&self.data_commitment, &self.context(chain_id, consumer).digest())
    }

    /// Its id under a policy.
    #[must_use]
    pub fn id(&self, policy: &Policy, chain_id: u64, consumer: [u8; 20]) -> Word {
        let statement = self.statement(chain_id, consumer);
        let kind = keccak256([RESULT_TYPE.as_bytes()]);
        let parts =
            [kind, address_word(&self.poster), self.model_id, statement, self.output_hash, policy.hash()];
        keccak256(parts.iter().map(|word| word.0.as_slice()))
    }

    /// The EIP-712 digest that an attesting key signs.
    #[must_use]
    pub fn attestation_digest(
        &self,
        chain_id: u64,
        consumer: [u8; 20],
        issued_at: u64,
        valid_until: u64,
    ) -> Word {
        let kind = keccak256([ATTESTATION_TYPE.as_bytes()]);
        let [issued_at, valid_until] = [issued_at, valid_until].map(Word::from_u64);
        let statement = self.statement(chain_id, consumer);
        let parts = [kind, self.model_id, statement, self.output_hash, issued_at, valid_until];
        let message = keccak256(parts.iter().map(|word| word.0.as_slice()));
        let domain = self.context(chain_id, consumer).domain_separator();
        keccak256([b"\x19\x01".as_slice(), &domain.0, &message.0])
    }
}

/// A signature of a registered key, as the contract's struct has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// The key's id in its registry.
    pub key_id: Word,
    /// Block time from which it counts, in seconds since 1970.
    pub issued_at: u64,
    /// Last block time at which it counts.
    pub valid_until: u64,
    /// The signature of [`Posted::attestation_digest`].
    pub signature: Vec<u8>,
}

/// The part of a result that a poster hands in.
#[derive(Clone, Copy, Debug)]
pub struct Posting<'a> {
    /// Last block time at which the application may act on the result.
    pub deadline: Word,
    /// The commitment to the input.
    pub data_commitment: Word,
    /// The words of the output section.
    pub output: &'a [u8],
    /// Why the input is to be believed.
    pub provenance: &'a [u8],
    /// Signatures, ascending by key.
    pub attestations: &'a [Attestation],
}

/// Calldata of `postResult(action, posting, policy)`, the function that an application offers its callers: it hands both on to `_postResult`, with
/// the sender for the subject.
#[must_use]
pub fn post_result(action: Word, posting: &Posting<'_>, policy: &Policy) -> Vec<u8> {
    let signature = format!("postResult(bytes32,(uint256,bytes32,bytes,bytes,{ATTESTATIONS}),{POLICY})");
    let members = attestation_members(posting.attestations);
    let attestations: Vec<Arg<'_>> = members.iter().map(|members| Arg::Struct(members)).collect();
    let posting = [
        Arg::Word(posting.deadline),
        Arg::Word(posting.data_commitment),
        Arg::Bytes(posting.output),
        Arg::Bytes(posting.provenance),
        Arg::Array(&attestations),
    ];
    let mut arguments = vec![Arg::Word(action), Arg::Struct(&posting)];
    arguments.extend(policy.words().map(Arg::Word));
    abi::call(&signature, &arguments)
}

/// Calldata of `challenge(result, policy)`; the deposit goes along where it is paid in coins.
#[must_use]
pub fn challenge(result: &Posted, policy: &Policy) -> Vec<u8> {
    abi::call(&format!("challenge({RESULT},{POLICY})"), &both(result, policy))
}

/// Calldata of `draw(result, policy)`, which anybody may send.
#[must_use]
pub fn draw(result: &Posted, policy: &Policy) -> Vec<u8> {
    abi::call(&format!("draw({RESULT},{POLICY})"), &both(result, policy))
}

/// Calldata of `attest(result, policy, attestations)`, which anybody may send.
#[must_use]
pub fn attest(result: &Posted, policy: &Policy, attestations: &[Attestation]) -> Vec<u8> {
    let members = attestation_members(attestations);
    let attestations: Vec<Arg<'_>> = members.iter().map(|members| Arg::Struct(members)).collect();
    let mut arguments = both(result, policy);
    arguments.push(Arg::Array(&attestations));
    abi::call(&format!("attest({RESULT},{POLICY},{ATTESTATIONS})"), &arguments)
}

/// Calldata of `prove(result, policy, output, proof)`, which anybody may send.
#[must_use]
pub fn prove(result: &Posted, policy: &Policy, output: &[u8], blob: &[u8]) -> Vec<u8> {
    let mut arguments = both(result, policy);
    arguments.extend([Arg::Bytes(output), Arg::Bytes(blob)]);
    abi::call(&format!("prove({RESULT},{POLICY},bytes,bytes)"), &arguments)
}

/// Calldata of `accept(result, policy, output)`, which anybody may send.
#[must_use]
pub fn accept(result: &Posted, policy: &Policy, output: &[u8]) -> Vec<u8> {
    let mut arguments = both(result, policy);
    arguments.push(Arg::Bytes(output));
    abi::call(&format!("accept({RESULT},{POLICY},bytes)"), &arguments)
}

/// Calldata of `claim(result, policy)`, which anybody may send.
#[must_use]
pub fn claim(result: &Posted, policy: &Policy) -> Vec<u8> {
    abi::call(&format!("claim({RESULT},{POLICY})"), &both(result, policy))
}

/// Calldata of `release(result, policy)`.
#[must_use]
pub fn release(result: &Posted, policy: &Policy) -> Vec<u8> {
    abi::call(&format!("release({RESULT},{POLICY})"), &both(result, policy))
}

/// Calldata of the view `statusOf(resultId)`; [`Status::decode`] reads the answer.
#[must_use]
pub fn status_of(id: Word) -> Vec<u8> {
    abi::call("statusOf(bytes32)", &[Arg::Word(id)])
}

/// A result and a policy lie in the head, as if their members were arguments.
fn both(result: &Posted, policy: &Policy) -> Vec<Arg<'static>> {
    result.words().into_iter().chain(policy.words()).map(Arg::Word).collect()
}

fn attestation_members<'a>(attestations: &'a [Attestation]) -> Vec<[Arg<'a>; 4]> {
    let members = |each: &'a Attestation| {
        let times = [each.issued_at, each.valid_until].map(Word::from_u64);
        [Arg::Word(each.key_id), Arg::Word(times[0]), Arg::Word(times[1]), Arg::Bytes(&each.signature)]
    };
    attestations.iter().map(members).collect()
}

/// A word that is an address.
fn address(word: Word) -> Option<[u8; 20]> {
    let (zeros, address) = word.0.split_last_chunk::<20>()?;
    zeros.iter().all(|byte| *byte == 0).then_some(*address)
}
