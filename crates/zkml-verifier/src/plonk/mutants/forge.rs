//! A prover that follows altered rules and cheats where they let it.

mod opening;

use super::plan::{Late, Plan, Products, Witness};
use super::poly::{
    N, Poly, Values, add_scaled, at, commit, dice, from_roots, interpolate, omega, root_of, rotate,
};
use super::rules::Mutant;
use super::toy::{self, BLINDING, CHUNK, CYCLES, F, LAST};
use crate::curve::{Fr, scalar};
use ff::{Field, PrimeField};
use zkml_protocol::{
    G1, Word,
    plonk::{Challenge, Constraints, Eval, Node, ProofLayout, SlotId},
};

/// A proof and the statement that it is shown for.
pub(super) struct Forgery {
    pub(super) proof: Vec<u8>,
    pub(super) instances: Vec<Word>,
}

/// Follows a plan under altered rules. Nothing if the plan does not fit them; whether the proof is accepted is for them to say.
pub(super) fn forge(mutant: &Mutant, plan: Plan) -> Option<Forgery> {
    let mut forger = Forger::new(mutant);
    let Plan(witness, products, late) = plan;
    forger.advice(witness)?;
    forger.products(products)?;
    forger.quotient(late)?;
    forger.values(late)?;
    forger.opening(late)?;
    Some(Forgery {
        proof: forger.proof,
        instances: forger.instances.iter().copied().map(toy::word).collect(),
    })
}

struct Forger<'a> {
    mutant: &'a Mutant,
    layout: ProofLayout,
    proof: Vec<u8>,
    /// As they are stated.
    instances: Vec<Fr>,
    advice: Vec<Values>,
    polys: Polys,
}

#[derive(Default)]
struct Polys {
    instance: Poly,
    advice: Vec<Poly>,
    fixed: Vec<Poly>,
    sigma: Vec<Poly>,
    products: Vec<Poly>,
    random: Poly,
    pieces: Vec<Poly>,
    w: Poly,
    first: Poly,
    last: Poly,
    active: Poly,
}

impl<'a> Forger<'a> {
    fn new(mutant: &'a Mutant) -> Self {
        let layout = mutant.program.layout();
        let rows = |rows: &[usize]| {
            interpolate(&std::array::from_fn(|row| Fr::from(u64::from(rows.contains(&row)))))
        };
        let polys = Polys {
            fixed: mutant.fixed.iter().map(interpolate).collect(),
            sigma: mutant.sigma.iter().map(interpolate).collect(),
            random: interpolate(&noise(50)),
            first: rows(&[0]),
            last: rows(&[LAST]),
            active: rows(&(0..LAST).collect::<Vec<_>>()),
            ..Polys::default()
        };
        let proof = vec![0; layout.length()];
        Self { mutant, layout, proof, instances: vec![Fr::ZERO; 3], advice: vec![], polys }
    }

    /// A challenge from what the proof holds so far.
    fn challenge(&self, which: Challenge) -> Option<Fr> {
        let instances: Vec<Word> = self.instances.iter().copied().map(toy::word).collect();
        self.mutant.challenge(which, &self.proof, &instances)
    }

    fn put_point(&mut self, offset: usize, point: G1) {
        self.proof[offset..offset + 64].copy_from_slice(&point.to_bytes());
    }

    fn put_polys(&mut self, id: SlotId, choose: impl Fn(&Polys) -> &[Poly]) {
        let slot = *self.layout.slot_of(id).unwrap();
        let commitments: Vec<G1> = choose(&self.polys).iter().map(commit).collect();
        for (index, commitment) in commitments.into_iter().enumerate() {
            self.put_point(slot.at(index).unwrap(), commitment);
        }
    }

    fn put_value(&mut self, eval: Eval, value: Fr) {
        let offset = self.layout.eval_offset(eval).unwrap();
        self.proof[offset..offset + 32].copy_from_slice(&toy::word(value).0);
    }

    fn claimed(&self, eval: Eval) -> Fr {
        let offset = self.layout.eval_offset(eval).unwrap();
        scalar(&Word(self.proof[offset..offset + 32].try_into().unwrap())).unwrap()
    }

