//! Which blocks the journal has read, and what a reorganisation takes back.

use alloy::primitives::B256;
use rusqlite::{OptionalExtension, Transaction, params};

use super::{
    Journal,
    requests::{self, size},
    results,
};
use crate::{error::Result, seen::Seen};

/// Heights and hashes that are kept.
const KEPT: u64 = 256;

impl Journal {
    /// The last block that was read.
    pub(crate) fn top(&self) -> Result<Option<(u64, B256)>> {
        self.read(|sql| {
            sql.query_row("SELECT number, hash FROM blocks ORDER BY number DESC LIMIT 1", [], block)
                .optional()
        })
    }

    /// All blocks that are known, the last one first.
    pub(crate) fn blocks(&self) -> Result<Vec<(u64, B256)>> {
        self.read(|sql| {
            sql.prepare("SELECT number, hash FROM blocks ORDER BY number DESC")?
                .query_map([], block)?
                .collect()
        })
    }

    /// Where reading began.
    pub(crate) fn first_block(&self) -> Result<Option<u64>> {
        let text: Option<String> = self.read(|sql| {
            sql.query_row("SELECT value FROM meta WHERE key = 'from'", [], |row| row.get(0)).optional()
        })?;
        Ok(text.and_then(|text| text.parse().ok()))
    }

    /// Notes where reading begins; the first time counts.
    pub(crate) fn begin_at(&mut self, number: u64) -> Result<()> {
        self.write(|sql| {
            sql.execute("INSERT OR IGNORE INTO meta (key, value) VALUES ('from', ?1)", [number.to_string()])
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
            sql.execute("DELETE FROM blocks WHERE number < ?1", [size(last.0.saturating_sub(KEPT))])?;
            Ok(news)
        })
    }

    /// Takes back all that was read above a block. Returns how many requests went, for now.
    pub(crate) fn forget_above(&mut self, ancestor: Option<u64>) -> Result<usize> {
        let above = ancestor.map_or(-1, size);
        self.write(|sql| {
            sql.execute("DELETE FROM blocks WHERE number > ?1", [above])?;
            sql.execute(
                "UPDATE requests SET status = 'open', closed_block = NULL, closed_how = NULL, closed_by = NULL, \
                 reason = NULL, next_try = 0 WHERE closed_block > ?1",
                [above],
            )?;
            revive(sql, above)?;
            results::forget_above(sql, above)?;
            sql.execute(
                "UPDATE requests SET status = 'orphaned' WHERE block > ?1 AND status IN ('open', 'done', 'refused')",
                [above],
            )
        })
    }
}

/// Transactions of blocks that are gone wait again. One whose request has another by now shall not be mined any more.
fn revive(sql: &Transaction<'_>, above: i64) -> rusqlite::Result<()> {
    sql.execute(
        "UPDATE slots SET request = NULL, void = 1 WHERE status = 'mined' AND block > ?1 AND EXISTS \
         (SELECT 1 FROM slots AS other WHERE other.request = slots.request AND other.slot <> slots.slot \
          AND (other.status = 'live' OR (other.status = 'mined' AND other.slot > slots.slot)))",
        [above],
    )?;
    sql.execute(
        "UPDATE slots SET status = 'live', block = NULL, cost = NULL, mined_at = 0 WHERE status = 'mined' AND block > ?1",
        [above],
    )?;
    Ok(())
}

fn keep(sql: &Transaction<'_>, number: u64, hash: B256) -> rusqlite::Result<()> {
    sql.execute(
        "INSERT INTO blocks (number, hash) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET hash = excluded.hash",
        params![size(number), hash.as_slice()],
    )?;
    Ok(())
}

fn block(row: &rusqlite::Row<'_>) -> rusqlite::Result<(u64, B256)> {
    Ok((row.get::<_, i64>(0)?.unsigned_abs(), B256::from(row.get::<_, [u8; 32]>(1)?)))
}
