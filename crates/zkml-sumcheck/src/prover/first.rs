//! The first sumcheck.

use ff::Field;
use halo2curves::bn256::Fr;
use std::ops::Range;
use zkml_lanes::Lanes;
use zkml_protocol::sumcheck::{Batch, Challenge, Evaluated, Evaluation, Index, SlotId, Source, Term};

use super::{
    Entered, ProvingKey, Vectors,
    fractions::{table_outputs, table_prints},
    gates::Folding,
    items::{Item, Libra, Masked, Product, TableItem},
    rows::Rows,
    writer::Writer,
};
use crate::{
    error::{Error, Result},
    field::{eq_table, half_power, horner, interpolate, powers},
    functional::index_weights,
    tensor::{Kept, add_tensor},
};

/// `θ` and `β`; `γ` comes later.
pub(super) fn folding(key: &ProvingKey, writer: &Writer<'_>) -> Result<Folding> {
    Ok(Folding {
        theta: writer.challenge(Challenge::Theta)?,
        beta: writer.challenge(Challenge::Beta)?,
        // Enough for gates to be folded with something before `γ` is known.
        gamma: vec![Fr::ONE; count(key)],
        batch: Batch::of(&key.program.system),
    })
}

/// Number of powers of `γ`.
fn count(key: &ProvingKey) -> usize {
    let system = &key.program.system;
    Batch::of(system).contractions as usize + system.contractions.len()
}

/// Rounds and evaluations of the first sumcheck.
pub(super) fn prove<L: Lanes>(
    lanes: L,
    key: &ProvingKey,
    vectors: &Vectors<'_>,
    entered: &Entered<'_, L>,
    folding: Folding,
    writer: &mut Writer<'_>,
) -> Result<()> {
    let shape = &key.shape;
    let folding = Folding { gamma: powers(writer.challenge(Challenge::Gamma)?, count(key)), ..folding };
    let (mut rows, mut table, mut products) = items(lanes, key, vectors, entered, &folding, writer)?;
    let mut libra = Libra::new(&shape.mask_terms, vectors.masks, shape.first_variables);
    let totals: Vec<Fr> = all(&rows, &table, &products).map(Item::total).collect();
    writer.scalars(SlotId::Sum, &[totals.iter().sum::<Fr>() + libra.total()])?;
    let n = shape.first_variables;
    for (v, degree) in shape.degrees.iter().enumerate().rev() {
        let v = v as u32;
        let mut values = libra.round(v, *degree);
        // Rows are the first item.
        let mut of_rows = None;
        for (item, total) in all(&rows, &table, &products).zip(&totals) {
            let k = item.variables();
            if v >= k {
                let constant = *total * half_power(n - v);
                values.iter_mut().for_each(|y| *y += constant);
            } else {
                let scale = half_power(n - k);
                let own = item.round(v, *degree);
                values.iter_mut().zip(&own).for_each(|(y, own)| *y += scale * own);
                of_rows.get_or_insert(own);
            }
        }
        let mut sent = interpolate(&values);
        sent.remove(1);
        writer.scalars(SlotId::First(v), &sent)?;
        let r = writer.challenge(Challenge::First(v))?;
        libra.bind(v, r);
        if let Some(own) = of_rows.filter(|_| v < rows.variables()) {
            rows.claim = horner(&interpolate(&own), r);
        }
        let products = products.iter_mut().map(|p| p as &mut dyn Item);
        let items = [&mut rows as &mut dyn Item, &mut table].into_iter().chain(products);
        items.filter(|item| v < item.variables()).for_each(|item| item.bind(r));
    }
    let r = writer.challenge(Challenge::First(0))?;
    let mut values = rows.values(r);
    values.extend([table.multiplicity.value(r), table.helper.value(r)]);
    values.extend(table.outputs.iter().map(|(_, t)| t[0]));
    values.extend(products.iter().flat_map(|p| &p.operands).map(|t| t.value(r)));
    writer.scalars(SlotId::Evaluations, &values)
}

fn all<'a, L: Lanes>(
    rows: &'a Rows<'_, L>,
    table: &'a TableItem,
    products: &'a [Product],
) -> impl Iterator<Item = &'a dyn Item> {
    let products = products.iter().map(|p| p as &dyn Item);
    [rows as &dyn Item, table].into_iter().chain(products)
}

