//! Nothing that is secret gets out: neither by what libraries log, nor by an endpoint that repeats what it was sent.

use crate::{
    anvil,
    echo::{Echo, Mode},
    node::{Operator, wait},
    support::{Folder, done},
};
use alloy::signers::local::PrivateKeySigner;
use std::{
    fs::{self, File},
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};
use zkml_deploy::U256;

const USER: &str = "us3r-N4me";
const PASSWORD: &str = "pa$$ w\"0\\rd/é";
/// The same in a URL.
const PASSWORD_IN_URL: &str = "pa$$%20w%220%5Crd%2F%C3%A9";
const PATH: &str = "p4th-K3y_0123";
const QUERY: &str = "qu3ry K3y+/77";
const QUERY_IN_URL: &str = "qu3ry%20K3y%2B%2F77";
const EXPLORERS: &str = "Expl0rer/K3y=99";
const KEY: &str = "5C0FFEE5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804c";
const KEYSTORES: &str = "a L0ng passphrase";

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn to_base64(text: &str) -> String {
    let bits: String = text.bytes().map(|byte| format!("{byte:08b}")).collect();
    let sixes = bits.as_bytes().chunks(6).map(|six| std::str::from_utf8(six).unwrap());
    sixes.map(|six| ALPHABET[usize::from_str_radix(&format!("{six:0<6}"), 2).unwrap()] as char).collect()
}

pub(crate) fn from_base64(text: &str) -> Option<String> {
    let places =
        text.trim_end_matches('=').bytes().map(|byte| ALPHABET.iter().position(|other| *other == byte));
    let bits: String =
        places.map(|place| place.map(|place| format!("{place:06b}"))).collect::<Option<_>>()?;
    let bytes = bits.as_bytes().chunks_exact(8).map(|byte| std::str::from_utf8(byte).unwrap());
    String::from_utf8(bytes.map(|byte| u8::from_str_radix(byte, 2).unwrap()).collect()).ok()
}

/// All that must not be found, in small letters.
fn secrets() -> Vec<String> {
    let percent = |text: &str| -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
    };
    let plain = [USER, PASSWORD, PASSWORD_IN_URL, PATH, QUERY, QUERY_IN_URL, EXPLORERS, KEY, KEYSTORES];
    let mut all: Vec<String> = plain.iter().map(|text| (*text).to_owned()).collect();
    for text in [PASSWORD, PATH, QUERY, EXPLORERS, KEYSTORES] {
        let quoted = format!("{text:?}");
        let twice = format!("{quoted:?}");
        let three = format!("{twice:?}");
        all.extend([percent(text), percent(text).replace("%20", "+"), hex::encode(text), to_base64(text)]);
        all.extend(
            [quoted.trim_matches('"'), &twice[3..twice.len() - 3], &three[7..three.len() - 7]]
                .map(str::to_owned),
        );
    }
    all.push(to_base64(&format!("{USER}:{PASSWORD}")));
    all.push(format!("{:?}", hex::decode(KEY).unwrap()));
    all.iter().map(|text| text.to_lowercase()).collect()
}

/// An operator whose every secret is one, and all that was printed.
struct Place {
    echo: Echo,
    operator: Operator,
    folder: Folder,
    temp: tempfile::TempDir,
    texts: Vec<(String, Vec<u8>)>,
}

impl Place {
    fn new() -> Self {
        let (folder, temp) = (Folder::new(), tempfile::tempdir().unwrap());
        done(&["gen-verifier", "--dir", &folder.dir]);
        let operator = Operator::with(&folder.dir, &[]);
        let key: alloy::primitives::B256 = KEY.parse().unwrap();
        let signer = PrivateKeySigner::from_bytes(&key).unwrap();
        wait(anvil::set_balance(&operator.rpc(), signer.address(), U256::from(10).pow(U256::from(20))));
        let mut random = rand_core::OsRng;
        PrivateKeySigner::encrypt_keystore(temp.path(), &mut random, key, KEYSTORES, Some("key")).unwrap();
        Self { echo: Echo::start(&operator.node.url()), operator, folder, temp, texts: Vec::new() }
    }

    fn path(&self, name: &str) -> String {
        self.temp.path().join(name).display().to_string()
    }

    fn command(&self, command: &str, more: &[&str]) -> Command {
        let deployments = self.operator.deployments().display().to_string();
        let url =
            format!("http://{USER}:{PASSWORD_IN_URL}@{}/v2/{PATH}?apikey={QUERY_IN_URL}", self.echo.address);
        let mut process = crate::support::command();
        process
            .args(self.operator.arguments(&deployments, command, &[&["--chain", "anvil"], more].concat()))
            .env("ZKML_KEYSTORE_PASSWORD", KEYSTORES)
            .envs([("ANVIL_RPC_URL", url.as_str()), ("ETHERSCAN_API_KEY", EXPLORERS), ("OWN_KEY", KEY)])
            .env("RUST_LOG", "trace");
        process
    }

    /// Runs a command for people and for programs.
    fn run(&mut self, command: &str, more: &[&str], succeeds: bool) {
        for form in [&["--json"][..], &[]] {
            let output = self.command(command, &[more, form].concat()).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().rev().take(8).collect::<Vec<_>>();
            assert_eq!(output.status.success(), succeeds, "{command} {more:?}: {last:#?}");
            self.texts.push((format!("stdout of {command} {more:?}"), output.stdout));
            self.texts.push((format!("stderr of {command} {more:?}"), output.stderr));
        }
    }

