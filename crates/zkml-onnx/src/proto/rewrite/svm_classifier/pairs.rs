//! More than two classes: a decision for each pair, and probabilities from those of the pairs.

use tract_onnx::pb;

use super::super::support_vectors::decisions;
use super::super::{Rewriter, Rewritten};
use crate::proto::{attribute, int_attribute, node_name, standard};

/// The score of each pair `i < j`, which is above zero for `i`; or a probability for each class.
pub(super) fn rewrite(ctx: &mut Rewriter<'_>, classes: usize) -> Rewritten {
    let (rho, counts) = (ctx.floats("rho"), counts(ctx));
    let (pairs, vectors) = (classes * (classes - 1) / 2, counts.iter().sum::<usize>());
    let (a, b) = (ctx.floats("prob_a"), ctx.floats("prob_b"));
    let coefficients = ctx.floats("coefficients");
    let fits = counts.len() == classes && coefficients.len() == (classes - 1) * vectors && rho.len() == pairs;
    if !fits {
        return Err(format!(
            "{} vectors_per_class, {} coefficients and {} rho for {classes} classes and {vectors} vectors",
            counts.len(),
            coefficients.len(),
            rho.len()
        ));
    }
    let rows = rows(&coefficients, &counts);
    let (y, name) = (ctx.output(1)?.to_owned(), node_name(ctx.node).to_owned());
    if a.is_empty() && b.is_empty() {
        return decisions(ctx, vectors, rows, rho, &y);
    }
    if [a.len(), b.len()] != [pairs; 2] {
        return Err(format!("{} and {} parameters of probabilities for {pairs} pairs", a.len(), b.len()));
    }
    if classes > 3 {
        return Err(format!(
            "probabilities of {classes} classes, which onnxruntime searches for until it is close enough; those of two and of three are \
             supported: train with probability=False, or export with the option raw_scores"
        ));
    }
    let scores = format!("{name}.scores");
    let mut nodes = decisions(ctx, vectors, rows, rho, &scores)?;
    nodes.extend(of_three(ctx, &scores, [a, b], &y)?);
    Ok(nodes)
}

/// Number of support vectors of each class.
fn counts(ctx: &Rewriter<'_>) -> Vec<usize> {
    let given = attribute(ctx.node, "vectors_per_class").map_or_else(Vec::new, |a| a.ints.clone());
    given.into_iter().map(|n| usize::try_from(n).unwrap_or(0)).collect()
}

/// A row of coefficients for each pair: those of the vectors of both classes. In the file, vectors of a class have their coefficients against
/// the other classes below each other.
fn rows(coefficients: &[f32], counts: &[usize]) -> Vec<f32> {
    let vectors: usize = counts.iter().sum();
    let start = |class: usize| counts[..class].iter().sum::<usize>();
    let mut all = Vec::new();
    for (i, j) in pairs(counts.len()) {
        let mut row = vec![0.0; vectors];
        for (class, against) in [(i, j - 1), (j, i)] {
            for v in start(class)..start(class) + counts[class] {
                row[v] = coefficients[against * vectors + v];
            }
        }
        all.extend(row);
    }
    all
}

fn pairs(classes: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..classes).flat_map(move |i| (i + 1..classes).map(move |j| (i, j)))
}

