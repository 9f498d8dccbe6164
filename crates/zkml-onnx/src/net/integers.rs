//! Values that are integers by construction: they are kept at scale zero, and nothing about them is rounded.

use super::{Net, NetOp, Numbers, Operand, Side};

/// Largest magnitude of an integer that a float of 64 bits holds with a bit to spare.
const EXACT: f64 = (1u64 << 52) as f64;

impl Numbers {
    /// Returns true if all are integers and everybody may know that.
    pub(crate) fn are_integers(&self) -> bool {
        !self.is_private() && self.values().iter().all(|v| v.fract() == 0.0 && v.abs() <= EXACT)
    }
}

impl Net {
    /// Finds out which values are integers. Inputs know it by their type.
    pub(crate) fn mark_integers(&mut self) {
        // Constants may follow their readers.
        for node in &mut self.nodes {
            if let NetOp::Const(numbers) = &node.op {
                node.integer = numbers.are_integers();
            }
        }
        for i in 0..self.nodes.len() {
            if !matches!(self.nodes[i].op, NetOp::Const(_) | NetOp::Input) {
                self.nodes[i].integer = self.stays_integer(&self.nodes[i].op);
            }
        }
    }

    /// Returns true if an operand shows integers.
    pub(crate) fn is_integer(&self, o: &Operand) -> bool {
        self.nodes[o.value].integer
    }

    pub(super) fn stays_integer(&self, op: &NetOp) -> bool {
        let whole = |v: f64| v.fract() == 0.0 && v.abs() <= EXACT;
        let own = match op {
            NetOp::ArgMax { .. } | NetOp::Floor { .. } | NetOp::Round { .. } => return true,
            NetOp::Quotient { .. } => return true,
            NetOp::Table { values, .. } => return values.iter().all(|v| whole(*v)),
            NetOp::Input | NetOp::Const(_) | NetOp::Apply { .. } | NetOp::Divide { .. } => false,
            NetOp::Trees { .. } => false,
            NetOp::Contract(c) => c.addend.as_ref().is_none_or(Numbers::are_integers),
            NetOp::Affine { scale, shift, .. } => scale.are_integers() && shift.are_integers(),
            NetOp::Sum { terms, constant } => whole(*constant) && terms.iter().all(|(c, _)| whole(*c)),
            NetOp::Max { b: Side::Constant(c), .. } => whole(*c),
            NetOp::Product { .. } | NetOp::Max { .. } | NetOp::Join { .. } => true,
        };
        own && op.operands().iter().all(|o| self.is_integer(o))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_stay_integers_until_something_makes_fractions() {
        let mut net = Net::default();
        let x = net.push("x", NetOp::Input, &[2]);
        net.nodes[x.value].integer = true;
        let doubled = net.sum("doubled", vec![(2.0, x.clone())], 1.0);
        let halved = net.sum("halved", vec![(0.5, x.clone())], 0.0);
        let floored = net.push("floored", NetOp::Floor { x: halved.clone() }, &[2]);
        let third = net.push_const("third", Numbers::public(vec![1.0 / 3.0; 2]), &[2]);
        let product = net.push("product", NetOp::Product { a: doubled.clone(), b: third.clone() }, &[2]);
        net.mark_integers();
        let integer = [&x, &doubled, &halved, &floored, &third, &product].map(|o| net.is_integer(o));
        assert_eq!(integer, [true, true, false, true, false, false]);
        assert!(!Numbers::private(vec![1.0], "w").are_integers());
    }
}
