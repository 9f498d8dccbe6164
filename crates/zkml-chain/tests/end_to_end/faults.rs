//! Killed at any moment, out of disk space: artifacts are whole or absent, and the same command run again succeeds.
//!
//! `ZKML_FAULTS` is the number of moments in all; a few when it is not set. A failure names the seed of its moments, which
//! `ZKML_FAULTS_SEED` sets.

use crate::{
    private::hidden,
    support::{Folder, check, done, ended, repo, start, zkml, zkml_limited},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Child,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Moments in all when nobody says.
const MOMENTS: u64 = 10;

/// A command, and what it may find in the folder.
struct Victim {
    name: &'static str,
    /// Makes the folder such that the command has something to change.
    prepare: fn(&Folder),
    args: fn(&Folder) -> Vec<String>,
}

const VICTIMS: [Victim; 6] = [
    Victim {
        name: "calibrate",
        // With fewer samples than those that made the folder, all files differ.
        prepare: |folder| drop(samples(folder, 40)),
        args: |folder| {
            let model = repo("models/bench/credit_mlp/credit_mlp.onnx");
            words(&["calibrate", &model, "--data", &samples(folder, 40), "--dir", &folder.dir])
        },
    },
    Victim {
        name: "compile",
        prepare: public_inputs,
        args: |folder| words(&["compile", "--dir", &folder.dir]),
    },
    Victim {
        name: "setup",
        prepare: |folder| {
            public_inputs(folder);
            done(&["compile", "--dir", &folder.dir]);
        },
        args: |folder| words(&["setup", "--dir", &folder.dir]),
    },
    Victim {
        name: "prove",
        prepare: |_| {},
        args: |folder| words(&["prove", "--dir", &folder.dir, "--json"]),
    },
    Victim {
        name: "gen-verifier",
        prepare: |_| {},
        args: |folder| words(&["gen-verifier", "--dir", &folder.dir]),
    },
    Victim {
        name: "commit",
        prepare: |folder| drop(fs::remove_file(folder.path("sample.private.json"))),
        args: |folder| words(&["commit", "--sample", "--dir", &folder.dir, "--json"]),
    },
];

fn words(args: &[&str]) -> Vec<String> {
    args.iter().map(|arg| (*arg).to_owned()).collect()
}

/// A file with the first samples of the calibration data.
fn samples(folder: &Folder, count: usize) -> String {
    let path = folder.path("../some.json");
    let data = fs::read(repo("models/bench/credit_mlp/calibration.json")).unwrap();
    let mut data: Value = serde_json::from_slice(&data).unwrap();
    data["samples"].as_array_mut().expect("samples").truncate(count);
    fs::write(&path, data.to_string()).unwrap();
    path.display().to_string()
}

fn public_inputs(folder: &Folder) {
    folder.edit("settings.json", |s| s["inputs"] = "public".into());
}

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// The files of a folder by name, without what only says that somebody is at work.
fn files(folder: &Folder) -> Files {
    let working = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name == ".lock" || name.starts_with(".writing-")
    };
    let all = folder.snapshot().into_iter().filter(|(path, _)| !working(path));
    all.map(|(path, bytes)| (path.strip_prefix(&folder.dir).expect("in it").to_owned(), bytes)).collect()
}

/// Numbers below bounds, the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u128) -> u128 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (u128::from(self.0 >> 33) * bound) >> 31
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Waits until a command has begun to write, or has ended.
fn until_it_writes(folder: &Folder, child: &mut Child) {
    let writes = |dir: &Path| {
        let names = fs::read_dir(dir).into_iter().flatten().flatten();
        names.into_iter().any(|e| e.file_name().to_string_lossy().starts_with(".writing-"))
    };
    let places = ["", "proofs", "solidity"].map(|name| folder.path(name));
    while child.try_wait().expect("its state").is_none() && !places.iter().any(|dir| writes(dir)) {
        std::thread::sleep(Duration::from_micros(200));
    }
}

#[test]
fn killed_at_any_moment_it_leaves_whole_artifacts() {
    let moments = number("ZKML_FAULTS").unwrap_or(MOMENTS);
    let seed = number("ZKML_FAULTS_SEED").unwrap_or_else(|| {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64
    });
    let mut dice = Dice(seed);
    let mut killed = 0;
    for (i, victim) in VICTIMS.iter().enumerate() {
        let (i, all) = (i as u64, VICTIMS.len() as u64);
        let share = moments * (i + 1) / all - moments * i / all;
        if share > 0 {
            killed += torment(victim, share, &mut dice, seed);
        }
    }
    eprintln!("{moments} moments, {killed} before the end of the command; seed {seed}");
}

