//! Which proof system proves a model, and what each would cost.

use serde::{Deserialize, Serialize};
use zkml_graph::{Ledger, Optimize, System};
use zkml_sumcheck::Options;

use crate::{Error, Result};

/// A proof system, by the name of what proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// Columns and gates: takes every model that compiles, up to 2^20 rows.
    Halo2,
    /// Sumchecks: quicker. That private weights are small numbers is proven once for each commitment to some.
    Sumcheck,
}

impl Backend {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Halo2, Self::Sumcheck];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Halo2 => "halo2",
            Self::Sumcheck => "sumcheck",
        }
    }
}

/// What is wanted of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// What to make cheap.
    pub optimize: Optimize,
    /// The proof system; the one whose estimates are better when absent.
    pub backend: Option<Backend>,
}

impl From<Optimize> for Wish {
    fn from(optimize: Optimize) -> Self {
        Self { optimize, backend: None }
    }
}

/// How a model is proven.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What was made cheap.
    pub optimize: Optimize,
    /// The reason for the choice of the proof system, in words.
    pub why: String,
    /// The proof system, and how it lays the model out.
    pub layout: Layout,
}

/// The layout of a model in a proof system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// A circuit of halo2.
    #[cfg(feature = "halo2")]
    Halo2(zkml_halo2::Plan),
    /// A system of the sumcheck back end.
    Sumcheck(zkml_sumcheck::Plan),
}

/// What proofs of a model cost in one of the proof systems. Time, memory, gas and the length of code are estimates.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cost {
    /// The proof system.
    pub backend: Backend,
    /// What is made cheap.
    pub optimize: Optimize,
    /// Binary logarithm of the powers that a setup must have.
    pub k: u32,
    /// Public field elements, the context included.
    pub instances: usize,
    /// Points in the verifier's sum.
    pub commitments: usize,
    /// Size of a proof in bytes.
    pub proof_bytes: usize,
    /// Gas of a transaction that verifies a proof.
    pub gas_estimate: u64,
    /// Length of the verifier's code, in bytes.
    pub code_bytes_estimate: u64,
    /// Time of a proof on two cores, in seconds.
    pub seconds_estimate: f64,
    /// Peak memory of proving, in megabytes.
    pub memory_mb_estimate: u64,
    /// Size of the proving key in bytes.
    pub key_bytes_estimate: u64,
}

impl Cost {
    /// Of a plan of halo2.
    #[cfg(feature = "halo2")]
    fn of_halo2(plan: &zkml_halo2::Plan) -> Self {
        Self {
            backend: Backend::Halo2,
            optimize: plan.optimize,
            k: plan.k,
            instances: plan.instances,
            commitments: plan.commitments,
            proof_bytes: plan.proof_bytes,
            gas_estimate: plan.gas_estimate,
            code_bytes_estimate: plan.code_bytes_estimate,
            seconds_estimate: plan.seconds_estimate,
            memory_mb_estimate: plan.memory_mb_estimate,
            key_bytes_estimate: plan.key_bytes_estimate,
        }
    }

    /// Of a plan of the sumcheck back end.
    fn of_sumcheck(plan: &zkml_sumcheck::Plan, optimize: Optimize) -> Self {
        Self {
            backend: Backend::Sumcheck,
            optimize,
            k: plan.k,
            instances: plan.instances,
            commitments: plan.commitments,
            proof_bytes: plan.proof_bytes,
            gas_estimate: plan.gas_estimate,
            code_bytes_estimate: plan.code_bytes_estimate,
            seconds_estimate: plan.seconds_estimate,
            memory_mb_estimate: plan.memory_mb_estimate,
            key_bytes_estimate: plan.key_bytes_estimate,
        }
    }

    /// Decides between proof systems, less being better: one with a verifier that no chain takes comes last, and where gas is to be
    /// cheap nothing else counts.
    fn rank(&self) -> (bool, f64) {
        let by = match self.optimize {
            Optimize::Gas => self.gas_estimate as f64,
            Optimize::Prover => self.weight(),
        };
        (self.code_bytes_estimate > MOST_CODE, by)
    }

    /// Decides between layouts of one proof system, less being better.
    fn weight(&self) -> f64 {
        let (gas, memory) = (self.gas_estimate as f64, self.memory_mb_estimate as f64);
        self.optimize.weigh(self.seconds_estimate, gas, memory)
    }

    fn sentence(&self) -> String {
        format!("{:.2} s and {} gas", self.seconds_estimate, self.gas_estimate)
    }
}

/// Bytes of a verifier's code that a chain takes when one contract creates another: those of creation code, by EIP-3860.
const MOST_CODE: u64 = 49_152;

/// What all proof systems cost that take a model, for both goals, and why others do not take it.
pub fn costs(system: &System) -> (Vec<Cost>, Vec<(Backend, Error)>) {
    let (mut costs, mut refused) = (vec![], vec![]);
    for backend in Backend::ALL {
        for optimize in [Optimize::Prover, Optimize::Gas] {
            match Plan::of(system, backend, optimize) {
                Ok(plan) => costs.push(plan.cost()),
                Err(error) => {
                    refused.push((backend, error));
                    break;
                }
            }
        }
    }
    (costs, refused)
}

/// What calibration goes by where several scales are fine enough: time and gas of the quicker proof system, multiplied; of the
/// other for models that it does not take.
pub fn price(system: &System) -> Option<f64> {
    let plan = |backend| Plan::of(system, backend, Optimize::Prover);
    let cost = plan(Backend::Sumcheck).or_else(|_| plan(Backend::Halo2)).ok()?.cost();
    Some(cost.seconds_estimate * cost.gas_estimate as f64)
}

