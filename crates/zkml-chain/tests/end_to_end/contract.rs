//! What contracts see: contexts and their files, and proofs in the form that contracts take.

use crate::support::{Folder, done, fails, root, zkml};
use serde_json::{Value, json};
use std::{fs, io::Write, process::Stdio};
use zkml_protocol::{
    VerifierProgram, Word,
    binding::{self, Registration},
    envelope::{Envelope, Shape, output_bytes},
};

/// The shared vectors, which another library made.
fn vectors() -> Value {
    serde_json::from_slice(&fs::read(root().join("tests/fixtures/binding.json")).unwrap()).unwrap()
}

/// Arguments of `context` for the parts of a vector or file.
fn arguments(parts: &Value) -> Vec<String> {
    let names = ["chainId", "consumer", "subject", "nonce", "deadline", "action"];
    let flags = ["--chain-id", "--consumer", "--subject", "--nonce", "--deadline", "--action"];
    let value = |name: &str| parts[name].as_str().unwrap().to_owned();
    std::iter::once("context".to_owned())
        .chain(flags.iter().zip(names).flat_map(|(flag, name)| [(*flag).to_owned(), value(name)]))
        .collect()
}

fn with<'a>(arguments: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    arguments.iter().map(String::as_str).chain(more.iter().copied()).collect()
}

#[test]
fn contexts_are_those_of_the_vectors() {
    let vectors = vectors();
    for vector in vectors["contexts"].as_array().unwrap() {
        let arguments = arguments(vector);
        let report = done(&with(&arguments, &[]));
        for name in ["domainSeparator", "structHash", "digest", "context", "action", "nonce", "deadline"] {
            assert_eq!(report[name], vector[name], "{name} of {vector}");
        }
        let text = zkml(&with(&arguments, &[]));
        assert_eq!(text.stdout.trim(), vector["context"], "the context and nothing else");
    }
    // Names of chains, texts of actions, hexadecimal numbers.
    let vector = &vectors["contexts"][0];
    assert_eq!(vector["chainId"], "31337");
    let (consumer, subject) = (vector["consumer"].as_str().unwrap(), vector["subject"].as_str().unwrap());
    let who = ["context", "--chain-id", "anvil", "--consumer", consumer, "--subject", subject];
    let what = ["--nonce", "0x7", "--deadline", "0x713fb300", "--action-text", "approve"];
    assert_eq!(done(&[who.as_slice(), &what].concat())["context"], vector["context"]);
}

#[test]
fn mistyped_parts_of_a_context_are_refused() {
    let good = vectors()["contexts"][0].clone();
    let max = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    let cases = [
        ("chainId", "sepola", "no chain is called"),
        ("chainId", "18446744073709551616", "below 2^64"),
        ("consumer", "0x12", "no address"),
        ("consumer", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", "EIP-55"),
        ("subject", "0xd1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb", "EIP-55"),
        ("nonce", "-1", "'-1'"),
        ("nonce", "1.5", "no number"),
        ("nonce", &max.replace("39935", "39936"), "below 2^256"),
        ("deadline", "tomorrow", "no number"),
        ("action", "0x01", "no word"),
    ];
    for (part, value, words) in cases {
        let mut parts = good.clone();
        parts[part] = json!(value);
        let run = zkml(&with(&arguments(&parts), &[]));
        assert_eq!(run.code, 2, "{part}: {run:?}");
        assert!(run.stderr.contains(words) && run.stdout.is_empty(), "{part}: {run:?}");
    }
    // Everything that could be forgotten is asked for, but the first nonce.
    let arguments = arguments(&good);
    for (at, flag) in arguments.iter().enumerate().filter(|(_, a)| a.starts_with("--")) {
        let mut without = arguments.clone();
        without.drain(at..at + 2);
        assert_eq!(zkml(&with(&without, &[])).code, if flag == "--nonce" { 0 } else { 2 }, "{flag}");
    }
    assert_eq!(zkml(&with(&arguments, &["--action-text", "approve"])).code, 2, "one action");
}

#[test]
fn a_proof_is_bound_by_a_context_file() {
    let folder = Folder::new();
    let vector = &vectors()["contexts"][2];
    let path = folder.path("context.json").display().to_string();
    let written = done(&with(&arguments(vector), &["--out", &path]));
    assert_eq!(written["file"], path.as_str());
    let proven = done(&["prove", "--dir", &folder.dir, "--context-file", &path]);
    assert_eq!(proven["context"], vector["context"]);
    assert_eq!(done(&["verify", "--dir", &folder.dir])["context"], vector["context"]);
    let calldata = done(&["calldata", "--dir", &folder.dir]);
    assert_eq!(calldata["context"], vector["context"]);
    for part in ["chainId", "nonce", "deadline", "action"] {
        assert_eq!(calldata[part], vector[part], "of the file that `prove` kept");
    }
    parts_of_a_context(&folder, &path, vector);

    // The file says who, where, when and what for; a changed part is not that of its context.
    let before = folder.read("proofs/proof.json");
    let good: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let mut keys: Vec<&str> = good.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["action", "chainId", "consumer", "context", "deadline", "nonce", "subject"]);
    let refused = |edited: &Value, words: &[&str]| {
        fs::write(&path, edited.to_string()).unwrap();
        fails(&["prove", "--dir", &folder.dir, "--context-file", &path], 3, "content", words);
    };
    let mut edited = good.clone();
    edited["deadline"] = json!("1900000000");
    refused(&edited, &["context.json", "its parts give"]);
    let mut edited = good.clone();
    edited["note"] = json!("");
    refused(&edited, &["unknown field"]);
    refused(&json!([1]), &["not a context file"]);
    fails(&["prove", "--dir", &folder.dir, "--context-file", "/no/such/file"], 3, "io", &["/no/such/file"]);
    let both = ["prove", "--dir", &folder.dir, "--context-file", &path, "--context"];
    assert_eq!(zkml(&[both.as_slice(), &[good["context"].as_str().unwrap()]].concat()).code, 2);
    assert_eq!(before, folder.read("proofs/proof.json"), "no proof was made");
}

