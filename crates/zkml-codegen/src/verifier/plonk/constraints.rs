//! Prints the constraint graph as nested Yul expressions.
//!
//! Three things keep it cheap and compilable: sums are reduced only when they could leave 256 bits,
//! a shared node is kept in memory when that is cheaper than repeating it, and an expression
//! that would nest deeper than the EVM's stack reaches is cut and kept in memory too.

use zkml_protocol::plonk::{Challenge, Constraints, Node, NodeId};

use super::memory::{Cell, Map};
use crate::{
    CodegenError,
    text::{Text, literal},
};

/// Sums stay below `5 · r < 2^256`.
const MAX_BOUND: u32 = 5;
/// Deepest use of the stack by one expression; the EVM reaches 16 words, and locals need their share.
const MAX_DEPTH: u32 = 8;
/// Gas of writing a memory word and of reading one.
const STORE: u32 = 6;
const LOAD: u32 = 6;

/// A printed value.
#[derive(Debug, Clone)]
struct Value {
    code: String,
    /// The value is at most `bound · r`.
    bound: u32,
    /// Words of the stack needed to compute it.
    depth: u32,
}

/// Prints the nodes of one constraint graph in order; operands come before their readers.
struct Printer<'a> {
    /// What was printed for the nodes so far.
    values: Vec<Value>,
    text: &'a mut Text,
    map: &'a mut Map,
    /// Number of the next memory cell for a kept value.
    kept: u32,
}

/// Folds all identities by powers of `y` and leaves the quotient's value in its cell.
pub(crate) fn print(text: &mut Text, map: &mut Map, constraints: &Constraints) -> Result<(), CodegenError> {
    text.section("Constraints at x, folded by powers of y; over x^n - 1 they are the quotient's value.");
    text.open("{");
    let y = map.load(Cell::Challenge(Challenge::Y));
    text.line(format_args!("let y := {y}"));
    let mut printer = Printer { values: Vec::new(), text, map, kept: 0 };
    for (node, shared) in constraints.nodes.iter().zip(shared(constraints)) {
        let value = printer.compute(*node)?;
        let value = if shared { printer.keep(value) } else { value };
        printer.values.push(value);
    }
    for (index, identity) in constraints.identities.iter().enumerate() {
        let value = printer.value(identity.node)?;
        let value = printer.at_most(value, MAX_BOUND - 1);
        if index == 0 {
            printer.text.line(format_args!("let acc := {}", value.code));
        } else {
            printer.text.line(format_args!("acc := add(mulmod(acc, y, r), {})", value.code));
        }
    }
    let inverse = map.load(Cell::Vanishing);
    text.line(map.store(Cell::Quotient, &format!("mulmod(acc, {inverse}, r)")));
    text.close("}");
    Ok(())
}

/// Decides which nodes are kept: those for which writing once and reading is cheaper than computing each time.
fn shared(constraints: &Constraints) -> Vec<bool> {
    let uses = constraints.uses();
    let mut cost: Vec<u32> = Vec::with_capacity(uses.len());
    let mut shared = Vec::with_capacity(uses.len());
    for (node, uses) in constraints.nodes.iter().zip(uses) {
        let of = |id: &NodeId| cost.get(id.index()).copied().unwrap_or(LOAD);
        let once = match node {
            Node::Constant(_) => 3,
            Node::Neg(a) => of(a).saturating_add(6),
            Node::Add(a, b) => of(a).saturating_add(of(b)).saturating_add(3),
            Node::Sub(a, b) => of(a).saturating_add(of(b)).saturating_add(9),
            Node::Mul(a, b) => of(a).saturating_add(of(b)).saturating_add(11),
            _ => LOAD,
        };
        let kept = once.saturating_add(STORE).saturating_add(uses.saturating_mul(LOAD));
        let keep = node.operands().next().is_some() && uses > 1 && kept < once.saturating_mul(uses);
        cost.push(if keep { LOAD } else { once });
        shared.push(keep);
    }
    shared
}

