//! Which chains there are, and where the environment says that they are.

use std::{env, fs, path::Path};

use zkml_contracts::chains;
pub use zkml_contracts::chains::Chain;

use crate::{
    DeployError, Result,
    error::{ChainsFileError, UrlError},
    secret,
};

/// The known chains, and those that a file adds.
#[derive(Debug, Clone)]
pub struct Chains {
    chains: Vec<Chain>,
}

impl Chains {
    /// The known chains, and those of `file` if one is named.
    ///
    /// # Errors
    /// [`DeployError::ChainsFile`] when the file cannot be read, or takes the name or the id of a known chain for another.
    pub fn load(file: Option<&Path>) -> Result<Self> {
        let mut chains = chains::all().to_vec();
        let Some(path) = file else { return Ok(Self { chains }) };
        let refuse = |source| DeployError::ChainsFile { path: path.to_owned(), source };
        let text = fs::read_to_string(path).map_err(|e| refuse(ChainsFileError::Unreadable(e)))?;
        for chain in chains::parse(&text).map_err(|e| refuse(ChainsFileError::Syntax(e)))? {
            match chains.iter_mut().find(|known| known.name == chain.name || known.id == chain.id) {
                None => chains.push(chain),
                Some(known) if (&known.name, known.id, known.test) == (&chain.name, chain.id, chain.test) => {
                    *known = chain;
                }
                Some(known) => {
                    return Err(refuse(ChainsFileError::Clash {
                        name: chain.name,
                        id: chain.id,
                        known: Box::new(known.clone()),
                    }));
                }
            }
        }
        Ok(Self { chains })
    }

    /// The chain with this name, or this number.
    ///
    /// # Errors
    /// [`DeployError::UnknownChain`].
    pub fn find(&self, name: &str) -> Result<&Chain> {
        let id = name.parse::<u64>().ok();
        self.chains.iter().find(|chain| chain.name == name || Some(chain.id) == id).ok_or_else(|| {
            let known = self.chains.iter().map(|chain| chain.name.as_str()).collect::<Vec<_>>().join(", ");
            DeployError::UnknownChain { name: name.to_owned(), known }
        })
    }
}

/// The URL of a JSON-RPC endpoint. Its text may hold a key, so only the host is ever shown.
#[derive(Clone)]
pub struct RpcUrl {
    url: reqwest::Url,
}

impl RpcUrl {
    /// What the environment says about a chain.
    ///
    /// # Errors
    /// [`DeployError::NoRpcUrl`], [`DeployError::BadRpcUrl`].
    pub fn of(chain: &Chain) -> Result<Self> {
        let variable = &chain.rpc;
        match env::var(variable) {
            Ok(text) if !text.trim().is_empty() => Self::parse(variable, text.trim()),
            _ => Err(DeployError::NoRpcUrl { chain: chain.name.clone(), variable: variable.clone() }),
        }
    }

    /// Takes the text of a variable.
    ///
    /// # Errors
    /// [`DeployError::BadRpcUrl`].
    pub fn parse(variable: &str, text: &str) -> Result<Self> {
        let refuse = |source| DeployError::BadRpcUrl { variable: variable.to_owned(), source };
        let url = reqwest::Url::parse(text).map_err(|e| {
            secret::register(text);
            refuse(UrlError::Syntax(e))
        })?;
        secret::register_url(&url);
        match (url.scheme(), url.host_str()) {
            ("http" | "https", Some(_)) => Ok(Self { url }),
            (scheme, _) => Err(refuse(UrlError::Scheme { scheme: scheme.to_owned() })),
        }
    }

    /// Host and port.
    #[must_use]
    pub fn endpoint(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    pub(crate) fn url(&self) -> &reqwest::Url {
        &self.url
    }
}

impl std::fmt::Debug for RpcUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RpcUrl({})", self.endpoint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::with_causes;

    fn file(text: &str) -> Result<Chains> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        Chains::load(Some(file.path()))
    }

    const OWN: &str = "[[chain]]\nname = \"own\"\nid = 777\ntest = true\nrpc = \"OWN_RPC_URL\"\nevm_version = \"shanghai\"\nconfirmations = 1\nblock_seconds = 1\n";

    #[test]
    fn a_file_adds_chains_and_takes_none_over() {
        let chains = file(OWN).unwrap();
        assert_eq!(chains.find("own").unwrap().id, 777);
        assert_eq!(chains.find("777").unwrap().name, "own");
        assert_eq!(chains.find("sepolia").unwrap().id, 11_155_111);
        for (from, to) in [("777", "1"), ("\"own\"", "\"mainnet\"")] {
            let error = with_causes(&file(&OWN.replace(from, to)).unwrap_err());
            assert!(error.contains("clashes with the live chain \"mainnet\""), "{error}");
        }
        let mainnet = OWN.replace("777", "1").replace("\"own\"", "\"mainnet\"");
        assert!(with_causes(&file(&mainnet).unwrap_err()).contains("clashes"), "mainnet is no test chain");
        assert!(file(&mainnet.replace("test = true", "test = false")).is_ok(), "limits may be changed");
    }

    #[test]
    fn unknown_chains_and_bad_files_are_refused() {
        let error = Chains::load(None).unwrap().find("goerli").unwrap_err().to_string();
        assert!(
            error.contains("\"goerli\"") && error.contains("hoodi") && error.contains("--chains"),
            "{error}"
        );
        assert!(matches!(file("[[chain]]\nname = 3"), Err(DeployError::ChainsFile { .. })));
        assert!(matches!(Chains::load(Some(Path::new("/nowhere"))), Err(DeployError::ChainsFile { .. })));
    }

    #[test]
    fn only_the_host_of_a_url_is_shown() {
        let url = RpcUrl::parse("X", "https://user:secret@node.example:8443/v2/key?x=secret").unwrap();
        assert_eq!(format!("{url:?}"), "RpcUrl(node.example:8443)");
        for bad in ["secret", "ftp://secret.example/", "file:///secret"] {
            let error = with_causes(&RpcUrl::parse("X", bad).unwrap_err());
            assert!(error.starts_with("X ") && !error.contains("secret"), "{error}");
        }
    }
}
