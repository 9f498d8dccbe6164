//! Keys of a compiled model, and proofs of its runs.

use std::path::Path;
use zkml_protocol::Word;
use zkml_srs::Srs;

use crate::{
    Commitment, Compiled, Error, Input, Observer, Opening, Preimage, Proof, Result, Stage, Verifier,
    observer::begin, opening,
};

/// What proofs of one compiled model are made with.
#[derive(Debug)]
pub struct Keys {
    compiled: Compiled,
    keys: zkml_halo2::Keys,
}

/// What a proof is bound to, and which salts it uses.
#[derive(Debug, Clone, Default)]
pub struct Binding {
    /// Who may use the proof, where and when, see [`zkml_protocol::binding`]; zero when unbound.
    pub context: Word,
    /// Openings of inputs and weights that were kept: the proof carries their commitments. What else is committed to gets a
    /// fresh salt.
    pub openings: Vec<Opening>,
}

/// A proof, and what opens its commitments.
#[derive(Debug, Clone)]
pub struct Proven {
    /// The proof, for everybody.
    pub proof: Proof,
    /// The openings of all commitments of the statement, in its order: inputs, weights, outputs. They are the prover's
    /// secret, and without them nobody opens the commitments or proves under them again.
    pub openings: Vec<Opening>,
    /// Outputs that the statement only commits to, one vector of numbers each, in the order of the model.
    pub revealed: Vec<Vec<f64>>,
}

impl Compiled {
    /// Makes the keys. The same setup and model give the same keys on every machine.
    ///
    /// # Errors
    /// [`Error::Srs`] for a setup that is too small or unsound, [`Error::Prover`] for a layout that does not state every
    /// relation, [`Error::Cancelled`].
    pub fn setup(self, srs: &Srs, observer: &dyn Observer) -> Result<Keys> {
        begin(observer, Stage::Srs)?;
        let cut = srs.cut(self.plan().k, "of the setup", &|_, done, total| {
            observer.progress(Stage::Srs, done, total)
        })?;
        begin(observer, Stage::Keys)?;
        let keys = zkml_halo2::keys::setup(&self.graph, &self.system, self.plan(), &cut, "of the setup")?;
        Ok(Keys { compiled: self, keys })
    }
}

impl Keys {
    /// Reads what [`Keys::to_bytes`] wrote, the `proving.key` of an artifact folder, and the program that belongs to it.
    ///
    /// # Errors
    /// [`Error::Prover`] for keys that are damaged, or of another model or program.
    pub fn from_bytes(compiled: Compiled, verifier: &Verifier, bytes: &[u8]) -> Result<Self> {
        let (program, name) = (verifier.program().clone(), Path::new("the proving key"));
        let Compiled { graph, system, .. } = &compiled;
        let keys = zkml_halo2::Keys::parse(name, bytes, graph, system, compiled.plan(), program)?;
        Ok(Self { compiled, keys })
    }

    /// The proving key, with the setup cut to its size. Nothing in it is secret.
    ///
    /// # Errors
    /// [`Error::Malformed`] if it cannot be written, which does not happen in memory.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let failed = |e: std::io::Error| Error::Malformed { what: "proving key", why: e.into() };
        self.keys.write(&mut bytes).map_err(failed)?;
        Ok(bytes)
    }

    /// The model.
    pub fn compiled(&self) -> &Compiled {
        &self.compiled
    }

    /// What everybody needs to check proofs.
    pub fn verifier(&self) -> Verifier {
        Verifier::of(self.keys.program.clone())
    }

    /// Proves a run on an input. The prover asks halo2's own verifier; a second, independent one must agree before
    /// anybody sees the proof, and so must the openings.
    ///
    /// # Errors
    /// [`Error::Graph`] for an input that the model cannot carry, [`Error::OtherOpening`] for an opening of other values,
    /// [`Error::Prover`], [`Error::Cancelled`].
    pub fn prove(&self, input: &Input, binding: &Binding, observer: &dyn Observer) -> Result<Proven> {
        begin(observer, Stage::Run)?;
        let compiled = &self.compiled;
        let trace = compiled.trace(input)?;
        let kept = opening::inputs(&compiled.graph, &input.0)
            .into_iter()
            .chain(opening::model(&compiled.graph, &compiled.weights));
        let mut openings = kept.map(|p| self.opening(&p, binding)).collect::<Result<Vec<_>>>()?;
        for preimage in opening::outputs(&compiled.graph, &trace) {
            openings.push(Opening::fresh(compiled.model_hash(), &preimage)?);
        }
        begin(observer, Stage::Prove)?;
        let values = zkml_halo2::Binding {
            context: binding.context,
            salts: openings.iter().map(|o| o.salt.reveal()).collect(),
        };
        let made = zkml_halo2::prove(&compiled.system, &self.keys, &trace, &values)?;
        begin(observer, Stage::Verify)?;
        zkml_verifier::plonk::verify(&self.keys.program, &made.bytes, &made.instances)?;
        let proof = Proof::new(&self.keys.program, made.instances, made.bytes)?;
        agree(&openings, &proof.commitments(&self.keys.program))?;
        Ok(Proven { proof, openings, revealed: self.revealed(&trace) })
    }

    /// The opening that was kept for a commitment, or a fresh one.
    fn opening(&self, preimage: &Preimage, binding: &Binding) -> Result<Opening> {
        let hash = self.compiled.model_hash();
        let same = |o: &&Opening| o.role == preimage.role && o.name == preimage.name;
        match binding.openings.iter().find(same) {
            None => Ok(Opening::fresh(hash, preimage)?),
            Some(kept) if kept.opens(hash, preimage)? => Ok(kept.clone()),
            Some(_) => Err(Error::OtherOpening { name: preimage.name.clone() }),
        }
    }

    fn revealed(&self, trace: &zkml_graph::Trace) -> Vec<Vec<f64>> {
        let graph = &self.compiled.graph;
        let hidden = graph.outputs.iter().filter(|o| o.visibility == zkml_graph::Visibility::Committed);
        let decode = |o: &zkml_graph::Output| {
            let tensor = graph.tensor(o.tensor);
            trace.values[o.tensor.0 as usize].iter().map(|v| tensor.real(i128::from(*v))).collect()
        };
        hidden.map(decode).collect()
    }
}

/// The circuit must have come to the very commitments that the openings open.
fn agree(openings: &[Opening], stated: &[Commitment]) -> Result<()> {
    let (opened, proven) = (openings.len(), stated.len());
    if opened != proven {
        let why = format!("the proof has {proven} commitments, there are {opened} openings");
        return Err(Error::Malformed { what: "statement", why: why.into() });
    }
    match openings.iter().zip(stated).find(|(o, s)| o.commitment != s.commitment) {
        None => Ok(()),
        Some((o, s)) => {
            Err(Error::Disagreement { name: o.name.clone(), proven: s.commitment, opened: o.commitment })
        }
    }
}
