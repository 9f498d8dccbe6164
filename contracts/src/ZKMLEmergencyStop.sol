// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {IModelPairing} from "./interfaces/IModelPairing.sol";
import {IModelVerifier} from "./interfaces/IModelVerifier.sol";
import {ZKMLAddress} from "./libraries/ZKMLAddress.sol";
import {ZKMLCodec} from "./libraries/ZKMLCodec.sol";

/// @title A verifier that can be stopped, for good
/// @notice Stands in front of a verifier and answers as it does, until somebody stops it: its owner, or anybody who shows
/// a valid proof of an output that the circuit makes impossible. Such a proof means that the proof system is broken, so
/// nothing that the verifier says can be relied on. There is no way back.
/// @dev Route this contract instead of the verifier itself. Stopping needs no delay, and the owner can do nothing else.
contract ZKMLEmergencyStop is IModelVerifier, IModelPairing, Ownable2Step {
    /// @notice The verifier behind it.
    IModelVerifier public immutable VERIFIER;
    /// @notice Whether it is stopped.
    bool public stopped;

    /// @notice The verifier was stopped, for good.
    /// @param by Who did it.
    /// @param exploit Whether a proof of exploit was shown.
    event EmergencyStop(address indexed by, bool exploit);

    /// @notice The verifier is stopped.
    error VerifierStopped();
    /// @notice All outputs of this proof lie within what the circuit proves: nothing is broken.
    error NoExploit();

    /// @notice Stands in front of a verifier.
    /// @param verifier The verifier.
    /// @param owner_ Who may stop it: somebody who can act fast.
    constructor(IModelVerifier verifier, address owner_) Ownable(owner_) {
        ZKMLAddress.check(address(verifier));
        VERIFIER = verifier;
    }

    /// @notice Stops the verifier, for good.
    function stop() external onlyOwner {
        _stop(false);
    }

    /// @notice Stops the verifier, for good, if the proof is a proof of exploit. Anybody may.
    /// @param proof A proof that the verifier accepts.
    /// @param instances Its statement, with an output outside of {outputBounds}.
    function stopWithExploit(bytes calldata proof, uint256[] calldata instances) external {
        if (!VERIFIER.verifyProof(proof, instances) || !_impossible(instances)) revert NoExploit();
        _stop(true);
    }

    /// @inheritdoc IModelVerifier
    function verifyProof(bytes calldata proof, uint256[] calldata instances) external view returns (bool valid) {
        if (stopped) revert VerifierStopped();
        return VERIFIER.verifyProof(proof, instances);
    }

    /// @inheritdoc IModelPairing
    function pairingInput(bytes calldata proof, uint256[] calldata instances)
        external
        view
        returns (uint256[] memory pairs)
    {
        if (stopped) revert VerifierStopped();
        return IModelPairing(address(VERIFIER)).pairingInput(proof, instances);
    }

    /// @inheritdoc IModelVerifier
    function statementShape() external view returns (Shape memory shape) {
        return VERIFIER.statementShape();
    }

    /// @inheritdoc IModelVerifier
    function outputBounds(uint256 index) external view returns (int256 lowest, int256 highest) {
        return VERIFIER.outputBounds(index);
    }

    /// @inheritdoc IModelVerifier
    function vkDigest() external view returns (bytes32 digest) {
        return VERIFIER.vkDigest();
    }

    /// @inheritdoc IModelVerifier
    function modelCommitment() external view returns (bytes32 commitment) {
        return VERIFIER.modelCommitment();
    }

    /// @inheritdoc IModelVerifier
    function srsDigest() external view returns (bytes32 digest) {
        return VERIFIER.srsDigest();
    }

    /// @inheritdoc IModelVerifier
    function PROOF_LENGTH() external view returns (uint256 length) {
        return VERIFIER.PROOF_LENGTH();
    }

    /// @inheritdoc IModelVerifier
    function NUM_INSTANCES() external view returns (uint256 count) {
        return VERIFIER.NUM_INSTANCES();
    }

    /// @inheritdoc IModelVerifier
    function OUTPUT_SCALE() external view returns (int256 scale) {
        return VERIFIER.OUTPUT_SCALE();
    }

    /// @inheritdoc IModelVerifier
    function VERSION() external view returns (string memory version) {
        return VERIFIER.VERSION();
    }

    /// @inheritdoc IModelVerifier
    function UNSAFE_DEV_SETUP() external view returns (bool unsafeSetup) {
        return VERIFIER.UNSAFE_DEV_SETUP();
    }

    function _stop(bool exploit) private {
        if (stopped) revert VerifierStopped();
        stopped = true;
        emit EmergencyStop(msg.sender, exploit);
    }

    /// @dev Whether any output lies outside of what the circuit proves, or is no field element at all. The verifier has
    /// checked that there are as many instances as there must be.
    function _impossible(uint256[] calldata instances) private view returns (bool impossible) {
        uint256 outputs = VERIFIER.statementShape().outputs;
        uint256 start = instances.length - outputs;
        for (uint256 i = 0; i < outputs; ++i) {
            uint256 element = instances[start + i];
            if (element >= ZKMLCodec.R) return true;
            (int256 lowest, int256 highest) = VERIFIER.outputBounds(i);
            // Without the limit on magnitudes that decoding has: the larger, the more impossible.
            int256 value = ZKMLCodec.toSigned(element);
            if (value < lowest || value > highest) return true;
        }
        return false;
    }
}
