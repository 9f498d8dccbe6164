//! Requests that pay whoever proves them: calls and logs of `ZKMLRewards`.

use zkml_protocol::{
    Word,
    binding::{Request, Reward, address_word},
};

use super::members;
use crate::{
    AbiError, Submission,
    abi::{self, Arg},
    log::{Log, small},
};

/// The event of a request with a reward.
pub const REWARDED_INFERENCE_REQUESTED: &str = "RewardedInferenceRequested(uint256,address,(address,uint256,uint256,bytes32,bytes32),(address,address,uint256,uint64,uint32),bytes)";
/// The event of a reward that a prover has earned.
pub const REWARD_EARNED: &str = "RewardEarned(uint256,address,address,uint256)";
/// The event of an output that was proven and paid for, and that its contract has not acted on.
pub const CALLBACK_FAILED: &str = "CallbackFailed(uint256)";

const REQUEST_REWARDED: &str =
    "requestRewarded(bytes32,uint256,bytes32,(address,address,uint256,uint64,uint32),bytes,bytes)";
const FULFILL_REWARDED: &str = "fulfillRewarded((address,uint256,uint256,bytes32,bytes32),(address,address,uint256,uint64,uint32),address,bytes,bytes)";
const RECLAIM_REWARD: &str =
    "reclaimReward((address,uint256,uint256,bytes32,bytes32),(address,address,uint256,uint64,uint32))";
const WITHDRAW: &str = "withdraw(address,uint256,address)";
const FUNDS_OF: &str = "fundsOf(address,address)";

/// Calldata of `requestRewarded(action, deadline, dataCommitment, reward, input, provenance)` of a generated contract,
/// for the sender. The reward's amount goes along where it is paid in coins and not from a deposit.
#[must_use]
pub fn request_rewarded(
    action: Word,
    deadline: Word,
    data_commitment: Word,
    reward: &Reward,
    input: &[u8],
    provenance: &[u8],
) -> Vec<u8> {
    let mut arguments = Vec::from([action, deadline, data_commitment].map(Arg::Word));
    arguments.extend(reward_members(reward).map(Arg::Word));
    arguments.extend([Arg::Bytes(input), Arg::Bytes(provenance)]);
    abi::call(REQUEST_REWARDED, &arguments)
}

/// Calldata of `fulfillRewarded(request, reward, prover, output, proof)`, which anybody may send; `prover` is paid.
#[must_use]
pub fn fulfill_rewarded(
    request: &Request,
    reward: &Reward,
    prover: &[u8; 20],
    submission: &Submission,
) -> Vec<u8> {
    let mut arguments = both(request, reward);
    arguments.push(Arg::Word(address_word(prover)));
    arguments.extend([Arg::Bytes(&submission.output), Arg::Bytes(&submission.blob)]);
    abi::call(FULFILL_REWARDED, &arguments)
}

/// Calldata of `reclaimReward(request, reward)`, which anybody may send once the deadline has passed.
#[must_use]
pub fn reclaim_reward(request: &Request, reward: &Reward) -> Vec<u8> {
    abi::call(RECLAIM_REWARD, &both(request, reward))
}

/// Calldata of `withdraw(asset, amount, to)`, which pays out what is the sender's.
#[must_use]
pub fn withdraw(asset: &[u8; 20], amount: Word, to: &[u8; 20]) -> Vec<u8> {
    abi::call(WITHDRAW, &[address_word(asset), amount, address_word(to)].map(Arg::Word))
}

/// Calldata of the view `fundsOf(account, asset)`.
#[must_use]
pub fn funds_of(account: &[u8; 20], asset: &[u8; 20]) -> Vec<u8> {
    abi::call(FUNDS_OF, &[account, asset].map(|address| Arg::Word(address_word(address))))
}

/// A request and a reward, which lie in the head as if their members were arguments.
fn both(request: &Request, reward: &Reward) -> Vec<Arg<'static>> {
    members(request).into_iter().chain(reward_members(reward)).map(Arg::Word).collect()
}

fn reward_members(reward: &Reward) -> [Word; 5] {
    let Reward { payer, asset, amount, callback_gas, confirmations } = *reward;
    let numbers = [callback_gas, confirmations.into()].map(Word::from_u64);
    [address_word(&payer), address_word(&asset), amount, numbers[0], numbers[1]]
}

