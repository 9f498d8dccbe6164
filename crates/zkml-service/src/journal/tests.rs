//! What the journal never allows, and what it takes back.

use super::*;
#[path = "../../tests/server/mod.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
pub(crate) mod server;

use self::server::Server;
use crate::ServiceError;
use crate::{
    prover::Proven,
    seen::{Seen, What},
    store::DatabaseUrl,
};
use alloy::primitives::{B256, U256};
use rusqlite::Connection;
use std::collections::BTreeSet;
use zkml_deploy::{rpc::Fees, transaction::Signed};
use zkml_protocol::{
    Word,
    binding::{Request, Reward},
};

pub(crate) fn owner() -> Owner {
    Owner { chain_id: 1, consumer: Address::repeat_byte(1), sender: Address::repeat_byte(2) }
}

/// Where a journal is.
pub(crate) enum Place {
    File(tempfile::TempDir),
    Server(Box<DatabaseUrl>),
}

impl Place {
    pub(crate) fn file() -> Self {
        Self::File(tempfile::tempdir().unwrap())
    }

    pub(crate) fn server() -> Self {
        let server = Server::shared();
        let url = DatabaseUrl::parse(&server.url(&server.database())).unwrap();
        crate::migrate(&url, crate::LATEST).unwrap();
        Self::Server(Box::new(url))
    }

    pub(crate) fn open(&self) -> Journal {
        match self {
            Self::File(folder) => Journal::open(&folder.path().join("journal"), &owner()),
            Self::Server(url) => Journal::open_on(url, &owner()),
        }
        .unwrap()
    }
}

impl Journal {
    /// Opens so many requests, and returns their ids.
    pub(crate) fn with_requests(&mut self, number: u64) -> Vec<Word> {
        let asked: Vec<_> = (0..number).map(|sequence| at(5, asks(request(sequence), vec![]))).collect();
        self.read_up_to(&asked, (5, hash(5))).unwrap();
        (0..number).map(|sequence| request(sequence).id()).collect()
    }

    pub(crate) fn sql(&mut self, text: &str) {
        self.write(|sql| sql.batch(text)).unwrap();
    }

    /// No task waits for its next attempt.
    pub(crate) fn hurry(&mut self) {
        self.sql("UPDATE tasks SET next_try = 0");
    }

    /// A request's task was made so many milliseconds before.
    pub(crate) fn age(&mut self, request: &Word, milliseconds: u64) {
        let bytes = self.dialect.bytes(&request.0);
        self.sql(&format!("UPDATE tasks SET made_at = made_at - {milliseconds} WHERE request = {bytes}"));
    }
}

/// The same tests on each database.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[test] fn $name() { super::$name(&$crate::journal::tests::Place::file()) })*
        }
        mod postgres {
            $(
                #[test]
                #[ignore = "it takes a PostgreSQL server, and `make fleet` has one"]
                fn $name() { super::$name(&$crate::journal::tests::Place::server()) }
            )*
        }
    };
}
pub(crate) use on_both;

on_both! {
    one_transaction_waits_for_a_request_and_one_for_a_nonce,
    a_request_comes_back_with_its_proof,
    a_fulfilment_that_is_taken_back_waits_again,
    of_two_transactions_that_come_back_one_is_for_nothing,
    deadlines_are_numbers,
    what_was_not_looked_for_is_not_given_up,
    a_reward_is_kept_to_the_last_digit_and_earned_once,
    what_was_spent_is_kept_until_its_block_is_gone,
}

fn fresh() -> (tempfile::TempDir, Journal) {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&folder.path().join("journal"), &owner()).unwrap();
    (folder, journal)
}

fn request(sequence: u64) -> Request {
    Request { sequence: Word::from_u64(sequence), deadline: Word::from_u64(1_000), ..Request::default() }
}

fn at(block: u64, what: What) -> Seen {
    Seen { block, block_hash: hash(block), what }
}

/// A request without a reward.
fn asks(request: Request, input: Vec<u8>) -> What {
    What::Requested { id: request.id(), request, reward: None, input }
}

fn hash(block: u64) -> B256 {
    B256::from(Word::from_u64(block).0)
}

/// A request of block 5 with a proof.
fn with_proof(journal: &mut Journal) -> Word {
    let request = request(0);
    let asked = at(5, asks(request, vec![7; 32]));
    assert_eq!(journal.read_up_to(std::slice::from_ref(&asked), (5, hash(5))).unwrap().len(), 1);
    journal.proven(&request.id(), &Proven { output: vec![1], blob: vec![2] }).unwrap();
    request.id()
}

