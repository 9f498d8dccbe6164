//! A prover that follows altered rules and cheats where they let it.

use super::poly::{
    N, Poly, Values, add_scaled, at, commit, dice, divide, exponent, from_roots, interpolate, omega, root_of,
    rotate, secret,
};
use super::rules::Mutant;
use super::toy::{self, BLINDING, CHUNK, CYCLES, F, LAST};
use crate::curve::{Fr, scalar};
use ff::{Field, PrimeField};
use zkml_protocol::{
    G1, Word,
    plonk::{Challenge, Commitment, Constraints, Eval, Node, ProofLayout, SlotId},
};

/// What the columns of the circuit hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Witness {
    Honest,
    /// All is computed, but another output is stated.
    Output,
    /// The product is wrong.
    Product,
    /// The sum is wrong.
    Sum,
    /// The compared rows differ.
    Check,
    /// They differ such that a known challenge does not see it.
    CheckChosen,
    /// Copies differ such that a known `β` does not see it.
    CopiesBeta,
    /// The same for a known `γ`.
    CopiesGamma,
    /// Errors of two gates cancel under a known `y`.
    Gates,
    /// The value that is read for the ignored instance is proven, another is stated.
    Ignored,
}

/// What the permutation's products hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Products {
    Computed,
    /// Zero from the start of this product on.
    ZeroFromStart(usize),
    /// Zero from the second row of this product on.
    ZeroFromSecondRow(usize),
}

/// What is chosen later than it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Late {
    Nothing,
    /// The quotient, for a known `x`.
    Quotient,
    /// A value, so that the identities hold.
    Claim(Eval),
    /// A second value, so that the opening does not see that the first is wrong.
    Cancel(Eval, Eval),
    /// The opening's first commitment, for a known `u`.
    Opening,
    /// A value that nothing hashes.
    Value(Eval),
    /// A commitment that nothing hashes, at this byte of the proof.
    Point(usize),
    /// Instances that nothing hashes.
    Instances,
    /// The opening's second commitment, for a setup whose secret is one.
    Setup,
    /// The same proof for another meaning of the output.
    Meaning,
}

/// One way to cheat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan(pub(super) Witness, pub(super) Products, pub(super) Late);

impl std::fmt::Display for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(witness, products, late) = self;
        write!(f, "{witness:?} {products:?} {late:?}")
    }
}

impl Plan {
    pub(super) const HONEST: Self = Self(Witness::Honest, Products::Computed, Late::Nothing);

    /// All ways that are tried.
    pub(super) fn all(layout: &ProofLayout) -> Vec<Self> {
        use Witness::*;
        let mut plans = Vec::new();
        let rows = (0..3).flat_map(|i| [Products::ZeroFromStart(i), Products::ZeroFromSecondRow(i)]);
        plans.extend(rows.chain([Products::Computed]).map(|products| Self(Output, products, Late::Nothing)));
        let witnesses = [Honest, Product, Sum, Check, CheckChosen, CopiesBeta, CopiesGamma, Gates, Ignored];
        plans.extend(witnesses.map(|witness| Self(witness, Products::Computed, Late::Nothing)));
        let late = |late| Self(Output, Products::Computed, late);
        plans.extend([Late::Quotient, Late::Opening, Late::Setup].map(late));
        let evals = (0..5).map(Eval::Advice).chain((0..4).map(Eval::Fixed)).chain((0..5).map(Eval::Sigma));
        let evals: Vec<Eval> = evals.chain((0..8).map(Eval::Product)).chain([Eval::Random]).collect();
        plans.extend(evals.iter().map(|eval| late(Late::Claim(*eval))));
        plans.extend(evals.iter().map(|eval| late(Late::Value(*eval))));
        plans.push(late(Late::Cancel(Eval::Quotient, Eval::Random)));
        plans.push(late(Late::Cancel(Eval::Advice(1), Eval::Product(0))));
        plans.extend(layout.point_offsets().into_iter().map(|offset| late(Late::Point(offset))));
        plans.extend([Late::Instances, Late::Meaning].map(|late| Self(Honest, Products::Computed, late)));
        plans
    }
}

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

/// The opening's equation in terms of polynomials.
struct Equation {
    weights: Vec<(Commitment, Fr)>,
    value: Fr,
    inside: Fr,
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

