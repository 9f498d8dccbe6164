//! One file per operator: facts, evaluation, relations, test cases.

mod argmax;
mod contract;
mod divide;
mod linear;
mod lookup;
mod max;
mod operand;
mod pieces;
mod product;
mod reindex;
mod rescale;
mod root;
mod trees;

pub use argmax::ArgMax;
pub use contract::Contract;
pub use divide::Divide;
pub use linear::Linear;
pub use lookup::Lookup;
pub use max::{Max, MaxOperand};
pub use pieces::{Piece, Pieces};
pub use product::Product;
pub use reindex::Reindex;
pub use rescale::Rescale;
pub use root::Root;
pub use trees::{Split, Trees};

/// The cases of every operator.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn cases() -> Vec<crate::case::Case> {
    let all = [
        argmax::cases,
        contract::cases,
        divide::cases,
        linear::cases,
        lookup::cases,
        max::cases,
        pieces::cases,
        product::cases,
        reindex::cases,
        rescale::cases,
        root::cases,
        trees::cases,
    ];
    all.iter().flat_map(|cases| cases()).collect()
}
