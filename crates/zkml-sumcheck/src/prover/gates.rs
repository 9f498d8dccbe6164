//! Templates with their coefficients as field elements, folded by the challenges.

use ff::Field;
use halo2curves::bn256::Fr;
use zkml_curve::scalar_from_word;
use zkml_lanes::Lanes;
use zkml_protocol::{
    Word,
    sumcheck::{Batch, Lookup, System, Template},
};

/// A sum of columns and a constant.
struct Sum<L: Lanes> {
    constant: L::Scalar,
    plus: Vec<usize>,
    minus: Vec<usize>,
    scaled: Vec<(usize, L::Scalar)>,
}

impl<L: Lanes> Sum<L> {
    fn new(lanes: L, constant: Fr, terms: &[(usize, Fr)]) -> Self {
        let (one, minus_one) = (Fr::ONE, -Fr::ONE);
        let with = |factor: Fr| terms.iter().filter(move |t| t.1 == factor).map(|t| t.0).collect();
        let others = terms.iter().filter(|t| t.1 != one && t.1 != minus_one);
        Self {
            constant: lanes.scalar(&constant),
            plus: with(one),
            minus: with(minus_one),
            scaled: others.map(|(column, factor)| (*column, lanes.scalar(factor))).collect(),
        }
    }

    /// The sum without its constant.
    #[inline(always)]
    fn linear(&self, lanes: L, columns: &[L::Element]) -> L::Element {
        let mut sum = lanes.zero();
        for column in &self.plus {
            sum = lanes.add(&sum, &columns[*column]);
        }
        for column in &self.minus {
            sum = lanes.sub(&sum, &columns[*column]);
        }
        for (column, factor) in &self.scaled {
            sum = lanes.add(&sum, &lanes.scale(&columns[*column], factor));
        }
        sum
    }

    #[inline(always)]
    fn at(&self, lanes: L, columns: &[L::Element]) -> L::Element {
        lanes.add(&self.linear(lanes, columns), &lanes.all(&self.constant))
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

    /// `β − fp`, for a lookup's key, outputs and tag.
    fn denominator<L: Lanes>(&self, lanes: L, lookup: &Lookup, outputs: usize) -> Sum<L> {
        let mut constant = self.beta - self.tag_weight(outputs) * Fr::from(lookup.tag);
        let mut terms = Vec::new();
        let mut power = Fr::ONE;
        for form in std::iter::once(&lookup.key).chain(&lookup.outputs) {
            constant -= power * scalar(&form.constant);
            terms.extend(form.terms.iter().map(|(c, w)| (*c as usize, -power * scalar(w))));
            power *= self.theta;
        }
        Sum::new(lanes, constant, &terms)
    }
}

fn scalar(word: &Word) -> Fr {
    scalar_from_word(word).unwrap_or(Fr::ZERO)
}

/// Lookups whose fractions share a helper.
struct Group<L: Lanes> {
    weight: L::Scalar,
    /// `β − fp` of each lookup.
    denominators: Vec<Sum<L>>,
}

/// A product of columns.
struct Monomial<L: Lanes> {
    weight: L::Scalar,
    /// Places among [`TemplateGates::columns`].
    factors: Vec<usize>,
}

/// Everything that holds in the rows of a template.
pub(crate) struct TemplateGates<L: Lanes> {
    groups: Vec<Group<L>>,
    /// Monomials of all gates, each with its weight.
    monomials: Vec<Monomial<L>>,
    /// Columns of the monomials.
    columns: Vec<usize>,
    /// Number of lookups.
    lookups: usize,
    one: L::Scalar,
}

impl<L: Lanes> TemplateGates<L> {
    /// Folds a template.
    pub(crate) fn new(lanes: L, system: &System, template: &Template, folding: &Folding) -> Self {
        let outputs = system.table.outputs.len();
        let size = system.lookups_per_helper as usize;
        let groups = template.lookups.chunks(size).zip(&folding.gamma).map(|(lookups, weight)| Group {
            weight: lanes.scalar(weight),
            denominators: lookups.iter().map(|l| folding.denominator(lanes, l, outputs)).collect(),
        });
        let mut columns: Vec<usize> = Vec::new();
        let mut place = |column: &u32| {
            let column = *column as usize;
            columns.iter().position(|c| *c == column).unwrap_or_else(|| {
                columns.push(column);
                columns.len() - 1
            })
        };
        let mut monomials = Vec::new();
        for (gate, weight) in template.gates.iter().zip(&folding.gamma[folding.batch.gates as usize..]) {
            for m in &gate.0 {
                let weight = lanes.scalar(&(*weight * scalar(&m.coefficient)));
                monomials.push(Monomial { weight, factors: m.columns.iter().map(&mut place).collect() });
            }
        }
        let one = lanes.scalar(&Fr::ONE);
        Self { groups: groups.collect(), monomials, columns, lookups: template.lookups.len(), one }
    }

