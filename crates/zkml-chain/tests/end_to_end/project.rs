//! A project of one's own, from an empty folder to an accepted proof, by the commands that `init` prints.

use crate::support::{check, repo, root, zkml_in};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};
use tempfile::TempDir;

fn empty() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Runs a line as a user's shell does; npm has no network, and takes what lies there already.
fn shell(line: &str, dir: &Path, cache: &Path) -> Output {
    let bin = Path::new(env!("CARGO_BIN_EXE_zkml-chain")).parent().expect("a folder").to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(bin).chain(std::env::split_paths(&path));
    Command::new("sh")
        .args(["-c", line])
        .current_dir(dir)
        .env("PATH", std::env::join_paths(path).expect("a search path"))
        .env("ZKML_CACHE", cache)
        .env_remove("RUST_LOG")
        .envs([("npm_config_offline", "true"), ("npm_config_audit", "false"), ("npm_config_fund", "false")])
        .output()
        .expect("a shell")
}

fn good(output: &Output, line: &str) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{line}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// The repository's packages stand for what npm would download. They are copied: npm removes what a project does not name.
fn packages(project: &Path) {
    let copied = Command::new("cp").args(["-a", &repo("node_modules")]).arg(project).status();
    assert!(copied.expect("cp").success());
}

/// The three commands as they are printed.
fn printed(stdout: &str) -> Vec<String> {
    let lines = stdout.split("three commands").nth(1).unwrap_or_default().lines().skip(1);
    lines.filter_map(|line| line.split('#').next()).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn three_commands_lead_to_an_accepted_proof() {
    let (home, cache) = (empty(), empty());
    let first = "zkml-chain init credit";
    let lines = printed(&good(&shell(first, home.path(), cache.path()), first));
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(lines[0], first);
    // README and book say the same.
    for page in ["README.md", "docs/book/src/walkthrough.md"] {
        let text = fs::read_to_string(root().join(page)).expect(page);
        for line in &lines {
            assert!(text.contains(line), "{page} has no line `{line}`");
        }
    }
    let project = home.path().join("credit");
    packages(&project);
    let run = good(&shell(&lines[1], home.path(), cache.path()), &lines[1]);
    assert!(run.contains("accepted by the verifier of credit"), "{run}");
    assert!(project.join("contracts/generated/CreditConsumer.sol").is_file());
    if project.join("node_modules/.bin/forge").exists() {
        let tests = good(&shell(&lines[2], &project, cache.path()), &lines[2]);
        assert!(tests.contains("4 tests passed, 0 failed"), "{tests}");
    } else {
        eprintln!("`{}` is skipped: npm has no forge for this system", lines[2]);
    }
    nothing_private_is_for_git(&project);
    // A folder that somebody else filled is left alone.
    fs::write(project.join("contracts/generated/README.md"), "mine").expect("a file");
    let refused = zkml_in(&project, &["run", "--json"]);
    check(refused, 2, "not-generated", &["contracts/generated", "--contracts"]);
}

fn nothing_private_is_for_git(project: &Path) {
    let git = |args: &[&str]| {
        let output = Command::new("git").arg("-C").arg(project).args(args).output().expect("git");
        good(&output, &args.join(" "))
    };
    fs::write(project.join(".env"), "SEPOLIA_RPC_URL=").expect("a file");
    git(&["init", "-q"]);
    let files = git(&["ls-files", "--others", "--exclude-standard"]);
    assert!(
        files.contains("contracts/generated/proof.json") && files.contains("model/credit.onnx"),
        "{files}"
    );
    for private in ["private.json", "proving.key", ".env", "node_modules", "artifacts/"] {
        assert!(!files.contains(private), "{private} is not kept out of git: {files}");
    }
    assert!(project.join("model/input.private.json").is_file(), "the salt is where it is looked for");
}

#[test]
fn a_folder_with_files_is_refused() {
    let home = empty();
    fs::create_dir(home.path().join("full")).expect("a folder");
    fs::write(home.path().join("full/file"), b"mine").expect("a file");
    let refused = zkml_in(home.path(), &["init", "full", "--json"]);
    check(refused, 2, "not-empty", &["full", "nothing was written"]);
    assert_eq!(fs::read_dir(home.path().join("full")).expect("the folder").count(), 1);
    check(zkml_in(home.path(), &["init", "..", "--json"]), 2, "project-name", &[]);
}

fn project_with(config: &str) -> (TempDir, PathBuf) {
    let home = empty();
    let below = home.path().join("a/b");
    fs::create_dir_all(&below).expect("folders");
    fs::write(home.path().join("zkml.toml"), config).expect("a file");
    (home, below)
}

#[test]
fn the_file_is_found_above_and_flags_win() {
    let model = "models/bench/credit_mlp/credit_mlp.onnx";
    let config = format!(
        "model = {:?}\ndata = {:?}\ndir = \"made\"\n\ninputs = \"public\"\n",
        repo(model),
        repo("models/bench/credit_mlp/calibration.json")
    );
    let (home, below) = project_with(&config);
    let made = zkml_in(&below, &["calibrate", "--json"]);
    assert_eq!(made.code, 0, "{made:?}");
    let settings = fs::read_to_string(home.path().join("made/settings.json")).expect("settings");
    assert!(settings.contains("public"), "{settings}");
    let shown = zkml_in(&below, &["config", "show", "compile", "--inputs", "committed", "--json"]).json();
    let of = |key: &str| {
        shown["settings"]
            .as_array()
            .expect("a list")
            .iter()
            .find(|s| s["key"] == key)
            .expect("the key")
            .clone()
    };
    assert_eq!(of("inputs")["from"], "flag");
    assert_eq!(of("dir")["from"], "file");
    assert_eq!(of("dir")["value"], "../../made");
    assert_eq!((&of("dir")["path"], &of("dir")["line"]), (&"../../zkml.toml".into(), &3.into()));
    assert_eq!(of("optimize")["from"], "default");
    // A flag wins where it counts, too.
    let compiled = zkml_in(&below, &["compile", "--inputs", "committed", "--json"]);
    assert_eq!(compiled.code, 0, "{compiled:?}");
    let settings = fs::read_to_string(home.path().join("made/settings.json")).expect("settings");
    assert!(!settings.contains("\"*\": \"public\""), "{settings}");
}

#[test]
fn what_is_wrong_in_the_file_is_said_with_its_line() {
    for (config, name, words) in [
        ("model = \"m\"\noptimise = \"gas\"\n", "config-key", ["zkml.toml:2", "optimize"]),
        (
            "chain = \"sepolia\"\nrpc = \"https://h/s3cr3t\"\n",
            "config-secret",
            ["zkml.toml:2", "SEPOLIA_RPC_URL"],
        ),
        ("\n\nkey = \"s3cr3t\"\n", "config-secret", ["zkml.toml:3", "--keystore"]),
        ("optimize = \"both\"\n", "config-value", ["zkml.toml:1", "prover, gas"]),
    ] {
        let (home, _) = project_with(config);
        let error = check(zkml_in(home.path(), &["compile", "--json"]), 2, name, &words);
        assert!(!error.to_string().contains("s3cr3t"), "{error}");
        // What does not use the file works.
        assert_eq!(zkml_in(home.path(), &["compile", "--help"]).code, 0);
        assert_eq!(zkml_in(home.path(), &["ops"]).code, 0);
    }
}

/// A page for each command, which a reader of manual pages takes without a complaint, if there is one.
#[test]
fn manual_pages_render() {
    let home = empty();
    let made = zkml_in(home.path(), &["man", "man1", "--json"]);
    assert_eq!(made.code, 0, "{made:?}");
    let files: Vec<String> = serde_json::from_value(made.json()["files"].clone()).expect("files");
    for name in [
        "zkml-chain",
        "zkml-chain-init",
        "zkml-chain-config-show",
        "zkml-chain-srs-import",
        "zkml-chain-prove",
    ] {
        assert!(files.iter().any(|file| file.ends_with(&format!("/{name}.1"))), "{name}: {files:?}");
    }
    let reader = ["mandoc", "groff"].into_iter().find(|name| {
        Command::new(name).arg("-V").output().is_ok() || Command::new(name).arg("--version").output().is_ok()
    });
    for file in &files {
        let path = home.path().join(file);
        let page = fs::read_to_string(&path).expect("a page");
        assert!(page.contains(".TH zkml-chain") && page.contains(".SH NAME"), "{file}: {page}");
        let arguments: &[&str] = match reader {
            Some("mandoc") => &["-T", "utf8"],
            Some(_) => &["-man", "-T", "utf8"],
            None => continue,
        };
        let reader = reader.unwrap_or_default();
        let shown = Command::new(reader).args(arguments).arg(&path).output().expect("a reader");
        let text = plain(&String::from_utf8_lossy(&shown.stdout));
        assert!(shown.status.success() && text.contains("SYNOPSIS"), "{file}: {text}");
    }
    if reader.is_none() {
        eprintln!("manual pages are not rendered: there is no mandoc and no groff here");
    }
}

/// Text without what was struck over, which is how bold letters are printed.
fn plain(text: &str) -> String {
    text.chars().fold(String::new(), |mut plain, c| {
        if c == '\u{8}' {
            plain.pop();
        } else {
            plain.push(c);
        }
        plain
    })
}

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = zkml_in(&root(), &["completions", shell]).stdout;
        for command in ["init", "run", "config", "man", "gen-verifier"] {
            assert!(script.contains(command), "{shell}: no {command}");
        }
    }
}

/// The README's picture is what its script draws from the run that is committed beside it.
#[test]
fn the_picture_is_fresh() {
    let output =
        Command::new("node").args([&repo("tests/js/picture.mjs"), "--check"]).output().expect("node");
    good(&output, "node tests/js/picture.mjs --check");
}
