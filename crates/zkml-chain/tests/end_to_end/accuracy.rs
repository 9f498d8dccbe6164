//! A model that errs more than is tolerated: calibration says so where people and scripts look, and no key comes of it.

use crate::support::{Run, check, done, fails, repo, root, zkml};
use std::{fs, path::PathBuf};
use tempfile::TempDir;

/// No integers are as exact as that.
const IMPOSSIBLE: &str = "1e-9";

/// A small model with data, and a folder for its artifacts.
struct Small {
    _temp: TempDir,
    model: String,
    data: String,
    /// Outputs of another runtime for the data.
    outputs: serde_json::Value,
    dir: PathBuf,
}

impl Small {
    fn new() -> Self {
        let name = "handmade/gemm_without_bias";
        let temp = tempfile::tempdir().expect("a temporary folder");
        let text = fs::read(root().join("tests/fixtures/onnx/cases.json")).expect("cases.json");
        let cases: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        let case =
            cases["supported"].as_array().expect("a list").iter().find(|c| c["name"] == name).expect(name);
        let data = temp.path().join("data.json");
        fs::write(&data, serde_json::json!({ "samples": case["samples"] }).to_string()).expect("written");
        let (model, dir) = (repo(&format!("tests/fixtures/onnx/{name}.onnx")), temp.path().join("artifacts"));
        let outputs = case["outputs"].clone();
        Self { _temp: temp, model, data: data.display().to_string(), outputs, dir }
    }

    fn dir(&self) -> String {
        self.dir.display().to_string()
    }

    fn calibrate(&self, more: &[&str]) -> Run {
        let dir = self.dir();
        zkml(&[&["calibrate", &self.model, "--data", &self.data, "--dir", &dir], more].concat())
    }

    fn compile(&self, more: &[&str]) -> Run {
        zkml(&[&["compile", "--dir", &self.dir()], more].concat())
    }

    fn has(&self, file: &str) -> bool {
        self.dir.join(file).exists()
    }
}

/// Runs that must end like this, with all of `words` on stderr.
fn ends(run: &Run, code: i32, words: &[&str]) {
    assert_eq!(run.code, code, "{run:?}");
    for word in words {
        assert!(run.stderr.contains(word), "`{word}` is not in {}", run.stderr);
    }
}

#[test]
fn calibrate_is_loud_and_keeps_the_report() {
    let small = Small::new();
    let page = small.dir.with_extension("html").display().to_string();
    let run = small.calibrate(&["--tolerance", IMPOSSIBLE, "--html", &page]);
    ends(
        &run,
        6,
        &["output `y`", "times", "tolerated", "--allow-inaccurate", "--tolerance", "calibration.json"],
    );
    assert!(run.stdout.contains("largest error"), "the report is shown: {}", run.stdout);
    assert!(small.has("calibration.json") && small.has("settings.json"));
    assert!(fs::read_to_string(page).expect("the page").contains("times as much as is tolerated"));

    let run = small.calibrate(&["--tolerance", IMPOSSIBLE, "--json"]);
    let report = run.json()["report"].clone();
    check(run, 6, "inaccurate", &["`y`", "times", "--allow-inaccurate"]);
    let (error, allowed) = (&report["alarm"]["error"], &report["alarm"]["allowed"]);
    assert!(error.as_f64() > allowed.as_f64() && allowed.as_f64() > Some(0.0), "{report}");

    let run = small.calibrate(&["--tolerance", IMPOSSIBLE, "--allow-inaccurate", "--quiet"]);
    ends(&run, 0, &["warning", "`y`", "times", "--allow-inaccurate accepts"]);
    ends(&small.calibrate(&[]), 0, &[]);
}

#[test]
fn another_reference_is_judged_as_well() {
    let small = Small::new();
    let mut text: serde_json::Value =
        serde_json::from_slice(&fs::read(&small.data).expect("data")).expect("JSON");
    text["outputs"] = small.outputs.clone();
    let reference = small.dir.with_extension("reference").display().to_string();
    fs::write(&reference, text.to_string()).expect("written");
    let run = small.calibrate(&["--evaluate", &reference, "--json"]);
    assert_eq!((run.code, &run.json()["evaluation"]["alarm"]), (0, &serde_json::Value::Null), "{run:?}");
    let (evaluation, output) = (&run.json()["evaluation"], &run.json()["evaluation"]["outputs"][0]);
    assert_eq!(output["name"], "y");
    assert_eq!(output["max_abs_err"], evaluation["max_abs_err"]);
    // What a toolkit of somebody else says, far from what this one proves.
    text["outputs"][0]["y"][0] = 1e3.into();
    fs::write(&reference, text.to_string()).expect("written");
    ends(&small.calibrate(&["--evaluate", &reference]), 6, &["output `y`", "times", "--allow-inaccurate"]);
    let run = small.calibrate(&["--evaluate", &reference, "--allow-inaccurate"]);
    ends(&run, 0, &["warning", "`y`", "times"]);
}

