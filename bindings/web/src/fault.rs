//! Refusals as JavaScript sees them: an `Error` whose `code` says which kind it is.

use std::{error::Error, fmt::Write};

use wasm_bindgen::JsValue;

/// The kinds of refusal; the names are the package's `ErrorCode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "prove"), expect(dead_code, reason = "some belong to the prover"))]
pub(crate) enum Code {
    /// A file of the artifact folder cannot be used, or files do not belong together.
    Artifact,
    /// Points that are no trusted setup.
    Setup,
    /// A model that a browser does not prove.
    Unsupported,
    /// A verifier program that cannot be read or contradicts itself.
    Program,
    /// A proof document that cannot be read, contradicts itself or belongs to another program.
    Proof,
    /// A proof that does not hold.
    Refused,
    /// Inputs of wrong names, shapes, types or ranges.
    Input,
    /// Options of a proof: context, salts.
    Option,
    /// No randomness.
    Randomness,
    /// A mistake in this toolkit.
    Defect,
}

impl Code {
    fn name(self) -> &'static str {
        match self {
            Self::Artifact => "artifact",
            Self::Setup => "setup",
            Self::Unsupported => "unsupported",
            Self::Program => "program",
            Self::Proof => "proof",
            Self::Refused => "refused",
            Self::Input => "input",
            Self::Option => "option",
            Self::Randomness => "randomness",
            Self::Defect => "defect",
        }
    }
}

/// A refusal on its way out.
#[derive(Debug)]
pub struct Fault {
    code: Code,
    message: String,
}

impl Fault {
    pub(crate) fn new(code: Code, error: &dyn Error) -> Self {
        let mut message = error.to_string();
        let causes = std::iter::successors(error.source(), |cause: &&dyn Error| (*cause).source());
        for cause in causes.map(ToString::to_string) {
            // Most messages hold their cause already.
            if !message.contains(&cause) {
                let _ = write!(message, ": {cause}");
            }
        }
        Self { code, message }
    }

    #[cfg(feature = "prove")]
    pub(crate) fn said(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// Errors that mean the same wherever they come from; see [`Fault::while_loading`] for the others.
impl From<zkml::Error> for Fault {
    fn from(error: zkml::Error) -> Self {
        use zkml::Error as E;
        let code = match &error {
            E::Program(_) => Code::Program,
            E::Proof(_) => Code::Proof,
            E::Refused(_) => Code::Refused,
            #[cfg(feature = "prove")]
            E::Sample(_) | E::Graph(_) => Code::Input,
            #[cfg(feature = "prove")]
            E::OtherOpening { .. } => Code::Option,
            #[cfg(feature = "prove")]
            E::Opening(zkml::OpeningError::Randomness(_)) => Code::Randomness,
            #[cfg(feature = "prove")]
            E::SumcheckOnly => Code::Unsupported,
            #[cfg(feature = "prove")]
            E::OtherProgram { .. } => Code::Artifact,
            #[cfg(feature = "prove")]
            E::Srs(_) => Code::Setup,
            _ => Code::Defect,
        };
        Self::new(code, &error)
    }
}

#[cfg(feature = "prove")]
impl Fault {
    /// Errors of bytes that others wrote: a graph that is refused then is no input that is refused.
    pub(crate) fn while_loading(error: zkml::Error) -> Self {
        use zkml::Error as E;
        match &error {
            E::Sumcheck(zkml::SumcheckError::Unsupported { .. }) => Self::new(Code::Unsupported, &error),
            // A damaged file is no unsound setup.
            E::Srs(zkml::SrsError::Unsound { .. }) | E::SumcheckOnly => error.into(),
            _ => Self::new(Code::Artifact, &error),
        }
    }
}

impl From<Fault> for JsValue {
    fn from(Fault { code, message }: Fault) -> Self {
        let error = js_sys::Error::new(&message);
        // A frozen prototype could refuse it; the message is there all the same.
        let _ = js_sys::Reflect::set(&error, &"code".into(), &code.name().into());
        error.into()
    }
}
