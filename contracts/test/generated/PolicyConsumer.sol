// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @dev What the consumer needs of its verifier.
interface IPolicyVerifier {
    function verifyProof(bytes calldata proof, uint256[] calldata instances) external view returns (bool);
    function vkDigest() external view returns (bytes32);
    function modelCommitment() external view returns (bytes32);
}

/// @title Consumer of proofs about the model "policy"
/// @notice An accepted proof means: this one model, on some input, gave these outputs.
/// It does NOT mean that the input is true: whoever proves chooses it. Before anything of value depends on
/// an output, check where its input comes from (a signed data root, a storage proof, an attestation).
/// It does not mean that the model is right or fair either.
/// Inputs are committed to: the chain sees a salted commitment. The same input under another salt has another
/// commitment, so compare it with one that a trusted party made or signed.
/// @dev No owner, no upgrade: model and verifier are fixed at construction.
/// !! UNSAFE: its verifier was made with a development setup. Anybody can forge proofs. Test chains only.
contract PolicyConsumer {
    /// @notice The model's outputs by name. Every number is an integer; see `decode` for its unit.
    struct Outputs {
        /// "risk", 18 fractional bits
        int256 risk;
    }

    /// @notice Commitments to the inputs that stay private, by name.
    struct InputCommitments {
        /// "call", salted Poseidon commitment to 6 values
        uint256 callCommitment;
    }

    /// @notice The model that this contract stands for: verifying key and model hash.
    bytes32 public constant MODEL_COMMITMENT = 0xec3daf5e997c1af32b6082ac0faa47173861d7468d01b24bce14e7b920e2d62e;
    /// @notice Keccak-256 of the compiled model.
    bytes32 public constant MODEL_HASH = 0x47c37f97bcedbf9b4904e3f454bf3d4f34d224396a1ad30d454aa6e89e70335b;
    /// @notice The verifying key, with setup, scales and names.
    bytes32 public constant VK_DIGEST = 0x1f7243e579aa93652d838ae65c0855bf1ffb96612ad4b9ada03d0676fd27620c;
    /// @notice Numbers in the public statement; the first is the context.
    uint256 public constant NUM_INSTANCES = 3;
    /// @notice Index of the first instance of the inputs.
    uint256 public constant INPUTS_START = 1;
    /// @notice Index of the first instance of the outputs.
    uint256 public constant OUTPUTS_START = 2;
    /// @dev Order of the scalar field; a negative number v is the instance R - |v|.
    uint256 private constant R = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant CONTEXT_TYPEHASH =
        keccak256("ZKMLInference(address subject,uint256 nonce,uint256 deadline,bytes32 action)");

    /// @notice The verifier, checked at construction to be this model's.
    IPolicyVerifier public immutable verifier;
    /// @notice The next nonce of each subject: a statement is accepted once.
    mapping(address subject => uint256) public nonces;
    /// @notice Keccak-256 of the instances that were last accepted from each subject.
    mapping(address subject => bytes32) public lastStatement;

    /// @dev The verifier at this address is not the one that the model was published with.
    error WrongVerifier(address verifier);
    /// @dev The statement is bound to another context than this call's.
    error WrongContext(uint256 actual, uint256 expected);
    /// @dev The statement was valid until this time.
    error StatementExpired(uint256 deadline);
    /// @dev The number of instances is not the circuit's.
    error WrongInstanceCount(uint256 actual, uint256 expected);
    /// @dev This instance is not below the order of the scalar field.
    error ScalarOutOfRange(uint256 index);
    /// @dev This number has a magnitude of 2^160 or more, which no model takes or gives.
    error OutputOutOfRange(uint256 index);
    /// @dev The proof is well formed, but does not prove this statement.
    error ProofRejected();

    /// @notice A proof was accepted. The outputs have 18 decimals.
    event InferenceVerified(
        address indexed subject, uint256 indexed nonce, bytes32 indexed action, bytes32 statement, InputCommitments inputs, Outputs outputs
    );

    /// @param verifier_ The deployed verifier of this very model; any other is refused.
    constructor(IPolicyVerifier verifier_) {
        if (verifier_.vkDigest() != VK_DIGEST || verifier_.modelCommitment() != MODEL_COMMITMENT) {
            revert WrongVerifier(address(verifier_));
        }
        verifier = verifier_;
    }

    /// @notice Accepts a proof that was made for the caller, for this contract on this chain, for the caller's next
    /// nonce, this deadline and this action. Each proof counts once.
    /// @param deadline Last acceptable block time, in seconds since 1970.
    /// @param action What the caller wants done with the result, hashed as the application sees fit.
    /// @param proof The proof.
    /// @param instances The public statement: context, inputs, model, outputs.
    /// @return outputs The model's outputs with 18 decimals, rounded down.
    function verifyInference(uint256 deadline, bytes32 action, bytes calldata proof, uint256[] calldata instances)
        external
        returns (Outputs memory outputs)
    {
        if (block.timestamp > deadline) revert StatementExpired(deadline);
        uint256 nonce = nonces[msg.sender]++;
        if (instances.length != NUM_INSTANCES) revert WrongInstanceCount(instances.length, NUM_INSTANCES);
        uint256 expected = contextOf(msg.sender, nonce, deadline, action);
        if (instances[0] != expected) revert WrongContext(instances[0], expected);
        if (!verifier.verifyProof(proof, instances)) revert ProofRejected();
        (, outputs) = decode(instances);
        bytes32 statement = keccak256(abi.encodePacked(instances));
        lastStatement[msg.sender] = statement;
        emit InferenceVerified(msg.sender, nonce, action, statement, inputCommitments(instances), outputs);
    }

    /// @notice Checks a proof whatever its context is, and changes nothing. Good for looking, not for deciding: a proof
    /// without a context (0) can be shown by anybody, anywhere, any number of times.
    function checkInference(bytes calldata proof, uint256[] calldata instances)
        external
        view
        returns (Outputs memory outputs)
    {
        if (!verifier.verifyProof(proof, instances)) revert ProofRejected();
        (, outputs) = decode(instances);
    }

    /// @notice The context that a proof must carry: an EIP-712 digest, cut to fit the scalar field.
    function contextOf(address subject, uint256 nonce, uint256 deadline, bytes32 action) public view returns (uint256) {
        bytes32 domain = keccak256(
            abi.encode(
                DOMAIN_TYPEHASH, keccak256("zkml-chain"), keccak256("1"), block.chainid, address(this)
            )
        );
        bytes32 message = keccak256(abi.encode(CONTEXT_TYPEHASH, subject, nonce, deadline, action));
        return uint256(keccak256(abi.encodePacked("\x19\x01", domain, message))) & (type(uint256).max >> 3);
    }

    /// @notice Names the outputs of a statement; says nothing about whether it is proven.
    /// @return raw Integers as the model computes them: the real number is raw / 2^(fractional bits).
    /// @return wad The real numbers with 18 decimals, rounded down. Commitments are the same in both.
    function decode(uint256[] calldata instances) public pure returns (Outputs memory raw, Outputs memory wad) {
        if (instances.length != NUM_INSTANCES) revert WrongInstanceCount(instances.length, NUM_INSTANCES);
        raw.risk = _signed(instances[2], 2);
        wad.risk = (raw.risk * 1e18) >> 18;
    }

    /// @notice Names the commitments to inputs in a statement; says nothing about whether it is proven.
    function inputCommitments(uint256[] calldata instances) public pure returns (InputCommitments memory commitments) {
        if (instances.length != NUM_INSTANCES) revert WrongInstanceCount(instances.length, NUM_INSTANCES);
        commitments.callCommitment = _canonical(instances[1], 1);
    }

    /// @dev Field element to signed integer: the upper half of the field is negative.
    function _signed(uint256 element, uint256 index) private pure returns (int256) {
        if (element >= R) revert ScalarOutOfRange(index);
        bool negative = element > R / 2;
        uint256 magnitude = negative ? R - element : element;
        if (magnitude >> 160 != 0) revert OutputOutOfRange(index);
        return negative ? -int256(magnitude) : int256(magnitude);
    }

    /// @dev A commitment is a field element, spelled in one way.
    function _canonical(uint256 element, uint256 index) private pure returns (uint256) {
        if (element >= R) revert ScalarOutOfRange(index);
        return element;
    }
}
