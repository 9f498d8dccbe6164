//! Assigns every block, contraction and public value its rows.

use std::collections::BTreeSet;

use zkml_graph::{
    System,
    wiring::{Elem, Wiring},
};

use crate::{
    block::Slot,
    blueprint::Blueprint,
    cells::Source,
    contraction_rows,
    error::Result,
    gate::Gate,
    layout::{Layout, Rows},
    polynomial::field,
    poseidon_rows,
    shape::Shape,
    statement::StatementCells,
};

/// Lays out a circuit.
///
/// # Errors
/// [`ProverError::Unsupported`](crate::ProverError::Unsupported) for a gate that the blueprint lacks.
pub fn layout(system: &System, blueprint: Blueprint) -> Result<Layout> {
    let wiring = Wiring::new(system);
    let statement = StatementCells::new(system, &wiring);
    let mut rows = Rows {
        layout: Layout {
            blueprint,
            placements: vec![],
            weights: vec![],
            active: vec![],
            accumulator: vec![],
            bases: vec![],
            packed: statement.words.clone(),
            statement,
            hashes: vec![],
            keys: vec![],
            rows: 0,
        },
        constants: BTreeSet::new(),
    };
    public_rows(&mut rows)?;
    block_rows(&wiring, &mut rows)?;
    hash_rows(&mut rows)?;
    contraction_rows::lay_all(system, &wiring, &mut rows)?;
    constant_rows(&mut rows)?;
    Ok(rows.layout)
}

fn public_rows(rows: &mut Rows) -> Result<()> {
    let context = rows.take(1);
    rows.gate(context, &Gate::Public)?;
    for source in rows.layout.statement.instances.clone() {
        let row = rows.take(1);
        rows.gate(row, &Gate::Public)?;
        rows.put(0, row, source);
    }
    Ok(())
}

/// The calls of the hash. Only what goes in and what comes out is wired; the cells between hold what the gates say.
fn hash_rows(rows: &mut Rows) -> Result<()> {
    let Shape { a_columns, w_columns, .. } = rows.layout.blueprint.shape;
    for chain in rows.layout.statement.hash_chains.clone() {
        let mut link = Source::Elem(Elem::Const(chain.domain));
        for words in chain.words.chunks(zkml_protocol::commitment::WORDS_PER_CALL) {
            let call = rows.layout.hashes.len() as u32;
            let base = rows.take(poseidon_rows::call_height(a_columns, w_columns));
            rows.layout.hashes.push(base);
            let state = [Source::Elem(Elem::Const(0)), link].into_iter().chain(words.iter().copied());
            for (i, source) in state.enumerate() {
                rows.put(i % a_columns, base + (i / a_columns) as u32, source);
            }
            let mut row = base;
            for (step, round) in poseidon_rows::steps() {
                rows.gate(row, &Gate::Hash(step))?;
                for (i, c) in poseidon_rows::added(step, round).into_iter().enumerate() {
                    rows.weight(i % w_columns, row + (i / w_columns) as u32, c);
                }
                row += step.height(a_columns, w_columns) as u32;
            }
            link = Source::Link(call);
            rows.put(0, row, link);
        }
    }
    Ok(())
}

fn block_rows(wiring: &Wiring<'_>, rows: &mut Rows) -> Result<()> {
    for g in 0..rows.layout.blueprint.groups.len() {
        let (gate, group) = rows.layout.blueprint.groups[g].clone();
        let height = group.template.height;
        let base = rows.take(group.count * height);
        rows.layout.bases.push(base);
        for i in 0..group.count {
            let row = base + (i * height) as u32;
            rows.layout.active.extend(gate.map(|g| (row, g)));
            for (r, table) in &group.template.keys {
                rows.layout.keys.push((row + u32::from(*r), table.0));
            }
        }
        for (slot, view) in &group.cells {
            let Slot::A(c, r) = slot else { continue };
            for (i, e) in wiring.elements(view).into_iter().enumerate() {
                rows.put(*c as usize, base + (i * height) as u32 + u32::from(*r), Source::Elem(e));
            }
        }
    }
    Ok(())
}

/// Gives every constant that is shown somewhere one cell that is pinned to its value.
fn constant_rows(rows: &mut Rows) -> Result<()> {
    for v in std::mem::take(&mut rows.constants) {
        let row = rows.take(1);
        rows.gate(row, &Gate::Constant)?;
        rows.put(0, row, Source::Elem(Elem::Const(v)));
        rows.weight(0, row, field(v.into()));
    }
    Ok(())
}
