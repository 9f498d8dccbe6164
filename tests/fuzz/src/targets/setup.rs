//! Trusted setups and keys.

use crate::targets::in_a_file;
use std::sync::LazyLock;
use zkml_graph::{Bounds, Graph, GraphBuilder, Map, System, Visibility, ops::Linear};
use zkml_halo2::{Keys, Optimize, Plan, keys, plan};
use zkml_protocol::plonk::Program;
use zkml_srs::Srs;

/// A file of a ceremony in snarkjs's format.
pub(crate) fn ptau(data: &[u8]) {
    in_a_file(data, |path| {
        for k in [None, Some(1)] {
            let Ok(srs) = Srs::import(path, k, &|_, _, _| {}) else { return };
            let mut kept = Vec::new();
            srs.write(&mut kept).expect("memory takes everything");
            let digest = srs.digest();
            in_a_file_beside(&kept, |path| {
                assert_eq!(Srs::verify(path, &|_, _, _| {}).expect("an import is checked").digest(), digest);
            });
        }
    });
}

/// Another file than [`in_a_file`]'s.
fn in_a_file_beside(data: &[u8], read: impl FnOnce(&std::path::Path) + Send) {
    std::thread::scope(|scope| {
        scope.spawn(move || in_a_file(data, read)).join().expect("what was imported is a good setup");
    });
}

/// Bytes with the checksum that a container ends in, so that changed ones are not all refused for theirs.
pub(crate) fn sealed(data: &[u8]) -> Vec<u8> {
    let sum = blake2b_simd::Params::new().hash_length(32).hash(data);
    [data, sum.as_bytes()].concat()
}

/// A setup of ours, without its checksum.
pub(crate) fn srs(data: &[u8]) {
    in_a_file(&sealed(data), |path| {
        let summary = Srs::summary(path);
        let read = Srs::read(path);
        let Ok(verified) = Srs::verify(path, &|_, _, _| {}) else { return };
        let read = read.expect("what is good can be read");
        assert_eq!(read.digest(), verified.digest());
        if let Ok(summary) = summary {
            assert_eq!((summary.k, summary.digest), (verified.k(), verified.digest()));
        }
    });
}

/// A small model with its keys.
pub(crate) struct Model {
    graph: Graph,
    system: System,
    pub(crate) plan: Plan,
    program: Program,
    /// The key file without its checksum.
    pub(crate) file: Vec<u8>,
}

impl Model {
    /// Returns true if the file at `path` is a key of the model.
    pub(crate) fn read(&self, path: &std::path::Path) -> bool {
        Keys::read(path, &self.graph, &self.system, &self.plan, self.program.clone()).is_ok()
    }
}

pub(crate) static KEYS: LazyLock<Model> = LazyLock::new(|| {
    let mut b = GraphBuilder::new("sum");
    let x = b.input("x", &[1], 0, Bounds::new(-9, 9), Visibility::Public).expect("an input");
    let terms = vec![(2, Map::identity(&[1]))];
    let y = b.node("y", Linear { terms, constant: 1, scale: 0 }, &[x]).expect("a sum");
    b.output("y", y, Visibility::Public);
    let graph = b.finish().expect("a graph");
    let system = graph.system();
    let plan = plan(&system, Optimize::Prover).expect("a plan");
    let srs = Srs::dev(plan.k).expect("a setup");
    let keys = keys::setup(&graph, &system, &plan, &srs, "dev").expect("keys");
    let mut file = Vec::new();
    keys.write(&mut file).expect("memory takes everything");
    file.truncate(file.len() - 32);
    Model { graph, system, plan, program: keys.program, file }
});

/// A key file, as what differs from a good one: a length of it that is kept, then places and what stands there.
pub(crate) fn key(data: &[u8]) {
    let model = &*KEYS;
    let mut file = model.file.clone();
    let (edits, rest) = data.as_chunks::<4>();
    for [a, b, c, value] in edits {
        let at = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        let length = file.len().max(1);
        match file.get_mut(at % length) {
            Some(byte) => *byte ^= value,
            None => file.push(*value),
        }
    }
    if let [cut, more, ..] = rest {
        let cut = usize::from(*cut) << 8 | usize::from(*more);
        file.truncate(file.len().saturating_sub(cut));
    }
    in_a_file(&sealed(&file), |path| {
        let read = model.read(path);
        assert!(read || file != model.file, "a good key is refused");
    });
}
