//! Keys of a compiled model, and proofs of its runs.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};
use zkml_graph::Trace;
use zkml_protocol::{Program, Word};
#[cfg(feature = "halo2")]
use zkml_srs::Srs;
use zkml_srs::{
    Slice,
    container::{self, Container},
};
use zkml_sumcheck::{
    keys::Run,
    prover::{Phase, PrivateWeights},
};

use crate::{
    Commitment, Compiled, Error, Input, Layout, Observer, Opening, Preimage, Proof, Result, Role, Salt,
    Stage, Verifier, observer::begin, opening,
};

/// What a proving key for sumcheck begins with.
const SUMCHECK_MAGIC: &[u8; 16] = b"zkml-chain/sum/1";

mod committed;

/// What proofs of one compiled model are made with.
#[derive(Debug)]
pub struct Keys {
    compiled: Compiled,
    prover: Prover,
    program: Program,
    /// Private weights that a proof was made about, with their salt: committing to them takes longer than a proof.
    committed: Mutex<Option<(Salt, Arc<PrivateWeights>)>>,
}

/// The keys of one of the proof systems.
#[derive(Debug)]
enum Prover {
    #[cfg(feature = "halo2")]
    Halo2(Box<zkml_halo2::Keys>),
    Sumcheck(Box<zkml_sumcheck::Keys>),
}

impl Prover {
    /// The keys of the sumcheck back end, if they are.
    fn sumcheck(&self) -> Option<&zkml_sumcheck::Keys> {
        match self {
            #[cfg(feature = "halo2")]
            Self::Halo2(_) => None,
            Self::Sumcheck(keys) => Some(keys),
        }
    }
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

#[cfg(feature = "halo2")]
impl Compiled {
    /// Makes the keys of the plan's proof system. The same setup and model give the same keys on every machine.
    ///
    /// # Errors
    /// [`Error::Srs`] for a setup that is too small or unsound, [`Error::Prover`] or [`Error::Sumcheck`] for a layout that does
    /// not state every relation, [`Error::Cancelled`].
    pub fn setup(self, srs: &Srs, observer: &dyn Observer) -> Result<Keys> {
        self.setup_from(srs, "of the setup", observer)
    }

    /// As [`Compiled::setup`]; errors call the setup by this name.
    ///
    /// # Errors
    /// As [`Compiled::setup`].
    pub fn setup_from(self, srs: &Srs, name: &str, observer: &dyn Observer) -> Result<Keys> {
        begin(observer, Stage::Srs)?;
        match &self.plan.layout {
            Layout::Halo2(plan) => {
                let cut =
                    srs.cut(plan.k, name, &|_, done, total| observer.progress(Stage::Srs, done, total))?;
                begin(observer, Stage::Keys)?;
                let keys = zkml_halo2::keys::setup(&self.graph, &self.system, plan, &cut, name)?;
                Ok(Keys::of_halo2(self, keys))
            }
            Layout::Sumcheck(plan) => {
                let layout = zkml_sumcheck::lay_out(&self.system, &plan.options)?;
                let (powers, in_g2) = srs.by_rows(layout.powers(), layout.opening.column_bits, name)?;
                begin(observer, Stage::Keys)?;
                let limb_bits = plan.options.limb_bits;
                let statement = zkml_statement::of(&self.graph, &self.system, limb_bits)
                    .map_err(zkml_sumcheck::Error::from)?;
                let keys = zkml_sumcheck::Keys::setup(layout, statement, powers, srs.verifier_part(), in_g2)?;
                Ok(Keys::of_sumcheck(self, keys))
            }
        }
    }
}

impl Keys {
    /// The keys that [`zkml_halo2::Keys::read`] read for this very model.
    #[cfg(feature = "halo2")]
    pub fn of_halo2(compiled: Compiled, keys: zkml_halo2::Keys) -> Self {
        let program = keys.program.clone().into();
        Self { compiled, prover: Prover::Halo2(Box::new(keys)), program, committed: Mutex::default() }
    }

    fn of_sumcheck(compiled: Compiled, keys: zkml_sumcheck::Keys) -> Self {
        let program = keys.program().clone().into();
        Self { compiled, prover: Prover::Sumcheck(Box::new(keys)), program, committed: Mutex::default() }
    }

    /// Reads what [`Keys::to_bytes`] wrote, the `proving.key` of an artifact folder, and the program that belongs to it.
    ///
    /// # Errors
    /// As [`Keys::parse`].
    pub fn from_bytes(compiled: Compiled, verifier: &Verifier, bytes: &[u8]) -> Result<Self> {
        Self::parse(compiled, verifier, Path::new("the proving key"), bytes)
    }

