//! The program itself, its digests and its consistency check.

use super::{Constraints, Eval, Node, OpeningSet, ProgramError, ProofLayout, opening};
use crate::{G1, Srs, Statement, Transcript, Word, field, keccak256, model_commitment};
use serde::{Deserialize, Serialize};

/// Version of the rules in this crate: transcript, layout, equations, canonical bytes.
pub const PROTOCOL_VERSION: u32 = 3;

/// Separates the program's digest from every other use of Keccak-256.
const DIGEST_TAG: &[u8] = b"zkml-chain/program/v1";

/// Everything that a verifier of one circuit needs. Plain data; see [the module's page](super) for the equations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// [`PROTOCOL_VERSION`] of the toolkit that derived it.
    pub version: u32,
    /// The rows.
    pub domain: Domain,
    /// Rows at the end that hide the witness (`b`); the row before them closes the permutation.
    pub blinding_factors: u32,
    /// Exact number of public instances, context included.
    pub num_instances: u32,
    /// Phase of each advice column.
    pub advice_phases: Vec<u8>,
    /// Phase after which each circuit challenge is squeezed.
    pub challenge_phases: Vec<u8>,
    /// Advice evaluations in the proof.
    pub advice_queries: Vec<Query>,
    /// Fixed evaluations in the proof.
    pub fixed_queries: Vec<Query>,
    /// Commitments to the fixed columns. A column of zeros commits to the identity, (0, 0).
    pub fixed_commitments: Vec<G1>,
    /// Commitments to the permutation polynomials, one per column in the permutation.
    pub sigma_commitments: Vec<G1>,
    /// Number of permutation products.
    pub products: u32,
    /// Number of pieces of the quotient.
    pub quotient_pieces: u32,
    /// What must hold at `x`.
    pub constraints: Constraints,
    /// The proving library's own digest of its verifying key; absorbed as a constant.
    pub key_repr: Word,
    /// The trusted setup's verifier part.
    pub srs: Srs,
    /// What the proof is about.
    pub statement: Statement,
}

/// The multiplicative subgroup whose elements number the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Domain {
    /// `2^k` rows.
    pub k: u32,
    /// Generator `ω`, of order `2^k`.
    pub omega: Word,
    /// `1 / ω`.
    pub omega_inv: Word,
    /// `1 / 2^k`.
    pub n_inv: Word,
}

impl Domain {
    /// Number of rows.
    pub fn n(&self) -> u64 {
        1 << self.k.min(63)
    }

    /// `ω^rotation`. Slow: for constants.
    pub fn rotation(&self, rotation: i32) -> Word {
        let base = if rotation < 0 { self.omega_inv } else { self.omega };
        field::pow(base, Word::from_u64(u64::from(rotation.unsigned_abs())))
    }
}

/// A column read at a row offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// Index of the column among those of its kind.
    pub column: u32,
    /// Row offset.
    pub rotation: i32,
}

/// Bounds that every program keeps; they keep a hostile one from exhausting its reader.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Limits;

impl Limits {
    /// Largest `k`: the field has no larger power-of-two subgroup.
    pub const K: u32 = 28;
    /// Columns, queries, products, instances, rotations: each.
    pub const TABLE: usize = 1 << 14;
    /// Constraint nodes and identities.
    pub const NODES: usize = 1 << 20;
    /// Pieces of the quotient.
    pub const PIECES: u32 = 64;
    /// Blinding rows.
    pub const BLINDING: u32 = 1 << 10;
    /// Distance of a rotation from the current row.
    pub const ROTATION: i32 = 1 << 20;
}

impl Program {
    /// Where everything lies in the proof, and the transcript's moves.
    ///
    /// Meaningful for programs that pass [`Program::validate`].
    pub fn layout(&self) -> ProofLayout {
        ProofLayout::of(self)
    }

    /// Opening sets in halo2's order: set `i` is weighed by `v^i`.
    pub fn opening_sets(&self) -> Vec<OpeningSet> {
        opening::opening_sets(self)
    }

    /// Rotation of the row that closes the permutation: `−(b + 1)`.
    pub fn last_rotation(&self) -> i32 {
        -(self.blinding_factors.min(Limits::BLINDING) as i32) - 1
    }

    /// Number of evaluations of permutation products: three each, two for the last.
    pub fn product_evals(&self) -> usize {
        (self.products as usize * 3).saturating_sub(1)
    }

