// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IModelVerifier} from "../../src/interfaces/IModelVerifier.sol";

/// @title A verifier that says what the test tells it to, of itself and of proofs
/// @notice `verifyProof` is a view, so that it cannot write down what it was asked: told to {Answer.Tell}, it reverts with it.
contract FakeVerifier is IModelVerifier {
    enum Answer {
        Yes,
        No,
        Tell
    }

    struct Bounds {
        bool known;
        int256 lowest;
        int256 highest;
    }

    /// @dev The question, as {Answer.Tell} gives it back.
    error Asked(bytes proof, uint256[] instances);

    bytes32 public vkDigest;
    bytes32 public modelCommitment;
    bytes32 public constant srsDigest = keccak256("srs");
    int256 public constant OUTPUT_SCALE = -3;
    string public constant VERSION = "fake";
    bool public constant UNSAFE_DEV_SETUP = true;

    Answer public answer;
    Shape private _shape;
    mapping(uint256 index => Bounds) private _bounds;

    constructor(Shape memory shape) {
        setShape(shape);
        (vkDigest, modelCommitment) = (shape.vkDigest, shape.modelCommitment);
    }

    function setAnswer(Answer answer_) external {
        answer = answer_;
    }

    /// @dev What it says of itself later; its `vkDigest` stays.
    function setShape(Shape memory shape) public {
        _shape = shape;
    }

    function setBounds(uint256 index, int256 lowest, int256 highest) external {
        _bounds[index] = Bounds(true, lowest, highest);
    }

    function verifyProof(bytes calldata proof, uint256[] calldata instances) external view returns (bool) {
        if (answer == Answer.Tell) revert Asked(proof, instances);
        return answer == Answer.Yes;
    }

    function statementShape() external view returns (Shape memory) {
        return _shape;
    }

    function outputBounds(uint256 index) external view returns (int256 lowest, int256 highest) {
        Bounds memory bounds = _bounds[index];
        return bounds.known ? (bounds.lowest, bounds.highest) : (type(int256).min, type(int256).max);
    }

    function PROOF_LENGTH() external view returns (uint256) {
        return _shape.proofLength;
    }

    function NUM_INSTANCES() external view returns (uint256) {
        return 1 + _shape.inputs + _shape.outputs + (_shape.weightsAreCommitted ? 1 : 0);
    }
}
