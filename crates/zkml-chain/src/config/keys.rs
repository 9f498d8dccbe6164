//! The keys of `zkml.toml`. Each stands for the flag of its name, at the commands that are listed with it.

use super::error::Misfit;
use zkml_onnx::{Dims, Visibilities};
use zkml_workspace::value;

/// A key, and the flags that it stands for.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name: that of the flag without dashes in front.
    pub name: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// What it says, for the book.
    pub what: &'static str,
    /// What holds where neither flag nor file say.
    pub default: &'static str,
    /// The commands whose flag it stands for.
    pub commands: &'static [&'static str],
}

/// What a value is, and how it is checked when the file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file or folder, relative to `zkml.toml`.
    Path,
    /// `public`, `committed`, or either by tensor.
    Sight,
    /// One of some words.
    Word(&'static [&'static str]),
    /// Sizes of dimensions by their names.
    Sizes,
    /// Any text.
    Text,
    /// An address on a chain.
    Address,
    /// Some addresses, with commas between them.
    Addresses,
    /// Some amounts of coins or tokens, with commas between them.
    Amounts,
    /// A whole number between two others.
    Whole(u64, u64),
    /// A positive number.
    Number,
}

const VISIBLE: &[&str] = &["public", "committed"];
const FOLDERS: &[&str] = &[
    "calibrate",
    "compile",
    "setup",
    "commit",
    "prove",
    "verify",
    "calldata",
    "gen-verifier",
    "simulate",
    "predict",
    "deploy",
    "check-deployment",
    "verify-source",
    "submit",
    "request",
    "rewards",
    "watch",
    "report",
    "bond",
    "accept",
    "challenge",
    "demo",
    "run",
];
/// Those of chains, and what reads records without a connection.
const RECORDED: &[&str] = &[
    "deploy",
    "check-deployment",
    "verify-source",
    "submit",
    "request",
    "rewards",
    "accept",
    "challenge",
    "watch",
    "report",
];
/// Those of chains, and what says where contracts will be.
const NAMED: &[&str] = &[
    "predict",
    "deploy",
    "check-deployment",
    "verify-source",
    "submit",
    "request",
    "rewards",
    "accept",
    "challenge",
    "watch",
];

