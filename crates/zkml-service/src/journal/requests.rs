//! Requests: what was asked for, how far it is, and what ended its wait.

use std::collections::BTreeSet;

use alloy::primitives::Address;
use zkml_deploy::secret::redact;
use zkml_protocol::{
    Word,
    binding::{Request, Reward},
};

use super::{
    Journal, now_ms,
    results::{self, Duty, IS_DUTY},
    rewards,
};
use crate::{
    error::Result,
    prover::Proven,
    seen::{Seen, What},
    store::{Row, Sql, StoreError, values},
};

/// What ended the wait of a request on the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// A proof was taken.
    Fulfilled {
        /// Who handed it in.
        by: Address,
    },
    /// Its subject withdrew it.
    Cancelled,
    /// Nobody proved it before its deadline.
    Expired,
}

/// A request in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: Word,
    /// What is asked for.
    pub request: Request,
    /// What it pays, if it pays.
    pub reward: Option<Reward>,
    /// The words of public inputs.
    pub input: Vec<u8>,
    /// Where it was asked for.
    pub block: u64,
    /// `open`, `done`, `refused` or `orphaned`.
    pub status: String,
    /// Why it is refused, or what stands in the way.
    pub reason: Option<String>,
    /// What ended its wait, and in which block.
    pub closed: Option<(u64, Closing)>,
    /// The proof, once there is one.
    pub proof: Option<Proven>,
    /// How often it was put off.
    pub attempts: u32,
    /// How often for what waiting hardly cures.
    pub failures: u32,
    /// The deed that a posted result wants, if nobody has asked for it.
    pub duty: Option<Duty>,
}

/// A request whose input is not there.
#[derive(Debug)]
pub(crate) struct Missing {
    pub(crate) id: Word,
    /// Milliseconds before the next look.
    pub(crate) pause_ms: i64,
    /// The thing that is not there.
    pub(crate) what: String,
}

/// How many requests there are in each state.
pub type Counts = Vec<(String, u64)>;

pub(super) const COLUMNS: &str = "id, subject, sequence, deadline, action, data_commitment, input, reward, block, status, reason, \
                       closed_block, closed_how, closed_by, output, proof, attempts, failures, \
                       (SELECT kind FROM duties WHERE duties.request = id) AS duty, \
                       (SELECT duties.result FROM duties WHERE duties.request = id) AS duty_result";
/// Milliseconds for which it counts that a subject was served.
const REMEMBERED_MS: i64 = 3_600_000;
pub(super) const WAITING: &str = "status = 'open' AND closed_block IS NULL";

impl Journal {
    /// A request.
    ///
    /// # Errors
    /// [`ServiceError::Journal`](crate::ServiceError::Journal).
    pub fn request(&self, id: &Word) -> Result<Option<Entry>> {
        self.read(|sql| {
            let row = sql.first(&format!("SELECT {COLUMNS} FROM requests WHERE id = ?1"), &values![id.0])?;
            row.as_ref().map(entry).transpose()
        })
    }

    /// All requests, in the order in which they were made.
    ///
    /// # Errors
    /// [`ServiceError::Journal`](crate::ServiceError::Journal).
    pub fn requests(&self) -> Result<Vec<Entry>> {
        self.select("TRUE", i64::MAX)
    }

    /// Requests that want a proof now, in turns: each subject's first, then each one's second. Of some subjects, only those that were begun before.
    pub(crate) fn to_prove(&self, limit: usize, over_quota: &BTreeSet<Address>) -> Result<Vec<Entry>> {
        let room = format!("({IS_DUTY} OR begun_at > 0 OR NOT {})", self.among(over_quota));
        let tasks = format!(
            "SELECT 1 FROM tasks WHERE tasks.journal = '{}' AND tasks.request = requests.id",
            self.schema
        );
        self.in_turns(
            &format!("{WAITING} AND proof IS NULL AND next_try <= ?3 AND {room} AND NOT EXISTS ({tasks})"),
            size(limit),
        )
    }

