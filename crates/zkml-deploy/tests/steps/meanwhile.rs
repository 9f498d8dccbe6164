//! What an earlier run sent, or somebody else, is mined when nobody expects it.

use std::time::Duration;

use serde_json::json;
use zkml_deploy::{
    B256, CREATE2_FACTORY,
    package::Existing,
    plan::{Part, Plan, State},
    record::Status,
    rpc::{FeeLimits, Sent},
    transaction::{Call, Signed},
};

use crate::{
    anvil::{Anvil, mine},
    proxy::Act,
    scene::{Keeper, Scene, sent},
};

/// The call that puts the verifier on the chain.
async fn verifier(scene: &Scene, plan: &Plan) -> Call {
    match plan.look(&scene.rpc, Part::Verifier).await.unwrap() {
        State::Missing { call, .. } => call,
        other => panic!("nothing is there yet: {other:?}"),
    }
}

/// Signs that call, and hands it to the node.
async fn offer(scene: &Scene, call: &Call, nonce: u64) -> Signed {
    let fees = scene.rpc.fees(&FeeLimits::of(&Anvil::chain())).await.unwrap();
    let signed = scene.account.sign(31_337, call.to, &call.data, nonce, 5_000_000, fees).await.unwrap();
    assert_eq!(scene.rpc.send(&signed.raw).await.unwrap(), Sent::Taken);
    signed
}

async fn deploy(scene: &Scene, plan: &Plan, keeper: &mut Keeper) {
    scene.deploy(plan, &[Part::Verifier], keeper).await.unwrap();
}

