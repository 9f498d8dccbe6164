//! The shape of a circuit: how many columns of each kind, and how gates share their selectors.

use serde::{Deserialize, Serialize};

/// Largest degree of any constraint. The quotient then has four pieces, and the extended domain is four times
/// the domain; halo2-axiom silently caps higher degrees, so none may occur.
pub const MAX_DEGREE: usize = 5;

/// How many columns of each kind a circuit has, and what they can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Shape {
    /// Advice columns under the permutation argument.
    pub a_columns: usize,
    /// Advice columns whose every cell is looked up.
    pub u_columns: usize,
    /// Fixed columns of weights.
    pub w_columns: usize,
    /// Binary logarithm of the range table.
    pub limb_bits: u32,
    /// Tallest block of element-wise relations.
    pub max_height: usize,
    /// Whether contractions are folded with challenges; otherwise every product has a row of its own.
    pub fold: bool,
    /// Whether folded contractions sweep over positions (convolutions, batches).
    pub sweep: bool,
    /// Number of outputs of function tables: 0 (no table but the range), 1 or 2.
    pub table_outputs: usize,
}

impl Shape {
    /// Where the outputs of a table lie: column under the permutation, and row relative to the key.
    pub fn output_slots(&self) -> &'static [(usize, usize)] {
        match (self.table_outputs, self.a_columns) {
            (0, _) => &[],
            (1, _) => &[(0, 0)],
            (_, 1) => &[(0, 0), (0, 1)],
            _ => &[(0, 0), (1, 0)],
        }
    }

    /// How the looked-up columns share the sums of the lookup argument.
    pub fn lookup_sums(&self) -> LookupSums {
        // The running sum's own constraint has room for one wide or two plain columns; each helper column
        // for three plain ones.
        let wide = usize::from(self.table_outputs > 0);
        let in_sum = if wide == 1 { 1 } else { self.u_columns.min(2) };
        let rest: Vec<usize> = (in_sum..self.u_columns).collect();
        LookupSums {
            running: (0..in_sum).collect(),
            helpers: rest.chunks(3).map(<[usize]>::to_vec).collect(),
        }
    }

    /// Advice columns: permuted, looked-up, multiplicity, accumulator, folding coefficient, sums.
    pub fn advice_columns(&self) -> usize {
        let helpers = self.lookup_sums().helpers.len();
        self.a_columns + self.u_columns + 1 + 1 + usize::from(self.fold) + 1 + helpers
    }

    /// Columns of the lookup table: key, and where there are functions, tag and outputs.
    pub fn table_columns(&self) -> usize {
        if self.table_outputs == 0 { 1 } else { 2 + self.table_outputs }
    }

    /// Fixed columns besides those of gates: weights, table.
    pub fn fixed_columns(&self) -> usize {
        let selector_of_tables = usize::from(self.table_outputs > 0);
        self.w_columns + self.table_columns() + selector_of_tables + usize::from(self.fold)
    }

    /// Columns whose products share one running product of the permutation argument.
    pub fn permutation_products(&self) -> usize {
        self.a_columns.div_ceil(MAX_DEGREE - 2)
    }
}

/// Which looked-up columns are summed where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupSums {
    /// Columns that enter the running sum directly.
    pub running: Vec<usize>,
    /// Columns of each helper.
    pub helpers: Vec<Vec<usize>>,
}

/// One selector column shared by several gates: gate `i` is active where the column holds `i + 1`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sharing {
    /// Gates of each selector column.
    pub columns: Vec<Vec<usize>>,
}

impl Sharing {
    /// Distributes gates of the given degrees over as few columns as the degree allows.
    ///
    /// With `n` gates in a column, selecting one is a polynomial of degree `n`.
    pub fn new(degrees: &[usize]) -> Self {
        let mut order: Vec<usize> = (0..degrees.len()).collect();
        order.sort_by_key(|&g| std::cmp::Reverse(degrees[g]));
        let mut columns: Vec<Vec<usize>> = Vec::new();
        for g in order {
            let fits = |c: &Vec<usize>| {
                let worst = c.iter().map(|&o| degrees[o]).max().unwrap_or(0).max(degrees[g]);
                c.len() + 1 + worst <= MAX_DEGREE
            };
            match columns.iter_mut().find(|c| fits(c)) {
                Some(c) => c.push(g),
                None => columns.push(vec![g]),
            }
        }
        Self { columns }
    }

    /// Column and code of a gate.
    pub fn code(&self, gate: usize) -> Option<(usize, u64)> {
        self.columns
            .iter()
            .enumerate()
            .find_map(|(c, gates)| gates.iter().position(|&g| g == gate).map(|i| (c, i as u64 + 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_stay_within_the_degree() {
        let degrees = [1, 2, 2, 1, 2, 1, 1, 2, 2];
        let sharing = Sharing::new(&degrees);
        for column in &sharing.columns {
            let worst = column.iter().map(|&g| degrees[g]).max().unwrap_or(0);
            assert!(column.len() + worst <= MAX_DEGREE);
        }
        assert!((0..degrees.len()).all(|g| sharing.code(g).is_some()));
        assert_eq!(sharing.columns.len(), 3);
    }
}
