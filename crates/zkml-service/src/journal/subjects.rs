//! Requests by who asks.

use std::collections::BTreeSet;

use alloy::primitives::Address;
use rusqlite::params;
use zkml_protocol::Word;

use super::{
    Journal, now_ms,
    requests::{COLUMNS, Entry, WAITING, entry},
    results::IS_DUTY,
};
use crate::{error::Result, serving::Quota};

/// Why a request of somebody else is refused.
const NOT_SERVED: &str = "its subject is not among those that are served";

impl Journal {
    /// Refuses what waits and was not asked by these.
    pub(crate) fn refuse_others(&mut self, subjects: &BTreeSet<Address>) -> Result<Vec<Entry>> {
        let query = format!(
            "UPDATE requests SET status = 'refused', reason = ?1 WHERE {WAITING} AND NOT {IS_DUTY} AND subject NOT IN ({}) RETURNING {COLUMNS}",
            list(subjects)
        );
        self.write(|sql| sql.prepare(&query)?.query_map([NOT_SERVED], entry)?.collect())
    }

    /// Takes up what was refused for its subject, where that is served now; all of it if everybody is.
    pub(crate) fn take_up(&mut self, subjects: Option<&BTreeSet<Address>>) -> Result<()> {
        let whose = subjects.map_or("1".to_owned(), |subjects| format!("subject IN ({})", list(subjects)));
        let query = format!(
            "UPDATE requests SET status = 'open', reason = NULL WHERE status = 'refused' AND reason = ?1 AND {whose}"
        );
        self.write(|sql| sql.execute(&query, [NOT_SERVED]).map(|_| ()))
    }

    /// Number of requests that were refused for their subject.
    pub(crate) fn not_served(&self) -> Result<u64> {
        let query = "SELECT count(*) FROM requests WHERE status = 'refused' AND reason = ?1";
        self.read(|sql| sql.query_row(query, [NOT_SERVED], |row| row.get::<_, i64>(0))).map(i64::unsigned_abs)
    }

    /// Subjects of whom as many requests were begun as a quota allows.
    pub(crate) fn over_quota(&self, quota: &Quota) -> Result<BTreeSet<Address>> {
        let query = format!(
            "SELECT subject FROM requests WHERE begun_at > ?1 AND NOT {IS_DUTY} GROUP BY subject HAVING count(*) >= ?2"
        );
        let (since, most) = (now_ms().saturating_sub(quota.milliseconds), super::requests::size(quota.most));
        self.read(|sql| {
            let address = |row: &rusqlite::Row<'_>| row.get::<_, [u8; 20]>(0).map(Address::from);
            sql.prepare(&query)?.query_map([since, most], address)?.collect()
        })
    }

    /// Number of other requests of a subject that were begun within a quota's time.
    pub(crate) fn begun_besides(&self, id: &Word, subject: &[u8; 20], quota: &Quota) -> Result<u64> {
        let query = "SELECT count(*) FROM requests WHERE subject = ?1 AND begun_at > ?2 AND id <> ?3";
        let since = now_ms().saturating_sub(quota.milliseconds);
        self.read(|sql| sql.query_row(query, params![subject, since, id.0], |row| row.get::<_, i64>(0)))
            .map(i64::unsigned_abs)
    }

    /// Number of requests of these subjects that wait for their first proof.
    pub(crate) fn held(&self, subjects: &BTreeSet<Address>) -> Result<u64> {
        let query = format!(
            "SELECT count(*) FROM requests WHERE {WAITING} AND proof IS NULL AND begun_at = 0 AND NOT {IS_DUTY} AND subject IN ({})",
            list(subjects)
        );
        self.read(|sql| sql.query_row(&query, [], |row| row.get::<_, i64>(0))).map(i64::unsigned_abs)
    }
}

/// Addresses as SQL has bytes.
pub(super) fn list(subjects: &BTreeSet<Address>) -> String {
    let bytes = subjects.iter().map(|subject| format!("x'{}'", alloy::primitives::hex::encode(subject)));
    bytes.collect::<Vec<_>>().join(", ")
}