    /// The weight of a value's error in the numerator of the opening's first commitment, at the point `x`.
    fn weight(&self, eval: Eval) -> Option<Fr> {
        let (y, v) = (self.challenge(Challenge::OpenY)?, self.challenge(Challenge::OpenV)?);
        let x = self.challenge(Challenge::X)?;
        let rotations = self.rotations();
        for (index, set) in self.mutant.sets.iter().enumerate() {
            for (place, member) in set.members.iter().enumerate() {
                let at = member.evals.iter().position(|of| *of == eval);
                if at.is_some_and(|at| set.rotations[at] == 0) {
                    let outside = rotations.iter().filter(|t| !set.rotations.contains(t));
                    let outside = outside.fold(Fr::ONE, |product, t| product * (x - x * rotate(*t)));
                    return Some(v.pow([index as u64]) * y.pow([place as u64]) * outside);
                }
            }
        }
        None
    }

    fn rotations(&self) -> Vec<i32> {
        let mut rotations: Vec<i32> = self.mutant.sets.iter().flat_map(|set| set.rotations.clone()).collect();
        rotations.sort_unstable();
        rotations.dedup();
        rotations
    }

    /// The verifier's equation with the claimed values.
    fn equation(&self) -> Option<Equation> {
        let [y, v, u, x] =
            [Challenge::OpenY, Challenge::OpenV, Challenge::OpenU, Challenge::X].map(|c| self.challenge(c));
        let (y, v, u, x) = (y?, v?, u?, x?);
        let demanded = self.demanded(x)?;
        let rotations = self.rotations();
        let sets = &self.mutant.sets;
        let product = |of: &dyn Fn(&i32) -> bool| {
            let points = rotations.iter().filter(|t| of(t));
            points.fold(Fr::ONE, |product, t| product * (u - x * rotate(*t)))
        };
        let first = &sets.first()?.rotations;
        let scale: Fr = Option::from(product(&|t| !first.contains(t)).invert())?;
        let mut equation =
            Equation { weights: vec![], value: Fr::ZERO, inside: product(&|t| first.contains(t)) };
        let mut set_weight = Fr::ONE;
        for set in sets {
            let mut weight = set_weight * product(&|t| !set.rotations.contains(t)) * scale;
            for member in &set.members {
                for (place, eval) in member.evals.iter().enumerate() {
                    let claimed = if *eval == Eval::Quotient { demanded } else { self.claimed(*eval) };
                    equation.value += weight * claimed * basis(&set.rotations, place, x, u)?;
                }
                equation.weights.push((member.commitment, weight));
                weight *= y;
            }
            set_weight *= v;
        }
        Some(equation)
    }

    fn poly(&self, commitment: Commitment, x: Fr) -> Poly {
        match commitment {
            Commitment::Advice(index) => self.polys.advice[index as usize].clone(),
            Commitment::Fixed(index) => self.polys.fixed[index as usize].clone(),
            Commitment::Sigma(index) => self.polys.sigma[index as usize].clone(),
            Commitment::Product(index) => self.polys.products[index as usize].clone(),
            Commitment::Random => self.polys.random.clone(),
            Commitment::Quotient => self.quotient_poly(x),
        }
    }

    /// `Σ weight · poly − value − inside · W`, which vanishes at `u` if the opening is right.
    fn folded(&self) -> Option<Poly> {
        let equation = self.equation()?;
        let x = self.challenge(Challenge::X)?;
        let mut sum = vec![-equation.value];
        for (commitment, weight) in &equation.weights {
            add_scaled(&mut sum, &self.poly(*commitment, x), *weight);
        }
        add_scaled(&mut sum, &self.polys.w, -equation.inside);
        Some(sum)
    }

    /// The opening's first commitment: `Σ v^i Σ y'^j (P − R) / Z`, each division without its remainder.
    fn first_opening(&self) -> Option<Poly> {
        let (y, v) = (self.challenge(Challenge::OpenY)?, self.challenge(Challenge::OpenV)?);
        let x = self.challenge(Challenge::X)?;
        let demanded = self.demanded(x)?;
        let rotations = self.rotations();
        let mut numerator = Poly::new();
        for (index, set) in self.mutant.sets.iter().enumerate() {
            for (place, member) in set.members.iter().enumerate() {
                let weight = v.pow([index as u64]) * y.pow([place as u64]);
                let mut term = Poly::new();
                add_scaled(&mut term, &self.poly(member.commitment, x), weight);
                for (at, eval) in member.evals.iter().enumerate() {
                    let claimed = if *eval == Eval::Quotient { demanded } else { self.claimed(*eval) };
                    let points = set.rotations.iter().enumerate().filter(|(other, _)| *other != at);
                    let mut lagrange = vec![Fr::ONE];
                    let here = x * rotate(set.rotations[at]);
                    for (_, other) in points {
                        let other = x * rotate(*other);
                        lagrange = times_linear(&lagrange, other);
                        let below: Fr = Option::from((here - other).invert())?;
                        lagrange.iter_mut().for_each(|value| *value *= below);
                    }
                    add_scaled(&mut term, &lagrange, -weight * claimed);
                }
                for rotation in rotations.iter().filter(|t| !set.rotations.contains(t)) {
                    term = times_linear(&term, x * rotate(*rotation));
                }
                add_scaled(&mut numerator, &term, Fr::ONE);
            }
        }
        for rotation in rotations {
            numerator = divide(&numerator, x * rotate(rotation));
        }
        Some(numerator)
    }

