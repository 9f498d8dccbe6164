//! Proofs say nothing about their witnesses: rank test and simulator over the layouts of small graphs and of the benchmark models.

use std::path::Path;

use ff::Field;
use halo2_proofs::halo2curves::bn256::Fr;
use zkml_attack::sumcheck::zero_knowledge::{View, simulate};
use zkml_graph::{System, Visibility, testing};
use zkml_onnx::{Model, Samples, Settings, calibrate};
use zkml_protocol::sumcheck::{Evaluation, SlotId, Source};
use zkml_sumcheck::{
    Layout, Options, lay_out,
    prover::Witness,
    testing::{Logarithms, Mask},
};

/// A witness with salts that do not matter.
fn witness(layout: &Layout, system: &System, values: &[Vec<i64>]) -> Witness {
    witness_of(layout, system, values, &mut Logarithms::new(layout, 5))
}

/// The same, its private weights committed to.
fn witness_of(layout: &Layout, system: &System, values: &[Vec<i64>], logs: &mut Logarithms) -> Witness {
    let salts: Vec<Fr> = (0..layout.commitments()).map(|i| Fr::from(1_000 + i as u64)).collect();
    let private = layout.system.private.map(|_| logs.commit_to_weights(layout.private_values(values)));
    layout.witness_with(system, values, Fr::from(77), &salts, private).expect("a witness")
}

fn small(whole: bool) -> (Layout, Witness) {
    let case = testing::cases().into_iter().find(|c| c.weights.is_empty()).expect("a case");
    let system = case.graph.system();
    let options = Options { limb_bits: 5, whole, ..Options::default() };
    let layout = lay_out(&system, &options).expect("it is laid out");
    let values = system.assign(&case.graph.eval(&case.inputs).expect("it runs")).expect("all values");
    let witness = witness(&layout, &system, &values);
    (layout, witness)
}

/// Everything that is sent is uniform on the verifier's equations, and what a simulator sends is among it.
fn nothing_is_said(name: &str, layout: &Layout, witness: &Witness) -> View {
    nothing_is_said_by(name, Logarithms::new(layout, 5), witness)
}

fn nothing_is_said_by(name: &str, logs: Logarithms, witness: &Witness) -> View {
    // Not masks of a proof, but of the test below that fails.
    let masks: Vec<Mask> = logs.other_masks().into_iter().chain(side_by_side(&logs)).collect();
    let view = View::new(logs, witness, &masks).unwrap_or_else(|e| panic!("{name}: {e}"));
    let ours = view.logs().other_masks();
    let mut span = view.span(|m| ours.contains(&m));
    assert_eq!(span.rank(), view.free(), "{name}: {} values are sent", view.sent());
    let simulated = view.from_simulator(&witness.instances).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert!(
        simulated.iter().any(|x| *x != Fr::ZERO) && !span.add(simulated),
        "{name}: a simulated proof is another"
    );
    view
}

/// Cells of `R` that nothing takes, as many as the second sumcheck's masks: the lowest there are.
fn side_by_side(logs: &Logarithms) -> Vec<Mask> {
    let (shape, length) = (logs.shape(), logs.program().opening.length());
    let evaluations = shape.evaluations.iter().filter_map(|e| e.mask);
    let terms = shape.mask_terms.iter().map(|t| t.address);
    let taken: Vec<u64> = shape.opening_masks.iter().copied().chain(terms).chain(evaluations).collect();
    let free = (0..length).filter(|a| !taken.contains(a));
    free.take(2 * shape.second_variables as usize).map(Mask::Cell).collect()
}

/// Six of the first row of the opened matrix, six of its first column, and one beside them, where there are such.
fn is_cross(at: u64, columns: u64) -> bool {
    at < 6 || at == columns + 1 || (at.is_multiple_of(columns) && at < 6 * columns)
}

/// Masks that are needed: without any of them there is less freedom than values.
fn masks_that_are_needed(name: &str, view: &View) {
    let (shape, columns) = (view.logs().shape(), view.logs().program().opening.columns());
    let ours = view.logs().other_masks();
    let full = view.free();
    let without = |gone: &dyn Fn(Mask) -> bool| view.span(|m| ours.contains(&m) && !gone(m)).rank();
    // The coefficient of R is one more than there has to be.
    let parts = shape.parts.iter().sum::<u32>() as usize;
    for mask in (0..parts).map(Mask::Blind).chain([Mask::Helper]) {
        assert!(without(&|m| m == mask) < full, "{name}: {mask:?} is not needed");
    }
    let cells = |which: &dyn Fn(u64) -> bool| {
        let group: Vec<u64> = shape.opening_masks.iter().copied().filter(|at| which(*at)).collect();
        assert!(!group.is_empty(), "{name}");
        without(&|m| matches!(m, Mask::Cell(at) if group.contains(&at)))
    };
    assert!(cells(&|_| true) < full, "{name}: cells that mask the opening are not needed");
    assert!(cells(&|at| at < columns) < full, "{name}: the first row is not needed");
    let by_rows = !view.logs().program().opening.is_whole();
    if by_rows {
        assert!(cells(&|at| at.is_multiple_of(columns)) < full, "{name}: the first column is not needed");
    }
    // The masks of evaluations and of p₁ lie apart from all these.
    let terms: Vec<Mask> = shape.mask_terms.iter().map(|t| Mask::Cell(t.address)).collect();
    assert!(without(&|m| terms.contains(&m)) < full, "{name}: p₁ is not needed");
    let beside = side_by_side(view.logs());
    let spread =
        |m: &Mask| matches!(m, Mask::Cell(at) if shape.opening_masks.contains(at) && !is_cross(*at, columns));
    let lowest = view.span(|m| beside.contains(&m) || ours.contains(&m) && !spread(&m)).rank();
    assert!(lowest < full, "{name}: cells side by side mask all rounds");
}

