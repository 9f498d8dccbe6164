//! Every check of a generated verifier taken away in its source, one after the other: the attacks must tell the difference.
//!
//! `tests/attacks/contract-mutants.json` says what notices which. Here the table is compared with what the sources contain, and
//! a slice of it is tried again: `ZKML_MUTANTS=i/n` takes another than the one of the day, `ZKML_MUTANTS=all` everything
//! (minutes); `ZKML_BLESS=1` tries everything and writes the table.

mod corpus;
mod scan;
#[path = "../../../../../tests/attacks/table.rs"]
mod table;

use crate::support::{on_lines, samples};
use corpus::Corpus;
use scan::{Edit, edits};
use table::{Row, Table};
use zkml_codegen::{Favour, names, verifier_source_favouring};
use zkml_harness::{Contract, HarnessError, Settings, Solc};
use zkml_protocol::plonk::Sample;

const TABLE: &str = "contract-mutants.json";
/// One of so many mutants is tried by an ordinary run.
const SLICE: usize = 40;
/// Sources that the compiler gets at once.
const BATCH: usize = 16;

/// Verifiers that are altered: flat code, and loops.
const SOURCES: [(&str, Favour); 2] = [("plain", Favour::Gas), ("random_19", Favour::Size)];

/// One verifier with its source.
struct Subject {
    name: &'static str,
    sample: Sample,
    source: String,
}

impl Subject {
    fn all() -> Vec<Self> {
        let mut all = samples();
        SOURCES
            .map(|(name, favour)| {
                let place = all.iter().position(|sample| sample.name == name).expect("a sample of that name");
                let sample = all.swap_remove(place);
                let source = verifier_source_favouring(&sample.program, favour).unwrap();
                let source = on_lines(&source);
                Self { name, sample, source }
            })
            .into()
    }

    /// Compiles altered sources; the error of one does not spoil the others.
    fn compile(&self, sources: &[String]) -> Vec<Result<Contract, String>> {
        let name = names::contracts(&self.sample.program).verifier;
        let files: Vec<(String, String)> = (0..)
            .zip(sources)
            .map(|(index, source): (usize, _)| {
                let renamed =
                    source.replace(&format!("contract {name} "), &format!("contract Mutant{index} "));
                (format!("Mutant{index}.sol"), renamed)
            })
            .collect();
        let files: Vec<(&str, &str)> =
            files.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
        match Solc::find().unwrap().compile(&files, &Settings::default()) {
            Ok(compiled) => {
                let contract = |index| compiled.contract(&format!("Mutant{index}")).unwrap().clone();
                (0..sources.len()).map(|index| Ok(contract(index))).collect()
            }
            Err(HarnessError::Compile { .. }) if sources.len() > 1 => {
                sources.iter().flat_map(|source| self.compile(std::slice::from_ref(source))).collect()
            }
            Err(HarnessError::Compile { messages }) => vec![Err(messages.join("\n"))],
            Err(error) => panic!("{error}"),
        }
    }

    /// Tries the changes and says what noticed each.
    fn judge(&self, edits: &[Edit]) -> Vec<Row> {
        let corpus =
            Corpus::of(self.compile(std::slice::from_ref(&self.source)).remove(0).unwrap(), &self.sample);
        let mut rows = Vec::new();
        for edits in edits.chunks(BATCH) {
            let sources: Vec<String> = edits.iter().map(|edit| edit.apply(&self.source)).collect();
            for ((edit, source), contract) in edits.iter().zip(&sources).zip(self.compile(&sources)) {
                let noticed = match contract {
                    Err(_) => Some("the compiler refuses it".to_owned()),
                    Ok(contract) => {
                        let seen = corpus.notices(&contract).or_else(|| self.crowded(edit, source));
                        seen.or_else(|| by_text(edit, &self.source))
                    }
                };
                let equivalent =
                    if noticed.is_some() { None } else { equivalent(self.name, edit, &self.source) };
                let noticed_by = noticed.into_iter().collect();
                rows.push(Row { noticed_by, equivalent, ..self.unjudged(edit) });
            }
        }
        rows
    }

    fn unjudged(&self, edit: &Edit) -> Row {
        let id = format!("{}/{}", self.name, edit.id);
        Row { id, removed: edit.removed.clone(), noticed_by: vec![], equivalent: None }
    }

