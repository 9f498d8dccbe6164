//! What a deployment would do, or did.

use serde::Serialize;
use std::path::PathBuf;
use zkml_deploy::{
    Address,
    deploy::{Preview, Step, Todo},
    plan::Plan,
    record::Record,
};
use zkml_protocol::VerifierProgram;

use crate::verdict::{Failed, Judged};

/// The report.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeployReport {
    /// The model's name.
    pub model: String,
    /// The chain's name.
    pub chain: String,
    /// Its id.
    pub chain_id: u64,
    /// What gas is paid in.
    pub currency: String,
    /// Whether anything was sent.
    pub broadcast: bool,
    /// What was looked at, what was to be done, what it costs.
    #[serde(flatten)]
    pub preview: Preview,
    /// Owner of router and consumer.
    pub owner: Address,
    /// Who registers the model.
    pub model_owner: Address,
    /// The emergency stop in front of the verifier, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emergency_stop: Option<StopReport>,
    /// The model's id.
    pub model_id: String,
    /// Why it cannot be done yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    /// Where the record is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// What is there now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<Record>,
    /// The setup's secret is public.
    pub unsafe_dev_srs: bool,
}

/// What an emergency stop is deployed with.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StopReport {
    /// Its address.
    pub address: Address,
    /// The verifier behind it.
    pub verifier: Address,
    /// Who may pull it.
    pub owner: Address,
    /// Its constructor's arguments, ABI-encoded.
    pub constructor_arguments: String,
}

impl StopReport {
    fn of(plan: &Plan) -> Option<Self> {
        let placed = plan.placement.emergency_stop.as_ref()?;
        Some(Self {
            address: placed.address,
            verifier: plan.placement.verifier.address,
            owner: plan.owners.guardian?,
            constructor_arguments: format!("0x{}", hex::encode(&placed.arguments)),
        })
    }
}

impl DeployReport {
    pub(super) fn new(
        plan: &Plan,
        preview: Preview,
        record: Option<Record>,
        file: Option<PathBuf>,
        missing: Option<String>,
    ) -> Self {
        Self {
            model: plan.package.model.clone(),
            chain: plan.chain.name.clone(),
            chain_id: plan.chain.id,
            currency: plan.chain.currency.clone(),
            broadcast: record.is_some(),
            preview,
            owner: plan.owners.owner,
            model_owner: plan.owners.model_owner,
            emergency_stop: StopReport::of(plan),
            model_id: plan.placement.model_id.to_string(),
            missing,
            file,
            record,
            unsafe_dev_srs: plan.package.program.srs().unsafe_dev,
        }
    }
}

impl Judged for DeployReport {
    /// A deployment that waits for somebody else is not done; a dry run is, whatever it found.
    fn verdict(&self) -> Result<(), Failed> {
        let Some(record) = &self.record else { return Ok(()) };
        let waits = |step: &Step| {
            let on = match &step.todo {
                Todo::Theirs { by, .. } => by.to_string(),
                Todo::Blocked { on } => format!("the {}", on.name()),
                _ => return None,
            };
            (!record.is_there(step.part)).then(|| format!("{} for {on}", step.part.name()))
        };
        let steps: Vec<String> = self.preview.steps.iter().filter_map(waits).collect();
        if steps.is_empty() { Ok(()) } else { Err(Failed::Waits { chain: self.chain.clone(), steps }) }
    }
}
