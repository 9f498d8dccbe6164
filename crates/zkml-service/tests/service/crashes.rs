//! A service that dies between any two steps, and one that starts after it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use zkml_deploy::transaction::Limits;
use zkml_service::Options;

use crate::{
    proxy::{Act, Proxy},
    scene::{FAR, Scene},
};

/// Whatever the service does lies between two requests to the node; so it is killed at each of them, once before the node
/// has seen the request and once after.
#[tokio::test(flavor = "multi_thread")]
async fn killed_anywhere_it_goes_on_and_pays_once() {
    let scene = Scene::new(&[]).await;
    let proxy = Proxy::start(&scene.node.url()).await;
    let limits = Limits { poll: Duration::from_millis(5), ..Scene::options().limits };
    let options = Options { limits, until_idle: true, ..Scene::options() };
    let (mut asked, mut kills) = (Vec::new(), 0);
    for last in [Act::Lose, Act::LoseAnswer] {
        let mut survived = false;
        for step in 0..200 {
            asked.extend(scene.ask(1, FAR).await);
            let hit = Arc::new(AtomicBool::new(false));
            let (told, act) = (Arc::clone(&hit), last.clone());
            proxy.rule(move |_, _, number| {
                if number < step {
                    return Act::Pass;
                }
                told.store(true, Ordering::SeqCst);
                if number == step { act.clone() } else { Act::Lose }
            });
            let mut running = scene.start_at(&proxy.url(), options.clone());
            while !hit.load(Ordering::SeqCst) && !running.task.is_finished() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            if running.task.is_finished() {
                (&mut running.task).await.unwrap().unwrap();
                survived = true;
                break;
            }
            running.kill().await;
            kills += 1;
            // Now and then the next one dies early as well.
            if step % 3 != 0 {
                proxy.rule(|_, _, _| Act::Pass);
                scene.serve(options.clone()).await;
            }
        }
        assert!(survived, "a run has fewer steps than that");
    }
    scene.serve(options).await;
    let fulfilments = scene.fulfilments().await;
    assert!(kills > 30, "{kills}");
    assert!(asked.iter().all(|id| fulfilments.get(id) == Some(&1)), "{fulfilments:?}");
    assert_eq!(scene.nonce().await, asked.len() as u64, "every transaction was of use");
    assert_eq!(scene.journal().offer_count().unwrap(), asked.len() as u64, "none was signed twice");
}
