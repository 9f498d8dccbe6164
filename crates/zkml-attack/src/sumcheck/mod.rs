//! The sumcheck back end under attack.
//!
//! [`flat`] writes the system of a layout out as equations over single cells. A forged assignment is written into the cells
//! as a cheating prover would, in several ways; what the instances show then is the statement. Everything after the cells
//! is the protocol's, which holds for whoever chooses the later rounds; its own attacks are in `docs/spec`.

pub mod flat;
pub mod zero_knowledge;

use ff::Field;
use halo2_proofs::halo2curves::bn256::Fr;
use zkml_graph::{Code, Relation, Section, System as Relations};
use zkml_halo2::polynomial::{field, pow2};
use zkml_sumcheck::{Layout, Options, lay_out, testing::Held};

use crate::{Assignment, Backend, Judgement, Prepared, Target, cells::Cell, oracle, target::integer};
use flat::Flat;

/// The sumcheck back end, with choices that lay the same relations out in different ways.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sumcheck;

const VARIANTS: [Options; 4] = [
    Options { limb_bits: 5, lookups_per_helper: 3, columns: 8, parts: 8, whole: false, unshared_bits: 0 },
    Options { limb_bits: 6, lookups_per_helper: 1, columns: 1, parts: 1, whole: true, unshared_bits: 0 },
    Options { limb_bits: 7, lookups_per_helper: 2, columns: 4, parts: 2, whole: true, unshared_bits: 10 },
    Options { limb_bits: 8, lookups_per_helper: 1, columns: 12, parts: 1, whole: false, unshared_bits: 1 },
];

impl Backend for Sumcheck {
    fn name(&self) -> &'static str {
        "sumcheck"
    }

    fn variants(&self) -> usize {
        VARIANTS.len()
    }

    fn prepare<'a>(&self, target: &'a Target, variant: usize) -> Result<Box<dyn Prepared + 'a>, String> {
        Ok(Box::new(Laid::new(target, &VARIANTS[variant % VARIANTS.len()])?))
    }
}

/// Way to write a forged number into limbs, and to hash forged values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Response {
    /// The highest limb takes what is left, however large.
    Follow,
    /// Limbs that are all as long as they should be: what is left is dropped.
    Wrap,
    /// The lowest limb takes all.
    Low,
    /// Limbs of the honest run.
    Keep,
    /// As the first, but what is hashed and packed is the honest run's.
    KeepHash,
}

impl Response {
    const ALL: [Self; 5] = [Self::Follow, Self::Wrap, Self::Low, Self::Keep, Self::KeepHash];
}

/// A system in cells.
#[derive(Debug, Clone)]
pub struct Laid<'a> {
    target: &'a Target,
    layout: Layout,
    flat: Flat,
    held: Vec<Held>,
    salts: Vec<Fr>,
    honest: Vec<Fr>,
}

impl<'a> Laid<'a> {
    /// Lays a target out; the honest run must satisfy all equations and show its own statement.
    ///
    /// # Errors
    /// The fault, printed.
    pub fn new(target: &'a Target, options: &Options) -> Result<Self, String> {
        let layout = lay_out(&target.system, options).map_err(|e| e.to_string())?;
        let flat = Flat::new(&layout);
        let salts = (0..layout.commitments() as u64).map(|i| Fr::from(1_000_003 + i)).collect();
        let mut laid = Self { target, held: layout.held_in_all(), layout, flat, salts, honest: vec![] };
        let empty = vec![Fr::ZERO; laid.layout.vectors()[2]];
        let cells = laid.fill(&target.honest, Response::Follow, &empty);
        let all: Vec<usize> = (0..cells.len()).collect();
        if let Some(broken) = laid.flat.objection(&cells, &all) {
            return Err(format!("the honest run is refused: {broken}"));
        }
        if !laid.is_stated(&target.honest, &cells) {
            return Err("the honest run shows another statement".into());
        }
        laid.honest = cells;
        Ok(laid)
    }

    /// Writes an assignment into cells; those of hashes are those of `before` if its values cannot be hashed.
    fn fill(&self, forged: &Assignment, response: Response, before: &[Fr]) -> Vec<Fr> {
        let mut cells = before.to_vec();
        let values = integers(forged).filter(|_| response != Response::KeepHash);
        let hashed = values.and_then(|v| self.layout.hashed(&self.target.system, &v, &self.salts).ok());
        for (at, v) in hashed.into_iter().flat_map(|h| h.cells) {
            cells[at] = v;
        }
        for held in &self.held {
            let value = held.element.map_or(field(held.pad.into()), |i| forged[held.var][i]);
            let old = cells[held.address];
            cells[held.address] = limb(held, value, response, old);
        }
        cells
    }

