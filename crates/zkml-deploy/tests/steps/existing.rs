//! Contracts that are there already: used if they are ours, refused if not, whatever parts are asked for.

use alloy::{sol, sol_types::SolCall};
use zkml_deploy::{
    Address, CREATE2_FACTORY, DeployError,
    consumer::Consumer,
    create2_address,
    deploy::Todo,
    package::Existing,
    plan::{Part, Plan, State},
};
use zkml_protocol::{VerifierProgram, Word};

use crate::{
    anvil::set_code,
    scene::{Keeper, PARTS, Scene, package},
};

sol! {
    interface Owned {
        function freeze() external;
        function stopRoute(bytes4 selector) external;
    }
}

/// Not a contract of ours.
const STRANGER: Address = Address::repeat_byte(0x66);

/// Deploys by the factory with a salt of its own.
pub(crate) async fn create(scene: &Scene, init_code: &[u8]) -> Address {
    let salt = Word::from_u64(99);
    scene.send(CREATE2_FACTORY.into(), [salt.0.as_slice(), init_code].concat()).await;
    create2_address(&CREATE2_FACTORY, &salt, init_code).into()
}

async fn deployed(scene: &Scene) -> Plan {
    let plan = scene.plan(Existing::default()).await.unwrap();
    scene.deploy(&plan, &PARTS, &mut Keeper::default()).await.unwrap();
    plan
}

/// A `ZKMLVerifier` that has our code, and this registry and router.
async fn tied(scene: &Scene, registry: Address, router: Address) -> Address {
    let arguments = [registry.into_word().0, router.into_word().0].concat();
    create(scene, &[package().zkml_verifier.creation, arguments].concat()).await
}

/// Whoever routes proofs decides which are accepted, so the router of a verifier counts even if only a consumer is wanted.
#[tokio::test]
async fn what_an_existing_verifier_is_tied_to_is_looked_at_whatever_is_wanted() {
    let scene = Scene::new(&[]).await;
    let placement = deployed(&scene).await.placement;
    let code = scene.rpc.code(placement.registry.address).await.unwrap();
    // Says what a router and a registry would say, and is neither.
    set_code(&scene.rpc, STRANGER, &[code.as_ref(), &[0]].concat()).await;
    for (registry, router, name) in [
        (placement.registry.address, STRANGER, "ZKMLRouter"),
        (STRANGER, placement.router.address, "ZKMLRegistry"),
    ] {
        let address = tied(&scene, registry, router).await;
        let existing = Existing { zkml_verifier: Some(address), ..Existing::default() };
        let plan = scene.plan(existing).await.unwrap();
        for part in [Part::Verifier, Part::Consumer] {
            let error = scene.preview(&plan, &[part]).await.unwrap_err();
            assert!(matches!(&error, DeployError::OtherCode { name: found, .. } if found == name), "{error}");
        }
    }
}

#[tokio::test]
async fn what_is_not_ours_is_refused() {
    let scene = Scene::new(&[]).await;
    let registry = deployed(&scene).await.placement.registry.address;
    // Nothing is at the first address, a registry at the second.
    for address in [STRANGER, registry] {
        let plan = scene.plan(Existing { router: Some(address), ..Existing::default() }).await.unwrap();
        let error = scene.preview(&plan, &[Part::Verifier]).await.unwrap_err();
        assert!(matches!(&error, DeployError::OtherCode { name, .. } if name == "ZKMLRouter"), "{error}");
    }
}

/// A router that has our code, this owner and this first verifier.
async fn router(scene: &Scene, owner: Address, first: Address) -> Existing {
    let arguments = zkml_contracts::router_arguments(&owner.into_array(), 3_600, &[first.into_array()]);
    let router = create(scene, &[package().router.creation, arguments].concat()).await;
    Existing { router: Some(router), ..Existing::default() }
}

/// Answers every question with one word.
fn answering(word: Word) -> Vec<u8> {
    [&[0x7f], word.0.as_slice(), &[0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]].concat()
}

#[tokio::test]
async fn routes_that_lead_elsewhere_or_cannot_be_made() {
    let scene = Scene::new(&[]).await;
    let plan = deployed(&scene).await;
    let owner = scene.account.address();
    let refused = async |existing: Existing, words: &str| {
        let plan = scene.plan(existing).await.unwrap();
        let error = scene.preview(&plan, &[Part::Route]).await.unwrap_err();
        assert!(matches!(error, DeployError::Route { .. }), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    };
    let existing = Existing { router: Some(plan.placement.router.address), ..Existing::default() };
    assert_eq!(plan.look(&scene.rpc, Part::Route).await.unwrap(), State::There);
    let stop = Owned::stopRouteCall { selector: plan.selector().into() }.abi_encode();
    scene.send(plan.placement.router.address, stop).await;
    refused(existing, "was stopped, for good").await;
    // Another contract of the same digest was first.
    set_code(&scene.rpc, STRANGER, &answering(plan.package.program.vk_digest())).await;
    refused(router(&scene, owner, STRANGER).await, "routes do not move").await;
    // A router without our route: it can be proposed, until the router is frozen.
    let other = Address::repeat_byte(0x77);
    set_code(&scene.rpc, other, &answering(Word::from_hex(&"12".repeat(32)).unwrap())).await;
    let free = router(&scene, owner, other).await;
    let steps = scene.preview(&scene.plan(free).await.unwrap(), &[Part::Route]).await.unwrap().steps;
    assert!(matches!(steps[0].todo, Todo::Send { .. }), "{steps:?}");
    scene.send(free.router.unwrap(), Owned::freezeCall {}.abi_encode()).await;
    refused(free, "the router is frozen").await;
}

#[tokio::test]
async fn a_route_is_proposed_by_the_router_s_owner_only() {
    let scene = Scene::new(&[]).await;
    let plan = deployed(&scene).await;
    let first = Address::repeat_byte(0x77);
    set_code(&scene.rpc, first, &answering(Word::from_hex(&"12".repeat(32)).unwrap())).await;
    let existing = router(&scene, STRANGER, first).await;
    let theirs = scene.plan(existing).await.unwrap();
    let steps = scene.preview(&theirs, &[Part::Route]).await.unwrap().steps;
    let Todo::Theirs { by, to, data } = &steps[0].todo else { panic!("{steps:?}") };
    assert_eq!((*by, *to), (STRANGER, existing.router.unwrap()));
    assert!(data.to_lowercase().ends_with(&hex::encode(plan.placement.verifier.address)), "{data}");
    let before = scene.nonce().await;
    let mut keeper = Keeper::default();
    scene.deploy(&theirs, &[Part::Route], &mut keeper).await.unwrap();
    assert_eq!(scene.nonce().await, before, "nothing was sent");
}

/// A contract that takes no rewards is told apart from one that does, and from no answer at all.
#[tokio::test]
async fn a_contract_that_pays_no_rewards_is_named() {
    let scene = Scene::new(&[]).await;
    let plan = deployed(&scene).await;
    let consumer = plan.placement.consumer.address;
    let error = Consumer::known(&scene.rpc, consumer).pays_rewards().await.unwrap_err();
    assert!(
        matches!(&error, DeployError::NoRewards { consumer: named } if *named == consumer.to_string()),
        "{error}"
    );
    set_code(&scene.rpc, STRANGER, &answering(Word::ZERO)).await;
    Consumer::known(&scene.rpc, STRANGER).pays_rewards().await.unwrap();
}
