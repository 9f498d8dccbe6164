//! A failed command as people see it. Secrets are hidden before lines are broken: afterwards they would not be recognised.

use super::clean::redact;
use crate::error::Error;
use std::fmt;

/// The texts of an error.
#[derive(Debug)]
pub(super) struct Shown {
    message: String,
    code: Option<String>,
    help: Option<String>,
    cause: Option<Box<Shown>>,
}

impl Shown {
    /// An error with its causes.
    pub(super) fn of(error: &Error) -> Self {
        let text = |text: Option<Box<dyn fmt::Display + '_>>| text.map(|text| clean(&text.to_string()));
        Self {
            code: text(miette::Diagnostic::code(error)),
            help: text(miette::Diagnostic::help(error)),
            ..Self::cause(error)
        }
    }

    fn cause(error: &dyn std::error::Error) -> Self {
        let cause = error.source().map(|cause| Box::new(Self::cause(cause)));
        Self { message: clean(&error.to_string()), code: None, help: None, cause }
    }
}

fn clean(text: &str) -> String {
    redact(text).into_owned()
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &dyn std::error::Error)
    }
}

impl miette::Diagnostic for Shown {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code.as_ref().map(|code| Box::new(code) as Box<dyn fmt::Display>)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|words| Box::new(words) as Box<dyn fmt::Display>)
    }
}
