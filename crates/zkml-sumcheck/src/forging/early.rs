//! A challenge that is known too early breaks the proof; the real transcript does not let that happen.

use ff::Field;
use halo2curves::bn256::Fr;
use zkml_protocol::sumcheck::{Challenge, Evaluated, SlotId};
use zkml_verifier::sumcheck::{VerifyError, testing::Reading};

use super::*;
use crate::{
    field::{eq_table, horner},
    prover::{Witness, adversary::Known},
    testing::cheat::{Cheat, bump},
};

/// A false statement with all challenges of a proof about it.
struct Lie {
    toy: Toy,
    witness: Witness,
    known: Known,
    reading: Reading,
    /// How much more the opening has to show than it would for the true statement.
    error: Fr,
}

impl Lie {
    /// The first output is one more than it is.
    fn new(name: &str) -> Self {
        let toy = Toy::named(name);
        let mut witness = toy.witness.clone();
        witness.instances[0] += Fr::ONE;
        let mut cheat = Cheat::default();
        let proof = toy.proof(&witness, &mut cheat);
        let mut reading = toy.reading(&proof, &witness.instances, &cheat);
        let known = reading.challenges().clone();
        let claimed = reading.opened().expect("a value");
        reading.instances().copy_from_slice(&toy.witness.instances);
        let error = claimed - reading.opened().expect("a value");
        assert_ne!(error, Fr::ZERO);
        Self { toy, witness, known, reading, error }
    }

    fn challenge(&self, which: Challenge) -> Fr {
        self.known[&which]
    }

    /// `eq` of the rows' and of the columns' coordinates of the opened point.
    fn point(&self) -> (Vec<Fr>, Vec<Fr>) {
        let opening = &self.toy.key.program.opening;
        let point: Vec<Fr> = (0..opening.bits).map(|i| self.challenge(Challenge::Second(i))).collect();
        let (low, high) = point.split_at(opening.column_bits as usize);
        (eq_table(low), eq_table(high))
    }

    /// The same where the opened vector and its value are divided by the functional of the masks.
    fn error_by_rows(&self) -> Fr {
        let [z, alpha] = [Challenge::Z, Challenge::Alpha].map(|c| self.challenge(c));
        let all = z * (z.square() - Fr::ONE) * (z - alpha) * (Fr::ONE - alpha * z);
        self.error * all * self.reading.clone().scalars(SlotId::Inverse)[0]
    }

    /// By how much the value to be shown grows when a scalar does.
    fn slope(&self, slot: SlotId, at: usize) -> Fr {
        let mut other = self.reading.clone();
        other.scalars(slot)[at] += Fr::ONE;
        other.opened().expect("a value") - self.reading.opened().expect("a value")
    }

    /// The verdict on a cheat when all challenges are known before the proof is made, and the real verifier's.
    fn verdicts<'a>(
        &'a self,
        cheat: impl Fn() -> Cheat<'a>,
    ) -> (Result<(), VerifyError>, Result<(), VerifyError>) {
        let mut early = cheat();
        early.given = self.known.clone();
        let proof = self.toy.proof(&self.witness, &mut early);
        let known = self.toy.reading(&proof, &self.witness.instances, &early).verdict();
        (known, self.toy.tried(&self.witness, cheat()))
    }

    /// Accepted if the challenges are known, refused by the real verifier.
    fn works_only_early<'a>(&'a self, cheat: impl Fn() -> Cheat<'a>) {
        assert_eq!(self.verdicts(cheat), (Ok(()), Err(VerifyError::Rejected)), "{}", self.toy.name);
    }

    /// Moves a scalar so that the value to be shown is the true one.
    fn shifted(&self, slot: SlotId, at: usize) -> Cheat<'_> {
        let inverse = Option::<Fr>::from(self.slope(slot, at).invert()).expect("it counts");
        let by = self.error * inverse;
        Cheat::default().scalars(slot, move |values, _| values[at] -= by)
    }
}

/// Systems that are opened by rows, and whole.
const BY_ROWS: [&str; 3] = ["mlp_claim", "table_claim", "attention_claim"];
const WHOLE: [&str; 2] = ["mlp_whole", "chunks_whole"];

fn all() -> impl Iterator<Item = Lie> {
    BY_ROWS.into_iter().chain(WHOLE).map(Lie::new)
}

fn inverse(x: Fr) -> Fr {
    Option::<Fr>::from(x.invert()).expect("not zero")
}

#[test]
fn eta_before_the_evaluations() {
    for lie in all() {
        let all = &lie.toy.key.shape.evaluations;
        for of in [Evaluated::Multiplicity, Evaluated::TableHelper] {
            let at = all.iter().position(|e| e.of == of).expect("an evaluation");
            lie.works_only_early(|| lie.shifted(SlotId::Evaluations, at));
        }
    }
}

#[test]
fn eta_before_the_sum_of_the_masks() {
    for lie in all() {
        lie.works_only_early(|| lie.shifted(SlotId::MaskSum, 0));
    }
}

