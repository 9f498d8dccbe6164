//! Nodes that are away, lag, limit, or lie; and others who want the same journal.

use std::{sync::atomic::Ordering, time::Duration};

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use zkml_contracts::requests::{INFERENCE_REQUESTED, topic};
use zkml_deploy::{Address, DeployError};
use zkml_protocol::{Word, binding::Request};
use zkml_service::{Event, Health, Journal, Metrics, Options, Owner, ServiceError, Status, serve};

use crate::{
    anvil::mine,
    proxy::{Act, Proxy},
    scene::{FAR, Scene, open_journal},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_away_is_waited_for() {
    let state = tempfile::tempdir().unwrap();
    let file = state.path().join("state.json");
    let mut scene = Scene::new(&["--state", file.to_str().unwrap()]).await;
    let id = scene.ask(1, FAR).await[0];
    scene.prover.takes.store(600, Ordering::SeqCst);
    let running = scene.start(Scene::options());
    scene.wait("proving", |event| matches!(event, Event::Proving { .. })).await;
    scene.node.stop();
    scene.wait("trouble", |event| matches!(event, Event::Failed { .. })).await;
    scene.wait("proven", |event| matches!(event, Event::Proven { .. })).await;
    scene.node.restart();
    scene.wait("done", |event| *event == Event::Done { request: id, earned: None }).await;
    running.stop().await;
    assert_eq!((scene.nonce().await, scene.prover.begun.load(Ordering::SeqCst)), (1, 1));
}

/// A development node without its state, or one that reads its chain from the beginning: it has the right id.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_begins_anew_is_not_believed() {
    let mut scene = Scene::new(&[]).await;
    let id = scene.ask(1, FAR).await[0];
    let running = scene.start(Scene::options());
    scene.wait("done", |event| *event == Event::Done { request: id, earned: None }).await;
    scene.node.kill();
    scene.node.restart();
    let missing = |event: &Event| matches!(event, Event::Failed { reason } if reason.contains("no contract"));
    scene.wait("trouble", missing).await;
    assert_eq!(scene.count(|event| matches!(event, Event::Reorganised { .. })), 0);
    let summary = running.stop().await;
    assert_eq!(summary.requests, [("done".to_owned(), 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_get_lost_and_nothing_else() {
    let scene = Scene::new(&[]).await;
    let proxy = Proxy::start(&scene.node.url()).await;
    let ids = scene.ask(3, FAR).await;
    proxy.rule(|_, _, number| match number % 29 {
        11 => Act::Lose,
        23 => Act::LoseAnswer,
        _ => Act::Pass,
    });
    let running = scene.start_at(&proxy.url(), Options { until_idle: true, ..Scene::options() });
    let summary =
        tokio::time::timeout(Duration::from_secs(60), running.task).await.unwrap().unwrap().unwrap();
    assert_eq!((summary.done, scene.nonce().await), (3, 3));
    assert_eq!(scene.fulfilments().await.len(), ids.len());
    assert!(scene.count(|event| matches!(event, Event::Failed { .. })) > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_chain_behind_the_same_address_ends_it() {
    let scene = Scene::new(&[]).await;
    let proxy = Proxy::start(&scene.node.url()).await;
    let running = scene.start_at(&proxy.url(), Scene::options());
    tokio::time::sleep(Duration::from_millis(200)).await;
    proxy.rule(|_, _, _| Act::Lose);
    tokio::time::sleep(Duration::from_millis(200)).await;
    scene.ask(1, FAR).await;
    proxy.rule(|method, _, _| if method == "eth_chainId" { Act::Answer(json!("0x1")) } else { Act::Pass });
    let ended = tokio::time::timeout(Duration::from_secs(20), running.task).await.unwrap().unwrap();
    assert!(
        matches!(
            ended,
            Err(ServiceError::Deploy(DeployError::WrongChain { found: 1, expected: 31_337, .. }))
        ),
        "{ended:?}"
    );
    assert_eq!((scene.nonce().await, scene.prover.begun.load(Ordering::SeqCst)), (0, 0));
    assert!(scene.journal().requests().unwrap().is_empty(), "nothing of the other chain was taken in");
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_are_halved_until_the_node_answers() {
    let scene = Scene::new(&[]).await;
    let proxy = Proxy::start(&scene.node.url()).await;
    let first = scene.ask(1, FAR).await[0];
    mine(&scene.rpc, 40).await;
    let second = scene.ask(1, FAR).await[0];
    proxy.rule(|method, params, _| {
        let number = |key: &str| {
            let text = params[0][key].as_str().unwrap_or_default().trim_start_matches("0x").to_owned();
            u64::from_str_radix(&text, 16).unwrap_or(0)
        };
        if method == "eth_getLogs" && number("toBlock") - number("fromBlock") > 6 {
            return Act::Refuse(-32_602, "the range is too wide");
        }
        Act::Pass
    });
    let running = scene.start_at(&proxy.url(), Options { until_idle: true, ..Scene::options() });
    tokio::time::timeout(Duration::from_secs(30), running.task).await.unwrap().unwrap().unwrap();
    let fulfilments = scene.fulfilments().await;
    assert_eq!((fulfilments[&first], fulfilments[&second]), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_come_twice_are_one() {
    let scene = Scene::new(&[]).await;
    let proxy = Proxy::start(&scene.node.url()).await;
    scene.ask(2, FAR).await;
    proxy.rule(|method, _, _| {
        if method != "eth_getLogs" {
            return Act::Pass;
        }
        Act::Change(|logs| {
            let logs = logs.as_array().unwrap();
            json!(logs.iter().chain(logs).collect::<Vec<_>>())
        })
    });
    let running = scene.start_at(&proxy.url(), Options { until_idle: true, ..Scene::options() });
    let summary =
        tokio::time::timeout(Duration::from_secs(30), running.task).await.unwrap().unwrap().unwrap();
    assert_eq!((summary.proofs, summary.sent, scene.nonce().await), (2, 2, 2));
    assert_eq!(scene.count(|event| matches!(event, Event::Requested { .. })), 2);
}

/// A log as a node would give it.
fn log(address: Address, block: u64, id: Word, request: &Request) -> Value {
    let (subject, zero) = (zkml_protocol::binding::address_word(&request.subject), Word::ZERO);
    let words = [
        request.sequence,
        request.deadline,
        request.action,
        request.data_commitment,
        Word::from_u64(160),
        zero,
    ];
    let data: String =
        words.iter().map(|word| word.to_string().trim_start_matches("0x").to_owned()).collect();
    json!({
        "address": address,
        "topics": [topic(INFERENCE_REQUESTED).to_string(), id.to_string(), subject.to_string()],
        "data": format!("0x{data}"),
        "blockNumber": format!("{block:#x}"),
        "blockHash": format!("0x{}", "ab".repeat(32)),
        "transactionHash": format!("0x{}", "cd".repeat(32)),
        "transactionIndex": "0x0",
        "logIndex": "0x0",
        "removed": false
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_lying_node_makes_up_is_neither_proven_nor_paid_for() {
    let scene = Scene::new(&[]).await;
    let proxy = Proxy::start(&scene.node.url()).await;
    let head = scene.rpc.block_number().await.unwrap();
    let commitment = zkml_protocol::keccak256([[].as_slice()]);
    let request =
        Request { deadline: Word::from_u64(FAR), data_commitment: commitment, ..Request::default() };
    let other = Request { sequence: Word::ONE, ..request };
    let lies = json!([
        log(scene.consumer, head, other.id(), &request),
        log(Address::repeat_byte(9), head, request.id(), &request),
        log(scene.consumer, head + 1_000, request.id(), &request),
        log(scene.consumer, head, request.id(), &request),
    ]);
    proxy.rule(
        move |method, _, number| {
            if method == "eth_getLogs" && number < 20 { Act::Answer(lies.clone()) } else { Act::Pass }
        },
    );
    let running = scene.start_at(&proxy.url(), Scene::options());
    scene.wait("the contract's word", |event| matches!(event, Event::Postponed { .. })).await;
    assert_eq!(scene.count(|event| matches!(event, Event::Ignored { .. })), 3, "the last one looks right");
    assert_eq!(scene.count(|event| matches!(event, Event::Requested { .. })), 1);
    running.stop().await;
    assert_eq!((scene.nonce().await, scene.prover.begun.load(Ordering::SeqCst)), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_has_one_service_and_one_owner() {
    if crate::scene::on_postgres() {
        // It is about files; the journal's own tests are about servers.
        return;
    }
    let scene = Scene::new(&[]).await;
    let running = scene.start(Scene::options());
    tokio::time::sleep(Duration::from_millis(100)).await;
    let second = open_journal(&scene.journal_file(), scene.consumer);
    assert!(matches!(second, Err(ServiceError::JournalInUse { .. })), "{second:?}");
    // Another name of the same file leads to the same lock.
    let alias = scene.folder.path().join("alias.sqlite");
    std::os::unix::fs::symlink(scene.journal_file(), &alias).unwrap();
    assert!(matches!(open_journal(&alias, scene.consumer), Err(ServiceError::JournalInUse { .. })));
    running.stop().await;
    let sender = Scene::account().address();
    let owner = Owner { chain_id: 31_337, consumer: scene.consumer, sender };
    for (what, other) in [
        ("chain", Owner { chain_id: 1, ..owner }),
        ("consumer", Owner { consumer: sender, ..owner }),
        ("sender", Owner { sender: scene.consumer, ..owner }),
    ] {
        let error = Journal::open(&scene.journal_file(), &other).unwrap_err();
        assert!(
            matches!(&error, ServiceError::OtherJournal { what: named, .. } if *named == what),
            "{error}"
        );
    }
    assert!(Journal::open(&scene.journal_file(), &owner).is_ok());
    let text = scene.folder.path().join("text");
    std::fs::write(&text, "this is no database, however long it may be made to be").unwrap();
    assert!(matches!(Journal::open(&text, &owner), Err(ServiceError::Journal { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_and_health_are_served() {
    let (metrics, end) = (Metrics::default(), CancellationToken::new());
    let health = Health::with_longest(Duration::from_millis(300));
    let any = "127.0.0.1:0".parse().unwrap();
    let address = serve(any, metrics.clone(), health, Status::default(), end.clone()).await.unwrap();
    let client = zkml_deploy::http::client().build().unwrap();
    let ask = |path: &str| client.get(format!("http://{address}{path}")).send();
    let get = |path: &'static str| async move {
        let answer = ask(path).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (status, text) = get("/metrics").await;
    assert!(status == 200 && text.contains("zkml_watch_requests{state=\"sent\"} 0"), "{text}");
    assert_eq!(get("/healthz").await.0, 200);
    assert_eq!(get("/nothing").await.0, 404);
    let page = ask("/").await.unwrap();
    let header = |name: &str| page.headers()[name].to_str().unwrap().to_owned();
    assert!(header("content-security-policy").starts_with("default-src 'none'"));
    assert!(header("content-type").starts_with("text/html") && header("cache-control") == "no-store");
    tokio::time::sleep(Duration::from_millis(400)).await;
    let (status, text) = get("/healthz").await;
    assert!(status == 503 && text.contains("since the start"), "{text}");
    let taken = serve(address, metrics, Health::new(Duration::ZERO), Status::default(), end.clone()).await;
    assert!(matches!(taken, Err(ServiceError::Listen { .. })), "{taken:?}");
    end.cancel();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(ask("/healthz").await.is_err());
}
