//! The circuit: columns, gates, and the assignment of a layout to them.

use std::sync::Arc;

use ff::Field;
use halo2_proofs::{
    circuit::{Layouter, Region, SimpleFloorPlanner, Value},
    halo2curves::bn256::Fr,
    plonk::{
        Advice, Challenge, Circuit, Column, ConstraintSystem, Error, Expression, Fixed, Instance,
        VirtualCells,
    },
    poly::Rotation,
};

use crate::{
    block::Slot,
    gate::Gate,
    layout::{Layout, TableRow},
    phase::{Challenges, Committed, Early, FirstPhase, Late},
    polynomial::pow2,
    poseidon_rows::{self, Step},
    shape::{MAX_DEGREE, Shape, Sharing},
    witness::Witness,
};

/// What the constraint system depends on.
#[derive(Debug, Clone, Default)]
pub struct Params(pub Option<Arc<Design>>);

/// Columns and gates of a circuit.
#[derive(Debug, Clone)]
pub struct Design {
    /// Columns.
    pub shape: Shape,
    /// Gates.
    pub gates: Vec<Gate>,
    /// How gates share selector columns.
    pub sharing: Sharing,
}

/// Columns and challenges, by role.
#[derive(Debug, Clone)]
pub struct Config {
    a: Vec<Early>,
    u: Vec<Early>,
    multiplicity: Early,
    /// Late where it depends on challenges.
    accumulator: Option<Column<Advice>>,
    coefficient: Option<Late>,
    running: Late,
    helpers: Vec<Late>,
    w: Vec<Column<Fixed>>,
    table: Vec<Column<Fixed>>,
    tag: Option<Column<Fixed>>,
    fold: Option<Column<Fixed>>,
    selectors: Vec<Column<Fixed>>,
    instance: Column<Instance>,
    challenges: [Option<Challenge>; 4],
}

/// A circuit of a given design, with its rows and, when proving, its values.
#[derive(Debug, Clone)]
pub struct ModelCircuit {
    /// Columns and gates.
    pub design: Arc<Design>,
    /// Rows.
    pub layout: Arc<Layout>,
    /// Entries of the lookup table.
    pub table: Arc<Vec<TableRow>>,
    /// Last row of the lookup argument.
    pub last_row: usize,
    /// Values, when proving.
    pub witness: Option<Arc<Witness>>,
}

type E = Expression<Fr>;

/// A cell of an advice column, of whatever phase.
fn query(meta: &mut VirtualCells<'_, Fr>, column: impl Into<Column<Advice>>, rotation: Rotation) -> E {
    meta.query_advice(column.into(), rotation)
}

fn constant(c: Fr) -> E {
    Expression::Constant(c)
}

fn sum(terms: impl IntoIterator<Item = E>) -> E {
    terms.into_iter().reduce(|a, b| a + b).unwrap_or_else(|| constant(Fr::ZERO))
}

fn product(factors: impl IntoIterator<Item = E>) -> E {
    factors.into_iter().reduce(|a, b| a * b).unwrap_or_else(|| constant(Fr::ONE))
}

/// `Σ base^i · terms[i]`.
fn powers(base: &E, terms: Vec<E>) -> E {
    terms.into_iter().rev().reduce(|acc, t| acc * base.clone() + t).unwrap_or_else(|| constant(Fr::ZERO))
}

/// The polynomial in `q` of degree `values.len() − 1` that takes `values[i]` at `i`.
fn interpolate(q: &E, values: &[E]) -> E {
    let n = values.len() as i64;
    let at = |i: i64| {
        let others = (0..n).filter(|j| *j != i);
        let denominator: Fr = others.clone().map(|j| crate::polynomial::field((i - j).into())).product();
        let scale = Option::<Fr>::from(denominator.invert()).unwrap_or(Fr::ZERO);
        (product(others.map(|j| q.clone() - constant(Fr::from(j as u64)))), scale)
    };
    let used = (0..n).filter(|i| !matches!(&values[*i as usize], Expression::Constant(c) if *c == Fr::ZERO));
    sum(used.map(|i| {
        let (basis, scale) = at(i);
        values[i as usize].clone() * (basis * scale)
    }))
}

/// Non-zero exactly where `q` holds `code`, among codes `0..=count`.
fn selected(q: &E, code: u64, count: usize) -> E {
    product(
        (0..=count as u64)
            .filter(|c| *c != code)
            .map(|c| if c == 0 { q.clone() } else { constant(Fr::from(c)) - q.clone() }),
    )
}

