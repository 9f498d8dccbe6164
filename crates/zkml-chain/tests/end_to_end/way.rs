//! The whole way with the real binary: from an ONNX file to verdicts that agree.

use crate::support::{Folder, done, fails, repo, root, zkml};
use std::{
    io::Write,
    process::{Command, Stdio},
};

/// The folder's model by halo2, with its keys and a proof.
fn by_halo2(folder: &Folder) {
    let k = done(&["compile", "--backend", "halo2", "--dir", &folder.dir])["k"].as_u64().unwrap().to_string();
    let dev = folder.path("dev.srs").display().to_string();
    done(&["srs", "dev", "--k", &k, "--srs", &dev]);
    done(&["setup", "--srs", &dev, "--dir", &folder.dir]);
    done(&["prove", "--dir", &folder.dir]);
}

#[test]
fn three_verdicts_agree() {
    let folder = Folder::new();
    by_halo2(&folder);
    let verdicts = done(&["verify", "--dir", &folder.dir, "--halo2"]);
    assert_eq!(verdicts["verdicts"], serde_json::json!(["zkml-verifier", "halo2"]));
    let quickly = done(&["verify", "--dir", &folder.dir]);
    assert_eq!(quickly["verdicts"], serde_json::json!(["zkml-verifier"]));
    let evm = done(&["simulate", "--dir", &folder.dir, "--tamper"]);
    assert_eq!(evm["accepted"], true);
    assert_eq!(evm["outputs"], verdicts["outputs"]);
    assert!(evm["refusals"].as_array().unwrap().len() >= 8, "{evm}");
    // Registry and router cost something, and not much.
    let through = evm["routed_tx_gas"].as_u64().unwrap() - evm["tx_gas"].as_u64().unwrap();
    assert!((1_000..60_000).contains(&through), "{through}");
    // The parts of the gas table add up.
    let gas = |name: &str| evm["gas"][name].as_u64().unwrap();
    let parts = ["calldata", "keccak", "ec_mul", "ec_add", "pairing", "modexp", "arithmetic"];
    assert_eq!(21_000 + parts.iter().map(|p| gas(p)).sum::<u64>(), evm["tx_gas"].as_u64().unwrap());
}

/// Who has no proving key can still verify and simulate.
#[test]
fn verifying_needs_no_proving_key() {
    let folder = Folder::new();
    std::fs::remove_file(folder.path("proving.key")).unwrap();
    assert_eq!(done(&["verify", "--dir", &folder.dir])["verdicts"], serde_json::json!(["zkml-verifier"]));
    assert_eq!(done(&["simulate", "--dir", &folder.dir])["accepted"], true);
    fails(&["prove", "--dir", &folder.dir], 4, "missing-file", &["proving.key", "zkml-chain setup"]);
    // The folder's proof is one by sumcheck, of which halo2 knows nothing.
    fails(&["verify", "--dir", &folder.dir, "--halo2"], 3, "content", &["no proof of halo2"]);
    by_halo2(&folder);
    std::fs::remove_file(folder.path("proving.key")).unwrap();
    fails(
        &["verify", "--dir", &folder.dir, "--halo2"],
        4,
        "missing-file",
        &["proving.key", "zkml-chain setup"],
    );
}

#[test]
fn generated_contracts_are_checked_and_complete() {
    let folder = Folder::new();
    let report = done(&["gen-verifier", "--dir", &folder.dir]);
    assert!(report["checks"].as_array().unwrap().len() >= 6, "{report}");
    let source = String::from_utf8(folder.read("solidity/CreditMlpVerifier.sol")).unwrap();
    assert!(source.contains("contract CreditMlpVerifier"));
    let consumer: serde_json::Value =
        serde_json::from_slice(&folder.read("solidity/CreditMlpAnyInputConsumer.json")).unwrap();
    assert!(consumer["abi"].to_string().contains("verifyInference"));
    // An explorer gets every source that takes part, and compiles the same code from it.
    let input: serde_json::Value =
        serde_json::from_slice(&folder.read("solidity/standard-input.json")).unwrap();
    assert_eq!(
        creation(&input, "CreditMlpAnyInputConsumer.sol", "CreditMlpAnyInputConsumer"),
        consumer["bytecode"]
    );
    let requests: serde_json::Value =
        serde_json::from_slice(&folder.read("solidity/CreditMlpAnyInputRequestConsumer.json")).unwrap();
    assert!(requests["abi"].to_string().contains("fulfillInference"));
    let code = creation(&input, "CreditMlpAnyInputRequestConsumer.sol", "CreditMlpAnyInputRequestConsumer");
    assert_eq!(code, requests["bytecode"]);
    let verifier: serde_json::Value =
        serde_json::from_slice(&folder.read("solidity/CreditMlpVerifier.json")).unwrap();
    assert_eq!(creation(&input, "CreditMlpVerifier.sol", "CreditMlpVerifier"), verifier["bytecode"]);
    // What was generated is under the manifest's protection too: generating again gives the same bytes.
    let before = folder.read("solidity/CreditMlpVerifier.json");
    done(&["gen-verifier", "--dir", &folder.dir]);
    assert_eq!(before, folder.read("solidity/CreditMlpVerifier.json"));
}

