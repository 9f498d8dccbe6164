//! Confirms that a system of the protocol states every relation, before a key exists.
//!
//! It takes the finished system, fills all cells with random field elements, works out what every variable is then, and demands
//! of each relation that something in the system is the same expression: a gate in the rows of its elements, a lookup, a
//! contraction's operands, a linear relation. It shares no code with what decides, resolves and assembles; it reads terms by
//! their definition, element by element. An error of probability about `degree/r` per relation remains.

mod evaluate;
mod hash;
mod private;
mod rows;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use ff::Field;
use halo2curves::bn256::Fr;
use zkml_graph::{
    Bounds, Code, Ledger, Relation, Section, Standing, System as Relations, VarId, View, ledger::contracted,
};
use zkml_protocol::sumcheck::{Index, Weight};

use super::{
    Layout,
    block::{Home, Role},
};
use crate::{
    error::{Error, Result},
    field::from_i64,
};
use evaluate::{Evaluator, POINTS};

/// Largest magnitude of a sum, in bits: far below half of the field's order.
const MOST_BITS: u32 = 250;

/// Confirms a layout against its ledger.
///
/// # Errors
/// [`Error::Ledger`] for a ledger that is not of these relations, [`Error::Uncertified`] for the first relation that is not taken
/// care of as it says.
pub(crate) fn confirm(relations: &Relations, ledger: &Ledger, layout: &Layout) -> Result<()> {
    let known = ledger.check_forms(relations)?;
    let mut check = Check::new(relations, layout, &known);
    check.values(ledger).map_err(|detail| uncertified(relations, None, detail))?;
    check.table().map_err(|detail| uncertified(relations, None, detail))?;
    check.copied_columns();
    for (index, standing) in ledger.standings.iter().enumerate() {
        let detail = match standing {
            Standing::Implied { .. } | Standing::Substituted { .. } => check.fits(index),
            Standing::LaidOut { window, .. } if check.is_apart(index) => {
                check.fits(index).and_then(|()| check.stated_apart(index, *window))
            }
            Standing::LaidOut { window, .. } => check.fits(index).and_then(|()| check.stated(index, *window)),
        };
        detail.map_err(|detail| uncertified(relations, Some(index), detail))?;
    }
    check.calls().map_err(|detail| uncertified(relations, None, detail))?;
    check.statement().map_err(|detail| uncertified(relations, None, detail))
}

fn uncertified(relations: &Relations, index: Option<usize>, detail: String) -> Error {
    let (label, relation) = match index.and_then(|i| relations.relations.get(i)) {
        Some((label, r)) => (label.clone(), r.to_string()),
        None => ("ledger".into(), "its entries".into()),
    };
    Error::Uncertified { label, relation, detail }
}

type Confirmed = std::result::Result<(), String>;

/// A layout with random cells.
pub(super) struct Check<'a> {
    relations: &'a Relations,
    layout: &'a Layout,
    known: &'a [Option<Bounds>],
    evaluator: Evaluator<'a>,
    /// What every variable is at each of the points, element by element.
    values: Vec<Vec<Fr>>,
    /// Columns that a linear relation holds to a view, by block and view.
    copies: HashMap<(usize, View), Vec<Fr>>,
    /// The linear relations of the system: their values over random indices.
    linears: Vec<Vec<Fr>>,
}

impl<'a> Check<'a> {
    fn new(relations: &'a Relations, layout: &'a Layout, known: &'a [Option<Bounds>]) -> Self {
        let evaluator = Evaluator::new(layout);
        let linears = layout.system.linears.iter().map(|l| evaluator.linear(l)).collect();
        let values = vec![vec![]; relations.vars.len()];
        Self { relations, layout, known, evaluator, values, copies: HashMap::new(), linears }
    }

