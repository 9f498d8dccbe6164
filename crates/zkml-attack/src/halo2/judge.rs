//! The constraint system's own gates over given columns, with the later rounds left to the adversary.

use std::collections::HashMap;

use ff::Field;
use halo2_proofs::{
    halo2curves::bn256::Fr,
    plonk::{ConstraintSystem, Expression},
    poly::Rotation,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use zkml_halo2::{circuit::ModelCircuit, shape::Shape};

use super::{
    columns::Columns,
    linear::{Equations, Form},
    recorder::Record,
};

/// A polynomial that vanishes on all rows.
#[derive(Debug, Clone)]
pub struct Poly {
    /// Name of its gate.
    pub gate: String,
    /// Position among the polynomials of its gate.
    pub index: usize,
    /// The polynomial.
    pub expression: Expression<Fr>,
    /// Returns true if it speaks of a column that is filled after the challenges.
    pub late: bool,
    /// Returns true if it belongs to the lookup argument.
    pub lookup: bool,
    /// Returns true if it speaks of looked-up cells.
    pub limbs: bool,
    /// Rows on which the fixed columns do not make it vanish by themselves.
    pub rows: Vec<u32>,
}

/// A circuit's constraints as data: whatever is here can be removed.
#[derive(Debug, Clone)]
pub struct Circuit {
    /// Number of rows.
    pub rows: usize,
    /// Columns of each kind.
    pub shape: Shape,
    /// Polynomials of all gates.
    pub polys: Vec<Poly>,
    /// Fixed columns.
    pub fixed: Vec<Vec<Fr>>,
    /// Copies.
    pub copies: Vec<[(usize, usize); 2]>,
    /// For each advice column, its place among the unknowns of a row, if it is the adversary's in later rounds.
    pub unknown: Vec<Option<u32>>,
    /// Number of unknowns per row.
    pub unknowns: u32,
    /// Rows of the lookup argument.
    pub looked_up: std::ops::Range<usize>,
    /// Returns true if the lookup argument is as it should be. What is looked up is then compared with the table,
    /// entry by entry; otherwise the argument's own equations are solved.
    pub lookup_intact: bool,
    /// A looked-up column that is not looked up any more.
    pub unlooked: Option<usize>,
    challenges: Vec<Fr>,
    table: HashMap<[Fr; 4], usize>,
    /// For each early cell, polynomials and rows that speak of it.
    touching: Vec<Vec<(u32, u32)>>,
}

/// A reason why a proof cannot be finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// The gate and row, or the entry that is in no table.
    pub reason: String,
    /// Returns true if other limbs could change the answer.
    pub limbs: bool,
}

impl Circuit {
    /// The constraints of a circuit.
    pub fn new(model: &ModelCircuit, cs: &ConstraintSystem<Fr>, record: Record) -> Self {
        let shape = model.design.shape;
        // Accumulator and folding coefficient, running sum and helpers; the accumulator may be an early column, but
        // nothing else speaks of it, so that its values are the adversary's as well.
        let early = shape.a_columns + shape.u_columns + 1;
        let phases = cs.advice_column_phase();
        let mut unknowns = 0;
        let place = |(column, phase): (usize, &u8)| {
            (column >= early || *phase > 0).then(|| {
                unknowns += 1;
                unknowns - 1
            })
        };
        let unknown: Vec<Option<u32>> = phases.iter().enumerate().map(place).collect();
        let rows = record.fixed.first().map_or(0, Vec::len);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let first = model.layout.blueprint.instances - 1;
        let mut circuit = Self {
            rows,
            shape,
            polys: vec![],
            fixed: record.fixed,
            copies: record.copies,
            unknown,
            unknowns,
            looked_up: first..model.last_row,
            lookup_intact: true,
            unlooked: None,
            table: HashMap::new(),
            touching: vec![],
            challenges: cs.challenge_phase().iter().map(|_| Fr::random(&mut rng)).collect(),
        };
        for gate in cs.gates() {
            for (index, expression) in gate.polynomials().iter().enumerate() {
                let (gate, expression) = (gate.name().to_owned(), expression.clone());
                let late = circuit.speaks(&expression, &|c| circuit.unknown[c].is_some());
                let limbs = circuit.speaks(&expression, &|c| (shape.a_columns..early - 1).contains(&c));
                // Accumulator and coefficient come before the running sum and the helpers.
                let sums = circuit.unknowns as usize - 1 - shape.lookup_sums().helpers.len();
                let lookup = circuit
                    .speaks(&expression, &|c| circuit.unknown[c].is_some_and(|place| place as usize >= sums));
                circuit.polys.push(Poly { gate, index, expression, late, lookup, limbs, rows: vec![] });
            }
        }
        circuit.refresh();
        circuit
    }

