//! What a proof says about the witness: nothing, by linear algebra, for the very layout of a model.
//!
//! At fixed challenges and fixed masks `ξ` of evaluations, everything that a prover sends is an affine map of its other masks.
//! Evaluations are moved by `ξ` alone, each by one of its own, so they are uniform; the rest has to be uniform on the verifier's
//! equations, which fix `[W]`, `[W']`, an inverse, and `[q]` where a vector is opened by rows. Commitments to private weights are the
//! same in all proofs, and so is what blinds them: it is no mask of a proof.
//!
//! - the rank of the map is the number of values that are sent, less those;
//! - what a simulator sends, who knows no witness, differs from a real proof by something in the map's image.

use std::collections::BTreeMap;

use ff::Field;
use halo2_proofs::halo2curves::bn256::{Fr, G1};
use halo2_proofs::halo2curves::group::Curve;
use rand::rngs::OsRng;
use zkml_curve::{g1_words, scalar_word};
use zkml_protocol::{
    Element, Word,
    sumcheck::{Base, Challenge, Program, SlotId, Source, weights_commitment_of},
};
use zkml_sumcheck::{
    prover::{Masks, Witness},
    testing::{Logarithms, Mask, Sent},
};
use zkml_verifier::sumcheck::testing::Reading;

/// Values that the equations of the opening fix.
const FIXED: [SlotId; 4] = [SlotId::Quotient, SlotId::W, SlotId::W2, SlotId::Inverse];

/// A system of vectors in echelon form.
#[derive(Debug, Clone, Default)]
pub struct Span(Vec<(usize, Vec<Fr>)>);

impl Span {
    /// Adds a vector. Returns false if it was in the span.
    pub fn add(&mut self, mut vector: Vec<Fr>) -> bool {
        for (pivot, row) in &self.0 {
            let factor = vector[*pivot];
            if factor != Fr::ZERO {
                vector.iter_mut().zip(row).for_each(|(v, r)| *v -= factor * r);
            }
        }
        let Some(pivot) = vector.iter().position(|v| *v != Fr::ZERO) else { return false };
        let inverse = vector[pivot].invert().unwrap_or(Fr::ZERO);
        vector.iter_mut().for_each(|v| *v *= inverse);
        self.0.push((pivot, vector));
        true
    }

    /// Number of independent vectors.
    pub fn rank(&self) -> usize {
        self.0.len()
    }
}

/// The view of a verifier at fixed challenges, as a map of the masks.
#[derive(Debug)]
pub struct View {
    logs: Logarithms,
    base: Sent,
    moved: Vec<(Mask, Vec<Fr>)>,
}

/// Values in the order of their slots, without evaluations and what was committed to before.
fn flat(sent: &Sent) -> Vec<Fr> {
    let drawn = |id: SlotId| !matches!(id, SlotId::Evaluations | SlotId::Private);
    sent.iter().filter(|(id, _)| drawn(**id)).flat_map(|(_, v)| v).copied().collect()
}

fn difference(a: &[Fr], b: &[Fr]) -> Vec<Fr> {
    a.iter().zip(b).map(|(a, b)| *a - b).collect()
}

impl View {
    /// Proves the witness once, once more with other masks of the evaluations, and once more for each of `others`.
    ///
    /// # Errors
    /// The mask that moves an evaluation and should not, or the evaluation that is not moved by its own.
    pub fn new(logs: Logarithms, witness: &Witness, others: &[Mask]) -> Result<Self, String> {
        let masks = logs.masks();
        let base = logs.sent(witness, &masks, &[]);
        evaluations_are_masked(&logs, witness, &masks, &base)?;
        let mut moved = vec![];
        for mask in others.iter().copied() {
            let sent = logs.sent(witness, &masks, &[(mask, Fr::ONE)]);
            if sent[&SlotId::Evaluations] != base[&SlotId::Evaluations] {
                return Err(format!("{mask:?} moves an evaluation"));
            }
            moved.push((mask, difference(&flat(&sent), &flat(&base))));
        }
        Ok(Self { logs, base, moved })
    }

    /// The layout and its challenges.
    pub fn logs(&self) -> &Logarithms {
        &self.logs
    }

