//! TreeEnsembleClassifier of ai.onnx.ml.

use tract_onnx::pb;

use super::{OpSupport, Rewriter, Rewritten, op};
use crate::forest::Forest;
use crate::proto::{attribute, int_attribute, node_name, standard, text_attribute};

/// The operator.
pub(super) const ONNX: OpSupport = op(
    "TreeEnsembleClassifier",
    "ai.onnx.ml; exact on the rounded features; post_transform NONE, LOGISTIC or SOFTMAX; inputs are never missing; \
     the label is cut beside scores, and proven where it is the only output",
);

/// Rewrites a node.
pub(super) fn rewrite(ctx: &mut Rewriter<'_>) -> Rewritten {
    let ensemble = Ensemble::new(ctx)?;
    let name = node_name(ctx.node).to_owned();
    let raw = format!("{name}.scores");
    let mut nodes = vec![ctx.scores("class", &ensemble.base, &raw)?];
    let slot = |i: usize| ctx.node.output.get(i).filter(|o| !o.is_empty()).cloned();
    let (label, y) = (slot(0), slot(1));
    let mut known: Vec<(Second, String)> = Vec::new();
    let mut both = |ctx: &mut Rewriter<'_>, nodes: &mut Vec<pb::NodeProto>, second: Option<Second>| {
        let Some(second) = second else { return Ok(raw.clone()) };
        if let Some((_, found)) = known.iter().find(|(s, _)| *s == second) {
            return Ok::<_, String>(found.clone());
        }
        let made = second.nodes(ctx, &name, &raw, nodes)?;
        known.push((second, made.clone()));
        Ok(made)
    };
    if let Some(label) = label {
        let scores = both(ctx, &mut nodes, ensemble.second)?;
        nodes.extend(label_nodes(ctx, &name, &scores, &label)?);
    }
    if let Some(y) = y {
        let opposite =
            ensemble.second.map(|s| if ensemble.post == "LOGISTIC" { Second::Opposite } else { s });
        let scores = both(ctx, &mut nodes, opposite)?;
        nodes.push(transformed(&name, &ensemble, &scores, &y)?);
    }
    Ok(nodes)
}

/// Parts that the scores of a classifier are made of.
struct Ensemble {
    base: Vec<f64>,
    /// For two classes that share one score: what the score of the first is.
    second: Option<Second>,
    post: String,
}

/// The first of two scores, where the trees give only the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Second {
    /// One minus the second, where no leaf adds a negative number: scores are probabilities, unless they are transformed.
    Complement,
    /// The opposite of the second.
    Opposite,
}

impl Ensemble {
    /// Reads what ONNX leaves to conventions; these are onnxruntime's.
    fn new(ctx: &Rewriter<'_>) -> Result<Self, String> {
        let classes = ["classlabels_int64s", "classlabels_strings"]
            .iter()
            .filter_map(|n| attribute(ctx.node, n))
            .map(|a| a.ints.len() + a.strings.len())
            .sum::<usize>();
        let post = text_attribute(ctx.node, "post_transform", "NONE");
        let ids = attribute(ctx.node, "class_ids").map_or(&[][..], |a| &a.ints);
        let mut base = Forest::base_values(ctx.node)?;
        let single = classes == 2 && ids.windows(2).all(|w| w[0] == w[1]);
        if !single {
            if base.is_empty() {
                base = vec![0.0; classes];
            }
            if base.len() != classes || classes < 2 {
                return Err(format!("{} base_values for {classes} classes", base.len()));
            }
            return Ok(Self { base, second: None, post });
        }
        if ids.first().is_some_and(|id| *id != 0) || base.len() > 1 {
            return Err(format!(
                "two classes, weights for class {:?} alone and {} base_values: ONNX does not say what the scores are; \
                 give the weights to class 0 and one base value, or weights to both",
                ids.first(),
                base.len()
            ));
        }
        base.resize(1, 0.0);
        let positive = !Forest::of_attributes(ctx.node, "class", 1)?.has_negative_weight();
        if post == "SOFTMAX" {
            return Err("the post_transform SOFTMAX of one score for two classes".into());
        }
        let second = Some(if positive { Second::Complement } else { Second::Opposite });
        Ok(Self { base, second, post })
    }
}

impl Second {
    /// Adds what makes both scores of one, and returns their name.
    fn nodes(
        self,
        ctx: &mut Rewriter<'_>,
        name: &str,
        raw: &str,
        nodes: &mut Vec<pb::NodeProto>,
    ) -> Result<String, String> {
        let part = |of: &str| {
            format!("{name}.{}.{of}", if self == Self::Opposite { "opposite" } else { "complement" })
        };
        let (first, both) = (part("first"), part("both"));
        nodes.push(match self {
            Self::Opposite => standard("Neg", &first, &[raw], &first),
            Self::Complement => {
                let one = ctx.weight("one", &[1], vec![1.0])?;
                standard("Sub", &first, &[&one, raw], &first)
            }
        });
        let mut concat = standard("Concat", &both, &[&first, raw], &both);
        concat.attribute.push(int_attribute("axis", 1));
        nodes.push(concat);
        Ok(both)
    }
}

/// Scores as the node gives them.
fn transformed(name: &str, ensemble: &Ensemble, both: &str, y: &str) -> Result<pb::NodeProto, String> {
    Ok(match ensemble.post.as_str() {
        "NONE" => standard("Identity", &format!("{name}.out"), &[both], y),
        "LOGISTIC" => standard("Sigmoid", &format!("{name}.logistic"), &[both], y),
        "SOFTMAX" => {
            let mut softmax = standard("Softmax", &format!("{name}.softmax"), &[both], y);
            softmax.attribute.push(int_attribute("axis", 1));
            softmax
        }
        other => return Err(format!("the post_transform {other}")),
    })
}

/// The label: the index of the largest score, or the class that has this index, where classes are evenly spaced numbers.
fn label_nodes(
    ctx: &mut Rewriter<'_>,
    name: &str,
    both: &str,
    y: &str,
) -> Result<Vec<pb::NodeProto>, String> {
    let classes = attribute(ctx.node, "classlabels_int64s").map_or_else(Vec::new, |a| a.ints.clone());
    let (first, step) = match classes.as_slice() {
        [a, b, ..] => (*a, b.wrapping_sub(*a)),
        // Names: a number stands for each, in their order.
        _ => (0, 1),
    };
    let even = classes.windows(2).all(|w| w[1].checked_sub(w[0]) == Some(step));
    let exact = |v: i64| v.unsigned_abs() < 1 << 24;
    if !even || !exact(first) || !exact(step) {
        return Err(format!(
            "the classes {classes:?}, which are not evenly spaced; take the scores as output"
        ));
    }
    let index = format!("{name}.index");
    let plain = (first, step) == (0, 1);
    let mut argmax = standard("ArgMax", &index, &[both], if plain { y } else { &index });
    argmax.attribute.extend([int_attribute("axis", 1), int_attribute("keepdims", 0)]);
    if plain {
        return Ok(vec![argmax]);
    }
    let float = format!("{name}.index.float");
    let mut cast = standard("Cast", &float, &[&index], &float);
    cast.attribute.push(int_attribute("to", pb::tensor_proto::DataType::Float as i64));
    let (step, first) =
        (ctx.weight("step", &[1], vec![step as f32])?, ctx.weight("first", &[1], vec![first as f32])?);
    let scaled = format!("{name}.index.scaled");
    Ok(vec![
        argmax,
        cast,
        standard("Mul", &scaled, &[&float, &step], &scaled),
        standard("Add", &format!("{name}.label"), &[&scaled, &first], y),
    ])
}
