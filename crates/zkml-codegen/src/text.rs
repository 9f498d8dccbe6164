//! Writes indented source text.

use std::fmt::Display;

use zkml_contracts::errors::SolError;

/// Length of a line of Solidity that a formatter leaves alone.
const LINE: usize = 120;

/// Source text under construction.
#[derive(Debug, Default)]
pub(crate) struct Text {
    out: String,
    depth: usize,
}

impl Text {
    /// Empty text whose lines start at this depth of indentation.
    pub(crate) fn at_depth(depth: usize) -> Self {
        Self { out: String::new(), depth }
    }

    /// One line; an empty one is not indented.
    pub(crate) fn line(&mut self, line: impl Display) {
        let line = line.to_string();
        if !line.is_empty() {
            self.out.extend(std::iter::repeat_n("    ", self.depth));
            self.out.push_str(&line);
        }
        self.out.push('\n');
    }

    /// An empty line and a comment: the headline of a section.
    pub(crate) fn section(&mut self, title: impl Display) {
        self.line("");
        self.line(format_args!("// {title}"));
    }

    /// A line that opens a block.
    pub(crate) fn open(&mut self, line: impl Display) {
        self.line(line);
        self.depth += 1;
    }

    /// A line that closes a block.
    pub(crate) fn close(&mut self, line: impl Display) {
        self.depth = self.depth.saturating_sub(1);
        self.line(line);
    }

    /// The head of a Solidity function, whose body it opens: on one line if that is not too long, else with its
    /// attributes on lines of their own.
    pub(crate) fn function(&mut self, head: &str, attributes: &[&str]) {
        let whole = format!("{head} {} {{", attributes.join(" "));
        if 4 * self.depth + whole.len() <= LINE {
            return self.open(whole);
        }
        self.open(head);
        attributes.iter().for_each(|attribute| self.line(attribute));
        self.close("{");
        self.open_body();
    }

    /// A constructor without a body, of a contract that hands all arguments on to its one base.
    pub(crate) fn empty_constructor(&mut self, arguments: &[&str], base: &str, values: &[&str]) {
        let (arguments, all) = (arguments.join(", "), values.join(", "));
        let whole = format!("constructor({arguments}) {base}({all}) {{}}");
        if self.fits(whole.len()) {
            return self.line(whole);
        }
        self.open(format_args!("constructor({arguments})"));
        self.list(&format!("{base}("), values, ")");
        self.close("{}");
    }

    /// True if a line of this many characters is not too long here.
    fn fits(&self, length: usize) -> bool {
        4 * self.depth + length <= LINE
    }

    /// `head args tail` with commas between the arguments: on one line if that is not too long, else the arguments on a line of
    /// their own, or on one each.
    pub(crate) fn list(&mut self, head: &str, args: &[impl AsRef<str>], tail: &str) {
        let args: Vec<&str> = args.iter().map(AsRef::as_ref).collect();
        let all = args.join(", ");
        if self.fits(head.len() + all.len() + tail.len()) {
            return self.line(format_args!("{head}{all}{tail}"));
        }
        self.open(head);
        if self.fits(all.len()) {
            self.line(all);
        } else {
            for (index, arg) in args.iter().enumerate() {
                self.line(format_args!("{arg}{}", if index + 1 < args.len() { "," } else { "" }));
            }
        }
        self.close(tail);
    }

    /// `target = value;`, on two lines if one is too short.
    pub(crate) fn assign(&mut self, target: &str, value: &str) {
        if self.fits(target.len() + value.len() + 4) {
            return self.line(format_args!("{target} = {value};"));
        }
        self.open(format_args!("{target} ="));
        self.line(format_args!("{value};"));
        self.depth -= 1;
    }

    /// `target = function(args);`, on as many lines as it takes.
    pub(crate) fn assign_call(&mut self, target: &str, function: &str, args: &[impl AsRef<str>]) {
        let args: Vec<&str> = args.iter().map(AsRef::as_ref).collect();
        let value = format!("{function}({})", args.join(", "));
        if self.fits(4 + value.len() + 1) {
            self.assign(target, &value);
        } else {
            self.list(&format!("{target} = {function}("), &args, ");");
        }
    }

