//! A verifier's rules with something taken away, and the list of all that can be.

use super::poly::{Values, commit, dice, exponent, interpolate};
use super::toy;
use crate::curve::{Fr, scalar};
use crate::plonk::decode::Decoded;
use crate::plonk::{Rules, VerifyError};
use ff::Field;
use zkml_protocol::{
    G1, Word,
    plonk::{Challenge, Constraints, Node, NodeId, OpeningSet, Program, Replay, Step},
};

/// Rules that lack something, and the columns that their commitments stand for.
#[derive(Clone)]
pub(super) struct Mutant {
    /// Surface and part.
    pub(super) id: String,
    /// What was taken away or weakened.
    pub(super) removed: String,
    pub(super) program: Program,
    /// Stays the program's own: the change is one of the verifier, not of what it verifies.
    pub(super) digest: Word,
    pub(super) steps: Vec<Step>,
    pub(super) sets: Vec<OpeningSet>,
    /// Challenges that are constants.
    pub(super) known: Vec<(Challenge, Fr)>,
    /// An instance that is absorbed, but read as zero.
    pub(super) ignored: Option<usize>,
    pub(super) fixed: Vec<Values>,
    pub(super) sigma: Vec<Values>,
}

impl Mutant {
    /// The rules with nothing taken away.
    pub(super) fn genuine(program: Program) -> Self {
        let rules = Rules::of(&program);
        let (digest, steps, sets) = (rules.digest, rules.steps, rules.sets);
        Self {
            id: String::new(),
            removed: String::new(),
            program,
            digest,
            steps,
            sets,
            known: Vec::new(),
            ignored: None,
            fixed: toy::fixed(),
            sigma: toy::sigma(),
        }
    }

    /// The verdict of the altered rules.
    pub(super) fn verdict(&self, proof: &[u8], instances: &[Word]) -> Result<(), VerifyError> {
        let Self { program, digest, steps, sets, .. } = self;
        let mut decoded = Decoded::new(program, proof, instances)?;
        if let Some(ignored) = self.ignored {
            decoded.instances[ignored] = Fr::ZERO;
        }
        let rules = Rules { program, digest: *digest, steps: steps.clone(), sets: sets.clone() };
        rules.verdict(&decoded, |which| {
            self.challenge(which, proof, instances).ok_or(VerifyError::Inconsistent("challenge"))
        })
    }

    /// A challenge as these rules make it.
    pub(super) fn challenge(&self, which: Challenge, proof: &[u8], instances: &[Word]) -> Option<Fr> {
        if let Some((_, value)) = self.known.iter().find(|(known, _)| *known == which) {
            return Some(*value);
        }
        let replay = Replay::along(&self.steps, &self.digest, &self.program, instances, proof)?;
        scalar(&replay.challenge(which)?)
    }
}

/// All alterations of the rules of one program.
pub(super) fn all(program: &Program) -> Vec<Mutant> {
    let mut list = List { genuine: Mutant::genuine(program.clone()), mutants: Vec::new() };
    list.transcript();
    list.opening();
    list.constraints();
    list.constants();
    list.mutants
}

/// A name, what it does, and the change.
type Edit = (&'static str, &'static str, fn(&mut Program));

struct List {
    genuine: Mutant,
    mutants: Vec<Mutant>,
}

impl List {
    fn push(&mut self, id: String, removed: String, change: impl FnOnce(&mut Mutant)) {
        let mut mutant = Mutant { id, removed, ..self.genuine.clone() };
        change(&mut mutant);
        self.mutants.push(mutant);
    }

