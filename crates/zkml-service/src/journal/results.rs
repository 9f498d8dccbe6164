//! Results under policies: which ones the service answers for, and what each wants. A duty is a request that nobody has made: so it is proven, sent, replaced
//! and taken back as requests are.

use std::collections::HashSet;

use alloy::primitives::{B256, U256};
use zkml_contracts::acceptance::{Policy, Posted, ResultEvent};
use zkml_protocol::{Word, keccak256};

use super::{Journal, now_ms, requests::size};
use zkml_deploy::acceptance::PostedResult;

use crate::{
    error::Result,
    store::{Row, Sql, StoreError, Value, values},
};

/// A deed that a result wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DutyKind {
    /// Its proof is due.
    Prove,
    /// Its round is decided.
    Draw,
    /// Enough of its paths hold.
    Accept,
}

impl DutyKind {
    fn name(self) -> &'static str {
        match self {
            Self::Prove => "prove",
            Self::Draw => "draw",
            Self::Accept => "accept",
        }
    }

    /// The id of the request that stands for it.
    fn request(self, result: &Word) -> Word {
        match self {
            Self::Prove => *result,
            _ => keccak256([&result.0[..], self.name().as_bytes()]),
        }
    }
}

/// A duty, and the result that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Duty {
    /// The deed.
    pub kind: DutyKind,
    /// The result.
    pub result: Word,
}

/// Results that are not over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct AtStake {
    /// Their number.
    pub(crate) open: u64,
    /// Their bonds in coins, without those that a proof has given back.
    pub(crate) bonds: U256,
    /// Last block time at which one of them may count, or its proof come.
    pub(crate) until: u64,
}

/// True for duties, in SQL.
pub(super) const IS_DUTY: &str = "id IN (SELECT request FROM duties)";
const COLUMNS: &str = "id, posted, output";

impl Journal {
    /// A result.
    ///
    /// # Errors
    /// [`ServiceError::Journal`](crate::ServiceError::Journal).
    pub fn result(&self, id: &Word) -> Result<Option<PostedResult>> {
        let query = format!("SELECT {COLUMNS} FROM results WHERE id = ?1");
        self.read(|sql| sql.first(&query, &values![id.0])?.as_ref().map(kept).transpose())
    }

    /// Results that are not over, those first that were not looked at for longest; they are looked at now.
    pub(crate) fn look_at_results(&mut self, limit: usize) -> Result<Vec<PostedResult>> {
        let query = format!(
            "UPDATE results SET looked_at = ?1 WHERE id IN (SELECT id FROM results \
             WHERE closed_block IS NULL AND orphaned = 0 ORDER BY looked_at, block LIMIT ?2) RETURNING {COLUMNS}"
        );
        self.write(|sql| sql.query(&query, &values![now_ms(), size(limit)])?.iter().map(kept).collect())
    }

    /// What is at stake with results that are not over. The bonds of those that are proven are back.
    pub(crate) fn at_stake(&self, proven: &HashSet<Word>) -> Result<AtStake> {
        let query = format!("SELECT {COLUMNS} FROM results WHERE closed_block IS NULL AND orphaned = 0");
        let open: Vec<PostedResult> = self.read(|sql| sql.query(&query, &[])?.iter().map(kept).collect())?;
        let due = self.due()?.into_iter().map(|(_, until)| until);
        let until = open.iter().map(|kept| number(&kept.result.deadline)).chain(due).max();
        let coins = open.iter().filter(|kept| kept.policy.asset == [0; 20] && !proven.contains(&kept.id));
        let bonds = coins.map(|kept| U256::from_be_bytes(kept.policy.bond.0));
        let bonds = bonds.fold(U256::ZERO, U256::saturating_add);
        Ok(AtStake { open: open.len() as u64, bonds, until: until.unwrap_or_default() })
    }

    /// Number of results that ended like this: `accepted`, `lost` or `void`.
    pub(crate) fn ended(&self, how: &str) -> Result<u64> {
        let query = "SELECT count(*) FROM results WHERE closed_how = ?1 AND orphaned = 0";
        self.read(|sql| sql.number(query, &values![how]))
    }

