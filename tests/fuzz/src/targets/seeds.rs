//! Good inputs to begin with, made of the repository's fixtures.

use crate::targets::{front, graph, proof::SAMPLES, setup};
use std::path::{Path, PathBuf};
use zkml_contracts::requests::{INFERENCE_REQUESTED, topic};
use zkml_onnx::{LoadOptions, Model, Samples, Settings, calibrate};
use zkml_protocol::{
    Code, Word,
    binding::Context,
    commitment::Role,
    envelope::{Envelope, Shape},
};
use zkml_srs::Srs;
use zkml_workspace::{
    artifacts::{Manifest, weights},
    context_file::ContextFile,
    private_file::{Opening, Part, PrivateFile, Salt},
    proof_file::ProofFile,
};

/// An input: its target, a name, the bytes.
pub type Seed = (&'static str, String, Vec<u8>);

/// Larger ones slow a fuzzer down.
const LARGEST: usize = 16_384;

/// Inputs for all targets.
pub fn seeds() -> Vec<Seed> {
    let made = [models(), samples(), folder(), proofs(), chain(), setups()];
    let small = |seed: &Seed| seed.2.len() <= LARGEST;
    made.into_iter().flatten().filter(small).collect()
}

fn fixtures(folder: &str, extension: &str) -> Vec<(String, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures").join(folder);
    let list = std::fs::read_dir(&root).expect("a folder of fixtures");
    let mut files: Vec<PathBuf> = list.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == extension));
    files.sort();
    let stem = |path: &Path| path.file_stem().expect("a name").to_string_lossy().into_owned();
    files.into_iter().map(|path| (stem(&path), path)).collect()
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).expect("a fixture")
}

/// ONNX files; graphs, settings and interfaces of those that compile.
fn models() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for folder in ["handmade", "hostile", "sklearn", "torch", "unsupported"] {
        for (name, path) in fixtures(&format!("onnx/{folder}"), "onnx") {
            seeds.push(("onnx", format!("{folder}_{name}"), read(&path)));
            let Ok(model) = Model::load(&path, &LoadOptions::default()) else { continue };
            let samples = Samples::random(model.inputs(), 3, 7);
            let Ok(made) = calibrate(&model, &samples, &Settings::default()) else { continue };
            seeds.push(("graph", name.clone(), made.graph.to_bytes()));
            if folder == "sklearn" {
                let text = serde_json::to_vec(&made.interface).expect("writes");
                seeds.push(("artifacts", format!("interface_{name}"), text));
            }
        }
    }
    for model in front::MODEL.iter() {
        let settings = Settings { weights: model.weights(), ..Settings::default() };
        let made = calibrate(model, &Samples::random(model.inputs(), 3, 7), &settings).expect("a good model");
        let [settings, scales] = [serde_json::to_vec(&made.settings), serde_json::to_vec(&made.scales)]
            .map(|t| t.expect("writes"));
        seeds.push(("settings", format!("{:?}", model.weights()), [settings, scales].join(&0)));
    }
    seeds
}

fn samples() -> Vec<Seed> {
    let texts = [
        r#"{"inputs": {"x": [1, 2.5, -3, 4e-1], "n": 3, "é\"": [1, 2, 3]}}"#,
        r#"{"samples": [{"x": [[[1, 2.5], [-3, 0.4]]], "n": [-4], "é\"": [[1], [2], [3]]}]}"#,
        r#"{"x": [1, 2, 3, 4]}"#,
    ];
    (0..).zip(texts).map(|(i, text)| ("sample", format!("sample_{i}"), text.into())).collect()
}