    /// The check that memory is free notices something only where memory was taken before.
    fn crowded(&self, edit: &Edit, source: &str) -> Option<String> {
        if !edit.line(&self.source).contains("mload(0x40)") {
            return None;
        }
        let start = "        assembly (\"memory-safe\") {";
        let crowd = |source: &str| {
            source.replacen(start, &format!("bytes memory taken = new bytes(999); taken;\n{start}"), 1)
        };
        let mut contracts = self.compile(&[crowd(&self.source), crowd(source)]).into_iter();
        let mut verdict = || corpus::verdict(&contracts.next()?.ok()?, &self.sample);
        (verdict()? == "MemoryInUse()" && verdict()? != "MemoryInUse()")
            .then(|| "another error: memory was allocated before the assembly".to_owned())
    }
}

/// The reason why nothing can notice a change.
fn equivalent(subject: &str, edit: &Edit, source: &str) -> Option<String> {
    let (line, next) = (edit.line(source), edit.line_after(source));
    let named = |names: &[&str]| names.iter().any(|name| line.ends_with(&format!("// {name}")));
    let reason = match edit.rule() {
        "forgets" if line.contains("calldataload") => "nothing is checked before this line",
        "forgets" if line.contains("staticcall(gas(), 7") => "a check that failed before has reverted",
        "deleted" | "constant" if line.contains("z := mulmod(z, ") && next.contains("// Row 0") => {
            "z is not read again"
        }
        "deleted" if line.contains("mstore8(32, 1)") => "the byte still stands there from the squeeze before",
        "not-reduced" if named(&["Beta", "Y", "OpenY", "OpenV"]) => {
            "it is only read as a factor, by mulmod and by the precompile of multiplication, which reduce"
        }
        "not-reduced" if line.contains("mod(p") || line.contains("sub(r, mod(") => {
            "the value comes from mulmod, so it is reduced already"
        }
        "deleted" | "constant" | "not-reduced" if subject == "random_19" && !named(&["X", "OpenU"]) => {
            "a program without copies and with one identity does not read it; in `plain` the same statement is noticed"
        }
        _ => return None,
    };
    Some(reason.to_owned())
}

/// Sums with a challenge that was not reduced leave 256 bits for some hashes only, and none of the samples has such: there
/// only the text tells.
fn by_text(edit: &Edit, source: &str) -> Option<String> {
    let named = ["// Gamma", "// X", "// OpenU"].iter().any(|name| edit.line(source).ends_with(name));
    (edit.rule() == "not-reduced" && named)
        .then(|| "the snapshot of the source: zkml-codegen, snapshots: verifier".to_owned())
}

/// The part of the mutants that is tried.
fn is_tried(index: usize) -> bool {
    match std::env::var("ZKML_MUTANTS").as_deref() {
        Ok("all") => true,
        Ok(shard) => {
            let (part, parts) = shard.split_once('/').expect("all, or a shard i/n");
            let (part, parts): (usize, usize) = (part.parse().unwrap(), parts.parse().unwrap());
            index % parts == part % parts
        }
        Err(_) => Table::blessing() || index.is_multiple_of(SLICE),
    }
}

#[test]
fn every_removed_check_of_a_contract_is_noticed() {
    let subjects = Subject::all();
    let mut table = Table {
        about: "Checks, writes, reductions and constants of generated verifiers that were taken away in their source, compiled and \
                attacked in the local EVM. The first part of an id names the committed proof, the second the line of the contract."
            .into(),
        refresh: "ZKML_BLESS=1 cargo test --release -p zkml-harness --test evm -- mutants".into(),
        tried: [].into(),
        mutants: vec![],
    };
    let mut index = 0;
    let mut judged = Vec::new();
    for subject in &subjects {
        let all = edits(&subject.source);
        table.mutants.extend(all.iter().map(|edit| subject.unjudged(edit)));
        let tried = all.into_iter().filter(|_| {
            index += 1;
            is_tried(index - 1)
        });
        judged.extend(subject.judge(&tried.collect::<Vec<_>>()));
    }
    if Table::blessing() {
        table.mutants = judged;
        table.write(TABLE);
        return table.explained();
    }
    let known = Table::read(TABLE);
    known.explained();
    let names = |table: &Table| -> Vec<(String, String)> {
        table.mutants.iter().map(|row| (row.id.clone(), row.removed.clone())).collect()
    };
    for (made, committed) in names(&table).iter().zip(names(&known)) {
        assert_eq!(*made, committed, "tests/attacks/{TABLE} is out of date: {}", table.refresh);
    }
    assert_eq!(
        table.mutants.len(),
        known.mutants.len(),
        "tests/attacks/{TABLE} is out of date: {}",
        table.refresh
    );
    assert!(!judged.is_empty());
    for row in judged {
        assert_eq!(known.row(&row.id), Some(&row), "tests/attacks/{TABLE} is out of date: {}", table.refresh);
    }
}