impl Config {
    fn new(meta: &mut ConstraintSystem<Fr>, design: &Design) -> Self {
        let shape = &design.shape;
        let contracts = design.gates.contains(&Gate::Start);
        let mut first = FirstPhase::new(meta);
        let a = (0..shape.a_columns).map(|_| first.permuted()).collect();
        let u = (0..shape.u_columns).map(|_| first.advice()).collect();
        let multiplicity = first.advice();
        let early = (contracts && !shape.fold).then(|| first.advice().into());
        let mut second = first.end();
        let late = (contracts && shape.fold).then(|| second.advice().into());
        let tables = shape.table_outputs > 0;
        let mut challenge = |wanted: bool| wanted.then(|| second.challenge());
        let challenges =
            [challenge(true), challenge(tables), challenge(shape.fold), challenge(shape.fold && shape.sweep)];
        Self {
            a,
            u,
            multiplicity,
            accumulator: early.or(late),
            coefficient: shape.fold.then(|| second.advice()),
            running: second.advice(),
            helpers: shape.lookup_sums().helpers.iter().map(|_| second.advice()).collect(),
            w: (0..shape.w_columns).map(|_| meta.fixed_column()).collect(),
            table: (0..shape.table_columns()).map(|_| meta.fixed_column()).collect(),
            tag: tables.then(|| meta.fixed_column()),
            fold: shape.fold.then(|| meta.fixed_column()),
            selectors: design.sharing.columns.iter().map(|_| meta.fixed_column()).collect(),
            instance: meta.instance_column(),
            challenges,
        }
    }

    fn challenge(&self, meta: &mut VirtualCells<'_, Fr>, i: usize) -> E {
        self.challenges[i].map_or_else(|| constant(Fr::ONE), |c| meta.query_challenge(c))
    }

    /// `α + key` of a looked-up column, where the first column may address function tables.
    fn looked_up(&self, meta: &mut VirtualCells<'_, Fr>, shape: &Shape, column: usize) -> E {
        let alpha = self.challenge(meta, 0);
        let cell = query(meta, self.u[column], Rotation::cur());
        let plain = alpha + cell + constant(Fr::ONE);
        let Some(tag) = self.tag.filter(|_| column == 0) else { return plain };
        let tag = meta.query_fixed(tag, Rotation::cur());
        let beta = self.challenge(meta, 1);
        let slots = shape.output_slots().iter();
        let outputs = slots.map(|(c, r)| query(meta, self.a[*c], Rotation(*r as i32)));
        let tagged: Vec<E> = std::iter::once(constant(Fr::ONE)).chain(outputs).collect();
        plain + tag * (powers(&beta, tagged) * beta)
    }

    /// The lookup argument: sums of `1/(α + looked-up)` over all cells equal those over the table.
    fn lookup_gates(&self, meta: &mut ConstraintSystem<Fr>, shape: &Shape) {
        let sums = shape.lookup_sums();
        // Σ_j Π_{i≠j} f_i
        let numerators = |f: &[E]| {
            sum((0..f.len())
                .map(|j| product(f.iter().enumerate().filter(|(i, _)| *i != j).map(|(_, e)| e.clone()))))
        };
        for (h, columns) in self.helpers.iter().zip(&sums.helpers) {
            meta.create_gate("h · Π(α + fᵢ) = Σⱼ Π_{i≠j}(α + fᵢ)", |meta| {
                let active = meta.query_fixed(self.table[0], Rotation::cur());
                let f: Vec<E> = columns.iter().map(|c| self.looked_up(meta, shape, *c)).collect();
                let h = query(meta, *h, Rotation::cur());
                vec![active * (h * product(f.clone()) - numerators(&f))]
            });
        }
        meta.create_gate(
            "(φ' − φ − Σh)·(α + T)·Π(α + fᵢ) = (α + T)·Σⱼ Π_{i≠j}(α + fᵢ) − m·Π(α + fᵢ)",
            |meta| {
                let key = meta.query_fixed(self.table[0], Rotation::cur());
                let alpha = self.challenge(meta, 0);
                let beta = self.challenge(meta, 1);
                let outputs: Vec<E> =
                    self.table[1..].iter().map(|c| meta.query_fixed(*c, Rotation::cur())).collect();
                let mut entry = alpha + key.clone();
                if !outputs.is_empty() {
                    entry = entry + powers(&beta, outputs) * beta;
                }
                let f: Vec<E> = sums.running.iter().map(|c| self.looked_up(meta, shape, *c)).collect();
                let here = query(meta, self.running, Rotation::cur());
                let next = query(meta, self.running, Rotation::next());
                let helped = sum(self.helpers.iter().map(|h| query(meta, *h, Rotation::cur())));
                let m = query(meta, self.multiplicity, Rotation::cur());
                let all = product(f.clone());
                let left = (next - here - helped) * entry.clone() * all.clone();
                // The key is zero only outside the argument. Further factors of it raise the constraint to the full
                // degree: were all constraints below, the last piece of the quotient would be zero, and its
                // commitment a point that verifiers refuse.
                let identity = left - entry * numerators(&f) + m * all;
                let factors = MAX_DEGREE - identity.degree();
                vec![product(std::iter::repeat_n(key, factors)) * identity]
            },
        );
    }

