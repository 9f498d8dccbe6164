//! SVMClassifier of ai.onnx.ml.

mod pairs;

use super::support_vectors::{classes, decision, plain};
use super::{OpSupport, Rewriter, Rewritten, op};
use crate::proto::{int_attribute, node_name, standard};

/// The operator.
pub(super) const ONNX: OpSupport = op(
    "SVMClassifier",
    "ai.onnx.ml; the scores of each pair of classes, or probabilities of two or three classes; the label is cut; kernels as of SVMRegressor",
);

/// The decision between both classes, of which the first has more than zero; as probabilities where their parameters are given.
pub(super) fn rewrite(ctx: &mut Rewriter<'_>) -> Rewritten {
    plain(ctx)?;
    let classes = classes(ctx);
    if classes < 2 || ctx.floats("support_vectors").is_empty() {
        return Err(format!(
            "{classes} classes, or no support vectors: export one classifier for each class, or a linear one"
        ));
    }
    if classes > 2 {
        return pairs::rewrite(ctx, classes);
    }
    let [rho] = ctx.floats("rho")[..] else { return Err("another number of `rho` than one".into()) };
    let (coefficients, y, name) =
        (ctx.floats("coefficients"), ctx.output(1)?.to_owned(), node_name(ctx.node).to_owned());
    let coefficients_agree = coefficients.iter().all(|c| *c >= 0.0);
    let margin = format!("{name}.margin");
    let mut nodes = decision(ctx, coefficients, rho, &margin)?;
    let (first, second) = (format!("{name}.first"), format!("{name}.second"));
    match (&ctx.floats("prob_a")[..], &ctx.floats("prob_b")[..]) {
        ([], []) => {
            // Which of both is which no specification says: this is what onnxruntime gives, where coefficients differ in sign.
            if coefficients_agree {
                return Err("coefficients of one sign: nobody says what the scores are".into());
            }
            nodes.push(standard("Neg", &first, &[&margin], &first));
            nodes.push(standard("Identity", &second, &[&margin], &second));
        }
        ([a], [b]) => {
            // Platt: 1 / (1 + exp(a · margin + b)). onnxruntime comes within 0.0025 of that, where its iteration for several classes stops.
            let (logit, a, b) = (
                format!("{name}.logit"),
                ctx.weight("platt", &[1], vec![-a])?,
                ctx.weight("platt.bias", &[1], vec![-b])?,
            );
            let scaled = format!("{name}.scaled");
            nodes.push(standard("Mul", &scaled, &[&margin, &a], &scaled));
            nodes.push(standard("Add", &logit, &[&scaled, &b], &logit));
            nodes.push(standard("Sigmoid", &first, &[&logit], &first));
            let one = ctx.weight("one", &[1], vec![1.0])?;
            nodes.push(standard("Sub", &second, &[&one, &first], &second));
        }
        (a, b) => {
            return Err(format!(
                "{} and {} parameters of probabilities for one pair of classes",
                a.len(),
                b.len()
            ));
        }
    }
    let mut both = standard("Concat", &name, &[&first, &second], &y);
    both.attribute.push(int_attribute("axis", 1));
    nodes.push(both);
    Ok(nodes)
}
