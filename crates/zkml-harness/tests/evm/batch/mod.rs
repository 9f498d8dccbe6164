//! Batches under attack: what a forger does that chooses every point, and what it does against verifiers of real proofs.

mod chosen;
mod proofs;

use zkml_contracts::library;
use zkml_harness::{Call, Settings, Solc, StackCode};

/// A check of batches that is taken away: the end of a file's name, a text in it that is there once, and what replaces it.
#[derive(Clone, Copy, Debug)]
struct Removed {
    file: &'static str,
    before: &'static str,
    after: &'static str,
}

/// One in the arithmetic of batches.
const fn pairing(before: &'static str, after: &'static str) -> Removed {
    Removed { file: "libraries/ZKMLPairing.sol", before, after }
}

/// One in the contract that gathers them.
const fn verifier(before: &'static str, after: &'static str) -> Removed {
    Removed { file: "src/ZKMLVerifier.sol", before, after }
}

/// The weight is one: pairings are multiplied as they are.
const UNWEIGHTED: Removed = pairing("uint256 weight = uint256(seen) % _R;", "uint256 weight = 1; seen;");
/// The weight is a hash of the statements alone.
const WITHOUT_POINTS: Removed =
    pairing("mstore(0x20, keccak256(pairs, shl(5, add(mload(pairs), 1))))", "mstore(0x20, mload(pairs))");

/// The stack with each of the checks taken away, compiled at once.
fn stacks_without(removed: &[Removed]) -> Vec<StackCode> {
    let own = ["ZKMLPairing", "ZKMLVerifier"];
    let mut files: Vec<(String, String)> = StackCode::sources().iter().map(|(n, t)| owned(n, t)).collect();
    for (number, Removed { file, before, after }) in removed.iter().enumerate() {
        for name in own {
            let (path, text) = library::SOURCES
                .iter()
                .find(|(path, _)| path.ends_with(&format!("/{name}.sol")))
                .expect("the library has it");
            let mut text = (*text).to_owned();
            if path.ends_with(file) {
                assert_eq!(text.matches(before).count(), 1, "{before}");
                text = text.replace(before, after);
            }
            let renamed = own.iter().fold(text, |text, name| text.replace(name, &format!("{name}{number}")));
            // An interface's name begins with the verifier's.
            let renamed = renamed.replace(&format!("IZKMLVerifier{number}"), "IZKMLVerifier");
            let renamed = renamed.replace(&format!("IERCZKMLVerifier{number}"), "IERCZKMLVerifier");
            files.push((path.replace(name, &format!("{name}{number}")), renamed));
        }
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let compiled = Solc::find().unwrap().compile(&files, &Settings::default()).unwrap();
    let intact = StackCode::of(&compiled).unwrap();
    let altered = |number| StackCode {
        verifier: compiled.contract(&format!("ZKMLVerifier{number}")).unwrap().clone(),
        ..intact.clone()
    };
    (0..removed.len()).map(altered).collect()
}

/// The last two words that were hashed together: the hash so far and that of a proof's points.
fn last_pair(call: &Call) -> &[u8] {
    call.hashed.iter().rfind(|input| input.len() == 64).expect("two words")
}

fn owned(name: &str, text: &str) -> (String, String) {
    (name.to_owned(), text.to_owned())
}
