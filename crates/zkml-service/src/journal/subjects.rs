//! Requests by who asks.

use std::collections::BTreeSet;

use alloy::primitives::Address;
use zkml_protocol::Word;

use super::{
    Journal, now_ms,
    requests::{COLUMNS, Entry, WAITING, entry},
    results::IS_DUTY,
};
use crate::{
    error::Result,
    serving::Quota,
    store::{Row, values},
};

/// Why a request of somebody else is refused.
const NOT_SERVED: &str = "its subject is not among those that are served";

impl Journal {
    /// Refuses what waits and was not asked by these.
    pub(crate) fn refuse_others(&mut self, subjects: &BTreeSet<Address>) -> Result<Vec<Entry>> {
        let query = format!(
            "UPDATE requests SET status = 'refused', reason = ?1 WHERE {WAITING} AND NOT {IS_DUTY} AND NOT {} RETURNING {COLUMNS}",
            self.among(subjects)
        );
        self.write(|sql| sql.query(&query, &values![NOT_SERVED])?.iter().map(entry).collect())
    }

    /// Takes up what was refused for its subject, where that is served now; all of it if everybody is.
    pub(crate) fn take_up(&mut self, subjects: Option<&BTreeSet<Address>>) -> Result<()> {
        let whose = subjects.map_or_else(|| "TRUE".to_owned(), |subjects| self.among(subjects));
        let query = format!(
            "UPDATE requests SET status = 'open', reason = NULL WHERE status = 'refused' AND reason = ?1 AND {whose}"
        );
        self.write(|sql| sql.execute(&query, &values![NOT_SERVED]).map(|_| ()))
    }

    /// Number of requests that were refused for their subject.
    pub(crate) fn not_served(&self) -> Result<u64> {
        let query = "SELECT count(*) FROM requests WHERE status = 'refused' AND reason = ?1";
        self.read(|sql| sql.number(query, &values![NOT_SERVED]))
    }

    /// Subjects of whom as many requests were begun as a quota allows.
    pub(crate) fn over_quota(&self, quota: &Quota) -> Result<BTreeSet<Address>> {
        let query = format!(
            "SELECT subject FROM requests WHERE begun_at > ?1 AND NOT {IS_DUTY} GROUP BY subject HAVING count(*) >= ?2"
        );
        let (since, most) = (now_ms().saturating_sub(quota.milliseconds), super::requests::size(quota.most));
        self.read(|sql| {
            let address = |row: &Row| row.get::<[u8; 20]>(0).map(Address::from);
            sql.query(&query, &values![since, most])?.iter().map(address).collect()
        })
    }

    /// Number of other requests of a subject that were begun within a quota's time.
    pub(crate) fn begun_besides(&self, id: &Word, subject: &[u8; 20], quota: &Quota) -> Result<u64> {
        let query = "SELECT count(*) FROM requests WHERE subject = ?1 AND begun_at > ?2 AND id <> ?3";
        let since = now_ms().saturating_sub(quota.milliseconds);
        self.read(|sql| sql.number(query, &values![subject, since, id.0]))
    }

    /// Number of requests of these subjects that wait for their first proof.
    pub(crate) fn held(&self, subjects: &BTreeSet<Address>) -> Result<u64> {
        let query = format!(
            "SELECT count(*) FROM requests WHERE {WAITING} AND proof IS NULL AND begun_at = 0 AND NOT {IS_DUTY} AND {}",
            self.among(subjects)
        );
        self.read(|sql| sql.number(&query, &values![]))
    }

    /// A condition: the subject is one of these.
    pub(super) fn among(&self, subjects: &BTreeSet<Address>) -> String {
        if subjects.is_empty() {
            return "FALSE".to_owned();
        }
        let bytes = subjects.iter().map(|subject| self.dialect.bytes(subject.as_slice()));
        format!("subject IN ({})", bytes.collect::<Vec<_>>().join(", "))
    }
}
