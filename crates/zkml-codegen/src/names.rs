//! Names for Solidity, from names that came with a model and may say anything.

use std::collections::BTreeSet;

use zkml_protocol::VerifierProgram;

use crate::reserved::RESERVED;

/// Longest name that is taken over, in characters.
const MAX_NAME: usize = 40;

/// Longest text that is taken over, in characters.
const LONGEST_TEXT: usize = 80;

/// Names of the generated contracts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractNames {
    /// `<Model>Verifier`.
    pub verifier: String,
    /// `<Model>Consumer`.
    pub consumer: String,
    /// `<Model>RequestConsumer`.
    pub request_consumer: String,
    /// `<Model>AnyInputConsumer`.
    pub any_input_consumer: String,
    /// `<Model>AnyInputRequestConsumer`.
    pub any_input_request_consumer: String,
}

/// Models whose contracts would be called like those of the library.
const TAKEN: &[&str] = &["ZKML", "IZKML", "IERCZKML", "IModel"];

/// Names of the contracts of this program; a file is named after its contract.
#[must_use]
pub fn contracts(program: &dyn VerifierProgram) -> ContractNames {
    let mut model = model(&program.statement().model_name);
    if TAKEN.contains(&model.as_str()) {
        model.insert_str(0, "Model");
    }
    ContractNames {
        verifier: format!("{model}Verifier"),
        consumer: format!("{model}Consumer"),
        request_consumer: format!("{model}RequestConsumer"),
        any_input_consumer: format!("{model}AnyInputConsumer"),
        any_input_request_consumer: format!("{model}AnyInputRequestConsumer"),
    }
}

/// `PascalCase` out of any text: ASCII letters and digits only, never empty, no leading digit.
#[must_use]
pub fn model(name: &str) -> String {
    let name: String = words(name).map(|word| capitalised(&word)).collect();
    let name: String = name.chars().take(MAX_NAME).collect();
    match name.chars().next() {
        None => "Model".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("Model{name}"),
        Some(_) => name,
    }
}

/// `camelCase` identifiers for fields, given as name and suffix, in order; all different, none reserved. A field whose
/// name says nothing is called after its `kind` (`input` or `output`) and index.
#[must_use]
pub fn fields<'a>(kind: &str, names: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let mut taken = BTreeSet::new();
    names
        .into_iter()
        .enumerate()
        .map(|(index, (name, suffix))| {
            let base = field(kind, name, index) + suffix;
            let mut candidate = base.clone();
            let mut number = 1;
            while !taken.insert(candidate.clone()) {
                number += 1;
                candidate = format!("{base}_{number}");
            }
            candidate
        })
        .collect()
}

/// What the names of the constants of fields begin with: `UPPER_CASE` out of the names that [`fields`] gave, all
/// different.
#[must_use]
pub fn constants(fields: &[String]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let unique = |base: String| {
        let numbers = (2..).map(|number| format!("{base}_{number}"));
        let mut candidates = std::iter::once(base.clone()).chain(numbers);
        candidates.find(|candidate| taken.insert(candidate.clone())).unwrap_or(base)
    };
    fields.iter().map(|field| upper_case(field)).map(unique).collect()
}

fn upper_case(field: &str) -> String {
    let mut upper = String::new();
    let mut previous = ' ';
    for c in field.chars() {
        if c.is_ascii_uppercase() && (previous.is_ascii_lowercase() || previous.is_ascii_digit()) {
            upper.push('_');
        }
        upper.push(c.to_ascii_uppercase());
        previous = c;
    }
    upper
}

fn field(kind: &str, name: &str, index: usize) -> String {
    let mut field = String::new();
    for (position, word) in words(name).enumerate() {
        if position == 0 {
            field.push_str(&word.to_ascii_lowercase());
        } else {
            field.push_str(&capitalised(&word));
        }
    }
    field.truncate(MAX_NAME);
    let reserved = RESERVED.contains(&field.as_str())
        || numbered(&field, &["int", "uint", "bytes"])
        || field.starts_with("fixed")
        || field.starts_with("ufixed");
    match field.chars().next() {
        None => format!("{kind}{index}"),
        Some(first) if first.is_ascii_digit() => format!("{kind}{field}"),
        Some(_) if reserved => format!("{field}Value"),
        Some(_) => field,
    }
}

