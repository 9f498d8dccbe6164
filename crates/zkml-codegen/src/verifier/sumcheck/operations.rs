//! Prints the operations of the equations: expressions where a value is read once, memory where more often.

use std::collections::HashMap;

use zkml_protocol::{
    Word, field,
    sumcheck::{Challenge, Equations, Matching, Node, Operation, Rounds, SlotId},
};

use super::{loops, memory::Map, rest};
use crate::{
    CodegenError,
    text::{Text, at, literal},
};

/// Bounds are counted in thousandths of `r`; a sum must stay below `2^256`, which is more than five times `r`.
const WHOLE: u32 = 1000;
const MOST: u32 = 5 * WHOLE;
/// Words of the stack that an expression may take; the EVM reaches sixteen, locals take some.
const DEPTH: u32 = 8;

/// Constants whose text is longer are long.
const LONG: usize = 24;

/// After so many writes comes one to an address that the compiler does not know to be the scratch space: else it would
/// remember all values in variables, of which it would have far too many.
const BARRIER: usize = 8;

/// An expression.
#[derive(Clone, Debug)]
struct Expression {
    text: String,
    /// Inclusive bound of its value.
    bound: u32,
    /// Words of the stack that it takes.
    depth: u32,
    /// Values with a cell that it reads, each as often as it does.
    reads: Vec<usize>,
}

impl Expression {
    /// Reads no cell and takes one word.
    fn leaf(text: String, bound: u32) -> Self {
        Self { text, bound, depth: 1, reads: vec![] }
    }

    /// Another expression around this one.
    fn around(self, text: String, depth: u32) -> Self {
        Self { text, bound: WHOLE, depth, ..self }
    }

    /// An expression of both, that of `last` being evaluated first.
    fn both(first: Self, mut last: Self, text: String, bound: u32, depth: u32) -> Self {
        last.reads.extend(first.reads);
        Self { text, bound, depth, reads: last.reads }
    }
}

/// Which operations get a cell of memory, and what is known of each.
pub(super) struct Operations<'a> {
    equations: &'a Equations,
    map: &'a Map,
    /// How often each is read by what is needed.
    uses: Vec<u32>,
    /// The last that reads each; none for what terms read, which comes after all.
    last: Vec<Option<usize>>,
    /// Distance of the calldata here from where a caller has put it.
    shift: usize,
    /// The expression that reads each value; of those with a cell once it is written.
    readers: HashMap<usize, Expression>,
    /// Cells that nothing reads any more.
    free: Vec<usize>,
    /// Cells so far.
    cells: usize,
    /// Values kept so far.
    kept: usize,
    /// The cell of a value, and how many reads are left.
    held: HashMap<usize, (usize, u32)>,
}

impl<'a> Operations<'a> {
    pub(super) fn new(equations: &'a Equations, map: &'a Map) -> Self {
        let mut uses = vec![0u32; equations.operations.len()];
        let mut last = vec![Some(0); equations.operations.len()];
        for root in equations.roots() {
            uses[root.index()] += 1;
            last[root.index()] = None;
        }
        for (index, operation) in equations.operations.iter().enumerate().rev() {
            if uses[index] > 0 {
                for operand in operation.operands() {
                    uses[operand.index()] += 1;
                    last[operand.index()] = last[operand.index()].map(|known| known.max(index));
                }
            }
        }
        Self {
            equations,
            map,
            uses,
            last,
            shift: 0,
            readers: HashMap::new(),
            free: vec![],
            cells: 0,
            kept: 0,
            held: HashMap::new(),
        }
    }

    /// The expression of a root, once all is printed.
    pub(super) fn root(&self, node: Node) -> Result<String, CodegenError> {
        self.read(node).map(|expression| expression.text)
    }

    /// The number of operations that are needed, values that are there already left out.
    pub(super) fn needed(equations: &Equations, map: &Map) -> usize {
        let found = Operations::new(equations, map);
        let computed =
            equations.operations.iter().zip(&found.uses).filter(|(o, uses)| **uses > 0 && o.is_computed());
        computed.count()
    }

    /// The operation before which this many that are needed have been printed.
    pub(super) fn after(&self, count: usize) -> usize {
        let computed =
            |(index, operation): &(usize, &Operation)| self.uses[*index] > 0 && operation.is_computed();
        let mut found = self.equations.operations.iter().enumerate().filter(computed);
        found.nth(count).map_or(self.equations.operations.len(), |(index, _)| index)
    }

    /// Prints all that is needed, operands first.
    pub(super) fn print(&mut self, text: &mut Text) -> Result<(), CodegenError> {
        self.beginning(text)?;
        self.run(text, 0..self.equations.operations.len())
    }

