//! Whose requests are served, and how many of each.

use std::{collections::BTreeSet, time::Duration};

use zkml_protocol::Word;
use zkml_service::{Event, Health, Options, Serving};

use crate::scene::{ASKER, FAR, STRANGER, Scene, ask_data, ids, transact};

fn options(serving: Serving) -> Options {
    Options { serving, ..Scene::options() }
}

fn only(subject: &str) -> Serving {
    Serving { subjects: Some(BTreeSet::from([subject.parse().unwrap()])), ..Serving::default() }
}

async fn stranger_asks(scene: &Scene, count: u64) -> Vec<Word> {
    ids(&transact(&scene.rpc, STRANGER, Some(scene.consumer), &ask_data(count, FAR)).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_subjects_that_are_named_are_served() {
    let scene = Scene::new(&[]).await;
    let (asked, strange) = (scene.ask(1, FAR).await[0], stranger_asks(&scene, 3).await);
    let summary = scene.serve(options(only(ASKER))).await;
    assert_eq!(summary.requests, [("done".to_owned(), 1), ("refused".to_owned(), 3)]);
    assert_eq!((summary.proofs, scene.fulfilments().await[&asked], scene.nonce().await), (1, 1, 1));
    for id in &strange {
        let reason = scene.entry(*id).reason.unwrap();
        assert_eq!(reason, "its subject is not among those that are served");
    }
    // Health and figures count them; who is named later is served.
    let health = Health::new(Duration::from_secs(60));
    let running = scene.start_with(health.clone(), options(only(ASKER)));
    tokio::time::sleep(Duration::from_millis(400)).await;
    let report = health.report().1.to_string();
    assert!(report.contains("3 requests of subjects that are not served were refused"), "{report}");
    assert!(scene.metrics().contains("zkml_watch_not_served{reason=\"subject\"} 3"), "{}", scene.metrics());
    running.stop().await;
    scene.serve(options(only(STRANGER))).await;
    assert_eq!((scene.fulfilments().await.len(), scene.nonce().await), (4, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_holds_one_subject_and_no_other() {
    for (name, window, serving) in [
        ("quota-hour", "an hour", Serving { hourly: Some(2), ..Serving::default() }),
        ("quota-day", "a day", Serving { daily: Some(2), ..Serving::default() }),
    ] {
        let scene = Scene::new(&[]).await;
        scene.ask(5, FAR).await;
        let strange = stranger_asks(&scene, 1).await[0];
        let health = Health::new(Duration::from_secs(60));
        let running = scene.start_with(health.clone(), options(serving.clone()));
        scene.wait("stranger", |event| *event == Event::Done { request: strange, earned: None }).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let (report, figures) = (health.report().1.to_string(), scene.metrics());
        running.stop().await;
        assert_eq!((scene.fulfilments().await.len(), scene.nonce().await), (3, 3), "{name}");
        let text = format!("3 requests wait, since their subjects have had 2 within {window}");
        assert!(report.contains(&text), "{report}");
        assert!(figures.contains(&format!("zkml_watch_not_served{{reason=\"{name}\"}} 3")), "{figures}");
        // A restart forgets nothing; a larger quota has room.
        let running = scene.start(options(serving));
        tokio::time::sleep(Duration::from_millis(500)).await;
        running.stop().await;
        assert_eq!(scene.nonce().await, 3, "{name}");
        scene.serve(options(Serving { hourly: Some(5), ..Serving::default() })).await;
        assert_eq!(scene.nonce().await, 6, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_that_is_tried_again_counts_once() {
    let scene = Scene::new(&[]).await;
    scene.ask(2, FAR).await;
    let failure = zkml_service::ProveFailure::Later("not now".to_owned());
    *scene.prover.failures.lock().unwrap() = vec![failure; 3];
    scene.serve(options(Serving { hourly: Some(2), daily: Some(2), ..Serving::default() })).await;
    assert_eq!(scene.nonce().await, 2);
}
