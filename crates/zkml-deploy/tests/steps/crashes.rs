//! A deployment that ends anywhere goes on from there, and sends nothing twice.

use zkml_deploy::{package::Existing, plan::Part, record::Status};

use crate::{
    anvil::{revert, snapshot},
    scene::{Crash, Keeper, Scene, TRANSACTIONS},
};

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