    /// Prints the same in two contracts, from operation `cut` on in the second, and what sends values there and back.
    pub(super) fn print_both(
        &mut self,
        first: &mut Text,
        second: &mut Text,
        cut: usize,
    ) -> Result<(), CodegenError> {
        self.beginning(first)?;
        self.run(first, 0..cut)?;
        self.hand_over(first, cut);
        self.shift = rest::SHIFT;
        let mut inside = Text::at_depth(3);
        self.run(&mut inside, cut..self.equations.operations.len())?;
        self.hand_over(&mut inside, self.equations.operations.len());
        self.functions(&mut inside);
        self.shift = 0;
        rest::call(first, self.map, self.cells);
        rest::frame(second, self.map, self.cells, &inside.finish());
        Ok(())
    }

    /// Gives a cell to whatever is read from operation `next` on, and forgets all other expressions.
    fn hand_over(&mut self, text: &mut Text, next: usize) {
        let mut waiting: Vec<usize> = self.readers.keys().copied().collect();
        waiting.sort_unstable();
        for index in waiting {
            let read = self.last[index].is_none_or(|last| last >= next);
            let in_cell = self.held.get(&index).is_some_and(|(_, left)| *left > 0);
            if !read || in_cell || !self.equations.operations[index].is_computed() {
                continue;
            }
            if let Some(expression) = self.readers.remove(&index) {
                self.keep(text, index, &expression);
            }
        }
        let held = &self.held;
        self.readers.retain(|index, _| held.get(index).is_some_and(|(_, left)| *left > 0));
    }

    fn beginning(&mut self, text: &mut Text) -> Result<(), CodegenError> {
        text.section(
            "The equations: claims of both sumchecks, their functionals at the last point, the opening.",
        );
        self.matchings(text)
    }

    fn run(&mut self, text: &mut Text, range: std::ops::Range<usize>) -> Result<(), CodegenError> {
        let equations = self.equations;
        for index in range {
            let operation = &equations.operations[index];
            if self.uses[index] == 0 {
                continue;
            }
            let expression = match operation {
                Operation::Constant(_)
                | Operation::Instance(_)
                | Operation::Scalar(..)
                | Operation::Challenge(_) => self.given(operation)?,
                Operation::Add(a, b) => sum(self.read(*a)?, self.read(*b)?),
                Operation::Sub(a, b) => difference(self.read(*a)?, self.read(*b)?),
                Operation::Mul(a, b) => product(self.read(*a)?, self.read(*b)?),
                Operation::Rounds(which, claim) => {
                    let claim = self.read(*claim)?;
                    self.rounds(text, index, *which, &claim)?;
                    continue;
                }
                // They are in their cells.
                Operation::Matching(_) => continue,
                Operation::RowPolynomial(from, count, x) | Operation::ReversedPolynomial(from, count, x) => {
                    let name = match operation {
                        Operation::RowPolynomial(..) => loops::ROWS,
                        _ => loops::REVERSED,
                    };
                    let x = self.read(*x)?;
                    let text_of = loops::call(name, self.map, *from, *count, &x.text)?;
                    self.keep(text, index, &x.around(text_of, DEPTH));
                    continue;
                }
            };
            // A long constant is written out once: reading a cell takes four bytes instead of 33.
            let long = expression.text.len() > LONG;
            let kept = (!operation.operands().is_empty() || long) && self.uses[index] > 1;
            if kept || expression.depth > DEPTH {
                self.keep(text, index, &expression);
            } else {
                self.readers.insert(index, expression);
            }
        }
        Ok(())
    }

    /// All sums over matches of points, into the first cells.
    fn matchings(&mut self, text: &mut Text) -> Result<(), CodegenError> {
        let used = |(index, operation): (usize, &Operation)| match operation {
            Operation::Matching(matching) if self.uses[index] > 0 => Some((index, *matching)),
            _ => None,
        };
        let found: Vec<_> = self.equations.operations.iter().enumerate().filter_map(used).collect();
        if found.is_empty() {
            return Ok(());
        }
        let matchings: Vec<Matching> = found.iter().map(|(_, matching)| *matching).collect();
        let table = loops::Table::new(self.map, &matchings)?;
        if self.map.buffer() + table.length() > self.map.challenges_at() {
            return Err(CodegenError::Inconsistent(
                "a table is longer than what lies in front of it".to_owned(),
            ));
        }
        table.print(text, self.map);
        for (cell, (index, _)) in found.iter().enumerate() {
            self.held.insert(*index, (cell, self.uses[*index]));
            let mut reader = Expression::leaf(format!("mload({})", at(self.map.cell(cell))), WHOLE);
            reader.reads.push(*index);
            self.readers.insert(*index, reader);
        }
        self.cells = found.len() + table.constants();
        Ok(())
    }