/// The parts are those of the proof's own context, or none.
fn parts_of_a_context(folder: &Folder, path: &str, vector: &Value) {
    let kept = folder.path("proofs/proof.context.json");
    fs::remove_file(&kept).unwrap();
    let without = done(&["calldata", "--dir", &folder.dir]);
    assert_eq!((&without["context"], &without["subject"]), (&vector["context"], &Value::Null));
    let text = zkml(&["calldata", "--dir", &folder.dir]).stdout;
    assert!(text.contains("--context-file says of which"), "{text}");
    let named = done(&["calldata", "--dir", &folder.dir, "--context-file", path]);
    assert_eq!(named["deadline"], vector["deadline"]);
    // Another proof's: refused where it is named, and left out where it only lies there.
    let other = folder.path("other.json").display().to_string();
    done(&with(&arguments(&vectors()["contexts"][0]), &["--out", &other]));
    fails(
        &["calldata", "--dir", &folder.dir, "--context-file", &other],
        3,
        "content",
        &["other.json", "is bound to"],
    );
    fs::copy(&other, &kept).unwrap();
    assert_eq!(done(&["calldata", "--dir", &folder.dir])["subject"], Value::Null);
    fs::write(&kept, "{").unwrap();
    fails(&["calldata", "--dir", &folder.dir], 3, "content", &["proof.context.json"]);
    fs::remove_file(&kept).unwrap();
}