/// Creation code of a contract, compiled by nothing but solc.
fn creation(input: &serde_json::Value, file: &str, contract: &str) -> String {
    let script = "const input = require('node:fs').readFileSync(0, 'utf8');
        const [, file, contract] = process.argv;
        const output = JSON.parse(require('solc').compile(input));
        process.stdout.write('0x' + output.contracts[file][contract].evm.bytecode.object);";
    let mut node = Command::new("node")
        .args(["-e", script, file, contract])
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    node.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    String::from_utf8(node.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn recompiling_gives_the_same_bytes() {
    let folder = Folder::new();
    let before = [folder.read("graph.bin"), folder.read("plan.json"), folder.read("program.json")];
    done(&["compile", "--dir", &folder.dir]);
    done(&["setup", "--dir", &folder.dir]);
    assert_eq!(before, [folder.read("graph.bin"), folder.read("plan.json"), folder.read("program.json")]);
    done(&["verify", "--dir", &folder.dir]);
}

#[test]
fn a_context_is_part_of_the_statement() {
    let folder = Folder::new();
    let context = format!("0x{:064x}", 0xabcdef);
    let proven = done(&["prove", "--dir", &folder.dir, "--context", &context]);
    assert_eq!(proven["context"], context.as_str());
    assert_eq!(done(&["verify", "--dir", &folder.dir])["context"], context.as_str());
}

#[test]
fn public_inputs_are_in_the_statement() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("m").display().to_string();
    let (model, data) =
        (repo("models/bench/credit_mlp/credit_mlp.onnx"), repo("models/bench/credit_mlp/calibration.json"));
    done(&["calibrate", &model, "--data", &data, "--dir", &dir, "--inputs", "public"]);
    let k = done(&["compile", "--dir", &dir])["k"].as_u64().unwrap().to_string();
    done(&["srs", "dev", "--k", &k]);
    done(&["setup", "--dir", &dir]);
    done(&["prove", "--dir", &dir]);
    let proof: serde_json::Value =
        serde_json::from_slice(&std::fs::read(temp.path().join("m/proofs/proof.json")).unwrap()).unwrap();
    assert!(proof["instances"].as_array().unwrap().len() > 2, "{proof}");
    assert_eq!(done(&["simulate", "--dir", &dir])["accepted"], true);
    // Contracts take the input words behind the proof, and their hash as the commitment to the data.
    let calldata = done(&["calldata", "--dir", &dir]);
    let words = &proof["instances"].as_array().unwrap()[1..];
    let words: String =
        words[..words.len() - 1].iter().map(|w| w.as_str().unwrap()[2..].to_owned()).collect();
    assert!(calldata["proof"].as_str().unwrap().ends_with(&words), "{calldata}");
    let hash = zkml_protocol::keccak256([hex::decode(&words).unwrap().as_slice()]);
    assert_eq!(calldata["dataCommitment"], hash.to_string());
}

#[test]
fn the_demo_ends_with_a_decision() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("credit").display().to_string();
    let report = done(&["demo", "--dir", &dir, "--quiet"]);
    assert!(report["accepted"]["decision"].as_str().unwrap().contains("the credit"), "{report}");
    let refused = report["refused"].as_array().unwrap();
    let answer = |change: &str| {
        let refusal = refused.iter().find(|r| r["change"] == change).unwrap_or_else(|| panic!("{change}"));
        refusal["answer"].as_str().unwrap().split('(').next().unwrap().to_owned()
    };
    assert_eq!(answer("a tampered output"), "ProofRejected");
    assert!(["ProofRejected", "InvalidPoint"].contains(&answer("a tampered proof").as_str()));
    assert_eq!(answer("the proof from another caller"), "WrongContext");
    assert_eq!(answer("the same proof again"), "WrongContext");
    assert_eq!(answer("a deprecated model"), "VerificationRefused_ModelDeprecated");
    assert!(report["verifier"]["tx_gas"].as_u64().unwrap() > 100_000);
    // What the contracts in between cost. The consumer's part is the bookkeeping of ZKMLConsumer (30,000 at most), and
    // outputs by name, held against their bounds and logged.
    let ways = report["accepted"]["gas_by_way"].as_array().unwrap();
    let [bare, routed, consumer] = [0, 1, 2].map(|i: usize| ways[i]["execution"].as_u64().unwrap());
    println!("registry and router {}, consumer {}", routed - bare, consumer - routed);
    assert!(bare + 45_000 >= routed && routed + 36_000 >= consumer, "{ways:?}");
}

