//! Nonces, and all that was signed for each: no node sees a transaction that is not in here.

use std::collections::BTreeSet;

use alloy::primitives::{B256, U256};
use zkml_deploy::{rpc::Fees, secret::redact, transaction::Signed};
use zkml_protocol::Word;

use super::{Journal, now_ms, requests::size};
use crate::{
    error::Result,
    store::{Row, Sql, StoreError, values},
};

/// A nonce of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NonceSlot {
    /// Its number in the journal.
    pub id: i64,
    /// The nonce.
    pub nonce: u64,
    /// The request that it is for; none once that has another.
    pub request: Option<Word>,
    /// An empty transaction shall take the nonce.
    pub void: bool,
    /// Most gas of its offers.
    pub gas: u64,
    /// What publication on another layer costs on top, in wei, as it was when the nonce was first signed for.
    pub publication: U256,
    /// What was signed, the newest last; never empty.
    pub offers: Vec<Offer>,
}

/// A signed transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its hash.
    pub hash: B256,
    /// What a node is sent.
    pub raw: Vec<u8>,
    /// What it pays.
    pub fees: Fees,
    /// It is the empty one.
    pub void: bool,
    /// Time in milliseconds since 1970.
    pub signed_at: i64,
}

impl NonceSlot {
    /// Most that its dearest offer can cost, in wei.
    pub(crate) fn worst(&self) -> U256 {
        let dearest = self.offers.iter().map(|offer| offer.fees.max).max().unwrap_or_default();
        U256::from(self.gas).saturating_mul(U256::from(dearest)).saturating_add(self.publication)
    }
}

impl Journal {
    /// Transactions that are not mined, by nonce.
    ///
    /// # Errors
    /// [`ServiceError::Journal`](crate::ServiceError::Journal).
    pub fn live(&self) -> Result<Vec<NonceSlot>> {
        self.read(|sql| {
            let offers = "SELECT hash, raw, max_fee, priority_fee, void, signed_at FROM offers WHERE slot = ?1 ORDER BY rowid";
            let slots = "SELECT slot, nonce, request, void, gas, publication FROM slots WHERE status = 'live' ORDER BY nonce";
            let found: Vec<NonceSlot> = sql.query(slots, &[])?.iter().map(slot).collect::<Result<_, _>>()?;
            let with_offers = |slot: NonceSlot| {
                let offers = sql.query(offers, &values![slot.id])?.iter().map(offer).collect::<Result<_, _>>()?;
                Ok(NonceSlot { offers, ..slot })
            };
            found.into_iter().map(with_offers).collect()
        })
    }

    /// Nonces that no other transaction may take.
    pub(crate) fn held_nonces(&self) -> Result<BTreeSet<u64>> {
        self.read(|sql| {
            let rows = sql.query("SELECT nonce FROM slots WHERE status IN ('live', 'mined')", &[])?;
            rows.iter().map(|row| row.get::<i64>(0).map(i64::unsigned_abs)).collect()
        })
    }

    /// How many transactions were ever signed.
    ///
    /// # Errors
    /// [`ServiceError::Journal`](crate::ServiceError::Journal).
    pub fn offer_count(&self) -> Result<u64> {
        self.read(|sql| sql.number("SELECT count(*) FROM offers", &values![]))
    }

    /// Writes down what is about to be sent for a request. Fails when the request, or the nonce, has a transaction.
    pub(crate) fn begin(&mut self, request: &Word, signed: &Signed, publication: U256) -> Result<()> {
        self.write(|sql| {
            let row = sql.first(
                "INSERT INTO slots (nonce, request, gas, status, publication) VALUES (?1, ?2, ?3, 'live', ?4) RETURNING slot",
                &values![size(signed.nonce), request.0, size(signed.gas), publication.to_string()],
            )?;
            let slot = row.ok_or_else(|| StoreError::damaged("no slot was made"))?.get(0)?;
            add_offer(sql, slot, signed, false)
        })
    }