    /// As [`Keys::from_bytes`]; errors call the key by this name.
    ///
    /// # Errors
    /// [`Error::Srs`] for bytes that are damaged, [`Error::Prover`] or [`Error::Sumcheck`] for keys of another model or program,
    /// [`Error::Malformed`] for a program of another proof system than the plan's.
    pub fn parse(compiled: Compiled, verifier: &Verifier, name: &Path, bytes: &[u8]) -> Result<Self> {
        let system = &compiled.system;
        match (&compiled.plan.layout, verifier.program().clone()) {
            #[cfg(feature = "halo2")]
            (Layout::Halo2(plan), Program::Plonk(program)) => {
                let keys = zkml_halo2::Keys::parse(name, bytes, &compiled.graph, system, plan, *program)?;
                Ok(Self::of_halo2(compiled, keys))
            }
            (Layout::Sumcheck(plan), Program::Sumcheck(program)) => {
                let points = || {
                    let container = Container::open(name, SUMCHECK_MAGIC, bytes)?;
                    Ok::<_, Error>(zkml_sumcheck::Points::read(container.body)?)
                };
                let layout = || zkml_sumcheck::lay_out_unconfirmed(system, &plan.options);
                let (points, layout) = rayon::join(points, layout);
                let keys = zkml_sumcheck::Keys::from_points(layout?, *program, points?)?;
                Ok(Self::of_sumcheck(compiled, keys))
            }
            _ => Err(Error::Malformed {
                what: "proving key",
                why: "its program is of another proof system than the plan".into(),
            }),
        }
    }

    /// Makes the keys again from nothing but the powers of the setup in a proving key, and believes nothing: the layout is confirmed, the
    /// powers are checked against each other, and the program that comes of it has to be the one that was given. So whoever offers
    /// a model can change none of its files unnoticed, as long as the program's digest is the one that is known.
    ///
    /// # Errors
    /// As [`Keys::parse`] and [`Compiled::setup`]; [`Error::OtherProgram`] for a program that is not the model's,
    /// [`Error::SumcheckOnly`] for a plan of halo2.
    pub fn derive(
        compiled: Compiled,
        verifier: &Verifier,
        bytes: &[u8],
        observer: &dyn Observer,
    ) -> Result<Self> {
        const NAME: &str = "the proving key";
        let (Layout::Sumcheck(plan), Program::Sumcheck(given)) = (&compiled.plan.layout, verifier.program())
        else {
            return Err(Error::SumcheckOnly);
        };
        begin(observer, Stage::Plan)?;
        compiled.confirm_interface()?;
        let layout = zkml_sumcheck::lay_out(&compiled.system, &plan.options)?;
        begin(observer, Stage::Srs)?;
        let container = Container::open(Path::new(NAME), SUMCHECK_MAGIC, bytes)?;
        let powers = zkml_sumcheck::Points::read(container.body)?.powers(layout.powers())?;
        let (s_g2, in_g2, j) = (&given.srs.s_g2, &given.srs_b, layout.opening.column_bits);
        let srs = Slice { powers: &powers, s_g2, in_g2, j }.verifier_part(NAME)?;
        begin(observer, Stage::Keys)?;
        let statement = zkml_statement::of(&compiled.graph, &compiled.system, plan.options.limb_bits)
            .map_err(zkml_sumcheck::Error::from)?;
        let keys = zkml_sumcheck::Keys::setup(layout, statement, powers, srs, *in_g2)?;
        if keys.program() != given.as_ref() {
            let (derived, given) = (keys.program().vk_digest(), given.vk_digest());
            return Err(Error::OtherProgram { derived, given });
        }
        Ok(Self::of_sumcheck(compiled, keys))
    }

    /// The proving key, with the setup cut to its size. Nothing in it is secret.
    ///
    /// # Errors
    /// [`Error::Malformed`] if it cannot be written, which does not happen in memory.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let failed = |e: std::io::Error| Error::Malformed { what: "proving key", why: e.into() };
        self.write(&mut bytes).map_err(failed)?;
        Ok(bytes)
    }

    /// Streams what [`Keys::to_bytes`] gives.
    ///
    /// # Errors
    /// What the writer returns.
    pub fn write(&self, out: impl std::io::Write) -> std::io::Result<()> {
        match &self.prover {
            #[cfg(feature = "halo2")]
            Prover::Halo2(keys) => keys.write(out),
            Prover::Sumcheck(keys) => {
                container::write(out, SUMCHECK_MAGIC, &[], |body| body.write_all(&keys.to_bytes()))
            }
        }
    }

    /// The keys of halo2, if they are.
    #[cfg(feature = "halo2")]
    pub fn halo2(&self) -> Option<&zkml_halo2::Keys> {
        match &self.prover {
            Prover::Halo2(keys) => Some(keys),
            Prover::Sumcheck(_) => None,
        }
    }

    /// The model.
    pub fn compiled(&self) -> &Compiled {
        &self.compiled
    }

