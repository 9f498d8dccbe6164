//! Tree ensembles: thresholds as integers, walks, what the leaves add.

use std::sync::Arc;

use zkml_graph::ops::{Contract, Lookup, Reindex};
use zkml_graph::{Map, TensorId};

use super::emit::Emitter;
use super::scales::{power, quantize};
use crate::Error;
use crate::forest::{Cut, Forest, Numbered, cut_at};
use crate::net::{Operand, gather};

/// A walk down the trees of an ensemble, as the graph has it.
#[derive(Debug)]
pub(crate) struct Walk {
    /// The features, as the network has them.
    pub(crate) x: Operand,
    /// The trees.
    pub(crate) forest: Arc<Forest>,
    /// Their nodes.
    pub(crate) numbered: Numbered,
    /// Name of the tensor that says where walks end.
    pub(crate) leaf: String,
}

impl Walk {
    /// Returns true if a walk of a run of the graph ended elsewhere than it does in floats; `floats` are the values of the network.
    pub(crate) fn moved(&self, floats: &[Vec<f64>], ends: &[i64]) -> bool {
        let features = self.x.map.shape.last().copied().unwrap_or(1).max(1);
        let rows = gather(&self.x.map, &floats[self.x.value]);
        rows.chunks(features).flat_map(|row| self.numbered.walk(&self.forest, row)).ne(ends.iter().copied())
    }
}

impl Emitter<'_> {
    /// The walk, a table of what each leaf adds to each score, and exact sums of these integers.
    pub(super) fn trees(
        &mut self,
        value: usize,
        x: &Operand,
        forest: &Arc<Forest>,
    ) -> Result<TensorId, Error> {
        let numbered = Numbered::new(forest);
        let id = self.rounded(x.value)?;
        let map = self.view(x, id);
        let (name, t) = (self.name(value, ".leaf"), self.builder.tensor(id));
        let (scale, bounds) = (t.scale, t.bounds);
        // Rounded as features are.
        let rounded =
            |c: &Cut| Ok::<_, Error>(cut_at((c.threshold * power(scale)).round(), c.strict, bounds));
        let trees = numbered.trees(forest, map, rounded)?;
        let leaf = self.builder.node(&name, trees, &[id])?;
        self.walks.push(Walk {
            x: x.clone(),
            forest: forest.clone(),
            numbered: numbered.clone(),
            leaf: name,
        });
        self.sums(value, forest, &numbered, leaf)
    }

    fn sums(
        &mut self,
        value: usize,
        forest: &Forest,
        numbered: &Numbered,
        leaf: TensorId,
    ) -> Result<TensorId, Error> {
        let (trees, targets) = (forest.trees.len(), forest.targets());
        if let Some(only) = forest.only_targets() {
            // One table for all scores: each tree adds to one of them.
            let added = self.added(
                value,
                numbered.at_leaves(forest, |w| w.iter().map(|(_, v)| v).sum()),
                numbered,
                leaf,
            )?;
            let mut which = vec![0; trees * targets];
            only.iter().enumerate().for_each(|(t, target)| which[t * targets + target] = 1);
            return self.summed(value, added, which, &forest.base);
        }
        let mut parts = Vec::with_capacity(targets);
        for target in 0..targets {
            let own = |w: &[(usize, f64)]| w.iter().filter(|(t, _)| *t == target).map(|(_, v)| v).sum();
            let added = self.added(value, numbered.at_leaves(forest, own), numbered, leaf)?;
            parts.push(self.summed(value, added, vec![1; trees], &forest.base[target..=target])?);
        }
        let rows = self.builder.tensor(leaf).shape[0];
        let part = |i| (Map::identity(&[rows, 1]), Map::slice(&[rows, targets], &[0, i], &[rows, 1]));
        let op = Reindex { shape: vec![rows, targets], parts: (0..targets).map(part).collect() };
        let name = self.name(value, "");
        Ok(self.builder.node(&name, op, &parts)?)
    }

    /// Numbers that the leaf of each tree adds.
    fn added(
        &mut self,
        value: usize,
        at_leaves: Vec<f64>,
        numbered: &Numbered,
        leaf: TensorId,
    ) -> Result<TensorId, Error> {
        let (name, scale) = (self.name(value, ".added"), self.scales.values[value].scale);
        let values = at_leaves.into_iter().map(|v| quantize(&name, v, scale)).collect::<Result<_, _>>()?;
        let table = Lookup {
            name: "leaves".into(),
            lo: numbered.first_leaf(),
            fraction_bits: 0,
            value: values,
            slope: vec![],
            shift: 0,
            scale,
        };
        Ok(self.builder.node(&name, table, &[leaf])?)
    }

    /// `Σ added · which + base` over the trees.
    fn summed(
        &mut self,
        value: usize,
        added: TensorId,
        which: Vec<i64>,
        base: &[f64],
    ) -> Result<TensorId, Error> {
        let (rows, trees) = (self.builder.tensor(added).shape[0], self.builder.tensor(added).shape[1]);
        let (targets, scale) = (base.len(), self.scales.values[value].scale);
        let [name, which_name, base_name] = ["", ".which", ".base"].map(|part| self.name(value, part));
        let which = self.builder.constant(&which_name, &[trees, targets], 0, which)?;
        let mut inputs = vec![added, which];
        let mut addend = None;
        if base.iter().any(|b| *b != 0.0) {
            let base = base.iter().map(|b| quantize(&base_name, *b, scale)).collect::<Result<_, _>>()?;
            inputs.push(self.builder.constant(&base_name, &[targets], scale, base)?);
            addend = Map::broadcast(&[targets], &[rows, targets]);
        }
        let [a, b, y] = [[rows, trees], [trees, targets], [rows, targets]].map(|s| Map::identity(&s));
        Ok(self.builder.node(&name, Contract { a, b, addend, ranks: [0, 1, 1, 1], y }, &inputs)?)
    }
}