#[test]
fn eta_before_the_first_sum() {
    for lie in all() {
        lie.works_only_early(|| lie.shifted(SlotId::Sum, 0));
    }
}

#[test]
fn a_rounds_challenge_before_the_round() {
    for lie in all() {
        let variables = [lie.toy.key.shape.first_variables, lie.toy.key.shape.second_variables];
        for v in 0..variables[0] {
            lie.works_only_early(|| lie.shifted(SlotId::First(v), 0));
        }
        for v in 0..variables[1] {
            lie.works_only_early(|| lie.shifted(SlotId::Second(v), 1));
        }
    }
}

/// `h + c` with `c = γe / (γ·eq_hi[0] − 1)`: the two brackets of the constant term cancel for the value `v + e`.
#[test]
fn gamma_of_the_opening_before_the_rows() {
    for lie in BY_ROWS.map(Lie::new) {
        let gamma = lie.challenge(Challenge::OpenGamma);
        let (_, high) = lie.point();
        let inverse = Option::<Fr>::from((gamma * high[0] - Fr::ONE).invert()).expect("not zero");
        let c = gamma * lie.error_by_rows() * inverse;
        lie.works_only_early(|| Cheat::default().bumped(SlotId::H, 0, c));
    }
}

/// Any `h'` with `h'(α) = h(α)`: then `⟨h', eq_hi⟩` is free.
#[test]
fn alpha_before_the_rows() {
    for lie in BY_ROWS.map(Lie::new) {
        let alpha = lie.challenge(Challenge::Alpha);
        let (_, high) = lie.point();
        let inverse = Option::<Fr>::from((high[1] - alpha * high[0]).invert()).expect("not zero");
        let c = lie.error_by_rows() * inverse;
        lie.works_only_early(|| Cheat::default().bumped(SlotId::H, 1, c).bumped(SlotId::H, 0, -alpha * c));
    }
}

/// `g + c(X^b − α)`, `q − c`, `h − c·eq_lo[0]·X` hold in everything but the degree of `g`, for another value. With `z` known, a
/// constant `D` passes.
#[test]
fn z_before_the_reversed_remainder() {
    for lie in BY_ROWS.map(Lie::new) {
        let (alpha, z) = (lie.challenge(Challenge::Alpha), lie.challenge(Challenge::Z));
        let b = lie.toy.key.program.opening.columns() as usize;
        let (low, high) = lie.point();
        let c = -lie.error_by_rows() * Option::<Fr>::from((low[0] * high[1]).invert()).expect("not zero");
        let zi = Option::<Fr>::from(z.invert()).expect("not zero");
        let first = low[0];
        lie.works_only_early(|| {
            let kept = std::rc::Rc::new(std::cell::RefCell::new(vec![]));
            let seen = kept.clone();
            Cheat::default()
                .bumped(SlotId::H, 1, -c * first)
                .bumped(SlotId::Quotient, 0, -c)
                .polynomial(SlotId::G, move |g, known| {
                    bump(g, 0, -c * known.get(&Challenge::Alpha).unwrap_or(&alpha));
                    bump(g, b, c);
                    *kept.borrow_mut() = g.clone();
                })
                .polynomial(SlotId::D, move |d, _| {
                    *d = vec![z.pow_vartime([b as u64 - 1]) * horner(&seen.borrow(), zi)];
                })
        });
    }
}

/// The equation `f − g = (X^b − α) q` broken by what `ζF` makes up for: `[g]` is the commitment to `g + t(X − α)`, everything else speaks of
/// `g + t(X − α) − t/ζ`, whose product with `eq_lo` is `h(α)` for an `h` that is `cX` too much.
#[test]
fn zeta_before_the_remainder() {
    for lie in BY_ROWS.map(Lie::new) {
        let (alpha, zeta) = (lie.challenge(Challenge::Alpha), lie.challenge(Challenge::Zeta));
        let (low, high) = lie.point();
        let c = lie.error_by_rows() * inverse(high[1]);
        let t = c * alpha * inverse(low[1] - (alpha + inverse(zeta)) * low[0]);
        let less = t * inverse(zeta);
        let b = low.len();
        lie.works_only_early(|| {
            let low = low.clone();
            Cheat::default()
                .bumped(SlotId::H, 1, c)
                .bumped(SlotId::G, 0, -t * alpha)
                .bumped(SlotId::G, 1, t)
                .polynomial(SlotId::S, move |s, _| {
                    low[1..].iter().enumerate().for_each(|(e, eq)| bump(s, e, -less * eq));
                })
                .bumped(SlotId::D, b - 1, -less)
                .scalars(SlotId::Openings, move |values, _| values[..2].iter_mut().for_each(|g| *g -= less))
                .bumped(SlotId::W2, 0, -t)
        });
    }
}

/// `z^(N+1)`.
fn high_power(lie: &Lie, z: Fr) -> Fr {
    z.pow_vartime([lie.toy.key.program.opening.length() + 1])
}

