//! An adversary made of single changes.

use ff::Field;
use halo2curves::bn256::Fr;
use zkml_protocol::sumcheck::{Challenge, Claim, SlotId, Source, Step};

use crate::prover::adversary::{Adversary, Known};

type Change<'a, T> = Box<dyn FnMut(&mut T, &Known) + 'a>;

/// Changes of what a prover sends, and what the transcript leaves out. Remembers all challenges.
#[derive(Default)]
pub(crate) struct Cheat<'a> {
    vectors: Vec<(Source, Change<'a, [Fr]>)>,
    scalars: Vec<(SlotId, Change<'a, [Fr]>)>,
    polynomials: Vec<(SlotId, Change<'a, Vec<Fr>>)>,
    /// A claim that is left out.
    pub(crate) without: Option<usize>,
    /// Moves of the transcript that are left out.
    pub(crate) unabsorbed: Vec<Step>,
    /// Challenges that do not come from the transcript.
    pub(crate) given: Known,
    /// Sends the identity like other points.
    pub(crate) careless: bool,
    /// All challenges so far.
    pub(crate) learned: Known,
}

impl<'a> Cheat<'a> {
    /// Changes a vector.
    pub(crate) fn vector(mut self, of: Source, change: impl FnMut(&mut [Fr], &Known) + 'a) -> Self {
        self.vectors.push((of, Box::new(change)));
        self
    }

    /// Changes the scalars of a slot.
    pub(crate) fn scalars(mut self, of: SlotId, change: impl FnMut(&mut [Fr], &Known) + 'a) -> Self {
        self.scalars.push((of, Box::new(change)));
        self
    }

    /// Changes a polynomial.
    pub(crate) fn polynomial(mut self, of: SlotId, change: impl FnMut(&mut Vec<Fr>, &Known) + 'a) -> Self {
        self.polynomials.push((of, Box::new(change)));
        self
    }

    /// Adds to a coefficient.
    pub(crate) fn bumped(self, of: SlotId, at: usize, by: Fr) -> Self {
        self.polynomial(of, move |p, _| bump(p, at, by))
    }
}

/// Adds to a coefficient of a polynomial, which grows if it has to.
pub(crate) fn bump(p: &mut Vec<Fr>, at: usize, by: Fr) {
    p.resize(p.len().max(at + 1), Fr::ZERO);
    p[at] += by;
}

/// The claims without one of them: the others keep their weights.
pub(crate) fn without(mut claims: Vec<Claim>, one: Option<usize>) -> Vec<Claim> {
    let nothing = Claim { value: zkml_protocol::sumcheck::Claimed::Zero(0), parts: vec![], masks: vec![] };
    if let Some(claim) = one.and_then(|at| claims.get_mut(at)) {
        *claim = nothing;
    }
    claims
}

impl Adversary for Cheat<'_> {
    fn vector(&mut self, of: Source, cells: &mut [Fr], known: &Known) -> bool {
        let before = cells.to_vec();
        let own = self.vectors.iter_mut().filter(|(source, _)| *source == of);
        own.for_each(|(_, change)| change(cells, known));
        before != cells
    }

    fn scalars(&mut self, of: SlotId, values: &mut [Fr], known: &Known) {
        self.learned.extend(known);
        let own = self.scalars.iter_mut().filter(|(id, _)| *id == of);
        own.for_each(|(_, change)| change(values, known));
    }

    fn polynomial(&mut self, of: SlotId, coefficients: &mut Vec<Fr>, known: &Known) {
        self.learned.extend(known);
        let own = self.polynomials.iter_mut().filter(|(id, _)| *id == of);
        own.for_each(|(_, change)| change(coefficients, known));
    }

    fn claims(&self, claims: Vec<Claim>) -> Vec<Claim> {
        without(claims, self.without)
    }

    fn absorbs(&self, step: &Step) -> bool {
        !self.unabsorbed.contains(step)
    }

    fn challenge(&self, which: Challenge) -> Option<Fr> {
        self.given.get(&which).copied()
    }

    fn sends_identity(&self) -> bool {
        self.careless
    }
}
