//! Sums of points by digit, eight additions at once with AVX-512 IFMA. What it computes is what [`super::buckets`] does; where two
//! points of a sum are equal or opposite, it gives up.

use ff::Field;
use halo2curves::{
    bn256::{Fq, G1, G1Affine},
    group::{Group, prime::PrimeCurveAffine},
};
use zkml_lanes::ifma::{Arithmetic, Base, LANES, LIMBS, Limbs, Rows, Wide, enter, leave, limbs, negated};

/// Groups of eight additions that share an inversion in each lane.
const BATCH: usize = 128;

/// An affine point: coordinates below `2p`, in Montgomery form with the radix `2^260`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Point {
    x: Limbs,
    y: Limbs,
}

/// Points for sums, or nothing where the instructions are missing.
pub(crate) fn points(bases: &[G1Affine], used: &[u32]) -> Option<Vec<Point>> {
    let math = Fq::arithmetic()?;
    // SAFETY: where there is arithmetic, the instructions are there.
    #[expect(unsafe_code, reason = "the instructions are there")]
    Some(unsafe { entered(math, bases, used) })
}

/// `Σ digit · point` for each list of digits, of magnitude up to `count`, a power of two. Nothing if equal or opposite points are
/// added on the way.
///
/// To be called with what [`points`] gave.
pub(crate) fn weighted_sums(points: &[Point], digits: &[Vec<i32>], count: usize) -> Option<Vec<G1>> {
    let math = Fq::arithmetic()?;
    // SAFETY: where there is arithmetic, the instructions are there.
    #[expect(unsafe_code, reason = "the instructions are there")]
    unsafe {
        by_digits(math, points, digits, count)
    }
}

/// Returns true if all points are on the curve; nothing where the instructions are missing.
pub(crate) fn on_curve(points: &[G1Affine]) -> Option<bool> {
    let math = Fq::arithmetic()?;
    // SAFETY: where there is arithmetic, the instructions are there.
    #[expect(unsafe_code, reason = "the instructions are there")]
    Some(unsafe { equation_holds(math, points) })
}

/// Eight points side by side.
#[derive(Clone, Copy)]
struct Block {
    x: Rows,
    y: Rows,
}

impl Block {
    #[inline]
    fn set(&mut self, lane: usize, point: &Point) {
        limbs!(I => self.x[I][lane] = point.x[I]);
        limbs!(I => self.y[I][lane] = point.y[I]);
    }

    #[inline]
    fn get(&self, lane: usize) -> Point {
        Point { x: limbs!(I => self.x[I][lane]), y: limbs!(I => self.y[I][lane]) }
    }

    fn filled(limb: u64) -> Self {
        let mut block = Self { x: [[0; LANES]; LIMBS], y: [[0; LANES]; LIMBS] };
        block.x[0] = [limb; LANES];
        block
    }
}

