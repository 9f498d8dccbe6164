//! The page of the book about ONNX's node tests, from the list that their test keeps.

use std::{collections::BTreeMap, fmt::Write as _};

/// The beginning of the page.
const HEAD: &str = "# ONNX's own tests

ONNX comes with tests of its operators: models of one node, or of the few that a node is defined by, with inputs and outputs. Each of \
them is loaded, calibrated with its own inputs, and its integer graph is run on them; the relations that a proof states are checked on \
the trace. `cargo test --release -p zkml-onnx --test node_tests` fetches them from PyPI (`onnx` 1.17.0) and compares what comes of each with \
the list in `tests/fixtures/onnx/node_tests.tsv`, which this page is made from.

- **passes**: the outputs are those of ONNX, within the tolerance that the scales imply; integers and truth values exactly.
- **folded**: the model has nothing but constants, and so has its statement.
- **refused**: the model cannot be proven, and the error says why.
- **settled**: the test has another result than ONNX's definition, and the graph has the right one.
- **not inference**: training, random numbers, strings, sequences and optional values.

Axes, shapes, indices, scales and zero points are inputs in these tests. A trained model has them as constants, on which its circuit \
depends, so they are constants here too.
";

/// One line of the list.
struct Line<'a> {
    case: &'a str,
    class: &'a str,
    reason: &'a str,
}

fn lines(list: &str) -> Vec<Line<'_>> {
    let parts = |line: &'_ str| -> Option<[usize; 2]> { Some([line.find('\t')?, line.rfind('\t')?]) };
    let line = |l| {
        let [first, last] = parts(l)?;
        let case = l.get(..first)?;
        let case = case.strip_prefix("test_").unwrap_or(case);
        Some(Line { case, class: l.get(first + 1..last)?, reason: l.get(last + 1..)? })
    };
    list.lines().filter_map(line).collect()
}

/// The page.
pub(crate) fn page(list: &str) -> String {
    let all = lines(list);
    let mut page = String::from(HEAD);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    all.iter().for_each(|l| *counts.entry(l.class).or_insert(0) += 1);
    page.push_str("\n| what comes of it | cases |\n|---|---|\n");
    for class in ["passes", "folded", "settled", "refused", "not inference"] {
        let _ = writeln!(page, "| {class} | {} |", counts.get(class).copied().unwrap_or(0));
    }
    let _ = writeln!(page, "| all | {} |", all.len());
    for (title, class) in [("Refused", "refused"), ("Settled", "settled"), ("Not inference", "not inference")]
    {
        let _ = write!(page, "\n## {title}\n\n| reason | cases |\n|---|---|\n");
        for (reason, cases) in grouped(&all, class) {
            let _ = writeln!(page, "| {} | {} |", escaped(reason), cases.join(", "));
        }
    }
    page.push_str("\n## Passing\n\n");
    let passing: Vec<String> =
        all.iter().filter(|l| l.class == "passes").map(|l| format!("`{}`", l.case)).collect();
    page.push_str(&passing.join(", "));
    page.push_str(".\n");
    page
}

fn grouped<'a>(all: &[Line<'a>], class: &str) -> BTreeMap<&'a str, Vec<String>> {
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for line in all.iter().filter(|l| l.class == class) {
        groups.entry(line.reason).or_default().push(format!("`{}`", line.case));
    }
    groups
}

/// Text of a cell.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_is_on_the_page_under_its_reason() {
        let list = "test_abs\tpasses\t\ntest_det_2d\trefused\tDet: no such operator here\ntest_adam\tnot inference\ttraining\n";
        let page = page(list);
        for text in [
            "| passes | 1 |",
            "| all | 3 |",
            "| Det: no such operator here | `det_2d` |",
            "| training | `adam` |",
            "`abs`.",
        ] {
            assert!(page.contains(text), "{text} is not in {page}");
        }
    }
}