fn signed(nonce: u64, mark: u8) -> Signed {
    Signed {
        hash: B256::repeat_byte(mark),
        raw: vec![mark],
        nonce,
        fees: Fees { max: 9, priority: 1 },
        gas: 21_000,
    }
}

fn one_transaction_waits_for_a_request_and_one_for_a_nonce(place: &Place) {
    let mut journal = place.open();
    let id = with_proof(&mut journal);
    journal.begin(&id, &signed(3, 1), U256::ZERO).unwrap();
    assert!(journal.to_send(9).unwrap().is_empty(), "it waits already");
    assert!(journal.begin(&id, &signed(4, 2), U256::ZERO).is_err(), "a second one for the same request");
    let other = request(1);
    let asked = at(6, asks(other, vec![]));
    journal.read_up_to(&[asked], (6, hash(6))).unwrap();
    assert!(journal.begin(&other.id(), &signed(3, 3), U256::ZERO).is_err(), "a second one of the same nonce");
    assert_eq!(journal.live().unwrap().len(), 1);
    assert_eq!(journal.offer_count().unwrap(), 1, "what failed left nothing behind");
    // Once it is mined, another one could follow, should it have failed.
    let slot = journal.live().unwrap()[0].id;
    journal.mined(slot, 7, Some("OutOfGas"), U256::from(7)).unwrap();
    assert!(journal.begin(&other.id(), &signed(3, 4), U256::ZERO).is_err(), "the nonce is used");
    assert_eq!(journal.to_send(9).unwrap()[0].failures, 1);
    journal.begin(&id, &signed(4, 5), U256::ZERO).unwrap();
}

fn a_request_comes_back_with_its_proof(place: &Place) {
    let mut journal = place.open();
    let id = with_proof(&mut journal);
    assert_eq!(journal.forget_above(Some(4)).unwrap(), 1);
    assert_eq!(journal.request(&id).unwrap().unwrap().status, "orphaned");
    assert!(journal.to_send(9).unwrap().is_empty() && journal.idle().unwrap());
    let again = at(6, asks(request(0), vec![]));
    assert_eq!(journal.read_up_to(std::slice::from_ref(&again), (6, hash(6))).unwrap().len(), 1);
    assert!(journal.read_up_to(&[again], (6, hash(6))).unwrap().is_empty(), "a repetition is no news");
    assert_eq!(journal.to_send(9).unwrap()[0].id, id);
}

fn a_fulfilment_that_is_taken_back_waits_again(place: &Place) {
    let mut journal = place.open();
    let id = with_proof(&mut journal);
    journal.begin(&id, &signed(0, 1), U256::ZERO).unwrap();
    let slot = journal.live().unwrap()[0].id;
    journal.mined(slot, 8, None, U256::from(8)).unwrap();
    let fulfilled = at(8, What::Fulfilled { id, by: owner().sender });
    journal.read_up_to(&[fulfilled], (8, hash(8))).unwrap();
    assert!(journal.finish(7).unwrap().is_empty(), "not final yet");
    journal.forget_above(Some(7)).unwrap();
    assert_eq!(journal.live().unwrap()[0].nonce, 0, "the same transaction is sent again");
    assert_eq!(journal.top().unwrap(), Some((5, hash(5))));
    // The same when it had been final: it was not, after all.
    journal.mined(slot, 8, None, U256::from(8)).unwrap();
    let fulfilled = at(8, What::Fulfilled { id, by: owner().sender });
    journal.read_up_to(&[fulfilled], (8, hash(8))).unwrap();
    journal.settle(8).unwrap();
    assert_eq!(journal.finish(8).unwrap().len(), 1);
    assert!(journal.idle().unwrap());
    journal.forget_above(Some(7)).unwrap();
    assert_eq!(
        journal.to_prove(9, &BTreeSet::new()).unwrap()[0].id,
        id,
        "its proof was dropped, and is made again"
    );
}

fn of_two_transactions_that_come_back_one_is_for_nothing(place: &Place) {
    let mut journal = place.open();
    let id = with_proof(&mut journal);
    journal.begin(&id, &signed(0, 1), U256::ZERO).unwrap();
    let first = journal.live().unwrap()[0].id;
    journal.mined(first, 8, Some("it failed"), U256::from(9)).unwrap();
    journal.begin(&id, &signed(1, 2), U256::ZERO).unwrap();
    journal.forget_above(Some(7)).unwrap();
    let live = journal.live().unwrap();
    assert_eq!(live.len(), 2);
    assert_eq!((live[0].void, live[0].request), (true, None));
    assert_eq!((live[1].void, live[1].request), (false, Some(id)));
}