    /// The canonical bytes of all that decides whether a proof is accepted or what an output means.
    ///
    /// These are [postcard](https://postcard.jamesmunns.com/wire-format) bytes of the fields in declaration order.
    /// Left out is what may differ between models that share one verifier: name, hash and toolkit version.
    pub fn canonical_bytes(&self) -> Vec<u8> {
        // Taken apart without `..`: a new field must be given its place here before this compiles.
        let Self {
            version,
            domain,
            blinding_factors,
            num_instances,
            advice_phases,
            challenge_phases,
            advice_queries,
            fixed_queries,
            fixed_commitments,
            sigma_commitments,
            products,
            quotient_pieces,
            constraints,
            key_repr,
            srs,
            statement: Statement { model_name: _, model_hash: _, toolkit_version: _, instances },
        } = self;
        let shape = (version, domain, blinding_factors, num_instances, advice_phases, challenge_phases);
        let tables = (advice_queries, fixed_queries, fixed_commitments, sigma_commitments);
        let rest = (products, quotient_pieces, constraints, key_repr, srs, instances);
        // Only a serializer that reports an unknown length could fail here, and no field has one.
        postcard::to_stdvec(&(shape, tables, rest)).unwrap_or_default()
    }

    /// Keccak-256 of a tag and [`Program::canonical_bytes`], modulo the scalar field's order.
    ///
    /// Every proof absorbs it first, so a proof is bound to the constraints, the commitments, the setup, and the
    /// names, scales and bounds of inputs and outputs.
    pub fn vk_digest(&self) -> Word {
        field::reduce(keccak256([DIGEST_TAG, self.canonical_bytes().as_slice()]))
    }

    /// What a contract pins, see [`model_commitment`].
    pub fn model_commitment(&self) -> Word {
        model_commitment(&self.vk_digest(), &self.statement)
    }

    /// The transcript that every proof of this program begins with: steps [`AbsorbDigest`](super::Step::AbsorbDigest) and
    /// [`AbsorbInstanceCount`](super::Step::AbsorbInstanceCount).
    pub fn transcript(&self) -> Transcript {
        Transcript::beginning(&self.vk_digest(), self.num_instances)
    }

    /// Checks that all indices, counts and constants fit together.
    ///
    /// Points are not checked here: this crate knows no curve. Readers of the program do.
    ///
    /// # Errors
    /// The first contradiction found.
    pub fn validate(&self) -> Result<(), ProgramError> {
        if self.version != PROTOCOL_VERSION {
            return Err(ProgramError::Version { found: self.version, expected: PROTOCOL_VERSION });
        }
        self.check_counts()?;
        self.domain.validate()?;
        self.check_room()?;
        self.check_phases()?;
        self.check_queries()?;
        self.check_nodes()
    }

    fn check_counts(&self) -> Result<(), ProgramError> {
        let table = Limits::TABLE as u64;
        let counts = [
            ("advice columns", self.advice_phases.len() as u64, table),
            ("challenges", self.challenge_phases.len() as u64, table),
            ("advice queries", self.advice_queries.len() as u64, table),
            ("fixed queries", self.fixed_queries.len() as u64, table),
            ("fixed columns", self.fixed_commitments.len() as u64, table),
            ("permutation columns", self.sigma_commitments.len() as u64, table),
            ("permutation products", u64::from(self.products), self.sigma_commitments.len() as u64),
            ("instances", u64::from(self.num_instances), table),
            ("quotient pieces", u64::from(self.quotient_pieces), u64::from(Limits::PIECES)),
            ("blinding rows", u64::from(self.blinding_factors), u64::from(Limits::BLINDING)),
            ("constraint nodes", self.constraints.nodes.len() as u64, Limits::NODES as u64),
            ("identities", self.constraints.identities.len() as u64, Limits::NODES as u64),
        ];
        let beyond = counts.into_iter().find(|(_, found, limit)| found > limit);
        beyond.map_or(Ok(()), |(what, found, limit)| Err(ProgramError::TooMany { what, found, limit }))
    }

    fn check_room(&self) -> Result<(), ProgramError> {
        let (instances, blinding) = (self.num_instances, self.blinding_factors);
        if u64::from(instances) + u64::from(blinding) + 1 > self.domain.n() {
            return Err(ProgramError::NoRoom { instances, blinding, k: self.domain.k });
        }
        self.statement.instances.check(instances)?;
        if !field::is_canonical(&self.key_repr) {
            return Err(ProgramError::NotCanonical { what: "the key's representation" });
        }
        Ok(())
    }

    fn check_phases(&self) -> Result<(), ProgramError> {
        let last = self.advice_phases.iter().copied().max().unwrap_or(0);
        let late = self.challenge_phases.iter().enumerate().find(|(_, phase)| **phase > last);
        late.map_or(Ok(()), |(challenge, phase)| {
            Err(ProgramError::ChallengePhase { challenge, phase: *phase })
        })
    }

