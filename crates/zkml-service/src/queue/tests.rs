//! Leases: whose result counts, and when.

use std::{thread::sleep, time::Duration};

use super::*;
use crate::{
    Journal, ServiceError,
    journal::{
        Made,
        tests::{Place, on_both, owner},
    },
    prover::Proven,
};

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(30);

fn task(request: Word) -> NewTask {
    NewTask {
        request,
        statement: Word::from_u64(1),
        part: 0,
        parts: 0,
        program: "aa".repeat(32),
        memory: 1_000,
        sealed_for: String::new(),
        job: b"job".to_vec(),
        deadline: i64::MAX,
        reward_rank: 0,
        most: 3,
    }
}

/// A journal with so many open requests, a queue, and a worker that has been heard of.
fn scene(place: &Place, requests: u64) -> (Journal, Queue, Vec<Word>) {
    let mut journal = place.open();
    let ids = journal.with_requests(requests);
    let queue = journal.queue();
    assert!(!queue.greet(&card("w", 1_000, &[])).unwrap());
    (journal, queue, ids)
}

fn card(name: &str, memory: u64, warm: &[&str]) -> WorkerCard {
    let warm = warm.iter().map(|digest| digest.repeat(32)).collect();
    WorkerCard { name: name.to_owned(), memory, warm, opens: String::new() }
}

fn proven() -> Proven {
    Proven { output: vec![1], blob: vec![2] }
}

fn states(journal: &Journal) -> Vec<(String, u64)> {
    journal.backlog().unwrap().states
}

fn state(name: &str, count: u64) -> Vec<(String, u64)> {
    vec![(name.to_owned(), count)]
}

on_both! {
    a_result_counts_while_its_lease_does,
    what_a_worker_says_has_bounds,
    what_a_worker_left_goes_to_another_and_is_dead_in_the_end,
    a_result_that_is_taken_ends_the_task_and_keeps_the_proof,
    a_failure_waits_longer_each_time_and_one_for_good_is_dead,
    what_pays_more_or_is_due_comes_first_and_fits,
    a_warm_program_comes_first_and_a_cold_one_does_not_starve,
    eight_parts_survive_the_loss_of_any_worker,
    tasks_of_requests_that_are_over_leave_the_queue,
    a_draining_worker_takes_nothing,
    a_worker_that_comes_while_all_drain_takes_nothing,
    what_is_sealed_goes_to_whoever_opens_it,
    tasks_that_no_worker_can_take_are_counted,
    what_is_sealed_for_an_old_key_is_packed_anew,
}

fn a_result_counts_while_its_lease_does(place: &Place) {
    let (mut journal, queue, ids) = scene(place, 1);
    journal.enqueue(&[task(ids[0])]).unwrap();
    journal.enqueue(&[task(ids[0])]).unwrap();
    assert_eq!(states(&journal), state("ready", 1), "one task for a statement");
    let lease = queue.lease("w", LONG).unwrap().unwrap();
    assert_eq!((lease.request, lease.attempts, lease.job.as_slice()), (ids[0], 1, b"job".as_slice()));
    assert!(queue.lease("w", LONG).unwrap().is_none(), "it is leased");
    let forged = Lease { token: lease.token ^ 1, ..lease.clone() };
    assert!(!queue.beat(&forged, LONG).unwrap() && !queue.complete(&forged, b"x").unwrap());
    assert!(!queue.release(&forged).unwrap() && queue.parts(&forged).unwrap().is_empty());
    assert!(!queue.fail(&forged, &ProveFailure::Permanent("no".into())).unwrap());
    assert!(queue.beat(&lease, LONG).unwrap());
    assert!(queue.complete(&lease, b"result").unwrap());
    assert!(
        queue.complete(&lease, b"another").unwrap(),
        "whoever does not know that it was taken asks again"
    );
    assert_eq!(journal.made(9).unwrap()[0].result, b"result", "and changes nothing");
    assert!(!queue.beat(&lease, LONG).unwrap() && !queue.release(&lease).unwrap(), "it is over");
}

