//! Lays out the rows of one contraction.

use ff::Field;
use halo2_proofs::halo2curves::bn256::Fr;
use zkml_graph::{
    Relation, System, View,
    contraction::Dims,
    wiring::{Elem, Wiring},
};

use crate::{
    cells::{Packed, Source},
    contraction::{Contraction, Method},
    error::{ProverError, Result},
    gate::{Gate, RowOp},
    layout::Rows,
    polynomial::{field, pow2},
};

/// The operands of a contraction, constant on the right, with uniform indexing.
struct Operands {
    dims: Dims,
    swapped: bool,
    /// `[batch, m, k]` before any swap.
    left: Vec<Elem>,
    /// `[batch, k, n]` before any swap.
    right: Vec<Elem>,
    result: Vec<Elem>,
    addend: Option<Vec<Elem>>,
}

impl Operands {
    fn new(system: &System, wiring: &Wiring<'_>, c: &Contraction) -> Result<Self> {
        let Relation::Contract { a, b, addend, y, .. } = &system.relations[c.relation].1 else {
            return Err(ProverError::Unsupported {
                label: c.label.clone(),
                detail: "not a contraction".into(),
            });
        };
        let elements = |v: &View| wiring.elements(v);
        let addend = addend.as_ref().filter(|_| c.has_addend).map(elements);
        let (left, right, result) = (elements(a), elements(b), elements(y));
        Ok(Self { dims: c.dims, swapped: c.swapped, left, right, result, addend })
    }

    /// Element of the operand that is not constant, at position `p` and term `k`.
    fn witness(&self, b: usize, p: usize, k: usize) -> Elem {
        let Dims { m, k: terms, .. } = self.dims;
        if self.swapped { self.right[(b * terms + k) * m + p] } else { self.left[(b * m + p) * terms + k] }
    }

    /// Element of the other operand, at term `k` and result `o`.
    fn other(&self, b: usize, k: usize, o: usize) -> Elem {
        let Dims { k: terms, n, .. } = self.dims;
        if self.swapped { self.left[(b * n + o) * terms + k] } else { self.right[(b * terms + k) * n + o] }
    }

    fn output_index(&self, b: usize, p: usize, o: usize) -> usize {
        let Dims { m, n, .. } = self.dims;
        if self.swapped { (b * n + o) * m + p } else { (b * m + p) * n + o }
    }

    fn output(&self, b: usize, p: usize, o: usize) -> Elem {
        self.result[self.output_index(b, p, o)]
    }

    fn addend(&self, b: usize, p: usize, o: usize) -> Elem {
        self.addend.as_ref().map_or(Elem::Const(0), |a| a[self.output_index(b, p, o)])
    }
}

fn constant(e: Elem) -> Fr {
    match e {
        Elem::Const(v) => field(v.into()),
        Elem::Cell(..) => Fr::ZERO,
    }
}

/// `Σ_s 2^{width·s} · f(first + s)` over the results of one group.
fn pack(c: &Contraction, group: usize, f: impl Fn(usize) -> Fr) -> Fr {
    let first = group * c.slots;
    let last = (first + c.slots).min(c.dims.n);
    let step = pow2(c.width);
    (first..last).rev().fold(Fr::ZERO, |acc, o| acc * step + f(o))
}

/// Lays out all contractions: first the blocks that pack results, then all rows of the accumulator without a gap,
/// so that the sum of each contraction is checked by the row that starts the next.
pub(crate) fn lay_all(system: &System, wiring: &Wiring<'_>, rows: &mut Rows) -> Result<()> {
    let contractions = rows.layout.blueprint.contractions.clone();
    let mut work = Vec::new();
    for c in &contractions {
        let ops = Operands::new(system, wiring, c)?;
        for b in 0..c.dims.batch {
            let packed = match c.method {
                Method::Fold => pack_results(rows, c, &ops, b)?,
                Method::Direct | Method::Pairs | Method::FoldCells => vec![],
            };
            work.push((c, b, packed));
        }
    }
    for (c, b, packed) in work {
        let ops = Operands::new(system, wiring, c)?;
        match c.method {
            Method::Direct => direct(rows, c, &ops, b)?,
            Method::Pairs => pairs(rows, c, &ops, b)?,
            Method::Fold => fold(rows, c, &ops, b, &packed)?,
            Method::FoldCells => fold_cells(rows, c, &ops, b)?,
        }
    }
    let words = rows.layout.statement.words.clone();
    for (id, word) in words.iter().enumerate() {
        pack_word(rows, word, Source::Packed(id as u32))?;
    }
    if !(contractions.is_empty() && words.is_empty()) {
        start(rows, Fr::ZERO)?;
    }
    Ok(())
}

fn start(rows: &mut Rows, initial: Fr) -> Result<()> {
    let row = rows.op(RowOp::Start);
    rows.weight(0, row, initial);
    rows.gate(row, &Gate::Start)
}

