//! Who sees what of a model, and what the commitments to the rest cost.

use serde::Serialize;
use zkml::{Backend, Plan};
use zkml_graph::{Graph, TensorId, Visibility};
use zkml_halo2::poseidon_rows::call_height;
use zkml_onnx::{Inspection, Settings};
use zkml_protocol::commitment::{Code, calls};

/// Columns that are assumed before a circuit is planned.
pub const COLUMNS: usize = 4;
/// Width of inputs, outputs and weights that is assumed before a model is calibrated.
pub const BITS: u32 = 16;
/// Width that is assumed of what is added to products.
pub const ADDED_BITS: u32 = 32;

/// An input, an output, or all weights.
#[derive(Debug, Clone, Serialize)]
pub struct Part {
    /// `input`, `weights` or `output`.
    pub role: &'static str,
    /// The model's name for it.
    pub name: String,
    /// Who sees it.
    pub visibility: Visibility,
    /// Number of values.
    pub values: usize,
    /// Calls of the hash that a commitment to it takes.
    pub hash_calls: usize,
    /// Rows that they take.
    pub hash_rows: usize,
}

/// Who sees what of a model.
#[derive(Debug, Clone, Serialize)]
pub struct Disclosure {
    /// Inputs, weights, outputs.
    pub parts: Vec<Part>,
    /// Calls of the hash in all.
    pub hash_calls: usize,
    /// Rows that they take.
    pub hash_rows: usize,
    /// Whether the model is compiled; widths are assumed otherwise.
    pub exact: bool,
    /// What stays visible of a model with private weights.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stays_public: Vec<String>,
}

impl Disclosure {
    /// Of a model that is not calibrated yet.
    pub fn expected(model: &Inspection, settings: &Settings) -> Self {
        let height = call_height(COLUMNS, COLUMNS);
        let code = |bits, signed| Code { bits, signed };
        let port = |role, name: &str, values, visibility| {
            part(role, name, visibility, &[(code(BITS, true), values)], height)
        };
        let inputs = model.inputs.iter().map(|p| port("input", &p.name, p.len(), settings.input(&p.name)));
        let tensors: Vec<(Code, usize)> = model
            .weights
            .iter()
            .map(|w| (code(if w.added { ADDED_BITS } else { BITS }, true), w.values))
            .collect();
        let weights = match settings.weights {
            Visibility::Public => part(
                "weights",
                "",
                Visibility::Public,
                &[(code(BITS, true), model.parameters as usize)],
                height,
            ),
            Visibility::Committed => part("weights", "", Visibility::Committed, &tensors, height),
        };
        let outputs =
            model.outputs.iter().map(|p| port("output", &p.name, p.len(), settings.output(&p.name)));
        let parts = inputs.chain([weights]).chain(outputs).collect();
        Self::new(parts, false, model.stays_public.clone())
    }

    /// Of a compiled model.
    pub fn exact(graph: &Graph, plan: &Plan, stays_public: Vec<String>) -> Self {
        let height = plan.rows_per_call();
        let code = |id: TensorId| {
            let t = graph.tensor(id);
            let code = zkml_graph::Code::of(t.bounds);
            (Code { bits: code.bits, signed: code.signed }, t.len())
        };
        let inputs =
            graph.inputs.iter().map(|(t, v)| part("input", &graph.tensor(*t).name, *v, &[code(*t)], height));
        let private: Vec<(Code, usize)> = graph.weights.iter().map(|t| code(*t)).collect();
        let weights = if private.is_empty() {
            let all = (Code { bits: BITS, signed: true }, graph.parameters());
            part("weights", "", Visibility::Public, &[all], height)
        } else {
            let hashed = part("weights", "", Visibility::Committed, &private, height);
            // With sumcheck the commitment is that of the proof system: nothing is hashed in a proof.
            match plan.backend() {
                Backend::Halo2 => hashed,
                Backend::Sumcheck => Part { hash_calls: 0, hash_rows: 0, ..hashed },
            }
        };
        let outputs =
            graph.outputs.iter().map(|o| part("output", &o.name, o.visibility, &[code(o.tensor)], height));
        Self::new(inputs.chain([weights]).chain(outputs).collect(), true, stays_public)
    }

    fn new(parts: Vec<Part>, exact: bool, stays_public: Vec<String>) -> Self {
        let hash_calls = parts.iter().map(|p| p.hash_calls).sum();
        let hash_rows = parts.iter().map(|p| p.hash_rows).sum();
        Self { parts, hash_calls, hash_rows, exact, stays_public }
    }

    /// Whether the weights are private.
    pub fn private_weights(&self) -> bool {
        self.parts.iter().any(|p| p.role == "weights" && p.visibility == Visibility::Committed)
    }
}

fn part(
    role: &'static str,
    name: &str,
    visibility: Visibility,
    tensors: &[(Code, usize)],
    height: usize,
) -> Part {
    let hash_calls = match visibility {
        Visibility::Public => 0,
        Visibility::Committed => calls(tensors.iter().copied()),
    };
    let values = tensors.iter().map(|(_, n)| n).sum();
    let (name, hash_rows) = (name.to_owned(), hash_calls * height);
    Part { role, name, visibility, values, hash_calls, hash_rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The price of a thousand private weights of 16 bits.
    #[test]
    fn a_thousand_weights_are_affordable() {
        let weights = [(Code { bits: BITS, signed: true }, 1000)];
        let part = part("weights", "", Visibility::Committed, &weights, call_height(COLUMNS, COLUMNS));
        assert_eq!(part.hash_calls, (1 + 1 + 1000usize.div_ceil(15)).div_ceil(2));
        assert!(part.hash_rows <= 10_000, "{}", part.hash_rows);
    }
}