/// Whoever has a worker's role alone cannot hold tasks for ever, nor fill the owner's memory.
fn what_a_worker_says_has_bounds(place: &Place) {
    let (mut journal, queue, ids) = scene(place, 2);
    journal.enqueue(&[task(ids[0]), task(ids[1])]).unwrap();
    let for_ever = Duration::from_millis(u64::MAX);
    let lease = queue.lease("w", for_ever).unwrap().unwrap();
    assert!(queue.beat(&lease, for_ever).unwrap());
    journal.sql("UPDATE tasks SET lease_until = lease_until - 3600001 WHERE state = 'leased'");
    assert!(!queue.beat(&lease, LONG).unwrap(), "an hour is the longest");
    let lease = queue.lease("w", LONG).unwrap().unwrap();
    assert!(!queue.complete(&lease, &vec![0; (4 << 20) + 1]).unwrap(), "more than any proof has");
    assert!(queue.fail(&lease, &ProveFailure::Permanent("x".repeat(5_000))).unwrap());
    assert_eq!(journal.give_up_dead().unwrap()[0].1.len(), 1_000);
    let long = card(&"n".repeat(65), 1_000, &[]);
    queue.greet(&long).unwrap();
    assert_eq!(journal.backlog().unwrap().workers, 1, "a name of 65 letters is none");
}

fn what_a_worker_left_goes_to_another_and_is_dead_in_the_end(place: &Place) {
    let (mut journal, queue, ids) = scene(place, 1);
    journal.enqueue(&[task(ids[0])]).unwrap();
    let first = queue.lease("w", SHORT).unwrap().unwrap();
    sleep(SHORT * 2);
    assert!(!queue.complete(&first, b"late").unwrap(), "its time is over, even if nobody else has it yet");
    assert!(!queue.beat(&first, LONG).unwrap());
    let made = journal.made(9).unwrap();
    assert!(made.is_empty());
    assert_eq!(states(&journal), state("ready", 1));
    journal.hurry();
    let second = queue.lease("w", LONG).unwrap().unwrap();
    assert_eq!(second.attempts, 2);
    assert!(!queue.complete(&first, b"late").unwrap() && !queue.release(&first).unwrap(), "a stale lease");
    assert!(!queue.fail(&first, &ProveFailure::Permanent("late".into())).unwrap());
    assert!(queue.release(&second).unwrap(), "given back, it does not count");
    for _ in 0..2 {
        journal.hurry();
        assert!(queue.lease("w", SHORT).unwrap().is_some());
        sleep(SHORT * 2);
        journal.made(9).unwrap();
    }
    assert_eq!(states(&journal), state("dead", 1), "what ends three workers is not given to a fourth");
    assert_eq!(journal.give_up_dead().unwrap(), [(ids[0], "its worker w vanished".to_owned())]);
}

fn a_result_that_is_taken_ends_the_task_and_keeps_the_proof(place: &Place) {
    let (mut journal, queue, ids) = scene(place, 1);
    journal.enqueue(&[task(ids[0])]).unwrap();
    let lease = queue.lease("w", LONG).unwrap().unwrap();
    queue.complete(&lease, b"bad").unwrap();
    let made: Vec<Made> = journal.made(9).unwrap();
    journal.reject(&made[0], "it is none").unwrap();
    assert!(!queue.complete(&lease, b"bad").unwrap(), "the same again does not count");
    let lease = queue.lease("w", LONG).unwrap().unwrap();
    queue.complete(&lease, b"good").unwrap();
    let made = journal.made(9).unwrap();
    assert_eq!((made[0].request, made[0].worker.as_str()), (ids[0], "w"));
    journal.take(&made[0], &proven()).unwrap();
    assert!(states(&journal).is_empty() && journal.made(9).unwrap().is_empty());
    assert_eq!(journal.request(&ids[0]).unwrap().unwrap().proof, Some(proven()));
    assert!(!queue.complete(&lease, b"good").unwrap(), "nothing waits for it any more");
}

