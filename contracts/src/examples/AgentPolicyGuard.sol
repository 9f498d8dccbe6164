// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

import {ZKMLConsumer} from "../ZKMLConsumer.sol";
import {IZKMLVerifier} from "../interfaces/IZKMLVerifier.sol";
import {ZKMLCodec} from "../libraries/ZKMLCodec.sol";
import {SignedDataRoot} from "../provenance/SignedDataRoot.sol";

/// @title Example: an agent spends from a purse, call by call, if a policy model finds the call harmless enough
/// @notice The purse holds native coin. Its agent hands in a call and a proof that the model finds the risk of exactly this
/// call low; the guard then makes the call itself. Which functions can be called at all, and how much can be spent in a
/// period, is fixed outside the model: it can only forbid what these allow.
///
/// WITHOUT THE CHECK OF THE INPUT THE MODEL STOPS NOTHING: the agent proves with the features of a harmless call and makes a
/// harmful one. The issuer computes the features from the call, which it signs for with the action. What remains then are
/// allowlist and cap.
/// @dev Checks: caller; target and selector allowed; value within what is left in the period; target, value, calldata,
/// agent and contract bound by the proof; features of this call, signed, and used once; risk between 0 and 1, rounded up; no reentrancy.
/// The cap counts native coin only: allow no function that moves tokens or approves somebody to, nor one that calls what
/// it is told. Periods are fixed: around the end of one, twice the cap can go within a short time. A call that reverts
/// reverts everything, so that its proof is not used up.
contract AgentPolicyGuard is ZKMLConsumer, SignedDataRoot, ReentrancyGuard {
    /// @notice A call.
    /// @param target Whom to call.
    /// @param value How much native coin goes with it.
    /// @param data Selector and arguments.
    struct Call {
        address target;
        uint256 value;
        bytes data;
    }

    /// @notice Type of the action.
    bytes32 public constant CALL_TYPEHASH = keccak256("AgentCall(address target,uint256 value,bytes data)");

    /// @notice Fractional bits of the model's output; belongs to the model, as its generated consumer says.
    int256 public immutable OUTPUT_SCALE;
    /// @notice Who hands in calls: the subject of all inferences.
    address public immutable AGENT;
    /// @notice The highest risk that is taken, 18 decimals.
    uint256 public immutable MAX_RISK;
    /// @notice How much native coin can be spent in a period.
    uint256 public immutable CAP;
    /// @notice Seconds in a period; period n begins at n times this.
    uint256 public immutable PERIOD;

    /// @notice Which functions can be called.
    mapping(address target => mapping(bytes4 selector => bool allowed)) public allowed;
    /// @notice Whether a call was made on these features.
    mapping(bytes32 dataCommitment => bool used) public dataUsed;
    /// @notice How much was spent in each period.
    mapping(uint256 period => uint256 value) public spent;

    /// @notice A function can be called from now on, or not any more.
    /// @param target The contract.
    /// @param selector The function.
    /// @param allowed Whether it can be called.
    event AllowanceChanged(address indexed target, bytes4 indexed selector, bool allowed);
    /// @notice A call was made.
    /// @param target Whom.
    /// @param selector The function.
    /// @param value How much native coin went with it.
    /// @param action The call, hashed.
    event Executed(address indexed target, bytes4 indexed selector, uint256 value, bytes32 action);

    /// @notice The period is zero, or the highest risk is above 1.
    error BadPolicy();
    /// @notice Only the agent hands in calls.
    /// @param caller Who tried.
    error NotAgent(address caller);
    /// @notice The calldata has no selector: plain payments are not made.
    error NoSelector();
    /// @notice This function cannot be called.
    /// @param target The contract.
    /// @param selector The function.
    error NotAllowed(address target, bytes4 selector);
    /// @notice The guard does not call itself.
    error SelfCall();
    /// @notice Not so much is left in this period.
    /// @param value What the call takes.
    /// @param left What is left.
    error CapExceeded(uint256 value, uint256 left);
    /// @notice A call was made on these features before.
    /// @param dataCommitment The commitment to them.
    error DataAlreadyUsed(bytes32 dataCommitment);
    /// @notice A risk is between 0 and 1.
    /// @param risk What the model gave, 18 decimals.
    error RiskOutOfRange(int256 risk);
    /// @notice The model finds the call too risky.
    /// @param risk What it gave, 18 decimals.
    /// @param limit The highest that is taken.
    error TooRisky(uint256 risk, uint256 limit);

    /// @notice Pins the model, the issuer, and what is decided outside the model.
    /// @param verifier Checks the proofs.
    /// @param modelId_ The model; it is fixed for good.
    /// @param outputScale Fractional bits of its output.
    /// @param issuer Who computes the features of a call, and signs them.
    /// @param agent Who hands in calls.
    /// @param maxRisk The highest risk that is taken, 18 decimals.
    /// @param cap How much native coin can be spent in a period.
    /// @param period Seconds in a period.
    constructor(
        IZKMLVerifier verifier,
        uint256 modelId_,
        int256 outputScale,
        address issuer,
        address agent,
        uint256 maxRisk,
        uint256 cap,
        uint256 period
    ) ZKMLConsumer(verifier, modelId_, 0, msg.sender) SignedDataRoot(issuer) {
        if (period == 0 || maxRisk > 1e18) revert BadPolicy();
        (OUTPUT_SCALE, AGENT, MAX_RISK, CAP, PERIOD) = (outputScale, agent, maxRisk, cap, period);
    }

    /// @notice Fills the purse.
    receive() external payable {}

    /// @notice Allows a function, or forbids it again.
    /// @param target The contract.
    /// @param selector The function.
    /// @param allow Whether it can be called.
    function setAllowed(address target, bytes4 selector, bool allow) external onlyOwner {
        if (target == address(this)) revert SelfCall();
        allowed[target][selector] = allow;
        emit AllowanceChanged(target, selector, allow);
    }

    /// @notice Takes native coin out of the purse.
    /// @param to Who receives it.
    /// @param value How much.
    function withdraw(address payable to, uint256 value) external onlyOwner nonReentrant {
        Address.sendValue(to, value);
    }

    /// @notice Makes a call. What it returns is returned, what it reverts with reverts.
    /// @param call The call.
    /// @param inference The proof, for {AGENT} and {actionOf} this call.
    /// @return result What the call returned.
    function execute(Call calldata call, Inference calldata inference)
        external
        nonReentrant
        returns (bytes memory result)
    {
        if (msg.sender != AGENT) revert NotAgent(msg.sender);
        if (call.data.length < 4) revert NoSelector();
        bytes4 selector = bytes4(call.data[:4]);
        if (!allowed[call.target][selector]) revert NotAllowed(call.target, selector);
        uint256 period = block.timestamp / PERIOD;
        uint256 left = CAP - spent[period];
        if (call.value > left) revert CapExceeded(call.value, left);
        spent[period] += call.value;
        bytes32 action = actionOf(call);
        _verifyInference(msg.sender, action, inference);
        emit Executed(call.target, selector, call.value, action);
        return Address.functionCallWithValue(call.target, call.data, call.value);
    }

    /// @notice What a proof for a call is bound to; context adds chain, guard and agent.
    /// @param call The call.
    /// @return action The call, hashed.
    function actionOf(Call calldata call) public pure returns (bytes32 action) {
        return keccak256(abi.encode(CALL_TYPEHASH, call.target, call.value, keccak256(call.data)));
    }

    /// @dev Signed, and good for one call: the next one finds the purse, and perhaps the market, changed. How long features
    /// stay true is for the issuer to say.
    function _checkProvenance(address subject, bytes32 action, bytes32 dataCommitment, bytes calldata provenance)
        internal
        override
    {
        _checkDataRoot(subject, action, dataCommitment, provenance);
        if (dataUsed[dataCommitment]) revert DataAlreadyUsed(dataCommitment);
        dataUsed[dataCommitment] = true;
    }

    /// @dev Rounded up: against the agent.
    function _validateOutput(address, bytes calldata output) internal view override {
        ZKMLCodec.checkLength(output, 1);
        int256 risk = ZKMLCodec.decode(ZKMLCodec.word(output, 0), OUTPUT_SCALE, ZKMLCodec.Rounding.Up);
        if (risk < 0 || risk > ZKMLCodec.WAD) revert RiskOutOfRange(risk);
        if (uint256(risk) > MAX_RISK) revert TooRisky(uint256(risk), MAX_RISK);
    }
}