    /// Writes down another transaction of the same nonce.
    pub(crate) fn offer_more(&mut self, slot: i64, signed: &Signed, void: bool) -> Result<()> {
        self.write(|sql| {
            sql.execute(
                "UPDATE slots SET void = ?2, gas = CASE WHEN gas < ?3 THEN ?3 ELSE gas END WHERE slot = ?1",
                &values![slot, void, size(signed.gas)],
            )?;
            add_offer(sql, slot, signed, void)
        })
    }

    /// One of the nonce's transactions is in a block; a reason says that it failed there.
    pub(crate) fn mined(&mut self, slot: i64, block: u64, failed: Option<&str>, cost: U256) -> Result<()> {
        self.write(|sql| {
            sql.execute(
                "UPDATE slots SET status = 'mined', block = ?2, cost = ?3, mined_at = ?4 WHERE slot = ?1 AND status = 'live'",
                &values![slot, size(block), cost.to_string(), now_ms()],
            )?;
            if let Some(reason) = failed {
                sql.execute(
                    "UPDATE requests SET failures = failures + 1, reason = ?2 \
                     WHERE id = (SELECT request FROM slots WHERE slot = ?1) AND status = 'open'",
                    &values![slot, redact(reason)],
                )?;
            }
            Ok(())
        })
    }

    /// What transactions cost that were found in blocks after this time, in wei.
    pub(crate) fn spent_since(&self, time: i64) -> Result<U256> {
        self.read(|sql| {
            let query = "SELECT cost FROM slots WHERE mined_at > ?1 AND cost IS NOT NULL";
            let mut total = U256::ZERO;
            for row in sql.query(query, &values![time])? {
                // Whatever somebody wrote into the file: what cannot be read is too much.
                total = total.saturating_add(row.get::<String>(0)?.parse().unwrap_or(U256::MAX));
            }
            Ok(total)
        })
    }

    /// Somebody else used the nonce.
    pub(crate) fn stolen(&mut self, slot: i64) -> Result<()> {
        self.write(|sql| {
            sql.execute(
                "UPDATE slots SET status = 'stolen' WHERE slot = ?1 AND status = 'live'",
                &values![slot],
            )
            .map(|_| ())
        })
    }

    /// Transactions up to a block are final: their bytes are of no use any more.
    pub(crate) fn settle(&mut self, last: u64) -> Result<()> {
        self.write(|sql| {
            sql.execute(
                "UPDATE offers SET raw = ?2 WHERE slot IN (SELECT slot FROM slots WHERE status = 'mined' AND block <= ?1)",
                &values![size(last), Vec::new()],
            )?;
            sql.execute("UPDATE slots SET status = 'final' WHERE status = 'mined' AND block <= ?1", &values![size(last)])
                .map(|_| ())
        })
    }
}

fn add_offer(sql: &mut dyn Sql, slot: i64, signed: &Signed, void: bool) -> Result<(), StoreError> {
    let Fees { max, priority } = signed.fees;
    sql.execute(
        "INSERT INTO offers (hash, slot, raw, max_fee, priority_fee, void, signed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &values![
            signed.hash.0,
            slot,
            signed.raw.clone(),
            max.to_string(),
            priority.to_string(),
            void,
            now_ms()
        ],
    )
    .map(|_| ())
}

fn slot(row: &Row) -> Result<NonceSlot, StoreError> {
    Ok(NonceSlot {
        id: row.get(0)?,
        nonce: row.get::<i64>(1)?.unsigned_abs(),
        request: row.get::<Option<[u8; 32]>>(2)?.map(Word),
        void: row.get(3)?,
        gas: row.get::<i64>(4)?.unsigned_abs(),
        // Whatever somebody wrote into the file: what cannot be read is too much.
        publication: row.get::<String>(5)?.parse().unwrap_or(U256::MAX),
        offers: Vec::new(),
    })
}

fn offer(row: &Row) -> Result<Offer, StoreError> {
    let fee = |column| row.get::<String>(column).map(|text| text.parse().unwrap_or_default());
    Ok(Offer {
        hash: B256::from(row.get::<[u8; 32]>(0)?),
        raw: row.get(1)?,
        fees: Fees { max: fee(2)?, priority: fee(3)? },
        void: row.get(4)?,
        signed_at: row.get(5)?,
    })
}
