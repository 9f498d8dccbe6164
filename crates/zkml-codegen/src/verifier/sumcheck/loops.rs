//! Prints what a loop computes: all sums over the matches of two points in one, from a table that the contract writes out.

use zkml_protocol::{
    Word,
    sumcheck::{Challenge, Coordinates, Matching},
};

use super::memory::Map;
use crate::{
    CodegenError,
    text::{Text, at, literal},
};

/// Bytes of an entry of the table: the first point, of which the two highest bits are a step; the second; number of bits; extent.
const ENTRY: usize = 8;
/// Entries of a word.
const PER_WORD: usize = 32 / ENTRY;
/// Addresses of points are below this.
const MOST_ADDRESS: usize = 1 << 14;
/// Extents are below this; that of all indices is zero.
const MOST_EXTENT: u64 = 1 << 24;

/// Bits of an entry's step: coordinates one after the other in memory, all at one place, or the other way round.
#[derive(Clone, Copy)]
enum Step {
    Down = 0,
    Still = 1,
    Up = 2,
}

/// The address of a point's first coordinate, and the step to the next.
fn place(map: &Map, first: Challenge, bits: u32) -> Result<(usize, Step), CodegenError> {
    let apart = || CodegenError::Inconsistent(format!("the coordinates from {first:?} on lie apart"));
    let address = |i: u32| map.challenge(first.after(i).ok_or_else(apart)?);
    let start = address(0)?;
    let step = if bits > 1 && address(1)? > start { Step::Up } else { Step::Down };
    for bit in 0..bits {
        let distance = 32 * bit as usize;
        let expected = match step {
            Step::Up => start + distance,
            _ => start - distance,
        };
        if address(bit)? != expected {
            return Err(apart());
        }
    }
    Ok((start, step))
}

/// The loop's data: entries, and cells of constants that stand for points.
#[derive(Debug, Default)]
pub(super) struct Table {
    bytes: Vec<u8>,
    /// Constants whose cells follow those of the results.
    constants: Vec<Word>,
}

impl Table {
    pub(super) fn new(map: &Map, matchings: &[Matching]) -> Result<Self, CodegenError> {
        let mut table = Self::default();
        for matching in matchings {
            table.push(map, matching, matchings.len())?;
        }
        Ok(table)
    }

    /// Number of cells that constants take.
    pub(super) fn constants(&self) -> usize {
        self.constants.len()
    }

    fn push(&mut self, map: &Map, matching: &Matching, results: usize) -> Result<(), CodegenError> {
        let (weights, step) = match matching.weights {
            Coordinates::From(first) => place(map, first, matching.bits)?,
            Coordinates::All(word) => {
                let known = self.constants.iter().position(|c| *c == word);
                let number = known.unwrap_or(self.constants.len());
                if known.is_none() {
                    self.constants.push(word);
                }
                (map.cell(results + number), Step::Still)
            }
        };
        let (address, Step::Down) = place(map, matching.address, matching.bits)? else {
            return Err(CodegenError::Inconsistent(format!(
                "{:?} comes before its neighbour",
                matching.address
            )));
        };
        let extent = if matching.extent == 1 << matching.bits { 0 } else { matching.extent };
        if weights.max(address) >= MOST_ADDRESS || extent >= MOST_EXTENT {
            return Err(CodegenError::Inconsistent(format!("{matching:?} does not fit into the table")));
        }
        self.bytes.extend((weights as u16 | (step as u16) << 14).to_be_bytes());
        self.bytes.extend((address as u16).to_be_bytes());
        self.bytes.extend((matching.bits << 24 | extent as u32).to_be_bytes());
        Ok(())
    }

    /// Writes the table, and all sums into the cells from the first on.
    pub(super) fn print(&self, text: &mut Text, map: &Map) {
        text.line("// Sums over an index of what two points weigh it with. A table of them: first point, second, bits, extent.");
        for (i, word) in self.bytes.chunks(ENTRY * PER_WORD).enumerate() {
            let (place, digits) = (at(map.buffer() + 32 * i), hex::encode(word));
            text.line(format_args!("mstore({place}, 0x{digits:0<64})"));
        }
        let results = self.bytes.len() / ENTRY;
        for (i, word) in self.constants.iter().enumerate() {
            text.line(format_args!("mstore({}, {})", at(map.cell(results + i)), literal(word)));
        }
        text.line(format_args!(
            "for {{ let e := {} let c := {} }} lt(c, {}) {{ e := add(e, {}) c := add(c, 32) }} {{ mstore(c, matching(shr(192, mload(e)), r)) }}",
            at(map.buffer()),
            at(map.cell(0)),
            at(map.cell(results)),
            at(ENTRY)
        ));
    }

    /// Bytes of memory that the table takes.
    pub(super) fn length(&self) -> usize {
        self.bytes.len().next_multiple_of(32)
    }
}

/// The function behind the loop.
pub(super) fn matching(text: &mut Text) {
    text.open("function matching(e, m) -> below {");
    text.line("let w := and(shr(48, e), 0x3fff)");
    text.line("let d := sub(shl(5, and(shr(62, e), 3)), 32)");
    text.line("let a := and(shr(32, e), 0xffff)");
    text.line("let n := and(e, 0xffffff)");
    text.line("// Of the bits so far: all indices, and those below the extent's.");
    text.line("let all := 1");
    text.open("for { let b := and(shr(24, e), 0xff) } b { b := sub(b, 1) } {");
    text.line("let x := mload(w)");
    text.line("let y := mload(a)");
    text.line("let p := mulmod(x, y, m)");
    text.line("let q := add(add(1, p), sub(add(m, m), add(x, y)))");
    text.line("switch and(n, 1)");
    text.line("case 0 { below := mulmod(q, below, m) }");
    text.line("default { below := addmod(mulmod(q, all, m), mulmod(p, below, m), m) }");
    text.line("all := mulmod(add(p, q), all, m)");
    text.line("n := shr(1, n)");
    text.line("w := add(w, d)");
    text.line("a := sub(a, 32)");
    text.close("}");
    text.line("if iszero(and(e, 0xffffff)) { below := all }");
    text.close("}");
}

/// Name of the function for [`zkml_protocol::sumcheck::Operation::RowPolynomial`].
pub(super) const ROWS: &str = "rows";
/// Name of the function for [`zkml_protocol::sumcheck::Operation::ReversedPolynomial`].
pub(super) const REVERSED: &str = "reversed";

/// A call of a [`product`].
pub(super) fn call(
    name: &str,
    map: &Map,
    from: Challenge,
    count: u32,
    x: &str,
) -> Result<String, CodegenError> {
    let (address, Step::Down) = place(map, from, count)? else {
        return Err(CodegenError::Inconsistent(format!("{from:?} comes before its neighbour")));
    };
    Ok(format!("{name}({}, {}, {x}, r)", at(address), at(address - 32 * count as usize)))
}

/// The product over coordinates `u`, from the lowest on, of a factor in `x^(2^k)` and `s = u (x^(2^k) − 1)`.
pub(super) fn product(text: &mut Text, name: &str, factor: &str) {
    text.open(format_args!("function {name}(u, end, x, m) -> product {{"));
    text.line("product := 1");
    text.line("for {} gt(u, end) { u := sub(u, 32) } {");
    text.open_body();
    text.line("let s := mulmod(mload(u), add(x, sub(m, 1)), m)");
    text.line(format_args!("product := mulmod(product, {factor}, m)"));
    text.line("x := mulmod(x, x, m)");
    text.close("}");
    text.close("}");
}