/// Kills a command at `count` moments; returns how often it had not ended by itself.
fn torment(victim: &Victim, count: u64, dice: &mut Dice, seed: u64) -> u64 {
    let folder = if victim.name == "prove" { hidden() } else { Folder::new() };
    (victim.prepare)(&folder);
    let args = (victim.args)(&folder);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let old = files(&folder);
    let started = Instant::now();
    assert_eq!(zkml(&args).code, 0, "{args:?}");
    let duration = started.elapsed();
    let new = files(&folder);
    let mut killed = 0;
    for moment in 0..count {
        let at = format!("{} at moment {moment}, seed {seed}", victim.name);
        restore(&folder, &old);
        let mut child = start(&args);
        if moment % 2 == 0 {
            std::thread::sleep(Duration::from_nanos(dice.below(duration.as_nanos()) as u64));
        } else {
            until_it_writes(&folder, &mut child);
            std::thread::sleep(Duration::from_micros(dice.below(20_000) as u64));
        }
        child.kill().expect("killed");
        let run = ended(child);
        killed += u64::from(run.code == -1);
        let now = files(&folder);
        whole(&folder, &old, &new, &now, &at);
        // What was printed is kept.
        if let Some(commitment) = serde_json::from_str::<Value>(&run.stdout)
            .ok()
            .and_then(|report| Some(report["commitments"][0]["commitment"].as_str()?.to_owned()))
        {
            let private = folder.path("sample.private.json").display().to_string();
            done(&["commit", "--opening", &private, "--check", &commitment]);
        }
        let again = zkml(&args);
        assert_eq!(again.code, 0, "{at}: {again:?}");
        let now = files(&folder);
        assert_eq!(now.keys().collect::<Vec<_>>(), new.keys().collect::<Vec<_>>(), "{at}");
        for (path, bytes) in now.iter().filter(|(path, _)| !random(path)) {
            assert!(*bytes == new[path], "{at}: {} is not what it should be", path.display());
        }
        usable(&folder, victim, &at);
    }
    killed
}

/// Files that differ from one run to the next.
fn random(path: &Path) -> bool {
    path.starts_with("proofs") || path.ends_with("manifest.json") || private(path)
}

fn private(path: &Path) -> bool {
    path.to_string_lossy().ends_with(".private.json")
}

/// Every file is the old one or the new one, or is absent where it was.
fn whole(folder: &Folder, old: &Files, new: &Files, now: &Files, at: &str) {
    for (path, bytes) in now {
        let known = [old, new].iter().any(|files| files.get(path) == Some(bytes));
        assert!(known || random(path), "{at}: {} is neither old nor new", path.display());
        if random(path) {
            let parsed = serde_json::from_slice::<Value>(bytes);
            assert!(parsed.is_ok(), "{at}: {} is cut short", path.display());
        }
        if private(path) {
            let file = folder.path(&path.display().to_string()).display().to_string();
            done(&["commit", "--opening", &file]);
        }
    }
    for (path, bytes) in old {
        let kept = now.get(path).unwrap_or_else(|| panic!("{at}: {} is gone", path.display()));
        if private(path) {
            let openings = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap()["openings"].clone();
            let (before, after) = (openings(bytes), openings(kept));
            let stays = |o: &Value| after.as_array().is_some_and(|all| all.contains(o));
            assert!(before.as_array().is_some_and(|all| all.iter().all(stays)), "{at}: a salt is lost");
        }
    }
}

fn usable(folder: &Folder, victim: &Victim, at: &str) {
    let next = match victim.name {
        "calibrate" => "compile",
        "compile" => "setup",
        "setup" => "prove",
        "prove" => "verify",
        "gen-verifier" => "calldata",
        _ => return,
    };
    let run = zkml(&[next, "--dir", &folder.dir, "--json"]);
    assert_eq!(run.code, 0, "{next} after {at}: {run:?}");
    let left = folder.snapshot().into_iter().filter(|(path, _)| path.to_string_lossy().contains(".writing-"));
    assert_eq!(left.count(), 0, "{at}: leftovers stay");
}

fn restore(folder: &Folder, old: &Files) {
    for path in files(folder).keys().filter(|path| !old.contains_key(*path)) {
        fs::remove_file(folder.path(&path.display().to_string())).expect("removed");
    }
    for (path, bytes) in old {
        folder.write(&path.display().to_string(), bytes);
    }
}

/// A limit on the size of files stands for a disk that is full at that point.
#[test]
fn a_full_disk_is_an_error_and_changes_nothing() {
    for victim in &VICTIMS {
        let folder = Folder::new();
        (victim.prepare)(&folder);
        let args = (victim.args)(&folder);
        let args: Vec<&str> = args.iter().map(String::as_str).chain(["--json"]).collect();
        let mut args = args;
        args.dedup();
        let before = files(&folder);
        for blocks in [0, 1, 4] {
            let run = zkml_limited(blocks, &args);
            if run.code == 0 {
                assert!(blocks > 0, "{}: {run:?}", victim.name);
                break;
            }
            check(run, 5, "io", &["half-written"]);
            assert!(files(&folder) == before, "{} with {blocks} blocks changed the folder", victim.name);
        }
        assert_eq!(zkml(&args).code, 0, "{} with room", victim.name);
    }
}
