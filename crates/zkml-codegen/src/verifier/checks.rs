//! Prints the checks that come before any arithmetic: lengths, ranges, curve membership.

use zkml_contracts::errors::{self, SolError};
use zkml_protocol::{Element, Slot, field};

use super::Favour;
use crate::text::{Text, at, literal};

/// Calldata offset of the proof's bytes: behind selector, two offsets, length.
pub(crate) const PROOF: usize = 4 + 3 * 32;

/// Slots of the proof and number of instances: all that a caller sends.
#[derive(Debug)]
pub(crate) struct Input {
    /// Kind, number and offset in the proof of neighbouring elements, in the order of the proof.
    elements: Vec<(Element, usize, usize)>,
    /// Bytes of the proof.
    pub(crate) length: usize,
    /// Number of instances.
    pub(crate) instances: usize,
    /// The preference between gas and code.
    pub(crate) favour: Favour,
}

impl Input {
    pub(crate) fn new<Id>(slots: &[Slot<Id>], instances: usize, favour: Favour) -> Self {
        let elements = slots.iter().map(|slot| (slot.element, slot.count, slot.offset)).collect();
        Self { elements, length: slots.last().map_or(0, Slot::end), instances, favour }
    }

    /// Calldata offset of the first instance.
    pub(crate) fn instances_at(&self) -> usize {
        PROOF + self.length + 32
    }

    /// The only calldata size that is accepted.
    fn calldata_size(&self) -> usize {
        self.instances_at() + 32 * self.instances
    }
}

/// A call of the helper that reverts with `error`.
pub(crate) fn fail(error: &SolError, args: &[&str]) -> String {
    let selector = format!("0x{}", hex::encode(error.selector()));
    match args {
        [] => format!("fail({selector})"),
        [only] => format!("fail1({selector}, {only})"),
        [first, second, ..] => format!("fail2({selector}, {first}, {second})"),
    }
}

/// Yul functions that revert with a custom error.
pub(crate) fn helpers(text: &mut Text) {
    for (name, args) in [("fail", ""), ("fail1", ", a"), ("fail2", ", a, b")] {
        text.open(format_args!("function {name}(selector{args}) {{"));
        text.line("mstore(0, shl(224, selector))");
        let words = args.matches(',').count();
        for (index, arg) in ["a", "b"].iter().take(words).enumerate() {
            text.line(format_args!("mstore({}, {arg})", at(4 + 32 * index)));
        }
        text.line(format_args!("revert(0, {})", at(4 + 32 * words)));
        text.close("}");
    }
}

/// Prints the beginning of every verifier: helpers, room in memory from `free` on, exact calldata.
pub(crate) fn beginning(text: &mut Text, input: &Input, free: usize) {
    helpers(text);
    room(text, free);
    calldata(text, input);
    text.line("");
}

/// The compiler must have left the memory from `free` on alone.
pub(crate) fn room(text: &mut Text, free: usize) {
    text.section(format_args!("All memory from {} on is free: nothing was allocated there.", at(free)));
    text.line(format_args!("if gt(mload(0x40), {}) {{ {} }}", at(free), fail(&errors::MEMORY_IN_USE, &[])));
}

/// The calldata must be exactly what the ABI's canonical encoding gives.
fn calldata(text: &mut Text, input: &Input) {
    let length = input.length;
    text.section("Exact lengths, and the one canonical encoding: every byte of calldata has one meaning.");
    let pairs = [
        ("proof.length", length, errors::WRONG_PROOF_LENGTH),
        ("instances.length", input.instances, errors::WRONG_INSTANCE_COUNT),
    ];
    for (actual, expected, error) in pairs {
        let expected = expected.to_string();
        let fail = fail(&error, &[actual, &expected]);
        text.line(format_args!("if iszero(eq({actual}, {expected})) {{ {fail} }}"));
    }
    text.open("if iszero(and(");
    text.line(format_args!("eq(calldatasize(), {}),", at(input.calldata_size())));
    text.line(format_args!(
        "and(eq(proof.offset, {}), eq(instances.offset, {}))",
        at(PROOF),
        at(input.instances_at())
    ));
    text.close(format_args!(")) {{ {} }}", fail(&errors::NON_CANONICAL_CALLDATA, &[])));
}

/// A run of equal elements in the proof: byte offset in calldata and count.
struct Run {
    start: usize,
    count: usize,
}

/// Neighbouring slots of one kind, merged.
fn runs(input: &Input, of: Element) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (_, count, offset) in input.elements.iter().filter(|(element, count, _)| *element == of && *count > 0)
    {
        let start = PROOF + offset;
        match runs.last_mut() {
            Some(run) if run.start + run.count * of.size() == start => run.count += count,
            _ => runs.push(Run { start, count: *count }),
        }
    }
    runs
}