fn deadlines_are_numbers(place: &Place) {
    let mut journal = place.open();
    let mut far = [0; 32];
    far[3] = 1;
    let requests = [(0, Word::from_u64(255)), (1, Word::from_u64(256)), (2, Word(far))];
    let seen: Vec<Seen> = requests
        .iter()
        .map(|(sequence, deadline)| {
            let request = Request { deadline: *deadline, ..request(*sequence) };
            at(5, asks(request, vec![]))
        })
        .collect();
    journal.read_up_to(&seen, (5, hash(5))).unwrap();
    assert_eq!(journal.expire(6, 255).unwrap().len(), 0, "the last acceptable time is acceptable");
    assert_eq!(journal.expire(6, 256).unwrap().len(), 1);
    assert_eq!(journal.expire(6, 257).unwrap().len(), 1);
    assert_eq!(journal.expire(6, u64::MAX).unwrap().len(), 0);
    journal.forget_above(Some(5)).unwrap();
    assert_eq!(journal.to_prove(9, &BTreeSet::new()).unwrap().len(), 3, "time went back with the chain");
}

/// An input may come while the service is away, or busy: only what was just looked for is given up.
fn what_was_not_looked_for_is_not_given_up(place: &Place) {
    let mut journal = place.open();
    let asked = at(5, asks(request(0), vec![]));
    journal.read_up_to(&[asked], (5, hash(5))).unwrap();
    let id = request(0).id();
    let missing = |pause_ms| [Missing { id, pause_ms, what: "it is not there".to_owned() }];
    journal.wait_for_inputs(&missing(-1)).unwrap();
    assert_eq!(journal.give_up(0).unwrap().len(), 0, "its pause is over");
    journal.wait_for_inputs(&missing(60_000)).unwrap();
    assert_eq!(journal.give_up(60_000).unwrap().len(), 0, "it has not waited for long");
    assert_eq!(journal.give_up(0).unwrap().len(), 1);
}

/// A journal of the version before is read on.
#[test]
fn the_first_version_is_brought_up_to_date() {
    let (folder, mut journal) = fresh();
    let asked = at(5, asks(request(0), vec![]));
    journal.read_up_to(&[asked], (5, hash(5))).unwrap();
    drop(journal);
    let path = folder.path().join("journal");
    let first = Connection::open(&path).unwrap();
    first
        .execute_batch(
            "DROP INDEX requests_by_begin; DROP INDEX slots_by_time; DROP TABLE tasks; DROP TABLE workers; DROP TABLE orders; DROP TABLE duties; DROP TABLE results",
        )
        .unwrap();
    for column in ["seen_at", "missing", "begun_at", "reward"] {
        first.execute_batch(&format!("ALTER TABLE requests DROP COLUMN {column}")).unwrap();
    }
    for column in ["cost", "mined_at", "publication"] {
        first.execute_batch(&format!("ALTER TABLE slots DROP COLUMN {column}")).unwrap();
    }
    first.pragma_update(None, "user_version", 1).unwrap();
    drop(first);
    let mut journal = Journal::open(&path, &owner()).unwrap();
    assert_eq!(journal.to_prove(9, &BTreeSet::new()).unwrap().len(), 1);
    assert_eq!(journal.give_up(60_000).unwrap().len(), 0, "its wait begins now");
    assert_eq!(journal.spent_since(0).unwrap(), U256::ZERO);
}

/// Tasks of the version before are sealed for nobody, and its workers open nothing.
#[test]
fn the_sixth_version_is_brought_up_to_date() {
    let (folder, mut journal) = fresh();
    journal.sql("INSERT INTO workers (name, memory, warm, seen_at) VALUES ('w', 1, '', 0)");
    drop(journal);
    let path = folder.path().join("journal");
    let sixth = Connection::open(&path).unwrap();
    sixth
        .execute_batch("ALTER TABLE tasks DROP COLUMN sealed_for; ALTER TABLE workers DROP COLUMN opens; DROP TABLE orders")
        .unwrap();
    sixth.pragma_update(None, "user_version", 6).unwrap();
    drop(sixth);
    let journal = Journal::open(&path, &owner()).unwrap();
    assert_eq!(journal.queue().lease("w", std::time::Duration::from_secs(1)).unwrap(), None);
    drop(journal);
    let version: i64 =
        Connection::open(&path).unwrap().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 7);
}

