//! Sending and waiting, against a real node.

mod anvil;

use std::time::Duration;

use anvil::{Anvil, mine, set_balance};
use serde_json::json;
use zkml_deploy::{
    Address, DeployError, U256,
    chain::RpcUrl,
    keys::Account,
    record::TransactionRecord,
    rpc::{FeeLimits, Fees, Retry, Rpc, Sent},
    transaction::{Call, Earlier, Limits, Signed, send_and_wait},
};

/// An account without code: every call succeeds.
const NOBODY: Address = Address::repeat_byte(0x11);

fn account() -> Account {
    Account::test(31_337).unwrap()
}

fn call() -> Call {
    Call::new("a test", NOBODY, vec![1, 2, 3])
}

fn limits() -> Limits {
    Limits {
        poll: Duration::from_millis(50),
        bump_after: Duration::from_secs(60),
        timeout: Duration::from_secs(20),
        ..Limits::of(&Anvil::chain())
    }
}

fn quiet(_: &Signed) -> zkml_deploy::Result<()> {
    Ok(())
}

#[tokio::test]
async fn a_transaction_is_waited_for_until_it_is_final() {
    let node = Anvil::start(&[]);
    let rpc = node.rpc().await;
    let limits = Limits { confirmations: 3, ..limits() };
    let miner = async {
        while rpc.block_number().await.unwrap() < 5 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            mine(&rpc, 1).await;
        }
    };
    let (account, call) = (account(), call());
    let mut offers = quiet;
    let (mined, ()) = tokio::join!(send_and_wait(&rpc, &account, &call, None, limits, &mut offers), miner);
    let mined = mined.unwrap();
    assert_eq!(mined.offers, 1);
    assert!(rpc.block_number().await.unwrap() >= mined.receipt.block_number.unwrap() + 2);
    assert_eq!(rpc.nonce(account.address()).await.unwrap(), 1);
}

#[tokio::test]
async fn a_transaction_that_nobody_takes_is_offered_for_more() {
    let node = Anvil::start(&["--no-mining"]);
    let rpc = node.rpc().await;
    let limits = Limits { bump_after: Duration::from_millis(300), ..limits() };
    let (mut nonces, mut fees) = (Vec::new(), Vec::new());
    let (account, call) = (account(), call());
    let mut note = |offer: &Signed| {
        nonces.push(offer.nonce);
        fees.push(offer.fees.max);
        Ok(())
    };
    let miner = async {
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        mine(&rpc, 1).await;
    };
    let (mined, ()) = tokio::join!(send_and_wait(&rpc, &account, &call, None, limits, &mut note), miner);
    let mined = mined.unwrap();
    assert!(mined.offers >= 2, "{}", mined.offers);
    assert!(nonces.iter().all(|nonce| *nonce == 0), "{nonces:?}");
    assert!(fees.windows(2).all(|pair| pair[1] >= pair[0] + pair[0] / 8), "{fees:?}");
    assert_eq!(rpc.nonce(account.address()).await.unwrap(), 1, "one of them was mined");
}

#[tokio::test]
async fn no_offer_is_above_the_limit() {
    let node = Anvil::start(&["--no-mining"]);
    let rpc = node.rpc().await;
    let cap = rpc.fees(&FeeLimits::of(&Anvil::chain())).await.unwrap().max;
    let (bump_after, timeout) = (Duration::from_millis(100), Duration::from_secs(1));
    let fees = FeeLimits { max: cap, named: true, ..limits().fees };
    let limits = Limits { bump_after, timeout, fees, ..limits() };
    let mut most = 0;
    let mut note = |offer: &Signed| {
        most = most.max(offer.fees.max);
        Ok(())
    };
    let error = send_and_wait(&rpc, &account(), &call(), None, limits, &mut note).await.unwrap_err();
    assert!(matches!(error, DeployError::NotMined { max_fee, .. } if max_fee == cap), "{error}");
    assert_eq!(most, cap);
}

#[tokio::test]
async fn what_waits_at_a_nonce_is_replaced() {
    let node = Anvil::start(&["--no-mining"]);
    let (rpc, account) = (node.rpc().await, account());
    let now = rpc.fees(&FeeLimits::of(&Anvil::chain())).await.unwrap();
    let dear = Fees { max: now.max * 3, priority: now.priority.max(1) * 3 };
    let waiting = account.sign(31_337, NOBODY, &[9], 0, 50_000, dear).await.unwrap();
    assert_eq!(rpc.send(&waiting.raw).await.unwrap(), Sent::Taken);
    assert_eq!(rpc.send(&waiting.raw).await.unwrap(), Sent::Taken, "twice is the same as once");
    let cheap = account.sign(31_337, NOBODY, &[8], 0, 50_000, now).await.unwrap();
    assert_eq!(rpc.send(&cheap.raw).await.unwrap(), Sent::Underpriced);
    let miner = async {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        mine(&rpc, 1).await;
    };
    let (call, mut note, earlier) = (call(), quiet, Some(Earlier::default()));
    let (mined, ()) = tokio::join!(send_and_wait(&rpc, &account, &call, earlier, limits(), &mut note), miner);
    assert!(mined.unwrap().offers > 1);
    assert!(rpc.receipt(waiting.hash).await.unwrap().is_none());
    assert_eq!(rpc.send(&cheap.raw).await.unwrap(), Sent::NonceTooLow);
}

