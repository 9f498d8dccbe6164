//! The library as its users meet it: bytes in, bytes out, and what is refused.

use std::sync::{Mutex, OnceLock};
use zkml::{
    Backend, Binding, Compiled, Cost, Error, Keys, Model, Observer, Opening, Optimize, Proof, ProofError,
    Role, Settings, Srs, Stage, Verifier, Visibility, Wish, Word,
};

fn read(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/../../models/credit/{name}", env!("CARGO_MANIFEST_DIR")))
        .expect("a file of the model")
}

fn text(name: &str) -> String {
    String::from_utf8(read(name)).expect("text")
}

fn compiled(settings: &Settings) -> Compiled {
    let model = Model::from_onnx("credit", &read("credit.onnx"), settings).expect("loads");
    let calibration = model.calibrate(&text("calibration.json"), &()).expect("calibrates");
    calibration.compile(Optimize::Prover, &()).expect("compiles")
}

fn keys(settings: &Settings) -> Keys {
    let compiled = compiled(settings);
    let srs = Srs::dev(compiled.plan().k()).expect("a setup");
    compiled.setup(&srs, &()).expect("keys")
}

/// Keys of the model with inputs and outputs that are committed to, made once.
fn shared() -> &'static Keys {
    static MADE: OnceLock<Keys> = OnceLock::new();
    MADE.get_or_init(|| keys(&Settings { outputs: Visibility::Committed.into(), ..Settings::default() }))
}

#[test]
fn a_proof_goes_from_bytes_to_bytes() {
    let keys = shared();
    let files = keys.compiled().to_files();
    let again = Compiled::from_files(&files).expect("the same model");
    assert_eq!(again.model_hash(), keys.compiled().model_hash());
    let key = keys.to_bytes().expect("bytes");
    let keys = Keys::from_bytes(again, &keys.verifier(), &key).expect("the same keys");
    let input = keys.compiled().input(&text("sample.json")).expect("an input");
    let context = Word::from_u64(77);
    let proven = keys.prove(&input, &Binding { context, openings: vec![] }, &()).expect("a proof");
    let verifier = Verifier::from_json(&keys.verifier().to_json()).expect("a verifier");
    let verified = verifier.verify_json(&proven.proof.to_json()).expect("accepted");
    assert_eq!(verified.context, context);
    assert!(verified.unsafe_dev_srs);
    assert_eq!(verified.commitments.len(), 2, "input and output");
    let revealed = keys.compiled().run(&input).expect("runs");
    assert_eq!(proven.revealed, revealed);
    assert!(verified.outputs[0].values.is_empty(), "the output is committed to");
    // Whoever has the openings can show what is behind the commitments.
    for (opening, commitment) in proven.openings.iter().zip(&verified.commitments) {
        assert_eq!(opening.recompute().expect("fits"), commitment.commitment);
    }
}

#[test]
fn openings_that_were_kept_give_the_same_commitments_and_no_others() {
    let keys = shared();
    let input = keys.compiled().input(&text("sample.json")).expect("an input");
    let first = keys.prove(&input, &Binding::default(), &()).expect("a proof");
    let kept = vec![first.openings[0].clone()];
    let binding = Binding { context: Word::ZERO, openings: kept };
    let second = keys.prove(&input, &binding, &()).expect("a proof");
    assert_eq!(first.openings[0], second.openings[0]);
    assert_ne!(first.openings[1].commitment, second.openings[1].commitment, "outputs get fresh salts");
    let other = text("sample.json").replace("1.185", "1.5");
    let other = keys.compiled().input(&other).expect("an input");
    let error = keys.prove(&other, &binding, &()).expect_err("an opening of other values");
    assert!(matches!(&error, Error::OtherOpening { name } if name == "applicant"), "{error}");
}