    /// Finds out again where each polynomial and each entry of the table is, after something was removed.
    pub fn refresh(&mut self) {
        let mut polys = std::mem::take(&mut self.polys);
        for p in &mut polys {
            p.rows = (0..self.rows as u32).filter(|r| !self.vanishes(&p.expression, *r as usize)).collect();
        }
        // Instances follow the advice columns.
        let mut touching = vec![vec![]; (self.unknown.len() + 1) * self.rows];
        for (i, p) in polys.iter().enumerate().filter(|(_, p)| !p.late) {
            let mut cells = Vec::new();
            self.queries(&p.expression, &mut cells);
            cells.sort_unstable();
            cells.dedup();
            for row in &p.rows {
                for (column, rotation) in &cells {
                    let at = column * self.rows + self.at(*row as usize, Rotation(*rotation));
                    touching[at].push((i as u32, *row));
                }
            }
        }
        self.touching = touching;
        self.polys = polys;
        self.table = self.entries();
    }

    /// Forgets where a removed polynomial was: everywhere, or in one row.
    pub fn forget(&mut self, poly: usize, only: Option<u32>) {
        let gone = |(i, row): &(u32, u32)| *i as usize == poly && only.is_none_or(|at| at == *row);
        self.touching.iter_mut().for_each(|t| t.retain(|at| !gone(at)));
    }

    /// Returns true if the expression speaks of an advice column that is wanted.
    fn speaks(&self, e: &Expression<Fr>, wanted: &dyn Fn(usize) -> bool) -> bool {
        let mut cells = Vec::new();
        self.queries(e, &mut cells);
        cells.iter().any(|(c, _)| *c < self.unknown.len() && wanted(*c))
    }

    /// Early cells and instances that a polynomial speaks of in a row.
    pub fn places(&self, poly: usize, row: usize) -> Vec<(usize, usize)> {
        let mut cells = Vec::new();
        self.queries(&self.polys[poly].expression, &mut cells);
        let early = |c: &usize| self.unknown.get(*c).is_none_or(|u| u.is_none());
        let cells = cells.into_iter().filter(|(c, _)| early(c));
        let mut out: Vec<_> = cells.map(|(c, r)| (c, self.at(row, Rotation(r)))).collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    /// Early polynomials and rows that speak of a cell.
    pub fn touching(&self, (column, row): (usize, usize)) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.touching[column * self.rows + row].iter().copied()
    }

    /// Returns true for a looked-up column.
    pub fn is_looked_up(&self, column: usize) -> bool {
        (self.shape.a_columns..self.shape.a_columns + self.shape.u_columns).contains(&column)
    }

    /// Advice columns and rotations that an expression speaks of.
    fn queries(&self, e: &Expression<Fr>, out: &mut Vec<(usize, i32)>) {
        match e {
            Expression::Advice(q) => out.push((q.column_index(), q.rotation().0)),
            Expression::Instance(q) => out.push((self.unknown.len(), q.rotation().0)),
            Expression::Negated(a) | Expression::Scaled(a, _) => self.queries(a, out),
            Expression::Sum(a, b) | Expression::Product(a, b) => {
                self.queries(a, out);
                self.queries(b, out);
            }
            _ => {}
        }
    }

    /// Advice cells, later columns included, and instances that a polynomial depends on in a row, whatever their values.
    pub fn reads(&self, poly: usize, row: usize) -> Vec<(usize, usize)> {
        let mut out = Vec::new();
        self.depends(&self.polys[poly].expression, row, &mut out);
        out.sort_unstable();
        out.dedup();
        out
    }

    fn depends(&self, e: &Expression<Fr>, row: usize, out: &mut Vec<(usize, usize)>) {
        match e {
            Expression::Advice(q) => out.push((q.column_index(), self.at(row, q.rotation()))),
            Expression::Instance(q) => out.push((self.unknown.len(), self.at(row, q.rotation()))),
            Expression::Negated(a) | Expression::Scaled(a, _) => self.depends(a, row, out),
            // What the fixed columns switch off here is not read.
            Expression::Product(a, b) if self.vanishes(a, row) || self.vanishes(b, row) => {}
            Expression::Sum(a, b) | Expression::Product(a, b) => {
                self.depends(a, row, out);
                self.depends(b, row, out);
            }
            _ => {}
        }
    }

    fn at(&self, row: usize, rotation: Rotation) -> usize {
        (row as i64 + i64::from(rotation.0)).rem_euclid(self.rows as i64) as usize
    }