    /// The functions that have been called.
    pub(super) fn functions(&self, text: &mut Text) {
        let used = |wanted: fn(&Operation) -> bool| {
            self.equations.operations.iter().zip(&self.uses).any(|(o, uses)| *uses > 0 && wanted(o))
        };
        if used(|o| matches!(o, Operation::Matching(_))) {
            loops::matching(text);
        }
        if used(|o| matches!(o, Operation::RowPolynomial(..))) {
            loops::product(text, loops::ROWS, "add(1, s)");
        }
        if used(|o| matches!(o, Operation::ReversedPolynomial(..))) {
            loops::product(text, loops::REVERSED, "add(x, sub(m, s))");
        }
    }

    fn calldata(&self, offset: usize) -> Expression {
        Expression::leaf(format!("calldataload({})", at(offset - self.shift)), WHOLE)
    }

    /// A value that is there already.
    fn given(&self, operation: &Operation) -> Result<Expression, CodegenError> {
        Ok(match operation {
            Operation::Constant(word) => constant(word),
            Operation::Instance(i) => self.calldata(self.map.input.instances_at() + 32 * *i as usize),
            Operation::Scalar(slot, i) => self.calldata(self.map.element(*slot, *i)?),
            Operation::Challenge(which) => {
                Expression::leaf(format!("mload({})", at(self.map.challenge(*which)?)), WHOLE)
            }
            _ => return Err(CodegenError::Inconsistent("an operation comes before its operand".to_owned())),
        })
    }

    /// The expression of an operand.
    fn read(&self, node: Node) -> Result<Expression, CodegenError> {
        match (self.readers.get(&node.index()), self.equations.operations.get(node.index())) {
            (Some(found), _) => Ok(found.clone()),
            (None, Some(operation)) => self.given(operation),
            (None, None) => Err(CodegenError::Inconsistent("an operation is missing".to_owned())),
        }
    }

    /// Gives a value a cell. Its expression is evaluated before the cell is written, so it may be one that it reads last.
    fn keep(&mut self, text: &mut Text, index: usize, expression: &Expression) {
        self.release(expression);
        let cell = self.free.pop().unwrap_or_else(|| {
            self.cells += 1;
            self.cells - 1
        });
        self.held.insert(index, (cell, self.uses[index]));
        let address = at(self.map.cell(cell));
        text.line(format_args!("mstore({address}, {})", expression.text));
        self.kept += 1;
        if self.kept.is_multiple_of(BARRIER) {
            text.line("mstore(z, 0)");
        }
        let mut reader = Expression::leaf(format!("mload({address})"), expression.bound);
        reader.reads.push(index);
        self.readers.insert(index, reader);
    }

    /// An expression has been printed: cells that nothing else reads are free.
    fn release(&mut self, expression: &Expression) {
        for index in &expression.reads {
            if let Some((cell, left)) = self.held.get_mut(index) {
                *left -= 1;
                if *left == 0 {
                    self.free.push(*cell);
                }
            }
        }
    }

    /// One loop for each run of rounds of one degree.
    fn rounds(
        &mut self,
        text: &mut Text,
        index: usize,
        which: Rounds,
        claim: &Expression,
    ) -> Result<(), CodegenError> {
        let name = if which == Rounds::First { "first" } else { "second" };
        text.line(format_args!("// Rounds of the {name} sumcheck."));
        text.line(format_args!("t := {}", claim_of_rounds(claim)));
        for run in self.runs(which)? {
            round_loop(text, &run);
        }
        self.release(claim);
        self.keep(text, index, &Expression::leaf("t".to_owned(), WHOLE));
        Ok(())
    }

    fn runs(&self, which: Rounds) -> Result<Vec<Run>, CodegenError> {
        let mut runs: Vec<Run> = Vec::new();
        for slot in self.map.layout.slots() {
            let challenge = match (which, slot.id) {
                (Rounds::First, SlotId::First(v)) => Challenge::First(v),
                (Rounds::Second, SlotId::Second(v)) => Challenge::Second(v),
                _ => continue,
            };
            match runs.last_mut() {
                Some(run) if run.words == slot.count => run.count += 1,
                _ => runs.push(Run {
                    words: slot.count,
                    count: 1,
                    proof: self.map.element(slot.id, 0)? - self.shift,
                    challenge: self.map.challenge(challenge)?,
                }),
            }
        }
        Ok(runs)
    }
}

/// Rounds of one degree, one after the other in the proof.
struct Run {
    /// Words that each sends.
    words: usize,
    count: usize,
    /// Calldata offset of the first word.
    proof: usize,
    /// Address of the first challenge.
    challenge: usize,
}

