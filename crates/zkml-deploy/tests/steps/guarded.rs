//! A deployment with an emergency stop in front of the verifier.

use alloy::{sol, sol_types::SolCall};
use zkml_deploy::{
    Address, DeployError, U256,
    deploy::Todo,
    package::{Existing, Owners},
    plan::{Part, Plan, State},
    record::{Record, Status},
};

use crate::{
    anvil::set_code,
    scene::{Keeper, PARTS, Scene, TRANSACTIONS},
};

sol! {
    interface Stack {
        struct Route {
            address verifier;
            uint64 activeFrom;
            bool stopped;
            bytes32 codeHash;
        }

        function routeOf(bytes4 selector) external view returns (Route memory route);
        function VERIFIER() external view returns (address);
        function owner() external view returns (address);
    }
}

/// What a contract answers.
async fn ask<C: SolCall>(scene: &Scene, address: Address, call: C) -> C::Return {
    let answer = scene.rpc.call(None, Some(address), &call.abi_encode()).await.unwrap();
    C::abi_decode_returns(&answer.returned("a test").unwrap()).unwrap()
}

const GUARDIAN: Address = Address::repeat_byte(0x99);

fn guarded(scene: &Scene) -> Owners {
    Owners { guardian: Some(GUARDIAN), ..scene.owners() }
}

async fn plan(scene: &Scene) -> Plan {
    scene.plan_for(guarded(scene), Existing::default()).await.unwrap()
}

/// All parts, the stop among them.
fn parts(plan: &Plan) -> Vec<Part> {
    plan.parts().collect()
}

#[tokio::test]
async fn the_route_leads_to_the_stop_and_the_stop_to_the_verifier() {
    let scene = Scene::new(&[]).await;
    let plan = plan(&scene).await;
    let steps = scene.preview(&plan, &parts(&plan)).await.unwrap().steps;
    let stop = plan.placement.emergency_stop.as_ref().unwrap();
    assert_eq!((steps[1].part, steps[1].address), (Part::EmergencyStop, Some(stop.address)));
    assert!(matches!(steps[1].todo, Todo::Send { .. }), "{:?}", steps[1]);
    let mut keeper = Keeper::default();
    scene.deploy(&plan, &parts(&plan), &mut keeper).await.unwrap();
    assert_eq!(scene.nonce().await, TRANSACTIONS + 1);
    let record = keeper.record.clone().unwrap();
    assert_eq!((record.status, record.status(Part::EmergencyStop)), (Status::Complete, Status::Deployed));
    let rpc = &scene.rpc;
    let selector = plan.selector().into();
    let route = ask(&scene, plan.placement.router.address, Stack::routeOfCall { selector }).await;
    assert_eq!(route.verifier, stop.address);
    let behind = ask(&scene, stop.address, Stack::VERIFIERCall {}).await;
    assert_eq!(behind, plan.placement.verifier.address);
    assert_eq!(ask(&scene, stop.address, Stack::ownerCall {}).await, GUARDIAN);
    // What is there is found again, by its address and code.
    scene.deploy(&plan, &parts(&plan), &mut Keeper::default()).await.unwrap();
    assert_eq!(scene.nonce().await, TRANSACTIONS + 1);
    set_code(rpc, stop.address, &[0x5f]).await;
    let error = plan.look(rpc, Part::EmergencyStop).await.unwrap_err();
    assert!(matches!(&error, DeployError::OtherCode { name, .. } if name == "ZKMLEmergencyStop"), "{error}");
}