impl Printer<'_> {
    fn value(&self, id: NodeId) -> Result<Value, CodegenError> {
        let missing = || CodegenError::Inconsistent(format!("constraint node {} does not exist", id.0));
        self.values.get(id.index()).cloned().ok_or_else(missing)
    }

    fn compute(&mut self, node: Node) -> Result<Value, CodegenError> {
        let leaf = |code: String| Ok(Value { code, bound: 1, depth: 1 });
        match node {
            Node::Constant(value) => leaf(literal(&value)),
            Node::Eval(eval) => leaf(self.map.eval(eval)?),
            Node::Instance => leaf(self.map.load(Cell::Instance)),
            Node::Challenge(challenge) => leaf(self.map.load(Cell::Challenge(challenge))),
            Node::LagrangeFirst => leaf(self.map.load(Cell::LagrangeFirst)),
            Node::LagrangeLast => leaf(self.map.load(Cell::LagrangeLast)),
            Node::LagrangeActive => leaf(self.map.load(Cell::LagrangeActive)),
            Node::Neg(a) => {
                let a = self.value(a)?;
                Ok(self.negate(a))
            }
            Node::Add(a, b) => {
                let (a, b) = (self.value(a)?, self.value(b)?);
                Ok(self.sum(a, b))
            }
            Node::Sub(a, b) => {
                let (a, b) = (self.value(a)?, self.value(b)?);
                let b = self.negate(b);
                Ok(self.sum(a, b))
            }
            Node::Mul(a, b) => {
                let (a, b) = (self.value(a)?, self.value(b)?);
                let (first, second) = by_depth(a, b);
                let depth = 2.max(second.depth + 1).max(first.depth + 2);
                let code = format!("mulmod({}, {}, r)", first.code, second.code);
                Ok(self.cut(Value { code, bound: 1, depth }))
            }
        }
    }

    fn sum(&mut self, a: Value, b: Value) -> Value {
        let bound = a.bound + b.bound;
        let (a, b) = by_depth(a, b);
        let depth = b.depth.max(a.depth + 1);
        if bound <= MAX_BOUND {
            return self.cut(Value { code: format!("add({}, {})", a.code, b.code), bound, depth });
        }
        let code = format!("addmod({}, {}, r)", a.code, b.code);
        self.cut(Value { code, bound: 1, depth: depth + 1 })
    }

    /// `r − a`, at most `r`.
    fn negate(&mut self, a: Value) -> Value {
        let a = self.at_most(a, 1);
        let depth = a.depth.max(2);
        self.cut(Value { code: format!("sub(r, {})", a.code), bound: 1, depth })
    }

    fn at_most(&mut self, value: Value, bound: u32) -> Value {
        if value.bound <= bound {
            return value;
        }
        let depth = value.depth + 1;
        self.cut(Value { code: format!("mod({}, r)", value.code), bound: 1, depth })
    }

    /// Keeps a value in memory if computing it in place would reach too deep.
    fn cut(&mut self, value: Value) -> Value {
        if value.depth <= MAX_DEPTH {
            return value;
        }
        self.keep(value)
    }

    /// Writes a value to memory and reads it from there.
    fn keep(&mut self, value: Value) -> Value {
        let cell = Cell::Shared(self.kept);
        self.kept += 1;
        let store = self.map.store(cell, &value.code);
        self.text.line(store);
        Value { code: self.map.load(cell), bound: value.bound, depth: 1 }
    }
}

