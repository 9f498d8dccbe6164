//! The second sumcheck: all claims, folded into one functional of the committed vectors.

use std::collections::BTreeMap;

use super::{
    super::{
        Challenge, Claim, Claimed, Factor, Linear, MaskWeight, Part, Program, Shape, SlotId, Source, Weight,
        bits_for,
    },
    Inconsistent,
    builder::{Builder, Node, Rounds},
    simpler::simpler,
};

/// What the opening has to show: the point, the folded functionals there, and the value.
pub(super) struct Folded {
    pub(super) point: Vec<Node>,
    /// By vector and part.
    pub(super) functionals: BTreeMap<(Source, u32), Node>,
    pub(super) value: Node,
}

/// The rounds of the second sumcheck, and the functionals at its point, `left` being what the first sumcheck leaves for its
/// mask. Claim `i` is weighed by `η^i`.
pub(super) fn folded(
    b: &mut Builder,
    program: &Program,
    shape: &Shape,
    claims: &[Claim],
    left: Node,
) -> Result<Folded, Inconsistent> {
    let eta = b.challenge(Challenge::Eta);
    let eta = b.powers(eta, claims.len());
    let mut value = b.zero();
    for (claim, weight) in claims.iter().zip(&eta) {
        let own = stated(b, program, claim, left)?;
        let constant = constant(b, claim)?;
        let own = b.sub(own, constant);
        let weighed = b.mul(*weight, own);
        value = b.add(value, weighed);
    }
    let value = b.rounds(Rounds::Second, value);
    let point = b.coordinates(Challenge::Second, 0, shape.second_variables);
    let mut functionals = BTreeMap::new();
    for source in Source::COMMITTED {
        let parts = shape.parts_of(source, &program.weights);
        for part in 0..parts {
            // Parts are opened at one point, each with a functional of its own: the high bits of addresses are its number.
            let high =
                (0..bits_for(parts.into())).map(|bit| i64::from(part.checked_shr(bit).unwrap_or(0) & 1));
            let high: Vec<Node> = high.map(|bit| b.integer(bit)).collect();
            let address: Vec<Node> = point.iter().copied().chain(high).collect();
            let at = functional(b, claims, &eta, source, &address)?;
            functionals.insert((source, part), at);
        }
    }
    Ok(Folded { point, functionals, value })
}

/// What a claim says its functional is.
fn stated(b: &mut Builder, program: &Program, claim: &Claim, left: Node) -> Result<Node, Inconsistent> {
    Ok(match claim.value {
        Claimed::Sum => b.scalar(SlotId::Sum, 0),
        Claimed::Gates => left,
        Claimed::Evaluation(i) => b.scalar(SlotId::Evaluations, i),
        Claimed::Zero(_) => b.zero(),
        Claimed::Instances(i) => {
            let linear = program.system.linears.get(i as usize).ok_or(Inconsistent("relation"))?;
            instances(b, linear, program.system.instances)?
        }
        Claimed::MaskSum => b.scalar(SlotId::MaskSum, 0),
    })
}

/// The multilinear extension of a relation's instances at `r`: row-major over its random indices.
fn instances(b: &mut Builder, relation: &Linear, count: u32) -> Result<Node, Inconsistent> {
    let first = relation.instances.ok_or(Inconsistent("instances"))?;
    let mut bits = Vec::new();
    let mut extents = Vec::new();
    let mut from = 0u32;
    for index in relation.indices.iter().filter(|i| i.weight == Weight::Random) {
        let point = b.coordinates(Challenge::Relation, from, index.bits());
        from = from.saturating_add(index.bits());
        // The last index is the lowest.
        bits.splice(0..0, point);
        extents.push((index.extent, index.bits()));
    }
    let words = extents.iter().try_fold(1u64, |all, (extent, _)| all.checked_mul(*extent));
    let words = words.filter(|w| u64::from(first).saturating_add(*w) <= count.into());
    let mut cells = Vec::new();
    for word in 0..words.ok_or(Inconsistent("instances"))? {
        let (mut rest, mut address, mut shift) = (word, 0u64, 0);
        for (extent, bits) in extents.iter().rev() {
            address |= (rest % extent) << shift;
            rest /= extent;
            shift += bits;
        }
        cells.push((address, b.instance(first + word as u32)));
    }
    let bits: Vec<(u32, Node)> = (0..).zip(bits).collect();
    Ok(b.cells(&cells, &bits))
}

