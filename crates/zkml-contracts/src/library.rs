//! The sources of the contracts that generated ones build on, so that the toolkit compiles them wherever it runs.

/// What the names of all files begin with: the npm package, as an import has it.
pub const PREFIX: &str = "@zkml-chain/contracts/src/";

macro_rules! sources {
    ($($file:literal,)+) => {
        /// Files as imports name them, with their text.
        pub const SOURCES: &[(&str, &str)] = &[$((
            concat!("@zkml-chain/contracts/src/", $file),
            include_str!(concat!("../../../contracts/src/", $file)),
        )),+];
    };
}

sources! {
    "ZKMLAcceptance.sol",
    "ZKMLAttestors.sol",
    "ZKMLBatchConsumer.sol",
    "ZKMLConsumer.sol",
    "ZKMLDomain.sol",
    "ZKMLEmergencyStop.sol",
    "ZKMLInferenceStore.sol",
    "ZKMLLedger.sol",
    "ZKMLOwnable.sol",
    "ZKMLPausable.sol",
    "ZKMLRandaoBeacon.sol",
    "ZKMLRegistry.sol",
    "ZKMLRelayed.sol",
    "ZKMLRequests.sol",
    "ZKMLRevealBeacon.sol",
    "ZKMLRewards.sol",
    "ZKMLRouter.sol",
    "ZKMLTiers.sol",
    "ZKMLVerifier.sol",
    "interfaces/IERCZKMLRegistry.sol",
    "interfaces/IERCZKMLStorageExtension.sol",
    "interfaces/IERCZKMLVerifier.sol",
    "interfaces/IModelPairing.sol",
    "interfaces/IModelVerifier.sol",
    "interfaces/IZKMLAcceptance.sol",
    "interfaces/IZKMLAttestors.sol",
    "interfaces/IZKMLBatchVerifier.sol",
    "interfaces/IZKMLBeacon.sol",
    "interfaces/IZKMLLedger.sol",
    "interfaces/IZKMLRegistry.sol",
    "interfaces/IZKMLRequests.sol",
    "interfaces/IZKMLRewards.sol",
    "interfaces/IZKMLRouter.sol",
    "interfaces/IZKMLVerifier.sol",
    "libraries/TestChains.sol",
    "libraries/ZKMLAddress.sol",
    "libraries/ZKMLCodec.sol",
    "libraries/ZKMLCommitment.sol",
    "libraries/ZKMLPairing.sol",
    "libraries/ZKMLPolicy.sol",
    "libraries/ZKMLProvable.sol",
    "libraries/ZKMLStatement.sol",
    "provenance/SignedDataRoot.sol",
}

/// The text of a file, by the name that imports have for it.
#[must_use]
pub fn source(name: &str) -> Option<&'static str> {
    SOURCES.iter().find(|(file, _)| *file == name).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, fs, path::PathBuf};

    /// Examples, adapters and mocks build on these files, never the other way round.
    #[test]
    fn all_files_are_there() {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../contracts/src");
        let mut expected = BTreeSet::new();
        for folder in ["", "interfaces/", "libraries/", "provenance/"] {
            for entry in fs::read_dir(root.join(folder)).unwrap().map(Result::unwrap) {
                let name = entry.file_name().into_string().unwrap();
                if name.ends_with(".sol") {
                    expected.insert(format!("{PREFIX}{folder}{name}"));
                }
            }
        }
        let found: BTreeSet<String> = SOURCES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(found, expected, "the table in library.rs lists the files of contracts/src");
    }
}