/// `Σ weight · element` in rows of lanes.
fn dot(rows: &mut Rows, terms: &[(Fr, Source)]) -> Result<()> {
    let shape = rows.layout.blueprint.shape;
    for chunk in terms.chunks(shape.a_columns.min(shape.w_columns)) {
        let row = rows.op(RowOp::Dot);
        rows.gate(row, &Gate::Dot)?;
        for (lane, (w, e)) in chunk.iter().enumerate() {
            rows.weight(lane, row, *w);
            rows.put(lane, row, *e);
        }
    }
    Ok(())
}

/// `Σ 2^{width·i}·(value + offset) − word = 0`: what the statement packs. The values are ranged elsewhere, so that
/// only one list of them gives the word.
fn pack_word(rows: &mut Rows, word: &Packed, target: Source) -> Result<()> {
    let (mut initial, mut terms) = (Fr::ZERO, Vec::with_capacity(word.members.len() + 1));
    for (i, member) in word.members.iter().enumerate() {
        let weight = pow2(word.width * i as u32);
        initial += weight * field(word.offset.into());
        match member {
            Elem::Const(v) => initial += weight * field((*v).into()),
            Elem::Cell(..) => terms.push((weight, Source::Elem(*member))),
        }
    }
    terms.push((-Fr::ONE, target));
    start(rows, initial)?;
    dot(rows, &terms)
}

fn direct(rows: &mut Rows, c: &Contraction, ops: &Operands, b: usize) -> Result<()> {
    for g in 0..c.groups() {
        // The packed weights of a group serve every position.
        let weights: Vec<Fr> = (0..c.dims.k).map(|k| pack(c, g, |o| constant(ops.other(b, k, o)))).collect();
        for p in 0..c.dims.m {
            let mut initial = pack(c, g, |o| constant(ops.addend(b, p, o)));
            let mut terms = Vec::with_capacity(c.dims.k + 2 * c.slots);
            for (k, w) in weights.iter().enumerate().filter(|(_, w)| **w != Fr::ZERO) {
                match ops.witness(b, p, k) {
                    Elem::Const(v) => initial += *w * field(v.into()),
                    cell => terms.push((*w, Source::Elem(cell))),
                }
            }
            let first = g * c.slots;
            for o in first..(first + c.slots).min(c.dims.n) {
                let w = pow2(c.width * (o - first) as u32);
                if let cell @ Elem::Cell(..) = ops.addend(b, p, o) {
                    terms.push((w, Source::Elem(cell)));
                }
                match ops.output(b, p, o) {
                    Elem::Const(v) => initial -= w * field(v.into()),
                    cell => terms.push((-w, Source::Elem(cell))),
                }
            }
            start(rows, initial)?;
            dot(rows, &terms)?;
        }
    }
    Ok(())
}

fn pairs(rows: &mut Rows, c: &Contraction, ops: &Operands, b: usize) -> Result<()> {
    let lanes = (rows.layout.blueprint.shape.a_columns / 2).max(1);
    for p in 0..c.dims.m {
        for o in 0..c.dims.n {
            let mut terms: Vec<(Elem, Elem)> =
                (0..c.dims.k).map(|k| (ops.witness(b, p, k), ops.other(b, k, o))).collect();
            terms.push((ops.output(b, p, o), Elem::Const(-1)));
            if c.has_addend {
                terms.push((ops.addend(b, p, o), Elem::Const(1)));
            }
            start(rows, Fr::ZERO)?;
            for chunk in terms.chunks(lanes) {
                let row = rows.op(RowOp::Pairs);
                rows.gate(row, &Gate::Pairs)?;
                let padded = chunk.iter().copied().chain(std::iter::repeat((Elem::Const(0), Elem::Const(0))));
                for (lane, (x, y)) in padded.take(lanes).enumerate() {
                    rows.put(2 * lane, row, Source::Elem(x));
                    rows.put(2 * lane + 1, row, Source::Elem(y));
                }
            }
        }
    }
    Ok(())
}

/// One folded column: its packed weights, and what it is multiplied with at each position.
struct FoldColumn {
    weights: Vec<Fr>,
    sources: Vec<Source>,
}

fn fold(rows: &mut Rows, c: &Contraction, ops: &Operands, b: usize, packed: &[Vec<Source>]) -> Result<()> {
    let groups = c.groups();
    start(rows, Fr::ZERO)?;
    let operand = |k: usize| FoldColumn {
        weights: (0..groups).map(|g| pack(c, g, |o| constant(ops.other(b, k, o)))).collect(),
        sources: (0..c.dims.m).map(|p| Source::Elem(ops.witness(b, p, k))).collect(),
    };
    let addend = c.has_addend.then(|| FoldColumn {
        weights: (0..groups).map(|g| pack(c, g, |o| constant(ops.addend(b, 0, o)))).collect(),
        sources: vec![Source::Elem(Elem::Const(1)); c.dims.m],
    });
    let results = (0..groups).map(|g| FoldColumn {
        weights: (0..groups).map(|o| if o == g { -Fr::ONE } else { Fr::ZERO }).collect(),
        sources: packed[g].clone(),
    });
    let mut pending: Option<Vec<Source>> = None;
    for column in (0..c.dims.k).map(operand).chain(addend).chain(results) {
        load(rows, pending.take(), &column.weights);
        pending = Some(column.sources);
    }
    load(rows, pending, &[]);
    Ok(())
}