/// All keys, in the order of the book.
pub const KEYS: &[Key] = &[
    Key {
        name: "model",
        kind: Kind::Path,
        what: "The ONNX file.",
        default: "none: name it",
        commands: &["inspect", "calibrate", "demo", "run"],
    },
    Key {
        name: "data",
        kind: Kind::Path,
        what: "Sample data to calibrate with.",
        default: "random numbers, with a warning",
        commands: &["calibrate", "demo", "run"],
    },
    Key {
        name: "input",
        kind: Kind::Path,
        what: "The input to prove.",
        default: "the first calibration sample",
        commands: &["prove", "submit", "request", "accept", "demo", "run"],
    },
    Key {
        name: "dir",
        kind: Kind::Path,
        what: "The artifact folder.",
        default: "artifacts/<MODEL>, or the only one in artifacts/",
        commands: FOLDERS,
    },
    Key {
        name: "inputs",
        kind: Kind::Sight,
        what: "Who sees the inputs: `committed`, `public`, or by tensor, `\"age=public,*=committed\"`.",
        default: "committed",
        commands: &["inspect", "calibrate", "compile", "run"],
    },
    Key {
        name: "weights",
        kind: Kind::Word(VISIBLE),
        what: "Who sees the weights; with committed ones, one verifier serves all models of the architecture.",
        default: "public",
        commands: &["inspect", "calibrate", "compile", "run"],
    },
    Key {
        name: "outputs",
        kind: Kind::Sight,
        what: "Who sees the outputs, as `inputs`.",
        default: "public",
        commands: &["inspect", "calibrate", "compile", "run"],
    },
    Key {
        name: "optimize",
        kind: Kind::Word(&["prover", "gas"]),
        what: "What to make cheap: `prover` (time and memory of proving) or `gas` (of a verification).",
        default: "prover",
        commands: &["compile", "demo", "run"],
    },
    Key {
        name: "backend",
        kind: Kind::Word(&["auto", "halo2", "sumcheck"]),
        what: "How proofs are made: `sumcheck` (quicker), `halo2`, or `auto`, whichever is expected to be better.",
        default: "auto",
        commands: &["compile", "demo", "run"],
    },
    Key {
        name: "tolerance",
        kind: Kind::Number,
        what: "Largest output error to aim at, as a share of the range that the output was seen in. More than that in a probability, or than \
               five times that in another output, relative to its magnitude, ends `calibrate` and `compile` with exit code 6.",
        default: "2e-4",
        commands: &["calibrate", "run"],
    },
    Key {
        name: "margin",
        kind: Kind::Number,
        what: "Factor by which calibrated ranges are widened.",
        default: "1.5",
        commands: &["calibrate", "run"],
    },
    Key {
        name: "activation-scale",
        kind: Kind::Whole(0, 64),
        what: "Fraction bits of values between layers.",
        default: "chosen",
        commands: &["calibrate", "run"],
    },
    Key {
        name: "weight-scale",
        kind: Kind::Whole(0, 64),
        what: "Fraction bits of weights.",
        default: "chosen",
        commands: &["calibrate", "run"],
    },
    Key {
        name: "batch",
        kind: Kind::Whole(1, 65_536),
        what: "Size of an open batch dimension.",
        default: "1",
        commands: &["inspect", "calibrate", "run"],
    },
    Key {
        name: "dim",
        kind: Kind::Sizes,
        what: "Sizes of symbolic dimensions of the inputs, as in `seq=16,tokens=8`.",
        default: "none",
        commands: &["inspect", "calibrate", "run"],
    },
    Key {
        name: "srs",
        kind: Kind::Path,
        what: "Trusted setup to use.",
        default: "the best in the cache that is large enough",
        commands: &["setup", "run"],
    },
    Key {
        name: "contracts",
        kind: Kind::Path,
        what: "Where the generated contracts and the proof for the project's tests go.",
        default: "contracts/generated",
        commands: &["run"],
    },
    Key {
        name: "action-text",
        kind: Kind::Text,
        what: "What the consumer is asked to do; the action is the Keccak-256 of it.",
        default: "zero; `run`: approve",
        commands: &["context", "submit", "request", "accept", "run"],
    },
    Key {
        name: "chain",
        kind: Kind::Text,
        what: "The chain, by name or number (as text). Its endpoint's URL comes from the environment.",
        default: "none: name it",
        commands: NAMED,
    },
    Key {
        name: "chains",
        kind: Kind::Path,
        what: "A file with chains of your own, in the form of `deploy/chains.toml`.",
        default: "the built-in ones",
        commands: NAMED,
    },
    Key {
        name: "deployments",
        kind: Kind::Path,
        what: "Folder of records of deployments.",
        default: "deploy/deployments",
        commands: RECORDED,
    },
    Key {
        name: "owner",
        kind: Kind::Address,
        what: "Owner of router and consumer.",
        default: "on test chains the sender",
        commands: &["predict", "deploy"],
    },
    Key {
        name: "model-owner",
        kind: Kind::Address,
        what: "Who registers the model, and can deprecate it.",
        default: "the sender",
        commands: &["predict", "deploy"],
    },
    Key {
        name: "emergency-stop",
        kind: Kind::Address,
        what: "Who can pull, for good, the emergency stop that `deploy` puts in front of the verifier.",
        default: "no stop",
        commands: &["predict", "deploy"],
    },
    Key {
        name: "subjects",
        kind: Kind::Addresses,
        what: "Whose requests a service proves: addresses, with commas between them.",
        default: "everybody's",
        commands: &["watch"],
    },
    Key {
        name: "subjects-file",
        kind: Kind::Path,
        what: "A file with such addresses, one a line; `#` begins a remark.",
        default: "none",
        commands: &["watch"],
    },
    Key {
        name: "quota-hour",
        kind: Kind::Whole(1, 1_000_000),
        what: "Requests of one subject that a service proves within an hour.",
        default: "no limit",
        commands: &["watch"],
    },
    Key {
        name: "quota-day",
        kind: Kind::Whole(1, 1_000_000),
        what: "The same within a day.",
        default: "no limit",
        commands: &["watch"],
    },
    Key {
        name: "min-reward",
        kind: Kind::Amounts,
        what: "The least reward that a service proves for: `\"0.01\"` in the chain's currency, `\"0.01,5@0x…\"` with a token. Tokens that are not named are not taken.",
        default: "none: requests that pay nothing are proven, too",
        commands: &["watch"],
    },
];

/// The key of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The keys that stand for a flag of this command.
pub fn of_command(command: &str) -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(move |key| key.commands.contains(&command))
}