    /// Number of values that are sent, without evaluations.
    pub fn sent(&self) -> usize {
        flat(&self.base).len()
    }

    /// Number of values that the others do not fix, without evaluations.
    pub fn free(&self) -> usize {
        self.sent() - FIXED.iter().filter(|id| self.base.contains_key(id)).count()
    }

    /// The masks that there are.
    pub fn masks(&self) -> impl Iterator<Item = Mask> + '_ {
        self.moved.iter().map(|(mask, _)| *mask)
    }

    /// What the masks reach that a test lets through.
    pub fn span(&self, keeps: impl Fn(Mask) -> bool) -> Span {
        let mut span = Span::default();
        for (_, by) in self.moved.iter().filter(|(mask, _)| keeps(*mask)) {
            span.add(by.clone());
        }
        span
    }

    /// The difference between what a simulator sends, at the evaluations of this proof, and this proof.
    ///
    /// # Errors
    /// The verifier's reason to refuse what the simulator sends about these instances.
    pub fn from_simulator(&self, instances: &[Fr]) -> Result<Vec<Fr>, String> {
        let simulated = simulate(&self.logs, instances, &self.base[&SlotId::Evaluations])?;
        let mut real = self.base.clone();
        if self.logs.program().opening.is_whole() {
            return Ok(difference(&flat(&simulated), &flat(&real)));
        }
        // The prover's hook saw the quotient without the parts of the weights.
        let functionals = functionals(&self.logs, instances, &self.base)?;
        let (weights, private) = self.logs.weight_quotients();
        for ((id, weights), quotients) in
            [((SlotId::Witness, true), weights), ((SlotId::Private, false), private)]
        {
            for (part, quotient) in (0u32..).zip(quotients) {
                let factor = functionals.get(&(id, part, weights)).copied().unwrap_or(Fr::ZERO);
                real.entry(SlotId::Quotient).or_default()[0] += factor * quotient;
            }
        }
        Ok(difference(&flat(&simulated), &flat(&real)))
    }
}

/// Every masked evaluation is moved by its own mask, and by no other; the others are public.
///
/// All masks grow at once, each by an amount of its own that is drawn at random.
fn evaluations_are_masked(
    logs: &Logarithms,
    witness: &Witness,
    masks: &Masks,
    base: &Sent,
) -> Result<(), String> {
    let x = logs.challenges[&Challenge::First(0)];
    let (mut more, mut expected) = (vec![], vec![]);
    for evaluation in &logs.shape().evaluations {
        let by = evaluation.mask.map_or(Fr::ZERO, |_| Fr::random(OsRng));
        if let Some(mask) = evaluation.mask {
            more.push((Mask::Cell(mask), by));
        } else if evaluation.form.reads(&Source::SECRET) {
            return Err(format!("{:?} has no mask", evaluation.of));
        }
        expected.push(by * x * (Fr::ONE - x));
    }
    let sent = logs.sent(witness, masks, &more);
    let moved = difference(&sent[&SlotId::Evaluations], &base[&SlotId::Evaluations]);
    match moved.iter().zip(&expected).position(|(moved, expected)| moved != expected) {
        Some(at) => Err(format!("{:?} is not moved by its mask alone", logs.shape().evaluations[at].of)),
        None => Ok(()),
    }
}

/// The proof in bytes, made of logarithms.
fn bytes(program: &Program, sent: &Sent) -> Vec<u8> {
    let words = |(element, value): (Element, &Fr)| -> Vec<Word> {
        if element == Element::Scalar {
            return vec![scalar_word(value)];
        }
        let point = g1_words(&(G1::generator() * value).to_affine());
        vec![point.x, point.y]
    };
    let layout = program.layout();
    let elements = layout.slots().iter().flat_map(|s| sent[&s.id].iter().map(|v| (s.element, v)));
    elements.flat_map(words).flat_map(|w| w.0).collect()
}

