//! Requests with rewards, asked for and fulfilled by the calls that `zkml-contracts` encodes, and read from their logs.

use crate::{
    requests::{intact, of_inputs},
    support::{Behind, Codes},
};
use zkml_contracts::{
    Submission, errors,
    requests::{
        InferenceFulfilled, RequestState, RewardEarned, RewardedInferenceRequested, fulfill_rewarded,
        funds_of, reclaim_reward, request_rewarded, request_state, withdraw,
    },
};
use zkml_harness::{Address, Call, Log, Outcome, Settings, Solc};
use zkml_protocol::{
    Encoding, InstanceLayout, Word,
    binding::{Request, Reward, address_word},
    envelope::Shape,
};

/// A token of which the sender of its deployment has 100, and that asks nobody for leave.
const TOKEN: &str = "// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;
contract Token {
    mapping(address => uint256) public balanceOf;
    constructor() { balanceOf[tx.origin] = 100; }
    function transfer(address to, uint256 amount) external returns (bool) { return _move(msg.sender, to, amount); }
    function transferFrom(address from, address to, uint256 amount) external returns (bool) { return _move(from, to, amount); }
    function _move(address from, address to, uint256 amount) private returns (bool) {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        return true;
    }
}";
const PROVER: [u8; 20] = [0xb2; 20];

/// A contract that takes requests, with a deposit of the sender's in a token.
struct Desk {
    behind: Behind,
    token: [u8; 20],
}

impl Desk {
    fn open() -> Self {
        let sample = of_inputs(Encoding::Signed);
        let codes = Codes::of(&sample.program).with_consumer(&intact(&sample));
        let mut behind = Behind::deploy(sample, &codes);
        let compiled = Solc::find().unwrap().compile(&[("Token.sol", TOKEN)], &Settings::default()).unwrap();
        let token = behind.evm.deploy(&compiled.contract("Token").unwrap().creation).unwrap().address;
        let mut desk = Self { behind, token: token.into_array() };
        let deposit = [
            errors::selector("deposit(address,uint256)").as_slice(),
            &address_word(&desk.token).0,
            &Word::from_u64(100).0,
        ]
        .concat();
        desk.sent(&deposit);
        desk
    }

    fn sent(&mut self, data: &[u8]) -> Call {
        let call = self.behind.evm.send(self.behind.consumer, data).unwrap();
        assert!(matches!(call.outcome, Outcome::Returned(_)), "{}", call.describe());
        call
    }

    /// The word that a view answers.
    fn asked(&mut self, data: &[u8]) -> Word {
        match self.behind.evm.call(self.behind.consumer, data).unwrap().outcome {
            Outcome::Returned(answer) => Word(answer.try_into().unwrap()),
            other => panic!("{other:?}"),
        }
    }

    /// A request that pays `amount`.
    fn request(&mut self, amount: u64) -> RewardedInferenceRequested {
        let Behind { sample, evm, .. } = &self.behind;
        let shape = Shape::of(&sample.program).unwrap();
        let inputs = shape.sections(&sample.instances).unwrap().inputs.to_vec();
        let (data, input) =
            (shape.data_commitment(&inputs), inputs.iter().flat_map(|word| word.0).collect::<Vec<_>>());
        let deadline = Word::from_u64(evm.config.timestamp + 10);
        let (payer, action) = (evm.config.sender.into_array(), Word::from_u64(77));
        let amount = Word::from_u64(amount);
        let reward = Reward { payer, asset: self.token, amount, callback_gas: 200_000, confirmations: 0 };
        let call = self.sent(&request_rewarded(action, deadline, data, &reward, &input, &[]));
        let read = |log: &Log| RewardedInferenceRequested::decode(&topics(log), &log.data).ok();
        let event = call.logs.iter().find_map(read).expect("the event");
        let request = Request {
            subject: payer,
            sequence: event.request.sequence,
            deadline,
            action,
            data_commitment: data,
        };
        let expected = RewardedInferenceRequested { id: reward.id(&request), request, reward, input };
        assert_eq!(event, expected);
        event
    }

    /// Calldata of the fulfilment by a prover, with a proof that is bound to `bound`.
    fn fulfilment(&self, of: &RewardedInferenceRequested, prover: [u8; 20], bound: [u8; 20]) -> Vec<u8> {
        let Behind { sample, evm, consumer, .. } = &self.behind;
        let context = of.reward.context(&of.request, &bound, evm.config.chain_id, consumer.into_array());
        let mut instances = sample.instances.clone();
        instances[InstanceLayout::CONTEXT] = context.digest();
        let submission = Submission::new(&sample.program, &sample.proof, &instances).unwrap();
        fulfill_rewarded(&of.request, &of.reward, &prover, &submission)
    }

    fn state(&mut self, of: &RewardedInferenceRequested) -> RequestState {
        RequestState::decode(&self.asked(&request_state(of.id)).0).unwrap()
    }

    fn refused(&mut self, data: &[u8]) -> String {
        self.behind.evm.send(self.behind.consumer, data).unwrap().describe()
    }
}

fn topics(log: &Log) -> Vec<Word> {
    log.topics.iter().map(|topic| Word(topic.0)).collect()
}

#[test]
fn rewards_are_asked_for_and_earned_by_our_calls() {
    let mut desk = Desk::open();
    let asked = desk.request(7);
    assert_eq!(desk.state(&asked), RequestState::Pending);
    let thief = [0xee; 20];
    assert!(desk.refused(&desk.fulfilment(&asked, thief, PROVER)).starts_with("WrongContext("));
    let call = desk.sent(&desk.fulfilment(&asked, PROVER, PROVER));
    let fulfilled = |log: &Log| InferenceFulfilled::decode(&topics(log), &log.data).ok();
    let subject = asked.request.subject;
    let expected = InferenceFulfilled { id: asked.id, subject, fulfiller: PROVER };
    assert_eq!(call.logs.iter().find_map(fulfilled), Some(expected));
    let earned = |log: &Log| RewardEarned::decode(&topics(log), &log.data).ok();
    let expected =
        RewardEarned { id: asked.id, prover: PROVER, asset: desk.token, amount: Word::from_u64(7) };
    assert_eq!(call.logs.iter().find_map(earned), Some(expected));
    assert_eq!(desk.state(&asked), RequestState::Fulfilled);
    assert_eq!(desk.asked(&funds_of(&PROVER, &desk.token)), Word::from_u64(7));
    assert_eq!(desk.asked(&funds_of(&subject, &desk.token)), Word::from_u64(93));
}

#[test]
fn money_is_taken_out_and_reclaimed_by_our_calls() {
    let mut desk = Desk::open();
    let asked = desk.request(7);
    let early = format!("NotExpired({})", desk.behind.evm.config.timestamp + 10);
    assert_eq!(desk.refused(&reclaim_reward(&asked.request, &asked.reward)), early);
    desk.behind.evm.config.timestamp += 11;
    desk.sent(&reclaim_reward(&asked.request, &asked.reward));
    assert_eq!(desk.state(&asked), RequestState::Cancelled);
    let (token, to) = (desk.token, [0xc4; 20]);
    assert!(desk.refused(&withdraw(&token, Word::from_u64(101), &to)).starts_with("InsufficientDeposit("));
    desk.sent(&withdraw(&token, Word::from_u64(100), &to));
    let mut balance = errors::selector("balanceOf(address)").to_vec();
    balance.extend(address_word(&to).0);
    let answer = desk.behind.evm.call(Address::from(token), &balance).unwrap().outcome;
    assert_eq!(answer, Outcome::Returned(Word::from_u64(100).0.to_vec()));
}
