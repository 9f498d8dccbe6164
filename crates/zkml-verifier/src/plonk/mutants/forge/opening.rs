//! The forger's opening: what is solved for when the verifier's last equation has lost a part.

use super::super::plan::Late;
use super::super::poly::{N, Poly, add_scaled, at, commit, divide, exponent, rotate, secret};
use super::Forger;
use crate::curve::Fr;
use ff::Field;
use zkml_protocol::plonk::{Challenge, Commitment, Eval, SlotId};

/// The opening's equation in terms of polynomials.
struct Equation {
    weights: Vec<(Commitment, Fr)>,
    value: Fr,
    inside: Fr,
}

impl Forger<'_> {
    /// The weight of a value's error in the numerator of the opening's first commitment, at the point `x`.
    pub(super) fn weight(&self, eval: Eval) -> Option<Fr> {
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

    pub(super) fn rotations(&self) -> Vec<i32> {
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

    pub(super) fn poly(&self, commitment: Commitment, x: Fr) -> Poly {
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
    pub(super) fn folded(&self) -> Option<Poly> {
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
    pub(super) fn first_opening(&self) -> Option<Poly> {
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
    pub(super) fn opening(&mut self, late: Late) -> Option<()> {
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
    pub(super) fn late_point(&mut self, offset: usize, u: Fr, w2: usize) -> Option<()> {
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