/// `S + c` adds `c(z + 1/z)` to what the identity has beside `2v`.
#[test]
fn z_before_the_symmetric_part() {
    for lie in WHOLE.map(Lie::new) {
        let z = lie.challenge(Challenge::Z);
        let c = -lie.error.double() * inverse(z + inverse(z));
        lie.works_only_early(|| Cheat::default().bumped(SlotId::S, 0, c));
    }
}

/// `k` makes up for `2e z^(N+1) y`.
#[test]
fn y_before_the_remainder() {
    for lie in WHOLE.map(Lie::new) {
        let (z, y) = (lie.challenge(Challenge::Z), lie.challenge(Challenge::Y));
        let by = -lie.error.double() * high_power(&lie, z) * y;
        lie.works_only_early(|| Cheat::default().scalars(SlotId::Openings, move |k, _| k[0] += by));
    }
}

/// `W + c` adds `c(y − z)(zy − 1)` to `2e z^(N+1) y`.
#[test]
fn y_before_the_quotient() {
    for lie in WHOLE.map(Lie::new) {
        let (z, y) = (lie.challenge(Challenge::Z), lie.challenge(Challenge::Y));
        let c = -lie.error.double() * high_power(&lie, z) * y * inverse((y - z) * (z * y - Fr::ONE));
        lie.works_only_early(|| Cheat::default().bumped(SlotId::W, 0, c));
    }
}

/// Quotient of a polynomial by `X − x`.
fn divided(p: &[Fr], x: Fr) -> Vec<Fr> {
    (1..p.len()).map(|i| horner(&p[i..], x)).collect()
}

/// A number in place of the inverse `κ` that takes up the error. `κ(M(y) − 2v z^(N+1) y − k) + W(y)` is zero for the true value `v`; with
/// `e` more it is for `κ' = κ L / (L − 2e z^(N+1) y)`, `L = (y − z)(zy − 1) W(y)`.
fn another_inverse(lie: &Lie) -> Cheat<'_> {
    let (z, y) = (lie.challenge(Challenge::Z), lie.challenge(Challenge::Y));
    let product = (y - z) * (z * y - Fr::ONE);
    let off = lie.error.double() * high_power(lie, z) * y;
    let kept = std::rc::Rc::new(std::cell::RefCell::new(vec![]));
    let (of_last, of_inverse) = (kept.clone(), kept.clone());
    let ratio = move |w: &[Fr]| {
        let left = product * horner(w, y);
        left * inverse(left - off)
    };
    let mut cheat = Cheat::default()
        .polynomial(SlotId::W, move |w, _| *kept.borrow_mut() = w.clone())
        // κ'(…) + W has the quotient of κ'/κ times κ(…) + W, and 1 − κ'/κ times W.
        .polynomial(SlotId::W2, move |last, _| {
            let w = of_last.borrow();
            let factor = ratio(&w);
            last.iter_mut().for_each(|c| *c *= factor);
            divided(&w, y).iter().enumerate().for_each(|(i, c)| bump(last, i, (Fr::ONE - factor) * c));
        })
        .scalars(SlotId::Inverse, move |k, _| k[0] *= ratio(&of_inverse.borrow()));
    cheat.given = lie.known.clone();
    cheat
}

/// Looks at another value instead of the product with the inverse: at the factor of `[W]`, which is one.
fn unchecked(reading: &mut Reading) -> Result<(), VerifyError> {
    let comparison = &mut reading.equations().comparison;
    comparison.one = comparison.terms[1].0;
    reading.verdict()
}

#[test]
fn an_inverse_that_nobody_checks() {
    for lie in WHOLE.map(Lie::new) {
        let mut honest = Cheat::default();
        honest.given = lie.known.clone();
        for (mut cheat, expected) in [(honest, Err(VerifyError::Rejected)), (another_inverse(&lie), Ok(()))] {
            let proof = lie.toy.proof(&lie.witness, &mut cheat);
            let mut reading = lie.toy.reading(&proof, &lie.witness.instances, &cheat);
            assert_eq!(reading.verdict(), Err(VerifyError::Rejected), "{}", lie.toy.name);
            assert_eq!(unchecked(&mut reading), expected, "{}", lie.toy.name);
        }
    }
}

/// Outputs whose extension at the proof's own point is that of the true ones: instances are absorbed first.
#[test]
fn outputs_chosen_after_the_point() {
    let toy = Toy::named("mlp_claim");
    let mut cheat = Cheat::default();
    cheat.unabsorbed.push(zkml_protocol::sumcheck::Step::AbsorbInstances);
    for cheat in [&mut cheat, &mut Cheat::default()] {
        let proof = toy.proof(&toy.witness, cheat);
        let point = [0, 1].map(|i| cheat.learned[&Challenge::Relation(i)]);
        let e = eq_table(&point);
        let mut other = toy.witness.instances.clone();
        other[0] += e[1];
        other[1] -= e[0];
        let accepted = toy.reading(&proof, &other, cheat).verdict();
        let expected = if cheat.unabsorbed.is_empty() { Err(VerifyError::Rejected) } else { Ok(()) };
        assert_eq!(accepted, expected);
        assert_eq!(toy.verdict(&proof, &other), Err(VerifyError::Rejected));
    }
}