/// The names that the test of `contracts/README.md` reads, each with the function that reads it: by the compiler's own parser.
fn names_of_the_readme() -> Vec<(String, String)> {
    let page = fs::read_to_string(root().join("contracts/README.md")).unwrap();
    let (_, test) = page.split_once("// test/LoanDesk.t.sol\n").unwrap();
    let (test, _) = test.split_once("```").unwrap();
    let input = json!({
        "language": "Solidity",
        "sources": { "Test.sol": { "content": test } },
        "settings": { "stopAfter": "parsing", "outputSelection": { "*": { "": ["ast"] } } },
    });
    let mut parser = std::process::Command::new("node");
    parser.arg(root().join("contracts/solc.mjs")).arg("--standard-json");
    let mut parser = parser.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Node");
    parser.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output: Value = serde_json::from_slice(&parser.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(output["errors"], Value::Null, "the page's test is Solidity");
    let mut names = Vec::new();
    collect_reads(&output["sources"]["Test.sol"]["ast"], &mut names);
    names
}

/// Calls of `parseJson…`, wherever they are in a syntax tree. A name that is no literal would be one that nobody compares.
fn collect_reads(node: &Value, names: &mut Vec<(String, String)>) {
    match node {
        Value::Array(nodes) => nodes.iter().for_each(|node| collect_reads(node, names)),
        Value::Object(parts) => {
            let function = node["expression"]["memberName"].as_str().unwrap_or_default();
            if let Some(kind) =
                function.strip_prefix("parseJson").filter(|_| node["nodeType"] == "FunctionCall")
            {
                let name = node["arguments"][1]["value"].as_str().expect("a literal");
                names.push((kind.to_owned(), name.strip_prefix('.').expect("a path").to_owned()));
            }
            parts.values().for_each(|node| collect_reads(node, names));
        }
        _ => {}
    }
}

/// The page's own commands, in its order; then the page's own project, with the file, the verifier and the scale of this model in place of
/// those that the page has.
#[test]
fn the_readme_s_test_reads_what_calldata_writes() {
    let fixture = fs::read(root().join("contracts/test/fixtures/proofs/loan_desk_alice_0.json")).unwrap();
    let fixture: Value = serde_json::from_slice(&fixture).unwrap();
    let of = |name: &str| fixture[name].as_str().unwrap().to_owned();
    let folder = Folder::new();
    let (context, out) = (folder.path("context.json"), folder.path("test/fixtures/loan_desk_alice_0.json"));
    let (context, out) = (context.display().to_string(), out.display().to_string());
    let (consumer, subject, action) = (of("consumer"), of("subject"), of("action"));
    let parts = ["--chain-id", "31337", "--consumer", &consumer, "--subject", &subject];
    let more = ["--deadline", "2000000000", "--action", &action, "--out", &context];
    done(&[&["context"], &parts[..], &more].concat());
    done(&["prove", "--dir", &folder.dir, "--context-file", &context]);
    done(&["gen-verifier", "--dir", &folder.dir]);
    done(&["calldata", "--dir", &folder.dir, "--out", &out]);
    let written: Value = serde_json::from_slice(&fs::read(&out).unwrap()).unwrap();
    let names = names_of_the_readme();
    assert!(names.len() >= 9, "{names:?}");
    for (kind, name) in &names {
        let value = written.pointer(&format!("/{}", name.replace('.', "/"))).unwrap_or(&Value::Null);
        let text = value.as_str().unwrap_or_else(|| panic!("{name} in {written}"));
        assert!(!text.is_empty() && (kind == "Uint" || text.starts_with("0x")), "{name} is {text}");
    }
    forge_passes(&folder, &out);
}

/// Runs the page's project on what was written.
fn forge_passes(folder: &Folder, proof: &str) {
    let forge = std::env::var("FORGE").map_or(root().join("node_modules/.bin/forge"), Into::into);
    if !forge.exists() {
        eprintln!("the page's project is skipped: npm has no forge for this system");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &str| {
        let path = home.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let page = fs::read_to_string(root().join("contracts/README.md")).unwrap();
    let verifier = String::from_utf8(folder.read("solidity/CreditMlpVerifier.sol")).unwrap();
    let number = |text: &str, name: &str| -> String {
        let (_, rest) = text.split_once(&format!("int256 {name} = ")).unwrap();
        rest.split_once(';').unwrap().0.to_owned()
    };
    let scale = |of: &str| format!("SCALE = {of};");
    for file in ["foundry.toml", "src/LoanDesk.sol", "test/LoanDesk.t.sol"] {
        let mark = if file.ends_with("toml") { format!("# {file}\n") } else { format!("// {file}\n") };
        let (text, _) = page.split_once(&mark).unwrap().1.split_once("```").unwrap();
        if file.starts_with("src") {
            let [theirs, ours] =
                [(text, "private constant SCALE"), (verifier.as_str(), "public constant OUTPUT_SCALE")]
                    .map(|(text, name)| scale(&number(text, name)));
            assert!(text.contains(&theirs), "{text}");
            put(file, &text.replace(&theirs, &ours));
        } else {
            put(file, text);
        }
    }
    put("test/fixtures/loan_desk_alice_0.json", &fs::read_to_string(proof).unwrap());
    put("test/CreditVerifier.sol", &verifier.replace("CreditMlpVerifier", "CreditVerifier"));
    let modules = home.path().join("node_modules");
    let copy = |from: &str, to: &str| {
        fs::create_dir_all(modules.join(to)).unwrap();
        let copied =
            std::process::Command::new("cp").arg("-r").arg(root().join(from)).arg(modules.join(to)).status();
        assert!(copied.unwrap().success(), "{from}");
    };
    for part in ["src", "solc.mjs", "package.json"] {
        copy(&format!("contracts/{part}"), "@zkml-chain/contracts");
    }
    for package in ["@openzeppelin", "solady"] {
        copy(&format!("node_modules/{package}"), "");
    }
    std::os::unix::fs::symlink(root().join("node_modules/solc"), modules.join("solc")).unwrap();
    let run = std::process::Command::new(forge).arg("test").current_dir(home.path()).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success() && said.contains("1 tests passed, 0 failed"),
        "{said}{}",
        String::from_utf8_lossy(&run.stderr)
    );
}

#[test]
fn a_context_file_is_whole_or_absent() {
    let temp = tempfile::tempdir().unwrap();
    let arguments = arguments(&vectors()["contexts"][0]);
    let folder = temp.path().display().to_string();
    fails(&with(&arguments, &["--out", &folder]), 5, "io", &["plain file"]);
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 0);
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap().strip_prefix("0x").expect("0x")).unwrap()
}