    /// The folding gates: how `z` and `t` move on the rows of folded contractions.
    fn fold_gates(&self, meta: &mut ConstraintSystem<Fr>, shape: &Shape) {
        let (Some(fold), Some(z), Some(t)) = (self.fold, self.coefficient, self.accumulator) else { return };
        meta.create_gate(
            "z' = z·{0, ρ^lanes, σ^lanes} + Σ wₗρˡ, t' = t + {1, 0, 1}·z·Σ σˡaₗ",
            |meta| {
                let code = meta.query_fixed(fold, Rotation::cur());
                let rho = self.challenge(meta, 2);
                let w: Vec<E> = self.w.iter().map(|c| meta.query_fixed(*c, Rotation::cur())).collect();
                let a: Vec<E> = self.a.iter().map(|c| query(meta, *c, Rotation::cur())).collect();
                let z_here = query(meta, z, Rotation::cur());
                let z_next = query(meta, z, Rotation::next());
                let t_here = query(meta, t, Rotation::cur());
                let t_next = query(meta, t, Rotation::next());
                let power = |base: &E, n: usize| product(std::iter::repeat_n(base.clone(), n));
                let (one, zero) = (constant(Fr::ONE), constant(Fr::ZERO));
                let mut on = vec![zero.clone(), one.clone(), one.clone()];
                let mut multiplier = vec![zero.clone(), zero.clone(), power(&rho, w.len())];
                let mut adds = vec![zero.clone(), one.clone(), zero];
                let swept = if shape.sweep {
                    let sigma = self.challenge(meta, 3);
                    on.push(one.clone());
                    multiplier.push(power(&sigma, a.len()));
                    adds.push(one);
                    powers(&sigma, a)
                } else {
                    // Without sweeps every position is a lane-zero product; the other lanes show zero.
                    sum(a)
                };
                let active = interpolate(&code, &on);
                let folded = powers(&rho, w);
                vec![
                    active.clone() * (z_next - folded) - interpolate(&code, &multiplier) * z_here.clone(),
                    active * (t_next - t_here) - interpolate(&code, &adds) * z_here * swept,
                ]
            },
        );
    }

    fn gate(&self, meta: &mut ConstraintSystem<Fr>, design: &Design, index: usize) {
        let Some((column, code)) = design.sharing.code(index) else { return };
        let count = design.sharing.columns[column].len();
        let gate = &design.gates[index];
        meta.create_gate(gate_name(gate), |meta| {
            let q = meta.query_fixed(self.selectors[column], Rotation::cur());
            let on = selected(&q, code, count);
            self.polynomials(meta, design, gate).into_iter().map(|p| on.clone() * p).collect::<Vec<_>>()
        });
    }