    /// Requests with a proof that no transaction hands in.
    pub(crate) fn to_send(&self, limit: usize) -> Result<Vec<Entry>> {
        let free =
            "NOT EXISTS (SELECT 1 FROM slots WHERE slots.request = requests.id AND slots.status = 'live')";
        self.in_turns(&format!("{WAITING} AND proof IS NOT NULL AND next_try <= ?3 AND {free}"), size(limit))
    }

    /// A subject's turn comes the later, the more of its requests came before or were begun within the last hour: nobody's many keep
    /// another's one waiting. Then what was put off least often, then the oldest. Before all of them come duties, whose bonds are at stake, the nearest
    /// deadline first.
    fn in_turns(&self, condition: &str, limit: i64) -> Result<Vec<Entry>> {
        let (order, now) = ("attempts, block, sequence", now_ms());
        let since = now.saturating_sub(REMEMBERED_MS);
        let query = format!(
            "WITH begun AS (SELECT subject AS who, count(*) AS number FROM requests WHERE begun_at > ?2 GROUP BY subject), \
             waiting AS (SELECT *, ROW_NUMBER() OVER (PARTITION BY subject ORDER BY {order}) AS place FROM requests WHERE {condition}) \
             SELECT * FROM (SELECT {COLUMNS}, place + coalesce(number, 0) AS turn FROM waiting LEFT JOIN begun ON who = subject) AS turned \
             ORDER BY duty IS NULL, CASE WHEN duty IS NULL THEN NULL ELSE deadline END, turn, {order} LIMIT ?1"
        );
        self.read(|sql| sql.query(&query, &values![limit, since, now])?.iter().map(entry).collect())
    }

    /// Notes that a request is being proven.
    pub(crate) fn begun(&mut self, id: &Word) -> Result<()> {
        self.write(|sql| {
            sql.execute(
                "UPDATE requests SET begun_at = ?2, missing = 0 WHERE id = ?1",
                &values![id.0, now_ms()],
            )
            .map(|_| ())
        })
    }

    pub(super) fn select(&self, condition: &str, limit: i64) -> Result<Vec<Entry>> {
        let query =
            format!("SELECT {COLUMNS} FROM requests WHERE {condition} ORDER BY block, sequence LIMIT ?1");
        self.read(|sql| sql.query(&query, &values![limit])?.iter().map(entry).collect())
    }

    /// Keeps a proof, unless the request is over for good.
    pub(crate) fn proven(&mut self, id: &Word, proven: &Proven) -> Result<()> {
        self.write(|sql| keep(sql, id, proven))
    }

    /// Tries a request again after so many milliseconds.
    pub(crate) fn postpone(&mut self, id: &Word, pause_ms: i64, reason: &str, failure: bool) -> Result<()> {
        let next = now_ms().saturating_add(pause_ms);
        self.write(|sql| {
            sql.execute(
                "UPDATE requests SET next_try = ?2, reason = ?3, attempts = attempts + 1, failures = failures + ?4, missing = 0 WHERE id = ?1",
                &values![id.0, next, redact(reason), failure],
            )
            .map(|_| ())
        })
    }

    /// Looks again after so many milliseconds for what requests wait for.
    pub(crate) fn wait_for_inputs(&mut self, requests: &[Missing]) -> Result<()> {
        if requests.is_empty() {
            return Ok(());
        }
        let now = now_ms();
        self.write(|sql| {
            let update = "UPDATE requests SET next_try = ?2, reason = ?3, attempts = attempts + 1, missing = 1 WHERE id = ?1";
            requests.iter().try_for_each(|m| {
                let next = now.saturating_add(m.pause_ms);
                sql.execute(update, &values![m.id.0, next, redact(&m.what)]).map(|_| ())
            })
        })
    }

    /// Number of requests that wait for an input that is not there.
    pub(crate) fn missing(&self) -> Result<u64> {
        let query =
            format!("SELECT count(*) FROM requests WHERE {WAITING} AND proof IS NULL AND missing = 1");
        self.read(|sql| sql.number(&query, &values![]))
    }