#[test]
fn what_was_changed_is_refused_by_name() {
    let keys = shared();
    let input = keys.compiled().input(&text("sample.json")).expect("an input");
    let proof = keys.prove(&input, &Binding::default(), &()).expect("a proof").proof;
    let verifier = keys.verifier();
    let mut flipped = proof.clone();
    flipped.proof[40] ^= 1;
    assert!(matches!(verifier.verify(&flipped), Err(Error::Refused(_))));
    let mut bound = proof.clone();
    bound.context = Word::ONE;
    assert!(matches!(verifier.verify(&bound), Err(Error::Proof(ProofError::Contradiction(_)))));
    let mut elsewhere = proof.clone();
    elsewhere.vk_digest = Word::ONE;
    assert!(matches!(
        verifier.verify(&elsewhere),
        Err(Error::Proof(ProofError::Foreign { what: "key", .. }))
    ));
    let mut honest = proof.clone();
    honest.unsafe_dev_srs = false;
    assert!(matches!(verifier.verify(&honest), Err(Error::Proof(ProofError::Setup))));
    assert!(matches!(verifier.verify_json(b"{}"), Err(Error::Proof(ProofError::NotAProof(_)))));
    assert!(matches!(Verifier::from_json(b"[]"), Err(Error::Malformed { what: "verifier program", .. })));
    let key = keys.to_bytes().expect("bytes");
    let mut files = keys.compiled().to_files();
    let model = || Compiled::from_files(&keys.compiled().to_files()).expect("the model");
    let cut = Keys::from_bytes(model(), &verifier, &key[..key.len() - 1]).expect_err("cut short");
    assert!(matches!(cut, Error::Srs(_)) && cut.to_string().contains("truncated"), "{cut}");
    files.graph.truncate(9);
    assert!(matches!(Compiled::from_files(&files), Err(Error::Graph(_))));
    assert!(matches!(Model::from_onnx("m", b"no model", &Settings::default()), Err(Error::Onnx(_))));
}

/// Remembers the stages, and stops before one of them.
struct Stops(Option<Stage>, Mutex<Vec<Stage>>);

impl Observer for Stops {
    fn begins(&self, stage: Stage) {
        self.1.lock().expect("not poisoned").push(stage);
    }

    fn cancelled(&self) -> bool {
        let seen = self.1.lock().expect("not poisoned");
        self.0.is_some() && seen.last() == self.0.as_ref()
    }
}

#[test]
fn an_observer_sees_the_stages_and_stops_the_work() {
    let keys = shared();
    let input = keys.compiled().input(&text("sample.json")).expect("an input");
    let all = Stops(None, Mutex::default());
    keys.prove(&input, &Binding::default(), &all).expect("a proof");
    let stages = [
        Stage::Run,
        Stage::Prove,
        Stage::Commit,
        Stage::Lookups,
        Stage::Sumchecks,
        Stage::Open,
        Stage::Verify,
    ];
    assert_eq!(*all.1.lock().expect("not poisoned"), stages);
    let early = Stops(Some(Stage::Run), Mutex::default());
    let error = keys.prove(&input, &Binding::default(), &early).expect_err("cancelled");
    assert!(matches!(error, Error::Cancelled { before: Stage::Prove }), "{error}");
}

#[test]
fn a_model_that_errs_too_much_is_compiled_only_when_that_is_accepted() {
    let coarse = Settings { activation_scale: Some(5), weight_scale: Some(5), ..Settings::default() };
    let model = Model::from_onnx("credit", &read("credit.onnx"), &coarse).expect("loads");
    let calibration = model.calibrate(&text("calibration.json"), &()).expect("calibrates");
    let alarm = calibration.alarm().expect("it errs");
    assert!(alarm.times() > 1.0);
    let refused = calibration.clone().compile(Optimize::Prover, &()).expect_err("refused");
    assert!(matches!(refused, Error::Inaccurate(_)), "{refused}");
    calibration.accept_any_error().compile(Optimize::Prover, &()).expect("accepted");
}

#[test]
fn a_setup_that_is_too_small_gives_no_keys() {
    let compiled = compiled(&Settings::default());
    let small = Srs::dev(compiled.plan().k() - 1).expect("a setup");
    let error = compiled.setup(&small, &()).expect_err("too small");
    assert!(matches!(error, Error::Srs(_)) && error.to_string().contains("powers"), "{error}");
}

