//! The vector `H`: sums of the fractions `1 / (β − fp)` of lookups, and the fractions of the table.

use ff::Field;
use halo2curves::bn256::Fr;
use rayon::prelude::*;
use std::ops::Range;
use zkml_lanes::{Kernel, Lanes, Portable, left};
use zkml_protocol::sumcheck::Segment;

use super::{
    Masks, ProvingKey,
    gates::{Folding, TemplateGates},
};
use crate::{
    error::{Error, Result},
    field::{batch_invert, from_i64, powers},
};

/// Elements whose fractions share an inversion.
const CHUNK: usize = 32;

/// Key and tag of every row of the table, folded.
pub(super) fn table_prints(key: &ProvingKey, folding: &Folding) -> Vec<Fr> {
    let table = &key.program.system.table;
    let mut out = vec![Fr::ZERO; 1 << table.bits];
    for s in &table.segments {
        let tag = folding.tag_weight(table.outputs.len()) * Fr::from(s.tag);
        for offset in 0..1usize << s.rows.bits {
            out[s.rows.start as usize + offset] = from_i64(s.first_key) + Fr::from(offset as u64) + tag;
        }
    }
    out
}

/// The outputs of the table, each with its power of `θ`.
pub(super) fn table_outputs(key: &ProvingKey, folding: &Folding) -> Vec<(Fr, Vec<Fr>)> {
    let table = &key.program.system.table;
    let weights = powers(folding.theta, table.outputs.len() + 1);
    let column = |base: &u64| key.weights.cells(*base as usize..*base as usize + (1 << table.bits));
    weights.into_iter().skip(1).zip(table.outputs.iter().map(column)).collect()
}

/// `β − fp` of every row of the table, outputs included.
fn table_denominators(key: &ProvingKey, folding: &Folding) -> Vec<Fr> {
    let mut out: Vec<Fr> = table_prints(key, folding).into_iter().map(|p| folding.beta - p).collect();
    for (weight, column) in table_outputs(key, folding) {
        out.iter_mut().zip(column).for_each(|(d, o)| *d -= weight * o);
    }
    out
}

/// `H`: sums of fractions for each group of lookups, fractions of the table, one random cell. `entered` is the witness in lanes.
pub(super) fn helpers<L: Lanes>(
    lanes: L,
    key: &ProvingKey,
    folding: &Folding,
    (witness, entered): (&[Fr], &[L::Element]),
    masks: &Masks,
) -> Result<Vec<Fr>> {
    let (system, shape) = (&key.program.system, &key.shape);
    let rows = 1usize << system.row_bits;
    let mut out = vec![Fr::ZERO; (key.program.opening.length() as usize) * shape.parts[1] as usize];
    // Elements of a segment are of one template, unless it is shorter than they are.
    let narrow: Vec<&[Fr]> = witness.chunks(rows).take(system.columns as usize).collect();
    let wide: Vec<&[L::Element]> = match rows / L::WIDTH {
        0 => vec![],
        elements => entered.chunks(elements).take(system.columns as usize).collect(),
    };
    for template in &system.templates {
        let wide_gates = TemplateGates::new(lanes, system, template, folding);
        let narrow_gates = TemplateGates::new(Portable, system, template, folding);
        for segment in &template.segments {
            let groups = if 1usize << segment.bits >= L::WIDTH {
                of_segment(lanes, &wide_gates, &wide, segment)?
            } else {
                of_segment(Portable, &narrow_gates, &narrow, segment)?
            };
            for (column, group) in out.chunks_mut(rows).zip(groups) {
                column[segment.start as usize..][..group.len()].copy_from_slice(&group);
            }
        }
    }
    let mut fractions = table_denominators(key, folding);
    batch_invert(&mut fractions).ok_or(Error::Unlucky)?;
    for (i, fraction) in fractions.iter().enumerate() {
        out[shape.table_helper as usize + i] = witness[shape.multiplicities as usize + i] * fraction;
    }
    out[shape.helper_mask as usize] = masks.helper;
    Ok(out)
}

/// For each group of lookups, sums of fractions in the rows of a segment.
fn of_segment<L: Lanes>(
    lanes: L,
    gates: &TemplateGates<L>,
    columns: &[&[L::Element]],
    segment: &Segment,
) -> Result<Vec<Vec<Fr>>> {
    let (start, end) =
        (segment.start as usize / L::WIDTH, (segment.start as usize + (1 << segment.bits)) / L::WIDTH);
    if gates.groups() == 0 {
        return Ok(vec![]);
    }
    let chunks = (start..end).into_par_iter().step_by(CHUNK);
    let one = |from: usize| lanes.run(Fractions { gates, columns, elements: from..(from + CHUNK).min(end) });
    let chunks = chunks.map(one).collect::<Option<Vec<Vec<Vec<Fr>>>>>().ok_or(Error::Unlucky)?;
    let mut out: Vec<Vec<Fr>> = vec![Vec::with_capacity(1 << segment.bits); gates.groups()];
    for chunk in chunks {
        out.iter_mut().zip(chunk).for_each(|(out, group)| out.extend(group));
    }
    Ok(out)
}

struct Fractions<'a, L: Lanes> {
    gates: &'a TemplateGates<L>,
    columns: &'a [&'a [L::Element]],
    elements: Range<usize>,
}

impl<L: Lanes> Kernel<L> for Fractions<'_, L> {
    /// For each group, a sum of fractions for each row; nothing if a denominator is zero.
    type Output = Option<Vec<Vec<Fr>>>;

    #[inline(always)]
    fn run(self, lanes: L) -> Self::Output {
        let count = self.elements.len();
        let mut row = vec![lanes.zero(); self.columns.len()];
        let mut fractions = Vec::new();
        for x in self.elements {
            for (cell, column) in row.iter_mut().zip(self.columns) {
                *cell = column[x];
            }
            self.gates.denominators(lanes, &row, &mut fractions);
        }
        invert(lanes, &mut fractions)?;
        let mut sums = vec![Vec::with_capacity(count); self.gates.groups()];
        for fractions in fractions.chunks(fractions.len() / count) {
            self.gates.group_sums(lanes, fractions, &mut sums);
        }
        Some(sums.iter().map(|group| left(lanes, group, count * L::WIDTH)).collect())
    }
}

/// Inverts all elements with one inversion for each lane; nothing if one of them is zero.
#[inline(always)]
fn invert<L: Lanes>(lanes: L, elements: &mut [L::Element]) -> Option<()> {
    let mut before = Vec::with_capacity(elements.len());
    let mut product = lanes.all(&lanes.scalar(&Fr::ONE));
    for element in &*elements {
        before.push(product);
        product = lanes.mul(&product, element);
    }
    let mut all = left(lanes, &[product], L::WIDTH);
    batch_invert(&mut all)?;
    let mut inverse = lanes.load(&all);
    for (element, before) in elements.iter_mut().zip(&before).rev() {
        let own = lanes.mul(&inverse, before);
        inverse = lanes.mul(&inverse, element);
        *element = own;
    }
    Some(())
}
