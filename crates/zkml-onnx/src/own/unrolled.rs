//! What steps of a sequence have in common, wherever they are unrolled.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;

/// Most nodes that one node of the model is unrolled to: proofs of more take longer than anybody waits.
pub(crate) const MOST_NODES: usize = 1 << 15;

const STEP: &str = ".step";

/// Name of a step within that of its node.
pub(super) fn step(index: usize) -> String {
    format!("step{index}")
}

/// Refuses a node that would become too many.
pub(super) fn fits(steps: usize, nodes_of_each: usize) -> TractResult<()> {
    let nodes = steps.saturating_mul(nodes_of_each);
    ensure!(
        nodes <= MOST_NODES,
        "its {steps} steps would be {nodes} nodes, more than {MOST_NODES}; export the model for shorter sequences, and prove one \
         after the other with the states as inputs and outputs"
    );
    Ok(())
}

/// The name of a value without the numbers of its steps; nothing if it belongs to none.
pub(crate) fn without_step(name: &str) -> Option<String> {
    let mut parts = name.split(STEP);
    let mut out = parts.next()?.to_owned();
    let mut found = false;
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        let numbered = rest.len() < part.len() && (rest.is_empty() || rest.starts_with('.'));
        out.push_str(STEP);
        out.push_str(if numbered { rest } else { part });
        found |= numbered;
    }
    found.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_told_by_their_numbers() {
        let same = |a: &str, b: &str| without_step(a).is_some() && without_step(a) == without_step(b);
        assert!(same("l.step3.forget_gate", "l.step14.forget_gate"));
        assert!(same("loop.step0.inner.step2.y", "loop.step7.inner.step11.y"));
        assert!(!same("l.step3.forget_gate", "l.step3.input_gate"));
        for name in ["l.forget_gate", "l.steps.y", "l.step3b.y", "step3.y", "l.step"] {
            assert_eq!(without_step(name), None, "{name}");
        }
    }

    #[test]
    fn too_many_nodes_are_refused_with_their_number() {
        assert!(fits(MOST_NODES, 1).is_ok());
        let text = fits(MOST_NODES, 2).expect_err("twice too many").to_string();
        assert!(text.contains("65536 nodes, more than 32768"), "{text}");
        assert!(fits(usize::MAX, 2).is_err());
    }
}
