//! The opening by rows: Mercury (<https://eprint.iacr.org/2025/385>) with a pairing for the quotient, and SHPLONK.

use super::{
    super::{Challenge, Program, SlotId, Source},
    Base, Comparison,
    builder::{Builder, Node, Operation},
    second::Folded,
};

/// The multiples of points that the pairing compares.
pub(super) fn terms(b: &mut Builder, program: &Program, folded: &Folded) -> Comparison {
    if program.opening.is_whole() {
        super::whole::terms(b, program, folded)
    } else {
        by_rows(b, program, folded)
    }
}

/// The points at which polynomials are opened, their distances from each other and from where the folded opening is checked.
struct Points {
    z: Node,
    inverse: Node,
    alpha: Node,
    /// `y − z`, `y − 1/z`, `y − α`.
    from: [Node; 3],
    /// `1 / (z − 1/z)`.
    apart: Node,
    /// `1 / (z − α)`.
    z_alpha: Node,
    /// `1 / (1/z − α)`.
    inverse_alpha: Node,
    /// `1 / Φ_R`.
    inverse_masks: Node,
    /// The product of what the proof says is an inverse with what it is the inverse of.
    one: Node,
}

impl Points {
    /// One inverse serves all: of `Φ_R z (z² − 1)(z − α)(1 − αz)`, which is zero where two of the points coincide.
    fn new(b: &mut Builder, masks: Node) -> Self {
        let [z, alpha, y] = [Challenge::Z, Challenge::Alpha, Challenge::Y].map(|c| b.challenge(c));
        let one = b.one();
        let square = b.mul(z, z);
        let (p, q) = (b.sub(square, one), b.sub(z, alpha));
        let scaled = b.mul(alpha, z);
        let s = b.complement(scaled);
        let (pq, zs) = (b.mul(p, q), b.mul(z, s));
        let all = b.mul(pq, zs);
        let sent = b.scalar(SlotId::Inverse, 0);
        let (i, inverse_masks) = (b.mul(sent, masks), b.mul(sent, all));
        let one = b.mul(inverse_masks, masks);
        // 1/z = i·pq·s, 1/(z² − 1) = i·zs·q, 1/(z − α) = i·zs·p, 1/(1 − αz) = i·pq·z
        let (ipq, izs) = (b.mul(i, pq), b.mul(i, zs));
        let inverse = b.mul(ipq, s);
        let (izsq, ipqz) = (b.mul(izs, q), b.mul(ipq, z));
        let (apart, inverse_alpha) = (b.mul(izsq, z), b.mul(ipqz, z));
        Self {
            z,
            inverse,
            alpha,
            from: [z, inverse, alpha].map(|x| b.sub(y, x)),
            apart,
            z_alpha: b.mul(izs, p),
            inverse_alpha,
            inverse_masks,
            one,
        }
    }

    /// The value at `y` of the line through the values at `z` and `1/z`.
    fn line(&self, b: &mut Builder, [at_z, at_inverse]: [Node; 2]) -> Node {
        let [from_z, from_inverse, _] = self.from;
        let (above, below) = (b.mul(at_z, from_inverse), b.mul(at_inverse, from_z));
        let difference = b.sub(above, below);
        b.mul(difference, self.apart)
    }

    /// The value at `y` of the parabola through the values at `z`, `1/z` and `α`.
    fn parabola(&self, b: &mut Builder, [at_z, at_inverse, at_alpha]: [Node; 3]) -> Node {
        let [from_z, from_inverse, from_alpha] = self.from;
        let (left, right) = (b.mul(at_z, from_inverse), b.mul(at_inverse, from_z));
        let (left, right) = (b.mul(left, self.z_alpha), b.mul(right, self.inverse_alpha));
        let difference = b.sub(left, right);
        let sides = b.mul(difference, self.apart);
        let sides = b.mul(sides, from_alpha);
        let both = b.mul(from_z, from_inverse);
        let middle = b.mul(both, at_alpha);
        let middle = b.mul(middle, self.z_alpha);
        let middle = b.mul(middle, self.inverse_alpha);
        b.add(sides, middle)
    }
}

/// `Π ((1 − u_k) + u_k x^(2^k))`.
pub(super) fn row_polynomial(b: &mut Builder, u: &[Node], x: Node) -> Node {
    product(b, u, x, Operation::RowPolynomial, |b, _, scaled| {
        let one = b.one();
        b.add(one, scaled)
    })
}

/// The product over `u` of factors in `x^(2^k)` and `u_k (x^(2^k) − 1)`; the operation where a loop may compute it.
pub(super) fn product(
    b: &mut Builder,
    u: &[Node],
    mut x: Node,
    looped: fn(Challenge, u32, Node) -> Operation,
    factor: fn(&mut Builder, Node, Node) -> Node,
) -> Node {
    if let (true, Some(from)) = (b.loops, b.consecutive(u)) {
        return b.node(looped(from, u.len() as u32, x));
    }
    let mut product = b.one();
    for (k, u) in u.iter().enumerate() {
        if k > 0 {
            x = b.mul(x, x);
        }
        let one = b.one();
        let less = b.sub(x, one);
        let scaled = b.mul(*u, less);
        let factor = factor(b, x, scaled);
        product = b.mul(product, factor);
    }
    product
}

