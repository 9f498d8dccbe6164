//! Requests that pay: which are served, who is paid, and what is counted.

use std::{collections::BTreeMap, sync::atomic::Ordering, time::Duration};

use serde_json::{Value, json};
use zkml_contracts::{
    errors::selector,
    requests::{RequestState, fulfill_rewarded, funds_of},
};
use zkml_deploy::{Address, U256, asset::COIN, publication::Publication};
use zkml_protocol::{
    Word,
    binding::{Reward, address_word},
};
use zkml_service::{Budget, Event, Health, Least, Options, Rewards, Serving};

use crate::{
    anvil::mine,
    scene::{ASKER, FAR, STRANGER, Scene, transact},
};

/// A reward that pays for any fee of a test: a coin.
const COIN_UNIT: u64 = 1_000_000_000_000_000_000;

fn options(rewards: Rewards) -> Options {
    Options { serving: Serving { rewards, ..Serving::default() }, ..Scene::options() }
}

/// The chain's coin, of which so much is enough.
fn least(amount: u64) -> Rewards {
    let asset = Least { amount: U256::from(amount), decimals: 18 };
    Rewards { least: BTreeMap::from([(COIN, asset)]), ..Rewards::default() }
}

fn reward(asset: Address, amount: u64) -> Reward {
    let payer = ASKER.parse::<Address>().unwrap().into_array();
    let amount = Word::from_u64(amount);
    Reward { payer, asset: asset.into_array(), amount, callback_gas: 100_000, confirmations: 0 }
}

/// Sends from an account of the node, with coins; the receipt.
async fn pay(scene: &Scene, from: &str, value: u64, data: &[u8]) -> Value {
    let data = format!("0x{}", hex::encode(data));
    let transaction = json!({ "from": from, "to": scene.consumer, "data": data, "value": format!("{value:#x}"), "gas": "0x1c9c380" });
    let hash = scene.rpc.raw("eth_sendTransaction", json!([transaction])).await.unwrap();
    let mut receipt = Value::Null;
    while receipt.is_null() {
        receipt = scene.rpc.raw("eth_getTransactionReceipt", json!([hash])).await.unwrap();
    }
    receipt
}

/// Asks for an inference that pays so much in coins; its id.
async fn ask(scene: &Scene, reward: Reward, deadline: u64) -> Word {
    let Reward { payer, asset, amount, callback_gas, confirmations } = reward;
    let mut data = selector("askRewarded(uint256,(address,address,uint256,uint64,uint32),bytes)").to_vec();
    let numbers = [callback_gas, confirmations.into(), 224, 96, 7, 8, 9].map(Word::from_u64);
    let head = [Word::from_u64(deadline), address_word(&payer), address_word(&asset), amount];
    data.extend(head.iter().chain(&numbers).flat_map(|word| word.0));
    // Tokens are paid in before.
    let coins = if Address::from(asset) == COIN { U256::from_be_bytes(amount.0) } else { U256::ZERO };
    let value = u64::try_from(coins).unwrap();
    let receipt = pay(scene, ASKER, value, &data).await;
    assert_eq!(receipt["status"], "0x1", "{receipt}");
    Word::from_hex(receipt["logs"][0]["topics"][1].as_str().unwrap().trim_start_matches("0x")).unwrap()
}

async fn funds(scene: &Scene, account: Address) -> U256 {
    let data = funds_of(&account.into_array(), &COIN.into_array());
    let answer = scene.rpc.call(None, Some(scene.consumer), &data).await.unwrap();
    U256::from_be_slice(&answer.returned("fundsOf").unwrap())
}

async fn state(scene: &Scene, id: Word) -> RequestState {
    zkml_deploy::consumer::Consumer::known(&scene.rpc, scene.consumer).request_state(id).await.unwrap()
}