/// Mines every half second until the account has sent so many transactions.
async fn mine_until(scene: &Scene, nonce: u64) {
    for _ in 0..40 {
        if scene.nonce().await >= nonce {
            return;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        mine(&scene.rpc, 1).await;
    }
    panic!("fewer than {nonce} transactions are sent");
}

/// Before every request that the second run makes, in turn.
#[tokio::test]
async fn a_recorded_transaction_may_be_mined_at_any_moment() {
    let mut replaced = 0;
    for moment in 0..24 {
        let (scene, proxy) = Scene::new(&["--no-mining"]).await.through_proxy().await;
        let plan = scene.plan(Existing::default()).await.unwrap();
        let call = verifier(&scene, &plan).await;
        let waiting = offer(&scene, &call, 0).await;
        let mut keeper = sent(&scene, &plan, 0, &[waiting.hash]);
        proxy.rule(move |_, _, number| if number == moment { Act::MineFirst } else { Act::Pass });
        deploy(&scene, &plan, &mut keeper).await;
        assert_eq!(scene.nonce().await, 1, "request {moment}");
        let verifier = keeper.record.unwrap().contracts.verifier;
        let transaction = verifier.transaction.unwrap_or_else(|| panic!("request {moment}: it is forgotten"));
        assert_eq!(verifier.status, Status::Deployed, "request {moment}");
        assert!(
            transaction.block.is_some() && transaction.replaced.is_empty(),
            "request {moment}: {transaction:?}"
        );
        replaced += u32::from(transaction.hash != waiting.hash);
    }
    assert!((1..24).contains(&replaced), "{replaced} of 24 replaced it");
}

#[tokio::test]
async fn a_transaction_that_still_waits_is_replaced_and_not_doubled() {
    let scene = Scene::new(&["--no-mining"]).await;
    let plan = scene.plan(Existing::default()).await.unwrap();
    let call = verifier(&scene, &plan).await;
    let waiting = offer(&scene, &call, 0).await;
    // The newest offer never left.
    let mut keeper = sent(&scene, &plan, 0, &[B256::repeat_byte(7), waiting.hash]);
    tokio::join!(deploy(&scene, &plan, &mut keeper), mine_until(&scene, 1));
    mine(&scene.rpc, 1).await;
    assert_eq!(scene.nonce().await, 1);
    assert_eq!(keeper.record.unwrap().contracts.verifier.status, Status::Deployed);
}

/// A wallet may have given the nonce to something else, after the record was written.
#[tokio::test]
async fn what_waits_at_a_recorded_nonce_and_is_not_recorded_stays() {
    let scene = Scene::new(&["--no-mining"]).await;
    let plan = scene.plan(Existing::default()).await.unwrap();
    let other = Call::new("a payment", scene.account.address(), Vec::new());
    let other = offer(&scene, &other, 0).await;
    let mut keeper = sent(&scene, &plan, 0, &[B256::repeat_byte(7)]);
    tokio::join!(deploy(&scene, &plan, &mut keeper), mine_until(&scene, 2));
    assert!(scene.rpc.receipt(other.hash).await.unwrap().unwrap().status(), "it was not replaced");
    let verifier = keeper.record.unwrap().contracts.verifier;
    assert_eq!((verifier.status, verifier.transaction.unwrap().nonce), (Status::Deployed, 1));
}

/// A transaction of the same account that was to come first was given up, or the record is of a test chain that began anew.
#[tokio::test]
async fn a_recorded_nonce_that_would_leave_a_gap_is_not_used() {
    let scene = Scene::new(&[]).await;
    let plan = scene.plan(Existing::default()).await.unwrap();
    let call = verifier(&scene, &plan).await;
    let waiting = offer(&scene, &call, 3).await;
    let mut keeper = sent(&scene, &plan, 3, &[waiting.hash]);
    deploy(&scene, &plan, &mut keeper).await;
    assert_eq!(scene.nonce().await, 1);
    assert_eq!(keeper.record.unwrap().contracts.verifier.transaction.unwrap().nonce, 0);
}

/// Everybody can send to the factory, so somebody else may be faster with the same contract.
#[tokio::test]
async fn somebody_else_may_be_faster() {
    let scene = Scene::new(&["--no-mining"]).await;
    let plan = scene.plan(Existing::default()).await.unwrap();
    let call = verifier(&scene, &plan).await;
    let stranger = scene.rpc.raw("eth_accounts", json!([])).await.unwrap()[1].clone();
    let fees = scene.rpc.fees(&FeeLimits::of(&Anvil::chain())).await.unwrap();
    let dear = format!("{:#x}", fees.max * 4);
    let data = format!("0x{}", hex::encode(&call.data));
    let faster = json!({
        "from": stranger, "to": call.to, "data": data, "gas": "0x4c4b40", "maxFeePerGas": dear, "maxPriorityFeePerGas": dear
    });
    let thief = async {
        while scene.rpc.pending_nonce(scene.account.address()).await.unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        scene.rpc.raw("eth_sendTransaction", json!([faster])).await.unwrap();
        mine_until(&scene, 1).await;
    };
    let mut keeper = Keeper::default();
    tokio::join!(deploy(&scene, &plan, &mut keeper), thief);
    let verifier = keeper.record.unwrap().contracts.verifier;
    assert_eq!((verifier.status, verifier.transaction), (Status::Reused, None));
}

#[tokio::test]
async fn a_transaction_that_failed_did_not_deploy_what_is_there() {
    let scene = Scene::new(&[]).await;
    let plan = scene.plan(Existing::default()).await.unwrap();
    let call = verifier(&scene, &plan).await;
    scene.send(CREATE2_FACTORY.into(), call.data.clone()).await;
    let late = offer(&scene, &call, 1).await;
    // A node answers before it has mined.
    let receipt = loop {
        match scene.rpc.receipt(late.hash).await.unwrap() {
            Some(receipt) => break receipt,
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    assert!(!receipt.status());
    let mut keeper = sent(&scene, &plan, 1, &[late.hash]);
    deploy(&scene, &plan, &mut keeper).await;
    let verifier = keeper.record.unwrap().contracts.verifier;
    assert_eq!((verifier.status, verifier.transaction), (Status::Reused, None));
    assert_eq!(scene.nonce().await, 2);
}