/// Finishes the column before (sweeping over its positions), then folds the weights of the next one.
fn load(rows: &mut Rows, pending: Option<Vec<Source>>, weights: &[Fr]) {
    let shape = rows.layout.blueprint.shape;
    let (lanes, width) = (shape.a_columns, shape.w_columns);
    let chunks: Vec<&[Fr]> = if weights.is_empty() { vec![&[]] } else { weights.chunks(width).collect() };
    let mut chunks = chunks.into_iter();
    if let Some(sources) = pending {
        let count = sources.len().div_ceil(lanes).max(1);
        for (i, positions) in sources.chunks(lanes).enumerate() {
            let last = i + 1 == count;
            let row = rows.op(if last { RowOp::Next } else { RowOp::Sweep });
            let padded = positions.iter().copied().chain(std::iter::repeat(Source::Elem(Elem::Const(0))));
            padded.take(lanes).enumerate().for_each(|(lane, s)| rows.put(lane, row, s));
            if last {
                let first = chunks.next().unwrap_or(&[]);
                first.iter().enumerate().for_each(|(l, w)| rows.weight(l, row, *w));
            }
        }
    }
    for chunk in chunks {
        let row = rows.op(RowOp::Fold);
        chunk.iter().enumerate().for_each(|(l, w)| rows.weight(l, row, *w));
    }
}

/// With both operands among the witnesses: `Σₖ (Σₒ ρᵒ b[k,o])·(Σₚ σᵖ a[p,k]) = Σₚ σᵖ Σₒ ρᵒ y[p,o]`.
///
/// The results come first, from the last position to the first, so that each shift multiplies what is there by `σ`.
fn fold_cells(rows: &mut Rows, c: &Contraction, ops: &Operands, b: usize) -> Result<()> {
    let Dims { m, k, n, .. } = c.dims;
    start(rows, Fr::ZERO)?;
    let line = |f: &dyn Fn(usize) -> Elem| (0..n).map(|o| Source::Elem(f(o))).collect::<Vec<_>>();
    for p in (0..m).rev() {
        // The first part of a line goes into the row that shifts the one before.
        fold_line(rows, &line(&|o| ops.output(b, p, o)), p + 1 < m)?;
    }
    let mut columns: Vec<(Vec<Source>, Vec<Source>)> = (0..k)
        .map(|k| {
            let swept = (0..m).map(|p| Source::Elem(ops.witness(b, p, k)));
            (line(&|o| ops.other(b, k, o)), swept.collect())
        })
        .collect();
    if c.has_addend {
        columns.push((line(&|o| ops.addend(b, 0, o)), vec![Source::Elem(Elem::Const(1)); m]));
    }
    for (i, (folded, swept)) in columns.iter().enumerate() {
        fold_line(rows, folded, i == 0)?;
        load(rows, Some(swept.clone()), &[]);
    }
    Ok(())
}

/// Folds a line of witnesses into the coefficient; `shift` when what it holds from before is a line of results.
fn fold_line(rows: &mut Rows, line: &[Source], shift: bool) -> Result<()> {
    let lanes = rows.layout.blueprint.shape.a_columns;
    for (i, chunk) in line.chunks(lanes).enumerate() {
        let (op, gate) =
            if shift && i == 0 { (RowOp::Shift, Gate::Shift) } else { (RowOp::FoldCells, Gate::FoldCells) };
        let row = rows.op(op);
        rows.gate(row, &gate)?;
        let padded = chunk.iter().copied().chain(std::iter::repeat(Source::Elem(Elem::Const(0))));
        padded.take(lanes).enumerate().for_each(|(lane, s)| rows.put(lane, row, s));
    }
    Ok(())
}

/// Packs the results of every position and group; returns them as `[group][position]`.
fn pack_results(rows: &mut Rows, c: &Contraction, ops: &Operands, b: usize) -> Result<Vec<Vec<Source>>> {
    let shape = rows.layout.blueprint.shape;
    let mut out = vec![Vec::with_capacity(c.dims.m); c.groups()];
    for (g, column) in out.iter_mut().enumerate() {
        for p in 0..c.dims.m {
            let first = g * c.slots;
            let results: Vec<Elem> =
                (first..(first + c.slots).min(c.dims.n)).map(|o| ops.output(b, p, o)).collect();
            if c.slots == 1 {
                column.push(Source::Elem(results[0]));
                continue;
            }
            let id = rows.layout.packed.len() as u32;
            let base = rows.take(c.pack_height(&shape));
            rows.gate(base, &Gate::Pack { width: c.width, slots: c.slots })?;
            let padded = results.iter().copied().chain(std::iter::repeat(Elem::Const(0))).take(c.slots);
            let cells = padded.map(Source::Elem).chain([Source::Packed(id)]);
            for (i, s) in cells.enumerate() {
                rows.put(i % shape.a_columns, base + (i / shape.a_columns) as u32, s);
            }
            rows.layout.packed.push(Packed { members: results, width: c.width, offset: 0 });
            column.push(Source::Packed(id));
        }
    }
    Ok(out)
}