    /// Results whose proofs are due and not on the chain, with the last block time at which they may come, the nearest first.
    pub(crate) fn due(&self) -> Result<Vec<(Word, u64)>> {
        let query = "SELECT requests.id, deadline FROM requests JOIN duties ON duties.request = requests.id \
                     WHERE kind = 'prove' AND coalesce(closed_how, 'expired') = 'expired' AND status IN ('open', 'refused') \
                     AND result IN (SELECT id FROM results WHERE closed_block IS NULL AND orphaned = 0) ORDER BY deadline";
        self.read(|sql| {
            let row = |row: &Row| Ok((Word(row.get(0)?), number(&Word(row.get(1)?))));
            sql.query(query, &[])?.iter().map(row).collect()
        })
    }

    /// Notes a duty that follows from how a result stands; false if it is known.
    pub(crate) fn owe(
        &mut self,
        kind: DutyKind,
        result: &PostedResult,
        deadline: Word,
        block: u64,
    ) -> Result<bool> {
        self.write(|sql| owe(sql, kind, result, deadline, block))
    }

    /// Notes a result whose event may have come before the journal begins.
    pub(crate) fn know(&mut self, known: &PostedResult) -> Result<()> {
        let PostedResult { id, result, policy, output } = known;
        self.write(|sql| post(sql, id, (result, policy), output, 0).map(|_| ()))
    }

    /// Notes that a result is over, where its event was not seen.
    pub(crate) fn end(&mut self, id: &Word, how: &'static str, block: u64) -> Result<()> {
        self.write(|sql| end(sql, id, how, block).map(|_| ()))
    }

    /// True for transactions of this service.
    pub(crate) fn has_sent(&self, transaction: &B256) -> Result<bool> {
        let query = "SELECT EXISTS (SELECT 1 FROM offers WHERE hash = ?1)";
        self.read(|sql| {
            let row = sql.first(query, &values![transaction.0])?;
            row.ok_or_else(|| StoreError::damaged("no answer"))?.get(0)
        })
    }
}

/// Takes an event in; whether it was news.
pub(super) fn apply(
    sql: &mut dyn Sql,
    event: &ResultEvent,
    by: &[u8; 20],
    block: u64,
) -> Result<bool, StoreError> {
    let id = event.id();
    if let ResultEvent::Posted { result, policy, output, .. } = event {
        return post(sql, &id, (result, policy), output, block);
    }
    let query = format!("SELECT {COLUMNS} FROM results WHERE id = ?1 AND orphaned = 0");
    let Some(kept) = sql.first(&query, &values![id.0])?.as_ref().map(kept).transpose()? else {
        return Ok(false);
    };
    let closed = |sql: &mut dyn Sql, kind, how| close(sql, kind, &id, how, by, block);
    Ok(match event {
        ResultEvent::Challenged { until, .. } => {
            owe(sql, DutyKind::Prove, &kept, Word::from_u64(*until), block)?
        }
        ResultEvent::Drawn { until, .. } => {
            let drawn = closed(sql, DutyKind::Draw, "fulfilled")?;
            let due = match until {
                Some(until) => owe(sql, DutyKind::Prove, &kept, Word::from_u64(*until), block)?,
                None => false,
            };
            drawn || due || until.is_none()
        }
        ResultEvent::Proven { .. } => closed(sql, DutyKind::Prove, "fulfilled")?,
        ResultEvent::Accepted { .. } => {
            closed(sql, DutyKind::Accept, "fulfilled")?;
            end(sql, &id, "accepted", block)?
        }
        ResultEvent::Lost { .. } | ResultEvent::Voided { .. } => {
            for kind in [DutyKind::Prove, DutyKind::Draw, DutyKind::Accept] {
                closed(sql, kind, "cancelled")?;
            }
            let how = if matches!(event, ResultEvent::Lost { .. }) { "lost" } else { "void" };
            end(sql, &id, how, block)?
        }
        ResultEvent::Attested { .. } | ResultEvent::Posted { .. } => false,
    })
}

/// Takes back what was read above a block. Duties go as requests do.
pub(super) fn forget_above(sql: &mut dyn Sql, above: i64) -> Result<(), StoreError> {
    sql.execute(
        "UPDATE results SET closed_block = NULL, closed_how = NULL WHERE closed_block > ?1",
        &values![above],
    )?;
    sql.execute("UPDATE results SET orphaned = 1 WHERE block > ?1 AND block > 0", &values![above])?;
    Ok(())
}

