//! Work on the parts of a slice, side by side.

use rayon::prelude::*;

/// Calls `work` for as many parts of `all` as there are threads, each with the place where it begins.
pub(crate) fn in_parts<T: Send>(all: &mut [T], work: impl Fn(&mut [T], usize) + Sync) {
    let length = all.len().div_ceil(rayon::current_num_threads()).max(1);
    all.par_chunks_mut(length).enumerate().for_each(|(i, part)| work(part, i * length));
}
