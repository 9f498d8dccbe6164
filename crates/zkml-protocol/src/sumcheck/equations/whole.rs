//! The opening of a vector as one row: a single inner product, and nothing that is divided.

use super::{
    super::{Challenge, Program, SlotId},
    Base, Comparison,
    builder::{Builder, Node, Operation},
    opening::{committed, product, row_polynomial},
    second::Folded,
};

/// `x^(2^n − 1) P_u(1/x) = Π ((1 − u_k) x^(2^k) + u_k)`.
fn reversed(b: &mut Builder, u: &[Node], x: Node) -> Node {
    product(b, u, x, Operation::ReversedPolynomial, Builder::sub)
}

/// The multiples of points that the pairing compares.
///
/// With `κ = 1/((y − z)(1 − zy))`, which the proof ends with: `[f]` has `κ z((zy − 1) z^(N−1) P(1/z) + (y − z) z^N P(z))`, `[S]` has
/// `−κ z^N((zy − 1) z + y − z)`, the generator `−κ(2v z^(N+1) y + k)`, `[W]` nothing and `[W']` has `y`.
pub(super) fn terms(b: &mut Builder, program: &Program, folded: &Folded) -> Comparison {
    let [z, y] = [Challenge::Z, Challenge::Y].map(|c| b.challenge(c));
    let (inverse, k) = (b.scalar(SlotId::Inverse, 0), b.scalar(SlotId::Openings, 0));
    let (one, zero) = (b.one(), b.zero());
    let (from_z, zy) = (b.sub(y, z), b.mul(z, y));
    let (above, below) = (b.sub(zy, one), b.sub(one, zy));
    let product = b.mul(from_z, below);
    let checked = b.mul(inverse, product);

    let high = b.power(z, program.opening.length());
    let scaled = b.mul(inverse, high);
    let (there, here) = (reversed(b, &folded.point, z), row_polynomial(b, &folded.point, z));
    // κ z((zy − 1) z^(N−1) P(1/z) + (y − z) z^N P(z))
    let (left, right) = (b.mul(above, there), b.mul(high, here));
    let right = b.mul(from_z, right);
    let both = b.add(left, right);
    let iz = b.mul(inverse, z);
    let of_f = b.mul(iz, both);
    // −κ z^N((zy − 1) z + y − z)
    let sum = b.mul(above, z);
    let sum = b.add(sum, from_z);
    let of_s = b.mul(scaled, sum);
    // −κ(2v z^(N+1) y + k)
    let value = b.mul(high, folded.value);
    let value = b.mul(value, zy);
    let value = b.double(value);
    let value = b.add(value, k);
    let value = b.mul(inverse, value);
    let mut terms = vec![
        (b.sub(zero, of_s), Base::Proof(SlotId::S, 0)),
        (one, Base::Proof(SlotId::W, 0)),
        (y, Base::Proof(SlotId::W2, 0)),
        (b.sub(zero, value), Base::Generator),
    ];
    for (at, functional) in &folded.functionals {
        terms.push((b.mul(of_f, *functional), committed(*at)));
    }
    Comparison { terms, one: checked, by_rows: false }
}
