//! Private weights: proofs of runs and of ranges, and what is refused about them.

use std::sync::Arc;

use ff::Field;
use halo2curves::bn256::Fr;
use zkml_curve::scalar_word;
use zkml_graph::{
    Bounds, GraphBuilder, Map, System as Relations, Visibility,
    ops::{Contract, Max, MaxOperand, Product, Rescale},
    testing::{self, Case},
};
use zkml_protocol::{
    Encoding, Word,
    sumcheck::{Form, Linear, Program, ProgramError, SlotId, weights_commitment_of},
};
use zkml_verifier::sumcheck::{VerifyError, verify};

use crate::{
    Layout, Options, lay_out,
    naive::violation,
    prover::{PrivateWeights, ProvingKey, Witness},
    testing::{key, proof},
};

/// A model with private weights, and a run of it.
struct Model {
    relations: Relations,
    layout: Layout,
    key: ProvingKey,
    values: Vec<Vec<i64>>,
}

/// The context of runs.
const CONTEXT: u64 = 77;

/// A layer of 12 × 40 weights with a bias, then a scale for each result: weights that are summed over, added and multiplied.
fn layer() -> Case {
    let mut b = GraphBuilder::new("layer");
    let x = b.input("x", &[1, 12], 4, Bounds::new(-100, 100), Visibility::Public).expect("an input");
    let w = b.weight("w", &[12, 40], 8, 12).expect("weights");
    let bias = b.weight("bias", &[40], 12, 16).expect("weights");
    let scale = b.weight("scale", &[1, 40], 4, 7).expect("weights");
    let whole = || Map::identity(&[1, 40]);
    let addend = Map::broadcast(&[40], &[1, 40]);
    let (left, right) = (Map::identity(&[1, 12]), Map::identity(&[12, 40]));
    let sums = Contract { a: left, b: right, addend, ranks: [0, 1, 1, 1], y: whole() };
    let h = b.node("sums", sums, &[x, w, bias]).expect("a node");
    let rounded = Rescale { divisor: 256, scale: 4, calibrated: None };
    let h = b.node("rounded", rounded, &[h]).expect("a node");
    let h = b.node("relu", Max { a: whole(), b: MaxOperand::Constant(0) }, &[h]).expect("a node");
    let y = b.node("scaled", Product { a: whole(), b: whole() }, &[h, scale]).expect("a node");
    b.output("y", y, Visibility::Public);
    let numbers = |count: i64, by: i64, most: i64| (0..count).map(|i| (i * by) % (2 * most) - most).collect();
    let weights = vec![numbers(480, 733, 2048), numbers(40, 5501, 32768), numbers(40, 11, 64)];
    let inputs = vec![numbers(12, 37, 100)];
    Case { name: "layer".into(), graph: b.finish().expect("a graph"), inputs, weights, expected: vec![] }
}

/// That, and a network whose inputs and outputs are behind commitments as well.
pub(crate) fn cases() -> [Case; 2] {
    let network = testing::cases().into_iter().find(|c| !c.weights.is_empty());
    [layer(), network.expect("a case with private weights")]
}

impl Model {
    fn new() -> Self {
        Self::of_case(&layer())
    }

    fn of_case(case: &Case) -> Self {
        let relations = case.graph.system();
        let values = relations.assign(&case.trace().expect("it runs")).expect("all values");
        Self::of(relations, values)
    }

    fn of(relations: Relations, values: Vec<Vec<i64>>) -> Self {
        let options = Options { limb_bits: 5, lookups_per_helper: 2, ..Options::default() };
        let layout = lay_out(&relations, &options).expect("it is laid out");
        let key = key(&layout);
        Self { relations, layout, key, values }
    }

    /// The layout of the ranges of its weights, with its key.
    fn ranges(&self) -> (Relations, Layout, ProvingKey) {
        let ranges = self.layout.ranges.clone().expect("it has private weights");
        let key = key(&ranges.layout);
        (ranges.relations, ranges.layout, key)
    }

    /// The vector `V`.
    fn vector(&self) -> Vec<Fr> {
        self.layout.private_values(&self.values)
    }

    fn committed(&self, salt: u64) -> Arc<PrivateWeights> {
        let salt = Word::from_u64(salt);
        Arc::new(self.key.commit_to_weights(self.vector(), &salt).expect("committed"))
    }