fn a_failure_waits_longer_each_time_and_one_for_good_is_dead(place: &Place) {
    let (mut journal, queue, ids) = scene(place, 2);
    journal.enqueue(&[task(ids[0])]).unwrap();
    let lease = queue.lease("w", LONG).unwrap().unwrap();
    assert!(queue.fail(&lease, &ProveFailure::Later("no memory".into())).unwrap());
    assert!(queue.lease("w", LONG).unwrap().is_none(), "it waits");
    journal.hurry();
    let lease = queue.lease("w", LONG).unwrap().unwrap();
    assert!(queue.fail(&lease, &ProveFailure::Permanent("out of range".into())).unwrap());
    assert_eq!(journal.give_up_dead().unwrap(), [(ids[0], "out of range".to_owned())]);
    let refused = journal.request(&ids[0]).unwrap().unwrap();
    assert_eq!((refused.status.as_str(), refused.reason.as_deref()), ("refused", Some("out of range")));
    assert!(journal.give_up_dead().unwrap().is_empty(), "said once");
    assert_eq!(journal.cancel_tasks().unwrap(), 0, "a person may try it again");
}

fn what_pays_more_or_is_due_comes_first_and_fits(place: &Place) {
    let (mut journal, queue, ids) = scene(place, 4);
    let soon = crate::journal::now_ms() + 60_000;
    let tasks = [
        task(ids[0]),
        NewTask { reward_rank: 60, ..task(ids[1]) },
        NewTask { deadline: soon, ..task(ids[2]) },
        NewTask { reward_rank: 99, memory: 1_001, ..task(ids[3]) },
    ];
    journal.enqueue(&tasks).unwrap();
    let order: Vec<Word> =
        std::iter::from_fn(|| queue.lease("w", LONG).unwrap().map(|lease| lease.request)).collect();
    assert_eq!(order, [ids[2], ids[1], ids[0]], "what does not fit is left");
    queue.greet(&card("big", 2_000, &[])).unwrap();
    assert_eq!(queue.lease("big", LONG).unwrap().unwrap().request, ids[3]);
    assert!(queue.lease("unknown", LONG).unwrap().is_none(), "whoever has not said what fits gets nothing");
}

fn a_warm_program_comes_first_and_a_cold_one_does_not_starve(place: &Place) {
    let (mut journal, queue, ids) = scene(place, 3);
    let other = |id| NewTask { program: "bb".repeat(32), ..task(id) };
    journal.enqueue(&[task(ids[0]), other(ids[1]), other(ids[2])]).unwrap();
    queue.greet(&card("w", 1_000, &["bb", "cc"])).unwrap();
    assert_eq!(queue.lease("w", LONG).unwrap().unwrap().request, ids[1]);
    journal.age(&ids[0], 11_000);
    assert_eq!(
        queue.lease("w", LONG).unwrap().unwrap().request,
        ids[0],
        "it has waited for longer than warmth is worth"
    );
    assert_eq!(queue.lease("w", LONG).unwrap().unwrap().request, ids[2]);
}

fn eight_parts_survive_the_loss_of_any_worker(place: &Place) {
    let (mut journal, queue, ids) = scene(place, 1);
    let part = |part| NewTask { part, parts: if part == 0 { 8 } else { 0 }, most: 9, ..task(ids[0]) };
    journal.enqueue(&(0..=8).map(part).collect::<Vec<_>>()).unwrap();
    // The worker of every part is lost once, and that of the last step as well.
    for _ in 1..=8 {
        let lost = queue.lease("w", SHORT).unwrap().unwrap();
        assert!(lost.part > 0, "there is nothing to combine yet");
    }
    sleep(SHORT * 3);
    journal.made(9).unwrap();
    journal.hurry();
    for _ in 1..=8 {
        let lease = queue.lease("w", LONG).unwrap().unwrap();
        assert_eq!(lease.attempts, 2);
        let done = u8::try_from(lease.part).unwrap();
        assert!(queue.complete(&lease, &[done]).unwrap());
    }
    let lost = queue.lease("w", SHORT).unwrap().unwrap();
    assert_eq!((lost.part, queue.parts(&lost).unwrap().len()), (0, 8));
    sleep(SHORT * 3);
    assert!(queue.parts(&lost).unwrap().is_empty(), "results are for whoever has the task");
    journal.made(9).unwrap();
    journal.hurry();
    let whole = queue.lease("w", LONG).unwrap().unwrap();
    assert_eq!((whole.part, whole.attempts), (0, 2));
    assert_eq!(queue.parts(&whole).unwrap(), (1..=8).map(|part| vec![part]).collect::<Vec<_>>());
    queue.complete(&whole, b"all").unwrap();
    let made = journal.made(9).unwrap();
    journal.take(&made[0], &proven()).unwrap();
    assert!(states(&journal).is_empty(), "parts go with the whole");
}

