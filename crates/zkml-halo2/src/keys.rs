//! Key generation, and keys on disk.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
    sync::Arc,
};

use halo2_proofs::{
    SerdeFormat,
    halo2curves::bn256::G1Affine,
    plonk::{Circuit, ConstraintSystem, ProvingKey, keygen_pk2},
};
use serde::{Deserialize, Serialize};
use zkml_graph::{Graph, Ledger, System};
use zkml_protocol::plonk::Program;
use zkml_srs::{
    Srs,
    container::{self, Container},
};

use crate::{
    blueprint::{Blueprint, Survey, blueprint},
    certificate,
    circuit::{Design, ModelCircuit, Params},
    error::{ProverError, Result},
    layout::{Layout, table},
    placement::layout,
    plan::Plan,
    shape::MAX_DEGREE,
    standing,
    stored_key::Sizes,
};

const MAGIC: &[u8; 16] = b"zkml-chain/key/1";

/// What a key file says it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    model_hash: [u8; 32],
    srs_digest: [u8; 32],
    vk_digest: [u8; 32],
    srs_bytes: u64,
}

/// Everything that proving one model needs.
#[derive(Debug)]
pub struct Keys {
    /// The plan they were made from.
    pub plan: Plan,
    /// The trusted setup, cut to size.
    pub srs: Srs,
    /// What a verifier needs.
    pub program: Program,
    pub(crate) pk: ProvingKey<G1Affine>,
    pub(crate) circuit: ModelCircuit,
}

/// The circuit of a system in a planned shape, without values.
///
/// # Errors
/// [`ProverError::Uncertified`] for a layout that does not state every relation, [`ProverError::Unsupported`] for one that does not
/// fit the plan, [`ProverError::Environment`] where a variable would change it silently.
pub fn circuit(system: &System, plan: &Plan) -> Result<ModelCircuit> {
    if let Ok(v) = std::env::var("MAX_DEGREE") {
        // halo2-axiom caps the degree of all gates by this variable, silently.
        return Err(ProverError::Environment(v));
    }
    let (blueprint, _) = certified(system, plan)?;
    let (gates, sharing) = (blueprint.gates.clone(), blueprint.sharing.clone());
    let design = Arc::new(Design { shape: plan.shape, gates, sharing });
    let layout: Layout = layout(system, blueprint)?;
    certificate::confirm_rows(system, &layout)?;
    let mut cs = ConstraintSystem::default();
    ModelCircuit::configure_with_params(&mut cs, Params(Some(design.clone())));
    let worst = cs.gates().iter().flat_map(|g| g.polynomials()).map(|p| p.degree()).max().unwrap_or(0);
    if worst > MAX_DEGREE || cs.degree() != MAX_DEGREE {
        let detail =
            format!("a gate has degree {worst}, the circuit {}, at most {MAX_DEGREE} holds", cs.degree());
        return Err(ProverError::Unsupported { label: "gates".into(), detail });
    }
    let usable = (1usize << plan.k).checked_sub(cs.blinding_factors() + 2);
    let table = table(system, plan.shape.limb_bits);
    let last_row = usable
        .filter(|last| layout.rows <= *last && layout.blueprint.instances - 1 + table.len() <= *last)
        .ok_or_else(|| ProverError::Unsupported {
            label: "layout".into(),
            detail: format!(
                "{} rows (planned: {}) and {} table entries do not fit into 2^{} less {} rows",
                layout.rows,
                plan.rows,
                table.len(),
                plan.k,
                cs.blinding_factors() + 2
            ),
        })?;
    Ok(ModelCircuit { design, layout: Arc::new(layout), table: Arc::new(table), last_row, witness: None })
}

/// The ledger of a system in a planned shape: how each of its relations is taken care of, confirmed.
///
/// # Errors
/// [`ProverError::Uncertified`] for a relation that is not taken care of.
pub fn ledger(system: &System, plan: &Plan) -> Result<Ledger> {
    Ok(certified(system, plan)?.1)
}

fn certified(system: &System, plan: &Plan) -> Result<(Blueprint, Ledger)> {
    let survey = Survey::new(system);
    let proven = survey.proven(plan.shape.limb_bits)?;
    let blueprint = blueprint(&survey, &proven, &plan.shape)?;
    let ledger = standing::ledger(system, &proven, &blueprint);
    certificate::confirm(system, &ledger, &blueprint)?;
    Ok((blueprint, ledger))
}