/// `S(z)`, from the symmetric identity.
fn symmetric(b: &mut Builder, program: &Program, folded: &Folded, at: &Points) -> Node {
    let [g_z, g_inverse, h_z, h_inverse, h_alpha, s_inverse] = openings(b);
    let (low, high) = folded.point.split_at(folded.point.len().min(program.opening.column_bits as usize));
    let mut halves = [(low, g_z, g_inverse), (high, h_z, h_inverse)].map(|(u, z, inverse)| {
        let (here, there) = (row_polynomial(b, u, at.z), row_polynomial(b, u, at.inverse));
        b.inner([(z, there), (inverse, here)])
    });
    let gamma = b.challenge(Challenge::OpenGamma);
    halves[1] = b.mul(gamma, halves[1]);
    let products = b.add(halves[0], halves[1]);
    let value = b.mul(at.inverse_masks, folded.value);
    let value = b.mul(gamma, value);
    let constant = b.add(h_alpha, value);
    let constant = b.double(constant);
    let reversed = b.mul(at.inverse, s_inverse);
    let known = b.add(constant, reversed);
    let rest = b.sub(products, known);
    b.mul(rest, at.inverse)
}

/// `g(z), g(1/z), h(z), h(1/z), h(α), S(1/z)`.
fn openings(b: &mut Builder) -> [Node; super::super::OPENINGS] {
    std::array::from_fn(|i| b.scalar(SlotId::Openings, i as u32))
}

/// The commitment to a part of a vector.
pub(super) fn committed((source, part): (Source, u32)) -> Base {
    match source {
        Source::Witness => Base::Proof(SlotId::Witness, part),
        Source::Helpers => Base::Proof(SlotId::Helpers, part),
        Source::Masks => Base::Proof(SlotId::Masks, part),
        Source::Private => Base::Proof(SlotId::Private, part),
        Source::Weights | Source::One => Base::Weights(part),
    }
}

fn by_rows(b: &mut Builder, program: &Program, folded: &Folded) -> Comparison {
    const MASKS: (Source, u32) = (Source::Masks, 0);
    let masks = folded.functionals.get(&MASKS).copied().unwrap_or_else(|| b.zero());
    let at = Points::new(b, masks);
    let [g_z, g_inverse, h_z, h_inverse, h_alpha, s_inverse] = openings(b);
    let s_z = symmetric(b, program, folded, &at);
    // D(z) = z^(b − 1) g(1/z)
    let shift = b.power(at.z, program.opening.columns().saturating_sub(1));
    let d_z = b.mul(shift, g_inverse);
    let [from_z, from_inverse, from_alpha] = at.from;
    let outside_z = b.mul(from_inverse, from_alpha);
    let one = b.one();
    // Each with what is left of (y − z)(y − 1/z)(y − α) outside the points at which it is opened.
    let opened = [
        (SlotId::G, from_alpha, at.line(b, [g_z, g_inverse])),
        (SlotId::S, from_alpha, at.line(b, [s_z, s_inverse])),
        (SlotId::D, outside_z, d_z),
        (SlotId::H, one, at.parabola(b, [h_z, h_inverse, h_alpha])),
    ];
    let (nu, zeta, y) = (b.challenge(Challenge::Nu), b.challenge(Challenge::Zeta), b.challenge(Challenge::Y));
    let zero = b.zero();
    let (mut weight, mut value, mut terms) = (zeta, zero, Vec::new());
    for (id, outside, here) in opened {
        let scale = b.mul(weight, outside);
        let weighed = b.mul(scale, here);
        value = b.add(value, weighed);
        weight = b.mul(weight, nu);
        // [f] − [g] + α[q]
        let scale = if id == SlotId::G { b.sub(scale, one) } else { scale };
        terms.push((scale, Base::Proof(id, 0)));
    }
    let all = b.mul(outside_z, from_z);
    let all = b.mul(zeta, all);
    terms.push((b.sub(zero, all), Base::Proof(SlotId::W, 0)));
    terms.push((y, Base::Proof(SlotId::W2, 0)));
    terms.push((b.sub(zero, value), Base::Generator));
    terms.push((at.alpha, Base::Proof(SlotId::Quotient, 0)));
    for (part, functional) in &folded.functionals {
        let factor = if *part == MASKS { one } else { b.mul(at.inverse_masks, *functional) };
        terms.push((factor, committed(*part)));
    }
    Comparison { terms, one: at.one, by_rows: true }
}