fn post(
    sql: &mut dyn Sql,
    id: &Word,
    (result, policy): (&Posted, &Policy),
    output: &[u8],
    block: u64,
) -> Result<bool, StoreError> {
    let words: Vec<u8> = result.words().into_iter().chain(policy.words()).flat_map(|word| word.0).collect();
    let changed = sql.execute(
        "INSERT INTO results (id, posted, output, block) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO UPDATE \
         SET block = excluded.block, orphaned = 0, looked_at = 0 WHERE results.orphaned = 1",
        &values![id.0, words, output, size(block)],
    )?;
    Ok(changed > 0)
}

/// A request for a duty. What needs no proof has an empty one, and waits to be sent at once.
fn owe(
    sql: &mut dyn Sql,
    kind: DutyKind,
    kept: &PostedResult,
    deadline: Word,
    block: u64,
) -> Result<bool, StoreError> {
    let (id, result) = (kind.request(&kept.id), &kept.result);
    let nothing = if kind == DutyKind::Prove { Value::Null } else { Value::Bytes(Vec::new()) };
    let changed = sql.execute(
            "INSERT INTO requests (id, subject, sequence, deadline, action, data_commitment, input, block, seen_at, output, proof, status) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?10, ?7, ?8, ?9, ?9, 'open') ON CONFLICT (id) DO UPDATE SET \
             block = excluded.block, deadline = excluded.deadline, status = 'open', reason = NULL, attempts = 0, failures = 0, next_try = 0, \
             missing = 0, closed_block = NULL, closed_how = NULL, closed_by = NULL, output = coalesce(requests.output, excluded.output), proof = coalesce(requests.proof, excluded.proof) \
             WHERE requests.status = 'orphaned' OR (?11 = 1 AND requests.deadline <> excluded.deadline AND coalesce(requests.closed_how, 'expired') = 'expired')",
        &values![
            id.0,
            result.poster,
            result.nonce.0,
            deadline.0,
            result.action.0,
            result.data_commitment.0,
            size(block),
            now_ms(),
            nothing,
            Vec::new(),
            kind == DutyKind::Prove
        ],
    )?;
    sql.execute(
        "INSERT INTO duties (request, kind, result) VALUES (?1, ?2, ?3) ON CONFLICT (request) DO NOTHING",
        &values![id.0, kind.name(), kept.id.0],
    )?;
    Ok(changed > 0)
}

fn close(
    sql: &mut dyn Sql,
    kind: DutyKind,
    result: &Word,
    how: &str,
    by: &[u8; 20],
    block: u64,
) -> Result<bool, StoreError> {
    let changed = sql.execute(
        "UPDATE requests SET closed_block = ?2, closed_how = ?3, closed_by = ?4 \
         WHERE id = ?1 AND (closed_how IS NULL OR closed_how = 'expired')",
        &values![kind.request(result).0, size(block), how, by],
    )?;
    Ok(changed > 0)
}

fn end(sql: &mut dyn Sql, id: &Word, how: &str, block: u64) -> Result<bool, StoreError> {
    let query = "UPDATE results SET closed_block = ?2, closed_how = ?3 WHERE id = ?1 AND closed_how IS NULL";
    Ok(sql.execute(query, &values![id.0, size(block), how])? > 0)
}

fn kept(row: &Row) -> Result<PostedResult, StoreError> {
    let damaged = || StoreError::damaged("posted is no result");
    let bytes: Vec<u8> = row.get(1)?;
    let words: Vec<Word> = bytes.as_chunks::<32>().0.iter().map(|word| Word(*word)).collect();
    let (result, policy) = words.split_first_chunk().ok_or_else(damaged)?;
    let policy = policy.first_chunk().ok_or_else(damaged)?;
    Ok(PostedResult {
        id: Word(row.get(0)?),
        result: Posted::of_words(*result).ok_or_else(damaged)?,
        policy: Policy::of_words(*policy).ok_or_else(damaged)?,
        output: row.get(2)?,
    })
}

/// The duty that a request stands for, if it does.
pub(super) fn duty(row: &Row) -> Result<Option<Duty>, StoreError> {
    let (Some(kind), Some(result)) =
        (row.get::<Option<String>>("duty")?, row.get::<Option<[u8; 32]>>("duty_result")?)
    else {
        return Ok(None);
    };
    let kind = match kind.as_str() {
        "draw" => DutyKind::Draw,
        "accept" => DutyKind::Accept,
        _ => DutyKind::Prove,
    };
    Ok(Some(Duty { kind, result: Word(result) }))
}

