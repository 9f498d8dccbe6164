//! Runs the real binary on copies of one prepared artifact folder.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::OnceLock,
};
use tempfile::TempDir;

/// What a run of the binary left.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

/// A file of the repository as an argument.
pub(crate) fn repo(path: &str) -> String {
    root().join(path).display().to_string()
}

/// The binary with the environment of tests.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zkml-chain"));
    command.env("ZKML_CACHE", home().join("cache")).env("ZKML_SOLC", root()).env_remove("RUST_LOG");
    // The same contracts are compiled again and again.
    command.env("ZKML_NODE", root().join("tests/js/node-once.mjs"));
    command
}

/// Runs `zkml-chain` with `args`.
pub(crate) fn zkml(args: &[&str]) -> Run {
    finish(command().args(args))
}

/// Runs `zkml-chain` with another cache of trusted setups than the shared one.
pub(crate) fn zkml_cached(cache: &Path, args: &[&str]) -> Run {
    finish(command().env("ZKML_CACHE", cache).args(args))
}

/// Runs `zkml-chain` in a folder.
pub(crate) fn zkml_in(dir: &Path, args: &[&str]) -> Run {
    finish(command().current_dir(dir).args(args))
}

/// Runs `zkml-chain` with more variables in its environment.
pub(crate) fn zkml_env(variables: &[(&str, &str)], args: &[&str]) -> Run {
    finish(command().envs(variables.iter().copied()).args(args))
}

/// Runs `zkml-chain` with files limited to `blocks` blocks of the shell's size.
pub(crate) fn zkml_limited(blocks: u32, args: &[&str]) -> Run {
    let script = format!("ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut inner = command();
    // What Node remembers is a file, too.
    inner.env_remove("ZKML_NODE");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).arg(inner.get_program()).args(args);
    for (key, value) in inner.get_envs() {
        match value {
            Some(value) => shell.env(key, value),
            None => shell.env_remove(key),
        };
    }
    finish(&mut shell)
}

/// Starts `zkml-chain` and does not wait for it.
pub(crate) fn start(args: &[&str]) -> Child {
    command().args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts")
}

/// Runs several commands beside each other.
pub(crate) fn at_once(commands: &[&[&str]]) -> Vec<Run> {
    let running: Vec<Child> = commands.iter().map(|args| start(args)).collect();
    running.into_iter().map(ended).collect()
}

/// Waits for a command that was started.
pub(crate) fn ended(child: Child) -> Run {
    run(child.wait_with_output().expect("the binary ends"))
}

fn finish(command: &mut Command) -> Run {
    run(command.output().expect("the binary starts"))
}

fn run(output: Output) -> Run {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Run { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Runs a command that must succeed; returns its JSON.
pub(crate) fn done(args: &[&str]) -> serde_json::Value {
    let run = zkml(&[args, &["--json"]].concat());
    assert_eq!(run.code, 0, "{args:?}: {run:?}");
    run.json()
}

/// Runs a command that must fail with this exit code and error name, and whose message holds all of `words`.
pub(crate) fn fails(args: &[&str], code: i32, name: &str, words: &[&str]) -> serde_json::Value {
    check(zkml(&[args, &["--json"]].concat()), code, name, words)
}

/// As [`fails`], for a run that was made already.
pub(crate) fn check(run: Run, code: i32, name: &str, words: &[&str]) -> serde_json::Value {
    assert_eq!(run.code, code, "{run:?}");
    let error = run.json()["error"].clone();
    assert_eq!(error["name"], name, "{error}");
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "`{word}` is not in {text}");
    }
    error
}

/// The folder that all tests of one binary share; removed by the system's own cleaning.
fn home() -> &'static Path {
    static HOME: OnceLock<TempDir> = OnceLock::new();
    HOME.get_or_init(|| tempfile::tempdir().expect("a temporary folder")).path()
}

/// The artifacts of the benchmark's credit model, from calibration to a proof; made once.
fn prepared() -> &'static Path {
    static PREPARED: OnceLock<PathBuf> = OnceLock::new();
    PREPARED.get_or_init(|| {
        let dir = home().join("credit_mlp");
        make(&dir, "models/bench/credit_mlp/credit_mlp.onnx", "models/bench/credit_mlp/calibration.json");
        dir
    })
}

fn make(dir: &Path, model: &str, data: &str) {
    let dir = dir.display().to_string();
    done(&["calibrate", &repo(model), "--data", &repo(data), "--dir", &dir]);
    let plan = done(&["compile", "--dir", &dir]);
    let k = plan["k"].as_u64().expect("k").to_string();
    done(&["srs", "dev", "--k", &k]);
    done(&["setup", "--dir", &dir]);
    done(&["prove", "--dir", &dir]);
}

/// The artifacts of another model, likewise.
pub(crate) fn other() -> &'static str {
    static OTHER: OnceLock<String> = OnceLock::new();
    OTHER.get_or_init(|| {
        let dir = home().join("credit");
        make(&dir, "models/credit/credit.onnx", "models/credit/calibration.json");
        dir.display().to_string()
    })
}

/// Binary logarithm of the powers that a plan needs of a setup.
pub(crate) fn k_of(plan: &serde_json::Value) -> Option<u64> {
    plan["layout"].as_object()?.values().next()?["k"].as_u64()
}

/// The development setup that a folder's key was made with.
pub(crate) fn srs(folder: &Folder) -> PathBuf {
    let plan: serde_json::Value = serde_json::from_slice(&folder.read("plan.json")).expect("JSON");
    home().join(format!("cache/srs/dev-{:02}.srs", k_of(&plan).expect("k")))
}

/// A copy of the prepared folder to break.
#[derive(Debug)]
pub(crate) struct Folder {
    _temp: TempDir,
    pub(crate) dir: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let dir = temp.path().join("credit_mlp");
        copy(prepared(), &dir);
        Self { dir: dir.display().to_string(), _temp: temp }
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        Path::new(&self.dir).join(file)
    }

    pub(crate) fn read(&self, file: &str) -> Vec<u8> {
        fs::read(self.path(file)).expect(file)
    }

    pub(crate) fn write(&self, file: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(file), bytes).expect(file);
    }

    /// Changes a JSON file.
    pub(crate) fn edit(&self, file: &str, change: impl FnOnce(&mut serde_json::Value)) {
        let mut value = serde_json::from_slice(&self.read(file)).expect("JSON");
        change(&mut value);
        self.write(file, serde_json::to_vec_pretty(&value).expect("JSON"));
    }

    /// Every file with its content: equal before and after a command that changed nothing.
    pub(crate) fn snapshot(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        walk(Path::new(&self.dir), &mut files);
        files.sort();
        files
    }
}

fn walk(dir: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(dir).expect("a folder").map(|e| e.expect("an entry").path()) {
        if entry.is_dir() {
            walk(&entry, files)
        } else {
            files.push((entry.clone(), fs::read(&entry).expect("a file")))
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").map(|e| e.expect("an entry").path()) {
        let target = to.join(entry.file_name().expect("a name"));
        if entry.is_dir() {
            copy(&entry, &target);
        } else {
            fs::copy(&entry, target).expect("a copy");
        }
    }
}