    /// What a view shows.
    fn seen(&self, view: &View) -> Vec<Fr> {
        let values = &self.values[view.var.0 as usize];
        let (pad, length) = (from_i64(view.map.pad.unwrap_or(0)), values.len() / POINTS);
        let at = |point: usize| {
            let value = move |i: usize| values.get(point * length + i).copied().unwrap_or(Fr::ZERO);
            view.map.iter().map(move |i| i.map_or(pad, value))
        };
        (0..POINTS).flat_map(at).collect()
    }

    /// Works out what every variable is: cells where it has some, else what its definition or its copies say.
    fn values(&mut self, ledger: &Ledger) -> Confirmed {
        let mut defined: HashMap<u32, usize> = HashMap::new();
        for (i, standing) in ledger.standings.iter().enumerate() {
            if let Standing::Substituted { defines } = standing {
                defined.extend(defines.iter().map(|v| (*v, i)));
            }
        }
        for var in 0..self.relations.vars.len() {
            self.value_of(var, &defined, 0)?;
        }
        Ok(())
    }

    fn value_of(&mut self, var: usize, defined: &HashMap<u32, usize>, depth: usize) -> Confirmed {
        let relations = self.relations;
        let v = &relations.vars[var];
        if !self.values[var].is_empty() || v.is_empty() {
            return Ok(());
        }
        if depth > relations.vars.len() {
            return Err(format!("`{}` is defined by itself", v.name));
        }
        let home = &self.layout.structure.homes[var];
        self.values[var] = match (&v.constant, home, defined.get(&(var as u32))) {
            (Some(c), ..) => c.iter().map(|x| from_i64(*x)).collect::<Vec<Fr>>().repeat(POINTS),
            (None, Home::Cells { block, form }, None) => self.evaluator.cells(*block, form, v.len()),
            (None, Home::Defined { .. }, Some(relation)) => self.solved(*relation, var, defined, depth)?,
            (None, Home::Wired, None) => self.copied(var, defined, depth)?,
            (None, Home::Private, None) => {
                let own = self.layout.private.iter().find(|t| t.var.0 as usize == var);
                self.evaluator.private(own.ok_or_else(|| format!("`{}` has no place", v.name))?, v.len())
            }
            (None, Home::Unused, None) if !self.is_used(var) => vec![Fr::ZERO; POINTS * v.len()],
            _ => return Err(format!("`{}` has no cells, and nothing defines it", v.name)),
        };
        Ok(())
    }

    fn is_used(&self, var: usize) -> bool {
        self.relations.relations.iter().any(|(_, r)| r.views().iter().any(|v| v.var.0 as usize == var))
    }

    /// A sum of zero, solved for a variable that it shows whole.
    fn solved(
        &mut self,
        relation: usize,
        var: usize,
        defined: &HashMap<u32, usize>,
        depth: usize,
    ) -> std::result::Result<Vec<Fr>, String> {
        let relations = self.relations;
        let Relation::Linear { terms, constant } = &relations.relations[relation].1 else {
            return Err("only a sum defines anything".into());
        };
        let mut sum = vec![from_i64(*constant); POINTS * relations.vars[var].len()];
        let mut own = 0;
        for (c, v) in terms {
            if v.var.0 as usize == var {
                own = *c;
                continue;
            }
            self.value_of(v.var.0 as usize, defined, depth + 1)?;
            sum.iter_mut().zip(self.seen(v)).for_each(|(s, x)| *s += from_i64(*c) * x);
        }
        let factor =
            -Option::<Fr>::from(from_i64(own).invert()).ok_or("a definition with the factor zero")?;
        Ok(sum.into_iter().map(|s| s * factor).collect())
    }

    /// What copies write.
    fn copied(
        &mut self,
        var: usize,
        defined: &HashMap<u32, usize>,
        depth: usize,
    ) -> std::result::Result<Vec<Fr>, String> {
        let relations = self.relations;
        let length = relations.vars[var].len();
        let mut out: Vec<Option<Fr>> = vec![None; POINTS * length];
        for (_, r) in &relations.relations {
            let Relation::Copy { from, to } = r else { continue };
            if to.var.0 as usize == var {
                self.value_of(from.var.0 as usize, defined, depth + 1)?;
                let places = (0..POINTS).flat_map(|p| to.map.iter().map(move |at| Some(p * length + at?)));
                for (at, x) in places.zip(self.seen(from)) {
                    if let Some(at) = at {
                        out[at] = Some(x);
                    }
                }
            }
        }
        let name = &relations.vars[var].name;
        out.into_iter().collect::<Option<_>>().ok_or_else(|| format!("copies leave elements of `{name}` out"))
    }