/// Types such as `uint256`.
fn numbered(field: &str, types: &[&str]) -> bool {
    types.iter().any(|ty| {
        field
            .strip_prefix(ty)
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

fn words(name: &str) -> impl Iterator<Item = String> + '_ {
    name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned)
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

/// Text that may stand in a line comment: printable ASCII without what could end it or start a tag.
#[must_use]
pub fn comment(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_graphic() && !"@*/\\\"".contains(c) || c == ' ' { c } else { '?' };
    text.chars().take(LONGEST_TEXT).map(plain).collect()
}

/// Text that may stand between the quotes of a Solidity string: what is not plain is escaped, byte by byte.
#[must_use]
pub fn string(text: &str) -> String {
    let text: String = text.chars().take(LONGEST_TEXT).collect();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b" ._+-".contains(&byte);
    let escaped = |byte: u8| {
        if plain(byte) { char::from(byte).to_string() } else { format!("\\x{byte:02x}") }
    };
    text.bytes().map(escaped).collect()
}

/// A version for a string literal.
#[must_use]
pub fn version(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || ".-+_".contains(*c)).take(32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_names_become_pascal_case() {
        assert_eq!(model("credit_mlp"), "CreditMlp");
        assert_eq!(model("mnist-784.v2"), "Mnist784V2");
        assert_eq!(model("7 dwarfs"), "Model7Dwarfs");
        assert_eq!(model("Ωμέγα"), "Model");
        assert_eq!(model("x; } contract Evil {"), "XContractEvil");
        assert_eq!(model(&"a".repeat(500)).len(), MAX_NAME);
    }

    #[test]
    fn field_names_are_legal_and_different() {
        let names =
            ["probability", "uint256", "return", "a b", "a-b", "", "1st", "P(default)", "/dense/Output:0"];
        let expected = [
            "probability",
            "uint256Value",
            "returnValue",
            "aB",
            "aB_2",
            "output5",
            "output1st",
            "pDefault",
            "denseOutput0",
        ];
        assert_eq!(fields("output", names.map(|name| (name, ""))), expected);
    }

    #[test]
    fn names_with_suffixes_are_different_too() {
        let names = [("a", "Commitment"), ("a_commitment", ""), ("a", "Commitment"), ("", "Commitment")];
        let expected = ["aCommitment", "aCommitment_2", "aCommitment_3", "input3Commitment"];
        assert_eq!(fields("input", names), expected);
    }

    #[test]
    fn constants_are_upper_case_and_different() {
        let fields = ["probabilityOfDefault", "aB", "a_B", "uint256Value", "denseOutput0", "ab_2", "aB"];
        let expected =
            ["PROBABILITY_OF_DEFAULT", "A_B", "A_B_2", "UINT256_VALUE", "DENSE_OUTPUT0", "AB_2", "A_B_3"];
        assert_eq!(constants(&fields.map(str::to_owned)), expected);
    }

    #[test]
    fn strings_cannot_end_early() {
        assert_eq!(string("credit-mlp 1.0"), "credit-mlp 1.0");
        assert_eq!(string("a\"; } \\ \n"), "a\\x22\\x3b \\x7d \\x5c \\x0a");
        assert_eq!(string("Ω"), "\\xce\\xa9");
        assert_eq!(string(&"Ω".repeat(100)).len(), 80 * 8);
    }

    #[test]
    fn no_contract_takes_a_name_of_the_library() {
        let text = include_str!("../../../tests/fixtures/protocol/plain.json");
        let sample: zkml_protocol::plonk::Sample = serde_json::from_str(text).unwrap();
        for name in ["ZKML", "IZKML", "IERCZKML", "i model", "I model"] {
            let mut program = sample.program.clone();
            program.statement.model_name = name.to_owned();
            let ContractNames {
                verifier,
                consumer,
                request_consumer,
                any_input_consumer,
                any_input_request_consumer,
            } = contracts(&program);
            let all = [verifier, consumer, request_consumer, any_input_consumer, any_input_request_consumer];
            for file in zkml_contracts::library::SOURCES {
                for contract in &all {
                    assert!(!file.1.contains(&format!("contract {contract} ")), "{contract}");
                    assert!(!file.1.contains(&format!("interface {contract} ")), "{contract}");
                }
            }
        }
    }

    #[test]
    fn comments_cannot_break_out() {
        assert_eq!(comment("evil */ } contract\n@author"), "evil ?? } contract??author");
        assert_eq!(version("1.0\"; selfdestruct"), "1.0selfdestruct");
    }
}
