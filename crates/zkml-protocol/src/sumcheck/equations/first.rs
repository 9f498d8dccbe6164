//! The first sumcheck: what its items are at the point where it ends.

use super::{
    super::{
        Affine, Batch, Challenge, Evaluated, Gate, Lookup, Program, Shape, SlotId, System, Table, Template,
    },
    builder::{Builder, Node, Rounds},
};
use crate::Word;

/// What the last round leaves for `p₁`, once the items at the point are taken away.
pub(super) fn left(b: &mut Builder, program: &Program, shape: &Shape) -> Node {
    let sum = b.scalar(SlotId::Sum, 0);
    let last = b.rounds(Rounds::First, sum);
    let items = At::new(b, &program.system, shape).items(b);
    b.sub(last, items)
}

/// The point at which the first sumcheck ends, and the evaluations there.
struct At<'a> {
    system: &'a System,
    shape: &'a Shape,
    tau: Vec<Node>,
    rho: Vec<Node>,
    theta: Node,
    beta: Node,
    /// Powers of `γ`.
    gamma: Vec<Node>,
    batch: Batch,
    columns: Vec<Node>,
    helpers: Vec<Node>,
}

impl<'a> At<'a> {
    fn new(b: &mut Builder, system: &'a System, shape: &'a Shape) -> Self {
        let batch = Batch::of(system);
        let gamma = b.challenge(Challenge::Gamma);
        let mut found = Self {
            system,
            shape,
            tau: b.coordinates(Challenge::Tau, 0, system.tau_length()),
            rho: b.coordinates(Challenge::First, 0, shape.first_variables),
            theta: b.challenge(Challenge::Theta),
            beta: b.challenge(Challenge::Beta),
            gamma: b.powers(gamma, batch.contractions as usize + system.contractions.len()),
            batch,
            columns: vec![],
            helpers: vec![],
        };
        found.columns = found.evaluations(b, |e| matches!(e, Evaluated::Column(_)));
        found.helpers = found.evaluations(b, |e| matches!(e, Evaluated::Helper(_)));
        found
    }

    /// Evaluations of one kind, in their order.
    fn evaluations(&self, b: &mut Builder, of: impl Fn(Evaluated) -> bool) -> Vec<Node> {
        let all = (0u32..).zip(&self.shape.evaluations).filter(|(_, e)| of(e.of));
        all.map(|(at, _)| b.scalar(SlotId::Evaluations, at)).collect()
    }

    /// `2^−(n₁ − bits)`: items of fewer variables are constant in the others.
    fn scale(&self, b: &mut Builder, bits: u32) -> Node {
        let half = b.constant(HALF);
        b.power(half, self.shape.first_variables.saturating_sub(bits).into())
    }

    fn items(&self, b: &mut Builder) -> Node {
        let rows = self.rows(b);
        let table = self.table(b, &self.system.table);
        let scales = [self.system.row_bits, self.system.table.bits].map(|bits| self.scale(b, bits));
        let mut sum = b.inner(scales.into_iter().zip([rows, table]));
        for (i, c) in (0u32..).zip(&self.system.contractions) {
            let scale = self.scale(b, c.variables());
            let mut item = b.mul(scale, self.gamma[(self.batch.contractions + i) as usize]);
            for operand in self.evaluations(b, |e| e == Evaluated::Left(i) || e == Evaluated::Right(i)) {
                item = b.mul(item, operand);
            }
            // The batch is weighed at the coordinates of `r` that follow the free indices.
            let free = c.free.iter().map(|i| i.bits()).sum::<u32>();
            let batch = b.coordinates(Challenge::Relation, free, c.variables() - c.sum_bits());
            for (relation, here) in batch.into_iter().zip(&self.rho[c.sum_bits() as usize..]) {
                let weight = b.eq(relation, *here);
                item = b.mul(item, weight);
            }
            sum = b.add(sum, item);
        }
        sum
    }

    /// Lookups and gates of all templates, each weighed by the multilinear extension of `eq(τ, ·)` on its rows.
    fn rows(&self, b: &mut Builder) -> Node {
        let bits = self.system.row_bits;
        let mut eq = vec![b.one()];
        for (tau, rho) in self.tau.iter().zip(&self.rho).take(bits as usize) {
            let factor = b.eq(*tau, *rho);
            let last = eq[eq.len() - 1];
            eq.push(b.mul(last, factor));
        }
        let mut segments = Vec::new();
        for template in &self.system.templates {
            let value = self.template(b, template);
            segments.extend(template.segments.iter().map(|s| (s.start, s.bits, value)));
        }
        segments.sort_by_key(|(start, ..)| *start);
        let rows = self.segments(b, &segments, bits, &eq);
        let helpers = self.helpers.iter().fold(b.zero(), |sum, helper| b.add(sum, *helper));
        let sums = b.mul(self.gamma[self.batch.sums as usize], helpers);
        b.add(rows, sums)
    }

    /// The rows of an aligned block of `2^bits` rows; the segments are those that lie in it.
    fn segments(&self, b: &mut Builder, segments: &[(u64, u32, Node)], bits: u32, eq: &[Node]) -> Node {
        match segments {
            [] => b.zero(),
            [(_, own, value)] if *own >= bits => b.mul(eq[bits as usize], *value),
            _ if bits == 0 => b.zero(),
            _ => {
                let next = bits - 1;
                let split = segments.partition_point(|(start, ..)| start >> next & 1 == 0);
                let (low, high) = segments.split_at(split);
                let (low, high) = (self.segments(b, low, next, eq), self.segments(b, high, next, eq));
                let (tau, rho) = (self.tau[next as usize], self.rho[next as usize]);
                if low == high {
                    let weight = b.eq(tau, rho);
                    return b.mul(weight, low);
                }
                let (not_tau, not_rho) = (b.complement(tau), b.complement(rho));
                let (zero, one) = (b.mul(not_tau, not_rho), b.mul(tau, rho));
                b.inner([(zero, low), (one, high)])
            }
        }
    }

