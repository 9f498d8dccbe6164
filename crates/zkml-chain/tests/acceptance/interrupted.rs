//! A command that is killed when its transaction is on its way: the next one finds it, and sets no second bond aside.

use std::{fs, time::Duration};

use crate::{
    anvil,
    place::{POSTER, POSTERS_KEY, Place},
    support::Folder,
};
use serde_json::json;
use zkml_contracts::{acceptance::RESULT_POSTED, requests::topic};
use zkml_deploy::B256;

#[tokio::test(flavor = "multi_thread")]
async fn the_next_run_finds_what_the_first_has_sent() {
    let place = Place::new(Folder::new()).await;
    let poster = POSTER.parse().unwrap();
    let before = place.rpc.nonce(poster).await.unwrap();
    place.rpc.raw("evm_setAutomine", json!([false])).await.unwrap();
    let terms = place.terms("optimistic");
    let terms: Vec<&str> = terms.iter().map(String::as_str).collect();
    let mut first = place.start(POSTERS_KEY, "accept", &terms);
    while place.rpc.pending_nonce(poster).await.unwrap() == before {
        assert!(first.try_wait().unwrap().is_none(), "it has ended");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(waiting(&place), 1, "it was written down before a node saw it");
    // It is mined while nobody looks, and time goes on: the same command would choose a later deadline.
    anvil::mine(&place.rpc, 1).await;
    place.rpc.raw("evm_setAutomine", json!([true])).await.unwrap();
    place.wait(60).await;
    let id = place.post("optimistic", &[]);
    let posted = place.find(&id).await;
    assert_eq!(posted.id.to_string(), id);
    let record = place.folder.path(&format!("results/31337-{id}.json"));
    assert!(record.is_file(), "what was posted is on the disk");
    assert_eq!((waiting(&place), place.rpc.nonce(poster).await.unwrap()), (0, before + 1));
    let last = place.rpc.block_number().await.unwrap();
    let topics = [B256::from(topic(RESULT_POSTED).0)];
    assert_eq!(place.rpc.logs(place.consumer, &topics, 0, last).await.unwrap().len(), 1, "one bond");
    // Another one is another result.
    place.post("optimistic", &[]);
    assert_eq!(place.rpc.nonce(poster).await.unwrap(), before + 2);
}

/// Number of transactions that a command has sent and not seen become final.
fn waiting(place: &Place) -> usize {
    let files = fs::read_dir(place.folder.path("results")).unwrap();
    files.filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().ends_with(".sent.json")).count()
}