    /// Finds columns that repeat what a view shows, and the linear relations that hold them to it.
    fn copied_columns(&mut self) {
        for (b, block) in self.layout.structure.blocks.iter().enumerate() {
            for (c, role) in block.columns.iter().enumerate() {
                let Role::Value(view) = role else { continue };
                let count = view.map.len();
                let column = self.evaluator.column(b, c, count);
                let shown = self.seen(view);
                let difference: Vec<Fr> = column.iter().zip(&shown).map(|(x, y)| *x - y).collect();
                if self.is_linear(&difference) {
                    self.copies.insert((b, view.clone()), column);
                }
            }
        }
    }

    /// Returns true if a linear relation says that these expressions vanish. One that packs values says so of their words.
    fn is_linear(&self, expressions: &[Fr]) -> bool {
        let plain = |(l, _): &(&zkml_protocol::sumcheck::Linear, &Vec<Fr>)| {
            l.instances.is_none() && l.indices.iter().all(|i| !matches!(i.weight, Weight::Sequence { .. }))
        };
        let all = self.layout.system.linears.iter().zip(&self.linears);
        all.filter(plain).any(|(_, values)| proportional(values, expressions))
    }

    /// Sums of this relation stay far from the field's order, whatever is accepted.
    fn fits(&self, index: usize) -> Confirmed {
        let size = |v: &View| -> std::result::Result<u128, String> {
            let name = &self.relations.vars[v.var.0 as usize].name;
            let own = self.known[v.var.0 as usize].ok_or_else(|| format!("nothing confines `{name}`"))?;
            Ok(own.magnitude().unsigned_abs().max(u128::from(v.map.pad.unwrap_or(0).unsigned_abs())))
        };
        let bits = |n: u128| 128 - n.leading_zeros();
        let relation = &self.relations.relations[index].1;
        let needed = match relation {
            Relation::Contract { .. } => {
                relation.views().into_iter().try_for_each(|v| size(v).map(|_| ()))?;
                bits(contracted(self.relations, self.known, relation)?.magnitude().unsigned_abs())
            }
            Relation::Linear { terms, .. } => {
                let term =
                    |(c, v): &(i64, View)| Ok::<u32, String>(bits(size(v)?) + bits(c.unsigned_abs().into()));
                let largest = terms.iter().map(term).collect::<std::result::Result<Vec<_>, _>>()?;
                largest.into_iter().max().unwrap_or(0) + bits(terms.len() as u128 + 1)
            }
            Relation::Product { a, b, .. } => bits(size(a)?) + bits(size(b)?) + 1,
            _ => return relation.views().into_iter().try_for_each(|v| size(v).map(|_| ())),
        };
        if needed < MOST_BITS { Ok(()) } else { Err(format!("its sums could need {needed} bits")) }
    }

