//! Proofs with one message that is another than it should be, by a prover who goes on from there as if it were right.

use ff::Field;
use halo2curves::bn256::Fr;
use zkml_protocol::{
    Element,
    sumcheck::{Challenge, SlotId, Source},
};

use super::cheat::{Cheat, bump};
use crate::{
    error::Error,
    field::horner,
    prover::{Masks, ProvingKey, Witness, prove_as},
};

/// A false proof of a true statement.
#[derive(Clone, Debug)]
pub struct Message {
    /// The message, and how it was changed.
    pub name: String,
    /// The proof. No verifier accepts it.
    pub proof: Vec<u8>,
}

/// The cheats of `docs/spec/tests/test_forging.py` with single messages: every scalar, helpers, multiplicities, coefficients of
/// every polynomial of the opening, one of too high a degree, a commitment that is the identity. Of `stride` scalars of a slot,
/// one is tried.
///
/// # Panics
/// If the prover refuses the witness.
pub fn false_messages(key: &ProvingKey, witness: &Witness, stride: usize) -> Vec<Message> {
    let mut all = Messages { key, witness, found: vec![] };
    all.scalars(stride);
    all.lookups();
    all.polynomials();
    all.degrees();
    all.identity();
    all.found
}

struct Messages<'a> {
    key: &'a ProvingKey,
    witness: &'a Witness,
    found: Vec<Message>,
}

impl Messages<'_> {
    fn masks(&self) -> Masks {
        Masks::random(&self.key.shape, &self.key.program.opening, &mut rand_core::OsRng)
    }

    fn push(&mut self, name: String, cheat: Cheat<'_>) {
        let masks = self.masks();
        self.push_with(name, cheat, &masks);
    }

    fn push_with(&mut self, name: String, mut cheat: Cheat<'_>, masks: &Masks) {
        match prove_as(self.key, self.witness, masks, &mut cheat, &|_| ()) {
            Ok(proof) => self.found.push(Message { name, proof }),
            Err(Error::Unlucky) => {}
            Err(e) => panic!("{name}: {e}"),
        }
    }

    /// Every scalar, plus one.
    fn scalars(&mut self, stride: usize) {
        for slot in self.key.program.layout().slots().iter().filter(|s| s.element == Element::Scalar) {
            for at in (0..slot.count).step_by(stride) {
                let cheat = Cheat::default().scalars(slot.id, move |values, _| values[at] += Fr::ONE);
                self.push(format!("{:?}, scalar {at}", slot.id), cheat);
            }
        }
    }

    /// Helpers and multiplicities, alone and with the right sum.
    fn lookups(&mut self) {
        let shape = &self.key.shape;
        let (counts, table) = (shape.multiplicities as usize, shape.table_helper as usize);
        let places = [
            ("a multiplicity", Source::Witness, counts + 3, None),
            ("multiplicities with the right sum", Source::Witness, counts + 3, Some(counts + 2)),
            ("a helper", Source::Helpers, 2, None),
            ("helpers with the right sum", Source::Helpers, 2, Some(3)),
            ("a helper of the table", Source::Helpers, table + 1, None),
        ];
        for (name, of, at, other) in places {
            let cheat = Cheat::default().vector(of, move |cells, _| {
                cells[at] += Fr::ONE;
                other.into_iter().for_each(|other: usize| cells[other] -= Fr::ONE);
            });
            self.push(name.into(), cheat);
        }
        let both = Cheat::default().vector(Source::Helpers, move |cells, _| {
            cells[2] += Fr::ONE;
            cells[table] += Fr::ONE;
        });
        self.push("helpers of rows and table with the right difference".into(), both);
    }

    /// Coefficients of polynomials of the opening.
    fn polynomials(&mut self) {
        use SlotId::{D, G, H, Quotient, S, W, W2};
        let layout = self.key.program.layout();
        for of in [H, Quotient, G, S, D, W, W2].into_iter().filter(|of| layout.slot_of(*of).is_some()) {
            for at in [0, 1, 5] {
                self.push(format!("{of:?}, coefficient {at}"), Cheat::default().bumped(of, at, Fr::ONE));
            }
        }
    }

    /// Polynomials that are longer than they should be.
    fn degrees(&mut self) {
        if self.key.program.opening.is_whole() {
            return;
        }
        let (a, b) = (self.key.program.opening.rows() as usize, self.key.program.opening.columns() as usize);
        self.push("H beyond its length".into(), Cheat::default().bumped(SlotId::H, a + 2, Fr::ONE));
        // g + (X^b − α) and q − 1 divide as well; D has no room for it.
        let higher = Cheat::default().bumped(SlotId::Quotient, 0, -Fr::ONE);
        let higher = higher.polynomial(SlotId::G, move |g, known| {
            bump(g, 0, -known[&Challenge::Alpha]);
            bump(g, b, Fr::ONE);
        });
        self.push("G of too high a degree".into(), higher);
    }

    /// A blinding coefficient that makes the first commitment the identity: everything else holds. Needs the secret of the setup.
    fn identity(&mut self) {
        if self.key.powers[1] != super::powers()[1] {
            return;
        }
        let (length, masks) = (self.key.program.opening.length() as usize, self.masks());
        let mut first = vec![];
        let mut look = Cheat::default().vector(Source::Witness, |cells, _| first = cells[..length].to_vec());
        let made = prove_as(self.key, self.witness, &masks, &mut look, &|_| ());
        drop(look);
        assert!(made.is_ok(), "{made:?}");
        let tau = Fr::from(super::TAU);
        let mut cancelling = masks;
        let inverse = Option::<Fr>::from(tau.pow_vartime([length as u64]).invert()).unwrap_or(Fr::ZERO);
        cancelling.blinds[0] = -horner(&first, tau) * inverse;
        let mut cheat = Cheat::default();
        cheat.careless = true;
        self.push_with("the identity".into(), cheat, &cancelling);
    }
}
