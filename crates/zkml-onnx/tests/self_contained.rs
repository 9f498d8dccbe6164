//! A model whose weights lie beside it can be kept as one file.

use std::path::Path;

use zkml_onnx::{LoadOptions, Model, self_contained};

#[test]
fn external_weights_move_into_the_file() {
    let source =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/onnx/handmade/external_data.onnx");
    let folder = std::env::temp_dir().join(format!("zkml-self-contained-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("folder");
    let alone = folder.join("external_data.onnx");
    std::fs::copy(&source, &alone).expect("copies");
    assert!(Model::load(&alone, &LoadOptions::default()).is_err(), "its weights are elsewhere");
    std::fs::write(&alone, self_contained(&source).expect("joins")).expect("writes");
    let (joined, split) =
        (Model::load(&alone, &LoadOptions::default()), Model::load(&source, &LoadOptions::default()));
    assert_eq!(joined.expect("loads").inspect().parameters, split.expect("loads").inspect().parameters);
    std::fs::remove_dir_all(&folder).expect("cleans up");
}
