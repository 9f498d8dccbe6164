//! Results under policies: which ones the service answers for, and what each wants. A duty is a request that nobody has made: so it is proven, sent, replaced
//! and taken back as requests are.

use alloy::primitives::{B256, U256};
use rusqlite::{OptionalExtension, Row, Transaction, params, types::Type};
use zkml_contracts::acceptance::{Policy, Posted, ResultEvent};
use zkml_protocol::{Word, keccak256};

use super::{Journal, now_ms, requests::size};
use zkml_deploy::acceptance::PostedResult;

use crate::error::Result;

/// What a result wants.
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
    /// What is to be done.
    pub kind: DutyKind,
    /// The result.
    pub result: Word,
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
        self.read(|sql| sql.prepare(&query)?.query_row([id.0], kept).optional())
    }

    /// Results that are not over, those first that were not looked at for longest; they are looked at now.
    pub(crate) fn look_at_results(&mut self, limit: usize) -> Result<Vec<PostedResult>> {
        let query = format!(
            "UPDATE results SET looked_at = ?1 WHERE id IN (SELECT id FROM results \
             WHERE closed_block IS NULL AND orphaned = 0 ORDER BY looked_at, block LIMIT ?2) RETURNING {COLUMNS}"
        );
        self.write(|sql| sql.prepare(&query)?.query_map([now_ms(), size(limit)], kept)?.collect())
    }

    /// Number of results that are not over, and the bonds in coins that are at stake with them.
    pub(crate) fn at_stake(&self) -> Result<(u64, U256)> {
        let query = format!("SELECT {COLUMNS} FROM results WHERE closed_block IS NULL AND orphaned = 0");
        let open: Vec<PostedResult> = self.read(|sql| sql.prepare(&query)?.query_map([], kept)?.collect())?;
        let coins = open.iter().filter(|kept| kept.policy.asset == [0; 20]);
        let sum =
            coins.map(|kept| U256::from_be_bytes(kept.policy.bond.0)).fold(U256::ZERO, U256::saturating_add);
        Ok((open.len() as u64, sum))
    }

    /// Number of results that ended like this: `accepted`, `lost` or `void`.
    pub(crate) fn ended(&self, how: &str) -> Result<u64> {
        let query = "SELECT count(*) FROM results WHERE closed_how = ?1 AND orphaned = 0";
        self.read(|sql| sql.query_row(query, [how], |row| row.get::<_, i64>(0))).map(i64::unsigned_abs)
    }

    /// Results whose proofs are due and not on the chain, with the last block time at which they may come, the nearest first.
    pub(crate) fn due(&self) -> Result<Vec<(Word, u64)>> {
        let query = "SELECT id, deadline FROM requests JOIN duties ON duties.request = requests.id \
                     WHERE kind = 'prove' AND closed_block IS NULL AND status IN ('open', 'refused') ORDER BY deadline";
        self.read(|sql| {
            let row = |row: &Row<'_>| Ok((Word(row.get(0)?), number(&Word(row.get(1)?))));
            sql.prepare(query)?.query_map([], row)?.collect()
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
        self.read(|sql| sql.query_row(query, [transaction.as_slice()], |row| row.get(0)))
    }
}

/// Takes an event in; whether it was news.
pub(super) fn apply(
    sql: &Transaction<'_>,
    event: &ResultEvent,
    by: &[u8; 20],
    block: u64,
) -> rusqlite::Result<bool> {
    let id = event.id();
    if let ResultEvent::Posted { result, policy, output, .. } = event {
        return post(sql, &id, (result, policy), output, block);
    }
    let query = format!("SELECT {COLUMNS} FROM results WHERE id = ?1 AND orphaned = 0");
    let Some(kept) = sql.prepare(&query)?.query_row([id.0], kept).optional()? else { return Ok(false) };
    let closed = |kind, how| close(sql, kind, &id, how, by, block);
    Ok(match event {
        ResultEvent::Challenged { until, .. } => {
            owe(sql, DutyKind::Prove, &kept, Word::from_u64(*until), block)?
        }
        ResultEvent::Drawn { until, .. } => {
            let drawn = closed(DutyKind::Draw, "fulfilled")?;
            let due = match until {
                Some(until) => owe(sql, DutyKind::Prove, &kept, Word::from_u64(*until), block)?,
                None => false,
            };
            drawn || due || until.is_none()
        }
        ResultEvent::Proven { .. } => closed(DutyKind::Prove, "fulfilled")?,
        ResultEvent::Accepted { .. } => {
            closed(DutyKind::Accept, "fulfilled")?;
            end(sql, &id, "accepted", block)?
        }
        ResultEvent::Lost { .. } | ResultEvent::Voided { .. } => {
            for kind in [DutyKind::Prove, DutyKind::Draw, DutyKind::Accept] {
                closed(kind, "cancelled")?;
            }
            let how = if matches!(event, ResultEvent::Lost { .. }) { "lost" } else { "void" };
            end(sql, &id, how, block)?
        }
        ResultEvent::Attested { .. } | ResultEvent::Posted { .. } => false,
    })
}

/// Takes back what was read above a block. Duties go as requests do.
pub(super) fn forget_above(sql: &Transaction<'_>, above: i64) -> rusqlite::Result<()> {
    sql.execute(
        "UPDATE results SET closed_block = NULL, closed_how = NULL WHERE closed_block > ?1",
        [above],
    )?;
    sql.execute("UPDATE results SET orphaned = 1 WHERE block > ?1", [above])?;
    Ok(())
}

fn post(
    sql: &Transaction<'_>,
    id: &Word,
    (result, policy): (&Posted, &Policy),
    output: &[u8],
    block: u64,
) -> rusqlite::Result<bool> {
    let words: Vec<u8> = result.words().into_iter().chain(policy.words()).flat_map(|word| word.0).collect();
    let changed = sql
        .prepare(
            "INSERT INTO results (id, posted, output, block) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO UPDATE \
             SET block = excluded.block, orphaned = 0, looked_at = 0 WHERE orphaned = 1",
        )?
        .execute(params![id.0, words, output, size(block)])?;
    Ok(changed > 0)
}

/// A request for a duty. What needs no proof has an empty one, and waits to be sent at once.
fn owe(
    sql: &Transaction<'_>,
    kind: DutyKind,
    kept: &PostedResult,
    deadline: Word,
    block: u64,
) -> rusqlite::Result<bool> {
    let (id, result) = (kind.request(&kept.id), &kept.result);
    let nothing: Option<&[u8]> = if kind == DutyKind::Prove { None } else { Some(&[]) };
    let changed = sql
        .prepare(
            "INSERT INTO requests (id, subject, sequence, deadline, action, data_commitment, input, block, seen_at, output, proof, status) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, x'', ?7, ?8, ?9, ?9, 'open') ON CONFLICT (id) DO UPDATE SET \
             block = excluded.block, deadline = excluded.deadline, status = 'open', reason = NULL, attempts = 0, failures = 0, next_try = 0, \
             missing = 0, output = coalesce(output, excluded.output), proof = coalesce(proof, excluded.proof) \
             WHERE status = 'orphaned'",
        )?
        .execute(params![
            id.0,
            result.poster,
            result.nonce.0,
            deadline.0,
            result.action.0,
            result.data_commitment.0,
            size(block),
            now_ms(),
            nothing
        ])?;
    sql.execute(
        "INSERT OR IGNORE INTO duties (request, kind, result) VALUES (?1, ?2, ?3)",
        params![id.0, kind.name(), kept.id.0],
    )?;
    Ok(changed > 0)
}

fn close(
    sql: &Transaction<'_>,
    kind: DutyKind,
    result: &Word,
    how: &str,
    by: &[u8; 20],
    block: u64,
) -> rusqlite::Result<bool> {
    let changed = sql
        .prepare(
            "UPDATE requests SET closed_block = ?2, closed_how = ?3, closed_by = ?4 \
             WHERE id = ?1 AND (closed_how IS NULL OR closed_how = 'expired')",
        )?
        .execute(params![kind.request(result).0, size(block), how, by])?;
    Ok(changed > 0)
}

fn end(sql: &Transaction<'_>, id: &Word, how: &str, block: u64) -> rusqlite::Result<bool> {
    let query = "UPDATE results SET closed_block = ?2, closed_how = ?3 WHERE id = ?1 AND closed_how IS NULL";
    Ok(sql.execute(query, params![id.0, size(block), how])? > 0)
}

fn kept(row: &Row<'_>) -> rusqlite::Result<PostedResult> {
    let damaged = || rusqlite::Error::InvalidColumnType(1, "posted".to_owned(), Type::Blob);
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
pub(super) fn duty(row: &Row<'_>) -> rusqlite::Result<Option<Duty>> {
    let (Some(kind), Some(result)) =
        (row.get::<_, Option<String>>("duty")?, row.get::<_, Option<[u8; 32]>>("duty_result")?)
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