#[test]
fn every_command_speaks_json_and_has_help() {
    let commands =
        ["inspect", "ops", "calibrate", "compile", "srs", "setup", "prove", "verify", "gen-verifier"];
    for command in
        commands.iter().chain(&["simulate", "commit", "audit", "demo", "completions", "context", "calldata"])
    {
        let help = zkml(&[command, "--help"]);
        assert_eq!(help.code, 0, "{help:?}");
        assert!(help.stdout.contains("--json"), "{command}");
    }
    assert!(done(&["ops"]).as_array().unwrap().len() > 25);
    assert_eq!(
        done(&["inspect", &repo("models/digits/cnn/cnn.onnx")])["outputs"][0]["shape"],
        serde_json::json!([1, 10])
    );
    assert!(zkml(&["completions", "bash"]).stdout.contains("gen-verifier"));
    assert_eq!(zkml(&["no-such-command"]).code, 2);
}

#[test]
fn talk_and_results_do_not_mix() {
    let folder = Folder::new();
    let run = zkml(&["prove", "--dir", &folder.dir]);
    assert!(run.stdout.starts_with("probability"), "{run:?}");
    assert!(run.stderr.contains("insecure") && !run.stdout.contains("insecure"), "{run:?}");
    assert!(!run.stdout.contains('\u{1b}') && !run.stderr.contains('\u{1b}'), "no colours off a terminal");
    fails(&["verify", "--dir", "/no/such/folder"], 4, "no-artifacts", &["calibrate"]);
}

#[test]
fn an_html_report_stands_alone() {
    let folder = Folder::new();
    let (model, data) = (repo("models/digits/mlp/mlp.onnx"), repo("models/digits/mlp/calibration.json"));
    let page = folder.path("report.html").display().to_string();
    let other = folder.path("digits").display().to_string();
    done(&["calibrate", &model, "--data", &data, "--dir", &other, "--html", &page]);
    stands_alone(&std::fs::read_to_string(page).unwrap());
}

fn stands_alone(page: &str) {
    assert!(page.contains("<svg") && !page.contains("http"), "no links out");
    // An unquoted value swallows the slash, and everything that follows disappears inside the element.
    let open = |(at, _): (usize, &str)| !page[..at].ends_with(['"', ' ']);
    assert!(!page.match_indices("/>").any(open), "an element that does not close");
}

/// The page says what the folder has, and what of it is missing; it shows what other commands say.
#[test]
fn a_report_has_all_that_a_folder_says() {
    let folder = Folder::new();
    let report = |args: &[&str]| done(&[&["report", "--dir", &folder.dir], args].concat());
    let made = report(&[]);
    let page = std::fs::read_to_string(folder.path("report.html")).unwrap();
    stands_alone(&page);
    let proven = done(&["verify", "--dir", &folder.dir]);
    assert_eq!(made["proof"]["outputs"], proven["outputs"]);
    assert_eq!(made["setup"]["unsafe_dev_srs"], true);
    assert!(page.contains("its secret is public") && page.contains(proven["model_hash"].as_str().unwrap()));
    let runs = &made["activity"];
    let (samples, refused) = (runs["samples"].as_u64().unwrap(), runs["refused"].as_u64().unwrap());
    assert!(samples > 0 && refused < samples, "{runs}");
    let largest = made["calibration"]["outputs"][0]["max_abs_error"].as_f64().unwrap();
    let here = runs["outputs"][0]["max_abs_error"].as_f64().unwrap();
    assert!(here <= largest * 1.000_001, "{here} is more than calibration saw, {largest}");
    let nodes = made["drawing"]["nodes"].as_array().unwrap();
    let reads = |n: &serde_json::Value| n["reads"].as_array().unwrap().len();
    assert!(nodes[0]["operator"] == "input" && nodes[1..].iter().all(|n| reads(n) > 0), "{nodes:?}");
    for histogram in runs["histograms"].as_array().unwrap() {
        let counts = histogram["counts"].as_array().unwrap().iter().map(|c| c.as_u64().unwrap());
        assert_eq!(counts.sum::<u64>() % (samples - refused), 0, "{histogram}");
    }
    done(&["gen-verifier", "--dir", &folder.dir]);
    let made = report(&[]);
    let judged = done(&["simulate", "--dir", &folder.dir]);
    assert_eq!(made["gas"]["gas"]["transaction"], judged["gas"]["transaction"]);
    assert!(made.get("steps_left").is_none(), "{made}");

    let other = folder.path("other").display().to_string();
    let (model, data) = (repo("models/digits/mlp/mlp.onnx"), repo("models/digits/mlp/calibration.json"));
    done(&["calibrate", &model, "--data", &data, "--dir", &other]);
    let bare = done(&["report", "--dir", &other, "--out", &folder.path("bare.html").display().to_string()]);
    let steps: Vec<_> = bare["steps_left"].as_array().unwrap().iter().collect();
    assert_eq!(steps, ["compile", "setup", "prove", "gen-verifier"]);
    std::fs::write(folder.path("plan.json"), "{}").unwrap();
    fails(&["report", "--dir", &folder.dir], 4, "edited-file", &["plan.json"]);
}

