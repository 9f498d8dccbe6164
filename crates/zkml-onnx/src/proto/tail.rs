//! Label tails: what turns scores into class labels at the end of a classifier. The scores are proven, the
//! label is for whoever reads them.

use std::collections::HashSet;

use tract_onnx::pb;

use super::{Notice, producers};

/// Operators that only carry a label along.
const CARRIERS: [&str; 7] =
    ["Cast", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity", "ArrayFeatureExtractor"];
/// Classifiers whose first result is the label.
const CLASSIFIERS: [&str; 3] = ["LinearClassifier", "TreeEnsembleClassifier", "SVMClassifier"];

/// Where a tail begins.
struct Tail {
    /// Operators, from the end backwards.
    cut: Vec<String>,
    /// The scores that it reads.
    scores: String,
}

/// Cuts label tails off the outputs and says so. A plain ArgMax that is the only output stays, and so does the label of
/// trees: then it is what the model is asked for.
pub(crate) fn cut_labels(graph: &mut pb::GraphProto) -> Vec<Notice> {
    let mut notices = Vec::new();
    let plain = |t: &Tail| t.cut == ["ArgMax"] || t.cut == ["TreeEnsembleClassifier"];
    let only = graph.output.len() == 1;
    let mut kept: Vec<pb::ValueInfoProto> = Vec::new();
    for output in &graph.output {
        match tail(graph, &output.name) {
            Some(t) if !(only && plain(&t)) => notices.push((output.name.clone(), t)),
            _ => kept.push(output.clone()),
        }
    }
    let mut names: HashSet<String> = kept.iter().map(|o| o.name.clone()).collect();
    let mut out = Vec::new();
    // Replacements matter only where scores would be lost otherwise.
    let (zipped, labels): (Vec<_>, Vec<_>) =
        notices.into_iter().partition(|(_, t)| t.cut.first().is_some_and(|c| c == "ZipMap"));
    for (output, t) in zipped.into_iter().chain(labels) {
        let zip = t.cut.first().is_some_and(|c| c == "ZipMap");
        let replaced_by = ((zip || names.is_empty()) && names.insert(t.scores.clone())).then(|| {
            kept.push(pb::ValueInfoProto { name: t.scores.clone(), ..Default::default() });
            t.scores.clone()
        });
        out.push(notice(output, t.cut, replaced_by));
    }
    graph.output = kept;
    out
}

fn notice(output: String, cut: Vec<String>, replaced_by: Option<String>) -> Notice {
    let operators = cut.join(", ");
    let rest = match &replaced_by {
        Some(name) => format!("its scores are the output `{name}`"),
        None => "the scores remain an output of the model".into(),
    };
    let text =
        format!("output `{output}` only turns scores into labels ({operators}) and is not proven; {rest}");
    Notice { output, cut, replaced_by, text }
}

/// The tail that makes `output`, if it is one.
fn tail(graph: &pb::GraphProto, output: &str) -> Option<Tail> {
    let made = producers(graph);
    let weights: HashSet<&str> = graph.initializer.iter().map(|t| t.name.as_str()).collect();
    let mut value = output.to_owned();
    let mut cut = Vec::new();
    for _ in 0..graph.node.len() {
        let node = &graph.node[*made.get(value.as_str())?];
        cut.push(node.op_type.clone());
        let first = node.input.first()?.clone();
        value = match node.op_type.as_str() {
            "ZipMap" => return Some(Tail { cut, scores: first }),
            "ArgMax" => return Some(Tail { cut, scores: first }),
            classifier if CLASSIFIERS.contains(&classifier) => {
                let label = node.output.first().is_some_and(|o| *o == value);
                let scores = node.output.get(1).filter(|s| !s.is_empty())?.clone();
                return label.then_some(Tail { cut, scores });
            }
            // The labels are the constant, the index is the second input.
            "ArrayFeatureExtractor" if weights.contains(first.as_str()) => node.input.get(1)?.clone(),
            "ArrayFeatureExtractor" => return None,
            carrier if CARRIERS.contains(&carrier) => first,
            _ => return None,
        };
    }
    None
}

/// Drops nodes and weights that no output needs, so that nothing is said about them.
pub(crate) fn prune(graph: &mut pb::GraphProto) {
    let made = producers(graph);
    let mut needed: HashSet<String> = HashSet::new();
    let mut live = vec![false; graph.node.len()];
    let mut todo: Vec<String> = graph.output.iter().map(|o| o.name.clone()).collect();
    while let Some(value) = todo.pop() {
        if !needed.insert(value.clone()) {
            continue;
        }
        if let Some(&i) = made.get(value.as_str())
            && !std::mem::replace(&mut live[i], true)
        {
            todo.extend(graph.node[i].input.iter().cloned());
        }
    }
    let mut flags = live.into_iter();
    graph.node.retain(|_| flags.next().unwrap_or(false));
    graph.initializer.retain(|t| needed.contains(&t.name));
}

#[cfg(test)]
mod tests {
    use super::super::{node_name, standard};
    use super::*;

    fn graph(nodes: Vec<pb::NodeProto>, outputs: &[&str]) -> pb::GraphProto {
        let value = |n: &&str| pb::ValueInfoProto { name: (*n).to_owned(), ..Default::default() };
        pb::GraphProto { node: nodes, output: outputs.iter().map(value).collect(), ..Default::default() }
    }

    #[test]
    fn label_is_cut_and_scores_stay() {
        let nodes = vec![
            standard("Softmax", "s", &["x"], "p"),
            standard("ArgMax", "a", &["p"], "i"),
            standard("Cast", "c", &["i"], "label"),
        ];
        let mut g = graph(nodes, &["label", "p"]);
        let notices = cut_labels(&mut g);
        assert_eq!(notices.len(), 1);
        assert_eq!((notices[0].cut.join(","), notices[0].replaced_by.clone()), ("Cast,ArgMax".into(), None));
        assert_eq!(g.output.len(), 1);
        prune(&mut g);
        assert_eq!(g.node.len(), 1);
    }

    #[test]
    fn only_argmax_is_kept_but_only_label_gives_way_to_scores() {
        let mut plain = graph(vec![standard("ArgMax", "a", &["s"], "i")], &["i"]);
        assert!(cut_labels(&mut plain).is_empty());
        let nodes = vec![standard("ArgMax", "a", &["s"], "i"), standard("Cast", "c", &["i"], "label")];
        let mut label = graph(nodes, &["label"]);
        assert_eq!(cut_labels(&mut label)[0].replaced_by.as_deref(), Some("s"));
        assert_eq!(label.output[0].name, "s");
        assert_eq!(node_name(&label.node[0]), "a");
    }
}