    /// Each absorb left out, each challenge a constant, each challenge squeezed too early.
    fn transcript(&mut self) {
        let steps = self.genuine.steps.clone();
        for (index, step) in steps.iter().enumerate() {
            let name = name(step);
            let Step::Squeeze(challenge) = step else {
                let removed = format!("{name} is not absorbed");
                self.push(format!("transcript/absorb/{name}"), removed, |m| {
                    m.steps.remove(index);
                });
                continue;
            };
            let removed = format!("{name} is a constant");
            self.push(format!("transcript/constant/{name}"), removed, |m| {
                m.known.push((*challenge, dice(7)));
            });
            for (earlier, before) in steps[..index].iter().enumerate().rev() {
                if matches!(before, Step::Squeeze(_)) {
                    continue;
                }
                let before = self::name(before);
                let removed = format!("{name} is squeezed before {before} is absorbed");
                self.push(format!("transcript/early/{name}/{before}"), removed, |m| {
                    let step = m.steps.remove(index);
                    m.steps.insert(earlier, step);
                });
            }
        }
    }

    /// Each set, each member and each rotation of the opening left out.
    fn opening(&mut self) {
        let sets = self.genuine.sets.clone();
        for (index, set) in sets.iter().enumerate() {
            let removed = format!("set {index} is not opened");
            self.push(format!("opening/set/{index}"), removed, |m| drop(m.sets.remove(index)));
            for (place, member) in set.members.iter().enumerate() {
                let removed = format!("{:?} is not opened", member.commitment);
                self.push(format!("opening/member/{:?}", member.commitment), removed, |m| {
                    m.sets[index].members.remove(place);
                });
            }
            for (place, rotation) in set.rotations.iter().enumerate().filter(|_| set.rotations.len() > 1) {
                let removed = format!("set {index} is not opened at rotation {rotation}");
                self.push(format!("opening/rotation/{index}/{rotation}"), removed, |m| {
                    m.sets[index].rotations.remove(place);
                    for member in &mut m.sets[index].members {
                        member.evals.remove(place);
                    }
                });
            }
        }
    }

    /// Each identity left out, each node of the constraints replaced by something that is near.
    fn constraints(&mut self) {
        let Constraints { nodes, identities } = self.genuine.program.constraints.clone();
        for (index, identity) in identities.iter().enumerate() {
            let removed = format!("identity {index} ({}) is left out", identity.name);
            self.push(format!("constraints/identity/{index}"), removed, |m| {
                m.program.constraints.identities.remove(index);
            });
        }
        for (index, node) in nodes.iter().enumerate() {
            for (variant, near) in near(node, &self.genuine.program).into_iter().enumerate() {
                let removed = format!("node {index}, {node:?}, is {near:?}");
                self.push(format!("constraints/node/{index}/{variant}"), removed, |m| {
                    m.program.constraints.nodes[index] = near;
                });
            }
        }
    }

