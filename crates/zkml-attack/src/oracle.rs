//! The judgement over what a back end accepted.

use std::fmt;

use serde::Serialize;
use zkml_graph::{Graph, VarId};

use crate::{Assignment, Target, target::integer};

/// Magnitudes of inputs and weights beyond this are a finding by themselves; within it, operators of the zoo compute
/// without leaving 64 bits.
const MAX_INPUT: u64 = 1 << 40;

/// A false statement that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// A value of the statement is no small integer.
    Far {
        /// The variable.
        variable: String,
        /// Row-major index.
        index: usize,
    },
    /// The model does not run on these inputs and weights.
    NoRun {
        /// Its reason.
        reason: String,
    },
    /// The model gives another output.
    Output {
        /// Name of the output.
        output: String,
        /// Row-major index.
        index: usize,
        /// The output of the accepted statement.
        accepted: i64,
        /// The output that the model computes.
        model: i64,
    },
    /// A relation of the system does not hold on what was accepted.
    Relation {
        /// The relation and where it fails.
        detail: String,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Far { variable, index } => write!(f, "`{variable}`, element {index}, is no small integer"),
            Self::NoRun { reason } => write!(f, "the model does not run: {reason}"),
            Self::Output { output, index, accepted, model } => {
                write!(
                    f,
                    "output `{output}`, element {index}: {accepted} is accepted, the model says {model}"
                )
            }
            Self::Relation { detail } => f.write_str(detail),
        }
    }
}

/// Judges an accepted assignment: the statement's outputs must be the model's, and every relation must hold.
///
/// # Errors
/// The first thing that is false about it.
pub fn judge(target: &Target, accepted: &Assignment) -> Result<(), Finding> {
    let graph = &target.graph;
    let tensor = |id: zkml_graph::TensorId| lift(target, accepted, VarId(id.0), MAX_INPUT);
    let inputs = graph.inputs.iter().map(|(t, _)| tensor(*t)).collect::<Result<Vec<_>, _>>()?;
    let weights = graph.weights.iter().map(|t| tensor(*t)).collect::<Result<Vec<_>, _>>()?;
    let values = run(graph, inputs, weights).map_err(|reason| Finding::NoRun { reason })?;
    for o in &graph.outputs {
        let shown = lift(target, accepted, VarId(o.tensor.0), u64::MAX)?;
        let model = &values[o.tensor.0 as usize];
        if let Some(index) = (0..model.len()).find(|&i| shown[i] != model[i]) {
            let (accepted, model) = (shown[index], model[index]);
            return Err(Finding::Output { output: o.name.clone(), index, accepted, model });
        }
    }
    relations(target, accepted)
}

/// Every relation must hold on all variables, those included that no output depends on.
fn relations(target: &Target, accepted: &Assignment) -> Result<(), Finding> {
    let vars = 0..target.system.vars.len() as u32;
    let all = vars.map(|v| lift(target, accepted, VarId(v), u64::MAX)).collect::<Result<Vec<_>, _>>()?;
    target.system.check(&all).map_err(|e| Finding::Relation { detail: e.to_string() })
}

fn lift(target: &Target, values: &Assignment, var: VarId, limit: u64) -> Result<Vec<i64>, Finding> {
    let small = |v: i64| (v.unsigned_abs() <= limit).then_some(v);
    let all = values[var.0 as usize].iter().enumerate();
    all.map(|(index, v)| {
        let variable = || target.system.vars[var.0 as usize].name.clone();
        integer(*v).and_then(small).ok_or_else(|| Finding::Far { variable: variable(), index })
    })
    .collect()
}

/// Values of all tensors, whatever their bounds: relations are loose, so a statement may be a little beyond them.
fn run(graph: &Graph, inputs: Vec<Vec<i64>>, weights: Vec<Vec<i64>>) -> Result<Vec<Vec<i64>>, String> {
    let mut values: Vec<Vec<i64>> =
        graph.tensors.iter().map(|t| t.constant.clone().unwrap_or_default()).collect();
    let ids = graph.inputs.iter().map(|(t, _)| *t).chain(graph.weights.iter().copied());
    for (id, given) in ids.zip(inputs.into_iter().chain(weights)) {
        values[id.0 as usize] = given;
    }
    for n in &graph.nodes {
        let tensors: Vec<_> = n.inputs.iter().map(|&t| graph.tensor(t)).collect();
        let args: Vec<&[i64]> = n.inputs.iter().map(|t| values[t.0 as usize].as_slice()).collect();
        if !defined(&n.op, &args) {
            return Err(format!("`{}` divides by a number that is not positive", n.name));
        }
        let result = n.op.spec().eval(&n.name, &tensors, &args, graph.tensor(n.output));
        values[n.output.0 as usize] = result.map_err(|e| e.to_string())?.output;
    }
    Ok(values)
}

/// Returns true if the operator has a value: bounds of the divisor are all that keeps an honest run from dividing
/// by zero.
fn defined(op: &zkml_graph::Op, args: &[&[i64]]) -> bool {
    match op {
        zkml_graph::Op::Divide(_) => args.get(1).is_some_and(|b| b.iter().all(|v| *v > 0)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ff::Field;
    use halo2_proofs::halo2curves::bn256::Fr;
    use zkml_graph::testing;

    #[test]
    fn honest_runs_are_true_and_another_output_is_not() {
        for case in testing::cases() {
            let target = Target::new(&case.name, case.graph, &case.inputs, &case.weights).expect("runs");
            assert_eq!(judge(&target, &target.honest), Ok(()), "{}", case.name);
            let mut forged = target.honest.clone();
            let output = target.graph.outputs[0].tensor.0 as usize;
            forged[output][0] += Fr::ONE;
            assert!(
                matches!(judge(&target, &forged), Err(Finding::Output { index: 0, .. })),
                "{}",
                case.name
            );
        }
    }
}