    /// Fills both opening commitments.
    fn opening(&mut self, late: Late) -> Option<()> {
        self.polys.w = self.first_opening()?;
        self.put_polys(SlotId::OpeningW, |polys| std::slice::from_ref(&polys.w));
        let mut u = self.challenge(Challenge::OpenU)?;
        let w2 = self.layout.slot_of(SlotId::OpeningW2)?.offset;
        match late {
            Late::Opening => {
                let inside: Fr = Option::from(self.equation()?.inside.invert())?;
                let error = at(&self.folded()?, u);
                self.polys.w[0] += error * inside;
                self.put_polys(SlotId::OpeningW, |polys| std::slice::from_ref(&polys.w));
                u = self.challenge(Challenge::OpenU)?;
            }
            Late::Value(eval) => {
                let value = self.solve(|forger, value| {
                    forger.put_value(eval, value);
                    Some(at(&forger.folded()?, u))
                })?;
                self.put_value(eval, value);
            }
            Late::Point(offset) => return self.late_point(offset, u, w2),
            Late::Setup => {
                let factor: Fr = Option::from((Fr::ONE - u).invert())?;
                self.put_point(w2, exponent(at(&self.folded()?, secret()) * factor));
                return Some(());
            }
            Late::Instances => {
                // L_2 / L_0 = ω² (x − 1) / (x − ω²).
                let x = self.challenge(Challenge::X)?;
                let below: Fr = Option::from((x - rotate(2)).invert())?;
                self.instances[2] += Fr::ONE;
                self.instances[0] -= rotate(2) * (x - Fr::ONE) * below;
            }
            _ => {}
        }
        let second = commit(&divide(&self.folded()?, u));
        self.put_point(w2, second);
        Some(())
    }

    /// With any second commitment, here seven times the generator, the equation says what the late commitment must be: all
    /// of it is known in terms of points, the setup's included.
    fn late_point(&mut self, offset: usize, u: Fr, w2: usize) -> Option<()> {
        let seven = Fr::from(7);
        let equation = self.equation()?;
        let x = self.challenge(Challenge::X)?;
        let x_to_n = x.pow([N as u64]);
        let (weight, poly) = if self.layout.slot_of(SlotId::OpeningW)?.offset == offset {
            (-equation.inside, self.polys.w.clone())
        } else {
            let places = equation.weights.iter().flat_map(|(commitment, weight)| {
                let start = self.layout.commitment_offset(*commitment);
                let pieces = if *commitment == Commitment::Quotient { 3u64 } else { 1 };
                (0..pieces).filter_map(move |piece| {
                    let factor = x_to_n.pow([piece]);
                    Some((start? + 64 * piece as usize, *commitment, piece as usize, *weight * factor))
                })
            });
            let (_, commitment, piece, weight) = places.into_iter().find(|(at, ..)| *at == offset)?;
            let poly = match commitment {
                Commitment::Quotient => self.polys.pieces[piece].clone(),
                other => self.poly(other, x),
            };
            (weight, poly)
        };
        let rest = at(&self.folded()?, secret()) - weight * at(&poly, secret());
        let below: Fr = Option::from(weight.invert())?;
        self.put_point(offset, exponent((seven * (secret() - u) - rest) * below));
        self.put_point(w2, exponent(seven));
        Some(())
    }
}

fn noise(seed: u64) -> Values {
    std::array::from_fn(|row| dice(1000 * seed + row as u64))
}

/// `poly · (X − root)`.
fn times_linear(poly: &[Fr], root: Fr) -> Poly {
    let mut product = vec![Fr::ZERO; poly.len() + 1];
    for (index, value) in poly.iter().enumerate() {
        product[index + 1] += value;
        product[index] -= *value * root;
    }
    product
}

/// A Lagrange polynomial of a set's points at `u`.
fn basis(rotations: &[i32], place: usize, x: Fr, u: Fr) -> Option<Fr> {
    let here = x * rotate(rotations[place]);
    let others = rotations.iter().enumerate().filter(|(other, _)| *other != place);
    others.map(|(_, rotation)| x * rotate(*rotation)).try_fold(Fr::ONE, |product, other| {
        Some(product * (u - other) * Option::<Fr>::from((here - other).invert())?)
    })
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
