//! The committed fixtures are what today's code derives. `ZKML_WRITE_FIXTURES=1` writes them anew.

#[path = "support/fixtures.rs"]
mod fixtures;
mod support;

use support::Case;
use zkml_protocol::Sample;

#[test]
fn fixtures_are_fresh_and_hold() {
    for (name, shape) in fixtures::shapes() {
        let case = Case::new(name, shape);
        assert!(case.halo2_accepts(&case.sample.instances, &case.sample.proof), "{name}");
        let path = fixtures::path(name);
        if std::env::var_os("ZKML_WRITE_FIXTURES").is_some() {
            let text = serde_json::to_string_pretty(&case.sample).expect("samples serialise") + "\n";
            std::fs::write(&path, text).expect("fixture folder is writable");
        }
        let text = std::fs::read_to_string(&path).expect("fixture exists: run with ZKML_WRITE_FIXTURES=1");
        let fixture: Sample = serde_json::from_str(&text).expect("fixture parses");
        // Proofs are never equal twice, programs always are.
        assert_eq!(fixture.program, case.sample.program, "{name}: run with ZKML_WRITE_FIXTURES=1");
        assert_eq!(fixture.instances, case.sample.instances, "{name}");
        assert!(case.halo2_accepts(&fixture.instances, &fixture.proof), "{name}: committed proof");
    }
}
