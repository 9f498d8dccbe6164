//! HTTP clients, for nodes and explorers.

/// Begins a client whose TLS is done by ring: aws-lc, which `reqwest` would take, costs a newcomer's first build minutes.
pub fn client() -> reqwest::ClientBuilder {
    choose_tls();
    reqwest::Client::builder()
}

/// Lets all of the process's TLS be done by ring, unless somebody has chosen before: that is as good.
pub fn choose_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
