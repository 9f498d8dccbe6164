//! Standing of each relation of a model in its circuit: the ledger, confirmed, as a report.

use crate::error::Result;
use serde::Serialize;
use zkml::Plan;
use zkml_graph::{Bounds, Graph, Ledger, Standing, System};

/// Number of relations by how they are taken care of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Those that constraints state.
    pub laid_out: usize,
    /// Those that define variables without a cell, with a certificate.
    pub substituted: usize,
    /// Loose ranges that others keep.
    pub implied: usize,
}

impl Counts {
    /// Counts a ledger.
    pub fn of(ledger: &Ledger) -> Self {
        let [laid_out, substituted, implied] = ledger.counts();
        Self { laid_out, substituted, implied }
    }

    /// The counts in words.
    pub fn sentence(&self) -> String {
        let Self { laid_out, substituted, implied } = self;
        let all = laid_out + substituted + implied;
        format!(
            "{all} relations: {laid_out} laid out, {substituted} substituted, {implied} implied; each confirmed"
        )
    }
}

/// One relation.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Index, by which others refer to it.
    pub index: usize,
    /// The node that states it.
    pub node: String,
    /// The relation, printed.
    pub relation: String,
    /// Laid out, substituted or implied.
    pub standing: &'static str,
    /// The window of a range, the variables that it defines, or the interval that others keep and their indices.
    pub reason: String,
}

/// The ledger of a model.
#[derive(Debug, Clone, Serialize)]
pub struct Relations {
    /// Number of each.
    #[serde(flatten)]
    pub counts: Counts,
    /// All of them; empty unless they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub relations: Vec<Entry>,
}

impl Relations {
    /// The confirmed ledger of a model in its planned layout; all entries, or their counts only.
    ///
    /// # Errors
    /// A relation that the layout does not take care of.
    pub fn of(graph: &Graph, plan: &Plan, all: bool) -> Result<Self> {
        let system = graph.system();
        let ledger = plan.ledger(&system)?;
        let entry = |index| entry(&system, &ledger, index);
        let relations = (0..ledger.standings.len()).filter(|_| all).map(entry).collect();
        Ok(Self { counts: Counts::of(&ledger), relations })
    }
}

fn entry(system: &System, ledger: &Ledger, index: usize) -> Entry {
    let (node, relation) = &system.relations[index];
    let interval = |b: &Bounds| format!("[{}, {}]", b.lo, b.hi);
    let standing = &ledger.standings[index];
    let reason = match standing {
        Standing::LaidOut { window: Some(w), .. } => format!("in {}", interval(w)),
        Standing::LaidOut { .. } => String::new(),
        Standing::Substituted { defines } => {
            let names: Vec<&str> = defines.iter().map(|v| system.vars[*v as usize].name.as_str()).collect();
            format!("defines {}", names.join(", "))
        }
        Standing::Implied { within, rests_on } => {
            let all: Vec<String> = rests_on.iter().map(usize::to_string).collect();
            format!("in {} by {}", interval(within), all.join(", "))
        }
    };
    Entry { index, node: node.clone(), relation: relation.to_string(), standing: standing.name(), reason }
}
