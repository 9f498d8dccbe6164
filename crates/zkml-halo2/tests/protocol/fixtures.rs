//! The committed fixtures are what today's code derives. `ZKML_WRITE_FIXTURES=1` writes them anew.

use crate::support::{Case, committed as fixtures};
use zkml_graph::testing;
use zkml_halo2::{Binding, Optimize, Proof, keys, plan, prove, verify};
use zkml_protocol::{Word, plonk::Sample};
use zkml_srs::Srs;

#[test]
fn fixtures_are_fresh_and_hold() {
    for (name, shape) in fixtures::shapes() {
        let case = Case::new(name, shape);
        assert!(case.halo2_accepts(&case.sample.instances, &case.sample.proof), "{name}");
        let fixture = committed(name, &case.sample);
        // Proofs are never equal twice, programs always are.
        assert_eq!(fixture.program, case.sample.program, "{name}: run with ZKML_WRITE_FIXTURES=1");
        assert_eq!(fixture.instances, case.sample.instances, "{name}");
        assert!(case.halo2_accepts(&fixture.instances, &fixture.proof), "{name}: committed proof");
    }
}

/// The committed fixture of a name, after it was written anew where that is asked for.
fn committed(name: &str, sample: &Sample) -> Sample {
    let path = fixtures::path(name);
    if std::env::var_os("ZKML_WRITE_FIXTURES").is_some() {
        let text = serde_json::to_string_pretty(sample).expect("samples serialise") + "\n";
        std::fs::write(&path, text).expect("fixture folder is writable");
    }
    let text = std::fs::read_to_string(&path).expect("fixture exists: run with ZKML_WRITE_FIXTURES=1");
    serde_json::from_str(&text).expect("fixture parses")
}

#[test]
fn fixtures_of_private_models_are_fresh_and_hold() {
    let wanted = |c: &testing::Case| c.name == "network: private perceptron";
    let mut case = testing::cases().into_iter().find(wanted).expect("the network is there");
    let system = case.graph.system();
    let plan = plan(&system, Optimize::Gas).expect("plans");
    let srs = Srs::dev(plan.k).expect("setup");
    let keys = keys::setup(&case.graph, &system, &plan, &srs, "dev").expect("keys");
    for (name, salt) in [("private", 1), ("private_other", 11)] {
        let salts = (salt..salt + 3).map(Word::from_u64).collect();
        let binding = Binding { context: Word::ZERO, salts };
        let proof = prove(&system, &keys, &case.trace().expect("evaluates"), &binding).expect("proves");
        let program = keys.program.clone();
        let sample = Sample { name: name.into(), program, instances: proof.instances, proof: proof.bytes };
        let fixture = committed(name, &sample);
        assert_eq!(fixture.program, sample.program, "{name}: run with ZKML_WRITE_FIXTURES=1");
        assert_eq!(fixture.instances, sample.instances, "{name}");
        verify(&keys, &Proof { instances: fixture.instances, bytes: fixture.proof })
            .expect("committed proof");
        // The next one has other weights under the same key.
        case.weights[0].reverse();
    }
}
