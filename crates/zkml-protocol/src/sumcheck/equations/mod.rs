//! What a verifier computes once it has read a proof: operations on instances, scalars and challenges, and the multiples of
//! points that a pairing then compares.
//!
//! A verifier of one model *is* this list: the Rust verifier evaluates it, the code generator prints it. The equations are
//! spelled here alone.

mod builder;
mod first;
mod functional;
mod loops;
mod opening;
mod second;
mod simpler;
mod whole;

pub use builder::{Node, Operation, Rounds};
pub use loops::{Coordinates, Matching};

use builder::Builder;

use super::{Claim, Program, SlotId, claims};

/// A point that is multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Base {
    /// A point of the proof: slot and place in it.
    Proof(SlotId, u32),
    /// The commitment to a part of `W`.
    Weights(u32),
    /// The generator of the first group.
    Generator,
}

/// Parts of a program do not fit together; validation should have said so. Names the part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inconsistent(pub &'static str);

/// All that follows from the values read, and what is compared in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Equations {
    /// The operations, operands first.
    pub operations: Vec<Operation>,
    /// The comparison.
    pub comparison: Comparison,
}

/// A value that is one, and an equation between points: `e(Σ factor · base, [1]₂) · e(−[W'], [τ]₂) = 1`, or
/// `… · e(−[q], [τ^b]₂) = 1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Multiples of points; each point occurs once.
    pub terms: Vec<(Node, Base)>,
    /// What the proof says is an inverse, times what it is the inverse of.
    pub one: Node,
    /// Whether the commitment to the quotient is paired with `[τ^b]₂`.
    pub by_rows: bool,
}

impl Equations {
    /// The values that are compared in the end: what is one, and factors of points.
    pub fn roots(&self) -> impl Iterator<Item = Node> + '_ {
        [self.comparison.one].into_iter().chain(self.comparison.terms.iter().map(|(factor, _)| *factor))
    }

    /// Returns true if a value is known to be one whatever the proof.
    pub fn is_one(&self, node: Node) -> bool {
        self.operations.get(node.index()) == Some(&Operation::Constant(crate::Word::ONE))
    }

    /// The operations that the result depends on and that have to be computed.
    pub fn needed(&self) -> Vec<&Operation> {
        let mut needed = vec![false; self.operations.len()];
        self.roots().for_each(|root| needed[root.index()] = true);
        for (index, operation) in self.operations.iter().enumerate().rev() {
            if needed[index] {
                operation.operands().iter().for_each(|operand| needed[operand.index()] = true);
            }
        }
        let found = self.operations.iter().zip(needed);
        found.filter(|(operation, needed)| *needed && operation.is_computed()).map(|(o, _)| o).collect()
    }
}

impl Program {
    /// The equations of a valid program.
    ///
    /// # Errors
    /// The part of the program that contradicts the others.
    pub fn equations(&self) -> Result<Equations, Inconsistent> {
        self.written(false, None)
    }

    /// The same with one operation for what a loop computes, see [`Operation::Matching`] and [`Operation::RowPolynomial`].
    ///
    /// # Errors
    /// As [`Program::equations`].
    pub fn equations_with_loops(&self) -> Result<Equations, Inconsistent> {
        self.written(true, None)
    }

    /// The equations about other claims: for those who take claims away to see whether it is noticed.
    ///
    /// # Errors
    /// As [`Program::equations`].
    #[doc(hidden)]
    pub fn equations_about(&self, claims: Vec<Claim>) -> Result<Equations, Inconsistent> {
        self.written(true, Some(claims))
    }

    fn written(&self, loops: bool, other: Option<Vec<Claim>>) -> Result<Equations, Inconsistent> {
        let shape = self.shape().ok_or(Inconsistent("shape"))?;
        let mut builder = Builder::new(loops);
        let left = first::left(&mut builder, self, &shape);
        let claims = other.unwrap_or_else(|| claims(&self.system, &shape, self.opening.bits));
        let folded = second::folded(&mut builder, self, &shape, &claims, left)?;
        let comparison = opening::terms(&mut builder, self, &folded);
        Ok(Equations { operations: builder.finish(), comparison })
    }
}
