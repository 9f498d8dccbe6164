//! What people look at: what waits, and how long the last requests took.

use zkml_protocol::Word;

use super::{
    Journal, now_ms,
    requests::{WAITING, size},
};
use crate::{
    error::Result,
    store::{Row, values},
};

/// A request that waits, or that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Its id.
    pub(crate) request: Word,
    /// How far it is: `seen`, `proven`, `sent`, or `refused`.
    pub(crate) state: String,
    /// Milliseconds since it was first seen.
    pub(crate) age_ms: u64,
    /// How often it was put off.
    pub(crate) attempts: u64,
    /// Why it is refused, or what stands in the way.
    pub(crate) reason: Option<String>,
}

impl Journal {
    /// Requests that wait, the oldest first.
    pub(crate) fn waiting(&self, limit: usize) -> Result<Vec<Shown>> {
        self.shown(WAITING, "seen_at", limit)
    }

    /// Requests that were given up, the last first.
    pub(crate) fn given_up(&self, limit: usize) -> Result<Vec<Shown>> {
        self.shown("status = 'refused'", "seen_at DESC", limit)
    }

    fn shown(&self, condition: &str, order: &str, limit: usize) -> Result<Vec<Shown>> {
        let query = format!(
            "SELECT id, CASE WHEN status = 'refused' THEN 'refused' \
             WHEN EXISTS (SELECT 1 FROM slots WHERE slots.request = requests.id AND slots.status IN ('live', 'mined')) THEN 'sent' \
             WHEN proof IS NOT NULL THEN 'proven' ELSE 'seen' END, seen_at, attempts, reason \
             FROM requests WHERE {condition} ORDER BY {order} LIMIT ?1"
        );
        let now = now_ms();
        let shown = |row: &Row| {
            Ok(Shown {
                request: row.get(0).map(Word)?,
                state: row.get(1)?,
                age_ms: now.saturating_sub(row.get(2)?).max(0).unsigned_abs(),
                attempts: row.get::<i64>(3)?.unsigned_abs(),
                reason: row.get(4)?,
            })
        };
        self.read(|sql| sql.query(&query, &values![size(limit)])?.iter().map(shown).collect())
    }

    /// Milliseconds from first sight to the block of the fulfilment, of the requests that transactions of ours fulfilled last; the last
    /// first.
    pub(crate) fn latencies(&self, limit: usize) -> Result<Vec<u64>> {
        let query = "SELECT mined_at - seen_at FROM slots JOIN requests ON slots.request = requests.id \
                     WHERE slots.status IN ('mined', 'final') AND void = 0 AND mined_at > 0 AND closed_how = 'fulfilled' \
                     ORDER BY mined_at DESC LIMIT ?1";
        let took = |row: &Row| Ok(row.get::<i64>(0)?.max(0).unsigned_abs());
        self.read(|sql| sql.query(query, &values![size(limit)])?.iter().map(took).collect())
    }
}