fn tasks_of_requests_that_are_over_leave_the_queue(place: &Place) {
    let (mut journal, queue, ids) = scene(place, 2);
    journal.enqueue(&[task(ids[0]), task(ids[1])]).unwrap();
    let lease = queue.lease("w", LONG).unwrap().unwrap();
    assert_eq!(lease.request, ids[0]);
    journal.expire_one(&ids[0], 9).unwrap();
    assert_eq!(journal.cancel_tasks().unwrap(), 1);
    assert!(!queue.beat(&lease, LONG).unwrap() && !queue.complete(&lease, b"x").unwrap());
    assert_eq!(states(&journal), state("ready", 1));
    assert!(
        journal.to_prove(9, &std::collections::BTreeSet::new()).unwrap().is_empty(),
        "what has a task needs no other"
    );
}

fn a_draining_worker_takes_nothing(place: &Place) {
    let (mut journal, queue, ids) = scene(place, 1);
    journal.enqueue(&[task(ids[0])]).unwrap();
    journal.sql("UPDATE workers SET draining = 1");
    assert!(queue.greet(&card("w", 1_000, &[])).unwrap());
    assert!(queue.lease("w", LONG).unwrap().is_none());
    queue.greet(&card("v", 1_000, &[])).unwrap();
    assert!(queue.lease("v", LONG).unwrap().is_some());
}

fn a_worker_that_comes_while_all_drain_takes_nothing(place: &Place) {
    let (mut journal, queue, ids) = scene(place, 1);
    journal.enqueue(&[task(ids[0])]).unwrap();
    journal.sql("UPDATE orders SET draining = 1");
    assert!(queue.greet(&card("later", 1_000, &[])).unwrap());
    assert!(queue.lease("later", LONG).unwrap().is_none());
    assert!(!queue.greet(&card("w", 1_000, &[])).unwrap(), "who was there is told by name");
}

fn what_is_sealed_goes_to_whoever_opens_it(place: &Place) {
    let (mut journal, queue, ids) = scene(place, 2);
    let (ours, others) = ("ab".repeat(32), "cd".repeat(32));
    journal.enqueue(&[NewTask { sealed_for: ours.clone(), ..task(ids[0]) }, task(ids[1])]).unwrap();
    queue.greet(&WorkerCard { opens: others, ..card("stranger", 1_000, &[]) }).unwrap();
    assert_eq!(queue.lease("stranger", LONG).unwrap().unwrap().request, ids[1], "that is for everybody");
    assert!(queue.lease("w", LONG).unwrap().is_none() && queue.lease("stranger", LONG).unwrap().is_none());
    queue.greet(&WorkerCard { opens: ours, ..card("w", 1_000, &[]) }).unwrap();
    let lease = queue.lease("w", LONG).unwrap().unwrap();
    assert_eq!((lease.request, lease.attempts), (ids[0], 1), "nobody's attempt was wasted on it");
}

