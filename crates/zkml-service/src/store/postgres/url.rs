//! The address of a server: a secret, for its password.

use std::{env, fmt, net::IpAddr, path::PathBuf, str::FromStr, sync::Arc};

use percent_encoding::percent_decode_str;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio_postgres::{
    Config,
    config::{Host, SslMode},
};
use tokio_postgres_rustls::MakeRustlsConnect;
use zkml_deploy::secret;

use crate::store::{StoreError, StoreErrorKind};

/// A database's URL that is missing, or none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} is of no use: {why}", DatabaseUrl::VARIABLE)]
pub struct BadDatabaseUrl {
    /// Its fault, without any of its text.
    pub why: String,
}

type Result<T, E = BadDatabaseUrl> = std::result::Result<T, E>;

/// A server's URL, as libpq writes it: `postgres://user:password@host/database?sslmode=verify-full&sslrootcert=FILE`. Only host and
/// database are ever shown.
///
/// Over a network it is reached by TLS with a certificate that is checked, by the authorities of `sslrootcert` or by the system's;
/// `sslmode=disable` is for this machine only.
#[derive(Clone)]
pub struct DatabaseUrl {
    config: Config,
    roots: Option<PathBuf>,
}

const FORM: &str = "it is no URL of the form postgres://user:password@host/database";
/// Modes of libpq for which TLS is used here; a certificate is always checked.
const WITH_TLS: [&str; 3] = ["require", "verify-ca", "verify-full"];

impl DatabaseUrl {
    /// The variable that it is read from.
    pub const VARIABLE: &str = "ZKML_DATABASE_URL";

    /// Takes the URL of the environment.
    ///
    /// # Errors
    /// [`BadDatabaseUrl`] when the variable is not set, or is no such URL.
    pub fn environment() -> Result<Self> {
        match env::var(Self::VARIABLE) {
            Ok(text) if !text.trim().is_empty() => Self::parse(text.trim()),
            _ => Err(refused("it is not set")),
        }
    }

    /// Takes a URL.
    ///
    /// # Errors
    /// [`BadDatabaseUrl`].
    pub fn parse(text: &str) -> Result<Self> {
        secret::register(text);
        if !["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
            return Err(refused(FORM));
        }
        let (address, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut mode, mut roots, mut rest) = (None, None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", named)) => mode = Some(named.to_owned()),
                Some(("sslrootcert", file)) => {
                    let file = percent_decode_str(file).decode_utf8();
                    roots = Some(PathBuf::from(file.map_err(|_| refused(FORM))?.as_ref()));
                }
                _ => rest.push(pair),
            }
        }
        // What it says of a URL that it cannot read may repeat a part of it.
        let plain = format!("{address}?{}", rest.join("&"));
        let mut config = Config::from_str(plain.trim_end_matches('?')).map_err(|_| refused(FORM))?;
        if let Some(password) = config.get_password() {
            secret::register(&String::from_utf8_lossy(password));
        }
        if !config.get_hostaddrs().is_empty() {
            return Err(refused(
                "it has a hostaddr: name the host, which its certificate is checked against",
            ));
        }
        if config.get_hosts().is_empty() {
            return Err(refused("it names no host"));
        }
        config.ssl_mode(ssl_mode(mode.as_deref(), &config)?);
        config.connect_timeout(std::time::Duration::from_secs(10));
        config.keepalives_idle(std::time::Duration::from_secs(5));
        config.keepalives_interval(std::time::Duration::from_secs(5));
        config.keepalives_retries(3);
        config.tcp_user_timeout(std::time::Duration::from_secs(20));
        Ok(Self { config, roots })
    }

    /// Settings and TLS of a connection.
    pub(super) fn parts(&self) -> Result<(Config, Option<MakeRustlsConnect>), StoreError> {
        let tls = match self.config.get_ssl_mode() {
            SslMode::Disable => None,
            _ => Some(MakeRustlsConnect::new(self.tls()?)),
        };
        Ok((self.config.clone(), tls))
    }

    fn tls(&self) -> Result<ClientConfig, StoreError> {
        let bad = |why: String| StoreError::new(StoreErrorKind::Other, why);
        let mut roots = RootCertStore::empty();
        let named;
        let certificates = if let Some(file) = &self.roots {
            named = file.display().to_string();
            let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
            read.map_err(|e| bad(format!("the certificates of {named} cannot be read: {e}")))?
        } else {
            named = "the system".to_owned();
            rustls_native_certs::load_native_certs().certs
        };
        roots.add_parsable_certificates(certificates);
        if roots.is_empty() {
            return Err(bad(format!(
                "there is no authority's certificate in {named}: name one by sslrootcert=FILE"
            )));
        }
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|e| bad(e.to_string()))?;
        Ok(config.with_root_certificates(roots).with_no_client_auth())
    }
}