    fn template(&self, b: &mut Builder, template: &Template) -> Node {
        let size = self.system.lookups_per_helper.max(1) as usize;
        let mut sum = b.zero();
        for ((power, helper), lookups) in
            self.gamma.iter().zip(&self.helpers).zip(template.lookups.chunks(size))
        {
            // H · Π d_j − Σ_j Π_{i≠j} d_i
            let (mut product, mut rest) = (b.one(), b.zero());
            for lookup in lookups {
                let fingerprint = self.fingerprint(b, lookup);
                let d = b.sub(self.beta, fingerprint);
                let grown = b.mul(rest, d);
                rest = b.add(grown, product);
                product = b.mul(product, d);
            }
            let fractions = b.mul(*helper, product);
            let equation = b.sub(fractions, rest);
            let weighed = b.mul(*power, equation);
            sum = b.add(sum, weighed);
        }
        for (i, gate) in template.gates.iter().enumerate() {
            let value = self.gate(b, gate);
            let weighed = b.mul(self.gamma[self.batch.gates as usize + i], value);
            sum = b.add(sum, weighed);
        }
        sum
    }

    fn gate(&self, b: &mut Builder, gate: &Gate) -> Node {
        let mut sum = b.zero();
        for monomial in &gate.0 {
            let mut product = b.constant(monomial.coefficient);
            for at in &monomial.columns {
                product = b.mul(product, self.columns[*at as usize]);
            }
            sum = b.add(sum, product);
        }
        sum
    }

    fn fingerprint(&self, b: &mut Builder, lookup: &Lookup) -> Node {
        let mut sum = self.affine(b, &lookup.key);
        let mut power = b.one();
        for output in &lookup.outputs {
            power = b.mul(power, self.theta);
            let value = self.affine(b, output);
            let weighed = b.mul(power, value);
            sum = b.add(sum, weighed);
        }
        let tag = self.tag(b, lookup.tag);
        b.add(sum, tag)
    }

    /// `θ^(1 + max(outputs, 1)) · tag`.
    fn tag(&self, b: &mut Builder, tag: u64) -> Node {
        let exponent = self.system.table.outputs.len().max(1) as u64 + 1;
        let (weight, tag) = (b.power(self.theta, exponent), b.constant(Word::from_u64(tag)));
        b.mul(weight, tag)
    }

    fn affine(&self, b: &mut Builder, form: &Affine) -> Node {
        let mut sum = b.constant(form.constant);
        for (at, coefficient) in &form.terms {
            let coefficient = b.constant(*coefficient);
            let term = b.mul(coefficient, self.columns[*at as usize]);
            sum = b.add(sum, term);
        }
        sum
    }

    /// `γ^· eq(τ, ·)(G(β − fp) − M) − γ^· G`.
    fn table(&self, b: &mut Builder, table: &Table) -> Node {
        let mut eq = b.one();
        for (tau, rho) in self.tau.iter().zip(&self.rho).take(table.bits as usize) {
            let factor = b.eq(*tau, *rho);
            eq = b.mul(eq, factor);
        }
        let bits: Vec<_> = (0u32..).zip(self.rho.iter().copied()).take(table.bits as usize).collect();
        let mut print = b.zero();
        for segment in &table.segments {
            let (low, high) = bits.split_at(segment.rows.bits as usize);
            let (mut offset, first) = (b.zero(), b.integer(segment.first_key));
            for (_, x) in low.iter().rev() {
                offset = b.double(offset);
                offset = b.add(offset, *x);
            }
            let (key, tag) = (b.add(first, offset), self.tag(b, segment.tag));
            let value = b.add(key, tag);
            let selected = b.cells(&[(segment.rows.start, value)], high);
            print = b.add(print, selected);
        }
        let mut power = b.one();
        for output in self.evaluations(b, |e| matches!(e, Evaluated::TableOutput(_))) {
            power = b.mul(power, self.theta);
            let weighed = b.mul(power, output);
            print = b.add(print, weighed);
        }
        let one = |found: Vec<Node>, b: &mut Builder| found.first().copied().unwrap_or_else(|| b.zero());
        let g = self.evaluations(b, |e| e == Evaluated::TableHelper);
        let m = self.evaluations(b, |e| e == Evaluated::Multiplicity);
        let (g, m) = (one(g, b), one(m, b));
        let distance = b.sub(self.beta, print);
        let fractions = b.mul(g, distance);
        let equation = b.sub(fractions, m);
        let weight = b.mul(self.gamma[self.batch.table as usize], eq);
        let (equation, sums) = (b.mul(weight, equation), b.mul(self.gamma[self.batch.sums as usize], g));
        b.sub(equation, sums)
    }
}

/// `1 / 2 = (r + 1) / 2`.
const HALF: Word = Word([
    0x18, 0x32, 0x27, 0x39, 0x70, 0x98, 0xd0, 0x14, 0xdc, 0x28, 0x22, 0xdb, 0x40, 0xc0, 0xac, 0x2e, 0x94,
    0x19, 0xf4, 0x24, 0x3c, 0xdc, 0xb8, 0x48, 0xa1, 0xf0, 0xfa, 0xc9, 0xf8, 0x00, 0x00, 0x01,
]);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field;

    #[test]
    fn a_half_is_half_of_one() {
        assert_eq!(field::add(HALF, HALF), Word::ONE);
    }
}
