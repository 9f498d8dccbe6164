//! The service, against a real node and the real contract of requests; only proofs are not real here.

#[path = "../../../zkml-deploy/tests/anvil/mod.rs"]
mod anvil;
mod crashes;
mod fees;
mod fleet;
mod following;
mod hostile;
mod load;
#[path = "../../../zkml-deploy/tests/proxy/mod.rs"]
mod proxy;
mod rewards;
mod scene;
mod sending;
#[path = "../server/mod.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod server;
mod serving;
mod starving;
