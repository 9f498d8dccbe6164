//! The committed report is that of the committed tables.

use std::{fs, path::Path};

#[test]
fn the_report_is_fresh() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests");
    let page = zkml_attack::report::markdown(&tests.join("attacks")).expect("tables");
    let committed = fs::read_to_string(tests.join("README.md")).expect("tests/README.md");
    assert!(page == committed, "tests/README.md is not that of tests/attacks: run `make report`");
}