fn tasks_that_no_worker_can_take_are_counted(place: &Place) {
    let (mut journal, queue, ids) = scene(place, 3);
    let seen = |journal: &Journal| journal.backlog().unwrap().unplaced;
    journal
        .enqueue(&[NewTask { memory: 1_001, ..task(ids[0]) }, NewTask { memory: 2_000, ..task(ids[1]) }])
        .unwrap();
    journal.enqueue(&[NewTask { sealed_for: "ab".repeat(32), ..task(ids[2]) }]).unwrap();
    let found = seen(&journal);
    assert_eq!(found, Unplaced { tasks: 3, too_large: 2, memory: 2_000, sealed: 1 });
    let text = found.to_string();
    assert!(text.contains("2 tasks take more memory") && text.contains("up to 2000 bytes"), "{text}");
    assert!(text.contains("1 tasks are sealed") && text.contains("--identity"), "{text}");
    queue.greet(&WorkerCard { opens: "ab".repeat(32), ..card("large", 1_500, &[]) }).unwrap();
    assert_eq!(seen(&journal), Unplaced { tasks: 1, too_large: 1, memory: 2_000, sealed: 0 });
    queue.greet(&card("larger", 2_000, &[])).unwrap();
    assert_eq!((seen(&journal), seen(&journal).to_string()), (Unplaced::default(), String::new()));
    // One has the memory, another the key.
    journal.sql("UPDATE tasks SET memory = 1800 WHERE sealed_for <> ''");
    let found = seen(&journal);
    assert_eq!(found, Unplaced { tasks: 1, ..Unplaced::default() });
    assert!(found.to_string().contains("different ones"), "{found}");
    journal.sql("UPDATE workers SET seen_at = seen_at - 61000");
    assert_eq!(seen(&journal), Unplaced::default(), "that nobody is there is another trouble");
}

fn what_is_sealed_for_an_old_key_is_packed_anew(place: &Place) {
    let (mut journal, queue, ids) = scene(place, 3);
    let sealed = |id, key: &str| NewTask { sealed_for: key.repeat(32), ..task(id) };
    journal.enqueue(&[sealed(ids[0], "ab"), sealed(ids[1], "cd"), task(ids[2])]).unwrap();
    let wanted = |journal: &Journal| journal.to_prove(9, &std::collections::BTreeSet::new()).unwrap();
    assert!(wanted(&journal).is_empty());
    assert_eq!(journal.unseal(&"cd".repeat(32)).unwrap(), 1);
    assert_eq!(wanted(&journal).iter().map(|entry| entry.id).collect::<Vec<_>>(), [ids[0]]);
    assert_eq!(queue.lease("w", LONG).unwrap().unwrap().request, ids[2]);
}

mod on_postgres {
    use super::*;
    use crate::{DatabaseUrl, journal::tests::server::Server, queue::migrations::migrate};

    fn fresh() -> (&'static Server, String, DatabaseUrl) {
        let server = Server::shared();
        let database = server.database();
        let url = DatabaseUrl::parse(&server.url(&database)).unwrap();
        (server, database, url)
    }

    #[test]
    #[ignore = "it takes a PostgreSQL server, and `make fleet` has one"]
    fn versions_go_forward_and_back() {
        let (server, database, url) = fresh();
        assert!(matches!(status(&url), Err(ServiceError::QueueVersion { found: 0, .. })));
        assert!(matches!(Journal::open_on(&url, &owner()), Err(ServiceError::QueueVersion { found: 0, .. })));
        let tables = || {
            server.ask("SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace = 'zkml'::regnamespace AND relkind IN ('r', 'v')", &database)
        };
        for version in 1..=LATEST {
            assert_eq!(migrate(&url, version).unwrap(), Migrated { from: version - 1, to: version });
        }
        assert_eq!(
            migrate(&url, LATEST).unwrap(),
            Migrated { from: LATEST, to: LATEST },
            "once more changes nothing"
        );
        let all = tables();
        assert_eq!(all, "migrations orders queue tasks workers");
        for version in (0..LATEST).rev() {
            assert_eq!(migrate(&url, version).unwrap(), Migrated { from: version + 1, to: version });
        }
        assert_eq!(
            (
                tables().as_str(),
                server
                    .ask("SELECT count(*) FROM pg_proc WHERE pronamespace = 'zkml'::regnamespace", &database)
                    .as_str()
            ),
            ("migrations", "0")
        );
        migrate(&url, LATEST).unwrap();
        assert_eq!(tables(), all);
        assert!(matches!(migrate(&url, LATEST + 1), Err(ServiceError::QueueVersion { .. })));
        let mut journal = Journal::open_on(&url, &owner()).unwrap();
        let ids = journal.with_requests(1);
        journal.enqueue(&[task(ids[0])]).unwrap();
        let served = migrate(&url, 1);
        assert!(
            matches!(served, Err(ServiceError::JournalInUse { .. })),
            "a service works with it: {served:?}"
        );
        drop((journal, migrate(&url, LATEST).unwrap()));
        sleep(Duration::from_millis(200));
        assert!(matches!(migrate(&url, 0), Err(ServiceError::QueueNotEmpty { tasks: 1 })));
        migrate(&url, 1).unwrap();
        assert!(matches!(status(&url), Err(ServiceError::QueueVersion { found: 1, .. })));
        migrate(&url, LATEST).unwrap();
        assert_eq!(status(&url).unwrap().states[0].tasks, 1, "no task was lost");
    }