    fn fixed_at(&self, column: usize, row: usize, rotation: Rotation) -> Fr {
        self.fixed[column][self.at(row, rotation)]
    }

    /// The value of an expression that fixed columns alone determine.
    fn known(&self, e: &Expression<Fr>, row: usize) -> Option<Fr> {
        match e {
            Expression::Constant(c) => Some(*c),
            Expression::Fixed(q) => Some(self.fixed_at(q.column_index(), row, q.rotation())),
            Expression::Negated(a) => self.known(a, row).map(|v| -v),
            Expression::Scaled(a, c) => self.known(a, row).map(|v| v * c),
            Expression::Sum(a, b) => Some(self.known(a, row)? + self.known(b, row)?),
            Expression::Product(a, b) => match (self.known(a, row), self.known(b, row)) {
                (Some(v), _) | (_, Some(v)) if v == Fr::ZERO => Some(Fr::ZERO),
                (Some(a), Some(b)) => Some(a * b),
                _ => None,
            },
            _ => None,
        }
    }

    fn vanishes(&self, e: &Expression<Fr>, row: usize) -> bool {
        self.known(e, row) == Some(Fr::ZERO)
    }

    /// The value of an expression over columns that are filled: early ones, or all.
    pub fn value(&self, e: &Expression<Fr>, row: usize, columns: &Columns) -> Fr {
        match e {
            Expression::Constant(c) => *c,
            Expression::Fixed(q) => self.fixed_at(q.column_index(), row, q.rotation()),
            Expression::Advice(q) => columns.early[q.column_index()][self.at(row, q.rotation())],
            Expression::Instance(q) => columns.instance[self.at(row, q.rotation())],
            Expression::Challenge(c) => self.challenges[c.index()],
            Expression::Negated(a) => -self.value(a, row, columns),
            Expression::Scaled(a, c) => self.value(a, row, columns) * c,
            Expression::Sum(a, b) => self.value(a, row, columns) + self.value(b, row, columns),
            Expression::Product(a, b) => match self.value(a, row, columns) {
                v if v == Fr::ZERO => v,
                v => v * self.value(b, row, columns),
            },
            Expression::Selector(_) => unreachable!("the recorder refuses selectors"),
        }
    }

    /// An expression as an affine form in the unknowns. `None` if it is not affine.
    fn form(&self, e: &Expression<Fr>, row: usize, columns: &Columns) -> Option<Form> {
        Some(match e {
            Expression::Advice(q) => {
                let (column, row) = (q.column_index(), self.at(row, q.rotation()));
                match self.unknown[column] {
                    Some(place) => Form::unknown(row as u32 * self.unknowns + place),
                    None => Form::constant(columns.early[column][row]),
                }
            }
            Expression::Negated(a) => self.form(a, row, columns)?.scaled(-Fr::ONE),
            Expression::Scaled(a, c) => self.form(a, row, columns)?.scaled(*c),
            Expression::Sum(a, b) => self.form(a, row, columns)?.plus(Fr::ONE, &self.form(b, row, columns)?),
            Expression::Product(a, b) => {
                let a = self.form(a, row, columns)?;
                if a.is_zero() {
                    return Some(a);
                }
                let b = self.form(b, row, columns)?;
                match (a.terms.is_empty(), b.terms.is_empty()) {
                    (true, _) => b.scaled(a.constant),
                    (_, true) => a.scaled(b.constant),
                    _ => return None,
                }
            }
            other => Form::constant(self.value(other, row, columns)),
        })
    }

    /// Tells whether a prover who holds these early columns can finish the proof, given columns of which that is known.
    ///
    /// # Errors
    /// The first gate and row that object.
    pub fn accepts(&self, columns: &Columns, honest: Option<&Columns>) -> Result<(), Objection> {
        self.early(columns, honest)?;
        if self.lookup_intact {
            self.looked_up(&columns.early)?;
        }
        self.late(columns).map_err(|(objection, _)| objection)
    }

