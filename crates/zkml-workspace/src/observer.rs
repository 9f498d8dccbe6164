//! Who is told what goes on in a step, and asked whether it is to go on.

use crate::{
    error::{Error, Result},
    verdict::Inaccurate,
};
use std::{fmt::Debug, path::PathBuf, time::Duration};
use zkml_srs::Provenance;

/// Whoever looks at a step while it works: a terminal, a log, a window.
///
/// Steps may tell from several threads. What they tell is data; the words are up to the observer.
pub trait Observer: Debug + Send + Sync {
    /// Something happened that a person who waits may like to know.
    fn said(&self, said: &Said);

    /// Something that a person should know, however little else they want to hear.
    fn warned(&self, warning: &Warning);

    /// A piece of work begins; it ends when the answer is dropped.
    fn begun(&self, name: &str, total: Total) -> Box<dyn Work + '_>;

    /// Returns true when the step is to end. It is asked between pieces of work; files are whole or absent then, too.
    fn cancelled(&self) -> bool {
        false
    }
}

impl dyn Observer + '_ {
    /// Begins a piece of work, unless the step is to end.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn start(&self, name: &str, total: Total) -> Result<Box<dyn Work + '_>> {
        self.proceed()?;
        Ok(self.begun(name, total))
    }

    /// Asks whether to go on.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn proceed(&self) -> Result<()> {
        if self.cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }
}

/// A piece of work that goes on.
pub trait Work: Debug + Send + Sync {
    /// Takes note that so many of the total's steps or bytes are done.
    fn advanced(&self, done: u64);

    /// The same piece of work goes by another name from here on.
    fn renamed(&self, name: &str);

    /// As [`Observer::said`], in the middle of it.
    fn said(&self, said: &Said);
}

/// How much work a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// A number of steps, which are reported.
    Steps(u64),
    /// A number of bytes to read or write, which are reported.
    Bytes(u64),
    /// Work without countable steps, estimated to take so long.
    Time(Duration),
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Said {
    /// The settings of a folder were edited since calibration, and are taken as they are.
    EditedSettings {
        /// Length of the file.
        bytes: usize,
    },
    /// A trusted setup was chosen for a circuit, and checked.
    Setup {
        /// Its file.
        path: PathBuf,
        /// Where it comes from.
        provenance: Provenance,
        /// It has `2^k` powers.
        k: u32,
        /// Time that the check took.
        checked_in: Duration,
    },
    /// A salt was made and written to the disk.
    NewSalt {
        /// The private file.
        path: PathBuf,
    },
    /// The demonstration comes to its next stage.
    Stage {
        /// The step.
        name: &'static str,
        /// The purpose of it.
        purpose: &'static str,
    },
    /// Something about the stage that was just done.
    Detail(Detail),
    /// A transaction is about to be sent.
    Sending {
        /// The function that it calls.
        what: String,
        /// The contract.
        to: String,
    },
    /// An earlier run sent a transaction, and was interrupted before that was final: it is replaced if it still waits.
    SentEarlier {
        /// Its nonce.
        nonce: u64,
    },
    /// A transaction was offered to the chain.
    Offered {
        /// Its hash.
        hash: String,
        /// Its nonce.
        nonce: u64,
    },
    /// The file that remembers a transaction is still there, and does no harm.
    NotRemoved {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        why: String,
    },
    /// A step of a deployment, in words.
    Deployment(String),
    /// An earlier run was interrupted after it had proven: its proof is handed in.
    ProvenEarlier {
        /// The proof file.
        proof: PathBuf,
    },
    /// A proof was made, to be handed in.
    Proven {
        /// Time that it took.
        seconds: f64,
    },
    /// A request is on the chain.
    Requested {
        /// Its id.
        id: zkml_protocol::Word,
    },
}

/// Figures of the demonstration's stages.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Detail {
    /// Largest difference from the float model.
    Calibrated {
        /// The difference.
        error: f64,
        /// Samples that were compared.
        samples: usize,
    },
    /// The chosen proof system, and its sizes.
    Planned {
        /// The proof system.
        backend: zkml::Backend,
        /// The setup has at least `2^k` powers.
        k: u32,
        /// Number of commitments in a proof.
        commitments: usize,
    },
    /// The proving key.
    Keys {
        /// Length of its file.
        bytes: u64,
        /// Time that it took.
        seconds: f64,
    },
    /// Addresses of the deployed contracts.
    Deployed {
        /// The verifier.
        verifier: String,
        /// The consumer.
        consumer: String,
    },
    /// The registered model.
    Registered {
        /// Its id.
        model_id: zkml_protocol::Word,
        /// Address of the registry.
        registry: String,
    },
    /// The proof.
    Proven {
        /// Its length.
        bytes: usize,
        /// Time that it took.
        seconds: f64,
    },
}

/// Something to be aware of.
#[derive(Debug)]
#[non_exhaustive]
pub enum Warning {
    /// A notice of the front end about the model.
    Model(String),
    /// No data were given: ranges come from random samples between -1 and 1.
    RandomSamples {
        /// Number of samples.
        count: usize,
    },
    /// The folder held another model of this name, whose files are replaced.
    Replaced {
        /// The folder.
        dir: PathBuf,
    },
    /// The model errs more than its settings tolerate, which was accepted.
    Inaccurate(Inaccurate),
    /// The development setup is used, whose secret is public.
    DevSetup,
    /// A setup is used that belongs to no known ceremony.
    UnknownSetup,
    /// A setup that took long to compute could not be kept in the cache.
    NotKept {
        /// It has `2^k` powers.
        k: u32,
        /// Why it could not.
        why: Box<Error>,
    },
}

/// An observer that does not look, and cancels nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Silent;

impl Observer for Silent {
    fn said(&self, _: &Said) {}

    fn warned(&self, _: &Warning) {}

    fn begun(&self, _: &str, _: Total) -> Box<dyn Work + '_> {
        Box::new(Self)
    }
}

impl Work for Silent {
    fn advanced(&self, _: u64) {}

    fn renamed(&self, _: &str) {}

    fn said(&self, _: &Said) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Ended;

    impl Observer for Ended {
        fn said(&self, _: &Said) {}

        fn warned(&self, _: &Warning) {}

        fn begun(&self, _: &str, _: Total) -> Box<dyn Work + '_> {
            Box::new(Silent)
        }

        fn cancelled(&self) -> bool {
            true
        }
    }

    #[test]
    fn no_piece_of_work_begins_after_the_end() {
        let (silent, ended): (&dyn Observer, &dyn Observer) = (&Silent, &Ended);
        silent.start("work", Total::Steps(1)).expect("nobody cancels").advanced(1);
        assert!(matches!(ended.start("work", Total::Steps(1)), Err(Error::Cancelled)));
    }
}
