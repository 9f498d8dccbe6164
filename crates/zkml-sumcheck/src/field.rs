//! Small helpers over the scalar field.

use ff::{Field, PrimeField};
use halo2curves::bn256::Fr;
use rayon::prelude::*;

/// An integer as a field element; negative ones from above.
pub(crate) fn from_i64(v: i64) -> Fr {
    let magnitude = Fr::from(v.unsigned_abs());
    if v < 0 { -magnitude } else { magnitude }
}

/// The integer of a field element, if it is a small one.
pub(crate) fn to_i64(v: &Fr) -> Option<i64> {
    zkml_protocol::field::to_i64(&zkml_curve::scalar_word(v))
}

/// `eq(point, x)` for all `x`, the first coordinate being the lowest bit.
pub(crate) fn eq_table(point: &[Fr]) -> Vec<Fr> {
    weight_table(&point.iter().map(|r| (Fr::ONE - r, *r)).collect::<Vec<_>>())
}

/// Products of weights, one of each pair, for all choices: the first pair belongs to the lowest bit.
pub(crate) fn weight_table(weights: &[(Fr, Fr)]) -> Vec<Fr> {
    let mut out = Vec::with_capacity(1 << weights.len());
    out.push(Fr::ONE);
    for (zero, one) in weights {
        let upper: Vec<Fr> = out.iter().map(|v| *v * one).collect();
        if *zero + one == Fr::ONE {
            out.iter_mut().zip(&upper).for_each(|(v, upper)| *v -= upper);
        } else {
            out.iter_mut().for_each(|v| *v *= zero);
        }
        out.extend(upper);
    }
    out
}

/// `1, x, x², …`
pub(crate) fn powers(x: Fr, count: usize) -> Vec<Fr> {
    std::iter::successors(Some(Fr::ONE), |p| Some(*p * x)).take(count).collect()
}

/// The value at `x` of a polynomial, lowest coefficient first.
pub(crate) fn horner(coefficients: &[Fr], x: Fr) -> Fr {
    coefficients.iter().rev().fold(Fr::ZERO, |acc, c| acc * x + c)
}

/// Inverts all values with one inversion; nothing if one of them is zero.
pub(crate) fn batch_invert(values: &mut [Fr]) -> Option<()> {
    let ok = values.par_chunks_mut(1 << 12).map(|chunk| {
        let mut products = Vec::with_capacity(chunk.len());
        let mut product = Fr::ONE;
        for v in chunk.iter() {
            products.push(product);
            product *= v;
        }
        let mut inverse = Option::<Fr>::from(product.invert())?;
        for (v, before) in chunk.iter_mut().zip(products).rev() {
            (*v, inverse) = (inverse * before, inverse * *v);
        }
        Some(())
    });
    ok.collect::<Option<Vec<()>>>().map(drop)
}

/// `table[x] ← table[x] + r (table[x + half] − table[x])`, then the lower half alone.
pub(crate) fn bind(table: &mut Vec<Fr>, r: Fr) {
    let half = table.len() / 2;
    let (low, high) = table.split_at_mut(half);
    low.par_iter_mut().with_min_len(1 << 10).zip(&*high).for_each(|(l, h)| *l += r * (*h - *l));
    table.truncate(half);
}

/// `2^−bits`.
pub(crate) fn half_power(bits: u32) -> Fr {
    Fr::TWO_INV.pow_vartime([u64::from(bits)])
}

/// Coefficients of the polynomial of degree below `values.len()` whose values at `0, 1, 2, …` are these.
pub(crate) fn interpolate(values: &[Fr]) -> Vec<Fr> {
    // Newton's forward differences, divided by factorials, then expanded.
    let mut differences = values.to_vec();
    let mut newton = Vec::with_capacity(values.len());
    let mut factorial = Fr::ONE;
    for i in 0..values.len() {
        if i > 0 {
            factorial *= Fr::from(i as u64);
        }
        newton.push(differences[0] * factorial.invert().unwrap_or(Fr::ZERO));
        differences = differences.windows(2).map(|w| w[1] - w[0]).collect();
    }
    let mut out = vec![Fr::ZERO; values.len()];
    for (i, c) in newton.iter().enumerate().rev() {
        // out ← out · (X − i) + c
        let node = Fr::from(i as u64);
        for k in (0..out.len()).rev() {
            let below = if k > 0 { out[k - 1] } else { Fr::ZERO };
            out[k] = below - node * out[k];
        }
        out[0] += c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpolation_gives_the_polynomial_back() {
        for degree in 0..9u64 {
            let p: Vec<Fr> = (0..=degree).map(|i| Fr::from(7 * i * i + 3)).collect();
            let values: Vec<Fr> = (0..=degree).map(|x| horner(&p, Fr::from(x))).collect();
            assert_eq!(interpolate(&values), p, "degree {degree}");
        }
    }

    #[test]
    fn inverses_and_tables() {
        let mut values: Vec<Fr> = (1..5000u64).map(Fr::from).collect();
        batch_invert(&mut values).expect("no zero");
        assert!(values.iter().zip(1u64..).all(|(v, i)| *v * Fr::from(i) == Fr::ONE));
        assert_eq!(batch_invert(&mut [Fr::ONE, Fr::ZERO]), None);
        let point = [Fr::from(3), Fr::from(5)];
        let table = eq_table(&point);
        assert_eq!(table[1], Fr::from(3) * (Fr::ONE - Fr::from(5)));
        assert_eq!(table.iter().sum::<Fr>(), Fr::ONE);
        let mut bound = table.clone();
        bind(&mut bound, Fr::from(5));
        bind(&mut bound, Fr::from(3));
        assert_eq!(bound[0], (Fr::from(9) + Fr::from(4)) * (Fr::from(25) + Fr::from(16)), "eq(u, u)");
    }
}