#[tokio::test]
async fn what_an_earlier_run_offered_is_outbid_at_once() {
    let node = Anvil::start(&["--no-mining"]);
    let (rpc, account) = (node.rpc().await, account());
    let now = rpc.fees(&FeeLimits::of(&Anvil::chain())).await.unwrap();
    let dear = Fees { max: now.max * 5, priority: now.priority.max(1) * 5 };
    let waiting = account.sign(31_337, NOBODY, &[9], 0, 50_000, dear).await.unwrap();
    assert_eq!(rpc.send(&waiting.raw).await.unwrap(), Sent::Taken);
    let record = TransactionRecord::offered(&waiting, account.address(), None);
    let record: TransactionRecord = serde_json::from_slice(&serde_json::to_vec(&record).unwrap()).unwrap();
    let earlier = record.waiting(account.address());
    assert_eq!(earlier.as_ref().unwrap().fees, Some(dear), "the record has it");
    let miner = async {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        mine(&rpc, 1).await;
    };
    let (call, mut offers) = (call(), Vec::new());
    let mut note = |offer: &Signed| {
        offers.push(offer.fees);
        Ok(())
    };
    let (mined, ()) = tokio::join!(send_and_wait(&rpc, &account, &call, earlier, limits(), &mut note), miner);
    assert_eq!(mined.unwrap().offers, 1, "{offers:?}");
    assert!(offers[0].max >= dear.max + dear.max / 8 && offers[0].priority > dear.priority, "{offers:?}");
    assert!(rpc.receipt(waiting.hash).await.unwrap().is_none());
}

#[tokio::test]
async fn an_earlier_offer_at_the_limit_is_waited_for() {
    let node = Anvil::start(&["--no-mining"]);
    let (rpc, account) = (node.rpc().await, account());
    let most = Fees { max: 2_000_000_000, priority: 1_000_000_000 };
    let waiting = account.sign(31_337, NOBODY, &[9], 0, 50_000, most).await.unwrap();
    assert_eq!(rpc.send(&waiting.raw).await.unwrap(), Sent::Taken);
    let earlier = Some(Earlier { nonce: 0, hashes: vec![waiting.hash], fees: Some(most) });
    let fees = FeeLimits { max: most.max, named: true, ..limits().fees };
    let miner = async {
        tokio::time::sleep(Duration::from_millis(800)).await;
        mine(&rpc, 1).await;
    };
    let (call, mut note, limits) = (call(), quiet, Limits { fees, ..limits() });
    let (mined, ()) = tokio::join!(send_and_wait(&rpc, &account, &call, earlier, limits, &mut note), miner);
    assert_eq!(mined.unwrap().hash, waiting.hash);
}

#[tokio::test]
async fn what_an_earlier_run_offered_may_be_mined_after_all() {
    let node = Anvil::start(&["--no-mining"]);
    let (rpc, account) = (node.rpc().await, account());
    let now = rpc.fees(&FeeLimits::of(&Anvil::chain())).await.unwrap();
    let waiting = account.sign(31_337, NOBODY, &[9], 0, 50_000, now).await.unwrap();
    assert_eq!(rpc.send(&waiting.raw).await.unwrap(), Sent::Taken);
    mine(&rpc, 1).await;
    let limits = Limits { confirmations: 3, ..limits() };
    let miner = async {
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_millis(500)).await;
            mine(&rpc, 1).await;
        }
    };
    let earlier = Some(Earlier { nonce: 0, hashes: vec![waiting.hash], fees: None });
    let (call, mut note) = (call(), quiet);
    let (mined, ()) = tokio::join!(send_and_wait(&rpc, &account, &call, earlier, limits, &mut note), miner);
    assert_eq!(mined.unwrap().hash, waiting.hash);
    assert_eq!(rpc.block_number().await.unwrap(), 3);
}

