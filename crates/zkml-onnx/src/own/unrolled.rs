//! What steps of a sequence have in common, wherever they are unrolled; and bodies of control-flow nodes, which are put in the place of
//! these.

use std::collections::HashMap;

use tract_onnx::model::ParsingContext;
use tract_onnx::pb;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::konst::Const;
use tract_onnx::tract_core::ops::source::TypedSource;
use tract_onnx::tract_hir::internal::*;

use super::Wiring;

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

/// A body of a control-flow node.
#[derive(Debug, Clone)]
pub(super) struct Body {
    /// Attribute that holds it.
    attribute: String,
    model: InferenceModel,
    /// Inputs of the node that it reads besides its own.
    captured: Vec<usize>,
    /// Number of its own inputs.
    pub(super) inputs: usize,
}

/// The bodies of a node, whose inputs list what they read.
pub(super) fn bodies(ctx: &ParsingContext<'_>, node: &pb::NodeProto) -> TractResult<Vec<Body>> {
    let held = node.attribute.iter().filter_map(|a| Some((a, a.g.as_ref()?)));
    let parsed = held.map(|(attribute, graph)| {
        let parsed = ctx.parse_graph(graph)?;
        let place = |name: &String| {
            let at = node.input.iter().position(|i| i == name);
            at.with_context(|| format!("the body reads `{name}`, which there is not"))
        };
        let captured = parsed.unresolved_inputs.iter().map(place).collect::<TractResult<_>>()?;
        let (attribute, inputs) = (attribute.name.clone(), graph.input.len());
        Ok(Body { attribute, model: parsed.model, captured, inputs })
    });
    parsed.collect()
}

impl Body {
    /// Number of its nodes, about.
    pub(super) fn len(&self) -> usize {
        self.model.nodes().len()
    }
}

impl<'a> Wiring<'a> {
    /// A body by the name of its attribute.
    pub(super) fn body(&self, attribute: &str) -> TractResult<&'a Body> {
        let bodies = self.bodies;
        let body = bodies.iter().find(|b| b.attribute == attribute);
        body.with_context(|| format!("the attribute `{attribute}` is missing"))
    }

    /// Puts a body in the place of the node, under a name within it; returns what the body gives for its inputs.
    pub(super) fn inline(
        &mut self,
        body: &Body,
        at: &str,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        ensure!(inputs.len() == body.inputs, "{} inputs for a body of {}", inputs.len(), body.inputs);
        let mut given: Vec<OutletId> = inputs.to_vec();
        for slot in &body.captured {
            given.push(self.input(*slot)?);
        }
        let mut model = body.model.clone();
        for (slot, outlet) in given.iter().enumerate() {
            let fact = self.model.outlet_fact(*outlet)?;
            model.set_input_fact(slot, InferenceFact::from(fact))?;
        }
        let typed = model.into_typed()?;
        let mut map: HashMap<OutletId, OutletId> = typed.inputs.iter().copied().zip(given).collect();
        for id in typed.eval_order()? {
            let node = typed.node(id);
            let name = format!("{}.{at}.{}", self.prefix, node.name);
            if node.op_is::<TypedSource>() {
                continue;
            }
            let outlets = match node.op_as::<Const>() {
                Some(constant) => tvec!(self.model.add_const(name, constant.val().clone())?),
                None => {
                    let inputs = node.inputs.iter().map(|i| map.get(i).copied()).collect::<Option<Vec<_>>>();
                    let inputs = inputs.with_context(|| format!("`{name}` reads what nothing makes"))?;
                    self.model.wire_node(name, node.op.clone(), &inputs)?
                }
            };
            map.extend(outlets.into_iter().enumerate().map(|(slot, new)| (OutletId::new(id, slot), new)));
        }
        let made = typed.outputs.iter().map(|o| map.get(o).copied());
        made.collect::<Option<_>>().context("the body does not make one of its results")
    }

    /// Results of a control-flow node that have a name.
    pub(super) fn wanted(&self, results: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let outputs = &self.node.output;
        ensure!(outputs.len() <= results.len(), "{} outputs of a body of {}", outputs.len(), results.len());
        Ok(outputs.iter().zip(results).filter(|(name, _)| !name.is_empty()).map(|(_, o)| *o).collect())
    }
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
