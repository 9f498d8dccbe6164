//! Addresses that are known before anything is there: CREATE2 (EIP-1014), by one factory on all chains.

use zkml_protocol::{VerifierProgram, Word, keccak256};

/// The factory that most chains have, which deploys `salt ‖ init code` by CREATE2
/// (<https://github.com/Arachnid/deterministic-deployment-proxy>).
pub const CREATE2_FACTORY: [u8; 20] = [
    0x4e, 0x59, 0xb4, 0x48, 0x47, 0xb3, 0x79, 0x57, 0x85, 0x88, 0x92, 0x0c, 0xa7, 0x8f, 0xbf, 0x26, 0xc0,
    0xb4, 0x95, 0x6c,
];

/// Separates these salts from everybody else's.
const SALT_TAG: &[u8] = b"zkml-chain/deploy/v1";

/// The salt of a program's verifier: Keccak-256 of a tag, the length and text of the toolkit's version, and
/// the verifying key's digest.
#[must_use]
pub fn salt(program: &dyn VerifierProgram) -> Word {
    let version = program.statement().toolkit_version.as_bytes();
    let length = Word::from_u64(version.len() as u64);
    keccak256([SALT_TAG, &length.0, version, &program.vk_digest().0])
}

/// The address that `factory` gives to a contract (EIP-1014):
/// the last 20 bytes of `keccak256(0xff ‖ factory ‖ salt ‖ keccak256(init_code))`.
#[must_use]
pub fn create2_address(factory: &[u8; 20], salt: &Word, init_code: &[u8]) -> [u8; 20] {
    let code_hash = keccak256([init_code]);
    let hash = keccak256([[0xff].as_slice(), factory, &salt.0, &code_hash.0]);
    let mut address = [0; 20];
    address.copy_from_slice(&hash.0[12..]);
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> [u8; 20] {
        let word = Word::from_hex(&format!("{text:0>64}")).unwrap();
        word.0[12..].try_into().unwrap()
    }

    /// Examples of EIP-1014.
    #[test]
    fn create2_addresses_are_the_eip_s() {
        let zero = create2_address(&[0; 20], &Word::ZERO, &[0]);
        assert_eq!(zero, address("4d1a2e2bb4f88f0250f26ffff098b0b30b26bf38"));
        let deadbeef =
            create2_address(&address("deadbeef00000000000000000000000000000000"), &Word::ZERO, &[0]);
        assert_eq!(deadbeef, address("b928f69bb1d91cd65274e3c79d8986362984fda3"));
        let code = create2_address(
            &address("00000000000000000000000000000000deadbeef"),
            &Word::from_u64(0xcafe_babe),
            &[0xde, 0xad, 0xbe, 0xef],
        );
        assert_eq!(code, address("60f3f640a8508fc6a86d45df051962668e1e8ac7"));
    }

    #[test]
    fn the_salt_depends_on_version_and_key() {
        let text = include_str!("../../../tests/fixtures/protocol/plain.json");
        let sample: zkml_protocol::plonk::Sample = serde_json::from_str(text).unwrap();
        let mut other = sample.program.clone();
        other.statement.toolkit_version.push('1');
        assert_ne!(salt(&sample.program), salt(&other));
        let mut other = sample.program.clone();
        other.key_repr = Word::ONE;
        assert_ne!(salt(&sample.program), salt(&other));
        let mut other = sample.program.clone();
        other.statement.model_name.push('1');
        assert_eq!(salt(&sample.program), salt(&other), "one verifier may serve several models");
    }
}
