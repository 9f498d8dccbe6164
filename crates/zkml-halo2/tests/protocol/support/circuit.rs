//! Small circuits made at random, satisfiable by construction.
//!
//! Each gate defines one column: `selector · (out − polynomial of the inputs) = 0`, so the witness fills itself in.

use ff::Field;
use halo2_proofs::circuit::{AssignedCell, Layouter, Region, SimpleFloorPlanner, Value};
use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::plonk::{
    Advice, Challenge, Circuit, Column, ConstraintSystem, Error, Expression, FirstPhase, Fixed, Instance,
    SecondPhase, Selector,
};
use halo2_proofs::poly::Rotation;
use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use std::collections::HashMap;

/// Shape of a circuit. The same shape always gives the same key.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    pub k: u32,
    /// Input columns of the first and the second phase.
    pub inputs: [usize; 2],
    pub fixed: usize,
    pub challenges: usize,
    pub instances: usize,
    pub gates: Vec<GateShape>,
    /// How many input columns take part in the permutation.
    pub permuted: usize,
    /// Pairs of cells that are copies of each other, besides one copy for each instance.
    pub copies: usize,
    /// Largest rotation, which keeps the gates away from the ends.
    pub reach: i32,
    pub seed: u64,
}

/// `out[row + out_rotation] = Σ terms`.
#[derive(Clone, Debug)]
pub struct GateShape {
    pub terms: Vec<(i64, Vec<Factor>)>,
    pub out_rotation: i32,
}

#[derive(Clone, Copy, Debug)]
pub enum Factor {
    Advice(usize, i32),
    Fixed(usize, i32),
    Instance,
    Challenge(usize),
}

impl GateShape {
    /// A gate is late if it reads a challenge or a column of the second phase.
    fn late(&self, shape: &Shape) -> bool {
        self.terms.iter().flat_map(|(_, factors)| factors).any(|factor| match factor {
            Factor::Challenge(_) => true,
            Factor::Advice(column, _) => *column >= shape.inputs[0],
            _ => false,
        })
    }
}

impl Shape {
    /// Some shape with these features; `seed` decides the rest.
    pub fn random(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let late = rng.gen_bool(0.6);
        let permutation = seed % 4 != 3;
        let mut shape = Self {
            k: rng.gen_range(5..=6),
            inputs: [rng.gen_range(1..=4), usize::from(late) * rng.gen_range(1..=2)],
            fixed: rng.gen_range(1..=3),
            challenges: usize::from(late) * rng.gen_range(1..=2),
            instances: rng.gen_range(1..=4),
            reach: rng.gen_range(0..=2),
            copies: rng.gen_range(0..=4),
            seed,
            ..Self::default()
        };
        let columns = shape.inputs.iter().sum();
        shape.permuted = if permutation { rng.gen_range(1..=columns) } else { 0 };
        for gate in 0..rng.gen_range(1..=4) {
            let gate = shape.random_gate(&mut rng, gate == 0);
            shape.gates.push(gate);
        }
        shape
    }

    fn random_gate(&self, rng: &mut ChaCha8Rng, first: bool) -> GateShape {
        let reach = self.reach;
        let mut terms: Vec<_> = (0..rng.gen_range(1..=3))
            .map(|_| {
                let factors = (0..rng.gen_range(0..=3)).map(|_| self.random_factor(rng)).collect();
                // Never zero: a term that vanishes would leave the quotient's last piece empty.
                ([-3, -1, 1, 2][rng.gen_range(0..4)], factors)
            })
            .collect();
        if first {
            // Degree three with the selector, so that every piece of the quotient is used; reads the instance.
            terms.push((1, vec![Factor::Advice(0, 0), Factor::Advice(0, rng.gen_range(-reach..=reach))]));
            terms.push((2, vec![Factor::Instance]));
        }
        GateShape { terms, out_rotation: rng.gen_range(-reach..=reach) }
    }