    fn witness(&self, private: &Arc<PrivateWeights>) -> Witness {
        let salts = vec![Fr::from(9); self.layout.commitments()];
        let (context, private) = (Fr::from(CONTEXT), Some(Arc::clone(private)));
        let witness = self.layout.witness_with(&self.relations, &self.values, context, &salts, private);
        witness.expect("a witness")
    }

    /// The instance that commits to the weights.
    fn instance(&self) -> usize {
        self.layout.system.private.expect("private weights").instance as usize
    }

    /// Address in `V` of an element of the first tensor.
    fn address(&self, element: u64) -> usize {
        self.layout.private[0].address(element) as usize
    }
}

fn tried(key: &ProvingKey, witness: &Witness) -> Result<(), VerifyError> {
    verdict(key, &proof(key, witness), &witness.instances)
}

fn verdict(key: &ProvingKey, proof: &[u8], instances: &[Fr]) -> Result<(), VerifyError> {
    let words: Vec<Word> = instances.iter().map(scalar_word).collect();
    verify(&key.program, proof, &words)
}

#[test]
fn runs_are_proven_about_the_commitment() {
    cases().iter().for_each(|case| is_proven(&Model::of_case(case)));
}

fn is_proven(model: &Model) {
    let private = model.committed(5);
    let witness = model.witness(&private);
    assert_eq!(violation(&model.layout, &witness), None);
    let honest = proof(&model.key, &witness);
    assert_eq!(verdict(&model.key, &honest, &witness.instances), Ok(()));
    assert_eq!(scalar_word(&witness.instances[model.instance()]), private.commitment());
    for i in 0..witness.instances.len() {
        let mut other = witness.instances.clone();
        other[i] += Fr::ONE;
        let expected = if i == model.instance() { VerifyError::OtherWeights } else { VerifyError::Rejected };
        assert_eq!(verdict(&model.key, &honest, &other), Err(expected), "instance {i}");
    }
    // From the start.
    for i in (0..witness.instances.len()).filter(|i| *i != model.instance()) {
        let mut other = witness.clone();
        other.instances[i] += Fr::ONE;
        let refused = i != 0;
        assert_eq!(tried(&model.key, &other).is_err(), refused, "instance {i} from the start");
    }
}

/// A program says nothing about weights: one key proves with all of them.
#[test]
fn one_key_serves_all_weights() {
    let (model, mut case) = (Model::new(), layer());
    case.weights.iter_mut().flatten().for_each(|w| *w = *w / 2 + 1);
    let relations = case.graph.system();
    let trace = case.graph.eval_with(&case.inputs, &case.weights).expect("it runs");
    let other = Model::of(relations.clone(), relations.assign(&trace).expect("all values"));
    assert_eq!((&model.key.program, &model.key.powers), (&other.key.program, &other.key.powers));
    let private = model.key.commit_to_weights(other.vector(), &Word::ONE).expect("committed");
    let witness = other.witness(&Arc::new(private));
    assert_eq!(tried(&model.key, &witness), Ok(()));
    assert_eq!(other.ranges().2.program, model.ranges().2.program);
}

#[test]
fn salts_hide_and_commitments_follow_from_them() {
    let model = Model::new();
    let commitments = [1, 1, 2].map(|salt| model.committed(salt).commitment());
    assert!(commitments[0] == commitments[1] && commitments[0] != commitments[2]);
    let salt = Word::from_u64(2);
    assert_eq!(model.key.weights_commitment(&model.vector(), &salt).expect("committed"), commitments[2]);
    let bytes = model.committed(2).to_bytes();
    assert!(
        bytes.len() > 64 * model.key.shape.private_parts as usize,
        "the weights are in more than one row"
    );
    let again = model.key.private_from_bytes(model.vector(), &salt, &bytes).expect("read");
    assert_eq!(again.commitment(), commitments[2]);
    assert_eq!(tried(&model.key, &model.witness(&Arc::new(again))), Ok(()));
    assert!(model.key.private_from_bytes(model.vector(), &salt, &bytes[1..]).is_err());
    assert!(model.key.commit_to_weights(vec![Fr::ZERO; 3], &salt).is_err());
}

