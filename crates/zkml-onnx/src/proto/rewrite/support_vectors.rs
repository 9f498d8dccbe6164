//! What both operators of support vector machines have in common: a kernel of the input and each support vector, and a weighted sum.

use tract_onnx::pb;

use super::Rewriter;
use crate::proto::{attribute, int_attribute, node_name, standard, text_attribute};

/// `Σ coefficient · kernel(x, vector) + rho` into `y`, of shape `[rows, 1]`.
pub(super) fn decision(
    ctx: &mut Rewriter<'_>,
    coefficients: Vec<f32>,
    rho: f32,
    y: &str,
) -> Result<Vec<pb::NodeProto>, String> {
    if ctx.floats("support_vectors").is_empty() {
        // Without support vectors the coefficients are those of the features.
        let x = ctx.input()?.to_owned();
        return Ok(vec![ctx.layer("coefficients", &x, 1, coefficients, vec![rho], y)?]);
    }
    decisions(ctx, coefficients.len(), coefficients, vec![rho], y)
}

/// `Σ coefficient · kernel(x, vector) + rho` into `y`, of shape `[rows, decisions]`: a row of coefficients, one for each of `count` support
/// vectors, for each decision.
///
/// `exp(−γ·‖x − v‖²)` is computed as `exp(2γ·x·v − γ·‖v‖² − γ·‖x‖²)`: a contraction with constant weights, and one sum of squares for all
/// vectors.
pub(super) fn decisions(
    ctx: &mut Rewriter<'_>,
    count: usize,
    coefficients: Vec<f32>,
    rho: Vec<f32>,
    y: &str,
) -> Result<Vec<pb::NodeProto>, String> {
    let vectors = ctx.floats("support_vectors");
    let x = ctx.input()?.to_owned();
    let name = node_name(ctx.node).to_owned();
    if count == 0 || !vectors.len().is_multiple_of(count) {
        return Err(format!("{} numbers of support vectors for {count} coefficients", vectors.len()));
    }
    let features = vectors.len() / count;
    let [gamma, offset, degree] = match ctx.floats("kernel_params")[..] {
        [] => [0.0, 0.0, 0.0],
        [gamma, offset, degree] => [gamma, offset, degree],
        ref other => return Err(format!("{} numbers in kernel_params instead of 3", other.len())),
    };
    let scaled = |by: f32| vectors.iter().map(|v| v * by).collect::<Vec<f32>>();
    let part = |part: &str| format!("{name}.{part}");
    let (products, kernel) = (part("products"), part("kernel"));
    let zeros = vec![0.0; count];
    let mut nodes = match text_attribute(ctx.node, "kernel_type", "LINEAR").as_str() {
        "LINEAR" => vec![ctx.layer("vectors", &x, count, vectors, zeros, &kernel)?],
        "SIGMOID" => vec![
            ctx.layer("vectors", &x, count, scaled(gamma), vec![offset; count], &products)?,
            standard("Tanh", &kernel, &[&products], &kernel),
        ],
        "POLY" if degree.fract() == 0.0 && (1.0..=8.0).contains(&degree) => {
            let layer = ctx.layer("vectors", &x, count, scaled(gamma), vec![offset; count], &products)?;
            let exponent = ctx.weight("degree", &[], vec![degree])?;
            vec![layer, standard("Pow", &kernel, &[&products, &exponent], &kernel)]
        }
        "POLY" => {
            return Err(format!(
                "a polynomial kernel of degree {degree}; whole degrees of 1 to 8 are supported"
            ));
        }
        "RBF" => {
            let norms = vectors.chunks(features).map(|v| -gamma * v.iter().map(|x| x * x).sum::<f32>());
            let norms = norms.collect::<Vec<f32>>();
            let (squares, norm, exponent) = (part("squares"), part("norm"), part("exponent"));
            vec![
                ctx.layer("vectors", &x, count, scaled(2.0 * gamma), norms, &products)?,
                standard("Mul", &squares, &[&x, &x], &squares),
                ctx.layer("norm", &squares, 1, vec![-gamma; features], vec![0.0], &norm)?,
                standard("Add", &exponent, &[&products, &norm], &exponent),
                standard("Exp", &kernel, &[&exponent], &kernel),
            ]
        }
        other => return Err(format!("the kernel {other}")),
    };
    nodes.push(ctx.layer("coefficients", &kernel, rho.len(), coefficients, rho, y)?);
    Ok(nodes)
}

/// Refuses a post_transform: those of margins are not what their names say.
pub(super) fn plain(ctx: &Rewriter<'_>) -> Result<(), String> {
    match text_attribute(ctx.node, "post_transform", "NONE").as_str() {
        "NONE" => Ok(()),
        other => Err(format!("the post_transform {other}")),
    }
}

/// Number of classes of a classifier.
pub(super) fn classes(ctx: &Rewriter<'_>) -> usize {
    let names = ["classlabels_ints", "classlabels_strings"];
    names.iter().filter_map(|n| attribute(ctx.node, n)).map(|a| a.ints.len() + a.strings.len()).sum()
}

impl Rewriter<'_> {
    /// `x · wᵀ + b` of a tensor inside the node, with `rows` rows of weights.
    fn layer(
        &mut self,
        part: &str,
        x: &str,
        rows: usize,
        w: Vec<f32>,
        b: Vec<f32>,
        y: &str,
    ) -> Result<pb::NodeProto, String> {
        let columns = w.len() / rows.max(1);
        let w = self.weight(&format!("{part}.weight"), &[rows, columns], w)?;
        let b = self.weight(&format!("{part}.bias"), &[rows], b)?;
        let name = format!("{}.{part}.layer", node_name(self.node));
        let mut node = standard("Gemm", &name, &[x, &w, &b], y);
        node.attribute.push(int_attribute("transB", 1));
        Ok(node)
    }
}