#[tokio::test]
async fn arguments_that_the_constructors_refuse_are_refused_before_anything_is_sent() {
    let scene = Scene::new(&[]).await;
    let usual = guarded(&scene);
    let registry = plan(&scene).await.placement.registry.address;
    for (owners, words) in [
        (
            Owners { guardian: Some(Address::ZERO), ..usual },
            "the owner of the emergency stop cannot be 0x0000",
        ),
        (Owners { guardian: Some(registry), ..usual }, "that is ZKMLRegistry, which never pulls it"),
        (Owners { owner: Address::ZERO, ..usual }, "the owner cannot be 0x0000"),
        (Owners { model_owner: Address::ZERO, ..usual }, "the model owner cannot be 0x0000"),
        (Owners { route_delay: 3_599, ..usual }, "the route delay cannot be 3599: a router takes from 3600"),
        (Owners { route_delay: 7_776_001, ..usual }, "the route delay cannot be 7776001"),
    ] {
        let error = scene.plan_for(owners, Existing::default()).await.unwrap_err();
        assert!(
            matches!(error, DeployError::Argument { .. }) && error.to_string().contains(words),
            "{error}"
        );
    }
    // A router that is there already has its delay.
    let router = Some(plan(&scene).await.placement.router.address);
    let existing = Existing { router, ..Existing::default() };
    scene.plan_for(Owners { route_delay: 0, ..usual }, existing).await.unwrap();
    // The stop is asked for, and nobody could pull it.
    let bare = scene.plan(Existing::default()).await.unwrap();
    for error in [
        scene.preview(&bare, &[Part::EmergencyStop]).await.unwrap_err(),
        scene.deploy(&bare, &[Part::EmergencyStop], &mut Keeper::default()).await.unwrap_err(),
    ] {
        assert!(matches!(error, DeployError::NoGuardian), "{error}");
    }
    assert_eq!(scene.nonce().await, 0);
}

/// The delays are those of the contract.
#[test]
fn the_router_s_delays_are_the_contract_s() {
    let source = zkml_contracts::library::source("@zkml-chain/contracts/src/ZKMLRouter.sol").unwrap();
    assert!(source.contains("MIN_DELAY = 1 hours;") && source.contains("MAX_DELAY = 90 days;"));
    assert_eq!(zkml_deploy::package::ROUTE_DELAYS, 3_600..=7_776_000);
}

/// A router of an earlier deployment: a stop is proposed to it, unless the key's route leads to the bare verifier.
#[tokio::test]
async fn routes_do_not_move_behind_a_stop() {
    let scene = Scene::new(&[]).await;
    let bare = scene.plan(Existing::default()).await.unwrap();
    scene.deploy(&bare, &PARTS, &mut Keeper::default()).await.unwrap();
    let existing = Existing { router: Some(bare.placement.router.address), ..Existing::default() };
    let plan = scene.plan_for(guarded(&scene), existing).await.unwrap();
    let error = scene.preview(&plan, &parts(&plan)).await.unwrap_err();
    assert!(matches!(error, DeployError::Route { .. }), "{error}");
    assert!(error.to_string().contains("routes do not move"), "{error}");
    // Nor does a record change its mind.
    let path = "memory".as_ref();
    let (guarded, bare) = (Record::planned(&plan), Record::planned(&bare));
    for (one, other) in [(&guarded, &bare), (&bare, &guarded)] {
        let error = one.check(other, path).unwrap_err();
        assert!(error.to_string().contains("its owner of the emergency stop is"), "{error}");
    }
}

#[tokio::test]
async fn a_stop_is_proposed_to_a_router_that_is_there() {
    let scene = Scene::new(&[]).await;
    let owner = scene.account.address().into_array();
    let first = Address::repeat_byte(0x77);
    set_code(
        &scene.rpc,
        first,
        &[&[0x7f], U256::MAX.to_be_bytes::<32>().as_slice(), &[0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]].concat(),
    )
    .await;
    let arguments = zkml_contracts::router_arguments(&owner, 3_600, &[first.into_array()]);
    let router =
        crate::existing::create(&scene, &[crate::scene::package().router.creation, arguments].concat()).await;
    let existing = Existing { router: Some(router), ..Existing::default() };
    let plan = scene.plan_for(guarded(&scene), existing).await.unwrap();
    scene.deploy(&plan, &[Part::Verifier, Part::EmergencyStop], &mut Keeper::default()).await.unwrap();
    let State::Missing { call, .. } = plan.look(&scene.rpc, Part::Route).await.unwrap() else {
        panic!("the route is not there yet")
    };
    let stop = plan.placement.emergency_stop.as_ref().unwrap().address;
    assert!(call.data.ends_with(stop.as_slice()), "{}", hex::encode(&call.data));
    scene.deploy(&plan, &parts(&plan), &mut Keeper::default()).await.unwrap();
    assert!(matches!(plan.look(&scene.rpc, Part::Route).await.unwrap(), State::Waiting(_)));
}