    /// Workers keep statements prepared, and those of the version before greet by another name.
    #[test]
    #[ignore = "it takes a PostgreSQL server, and `make fleet` has one"]
    fn connected_and_older_workers_outlast_a_migration() {
        let (server, database, url) = fresh();
        migrate(&url, 2).unwrap();
        migrate(&url, LATEST).unwrap();
        assert_eq!(server.ask("SELECT * FROM zkml.greet('older', 1000, '')", &database), "0");
        let mut journal = Journal::open_on(&url, &owner()).unwrap();
        let queue = Queue::connect(&url).unwrap();
        queue.greet(&card("w", 1_000, &[])).unwrap();
        assert_eq!(queue.lease("w", LONG).unwrap(), None);
        let ids = journal.with_requests(1);
        journal.enqueue(&[task(ids[0])]).unwrap();
        // As a later version's column.
        server.ask("ALTER TABLE zkml.tasks ADD COLUMN later TEXT", &database);
        let lease = queue.lease("w", LONG).unwrap().unwrap();
        assert!(queue.beat(&lease, LONG).unwrap() && queue.complete(&lease, b"x").unwrap());
        assert_eq!(journal.made(9).unwrap().len(), 1);
    }

    #[test]
    #[ignore = "it takes a PostgreSQL server, and `make fleet` has one"]
    fn a_workers_role_sees_its_task_and_nothing_else() {
        let (server, database, url) = fresh();
        for role in ["zkml_worker", "zkml_reader"] {
            // Roles are the server's, and another test may have made them.
            server.ask(
                &format!("DO $$ BEGIN CREATE ROLE {role} LOGIN; EXCEPTION WHEN OTHERS THEN NULL; END $$"),
                "postgres",
            );
        }
        migrate(&url, LATEST).unwrap();
        let mut journal = Journal::open_on(&url, &owner()).unwrap();
        let ids = journal.with_requests(2);
        journal.enqueue(&[task(ids[0]), task(ids[1])]).unwrap();
        let worker = DatabaseUrl::parse(&server.url_as("zkml_worker", &database)).unwrap();
        let queue = Queue::connect(&worker).unwrap();
        queue.greet(&card("w", 1_000, &[])).unwrap();
        let lease = queue.lease("w", LONG).unwrap().unwrap();
        assert!(queue.beat(&lease, LONG).unwrap() && queue.complete(&lease, b"x").unwrap());
        let schema = "journal_1_0101010101010101010101010101010101010101";
        for forbidden in [
            "SELECT * FROM zkml.tasks",
            "SELECT * FROM zkml.workers",
            "SELECT * FROM zkml.queue",
            "UPDATE zkml.tasks SET state = 'ready'",
            "CREATE TABLE zkml.mine (x int)",
            &format!("SELECT * FROM {schema}.requests"),
            &format!("SELECT * FROM {schema}.offers"),
        ] {
            let refused = server.refuses(forbidden, "zkml_worker", &database);
            assert!(refused.contains("permission denied"), "{forbidden}: {refused}");
        }
        assert!(
            server
                .refuses("SELECT job FROM zkml.tasks", "zkml_reader", &database)
                .contains("permission denied")
        );
        let seen =
            server.ask_as("SELECT state, tasks FROM zkml.queue ORDER BY state", "zkml_reader", &database);
        assert_eq!(seen, "done|1\nready|1");
    }