/// Weights of which others were registered: their commitment in the statement, or another vector behind it.
#[test]
fn other_weights_than_the_registered_ones_are_refused() {
    let model = Model::new();
    let (registered, other) = (model.committed(5), model.committed(6));
    let mut witness = model.witness(&other);
    witness.instances[model.instance()] = registered.instance();
    assert_eq!(tried(&model.key, &witness), Err(VerifyError::OtherWeights), "another coefficient at X^N");
    let mut values = model.vector();
    values[model.address(0)] += Fr::ONE;
    let changed = model.key.commit_to_weights(values, &Word::from_u64(5)).expect("committed");
    let mut witness = model.witness(&Arc::new(changed));
    assert_eq!(tried(&model.key, &witness), Err(VerifyError::Rejected), "a run of other weights");
    witness.instances[model.instance()] = registered.instance();
    assert_eq!(tried(&model.key, &witness), Err(VerifyError::OtherWeights));
}

/// The points that are hashed are those that are opened.
#[test]
fn points_that_are_not_those_hashed_are_refused() {
    let model = Model::new();
    let (registered, other) = (model.witness(&model.committed(5)), model.witness(&model.committed(6)));
    let [ours, theirs] = [&registered, &other].map(|w| proof(&model.key, w));
    let slot = *model.key.program.layout().slot_of(SlotId::Private).expect("a slot");
    let range = slot.offset..slot.end();
    assert_eq!(range.start, 0, "they are absorbed before everything else of the proof");
    let own = scalar_word(&registered.instances[model.instance()]);
    assert_eq!(weights_commitment_of(&ours[range.clone()]), own);
    let mut mixed = theirs.clone();
    mixed[range.clone()].copy_from_slice(&ours[range.clone()]);
    assert_eq!(verdict(&model.key, &mixed, &registered.instances), Err(VerifyError::Rejected));
    assert_eq!(verdict(&model.key, &theirs, &registered.instances), Err(VerifyError::OtherWeights));
    for at in range {
        let mut changed = ours.clone();
        changed[at] ^= 1;
        let verdict = verdict(&model.key, &changed, &registered.instances);
        assert!(matches!(verdict, Err(VerifyError::BadPoint { .. })), "{verdict:?}");
    }
}

/// Nothing is seen of `V` beyond the weights: garbage there changes neither outputs nor ranges, whatever lies in `T`'s padding.
#[test]
fn padding_of_the_weights_is_not_seen() {
    let model = Model::new();
    let mut values = model.vector();
    let tensors = &model.layout.private;
    let taken: Vec<usize> = tensors
        .iter()
        .flat_map(|t| {
            let count = model.relations.vars[t.var.0 as usize].len() as u64;
            (0..count).map(|e| t.address(e) as usize)
        })
        .collect();
    let mut garbage = 0;
    for (at, value) in values.iter_mut().enumerate().filter(|(at, _)| !taken.contains(at)) {
        *value = -Fr::from(at as u64 + 9);
        garbage += 1;
    }
    assert!(garbage > 3, "some cells are padding");
    let private = Arc::new(model.key.commit_to_weights(values, &Word::ONE).expect("committed"));
    let witness = model.witness(&private);
    assert_eq!(tried(&model.key, &witness), Ok(()));
    // The same with garbage in every cell of `T` where nothing is said of it.
    let mut forged = witness.clone();
    let held: Vec<usize> = model.layout.held().iter().map(|h| h.address).collect();
    for cell in (0..witness.grid.len()).filter(|cell| !held.contains(cell)) {
        forged.grid[cell] += 1;
        if violation(&model.layout, &forged).is_some() {
            forged.grid[cell] -= 1;
        }
    }
    assert!(forged.grid.iter().zip(&witness.grid).filter(|(a, b)| a != b).count() > 3);
    assert_eq!(tried(&model.key, &forged), Ok(()));
}

/// A commitment that two programs speak of: a proof of one is none of the other.
#[test]
fn a_proof_of_ranges_is_none_of_a_run() {
    let model = Model::new();
    let private = model.committed(5);
    let (relations, layout, key) = model.ranges();
    let ranges = layout
        .witness_with(&relations, &model.values, Fr::ZERO, &[], Some(Arc::clone(&private)))
        .expect("a witness");
    let run = model.witness(&private);
    assert_eq!(ranges.instances[1], run.instances[model.instance()]);
    let [of_ranges, of_run] = [proof(&key, &ranges), proof(&model.key, &run)];
    assert_eq!(verdict(&key, &of_ranges, &ranges.instances), Ok(()));
    assert!(verdict(&model.key, &of_ranges, &run.instances).is_err());
    assert!(verdict(&key, &of_run, &ranges.instances).is_err());
    assert_ne!(key.digest, model.key.digest);
}

