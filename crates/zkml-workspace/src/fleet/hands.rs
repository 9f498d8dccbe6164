//! The prover of a worker: models are fetched once, checked, and kept as long as they fit.

use super::{
    Bundle, FleetIdentity, Objects,
    job::{MOST_SEALED, Secret, TaskJob, Version},
};
use crate::{
    error::{Class, Error, Result},
    steps::{compiled, watch::inputs_of_words},
};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};
use zkml::{Binding, Input, Keys, opening::Opening};
use zkml_protocol::Word;
use zkml_service::{Hands, Lease, ProveFailure};

/// Proves with models from object storage.
#[derive(Debug)]
pub struct ModelHands {
    objects: Objects,
    cache: PathBuf,
    identity: Option<FleetIdentity>,
    memory: u64,
    models: Mutex<Models>,
}

#[derive(Debug, Default)]
struct Models {
    warm: BTreeMap<String, Warm>,
    /// Counts uses.
    clock: u64,
}

#[derive(Debug)]
struct Warm {
    keys: Arc<Keys>,
    bytes: u64,
    used: u64,
}

impl ModelHands {
    /// Of a worker that has so many bytes of memory, and a folder for files.
    #[must_use]
    pub fn new(objects: Objects, cache: PathBuf, identity: Option<FleetIdentity>, memory: u64) -> Self {
        Self { objects, cache, identity, memory, models: Mutex::default() }
    }

    /// A model's keys. Others go, the least used first, where they would not fit beside it.
    fn keys(&self, program: &str) -> Result<Arc<Keys>> {
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        models.clock += 1;
        let clock = models.clock;
        if let Some(warm) = models.warm.get_mut(program) {
            warm.used = clock;
            return Ok(Arc::clone(&warm.keys));
        }
        let bundle = Bundle::get(&self.objects, program)?;
        let needed = bundle.memory.max(bundle.bytes());
        while models.warm.values().map(|warm| warm.bytes).sum::<u64>().saturating_add(needed) > self.memory {
            let oldest = models.warm.iter().min_by_key(|(_, warm)| warm.used).map(|(name, _)| name.clone());
            let Some(oldest) = oldest else { break };
            models.warm.remove(&oldest);
        }
        let folder = bundle.fetch(&self.objects, &self.cache.join(program))?;
        let keys = Arc::new(compiled::keys_in(&folder)?);
        let warm = Warm { keys: Arc::clone(&keys), bytes: bundle.bytes(), used: clock };
        models.warm.insert(program.to_owned(), warm);
        Ok(keys)
    }

    fn inputs(
        &self,
        job: &TaskJob,
        request: &Word,
        keys: &Keys,
    ) -> Result<(Vec<Vec<i64>>, Vec<Opening>), ProveFailure> {
        let never = |why: &str| ProveFailure::Permanent(why.to_owned());
        let Some(sealed) = &job.sealed else {
            let bytes = hex::decode(&job.input).map_err(|_| never("its input is no hexadecimal digits"))?;
            let (words, rest) = bytes.as_chunks::<32>();
            let words: Vec<Word> = words.iter().map(|word| Word(*word)).collect();
            let inputs = inputs_of_words(keys.program(), &words).filter(|_| rest.is_empty());
            return Ok((inputs.ok_or_else(|| never("its input is not what this model takes"))?, Vec::new()));
        };
        let later = |why: &str| ProveFailure::Later(why.to_owned());
        let identity =
            self.identity.as_ref().ok_or_else(|| later("this worker has no key for sealed inputs"))?;
        if !sealed.is_ours() {
            return Err(never("the name of its sealed input is none"));
        }
        let bytes =
            self.objects.get_digest(&sealed.object(), &sealed.sha256, MOST_SEALED).map_err(failure)?;
        let plain = identity
            .open(&bytes)
            .ok_or_else(|| later("its input is sealed for another key than this worker's"))?;
        // What a parser says of it may repeat a part of it.
        let secret: Secret =
            serde_json::from_slice(&plain).map_err(|_| never("what is sealed is no input"))?;
        if secret.request != *request {
            return Err(never("what is sealed is the input of another request"));
        }
        Ok((secret.inputs, secret.openings))
    }
}

impl Hands for ModelHands {
    fn warm(&self) -> Vec<String> {
        let models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        models.warm.keys().cloned().collect()
    }

    fn opens(&self) -> String {
        self.identity.as_ref().map_or_else(String::new, |identity| identity.public().digits())
    }

    fn work(&self, lease: &Lease, parts: &[Vec<u8>]) -> Result<Vec<u8>, ProveFailure> {
        let never = |why: String| ProveFailure::Permanent(why);
        if lease.part > 0 || !parts.is_empty() {
            // Another worker may be newer.
            return Err(ProveFailure::Later(
                "this version of zkml-chain makes no proofs of parts".to_owned(),
            ));
        }
        let no_task = |e: serde_json::Error| never(format!("it is no task: {e}"));
        let Version { version } = serde_json::from_slice(&lease.job).map_err(no_task)?;
        if version != 1 {
            return Err(ProveFailure::Later(format!("its version is {version}, this worker reads 1")));
        }
        let job: TaskJob = serde_json::from_slice(&lease.job).map_err(no_task)?;
        let keys = self.keys(&lease.program).map_err(failure)?;
        let (inputs, openings) = self.inputs(&job, &lease.request, &keys)?;
        let binding = Binding { context: job.context, openings };
        let made = keys.prove(&Input::of_values(inputs), &binding, &()).map_err(|e| match job.sealed {
            Some(_) => without_values(e.into()),
            None => failure(e.into()),
        })?;
        serde_json::to_vec(&made.proof).map_err(|e| never(e.to_string()))
    }
}

/// As [`failure`], of an input that nobody may see: what the model says of it may repeat its values, and reasons are seen by many.
fn without_values(error: Error) -> ProveFailure {
    let name = error.name();
    match failure(error) {
        ProveFailure::Permanent(_) => ProveFailure::Permanent(format!(
            "no proof about the sealed input ({name}): `zkml-chain prove --input FILE` says why, where the file is"
        )),
        later => later,
    }
}

/// Means that the system lacks may be there later, on this worker or another; what the prover refuses, it refuses again.
fn failure(error: Error) -> ProveFailure {
    match error.class() {
        // An object is mended by publishing the model again.
        Class::System | Class::Artifacts => ProveFailure::Later(error.to_string()),
        _ => ProveFailure::Permanent(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::FleetError;

    #[test]
    fn reasons_about_sealed_inputs_hold_no_values() {
        let refused = || Error::from(FleetError::NotForFleets { what: "income 31337" });
        let ProveFailure::Permanent(said) = failure(refused()) else { panic!("it is refused for good") };
        assert!(said.contains("31337"), "{said}");
        let ProveFailure::Permanent(said) = without_values(refused()) else {
            panic!("it is refused for good")
        };
        assert!(
            !said.contains("31337") && said.contains("not-for-fleets") && said.contains("prove --input"),
            "{said}"
        );
    }
}