    /// Runs the service for a while; what it serves is kept, too.
    fn watch(&mut self, key: &[&str], mode: Mode, time: Duration) {
        // Of these it is found out only when a proof is handed in.
        let late = !matches!(mode, Mode::NoGas | Mode::Reverts | Mode::TakesNothing);
        self.echo.be(if late { Mode::Honest } else { mode });
        let (inputs, journal) = (self.path("inputs"), self.path("journal.sqlite"));
        let fixed =
            ["--inputs", &inputs, "--journal", &journal, "--listen", "127.0.0.1:0", "--poll", "1", "--json"];
        let [out, log] = ["out", "log"].map(|name| self.path(&format!("{name}-{mode:?}")));
        let mut process = self.command("watch", &[&fixed, key].concat());
        process.stdout(File::create(&out).unwrap()).stderr(File::create(&log).unwrap());
        let mut child = process.spawn().unwrap();
        let started = Instant::now();
        let address = loop {
            let said = String::from_utf8_lossy(&fs::read(&log).unwrap()).into_owned();
            if let Some((_, rest)) = said.split_once("metrics on http://") {
                break rest.split_once("/metrics").unwrap().0.to_owned();
            }
            assert!(started.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none());
            std::thread::sleep(Duration::from_millis(50));
        };
        self.echo.be(mode);
        std::thread::sleep(time);
        for page in ["healthz", "metrics", ""] {
            let url = format!("http://{address}/{page}");
            let text = wait(async { reqwest::get(url).await.unwrap().bytes().await.unwrap() });
            self.texts.push((format!("{page} with {mode:?}"), text.to_vec()));
        }
        let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(sent.success() && child.wait().unwrap().success(), "{mode:?}");
    }

    /// Reads all files that the commands wrote.
    fn files(&mut self) {
        let all = [self.temp.path().to_owned(), self.operator.deployments(), PathBuf::from(&self.folder.dir)];
        let mut folders = Vec::from(all);
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                } else {
                    self.texts.push((path.display().to_string(), fs::read(&path).unwrap()));
                }
            }
        }
    }
}

#[test]
fn no_secret_gets_out_whatever_an_endpoint_repeats() {
    let mut place = Place::new();
    let keystore = place.path("key");
    let (key, keystore) = (["--key-env", "OWN_KEY"], ["--keystore", keystore.as_str()]);
    let deploy = ["--consumer", "requests"];
    place.run("deploy", &[&deploy[..], &keystore].concat(), true);
    place.run("deploy", &[&deploy[..], &key, &["--broadcast"]].concat(), true);
    place.run("check-deployment", &[], true);
    place.run("submit", &[&key[..], &["--dry-run"]].concat(), true);
    let inputs = place.path("inputs");
    place.run("request", &[&key[..], &["--share", &inputs]].concat(), true);
    let service = format!("http://{USER}:{PASSWORD_IN_URL}@{}/api/{PATH}", place.echo.address);
    let explorers =
        [("etherscan", Mode::Explorer), ("etherscan", Mode::Broken), ("sourcify", Mode::Nonsense)];
    for (service_name, mode) in explorers {
        place.echo.be(mode);
        place.run("verify-source", &["--service", service_name, "--url", &service, "--timeout", "1"], false);
    }
    for mode in [Mode::Error, Mode::Busy, Mode::Nonsense, Mode::Broken] {
        place.echo.be(mode);
        place.run("deploy", &[&deploy[..], &key].concat(), false);
    }
    for mode in [Mode::Error, Mode::Broken] {
        place.echo.be(mode);
        place.run("check-deployment", &[], false);
        place.run(
            "watch",
            &[&key[..], &["--inputs", &inputs, "--journal", &place.path("other.sqlite")]].concat(),
            false,
        );
    }
    for mode in [Mode::Reverts, Mode::TakesNothing] {
        place.echo.be(mode);
        place.run("submit", &key, false);
        place.run("request", &key, false);
    }
    // A variable of another purpose is not a key, and no less secret.
    place.run("deploy", &["--key-env", "ANVIL_RPC_URL"], false);
    place.watch(&key, Mode::NoGas, Duration::from_secs(3));
    // Before a later run writes over it.
    place.files();
    for mode in [Mode::Reverts, Mode::TakesNothing, Mode::Error, Mode::Honest] {
        place.watch(&key, mode, Duration::from_secs(3));
    }
    place.files();
    let journal = place.texts.iter().any(|(name, text)| {
        name.ends_with("journal.sqlite") && String::from_utf8_lossy(text).contains("is not welcome")
    });
    assert!(journal, "the endpoint's words are in the journal");
    let (mut hidden, mut logs) = (0, 0);
    for (name, text) in &place.texts {
        let text = String::from_utf8_lossy(text).to_lowercase();
        hidden += text.matches("***").count();
        logs += usize::from(text.contains("trace"));
        for secret in secrets() {
            if let Some(at) = text.find(&secret) {
                let around = &text[text.floor_char_boundary(at.saturating_sub(200))
                    ..text.ceil_char_boundary((at + 200).min(text.len()))];
                panic!("`{secret}` is in {name}: …{around}…");
            }
        }
    }
    assert!(hidden > 1_000 && logs > 20, "{hidden} times hidden, in {logs} logs of libraries");
}
