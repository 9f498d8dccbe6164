// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IZKMLAttestors} from "./IZKMLAttestors.sol";
import {IZKMLBeacon} from "./IZKMLBeacon.sol";
import {IZKMLLedger} from "./IZKMLLedger.sol";

/// @title Results that are taken with less than a proof, as a policy says
/// @notice A result is posted with a bond, and counts when enough of its policy's paths hold:
///
/// - *optimistic*: nobody has demanded the proof within a window;
/// - *sampled*: randomness that nobody knew when it was posted did not draw it;
/// - *attested*: enough registered keys have signed it.
///
/// A proof is all of them at once. It can be handed in by anybody, at any time, and it is the proof that `verifyInference` would have
/// taken: same model, same context, same words. Where a proof is demanded or drawn and does not come in time, the bond is lost.
interface IZKMLAcceptance is IZKMLLedger {
    /// @notice Where a result stands.
    enum State {
        /// Nobody has posted it.
        None,
        /// Its bond is set aside, and its paths are open.
        Posted,
        /// Its proof is due.
        Demanded,
        /// It is proven, its bond is back, and nothing was done with it yet.
        Proven,
        /// The application has acted on it. Final.
        Accepted,
        /// Its proof did not come in time. Final.
        Lost,
        /// It counts for nothing, and nobody has lost anything. Final.
        Void
    }

    /// @notice What a result has to show.
    /// @param paths Which paths there are: 1 optimistic, 2 sampled, 4 attested, or a sum of these.
    /// @param required How many of them have to hold.
    /// @param signatures Keys that have to sign, if attested.
    /// @param challengeWindow Seconds in which the proof can be demanded, if optimistic.
    /// @param answerWindow Seconds in which a proof has to come that is due.
    /// @param rate Probability of being drawn if sampled, 18 decimals.
    /// @param bond What a poster loses whose proof is due and does not come, in the asset's smallest unit.
    /// @param deposit What a challenger loses whose challenge is answered by a proof.
    /// @param asset The token of bond and deposit; zero for the chain's own coin.
    /// @param beneficiary Who gets what a challenger does not get of a lost bond: an account that no poster controls.
    /// @param beacon Draws, if sampled.
    /// @param attestors Knows the keys, if attested.
    struct AcceptancePolicy {
        uint8 paths;
        uint8 required;
        uint8 signatures;
        uint32 challengeWindow;
        uint32 answerWindow;
        uint64 rate;
        uint256 bond;
        uint256 deposit;
        address asset;
        address beneficiary;
        IZKMLBeacon beacon;
        IZKMLAttestors attestors;
    }

    /// @notice A signature of a registered key.
    /// @param keyId The key.
    /// @param issuedAt Block time from which it counts, in seconds since 1970.
    /// @param validUntil Last block time at which it counts.
    /// @param signature Of {attestationDigest}.
    struct Attestation {
        bytes32 keyId;
        uint64 issuedAt;
        uint64 validUntil;
        bytes signature;
    }

    /// @notice What a poster hands in.
    /// @param deadline Last block time at which the application may act on the result; bound by the context.
    /// @param dataCommitment The commitment to the input.
    /// @param output The words of the output section, 32 bytes each.
    /// @param provenance Why the input is to be believed; what it holds is up to the application.
    /// @param attestations Signatures, ascending by key; may be empty, and come later by {attest}.
    struct Posting {
        uint256 deadline;
        bytes32 dataCommitment;
        bytes output;
        bytes provenance;
        Attestation[] attestations;
    }

    /// @notice A posted result. The contract keeps its hash; whoever calls hands all of it in.
    /// @param poster Whose bond it is.
    /// @param subject Whom the inference is about.
    /// @param nonce The subject's nonce that it has used up.
    /// @param deadline See {Posting}.
    /// @param action What the output is to be used for, hashed.
    /// @param dataCommitment See {Posting}.
    /// @param outputHash Keccak-256 of the output words.
    /// @param modelId The model in force when it was posted: a later one changes nothing.
    struct Result {
        address poster;
        address subject;
        uint256 nonce;
        uint256 deadline;
        bytes32 action;
        bytes32 dataCommitment;
        bytes32 outputHash;
        uint256 modelId;
    }

    /// @notice All that is kept of a result, in one slot.
    /// @param state Where it stands.
    /// @param held Which paths hold, as in {AcceptancePolicy}, and 8 once it is proven; that a window is over is not written down.
    /// @param since Block time at which it was posted.
    /// @param until Last block time at which a proof that is due may come.
    /// @param round The beacon's round that draws it.
    struct Status {
        State state;
        uint8 held;
        uint40 since;
        uint40 until;
        uint64 round;
    }

