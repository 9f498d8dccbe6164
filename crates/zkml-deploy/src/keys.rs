//! Who signs: a keystore, an environment variable, a hardware wallet, or the test chain's public key.
//!
//! Keys are never arguments, and are never printed.

use std::{env, fs, path::Path};

use alloy::{
    network::TxSigner,
    primitives::{Address, B256, Signature},
    signers::local::PrivateKeySigner,
};
use serde::Deserialize;

use crate::{DeployError, Result, error::KeystoreError, secret};

/// The one chain on which [`Account::test`] works.
pub const TEST_KEY_CHAIN: u64 = 31_337;
/// The first key of anvil's and hardhat's development mnemonic: everybody has it.
const TEST_KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
/// Largest scrypt cost: twice that of the strongest keystores in use; takes 512 MiB at `r = 8`.
const MOST_SCRYPT_COST: u64 = 1 << 19;
/// Fewest bytes of a password that is hidden in all that is shown. Nothing shows it in any case.
const LONG_PASSWORD: usize = 8;
/// Most rounds of PBKDF2.
const MOST_ROUNDS: u64 = 10_000_000;

/// An account that signs.
pub struct Account {
    signer: Box<dyn TxSigner<Signature> + Send + Sync>,
    address: Address,
}

impl Account {
    /// The key in an encrypted keystore (Web3 Secret Storage, version 3).
    ///
    /// # Errors
    /// [`DeployError::Keystore`] for a file that is missing or none, and for a wrong password.
    pub fn keystore(path: &Path, password: &str) -> Result<Self> {
        let refuse = |source| DeployError::Keystore { path: path.to_owned(), source };
        // A short one is an ordinary word, and messages would lose theirs.
        if password.len() >= LONG_PASSWORD {
            secret::register(password);
        }
        let bytes = fs::read(path).map_err(|e| refuse(KeystoreError::Unreadable(e)))?;
        Keystore::check(&bytes).map_err(refuse)?;
        let signer = PrivateKeySigner::decrypt_keystore(path, password).map_err(|e| {
            // The library says "Mac Mismatch", which helps nobody.
            let wrong = e.to_string().contains("Mac");
            refuse(if wrong { KeystoreError::Password } else { KeystoreError::Content(e) })
        })?;
        secret::register_key(&signer.to_bytes().0);
        Ok(Self::of(signer))
    }

    /// The key in an environment variable: 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`DeployError::KeyVariable`].
    pub fn environment(variable: &str) -> Result<Self> {
        let refuse = |why| DeployError::KeyVariable { variable: variable.to_owned(), why };
        let text = env::var(variable).map_err(|_| refuse("is not set"))?;
        secret::register(&text);
        if let Ok(key) = text.trim().parse::<B256>() {
            secret::register_key(&key.0);
        }
        Self::parse(text.trim()).ok_or_else(|| refuse("does not hold a private key: 64 hexadecimal digits"))
    }

    /// The public key of development chains.
    ///
    /// # Errors
    /// [`DeployError::TestKeyElsewhere`] on every other chain.
    pub fn test(chain_id: u64) -> Result<Self> {
        if chain_id != TEST_KEY_CHAIN {
            return Err(DeployError::TestKeyElsewhere { chain_id, allowed: TEST_KEY_CHAIN });
        }
        Self::parse(TEST_KEY).ok_or(DeployError::TestKeyElsewhere { chain_id, allowed: TEST_KEY_CHAIN })
    }

    /// The account of this number on a Ledger, as Ledger Live counts them.
    ///
    /// # Errors
    /// [`DeployError::Ledger`].
    #[cfg(feature = "ledger")]
    pub async fn ledger(index: usize, chain_id: u64) -> Result<Self> {
        use alloy::signers::ledger::{HDPath, LedgerSigner};
        let path = HDPath::LedgerLive(index);
        let signer = LedgerSigner::new(path, Some(chain_id))
            .await
            .map_err(|e| DeployError::Ledger { source: Box::new(e) })?;
        Ok(Self { address: TxSigner::address(&signer), signer: Box::new(signer) })
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes: B256 = text.parse().ok()?;
        PrivateKeySigner::from_bytes(&bytes).ok().map(Self::of)
    }

