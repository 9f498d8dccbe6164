//! Where blocks lie in the grid of rows and columns.
//!
//! One below the other, the longest first, so that each begins at a multiple of its length. The number of rows is a power of two,
//! and proving time follows it: where the blocks are just too long for half of it, some are put beside others that have columns
//! and lookups to spare.

use std::cmp::Reverse;

use zkml_protocol::sumcheck::{Segment, bits_for};

use super::block::Block;

/// Rows with the blocks that share them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Region {
    /// The rows.
    pub(crate) segment: Segment,
    /// The blocks, from the first column on. What holds for a block has the same number in all regions that it is part of.
    pub(crate) members: Vec<usize>,
}

/// The grid.
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    /// Binary logarithm of the number of rows.
    pub(crate) row_bits: u32,
    /// Number of columns.
    pub(crate) columns: u32,
    /// Rows by what holds there; what is left over comes last, without members.
    pub(crate) regions: Vec<Region>,
    /// For each block its first row and its first column; none for loose ones.
    pub(crate) origins: Vec<Option<(u64, usize)>>,
}

/// Most columns of the grid, most lookups in a row, and the binary logarithm of the number of rows that are not halved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) columns: usize,
    pub(crate) lookups: usize,
    pub(crate) unshared_bits: u32,
}

impl Grid {
    /// Places all blocks that are not loose; those of many rows in half as many, as often as that can be.
    pub(crate) fn new(blocks: &[Block], limits: Limits) -> Self {
        let mut grid = Self::within(blocks, limits, u64::MAX).unwrap_or_else(|| Self::empty(blocks));
        // There are two rows at least.
        while grid.row_bits > limits.unshared_bits.max(1)
            && let Some(smaller) = Self::within(blocks, limits, 1 << (grid.row_bits - 1))
        {
            grid = smaller;
        }
        grid.leave_idle();
        grid
    }

    fn empty(blocks: &[Block]) -> Self {
        Self { row_bits: 0, columns: 1, regions: vec![], origins: vec![None; blocks.len()] }
    }

    /// Places all blocks in so many rows, with no more of them beside each other than that takes; nothing if they do not fit.
    fn within(blocks: &[Block], limits: Limits, rows: u64) -> Option<Self> {
        let mut grid = Self::empty(blocks);
        let order = by_length(blocks, false);
        let length = |b: &usize| 1u64 << blocks[*b].digits.total_bits();
        let mut left: u64 = order.iter().map(length).sum();
        let mut at = 0;
        for b in order {
            let length = length(&b);
            let beside = if at + left > rows { grid.room(blocks, b, limits) } else { None };
            left -= length;
            match beside {
                Some(region) => grid.share(blocks, region, b),
                None => {
                    grid.origins[b] = Some((at, 0));
                    let segment = Segment { start: at, bits: blocks[b].digits.total_bits() };
                    grid.regions.push(Region { segment, members: vec![b] });
                    at += length;
                }
            }
        }
        // A sumcheck over no variables would say the masked evaluations, and sum what is not masked.
        grid.row_bits = bits_for(at).max(1);
        let end = |r: &Region| grid.width(blocks, r);
        grid.columns = grid.regions.iter().map(end).max().unwrap_or(0).max(1) as u32;
        (at <= rows).then_some(grid)
    }

    /// Columns that the blocks of a region take.
    fn width(&self, blocks: &[Block], region: &Region) -> usize {
        region.members.iter().map(|b| blocks[*b].columns.len()).sum()
    }

    /// The region beside whose blocks there is room for one more: the narrowest, and of those the shortest.
    fn room(&self, blocks: &[Block], block: usize, limits: Limits) -> Option<usize> {
        let own = &blocks[block];
        let spare = |region: &Region| -> Option<(usize, u32)> {
            let lookups: usize = region.members.iter().map(|b| blocks[*b].lookups.len()).sum();
            let (columns, bits) = (self.width(blocks, region) + own.columns.len(), region.segment.bits);
            let fits = columns <= limits.columns && lookups + own.lookups.len() <= limits.lookups;
            (fits && bits >= own.digits.total_bits()).then_some((columns, bits))
        };
        let all = self.regions.iter().enumerate();
        all.filter_map(|(i, r)| Some((spare(r)?, i))).min().map(|(_, i)| i)
    }