#[test]
fn calldata_are_what_contracts_take() {
    let folder = Folder::new();
    let owner = "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb";
    let path = folder.path("out/calldata.json").display().to_string();
    let report = done(&["calldata", "--dir", &folder.dir, "--owner", owner, "--out", &path]);
    let mut written: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    written["file"] = json!(path);
    assert_eq!(written, report, "the file is the report");

    let program = zkml::program_from_json(&folder.read("program.json")).unwrap();
    let proof: Value = serde_json::from_slice(&folder.read("proofs/proof.json")).unwrap();
    let instances: Vec<Word> = serde_json::from_value(proof["instances"].clone()).unwrap();
    let shape = Shape::of(&program).unwrap();
    let envelope = Envelope::decode(&shape, &bytes(&report["proof"])).unwrap();
    assert_eq!(envelope.proof, bytes(&proof["proof"]));
    let sections = shape.sections(&instances).unwrap();
    assert_eq!(bytes(&report["output"]), output_bytes(sections.outputs));
    let output: Vec<Word> =
        bytes(&report["output"]).chunks(32).map(|w| Word(w.try_into().unwrap())).collect();
    assert_eq!(envelope.instances(&shape, None, &output).unwrap(), instances, "what the contract lays out");
    assert_eq!(bytes(&report["selector"]), program.vk_digest().0[..4]);
    assert_eq!(report["dataCommitment"], json!(instances[1]), "the inputs are behind one commitment");
    assert_eq!(report["context"], json!(Word::ZERO));
    assert_eq!(report["inputCommitment"], json!(binding::input_commitment(&instances[1], &Word::ZERO)));
    let call = zkml_contracts::verify_proof(&program, &envelope.proof, &instances).unwrap();
    assert_eq!(bytes(&report["verifyProof"]), call);

    let registration = Registration::of(&program, &instances).unwrap();
    let of = |name: &str| report["registration"][name].clone();
    assert_eq!(of("modelHash"), json!(program.statement().model_hash));
    assert_eq!(of("circuitHash"), json!(program.model_commitment()));
    assert_eq!(of("vkHash"), json!(program.vk_digest()));
    assert_eq!(of("proofSystemId"), "0x0be5a82c", "of sumcheck-kzg-mercury-bn254-v1");
    assert_eq!(of("commitmentHash"), json!(registration.commitment_hash()));
    let account: [u8; 20] = hex::decode(&owner[2..]).unwrap().try_into().unwrap();
    assert_eq!(of("modelId"), json!(registration.model_id(&account)));

    let anonymous = done(&["calldata", "--dir", &folder.dir]);
    assert_eq!(anonymous["registration"]["modelId"], Value::Null, "an id belongs to an owner");
    assert_eq!(anonymous["file"], Value::Null);
    let text = zkml(&["calldata", "--dir", &folder.dir]).stdout;
    assert!(text.contains("unbound") && text.contains(report["inputCommitment"].as_str().unwrap()), "{text}");
    let mistyped = owner.replace('D', "d");
    assert_eq!(zkml(&["calldata", "--dir", &folder.dir, "--owner", &mistyped]).code, 2);
}

#[test]
fn a_proof_that_does_not_hold_is_not_put_into_calldata() {
    let folder = Folder::new();
    let mut proof: Value = serde_json::from_slice(&folder.read("proofs/proof.json")).unwrap();
    // Another commitment to the inputs: the file agrees with itself, and the proof does not hold.
    proof["instances"][1] = json!(Word::ONE);
    let path = folder.path("other.json").display().to_string();
    fs::write(&path, proof.to_string()).unwrap();
    let out = folder.path("calldata.json").display().to_string();
    let arguments = ["calldata", "--dir", &folder.dir, "--proof", &path, "--out", &out];
    fails(&arguments, 1, "refused", &["zkml-verifier"]);
    assert!(!std::path::Path::new(&out).exists(), "nothing was written");
}