/// Probabilities `p` of three classes from those of pairs, `r_ij = 1 / (1 + exp(a·s + b))`, as of Wu, Lin and Weng (2004): they minimise
/// `Σ (r_ji·p_i − r_ij·p_j)²`. With `Q_ii = Σ_j r_ji²` and `Q_ij = −r_ji·r_ij` that is `Q·p` the same for all, so `p` is the sum of a row of
/// the adjugate of `Q` less nothing, divided by the sum of all. onnxruntime stops a search within 0.005 of it.
fn of_three(
    ctx: &mut Rewriter<'_>,
    scores: &str,
    [a, b]: [Vec<f32>; 2],
    y: &str,
) -> Result<Vec<pb::NodeProto>, String> {
    let name = node_name(ctx.node).to_owned();
    let mut c = Chain { name, nodes: Vec::new() };
    let [minus_a, minus_b] = [a, b].map(|n| n.iter().map(|v| -v).collect::<Vec<f32>>());
    let (factor, shift) = (ctx.weight("platt", &[3], minus_a)?, ctx.weight("platt.bias", &[3], minus_b)?);
    let one = ctx.weight("one", &[1], vec![1.0])?;
    let scaled = c.push("Mul", "scaled", &[scores, &factor]);
    let logits = c.push("Add", "logits", &[&scaled, &shift]);
    let r = c.push("Sigmoid", "pairs", &[&logits]);
    let back = c.push("Sub", "reverse", &[&one, &r]);
    let columns = |c: &mut Chain, of: &str, part: &str| -> Vec<String> {
        let names: Vec<String> = (0..3).map(|i| c.part(&format!("{part}{i}"))).collect();
        let mut split = standard("Split", &c.part(part), &[of], &names[0]);
        split.output.clone_from(&names);
        split.attribute.push(int_attribute("axis", 1));
        c.nodes.push(split);
        names
    };
    let (r, back) = (columns(&mut c, &r, "pair"), columns(&mut c, &back, "reversed"));
    // Which pair two classes are, and `r_ij` of them.
    let at = |i: usize, j: usize| if i < j { &r[i + j - 1] } else { &back[i + j - 1] };
    let squares = |c: &mut Chain, i: usize| -> String {
        let [j, k] = [(i + 1) % 3, (i + 2) % 3].map(|j| {
            let r = at(j, i).clone();
            c.push("Mul", &format!("square{j}{i}"), &[&r, &r])
        });
        c.push("Add", &format!("q{i}{i}"), &[&j, &k])
    };
    let diagonal = [0, 1, 2].map(|i| squares(&mut c, i));
    // Without their signs: those of classes 0 and 1, 0 and 2, 1 and 2.
    let beside = [(0, 1), (0, 2), (1, 2)].map(|(i, j)| {
        let (there, back) = (at(j, i).clone(), at(i, j).clone());
        c.push("Mul", &format!("q{i}{j}"), &[&there, &back])
    });
    let q = Symmetric { diagonal, beside };
    let mut rows = Vec::new();
    for i in 0..3 {
        rows.push(adjugate_row(&mut c, &q, i));
    }
    let sum = c.push("Sum", "sum", &[&rows[0], &rows[1], &rows[2]]);
    let mut all = standard("Concat", &c.part("all"), &[&rows[0], &rows[1], &rows[2]], &c.part("all"));
    all.attribute.push(int_attribute("axis", 1));
    c.nodes.push(all);
    let all = c.part("all");
    c.nodes.push(standard("Div", &c.name.clone(), &[&all, &sum], y));
    Ok(c.nodes)
}

/// Names of the entries of a symmetric matrix of three rows.
struct Symmetric {
    diagonal: [String; 3],
    beside: [String; 3],
}

impl Symmetric {
    fn at(&self, i: usize, j: usize) -> &str {
        if i == j { &self.diagonal[i] } else { &self.beside[i + j - 1] }
    }
}

/// The sum of a row of the adjugate of a symmetric matrix of three rows, whose entries beside the diagonal are given without their minus.
///
/// With `j` and `k` the other two: `Q_jj·Q_kk − Q_jk² + Q_ij·Q_kk + Q_ik·Q_jk + Q_ik·Q_jj + Q_ij·Q_jk`.
fn adjugate_row(c: &mut Chain, q: &Symmetric, i: usize) -> String {
    let (j, k) = ((i + 1) % 3, (i + 2) % 3);
    let terms = [(j, j, k, k), (i, j, k, k), (i, k, j, k), (i, k, j, j), (i, j, j, k)];
    let products: Vec<String> = terms
        .iter()
        .enumerate()
        .map(|(n, (a, b, d, e))| c.push("Mul", &format!("row{i}.{n}"), &[q.at(*a, *b), q.at(*d, *e)]))
        .collect();
    let products: Vec<&str> = products.iter().map(String::as_str).collect();
    let sum = c.push("Sum", &format!("row{i}.sum"), &products);
    let square = c.push("Mul", &format!("row{i}.square"), &[q.at(j, k), q.at(j, k)]);
    c.push("Sub", &format!("row{i}"), &[&sum, &square])
}

/// Nodes in a row.
struct Chain {
    name: String,
    nodes: Vec<pb::NodeProto>,
}

impl Chain {
    fn part(&self, part: &str) -> String {
        format!("{}.{part}", self.name)
    }

    fn push(&mut self, op: &str, part: &str, inputs: &[&str]) -> String {
        let name = self.part(part);
        self.nodes.push(standard(op, &name, inputs, &name));
        name
    }
}