    /// Puts a block beside those of a region, in its first rows; the others stay as they were.
    fn share(&mut self, blocks: &[Block], region: usize, block: usize) {
        let bits = blocks[block].digits.total_bits();
        let Region { segment, members } = self.regions[region].clone();
        self.origins[block] = Some((segment.start, self.width(blocks, &self.regions[region])));
        let rest = (bits..segment.bits).map(|bits| {
            let segment = Segment { start: segment.start + (1 << bits), bits };
            // The last ones that have no element there leave: of those before them the numbers stay. One that zeros do not satisfy
            // fills all of its rows, so nothing else can lie there.
            let stays = |b: &usize| !blocks[*b].zeros_hold() || self.is_in(&blocks[*b], *b, segment);
            let last = members.iter().rposition(stays);
            Region { segment, members: members[..last.map_or(0, |at| at + 1)].to_vec() }
        });
        let rest: Vec<Region> = rest.collect();
        let shared = &mut self.regions[region];
        shared.segment.bits = bits;
        shared.members.push(block);
        self.regions.extend(rest);
    }

    /// Returns true if some element of a block lies in a segment.
    fn is_in(&self, block: &Block, number: usize, segment: Segment) -> bool {
        let Some((start, _)) = self.origins[number] else { return false };
        let rows = (0..block.count).map(|element| start + block.digits.address(element));
        rows.into_iter().any(|row| row >> segment.bits == segment.start >> segment.bits)
    }

    /// Says of the rows after the last block that nothing holds there.
    fn leave_idle(&mut self) {
        let ends = self.regions.iter().map(|r| r.segment.start + (1 << r.segment.bits));
        let mut at = ends.max().unwrap_or(0);
        while at < 1 << self.row_bits {
            let bits = at.trailing_zeros().min(self.row_bits);
            self.regions.push(Region { segment: Segment { start: at, bits }, members: vec![] });
            at += 1 << bits;
        }
    }
}

/// Blocks by length, the longest first, so that each begins at a multiple of its length.
pub(crate) fn by_length(blocks: &[Block], loose: bool) -> Vec<usize> {
    let mut order: Vec<usize> = (0..blocks.len()).filter(|b| blocks[*b].is_loose() == loose).collect();
    order.sort_by_key(|b| Reverse(blocks[*b].digits.total_bits()));
    order
}

#[cfg(test)]
mod tests {
    use ff::Field;
    use halo2curves::bn256::Fr;

    use super::*;
    use crate::layout::{
        block::{Affine, Looked, Role},
        digits::Digits,
    };

    const LIMITS: Limits = Limits { columns: 8, lookups: 6, unshared_bits: 1 };

    fn block(bits: u32, columns: usize, lookups: usize) -> Block {
        let key = Affine::column(0);
        Block {
            count: 1 << bits,
            digits: Digits::grouped(1, 1 << bits),
            columns: vec![Role::Hash; columns],
            lookups: vec![Looked { key, outputs: vec![], tag: 0 }; lookups],
            gates: vec![vec![(Fr::ONE, vec![0])]],
        }
    }

