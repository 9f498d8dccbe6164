//! Exact check of a relation system on given values: what a proof must be able to state, in plain integers.

use crate::{GraphError, Map, Relation, System, Table, View};

/// Why a relation fails at an element: its row-major index and the values involved.
type Violation = (usize, String);

impl System {
    /// Checks every relation on `values`, one row-major vector per variable as [`System::assign`] gives them.
    /// The first relation that does not hold is the error, with the element where it fails. Ranges are taken
    /// as loosely as [`RangeKind`](crate::RangeKind) lets any back end take them.
    ///
    /// # Errors
    /// [`GraphError::Violated`] names the first relation that does not hold, [`GraphError::Count`] a variable with another number of
    /// values.
    pub fn check(&self, values: &[Vec<i64>]) -> Result<(), GraphError> {
        if values.len() != self.vars.len() {
            return Err(GraphError::InputCount { expected: self.vars.len(), got: values.len() });
        }
        for (var, given) in self.vars.iter().zip(values) {
            if given.len() != var.len() {
                let (tensor, shape) = (var.name.clone(), var.shape.clone());
                return Err(GraphError::Count { tensor, shape, expected: var.len(), got: given.len() });
            }
            if let Some(index) = var.constant.as_ref().and_then(|c| (0..c.len()).find(|&i| c[i] != given[i]))
            {
                let detail = format!("it is {}", given[index]);
                let (label, relation) = (var.name.clone(), "the model's constant".into());
                return Err(GraphError::Violated { label, relation, index, detail });
            }
        }
        for (label, relation) in &self.relations {
            self.check_one(relation, values).map_err(|(index, detail)| {
                let (label, relation) = (label.clone(), relation.to_string());
                GraphError::Violated { label, relation, index, detail }
            })?;
        }
        Ok(())
    }

    fn check_one(&self, relation: &Relation, values: &[Vec<i64>]) -> Result<(), Violation> {
        let seen = |v: &View| seen(v, values);
        match relation {
            Relation::Contract { a, b, addend, y, ranks } => {
                contract(a, b, addend.as_ref().map(seen), (seen(y), *ranks), values)
            }
            Relation::Linear { terms, constant } => {
                let terms: Vec<(i64, Vec<i64>)> = terms.iter().map(|(c, v)| (*c, seen(v))).collect();
                same_lengths(terms.iter().map(|(_, v)| v))?;
                linear(&terms, *constant)
            }
            Relation::Product { a, b, y } => {
                let [a, b, y] = [a, b, y].map(seen);
                same_lengths([&a, &b, &y])?;
                all(y.len(), |i| {
                    let product = i128::from(a[i]) * i128::from(b[i]);
                    (product != i128::from(y[i])).then(|| format!("{} · {} is not {}", a[i], b[i], y[i]))
                })
            }
            Relation::Lookup { table, key, outputs } => {
                let outputs: Vec<Vec<i64>> = outputs.iter().map(seen).collect();
                lookup(&self.tables[table.0 as usize], &seen(key), &outputs)
            }
            Relation::Range { v, lo, bits, kind } => {
                let (v, accepted) = (seen(v), kind.widest(*lo, *bits));
                all(v.len(), |i| (!accepted.contains(i128::from(v[i]))).then(|| format!("it is {}", v[i])))
            }
            Relation::Copy { from, to } => {
                let [from, to] = [from, to].map(seen);
                same_lengths([&from, &to])?;
                all(to.len(), |i| (from[i] != to[i]).then(|| format!("{} became {}", from[i], to[i])))
            }
            // Whatever the values are, they are what the statement shows.
            Relation::Public { .. } | Relation::Commit { .. } => Ok(()),
        }
    }
}

/// The values that a view shows.
fn seen(view: &View, values: &[Vec<i64>]) -> Vec<i64> {
    view.map.gather(&values[view.var.0 as usize])
}

/// Nothing, or the first element for which `fault` finds something to say.
fn all(len: usize, mut fault: impl FnMut(usize) -> Option<String>) -> Result<(), Violation> {
    (0..len).find_map(|i| fault(i).map(|detail| (i, detail))).map_or(Ok(()), Err)
}

/// Element-wise relations need operands of one length.
fn same_lengths<'a>(operands: impl IntoIterator<Item = &'a Vec<i64>>) -> Result<(), Violation> {
    let lengths: Vec<usize> = operands.into_iter().map(Vec::len).collect();
    let same = lengths.windows(2).all(|w| w[0] == w[1]);
    if same { Ok(()) } else { Err((0, format!("operands have {lengths:?} elements"))) }
}

fn linear(terms: &[(i64, Vec<i64>)], constant: i64) -> Result<(), Violation> {
    all(terms.first().map_or(0, |(_, v)| v.len()), |i| {
        let add = |sum: i128, (c, v): &(i64, Vec<i64>)| sum.checked_add(i128::from(*c) * i128::from(v[i]));
        match terms.iter().try_fold(i128::from(constant), add) {
            Some(0) => None,
            Some(sum) => Some(format!("the sum is {sum}")),
            None => Some("the sum does not fit 128 bits".into()),
        }
    })
}

fn lookup(table: &Table, key: &[i64], outputs: &[Vec<i64>]) -> Result<(), Violation> {
    if outputs.len() != table.columns.len() {
        return Err((0, format!("the table has {} columns", table.columns.len())));
    }
    same_lengths(outputs)?;
    if outputs.iter().any(|o| o.len() != key.len()) {
        return Err((0, "keys and values differ in number".into()));
    }
    all(key.len(), |i| {
        let row = usize::try_from(i128::from(key[i]) - i128::from(table.lo)).ok();
        let Some(row) = row.filter(|&r| r < table.len()) else {
            return Some(format!("{} is no key", key[i]));
        };
        let wrong = outputs.iter().zip(&table.columns).find(|(o, c)| o[i] != c[row]);
        wrong.map(|(o, c)| format!("{} maps to {}, not {}", key[i], c[row], o[i]))
    })
}

/// Walks the definition: for every batch, row and column, the sum over the shared dimensions.
fn contract(
    a: &View,
    b: &View,
    addend: Option<Vec<i64>>,
    (y, [rb, rm, rk, _]): (Vec<i64>, [usize; 4]),
    values: &[Vec<i64>],
) -> Result<(), Violation> {
    let product = |m: &Map, from: usize, to: usize| m.shape[from..to].iter().product::<usize>();
    let batch = product(&a.map, 0, rb);
    let m = product(&a.map, rb, rb + rm);
    let k = product(&a.map, rb + rm, a.map.shape.len());
    let n = product(&b.map, rb + rk, b.map.shape.len());
    let (a, b) = (seen(a, values), seen(b, values));
    let expected = [batch * m * k, batch * k * n, batch * m * n];
    if [a.len(), b.len(), y.len()] != expected || addend.as_ref().is_some_and(|v| v.len() != y.len()) {
        return Err((0, format!("operands have {} × {} = {} elements", a.len(), b.len(), y.len())));
    }
    all(y.len(), |i| {
        let (row, column) = (i / n, i % n);
        let first = row / m * k * n + column;
        let mut sum = Some(addend.as_ref().map_or(0, |v| i128::from(v[i])));
        for j in 0..k {
            let product = i128::from(a[row * k + j]) * i128::from(b[first + j * n]);
            sum = sum.and_then(|s| s.checked_add(product));
        }
        match sum {
            Some(sum) if sum == i128::from(y[i]) => None,
            Some(sum) => Some(format!("the sum is {sum}, not {}", y[i])),
            None => Some("the sum does not fit 128 bits".into()),
        }
    })
}
