//! Visibility at compile time, and several models behind one verifier.

use crate::support::{done, fails, k_of, repo, zkml};
use std::{fs, ops::Range, path::Path};
use tempfile::TempDir;

pub(crate) const MODEL: &str = "models/credit/credit.onnx";
const DATA: &str = "models/credit/calibration.json";

/// Where the file of a model holds raw floats: `initializer` of `graph` of the model, with one field number and
/// length each, as protocol buffers have it.
fn raw_weights(file: &[u8]) -> Vec<Range<usize>> {
    fn fields(file: &[u8], Range { start: mut at, end }: Range<usize>) -> Vec<(u64, Range<usize>)> {
        let mut out = Vec::new();
        let number = |at: &mut usize| {
            let (mut value, mut shift) = (0u64, 0);
            loop {
                let byte = file[*at];
                *at += 1;
                value |= u64::from(byte & 0x7f) << shift;
                shift += 7;
                if byte < 0x80 {
                    return value;
                }
            }
        };
        while at < end {
            let key = number(&mut at);
            let len = match key & 7 {
                0 => {
                    number(&mut at);
                    continue;
                }
                1 => 8,
                5 => 4,
                _ => number(&mut at) as usize,
            };
            out.push((key >> 3, at..at + len));
            at += len;
        }
        out
    }
    let inner = |parts: Vec<(u64, Range<usize>)>, wanted: u64| {
        parts.into_iter().filter(move |(field, _)| *field == wanted).map(|(_, range)| range)
    };
    let graphs = inner(fields(file, 0..file.len()), 7);
    let tensors = graphs.flat_map(|g| inner(fields(file, g), 5));
    tensors.flat_map(|t| inner(fields(file, t), 9)).collect()
}

/// The same model with every weight changed.
fn retrained(source: &Path, target: &Path, change: fn(f32) -> f32) {
    let mut file = fs::read(source).unwrap();
    let weights = raw_weights(&file);
    assert_eq!(weights.len(), 6, "three layers of weights and biases");
    for range in weights {
        for word in file[range].chunks_exact_mut(4) {
            let value = f32::from_le_bytes(word.try_into().unwrap());
            word.copy_from_slice(&change(value).to_le_bytes());
        }
    }
    fs::write(target, file).unwrap();
}

pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// The credit model with private weights, compiled in the folder `a`.
    pub(crate) fn private() -> Self {
        let home = Self::new();
        done(&[
            "calibrate",
            &repo(MODEL),
            "--data",
            &repo(DATA),
            "--dir",
            &home.path("a"),
            "--weights",
            "committed",
        ]);
        done(&["compile", "--dir", &home.path("a")]);
        home
    }

    /// Makes the keys of the folder `a`.
    pub(crate) fn set_up(&self) {
        let plan = serde_json::from_slice(&self.read("a/plan.json")).unwrap();
        done(&["srs", "dev", "--k", &k_of(&plan).unwrap().to_string()]);
        done(&["setup", "--dir", &self.path("a")]);
    }

    /// Another model of its architecture.
    pub(crate) fn other(&self, change: fn(f32) -> f32) -> String {
        let path = self.path("other.onnx");
        retrained(Path::new(&repo(MODEL)), Path::new(&path), change);
        path
    }
}

#[test]
fn other_weights_share_the_graph() {
    let home = Home::private();
    let other = home.other(|w| 0.5 * w);
    let args = ["compile", "--like", &home.path("a"), "--model", &other, "--dir", &home.path("b")];
    let report = done(&args);
    for name in ["graph.bin", "plan.json", "interface.json", "scales.json", "settings.json"] {
        assert_eq!(home.read(&format!("a/{name}")), home.read(&format!("b/{name}")), "{name}");
    }
    assert_ne!(home.read("a/weights.bin"), home.read("b/weights.bin"));
    assert_eq!(report["keep_private"], serde_json::json!(["model.onnx", "weights.bin"]));
    // The folder is complete: it compiles again, without data, to the same bytes.
    let before = home.read("b/graph.bin");
    done(&["compile", "--dir", &home.path("b")]);
    assert_eq!(home.read("b/graph.bin"), before);
    let (a, b) = (done(&["inspect", "--dir", &home.path("a")]), done(&["inspect", "--dir", &home.path("b")]));
    assert_eq!((&a["model_hash"], &a["disclosure"]), (&b["model_hash"], &b["disclosure"]));
}

