//! Tables of removed checks: what was taken away, and what notices it. A test makes the rows anew and compares them with the
//! committed ones, so that no mutant is without an explanation; `ZKML_BLESS=1` writes them instead.

use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf};

/// One removed or weakened check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    /// Surface and part; unique in its table.
    pub(crate) id: String,
    /// What was taken away or weakened.
    pub(crate) removed: String,
    /// Tests and attacks that see the difference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) noticed_by: Vec<String>,
    /// The reason why nothing can see a difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) equivalent: Option<String>,
}

/// All rows of a surface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    /// What the rows are about and how they were made.
    pub(crate) about: String,
    /// The command that makes the table anew.
    pub(crate) refresh: String,
    /// Mutants that were tried besides the rows, by what they were made from; all of them were noticed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tried: BTreeMap<String, usize>,
    /// The rows, in the order in which they are made.
    pub(crate) mutants: Vec<Row>,
}

impl Table {
    fn path(name: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/attacks").join(name)
    }

    /// The committed table.
    pub(crate) fn read(name: &str) -> Self {
        let path = Self::path(name);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    /// Writes the table for [`Table::read`].
    pub(crate) fn write(&self, name: &str) {
        let text = serde_json::to_string_pretty(self).unwrap() + "\n";
        std::fs::write(Self::path(name), text).unwrap();
    }

    /// Returns true if tables are to be written, not compared.
    pub(crate) fn blessing() -> bool {
        std::env::var_os("ZKML_BLESS").is_some_and(|value| value == "1")
    }

    /// The row of an id.
    pub(crate) fn row(&self, id: &str) -> Option<&Row> {
        self.mutants.iter().find(|row| row.id == id)
    }

    /// Fails if a row has neither a witness nor a reason, or if two have the same id.
    pub(crate) fn explained(&self) {
        let survivors: Vec<&Row> =
            self.mutants.iter().filter(|row| row.noticed_by.is_empty() == row.equivalent.is_none()).collect();
        assert!(survivors.is_empty(), "noticed by nothing, or explained though noticed: {survivors:#?}");
        let ids: std::collections::BTreeSet<&str> = self.mutants.iter().map(|row| row.id.as_str()).collect();
        assert_eq!(ids.len(), self.mutants.len(), "two rows have one id");
    }
}
