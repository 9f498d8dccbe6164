//! What a system of the protocol says of given vectors, element by element and without any sumcheck: for tests.

use ff::Field;
use halo2curves::bn256::Fr;
use zkml_curve::scalar_from_word;
use zkml_protocol::sumcheck::{Affine, Form, Index, Linear, Source, System, Term, Weight};

use crate::{field::from_i64, layout::Layout, prover::Witness};

fn scalar(w: &zkml_protocol::Word) -> Fr {
    scalar_from_word(w).expect("canonical")
}

/// All values of indices, the last fastest.
fn all_values(indices: &[Index]) -> Vec<Vec<u64>> {
    indices.iter().fold(vec![vec![]], |all, index| {
        all.iter()
            .flat_map(|v: &Vec<u64>| (0..index.extent).map(move |i| [v.clone(), vec![i]].concat()))
            .collect()
    })
}

fn term_at(term: &Term, values: &[u64], vector: &dyn Fn(Source, usize) -> Fr) -> Fr {
    let mut address = 0usize;
    for axis in &term.axes {
        let at =
            axis.offset + axis.steps.iter().map(|s| s.stride * values[s.index as usize] as i64).sum::<i64>();
        if at < 0 || at as u64 >= axis.bound {
            return Fr::ZERO;
        }
        address += (at as usize) << axis.bit;
    }
    let cell =
        |(base, w): &(u64, zkml_protocol::Word)| scalar(w) * vector(term.source, *base as usize + address);
    term.cells.iter().map(cell).sum()
}

fn form_at(form: &Form, values: &[u64], vector: &dyn Fn(Source, usize) -> Fr) -> Fr {
    form.0.iter().map(|t| term_at(t, values, vector)).sum()
}

fn affine_at(form: &Affine, columns: &[Fr]) -> Fr {
    form.terms.iter().fold(scalar(&form.constant), |acc, (c, w)| acc + scalar(w) * columns[*c as usize])
}

/// The first thing that does not hold.
pub(crate) fn violation(layout: &Layout, witness: &Witness) -> Option<String> {
    let system = &layout.system;
    let first = witness.grid.len().next_multiple_of(1 << system.table.bits) + (1 << system.table.bits);
    let mut cells: Vec<Fr> = witness.grid.iter().map(|v| from_i64(*v)).collect();
    witness.wide.iter().for_each(|(at, v)| cells[*at] = *v);
    let vector = |source: Source, at: usize| match source {
        Source::One => Fr::ONE,
        Source::Witness if at < cells.len() => cells[at],
        Source::Witness => from_i64(witness.loose[at - first]),
        Source::Private => witness.private.as_ref().map_or(Fr::ZERO, |p| p.values()[at]),
        _ => layout.weights.get(at).expect("a cell"),
    };
    rows(system, layout, &cells)
        .or_else(|| contractions(system, &vector))
        .or_else(|| linears(system, &vector))
}

fn contractions(system: &System, vector: &dyn Fn(Source, usize) -> Fr) -> Option<String> {
    for (i, c) in system.contractions.iter().enumerate() {
        let outer: Vec<Index> = c.free.iter().chain(&c.batch).copied().collect();
        for values in all_values(&outer) {
            let product = |inner: Vec<u64>| {
                let all = [values.clone(), inner].concat();
                form_at(&c.a, &all, vector) * form_at(&c.b, &all, vector)
            };
            let sum: Fr = all_values(&c.sum).into_iter().map(product).sum();
            if sum != form_at(&c.y, &values, vector) {
                return Some(format!("contraction {i} at {values:?}"));
            }
        }
    }
    None
}

fn linears(system: &System, vector: &dyn Fn(Source, usize) -> Fr) -> Option<String> {
    let plain = |l: &&Linear| l.instances.is_none() && l.indices.iter().all(|i| i.weight == Weight::Random);
    system.linears.iter().filter(plain).find_map(|l| {
        let values = all_values(&l.indices).into_iter().find(|v| form_at(&l.form, v, vector) != Fr::ZERO)?;
        Some(format!("linear relation at {values:?}: {:?}", l.form))
    })
}

fn rows(system: &System, layout: &Layout, cells: &[Fr]) -> Option<String> {
    let rows = 1usize << system.row_bits;
    for (t, template) in system.templates.iter().enumerate() {
        for row in template.segments.iter().flat_map(|s| s.start..s.start + (1 << s.bits)) {
            let columns: Vec<Fr> =
                (0..system.columns as usize).map(|c| cells[c * rows + row as usize]).collect();
            for (i, lookup) in template.lookups.iter().enumerate() {
                let key = affine_at(&lookup.key, &columns);
                let found = system.table.segments.iter().filter(|s| s.tag == lookup.tag).any(|s| {
                    (0..1u64 << s.rows.bits).any(|o| {
                        from_i64(s.first_key + o as i64) == key
                            && lookup.outputs.iter().zip(&system.table.outputs).all(|(out, base)| {
                                Some(affine_at(out, &columns))
                                    == layout.weights.get((base + s.rows.start + o) as usize)
                            })
                    })
                });
                if !found {
                    return Some(format!("template {t}, row {row}, lookup {i}: {lookup:?} at {columns:?}"));
                }
            }
            for (i, gate) in template.gates.iter().enumerate() {
                let product = |m: &zkml_protocol::sumcheck::Monomial| {
                    m.columns.iter().fold(scalar(&m.coefficient), |acc, c| acc * columns[*c as usize])
                };
                if gate.0.iter().map(product).sum::<Fr>() != Fr::ZERO {
                    return Some(format!("template {t}, row {row}, gate {i}"));
                }
            }
        }
    }
    None
}
