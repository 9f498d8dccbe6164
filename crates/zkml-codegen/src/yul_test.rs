//! An interpreter of the straight-line Yul that the printers write, for tests.

use std::collections::HashMap;

use alloy_primitives::{U256, U512};
use zkml_protocol::{Word, field};

/// Deepest stack that the EVM's instructions reach, less what the verifier's locals take.
const REACH: usize = 11;

/// Memory, calldata and local variables.
#[derive(Default)]
pub(crate) struct Machine {
    /// Memory and calldata by the text of the reading expression, e.g. `mload(0x80)`.
    cells: HashMap<String, U256>,
    locals: HashMap<String, U256>,
}

impl Machine {
    pub(crate) fn set(&mut self, reader: &str, value: Word) {
        self.cells.insert(reader.to_owned(), U256::from_be_bytes(value.0));
    }

    pub(crate) fn get(&self, reader: &str) -> Word {
        Word(self.cells[reader].to_be_bytes())
    }

    pub(crate) fn run(&mut self, code: &str) {
        self.locals.insert("r".to_owned(), U256::from_be_bytes(field::SCALAR_MODULUS.0));
        for line in code.lines().map(str::trim) {
            if line.is_empty() || line.starts_with("//") || line == "{" || line == "}" {
                continue;
            }
            if let Some(rest) = line.strip_prefix("mstore(") {
                let (address, value) = rest.split_once(", ").unwrap();
                let value = value.strip_suffix(')').unwrap();
                let value = self.value(&mut Cursor::new(value), 0);
                self.cells.insert(format!("mload({address})"), value);
                continue;
            }
            let (name, value) = line.split_once(" := ").unwrap_or_else(|| panic!("statement {line}"));
            let value = self.value(&mut Cursor::new(value), 0);
            self.locals.insert(name.trim_start_matches("let ").to_owned(), value);
        }
    }

    /// Evaluates as the EVM does, last argument first; `depth` words of the stack are taken already.
    fn value(&self, cursor: &mut Cursor, depth: usize) -> U256 {
        assert!(depth <= REACH, "expression reaches too deep into the stack");
        let name = cursor.name();
        if !cursor.take('(') {
            return self.locals.get(&name).copied().unwrap_or_else(|| {
                name.parse().unwrap_or_else(|_| panic!("{name} is neither local nor number"))
            });
        }
        if name == "mload" || name == "calldataload" {
            let reader = format!("{name}({})", cursor.name());
            assert!(cursor.take(')'));
            return self.cells[&reader];
        }
        let starts = cursor.arguments();
        let mut values = vec![U256::ZERO; starts.len()];
        let mut end = cursor.at;
        for (taken, index) in (0..starts.len()).rev().enumerate() {
            let mut argument = Cursor { text: cursor.text.clone(), at: starts[index] };
            values[index] = self.value(&mut argument, depth + taken);
            if index + 1 == starts.len() {
                end = argument.at;
            }
        }
        cursor.at = end;
        assert!(cursor.take(')'));
        match (name.as_str(), values.as_slice()) {
            ("add", [a, b]) => a.checked_add(*b).expect("a sum left 256 bits"),
            ("sub", [a, b]) => a.checked_sub(*b).expect("a difference fell below zero"),
            ("mod", [a, m]) => a % m,
            ("addmod", [a, b, m]) => a.add_mod(*b, *m),
            ("mulmod", [a, b, m]) => {
                let product = U512::from(*a) * U512::from(*b);
                (product % U512::from(*m)).to()
            }
            other => panic!("{other:?}"),
        }
    }
}

/// A place in an expression.
struct Cursor {
    text: String,
    at: usize,
}

impl Cursor {
    fn new(text: &str) -> Self {
        Self { text: text.to_owned(), at: 0 }
    }

    fn take(&mut self, expected: char) -> bool {
        let found = self.text[self.at..].starts_with(expected);
        self.at += usize::from(found);
        found
    }

    fn name(&mut self) -> String {
        let rest = &self.text[self.at..];
        let len = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        self.at += len;
        rest[..len].to_owned()
    }

    /// Where each argument of the call starts whose parenthesis was just opened.
    fn arguments(&self) -> Vec<usize> {
        let mut starts = vec![self.at];
        let mut open = 0;
        for (index, c) in self.text[self.at..].char_indices() {
            match c {
                '(' => open += 1,
                ')' if open == 0 => break,
                ')' => open -= 1,
                ',' if open == 0 => starts.push(self.at + index + 2),
                _ => {}
            }
        }
        starts
    }
}