/// The same model by sumcheck: other keys, proofs and contracts, the same model, statement and commands.
#[test]
fn the_way_by_sumcheck() {
    let folder = Folder::new();
    by_halo2(&folder);
    let before = done(&["verify", "--dir", &folder.dir]);
    let compiled = done(&["compile", "--backend", "sumcheck", "--dir", &folder.dir]);
    assert_eq!(
        (&compiled["backend"], &compiled["why"]),
        (&"sumcheck".into(), &"sumcheck was asked for".into())
    );
    fails(&["prove", "--dir", &folder.dir], 4, "stale-file", &["zkml-chain setup"]);
    let dev = folder.path("dev.srs").display().to_string();
    let setup = ["setup", "--srs", &dev, "--dir", &folder.dir];
    done(&["srs", "dev", "--k", "8", "--srs", &dev]);
    fails(&setup, 5, "prover", &["2^8", "2^11"]);
    done(&["srs", "dev", "--k", "11", "--srs", &dev]);
    let keys = done(&setup);
    assert_eq!(keys["proof_system"], "sumcheck-kzg-mercury-bn254-v1");
    // What was proven by the other keys is no proof of these.
    assert_ne!(zkml(&["verify", "--dir", &folder.dir]).code, 0);
    let proven = done(&["prove", "--dir", &folder.dir]);
    let verdicts = done(&["verify", "--dir", &folder.dir]);
    assert_eq!(verdicts["verdicts"], serde_json::json!(["zkml-verifier"]));
    assert_eq!(verdicts["model_hash"], before["model_hash"]);
    assert_eq!(verdicts["outputs"], proven["outputs"]);
    let evm = done(&["simulate", "--dir", &folder.dir, "--tamper"]);
    assert_eq!(evm["accepted"], true);
    assert!(evm["refusals"].as_array().unwrap().len() >= 8, "{evm}");
    // Consumers, too, accept it and nothing else.
    let report = done(&["gen-verifier", "--dir", &folder.dir]);
    assert!(report["checks"].as_array().unwrap().len() >= 6, "{report}");
    let audit = done(&[
        "audit",
        &folder.dir,
        "--srs",
        &dev,
        "--model",
        &repo("models/bench/credit_mlp/credit_mlp.onnx"),
    ]);
    for check in audit["checks"].as_array().unwrap() {
        assert_ne!(check["verdict"], "different", "{check}");
    }
}

#[test]
fn a_command_line_that_cannot_be_read_is_json_where_that_was_asked_for() {
    fails(&["calibrate", "model.onnx", "--nonsense"], 2, "usage", &["--nonsense", "--help"]);
    fails(&["calibrate"], 2, "usage", &["<MODEL>"]);
    fails(&["no-such-command"], 2, "usage", &["no-such-command"]);
    fails(&["prove", "--index", "many"], 2, "usage", &["many", "--index"]);
    // People read the parser's own words, with usage and hints; help is help.
    let run = zkml(&["calibrate", "model.onnx", "--nonsense"]);
    assert!(run.code == 2 && run.stdout.is_empty() && run.stderr.contains("Usage:"), "{run:?}");
    let help = zkml(&["calibrate", "--json", "--help"]);
    assert!(help.code == 0 && help.stdout.contains("Usage:"), "{help:?}");
}