    /// The head of a contract, whose body it opens.
    pub(crate) fn contract(&mut self, head: &str, bases: &[&str]) {
        let whole = format!("{head} is {} {{", bases.join(", "));
        if self.fits(whole.len()) {
            return self.open(whole);
        }
        self.open(format_args!("{head} is"));
        for (index, base) in bases.iter().enumerate() {
            self.line(format_args!("{base}{}", if index + 1 < bases.len() { "," } else { "" }));
        }
        self.close("{");
        self.open_body();
    }

    /// An import of one name.
    pub(crate) fn import(&mut self, name: &str, path: &str) {
        let whole = format!("import {{{name}}} from \"{path}\";");
        if self.fits(whole.len()) {
            return self.line(whole);
        }
        self.open("import {");
        self.line(name);
        self.close(format_args!("}} from \"{path}\";"));
    }

    /// `if (a && b && …) then;`, with as many of the conditions on a line as it has room for.
    pub(crate) fn if_all(&mut self, conditions: &[String], then: &str) {
        let all = conditions.join(" && ");
        if self.fits(all.len() + then.len() + 7) {
            return self.line(format_args!("if ({all}) {then};"));
        }
        self.open("if (");
        let (mut line, mut first) = (String::new(), true);
        for condition in conditions {
            if line.is_empty() {
                line.clone_from(condition);
            } else if self.fits(line.len() + condition.len() + 4) {
                line = format!("{line} && {condition}");
            } else {
                self.line(&line);
                self.depth += usize::from(std::mem::take(&mut first));
                line = format!("&& {condition}");
            }
        }
        self.line(&line);
        self.depth -= usize::from(!first);
        self.close(format_args!(") {then};"));
    }

    /// What follows belongs to the block that the last line has opened.
    pub(crate) fn open_body(&mut self) {
        self.depth += 1;
    }

    /// Lines that are indented already.
    pub(crate) fn raw(&mut self, lines: &str) {
        self.out.push_str(lines);
    }

    /// The text.
    pub(crate) fn finish(self) -> String {
        self.out
    }
}

/// Turns of a Horner scheme or factors of a product in one expression; each takes one more word of the EVM's stack.
const TURNS: usize = 4;

/// Leaves `Σ_i values_i · variable^(last − i)` modulo `r` in `target`, at most `2 · r`: highest power first.
///
/// In `add(value, mulmod(variable, …, r))` only `r` waits on the stack for the inner part.
pub(crate) fn horner(text: &mut Text, target: &str, variable: &str, values: &[String]) {
    let mut values = values.iter();
    let mut expression = values.next().map_or_else(|| "0".to_owned(), String::clone);
    let mut turns = 0;
    for value in values {
        if turns == TURNS {
            text.line(format_args!("{target} := {expression}"));
            expression = target.to_owned();
            turns = 0;
        }
        expression = format!("add({value}, mulmod({variable}, {expression}, r))");
        turns += 1;
    }
    text.line(format_args!("{target} := {expression}"));
}

/// `start · Π factors` modulo `r` as an expression; unreduced if there is no factor.
/// A long product is cut, and its beginning left in `target`.
pub(crate) fn product(text: &mut Text, target: &str, start: &str, factors: &[String]) -> String {
    let mut expression = start.to_owned();
    for (index, factor) in factors.iter().enumerate() {
        if index > 0 && index % TURNS == 0 {
            text.line(format_args!("{target} := {expression}"));
            expression = target.to_owned();
        }
        expression = format!("mulmod({factor}, {expression}, r)");
    }
    expression
}

/// A 32-byte word as a literal, short when it is small.
pub(crate) fn literal(word: &zkml_protocol::Word) -> String {
    match word.0.split_last_chunk::<8>() {
        Some((high, low)) if high.iter().all(|byte| *byte == 0) => {
            let value = u64::from_be_bytes(*low);
            if value < 1 << 16 { value.to_string() } else { format!("0x{value:x}") }
        }
        _ => format!("0x{}", hex::encode(word.0)),
    }
}

/// The declaration of a custom error.
pub(crate) fn declaration(error: &SolError) -> String {
    let args: Vec<_> = error.args.iter().map(|(ty, name)| format!("{ty} {name}")).collect();
    format!("error {}({});", error.name, args.join(", "))
}

/// An address or offset as a literal.
pub(crate) fn at(offset: usize) -> String {
    format!("0x{offset:x}")
}