/// `y² = x³ + 3` for all points but the identity.
#[target_feature(enable = "avx512f,avx512ifma")]
fn equation_holds(math: &Arithmetic, points: &[G1Affine]) -> bool {
    let three = math.mul(&math.all(&enter(&Fq::from(3))), &math.enter);
    let generator = G1Affine::generator();
    let mut holds = true;
    for eight in points.chunks(LANES) {
        let mut block = Block::filled(0);
        for lane in 0..LANES {
            // The identity has no coordinates.
            let own = eight.get(lane).filter(|point| **point != G1Affine::identity());
            let point = own.unwrap_or(&generator);
            block.set(lane, &Point { x: enter(&point.x), y: enter(&point.y) });
        }
        let x = math.mul(&math.load(&block.x), &math.enter);
        let y = math.mul(&math.load(&block.y), &math.enter);
        let right = math.sum(&math.mul(&math.mul(&x, &x), &x), &three);
        let difference = math.difference(&math.mul(&y, &y), &right);
        let rows = math.store(&math.mul(&difference, &math.leave));
        holds &= (0..LANES).all(|lane| leave::<Fq>(&rows.map(|row| row[lane])) == Fq::ZERO);
    }
    holds
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn entered(math: &Arithmetic, bases: &[G1Affine], used: &[u32]) -> Vec<Point> {
    let mut out = Vec::with_capacity(used.len());
    for eight in used.chunks(LANES) {
        let mut block = Block::filled(0);
        for (lane, index) in eight.iter().enumerate() {
            let base = &bases[*index as usize];
            block.set(lane, &Point { x: enter(&base.x), y: enter(&base.y) });
        }
        let coordinate = |rows: &Rows| math.store(&math.mul(&math.load(rows), &math.enter));
        let block = Block { x: coordinate(&block.x), y: coordinate(&block.y) };
        out.extend((0..eight.len()).map(|lane| block.get(lane)));
    }
    out
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn by_digits(math: &Arithmetic, points: &[Point], digits: &[Vec<i32>], count: usize) -> Option<Vec<G1>> {
    // All lists at once: they share inversions.
    let numbered = || {
        let one = |(list, digits)| points.iter().zip::<&Vec<i32>>(digits).map(move |(p, d)| (list, p, *d));
        (0..).zip(digits).flat_map(one).filter(|(_, _, digit)| *digit != 0)
    };
    let number = |list: usize, digit: i32| list * count + digit.unsigned_abs() as usize - 1;
    let signed = numbered().map(|(list, point, digit)| {
        let y = if digit < 0 { negated::<Fq>(&point.y) } else { point.y };
        (number(list, digit), Point { x: point.x, y })
    });
    let numbers = numbered().map(|(list, _, digit)| number(list, digit));
    let buckets = Sums::of(math, numbers, signed, digits.len() * count).finish()?;
    // Σ d B_d, with d = width · row + column + 1, by sums of rows and of columns: two more additions of each bucket in lanes,
    // where sums of sums would be two of the slow kind.
    let bits = count.ilog2() / 2;
    let (width, rows) = (1 << bits, count >> bits);
    let kept = || buckets.iter().enumerate().filter_map(|(d, bucket)| Some((d, (*bucket)?)));
    let row = |d: usize| d / width;
    let column = |d: usize| d / count * width + d % width;
    let total = digits.len();
    let by_row = Sums::of(math, kept().map(|(d, _)| row(d)), kept().map(|(d, p)| (row(d), p)), total * rows);
    let columns = kept().map(|(d, p)| (column(d), p));
    let by_column = Sums::of(math, kept().map(|(d, _)| column(d)), columns, total * width);
    let (by_row, by_column) = (affine(math, &by_row.finish()?), affine(math, &by_column.finish()?));
    let pairs = by_row.chunks(rows).zip(by_column.chunks(width));
    let sum = |(rows, columns): (&[G1Affine], &[G1Affine])| {
        let high = ascending(&rows[1..]);
        (0..bits).fold(high, |high, _| high.double()) + ascending(columns)
    };
    Some(pairs.map(sum).collect())
}

/// `Σ i · point_i`, from one.
fn ascending(points: &[G1Affine]) -> G1 {
    let (mut running, mut total) = (G1::identity(), G1::identity());
    for point in points.iter().rev() {
        running += point;
        total += running;
    }
    total
}

/// Points of the curve library; the identity where there is none.
#[target_feature(enable = "avx512f,avx512ifma")]
fn affine(math: &Arithmetic, points: &[Option<Point>]) -> Vec<G1Affine> {
    let mut out = Vec::with_capacity(points.len());
    for eight in points.chunks(LANES) {
        let mut block = Block::filled(0);
        eight.iter().enumerate().for_each(|(lane, p)| block.set(lane, &p.unwrap_or_default()));
        let [x, y] = [&block.x, &block.y].map(|rows| math.store(&math.mul(&math.load(rows), &math.leave)));
        out.extend(eight.iter().enumerate().map(|(lane, point)| match point {
            Some(_) => G1Affine { x: leave(&x.map(|row| row[lane])), y: leave(&y.map(|row| row[lane])) },
            None => G1Affine::identity(),
        }));
    }
    out
}

/// Points of several sums on the way to one point each.
struct Sums<'a> {
    math: &'a Arithmetic,
    /// Number of points that are left of each sum.
    lengths: Vec<u32>,
    /// The last point of each sum with an odd number of them.
    singles: Vec<Option<Point>>,
    /// Neighbours of one sum, side by side.
    pairs: [Vec<Block>; 2],
    /// Room for the pairs of the next layer.
    spare: [Vec<Block>; 2],
}

/// Number of the first pair of each sum.
fn first_pairs(lengths: &[u32]) -> Vec<u32> {
    let mut pairs = 0;
    let first = lengths.iter().map(|n| {
        pairs += n / 2;
        pairs - n / 2
    });
    first.collect()
}

impl<'a> Sums<'a> {
    /// Points with the number of their sum, of `count` sums; `numbers` are these numbers alone.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn of(
        math: &'a Arithmetic,
        numbers: impl Iterator<Item = usize>,
        points: impl Iterator<Item = (usize, Point)>,
        count: usize,
    ) -> Self {
        let mut lengths = vec![0u32; count];
        numbers.for_each(|sum| lengths[sum] += 1);
        let mut sums = Self {
            math,
            singles: vec![],
            lengths: vec![],
            pairs: Default::default(),
            spare: Default::default(),
        };
        sums.emptied(lengths);
        let first = first_pairs(&sums.lengths);
        let mut seen = vec![0u32; count];
        for (sum, point) in points {
            let place = seen[sum];
            seen[sum] += 1;
            sums.put(first[sum], sum, place, &point);
        }
        sums
    }

    /// Makes room for sums of so many points.
    fn emptied(&mut self, lengths: Vec<u32>) {
        let pairs: usize = lengths.iter().map(|n| (n / 2) as usize).sum();
        // Lanes without a pair have different points.
        for (side, limb) in self.pairs.iter_mut().zip([0, 1]) {
            side.clear();
            side.resize(pairs.div_ceil(LANES), Block::filled(limb));
        }
        self.singles = vec![None; lengths.len()];
        self.lengths = lengths;
    }

    /// Puts point number `place` of a sum where it belongs: into half of a pair, or aside.
    fn put(&mut self, first_pair: u32, sum: usize, place: u32, point: &Point) {
        if place + 1 == self.lengths[sum] && place.is_multiple_of(2) {
            self.singles[sum] = Some(*point);
        } else {
            let pair = (first_pair + place / 2) as usize;
            self.pairs[place as usize % 2][pair / LANES].set(pair % LANES, point);
        }
    }

    /// One point for each sum that has any; nothing if equal or opposite points met.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn finish(mut self) -> Option<Vec<Option<Point>>> {
        while self.lengths.iter().any(|n| *n > 1) {
            self.halved()?;
        }
        Some(self.singles)
    }

    /// Adds the two points of each pair.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn halved(&mut self) -> Option<()> {
        let [left, right] = &mut self.pairs;
        for (left, right) in left.chunks_mut(BATCH).zip(right.chunks(BATCH)) {
            add(self.math, left, right)?;
        }
        let lengths = std::mem::take(&mut self.lengths);
        let singles = std::mem::take(&mut self.singles);
        std::mem::swap(&mut self.pairs, &mut self.spare);
        self.emptied(lengths.iter().map(|n| n.div_ceil(2)).collect());
        let (before, first) = (first_pairs(&lengths), first_pairs(&self.lengths));
        for (sum, length) in lengths.iter().enumerate() {
            for place in 0..length / 2 {
                let pair = (before[sum] + place) as usize;
                let point = self.spare[0][pair / LANES].get(pair % LANES);
                self.put(first[sum], sum, place, &point);
            }
            if let Some(single) = &singles[sum] {
                self.put(first[sum], sum, length / 2, single);
            }
        }
        Some(())
    }
}

