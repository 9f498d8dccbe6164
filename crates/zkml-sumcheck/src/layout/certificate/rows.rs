//! What is stated in rows, and by contractions.

use ff::Field;
use halo2curves::bn256::Fr;
use zkml_graph::{Bounds, Relation, TableId, View};
use zkml_protocol::sumcheck::{Contraction, Lookup, Template};

use super::{
    Check, Confirmed,
    evaluate::{POINTS, scalar},
    proportional,
};
use crate::{field::from_i64, layout::block::Role};

impl Check<'_> {
    /// Confirms that a relation which is laid out is stated.
    pub(super) fn stated(&self, index: usize, window: Option<Bounds>) -> Confirmed {
        match &self.relations.relations[index].1 {
            Relation::Product { a, b, y } => self.in_some_block(a.map.len(), |block| {
                let [a, b, y] = [a, b, y].map(|v| self.in_block(block, v));
                let differences: Vec<Fr> = a.iter().zip(&b).zip(&y).map(|((a, b), y)| *a * b - y).collect();
                self.is_gate(block, &differences)
            }),
            Relation::Linear { terms, constant } => {
                let mut sum = vec![from_i64(*constant); POINTS * terms[0].1.map.len()];
                for (c, v) in terms {
                    sum.iter_mut().zip(self.seen(v)).for_each(|(s, x)| *s += from_i64(*c) * x);
                }
                // Where everything is fixed or defined so, nothing is left to state.
                if sum.iter().all(|s| *s == Fr::ZERO) || self.is_linear(&sum) {
                    return Ok(());
                }
                self.in_some_block(sum.len() / POINTS, |block| self.is_gate(block, &sum))
            }
            Relation::Copy { from, to } => {
                let differences: Vec<Fr> =
                    self.seen(from).into_iter().zip(self.seen(to)).map(|(x, y)| x - y).collect();
                let same = differences.iter().all(|d| *d == Fr::ZERO);
                if same || self.is_linear(&differences) { Ok(()) } else { Err("nothing states it".into()) }
            }
            Relation::Lookup { table, key, outputs } => {
                self.in_some_block(key.map.len(), |block| self.looks_up(block, *table, key, outputs))
            }
            Relation::Range { v, .. } => {
                let window = window.ok_or("it is not laid out")?;
                self.in_some_block(v.map.len(), |block| self.limbs(block, v, window))
            }
            Relation::Contract { .. } => self.contraction(index),
            // What the statement shows is confirmed as a whole.
            Relation::Public { .. } | Relation::Commit { .. } => Ok(()),
        }
    }

    /// Confirms that some block of so many elements states something.
    fn in_some_block(&self, count: usize, states: impl Fn(usize) -> bool) -> Confirmed {
        let blocks = &self.layout.structure.blocks;
        let found = (0..blocks.len()).any(|b| blocks[b].count == count as u64 && states(b));
        if found { Ok(()) } else { Err("no rows state it".into()) }
    }

    /// What a view shows, or the column of a block that repeats it.
    fn in_block(&self, block: usize, view: &View) -> Vec<Fr> {
        self.copies.get(&(block, view.clone())).cloned().unwrap_or_else(|| self.seen(view))
    }

    /// The templates that hold in the rows of a block's elements, one by one; none if an element has none.
    fn templates(&self, block: usize, count: usize) -> Option<Vec<(u64, &Template)>> {
        let of = |row: u64| {
            let holds = |t: &&Template| t.segments.iter().any(|s| row >> s.bits == s.start >> s.bits);
            self.layout.system.templates.iter().find(holds)
        };
        (0..count).map(|e| self.evaluator.row(block, e).and_then(|row| Some((row, of(row)?)))).collect()
    }

    /// Returns true if a gate in the rows of a block is these expressions, up to one factor.
    pub(super) fn is_gate(&self, block: usize, expressions: &[Fr]) -> bool {
        let Some(rows) = self.templates(block, expressions.len() / POINTS) else { return false };
        let most = rows.iter().map(|(_, t)| t.gates.len()).max().unwrap_or(0);
        (0..most).any(|g| {
            let at = |point: usize, (row, t): &(u64, &Template)| {
                Some(self.evaluator.gate(t.gates.get(g)?, *row, point))
            };
            let points = (0..POINTS).flat_map(|p| rows.iter().map(move |row| (p, row)));
            let values: Option<Vec<Fr>> = points.map(|(p, row)| at(p, row)).collect();
            values.is_some_and(|values| proportional(&values, expressions))
        })
    }

    /// Returns true if the rows of a block look up `key` and `outputs` in the table.
    fn looks_up(&self, block: usize, table: TableId, key: &View, outputs: &[View]) -> bool {
        let lo = from_i64(self.relations.tables[table.0 as usize].lo);
        let keys = self.in_block(block, key);
        let outputs: Vec<Vec<Fr>> = outputs.iter().map(|o| self.in_block(block, o)).collect();
        let count = keys.len() / POINTS;
        let Some(rows) = self.templates(block, count) else { return false };
        let most = rows.iter().map(|(_, t)| t.lookups.len()).max().unwrap_or(0);
        (0..most).any(|l| {
            let points = (0..POINTS).flat_map(|p| rows.iter().enumerate().map(move |(e, row)| (p, e, row)));
            points.into_iter().all(|(p, e, (row, t))| {
                let Some(lookup) = t.lookups.get(l) else { return false };
                let same = |(form, values): (&zkml_protocol::sumcheck::Affine, &Vec<Fr>)| {
                    self.evaluator.affine(form, *row, p) == values[p * count + e]
                };
                lookup.tag == u64::from(table.0) + 1
                    && lookup.outputs.len() == outputs.len()
                    && self.evaluator.affine(&lookup.key, *row, p) + lo == keys[p * count + e]
                    && lookup.outputs.iter().zip(&outputs).all(same)
            })
        })
    }

    /// Returns true if limbs in the rows of a block confine a view to the window.
    fn limbs(&self, block: usize, view: &View, window: Bounds) -> bool {
        let count = view.map.len();
        let Ok(lo) = i64::try_from(window.lo) else { return false };
        let parts: Vec<(usize, u32)> = self.layout.structure.blocks[block]
            .columns
            .iter()
            .enumerate()
            .filter_map(|(c, role)| match role {
                Role::Limb { view: own, lo: low, shift, .. } if own == view && *low == lo => {
                    Some((c, *shift))
                }
                _ => None,
            })
            .collect();
        let Some(rows) = self.templates(block, count) else { return false };
        let mut sum = vec![from_i64(lo); POINTS * count];
        let mut at = 0;
        for (column, shift) in &parts {
            let Some(of_grid) = self.evaluator.grid_column(block, *column) else { return false };
            let widths = rows.iter().map(|(_, t)| self.width(t, of_grid));
            let Some(width) = widths.collect::<Option<Vec<u32>>>().and_then(|w| w.into_iter().max()) else {
                return false;
            };
            if *shift != at {
                return false;
            }
            at += width;
            let power = Fr::from(2).pow_vartime([u64::from(*shift)]);
            let cells = self.evaluator.column(block, *column, count);
            sum.iter_mut().zip(cells).for_each(|(s, x)| *s += power * x);
        }
        let differences: Vec<Fr> = sum.iter().zip(self.seen(view)).map(|(s, v)| *s - v).collect();
        let tied = differences.iter().all(|d| *d == Fr::ZERO)
            || self.is_linear(&differences)
            || self.is_gate(block, &differences);
        tied && at < 100 && window.hi - window.lo + 1 == 1i128 << at
    }

    /// Bits that lookups in the range confine a column to: fewer where a multiple of it is looked up as well.
    fn width(&self, template: &Template, column: u32) -> Option<u32> {
        let range = self.layout.system.table.segments.iter().find(|s| s.tag == 0)?.rows.bits;
        let factor = |l: &Lookup| match l.key.terms.as_slice() {
            [(c, w)] if *c == column && l.tag == 0 && l.outputs.is_empty() && l.key.constant.is_zero() => {
                Some(scalar(w))
            }
            _ => None,
        };
        let factors: Vec<Fr> = template.lookups.iter().filter_map(factor).collect();
        let shift = |s: &u32| factors.contains(&Fr::from(1u64 << s));
        // Only what is small itself stays small when it is multiplied.
        factors.contains(&Fr::ONE).then(|| range - (0..=range).rev().find(shift).unwrap_or(0))
    }

    /// The table holds the range and the functions of the model, and nothing else.
    pub(super) fn table(&self) -> Confirmed {
        let table = &self.layout.system.table;
        let mut covered = vec![false; 1 << table.bits];
        let mut seen: Vec<Vec<bool>> = self.relations.tables.iter().map(|t| vec![false; t.len()]).collect();
        for s in &table.segments {
            for offset in 0..1u64 << s.rows.bits {
                let row = s.rows.start + offset;
                *covered.get_mut(row as usize).ok_or("a row beyond the table")? = true;
                let key = usize::try_from(s.first_key + offset as i64).map_err(|_| "a negative key")?;
                match usize::try_from(s.tag).ok().and_then(|t| t.checked_sub(1)) {
                    None => self.outputs(row, |_| 0)?,
                    Some(f) => {
                        let known = seen.get_mut(f).and_then(|s| s.get_mut(key));
                        *known.ok_or("a key beyond its function")? = true;
                        let columns = &self.relations.tables[f].columns;
                        self.outputs(row, |j| columns.get(j).map_or(0, |c| c[key]))?;
                    }
                }
            }
        }
        for (row, _) in covered.iter().enumerate().filter(|(_, c)| !**c) {
            self.outputs(row as u64, |_| 0)?;
        }
        let ranges: Vec<_> = table.segments.iter().filter(|s| s.tag == 0).map(|s| s.first_key).collect();
        if ranges == [0] && seen.iter().flatten().all(|s| *s) {
            Ok(())
        } else {
            Err("the table holds something else than one range and the functions".into())
        }
    }

    /// Confirms the outputs of a row of the table.
    fn outputs(&self, row: u64, expected: impl Fn(usize) -> i64) -> Confirmed {
        let weights = &self.layout.weights;
        let same =
            |(j, base): (usize, &u64)| weights.get((base + row) as usize) == Some(from_i64(expected(j)));
        let all = self.layout.system.table.outputs.iter().enumerate().all(same);
        if all { Ok(()) } else { Err(format!("row {row} of the table has another output")) }
    }

    /// The operands and the result of a contraction are those of the relation.
    fn contraction(&self, index: usize) -> Confirmed {
        let is = |(_, r): &(String, Relation)| matches!(r, Relation::Contract { .. });
        let number = self.relations.relations[..index].iter().filter(|r| is(r)).count();
        let c = self.layout.system.contractions.get(number).ok_or("it is not laid out")?;
        let Relation::Contract { a, b, addend, y, .. } = &self.relations.relations[index].1 else {
            return Err("no contraction".into());
        };
        let mut result = self.seen(y);
        if let Some(addend) = addend {
            result.iter_mut().zip(self.seen(addend)).for_each(|(r, x)| *r -= x);
        }
        let operand = |form, view: &View, what: &str| {
            let mut shown = self.evaluator.tensor(form, &c.indices(), &own_indices(c, form));
            let seen = self.seen(view);
            // One product alone: an index of two values, for the second of which the left operand is zero.
            let second = |pair: &[Fr]| matches!(pair, [first, second] if *second == Fr::ZERO || !std::ptr::eq(form, &c.a) && first == second);
            if view.map.len() == 1 && shown.len() == 2 * POINTS && shown.chunks(2).all(second) {
                shown = shown.chunks(2).map(|pair| pair[0]).collect();
            }
            if shown == seen {
                Ok(())
            } else {
                Err(format!("{what} of `{}` is another", self.name(view.var)))
            }
        };
        operand(&c.a, a, "the left operand")?;
        operand(&c.b, b, "the right operand")?;
        // The result has the indices of the batch first, then free ones, as the relation has them.
        let (free, batch) = (c.free.len(), c.batch.len());
        let order: Vec<usize> = (free..free + batch).chain(0..free).collect();
        if self.evaluator.tensor(&c.y, &c.indices(), &order) != result {
            return Err("its result is another".into());
        }
        // Batch, rows and columns multiply to the result, rows and summed ones to the operands: nothing is left out.
        let size = |of: &[zkml_protocol::sumcheck::Index]| of.iter().map(|i| i.extent).product::<u64>();
        if size(&c.free) * size(&c.batch) == y.map.len() as u64 {
            Ok(())
        } else {
            Err("its sizes are others".into())
        }
    }
}

/// Indices that an operand has, in the order of its view: batch, free, summed; for the right one batch, summed, free.
fn own_indices(c: &Contraction, form: &zkml_protocol::sumcheck::Form) -> Vec<usize> {
    let (free, batch) = (c.free.len(), c.batch.len());
    let all = c.indices().len();
    let has = |i: &usize| {
        let uses = |t: &zkml_protocol::sumcheck::Term| {
            t.broadcast.contains(&(*i as u32))
                || t.axes.iter().flat_map(|a| &a.steps).any(|s| s.index as usize == *i)
        };
        form.0.iter().any(uses)
    };
    let (batch, sum, free) = (free..free + batch, free + batch..all, 0..free);
    if std::ptr::eq(form, &c.a) {
        batch.chain(free).chain(sum).filter(has).collect()
    } else {
        batch.chain(sum).chain(free).filter(has).collect()
    }
}