    fn of(signer: PrivateKeySigner) -> Self {
        Self { address: signer.address(), signer: Box::new(signer) }
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> Address {
        self.address
    }

    pub(crate) fn signer(&self) -> &(dyn TxSigner<Signature> + Send + Sync) {
        self.signer.as_ref()
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Account({})", self.address)
    }
}

/// What a keystore must hold before the library that opens it is shown it: that one takes lengths as they come.
#[derive(Deserialize)]
struct Keystore {
    crypto: Crypto,
    version: u8,
}

#[derive(Deserialize)]
struct Crypto {
    cipher: String,
    cipherparams: CipherParams,
    ciphertext: String,
    kdfparams: KdfParams,
}

#[derive(Deserialize)]
struct CipherParams {
    iv: String,
}

#[derive(Deserialize)]
struct KdfParams {
    dklen: u64,
    #[serde(default)]
    n: u64,
    #[serde(default)]
    r: u64,
    #[serde(default)]
    p: u64,
    #[serde(default)]
    c: u64,
}

impl Keystore {
    fn check(bytes: &[u8]) -> Result<(), KeystoreError> {
        let keystore: Self = serde_json::from_slice(bytes).map_err(KeystoreError::Format)?;
        let Crypto { cipher, cipherparams, ciphertext, kdfparams: kdf } = keystore.crypto;
        if keystore.version != 3 {
            return Err(KeystoreError::Version { found: keystore.version });
        }
        if cipher != "aes-128-ctr" || cipherparams.iv.len() != 32 || ciphertext.len() != 64 {
            return Err(KeystoreError::Cipher);
        }
        let scrypt = kdf.c == 0
            && kdf.n.is_power_of_two()
            && (2..=MOST_SCRYPT_COST).contains(&kdf.n)
            && (1..=16).contains(&kdf.r)
            && (1..=16).contains(&kdf.p);
        let pbkdf2 = kdf.n == 0 && (1..=MOST_ROUNDS).contains(&kdf.c);
        if kdf.dklen != 32 || !(scrypt || pbkdf2) {
            let KdfParams { dklen, n, r, p, c } = kdf;
            let (most_n, most_c) = (MOST_SCRYPT_COST, MOST_ROUNDS);
            return Err(KeystoreError::Derivation { dklen, n, r, p, c, most_n, most_c });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::with_causes;
    use serde_json::{Value, json};

    /// The test vector of the Web3 Secret Storage definition with PBKDF2, password `testpassword`. Its other one has
    /// parameters that scrypt's definition (RFC 7914) excludes.
    fn vector() -> Value {
        json!({
            "crypto": {
                "cipher": "aes-128-ctr",
                "cipherparams": { "iv": "6087dab2f9fdbbfaddc31a909735c1e6" },
                "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
                "kdf": "pbkdf2",
                "kdfparams": {
                    "c": 262_144, "dklen": 32, "prf": "hmac-sha256",
                    "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"
                },
                "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"
            },
            "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
            "version": 3
        })
    }

    /// The same key behind scrypt; cipher text and key derivation are Node's.
    fn scrypt() -> Value {
        let mut document = vector();
        let tail = "1db193c80ea38b0aa482003c43eb6d2c8324482192e1c5515f0dcb735d5e8a9e";
        let behind = hex::decode(format!("5961e3e1cad48795e45869994e82250e{tail}")).unwrap();
        let mac = zkml_protocol::keccak256([behind.as_slice()]);
        let crypto = &mut document["crypto"];
        crypto["cipherparams"]["iv"] = json!("0102030405060708090a0b0c0d0e0f10");
        crypto["ciphertext"] = json!(tail);
        crypto["kdf"] = json!("scrypt");
        let salt = "00112233445566778899aabbccddeeff".repeat(2);
        crypto["kdfparams"] = json!({ "dklen": 32, "n": 4_096, "r": 8, "p": 1, "salt": salt });
        crypto["mac"] = json!(hex::encode(mac.0));
        document
    }

    fn open(document: &Value, password: &str) -> Result<Account> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), document.to_string()).unwrap();
        Account::keystore(file.path(), password)
    }

    #[test]
    fn opens_what_others_have_encrypted() {
        let [account, other] = [vector(), scrypt()].map(|document| open(&document, "testpassword").unwrap());
        assert_eq!(account.address(), other.address());
        let key = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
        assert_eq!(account.address(), Account::parse(key).unwrap().address());
        assert!(!format!("{account:?}").contains("7a28"));
    }

    #[test]
    fn wrong_passwords_and_damaged_files_are_refused() {
        let error = with_causes(&open(&vector(), "wrong").unwrap_err());
        assert!(error.contains("the password is wrong") && !error.contains("wrong password"), "{error}");
        let edits: [(&str, Value); 8] = [
            ("/version", json!(4)),
            ("/crypto/cipher", json!("aes-256-gcm")),
            ("/crypto/cipherparams/iv", json!("83")),
            ("/crypto/ciphertext", json!("")),
            ("/crypto/kdfparams/dklen", json!(8)),
            ("/crypto/kdfparams/n", json!(4_294_967_295u64)),
            ("/crypto/kdfparams/r", json!(1_000_000)),
            ("/crypto/kdfparams/p", json!(0)),
        ];
        for (path, value) in edits {
            let mut edited = scrypt();
            *edited.pointer_mut(path).unwrap() = value;
            assert!(matches!(open(&edited, "testpassword"), Err(DeployError::Keystore { .. })), "{path}");
        }
        let missing = with_causes(&Account::keystore(Path::new("/nowhere/key.json"), "x").unwrap_err());
        assert!(missing.contains("/nowhere/key.json") && missing.contains("cannot be read"), "{missing}");
    }

    #[test]
    fn the_test_key_stays_on_the_test_chain() {
        let address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
        assert_eq!(Account::test(TEST_KEY_CHAIN).unwrap().address().to_string(), address);
        for chain in [1, 11_155_111, 1_337] {
            assert!(matches!(Account::test(chain), Err(DeployError::TestKeyElsewhere { .. })));
        }
    }

    #[test]
    fn variables_without_a_key_are_refused_without_their_text() {
        let error = with_causes(&Account::environment("ZKML_TEST_NO_SUCH_KEY").unwrap_err());
        assert_eq!(error, "ZKML_TEST_NO_SUCH_KEY is not set");
        assert!(Account::parse("12").is_none() && Account::parse(&"00".repeat(32)).is_none());
        assert!(Account::parse(&format!("0x{TEST_KEY}")).is_some());
    }
}