    /// Constants of the program that the equations read.
    fn constants(&mut self) {
        let program = self.genuine.program.clone();
        for index in 0..program.num_instances as usize {
            let removed = format!("instance {index} is absorbed, but left out of the instance column");
            self.push(format!("program/instance/{index}"), removed, |m| m.ignored = Some(index));
        }
        // Columns that no query reads are opened nowhere.
        let read = |index: usize| program.fixed_queries.iter().any(|query| query.column as usize == index);
        let columns = program.fixed_commitments.iter().enumerate();
        for (index, _) in columns.filter(|(index, commitment)| read(*index) && !commitment.is_identity()) {
            let removed = format!("fixed column {index} is the column of zeros");
            self.push(format!("program/fixed/{index}"), removed, |m| {
                m.program.fixed_commitments[index] = G1::default();
                if let Some(column) = m.fixed.get_mut(index) {
                    column.fill(Fr::ZERO);
                }
            });
        }
        for index in 0..program.sigma_commitments.len() {
            let removed = format!("permutation column {index} has no copies");
            self.push(format!("program/sigma/{index}"), removed, |m| {
                let column = toy::identity(index);
                m.program.sigma_commitments[index] = commit(&interpolate(&column));
                if let Some(place) = m.sigma.get_mut(index) {
                    *place = column;
                }
            });
        }
        let columns = program.sigma_commitments.len();
        if columns > 0 {
            self.push("program/sigma/all".into(), "no column has copies".into(), |m| {
                m.sigma = (0..columns).map(toy::identity).collect();
                m.program.sigma_commitments = m.sigma.iter().map(|c| commit(&interpolate(c))).collect();
            });
        }
        let edits: [Edit; 9] = [
            ("key_repr", "another representation of the key", |p| p.key_repr = Word::ONE),
            ("blinding/more", "one closing row more", |p| p.blinding_factors += 1),
            ("blinding/less", "one closing row less", |p| p.blinding_factors -= 1),
            ("omega", "another generator of the rows", |p| p.domain.omega = p.domain.omega_inv),
            ("omega_inv", "another inverse of the generator", |p| p.domain.omega_inv = p.domain.omega),
            ("n_inv", "another inverse of the number of rows", |p| p.domain.n_inv = Word::ONE),
            ("srs/g1", "another generator of the first group", |p| p.srs.g1 = exponent(dice(3))),
            ("srs/g2", "the setup point in place of the second generator", |p| p.srs.g2 = p.srs.s_g2),
            ("srs/s_g2", "the second generator in place of the setup point", |p| p.srs.s_g2 = p.srs.g2),
        ];
        for (name, removed, edit) in edits {
            self.push(format!("program/{name}"), removed.into(), |m| edit(&mut m.program));
        }
    }
}

fn name(step: &Step) -> String {
    match step {
        Step::Absorb(slot) => format!("{:?}", slot.id),
        Step::Squeeze(challenge) => format!("{challenge:?}"),
        other => format!("{other:?}").trim_start_matches("Absorb").to_owned(),
    }
}

/// What a node might be by mistake, within the program's tables. Operands keep preceding their readers.
fn near(node: &Node, program: &Program) -> Vec<Node> {
    let layout = program.layout();
    let exists = |near: &Node| match near {
        Node::Eval(eval) => layout.eval_offset(*eval).is_some(),
        _ => true,
    };
    let mut all = mistakes(node);
    all.retain(|near| near != node && exists(near));
    all
}

fn mistakes(node: &Node) -> Vec<Node> {
    use zkml_protocol::plonk::Eval::{Advice, Fixed, Product, Random, Sigma};
    let zero = Node::Constant(Word::ZERO);
    match *node {
        Node::Constant(value) => vec![Node::Constant(zkml_protocol::field::add(value, Word::ONE)), zero],
        Node::Eval(eval) => {
            let other = match eval {
                Advice(index) => Advice(index ^ 1),
                Fixed(index) => Fixed(index ^ 1),
                Sigma(index) => Sigma(index ^ 1),
                Product(index) => Product(index ^ 1),
                other => other,
            };
            vec![Node::Eval(other), Node::Eval(Random), zero]
        }
        Node::Instance => vec![zero, Node::Eval(Advice(0))],
        Node::Challenge(_) => vec![zero, Node::Constant(Word::ONE)],
        Node::LagrangeFirst => vec![zero, Node::LagrangeLast, Node::LagrangeActive],
        Node::LagrangeLast => vec![zero, Node::LagrangeFirst, Node::LagrangeActive],
        Node::LagrangeActive => {
            vec![zero, Node::LagrangeFirst, Node::LagrangeLast, Node::Constant(Word::ONE)]
        }
        Node::Neg(a) => vec![zero, Node::Add(a, a)],
        Node::Add(a, b) => vec![Node::Sub(a, b), twice(a), twice(b)],
        Node::Sub(a, b) => vec![Node::Add(a, b), Node::Sub(b, a), zero],
        Node::Mul(a, b) => vec![Node::Add(a, b), Node::Mul(a, a), Node::Mul(b, b), zero],
    }
}

fn twice(a: NodeId) -> Node {
    Node::Add(a, a)
}
