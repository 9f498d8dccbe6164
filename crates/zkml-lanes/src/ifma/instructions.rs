//! The instructions themselves. Nothing here may run where [`super::available`] is false: who calls these functions has an
//! [`super::Arithmetic`], or is compiled for the instructions.

#![expect(unsafe_code, reason = "intrinsics of instructions that the callers have seen to be there")]

use core::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_loadu_si512, _mm512_madd52hi_epu64,
    _mm512_madd52lo_epu64, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_slli_epi64, _mm512_srai_epi64,
    _mm512_storeu_si512, _mm512_sub_epi64,
};

use super::{BITS, Kernel, LANES};

#[inline(always)]
pub(super) fn zero() -> __m512i {
    // SAFETY: see above.
    unsafe { _mm512_setzero_si512() }
}

#[inline(always)]
pub(super) fn all(x: u64) -> __m512i {
    // SAFETY: see above.
    unsafe { _mm512_set1_epi64(x as i64) }
}

#[inline(always)]
pub(super) fn add(a: __m512i, b: __m512i) -> __m512i {
    // SAFETY: see above.
    unsafe { _mm512_add_epi64(a, b) }
}

#[inline(always)]
pub(super) fn sub(a: __m512i, b: __m512i) -> __m512i {
    // SAFETY: see above.
    unsafe { _mm512_sub_epi64(a, b) }
}

#[inline(always)]
pub(super) fn and(a: __m512i, b: __m512i) -> __m512i {
    // SAFETY: see above.
    unsafe { _mm512_and_si512(a, b) }
}

/// What is above the lowest 52 bits, with its sign.
#[inline(always)]
pub(super) fn above(a: __m512i) -> __m512i {
    // SAFETY: see above.
    unsafe { _mm512_srai_epi64::<BITS>(a) }
}

#[inline(always)]
pub(super) fn times_256(a: __m512i) -> __m512i {
    // SAFETY: see above.
    unsafe { _mm512_slli_epi64::<8>(a) }
}

/// `acc` and the lower 52 bits of `a b`, of which 52 bits each count.
#[inline(always)]
pub(super) fn low(acc: __m512i, a: __m512i, b: __m512i) -> __m512i {
    // SAFETY: see above.
    unsafe { _mm512_madd52lo_epu64(acc, a, b) }
}

/// `acc` and the upper 52 bits of `a b`, of which 52 bits each count.
#[inline(always)]
pub(super) fn high(acc: __m512i, a: __m512i, b: __m512i) -> __m512i {
    // SAFETY: see above.
    unsafe { _mm512_madd52hi_epu64(acc, a, b) }
}

#[inline(always)]
pub(super) fn load(row: &[u64; LANES]) -> __m512i {
    // SAFETY: see above; 64 bytes are read, and any alignment will do.
    unsafe { _mm512_loadu_si512(row.as_ptr().cast()) }
}

#[inline(always)]
pub(super) fn load_integers(row: &[i64; LANES]) -> __m512i {
    // SAFETY: see above; 64 bytes are read, and any alignment will do.
    unsafe { _mm512_loadu_si512(row.as_ptr().cast()) }
}

#[inline(always)]
pub(super) fn store(a: __m512i, row: &mut [u64; LANES]) {
    // SAFETY: see above; 64 bytes are written, and any alignment will do.
    unsafe { _mm512_storeu_si512(row.as_mut_ptr().cast(), a) }
}

/// Runs a kernel that is compiled for the instructions.
pub(super) fn run<K: Kernel<super::Eight>>(kernel: K, lanes: super::Eight) -> K::Output {
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn compiled<K: Kernel<super::Eight>>(kernel: K, lanes: super::Eight) -> K::Output {
        kernel.run(lanes)
    }
    // SAFETY: there is an `Eight` only where the instructions are.
    unsafe { compiled(kernel, lanes) }
}
