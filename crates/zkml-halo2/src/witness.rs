//! Values of all cells of a circuit.

use ff::Field;
use halo2_proofs::{arithmetic::parallelize, halo2curves::bn256::Fr};
use zkml_graph::{System, Trace, wiring::Elem};

use crate::{
    block::{Limb, Slot},
    cells::Source,
    error::{ProverError, Result},
    gate::RowOp,
    layout::{Layout, TableRow},
    phase::Challenges,
    polynomial::field,
    poseidon_rows,
    shape::Shape,
};

/// First-phase values of a circuit.
#[derive(Debug, Clone)]
pub struct Witness {
    /// Public context.
    pub context: Fr,
    /// Public field elements, the context first.
    pub instances: Vec<Fr>,
    /// Value of each placement of the layout.
    pub placed: Vec<Fr>,
    /// Cells of the hash that are not placed: column, row, value.
    pub hash_cells: Vec<(u8, u32, Fr)>,
    /// Looked-up columns by row.
    pub looked_up: Vec<Vec<u64>>,
    /// How often each table entry is looked up, by row.
    pub multiplicity: Vec<u64>,
}

/// Columns of the lookup argument, from its first row.
#[derive(Debug, Clone)]
pub struct Sums {
    /// The running sum; one longer than the helpers.
    pub running: Vec<Fr>,
    /// One column per helper.
    pub helpers: Vec<Vec<Fr>>,
}

/// What only the prover of one run knows, besides its values.
#[derive(Debug, Clone, Default)]
pub struct WitnessInputs {
    /// Public context.
    pub context: Fr,
    /// The salt of each commitment, in the order of the statement.
    pub salts: Vec<Fr>,
}

/// Fills in a layout. `last_row` ends the lookup argument.
///
/// # Errors
/// [`ProverError::Witness`] for a run of another system, or another number of salts.
pub fn witness(
    system: &System,
    layout: &Layout,
    trace: &Trace,
    inputs: &WitnessInputs,
    last_row: usize,
) -> Result<Witness> {
    let values = system.assign(trace).ok_or_else(|| ProverError::Witness("wrong number of values".into()))?;
    // The proving library panics or proves nothing on a wrong witness; find out first.
    system.check(&values)?;
    let (wanted, given) = (layout.statement.hash_chains.len(), inputs.salts.len());
    if wanted != given {
        return Err(ProverError::Witness(format!("it has {wanted} commitments, {given} salts are given")));
    }
    let element = |e: Elem| match e {
        Elem::Const(v) => field(v.into()),
        Elem::Cell(var, i) => field(values[var.0 as usize][i as usize].into()),
    };
    let packed: Vec<Fr> = layout.packed.iter().map(|p| p.value(element)).collect();
    let known = |s: &Source, links: &[Fr]| match s {
        Source::Elem(e) => element(*e),
        Source::Packed(i) => packed[*i as usize],
        Source::Salt(i) => inputs.salts[*i as usize],
        Source::Link(i) => links[*i as usize],
    };
    let mut links = Vec::new();
    let mut hash_cells = Vec::new();
    for chain in &layout.statement.hash_chains {
        let words: Vec<Fr> = chain.words.iter().map(|w| known(w, &[])).collect();
        let bases = &layout.hashes[chain.first as usize..][..chain.calls()];
        let start = field(chain.domain.into());
        let made = zkml_poseidon::chain(start, &words);
        calls(&layout.blueprint.shape, bases, start, &made, &words, &mut hash_cells);
        links.extend(made);
    }
    let placed = layout.placements.iter().map(|(_, _, s)| known(s, &links)).collect();
    let public = layout.statement.instances.iter().map(|s| known(s, &links));
    let instances = std::iter::once(inputs.context).chain(public).collect();
    let looked_up = limbs(layout, &values, last_row)?;
    let multiplicity = count(system, layout, &looked_up, last_row)?;
    Ok(Witness { context: inputs.context, instances, placed, hash_cells, looked_up, multiplicity })
}