fn us() -> Address {
    Scene::account().address()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_pays_is_fulfilled_and_its_reward_is_ours() {
    let scene = Scene::new(&[]).await;
    let id = ask(&scene, reward(COIN, COIN_UNIT), FAR).await;
    let free = scene.ask(1, FAR).await[0];
    let health = Health::new(Duration::from_secs(60));
    let running = scene.start_with(health.clone(), options(Rewards::default()));
    for request in [id, free] {
        scene
            .wait("end", |event| matches!(event, Event::Done { request: done, .. } if *done == request))
            .await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (report, figures) = (health.report().1, scene.metrics());
    let summary = running.stop().await;
    assert_eq!((funds(&scene, us()).await, scene.nonce().await), (U256::from(COIN_UNIT), 2));
    assert_eq!(report["earned"], json!(["1"]), "{report}");
    assert!(figures.contains("zkml_watch_earned{asset=\"coin\"} 1.0"), "{figures}");
    let earned = serde_json::to_value(&summary.earned).unwrap();
    assert_eq!(earned, json!([{ "asset": COIN, "amount": COIN_UNIT.to_string() }]));
    let told = scene.count(|event| matches!(event, Event::Done { earned: Some(payment), .. } if payment.amount == COIN_UNIT.to_string()));
    assert_eq!(told, 1, "one of the two paid");
    // A restart counts what the journal has, once.
    let summary = scene.serve(options(Rewards::default())).await;
    assert_eq!(serde_json::to_value(&summary.earned).unwrap(), earned);
}

/// The proof is bound to the service: whoever hands it in first pays the service.
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_copies_the_calldata_pays_us() {
    let scene = Scene::new(&[]).await;
    let asked = reward(COIN, COIN_UNIT);
    let id = ask(&scene, asked, FAR).await;
    scene.rpc.raw("evm_setAutomine", json!([false])).await.unwrap();
    let running = scene.start(options(Rewards::default()));
    scene.wait("transaction", |event| matches!(event, Event::Sent { request, .. } if *request == id)).await;
    running.kill().await;
    // What the mempool shows to everybody, sent by somebody else for more; and the same for the stranger's own account.
    let entry = scene.entry(id);
    let proof = entry.proof.clone().unwrap();
    let submission = |prover: Address| {
        let (blob, output) = (proof.blob.clone(), proof.output.clone());
        let submission = zkml_contracts::Submission { blob, output, input_commitment: Word::ZERO };
        fulfill_rewarded(&entry.request, &asked, &prover.into_array(), &submission)
    };
    scene.rpc.raw("anvil_dropAllTransactions", json!([])).await.unwrap();
    scene.rpc.raw("evm_setAutomine", json!([true])).await.unwrap();
    let stranger: Address = STRANGER.parse().unwrap();
    let stolen = pay(&scene, STRANGER, 0, &submission(stranger)).await;
    assert_eq!(stolen["status"], "0x0", "a proof that is bound to us earns nobody else anything");
    let copied = pay(&scene, STRANGER, 0, &submission(us())).await;
    assert_eq!((&copied["status"], state(&scene, id).await), (&json!("0x1"), RequestState::Fulfilled));
    assert_eq!(funds(&scene, us()).await, U256::from(COIN_UNIT));
    assert_eq!(funds(&scene, stranger).await, U256::ZERO);
    // The service finds it done, earned, and lets go of its own transaction.
    let summary = scene.serve(options(Rewards::default())).await;
    assert_eq!(summary.requests, [("done".to_owned(), 1)]);
    assert_eq!(summary.earned.len(), 1);
    let calls = scene.fulfilments().await;
    assert_eq!(calls[&id], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn rewards_below_the_least_are_refused_by_name_and_counted() {
    let scene = Scene::new(&[]).await;
    let small = ask(&scene, reward(COIN, COIN_UNIT / 4), FAR).await;
    let enough = ask(&scene, reward(COIN, COIN_UNIT / 2), FAR).await;
    let free = scene.ask(1, FAR).await[0];
    let summary = scene.serve(options(least(COIN_UNIT / 2))).await;
    assert_eq!(summary.requests, [("done".to_owned(), 1), ("refused".to_owned(), 2)]);
    assert_eq!((summary.proofs, state(&scene, enough).await), (1, RequestState::Fulfilled));
    for (id, reason) in [
        (small, "its reward is not enough: it pays 0.25, and the least is 0.5"),
        (free, "its reward is not enough: it pays nothing"),
    ] {
        assert_eq!(scene.entry(id).reason.as_deref(), Some(reason));
    }
    let health = Health::new(Duration::from_secs(60));
    let running = scene.start_with(health.clone(), options(least(COIN_UNIT / 2)));
    tokio::time::sleep(Duration::from_millis(400)).await;
    let (report, figures) = (health.report().1.to_string(), scene.metrics());
    running.stop().await;
    assert!(report.contains("2 requests were refused for what they pay"), "{report}");
    assert!(figures.contains("zkml_watch_not_served{reason=\"reward\"} 2"), "{figures}");
    // Whoever wants less is served later; the one that pays nothing only where nothing is wanted.
    let summary = scene.serve(options(least(1))).await;
    assert_eq!(summary.requests, [("done".to_owned(), 2), ("refused".to_owned(), 1)]);
    let summary = scene.serve(options(Rewards::default())).await;
    assert_eq!(summary.requests, [("done".to_owned(), 3)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reward_below_the_fee_waits_unless_told_otherwise() {
    let scene = Scene::new(&[]).await;
    let id = ask(&scene, reward(COIN, 1), FAR).await;
    let running = scene.start(options(Rewards::default()));
    let cheap = |event: &Event| matches!(event, Event::Postponed { request, reason } if *request == id && reason.contains("expected to cost"));
    scene.wait("refusal", cheap).await;
    while scene.metrics().contains("zkml_watch_reward_below_fee_total 1\n") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let figures = scene.metrics();
    running.stop().await;
    assert_eq!(scene.count(cheap), 1, "it is said once");
    assert!(!figures.contains("zkml_watch_reward_below_fee_total 0"), "{figures}");
    assert_eq!((scene.nonce().await, state(&scene, id).await), (0, RequestState::Pending));
    scene.serve(options(Rewards { at_a_loss: true, ..Rewards::default() })).await;
    assert_eq!((scene.nonce().await, state(&scene, id).await), (1, RequestState::Fulfilled));
    // From the first fulfilment on it is known before the proof is made.
    let next = ask(&scene, reward(COIN, 2), FAR).await;
    scene.forget_events();
    let running = scene.start(options(Rewards::default()));
    scene
        .wait("refusal", |event| matches!(event, Event::Postponed { request, .. } if *request == next))
        .await;
    let summary = running.stop().await;
    assert_eq!((summary.proofs, scene.nonce().await), (0, 1));
}

/// A contract that says the same price for each publication.
async fn publication(scene: &Scene, price: u64) -> Publication {
    let oracle = Address::repeat_byte(0x0f);
    // PUSH8 price, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN.
    let code = format!("0x67{price:016x}5f5260205ff3");
    scene.rpc.raw("anvil_setCode", json!([oracle, code])).await.unwrap();
    Publication { oracle: Some(oracle) }
}

/// On chains above Ethereum, most of what a proof costs is its publication there.
#[tokio::test(flavor = "multi_thread")]
async fn a_reward_that_does_not_pay_for_publication_waits() {
    let scene = Scene::new(&[]).await;
    let dear =
        Options { publication: publication(&scene, COIN_UNIT / 2).await, ..options(Rewards::default()) };
    let id = ask(&scene, reward(COIN, COIN_UNIT / 2), FAR).await;
    let running = scene.start(dear.clone());
    let cheap = |event: &Event| matches!(event, Event::Postponed { request, reason } if *request == id && reason.contains("it pays 0.5, and its fulfilment is expected to cost 0.5"));
    scene.wait("refusal", cheap).await;
    running.stop().await;
    assert_eq!((scene.nonce().await, state(&scene, id).await), (0, RequestState::Pending));
    // It counts in budgets as well: half of it is no room for one, and for two there is none.
    let at_a_loss = Rewards { at_a_loss: true, ..Rewards::default() };
    let spend = |budget: u64| Options {
        budget: Budget { hour: Some(U256::from(budget)), day: None },
        ..Options { serving: Serving { rewards: at_a_loss.clone(), ..Serving::default() }, ..dear.clone() }
    };
    let running = scene.start(spend(COIN_UNIT / 2));
    scene.wait("budget", |event| matches!(event, Event::OverBudget { .. })).await;
    running.stop().await;
    assert_eq!(scene.nonce().await, 0);
    scene.serve(spend(COIN_UNIT)).await;
    assert_eq!((scene.nonce().await, state(&scene, id).await), (1, RequestState::Fulfilled));
    scene.forget_events();
    ask(&scene, reward(COIN, COIN_UNIT), FAR).await;
    let running = scene.start(spend(COIN_UNIT));
    scene.wait("budget", |event| matches!(event, Event::OverBudget { .. })).await;
    running.stop().await;
    assert_eq!(scene.nonce().await, 1, "what was spent is remembered, over a restart");
    // From the first fulfilment on, the price is known before a proof is made.
    let running = scene.start(dear);
    scene.wait("end", |event| matches!(event, Event::Done { .. })).await;
    let next = ask(&scene, reward(COIN, COIN_UNIT / 2), FAR).await;
    let cheap = |event: &Event| matches!(event, Event::Postponed { request, .. } if *request == next);
    scene.wait("refusal", cheap).await;
    running.stop().await;
    assert_eq!(scene.count(|event| matches!(event, Event::Proving { request } if *request == next)), 0);
    // Where publication costs little, the same reward is enough.
    let options = Options { publication: publication(&scene, 1).await, ..options(Rewards::default()) };
    assert_eq!(scene.serve(options).await.requests, [("done".to_owned(), 3)]);
}

/// A price that nobody can pay stops the service by name; one that is no number keeps its request waiting, and no other.
#[tokio::test(flavor = "multi_thread")]
async fn a_price_of_publication_that_is_made_up_costs_nothing() {
    let scene = Scene::new(&[]).await;
    let oracle = Address::repeat_byte(0x0f);
    let id = scene.ask(1, FAR).await[0];
    let options = Options { publication: Publication { oracle: Some(oracle) }, ..Scene::options() };
    let running = scene.start(options.clone());
    let nothing = |event: &Event| matches!(event, Event::Postponed { request, reason } if *request == id && reason.contains("getL1Fee"));
    scene.wait("no answer", nothing).await;
    running.stop().await;
    // All ones: NOT of zero.
    scene.rpc.raw("anvil_setCode", json!([oracle, "0x5f195f5260205ff3"])).await.unwrap();
    let running = scene.start(options);
    scene.wait("too dear", |event| matches!(event, Event::BalanceTooLow { .. })).await;
    running.stop().await;
    assert_eq!(scene.nonce().await, 0, "nothing was signed");
}

/// What nobody can earn comes back to who asked for it: the proof would be all that it costs.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_earned_is_not_proven() {
    let scene = Scene::new(&[]).await;
    // Less than a transaction takes, and more than is left of it behind a pairing.
    let limit = Scene::options().limits.gas - 200_000;
    let greedy = ask(&scene, Reward { callback_gas: limit, ..reward(COIN, COIN_UNIT) }, FAR).await;
    // A hundred blocks of a second, and a minute.
    let now = scene.rpc.now().await.unwrap();
    let patient = Reward { confirmations: 100, ..reward(COIN, COIN_UNIT) };
    let patient = ask(&scene, patient, now + 60).await;
    let free = scene.ask(1, FAR).await[0];
    let running = scene.start(options(Rewards::default()));
    scene.wait("end", |event| matches!(event, Event::Done { request, .. } if *request == free)).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let refused = |event: &Event| matches!(event, Event::Refused { request, reason } if *request == greedy && reason.contains(&format!("it wants {limit} gas")));
    assert_eq!(scene.count(refused), 1, "by name");
    assert_eq!(scene.count(|event| matches!(event, Event::Proving { request } if *request != free)), 0);
    // Blocks that come faster than usual: then it can be.
    mine(&scene.rpc, 90).await;
    scene.wait("end", |event| matches!(event, Event::Proven { request, .. } if *request == patient)).await;
    running.stop().await;
}

/// Requests whose deadlines come before any proof could be made would keep the prover busy with nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_proven_in_time_is_not_begun() {
    let scene = Scene::new(&[]).await;
    scene.prover.takes.store(3_000, Ordering::SeqCst);
    let first = scene.ask(1, FAR).await[0];
    let running = scene.start(Options { jobs: 1, ..options(Rewards::default()) });
    scene.wait("end", |event| matches!(event, Event::Done { request, .. } if *request == first)).await;
    let now = scene.rpc.now().await.unwrap();
    let hopeless = scene.ask(5, now + 4).await;
    let last = scene.ask(1, FAR).await[0];
    scene.wait("end", |event| matches!(event, Event::Done { request, .. } if *request == last)).await;
    running.stop().await;
    let begun = |event: &Event| matches!(event, Event::Proving { request } if hopeless.contains(request));
    assert_eq!(scene.count(begun), 0);
}

/// Whoever waits for confirmations, or is too late, takes no room from others.
#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_confirmations_keeps_nobody_waiting() {
    let scene = Scene::new(&[]).await;
    for _ in 0..3 {
        ask(&scene, Reward { confirmations: 50, ..reward(COIN, COIN_UNIT) }, FAR).await;
    }
    let running = scene.start(Options { max_pending: 1, ..options(Rewards::default()) });
    scene.wait("proof", |event| matches!(event, Event::Proven { .. })).await;
    let free = scene.ask(1, FAR).await[0];
    scene.wait("end", |event| matches!(event, Event::Done { request, .. } if *request == free)).await;
    running.stop().await;
    assert_eq!(scene.nonce().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_wants_confirmations_gets_them() {
    let scene = Scene::new(&[]).await;
    let wanted = Reward { confirmations: 5, ..reward(COIN, COIN_UNIT) };
    let id = ask(&scene, wanted, FAR).await;
    let running = scene.start(options(Rewards::default()));
    scene.wait("proof", |event| matches!(event, Event::Proven { request, .. } if *request == id)).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(scene.nonce().await, 0, "nothing is sent that would fail");
    assert_eq!(scene.count(|event| matches!(event, Event::Postponed { .. })), 0, "it comes by itself");
    mine(&scene.rpc, 6).await;
    scene.wait("end", |event| matches!(event, Event::Done { request, .. } if *request == id)).await;
    running.stop().await;
    assert_eq!(funds(&scene, us()).await, U256::from(COIN_UNIT));
}

/// A token says nothing about its worth: only those that are named are taken.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_taken_by_name() {
    let scene = Scene::new(&[]).await;
    let (token, amount) = (scene.token, Word::from_u64(7));
    let call = |signature: &str, words: [Word; 2]| {
        [selector(signature).as_slice(), &words.map(|word| word.0).concat()].concat()
    };
    let approve = call("approve(address,uint256)", [address_word(&scene.consumer.into_array()), amount]);
    transact(&scene.rpc, ASKER, Some(token), &approve).await;
    scene.asker(&call("deposit(address,uint256)", [address_word(&token.into_array()), amount])).await;
    let id = ask(&scene, reward(token, 7), FAR).await;
    scene.serve(options(Rewards::default())).await;
    let reason = scene.entry(id).reason.unwrap();
    assert!(reason.contains(&format!("it pays in the token {token}, which is not among those")), "{reason}");
    // The coin is named as well, and another least for the token.
    let wanting = |amount: u64| {
        let asset = Least { amount: U256::from(amount), decimals: 1 };
        let mut rewards = least(1);
        rewards.least.insert(token, asset);
        rewards
    };
    scene.serve(options(wanting(8))).await;
    let reason = scene.entry(id).reason.unwrap();
    assert!(reason.contains(&format!("it pays 0.7 of {token}, and the least is 0.8 of {token}")), "{reason}");
    let summary = scene.serve(options(wanting(7))).await;
    assert_eq!(summary.requests, [("done".to_owned(), 1)]);
    assert_eq!(serde_json::to_value(&summary.earned).unwrap(), json!([{ "asset": token, "amount": "7" }]));
    assert!(
        scene.metrics().contains(&format!("zkml_watch_earned{{asset=\"{token}\"}} 0.7")),
        "{}",
        scene.metrics()
    );
}