/// Adds the points of `right` to those of `left`; nothing if two are equal or opposite.
#[target_feature(enable = "avx512f,avx512ifma")]
fn add(math: &Arithmetic, left: &mut [Block], right: &[Block]) -> Option<()> {
    // Products of the differences before each one.
    let mut before: Vec<Wide> = Vec::with_capacity(left.len());
    let mut product = math.one();
    for (p, q) in left.iter().zip(right) {
        before.push(product);
        product = math.mul(&math.sub(&math.load(&q.x), &math.load(&p.x)), &product);
    }
    let mut inverse = inverted(math, &product)?;
    for ((p, q), before) in left.iter_mut().zip(right).zip(&before).rev() {
        let (px, py, qx) = (math.load(&p.x), math.load(&p.y), math.load(&q.x));
        let own = math.mul(&inverse, before);
        let step = math.sub(&qx, &px);
        let slope = math.mul(&math.sub(&math.load(&q.y), &py), &own);
        let x = math.sub(&math.sub(&math.mul(&slope, &slope), &px), &qx);
        let x = math.reduced(&x);
        let y = math.reduced(&math.sub(&math.mul(&math.sub(&px, &x), &slope), &py));
        (p.x, p.y) = (math.store(&x), math.store(&y));
        inverse = math.mul(&step, &inverse);
    }
    Some(())
}

/// Inverses of all lanes, below `1.2p`; nothing if one is zero.
#[target_feature(enable = "avx512f,avx512ifma")]
fn inverted(math: &Arithmetic, product: &Wide) -> Option<Wide> {
    let rows = math.store(&math.mul(product, &math.leave));
    let values: [Fq; LANES] = std::array::from_fn(|lane| leave(&rows.map(|row| row[lane])));
    let mut before = [Fq::ONE; LANES];
    let mut all = Fq::ONE;
    for (before, value) in before.iter_mut().zip(&values) {
        *before = all;
        all *= value;
    }
    let mut inverse = Option::<Fq>::from(all.invert())?;
    let mut out = [[0; LANES]; LIMBS];
    for lane in (0..LANES).rev() {
        let own = enter(&(inverse * before[lane]));
        inverse *= values[lane];
        out.iter_mut().zip(own).for_each(|(row, limb)| row[lane] = limb);
    }
    Some(math.mul(&math.load(&out), &math.enter))
}