    /// Fills the advice columns; the instances are stated first.
    fn advice(&mut self, witness: Witness) -> Option<()> {
        let one = Fr::ONE;
        let constant = self.mutant.fixed[3][1];
        let [mut a, mut b, mut c] = [1, 2, 3].map(noise);
        let mut x = Fr::from(3);
        if witness == Witness::Ignored {
            // The column holds zero for the ignored instance, so that is proven.
            x = if self.mutant.ignored? == 1 { Fr::ZERO } else { Option::from((-constant).sqrt())? };
        }
        (a[0], b[0], a[3], a[4]) = (x, x, x, x);
        if matches!(witness, Witness::CopiesBeta | Witness::CopiesGamma) {
            let gamma = witness == Witness::CopiesGamma;
            let known = self.challenge(if gamma { Challenge::Gamma } else { Challenge::Beta })?;
            let cells: Vec<Fr> = CYCLES[0].iter().map(|(column, row)| toy::cell(*column, *row)).collect();
            let mut values = vec![x];
            for k in 0..3 {
                let (here, after) = (cells[k], cells[(k + 2) % 4]);
                let fraction = after * Option::<Fr>::from(here.invert())?;
                let next = if gamma {
                    (values[k] + known) * fraction - known
                } else {
                    values[k] + known * (here - after)
                };
                values.push(next);
            }
            (a[0], b[0], a[3], a[4]) = (values[1], values[2], values[3], values[3]);
        }
        let right = x.square() + constant;
        c[0] = if witness == Witness::Product { right + one - constant } else { a[0] * b[0] };
        a[1] = c[0];
        c[1] = a[1] * b[1];
        a[2] = a[1] + constant;
        if witness == Witness::Sum {
            a[2] = right + one;
        }
        if witness == Witness::Gates {
            // a·b − c = −1/y and next a − a − constant = 1.
            c[1] += Option::<Fr>::from(self.challenge(Challenge::Y)?.invert())?;
            a[2] += one;
        }
        b[3] = a[2];
        let elsewhere = matches!(witness, Witness::Output | Witness::Check | Witness::CheckChosen);
        let output = if elsewhere { a[2] + one } else { a[2] };
        b[4] = if witness == Witness::Output { a[2] } else { output };
        self.instances = vec![Fr::from(42), x, output];
        let mut column = self.instances.clone();
        if let Some(ignored) = self.mutant.ignored {
            column[ignored] = Fr::ZERO;
            if witness == Witness::Ignored {
                self.instances[ignored] = Fr::from(1234);
            }
        }
        let column: Values = std::array::from_fn(|row| column.get(row).copied().unwrap_or_default());
        self.polys.instance = interpolate(&column);
        if witness == Witness::CheckChosen {
            a[4] = a[3] + self.challenge(Challenge::Circuit(0))? * (b[3] - b[4]);
        }
        self.polys.advice = [a, b, c].iter().map(interpolate).collect();
        self.put_polys(SlotId::Advice(0), |polys| &polys.advice);
        let chi = self.challenge(Challenge::Circuit(0))?;
        let mut f = noise(4);
        (f[3], f[4]) = (a[3] + chi * b[3], a[4] + chi * b[4]);
        if witness == Witness::Check {
            f[4] = f[3];
        }
        self.polys.advice.push(interpolate(&f));
        self.put_polys(SlotId::Advice(1), |polys| &polys.advice[F..]);
        self.advice = vec![column, a, b, c, f];
        Some(())
    }

    /// Fills the products of the permutation and the random polynomial.
    fn products(&mut self, products: Products) -> Option<()> {
        let (beta, gamma) = (self.challenge(Challenge::Beta)?, self.challenge(Challenge::Gamma)?);
        let mut carried = Fr::ONE;
        let columns: Vec<usize> = (0..self.advice.len()).collect();
        for (index, columns) in columns.chunks(CHUNK).enumerate() {
            let mut values = noise(60 + index as u64);
            if products == Products::ZeroFromStart(index) {
                carried = Fr::ZERO;
            }
            for (row, place) in values[..LAST].iter_mut().enumerate() {
                *place = carried;
                for column in columns {
                    let value = self.advice[*column][row] + gamma;
                    let below = value + beta * self.mutant.sigma[*column][row];
                    carried *= value + beta * toy::cell(*column, row);
                    carried *= Option::<Fr>::from(below.invert())?;
                }
                if products == Products::ZeroFromSecondRow(index) {
                    carried = Fr::ZERO;
                }
            }
            values[LAST] = carried;
            self.polys.products.push(interpolate(&values));
        }
        self.put_polys(SlotId::Products, |polys| &polys.products);
        self.put_polys(SlotId::Random, |polys| std::slice::from_ref(&polys.random));
        Some(())
    }

