//! Chains on which nothing is deployed, and what is asked of those on which it is.

use axum::{Router, body::Bytes, routing::post};
use serde_json::{Value, json};
use zkml_deploy::{
    Address, CREATE2_FACTORY, DeployError, U256,
    chain::{Chain, RpcUrl},
    package::Existing,
    plan::Part,
    preflight,
    rpc::{Retry, Rpc},
};

use crate::{
    anvil::{Anvil, set_code},
    scene::{PARTS, Scene, package},
};

/// The check that fails, and why.
async fn refused(rpc: &Rpc, chain: &Chain) -> (&'static str, String) {
    match preflight::run(rpc, chain, &package(), false).await {
        Err(DeployError::Preflight { check, why }) => (check, why),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_old_chain_without_push0() {
    let scene = Scene::new(&["--hardfork", "paris"]).await;
    assert_eq!(refused(&scene.rpc, &scene.chain).await.0, "EVM version");
    let scene = Scene::new(&["--hardfork", "shanghai"]).await;
    preflight::run(&scene.rpc, &scene.chain, &package(), false).await.unwrap();
}

#[tokio::test]
async fn a_chain_without_the_factory() {
    let scene = Scene::new(&[]).await;
    for (code, words) in [(&[][..], "there is no contract at"), (&[0x5f], "there is another contract at")] {
        set_code(&scene.rpc, CREATE2_FACTORY.into(), code).await;
        let (check, why) = refused(&scene.rpc, &scene.chain).await;
        assert_eq!(check, "CREATE2 factory");
        assert!(why.contains(words) && why.contains("deterministic-deployment-proxy"), "{why}");
    }
}

#[tokio::test]
async fn a_chain_that_takes_smaller_contracts_or_transactions() {
    let scene = Scene::new(&[]).await;
    let package = package();
    let codes =
        [&package.verifier, &package.registry, &package.router, &package.zkml_verifier, &package.consumer];
    let largest = codes.map(|code| code.runtime.len()).into_iter().max().unwrap();
    let fitting = Chain { code_limit: largest, ..scene.chain.clone() };
    preflight::run(&scene.rpc, &fitting, &package, false).await.unwrap();
    for (chain, words) in [
        (Chain { code_limit: largest - 1, ..scene.chain.clone() }, "runtime code of Plain"),
        (Chain { init_limit: 1_000, ..scene.chain.clone() }, "creation code of PlainVerifier"),
    ] {
        let (check, why) = refused(&scene.rpc, &chain).await;
        assert!(check == "code size" && why.contains(words), "{check}: {why}");
    }
    let plan = scene.plan(Existing::default()).await.unwrap();
    let mut options = scene.options(&[Part::Verifier]);
    options.limits.gas = 100_000;
    let sender = scene.account.address();
    let error = zkml_deploy::deploy::preview(&scene.rpc, &plan, sender, &options).await.unwrap_err();
    assert!(error.to_string().contains("takes 100000 in one transaction"), "{error}");
}

#[tokio::test]
async fn what_publication_costs_is_asked_of_the_chain_and_added() {
    let mut scene = Scene::new(&[]).await;
    let oracle = Address::repeat_byte(0x0f);
    // The length of the calldata, as a price.
    set_code(&scene.rpc, oracle, &hex::decode("365f5260205ff3").unwrap()).await;
    let without = scene.preview(&scene.plan(Existing::default()).await.unwrap(), &PARTS).await.unwrap();
    assert_eq!(without.l1_fee, U256::ZERO);
    scene.chain.l1_fee = Some(oracle.to_string());
    let plan = scene.plan(Existing::default()).await.unwrap();
    let with = scene.preview(&plan, &PARTS).await.unwrap();
    let codes: usize =
        PARTS.iter().filter_map(|part| plan.placed(*part)).map(|placed| placed.init_code().len()).sum();
    assert!(with.l1_fee > U256::from(codes), "{} for {codes} bytes of code", with.l1_fee);
    assert_eq!(with.cost, U256::from(with.gas) * U256::from(with.max_fee) + with.l1_fee);
}

#[tokio::test]
async fn a_sender_that_cannot_pay() {
    let scene = Scene::new(&[]).await;
    let plan = scene.plan(Existing::default()).await.unwrap();
    let preview = scene.preview(&plan, &PARTS).await.unwrap();
    preview.affordable(&plan).unwrap();
    for (balance, enough) in [(preview.cost, true), (preview.cost - U256::from(1), false)] {
        let poorer = zkml_deploy::deploy::Preview { balance, ..preview.clone() };
        assert_eq!(poorer.affordable(&plan).is_ok(), enough);
    }
}

/// A node between us and an honest one: it answers calls of one precompiled contract with one word.
async fn liar(honest: String, precompile: u8, word: u64) -> String {
    let client = zkml_deploy::http::client().build().unwrap();
    let suffix = format!("{precompile:040x}");
    let forward = move |body: Bytes| {
        let (client, honest, suffix) = (client.clone(), honest.clone(), suffix.clone());
        async move {
            let request: Value = serde_json::from_slice(&body).unwrap();
            let to = request["params"][0]["to"].as_str().unwrap_or_default();
            if request["method"] == "eth_call" && to.ends_with(&suffix) {
                let word = format!("0x{word:064x}");
                return json!({ "jsonrpc": "2.0", "id": request["id"], "result": word }).to_string();
            }
            let answer = client.post(&honest).header("content-type", "application/json").body(body);
            answer.send().await.unwrap().text().await.unwrap()
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().route("/", post(forward));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    url
}

#[tokio::test]
async fn a_chain_whose_precompiled_contracts_are_wrong() {
    let node = Anvil::start(&[]);
    for (precompile, word, words) in [
        (5, 5, "a power of a number (precompile 0x05)"),
        (6, 1, "the sum of two points (precompile 0x06)"),
        (7, 1, "the multiple of a point (precompile 0x07)"),
        (8, 0, "a pairing that is true (precompile 0x08)"),
        (8, 1, "a pairing that is false (precompile 0x08)"),
    ] {
        let url = RpcUrl::parse("X", &liar(node.url(), precompile, word).await).unwrap();
        let rpc = Rpc::connect(&Anvil::chain(), &url, Retry::default()).await.unwrap();
        let (check, why) = refused(&rpc, &Anvil::chain()).await;
        assert!(check == "precompiles" && why.contains(words), "{check}: {why}");
    }
}

#[tokio::test]
async fn a_public_setup_stays_on_chains_that_the_contracts_know() {
    let live = Chain { id: 777, test: true, ..Anvil::chain() };
    let error = preflight::setup(&live, &package()).unwrap_err();
    assert!(matches!(error, DeployError::UnsafeSetup { .. }), "{error}");
    preflight::setup(&Anvil::chain(), &package()).unwrap();
}