/// Files of the artifact folder.
fn folder() -> Vec<Seed> {
    let mut manifest = Manifest::new("credit");
    let entry = r#"{"sha256": "00ff", "bytes": 9, "made_by": "compile", "made_from": {"model.onnx": "11"}}"#;
    manifest.files.insert("graph.bin".into(), serde_json::from_str(entry).expect("an entry"));
    let salt: Salt =
        serde_json::from_value(serde_json::to_value(Word::ONE).expect("writes")).expect("a salt");
    let part = Part { code: Code { bits: 5, signed: true }, values: vec![-16, 15, 0] };
    let opening = Opening {
        role: Role::Input,
        name: "x".into(),
        model_hash: Word::ONE,
        commitment: Word::ONE,
        salt,
        program: None,
        parts: vec![part],
    };
    let private = serde_json::to_vec(&PrivateFile::new(vec![opening])).expect("writes");
    let context = Context {
        chain_id: 1,
        consumer: [0xab; 20],
        subject: [0xcd; 20],
        nonce: Word([0xff; 32]),
        deadline: Word::from_u64(1_900_000_000),
        action: Word::ONE,
    };
    vec![
        ("artifacts", "manifest".into(), manifest.to_bytes()),
        ("artifacts", "private".into(), private),
        ("artifacts", "plan".into(), serde_json::to_vec(&setup::KEYS.plan).expect("writes")),
        ("weights", "good".into(), weights::encode(&graph::PRIVATE, &[vec![-32768, 32767], vec![-8, 7]])),
        ("context", "context".into(), ContextFile::from(&context).to_bytes()),
        ("context", "decimal".into(), b"1234567890123456789012345678901234567890".into()),
        ("context", "hexadecimal".into(), b"0x00ff".into()),
        ("context", "address".into(), b"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed".into()),
        ("context", "chain".into(), b"mainnet".into()),
    ]
}

fn proofs() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (index, sample) in SAMPLES.iter().enumerate() {
        let name = sample.name.clone();
        if let Ok(file) = ProofFile::new(&sample.program, sample.instances.clone(), sample.proof.clone()) {
            seeds.push(("proof_file", name.clone(), file.to_json()));
        }
        let short = postcard::to_stdvec(&sample.program).expect("writes");
        seeds.push(("program", format!("{name}_proof"), [short, sample.proof.clone()].concat()));
        seeds.push(("program", name.clone(), serde_json::to_vec(&sample.program).expect("writes")));
        for kind in 0..10 {
            let edits = [0, index as u8, 1, kind, 0, 33, 0, 1, kind, 0, 2, 0, 64];
            seeds.push(("verifier", format!("{name}_{kind}"), edits.into()));
        }
        seeds.push(("verifier", format!("{name}_program"), [0, index as u8, 0, 0, 99, 1].into()));
    }
    seeds
}

/// Blobs, a log, reasons.
fn chain() -> Vec<Seed> {
    let mut seeds = Vec::new();
    let mut at = 0;
    for sample in SAMPLES.iter() {
        let Ok(shape) = Shape::of(&sample.program) else { continue };
        let envelope = Envelope::new(&shape, &sample.instances, &sample.proof).expect("its own");
        for sums in [0, 24] {
            let blob = [vec![at | sums], envelope.encode()].concat();
            seeds.push(("calldata", format!("{}_{sums}", sample.name), blob));
        }
        at += 1;
    }
    let word = |value: u64| Word::from_u64(value).0;
    let log = [topic(INFERENCE_REQUESTED).0, word(1), word(7), word(1), word(2), word(3), word(4), word(160)];
    let log = [vec![0x80 | 3], log.concat(), word(2).into(), word(9).into()].concat();
    let reason = [vec![0xc0, 0x4e, 0x48, 0x7b, 0x71], word(0x11).into()].concat();
    seeds.extend([
        ("calldata", "log".into(), log),
        ("calldata", "panic".into(), reason),
        ("calldata", "state".into(), [vec![0xc0], word(2).into()].concat()),
    ]);
    seeds
}

fn setups() -> Vec<Seed> {
    let mut seeds: Vec<Seed> =
        fixtures("ptau", "ptau").into_iter().map(|(name, path)| ("ptau", name, read(&path))).collect();
    for k in 1..=3 {
        let mut file = Vec::new();
        Srs::dev(k).expect("a setup").write(&mut file).expect("memory takes everything");
        file.truncate(file.len() - 32);
        seeds.push(("srs", format!("dev_{k}"), file));
    }
    for (name, edits) in [
        ("magic", &[0, 0, 15, 3][..]),
        ("header", &[0, 0, 40, 1][..]),
        ("setup", &[0, 1, 0, 9][..]),
        ("body", &[0, 40, 0, 255][..]),
        ("short", &[0, 40][..]),
    ] {
        seeds.push(("key", name.into(), edits.into()));
    }
    seeds
}