/// The words of a round are the coefficients but the linear one, the constant first.
fn round_loop(text: &mut Text, run: &Run) {
    text.open(format_args!(
        "for {{ let p := {} let c := {} }} lt(p, {}) {{ p := add(p, {}) c := add(c, 32) }} {{",
        at(run.proof),
        at(run.challenge),
        at(run.proof + 32 * run.words * run.count),
        at(32 * run.words)
    ));
    let word = |index: usize| match index {
        0 => "calldataload(p)".to_owned(),
        _ => format!("calldataload(add(p, {}))", at(32 * index)),
    };
    text.line("let x := mload(c)");
    text.line("let a := calldataload(p)");
    text.line("// The linear coefficient: the claim less the constant twice and all others.");
    text.line("let s := addmod(a, a, r)");
    for index in 1..run.words {
        text.line(format_args!("s := addmod({}, s, r)", word(index)));
    }
    text.line("t := add(t, sub(r, s))");
    if run.words > 1 {
        text.line(format_args!("s := {}", word(run.words - 1)));
        for index in (1..run.words - 1).rev() {
            text.line(format_args!("s := add({}, mulmod(x, s, r))", word(index)));
        }
        text.line("t := add(t, mulmod(x, s, r))");
    }
    text.line("t := addmod(a, mulmod(x, t, r), r)");
    text.close("}");
}

fn constant(word: &Word) -> Expression {
    let negative = field::neg(*word);
    let small = |w: &Word| w.0.iter().take(24).all(|byte| *byte == 0);
    match (small(word), small(&negative)) {
        (true, _) => Expression::leaf(literal(word), 1),
        (_, true) => {
            let text = format!("sub(r, {})", literal(&negative));
            Expression { depth: 2, ..Expression::leaf(text, WHOLE) }
        }
        _ => Expression::leaf(literal(word), WHOLE),
    }
}

/// The deeper operand is evaluated first, which is the last in the text.
fn ordered(a: Expression, b: Expression) -> (Expression, Expression) {
    if a.depth > b.depth { (b, a) } else { (a, b) }
}

/// Bound of a claim before its first round, which adds two values below `r` to it.
const CLAIM: u32 = MOST - 2 * WHOLE;

/// A claim within that bound.
fn claim_of_rounds(claim: &Expression) -> String {
    if claim.bound > CLAIM { format!("mod({}, r)", claim.text) } else { claim.text.clone() }
}

fn sum(a: Expression, b: Expression) -> Expression {
    let (first, last) = ordered(a, b);
    let bound = first.bound + last.bound;
    if bound <= MOST {
        let depth = last.depth.max(1 + first.depth);
        let text = format!("add({}, {})", first.text, last.text);
        return Expression::both(first, last, text, bound, depth);
    }
    let depth = (1 + last.depth).max(2 + first.depth);
    let text = format!("addmod({}, {}, r)", first.text, last.text);
    Expression::both(first, last, text, WHOLE, depth)
}

fn difference(a: Expression, b: Expression) -> Expression {
    let b = if b.bound > WHOLE {
        let (text, depth) = (format!("mod({}, r)", b.text), 1 + b.depth);
        b.around(text, depth)
    } else {
        b
    };
    let (text, depth) = (format!("sub(r, {})", b.text), b.depth.max(2));
    let negated = b.around(text, depth);
    if a.text == "0" { negated } else { sum(a, negated) }
}

fn product(a: Expression, b: Expression) -> Expression {
    let (first, last) = ordered(a, b);
    let depth = (1 + last.depth).max(2 + first.depth);
    let text = format!("mulmod({}, {}, r)", first.text, last.text);
    Expression::both(first, last, text, WHOLE, depth)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A round adds what is left of `r`, and a product: with a larger claim that could reach `2^256`.
    #[test]
    fn claims_leave_room_for_what_a_round_adds() {
        for terms in 1..=MOST / WHOLE {
            let claim = Expression::leaf("c".to_owned(), terms * WHOLE);
            let reduced = claim_of_rounds(&claim) == "mod(c, r)";
            let bound = if reduced { WHOLE } else { claim.bound };
            assert!(bound + 2 * WHOLE <= MOST, "{terms}");
            assert!(reduced || claim_of_rounds(&claim) == "c");
        }
        // That is what rounds look like.
        let (mut text, run) = (Text::at_depth(0), Run { words: 2, count: 1, proof: 0x64, challenge: 0x80 });
        round_loop(&mut text, &run);
        let printed = text.finish();
        assert_eq!(printed.matches("t := add(t, ").count(), 2, "{printed}");
    }
}