fn factor(b: &mut Builder, part: &Part) -> Node {
    match part.factor {
        Factor::One => b.one(),
        Factor::Gamma(power) => {
            let gamma = b.challenge(Challenge::Gamma);
            // The chain of powers is there already.
            let powers = b.powers(gamma, power as usize + 1);
            powers[power as usize]
        }
    }
}

/// What a claim's forms add that reads no vector.
fn constant(b: &mut Builder, claim: &Claim) -> Result<Node, Inconsistent> {
    let mut sum = b.zero();
    for part in claim.parts.iter().filter(|p| p.form.reads(&[Source::One])) {
        let (factor, weights) = (factor(b, part), b.weights(part));
        for term in part.form.0.iter().filter(|t| t.source == Source::One) {
            let product = b.axes(term, &part.indices, &weights, &[])?;
            for (_, coefficient) in &term.cells {
                let coefficient = b.constant(*coefficient);
                let value = b.mul(factor, product);
                let value = b.mul(value, coefficient);
                sum = b.add(sum, value);
            }
        }
    }
    Ok(sum)
}

/// Cells that share the value of their axes, and which bits of the address those cover; their weights by base address.
type Groups = BTreeMap<(Node, u64), BTreeMap<u64, Node>>;

/// The folded functional of all claims that reads `source`, at `address`.
fn functional(
    b: &mut Builder,
    claims: &[Claim],
    eta: &[Node],
    source: Source,
    address: &[Node],
) -> Result<Node, Inconsistent> {
    let mut groups = Groups::new();
    for (claim, weight) in claims.iter().zip(eta) {
        for part in claim.parts.iter().filter(|p| p.form.reads(&[source])) {
            let (factor, weights) = (factor(b, part), b.weights(part));
            let weight = b.mul(*weight, factor);
            for term in part.form.0.iter().filter(|t| t.source == source) {
                let term = simpler(term, &part.indices);
                let product = b.axes(&term, &part.indices, &weights, address)?;
                let group = groups.entry((product, covered(&term))).or_default();
                for (base, coefficient) in &term.cells {
                    let coefficient = b.constant(*coefficient);
                    let weighed = b.mul(weight, coefficient);
                    put(b, group, *base, weighed);
                }
            }
        }
        if source == Source::Masks {
            masks(b, claim, *weight, &mut groups);
        }
    }
    let mut sum = b.zero();
    for ((product, covered), cells) in groups {
        let bits = (0u32..).zip(address.iter().copied());
        let bits: Vec<(u32, Node)> =
            bits.filter(|(bit, _)| covered.checked_shr(*bit).unwrap_or(0) & 1 == 0).collect();
        let cells: Vec<(u64, Node)> = cells.into_iter().collect();
        let value = b.cells(&cells, &bits);
        let value = b.mul(product, value);
        sum = b.add(sum, value);
    }
    Ok(sum)
}

fn put(b: &mut Builder, group: &mut BTreeMap<u64, Node>, base: u64, weight: Node) {
    let zero = b.zero();
    let cell = group.entry(base).or_insert(zero);
    *cell = b.add(*cell, weight);
}

/// The bits of the address that a term's axes cover.
fn covered(term: &super::super::Term) -> u64 {
    let bits = |bits: u32| 1u64.checked_shl(bits).map_or(u64::MAX, |b| b.wrapping_sub(1));
    term.axes.iter().fold(0, |mask, axis| mask | bits(axis.bits).checked_shl(axis.bit).unwrap_or(0))
}

/// Single cells of `R`. What many of them share is a factor of their group.
fn masks(b: &mut Builder, claim: &Claim, eta: Node, groups: &mut Groups) {
    for (base, weight) in &claim.masks {
        let (product, weight) = match weight {
            MaskWeight::Shift(bits) => {
                let two = b.integer(2);
                (eta, b.power(two, (*bits).into()))
            }
            MaskWeight::Power(variable, exponent) => {
                let x = b.challenge(Challenge::First(*variable));
                // One after the other: all exponents up to the largest occur.
                let powers = b.powers(x, *exponent as usize + 1);
                (eta, powers[*exponent as usize])
            }
            MaskWeight::Evaluation => {
                let x = b.challenge(Challenge::First(0));
                let rest = b.complement(x);
                (b.mul(x, rest), eta)
            }
        };
        put(b, groups.entry((product, 0)).or_default(), *base, weight);
    }
}