    fn polynomials(&self, meta: &mut VirtualCells<'_, Fr>, design: &Design, gate: &Gate) -> Vec<E> {
        let here = |meta: &mut VirtualCells<'_, Fr>, c| query(meta, c, Rotation::cur());
        let t = |meta: &mut VirtualCells<'_, Fr>, r| {
            self.accumulator.map_or_else(|| constant(Fr::ZERO), |c| query(meta, c, r))
        };
        match gate {
            Gate::Public => {
                let instance = meta.query_instance(self.instance, Rotation::cur());
                vec![here(meta, self.a[0]) - instance, query(meta, self.running, Rotation::cur())]
            }
            Gate::Constant => {
                let w = meta.query_fixed(self.w[0], Rotation::cur());
                vec![here(meta, self.a[0]) - w]
            }
            Gate::Start => {
                let w = meta.query_fixed(self.w[0], Rotation::cur());
                let mut out = vec![t(meta, Rotation::cur()), t(meta, Rotation::next()) - w];
                out.extend(self.coefficient.map(|z| query(meta, z, Rotation::next())));
                out
            }
            Gate::Dot => {
                let lanes: Vec<E> = self
                    .a
                    .iter()
                    .zip(&self.w)
                    .map(|(a, w)| here(meta, *a) * meta.query_fixed(*w, Rotation::cur()))
                    .collect();
                vec![t(meta, Rotation::next()) - t(meta, Rotation::cur()) - sum(lanes)]
            }
            Gate::Pairs => {
                let lanes: Vec<E> =
                    self.a.chunks_exact(2).map(|p| here(meta, p[0]) * here(meta, p[1])).collect();
                vec![t(meta, Rotation::next()) - t(meta, Rotation::cur()) - sum(lanes)]
            }
            Gate::FoldCells | Gate::Shift => {
                let cells = self.a.iter().map(|c| query(meta, *c, Rotation::cur())).collect();
                let (rho, sigma) = (self.challenge(meta, 2), self.challenge(meta, 3));
                let Some(z) = self.coefficient else { return vec![] };
                let here = query(meta, z, Rotation::cur());
                let folded = query(meta, z, Rotation::next()) - powers(&rho, cells);
                let (t_here, t_next) = (t(meta, Rotation::cur()), t(meta, Rotation::next()));
                if *gate == Gate::Shift {
                    return vec![folded, t_next - t_here * sigma + here];
                }
                let moved = here * product(std::iter::repeat_n(rho, self.a.len()));
                vec![folded - moved, t_next - t_here]
            }
            Gate::Hash(step) => self.hash_step(meta, *step),
            Gate::Pack { width, slots } => {
                let na = design.shape.a_columns;
                let cells: Vec<E> =
                    (0..=*slots).map(|i| query(meta, self.a[i % na], Rotation((i / na) as i32))).collect();
                let packed = cells[*slots].clone();
                vec![powers(&constant(pow2(*width)), cells[..*slots].to_vec()) - packed]
            }
            Gate::Block(template) => {
                let mut slot = |s: &Slot| match s {
                    Slot::U(c, r) => query(meta, self.u[*c as usize], Rotation(i32::from(*r))),
                    Slot::A(c, r) => query(meta, self.a[*c as usize], Rotation(i32::from(*r))),
                };
                let mut polynomial = |p: &crate::polynomial::Polynomial<Slot>| {
                    sum(p.0.iter().map(|(m, c)| {
                        let cells: Vec<E> = m.iter().map(&mut slot).collect();
                        if cells.is_empty() {
                            constant(*c)
                        } else if *c == Fr::ONE {
                            product(cells)
                        } else {
                            product(cells) * *c
                        }
                    }))
                };
                template.polys.iter().map(&mut polynomial).collect()
            }
        }
    }
}