/// All cells of the calls of one commitment, those that are placed as well.
fn calls(shape: &Shape, bases: &[u32], start: Fr, links: &[Fr], words: &[Fr], out: &mut Vec<(u8, u32, Fr)>) {
    use rayon::prelude::*;
    let before: Vec<Fr> = std::iter::once(start).chain(links.iter().copied()).collect();
    let each = |(i, base): (usize, &u32)| {
        let state = [Fr::ZERO, before[i], words[2 * i], words[2 * i + 1]];
        let steps = poseidon_rows::steps().map(|(s, _)| s.height(shape.a_columns, shape.w_columns));
        let mut row = *base;
        let mut cells = Vec::new();
        for (values, height) in poseidon_rows::values(state).into_iter().zip(steps.chain([0])) {
            for (j, v) in values.into_iter().enumerate() {
                cells.push(((j % shape.a_columns) as u8, row + (j / shape.a_columns) as u32, v));
            }
            row += height as u32;
        }
        cells
    };
    out.par_extend(bases.par_iter().enumerate().flat_map_iter(each));
}

fn limbs(layout: &Layout, values: &[Vec<i64>], last_row: usize) -> Result<Vec<Vec<u64>>> {
    let mut columns = vec![vec![0u64; last_row]; layout.blueprint.shape.u_columns];
    for ((_, group), base) in layout.blueprint.groups.iter().zip(&layout.bases) {
        for (slot, limb) in &group.limbs {
            let Slot::U(c, r) = slot else { continue };
            let shown = limb.view.map.gather(&values[limb.view.var.0 as usize]);
            for (i, v) in shown.into_iter().enumerate() {
                let row = *base as usize + i * group.template.height + *r as usize;
                columns[*c as usize][row] = split(limb, v).ok_or_else(|| {
                    let range = format!("[{}, {} + 2^{})", limb.lo, limb.lo, limb.total);
                    ProverError::Witness(format!("`{}`: {v} is outside {range}", group.label))
                })?;
            }
        }
    }
    Ok(columns)
}

fn split(limb: &Limb, v: i64) -> Option<u64> {
    let offset =
        u64::try_from(v.checked_sub(limb.lo)?).ok().filter(|o| limb.total >= 64 || o >> limb.total == 0)?;
    Some(((offset >> limb.shift) & ((1 << limb.bits) - 1)) << limb.scale)
}

/// Counts look-ups per table entry, by row; entry `i` lies `i` rows below the first.
fn count(system: &System, layout: &Layout, looked_up: &[Vec<u64>], last_row: usize) -> Result<Vec<u64>> {
    let first_row = layout.blueprint.instances - 1;
    let range = 1usize << layout.blueprint.shape.limb_bits;
    let mut starts = Vec::new();
    system.tables.iter().fold(range, |at, t| {
        starts.push(at);
        at + t.len()
    });
    let mut keyed = vec![None; last_row];
    layout.keys.iter().for_each(|(row, table)| keyed[*row as usize] = Some(*table as usize));
    let mut out = vec![0u64; last_row];
    for (c, column) in looked_up.iter().enumerate() {
        for row in first_row..last_row {
            let v = column[row] as usize;
            let (start, len) = match keyed[row].filter(|_| c == 0) {
                Some(t) => (starts[t], system.tables[t].len()),
                None => (0, range),
            };
            if v >= len {
                return Err(ProverError::Witness(format!(
                    "the looked-up value {v} has no entry among {len}"
                )));
            }
            out[first_row + start + v] += 1;
        }
    }
    Ok(out)
}

impl Witness {
    /// Cells under the permutation argument, by column and row.
    fn cells(&self, layout: &Layout, rows: usize) -> Vec<Vec<Fr>> {
        let mut a = vec![vec![Fr::ZERO; rows]; layout.blueprint.shape.a_columns];
        let placed = layout.placements.iter().zip(&self.placed).map(|((c, row, _), v)| (*c, *row, *v));
        for (c, row, v) in self.hash_cells.iter().copied().chain(placed) {
            a[c as usize][row as usize] = v;
        }
        a
    }

