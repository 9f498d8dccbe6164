//! Which blocks the journal has read, and what a reorganisation takes back.

use super::{
    Journal,
    requests::{self, size},
    results,
};
use crate::{
    error::Result,
    seen::Seen,
    store::{Row, Sql, StoreError, values},
};
use alloy::primitives::B256;

/// Heights and hashes that are kept.
const KEPT: u64 = 256;

impl Journal {
    /// The last block that was read.
    pub(crate) fn top(&self) -> Result<Option<(u64, B256)>> {
        self.read(|sql| {
            let row = sql.first("SELECT number, hash FROM blocks ORDER BY number DESC LIMIT 1", &[])?;
            row.as_ref().map(block).transpose()
        })
    }

    /// All blocks that are known, the last one first.
    pub(crate) fn blocks(&self) -> Result<Vec<(u64, B256)>> {
        self.read(|sql| {
            sql.query("SELECT number, hash FROM blocks ORDER BY number DESC", &values![])?
                .iter()
                .map(block)
                .collect()
        })
    }

    /// Where reading began.
    pub(crate) fn first_block(&self) -> Result<Option<u64>> {
        let row = self.read(|sql| sql.first("SELECT value FROM meta WHERE key = 'from'", &[]))?;
        Ok(row.and_then(|row| row.get::<String>(0).ok()).and_then(|text| text.parse().ok()))
    }

    /// Notes where reading begins; the first time counts.
    pub(crate) fn begin_at(&mut self, number: u64) -> Result<()> {
        self.write(|sql| {
            sql.execute(
                "INSERT INTO meta (key, value) VALUES ('from', ?1) ON CONFLICT (key) DO NOTHING",
                &values![number.to_string()],
            )
            .map(|_| ())
        })
    }

    /// What was read up to a block, whose height and hash come last, as one step. Returns what was news.
    pub(crate) fn read_up_to(&mut self, seen: &[Seen], last: (u64, B256)) -> Result<Vec<Seen>> {
        self.write(|sql| {
            let mut news = Vec::new();
            for event in seen {
                if requests::apply(sql, event)? {
                    news.push(event.clone());
                }
                keep(sql, event.block, event.block_hash)?;
            }
            keep(sql, last.0, last.1)?;
            sql.execute("DELETE FROM blocks WHERE number < ?1", &values![size(last.0.saturating_sub(KEPT))])?;
            Ok(news)
        })
    }

    /// Takes back all that was read above a block. Returns how many requests went, for now.
    pub(crate) fn forget_above(&mut self, ancestor: Option<u64>) -> Result<usize> {
        let above = ancestor.map_or(-1, size);
        self.write(|sql| {
            sql.execute("DELETE FROM blocks WHERE number > ?1", &values![above])?;
            sql.execute(
                "UPDATE requests SET status = 'open', closed_block = NULL, closed_how = NULL, closed_by = NULL, \
                 reason = NULL, next_try = 0 WHERE closed_block > ?1",
                &values![above],
            )?;
            revive(sql, above)?;
            results::forget_above(sql, above)?;
            sql.execute(
                "UPDATE requests SET status = 'orphaned' WHERE block > ?1 AND status IN ('open', 'done', 'refused')",
                &values![above],
            )
        })
    }
}

/// Transactions of blocks that are gone wait again. One whose request has another by now shall not be mined any more.
fn revive(sql: &mut dyn Sql, above: i64) -> Result<(), StoreError> {
    sql.execute(
        "UPDATE slots SET request = NULL, void = 1 WHERE status = 'mined' AND block > ?1 AND EXISTS \
         (SELECT 1 FROM slots AS other WHERE other.request = slots.request AND other.slot <> slots.slot \
          AND (other.status = 'live' OR (other.status = 'mined' AND other.slot > slots.slot)))",
        &values![above],
    )?;
    sql.execute(
        "UPDATE slots SET status = 'live', block = NULL, cost = NULL, mined_at = 0 WHERE status = 'mined' AND block > ?1",
        &values![above],
    )?;
    Ok(())
}

fn keep(sql: &mut dyn Sql, number: u64, hash: B256) -> Result<(), StoreError> {
    sql.execute(
        "INSERT INTO blocks (number, hash) VALUES (?1, ?2) ON CONFLICT (number) DO UPDATE SET hash = excluded.hash",
        &values![size(number), hash.as_slice()],
    )?;
    Ok(())
}

fn block(row: &Row) -> Result<(u64, B256), StoreError> {
    Ok((row.get::<i64>(0)?.unsigned_abs(), B256::from(row.get::<[u8; 32]>(1)?)))
}