/// Somebody asks for an inference, and pays for its proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RewardedInferenceRequested {
    /// The id, which is the hash of request and reward.
    pub id: Word,
    /// The request itself.
    pub request: Request,
    /// The reward that it pays.
    pub reward: Reward,
    /// The words of the input section where inputs are public; empty where they are committed.
    pub input: Vec<u8>,
}

impl RewardedInferenceRequested {
    /// Reads a log.
    ///
    /// # Errors
    /// [`AbiError::OtherEvent`], [`AbiError::LogTopics`] or [`AbiError::LogData`] if it is not a log of this
    /// event, [`AbiError::RequestId`] if its id is not that of its contents.
    pub fn decode(topics: &[Word], data: &[u8]) -> Result<Self, AbiError> {
        let log = Log { event: REWARDED_INFERENCE_REQUESTED, data };
        let [id, indexed] = log.topics(topics)?;
        let [subject, sequence, deadline, action, data_commitment, rest @ ..] = log.head::<11>()?;
        let [payer, asset, amount, callback_gas, confirmations, offset] = rest;
        if indexed != subject {
            return Err(log.malformed(0, "the subject is another than the indexed one"));
        }
        let subject = log.address(0, subject)?;
        let request = Request { subject, sequence, deadline, action, data_commitment };
        let number = |word: Word, index| {
            small(&word.0).ok_or_else(|| log.malformed(index, "a number is larger than its type"))
        };
        let reward = Reward {
            payer: log.address(5, payer)?,
            asset: log.address(6, asset)?,
            amount,
            callback_gas: number(callback_gas, 8)?,
            confirmations: number(confirmations, 9)?
                .try_into()
                .map_err(|_| log.malformed(9, "a number is larger than its type"))?,
        };
        let input = log.bytes(11, offset)?.to_vec();
        let expected = reward.id(&request);
        if id != expected {
            return Err(AbiError::RequestId { actual: id, expected });
        }
        Ok(Self { id, request, reward, input })
    }
}

/// A prover has earned a reward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RewardEarned {
    /// The request's id.
    pub id: Word,
    /// The prover.
    pub prover: [u8; 20],
    /// The token; zero for the chain's own coin.
    pub asset: [u8; 20],
    /// The amount.
    pub amount: Word,
}