impl Config {
    /// What a step of the hash demands; see [`poseidon_rows`] for its cells.
    fn hash_step(&self, meta: &mut VirtualCells<'_, Fr>, step: Step) -> Vec<E> {
        let (na, nw) = (self.a.len(), self.w.len());
        let height = step.height(na, nw);
        let cell = |meta: &mut VirtualCells<'_, Fr>, i: usize, from: usize| {
            query(meta, self.a[i % na], Rotation((from + i / na) as i32))
        };
        let cells: Vec<E> = (0..step.cells()).map(|i| cell(meta, i, 0)).collect();
        let next: Vec<E> = (0..zkml_poseidon::WIDTH).map(|i| cell(meta, i, height)).collect();
        let added: Vec<E> = (0..step.constants())
            .map(|i| meta.query_fixed(self.w[i % nw], Rotation((i / nw) as i32)))
            .collect();
        let (state, rest) = cells.split_at(zkml_poseidon::WIDTH);
        let weighted = |row: &[Fr], terms: &[E]| {
            sum(row
                .iter()
                .zip(terms)
                .filter(|(c, _)| **c != Fr::ZERO)
                .map(|(c, t)| if *c == Fr::ONE { t.clone() } else { t.clone() * *c }))
        };
        let fifth = |square: &E, x: &E| square.clone() * square.clone() * x.clone();
        let mut out = Vec::new();
        match step {
            Step::Full => {
                let x: Vec<E> = state.iter().zip(&added).map(|(s, c)| s.clone() + c.clone()).collect();
                out.extend(rest.iter().zip(&x).map(|(q, x)| q.clone() - x.clone() * x.clone()));
                let y: Vec<E> = rest.iter().zip(&x).map(|(q, x)| fifth(q, x)).collect();
                let rows = zkml_poseidon::constants().matrix.iter().zip(next);
                out.extend(rows.map(|(row, n)| n - weighted(row, &y)));
            }
            Step::Partial => {
                let sums = poseidon_rows::partial_sums();
                let outputs = rest.iter().skip(1).step_by(2);
                let terms: Vec<E> = state.iter().chain(outputs).cloned().collect();
                for ((row, c), pair) in sums.inputs.iter().zip(&added).zip(rest.chunks_exact(2)) {
                    let x = weighted(row, &terms) + c.clone();
                    out.push(pair[0].clone() - x.clone() * x.clone());
                    out.push(pair[1].clone() - fifth(&pair[0], &x));
                }
                out.extend(sums.next.iter().zip(next).map(|(row, n)| n - weighted(row, &terms)));
            }
        }
        out
    }
}

fn gate_name(gate: &Gate) -> &'static str {
    match gate {
        Gate::Public => "a₀ = instance, φ = 0",
        Gate::Constant => "a₀ = w₀",
        Gate::Start => "t = 0, t' = w₀, z' = 0",
        Gate::Dot => "t' = t + Σ wₗ·aₗ",
        Gate::Pairs => "t' = t + Σ a₂ᵢ·a₂ᵢ₊₁",
        Gate::Pack { .. } => "packed = Σ 2^(width·s)·a_s",
        Gate::FoldCells => "z' = z·ρ^lanes + Σ ρˡaₗ, t' = t",
        Gate::Shift => "t' = σ·t − z, z' = Σ ρˡaₗ",
        Gate::Hash(Step::Full) => "q = x², s' = M·(q²·x)",
        Gate::Hash(Step::Partial) => "qᵣ = xᵣ², yᵣ = qᵣ²·xᵣ, s' = sums of s and y",
        Gate::Block(_) => "element-wise relations",
    }
}

impl Circuit<Fr> for ModelCircuit {
    type Config = Config;
    type FloorPlanner = SimpleFloorPlanner;
    type Params = Params;

    fn without_witnesses(&self) -> Self {
        Self { witness: None, ..self.clone() }
    }

    fn params(&self) -> Params {
        Params(Some(self.design.clone()))
    }

    fn configure(meta: &mut ConstraintSystem<Fr>) -> Config {
        // halo2 calls this only for circuits without parameters, of which there are none here.
        Self::configure_with_params(meta, Params::default())
    }

    fn configure_with_params(meta: &mut ConstraintSystem<Fr>, params: Params) -> Config {
        let design = params.0.unwrap_or_else(|| {
            let shape = Shape {
                a_columns: 1,
                u_columns: 1,
                w_columns: 1,
                limb_bits: 1,
                max_height: 1,
                fold: false,
                sweep: false,
                table_outputs: 0,
            };
            Arc::new(Design { shape, gates: vec![Gate::Public], sharing: Sharing::new(&[1]) })
        });
        meta.set_minimum_degree(MAX_DEGREE);
        let config = Config::new(meta, &design);
        config.lookup_gates(meta, &design.shape);
        config.fold_gates(meta, &design.shape);
        (0..design.gates.len()).for_each(|g| config.gate(meta, &design, g));
        config
    }

    fn synthesize(&self, config: Config, mut layouter: impl Layouter<Fr>) -> Result<(), Error> {
        layouter.assign_region(
            || "model",
            |mut region| {
                self.assign_fixed(&config, &mut region);
                let committed = self.assign_first_phase(&config, &mut region);
                if let Some(challenges) = committed.draw(&region, &config.challenges) {
                    self.assign_second_phase(&config, &mut region, &challenges);
                }
                Ok(())
            },
        )
    }
}

impl ModelCircuit {
    /// First row of the lookup argument: the last public row, where the running sum is zero.
    fn first_row(&self) -> usize {
        self.layout.blueprint.instances - 1
    }