    /// The verifier program: what a proof is about, and how it is checked.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// What everybody needs to check proofs.
    pub fn verifier(&self) -> Verifier {
        Verifier::of(self.program.clone())
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
        let trace = compiled.trace(&input.0)?;
        let kept = opening::inputs(&compiled.graph, &input.0)
            .into_iter()
            .chain(opening::model(&compiled.graph, &compiled.weights));
        let mut openings = kept.map(|p| self.opening(&p, binding)).collect::<Result<Vec<_>>>()?;
        for preimage in opening::outputs(&compiled.graph, &trace) {
            openings.push(Opening::fresh(compiled.model_hash(), &preimage)?);
        }
        let proof = self.prove_trace(&trace, &openings, binding.context, observer)?;
        Ok(Proven { proof, openings, revealed: self.revealed(&trace) })
    }

    /// The statement that a proof of a run would be about. `openings` are those of all its commitments, in its order.
    ///
    /// # Errors
    /// [`Error::Prover`].
    pub fn instances(&self, trace: &Trace, openings: &[Opening], context: Word) -> Result<Vec<Word>> {
        let system = &self.compiled.system;
        Ok(match &self.prover {
            #[cfg(feature = "halo2")]
            Prover::Halo2(keys) => {
                zkml_halo2::prove::instances(system, keys, trace, &bound(openings, context))?
            }
            Prover::Sumcheck(keys) => {
                let (private, salts) = (self.private(keys, openings)?, hashed(openings));
                let (context, private) = (&context, private.as_ref());
                keys.instances(&Run { relations: system, trace, context, salts: &salts, private })?
            }
        })
    }

    /// As [`Keys::prove`], of a run that was made, with openings that its caller keeps.
    ///
    /// # Errors
    /// [`Error::Prover`], [`Error::Refused`] or [`Error::Disagreement`] when somebody refuses what the prover made,
    /// [`Error::Cancelled`].
    pub fn prove_trace(
        &self,
        trace: &Trace,
        openings: &[Opening],
        context: Word,
        observer: &dyn Observer,
    ) -> Result<Proof> {
        begin(observer, Stage::Prove)?;
        let system = &self.compiled.system;
        let (instances, bytes) = match &self.prover {
            #[cfg(feature = "halo2")]
            Prover::Halo2(keys) => {
                let made = zkml_halo2::prove(system, keys, trace, &bound(openings, context))?;
                (made.instances, made.bytes)
            }
            Prover::Sumcheck(keys) => {
                let (private, salts) = (self.private(keys, openings)?, hashed(openings));
                let (context, private) = (&context, private.as_ref());
                let run = Run { relations: system, trace, context, salts: &salts, private };
                let made = keys.prove(&run, &|p| observer.begins(p.into()))?;
                (made.instances, made.bytes)
            }
        };
        begin(observer, Stage::Verify)?;
        zkml_verifier::verify(self.program(), &bytes, &instances)?;
        let proof = Proof::new(self.program(), instances, bytes)?;
        agree(openings, &proof.commitments(self.program()))?;
        Ok(proof)
    }

    /// The opening that was kept for a commitment, or a fresh one.
    fn opening(&self, preimage: &Preimage, binding: &Binding) -> Result<Opening> {
        let hash = self.compiled.model_hash();
        let mut kept =
            binding.openings.iter().filter(|o| o.role == preimage.role && o.name == preimage.name).peekable();
        if kept.peek().is_none() {
            return Ok(Opening::fresh_by(self, hash, preimage)?);
        }
        // An owner of many samples keeps many openings of one input.
        for opening in kept {
            if opening.opens_by(self, hash, preimage)? {
                return Ok(opening.clone());
            }
        }
        Err(Error::OtherOpening { name: preimage.name.clone() })
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

/// Salts of the commitments that are hashes of values.
fn hashed(openings: &[Opening]) -> Vec<Word> {
    openings.iter().filter(|o| o.role != Role::Model).map(|o| o.salt.reveal()).collect()
}

#[cfg(feature = "halo2")]
fn bound(openings: &[Opening], context: Word) -> zkml_halo2::Binding {
    zkml_halo2::Binding { context, salts: openings.iter().map(|o| o.salt.reveal()).collect() }
}

impl From<Phase> for Stage {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Commit => Self::Commit,
            Phase::Lookups => Self::Lookups,
            Phase::Sumchecks => Self::Sumchecks,
            Phase::Opening => Self::Open,
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, Part, Role};

    /// An opening that does not open what was proven would be noticed years later, by a judge.
    #[test]
    fn openings_must_be_those_of_the_proof() {
        let code = Code { bits: 8, signed: true };
        let parts = vec![Part { code, values: vec![1] }];
        let preimage = Preimage { role: Role::Input, name: "x".into(), parts };
        let opening = Opening::fresh(Word::ONE, &preimage).expect("commits");
        let stated = opening.stated();
        let openings = [opening];
        agree(&openings, std::slice::from_ref(&stated)).expect("the same");
        let other = Commitment { commitment: Word::ONE, ..stated };
        assert!(matches!(agree(&openings, &[other]), Err(Error::Disagreement { .. })));
        assert!(agree(&openings, &[]).is_err(), "a commitment that the proof does not carry");
    }
}
