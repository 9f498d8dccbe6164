//! Templates with their coefficients as field elements, folded by the challenges.

use ff::Field;
use halo2curves::bn256::Fr;
use zkml_curve::scalar_from_word;
use zkml_protocol::sumcheck::{Affine, Batch, Lookup, System, Template};

/// A sum of columns and a constant.
#[derive(Clone, Default)]
struct Sum {
    constant: Fr,
    plain: Vec<usize>,
    scaled: Vec<(usize, Fr)>,
}

impl Sum {
    fn add(&mut self, form: &Affine, factor: Fr) {
        let scalar = |w| scalar_from_word(w).unwrap_or(Fr::ZERO);
        self.constant += factor * scalar(&form.constant);
        for (column, coefficient) in &form.terms {
            let coefficient = factor * scalar(coefficient);
            if coefficient == Fr::ONE {
                self.plain.push(*column as usize);
            } else {
                self.scaled.push((*column as usize, coefficient));
            }
        }
    }

    fn at(&self, columns: &[Fr]) -> Fr {
        let plain = self.plain.iter().fold(self.constant, |acc, c| acc + columns[*c]);
        self.scaled.iter().fold(plain, |acc, (c, w)| acc + columns[*c] * w)
    }
}

/// Challenges of the lookup argument, and the powers of `γ`.
#[derive(Clone, Debug)]
pub(crate) struct Folding {
    pub(crate) theta: Fr,
    pub(crate) beta: Fr,
    pub(crate) gamma: Vec<Fr>,
    pub(crate) batch: Batch,
}

impl Folding {
    /// `θ^(1 + max(outputs, 1))`.
    pub(crate) fn tag_weight(&self, outputs: usize) -> Fr {
        self.theta.pow_vartime([outputs.max(1) as u64 + 1])
    }

    /// Key, outputs and tag as one sum.
    fn fingerprint(&self, lookup: &Lookup, outputs: usize) -> Sum {
        let mut sum = Sum::default();
        sum.add(&lookup.key, Fr::ONE);
        let mut power = Fr::ONE;
        for output in &lookup.outputs {
            power *= self.theta;
            sum.add(output, power);
        }
        sum.constant += self.tag_weight(outputs) * Fr::from(lookup.tag);
        sum
    }
}

/// Everything that holds in the rows of a template.
pub(crate) struct TemplateGates {
    /// For each group: its weight, and the fingerprints of its lookups.
    groups: Vec<(Fr, Vec<Sum>)>,
    /// Monomials of all gates, each with its weight.
    monomials: Vec<(Fr, Vec<usize>)>,
    beta: Fr,
}

impl TemplateGates {
    /// Folds a template.
    pub(crate) fn new(system: &System, template: &Template, folding: &Folding) -> Self {
        let outputs = system.table.outputs.len();
        let size = system.lookups_per_helper as usize;
        let groups = template.lookups.chunks(size).zip(&folding.gamma);
        let groups = groups.map(|(lookups, weight)| {
            (*weight, lookups.iter().map(|l| folding.fingerprint(l, outputs)).collect())
        });
        let mut monomials = Vec::new();
        for (gate, weight) in template.gates.iter().zip(&folding.gamma[folding.batch.gates as usize..]) {
            for m in &gate.0 {
                let coefficient = scalar_from_word(&m.coefficient).unwrap_or(Fr::ZERO);
                monomials.push((*weight * coefficient, m.columns.iter().map(|c| *c as usize).collect()));
            }
        }
        Self { groups: groups.collect(), monomials, beta: folding.beta }
    }

    /// `Σ_g γ^g (H Π d − Σ Π d) + Σ γ^· gates` at one row, or at a point.
    pub(crate) fn at(&self, columns: &[Fr], helpers: &[Fr]) -> Fr {
        let mut sum = Fr::ZERO;
        for ((weight, prints), helper) in self.groups.iter().zip(helpers) {
            let (mut product, mut rest) = (Fr::ONE, Fr::ZERO);
            for (i, print) in prints.iter().enumerate() {
                let d = self.beta - print.at(columns);
                if i == 0 {
                    (product, rest) = (d, Fr::ONE);
                } else {
                    rest = rest * d + product;
                    product *= d;
                }
            }
            sum += *weight * (*helper * product - rest);
        }
        for (weight, factors) in &self.monomials {
            sum += factors.iter().fold(*weight, |acc, c| acc * columns[*c]);
        }
        sum
    }

    /// `β − fp` of every lookup at one row, group by group.
    pub(crate) fn denominators<'a>(&'a self, columns: &'a [Fr]) -> impl Iterator<Item = Fr> + 'a {
        self.groups.iter().flat_map(|(_, prints)| prints).map(move |p| self.beta - p.at(columns))
    }
}
