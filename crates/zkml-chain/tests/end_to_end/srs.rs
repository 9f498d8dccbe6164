//! Trusted setups from powers-of-tau files, from the file to the contract.

use crate::support::{Run, check, fails, repo, zkml_cached};
use std::{fs, path::Path};
use tempfile::TempDir;

const RAW: &str = "tests/fixtures/ptau/raw.ptau";

/// A cache of its own, and the artifacts of a tiny model.
struct Place {
    temp: TempDir,
    dir: String,
}

impl Place {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("m").display().to_string();
        Self { temp, dir }
    }

    fn path(&self, name: &str) -> String {
        self.temp.path().join(name).display().to_string()
    }

    fn run(&self, args: &[&str]) -> Run {
        zkml_cached(&self.temp.path().join("cache"), args)
    }

    fn done(&self, args: &[&str]) -> serde_json::Value {
        let run = self.run(&[args, &["--json"]].concat());
        assert_eq!(run.code, 0, "{args:?}: {run:?}");
        run.json()
    }

    fn fails(&self, args: &[&str], code: i32, name: &str, words: &[&str]) {
        check(self.run(&[args, &["--json"]].concat()), code, name, words);
    }

    /// Calibrates and compiles; returns k.
    fn compile(&self) -> u64 {
        let model = repo("tests/fixtures/onnx/sklearn/linear_regression.onnx");
        self.done(&["calibrate", &model, "--dir", &self.dir, "--inputs", "public"]);
        // The other proof system has no cuts: it takes the powers that it needs.
        self.done(&["compile", "--dir", &self.dir, "--backend", "halo2"])["k"].as_u64().unwrap()
    }

    fn setups(&self) -> Vec<String> {
        let files = fs::read_dir(self.temp.path().join("cache/srs")).into_iter().flatten();
        let mut names: Vec<_> = files.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// With a setup that nobody is known to know the secret of, nothing is marked as unsafe.
#[test]
fn an_imported_setup_carries_a_model_to_its_contract() {
    let place = Place::new();
    let k = place.compile();
    let imported = place.done(&["srs", "import", &repo(RAW)]);
    assert_eq!((imported["k"].as_u64(), imported["unsafe_dev"].as_bool()), (Some(9), Some(false)));
    assert!(k < 9, "2^{k} rows: a smaller model, or a larger fixture, is needed to test the cut");
    place.done(&["srs", "dev", "--k", &k.to_string()]);
    // The imported one is preferred to a development one that fits better, and that is said.
    let run = place.run(&["setup", "--dir", &place.dir]);
    assert_eq!(run.code, 0, "{run:?}");
    let path = imported["path"].as_str().unwrap();
    assert!(run.stderr.contains(path) && run.stderr.contains("you trust whoever gave it"), "{run:?}");
    assert!(!run.stderr.contains("insecure"), "{run:?}");
    // The cut is kept, and found the next time.
    let name = |k: u64| format!("{}-{k:02}.srs", &imported["digest"].as_str().unwrap()[2..18]);
    let mut expected = [name(k), name(9), format!("dev-{k:02}.srs")];
    expected.sort();
    assert_eq!(place.setups(), expected);
    let keys = place.done(&["setup", "--dir", &place.dir]);
    assert!(keys["srs"].as_str().unwrap().ends_with(&name(k)), "{keys}");
    assert_eq!((&keys["srs_digest"], &keys["unsafe_dev_srs"]), (&imported["digest"], &false.into()));

    let proven = place.run(&["prove", "--dir", &place.dir]);
    assert!(proven.code == 0 && !proven.stderr.contains("insecure"), "{proven:?}");
    let proof: serde_json::Value =
        serde_json::from_slice(&fs::read(Path::new(&place.dir).join("proofs/proof.json")).unwrap()).unwrap();
    assert_eq!(proof["unsafe_dev_srs"], false);
    let verdicts = place.done(&["verify", "--dir", &place.dir, "--halo2"]);
    assert_eq!(verdicts["verdicts"], serde_json::json!(["zkml-verifier", "halo2"]));
    assert_eq!(place.done(&["simulate", "--dir", &place.dir, "--tamper"])["accepted"], true);
    let contracts = place.done(&["gen-verifier", "--dir", &place.dir]);
    assert_eq!(contracts["unsafe_dev_srs"], false);
    let source = verifier(&place);
    assert!(source.contains("UNSAFE_DEV_SETUP = false") && !source.contains("chainid"), "{source}");
    // The same model under the development setup: marked, and held back from real chains.
    let dev = place.path(&format!("cache/srs/dev-{k:02}.srs"));
    place.done(&["setup", "--dir", &place.dir, "--srs", &dev]);
    place.done(&["prove", "--dir", &place.dir]);
    assert_eq!(place.done(&["gen-verifier", "--dir", &place.dir])["unsafe_dev_srs"], true);
    let source = verifier(&place);
    assert!(source.contains("UNSAFE_DEV_SETUP = true") && source.contains("chainid"), "{source}");
}

fn verifier(place: &Place) -> String {
    let folder = Path::new(&place.dir).join("solidity");
    let files = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let source = files.into_iter().find(|p| p.to_string_lossy().ends_with("Verifier.sol")).unwrap();
    fs::read_to_string(source).unwrap()
}

/// The cut in the cache is not believed: it must fit the setup that was named.
#[test]
fn a_forged_cut_is_computed_again() {
    let place = Place::new();
    let k = place.compile();
    let big = place.path("big.srs");
    place.done(&["srs", "import", &repo(RAW), "--srs", &big]);
    let keys = place.done(&["setup", "--dir", &place.dir, "--srs", &big]);
    let cut = place.path(&format!("cache/srs/{}", place.setups()[0]));
    let good = fs::read(&cut).unwrap();
    let other = place.path("other.srs");
    place.done(&["srs", "dev", "--k", &k.to_string(), "--srs", &other]);
    fs::copy(&other, &cut).unwrap();
    let again = place.done(&["setup", "--dir", &place.dir, "--srs", &big]);
    assert_eq!((&again["vk_digest"], &again["unsafe_dev_srs"]), (&keys["vk_digest"], &false.into()));
    assert_eq!(fs::read(&cut).unwrap(), good, "replaced");
}

#[test]
fn setups_say_where_they_come_from() {
    let place = Place::new();
    let out = place.path("small.srs");
    let ptau = repo("tests/fixtures/ptau/prepared.ptau");
    let run = place.run(&["srs", "import", &ptau, "--k", "3", "--srs", &out]);
    assert!(run.code == 0 && run.stdout.contains("not a published file"), "{run:?}");
    assert!(run.stderr.contains("you trust whoever gave it to you"), "{run:?}");
    assert!(place.setups().is_empty(), "the cache is for those without --srs");
    let info = place.done(&["srs", "info", &out]);
    assert_eq!((info["k"].as_u64(), info["trust"]["kind"].as_str()), (Some(3), Some("unknown")));
    assert_eq!(info["trust"]["source"]["power"], 5);
    assert_eq!(info["trust"]["source"]["blake2b"].as_str().unwrap().len(), 128);
    assert_eq!(info["tau_g2"].as_array().unwrap().len(), 4);
    let verified = place.done(&["srs", "verify", &out]);
    assert_eq!((&verified["digest"], &verified["trust"]), (&info["digest"], &info["trust"]));
    assert!(verified["checks"].as_array().unwrap().len() >= 4);
    let dev = place.done(&["srs", "dev", "--k", "3"]);
    let info = place.done(&["srs", "info", dev["path"].as_str().unwrap()]);
    assert_eq!((&info["trust"]["kind"], &info["unsafe_dev"]), (&"dev".into(), &true.into()));
}

#[test]
fn damaged_files_are_refused_and_leave_nothing() {
    let place = Place::new();
    let refused = |file: &str, words: &[&str]| {
        place.fails(&["srs", "import", file], 3, "trusted-setup", words);
        assert!(place.setups().is_empty(), "{file}");
    };
    refused(&repo("tests/fixtures/ptau/bls12-381.ptau"), &["bls12-381.ptau", "BLS12-381", "BN254"]);
    refused(&repo("tests/fixtures/ptau/small-new.ptau"), &["nobody has contributed"]);
    refused(&repo("models/credit/credit.onnx"), &["credit.onnx", "not a powers-of-tau file"]);
    let whole = fs::read(repo(RAW)).unwrap();
    let file = place.path("bad.ptau");
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    refused(&file, &["bad.ptau", "cut short", "bytes"]);
    let mut flipped = whole.clone();
    flipped[1000] ^= 4;
    fs::write(&file, &flipped).unwrap();
    refused(&file, &["point 14 of section 2 (tauG1)", "not on the curve"]);
    place.fails(&["srs", "import", &repo(RAW), "--k", "10"], 3, "trusted-setup", &["2^9", "2^10"]);
    place.fails(&["srs", "import", "/no/such.ptau"], 5, "prover", &["/no/such.ptau"]);
    fails(&["srs", "info", &repo(RAW)], 4, "prover", &["srs import"]);
    fails(&["srs", "verify", &repo("README.md")], 4, "prover", &["not a trusted setup"]);
    assert_eq!(place.run(&["srs", "import", &repo(RAW), "--k", "25"]).code, 2);
}

/// Gives a file the checksum of its content: BLAKE2b-256 over all before it.
fn with_checksum(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len() - 32;
    let sum = blake2b_simd::Params::new().hash_length(32).hash(&bytes[..end]);
    bytes[end..].copy_from_slice(sum.as_bytes());
    bytes
}

/// A setup whose checksum fits, but whose points are another's.
#[test]
fn verification_sees_more_than_the_checksum() {
    let place = Place::new();
    let good = place.path("good.srs");
    place.done(&["srs", "import", &repo(RAW), "--k", "4", "--srs", &good]);
    let mut bytes = fs::read(&good).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let bad = place.path("bad.srs");
    fs::write(&bad, &bytes).unwrap();
    place.fails(&["srs", "verify", &bad], 4, "prover", &["bad.srs", "checksum"]);
    fs::write(&bad, with_checksum(bytes)).unwrap();
    place.fails(&["srs", "verify", &bad], 3, "trusted-setup", &["bad.srs", "not on the curve"]);
    place.done(&["srs", "info", &bad]);
}

/// Where the points of a file with `2^k` powers begin: the powers, their Lagrange basis, the generator of G2, the secret in G2.
fn parts(file: &[u8], k: u64) -> [usize; 4] {
    let secret = file.len() - 32 - 128;
    let lagrange = secret - 128 - (64 << k);
    [lagrange - (64 << k), lagrange, secret - 128, secret]
}

/// The file with other bytes at a place, and a checksum that fits.
fn patched(file: &[u8], at: usize, with: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    file[at..at + with.len()].copy_from_slice(with);
    with_checksum(file)
}

/// Points that are all good by themselves, but do not belong together, make no key, whatever the checksum says.
#[test]
fn a_wrong_basis_gives_no_key() {
    let place = Place::new();
    let k = place.compile();
    let (same, larger, dev) = (place.path("same.srs"), place.path("larger.srs"), place.path("dev.srs"));
    place.done(&["srs", "import", &repo(RAW), "--k", &k.to_string(), "--srs", &same]);
    place.done(&["srs", "import", &repo(RAW), "--srs", &larger]);
    place.done(&["srs", "dev", "--k", &k.to_string(), "--srs", &dev]);
    let bad = place.path("bad.srs");
    let refused = |bytes: Vec<u8>, words: &[&str]| {
        fs::write(&bad, bytes).unwrap();
        let words = [&["bad.srs", "damaged or forged"], words].concat();
        place.fails(&["setup", "--dir", &place.dir, "--srs", &bad], 3, "trusted-setup", &words);
        assert!(!Path::new(&place.dir).join("proving.key").exists(), "{words:?}");
        assert!(place.setups().is_empty(), "nothing of it is kept: {:?}", place.setups());
    };
    let other = fs::read(&dev).unwrap();
    let other_secret = parts(&other, k)[3];
    for (name, k) in [(&same, k), (&larger, 9), (&dev, k)] {
        let file = fs::read(name).unwrap();
        let [powers, basis, generator, secret] = parts(&file, k);
        let (third, fourth) = (powers + 3 * 64, powers + 4 * 64);
        refused(patched(&file, third, &file[fourth..fourth + 64]), &["the powers", "pairing"]);
        if name != &dev {
            refused(
                patched(&file, secret, &other[other_secret..other_secret + 128]),
                &["the powers", "pairing"],
            );
        }
        refused(patched(&file, generator, &file[secret..secret + 128]), &["generator", "G2"]);
        let wrong_basis = patched(&file, basis, &file[basis + 64..basis + 128]);
        if name == &larger {
            // Its own Lagrange basis is not used for a smaller circuit.
            continue;
        }
        refused(wrong_basis, &["the Lagrange basis", "random combination"]);
    }
    let run = place.run(&["setup", "--dir", &place.dir, "--srs", &larger]);
    assert!(run.code == 0 && run.stderr.contains(&format!("2^{k} powers checked in")), "{run:?}");
}