    #[test]
    #[ignore = "it takes a PostgreSQL server, and `make fleet` has one"]
    fn of_many_workers_each_task_goes_to_one() {
        let (_, _, url) = fresh();
        migrate(&url, LATEST).unwrap();
        let mut journal = Journal::open_on(&url, &owner()).unwrap();
        let ids = journal.with_requests(60);
        journal.enqueue(&ids.iter().map(|id| task(*id)).collect::<Vec<_>>()).unwrap();
        let workers: Vec<_> = (0..6)
            .map(|number| {
                let queue = Queue::connect(&url).unwrap();
                std::thread::spawn(move || {
                    let name = format!("w{number}");
                    queue.greet(&card(&name, 1_000, &[])).unwrap();
                    let mut mine = Vec::new();
                    while let Some(lease) = queue.lease(&name, LONG).unwrap() {
                        assert!(queue.complete(&lease, b"x").unwrap());
                        mine.push(lease.task);
                    }
                    mine
                })
            })
            .collect();
        let mut all: Vec<i64> = workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
        all.sort_unstable();
        let before = all.len();
        all.dedup();
        // One that looks while another takes the last one sees nothing for a moment; nobody sees one twice.
        assert_eq!((all.len(), before), (60, 60));
        assert_eq!(journal.made(99).unwrap().len(), 60);
    }

    #[test]
    #[ignore = "it takes a PostgreSQL server, and `make fleet` has one"]
    fn dead_tasks_are_tried_again_when_somebody_says_so() {
        let (_, _, url) = fresh();
        migrate(&url, LATEST).unwrap();
        let mut journal = Journal::open_on(&url, &owner()).unwrap();
        let ids = journal.with_requests(2);
        journal.enqueue(&[task(ids[0]), task(ids[1])]).unwrap();
        let queue = Queue::connect(&url).unwrap();
        queue.greet(&card("w", 1_000, &[])).unwrap();
        for _ in 0..2 {
            let lease = queue.lease("w", LONG).unwrap().unwrap();
            queue.fail(&lease, &ProveFailure::Permanent("a full disk".into())).unwrap();
        }
        for id in &ids {
            journal.refuse(id, "a full disk").unwrap();
        }
        let seen = status(&url).unwrap();
        assert_eq!((seen.tasks.len(), seen.tasks[0].reason.as_deref()), (2, Some("a full disk")));
        assert_eq!(retry(&url, Some(&[seen.tasks[0].task])).unwrap(), [seen.tasks[0].task]);
        // It is packed anew: what was sealed for another key would die again.
        let wanted = journal.to_prove(9, &std::collections::BTreeSet::new()).unwrap();
        assert!(wanted.len() == 1 && queue.lease("w", LONG).unwrap().is_none());
        journal.enqueue(&[task(wanted[0].id)]).unwrap();
        assert!(queue.lease("w", LONG).unwrap().is_some());
        assert_eq!(retry(&url, None).unwrap().len(), 1);
        // A task that its service has not given up yet.
        journal.enqueue(&[task(ids[0])]).unwrap();
        let lease = queue.lease("w", LONG).unwrap().unwrap();
        queue.fail(&lease, &ProveFailure::Permanent("a full disk".into())).unwrap();
        assert_eq!(retry(&url, None).unwrap().len(), 1);
        assert_eq!(journal.give_up_dead().unwrap(), [], "there is nothing left to give up");
        assert_eq!(journal.request(&ids[0]).unwrap().unwrap().status, "open");
        assert_eq!(drain(&url, Some("nobody"), true).unwrap(), Vec::<String>::new());
        assert_eq!(drain(&url, None, true).unwrap(), ["w"]);
        let drained = status(&url).unwrap();
        assert!(drained.workers[0].draining && drained.draining);
        assert_eq!(drain(&url, None, false).unwrap(), ["w"]);
        assert!(!status(&url).unwrap().draining);
        drain(&url, Some("w"), true).unwrap();
        assert_eq!(drain(&url, Some("w"), false).unwrap(), ["w"]);
        assert!(!status(&url).unwrap().workers[0].draining);
    }
}