fn items<'a, L: Lanes>(
    lanes: L,
    key: &ProvingKey,
    vectors: &Vectors<'_>,
    entered: &'a Entered<'a, L>,
    folding: &Folding,
    writer: &Writer<'_>,
) -> Result<(Rows<'a, L>, TableItem, Vec<Product>)> {
    let (system, shape) = (&key.program.system, &key.shape);
    let tau = writer.vector(system.tau_length(), Challenge::Tau)?;
    let masked = |e: &Evaluation| Masked { table: cut(vectors, e), mask: mask(vectors, e) };
    let find = |of: Evaluated| shape.evaluations.iter().find(|e| e.of == of).map(masked);
    let defect = || Error::Defect("an evaluation is missing".into());
    let in_rows = |e: &&Evaluation| matches!(e.of, Evaluated::Column(_) | Evaluated::Helper(_));
    let evaluations = shape.evaluations.iter().filter(in_rows);
    let tables = evaluations.map(|e| (entered.cut(lanes, vectors, cells(e)), mask(vectors, e)));
    let (tables, masks) = tables.unzip();
    let rows = Rows::new(lanes, system, tables, masks, folding, &tau);
    let (table, sums) = (folding.batch.table as usize, folding.batch.sums as usize);
    let table = TableItem {
        eq: eq_table(&tau[..system.table.bits as usize]),
        helper: find(Evaluated::TableHelper).ok_or_else(defect)?,
        multiplicity: find(Evaluated::Multiplicity).ok_or_else(defect)?,
        denominator: table_prints(key, folding).into_iter().map(|p| folding.beta - p).collect(),
        outputs: table_outputs(key, folding),
        weights: (folding.gamma[table], folding.gamma[sums]),
        variables: system.table.bits,
    };
    let r = writer.vector(shape.point_length, Challenge::Relation)?;
    let products =
        (0..system.contractions.len()).map(|i| product(lanes, key, (vectors, entered), folding, &r, i));
    Ok((rows, table, products.collect()))
}

/// The cells that an evaluation of rows or of the table reads.
fn cells(e: &Evaluation) -> (Source, Range<usize>) {
    let Some(term) = e.form.0.first() else { return (Source::One, 0..0) };
    let bits = term.axes.first().map_or(0, |a| a.bits);
    let base = term.cells.first().map_or(0, |(base, _)| *base as usize);
    (term.source, base..base + (1 << bits))
}

fn cut(vectors: &Vectors<'_>, e: &Evaluation) -> Vec<Fr> {
    let (source, cells) = cells(e);
    vectors.of(source).map_or_else(Vec::new, |v| v.part(cells))
}

fn mask(vectors: &Vectors<'_>, e: &Evaluation) -> Fr {
    e.mask.map_or(Fr::ZERO, |at| vectors.masks[at as usize])
}

/// The bits of the indices that a term does not have: it is constant along those, beyond their extents as well.
fn absent(term: &Term, indices: &[Index], kept: &[Kept<'_>]) -> usize {
    let steps = || term.axes.iter().flat_map(|a| &a.steps).map(|s| s.index);
    let has = |i: usize| term.broadcast.iter().copied().chain(steps()).any(|own| own as usize == i);
    let bits = |i: usize| match kept[i] {
        Kept::Bit(place) if !has(i) => ((1 << indices[i].bits()) - 1) << place,
        _ => 0,
    };
    (0..indices.len()).map(bits).sum()
}

/// The item of a contraction: its operands summed over their free indices.
fn product<L: Lanes>(
    lanes: L,
    key: &ProvingKey,
    (vectors, entered): (&Vectors<'_>, &Entered<'_, L>),
    folding: &Folding,
    r: &[Fr],
    number: usize,
) -> Product {
    let c = &key.program.system.contractions[number];
    let indices = c.indices();
    let outer = c.free.len() + c.batch.len();
    // Points of free indices and of the batch, one after the other along `r`.
    let mut at = 0;
    let mut weights = Vec::new();
    let mut batch_point = Vec::new();
    for (i, index) in indices[..outer].iter().enumerate() {
        let point = &r[at..at + index.bits() as usize];
        at += point.len();
        if i >= c.free.len() {
            batch_point.extend_from_slice(point);
        }
        let pairs: Vec<(Fr, Fr)> = point.iter().map(|x| (Fr::ONE - x, *x)).collect();
        weights.push(index_weights(index, &pairs));
    }
    let mut bit = 0;
    let mut places = vec![0; indices.len()];
    for i in (outer..indices.len()).chain(c.free.len()..outer) {
        places[i] = bit;
        bit += indices[i].bits();
    }
    let kept: Vec<Kept<'_>> = (0..indices.len())
        .map(|i| if i < c.free.len() { Kept::Summed(&weights[i]) } else { Kept::Bit(places[i]) })
        .collect();
    let sides = [Evaluated::Left(number as u32), Evaluated::Right(number as u32)];
    let operands = sides.map(|side| {
        let evaluation = key.shape.evaluations.iter().find(|e| e.of == side);
        let mut table = vec![Fr::ZERO; 1 << c.variables()];
        let form = if matches!(side, Evaluated::Left(_)) { &c.a } else { &c.b };
        for term in &form.0 {
            let cells = (vectors.of(term.source), entered.of(term.source));
            let constant = absent(term, &indices, &kept);
            if constant == 0 {
                add_tensor(lanes, &mut table, cells, term, &indices, &kept);
                continue;
            }
            let mut own = vec![Fr::ZERO; table.len()];
            add_tensor(lanes, &mut own, cells, term, &indices, &kept);
            table.iter_mut().enumerate().for_each(|(x, value)| *value += own[x & !constant]);
        }
        Masked { table, mask: evaluation.map_or(Fr::ZERO, |e| mask(vectors, e)) }
    });
    let eq = (!batch_point.is_empty()).then(|| {
        let high = eq_table(&batch_point);
        high.iter().flat_map(|e| std::iter::repeat_n(*e, 1 << c.sum_bits())).collect()
    });
    let weight = folding.gamma[folding.batch.contractions as usize + number];
    Product { operands, eq, weight, variables: c.variables() }
}