impl Plan {
    /// Plans a model.
    ///
    /// # Errors
    /// [`Error::Prover`] or [`Error::Sumcheck`] where the wanted proof system does not take the model, or none does;
    /// [`Error::SumcheckOnly`] for halo2 in a build without it.
    pub fn new(system: &System, wish: impl Into<Wish>) -> Result<Self> {
        let Wish { optimize, backend } = wish.into();
        match backend {
            Some(backend) => Self::of(system, backend, optimize),
            None => Self::better(system, optimize),
        }
    }

    /// The plan of one proof system.
    fn of(system: &System, backend: Backend, optimize: Optimize) -> Result<Self> {
        let layout = match backend {
            #[cfg(feature = "halo2")]
            Backend::Halo2 => Layout::Halo2(zkml_halo2::plan(system, optimize)?),
            #[cfg(not(feature = "halo2"))]
            Backend::Halo2 => return Err(Error::SumcheckOnly),
            Backend::Sumcheck => {
                let weigh = |plan: &zkml_sumcheck::Plan| match optimize {
                    Optimize::Gas => Cost::of_sumcheck(plan, optimize).weight(),
                    // A tenth of the gas is worth a tenth of the time, whatever the model's size.
                    Optimize::Prover => plan.seconds_estimate * plan.gas_estimate as f64,
                };
                Layout::Sumcheck(zkml_sumcheck::plan(system, &candidates(optimize), &weigh)?)
            }
        };
        Ok(Self { optimize, why: format!("{} was asked for", backend.name()), layout })
    }

    /// The plan of the proof system whose estimates are better.
    fn better(system: &System, optimize: Optimize) -> Result<Self> {
        let [halo2, sumcheck] = Backend::ALL.map(|backend| Self::of(system, backend, optimize));
        let (halo2, sumcheck) = match (halo2, sumcheck) {
            (Ok(halo2), Ok(sumcheck)) => (halo2, sumcheck),
            (Ok(plan), Err(error)) | (Err(error), Ok(plan)) => {
                return Ok(Self { why: format!("the other does not take this model: {error}"), ..plan });
            }
            // The first reason is that of the back end that takes more kinds of models.
            (Err(error), Err(_)) => return Err(error),
        };
        let (chosen, other) = match (halo2.cost(), sumcheck.cost()) {
            (a, b) if b.rank() < a.rank() => (sumcheck, a),
            (_, b) => (halo2, b),
        };
        let cost = chosen.cost();
        let why =
            format!("expected are {}; with {}, {}", cost.sentence(), other.backend.name(), other.sentence());
        Ok(Self { why, ..chosen })
    }

    /// The proof system.
    pub fn backend(&self) -> Backend {
        match self.layout {
            #[cfg(feature = "halo2")]
            Layout::Halo2(_) => Backend::Halo2,
            Layout::Sumcheck(_) => Backend::Sumcheck,
        }
    }

    /// What a proof is expected to cost.
    pub fn cost(&self) -> Cost {
        match &self.layout {
            #[cfg(feature = "halo2")]
            Layout::Halo2(plan) => Cost::of_halo2(plan),
            Layout::Sumcheck(plan) => Cost::of_sumcheck(plan, self.optimize),
        }
    }

    /// How each relation is taken care of, confirmed.
    ///
    /// # Errors
    /// [`Error::Prover`] or [`Error::Sumcheck`] for a relation that the layout does not take care of.
    pub fn ledger(&self, system: &System) -> Result<Ledger> {
        Ok(match &self.layout {
            #[cfg(feature = "halo2")]
            Layout::Halo2(plan) => zkml_halo2::keys::ledger(system, plan)?,
            Layout::Sumcheck(plan) => zkml_sumcheck::lay_out(system, &plan.options)?.ledger,
        })
    }

    /// Rows that a call of the hash behind commitments takes.
    pub fn rows_per_call(&self) -> usize {
        match &self.layout {
            #[cfg(feature = "halo2")]
            Layout::Halo2(plan) => {
                zkml_halo2::poseidon_rows::call_height(plan.shape.a_columns, plan.shape.w_columns)
            }
            Layout::Sumcheck(_) => zkml_sumcheck::ROWS_PER_CALL,
        }
    }

    /// Binary logarithm of the powers that a setup must have.
    pub fn k(&self) -> u32 {
        match &self.layout {
            #[cfg(feature = "halo2")]
            Layout::Halo2(plan) => plan.k,
            Layout::Sumcheck(plan) => plan.k,
        }
    }
}

/// The options that are considered: what is cheaper depends on the model's size. Opened whole, vectors in fewer or more parts, and more
/// or fewer columns make a verification cheaper and a proof slower.
fn candidates(optimize: Optimize) -> Vec<Options> {
    let (columns, parts): (&[Options], &[u32]) = match optimize {
        Optimize::Prover => {
            let few = Options { columns: 2, ..Options::PROVER };
            (&[Options::PROVER, few, Options { lookups_per_helper: 2, ..few }], &[4, 8])
        }
        Optimize::Gas => {
            (&[Options::GAS, Options { lookups_per_helper: 2, columns: 2, ..Options::GAS }], &[1, 2, 4])
        }
    };
    let mut out = Vec::new();
    for options in columns {
        for parts in parts {
            out.extend([false, true].map(|whole| Options { whole, parts: *parts, ..*options }));
        }
    }
    out
}
