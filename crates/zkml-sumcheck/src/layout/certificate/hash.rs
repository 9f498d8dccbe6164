//! Commitments: every call is the permutation, every chain takes in salt, header and values.

use std::collections::HashSet;

use ff::Field;
use halo2curves::bn256::Fr;
use zkml_graph::{Code, Section, View};
use zkml_poseidon::{FULL_ROUNDS, PARTIAL_ROUNDS, WIDTH, constants};
use zkml_protocol::{Word, commitment};

use super::{
    Check, Confirmed,
    evaluate::{POINTS, scalar},
};
use crate::layout::hash::{Chain, Hash, full_row, partial_row, word_row};

/// Rounds before the partial ones.
const HALF: usize = FULL_ROUNDS / 2;

/// The cells of all calls, column by column.
struct Cells {
    full: Vec<Vec<Fr>>,
    partial: Vec<Vec<Fr>>,
    calls: u64,
}

impl Cells {
    fn at(column: &[Fr], point: usize, row: u64) -> Fr {
        column.get(point * (column.len() / POINTS) + row as usize).copied().unwrap_or(Fr::ZERO)
    }

    /// An element with its constant in a full round.
    fn x(&self, point: usize, call: u64, round: usize, element: usize) -> Fr {
        Self::at(&self.full[0], point, full_row(call, round, element))
    }

    /// The state after a full round.
    fn after_full(&self, point: usize, call: u64, round: usize) -> [Fr; WIDTH] {
        mixed(std::array::from_fn(|e| Self::at(&self.full[2], point, full_row(call, round, e))))
    }

    /// The state before a partial round, the first element with its constant.
    fn before_partial(&self, point: usize, call: u64, round: usize) -> [Fr; WIDTH] {
        let column = |e: usize| if e == 0 { 0 } else { 2 + e };
        std::array::from_fn(|e| Self::at(&self.partial[column(e)], point, partial_row(call, round)))
    }

    fn after_partial(&self, point: usize, call: u64, round: usize) -> [Fr; WIDTH] {
        mixed(std::array::from_fn(|e| Self::at(&self.partial[2 + e], point, partial_row(call, round))))
    }

    /// What every call says, point by point.
    fn all<I: Iterator<Item = Fr>>(&self, of: impl Fn(usize, u64) -> I) -> Vec<Fr> {
        let calls = |point: usize| (0..self.calls).map(move |call| (point, call));
        (0..POINTS).flat_map(calls).flat_map(|(point, call)| of(point, call)).collect()
    }
}

fn mixed(state: [Fr; WIDTH]) -> [Fr; WIDTH] {
    constants().matrix.map(|row| row.iter().zip(&state).map(|(m, s)| *m * s).sum())
}

/// The constants of a full round, counted without the partial ones.
fn added(round: usize) -> &'static [Fr; WIDTH] {
    &constants().rounds[if round < HALF { round } else { round + PARTIAL_ROUNDS }]
}

