//! Proofs that workers on other machines make: artifacts and sealed inputs in object storage, and those who put them there and use them.
//!
//! ```text
//! programs/<digest>   what proving with a model takes: names, lengths and SHA-256 digests of its files; <digest> is that of this list
//! files/<digest>      one of these files
//! sealed/<name>       an input with its salts, for whoever has the fleet's secret key; under a random name that only its task knows
//! ```

mod bundle;
mod error;
mod hands;
mod job;
mod objects;
mod owner;
mod seal;

pub use bundle::{Bundle, Published, publish};
pub use error::FleetError;
pub use hands::ModelHands;
pub use objects::Objects;
pub use owner::{FleetProver, Fleeting};
pub use seal::{FleetIdentity, FleetKey, IdentityReport, make_identity};