/// Orders the operands of a commutative operation: Yul evaluates the last one first, so the deeper goes there.
fn by_depth(a: Value, b: Value) -> (Value, Value) {
    if a.depth > b.depth { (b, a) } else { (a, b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Favour;
    use crate::yul_test::Machine;
    use zkml_protocol::{
        Word, field, keccak256,
        plonk::{Eval, ExprBuilder, Sample},
    };

    fn sample() -> Sample {
        serde_json::from_str(include_str!("../../../../../tests/fixtures/protocol/plain.json")).unwrap()
    }

    /// A deterministic stream of numbers.
    struct Dice(Word);

    impl Dice {
        fn word(&mut self) -> Word {
            self.0 = keccak256([self.0.as_bytes().as_slice()]);
            self.0
        }

        fn below(&mut self, end: usize) -> usize {
            let word = self.word();
            usize::from(u16::from_be_bytes([word.0[0], word.0[1]])) % end
        }
    }

    /// Random identities over the sample's evaluations, some of them deep, some with shared parts.
    pub(crate) fn random_constraints(seed: u64, size: usize) -> Constraints {
        let mut dice = Dice(Word::from_u64(seed));
        let mut builder = ExprBuilder::new();
        let mut nodes: Vec<_> = (0..4).map(|index| builder.eval(Eval::Advice(index))).collect();
        nodes.push(builder.challenge(Challenge::Beta));
        nodes.push(builder.node(Node::LagrangeLast));
        nodes.push(builder.node(Node::Instance));
        for index in 0..size {
            let recent = nodes.len() - 1;
            // Half of the time the newest node takes part, so that chains grow deep.
            let a = if dice.below(2) == 0 { nodes[recent] } else { nodes[dice.below(nodes.len())] };
            let b = nodes[dice.below(nodes.len())];
            let constant = dice.word();
            let node = match dice.below(7) {
                0 => builder.neg(a),
                1 | 2 => builder.add(a, b),
                3 => builder.sub(a, b),
                4 => builder.scale(a, constant),
                _ => builder.mul(a, b),
            };
            nodes.push(node);
            if dice.below(5) == 0 || index + 1 == size {
                builder.identity(format!("identity {index}"), node);
            }
        }
        builder.finish()
    }

    fn reference(constraints: &Constraints, leaf: impl Fn(&Node) -> Word, y: Word) -> Word {
        let mut values: Vec<Word> = Vec::new();
        for node in &constraints.nodes {
            let of = |id: &NodeId| values[id.index()];
            values.push(match node {
                Node::Constant(value) => *value,
                Node::Neg(a) => field::neg(of(a)),
                Node::Add(a, b) => field::add(of(a), of(b)),
                Node::Sub(a, b) => field::sub(of(a), of(b)),
                Node::Mul(a, b) => field::mul(of(a), of(b)),
                other => leaf(other),
            });
        }
        constraints
            .identities
            .iter()
            .fold(Word::ZERO, |acc, identity| field::add(field::mul(acc, y), values[identity.node.index()]))
    }

    /// The printed code computes what the nodes mean, also at the largest values, where a forgotten
    /// reduction would leave 256 bits.
    #[test]
    fn printed_expressions_mean_what_the_nodes_mean() {
        let program = sample().program;
        let largest = field::neg(Word::ONE);
        for seed in 0..40 {
            let constraints = random_constraints(seed, 10 + 4 * seed as usize);
            let mut map = Map::new(&program, Favour::Gas);
            let mut text = Text::default();
            let mut dice = Dice(Word::from_u64(seed + 1000));
            let mut value = || if seed % 3 == 0 { largest } else { field::reduce(dice.word()) };
            let mut machine = Machine::default();
            let leaves = [
                Node::Challenge(Challenge::Beta),
                Node::LagrangeLast,
                Node::Instance,
                Node::Challenge(Challenge::Y),
                Node::Eval(Eval::Advice(0)),
                Node::Eval(Eval::Advice(1)),
                Node::Eval(Eval::Advice(2)),
                Node::Eval(Eval::Advice(3)),
            ];
            let mut known = Vec::new();
            for leaf in leaves {
                let here = match leaf {
                    Node::Challenge(challenge) => map.load(Cell::Challenge(challenge)),
                    Node::LagrangeLast => map.load(Cell::LagrangeLast),
                    Node::Instance => map.load(Cell::Instance),
                    Node::Eval(eval) => map.eval(eval).unwrap(),
                    other => panic!("{other:?} is no leaf"),
                };
                let value = value();
                machine.set(&here, value);
                known.push((leaf, value));
            }
            // The quotient is acc / (x^n − 1); with 1 for the inverse it is acc.
            machine.set(&map.load(Cell::Vanishing), Word::ONE);
            print(&mut text, &mut map, &constraints).unwrap();
            machine.run(&text.finish());
            let leaf = |node: &Node| known.iter().find(|(leaf, _)| leaf == node).unwrap().1;
            let expected = reference(&constraints, leaf, leaf(&Node::Challenge(Challenge::Y)));
            assert_eq!(machine.get(&map.load(Cell::Quotient)), expected, "seed {seed}");
        }
    }
}