#[cfg(unix)]
#[test]
fn what_gives_weights_away_is_for_their_owner() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::private();
    let mode = |name: &str| fs::metadata(home.path(name)).unwrap().permissions().mode() & 0o777;
    for name in ["a/weights.bin", "a/model.onnx", "a/calibration.json"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    // Public again: the file with the weights is gone.
    done(&["compile", "--dir", &home.path("a"), "--weights", "public"]);
    assert!(!Path::new(&home.path("a/weights.bin")).exists());
    // And private, decided at compile time.
    done(&["compile", "--dir", &home.path("a"), "--weights", "committed"]);
    assert_eq!((mode("a/weights.bin"), mode("a/model.onnx")), (0o600, 0o600));
}

#[test]
fn models_that_cannot_share_a_verifier_are_refused() {
    let home = Home::private();
    let (a, b) = (home.path("a"), home.path("b"));
    let like = |model: &str, code: i32, name: &str, words: &[&str]| {
        fails(&["compile", "--like", &a, "--model", model, "--dir", &b], code, name, words);
        assert!(!Path::new(&b).exists());
    };
    like(&repo("models/digits/mlp/mlp.onnx"), 3, "other-architecture", &["input", "of shape", "applicant"]);
    like(&home.other(|w| 1000.0 * w), 3, "model", &["weight tensor", "outside"]);
    let same = ["compile", "--like", &a, "--model", &home.other(|w| w), "--dir", &a];
    fails(&same, 3, "content", &["new folder"]);
    done(&["compile", "--dir", &a, "--weights", "public"]);
    like(&home.other(|w| w), 3, "public-weights", &["--weights committed"]);
}

#[test]
fn visibility_is_set_at_compile_time_and_shown() {
    let home = Home::private();
    let a = home.path("a");
    let before = home.read("a/scales.json");
    let report = done(&["compile", "--dir", &a, "--inputs", "applicant=public", "--outputs", "committed"]);
    let seen = |r: &serde_json::Value| {
        let parts = r["disclosure"]["parts"].as_array().unwrap().clone();
        parts.iter().map(|p| p["visibility"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(seen(&report), ["public", "committed", "committed"]);
    assert_eq!(seen(&done(&["inspect", "--dir", &a])), seen(&report));
    // It stays so without flags, and is no reason for other scales.
    assert_eq!(seen(&done(&["compile", "--dir", &a])), seen(&report));
    assert_eq!(home.read("a/scales.json"), before);
    let hash = |r: &serde_json::Value| r["model_hash"].as_str().unwrap().to_owned();
    assert_ne!(hash(&report), hash(&done(&["compile", "--dir", &a, "--outputs", "public"])));
    fails(&["compile", "--dir", &a, "--inputs", "x=public"], 3, "model", &["`x`", "applicant"]);
    assert_eq!(zkml(&["compile", "--dir", &a, "--inputs", "hidden"]).code, 2);
}

#[test]
fn costs_of_commitments_are_known_before_compiling() {
    let expected = done(&["inspect", &repo(MODEL), "--weights", "committed"])["disclosure"].clone();
    let home = Home::private();
    let a = home.path("a");
    let exact_by = |backend: &str| {
        done(&["compile", "--dir", &a, "--backend", backend]);
        done(&["inspect", "--dir", &a])["disclosure"].clone()
    };
    let part = |d: &serde_json::Value, i: usize, key: &str| d["parts"][i][key].as_u64().unwrap();
    assert_eq!(part(&exact_by("sumcheck"), 1, "hash_calls"), 0, "nothing hashes them");
    let exact = exact_by("halo2");
    for i in 0..3 {
        assert_eq!(part(&expected, i, "values"), part(&exact, i, "values"));
        let (a, b) = (part(&expected, i, "hash_calls"), part(&exact, i, "hash_calls"));
        assert!(a.abs_diff(b) * 5 <= b, "{a} calls were expected, there are {b}");
    }
    assert!(part(&exact, 1, "hash_rows") <= 10 * part(&exact, 1, "values"));
    assert_eq!(expected["stays_public"], exact["stays_public"]);
}

#[test]
fn foreign_weights_are_refused() {
    let home = Home::private();
    done(&[
        "compile",
        "--like",
        &home.path("a"),
        "--model",
        &home.other(|w| 0.5 * w),
        "--dir",
        &home.path("b"),
    ]);
    fs::copy(home.path("b/weights.bin"), home.path("a/weights.bin")).unwrap();
    fails(&["setup", "--dir", &home.path("a")], 4, "edited-file", &["weights.bin", "compile"]);
}
