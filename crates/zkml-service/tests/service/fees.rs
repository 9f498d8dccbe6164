//! What gas costs at most, whatever an endpoint says; and what is spent within a time.

use std::time::Duration;

use serde_json::{Value, json};
use zkml_deploy::{U256, rpc::FeeLimits, transaction::Limits};
use zkml_service::{Budget, Event, Health, Options};

use crate::{
    proxy::{Act, Proxy},
    scene::{FAR, Running, Scene},
};

/// Tip of a transaction of the service at most, in wei: what these tests allow.
const TIP: u128 = 3_000_000_000;

fn options() -> Options {
    let limits = Scene::options().limits;
    let fees = FeeLimits { priority: TIP, eip1559: true, ..limits.fees };
    Options { limits: Limits { fees, ..limits }, ..Scene::options() }
}

fn number(value: &Value) -> u128 {
    u128::from_str_radix(value.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}

/// All numbers of a document a thousand times.
fn dearer(value: &Value) -> Value {
    match value {
        Value::Array(all) => all.iter().map(dearer).collect(),
        other => json!(format!("{:#x}", number(other) * 1_000)),
    }
}

/// What the service's transactions cost in all, in wei, by the chain.
async fn paid(scene: &Scene) -> u128 {
    let (mut total, head) = (0, scene.rpc.block_number().await.unwrap());
    for block in 0..=head {
        let block = format!("{block:#x}");
        let receipts = scene.rpc.raw("eth_getBlockReceipts", json!([block])).await.unwrap();
        let us = Scene::account().address().to_string().to_lowercase();
        for receipt in receipts.as_array().unwrap().iter().filter(|receipt| receipt["from"] == us) {
            total += number(&receipt["gasUsed"]) * number(&receipt["effectiveGasPrice"]);
        }
    }
    total
}

/// Waits for an event's text.
async fn hears(scene: &Scene, text: &'static str) {
    scene.wait(text, |event| serde_json::to_string(event).unwrap().contains(text)).await;
}

async fn ends(running: Running) {
    tokio::time::timeout(Duration::from_secs(30), running.task).await.unwrap().unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_made_up_history_of_fees_costs_no_more_than_the_largest_tip() {
    let scene = Scene::new(&[]).await;
    let proxy = Proxy::start(&scene.node.url()).await;
    let id = scene.ask(1, FAR).await[0];
    proxy.rule(|method, _, _| {
        if method != "eth_feeHistory" {
            return Act::Pass;
        }
        Act::Change(|mut history| {
            history["baseFeePerGas"] = dearer(&history["baseFeePerGas"]);
            let blocks = history["baseFeePerGas"].as_array().unwrap().len() - 1;
            history["reward"] = json!(vec![[format!("{:#x}", u128::MAX >> 1)]; blocks]);
            history
        })
    });
    ends(scene.start_at(&proxy.url(), Options { until_idle: true, ..options() })).await;
    assert_eq!(scene.fulfilments().await[&id], 1);
    let receipt_price = paid(&scene).await;
    // Some 100,000 gas at a tip of 3 gwei: 2 ether at the tip that was made up would not be all.
    assert!((1..1_000_000 * (TIP + 1_000_000_000)).contains(&receipt_price), "{receipt_price} wei");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_fee_that_does_not_follow_is_refused() {
    let scene = Scene::new(&[]).await;
    let proxy = Proxy::start(&scene.node.url()).await;
    scene.ask(1, FAR).await;
    proxy.rule(|method, params, _| {
        if method != "eth_getBlockByNumber" || params[0] != "latest" {
            return Act::Pass;
        }
        Act::Change(|mut block| {
            block["baseFeePerGas"] = dearer(&block["baseFeePerGas"]);
            block
        })
    });
    let running = scene.start_at(&proxy.url(), options());
    hears(&scene, "and from the block before it follow").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    running.stop().await;
    assert_eq!((scene.nonce().await, scene.count(|event| matches!(event, Event::Sent { .. }))), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_takes_more_than_is_allowed_is_waited_for() {
    let scene = Scene::new(&[]).await;
    scene.ask(1, FAR).await;
    let limits = options().limits;
    let fees = FeeLimits { max: 1_000, named: true, ..limits.fees };
    let running = scene.start(Options { limits: Limits { fees, ..limits }, ..options() });
    hears(&scene, "allow more with --max-fee").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    running.stop().await;
    assert_eq!(scene.count(|event| matches!(event, Event::Failed { .. })), 1, "it is said once");
    assert_eq!((scene.nonce().await, scene.count(|event| matches!(event, Event::Sent { .. }))), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_estimate_above_the_chains_limit_is_refused() {
    let scene = Scene::new(&[]).await;
    let proxy = Proxy::start(&scene.node.url()).await;
    let id = scene.ask(1, FAR).await[0];
    proxy.rule(|method, _, _| match method {
        "eth_estimateGas" => Act::Answer(json!("0x8000000000000000")),
        _ => Act::Pass,
    });
    ends(scene.start_at(&proxy.url(), Options { until_idle: true, ..options() })).await;
    let entry = scene.entry(id);
    let reason = entry.reason.unwrap();
    assert!(entry.status == "refused" && reason.contains("9223372036854775808 gas"), "{reason}");
    assert!(reason.contains("16777216 is the most"), "{reason}");
    assert_eq!(scene.nonce().await, 0);
}

/// Budgets are about as much as one fulfilment is reserved with.
async fn reserved_for_one(scene: &Scene) -> U256 {
    let fees = scene.rpc.fees(&options().limits.fees).await.unwrap();
    let data = crate::following::fulfilment(scene, scene.ask(1, FAR).await[0]).await;
    let from = Scene::account().address();
    let gas = scene.rpc.estimate(from, Some(scene.consumer), &data).await.unwrap().unwrap();
    U256::from(gas * 6 / 5) * U256::from(fees.max)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_stops_the_service_also_after_a_restart() {
    let scene = Scene::new(&[]).await;
    let one = reserved_for_one(&scene).await;
    // With the one that was asked for already.
    scene.ask(39, FAR).await;
    for (window, budget) in [
        ("hour", Budget { hour: Some(one * U256::from(2)), day: None }),
        ("day", Budget { hour: None, day: Some(one * U256::from(3)) }),
    ] {
        scene.forget_events();
        let health = Health::new(Duration::from_secs(60));
        let running = scene.start_with(health.clone(), Options { budget, ..options() });
        scene
            .wait("stop", |event| matches!(event, Event::OverBudget { window: over, .. } if *over == window))
            .await;
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let (_, report) = health.report();
        let text = report.to_string();
        assert!(
            text.contains(&format!("for a{} {window}", if window == "hour" { "n" } else { "" })),
            "{text}"
        );
        running.stop().await;
        let spent = U256::from(paid(&scene).await);
        assert!(spent > U256::ZERO && spent <= budget.hour.or(budget.day).unwrap(), "{spent} of {budget:?}");
        assert!(scene.nonce().await < 40, "not all");
        // What was reserved and not needed lets another one follow; a round that changes nothing says nothing.
        let told = scene.count(|event| matches!(event, Event::OverBudget { .. }));
        assert!(told <= 10, "{told} times in some fifty rounds");
        // Nothing of it is forgotten.
        let (before, running) = (scene.nonce().await, scene.start(Options { budget, ..options() }));
        tokio::time::sleep(Duration::from_millis(400)).await;
        running.stop().await;
        assert_eq!(scene.nonce().await, before, "{window}");
    }
    scene.serve(options()).await;
    assert_eq!(scene.nonce().await, 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_that_are_made_up_leave_a_budget_its_meaning() {
    let lies: [fn(Value) -> Value; 2] = [
        |receipt| with(receipt, "0x4000000000000000", "0xffffffffffffffffffff"),
        |receipt| with(receipt, "0x0", "0x0"),
    ];
    for (lie, most) in lies.into_iter().zip([1, 2]) {
        let scene = Scene::new(&[]).await;
        let proxy = Proxy::start(&scene.node.url()).await;
        let one = reserved_for_one(&scene).await;
        scene.ask(39, FAR).await;
        proxy.rule(
            move |method, _, _| {
                if method == "eth_getTransactionReceipt" { Act::Change(lie) } else { Act::Pass }
            },
        );
        let hour = one * U256::from(2);
        let budget = Budget { hour: Some(hour), day: None };
        let running = scene.start_at(&proxy.url(), Options { budget, ..options() });
        scene.wait("stop", |event| matches!(event, Event::OverBudget { .. })).await;
        tokio::time::sleep(Duration::from_millis(800)).await;
        running.stop().await;
        let (spent, nonce) = (U256::from(paid(&scene).await), scene.nonce().await);
        assert!((1..40).contains(&nonce), "{nonce} of forty");
        assert!(spent <= hour * U256::from(most), "{spent} of {hour}");
    }
}

fn with(mut receipt: Value, gas: &str, price: &str) -> Value {
    if receipt.is_object() {
        (receipt["gasUsed"], receipt["effectiveGasPrice"]) = (json!(gas), json!(price));
    }
    receipt
}