    /// @notice A result was posted.
    /// @param resultId Its id.
    /// @param subject Whom it is about.
    /// @param poster Whose bond it is.
    /// @param result All of it.
    /// @param policy What it has to show.
    /// @param output The words of the output section.
    event ResultPosted(
        bytes32 indexed resultId,
        address indexed subject,
        address indexed poster,
        Result result,
        AcceptancePolicy policy,
        bytes output
    );
    /// @notice Enough keys have signed a result.
    /// @param resultId Its id.
    event ResultAttested(bytes32 indexed resultId);
    /// @notice The proof of a result was demanded.
    /// @param resultId Its id.
    /// @param challenger Who demands it.
    /// @param until Last block time at which it may come.
    event ResultChallenged(bytes32 indexed resultId, address indexed challenger, uint256 until);
    /// @notice A result was drawn, or spared.
    /// @param resultId Its id.
    /// @param due Whether its proof is due now.
    /// @param until Last block time at which it may come; zero if it was spared.
    event ResultDrawn(bytes32 indexed resultId, bool due, uint256 until);
    /// @notice A result was proven. The verifier's event before it names the model and the output.
    /// @param resultId Its id.
    event ResultProven(bytes32 indexed resultId);
    /// @notice A result counts; {ZKMLConsumer.InferenceAccepted} follows.
    /// @param resultId Its id.
    event ResultAccepted(bytes32 indexed resultId);
    /// @notice A proof that was due did not come.
    /// @param resultId The result's id.
    /// @param challenger Who had demanded it; zero if it was drawn.
    event ResultLost(bytes32 indexed resultId, address indexed challenger);
    /// @notice A result counts for nothing; bond and deposit are back.
    /// @param resultId Its id.
    event ResultVoided(bytes32 indexed resultId);

    /// @notice The result is not in a state in which this can be done.
    /// @param resultId Its id; of one that was never posted, or was posted with another policy, too.
    /// @param state Where it stands.
    error WrongState(bytes32 resultId, State state);
    /// @notice A policy has at least one of the three paths, and none that is unknown.
    /// @param paths What it has.
    error UnknownPaths(uint256 paths);
    /// @notice At least one path has to hold, and not more than there are.
    /// @param required What the policy says.
    /// @param paths How many there are.
    error RequiredOutOfBounds(uint256 required, uint256 paths);
    /// @notice A window is neither too short for a transaction to get in, nor longer than anybody waits.
    /// @param window Its length in seconds.
    /// @param shortest The shortest.
    /// @param longest The longest.
    error WindowOutOfBounds(uint256 window, uint256 shortest, uint256 longest);
    /// @notice Nothing would be lost by cheating.
    error ZeroBond();
    /// @notice Challenges would cost nothing, and each of them costs a proof.
    error ZeroDeposit();
    /// @notice A lost bond would go back to who lost it, or to nobody.
    /// @param beneficiary What the policy says.
    error BadBeneficiary(address beneficiary);
    /// @notice A probability is above 0 and at most 1.
    /// @param rate What the policy says, 18 decimals.
    error RateOutOfBounds(uint256 rate);
    /// @notice Signatures are at least one, and not more than a transaction carries.
    /// @param signatures How many were handed in, or what the policy says.
    /// @param expected The number that it must be, or the most.
    error SignaturesOutOfBounds(uint256 signatures, uint256 expected);
    /// @notice The deadline leaves no time for a challenge and its answer.
    /// @param deadline What was handed in.
    /// @param earliest What it must be at least.
    error DeadlineTooSoon(uint256 deadline, uint256 earliest);
    /// @notice The result's policy does not have this path.
    /// @param path The path.
    error NoSuchPath(uint256 path);
    /// @notice The path holds already.
    /// @param path The path.
    error HoldsAlready(uint256 path);
    /// @notice The proof could be demanded until this time.
    /// @param end Last block time.
    error ChallengeWindowClosed(uint256 end);
    /// @notice The proof could come until this time.
    /// @param until Last block time.
    error AnswerTooLate(uint256 until);
    /// @notice The proof may come until this time.
    /// @param until Last block time.
    error AnswerWindowOpen(uint256 until);
    /// @notice The round's randomness is not known.
    /// @param round The round.
    error NotDrawnYet(uint256 round);
    /// @notice Not enough paths hold.
    /// @param held Which ones do.
    /// @param required How many have to.
    error NotAcceptable(uint256 held, uint256 required);
    /// @notice The output is not the one that was posted.
    /// @param actual Its hash.
    /// @param expected What it must be.
    error WrongOutput(bytes32 actual, bytes32 expected);
    /// @notice Nothing can be proven about the model any more: it is deprecated, or its route or verifier is stopped. See {release}.
    /// @param modelId The model.
    error NotProvable(uint256 modelId);
    /// @notice Only the poster gives a result up.
    /// @param caller Who tried.
    error NotPoster(address caller);
    /// @notice The proof can still be demanded, or the result be drawn.
    /// @param resultId Its id.
    error StillExposed(bytes32 resultId);
    /// @notice Keys are handed in ascending, each once.
    /// @param keyId The key that is not above the one before.
    error KeysNotAscending(bytes32 keyId);
    /// @notice The signature counts later.
    /// @param issuedAt From when on.
    error AttestationNotYetValid(uint256 issuedAt);
    /// @notice The signature counts no more.
    /// @param validUntil Until when it did.
    error AttestationExpired(uint256 validUntil);