/// A proof that is read, at the challenges.
fn reading(logs: &Logarithms, instances: &[Fr], sent: &Sent) -> Result<Reading, String> {
    let program = logs.program();
    let mut words: Vec<Word> = instances.iter().map(scalar_word).collect();
    let proof = bytes(program, sent);
    if let Some(private) = program.system.private {
        let slot = program.layout().slot_of(SlotId::Private).map(|slot| slot.offset..slot.end());
        words[private.instance as usize] = weights_commitment_of(&proof[slot.unwrap_or_default()]);
    }
    let read = Reading::new(program, &program.vk_digest(), &proof, &words, &|_| true);
    let mut read = read.map_err(|e| e.to_string())?;
    read.challenges().extend(&logs.challenges);
    Ok(read)
}

/// Factors of the commitments to vectors, by slot and part; those of `W` are marked.
type Functionals = BTreeMap<(SlotId, u32, bool), Fr>;

fn functionals(logs: &Logarithms, instances: &[Fr], sent: &Sent) -> Result<Functionals, String> {
    let (factors, _) = reading(logs, instances, sent)?.factors().map_err(|e| e.to_string())?;
    let of = |(factor, base): (Fr, Base)| match base {
        Base::Proof(id @ (SlotId::Witness | SlotId::Helpers | SlotId::Masks | SlotId::Private), part) => {
            Some(((id, part, false), factor))
        }
        Base::Weights(part) => Some(((SlotId::Witness, part, true), factor)),
        _ => None,
    };
    Ok(factors.into_iter().filter_map(of).collect())
}

/// An accepting proof at the challenges, without a witness, for any instances: everything is random but what the equations of the
/// opening fix, which the setup's secret gives.
///
/// # Errors
/// The verifier's reason to refuse it.
pub fn simulate(logs: &Logarithms, instances: &[Fr], evaluations: &[Fr]) -> Result<Sent, String> {
    let mut sent = Sent::new();
    for slot in logs.program().layout().slots() {
        sent.insert(slot.id, (0..slot.count).map(|_| Fr::random(OsRng)).collect());
    }
    sent.insert(SlotId::Evaluations, evaluations.to_vec());
    sent.insert(SlotId::Private, logs.private());
    sent.insert(SlotId::Inverse, vec![Fr::ONE]);
    let (_, product) = reading(logs, instances, &sent)?.factors().map_err(|e| e.to_string())?;
    sent.insert(SlotId::Inverse, vec![product.invert().unwrap_or(Fr::ZERO)]);
    let (tau, y) = (Fr::from(Logarithms::TAU), logs.challenges[&Challenge::Y]);
    let folded: Fr = functionals(logs, instances, &sent)?
        .into_iter()
        .map(|((id, part, weights), factor)| {
            factor * if weights { logs.weights[part as usize] } else { sent[&id][part as usize] }
        })
        .sum();
    let opened = reading(logs, instances, &sent)?.opened().map_err(|e| e.to_string())?;
    let beside = if logs.program().opening.is_whole() {
        sent.insert(SlotId::W, vec![quotient_of_one_row(logs, &sent, folded, opened)]);
        Fr::ZERO
    } else {
        // f = (X^b − α) q + g
        let (alpha, power) =
            (logs.challenges[&Challenge::Alpha], tau.pow_vartime([logs.program().opening.columns()]));
        let q = (folded - sent[&SlotId::G][0]) * (power - alpha).invert().unwrap_or(Fr::ZERO);
        sent.insert(SlotId::Quotient, vec![q]);
        sent.insert(SlotId::W, vec![opening_quotient(logs, &sent, opened)]);
        power * q
    };
    // What is left is (X − y) W'.
    let (factors, _) = reading(logs, instances, &sent)?.factors().map_err(|e| e.to_string())?;
    let value = |(factor, base): &(Fr, Base)| match base {
        Base::Proof(SlotId::W2, _) => Fr::ZERO,
        Base::Proof(id, part) => *factor * sent[id][*part as usize],
        Base::Weights(part) => *factor * logs.weights[*part as usize],
        Base::Generator => *factor,
    };
    let sum = factors.iter().map(value).sum::<Fr>() - beside;
    sent.insert(SlotId::W2, vec![sum * (tau - y).invert().unwrap_or(Fr::ZERO)]);
    reading(logs, instances, &sent)?.verdict().map_err(|e| e.to_string())?;
    Ok(sent)
}

