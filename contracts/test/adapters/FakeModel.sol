// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IModelVerifier} from "../../src/interfaces/IModelVerifier.sol";

/// @title A generated verifier as a test writes it
/// @notice A proof is the hash of verifying key and instances, so that tests can make one for any statement, and one
/// statement's proof is no other's.
contract FakeModel is IModelVerifier {
    /// The proof is not the one of these instances.
    error Refused();
    /// The work that a real verifier would do could not be done.
    error PrecompileFailed();

    uint256 public constant PROOF_LENGTH = 32;
    uint256 public constant NUM_INSTANCES = 4;
    int256 public constant OUTPUT_SCALE = 0;
    bool public constant UNSAFE_DEV_SETUP = true;
    bytes32 public constant srsDigest = keccak256("setup");

    bytes32 public immutable vkDigest;
    bool private immutable INPUT_IS_COMMITMENT;

    /// Gas that checking takes, about.
    uint256 private _work;

    constructor(string memory name, bool inputIsCommitment) {
        vkDigest = keccak256(bytes(name)) >> 8 << 4;
        INPUT_IS_COMMITMENT = inputIsCommitment;
    }

    function setWork(uint256 gas) external {
        _work = gas;
    }

    /// Burns gas in a call of its own, as a precompile would: what is left when it runs dry is not its caller's.
    function burn(uint256 gas) external view {
        uint256 start = gasleft();
        while (start - gasleft() < gas) {}
    }

    function verifyProof(bytes calldata proof, uint256[] calldata instances) external view returns (bool valid) {
        uint256 work = _work;
        if (work != 0) {
            try this.burn(work) {}
            catch {
                revert PrecompileFailed();
            }
        }
        if (bytes32(proof) != proofOf(instances)) revert Refused();
        return true;
    }

    function statementShape() external view returns (Shape memory shape) {
        return Shape({
            vkDigest: vkDigest,
            modelCommitment: modelCommitment(),
            modelHash: modelHash(),
            proofLength: PROOF_LENGTH,
            inputs: INPUT_IS_COMMITMENT ? 1 : 2,
            outputs: 2,
            inputIsCommitment: INPUT_IS_COMMITMENT,
            weightsAreCommitted: false
        });
    }

    function proofOf(uint256[] calldata instances) public view returns (bytes32) {
        return keccak256(abi.encode(vkDigest, instances));
    }

    function modelHash() public view returns (bytes32) {
        return keccak256(abi.encode("model", vkDigest));
    }

    function modelCommitment() public view returns (bytes32) {
        return keccak256(abi.encode(vkDigest, modelHash()));
    }

    function outputBounds(uint256) external pure returns (int256, int256) {
        return (type(int256).min, type(int256).max);
    }

    function VERSION() external pure returns (string memory) {
        return "fake";
    }
}