    /// A leaf of the constraints at any point.
    fn leaf(&self, node: &Node, point: Fr) -> Fr {
        let program = &self.mutant.program;
        match *node {
            Node::Eval(eval) => self.true_value(eval, point),
            Node::Instance => at(&self.polys.instance, point),
            Node::Challenge(Challenge::X) => point,
            Node::Challenge(challenge) => self.challenge(challenge).unwrap(),
            Node::LagrangeFirst => at(&self.polys.first, point),
            Node::LagrangeLast => at(&self.polys.last, point),
            Node::LagrangeActive => at(&self.polys.active, point),
            _ => unreachable!("{node:?} of {} is no leaf", program.statement.model_name),
        }
    }

    /// The evaluation as the polynomials give it.
    fn true_value(&self, eval: Eval, x: Fr) -> Fr {
        let Polys { advice, fixed, sigma, products, random, .. } = &self.polys;
        let program = &self.mutant.program;
        match eval {
            Eval::Advice(index) => {
                let query = program.advice_queries[index as usize];
                at(&advice[query.column as usize], x * rotate(query.rotation))
            }
            Eval::Fixed(index) => at(&fixed[index as usize], x),
            Eval::Sigma(index) => at(&sigma[index as usize], x),
            Eval::Product(index) => {
                let rotation = [0, 1, -(BLINDING as i32) - 1][index as usize % 3];
                at(&products[index as usize / 3], x * rotate(rotation))
            }
            Eval::Random => at(random, x),
            Eval::Quotient => at(&self.quotient_poly(x), x),
        }
    }

    /// The pieces of the quotient folded by powers of `x^n`.
    fn quotient_poly(&self, x: Fr) -> Poly {
        let mut sum = Poly::new();
        let x_to_n = x.pow([N as u64]);
        let mut power = Fr::ONE;
        for piece in &self.polys.pieces {
            add_scaled(&mut sum, piece, power);
            power *= x_to_n;
        }
        sum
    }

    /// Fills the quotient: exactly where the identities hold on all rows, else with something.
    fn quotient(&mut self, late: Late) -> Option<()> {
        let y = self.challenge(Challenge::Y)?;
        let constraints = &self.mutant.program.constraints;
        let known = self.challenges(constraints);
        let fold =
            |point: Fr| fold(constraints, y, |node| known(node).unwrap_or_else(|| self.leaf(node, point)));
        let holds = (0..N as i32).all(|row| fold(rotate(row)) == Fr::ZERO);
        if !holds && matches!(late, Late::Nothing | Late::Instances | Late::Meaning) {
            return None;
        }
        let (root, shift) = (Fr::ROOT_OF_UNITY.pow([1 << (Fr::S - 6)]), Fr::MULTIPLICATIVE_GENERATOR);
        let mut point = shift;
        let values: Vec<Fr> = (0..4 * N)
            .map(|_| {
                let over = Option::<Fr>::from((point.pow([N as u64]) - Fr::ONE).invert()).unwrap();
                let value = fold(point) * over;
                point *= root;
                value
            })
            .collect();
        let quotient = from_roots(&values, root, shift);
        self.polys.pieces = quotient.chunks(N).take(3).map(<[Fr]>::to_vec).collect();
        self.put_polys(SlotId::Quotient, |polys| &polys.pieces);
        if late == Late::Quotient {
            let x = self.challenge(Challenge::X)?;
            self.put_true_values(x);
            let error = self.demanded(x)? - self.true_value(Eval::Quotient, x);
            self.polys.pieces[0][0] += error;
            self.put_polys(SlotId::Quotient, |polys| &polys.pieces);
        }
        Some(())
    }

    /// Values of the challenges in the constraints, so that the transcript is followed once.
    fn challenges(&self, constraints: &Constraints) -> impl Fn(&Node) -> Option<Fr> + use<> {
        let of = |node: &Node| match node {
            Node::Challenge(Challenge::X) => None,
            Node::Challenge(challenge) => Some((*node, self.challenge(*challenge)?)),
            _ => None,
        };
        let known: Vec<(Node, Fr)> = constraints.nodes.iter().filter_map(of).collect();
        move |node| known.iter().find(|(known, _)| known == node).map(|(_, value)| *value)
    }

