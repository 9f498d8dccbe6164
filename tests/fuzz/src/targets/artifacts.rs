//! The other files of the artifact folder and beside it, all JSON.

use std::path::Path;
use zkml_deploy::record::Record;
use zkml_halo2::Plan;
use zkml_onnx::{Interface, Samples};
use zkml_workspace::{artifacts::Manifest, context_file::ContextFile, private_file::PrivateFile, value};

/// Manifest, interface, plan, openings of commitments, records of deployments: whichever the bytes are.
pub(crate) fn artifacts(data: &[u8]) {
    let path = Path::new("file.json");
    if let Ok(manifest) = Manifest::parse(path, data) {
        assert_eq!(Manifest::parse(path, &manifest.to_bytes()).expect("its own bytes"), manifest);
    }
    if let Ok(record) = Record::parse(path, data) {
        assert_eq!(Record::parse(path, &record.to_bytes()).expect("its own bytes"), record);
    }
    if let Ok(interface) = serde_json::from_slice::<Interface>(data) {
        let ports = interface.input_ports();
        if ports.len() < 100 && ports.iter().all(|p| p.len() < 1000) {
            let samples = Samples::random(&ports, 1, 1);
            let _ = interface.quantize_inputs(&samples.rows[0]);
        }
        let _ = interface.dequantize_outputs(&vec![vec![1]; interface.outputs.len()]);
        let _ = Samples::parse("{\"samples\": [{\"x\": [1]}]}", &ports);
    }
    let _ = serde_json::from_slice::<Plan>(data);
    if let Ok(file) = serde_json::from_slice::<PrivateFile>(data) {
        for opening in &file.openings {
            let _ = (opening.holds_values(), opening.recompute());
        }
    }
}

/// A context file, and the numbers and addresses of command lines.
pub(crate) fn context(data: &[u8]) {
    if let Ok(context) = ContextFile::parse(Path::new("context.json"), data) {
        let bytes = ContextFile::from(&context).to_bytes();
        assert_eq!(ContextFile::parse(Path::new("again.json"), &bytes).expect("its own bytes"), context);
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(word) = value::uint256(text) {
        assert_eq!(value::uint256(&value::decimal(&word)).expect("its own digits"), word);
    }
    if let Ok(address) = value::address(text) {
        assert_eq!(value::address(&value::checksummed(&address)).expect("its own digits"), address);
    }
    let _ = (value::uint64(text), value::word(text), value::bytes(text), value::chain(text));
}
