//! What the public statement shows, and which cells it comes from: elements, packed words, commitments.

use zkml_graph::{
    Code, Relation, Section, System, View,
    intervals::{Proven, Unconfined, seen},
    wiring::{Elem, Wiring},
};
use zkml_protocol::commitment::{self, WORDS_PER_CALL};
use zkml_statement::{items, protocol_code, role};

use crate::{
    cells::{Packed, Source},
    error::Result,
};

/// A commitment: the chain of hashes, and where its words come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashChain {
    /// Where the chain starts.
    pub domain: i64,
    /// The words, an even number: salt, headers, packed values.
    pub words: Vec<Source>,
    /// Number of the first call among those of all hash_chains; its result is the first link.
    pub first: u32,
}

impl HashChain {
    /// Number of calls of the hash.
    pub fn calls(&self) -> usize {
        self.words.len() / WORDS_PER_CALL
    }

    /// The cell that holds the commitment.
    pub fn commitment(&self) -> Source {
        Source::Link(self.first + self.calls() as u32 - 1)
    }
}

/// Refuses a statement that packs values which no relation confines to their code: several lists of such values would
/// give the same word.
///
/// # Errors
/// [`Unconfined`] names the first variable whose values are packed and not confined.
pub fn check(system: &System, proven: &Proven) -> Result<()> {
    let coded = items(system).flat_map(|item| match item {
        Relation::Public { v, code: Some(code), .. } => vec![(v, *code)],
        Relation::Commit { parts, .. } => parts.iter().map(|(v, code)| (v, *code)).collect(),
        _ => vec![],
    });
    for (v, code) in coded {
        let wanted = code.bounds();
        if !seen(proven, v).is_some_and(|b| wanted.contains(b.lo) && wanted.contains(b.hi)) {
            return Err(Unconfined { name: system.vars[v.var.0 as usize].name.clone() }.into());
        }
    }
    Ok(())
}

/// What planning needs to know of the statement.
#[derive(Debug, Clone, Default)]
pub struct StatementSize {
    /// Public field elements, the context included.
    pub instances: usize,
    /// Number of values in each packed word.
    pub words: Vec<usize>,
    /// Calls of the hash.
    pub calls: usize,
    /// Constants that the hash_chains take in.
    pub constants: Vec<i64>,
}

impl StatementSize {
    /// Measures the statement of a system.
    pub fn new(system: &System) -> Self {
        let mut size = Self { instances: 1, ..Self::default() };
        for item in items(system) {
            match item {
                Relation::Public { v, code: None, .. } => size.instances += v.map.len(),
                Relation::Public { v, code: Some(code), .. } => {
                    size.instances += size.pack(v, *code);
                }
                Relation::Commit { parts, section } => {
                    size.instances += 1;
                    size.constants.extend([domain(*section, parts.len()), 0]);
                    for (v, code) in parts {
                        size.constants.push(header(v, *code));
                        size.pack(v, *code);
                    }
                    let parts = parts.iter().map(|(v, code)| (protocol_code(*code), v.map.len()));
                    size.calls += commitment::calls(parts);
                }
                _ => {}
            }
        }
        size
    }

    fn pack(&mut self, v: &View, code: Code) -> usize {
        let (before, per_word) = (self.words.len(), protocol_code(code).per_word() as usize);
        let len = v.map.len();
        self.words.extend((0..len).step_by(per_word).map(|i| per_word.min(len - i)));
        self.words.len() - before
    }
}

/// The statement with its cells.
#[derive(Debug, Clone, Default)]
pub struct StatementCells {
    /// What each instance after the context is.
    pub instances: Vec<Source>,
    /// The packed words; `Source::Packed(i)` is the `i`-th.
    pub words: Vec<Packed>,
    /// One chain per commitment; `Source::Salt(i)` is the salt of the `i`-th.
    pub hash_chains: Vec<HashChain>,
}

impl StatementCells {
    /// The statement of a system.
    pub fn new(system: &System, wiring: &Wiring<'_>) -> Self {
        let mut statement = Self::default();
        for item in items(system) {
            match item {
                Relation::Public { v, code: None, .. } => {
                    statement.instances.extend(wiring.elements(v).into_iter().map(Source::Elem));
                }
                Relation::Public { v, code: Some(code), .. } => {
                    let words = statement.pack(wiring, v, *code);
                    statement.instances.extend(words);
                }
                Relation::Commit { parts, section } => {
                    let chain = statement.hash_chain(wiring, *section, parts);
                    statement.instances.push(chain.commitment());
                    statement.hash_chains.push(chain);
                }
                _ => {}
            }
        }
        statement
    }