/// Slots that the version before wrote have no price of publication.
#[test]
fn the_fourth_version_is_brought_up_to_date() {
    let (folder, mut journal) = fresh();
    let id = with_proof(&mut journal);
    journal.begin(&id, &signed(0, 1), U256::from(5)).unwrap();
    let slot = journal.live().unwrap().remove(0);
    assert_eq!((slot.publication, slot.worst()), (U256::from(5), U256::from(9 * 21_000 + 5)));
    drop(journal);
    let path = folder.path().join("journal");
    let fourth = Connection::open(&path).unwrap();
    fourth
        .execute_batch("ALTER TABLE slots DROP COLUMN publication; DROP TABLE tasks; DROP TABLE workers; DROP TABLE orders; DROP TABLE duties; DROP TABLE results")
        .unwrap();
    fourth.pragma_update(None, "user_version", 4).unwrap();
    drop(fourth);
    let journal = Journal::open(&path, &owner()).unwrap();
    assert_eq!(journal.live().unwrap()[0].worst(), U256::from(9 * 21_000));
    drop(journal);
    // A number that somebody has made unreadable is too much, not nothing.
    Connection::open(&path).unwrap().execute("UPDATE slots SET publication = 'x'", []).unwrap();
    assert_eq!(Journal::open(&path, &owner()).unwrap().live().unwrap()[0].worst(), U256::MAX);
}

fn what_was_spent_is_kept_until_its_block_is_gone(place: &Place) {
    let mut journal = place.open();
    let id = with_proof(&mut journal);
    journal.begin(&id, &signed(0, 1), U256::ZERO).unwrap();
    let slot = journal.live().unwrap().remove(0);
    assert_eq!(slot.worst(), U256::from(9 * 21_000), "by its dearest offer");
    // An empty transaction takes less gas, and the first one may still be mined.
    journal.offer_more(slot.id, &Signed { gas: 5, ..signed(0, 2) }, true).unwrap();
    assert_eq!(journal.live().unwrap()[0].worst(), slot.worst());
    let before = now_ms() - 1;
    journal.mined(slot.id, 8, None, U256::from(123)).unwrap();
    journal.settle(7).unwrap();
    drop(journal);
    let mut journal = place.open();
    assert_eq!(journal.spent_since(before).unwrap(), U256::from(123));
    assert_eq!(journal.spent_since(now_ms() + 1).unwrap(), U256::ZERO);
    journal.forget_above(Some(7)).unwrap();
    assert_eq!((journal.spent_since(0).unwrap(), journal.live().unwrap().len()), (U256::ZERO, 1));
}

#[test]
fn other_files_are_refused() {
    let (folder, journal) = fresh();
    drop(journal);
    let path = folder.path().join("journal");
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = Journal::open(&path, &owner()).unwrap_err().to_string();
    assert!(error.contains("its version is 99"), "{error}");
    let other = folder.path().join("other");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    let error = Journal::open(&other, &owner()).unwrap_err().to_string();
    assert!(error.contains("something else"), "{error}");
}

fn reward() -> Reward {
    let amount = Word([0xff; 32]);
    Reward { payer: [7; 20], asset: [8; 20], amount, callback_gas: u64::MAX, confirmations: u32::MAX }
}

/// The id covers the reward, so what is kept of it is kept exactly.
fn a_reward_is_kept_to_the_last_digit_and_earned_once(place: &Place) {
    let mut journal = place.open();
    let (us, them) = (Address::repeat_byte(2), Address::repeat_byte(3));
    let ids = [0, 1].map(|sequence| reward().id(&request(sequence)));
    let asked = ids.iter().zip([0, 1]).map(|(id, sequence)| {
        let what =
            What::Requested { id: *id, request: request(sequence), reward: Some(reward()), input: vec![] };
        at(5, what)
    });
    journal.read_up_to(&asked.collect::<Vec<_>>(), (5, hash(5))).unwrap();
    assert_eq!(journal.request(&ids[0]).unwrap().unwrap().reward, Some(reward()));
    assert!(journal.earned(us).unwrap().is_empty());
    let closed = [(ids[0], us), (ids[1], them)].map(|(id, by)| at(6, What::Fulfilled { id, by }));
    journal.read_up_to(&closed, (6, hash(6))).unwrap();
    let sum = std::collections::BTreeMap::from([(Address::repeat_byte(8), U256::MAX)]);
    assert_eq!(journal.earned(us).unwrap(), sum);
    journal.finish(6).unwrap();
    assert_eq!(journal.earned(us).unwrap(), sum, "what is final still counts");
    journal.forget_above(Some(5)).unwrap();
    assert!(journal.earned(us).unwrap().is_empty(), "the block that paid is gone");
}