    /// Gives up what has waited for its input for longer than so many milliseconds, if that was looked for since its last pause began.
    pub(crate) fn give_up(&mut self, longest_ms: i64) -> Result<Vec<Entry>> {
        let query = format!(
            "UPDATE requests SET status = 'refused', reason = 'its input did not come in time: ' || reason \
             WHERE {WAITING} AND NOT {IS_DUTY} AND missing = 1 AND seen_at <= ?1 AND next_try > ?2 RETURNING {COLUMNS}"
        );
        let now = now_ms();
        let before = now.saturating_sub(longest_ms);
        self.write(|sql| sql.query(&query, &values![before, now])?.iter().map(entry).collect())
    }

    /// Gives a request up.
    pub(crate) fn refuse(&mut self, id: &Word, reason: &str) -> Result<()> {
        self.write(|sql| refuse(sql, id, reason))
    }

    /// Closes what the chain's time has passed. Words in big-endian order compare as numbers do.
    pub(crate) fn expire(&mut self, block: u64, time: u64) -> Result<Vec<Word>> {
        let query = format!(
            "UPDATE requests SET closed_block = ?1, closed_how = 'expired' WHERE {WAITING} AND deadline < ?2 \
             AND block <= ?1 RETURNING id"
        );
        let time = Word::from_u64(time);
        self.write(|sql| {
            let rows = sql.query(&query, &values![size(block), time.0])?;
            rows.iter().map(|row| row.get(0).map(Word)).collect()
        })
    }

    /// Closes one request that the contract says is past its deadline.
    pub(crate) fn expire_one(&mut self, id: &Word, block: u64) -> Result<()> {
        let query = format!(
            "UPDATE requests SET closed_block = ?2, closed_how = 'expired' WHERE id = ?1 AND {WAITING}"
        );
        self.write(|sql| sql.execute(&query, &values![id.0, size(block)]).map(|_| ()))
    }

    /// Ends what was closed up to a block that is final. Proofs and inputs are of no use any more.
    pub(crate) fn finish(&mut self, last: u64) -> Result<Vec<Entry>> {
        let query = format!(
            "UPDATE requests SET status = CASE closed_how WHEN 'fulfilled' THEN 'done' ELSE 'refused' END, \
             reason = CASE closed_how WHEN 'fulfilled' THEN NULL ELSE closed_how END, \
             output = NULL, proof = NULL, next_try = 0 \
             WHERE closed_block <= ?1 AND (status = 'open' OR (status = 'refused' AND closed_how = 'fulfilled')) \
             RETURNING {COLUMNS}"
        );
        self.write(|sql| sql.query(&query, &values![size(last)])?.iter().map(entry).collect())
    }

    /// How many requests are in which state.
    ///
    /// # Errors
    /// [`ServiceError::Journal`](crate::ServiceError::Journal).
    pub fn counts(&self) -> Result<Counts> {
        self.read(|sql| {
            let rows =
                sql.query("SELECT state, count(*) FROM overview GROUP BY state ORDER BY state", &[])?;
            rows.iter().map(|row| Ok((row.get(0)?, row.get::<i64>(1)?.unsigned_abs()))).collect()
        })
    }

    /// Whether nothing waits: no request, no transaction.
    ///
    /// # Errors
    /// [`ServiceError::Journal`](crate::ServiceError::Journal).
    pub fn idle(&self) -> Result<bool> {
        self.read(|sql| {
            let query = "SELECT NOT EXISTS (SELECT 1 FROM requests WHERE status = 'open') \
                         AND NOT EXISTS (SELECT 1 FROM slots WHERE status IN ('live', 'mined'))";
            sql.first(query, &[])?.ok_or_else(|| StoreError::damaged("no answer"))?.get(0)
        })
    }
}

/// Gives a request up, within a transaction.
pub(super) fn refuse(sql: &mut dyn Sql, id: &Word, reason: &str) -> Result<(), StoreError> {
    let query = "UPDATE requests SET status = 'refused', reason = ?2 WHERE id = ?1 AND status = 'open'";
    sql.execute(query, &values![id.0, redact(reason)]).map(|_| ())
}

