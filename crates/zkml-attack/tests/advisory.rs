//! The forgery of the advisory in `SECURITY.md`, on every route by which a model comes to a verdict: a graph, an ONNX
//! file, a proof that the verifier and the contract judge.

use std::path::Path;

use rand_chacha::ChaCha8Rng;
use zkml_attack::{
    Backend, Target,
    campaign::{Report, changes, forge_all},
    cells::Board,
    forge::{Repair, Spared, forge},
    halo2::{
        Halo2,
        columns::{Columns, Response},
        real::{Real, Verdicts},
    },
    oracle,
    zoo::{Kind, Recipe, Role},
};
use zkml_graph::Relation;
use zkml_halo2::{Optimize, plan};
use zkml_harness::Solc;
use zkml_onnx::{Model, Samples, Settings, calibrate};

/// Forges every cell of a target in every layout.
fn attack(backend: &Halo2, target: &Target) -> Report {
    let mut all = Report::default();
    for variant in 0..backend.variants() {
        let prepared = backend.prepare(target, variant).unwrap_or_else(|e| panic!("{}: {e}", target.name));
        let one = forge_all(target, prepared.as_ref(), (variant, 1), 1);
        all.findings.extend(one.findings);
        one.kinds.into_iter().for_each(|(k, t)| all.kinds.entry(k).or_default().add(t));
    }
    all
}

fn expect_nothing(backend: &Halo2, target: &Target) {
    let report = attack(backend, target);
    let total = report.total();
    let found = report.findings.first();
    assert!(total.wrongly == 0, "{}: {} of {} accepted: {found:?}", target.name, total.wrongly, total.tried);
    assert!(total.refused > 100, "{}: {total:?}", target.name);
}

/// `y = W · min(x, cap)` as a person would compile it.
fn min_cap() -> Target {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models/min_cap.onnx");
    let settings = Settings { activation_scale: Some(6), weight_scale: Some(6), ..Settings::default() };
    let model = Model::load(path, &settings.load_options()).expect("loads");
    let samples = Samples::random(model.inputs(), 20, 1);
    let done = calibrate(&model, &samples, &settings).expect("calibrates");
    let inputs = done.interface.quantize_inputs(&samples.rows[0]).expect("in range");
    Target::new("min_cap", done.graph, &inputs, &done.weights).expect("runs")
}

#[test]
fn graphs_with_varied_constants_cannot_be_forged() {
    let backend = Halo2::new().expect("plans");
    let with_constant = |kind: Kind, at: usize| {
        let roles = (0..kind.arity()).map(|i| if i == at { Role::Varied } else { Role::Input });
        Recipe::Single(kind, roles.collect()).build(3).expect("builds")
    };
    // x + c, c + x, max(x, c), x / c, c / x.
    for (kind, at) in [(Kind::Sum, 1), (Kind::Sum, 0), (Kind::Max, 1), (Kind::Divide, 1), (Kind::Divide, 0)] {
        expect_nothing(&backend, &with_constant(kind, at));
    }
}

#[test]
fn the_onnx_model_cannot_be_forged() {
    expect_nothing(&Halo2::new().expect("plans"), &min_cap());
}

#[test]
fn real_proofs_of_forged_values_are_refused_by_verifier_and_contract() {
    let target = min_cap();
    let plan = plan(&target.system, Optimize::Prover).expect("plans");
    let mut real = Real::new(&target, &plan, &Solc::find().expect("installed")).expect("deploys");
    let laid = real.laid.clone();
    let mut verdicts = |columns: &Columns| {
        let proof = real.prove_columns(columns).expect("halo2 proves anything")?;
        Some(real.verdicts(&proof).expect("answers"))
    };
    assert_eq!(verdicts(&laid.honest), Some(Verdicts::all(true)), "the honest proof");
    // Each linear relation that speaks of a constant is broken in turn, and everything else made to hold.
    let board = Board::new(&target.system);
    let mut rng: ChaCha8Rng = rand::SeedableRng::seed_from_u64(1);
    let linear = |i: usize| {
        let (_, relation) = &target.system.relations[board.constraints[i].0];
        let constant = |v: &&zkml_graph::View| target.system.vars[v.var.0 as usize].constant.is_some();
        matches!(relation, Relation::Linear { .. }) && relation.views().iter().any(constant)
    };
    let mut tried = 0;
    let mut seen = std::collections::HashSet::new();
    let changes = changes(&target, &board, &mut rng);
    for change in changes {
        let Spared::Constraint(broken) = change.spared else { continue };
        if !linear(broken) || change.repair != Repair::Forward {
            continue;
        }
        let forged = forge(&board, &target.honest, &change);
        if !seen.insert((broken, change.cell.var)) || tried == 8 {
            continue;
        }
        for response in Response::ALL {
            let columns = laid.filler.fill(&forged, response, &laid.circuit);
            if oracle::judge(&target, &laid.filler.meaning(&forged, &columns)).is_ok() {
                continue;
            }
            if let Some(verdict) = verdicts(&columns) {
                assert_eq!(verdict, Verdicts::all(false), "{change:?}");
                tried += 1;
                break;
            }
        }
    }
    assert!(tried >= 3, "only {tried} forgeries");
}
