//! Ways out of the process on which secrets are hidden. Without the commands for chains there are none.

#[cfg(feature = "chain")]
pub use zkml_deploy::secret::{redact, redact_json};

use std::io::Write;

/// A writer that hides secrets.
#[cfg(feature = "chain")]
pub fn clean<W: Write>(out: W) -> impl Write {
    zkml_deploy::secret::Redacting::new(out)
}

/// A writer.
#[cfg(not(feature = "chain"))]
pub fn clean<W: Write>(out: W) -> impl Write {
    out
}

/// The text itself.
#[cfg(not(feature = "chain"))]
#[must_use]
pub fn redact(text: &str) -> std::borrow::Cow<'_, str> {
    text.into()
}

/// The document itself.
#[cfg(not(feature = "chain"))]
#[must_use]
pub fn redact_json(document: &str) -> String {
    document.to_owned()
}