/// A key that may have been meant: the same but for case, underscores and an `s`, or one that begins alike.
#[must_use]
pub fn nearest(name: &str) -> Option<&'static str> {
    let plain = |text: &str| text.to_lowercase().replace('_', "-").trim_end_matches('s').to_owned();
    let wanted = plain(name);
    let same = KEYS.iter().find(|key| plain(key.name) == wanted);
    let alike = || {
        KEYS.iter().find(|key| {
            wanted.len() >= 3 && plain(key.name).starts_with(&wanted[..wanted.floor_char_boundary(3)])
        })
    };
    same.or_else(alike).map(|key| key.name)
}

impl Key {
    /// The name that clap has for the flag.
    #[must_use]
    pub fn argument(&self) -> String {
        self.name.replace('-', "_")
    }
}

impl Kind {
    /// Sees whether the flag takes this text; says what is expected if it does not.
    ///
    /// # Errors
    /// What is expected instead.
    pub fn check(self, text: &str) -> Result<(), Misfit> {
        match self {
            Self::Path | Self::Text if text.trim().is_empty() => Err(Misfit::Empty),
            Self::Path | Self::Text => Ok(()),
            Self::Sight => Ok(text.parse::<Visibilities>().map(drop)?),
            Self::Sizes => Ok(text.parse::<Dims>().map(drop)?),
            Self::Word(words) if words.contains(&text) => Ok(()),
            Self::Word(words) => Err(Misfit::Word { text: text.into(), words }),
            Self::Address => Ok(value::address(text).map(drop)?),
            Self::Addresses => Ok(value::addresses(text).map(drop)?),
            Self::Amounts => Ok(value::amounts(text).map(drop)?),
            Self::Whole(lowest, highest) => match text.parse::<u64>() {
                Ok(number) if (lowest..=highest).contains(&number) => Ok(()),
                _ => Err(Misfit::Whole { lowest, highest }),
            },
            Self::Number => match text.parse::<f64>() {
                Ok(number) if number.is_finite() && number > 0.0 => Ok(()),
                _ => Err(Misfit::NotPositive),
            },
        }
    }

    /// True for keys whose value is a number in TOML, and not text.
    #[must_use]
    pub fn is_number(self) -> bool {
        matches!(self, Self::Whole(..) | Self::Number)
    }

    /// What the value is, in a word, for the book.
    #[must_use]
    pub fn describe(self) -> String {
        match self {
            Self::Path => "path".into(),
            Self::Sight => "visibility".into(),
            Self::Word(words) => {
                words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ")
            }
            Self::Sizes => "sizes by name".into(),
            Self::Text => "text".into(),
            Self::Address => "address".into(),
            Self::Addresses => "addresses".into(),
            Self::Amounts => "amounts".into(),
            Self::Whole(..) => "whole number".into(),
            Self::Number => "number".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_guessed() {
        assert_eq!(nearest("optimise"), Some("optimize"));
        assert_eq!(nearest("Input_s"), Some("input"));
        assert_eq!(nearest("model_owner"), Some("model-owner"));
        assert_eq!(nearest("x"), None);
        assert_eq!(nearest("日本語"), None);
    }

    #[test]
    fn defaults_are_those_of_calibrations() {
        let settings = zkml_onnx::Settings::default();
        for (key, default) in [("tolerance", settings.tolerance), ("margin", settings.margin)] {
            assert_eq!(find(key).and_then(|k| k.default.parse().ok()), Some(default), "{key}");
        }
    }

    #[test]
    fn values_are_checked() {
        let good = [
            ("inputs", "age=public,*=committed"),
            ("weights", "public"),
            ("batch", "1"),
            ("dim", "seq=16,tokens=8"),
            ("tolerance", "0.01"),
            ("min-reward", "0.01,5@0x1111111111111111111111111111111111111111"),
        ];
        for (key, text) in good {
            assert_eq!(find(key).map(|k| k.kind.check(text)), Some(Ok(())), "{key}");
        }
        let bad = [
            ("inputs", "secret"),
            ("weights", "a=public"),
            ("batch", "0"),
            ("dim", "seq"),
            ("margin", "-1"),
            ("owner", "0x1"),
            ("subjects", ""),
            ("subjects", "0x1111111111111111111111111111111111111111,"),
            ("dir", ""),
            ("min-reward", "much"),
            ("min-reward", "5@token"),
        ];
        for (key, text) in bad {
            assert!(find(key).is_some_and(|k| k.kind.check(text).is_err()), "{key}");
        }
    }
}
