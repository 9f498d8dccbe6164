//! Sums and factors in front of a rounding, as one sum.
//!
//! Each of them alone would be rounded to what its readers need. Where the next step is to round to integers, such an error decides on which
//! side of a half a number lies.

use zkml_graph::Map;

use super::{Net, NetOp, Numbers, Operand};

impl Net {
    /// The operand as one sum over values that are no sums themselves, or as it is where that is what it is already. What is private
    /// stays where it is.
    pub(crate) fn gathered(&mut self, name: &str, o: &Operand) -> Operand {
        let mut sum = Gathered { terms: Vec::new(), constant: 0.0, shape: o.map.shape.clone() };
        self.gather(name, o, 1.0, &mut sum);
        sum.terms.iter_mut().for_each(|(factor, _)| *factor = as_float(*factor));
        if let [(1.0, only)] = sum.terms.as_slice()
            && sum.constant == 0.0
        {
            return only.clone();
        }
        if sum.terms.is_empty() { o.clone() } else { self.sum(name, sum.terms, sum.constant) }
    }

    /// Adds `factor · o` to a sum.
    fn gather(&mut self, name: &str, o: &Operand, factor: f64, sum: &mut Gathered) {
        let whole = o.map.pad.is_none() && o.map.is_identity();
        match self.nodes[o.value].op.clone() {
            NetOp::Sum { terms, constant } if whole => {
                terms.iter().for_each(|(c, inner)| self.gather(name, inner, c * factor, sum));
                sum.constant += constant * factor;
            }
            NetOp::Affine { x, scale, shift } if whole && !(scale.is_private() || shift.is_private()) => {
                self.gather_affine(name, &x, [&scale, &shift], factor, sum);
            }
            _ => self.take(name, o, factor, sum),
        }
    }

    /// Adds `factor · (scale · x + shift)` to a sum.
    fn gather_affine(
        &mut self,
        name: &str,
        x: &Operand,
        [scale, shift]: [&Numbers; 2],
        factor: f64,
        sum: &mut Gathered,
    ) {
        if let (Some(c), Some(t)) = (scale.uniform(), shift.uniform()) {
            sum.constant += t * factor;
            return self.gather(name, x, c * factor, sum);
        }
        let [scale, shift] = [scale.each(|v| as_float(v * factor)), shift.each(|v| v * factor)];
        let shape = x.map.shape.clone();
        let one = self.push(&format!("{name}.term"), NetOp::Affine { x: x.clone(), scale, shift }, &shape);
        self.take(name, &one, 1.0, sum);
    }

    /// Another shape of the same elements makes no difference.
    fn take(&mut self, name: &str, o: &Operand, factor: f64, sum: &mut Gathered) {
        let whole = Map::identity(&sum.shape);
        let shown = if o.map.shape == sum.shape { o.clone() } else { self.view(name, o, &whole) };
        sum.terms.push((factor, shown));
    }
}

/// A factor with the 24 significant bits that floats have: there is room for all of them, so that none is rounded again when it meets
/// numbers close to a half.
fn as_float(factor: f64) -> f64 {
    let float = f64::from(factor as f32);
    if float.is_normal() { float } else { factor }
}

/// A sum that grows.
struct Gathered {
    terms: Vec<(f64, Operand)>,
    constant: f64,
    shape: Vec<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_of_sums_and_factors_become_one_sum() {
        let mut net = Net::default();
        let [x, y] = ["x", "y"].map(|name| net.push(name, NetOp::Input, &[2]));
        let affine = |net: &mut Net, x: &Operand, scale: [f64; 2], shift: [f64; 2]| {
            let [scale, shift] = [scale, shift].map(|n| Numbers::public(n.to_vec()));
            net.push("affine", NetOp::Affine { x: x.clone(), scale, shift }, &[2])
        };
        let even = affine(&mut net, &x, [0.5, 0.5], [3.0, 3.0]);
        let odd = affine(&mut net, &y, [0.5, 0.25], [0.0, 1.0]);
        let both = net.sum("both", vec![(2.0, even), (4.0, odd)], 1.0);
        let gathered = net.gathered("all", &both);
        let NetOp::Sum { terms, constant } = &net.nodes[gathered.value].op else { panic!("a sum") };
        assert_eq!((terms.len(), terms[0].0, terms[0].1.value, *constant), (2, 1.0, x.value, 7.0));
        let NetOp::Affine { x: inner, scale, shift } = &net.nodes[terms[1].1.value].op else {
            panic!("affine")
        };
        assert_eq!((inner.value, terms[1].0), (y.value, 1.0));
        assert_eq!((scale.values(), shift.values()), (&[2.0, 1.0][..], &[0.0, 4.0][..]));
        assert_eq!(net.gathered("same", &x).value, x.value);
        let tall = net.view("tall", &both, &Map::identity(&[2, 1]));
        let gathered = net.gathered("all", &tall);
        assert_eq!((gathered.map.shape, net.nodes[gathered.value].op.operands().len()), (vec![2, 1], 2));
    }

    #[test]
    fn factors_are_those_of_floats() {
        assert_eq!(as_float(1.0 / 3.0), f64::from(1.0f32 / 3.0));
        assert_eq!(as_float(63.75), 63.75);
        assert_eq!(as_float(1e-60), 1e-60, "no float");
    }

    #[test]
    fn private_factors_stay_where_they_are() {
        let mut net = Net::default();
        let x = net.push("x", NetOp::Input, &[1]);
        let (scale, shift) = (Numbers::private(vec![0.5], "w"), Numbers::public(vec![0.0]));
        let y = net.push("y", NetOp::Affine { x, scale, shift }, &[1]);
        assert_eq!(net.gathered("all", &y).value, y.value);
    }
}