    fn random_factor(&self, rng: &mut ChaCha8Rng) -> Factor {
        let rotation = rng.gen_range(-self.reach..=self.reach);
        let columns = self.inputs[0] + self.inputs[1];
        match rng.gen_range(0..6) {
            0 => Factor::Fixed(rng.gen_range(0..self.fixed), rotation),
            1 => Factor::Instance,
            2 if self.challenges > 0 => Factor::Challenge(rng.gen_range(0..self.challenges)),
            _ => Factor::Advice(rng.gen_range(0..columns), rotation),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Config {
    inputs: Vec<Column<Advice>>,
    outputs: Vec<Column<Advice>>,
    selectors: Vec<Selector>,
    fixed: Vec<Column<Fixed>>,
    instance: Column<Instance>,
    challenges: Vec<Challenge>,
    usable: usize,
}

/// A circuit of a shape with its witness, which `seed` of the shape decides.
#[derive(Clone, Debug)]
pub struct RandomCircuit {
    pub shape: Shape,
    pub instances: Vec<Fr>,
}

impl RandomCircuit {
    pub fn new(shape: Shape) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(shape.seed ^ 0x5eed);
        let instances = (0..shape.instances).map(|_| Fr::random(&mut rng)).collect();
        Self { shape, instances }
    }
}

impl Circuit<Fr> for RandomCircuit {
    type Config = Config;
    type FloorPlanner = SimpleFloorPlanner;
    type Params = Shape;

    fn without_witnesses(&self) -> Self {
        self.clone()
    }

    fn params(&self) -> Shape {
        self.shape.clone()
    }

    fn configure(_: &mut ConstraintSystem<Fr>) -> Config {
        unreachable!("the shape is a parameter")
    }

    fn configure_with_params(meta: &mut ConstraintSystem<Fr>, shape: Shape) -> Config {
        let mut inputs: Vec<_> = (0..shape.inputs[0]).map(|_| meta.advice_column_in(FirstPhase)).collect();
        let challenges =
            (0..shape.challenges).map(|_| meta.challenge_usable_after(FirstPhase)).collect::<Vec<_>>();
        inputs.extend((0..shape.inputs[1]).map(|_| meta.advice_column_in(SecondPhase)));
        let fixed: Vec<_> = (0..shape.fixed).map(|_| meta.fixed_column()).collect();
        let instance = meta.instance_column();
        if shape.permuted > 0 {
            meta.enable_equality(instance);
            inputs.iter().take(shape.permuted).for_each(|column| meta.enable_equality(*column));
        }
        let (mut outputs, mut selectors) = (vec![], vec![]);
        for gate in &shape.gates {
            let out = if gate.late(&shape) {
                meta.advice_column_in(SecondPhase)
            } else {
                meta.advice_column_in(FirstPhase)
            };
            let selector = meta.selector();
            meta.create_gate("out = polynomial", |cells| {
                let sum = gate.terms.iter().fold(Expression::Constant(Fr::ZERO), |sum, (scale, factors)| {
                    let product = factors.iter().fold(Expression::Constant(Fr::ONE), |product, factor| {
                        product
                            * match *factor {
                                Factor::Advice(c, r) => cells.query_advice(inputs[c], Rotation(r)),
                                Factor::Fixed(c, r) => cells.query_fixed(fixed[c], Rotation(r)),
                                Factor::Instance => cells.query_instance(instance, Rotation::cur()),
                                Factor::Challenge(c) => cells.query_challenge(challenges[c]),
                            }
                    });
                    sum + product * small(*scale)
                });
                let out = cells.query_advice(out, Rotation(gate.out_rotation));
                vec![cells.query_selector(selector) * (out - sum)]
            });
            outputs.push(out);
            selectors.push(selector);
        }
        let usable = (1 << shape.k) - meta.blinding_factors() - 1;
        Config { inputs, outputs, selectors, fixed, instance, challenges, usable }
    }

    fn synthesize(&self, config: Config, mut layouter: impl Layouter<Fr>) -> Result<(), Error> {
        let exposed = layouter.assign_region(|| "all", |mut region| Ok(self.fill(&config, &mut region)))?;
        for (row, cell) in exposed.into_iter().enumerate() {
            layouter.constrain_instance(cell, config.instance, row);
        }
        Ok(())
    }
}

impl RandomCircuit {
    /// Assigns everything; returns the cells that copy the instances.
    fn fill(&self, config: &Config, region: &mut Region<'_, Fr>) -> Vec<halo2_proofs::circuit::Cell> {
        let shape = &self.shape;
        let mut rng = ChaCha8Rng::seed_from_u64(shape.seed ^ 0xf111);
        let usable = config.usable;
        let fixed = matrix(&mut rng, shape.fixed, usable);
        for (column, values) in config.fixed.iter().zip(&fixed) {
            values.iter().enumerate().for_each(|(row, value)| {
                region.assign_fixed(*column, row, *value);
            });
        }
        let mut inputs = matrix(&mut rng, config.inputs.len(), usable);
        let (copies, exposed) = self.plan_copies(&mut rng, &mut inputs, usable);

        let mut cells = HashMap::new();
        for (column, values) in inputs.iter().enumerate().take(shape.inputs[0]) {
            assign(region, config.inputs[column], values, |row, cell| {
                cells.insert((column, row), cell);
            });
        }
        self.run_gates(config, region, &fixed, &inputs, false);
        if shape.challenges > 0 || shape.inputs[1] > 0 {
            region.next_phase();
            for (column, values) in inputs.iter().enumerate().skip(shape.inputs[0]) {
                assign(region, config.inputs[column], values, |row, cell| {
                    cells.insert((column, row), cell);
                });
            }
            self.run_gates(config, region, &fixed, &inputs, true);
        }
        for (left, right) in copies {
            region.constrain_equal(cells[&left], cells[&right]);
        }
        exposed.iter().map(|place| cells[place]).collect()
    }

    /// Makes random pairs of cells equal, and one cell equal to each instance.
    #[allow(clippy::type_complexity, reason = "a pair of lists of places is clear enough in a test")]
    fn plan_copies(
        &self,
        rng: &mut ChaCha8Rng,
        inputs: &mut [Vec<Fr>],
        usable: usize,
    ) -> (Vec<((usize, usize), (usize, usize))>, Vec<(usize, usize)>) {
        let mut places: Vec<_> =
            (0..self.shape.permuted).flat_map(|column| (0..usable).map(move |row| (column, row))).collect();
        places.shuffle(rng);
        let mut places = places.into_iter();
        let mut exposed = vec![];
        for (value, (column, row)) in self.instances.iter().zip(&mut places) {
            inputs[column][row] = *value;
            exposed.push((column, row));
        }
        let mut copies = vec![];
        for _ in 0..self.shape.copies {
            if let (Some(left), Some(right)) = (places.next(), places.next()) {
                inputs[right.0][right.1] = inputs[left.0][left.1];
                copies.push((left, right));
            }
        }
        (copies, exposed)
    }

    fn run_gates(
        &self,
        config: &Config,
        region: &mut Region<'_, Fr>,
        fixed: &[Vec<Fr>],
        inputs: &[Vec<Fr>],
        late: bool,
    ) {
        let reach = self.shape.reach as usize;
        let challenges: Vec<Value<Fr>> = config.challenges.iter().map(|c| region.get_challenge(*c)).collect();
        for (index, gate) in
            self.shape.gates.iter().enumerate().filter(|(_, gate)| gate.late(&self.shape) == late)
        {
            let mut out = vec![Value::known(Fr::ZERO); config.usable];
            for row in (reach..config.usable - reach).filter(|row| (row + index) % 3 != 0) {
                config.selectors[index].enable(region, row).expect("selectors fit");
                let at = |rotation: i32| (row as i32 + rotation) as usize;
                let value = |factor: &Factor| match *factor {
                    Factor::Advice(column, rotation) => Value::known(inputs[column][at(rotation)]),
                    Factor::Fixed(column, rotation) => Value::known(fixed[column][at(rotation)]),
                    Factor::Instance => Value::known(self.instances.get(row).copied().unwrap_or(Fr::ZERO)),
                    Factor::Challenge(challenge) => challenges[challenge],
                };
                out[at(gate.out_rotation)] =
                    gate.terms.iter().fold(Value::known(Fr::ZERO), |sum, (scale, factors)| {
                        sum + factors
                            .iter()
                            .map(value)
                            .fold(Value::known(small(*scale)), |product, next| product * next)
                    });
            }
            for (row, value) in out.into_iter().enumerate() {
                region.assign_advice(config.outputs[index], row, value);
            }
        }
    }
}

fn assign(
    region: &mut Region<'_, Fr>,
    column: Column<Advice>,
    values: &[Fr],
    mut keep: impl FnMut(usize, halo2_proofs::circuit::Cell),
) {
    for (row, value) in values.iter().enumerate() {
        let cell: AssignedCell<_, Fr> = region.assign_advice(column, row, Value::known(*value));
        keep(row, cell.cell());
    }
}

fn matrix(rng: &mut ChaCha8Rng, columns: usize, rows: usize) -> Vec<Vec<Fr>> {
    (0..columns).map(|_| (0..rows).map(|_| Fr::random(&mut *rng)).collect()).collect()
}

fn small(value: i64) -> Fr {
    let magnitude = Fr::from(value.unsigned_abs());
    if value < 0 { -magnitude } else { magnitude }
}
