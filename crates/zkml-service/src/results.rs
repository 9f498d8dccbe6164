//! Posters whose results the service answers for.

use std::collections::BTreeSet;

use alloy::primitives::Address;
use zkml_deploy::acceptance::PostedResult;

/// Results under policies that the service proves when their proofs become due, and draws when their rounds are decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Results {
    /// Whose results: this account's, and those of whoever has left inputs here. A proof earns its sender nothing; bond and deposit are the poster's.
    pub posters: BTreeSet<Address>,
    /// Have results count when enough of their paths hold.
    pub finalise: bool,
    /// Results of these that are known already: the journal may begin behind their events.
    pub known: Vec<PostedResult>,
    /// Records of results that cannot be read, and why: nobody answers for those, and people are told.
    pub unread: Vec<String>,
}