#[test]
fn a_small_proof_says_nothing() {
    for (name, whole) in [("small, by rows", false), ("small, whole", true)] {
        let (layout, witness) = small(whole);
        let view = nothing_is_said(name, &layout, &witness);
        masks_that_are_needed(name, &view);
    }
}

/// The simulator needs no witness, and says what is false as well.
#[test]
fn a_simulator_proves_whatever_it_is_asked_to() {
    for whole in [false, true] {
        let (layout, mut witness) = small(whole);
        let logs = Logarithms::new(&layout, 7);
        let evaluations = vec![Fr::from(3); logs.shape().evaluations.len()];
        simulate(&logs, &witness.instances, &evaluations).expect("accepted");
        witness.instances.iter_mut().for_each(|x| *x += Fr::ONE);
        let sent = simulate(&logs, &witness.instances, &evaluations).expect("accepted");
        assert_eq!(sent[&SlotId::Evaluations], evaluations);
    }
}

/// The layout of a benchmark model, and a run of it.
fn model(name: &str, options: &Options) -> (Layout, Witness) {
    let (layout, system, values) = run(name, &Settings::default(), options);
    let witness = witness(&layout, &system, &values);
    (layout, witness)
}

fn run(name: &str, settings: &Settings, options: &Options) -> (Layout, System, Vec<Vec<i64>>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/bench").join(name);
    let model = Model::load(folder.join(format!("{name}.onnx")), &settings.load_options()).expect("loads");
    let samples = Samples::random(model.inputs(), 20, 1);
    let done = calibrate(&model, &samples, settings).expect("calibrates");
    let inputs = done.interface.quantize_inputs(&samples.rows[0]).expect("in range");
    let system = done.graph.system();
    let layout = lay_out(&system, options).expect("it is laid out");
    let trace = done.graph.eval_with(&inputs, &done.weights).expect("it runs");
    let values = system.assign(&trace).expect("all values");
    (layout, system, values)
}

/// The same of private weights, without what blinds them: many proofs are about one commitment.
fn a_benchmark_says_nothing_of_its_weights(name: &str, options: &Options) {
    let settings = Settings { weights: Visibility::Committed, ..Settings::default() };
    let (layout, system, values) = run(name, &settings, options);
    let mut logs = Logarithms::new(&layout, 5);
    let witness = witness_of(&layout, &system, &values, &mut logs);
    let shape = logs.shape();
    let of_weights = |e: &&Evaluation| e.form.reads(&[Source::Private]);
    assert!(shape.private_parts > 0 && shape.evaluations.iter().filter(of_weights).count() > 1, "{name}");
    let name = format!("{name} with private weights");
    let view = nothing_is_said_by(&name, logs, &witness);
    masks_that_are_needed(&name, &view);
}

#[test]
fn credit_mlp_says_nothing_of_its_weights() {
    a_benchmark_says_nothing_of_its_weights("credit_mlp", &Options::PROVER);
    a_benchmark_says_nothing_of_its_weights("credit_mlp", &Options { whole: true, ..Options::PROVER });
}

#[test]
fn mnist_mlp_says_nothing_of_its_weights() {
    a_benchmark_says_nothing_of_its_weights("mnist_mlp", &Options::PROVER);
}

fn a_benchmark_says_nothing(name: &str, options: &Options) {
    let (layout, witness) = model(name, options);
    let view = nothing_is_said(name, &layout, &witness);
    masks_that_are_needed(name, &view);
}

#[test]
fn credit_mlp_says_nothing() {
    a_benchmark_says_nothing("credit_mlp", &Options::PROVER);
    a_benchmark_says_nothing("credit_mlp", &Options { whole: true, ..Options::PROVER });
}

#[test]
fn mnist_mlp_says_nothing() {
    a_benchmark_says_nothing("mnist_mlp", &Options::PROVER);
}

/// Vectors in many parts, and relations over windows.
#[test]
#[ignore = "two minutes: `make attack` runs it"]
fn lenet_says_nothing() {
    a_benchmark_says_nothing("lenet", &Options::PROVER);
}