/// Keeps a proof, unless the request is over for good.
pub(super) fn keep(sql: &mut dyn Sql, id: &Word, proven: &Proven) -> Result<(), StoreError> {
    sql.execute(
        "UPDATE requests SET output = ?2, proof = ?3, attempts = 0, failures = 0, next_try = 0, reason = NULL WHERE id = ?1 \
         AND status IN ('open', 'orphaned')",
        &values![id.0, &proven.output, &proven.blob],
    )
    .map(|_| ())
}

/// Takes an event in; whether it was news. What was orphaned and comes back is news, a repetition is not.
pub(super) fn apply(sql: &mut dyn Sql, seen: &Seen) -> Result<bool, StoreError> {
    let block = size(seen.block);
    let changed = match &seen.what {
        What::Requested { id, request, reward, input } => {
            let Request { subject, sequence, deadline, action, data_commitment } = request;
            sql.execute(
                "INSERT INTO requests (id, subject, sequence, deadline, action, data_commitment, input, block, seen_at, reward, status) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'open') ON CONFLICT (id) DO UPDATE SET \
                 block = excluded.block, input = excluded.input, status = 'open', reason = NULL, attempts = 0, failures = 0, next_try = 0, \
                 missing = 0 \
                 WHERE requests.status = 'orphaned'",
            &values![
                id.0,
                subject,
                sequence.0,
                deadline.0,
                action.0,
                data_commitment.0,
                input,
                block,
                now_ms(),
                reward.as_ref().map(rewards::bytes)
            ],
            )?
        }
        What::Fulfilled { id, by } => close(sql, id, block, "fulfilled", Some(by))?,
        What::Cancelled { id } => close(sql, id, block, "cancelled", None)?,
        What::Result { event, by } => return results::apply(sql, event, &by.into_array(), seen.block),
    };
    Ok(changed > 0)
}

/// The contract's word counts more than our clock's: what was thought to be expired may be fulfilled.
fn close(
    sql: &mut dyn Sql,
    id: &Word,
    block: i64,
    how: &str,
    by: Option<&Address>,
) -> Result<usize, StoreError> {
    sql.execute(
        "UPDATE requests SET closed_block = ?2, closed_how = ?3, closed_by = ?4 \
         WHERE id = ?1 AND (closed_how IS NULL OR closed_how = 'expired')",
        &values![id.0, block, how, by.map(|by| by.into_array())],
    )
}

/// A count, which nobody drives beyond this.
fn few(number: i64) -> u32 {
    number.try_into().unwrap_or(u32::MAX)
}

/// Integers of databases are signed.
pub(super) fn size(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

pub(super) fn entry(row: &Row) -> Result<Entry, StoreError> {
    let word = |column| row.get(column).map(Word);
    let closed = match (row.get::<Option<i64>>("closed_block")?, row.get::<Option<String>>("closed_how")?) {
        (Some(block), Some(how)) => {
            let by = row.get::<Option<[u8; 20]>>("closed_by")?.unwrap_or_default();
            let closing = match how.as_str() {
                "fulfilled" => Closing::Fulfilled { by: Address::from(by) },
                "cancelled" => Closing::Cancelled,
                _ => Closing::Expired,
            };
            Some((block.unsigned_abs(), closing))
        }
        _ => None,
    };
    let proof = match (row.get("output")?, row.get("proof")?) {
        (Some(output), Some(blob)) => Some(Proven { output, blob }),
        _ => None,
    };
    Ok(Entry {
        id: word("id")?,
        request: Request {
            subject: row.get("subject")?,
            sequence: word("sequence")?,
            deadline: word("deadline")?,
            action: word("action")?,
            data_commitment: word("data_commitment")?,
        },
        reward: rewards::read(row)?,
        input: row.get("input")?,
        block: row.get::<i64>("block")?.unsigned_abs(),
        status: row.get("status")?,
        reason: row.get("reason")?,
        closed,
        proof,
        attempts: few(row.get("attempts")?),
        failures: few(row.get("failures")?),
        duty: results::duty(row)?,
    })
}
