//! Derives a verifier program from a verifying key.
//!
//! Only what the programs can express is accepted: gates, one instance column, fixed columns and the permutation
//! argument. Classic lookups are deliberately absent; lookups are written as gates over a second phase.

use ff::{Field, PrimeField};
use halo2_proofs::halo2curves::bn256::{Fr, G1Affine};
use halo2_proofs::plonk::{Any, Column, ConstraintSystem, Expression, VerifyingKey};
use halo2_proofs::poly::{EvaluationDomain, Rotation};
use thiserror::Error;
use zkml_curve::{g1_words, scalar_word};
use zkml_protocol::{
    Srs, Statement,
    plonk::{
        Challenge, Constraints, Domain, Eval, ExprBuilder, Node, NodeId, PROTOCOL_VERSION, PermutationColumn,
        Program, ProgramError, Query,
    },
};

/// Why a verifying key has no program.
#[derive(Debug, Error)]
pub enum DeriveError {
    /// The circuit uses halo2's permuted lookups.
    #[error(
        "the circuit has {0} classic lookup arguments, which the verifier deliberately lacks: \
         write the lookup as gates over a second-phase column"
    )]
    ClassicLookups(usize),
    /// There must be exactly one instance column.
    #[error("the circuit has {0} instance columns, the verifier reads exactly one")]
    InstanceColumns(usize),
    /// The instance column is read at another row than the current one.
    #[error("the instance column is read at rotation {0}: only the current row is supported")]
    InstanceRotation(i32),
    /// Nothing reads the instance column, so a proof would say nothing about the public values.
    #[error("no gate and no copy constraint reads the instance column: the public values would not be bound")]
    InstanceUnused,
    /// The prover would compute a quotient that is too short.
    #[error(
        "gate {gate:?} has degree {degree}, the quotient is sized for {supported}: \
         lower the gate's degree or raise halo2's MAX_DEGREE environment variable"
    )]
    Degree {
        /// The gate's name.
        gate: String,
        /// Its degree.
        degree: usize,
        /// What the quotient allows.
        supported: usize,
    },
    /// A selector survived key generation.
    #[error("gate {0:?} still contains a virtual selector: the key was not made by keygen")]
    Selector(String),
    /// An expression or the permutation reads a cell that is in no query table.
    #[error("column {column:?} is read at rotation {rotation} without a query for it")]
    MissingQuery {
        /// The column.
        column: String,
        /// Row offset.
        rotation: i32,
    },
    /// The quotient of so many rows has no domain.
    #[error(
        "2^{k} rows at degree {degree} are more than the scalar field has roots of unity for: use a smaller k"
    )]
    TooManyRows {
        /// The circuit would have `2^k` rows.
        k: u32,
        /// Degree of its constraints.
        degree: usize,
    },
    /// The statement has too many instances for a 32-bit count.
    #[error("the statement has {0} instances, more than a circuit can have")]
    TooManyInstances(u64),
    /// The result contradicts itself.
    #[error(transparent)]
    Program(#[from] ProgramError),
}

/// The program of a verifying key over `2^k` rows.
///
/// The number of instances is what the statement's layout adds up to.
///
/// # Errors
/// The circuit uses something that the verifier lacks, or the statement does not fit it.
pub fn derive(
    vk: &VerifyingKey<G1Affine>,
    k: u32,
    srs: Srs,
    statement: Statement,
) -> Result<Program, DeriveError> {
    let cs = vk.cs();
    refuse_unsupported(cs)?;
    let total = statement.instances.total();
    let num_instances = u32::try_from(total).map_err(|_| DeriveError::TooManyInstances(total))?;
    let degree = cs.degree();
    // The extended domain has room for `degree − 1` times as many rows; halo2 asserts that it exists.
    if k.saturating_add((degree - 1).next_power_of_two().ilog2()) > Fr::S {
        return Err(DeriveError::TooManyRows { k, degree });
    }
    let domain = EvaluationDomain::<Fr>::new(degree as u32, k);
    // As many columns per permutation product as the degree allows; halo2's degree is at least three.
    let chunk = degree - 2;
    let sigma_commitments: Vec<_> = vk.permutation().commitments().iter().map(g1_words).collect();
    let program = Program {
        version: PROTOCOL_VERSION,
        domain: domain_constants(&domain),
        blinding_factors: cs.blinding_factors() as u32,
        num_instances,
        advice_phases: cs.advice_column_phase(),
        challenge_phases: cs.challenge_phase(),
        advice_queries: cs.advice_queries().iter().map(|(column, at)| query(column.index(), *at)).collect(),
        fixed_queries: cs.fixed_queries().iter().map(|(column, at)| query(column.index(), *at)).collect(),
        fixed_commitments: vk.fixed_commitments().iter().map(g1_words).collect(),
        products: sigma_commitments.chunks(chunk).len() as u32,
        sigma_commitments,
        quotient_pieces: domain.get_quotient_poly_degree() as u32,
        constraints: constraints(cs, chunk)?,
        key_repr: scalar_word(&vk.transcript_repr()),
        srs,
        statement,
    };
    program.validate()?;
    Ok(program)
}

