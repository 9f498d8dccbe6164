//! `weights.bin`: the integers of a model's private weights, for the eyes of their owner only.
//!
//! ```text
//! "zkml-weights/1\n" ‖ keccak256 of the graph (32) ‖ number of tensors (4)
//!   ‖ for each tensor: number of values (8) ‖ values (8 each, two's complement)        all little-endian
//! ```

use zkml_graph::Graph;

/// Marks the file and its version.
const MAGIC: &[u8] = b"zkml-weights/1\n";

/// The content of the file.
#[must_use]
pub fn encode(graph: &Graph, weights: &[Vec<i64>]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend(graph.hash());
    out.extend((weights.len() as u32).to_le_bytes());
    for values in weights {
        out.extend((values.len() as u64).to_le_bytes());
        values.iter().for_each(|v| out.extend(v.to_le_bytes()));
    }
    out
}

/// Bytes that are not the weights of a graph.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeightsError {
    /// They do not begin as weights do.
    #[error("it holds no weights, or those of another version")]
    Magic,
    /// They end before the last weight.
    #[error("it ends too early")]
    Short,
    /// They go on after the last weight.
    #[error("{0} bytes too many")]
    Long(usize),
    /// The graph that they name is another one.
    #[error("its weights are those of another graph")]
    OtherGraph,
    /// Too few or too many tensors.
    #[error("it has {found} tensors, the graph takes {expected}")]
    Tensors {
        /// Number of tensors.
        found: usize,
        /// Number that the graph takes.
        expected: usize,
    },
    /// A tensor with too few or too many values.
    #[error("`{tensor}` has {found} values, the graph takes {expected}")]
    Values {
        /// The tensor.
        tensor: String,
        /// Number of values.
        found: u64,
        /// Number that the graph takes.
        expected: usize,
    },
    /// A value beyond the bounds of its tensor.
    #[error("`{tensor}`, element {index}, is {value}: beyond its bounds")]
    Bounds {
        /// The tensor.
        tensor: String,
        /// Which of its values.
        index: usize,
        /// The value.
        value: i64,
    },
}

/// The weights of `graph`: as many tensors and values as it takes, all within its bounds.
///
/// # Errors
/// [`WeightsError`] with what is wrong with the bytes.
pub fn decode(graph: &Graph, bytes: &[u8]) -> Result<Vec<Vec<i64>>, WeightsError> {
    let mut rest = bytes.strip_prefix(MAGIC).ok_or(WeightsError::Magic)?;
    if take(&mut rest)? != graph.hash() {
        return Err(WeightsError::OtherGraph);
    }
    let (found, expected) = (u32::from_le_bytes(take(&mut rest)?) as usize, graph.weights.len());
    if found != expected {
        return Err(WeightsError::Tensors { found, expected });
    }
    let mut weights = Vec::with_capacity(found);
    for tensor in graph.weights.iter().map(|id| graph.tensor(*id)) {
        let name = || tensor.name.clone();
        let (found, expected) = (u64::from_le_bytes(take(&mut rest)?), tensor.len());
        if found != expected as u64 {
            return Err(WeightsError::Values { tensor: name(), found, expected });
        }
        let mut values = Vec::new();
        for index in 0..expected {
            let value = i64::from_le_bytes(take(&mut rest)?);
            if !tensor.bounds.contains(value.into()) {
                return Err(WeightsError::Bounds { tensor: name(), index, value });
            }
            values.push(value);
        }
        weights.push(values);
    }
    if rest.is_empty() { Ok(weights) } else { Err(WeightsError::Long(rest.len())) }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], WeightsError> {
    let (head, tail) = bytes.split_first_chunk().ok_or(WeightsError::Short)?;
    *bytes = tail;
    Ok(*head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use zkml_graph::{Bounds, GraphBuilder, Map, Visibility, ops::Linear};

    fn graph(name: &str) -> Graph {
        let mut b = GraphBuilder::new(name);
        let x = b.input("x", &[2], 0, Bounds::new(-9, 9), Visibility::Public).unwrap();
        let w = b.weight("w", &[2], 0, 16).unwrap();
        let terms = vec![(1, Map::identity(&[2])); 2];
        let y = b.node("y", Linear { terms, constant: 0, scale: 0 }, &[x, w]).unwrap();
        b.output("y", y, Visibility::Public);
        b.finish().unwrap()
    }

    #[test]
    fn reads_what_it_wrote_and_nothing_else() {
        let (graph, weights) = (graph("m"), vec![vec![-32768, 32767]]);
        let bytes = encode(&graph, &weights);
        assert_eq!(decode(&graph, &bytes), Ok(weights));
        for (bad, why) in [
            (encode(&graph, &[vec![32768, 0]]), "bounds"),
            (encode(&graph, &[vec![1]]), "1 values"),
            (encode(&graph, &[]), "0 tensors"),
            (encode(&self::graph("other"), &[vec![1, 2]]), "another graph"),
            ([&bytes[..], b"x"].concat(), "too many"),
            (b"zkml-graph/2\n".to_vec(), "no weights"),
        ] {
            let error = decode(&graph, &bad).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        for cut in 0..bytes.len() {
            assert!(decode(&graph, &bytes[..cut]).is_err());
        }
    }
}
