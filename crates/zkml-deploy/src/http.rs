//! HTTP clients, for nodes and explorers.

/// Begins a client whose TLS is done by ring: aws-lc, which `reqwest` would take, costs a newcomer's first build minutes.
pub fn client() -> reqwest::ClientBuilder {
    // Whoever came first has chosen, and that is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
}