    /// What the statement shows is in the program, in its order.
    fn statement(&self) -> Confirmed {
        let (mut next, mut commitments) = (1u32, 0);
        let of = |wanted: Section| {
            self.relations.relations.iter().filter(move |(_, r)| match r {
                Relation::Public { section, .. } | Relation::Commit { section, .. } => *section == wanted,
                _ => false,
            })
        };
        let mut private = None;
        for (label, item) in [Section::Input, Section::Model, Section::Output].into_iter().flat_map(of) {
            if let Relation::Commit { parts, section: Section::Model } = item {
                self.weights(parts).map_err(|e| format!("{label}: {e}"))?;
                private = Some(next);
                next += 1;
                continue;
            }
            let expected = match item {
                Relation::Public { v, code: None, .. } => Ok(self.seen(v)),
                Relation::Public { v, code: Some(code), .. } => self.words(v, *code, &self.seen(v)),
                Relation::Commit { parts, section } if *section != Section::Model && parts.len() == 1 => {
                    commitments += 1;
                    self.chain(commitments - 1, (&parts[0].0, parts[0].1, *section))
                }
                _ => Err("a commitment is not laid out".into()),
            };
            let expected = expected.map_err(|e| format!("{label}: {e}"))?;
            let found =
                self.layout.system.linears.iter().zip(&self.linears).find(|(l, _)| l.instances == Some(next));
            if found.is_none_or(|(_, values)| *values != expected) {
                return Err(format!("{label}: public value {next} is not what it should show"));
            }
            next += (expected.len() / POINTS) as u32;
        }
        if private != self.layout.system.private.map(|p| p.instance) {
            return Err("another public value commits to private weights".into());
        }
        if next == self.layout.system.instances {
            Ok(())
        } else {
            Err("there are other public values".into())
        }
    }

    /// Packed words, of the values themselves where they share one, else of the cells that repeat them.
    fn words(&self, v: &View, code: Code, shown: &[Fr]) -> std::result::Result<Vec<Fr>, String> {
        let wanted = code.bounds();
        let within =
            self.known[v.var.0 as usize].is_some_and(|b| wanted.contains(b.lo) && wanted.contains(b.hi));
        if !within {
            return Err("values that are packed are not confined to their code".into());
        }
        let inner = zkml_protocol::Code { bits: code.bits, signed: code.signed }.per_word() as usize;
        let count = v.map.len();
        let values = if count <= inner { shown.to_vec() } else { self.repeated(v, shown)? };
        let (base, offset) = (Fr::from(2).pow_vartime([u64::from(code.bits)]), from_i64(-code.lo()));
        let word = |part: &[Fr]| part.iter().rev().fold(Fr::ZERO, |acc, x| acc * base + x + offset);
        Ok(values.chunks(count).flat_map(|point| point.chunks(inner).map(word)).collect())
    }

    /// The cells that repeat a view word by word, and that a comparison of sequences holds to it.
    fn repeated(&self, v: &View, shown: &[Fr]) -> std::result::Result<Vec<Fr>, String> {
        let chi = self.evaluator.chi;
        let fold = |values: &[Fr]| values.iter().rev().fold(Fr::ZERO, |acc, x| acc * chi + x);
        for (b, block) in self.layout.structure.blocks.iter().enumerate() {
            if block.columns != [Role::Value(v.clone())] {
                continue;
            }
            let count = v.map.len();
            let cells = self.evaluator.column(b, 0, count);
            let points = shown.chunks(count).zip(cells.chunks(count));
            let differences: Vec<Fr> = points.map(|(x, y)| fold(x) - fold(y)).collect();
            let all = self.layout.system.linears.iter().zip(&self.linears);
            let sequences = |l: &zkml_protocol::sumcheck::Linear| {
                let sequence = |i: &Index| matches!(i.weight, Weight::Sequence { .. });
                l.instances.is_none() && l.indices.iter().all(sequence)
            };
            if all.into_iter().any(|(l, values)| sequences(l) && **values == differences) {
                return Ok(cells);
            }
        }
        Err("nothing holds the cells of its words to its values".into())
    }

    /// The variable of a view, for messages.
    fn name(&self, var: VarId) -> &str {
        &self.relations.vars[var.0 as usize].name
    }
}

/// Returns true if one vector is a multiple of the other, by a factor other than zero; both are none of zeros.
pub(super) fn proportional(a: &[Fr], b: &[Fr]) -> bool {
    let Some(at) = b.iter().position(|x| *x != Fr::ZERO) else { return false };
    if a.len() != b.len() || a[at] == Fr::ZERO {
        return false;
    }
    let Some(factor) = Option::<Fr>::from(b[at].invert()).map(|i| a[at] * i) else { return false };
    a.iter().zip(b).all(|(x, y)| *x == factor * y)
}
