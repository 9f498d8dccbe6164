// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title What every generated verifier offers
/// @notice Stateless and immutable. An accepted proof means: the committed model, on the committed or public input,
/// gave this output. It does not mean that the model is right or fair, nor that the input is true.
interface IModelVerifier {
    /// @notice What a statement of this verifier consists of: `context ‖ inputs ‖ model ‖ outputs`.
    /// @param vkDigest Names constraints, commitments, setup and schema.
    /// @param modelCommitment Names the model: verifying key and model hash.
    /// @param modelHash Keccak-256 of the compiled model; without its weights where those are private.
    /// @param proofLength Bytes of a proof.
    /// @param inputs Instances of the input section.
    /// @param outputs Instances of the output section.
    /// @param inputIsCommitment Whether the input section is one salted commitment and nothing else.
    /// @param weightsAreCommitted Whether the model section is the commitment to private weights; else it is empty.
    struct Shape {
        bytes32 vkDigest;
        bytes32 modelCommitment;
        bytes32 modelHash;
        uint256 proofLength;
        uint256 inputs;
        uint256 outputs;
        bool inputIsCommitment;
        bool weightsAreCommitted;
    }

    /// @notice Checks a proof: true if it is valid for these instances, a typed error otherwise.
    /// @param proof Exactly `PROOF_LENGTH` bytes.
    /// @param instances Exactly `NUM_INSTANCES` numbers below the order of BN254's scalar field: context, inputs,
    /// model, outputs.
    /// @return valid True; there is no other answer.
    function verifyProof(bytes calldata proof, uint256[] calldata instances) external view returns (bool valid);

    /// @notice All that a caller needs to lay out a statement, in one call.
    /// @return shape See {Shape}.
    function statementShape() external view returns (Shape memory shape);

    /// @notice What the circuit proves about an output, whatever the input is. A valid proof of anything else means
    /// that the proof system is broken.
    /// @param index Which word of the output section.
    /// @return lowest The lowest integer that can be proven.
    /// @return highest The highest; the whole range of `int256` where nothing is proven, as of commitments.
    function outputBounds(uint256 index) external view returns (int256 lowest, int256 highest);

    /// @notice Names constraints, commitments, setup and schema.
    /// @return digest Below the order of the scalar field.
    function vkDigest() external view returns (bytes32 digest);

    /// @notice Names the model: what a consumer pins.
    /// @return commitment Keccak-256 of verifying key and model hash.
    function modelCommitment() external view returns (bytes32 commitment);

    /// @notice Names the trusted setup.
    /// @return digest Keccak-256 of the setup's points.
    function srsDigest() external view returns (bytes32 digest);

    /// @notice Bytes of a proof.
    /// @return length In bytes.
    function PROOF_LENGTH() external view returns (uint256 length);

    /// @notice Numbers in the public statement.
    /// @return count The context included.
    function NUM_INSTANCES() external view returns (uint256 count);

    /// @notice Fractional bits of the first output: its real value is the signed integer over 2^OUTPUT_SCALE.
    /// @return scale May be negative.
    function OUTPUT_SCALE() external view returns (int256 scale);

    /// @notice Version of the toolkit that generated the contract.
    /// @return version As in `zkml-chain --version`.
    function VERSION() external view returns (string memory version);

    /// @notice Whether the setup's secret is public, so that anybody can forge proofs. Such a verifier exists on test
    /// chains only.
    /// @return unsafeSetup True for a development setup.
    function UNSAFE_DEV_SETUP() external view returns (bool unsafeSetup);
}