/// Generates the keys of a planned model.
///
/// # Errors
/// A setup that is too small or unsound, a plan that does not hold, and [`ProverError::Uncertified`] before any key is made.
pub fn setup(graph: &Graph, system: &System, plan: &Plan, srs: &Srs, srs_name: &str) -> Result<Keys> {
    let srs = srs.shrunk(plan.k, srs_name)?;
    let circuit = circuit(system, plan)?;
    let pk = keygen_pk2(srs.params(), &circuit, false)?;
    let statement = zkml_statement::of(graph, system, plan.shape.limb_bits)?;
    let program = crate::program::derive(pk.get_vk(), plan.k, srs.verifier_part(), statement)?;
    Ok(Keys { plan: plan.clone(), srs, program, pk, circuit })
}

impl Keys {
    /// The circuit of the model, without values.
    pub fn circuit(&self) -> &ModelCircuit {
        &self.circuit
    }

    /// Streams a key file: trusted setup cut to size, and proving key, tied to model and setup.
    ///
    /// # Errors
    /// What the writer returns.
    pub fn write(&self, out: impl Write) -> io::Result<()> {
        let header = Header {
            model_hash: self.program.statement.model_hash.0,
            srs_digest: self.srs.digest(),
            vk_digest: self.program.vk_digest().0,
            srs_bytes: self.srs.body_length(),
        };
        let header = postcard::to_stdvec(&header).map_err(io::Error::other)?;
        container::write(out, MAGIC, &header, |mut body| {
            self.srs.write_body(&mut body)?;
            self.pk.write(&mut body, SerdeFormat::RawBytesUnchecked)
        })
    }

    /// Reads a key file through a memory map. Refuses keys of another model, plan or verifier program.
    ///
    /// # Errors
    /// As [`Keys::parse`], and [`ProverError::Io`] when the file cannot be read.
    pub fn read(path: &Path, graph: &Graph, system: &System, plan: &Plan, program: Program) -> Result<Self> {
        let io = |source| ProverError::Io { path: path.into(), source };
        let file = File::open(path).map_err(io)?;
        // SAFETY: the map is read-only and private to this function; that nobody truncates the file while it
        // is read is the same assumption that reading it piecewise would make about its contents.
        #[expect(unsafe_code, reason = "memory mapping keeps key loading out of the heap")]
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(io)?;
        Self::parse(path, &map, graph, system, plan, program)
    }

    /// Takes apart what [`Keys::write`] wrote; `path` is for messages. Refuses keys of another model, plan or verifier program.
    ///
    /// # Errors
    /// [`ProverError::Srs`], [`ProverError::BadHeader`] and [`ProverError::BadFile`] for damaged bytes, [`ProverError::Mismatch`] for
    /// keys of something else.
    pub fn parse(
        path: &Path,
        bytes: &[u8],
        graph: &Graph,
        system: &System,
        plan: &Plan,
        program: Program,
    ) -> Result<Self> {
        let io = |source| ProverError::Io { path: path.into(), source };
        let container = Container::open(path, MAGIC, bytes)?;
        let bad = |detail: &str| ProverError::BadFile { path: path.into(), detail: detail.into() };
        let header: Header = postcard::from_bytes(container.header)
            .map_err(|source| ProverError::BadHeader { path: path.into(), source })?;
        same("proving key", graph.hash(), header.model_hash)?;
        same("proving key", program.vk_digest().0, header.vk_digest)?;
        let split = usize::try_from(header.srs_bytes).unwrap_or(usize::MAX);
        let (srs, mut key) = container.body.split_at_checked(split).ok_or_else(|| bad("truncated"))?;
        let srs = Srs::from_body(path, srs)?;
        same("trusted setup", srs.digest(), header.srs_digest)?;
        let circuit = circuit(system, plan)?;
        if !sizes(&program).fit(key) {
            return Err(bad("its lengths are not those of this model's proving key; make it again"));
        }
        let pk =
            ProvingKey::read::<_, ModelCircuit>(&mut key, SerdeFormat::RawBytesUnchecked, circuit.params())
                .map_err(io)?;
        same("proving key", program.key_repr.0, zkml_curve::scalar_word(&pk.get_vk().transcript_repr()).0)?;
        Ok(Self { plan: plan.clone(), srs, program, pk, circuit })
    }
}

/// Sizes of the proving key that belongs to a verifier program.
pub(crate) fn sizes(program: &Program) -> Sizes {
    let (fixed, permuted) = (program.fixed_commitments.len(), program.sigma_commitments.len());
    Sizes { k: program.domain.k, fixed, permuted }
}

fn same(what: &'static str, expected: [u8; 32], found: [u8; 32]) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    let hex = |b: [u8; 32]| b.iter().take(8).map(|x| format!("{x:02x}")).collect::<String>() + "…";
    Err(ProverError::Mismatch { what, expected: hex(expected), found: hex(found) })
}