/// The model, to be proven by this proof system.
fn compiled_by(backend: Backend) -> Compiled {
    let model = Model::from_onnx("credit", &read("credit.onnx"), &Settings::default()).expect("loads");
    let calibration = model.calibrate(&text("calibration.json"), &()).expect("calibrates");
    let wish = Wish { optimize: Optimize::Prover, backend: Some(backend) };
    calibration.compile(wish, &()).expect("compiles")
}

/// Without a wish, the better estimate decides, and the plan says so.
#[test]
fn a_plan_says_why() {
    let plan = compiled(&Settings::default()).plan().clone();
    let costs = [Backend::Halo2, Backend::Sumcheck].map(|b| compiled_by(b).plan().cost());
    let weight =
        |c: &Cost| c.optimize.weigh(c.seconds_estimate, c.gas_estimate as f64, c.memory_mb_estimate as f64);
    let better = usize::from(weight(&costs[1]) < weight(&costs[0]));
    assert_eq!(plan.cost(), costs[better]);
    let other = &costs[1 - better];
    assert!(
        plan.why.contains(other.backend.name()) && plan.why.contains(&other.gas_estimate.to_string()),
        "{}",
        plan.why
    );
    // Where gas is to be cheap, it alone decides.
    let by = |backend| {
        let model = Model::from_onnx("credit", &read("credit.onnx"), &Settings::default()).expect("loads");
        let calibration = model.calibrate(&text("calibration.json"), &()).expect("calibrates");
        let wish = Wish { optimize: Optimize::Gas, backend };
        calibration.compile(wish, &()).expect("compiles").plan().cost().gas_estimate
    };
    assert_eq!(by(None), by(Some(Backend::Halo2)).min(by(Some(Backend::Sumcheck))));
    let private = Settings { weights: Visibility::Committed, ..Settings::default() };
    let plan = compiled(&private).plan().clone();
    assert_eq!(plan.backend(), Backend::Sumcheck, "hashing all weights in a circuit is dear: {}", plan.why);
}

/// One key for all weights of an architecture, one commitment for all proofs about some of them, and one proof of their ranges.
#[test]
fn private_weights_are_committed_to_once() {
    let settings = Settings { weights: Visibility::Committed, ..Settings::default() };
    let model = Model::from_onnx("credit", &read("credit.onnx"), &settings).expect("loads");
    let calibration = model.calibrate(&text("calibration.json"), &()).expect("calibrates");
    let wish = Wish { optimize: Optimize::Prover, backend: Some(Backend::Sumcheck) };
    let compiled = calibration.compile(wish, &()).expect("compiles");
    let srs = Srs::dev(compiled.plan().k()).expect("a setup");
    let files = compiled.to_files();
    let keys = compiled.setup(&srs, &()).expect("keys");
    let input = keys.compiled().input(&text("sample.json")).expect("an input");
    let first = keys.prove(&input, &Binding::default(), &()).expect("a proof");
    let opening = first.openings.iter().find(|o| o.role == Role::Model).expect("of the weights").clone();
    assert_eq!(opening.program, Some(keys.verifier().digest()));
    // Read again, with what was kept of the commitment.
    let again = || Compiled::from_files(&files).expect("the same model");
    let bytes = keys.to_bytes().expect("bytes");
    let kept = keys.weights_key(&opening).expect("committed").expect("a key of the weights");
    let keys = Keys::from_bytes(again(), &keys.verifier(), &bytes).expect("the same keys");
    assert!(keys.resume_weights(&opening, &kept[1..]).is_err());
    keys.resume_weights(&opening, &kept).expect("the same weights");
    let binding = Binding { openings: vec![opening.clone()], ..Binding::default() };
    let second = keys.prove(&input, &binding, &()).expect("a proof");
    let commitment = |proof: &Proof| {
        let all = proof.commitments(keys.program());
        all.into_iter().find(|c| c.role == Role::Model).expect("one").commitment
    };
    assert_eq!(commitment(&second.proof), opening.commitment);
    assert_eq!(commitment(&first.proof), opening.commitment);
    assert_ne!(first.proof.proof, second.proof.proof);
    // Everybody checks the ranges with two files more.
    let ranges = keys.prove_ranges(&opening, &()).expect("a proof").to_json();
    let verifier = keys.ranges().expect("a program").expect("weights are private");
    let verifier = Verifier::from_json(&verifier.to_json()).expect("a verifier");
    let shown = verifier.verify_json(&ranges).expect("accepted");
    assert_eq!(shown.commitments.iter().map(|c| c.commitment).collect::<Vec<_>>(), [opening.commitment]);
    assert!(keys.verifier().verify_json(&ranges).is_err(), "it is no proof of a run");
    assert!(verifier.verify(&second.proof).is_err(), "nor the other way round");
    // Another salt is another commitment, and an opening of other weights is none of these.
    let weights = zkml::opening::model(keys.compiled().graph(), keys.compiled().weights()).expect("some");
    let other = Opening::fresh_by(&keys, opening.model_hash, &weights);
    assert_ne!(other.expect("committed").commitment, opening.commitment);
    let false_one = Opening { commitment: Word::ONE, ..opening };
    let binding = Binding { openings: vec![false_one], ..Binding::default() };
    assert!(matches!(keys.prove(&input, &binding, &()), Err(Error::OtherOpening { .. })));
}

