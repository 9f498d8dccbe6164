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

/// All that follows from the values read, and the equation between points:
/// `e(Σ factor · base, [1]₂) · e(−[W'], [τ]₂) · e(quotient · [q], [τ^b]₂) = 1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Equations {
    /// The operations, operands first.
    pub operations: Vec<Operation>,
    /// Multiples of points; each point occurs once.
    pub terms: Vec<(Node, Base)>,
    /// What the commitment to the quotient is multiplied by beside `[τ^b]₂`.
    pub quotient: Node,
}

impl Equations {
    /// The values that are compared in the end: factors of points, and that of the quotient.
    pub fn roots(&self) -> impl Iterator<Item = Node> + '_ {
        self.terms.iter().map(|(factor, _)| *factor).chain([self.quotient])
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
        let (terms, quotient) = opening::terms(&mut builder, self, &folded);
        Ok(Equations { operations: builder.finish(), terms, quotient })
    }
}