fn ssl_mode(named: Option<&str>, config: &Config) -> Result<SslMode> {
    let here = config.get_hosts().iter().all(is_here);
    match named {
        None if here => Ok(SslMode::Disable),
        None => Ok(SslMode::Require),
        Some("disable") if here => Ok(SslMode::Disable),
        Some("disable") => Err(refused(
            "sslmode=disable is for a server on this machine: use sslmode=verify-full and sslrootcert=FILE",
        )),
        Some(mode) if WITH_TLS.contains(&mode) => Ok(SslMode::Require),
        Some(_) => Err(refused("its sslmode is none of disable, require, verify-ca, verify-full")),
    }
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
        }
        Host::Unix(_) => true,
    }
}

fn refused(why: &str) -> BadDatabaseUrl {
    BadDatabaseUrl { why: why.to_owned() }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = match self.config.get_hosts().first() {
            Some(Host::Tcp(name)) => name.clone(),
            Some(Host::Unix(path)) => path.display().to_string(),
            None => "a server".to_owned(),
        };
        let database = self.config.get_dbname().or(self.config.get_user()).unwrap_or("postgres");
        write!(f, "{database} at {host}")
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(text: &str) -> Result<SslMode, String> {
        DatabaseUrl::parse(text).map(|url| url.config.get_ssl_mode()).map_err(|e| e.to_string())
    }

    #[test]
    fn a_network_is_crossed_with_a_checked_certificate_only() {
        for here in ["localhost", "127.0.0.1:5433", "[::1]"] {
            assert_eq!(mode(&format!("postgres://u@{here}/d")), Ok(SslMode::Disable));
            assert_eq!(mode(&format!("postgres://u@{here}/d?sslmode=verify-full")), Ok(SslMode::Require));
        }
        assert_eq!(mode("postgres://u@db.example/d"), Ok(SslMode::Require));
        assert_eq!(
            mode("postgres://u@db.example/d?sslmode=require&application_name=a"),
            Ok(SslMode::Require)
        );
        let refused = mode("postgres://u@db.example/d?sslmode=disable").unwrap_err();
        assert!(refused.contains("on this machine"), "{refused}");
        for addressed in
            ["postgres:///d?hostaddr=192.0.2.2&user=u", "postgres://u@localhost/d?hostaddr=192.0.2.2"]
        {
            assert!(mode(addressed).unwrap_err().contains("hostaddr"), "{addressed}");
        }
        // Modes that would do without TLS where somebody asks for that.
        for mode_named in ["prefer", "allow", "no"] {
            assert!(mode(&format!("postgres://u@db.example/d?sslmode={mode_named}")).is_err());
        }
    }

    #[test]
    fn no_message_repeats_a_password() {
        for text in [
            "postgres://u:hunter2@h:x/d",
            "hunter2",
            "postgres:///d?password=hunter2&odd=1",
            "postgres://u:hunter2@/d",
        ] {
            let error = mode(text).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
        let url = DatabaseUrl::parse("postgres://u:hunter2@db.example:5433/queue").unwrap();
        assert_eq!(
            (format!("{url:?}"), url.to_string()),
            ("DatabaseUrl(queue at db.example)".into(), "queue at db.example".into())
        );
        assert_eq!(secret::redact("it said hunter2 twice"), "it said *** twice");
    }
}