/// A block time; beyond 64 bits it never comes.
fn number(word: &Word) -> u64 {
    u64::try_from(U256::from_be_bytes(word.0)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        journal::Owner,
        prover::Proven,
        seen::{Seen, What},
        serving::Quota,
    };
    use alloy::primitives::Address;
    use std::collections::BTreeSet;
    use zkml_contracts::acceptance::OPTIMISTIC;

    const US: Address = Address::repeat_byte(2);

    fn journal() -> (tempfile::TempDir, Journal) {
        let folder = tempfile::tempdir().unwrap();
        let owner = Owner { chain_id: 1, consumer: Address::repeat_byte(1), sender: US };
        let journal = Journal::open(&folder.path().join("journal"), &owner).unwrap();
        (folder, journal)
    }

    fn posted(mark: u64) -> PostedResult {
        let result = Posted {
            poster: US.into_array(),
            subject: [7; 20],
            nonce: Word::from_u64(mark),
            deadline: Word::from_u64(90_000),
            action: Word::ONE,
            data_commitment: Word::from_u64(mark),
            output_hash: keccak256([&[9][..]]),
            model_id: Word::ONE,
        };
        let policy = Policy { paths: OPTIMISTIC, bond: Word::from_u64(5), ..Policy::default() };
        PostedResult { id: result.id(&policy, 1, [1; 20]), result, policy, output: vec![9] }
    }

    fn event(known: &PostedResult) -> ResultEvent {
        let PostedResult { id, result, policy, output } = known.clone();
        ResultEvent::Posted { id, result, policy, output }
    }

    /// Reads one event in a block; true if it was news.
    fn read(journal: &mut Journal, block: u64, event: ResultEvent, by: Address) -> bool {
        let hash = B256::from(Word::from_u64(block).0);
        let seen = Seen { block, block_hash: hash, what: What::Result { event, by } };
        !journal.read_up_to(&[seen], (block, hash)).unwrap().is_empty()
    }

    fn open(journal: &Journal) -> u64 {
        journal.at_stake(&HashSet::new()).unwrap().open
    }

    fn challenged(known: &PostedResult, until: u64) -> ResultEvent {
        ResultEvent::Challenged { id: known.id, challenger: [3; 20], until }
    }

    #[test]
    fn a_duty_is_taken_back_with_its_block_and_comes_again() {
        let (_folder, mut journal) = journal();
        let known = posted(1);
        assert!(!read(&mut journal, 4, challenged(&known, 50), Address::ZERO), "nobody's result");
        assert!(read(&mut journal, 5, event(&known), Address::ZERO));
        assert!(!read(&mut journal, 5, event(&known), Address::ZERO), "again");
        assert_eq!(
            (journal.result(&known.id).unwrap(), journal.at_stake(&HashSet::new()).unwrap()),
            (Some(known.clone()), AtStake { open: 1, bonds: U256::from(5), until: 90_000 })
        );
        assert!(read(&mut journal, 6, challenged(&known, 50), Address::ZERO));
        let wanted = journal.to_prove(9, &BTreeSet::new()).unwrap();
        let duty = Duty { kind: DutyKind::Prove, result: known.id };
        assert_eq!((wanted[0].id, wanted[0].duty, wanted.len()), (known.id, Some(duty), 1));
        journal.proven(&known.id, &Proven { output: vec![9], blob: vec![8] }).unwrap();
        // The challenge comes in another block, and with more time.
        journal.forget_above(Some(5)).unwrap();
        assert!(journal.due().unwrap().is_empty() && journal.to_send(9).unwrap().is_empty());
        assert!(read(&mut journal, 7, challenged(&known, 60), Address::ZERO));
        assert_eq!(journal.due().unwrap(), [(known.id, 60)]);
        assert_eq!(journal.to_send(9).unwrap().len(), 1, "its proof is there still");
        assert!(read(&mut journal, 8, ResultEvent::Proven { id: known.id }, US));
        assert!(journal.due().unwrap().is_empty());
        let proven = AtStake { open: 1, bonds: U256::ZERO, until: 90_000 };
        assert_eq!(journal.at_stake(&[known.id].into()).unwrap(), proven, "its bond is back");
        assert!(read(&mut journal, 9, ResultEvent::Accepted { id: known.id }, US));
        assert_eq!((journal.ended("accepted").unwrap(), open(&journal)), (1, 0));
        journal.forget_above(Some(7)).unwrap();
        assert_eq!((journal.due().unwrap(), open(&journal)), (vec![(known.id, 60)], 1));
        journal.forget_above(Some(4)).unwrap();
        assert_eq!((journal.due().unwrap(), open(&journal)), (vec![], 0));
    }

    /// A challenge that a reorganisation took back, and that came again, has more time; a record has no block that could be taken back.
    #[test]
    fn a_second_challenge_has_its_own_deadline_and_records_stay() {
        let (_folder, mut journal) = journal();
        let known = posted(1);
        journal.know(&known).unwrap();
        journal.forget_above(None).unwrap();
        assert_eq!(open(&journal), 1, "it comes from a record, not from a block");
        assert!(journal.owe(DutyKind::Prove, &known, Word::from_u64(50), 6).unwrap());
        assert!(!journal.owe(DutyKind::Prove, &known, Word::from_u64(50), 7).unwrap(), "it is known");
        // The block in which it was seen stays; the contract says another time.
        assert!(journal.owe(DutyKind::Prove, &known, Word::from_u64(60), 8).unwrap());
        assert_eq!(journal.due().unwrap(), [(known.id, 60)]);
        assert_eq!(journal.expire(9, 61).unwrap(), [known.id]);
        assert_eq!(
            journal.due().unwrap(),
            [(known.id, 60)],
            "late, and its bond can be claimed: that is said"
        );
        assert!(journal.to_prove(9, &BTreeSet::new()).unwrap().is_empty());
        assert!(journal.owe(DutyKind::Prove, &known, Word::from_u64(90), 10).unwrap(), "another challenge");
        assert_eq!(journal.to_prove(9, &BTreeSet::new()).unwrap()[0].id, known.id);
        journal.end(&known.id, "lost", 11).unwrap();
        assert!(journal.due().unwrap().is_empty(), "what is over is not due");
    }

    #[test]
    fn duties_come_before_requests_by_deadline_and_count_for_no_quota() {
        let (_folder, mut journal) = journal();
        let late = posted(1);
        let soon = posted(2);
        for (known, until) in [(&late, 80), (&soon, 70)] {
            read(&mut journal, 5, event(known), Address::ZERO);
            read(&mut journal, 6, challenged(known, until), Address::ZERO);
        }
        let us: BTreeSet<Address> = [US].into();
        let order: Vec<Word> = journal.to_prove(9, &us).unwrap().iter().map(|entry| entry.id).collect();
        assert_eq!(order, [soon.id, late.id]);
        journal.begun(&soon.id).unwrap();
        let quota = Quota { name: "quota-hour", window: "an hour", milliseconds: 60_000, most: 1 };
        assert!(journal.over_quota(&quota).unwrap().is_empty());
        assert!(journal.refuse_others(&BTreeSet::new()).unwrap().is_empty(), "nobody has asked for them");
        assert!(journal.unbegun().unwrap().is_empty(), "nor pays for them");
    }

    #[test]
    fn what_needs_no_proof_waits_to_be_sent_once() {
        let (_folder, mut journal) = journal();
        let known = posted(1);
        journal.know(&known).unwrap();
        assert_eq!(journal.look_at_results(9).unwrap(), std::slice::from_ref(&known));
        let deadline = known.result.deadline;
        assert!(journal.owe(DutyKind::Draw, &known, deadline, 6).unwrap());
        assert!(!journal.owe(DutyKind::Draw, &known, deadline, 7).unwrap(), "it is known");
        let wanted = journal.to_send(9).unwrap();
        assert_eq!(wanted[0].duty, Some(Duty { kind: DutyKind::Draw, result: known.id }));
        assert!(wanted[0].id != known.id && wanted.len() == 1);
        // Drawn by whoever, and due.
        assert!(read(&mut journal, 8, ResultEvent::Drawn { id: known.id, until: Some(99) }, Address::ZERO));
        assert!(journal.to_send(9).unwrap().is_empty());
        assert_eq!(journal.due().unwrap(), [(known.id, 99)]);
        assert!(read(
            &mut journal,
            9,
            ResultEvent::Lost { id: known.id, challenger: [0; 20] },
            Address::ZERO
        ));
        assert_eq!((journal.due().unwrap().len(), journal.ended("lost").unwrap()), (0, 1));
        assert!(journal.look_at_results(9).unwrap().is_empty());
        // Whose end was seen already keeps it.
        journal.end(&known.id, "void", 10).unwrap();
        assert_eq!(journal.ended("void").unwrap(), 0);
        let other = posted(2);
        journal.know(&other).unwrap();
        journal.end(&other.id, "void", 10).unwrap();
        assert_eq!(journal.ended("void").unwrap(), 1);
    }
}