/// Both proof systems prove the same statement of the same input, commitments included, from bytes to bytes.
#[test]
fn both_proof_systems_prove_the_same_statement() {
    let compiled = compiled_by(Backend::Sumcheck);
    let k = compiled.plan().k();
    let small = Srs::dev(k - 1).expect("a setup");
    let again = Compiled::from_files(&compiled.to_files()).expect("the same model");
    assert!(matches!(again.setup(&small, &()), Err(Error::Srs(_))), "a setup that is too small");
    let keys = compiled.setup(&Srs::dev(k).expect("a setup"), &()).expect("keys");
    let again = Compiled::from_files(&keys.compiled().to_files()).expect("the same model");
    let bytes = keys.to_bytes().expect("bytes");
    let verifier = Verifier::from_json(&keys.verifier().to_json()).expect("a verifier");
    let keys = Keys::from_bytes(again, &verifier, &bytes).expect("the same keys");
    let input = keys.compiled().input(&text("sample.json")).expect("an input");
    let proven = keys.prove(&input, &Binding::default(), &()).expect("a proof");
    let compiled = compiled_by(Backend::Halo2);
    let srs = Srs::dev(compiled.plan().k()).expect("a setup");
    let other = compiled.setup(&srs, &()).expect("keys");
    let binding = Binding { openings: proven.openings.clone(), ..Binding::default() };
    let same = other.prove(&input, &binding, &()).expect("a proof").proof;
    assert_eq!(proven.proof.instances, same.instances);
    assert_ne!(proven.proof.vk_digest, same.vk_digest);
    let verified = verifier.verify_json(&proven.proof.to_json()).expect("accepted");
    assert_eq!(verified.commitments.len(), 1, "the input");
    assert!(other.verifier().verify(&proven.proof).is_err(), "a proof of the other system");
    for cut in [0, 16, bytes.len() - 1] {
        let again = Compiled::from_files(&keys.compiled().to_files()).expect("the same model");
        assert!(Keys::from_bytes(again, &verifier, &bytes[..cut]).is_err(), "cut at {cut}");
    }
    // The same model in another layout: the key's program is not that of what would be proven with.
    let model = Model::from_onnx("credit", &read("credit.onnx"), &Settings::default()).expect("loads");
    let calibration = model.calibrate(&text("calibration.json"), &()).expect("calibrates");
    let wish = Wish { optimize: Optimize::Gas, backend: Some(Backend::Sumcheck) };
    let laid_out_otherwise = calibration.compile(wish, &()).expect("compiles");
    let refused = Keys::from_bytes(laid_out_otherwise, &verifier, &bytes).expect_err("another layout");
    assert!(refused.to_string().contains("not that of the model's layout"), "{refused}");
    let mixed = Keys::from_bytes(compiled_by(Backend::Halo2), &verifier, &bytes).expect_err("another system");
    assert!(matches!(mixed, Error::Malformed { .. }), "{mixed}");
    let foreign = other.to_bytes().expect("bytes");
    let again = Compiled::from_files(&keys.compiled().to_files()).expect("the same model");
    assert!(Keys::from_bytes(again, &verifier, &foreign).is_err(), "a key of the other system");
}