impl Check<'_> {
    fn cells(&self, hash: &Hash) -> Cells {
        let blocks = &self.layout.structure.blocks;
        let columns = |block: usize| {
            let count = blocks[block].count as usize;
            (0..blocks[block].columns.len()).map(|c| self.evaluator.column(block, c, count)).collect()
        };
        Cells { full: columns(hash.full), partial: columns(hash.partial), calls: hash.calls }
    }

    /// Confirms that every call is the permutation, and that calls share no cell.
    pub(super) fn calls(&self) -> Confirmed {
        let Some(hash) = &self.layout.structure.hash else { return Ok(()) };
        let cells = self.cells(hash);
        self.apart(hash)?;
        for (block, columns) in [(hash.full, &cells.full), (hash.partial, &cells.partial)] {
            let [x, q, y] = [0, 1, 2].map(|c| &columns[c]);
            let squares: Vec<Fr> = x.iter().zip(q).map(|(x, q)| x.square() - q).collect();
            let fifths: Vec<Fr> = q.iter().zip(x).zip(y).map(|((q, x), y)| q.square() * x - y).collect();
            if !self.is_gate(block, &squares) || !self.is_gate(block, &fifths) {
                return Err("an S-box of the hash is not stated".into());
            }
        }
        for e in 0..WIDTH {
            self.rounds(&cells, e)?;
        }
        let capacity = cells.all(|p, call| std::iter::once(cells.x(p, call, 0, 0) - added(0)[0]));
        self.states("the first element of the hash's state", &capacity)
    }

    /// All cells of all calls are different ones.
    fn apart(&self, hash: &Hash) -> Confirmed {
        let full = |call| (0..FULL_ROUNDS).flat_map(move |r| (0..WIDTH).map(move |e| full_row(call, r, e)));
        let partial = |call| (0..PARTIAL_ROUNDS).map(move |r| partial_row(call, r));
        let blocks = &self.layout.structure.blocks;
        let apart = |block: usize, mut rows: Box<dyn Iterator<Item = u64>>| {
            let mut seen = HashSet::new();
            rows.all(|row| row < blocks[block].count && seen.insert(row))
        };
        let whole = apart(hash.full, Box::new((0..hash.calls).flat_map(full)))
            && apart(hash.partial, Box::new((0..hash.calls).flat_map(partial)));
        let mut next = 0;
        let chains = hash.chains.iter().all(|c| {
            let follows = c.first == next && c.calls > 0;
            next += c.calls;
            follows
        });
        if whole && chains && next == hash.calls && hash.full != hash.partial {
            Ok(())
        } else {
            Err("calls of the hash share cells".into())
        }
    }

    fn states(&self, what: &str, expressions: &[Fr]) -> Confirmed {
        if self.is_linear(expressions) { Ok(()) } else { Err(format!("{what} is not stated")) }
    }

    /// Every round's element follows from the round before.
    fn rounds(&self, cells: &Cells, e: usize) -> Confirmed {
        let first = |c: Fr| if e == 0 { c } else { Fr::ZERO };
        let partial = |r: usize| first(constants().rounds[HALF + r][0]);
        let within = cells.all(|p, call| {
            let rounds = [0, HALF].into_iter().flat_map(|half| half..half + HALF - 1);
            rounds
                .map(move |r| cells.x(p, call, r + 1, e) - cells.after_full(p, call, r)[e] - added(r + 1)[e])
        });
        self.states("a full round of the hash", &within)?;
        let between = cells.all(|p, call| {
            (1..PARTIAL_ROUNDS).map(move |r| {
                cells.before_partial(p, call, r)[e] - cells.after_partial(p, call, r - 1)[e] - partial(r)
            })
        });
        self.states("a partial round of the hash", &between)?;
        let entered = cells.all(|p, call| {
            let (to, from) = (cells.before_partial(p, call, 0)[e], cells.after_full(p, call, HALF - 1)[e]);
            std::iter::once(to - from - partial(0))
        });
        self.states("the first partial round of the hash", &entered)?;
        let left = cells.all(|p, call| {
            let from = cells.after_partial(p, call, PARTIAL_ROUNDS - 1)[e];
            std::iter::once(cells.x(p, call, HALF, e) - from - added(HALF)[e])
        });
        self.states("the full round after the partial ones", &left)
    }

    /// Confirms what a chain takes in; returns its result.
    pub(super) fn chain(
        &self,
        number: usize,
        (v, code, section): (&View, Code, Section),
    ) -> std::result::Result<Vec<Fr>, String> {
        let hash = self.layout.structure.hash.as_ref().ok_or("there are no calls of the hash")?;
        let chain = hash.chains.get(number).ok_or("there is no chain for it")?;
        let cells = self.cells(hash);
        let role = if section == Section::Input { commitment::Role::Input } else { commitment::Role::Output };
        let start = scalar(&commitment::domain(role, 1));
        let linked = |p: usize, call: u64| cells.x(p, call, 0, 1) - added(0)[1];
        let starts: Vec<Fr> = (0..POINTS).map(|p| linked(p, chain.first) - start).collect();
        self.states("where the chain starts", &starts)?;
        let link = |p: usize, call: u64| linked(p, call + 1) - cells.after_full(p, call, FULL_ROUNDS - 1)[0];
        let last = chain.first + chain.calls - 1;
        let links: Vec<Fr> = (0..POINTS)
            .flat_map(|p| (chain.first..last).map(move |call| (p, call)))
            .map(|(p, c)| link(p, c))
            .collect();
        if !links.is_empty() {
            self.states("a link of the chain", &links)?;
        }
        self.takes_in(&cells, chain, v, code)?;
        Ok((0..POINTS).map(|p| cells.after_full(p, last, FULL_ROUNDS - 1)[0]).collect())
    }

    /// Salt, header, values, and a zero where their number is odd.
    fn takes_in(&self, cells: &Cells, chain: &Chain, v: &View, code: Code) -> Confirmed {
        let first = 2 * chain.first;
        let word = |p: usize, n: u64| {
            let element = 2 + (n % 2) as usize;
            Cells::at(&cells.full[0], p, word_row(n)) - added(0)[element]
        };
        let count = u32::try_from(v.map.len()).map_err(|_| "it has too many values")?;
        let code_words = zkml_protocol::Code { bits: code.bits, signed: code.signed };
        let is =
            |n: u64, value: Word| -> Vec<Fr> { (0..POINTS).map(|p| word(p, n) - scalar(&value)).collect() };
        self.states("the header", &is(first + 1, commitment::header(count, code_words)))?;
        let words = self.words(v, code, &self.seen(v))?;
        let each = words.len() / POINTS;
        let differences: Vec<Fr> = words
            .iter()
            .enumerate()
            .map(|(i, w)| *w - word(i / each, first + 2 + (i % each) as u64))
            .collect();
        self.states("a word of its values", &differences)?;
        let end = first + 2 + each as u64;
        match 2 * (chain.first + chain.calls) - end {
            0 => Ok(()),
            1 => self.states("the zero at its end", &is(end, Word::ZERO)),
            more => Err(format!("{more} words at its end belong to nothing")),
        }
    }
}