/// One weight of the first tensor, in a proof of ranges: its limbs are those that an honest prover writes, or hold all in one.
fn of_weight(model: &Model, value: Fr, integer: Option<i64>) -> Vec<Result<(), VerifyError>> {
    let (relations, layout, key) = model.ranges();
    let mut vector = model.vector();
    vector[model.address(1)] = value;
    let private = Arc::new(key.commit_to_weights(vector, &Word::ONE).expect("committed"));
    let mut values = model.values.clone();
    let var = layout.private[0].var.0 as usize;
    values[var][1] = integer.unwrap_or(0);
    let witness = layout.witness_with(&relations, &values, Fr::ZERO, &[], Some(private)).expect("a witness");
    let mut out = vec![tried(&key, &witness)];
    // What the limbs leave out, in each of the weight's limbs in turn.
    let held = layout.held();
    for limb in held.iter().filter(|h| h.var == var && h.element == Some(1)) {
        let mut forged = witness.clone();
        let shift = limb.limb.expect("a limb").shift;
        let others: Fr = held
            .iter()
            .filter(|h| h.var == var && h.element == Some(1) && h.address != limb.address)
            .map(|h| {
                let weight = Fr::from(1u64 << h.limb.expect("a limb").shift);
                weight * crate::field::from_i64(witness.grid[h.address])
            })
            .sum();
        let lo = crate::field::from_i64(limb.limb.expect("a limb").lo);
        let inverse = Fr::from(1u64 << shift).invert().expect("not zero");
        forged.grid[limb.address] = 0;
        forged.wide.push((limb.address, (value - lo - others) * inverse));
        out.push(tried(&key, &forged));
    }
    out
}

#[test]
fn weights_out_of_their_range_have_no_proof() {
    let model = Model::new();
    let from = crate::field::from_i64;
    for inside in [-2048i64, 0, 2047] {
        assert_eq!(of_weight(&model, from(inside), Some(inside))[0], Ok(()), "{inside}");
    }
    let half = -Fr::from(2).invert().expect("not zero");
    for (value, integer) in [
        (from(2048), Some(2048)),
        (from(-2049), Some(-2049)),
        (from(1 << 40), None),
        (half, None),
        (Fr::from(3).invert().expect("not zero"), None),
    ] {
        for (number, verdict) in of_weight(&model, value, integer).into_iter().enumerate() {
            assert_eq!(verdict, Err(VerifyError::Rejected), "{value:?}, way {number}");
        }
    }
}

#[test]
fn a_witness_has_private_weights_exactly_where_the_program_has() {
    let model = Model::new();
    assert!(model.layout.witness(&model.relations, &model.values, Fr::ZERO, &[]).is_err());
    let without = Witness { private: None, ..model.witness(&model.committed(1)) };
    assert!(
        crate::prover::prove(
            &model.key,
            &without,
            &crate::prover::Masks::random(
                &model.key.shape,
                &model.key.program.opening,
                &mut rand_core::OsRng
            ),
            &|_| ()
        )
        .is_err()
    );
}

/// What a reader of a program relies on: the statement's section of the model is the commitment that the verifier compares.
#[test]
fn programs_whose_statement_shows_something_else_are_refused() {
    let model = Model::new();
    let whole = model.key.program.clone();
    assert_eq!(whole.validate(), Ok(()));
    type Change = fn(&mut Program);
    let changes: [(&str, Change); 6] = [
        ("another instance", |p| p.system.private.as_mut().expect("private").instance += 1),
        ("an instance that does not exist", |p| {
            p.system.private.as_mut().expect("private").instance = 1 << 30
        }),
        ("no private weights", |p| p.system.private = None),
        ("no vector", |p| p.system.private.as_mut().expect("private").cells = 0),
        ("a vector that is too short", |p| p.system.private.as_mut().expect("private").cells = 1),
        ("a model in the open", |p| p.statement.instances.model[0].encoding = Encoding::Signed),
    ];
    for (what, change) in changes {
        let mut program = whole.clone();
        change(&mut program);
        assert!(program.validate().is_err(), "{what}");
        assert_ne!(program.vk_digest(), whole.vk_digest(), "{what}");
    }
    // A relation that shows the commitment's instance besides.
    let mut program = whole.clone();
    let at = whole.system.private.map(|p| p.instance);
    let other = Linear { indices: vec![], form: Form::default(), instances: at };
    program.system.linears.push(other);
    assert!(matches!(program.validate(), Err(ProgramError::Instance { found: 2, .. })));
}