impl RewardEarned {
    /// Reads a log.
    ///
    /// # Errors
    /// [`AbiError::OtherEvent`], [`AbiError::LogTopics`] or [`AbiError::LogData`] if it is not a log of this
    /// event.
    pub fn decode(topics: &[Word], data: &[u8]) -> Result<Self, AbiError> {
        let log = Log { event: REWARD_EARNED, data };
        let [id, prover, asset] = log.topics(topics)?;
        let [amount] = log.words()?;
        Ok(Self { id, prover: log.address(1, prover)?, asset: log.address(2, asset)?, amount })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{library, requests::topic};

    fn request() -> Request {
        let [sequence, deadline, action, data_commitment] = [2, 3, 4, 5].map(Word::from_u64);
        Request { subject: [0xa1; 20], sequence, deadline, action, data_commitment }
    }

    fn reward() -> Reward {
        let amount = Word::from_u64(6);
        Reward { payer: [0xa1; 20], asset: [0xc3; 20], amount, callback_gas: 7, confirmations: 8 }
    }

    /// A log of the request, as solc writes it.
    fn requested(input: &[u8]) -> (Vec<Word>, Vec<u8>) {
        let subject = address_word(&request().subject);
        let mut arguments = both(&request(), &reward());
        arguments.push(Arg::Bytes(input));
        let topics = vec![topic(REWARDED_INFERENCE_REQUESTED), reward().id(&request()), subject];
        (topics, abi::encode(&arguments))
    }

    #[test]
    fn a_log_of_a_request_is_read_and_has_one_spelling() {
        for length in [0, 1, 31, 32, 33, 64] {
            let (topics, data) = requested(&vec![7; length]);
            let read = RewardedInferenceRequested::decode(&topics, &data).unwrap();
            let id = reward().id(&request());
            let expected = RewardedInferenceRequested {
                id,
                request: request(),
                reward: reward(),
                input: vec![7; length],
            };
            assert_eq!(read, expected);
        }
        let (topics, data) = requested(&[7; 40]);
        for length in 0..data.len() {
            RewardedInferenceRequested::decode(&topics, &data[..length]).unwrap_err();
        }
        // The id covers all but the input, whose length comes after the eleven words of the head.
        for at in 0..data.len() {
            let mut flipped = data.clone();
            flipped[at] ^= 1;
            let read = RewardedInferenceRequested::decode(&topics, &flipped);
            assert!(read.is_err() || at >= 11 * 32, "byte {at}");
        }
        for number in 0..topics.len() {
            for at in 0..32 {
                let mut flipped = topics.clone();
                flipped[number].0[at] ^= 1;
                RewardedInferenceRequested::decode(&flipped, &data).unwrap_err();
            }
        }
    }

    /// Words beyond the types, with the id that they would give.
    #[test]
    fn numbers_beyond_their_types_are_refused() {
        let (topics, data) = requested(&[]);
        for (word, byte) in [(5, 0), (6, 11), (8, 23), (9, 27), (0, 3)] {
            let mut large = data.clone();
            large[32 * word + byte] = 1;
            let mut topics = topics.clone();
            if word == 0 {
                topics[2].0[byte] = 1;
            }
            let error = RewardedInferenceRequested::decode(&topics, &large).unwrap_err();
            assert!(matches!(error, AbiError::LogData { .. }), "word {word}: {error}");
        }
    }

    #[test]
    fn an_earned_reward_is_read() {
        let [prover, asset] = [[0xb2; 20], [0xc3; 20]];
        let id = reward().id(&request());
        let topics = [topic(REWARD_EARNED), id, address_word(&prover), address_word(&asset)];
        let amount = Word::from_u64(6);
        let expected = RewardEarned { id, prover, asset, amount };
        assert_eq!(RewardEarned::decode(&topics, &amount.0).unwrap(), expected);
        RewardEarned::decode(&topics, &[]).unwrap_err();
        for number in [2, 3] {
            let mut dirty = topics;
            dirty[number].0[11] = 1;
            RewardEarned::decode(&dirty, &amount.0).unwrap_err();
        }
    }

    #[test]
    fn requests_and_rewards_lie_in_the_head_of_a_call() {
        let submission = Submission { blob: vec![9; 33], output: vec![8; 32], input_commitment: Word::ZERO };
        let data = fulfill_rewarded(&request(), &reward(), &[0xb2; 20], &submission);
        let word = |index: usize| Word(data[4 + 32 * index..][..32].try_into().unwrap());
        assert_eq!(std::array::from_fn(word), members(&request()));
        assert_eq!(std::array::from_fn(|index| word(5 + index)), reward_members(&reward()));
        assert_eq!(word(10), address_word(&[0xb2; 20]));
        assert_eq!([word(11), word(12)], [13 * 32, 15 * 32].map(Word::from_u64), "offsets");
        let reclaimed = reclaim_reward(&request(), &reward());
        assert_eq!(reclaimed[4..], data[4..][..10 * 32]);
        let [action, deadline, commitment] = [4, 3, 5].map(Word::from_u64);
        let asked = request_rewarded(action, deadline, commitment, &reward(), &[1], &[2, 3]);
        assert_eq!(asked[4 + 3 * 32..][..5 * 32], reward_members(&reward()).map(|word| word.0).concat());
        assert_eq!(asked.len(), 4 + 32 * (3 + 5 + 2 + 2 + 2));
    }

    /// Signatures of functions and events, against the text of the contracts.
    #[test]
    fn signatures_are_the_contracts() {
        let interface = ["IZKMLLedger", "IZKMLRewards"]
            .map(|name| library::source(&format!("{}interfaces/{name}.sol", library::PREFIX)).unwrap())
            .concat();
        let declared = |kind: &str, signature: &str| {
            let (name, types) = signature.split_once('(').unwrap();
            let types = types
                .strip_suffix(')')
                .unwrap()
                .replace("(address,uint256,uint256,bytes32,bytes32)", "IZKMLRequests.Request")
                .replace("(address,address,uint256,uint64,uint32)", "Reward");
            let (_, rest) = interface.split_once(&format!("{kind} {name}(")).unwrap();
            let (found, _) = rest.split_once(')').unwrap();
            let words = found.split(',').filter_map(|argument| argument.split_whitespace().next());
            assert_eq!(words.collect::<Vec<_>>().join(","), types, "{signature}");
        };
        for event in [REWARDED_INFERENCE_REQUESTED, REWARD_EARNED, CALLBACK_FAILED] {
            declared("event", event);
        }
        for function in [FULFILL_REWARDED, RECLAIM_REWARD, WITHDRAW, FUNDS_OF] {
            declared("function", function);
        }
    }
}