#[test]
fn compile_repeats_the_alarm_and_makes_nothing() {
    let small = Small::new();
    small.calibrate(&["--tolerance", IMPOSSIBLE]);
    ends(&small.compile(&[]), 6, &["output `y`", "times", "--allow-inaccurate"]);
    check(small.compile(&["--json"]), 6, "inaccurate", &["`y`", "times"]);
    assert!(!small.has("graph.bin") && !small.has("plan.json"));
    fails(&["setup", "--dir", &small.dir()], 4, "missing-file", &["zkml-chain compile"]);
    ends(&small.compile(&["--allow-inaccurate", "--quiet"]), 0, &["warning", "`y`", "times"]);
    assert!(small.has("graph.bin"));
    // Calibrated well again, nothing is left of it.
    ends(&small.calibrate(&[]), 0, &[]);
    let run = small.compile(&[]);
    ends(&run, 0, &[]);
    assert!(!run.stderr.contains("tolerated"), "{run:?}");
}

#[test]
fn settings_edited_between_both_are_judged_too() {
    let small = Small::new();
    small.calibrate(&[]);
    let path = small.dir.join("settings.json");
    let mut settings: serde_json::Value =
        serde_json::from_slice(&fs::read(&path).expect("settings")).expect("JSON");
    settings["tolerance"] = 1e-9.into();
    fs::write(&path, settings.to_string()).expect("written");
    ends(&small.compile(&[]), 6, &["output `y`", "times"]);
    ends(&small.compile(&["--allow-inaccurate"]), 0, &["warning"]);
    ends(&small.compile(&[]), 6, &["output `y`", "times"]);
    // So are those that compile changes itself, which leaves the report as good as it was.
    ends(&small.calibrate(&[]), 0, &[]);
    for _ in 0..2 {
        ends(&small.compile(&["--outputs", "committed"]), 0, &[]);
    }
    ends(&small.calibrate(&["--tolerance", IMPOSSIBLE]), 6, &[]);
    ends(&small.compile(&["--outputs", "committed", "--allow-inaccurate"]), 0, &["warning"]);
    ends(&small.compile(&[]), 6, &["output `y`", "times"]);
}

#[test]
fn an_architecture_that_errs_is_not_shared_silently() {
    let small = Small::new();
    small.calibrate(&["--tolerance", IMPOSSIBLE, "--weights", "committed"]);
    done(&["compile", "--dir", &small.dir(), "--allow-inaccurate"]);
    let other = small.dir.with_extension("other").display().to_string();
    let like = ["compile", "--like", &small.dir(), "--model", &small.model, "--dir", &other];
    fails(&like, 6, "inaccurate", &["`y`", "times"]);
    assert!(!PathBuf::from(&other).exists());
    done(&[&like[..], &["--allow-inaccurate"]].concat());
}

#[test]
fn an_outlier_is_told_where_people_look() {
    let small = Small::new();
    let mut text: serde_json::Value =
        serde_json::from_slice(&fs::read(&small.data).expect("data")).expect("JSON");
    let samples = text["samples"].as_array_mut().expect("a list");
    let numbers: Vec<f64> = serde_json::from_value(samples[0]["x"].clone()).expect("numbers");
    samples.resize(20, samples[0].clone());
    samples[13]["x"] = numbers.iter().map(|x| x * 1e4).collect::<Vec<_>>().into();
    fs::write(&small.data, text.to_string()).expect("written");
    let run = small.calibrate(&["--allow-inaccurate"]);
    assert!(["sample 13", "`x`", "leave the sample out"].iter().all(|w| run.stdout.contains(w)), "{run:?}");
    let run = small.calibrate(&["--allow-inaccurate", "--json"]);
    assert_eq!(run.json()["calibration"]["outliers"][0]["sample"], 13, "{run:?}");
}

#[test]
fn models_of_one_name_do_not_share_a_folder_silently() {
    let small = Small::new();
    ends(&small.calibrate(&[]), 0, &[]);
    let again = small.calibrate(&[]);
    assert!(!again.stderr.contains("another model"), "{again:?}");
    // The same network with something that nobody reads at its end.
    let mut other = fs::read(&small.model).expect("the model");
    other.extend([0x12, 1, b'z']);
    let folder = small.dir.with_extension("other");
    fs::create_dir(&folder).expect("a folder");
    let path = folder.join("gemm_without_bias.onnx").display().to_string();
    fs::write(&path, other).expect("written");
    let dir = small.dir();
    let run = zkml(&["calibrate", &path, "--data", &small.data, "--dir", &dir]);
    ends(&run, 0, &["warning", &dir, "another model of this name", "--dir"]);
}