/// The proving key with a change in one of its powers, under a checksum that fits.
fn with_another_power(key: &[u8], at: usize) -> Vec<u8> {
    let container =
        zkml_srs::container::Container::open("key".as_ref(), b"zkml-chain/sum/1", key).expect("a key");
    let mut body = container.body.to_vec();
    // The first power again is a point, and not this one.
    body.copy_within(..64, 64 * at);
    let mut out = Vec::new();
    zkml_srs::container::write(&mut out, b"zkml-chain/sum/1", &[], |to| to.write_all(&body)).expect("writes");
    out
}

#[test]
fn keys_are_derived_from_powers_alone_and_nothing_else_is_believed() {
    let keys = shared();
    let (key, verifier) = (keys.to_bytes().expect("bytes"), keys.verifier());
    let again = || Compiled::from_files(&keys.compiled().to_files()).expect("the same model");
    let derive = |verifier: &Verifier, key: &[u8]| Keys::derive(again(), verifier, key, &());
    let derived = derive(&verifier, &key).expect("the same keys");
    assert_eq!(derived.program(), keys.program());
    let input = derived.compiled().input(&text("sample.json")).expect("an input");
    let proven = derived.prove(&input, &Binding::default(), &()).expect("a proof");
    verifier.verify(&proven.proof).expect("accepted");

    let powers = key.len() / 64 - 1;
    for at in [1, powers / 2, powers - 1] {
        let error = derive(&verifier, &with_another_power(&key, at)).expect_err("no powers of one secret");
        assert!(matches!(error, Error::Srs(_)), "power {at}: {error}");
    }
    let error = derive(&verifier, &key[..key.len() - 1]).expect_err("cut short");
    assert!(matches!(error, Error::Srs(_)), "{error}");

    // Each of these programs fits together, and is another model's.
    let program = String::from_utf8(verifier.to_json()).expect("text");
    for (from, to) in [("\"unsafe_dev\": true", "\"unsafe_dev\": false"), ("\"credit\"", "\"credit2\"")] {
        let changed = Verifier::from_json(program.replacen(from, to, 1).as_bytes()).expect("a program");
        assert_ne!(&changed, &verifier, "{from}");
        let error = derive(&changed, &key).expect_err("another program");
        assert!(matches!(error, Error::OtherProgram { .. }), "{from}: {error}");
    }

    for (from, to) in [("\"scale\": ", "\"scale\": 1"), ("\"applicant\"", "\"candidate\""), ("24", "25")] {
        let mut files = keys.compiled().to_files();
        let interface = String::from_utf8(files.interface).expect("text");
        assert!(interface.contains(from), "{interface}");
        files.interface = interface.replacen(from, to, 1).into_bytes();
        let compiled = Compiled::from_files(&files).expect("an interface");
        let error = Keys::derive(compiled, &verifier, &key, &()).expect_err("another interface");
        assert!(matches!(error, Error::Malformed { what: "interface", .. }), "{from}: {error}");
    }
}

#[test]
fn keys_of_halo2_are_not_derived() {
    let model = Model::from_onnx("credit", &read("credit.onnx"), &Settings::default()).expect("loads");
    let calibration = model.calibrate(&text("calibration.json"), &()).expect("calibrates");
    let wish = Wish { optimize: Optimize::Prover, backend: Some(Backend::Halo2) };
    let compiled = calibration.compile(wish, &()).expect("compiles");
    let error = Keys::derive(compiled, &shared().verifier(), &[], &()).expect_err("a plan of halo2");
    assert!(matches!(error, Error::SumcheckOnly), "{error}");
}
