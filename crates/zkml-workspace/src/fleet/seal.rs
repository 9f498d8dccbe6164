//! Texts that only workers can read: libsodium's sealed boxes (X25519, XSalsa20, Poly1305), for the fleet's key pair.

use super::FleetError;
use crate::{
    artifacts::Staged,
    error::{Error, Result},
};
use crypto_box::{PublicKey, SecretKey, aead::rand_core::OsRng};
use serde::Serialize;
use std::{
    fmt,
    path::{Path, PathBuf},
};

const SECRET: &str = "zkml-fleet-secret-1:";
const PUBLIC: &str = "zkml-fleet-public-1:";

/// The fleet's public key: whoever has it can seal.
#[derive(Clone)]
pub struct FleetKey(PublicKey);

impl fmt::Debug for FleetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FleetKey({})", self.digits())
    }
}

/// The fleet's secret key: whoever has it can read what is sealed.
#[derive(Clone)]
pub struct FleetIdentity(SecretKey);

impl fmt::Debug for FleetIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FleetIdentity(…)")
    }
}

/// Files of a new key pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IdentityReport {
    /// The secret key, for workers.
    pub identity: PathBuf,
    /// The public key, for whoever seals.
    pub public: PathBuf,
    /// It, in hexadecimal digits.
    pub key: String,
}

/// Makes the fleet's key pair: the secret in a file that only its owner can read, and its public half beside it.
///
/// # Errors
/// [`FleetError::Key`] when there is such a file: what was sealed for it could not be read any more. [`Error::Io`].
pub fn make_identity(path: &Path) -> Result<IdentityReport> {
    let secret = SecretKey::generate(&mut OsRng);
    let key = hex::encode(secret.public_key().as_bytes());
    let text = format!("{SECRET}{}\n", hex::encode(secret.to_bytes()));
    if !Staged::private(path, text.as_bytes())?.publish_new()? {
        return Err(FleetError::Key {
            path: path.to_owned(),
            what: "new file: name another one, a key is never replaced",
        }
        .into());
    }
    let public = PathBuf::from(format!("{}.pub", path.display()));
    crate::artifacts::write_whole(&public, format!("{PUBLIC}{key}\n").as_bytes())?;
    Ok(IdentityReport { identity: path.to_owned(), public, key })
}

impl FleetKey {
    /// Reads a public key.
    ///
    /// # Errors
    /// [`Error::Io`], [`FleetError::Key`].
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = key_of(path, PUBLIC, "public key of a fleet: `zkml-chain queue identity` makes one")?;
        Ok(Self(PublicKey::from(bytes)))
    }

    /// It, in hexadecimal digits: by this the queue finds workers that open what is sealed for it.
    #[must_use]
    pub fn digits(&self) -> String {
        hex::encode(self.0.as_bytes())
    }

    /// Seals bytes; each time they look different.
    ///
    /// # Errors
    /// [`FleetError::Key`], which no key of ours gives.
    pub fn seal(&self, bytes: &[u8]) -> Result<Vec<u8>> {
        let failed =
            |_| FleetError::Key { path: PathBuf::from("the fleet's key"), what: "key that can seal" };
        Ok(self.0.seal(&mut OsRng, bytes).map_err(failed)?)
    }
}

impl FleetIdentity {
    /// Reads a secret key.
    ///
    /// # Errors
    /// [`Error::Io`], [`FleetError::Key`].
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = key_of(path, SECRET, "secret key of a fleet: `zkml-chain queue identity` makes one")?;
        zkml_deploy::secret::register_key(&bytes);
        Ok(Self(SecretKey::from(bytes)))
    }

    /// Returns true if its file can be read by everybody on this machine.
    #[must_use]
    pub fn is_open_to_all(path: &Path) -> bool {
        #[cfg(unix)]
        let open = {
            use std::os::unix::fs::PermissionsExt;
            std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o004 != 0)
        };
        #[cfg(not(unix))]
        let open = path.as_os_str().is_empty();
        open
    }

    /// Its public key.
    #[must_use]
    pub fn public(&self) -> FleetKey {
        FleetKey(self.0.public_key())
    }

    /// Opens what was sealed for it; none if it was sealed for another key, or changed.
    #[must_use]
    pub fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        self.0.unseal(sealed).ok()
    }
}

fn key_of(path: &Path, mark: &str, what: &'static str) -> Result<[u8; 32]> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::io("read", path, e))?;
    let digits = text.trim().strip_prefix(mark).and_then(|digits| hex::decode(digits).ok());
    let bytes = digits.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    bytes.ok_or_else(|| FleetError::Key { path: path.to_owned(), what }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_identity_opens_what_was_sealed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fleet");
        let made = make_identity(&path).unwrap();
        assert!(make_identity(&path).is_err(), "it is never replaced");
        let (key, identity) = (FleetKey::read(&made.public).unwrap(), FleetIdentity::read(&path).unwrap());
        let sealed = key.seal(b"salt").unwrap();
        assert_ne!(sealed, key.seal(b"salt").unwrap());
        assert_eq!((key.digits(), identity.public().digits()), (made.key.clone(), made.key.clone()));
        assert_eq!(identity.open(&sealed).unwrap(), b"salt");
        for place in 0..sealed.len() {
            let mut other = sealed.clone();
            other[place] ^= 1;
            assert!(identity.open(&other).is_none(), "byte {place}");
        }
        assert!(identity.open(&sealed[..40]).is_none() && identity.open(&[]).is_none());
        let stranger = make_identity(&folder.path().join("stranger")).unwrap();
        assert!(FleetIdentity::read(&stranger.identity).unwrap().open(&sealed).is_none());
        assert!(
            FleetKey::read(&path).is_err() && FleetIdentity::read(&made.public).is_err(),
            "halves are not exchanged"
        );
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        assert!(!FleetIdentity::is_open_to_all(&path) && FleetIdentity::is_open_to_all(&made.public));
    }

    /// A box that libsodium's own library has sealed: PyNaCl's `SealedBox`, for the secret key of 32 bytes 7.
    #[test]
    fn libsodium_seals_for_us() {
        let sealed = hex::decode(include_str!("sealed_by_libsodium.hex").trim()).unwrap();
        assert_eq!(FleetIdentity(SecretKey::from([7; 32])).open(&sealed).unwrap(), b"salts and inputs");
    }
}