    /// @notice Demands the proof of a result, and sets a deposit aside: coins that come along, or out of the caller's account here.
    /// @param result The result, as its event has it.
    /// @param policy Its policy, as the event has it.
    function challenge(Result calldata result, AcceptancePolicy calldata policy) external payable;

    /// @notice Draws a result. Without randomness, as nobody has handed it in in time, its proof is due.
    /// @param result The result, as its event has it.
    /// @param policy Its policy, as the event has it.
    function draw(Result calldata result, AcceptancePolicy calldata policy) external;

    /// @notice Hands signatures in.
    /// @param result The result, as its event has it.
    /// @param policy Its policy, as the event has it.
    /// @param attestations As many as the policy asks for, ascending by key.
    function attest(Result calldata result, AcceptancePolicy calldata policy, Attestation[] calldata attestations)
        external;

    /// @notice Proves a result, whether that is due or not, and also one that was accepted. Bond and deposit are the poster's, whoever hands
    /// the proof in. Acts on nothing: {accept} does.
    /// @param result The result, as its event has it.
    /// @param policy Its policy, as the event has it.
    /// @param output The words of the output section.
    /// @param proof The proof blob, bound to the context that `verifyInference` would have asked for.
    function prove(
        Result calldata result,
        AcceptancePolicy calldata policy,
        bytes calldata output,
        bytes calldata proof
    ) external;

    /// @notice Has the application act on a result that counts. Anybody may, until its deadline.
    /// @param result The result, as its event has it.
    /// @param policy Its policy, as the event has it.
    /// @param output The words of the output section.
    function accept(Result calldata result, AcceptancePolicy calldata policy, bytes calldata output) external;

    /// @notice Takes the bond of a result whose proof was due and has not come. Anybody may. Of a challenged one, a half is the challenger's,
    /// rounded down, with its deposit, and the rest the beneficiary's; of a drawn one, all is the beneficiary's.
    /// @param result The result, as its event has it.
    /// @param policy Its policy, as the event has it.
    function claim(Result calldata result, AcceptancePolicy calldata policy) external;

    /// @notice Ends a result that counts for nothing. Its poster may once it can neither be challenged nor drawn, as where the application
    /// refuses it; anybody may where nothing can be proven about its model any more. Bond and deposit go back.
    /// @param result The result, as its event has it.
    /// @param policy Its policy, as the event has it.
    function release(Result calldata result, AcceptancePolicy calldata policy) external;

    /// @notice Where a result stands.
    /// @param resultId Its id.
    /// @return status All that is kept of it.
    function statusOf(bytes32 resultId) external view returns (Status memory status);

    /// @notice Who has demanded the proof of a result.
    /// @param resultId Its id.
    /// @return challenger Zero if nobody has.
    function challengerOf(bytes32 resultId) external view returns (address challenger);

    /// @notice The id of a result, whether it was posted or not.
    /// @param result The result.
    /// @param policy Its policy.
    /// @return resultId The hash of both, and of chain and contract.
    function resultIdOf(Result calldata result, AcceptancePolicy calldata policy)
        external
        view
        returns (bytes32 resultId);

    /// @notice What a proof of a result must be bound to.
    /// @param result The result.
    /// @return context The context: pass it to `zkml-chain prove --context`.
    function resultContext(Result calldata result) external view returns (bytes32 context);

    /// @notice What a key signs.
    /// @param result The result.
    /// @param issuedAt Block time from which the signature counts.
    /// @param validUntil Last block time at which it counts.
    /// @return digest The EIP-712 digest, in the domain of `eip712Domain`: of model, statement, output and time.
    function attestationDigest(Result calldata result, uint64 issuedAt, uint64 validUntil)
        external
        view
        returns (bytes32 digest);
}
