// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../ZKMLConsumer.sol";
import {IZKMLVerifier} from "../interfaces/IZKMLVerifier.sol";
import {ZKMLCodec} from "../libraries/ZKMLCodec.sol";
import {SignedDataRoot} from "../provenance/SignedDataRoot.sol";

/// @title Example: adults only, without saying how old anybody is
/// @notice An issuer that has checked somebody's document and seen the person signs three things for this contract: the
/// account, a salted commitment to what the model reads, and the person's nullifier here. A proof shows that the model says
/// "adult" about what is committed. One person gets one account.
///
/// The chain learns that the account belongs to an adult, and nothing else: the input stays behind its commitment, whose
/// salt keeps it from being guessed; the model gives one bit, and only one value of it is accepted; nullifiers of one
/// person in two applications have nothing in common for anybody but the issuer.
///
/// WITHOUT THE CHECK OF THE INPUT EVERYBODY IS AN ADULT: a child proves with somebody else's picture, or with noise. The
/// model's opinion of a picture is no document either; where the law wants one, the issuer's word is what counts.
/// @dev Checks: account and nullifier bound by the proof; document's issuer has signed for account, commitment and
/// nullifier, in time; output exactly 1; nullifier and account used once. The issuer derives the nullifier, as a keyed
/// hash of the person's identity and this contract's address: it is the same whenever the same person comes again.
contract Over18Gate is ZKMLConsumer, SignedDataRoot {
    /// @notice Type of the action.
    bytes32 public constant ADMISSION_TYPEHASH = keccak256("AdultAdmission(bytes32 nullifier)");

    /// @notice Fractional bits of the model's output; belongs to the model, as its generated consumer says.
    int256 public immutable OUTPUT_SCALE;

    /// @notice Whether an account belongs to an adult.
    mapping(address account => bool adult) public isAdult;
    /// @notice Whether a person has an account here.
    mapping(bytes32 nullifier => bool used) public nullifierUsed;

    /// @notice An account was admitted.
    /// @param account The account.
    /// @param nullifier The person, in this contract only.
    event Admitted(address indexed account, bytes32 indexed nullifier);

    /// @notice The account was admitted before.
    /// @param account The account.
    error AlreadyAdmitted(address account);
    /// @notice The person has an account here.
    /// @param nullifier The person, in this contract only.
    error NullifierUsed(bytes32 nullifier);
    /// @notice The model does not say "adult".
    /// @param answer What it says: 1 would be "adult", 18 decimals.
    error NotAdult(int256 answer);

    /// @notice Pins the model and the issuer.
    /// @param verifier Checks the proofs.
    /// @param modelId_ The model; it is fixed for good. It says 1 about adults, whatever their age.
    /// @param outputScale Fractional bits of its output.
    /// @param issuer Who checks documents.
    constructor(IZKMLVerifier verifier, uint256 modelId_, int256 outputScale, address issuer)
        ZKMLConsumer(verifier, modelId_, 0, msg.sender)
        SignedDataRoot(issuer)
    {
        OUTPUT_SCALE = outputScale;
    }

    /// @notice Admits the caller.
    /// @param nullifier The person, in this contract only.
    /// @param inference The proof, for the caller and {actionOf} the nullifier.
    function admit(bytes32 nullifier, Inference calldata inference) external {
        if (isAdult[msg.sender]) revert AlreadyAdmitted(msg.sender);
        if (nullifierUsed[nullifier]) revert NullifierUsed(nullifier);
        (isAdult[msg.sender], nullifierUsed[nullifier]) = (true, true);
        bytes32 action = actionOf(nullifier);
        _verifyInference(msg.sender, action, inference);
        emit Admitted(msg.sender, nullifier);
    }

    /// @notice What a proof for an admission is bound to, and what the issuer signs as the use of the data.
    /// @param nullifier The person, in this contract only.
    /// @return action The nullifier, hashed.
    function actionOf(bytes32 nullifier) public pure returns (bytes32 action) {
        return keccak256(abi.encode(ADMISSION_TYPEHASH, nullifier));
    }

    /// @dev Signed by who checks documents, and in time.
    function _checkProvenance(address subject, bytes32 action, bytes32 dataCommitment, bytes calldata provenance)
        internal
        view
        override
    {
        _checkDataRoot(subject, action, dataCommitment, provenance);
    }

    /// @dev One value and no other: what lies between 0 and 1 would tell ages near the limit apart.
    function _validateOutput(address, bytes calldata output) internal view override {
        ZKMLCodec.checkLength(output, 1);
        int256 answer = ZKMLCodec.decode(ZKMLCodec.word(output, 0), OUTPUT_SCALE, ZKMLCodec.Rounding.Down);
        if (answer != ZKMLCodec.WAD) revert NotAdult(answer);
    }
}