    fn check_queries(&self) -> Result<(), ProgramError> {
        for query in &self.advice_queries {
            in_range("advice column", query.column, self.advice_phases.len())?;
        }
        for query in &self.fixed_queries {
            in_range("fixed column", query.column, self.fixed_commitments.len())?;
        }
        let queries = self.advice_queries.iter().chain(&self.fixed_queries);
        if let Some(far) =
            queries.map(|query| query.rotation).find(|r| r.unsigned_abs() > Limits::ROTATION as u32)
        {
            let found = u64::from(far.unsigned_abs());
            return Err(ProgramError::TooMany {
                what: "rows of rotation",
                found,
                limit: Limits::ROTATION as u64,
            });
        }
        self.check_claims()
    }

    /// No polynomial is opened twice at one point, and no two rotations name one row.
    fn check_claims(&self) -> Result<(), ProgramError> {
        let mut rows = std::collections::BTreeMap::new();
        let mut seen = std::collections::HashSet::new();
        for claim in opening::claims(self) {
            if !seen.insert((claim.commitment, claim.rotation)) {
                let polynomial = format!("{:?}", claim.commitment);
                return Err(ProgramError::DuplicateQuery { polynomial, rotation: claim.rotation });
            }
            let row = i64::from(claim.rotation).rem_euclid(self.domain.n() as i64);
            let first = *rows.entry(row).or_insert(claim.rotation);
            if first != claim.rotation {
                return Err(ProgramError::CongruentRotations {
                    first,
                    second: claim.rotation,
                    k: self.domain.k,
                });
            }
        }
        Ok(())
    }

    fn check_nodes(&self) -> Result<(), ProgramError> {
        for (index, node) in (0u32..).zip(&self.constraints.nodes) {
            if let Some(operand) = node.operands().find(|operand| operand.0 >= index) {
                return Err(ProgramError::NodeOrder { node: index, operand: operand.0 });
            }
            self.check_leaf(node)?;
        }
        for identity in &self.constraints.identities {
            in_range("constraint node", identity.node.0, self.constraints.nodes.len())?;
        }
        if self.constraints.identities.is_empty() {
            return Err(ProgramError::NoIdentities);
        }
        Ok(())
    }

    fn check_leaf(&self, node: &Node) -> Result<(), ProgramError> {
        match *node {
            Node::Constant(value) if !field::is_canonical(&value) => {
                Err(ProgramError::NotCanonical { what: "a constant of the constraints" })
            }
            Node::Eval(Eval::Advice(index)) => in_range("advice query", index, self.advice_queries.len()),
            Node::Eval(Eval::Fixed(index)) => in_range("fixed query", index, self.fixed_queries.len()),
            Node::Eval(Eval::Sigma(index)) => {
                in_range("permutation column", index, self.sigma_commitments.len())
            }
            Node::Eval(Eval::Product(index)) => in_range("product evaluation", index, self.product_evals()),
            // These two are not values that an identity may read.
            Node::Eval(Eval::Random | Eval::Quotient) => in_range("readable evaluation", 0, 0),
            Node::Challenge(challenge) => self.check_challenge(challenge),
            _ => Ok(()),
        }
    }

    fn check_challenge(&self, challenge: super::Challenge) -> Result<(), ProgramError> {
        use super::Challenge::{Beta, Circuit, Gamma, OpenU, OpenV, OpenY, Theta, X, Y};
        match challenge {
            Circuit(index) => in_range("challenge", index, self.challenge_phases.len()),
            Beta | Gamma | X => Ok(()),
            Theta | Y | OpenY | OpenV | OpenU => in_range("readable challenge", 0, 0),
        }
    }
}

impl Domain {
    fn validate(&self) -> Result<(), ProgramError> {
        let k = self.k;
        if k > Limits::K || k == 0 {
            return Err(ProgramError::TooMany {
                what: "bits of rows (k)",
                found: k.into(),
                limit: Limits::K.into(),
            });
        }
        let constants = [("ω", self.omega), ("1/ω", self.omega_inv), ("1/n", self.n_inv)];
        if let Some((what, _)) = constants.iter().find(|(_, value)| !field::is_canonical(value)) {
            return Err(ProgramError::NotCanonical { what });
        }
        let half = field::pow(self.omega, Word::from_u64(1 << (k - 1)));
        let checks = [
            ("ω", half == field::neg(Word::ONE)),
            ("1/ω", field::mul(self.omega, self.omega_inv) == Word::ONE),
            ("1/n", field::mul(Word::from_u64(1 << k), self.n_inv) == Word::ONE),
        ];
        let wrong = checks.into_iter().find(|(_, holds)| !holds);
        wrong.map_or(Ok(()), |(what, _)| Err(ProgramError::Domain { what, k }))
    }
}

fn in_range(what: &'static str, index: u32, count: usize) -> Result<(), ProgramError> {
    if (index as usize) < count {
        Ok(())
    } else {
        Err(ProgramError::OutOfRange { what, index: index.into(), count: count as u64 })
    }
}