    /// Solves the gates over later columns. Where they contradict each other, returns the row and what is left of the
    /// equation as well: an affine function of each early cell that is multiplied with no other of its chain.
    ///
    /// # Errors
    /// The first gate and row that object.
    pub fn late(&self, columns: &Columns) -> Result<(), (Objection, (u32, Fr))> {
        let mut equations = Equations::default();
        // Row by row, so that each equation is solved as soon as what it builds on is.
        let mut work: Vec<(u32, usize)> = Vec::new();
        let solved = |p: &Poly| p.late && !(p.lookup && self.lookup_intact);
        for (i, p) in self.polys.iter().enumerate().filter(|(_, p)| solved(p)) {
            work.extend(p.rows.iter().map(|r| (*r, i)));
        }
        work.sort_unstable();
        for (row, i) in work {
            let p = &self.polys[i];
            let objection = |reason: String| Objection { reason, limbs: p.limbs };
            let Some(form) = self.form(&p.expression, row as usize, columns) else {
                let reason = format!("`{}` is not affine in the later columns", p.gate);
                return Err((objection(reason), (row, Fr::ZERO)));
            };
            if let Err(left) = equations.require(form) {
                return Err((objection(format!("`{}`, row {row}", p.gate)), (row, left)));
            }
        }
        Ok(())
    }

    /// The gates that speak of early columns only. Where honest columns are known to satisfy them, only what differs
    /// is looked at.
    fn early(&self, columns: &Columns, honest: Option<&Columns>) -> Result<(), Objection> {
        let fails = |i: usize, row: u32| {
            let p = &self.polys[i];
            (self.value(&p.expression, row as usize, columns) != Fr::ZERO).then(|| Objection {
                reason: format!("`{}` ({}), row {row}", p.gate, p.index),
                limbs: p.limbs,
            })
        };
        let Some(honest) = honest else {
            let all = self.polys.iter().enumerate().filter(|(_, p)| !p.late);
            let mut all = all.flat_map(|(i, p)| p.rows.iter().map(move |r| (i, *r)));
            return all.find_map(|(i, row)| fails(i, row)).map_or(Ok(()), Err);
        };
        // An objection that other limbs cannot answer is worth more.
        let mut objection: Option<Objection> = None;
        let instance = std::iter::once((&columns.instance, &honest.instance));
        for (c, (new, old)) in columns.early.iter().zip(&honest.early).chain(instance).enumerate() {
            for (row, _) in new.iter().zip(old).enumerate().filter(|(_, (a, b))| a != b) {
                for (i, at) in &self.touching[c * self.rows + row] {
                    match fails(*i as usize, *at) {
                        Some(o) if !o.limbs => return Err(o),
                        Some(o) => objection = Some(o),
                        None => {}
                    }
                }
            }
        }
        objection.map_or(Ok(()), Err)
    }

    /// Compares all that is looked up with the table: with a fresh challenge, sums of inverses are equal only if each
    /// entry is there.
    fn looked_up(&self, early: &[Vec<Fr>]) -> Result<(), Objection> {
        for u in (0..self.shape.u_columns).filter(|u| self.unlooked != Some(*u)) {
            for row in self.looked_up.clone() {
                if self.find(&self.entry(u, row, early)).is_none() {
                    return Err(Objection {
                        reason: format!("row {row} looks up what is in no table"),
                        limbs: true,
                    });
                }
            }
        }
        Ok(())
    }

    /// Entry that row `row` looks up in looked-up column `column`: key plus one, tag, tagged outputs.
    pub fn entry(&self, column: usize, row: usize, early: &[Vec<Fr>]) -> [Fr; 4] {
        let key = early[self.shape.a_columns + column][row] + Fr::ONE;
        let tag = match self.tag_column().filter(|_| column == 0) {
            Some(tag) => self.fixed[tag][row],
            None => Fr::ZERO,
        };
        let mut entry = [key, tag, Fr::ZERO, Fr::ZERO];
        if tag != Fr::ZERO {
            for (slot, (c, r)) in entry[2..].iter_mut().zip(self.shape.output_slots()) {
                *slot = tag * early[*c][(row + r) % self.rows];
            }
        }
        entry
    }

    /// Fixed columns of the lookup table; weights come before them.
    pub fn table_columns(&self) -> std::ops::Range<usize> {
        let first = self.shape.w_columns;
        first..first + self.shape.table_columns()
    }

    /// The fixed column that says which table a key means.
    pub fn tag_column(&self) -> Option<usize> {
        (self.shape.table_outputs > 0).then(|| self.table_columns().end)
    }

    /// The row of an entry of the table.
    pub fn find(&self, entry: &[Fr; 4]) -> Option<usize> {
        self.table.get(entry).copied()
    }

    /// Rows of the table by entry; the first row of an entry that is there more than once.
    fn entries(&self) -> HashMap<[Fr; 4], usize> {
        let mut out = HashMap::new();
        for row in self.looked_up.clone() {
            let mut entry = [Fr::ZERO; 4];
            entry.iter_mut().zip(self.table_columns()).for_each(|(e, c)| *e = self.fixed[c][row]);
            out.entry(entry).or_insert(row);
        }
        out
    }
}