    /// The quotient's value that the identities demand of the claimed values.
    fn demanded(&self, x: Fr) -> Option<Fr> {
        let constraints = &self.mutant.program.constraints;
        let known = self.challenges(constraints);
        let leaf = |node: &Node| match node {
            Node::Eval(eval) => self.claimed(*eval),
            _ => known(node).unwrap_or_else(|| self.leaf(node, x)),
        };
        let over: Option<Fr> = (x.pow([N as u64]) - Fr::ONE).invert().into();
        Some(fold(constraints, self.challenge(Challenge::Y)?, leaf) * over?)
    }

    fn put_true_values(&mut self, x: Fr) {
        let evals = (0..5).map(Eval::Advice).chain((0..4).map(Eval::Fixed)).chain((0..5).map(Eval::Sigma));
        for eval in evals.chain((0..8).map(Eval::Product)).chain([Eval::Random]) {
            self.put_value(eval, self.true_value(eval, x));
        }
    }

    /// Fills the evaluations; some plans claim false ones.
    fn values(&mut self, late: Late) -> Option<()> {
        let x = self.challenge(Challenge::X)?;
        self.put_true_values(x);
        let quotient = self.true_value(Eval::Quotient, x);
        match late {
            Late::Claim(eval) => {
                let value = self.solve(|forger, value| {
                    forger.put_value(eval, value);
                    forger.demanded(x).map(|demanded| demanded - quotient)
                })?;
                self.put_value(eval, value);
            }
            Late::Cancel(Eval::Quotient, second) => {
                let (weight, other) = (self.weight(Eval::Quotient)?, self.weight(second)?);
                let error = quotient - self.demanded(x)?;
                let correction = weight * error * Option::<Fr>::from(other.invert())?;
                self.put_value(second, self.claimed(second) + correction);
            }
            Late::Cancel(first, second) => {
                let (weight, other) = (self.weight(first)?, self.weight(second)?);
                let ratio = weight * Option::<Fr>::from(other.invert())?;
                let (honest, before) = (self.claimed(first), self.claimed(second));
                let put = |forger: &mut Self, value: Fr| {
                    forger.put_value(first, value);
                    forger.put_value(second, before - ratio * (value - honest));
                };
                let value = self.solve(|forger, value| {
                    put(forger, value);
                    forger.demanded(x).map(|demanded| demanded - quotient)
                })?;
                put(self, value);
            }
            _ => {}
        }
        Some(())
    }

    /// The argument at which an affine function of the proof is zero; the proof is left changed.
    fn solve(&mut self, function: impl Fn(&mut Self, Fr) -> Option<Fr>) -> Option<Fr> {
        let cell = std::cell::RefCell::new(self);
        let failed = std::cell::Cell::new(false);
        let root = root_of(|value| {
            function(&mut cell.borrow_mut(), value).unwrap_or_else(|| {
                failed.set(true);
                Fr::ONE
            })
        });
        root.filter(|_| !failed.get())
    }
}

fn noise(seed: u64) -> Values {
    std::array::from_fn(|row| dice(1000 * seed + row as u64))
}

/// All identities folded by powers of `y`.
fn fold(constraints: &Constraints, y: Fr, leaf: impl Fn(&Node) -> Fr) -> Fr {
    let mut values: Vec<Fr> = Vec::with_capacity(constraints.nodes.len());
    for node in &constraints.nodes {
        let of = |id: &zkml_protocol::plonk::NodeId| values[id.index()];
        let value = match node {
            Node::Constant(word) => scalar(word).unwrap(),
            Node::Neg(a) => -of(a),
            Node::Add(a, b) => of(a) + of(b),
            Node::Sub(a, b) => of(a) - of(b),
            Node::Mul(a, b) => of(a) * of(b),
            other => leaf(other),
        };
        values.push(value);
    }
    let identities = constraints.identities.iter();
    identities.fold(Fr::ZERO, |folded, identity| folded * y + values[identity.node.index()])
}

#[test]
fn rows_have_the_order_of_the_domain() {
    assert_eq!(omega().pow([N as u64]), Fr::ONE);
    assert_eq!(rotate(N as i32 / 2), -Fr::ONE);
}