    /// Folding coefficient and accumulator at every row of the accumulator: `(row, z, t)`.
    pub fn accumulator(&self, layout: &Layout, c: &Challenges) -> Vec<(usize, Fr, Fr)> {
        let rows = layout.rows + 1;
        let a = self.cells(layout, rows);
        let mut w = vec![vec![Fr::ZERO; rows]; layout.blueprint.shape.w_columns];
        layout.weights.iter().for_each(|(col, row, v)| w[*col as usize][*row as usize] = *v);
        let horner = |base: Fr, cells: &[Vec<Fr>], row: usize| {
            cells.iter().rev().fold(Fr::ZERO, |acc, column| acc * base + column[row])
        };
        let rho = c.rho().pow_vartime([w.len() as u64]);
        let rho_cells = c.rho().pow_vartime([a.len() as u64]);
        let sigma = c.sigma().pow_vartime([a.len() as u64]);
        let (mut z, mut t) = (Fr::ZERO, Fr::ZERO);
        let mut out = Vec::with_capacity(layout.accumulator.len());
        for (row, op) in &layout.accumulator {
            let row = *row as usize;
            out.push((row, z, t));
            (z, t) = match op {
                RowOp::Start => (Fr::ZERO, w[0][row]),
                RowOp::Dot => {
                    let sum = a.iter().zip(&w).map(|(a, w)| a[row] * w[row]).sum::<Fr>();
                    (Fr::ZERO, t + sum)
                }
                RowOp::Pairs => {
                    let sum = a.chunks_exact(2).map(|p| p[0][row] * p[1][row]).sum::<Fr>();
                    (Fr::ZERO, t + sum)
                }
                RowOp::Fold => (z * rho + horner(c.rho(), &w, row), t),
                RowOp::Next => (horner(c.rho(), &w, row), t + z * horner(c.sigma(), &a, row)),
                RowOp::Sweep => (z * sigma, t + z * horner(c.sigma(), &a, row)),
                RowOp::FoldCells => (z * rho_cells + horner(c.rho(), &a, row), t),
                RowOp::Shift => (horner(c.rho(), &a, row), t * c.sigma() - z),
            };
        }
        out
    }

    /// The columns of the lookup argument.
    pub fn sums(
        &self,
        layout: &Layout,
        table: &[TableRow],
        first: usize,
        last: usize,
        c: &Challenges,
    ) -> Sums {
        let shape = &layout.blueprint.shape;
        let n = last - first;
        let mut inverses: Vec<Vec<Fr>> = self
            .looked_up
            .iter()
            .map(|column| column[first..last].iter().map(|v| c.alpha() + Fr::from(*v + 1)).collect())
            .collect();
        let cells = self.cells(layout, last + 2);
        for (row, tag) in &layout.keys {
            let row = *row as usize;
            let outputs = shape.output_slots().iter().map(|(col, r)| cells[*col][row + r]);
            let tagged: Vec<Fr> = std::iter::once(Fr::ONE).chain(outputs).collect();
            let folded = tagged.iter().rev().fold(Fr::ZERO, |acc, o| acc * c.beta() + o) * c.beta();
            inverses[0][row - first] += Fr::from(u64::from(*tag) + 1) * folded;
        }
        let entry = |i: usize| {
            let e = table.get(i).unwrap_or(&table[0]);
            c.alpha() + e.key + e.tagged.iter().rev().fold(Fr::ZERO, |acc, o| acc * c.beta() + o) * c.beta()
        };
        inverses.push((0..n).map(entry).collect());
        inverses.iter_mut().for_each(|column| invert(column));
        let entries = inverses.pop().unwrap_or_default();
        let sums = shape.lookup_sums();
        let total = |columns: &[usize]| -> Vec<Fr> {
            (0..n).map(|i| columns.iter().map(|u| inverses[*u][i]).sum()).collect()
        };
        let helpers: Vec<Vec<Fr>> = sums.helpers.iter().map(|h| total(h)).collect();
        let direct = total(&sums.running);
        let mut running = Vec::with_capacity(n + 1);
        let mut acc = Fr::ZERO;
        for i in 0..n {
            running.push(acc);
            acc += direct[i] + helpers.iter().map(|h| h[i]).sum::<Fr>();
            let m = self.multiplicity[first + i];
            if m != 0 {
                acc -= entries[i] * Fr::from(m);
            }
        }
        running.push(acc);
        Sums { running, helpers }
    }
}

/// Inverts all elements, in parallel batches; zero stays zero.
fn invert(values: &mut [Fr]) {
    use halo2_proofs::halo2curves::group::ff::BatchInvert;
    parallelize(values, |chunk, _| {
        chunk.iter_mut().batch_invert();
    });
}