    /// Every block has its rows and columns for itself, the regions cover all rows once, and name who holds there.
    fn check(blocks: &[Block], grid: &Grid) {
        let rows = 1usize << grid.row_bits;
        let mut cells = vec![None; rows * grid.columns as usize];
        for (b, origin) in grid.origins.iter().enumerate() {
            let (start, column) = origin.expect("none is loose");
            assert_eq!(start % (1 << blocks[b].digits.total_bits()), 0, "{grid:?}");
            for c in column..column + blocks[b].columns.len() {
                for row in start as usize..start as usize + (1 << blocks[b].digits.total_bits()) {
                    assert_eq!(cells[c * rows + row].replace(b), None, "{grid:?}");
                }
            }
        }
        let mut covered = vec![false; rows];
        for Region { segment, members } in &grid.regions {
            assert_eq!(segment.start % (1 << segment.bits), 0, "{grid:?}");
            let lookups: usize = members.iter().map(|b| blocks[*b].lookups.len()).sum();
            assert!(lookups <= LIMITS.lookups, "{grid:?}");
            for row in segment.start as usize..segment.start as usize + (1 << segment.bits) {
                assert!(!std::mem::replace(&mut covered[row], true), "{grid:?}");
                let mut found: Vec<usize> =
                    (0..grid.columns as usize).filter_map(|c| cells[c * rows + row]).collect();
                found.dedup();
                let inside = |b: &usize| {
                    let start = grid.origins[*b].expect("none is loose").0;
                    (row as u64) < start + blocks[*b].count
                };
                found.retain(inside);
                assert!(found.iter().all(|b| members.contains(b)), "{grid:?}");
                assert!(segment.start as usize != row || found == *members, "{grid:?}");
            }
        }
        assert!(covered.into_iter().all(|c| c), "{grid:?}");
    }

    #[test]
    fn blocks_are_put_beside_others_only_where_that_halves_the_rows() {
        let of = |blocks: &[Block]| {
            let grid = Grid::new(blocks, LIMITS);
            check(blocks, &grid);
            (grid.row_bits, grid.columns)
        };
        // Five rows of eight: the last two blocks go beside the first.
        assert_eq!(of(&[block(2, 4, 2), block(0, 4, 2)]), (2, 8));
        assert_eq!(of(&[block(2, 4, 2), block(1, 4, 2), block(0, 2, 0)]), (2, 8));
        // Six rows need eight, and three blocks beside each other have too many columns, or too many lookups.
        assert_eq!(of(&[block(2, 4, 2), block(1, 5, 2)]), (3, 5));
        assert_eq!(of(&[block(2, 4, 4), block(1, 4, 3)]), (3, 4));
        // Where there is a choice, the grid stays narrow.
        assert_eq!(of(&[block(2, 1, 1), block(1, 1, 1), block(1, 1, 1)]), (2, 2));
        // What fits as it is stays as it is.
        assert_eq!(of(&[block(2, 5, 1), block(1, 5, 1), block(1, 5, 1)]), (3, 5));
        assert_eq!(of(&[block(1, 9, 1), block(1, 1, 1)]), (2, 9));
        // Even of one row, there are two, which are not halved.
        assert_eq!(of(&[block(0, 1, 1)]), (1, 1));
        let limits = Limits { unshared_bits: 0, ..LIMITS };
        assert_eq!(Grid::new(&[block(0, 1, 1)], limits).row_bits, 1);
    }

    /// Of a block of four rows with two elements, beside which another lies in the first two, nothing is left to say.
    #[test]
    fn nothing_holds_where_there_are_no_elements() {
        let blocks = [Block { count: 2, ..block(2, 4, 2) }, block(1, 4, 2)];
        let grid = Grid::new(&blocks, LIMITS);
        check(&blocks, &grid);
        let members: Vec<usize> = grid.regions.iter().map(|r| r.members.len()).collect();
        assert_eq!((grid.row_bits, members), (2, vec![2, 0]));
        // Unless zeros do not satisfy it: then it fills those rows.
        let mut filled = blocks;
        filled[0].lookups[0].key = Affine::constant(Fr::ONE);
        let grid = Grid::new(&filled, LIMITS);
        let members: Vec<usize> = grid.regions.iter().map(|r| r.members.len()).collect();
        assert_eq!((grid.row_bits, members), (2, vec![2, 1]));
    }

    #[test]
    fn grids_of_few_rows_stay_as_they_are() {
        let limits = Limits { unshared_bits: 10, ..LIMITS };
        let of = |bits: u32| Grid::new(&[block(bits, 4, 2), block(0, 4, 2)], limits).row_bits;
        assert_eq!([8, 9, 10, 11].map(of), [9, 10, 10, 11]);
    }

    #[test]
    fn an_empty_grid_is_idle() {
        let grid = Grid::new(&[], LIMITS);
        assert_eq!((grid.row_bits, grid.columns, grid.regions.len()), (1, 1, 1));
    }
}