fn refuse_unsupported(cs: &ConstraintSystem<Fr>) -> Result<(), DeriveError> {
    if !cs.lookups().is_empty() {
        return Err(DeriveError::ClassicLookups(cs.lookups().len()));
    }
    if cs.num_instance_columns() != 1 {
        return Err(DeriveError::InstanceColumns(cs.num_instance_columns()));
    }
    if let Some((_, rotation)) = cs.instance_queries().iter().find(|(_, rotation)| rotation.0 != 0) {
        return Err(DeriveError::InstanceRotation(rotation.0));
    }
    if cs.instance_queries().is_empty() {
        return Err(DeriveError::InstanceUnused);
    }
    let supported = cs.degree();
    for gate in cs.gates() {
        let degree = gate.polynomials().iter().map(Expression::degree).max().unwrap_or(0);
        if degree > supported {
            return Err(DeriveError::Degree { gate: gate.name().into(), degree, supported });
        }
    }
    Ok(())
}

fn domain_constants(domain: &EvaluationDomain<Fr>) -> Domain {
    let n = Fr::from(1 << domain.k());
    Domain {
        k: domain.k(),
        omega: scalar_word(&domain.get_omega()),
        omega_inv: scalar_word(&domain.get_omega_inv()),
        n_inv: scalar_word(&n.invert().unwrap_or(Fr::ZERO)),
    }
}

fn query(column: usize, at: Rotation) -> Query {
    Query { column: column as u32, rotation: at.0 }
}

/// Gates in order, then the permutation argument.
fn constraints(cs: &ConstraintSystem<Fr>, chunk: usize) -> Result<Constraints, DeriveError> {
    let mut lowering = Lowering { cs, builder: ExprBuilder::new() };
    for gate in cs.gates() {
        for (index, expression) in gate.polynomials().iter().enumerate() {
            let node = lowering.expression(gate.name(), expression)?;
            let name = match gate.constraint_name(index) {
                "" => gate.name().to_string(),
                part => format!("{}: {part}", gate.name()),
            };
            lowering.builder.identity(name, node);
        }
    }
    let columns = cs.permutation().get_columns();
    let columns: Vec<_> = columns.iter().map(|column| lowering.permuted(column)).collect::<Result<_, _>>()?;
    lowering.builder.permutation(&columns, chunk, scalar_word(&Fr::DELTA));
    Ok(lowering.builder.finish())
}

/// Turns halo2's expressions into shared nodes.
struct Lowering<'a> {
    cs: &'a ConstraintSystem<Fr>,
    builder: ExprBuilder,
}

impl Lowering<'_> {
    fn expression(&mut self, gate: &str, expression: &Expression<Fr>) -> Result<NodeId, DeriveError> {
        Ok(match expression {
            Expression::Constant(value) => self.builder.constant(scalar_word(value)),
            Expression::Selector(_) => return Err(DeriveError::Selector(gate.to_string())),
            Expression::Fixed(query) => {
                let eval = self.fixed(query.column_index(), query.rotation())?;
                self.builder.eval(eval)
            }
            Expression::Advice(query) => {
                let eval = self.advice(query.column_index(), query.rotation())?;
                self.builder.eval(eval)
            }
            // One instance column at the current row: see `refuse_unsupported`.
            Expression::Instance(_) => self.builder.node(Node::Instance),
            Expression::Challenge(challenge) => {
                self.builder.challenge(Challenge::Circuit(challenge.index() as u32))
            }
            Expression::Negated(inner) => {
                let inner = self.expression(gate, inner)?;
                self.builder.neg(inner)
            }
            Expression::Sum(a, b) => {
                let (a, b) = (self.expression(gate, a)?, self.expression(gate, b)?);
                self.builder.add(a, b)
            }
            Expression::Product(a, b) => {
                let (a, b) = (self.expression(gate, a)?, self.expression(gate, b)?);
                self.builder.mul(a, b)
            }
            Expression::Scaled(inner, factor) => {
                let inner = self.expression(gate, inner)?;
                self.builder.scale(inner, scalar_word(factor))
            }
        })
    }

    fn permuted(&self, column: &Column<Any>) -> Result<PermutationColumn, DeriveError> {
        Ok(match column.column_type() {
            Any::Advice(_) => PermutationColumn::Eval(self.advice(column.index(), Rotation::cur())?),
            Any::Fixed => PermutationColumn::Eval(self.fixed(column.index(), Rotation::cur())?),
            Any::Instance => PermutationColumn::Instance,
        })
    }

    fn advice(&self, column: usize, at: Rotation) -> Result<Eval, DeriveError> {
        let found = self.cs.advice_queries().iter().position(|(of, r)| of.index() == column && *r == at);
        found.map(|index| Eval::Advice(index as u32)).ok_or_else(|| missing("advice", column, at))
    }

    fn fixed(&self, column: usize, at: Rotation) -> Result<Eval, DeriveError> {
        let found = self.cs.fixed_queries().iter().position(|(of, r)| of.index() == column && *r == at);
        found.map(|index| Eval::Fixed(index as u32)).ok_or_else(|| missing("fixed", column, at))
    }
}

fn missing(kind: &str, column: usize, at: Rotation) -> DeriveError {
    DeriveError::MissingQuery { column: format!("{kind} {column}"), rotation: at.0 }
}