    /// Number of groups of lookups.
    pub(crate) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Adds to the lists of all groups the sums of fractions of a row.
    #[inline(always)]
    pub(crate) fn group_sums(&self, lanes: L, fractions: &[L::Element], sums: &mut [Vec<L::Element>]) {
        let mut at = 0;
        for (group, sums) in self.groups.iter().zip(sums) {
            let mut sum = lanes.zero();
            for fraction in &fractions[at..at + group.denominators.len()] {
                sum = lanes.add(&sum, fraction);
            }
            at += group.denominators.len();
            sums.push(sum);
        }
    }

    /// `β − fp` of every lookup at one row or point, group by group.
    #[inline(always)]
    pub(crate) fn denominators(&self, lanes: L, columns: &[L::Element], out: &mut Vec<L::Element>) {
        for group in &self.groups {
            for denominator in &group.denominators {
                out.push(denominator.at(lanes, columns));
            }
        }
    }

    /// How denominators grow along a line, for columns that grow so.
    #[inline(always)]
    pub(crate) fn slopes(&self, lanes: L, columns: &[L::Element], out: &mut Vec<L::Element>) {
        for group in &self.groups {
            for denominator in &group.denominators {
                out.push(denominator.linear(lanes, columns));
            }
        }
    }

    /// The helpers and columns that [`Self::combined`] takes after denominators.
    #[inline(always)]
    pub(crate) fn others(&self, columns: &[L::Element], helpers: &[L::Element], out: &mut Vec<L::Element>) {
        out.extend_from_slice(&helpers[..self.groups.len()]);
        for column in &self.columns {
            out.push(columns[*column]);
        }
    }

    /// `Σ_g γ^g (H Π d − Σ Π d) + Σ γ^· gates`, from denominators, helpers and columns.
    #[inline(always)]
    pub(crate) fn combined(&self, lanes: L, values: &[L::Element]) -> L::Element {
        let (denominators, others) = values.split_at(self.lookups);
        let (helpers, columns) = others.split_at(self.groups.len());
        let mut sum = lanes.products();
        let mut at = 0;
        for (group, helper) in self.groups.iter().zip(helpers) {
            let own = &denominators[at..at + group.denominators.len()];
            at += own.len();
            let value = match own {
                [] => lanes.zero(),
                [d] => lanes.sub(&lanes.mul(helper, d), &lanes.all(&self.one)),
                [first, second, rest @ ..] => {
                    let mut product = lanes.mul(first, second);
                    let mut others = lanes.add(first, second);
                    for d in rest {
                        others = lanes.add(&lanes.mul(&others, d), &product);
                        product = lanes.mul(&product, d);
                    }
                    lanes.sub(&lanes.mul(helper, &product), &others)
                }
            };
            lanes.add_product(&mut sum, &value, &lanes.all(&group.weight));
        }
        for monomial in &self.monomials {
            let weight = lanes.all(&monomial.weight);
            match monomial.factors.as_slice() {
                [] => lanes.add_product(&mut sum, &weight, &lanes.all(&self.one)),
                [only] => lanes.add_product(&mut sum, &weight, &columns[*only]),
                [first, rest @ ..] => {
                    let mut product = columns[*first];
                    for column in rest {
                        product = lanes.mul(&product, &columns[*column]);
                    }
                    lanes.add_product(&mut sum, &weight, &product);
                }
            }
        }
        lanes.sum(&sum)
    }
}