#[tokio::test]
async fn a_nonce_that_somebody_else_used_is_noticed() {
    let node = Anvil::start(&["--no-mining"]);
    let (rpc, account) = (node.rpc().await, account());
    let now = rpc.fees(&FeeLimits::of(&Anvil::chain())).await.unwrap();
    let stranger = account.sign(31_337, NOBODY, &[9], 0, 50_000, now.bumped(now).bumped(now)).await.unwrap();
    let thief = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(rpc.send(&stranger.raw).await.unwrap(), Sent::Taken);
        mine(&rpc, 1).await;
    };
    let (call, mut note) = (call(), quiet);
    let (sent, ()) = tokio::join!(send_and_wait(&rpc, &account, &call, None, limits(), &mut note), thief);
    assert!(matches!(sent, Err(DeployError::NonceTaken { nonce: 0, .. })), "{sent:?}");
}

#[tokio::test]
async fn what_would_revert_is_not_sent() {
    let node = Anvil::start(&[]);
    let (rpc, account) = (node.rpc().await, account());
    // PUSH4 selector of EnforcedPause(), left-aligned, REVERT(0, 4).
    let code = hex::decode("63d93c066560e01b5f5260045ffd").unwrap();
    anvil::set_code(&rpc, NOBODY, &code).await;
    let error = send_and_wait(&rpc, &account, &call(), None, limits(), &mut quiet).await.unwrap_err();
    assert_eq!(error.to_string(), "a test reverts: EnforcedPause()");
    assert_eq!(rpc.pending_nonce(account.address()).await.unwrap(), 0);
}

#[tokio::test]
async fn what_waits_is_no_state_yet() {
    let node = Anvil::start(&["--no-mining"]);
    let (rpc, account) = (node.rpc().await, account());
    // With calldata, slot 0 becomes 1, once; the slot is returned.
    let code = "36156013575f5415600e575f5ffd5b60015f555b5f545f5260205ff3";
    let code = hex::decode(code).unwrap();
    anvil::set_code(&rpc, NOBODY, &code).await;
    let waiting = account
        .sign(31_337, NOBODY, &[1], 0, 100_000, rpc.fees(&FeeLimits::of(&Anvil::chain())).await.unwrap())
        .await
        .unwrap();
    assert_eq!(rpc.send(&waiting.raw).await.unwrap(), Sent::Taken);
    for (mined, slot) in [(false, 0), (true, 1)] {
        if mined {
            mine(&rpc, 1).await;
        }
        let answer = rpc.call(None, Some(NOBODY), &[]).await.unwrap().returned("the slot").unwrap();
        assert_eq!(U256::from_be_slice(&answer), U256::from(slot), "mined: {mined}");
        let estimate = rpc.estimate(account.address(), Some(NOBODY), &[1]).await.unwrap();
        assert_eq!(estimate.is_err(), mined, "a second time it reverts");
    }
}

#[tokio::test]
async fn an_account_without_money_is_told() {
    let node = Anvil::start(&[]);
    let (rpc, account) = (node.rpc().await, account());
    set_balance(&rpc, account.address(), U256::from(1)).await;
    let signed = account
        .sign(31_337, NOBODY, &[], 0, 21_000, rpc.fees(&FeeLimits::of(&Anvil::chain())).await.unwrap())
        .await
        .unwrap();
    assert_eq!(rpc.send(&signed.raw).await.unwrap(), Sent::InsufficientFunds);
}

#[tokio::test]
async fn the_wrong_chain_and_nobody_at_all_are_refused() {
    let mut node = Anvil::start(&["--chain-id", "1"]);
    let url = RpcUrl::parse("X", &format!("{}/?key=secret", node.url())).unwrap();
    let error = Rpc::connect(&Anvil::chain(), &url, Retry::default()).await.unwrap_err();
    assert!(matches!(error, DeployError::WrongChain { found: 1, expected: 31_337, .. }), "{error}");
    node.kill();
    let error = Rpc::connect(&Anvil::chain(), &url, Retry::default()).await.unwrap_err();
    assert!(matches!(error, DeployError::Unreachable { attempts: 4, .. }), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
    let url = node.url().replace("http://", "http://user:hidden@");
    let url = RpcUrl::parse("X", &format!("{url}/v3/secret?key=secret")).unwrap();
    let error = Rpc::connect(&Anvil::chain(), &url, Retry::default()).await.unwrap_err().to_string();
    assert!(!error.contains("secret") && !error.contains("hidden"), "{error}");
}

#[tokio::test]
async fn requests_are_repeated_while_a_node_is_away() {
    let mut node = Anvil::start(&[]);
    let url = RpcUrl::parse("X", &node.url()).unwrap();
    let patient =
        Retry { attempts: 40, pause: Duration::from_millis(50), longest: Duration::from_millis(200) };
    let rpc = Rpc::connect(&Anvil::chain(), &url, patient).await.unwrap();
    node.kill();
    let back = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        node.restart();
    };
    let (number, ()) = tokio::join!(rpc.block_number(), back);
    assert_eq!(number.unwrap(), 0);
    assert!(matches!(rpc.raw("no_such_method", json!([])).await, Err(DeployError::Rpc { .. })));
}