    /// Returns the meaning of a response's cells; nothing if they are refused.
    fn answer(&self, forged: &Assignment, response: Response) -> Option<Assignment> {
        let hashes = self.layout.commitments() > 0;
        if response == Response::KeepHash && !hashes {
            return None;
        }
        let cells = self.fill(forged, response, &self.honest);
        let changed: Vec<usize> = (0..cells.len()).filter(|i| cells[*i] != self.honest[*i]).collect();
        // Without a change it is the honest run.
        if changed.is_empty() || self.flat.objection(&cells, &changed).is_some() {
            return None;
        }
        let mut meaning = self.layout.meaning(&self.target.system, &cells, forged).ok()?;
        if !self.is_stated(&meaning, &cells) {
            // The statement is not about the model's own values: whatever it says, it is false.
            let inputs = self.target.graph.inputs.iter().map(|(t, _)| t.0 as usize);
            inputs.for_each(|t| meaning[t].iter_mut().for_each(|v| *v = pow2(200)));
        }
        Some(meaning)
    }

    /// Returns true if the instances show the inputs and outputs of an assignment.
    fn is_stated(&self, meaning: &Assignment, cells: &[Fr]) -> bool {
        let shown = self.flat.shown.iter().map(|s| s.of(cells));
        let values = integers(meaning);
        let commitments = match (self.layout.commitments(), &values) {
            (0, _) => Some(vec![]),
            (_, Some(v)) => {
                self.layout.hashed(&self.target.system, v, &self.salts).ok().map(|h| h.commitments)
            }
            _ => None,
        };
        commitments.is_some_and(|c| shown.eq(statement(&self.target.system, meaning, c)))
    }
}

fn integers(values: &Assignment) -> Option<Vec<Vec<i64>>> {
    values.iter().map(|v| v.iter().map(|x| integer(*x)).collect()).collect()
}

/// Returns the content of a cell for a number: the whole number, or its limb as the response writes it.
fn limb(held: &Held, value: Fr, response: Response, old: Fr) -> Fr {
    let Some(limb) = held.limb else { return value };
    if response == Response::Keep {
        return old;
    }
    let rest = value - field(limb.lo.into());
    if response == Response::Low {
        return if limb.shift == 0 { rest } else { Fr::ZERO };
    }
    let digits = integer(rest).map(i128::from);
    let low = |bits: u32| digits.map_or(0, |d| d.rem_euclid(1i128 << bits));
    match (limb.last, response) {
        (true, Response::Follow | Response::KeepHash) => {
            let inverse = Option::<Fr>::from(pow2(limb.shift).invert());
            (rest - field(low(limb.shift))) * inverse.unwrap_or(Fr::ZERO)
        }
        _ => field(digits.map_or(0, |d| (d >> limb.shift).rem_euclid(1i128 << limb.bits))),
    }
}

/// The same code in the protocol's terms.
fn protocol_code(code: &Code) -> zkml_protocol::Code {
    zkml_protocol::Code { bits: code.bits, signed: code.signed }
}

/// The instances that an assignment's statement has, the context excepted.
fn statement(system: &Relations, values: &Assignment, commitments: Vec<Fr>) -> Vec<Fr> {
    let mut commitments = commitments.into_iter();
    let mut out = vec![];
    for wanted in [Section::Input, Section::Model, Section::Output] {
        for (_, relation) in &system.relations {
            match relation {
                Relation::Public { v, code, section } if *section == wanted => {
                    let pad = field(v.map.pad.unwrap_or(0).into());
                    let shown = v.map.iter().map(|i| i.map_or(pad, |i| values[v.var.0 as usize][i]));
                    let shown: Vec<Fr> = shown.collect();
                    let Some(code) = code else {
                        out.extend(shown);
                        continue;
                    };
                    let own = protocol_code(code);
                    let (base, offset) = (pow2(code.bits), field(own.offset().into()));
                    let word =
                        |part: &[Fr]| part.iter().rev().fold(Fr::ZERO, |sum, x| sum * base + x + offset);
                    out.extend(shown.chunks(own.per_word() as usize).map(word));
                }
                // What is said of private weights is no sum of cells: the proof's own points are hashed.
                Relation::Commit { section: Section::Model, .. } => {}
                Relation::Commit { section, .. } if *section == wanted => out.extend(commitments.next()),
                _ => {}
            }
        }
    }
    out
}

impl Prepared for Laid<'_> {
    fn judge(&self, forged: &Assignment) -> Judgement {
        let mut accepted = None;
        for response in Response::ALL {
            let Some(meaning) = self.answer(forged, response) else { continue };
            // One that is false says more than one that is true.
            let is_true = oracle::judge(self.target, &meaning).is_ok();
            if !is_true || accepted.is_none() {
                accepted = Some(meaning);
            }
            if !is_true {
                break;
            }
        }
        accepted.map_or(Judgement::Refused, Judgement::Accepted)
    }

    fn neighbours(&self) -> Vec<(Cell, Cell, u32)> {
        let mut out = Vec::new();
        for (_, relation) in &self.target.system.relations {
            let parts = match relation {
                Relation::Public { v, code: Some(code), .. } => vec![(v, *code)],
                Relation::Commit { parts, .. } => parts.iter().map(|(v, code)| (v, *code)).collect(),
                _ => vec![],
            };
            for (v, code) in parts {
                let elements: Vec<usize> = v.map.iter().flatten().collect();
                let own = protocol_code(&code);
                for word in elements.chunks(own.per_word() as usize) {
                    let cell = |index: usize| Cell { var: v.var.0, index: index as u32 };
                    out.extend(word.windows(2).map(|p| (cell(p[0]), cell(p[1]), code.bits)));
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests;