    fn pack(&mut self, wiring: &Wiring<'_>, v: &View, code: Code) -> Vec<Source> {
        let per_word = protocol_code(code).per_word() as usize;
        let (width, offset) = (code.bits, -code.lo());
        let from = self.words.len();
        let packed = wiring.elements(v);
        self.words.extend(packed.chunks(per_word).map(|m| Packed { members: m.to_vec(), width, offset }));
        (from..self.words.len()).map(|i| Source::Packed(i as u32)).collect()
    }

    fn hash_chain(&mut self, wiring: &Wiring<'_>, section: Section, parts: &[(View, Code)]) -> HashChain {
        let constant = |v: i64| Source::Elem(Elem::Const(v));
        let first = self.hash_chains.last().map_or(0, |c| c.first + c.calls() as u32);
        let mut words = vec![Source::Salt(self.hash_chains.len() as u32)];
        for (v, code) in parts {
            words.push(constant(header(v, *code)));
            words.extend(self.pack(wiring, v, *code));
        }
        words.resize(words.len().next_multiple_of(WORDS_PER_CALL), constant(0));
        HashChain { domain: domain(section, parts.len()), words, first }
    }
}

fn domain(section: Section, parts: usize) -> i64 {
    small(&commitment::domain(role(section), parts as u32))
}

fn header(v: &View, code: Code) -> i64 {
    small(&commitment::header(v.map.len() as u32, protocol_code(code)))
}

/// Domains and headers have 63 bits, so that they are constants like any other.
fn small(word: &zkml_protocol::Word) -> i64 {
    word.0[24..].iter().fold(0, |acc, b| acc << 8 | i64::from(*b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ProverError,
        blueprint::{Survey, blueprint},
        shape::Shape,
    };
    use zkml_graph::{RangeKind, testing};

    #[test]
    fn domains_and_headers_are_the_published_words() {
        let code = Code { bits: 16, signed: true };
        let view = |n| View { var: zkml_graph::VarId(0), map: zkml_graph::Map::identity(&[n]) };
        for n in [1, 3, 300, 70_000] {
            let published = commitment::header(n as u32, protocol_code(code));
            assert_eq!(zkml_protocol::Word::from_u64(header(&view(n), code) as u64), published);
        }
        for (section, parts) in [(Section::Input, 1), (Section::Model, 40), (Section::Output, 3)] {
            let published = commitment::domain(role(section), parts as u32);
            assert_eq!(zkml_protocol::Word::from_u64(domain(section, parts) as u64), published);
        }
    }

    #[test]
    fn what_is_packed_must_be_confined() {
        let cases = testing::cases();
        let private = cases.iter().find(|c| !c.weights.is_empty()).expect("a private network");
        let system = private.graph.system();
        let shape = Shape {
            a_columns: 2,
            u_columns: 2,
            w_columns: 2,
            limb_bits: 8,
            max_height: 10,
            fold: false,
            sweep: false,
            table_outputs: 2,
        };
        // Through the layout: a check that nobody calls would confine nothing.
        let verdict = |s: &System| {
            let survey = Survey::new(s);
            blueprint(&survey, &survey.proven(shape.limb_bits)?, &shape)
        };
        verdict(&system).expect("all is confined");
        let exact = |r: &Relation| matches!(r, Relation::Range { kind: RangeKind::Exact, .. });
        let packed = |label: &str| ["inputs", "weights", "outputs"].contains(&label);
        for (i, _) in system.relations.iter().enumerate().filter(|(_, (l, r))| packed(l) && exact(r)) {
            // Missing, or wider than the code by one bit.
            let mut without = system.clone();
            without.relations.remove(i);
            let error = verdict(&without).expect_err("nothing confines it");
            assert!(matches!(error, ProverError::Unconfined(_)), "{error}");
            let mut wide = system.clone();
            if let Relation::Range { bits, .. } = &mut wide.relations[i].1 {
                *bits += 1;
            }
            assert!(verdict(&wide).is_err(), "{}", wide.relations[i].1);
        }
    }
}