    fn assign_fixed(&self, config: &Config, region: &mut Region<'_, Fr>) {
        let layout = &self.layout;
        for (c, row, v) in &layout.weights {
            region.assign_fixed(config.w[*c as usize], *row as usize, *v);
        }
        for row in self.first_row()..self.last_row {
            let entry = self.table.get(row - self.first_row()).unwrap_or(&self.table[0]);
            region.assign_fixed(config.table[0], row, entry.key);
            for (column, value) in config.table[1..].iter().zip(entry.tagged) {
                region.assign_fixed(*column, row, value);
            }
        }
        if let Some(tag) = config.tag {
            for (row, table) in &layout.keys {
                region.assign_fixed(tag, *row as usize, Fr::from(u64::from(*table) + 1));
            }
        }
        if let Some(fold) = config.fold {
            for (row, op) in layout.accumulator.iter().filter(|(_, op)| op.fold_code() != 0) {
                region.assign_fixed(fold, *row as usize, Fr::from(op.fold_code()));
            }
        }
        let mut activate = |row: usize, gate: usize| {
            if let Some((column, code)) = self.design.sharing.code(gate) {
                region.assign_fixed(config.selectors[column], row, Fr::from(code));
            }
        };
        layout.active.iter().for_each(|(row, gate)| activate(*row as usize, *gate));
        // The public gate also closes the lookup argument: the running sum ends at zero.
        activate(self.last_row, 0);
    }

    fn assign_first_phase(&self, config: &Config, region: &mut Region<'_, Fr>) -> Committed {
        let witness = self.witness.as_deref();
        // What is placed as well comes later, with its copies.
        for (c, row, v) in witness.iter().flat_map(|w| &w.hash_cells) {
            region.assign_advice(config.a[*c as usize].into(), *row as usize, Value::known(*v));
        }
        let known = |f: &dyn Fn(&Witness) -> Fr| witness.map_or_else(Value::unknown, |w| Value::known(f(w)));
        let mut first = std::collections::HashMap::new();
        for (i, (c, row, source)) in self.layout.placements.iter().enumerate() {
            let value = known(&|w| w.placed[i]);
            let cell = region.assign_advice(config.a[*c as usize].into(), *row as usize, value).cell();
            match first.entry(*source) {
                std::collections::hash_map::Entry::Vacant(v) => {
                    v.insert(cell);
                }
                std::collections::hash_map::Entry::Occupied(o) => region.constrain_equal(*o.get(), cell),
            }
        }
        let Some(w) = witness else { return Committed::end(region) };
        region.assign_advice(config.a[0].into(), 0, Value::known(w.context));
        for (column, values) in config.u.iter().zip(&w.looked_up) {
            for (row, v) in values.iter().enumerate().filter(|(_, v)| **v != 0) {
                region.assign_advice((*column).into(), row, Value::known(Fr::from(*v)));
            }
        }
        for (row, m) in w.multiplicity.iter().enumerate().filter(|(_, m)| **m != 0) {
            region.assign_advice(config.multiplicity.into(), row, Value::known(Fr::from(*m)));
        }
        if !self.design.shape.fold {
            self.assign_accumulator(config, region, w, &Challenges::unused());
        }
        Committed::end(region)
    }

    fn assign_accumulator(&self, config: &Config, region: &mut Region<'_, Fr>, w: &Witness, c: &Challenges) {
        let Some(t) = config.accumulator else { return };
        for (row, z_value, t_value) in w.accumulator(&self.layout, c) {
            region.assign_advice(t, row, Value::known(t_value));
            if let Some(z) = config.coefficient {
                region.assign_advice(z.into(), row, Value::known(z_value));
            }
        }
    }

    fn assign_second_phase(&self, config: &Config, region: &mut Region<'_, Fr>, challenges: &Challenges) {
        let Some(w) = self.witness.as_deref() else { return };
        if self.design.shape.fold {
            self.assign_accumulator(config, region, w, challenges);
        }
        let sums = w.sums(&self.layout, &self.table, self.first_row(), self.last_row, challenges);
        for (row, v) in sums.running.iter().enumerate() {
            region.assign_advice(config.running.into(), row + self.first_row(), Value::known(*v));
        }
        for (column, values) in config.helpers.iter().zip(&sums.helpers) {
            for (row, v) in values.iter().enumerate() {
                region.assign_advice((*column).into(), row + self.first_row(), Value::known(*v));
            }
        }
    }
}
