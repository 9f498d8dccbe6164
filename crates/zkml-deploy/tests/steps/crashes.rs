//! A deployment that ends anywhere goes on from there, and sends nothing twice.

use zkml_deploy::{
    Address,
    package::{Existing, Owners},
    plan::Part,
    record::Status,
};

use crate::{
    anvil::{revert, snapshot},
    scene::{Crash, Keeper, Scene, TRANSACTIONS},
};

#[tokio::test]
async fn it_may_end_before_and_after_every_write() {
    let scene = Scene::new(&[]).await;
    ends_anywhere(&scene, scene.owners()).await;
}

/// The stop comes between the verifier and the router that leads to it.
#[tokio::test]
async fn so_may_one_with_an_emergency_stop() {
    let scene = Scene::new(&[]).await;
    ends_anywhere(&scene, Owners { guardian: Some(Address::repeat_byte(0x99)), ..scene.owners() }).await;
}

async fn ends_anywhere(scene: &Scene, owners: Owners) {
    let plan = scene.plan_for(owners, Existing::default()).await.unwrap();
    let parts: Vec<Part> = plan.parts().collect();
    let stops = usize::from(owners.guardian.is_some());
    let mut whole = Keeper::default();
    let start = snapshot(&scene.rpc).await;
    scene.deploy(&plan, &parts, &mut whole).await.unwrap();
    let writes = whole.writes;
    assert_eq!(writes, 6 + 7 + 1 + 2 * stops, "before each transaction, after each part, at the end");
    revert(&scene.rpc, start).await;
    for crash in (0..writes).flat_map(|n| [Crash::Before(n), Crash::After(n)]) {
        let start = snapshot(&scene.rpc).await;
        let mut keeper = Keeper { crash: Some(crash), ..Keeper::default() };
        scene.deploy(&plan, &parts, &mut keeper).await.unwrap_err();
        keeper.crash = None;
        scene.deploy(&plan, &parts, &mut keeper).await.unwrap();
        assert_eq!(scene.nonce().await, TRANSACTIONS + stops as u64, "{crash:?}");
        let record = keeper.record.unwrap();
        assert_eq!(record.status, Status::Complete, "{crash:?}");
        // An end between a transaction and its receipt loses neither.
        for part in parts.iter().copied().filter(|part| *part != Part::Route) {
            let transaction = record.transaction(part).unwrap_or_else(|| panic!("{crash:?}: {part:?}"));
            assert!(transaction.block.is_some() && transaction.gas.is_some(), "{crash:?}: {transaction:?}");
            assert_eq!(record.status(part), Status::Deployed, "{crash:?}: {part:?}");
        }
        revert(&scene.rpc, start).await;
    }
}