/// `Π ((1 − u_k) + u_k x^(2^k))` over coordinates of the point of the second sumcheck.
fn row(logs: &Logarithms, from: u32, to: u32, x: Fr) -> Fr {
    let u = (from..to).map(|i| logs.challenges[&Challenge::Second(i)]);
    let factor = |(k, u): (usize, Fr)| Fr::ONE - u + u * x.pow_vartime([1 << k]);
    u.enumerate().map(factor).product()
}

/// `(M − 2v z^(N+1) X − k) / ((X − z)(zX − 1))` at the secret, written from the protocol's text alone; `folded` is `f` there, times its
/// factor at `y`.
fn quotient_of_one_row(logs: &Logarithms, sent: &Sent, folded: Fr, opened: Fr) -> Fr {
    let opening = &logs.program().opening;
    let (z, y, tau) =
        (logs.challenges[&Challenge::Z], logs.challenges[&Challenge::Y], Fr::from(Logarithms::TAU));
    let inverse = |x: Fr| x.invert().unwrap_or(Fr::ZERO);
    let (zi, power) = (inverse(z), z.pow_vartime([opening.length()]));
    let (s, k) = (sent[&SlotId::S][0], sent[&SlotId::Openings][0]);
    let (there, here) = (row(logs, 0, opening.bits, zi), row(logs, 0, opening.bits, z));
    let of_f = |x: Fr| (z * x - Fr::ONE) * power * there + z * (x - z) * power * here;
    let f = folded * inverse(sent[&SlotId::Inverse][0] * of_f(y));
    let m = of_f(tau) * f - ((z * tau - Fr::ONE) * power * z + z * (tau - z) * power * zi) * s;
    let line = opened.double() * power * z * tau + k;
    (m - line) * inverse((tau - z) * (z * tau - Fr::ONE))
}

/// `Σ_i ν^i (p_i − r_i) / Z_i` at the secret: `W` as the evaluations fix it, written from the protocol's text alone.
fn opening_quotient(logs: &Logarithms, sent: &Sent, opened: Fr) -> Fr {
    let opening = &logs.program().opening;
    let challenge = |c| logs.challenges[&c];
    let [z, alpha, gamma, nu] =
        [Challenge::Z, Challenge::Alpha, Challenge::OpenGamma, Challenge::Nu].map(challenge);
    let inverse = |x: Fr| x.invert().unwrap_or(Fr::ZERO);
    let (zi, tau) = (inverse(z), Fr::from(Logarithms::TAU));
    let row = |from, to, x| row(logs, from, to, x);
    // f and its value are divided by the functional of the masks.
    let all = z * (z.square() - Fr::ONE) * (z - alpha) * (Fr::ONE - alpha * z);
    let opened = opened * all * sent[&SlotId::Inverse][0];
    let values = &sent[&SlotId::Openings];
    let (g, h, h_alpha, s_inverse) = ([values[0], values[1]], [values[2], values[3]], values[4], values[5]);
    let (c, n) = (opening.column_bits, opening.bits);
    let low = g[0] * row(0, c, zi) + g[1] * row(0, c, z);
    let high = h[0] * row(c, n, zi) + h[1] * row(c, n, z);
    let s = (low + gamma * high - (h_alpha + gamma * opened).double() - s_inverse * zi) * zi;
    let d = z.pow_vartime([opening.columns() - 1]) * g[1];
    let sets = [
        (SlotId::G, vec![(z, g[0]), (zi, g[1])]),
        (SlotId::S, vec![(z, s), (zi, s_inverse)]),
        (SlotId::D, vec![(z, d)]),
        (SlotId::H, vec![(z, h[0]), (zi, h[1]), (alpha, h_alpha)]),
    ];
    let mut weight = Fr::ONE;
    let mut sum = Fr::ZERO;
    for (id, points) in sets {
        let others = |i: usize| points.iter().enumerate().filter(move |(j, _)| *j != i).map(|(_, (x, _))| *x);
        let term = |(i, (x, value)): (usize, &(Fr, Fr))| {
            *value * others(i).map(|o| (tau - o) * inverse(*x - o)).product::<Fr>()
        };
        let line: Fr = points.iter().enumerate().map(term).sum();
        let vanishing: Fr = points.iter().map(|(x, _)| tau - x).product();
        sum += weight * (sent[&id][0] - line) * inverse(vanishing);
        weight *= nu;
    }
    sum
}
