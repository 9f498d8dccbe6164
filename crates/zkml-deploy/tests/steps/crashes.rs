//! A deployment that ends anywhere goes on from there, and sends nothing twice.

use std::time::Duration;

use zkml_deploy::{
    B256, CREATE2_FACTORY,
    package::Existing,
    plan::{Part, Plan, State},
    record::{Record, Status, Transaction},
    rpc::Sent,
};

use crate::{
    anvil::{mine, revert, snapshot},
    scene::{Crash, Keeper, Scene, TRANSACTIONS},
};

/// A record whose verifier was recorded as sent by `scene`'s account.
fn sent(scene: &Scene, plan: &Plan, nonce: u64, hash: B256) -> Keeper {
    let mut record = Record::planned(plan);
    let from = scene.account.address();
    record.contracts.verifier.status = Status::Sent;
    record.contracts.verifier.transaction = Some(Transaction { hash, from, nonce, block: None, gas: None });
    Keeper { record: Some(record), ..Keeper::default() }
}

#[tokio::test]
async fn it_may_end_before_and_after_every_write() {
    let scene = Scene::new(&[]).await;
    let plan = scene.plan(Existing::default()).await.unwrap();
    let mut whole = Keeper::default();
    let start = snapshot(&scene.rpc).await;
    scene.deploy(&plan, &Part::ALL, &mut whole).await.unwrap();
    let writes = whole.writes;
    assert_eq!(writes, 6 + 7 + 1, "before each transaction, after each part, at the end");
    revert(&scene.rpc, start).await;
    for crash in (0..writes).flat_map(|n| [Crash::Before(n), Crash::After(n)]) {
        let start = snapshot(&scene.rpc).await;
        let mut keeper = Keeper { crash: Some(crash), ..Keeper::default() };
        scene.deploy(&plan, &Part::ALL, &mut keeper).await.unwrap_err();
        keeper.crash = None;
        scene.deploy(&plan, &Part::ALL, &mut keeper).await.unwrap();
        assert_eq!(scene.nonce().await, TRANSACTIONS, "{crash:?}");
        let record = keeper.record.unwrap();
        assert_eq!(record.status, Status::Complete, "{crash:?}");
        // An end between a transaction and its receipt loses neither.
        for part in [Part::Verifier, Part::Registration, Part::Consumer] {
            let transaction = record.transaction(part).unwrap_or_else(|| panic!("{crash:?}: {part:?}"));
            assert!(transaction.block.is_some() && transaction.gas.is_some(), "{crash:?}: {transaction:?}");
            assert_eq!(record.status(part), Status::Deployed, "{crash:?}: {part:?}");
        }
        revert(&scene.rpc, start).await;
    }
}

/// A transaction of the same account that was to come first was given up, or the record is of a test chain that began anew.
#[tokio::test]
async fn a_recorded_nonce_that_would_leave_a_gap_is_not_used() {
    let scene = Scene::new(&[]).await;
    let plan = scene.plan(Existing::default()).await.unwrap();
    let mut keeper = sent(&scene, &plan, 3, B256::repeat_byte(7));
    scene.deploy(&plan, &[Part::Verifier], &mut keeper).await.unwrap();
    assert_eq!(scene.nonce().await, 1);
    assert_eq!(keeper.record.unwrap().contracts.verifier.transaction.unwrap().nonce, 0);
}

#[tokio::test]
async fn a_transaction_that_still_waits_is_replaced_and_not_doubled() {
    let scene = Scene::new(&["--no-mining"]).await;
    let plan = scene.plan(Existing::default()).await.unwrap();
    let State::Missing { call, .. } = plan.look(&scene.rpc, Part::Verifier).await.unwrap() else {
        panic!("nothing is there yet")
    };
    let fees = scene.rpc.fees().await.unwrap();
    let waiting = scene.account.sign(31_337, call.to, &call.data, 0, 5_000_000, fees).await.unwrap();
    assert_eq!(scene.rpc.send(&waiting.raw).await.unwrap(), Sent::Taken);
    let mut keeper = sent(&scene, &plan, 0, waiting.hash);
    let miner = async {
        while scene.nonce().await == 0 {
            tokio::time::sleep(Duration::from_millis(500)).await;
            mine(&scene.rpc, 1).await;
        }
    };
    let parts = [Part::Verifier];
    let (deployed, ()) = tokio::join!(scene.deploy(&plan, &parts, &mut keeper), miner);
    deployed.unwrap();
    mine(&scene.rpc, 1).await;
    assert_eq!(scene.nonce().await, 1);
    assert_eq!(keeper.record.unwrap().contracts.verifier.status, Status::Deployed);
}

/// Everybody can send to the factory, so somebody else may be faster with the same contract.
#[tokio::test]
async fn a_transaction_that_failed_did_not_deploy_what_is_there() {
    let scene = Scene::new(&[]).await;
    let plan = scene.plan(Existing::default()).await.unwrap();
    let State::Missing { call, .. } = plan.look(&scene.rpc, Part::Verifier).await.unwrap() else {
        panic!("nothing is there yet")
    };
    scene.send(CREATE2_FACTORY.into(), call.data.clone()).await;
    let fees = scene.rpc.fees().await.unwrap();
    let late = scene.account.sign(31_337, call.to, &call.data, 1, 5_000_000, fees).await.unwrap();
    assert_eq!(scene.rpc.send(&late.raw).await.unwrap(), Sent::Taken);
    // A node answers before it has mined.
    let receipt = loop {
        match scene.rpc.receipt(late.hash).await.unwrap() {
            Some(receipt) => break receipt,
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    assert!(!receipt.status());
    let mut keeper = sent(&scene, &plan, 1, late.hash);
    scene.deploy(&plan, &[Part::Verifier], &mut keeper).await.unwrap();
    let verifier = keeper.record.unwrap().contracts.verifier;
    assert_eq!((verifier.status, verifier.transaction), (Status::Reused, None));
    assert_eq!(scene.nonce().await, 2);
}
