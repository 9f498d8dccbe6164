//! Plans and their steps on a real node, with real contracts of a sample.

#[path = "../anvil/mod.rs"]
mod anvil;
mod chains;
mod crashes;
mod existing;
mod guarded;
mod meanwhile;
#[path = "../proxy/mod.rs"]
mod proxy;
mod scene;