/// All scalars are below `r`.
pub(crate) fn scalars(text: &mut Text, input: &Input) {
    text.section("Instances and evaluations below r: no number has two spellings.");
    let mut all = runs(input, Element::Scalar);
    let instances = Run { start: input.instances_at(), count: input.instances };
    text.line("let ok := 1");
    for run in all.iter().chain(std::iter::once(&instances)) {
        in_range(text, input, run);
    }
    // The slow way is walked only to name the culprit.
    text.open("if iszero(ok) {");
    all.push(instances);
    let last = all.len() - 1;
    for (index, run) in all.iter().enumerate() {
        let end = run.start + 32 * run.count;
        let (name, arg) = if index == last {
            (errors::SCALAR_OUT_OF_RANGE, format!("shr(5, sub(p, {}))", at(run.start)))
        } else {
            (errors::EVALUATION_OUT_OF_RANGE, format!("sub(p, {})", at(PROOF)))
        };
        text.line(format_args!(
            "for {{ let p := {} }} lt(p, {}) {{ p := add(p, 32) }} {{ if iszero(lt(calldataload(p), r)) {{ {} }} }}",
            at(run.start),
            at(end),
            fail(&name, &[&arg])
        ));
    }
    text.close("}");
}

/// All points are canonical, on the curve `y² = x³ + 3`, and not the identity (which is not on it).
pub(crate) fn points(text: &mut Text, input: &Input) {
    let all = runs(input, Element::Point);
    text.section("Points on the curve, before any precompile could burn gas on them. (0, 0) is not on it.");
    text.open("{");
    text.line(format_args!("let q := {}", literal(&field::BASE_MODULUS)));
    for run in &all {
        on_curve(text, input, run);
    }
    text.open("if iszero(ok) {");
    for run in &all {
        text.open(format_args!(
            "for {{ let p := {} }} lt(p, {}) {{ p := add(p, 64) }} {{",
            at(run.start),
            at(run.start + 64 * run.count)
        ));
        text.line("let x := calldataload(p)");
        text.line("let y := calldataload(add(p, 32))");
        let fail = fail(&errors::INVALID_POINT, &[&format!("sub(p, {})", at(PROOF))]);
        text.line(format_args!("if iszero({}) {{ {fail} }}", point_check("1")));
        text.close("}");
    }
    text.close("}");
    text.close("}");
}

/// `x` and `y` are canonical and on the curve, and `besides` holds.
fn point_check(besides: &str) -> String {
    let curve = "eq(mulmod(y, y, q), addmod(mulmod(x, mulmod(x, x, q), q), 3, q))";
    format!("and(lt(x, q), and(lt(y, q), and({besides}, {curve})))")
}

/// Elements that are checked in one turn of a loop.
const TURN: usize = 4;
/// Up to this many range checks are printed without a loop.
const FLAT: usize = 96;

/// Range checks of a run, several in one expression.
fn in_range(text: &mut Text, input: &Input, run: &Run) {
    let check = |at: String, rest: String| format!("and(lt(calldataload({at}), r), {rest})");
    let flat = if input.favour == Favour::Gas { FLAT } else { TURN };
    let looped = if run.count > flat { run.count / TURN * TURN } else { 0 };
    if looped > 0 {
        open_loop(text, run, 32, looped, TURN);
        let all = (0..TURN).fold("ok".to_owned(), |rest, i| check(format!("add(p, {})", at(32 * i)), rest));
        text.line(format_args!("ok := {all}"));
        text.close("}");
    }
    let rest: Vec<usize> = (looped..run.count).map(|index| run.start + 32 * index).collect();
    for chunk in rest.chunks(TURN) {
        let all = chunk.iter().fold("ok".to_owned(), |rest, offset| check(at(*offset), rest));
        text.line(format_args!("ok := {all}"));
    }
}

/// Curve checks of a run of points.
fn on_curve(text: &mut Text, input: &Input, run: &Run) {
    let check = |text: &mut Text, p: &str, next: &str| {
        text.open("{");
        text.line(format_args!("let x := calldataload({p})"));
        text.line(format_args!("let y := calldataload({next})"));
        text.line(format_args!("ok := {}", point_check("ok")));
        text.close("}");
    };
    let turn = if input.favour == Favour::Gas { TURN } else { 1 };
    let looped = if run.count >= 2 * turn { run.count / turn * turn } else { 0 };
    if looped > 0 {
        open_loop(text, run, 64, looped, turn);
        for index in 0..turn {
            let x = if index == 0 { "p".to_owned() } else { format!("add(p, {})", at(64 * index)) };
            check(text, &x, &format!("add(p, {})", at(64 * index + 32)));
        }
        text.close("}");
    }
    for index in looped..run.count {
        let offset = run.start + 64 * index;
        check(text, &at(offset), &at(offset + 32));
    }
}

/// A loop whose `p` walks over the first `count` elements of `size` bytes, `turn` of them a turn.
fn open_loop(text: &mut Text, run: &Run, size: usize, count: usize, turn: usize) {
    text.open(format_args!(
        "for {{ let p := {} }} lt(p, {}) {{ p := add(p, {}) }} {{",
        at(run.start),
        at(run.start + size * count),
        at(size * turn)
    ));
}
