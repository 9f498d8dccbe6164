//! Prints sums of multiples of points, and the pairing that ends a verifier.

use zkml_contracts::{PAIRING_INPUT, errors};
use zkml_protocol::{G1, G2, field};

use super::checks::fail;
use crate::text::{Text, at, literal};

/// Where a term's point comes from.
pub(super) enum Point {
    /// This offset of the calldata.
    Calldata(usize),
    /// A constant of the program.
    Constant(G1),
}

/// A sum of multiples of points. In memory from `area` on: the sum, a term's point, the term's factor.
pub(super) struct Msm<'a> {
    pub(super) text: &'a mut Text,
    area: usize,
    /// No term was added yet.
    empty: bool,
    /// Whether both precompiles have shown that they exist: a call of an address without code succeeds too.
    precompiles_shown: bool,
}

impl<'a> Msm<'a> {
    pub(super) fn new(text: &'a mut Text, area: usize) -> Self {
        Self { text, area, empty: true, precompiles_shown: false }
    }

    /// Address of the factor of the next term.
    pub(super) fn factor(&self) -> String {
        at(self.area + 128)
    }

    /// Sets the factor of the next term.
    pub(super) fn scale(&mut self, scalar: &str) {
        let factor = self.factor();
        self.text.line(format_args!("mstore({factor}, {scalar})"));
    }

    /// Adds a term: the point as it is, or times the factor.
    pub(super) fn add(&mut self, point: &Point, scaled: bool, note: &str) {
        if matches!(point, Point::Constant(point) if point.is_identity()) {
            self.text.line(format_args!("// {note} commits to zero"));
            return;
        }
        let (sum, term) = (at(self.area), at(self.area + 64));
        let first = std::mem::replace(&mut self.empty, false);
        self.load(point, if first && !scaled { self.area } else { self.area + 64 }, note);
        let out = if first { &sum } else { &term };
        let add = format!("staticcall(gas(), 6, {sum}, 128, {sum}, 64)");
        let mul = format!("staticcall(gas(), 7, {term}, 96, {out}, 64)");
        match (scaled, first) {
            (false, true) => {}
            (true, true) => self.text.line(format_args!("ok := and(ok, {mul})")),
            (false, false) => self.text.line(format_args!("ok := and(ok, {add})")),
            // Yul evaluates the last argument first: multiply, then add.
            (true, false) if self.precompiles_shown => {
                self.text.line(format_args!("ok := and(and(ok, {add}), {mul})"))
            }
            (true, false) => {
                self.precompiles_shown = true;
                for call in [mul, add] {
                    self.text.line(format_args!("ok := and(ok, {call})"));
                    self.text.line("ok := and(ok, eq(returndatasize(), 64)) // the precompile exists");
                }
            }
        }
    }

    fn load(&mut self, point: &Point, to: usize, note: &str) {
        match point {
            Point::Calldata(from) => {
                self.text.line(format_args!("calldatacopy({}, {}, 64) // {note}", at(to), at(*from)));
            }
            Point::Constant(point) => {
                self.text.line(format_args!("mstore({}, {}) // {note}", at(to), literal(&point.x)));
                self.text.line(format_args!("mstore({}, {})", at(to + 32), literal(&point.y)));
            }
        }
    }
}

/// Bytes of a pair of points.
pub(super) const PAIR: usize = 6 * 32;

/// `e(sum, first) · Π e(−calldata point, second) = 1`, or revert; or that pairing's input, for a caller that decides it. The sum lies at `area`; points to be negated are given by their offsets
/// in the calldata.
pub(super) fn pairing(text: &mut Text, area: usize, first: &G2, negated: &[(usize, &G2)]) {
    let modulus = literal(&field::BASE_MODULUS);
    let mut words: Vec<String> = first.words().iter().map(literal).collect();
    for (point, second) in negated {
        words.push(format!("calldataload({})", at(*point)));
        words.push(format!("sub({modulus}, calldataload({}))", at(point + 32)));
        words.extend(second.words().iter().map(literal));
    }
    let writes = words.into_iter().enumerate().map(|(index, word)| (area + 64 + 32 * index, word));
    for (to, word) in writes {
        text.line(format_args!("mstore({}, {word})", at(to)));
    }
    let failed = fail(&errors::PRECOMPILE_FAILED, &[]);
    let length = (1 + negated.len()) * PAIR;
    text.line(format_args!("if iszero(ok) {{ {failed} }}"));
    left_to_the_caller(text, area, length / 32);
    text.line(format_args!("ok := staticcall(gas(), 8, {}, {length}, 0, 32)", at(area)));
    text.line(format_args!("if iszero(and(ok, eq(returndatasize(), 32))) {{ {failed} }}"));
    text.line(format_args!("if iszero(eq(mload(0), 1)) {{ {} }}", fail(&errors::PROOF_REJECTED, &[])));
    text.line("return(0, 32) // that 1");
}

/// Returns the pairing's input, these words from `area` on, if that is what was called: `uint256[]` as the ABI has it. Nothing
/// in front of `area` is read again.
fn left_to_the_caller(text: &mut Text, area: usize, words: usize) {
    let selector = hex::encode(errors::selector(PAIRING_INPUT));
    text.open(format_args!("if eq(shr(224, calldataload(0)), 0x{selector}) {{"));
    text.line(format_args!("mstore({}, 32)", at(area - 64)));
    text.line(format_args!("mstore({}, {words})", at(area - 32)));
    text.line(format_args!("return({}, {})", at(area - 64), 64 + 32 * words));
    text.close("}");
}

/// Leaves `1 / value` in `inv`, or reverts: `area` has room for six words.
pub(super) fn inverse(text: &mut Text, area: usize, value: &str) {
    let words = ["32", "32", "32", value, "sub(r, 2)", "r"];
    for (index, word) in words.iter().enumerate() {
        text.line(format_args!("mstore({}, {word})", at(area + 32 * index)));
    }
    let area = at(area);
    text.line(format_args!("let done := staticcall(gas(), 5, {area}, 192, {area}, 32)"));
    text.line(format_args!("let inv := mload({area})"));
    text.line("// The product with the inverse is 1 only if modexp exists, worked, and nothing was zero.");
    text.open(format_args!("if iszero(and(done, eq(mulmod(inv, {value}, r), 1))) {{"));
    text.line(format_args!("if iszero(mod({value}, r)) {{ {} }}", fail(&errors::ZERO_DENOMINATOR, &[])));
    text.line(fail(&errors::PRECOMPILE_FAILED, &[]));
    text.close("}");
}
