//! A circuit with all its rows assigned, as data.

use std::collections::BTreeSet;

use ff::Field;
use halo2_proofs::halo2curves::bn256::Fr;
use zkml_graph::{System, wiring::Elem};

use crate::{
    blueprint::Blueprint,
    cells::{Packed, Source},
    error::{ProverError, Result},
    gate::{Gate, RowOp},
    polynomial::field,
    statement::StatementCells,
};

/// One row of the lookup table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableRow {
    /// Key plus one; never zero, so that it also marks the rows in use.
    pub key: Fr,
    /// Tag of the table (zero for the range), then its outputs times the tag. The tag is an entry of its own:
    /// were it only mixed into key and outputs, a prover could choose those so that an entry of the range
    /// passes for one of a function.
    pub tagged: [Fr; 3],
}

/// A circuit with all its rows assigned.
#[derive(Debug, Clone)]
pub struct Layout {
    /// What it was drawn from.
    pub blueprint: Blueprint,
    /// What the cells under the permutation show: column, row, source.
    pub placements: Vec<(u8, u32, Source)>,
    /// Weights: column, row, value.
    pub weights: Vec<(u8, u32, Fr)>,
    /// Active gates: row, gate.
    pub active: Vec<(u32, usize)>,
    /// Rows of the accumulator, in order.
    pub accumulator: Vec<(u32, RowOp)>,
    /// First row of each group's blocks.
    pub bases: Vec<u32>,
    /// The statement.
    pub statement: StatementCells,
    /// Field elements that several values share: those of the statement first.
    pub packed: Vec<Packed>,
    /// First row of each call of the hash, in order of the commitments.
    pub hashes: Vec<u32>,
    /// Key lookups: row and table.
    pub keys: Vec<(u32, u32)>,
    /// First free row.
    pub rows: usize,
}

/// Collects rows in order.
pub(crate) struct Rows {
    pub(crate) layout: Layout,
    pub(crate) constants: BTreeSet<i64>,
}

impl Rows {
    /// The next free row; takes `height` rows.
    pub(crate) fn take(&mut self, height: usize) -> u32 {
        let row = self.layout.rows as u32;
        self.layout.rows += height;
        row
    }

    pub(crate) fn put(&mut self, column: usize, row: u32, source: Source) {
        if let Source::Elem(Elem::Const(v)) = source {
            self.constants.insert(v);
        }
        self.layout.placements.push((column as u8, row, source));
    }

    pub(crate) fn weight(&mut self, column: usize, row: u32, value: Fr) {
        if value != Fr::ZERO {
            self.layout.weights.push((column as u8, row, value));
        }
    }

    pub(crate) fn gate(&mut self, row: u32, gate: &Gate) -> Result<()> {
        let at = self.layout.blueprint.gates.iter().position(|g| g == gate);
        let at = at.ok_or_else(|| ProverError::Unsupported {
            label: "layout".into(),
            detail: format!("the gate {gate:?} was not planned"),
        })?;
        self.layout.active.push((row, at));
        Ok(())
    }

    pub(crate) fn op(&mut self, op: RowOp) -> u32 {
        let row = self.take(1);
        self.layout.accumulator.push((row, op));
        row
    }
}

/// All rows of the lookup table; the first is the entry for zero.
pub fn table(system: &System, limb_bits: u32) -> Vec<TableRow> {
    let range = (0..1u64 << limb_bits).map(|v| TableRow { key: Fr::from(v + 1), tagged: [Fr::ZERO; 3] });
    let functions = system.tables.iter().enumerate().flat_map(|(i, t)| {
        let tag = Fr::from(i as u64 + 1);
        (0..t.len()).map(move |j| TableRow {
            key: Fr::from(j as u64 + 1),
            tagged: [
                tag,
                tag * field(t.columns[0][j].into()),
                t.columns.get(1).map_or(Fr::ZERO, |c| tag * field(c[j].into())),
            ],
        })
    });
    range.chain(functions).collect()
}