#[test]
fn what_is_no_reward_is_an_error_and_no_panic() {
    let (folder, mut journal) = fresh();
    let id = with_proof(&mut journal);
    drop(journal);
    let path = folder.path().join("journal");
    let sql = Connection::open(&path).unwrap();
    assert!(sql.execute("UPDATE requests SET reward = x'00'", []).is_err(), "it is five words");
    // A callback gas beyond its type.
    sql.execute("UPDATE requests SET reward = ?1", [[[0xff; 32]; 5].concat()]).unwrap();
    drop(sql);
    let journal = Journal::open(&path, &owner()).unwrap();
    assert!(matches!(journal.request(&id), Err(ServiceError::Journal { .. })));
}

#[test]
#[ignore = "it takes a PostgreSQL server, and `make fleet` has one"]
fn a_postgres_that_was_killed_is_found_again_with_all_that_was_written() {
    let mut server = Server::start();
    let url = DatabaseUrl::parse(&server.url(&server.database())).unwrap();
    crate::migrate(&url, crate::LATEST).unwrap();
    let mut journal = Journal::open_on(&url, &owner()).unwrap();
    let id = with_proof(&mut journal);
    server.kill_and_start();
    // A question may find the broken connection; the next one makes another.
    let sent = journal.to_send(9).or_else(|error| {
        assert!(matches!(error, ServiceError::JournalAway { .. }), "{error:?}");
        journal.to_send(9)
    });
    assert_eq!(sent.unwrap()[0].id, id);
    let second = Journal::open_on(&url, &owner());
    assert!(matches!(second, Err(ServiceError::JournalInUse { .. })), "it is held again: {second:?}");
    let error = second.unwrap_err().to_string();
    assert!(error.contains("journal_1_0101"), "{error}");
    drop(journal);
    let other = Owner { sender: Address::repeat_byte(3), ..owner() };
    assert!(matches!(Journal::open_on(&url, &other), Err(ServiceError::OtherJournal { what: "sender", .. })));
}

/// Two that count nonces of one account would replace each other's transactions.
#[test]
#[ignore = "it takes a PostgreSQL server, and `make fleet` has one"]
fn an_account_has_one_journal_at_a_time_on_postgres() {
    let place = Place::server();
    let Place::Server(url) = &place else { return };
    let first = place.open();
    let other = Owner { consumer: Address::repeat_byte(9), ..owner() };
    let refused = Journal::open_on(url, &other).unwrap_err();
    assert!(matches!(refused, ServiceError::JournalInUse { .. }), "{refused:?}");
    assert!(refused.to_string().contains("from the same account"), "{refused}");
    Journal::open_on(url, &Owner { chain_id: 2, ..other }).unwrap();
    let stranger = Owner { consumer: Address::repeat_byte(8), sender: Address::repeat_byte(3), ..other };
    Journal::open_on(url, &stranger).unwrap();
    drop(first);
    Journal::open_on(url, &other).unwrap();
}

/// Two connections of one owner, as after a partition: only the one that has the lock writes.
#[test]
#[ignore = "it takes a PostgreSQL server, and `make fleet` has one"]
fn of_two_services_one_holds_a_journal_on_postgres() {
    let place = Place::server();
    let Place::Server(url) = &place else { return };
    let mut first = place.open();
    let id = with_proof(&mut first);
    // The server ends the first one's session; another service takes over before it notices.
    let server = Server::shared();
    let database = url.to_string().split(' ').next().unwrap().to_owned();
    let others = "datname = current_database() AND pid <> pg_backend_pid()";
    server.ask(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"), &database);
    let second = place.open();
    for _ in 0..2 {
        let begun = first.begin(&id, &signed(0, 1), U256::ZERO);
        assert!(matches!(begun, Err(ServiceError::JournalAway { .. })), "the other one has it: {begun:?}");
    }
    assert_eq!(second.offer_count().unwrap(), 0);
}
