// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../../src/ZKMLConsumer.sol";
import {AgentPolicyGuard} from "../../src/examples/AgentPolicyGuard.sol";
import {ExampleChecks, ExampleTest} from "./support/ExampleTest.sol";
import {Venue} from "./support/Venue.sol";

/// @title A purse, its agent, and a venue, as both tests use them
abstract contract GuardSetup is ExampleTest {
    uint256 internal constant CAP = 10 ether;
    uint256 internal constant PERIOD = 1 days;
    AgentPolicyGuard internal guard;
    Venue internal venue;
    address internal immutable AGENT = account("agent");

    function deployGuard(address agent) internal {
        deployMock();
        guard = new AgentPolicyGuard(mock, mockModel, SCALE, issuer(), agent, 0.25e18, CAP, PERIOD);
        venue = new Venue();
        vm.deal(address(guard), 1_000 ether);
        guard.setAllowed(address(venue), Venue.deposit.selector, true);
        guard.setAllowed(address(venue), Venue.closed.selector, true);
        guard.setAllowed(address(venue), Venue.dead.selector, true);
        guard.setAllowed(address(venue), Venue.enter.selector, true);
        guard.setAllowed(account("nobody"), Venue.dead.selector, true);
    }

    function callOf(uint256 value, bytes memory data) internal view returns (AgentPolicyGuard.Call memory) {
        return AgentPolicyGuard.Call(address(venue), value, data);
    }

    function deposit(uint256 value) internal view returns (AgentPolicyGuard.Call memory) {
        return callOf(value, abi.encodeCall(Venue.deposit, (41)));
    }

    function judged(AgentPolicyGuard.Call memory call, int256 risk)
        internal
        view
        returns (ZKMLConsumer.Inference memory)
    {
        return believed(address(guard), rootOf(guard.AGENT(), features(), guard.actionOf(call)), risk);
    }

    /// @dev Those of each call are others, as salted commitments are.
    function features() internal view returns (bytes32) {
        return keccak256(abi.encode("features", guard.nonces(guard.AGENT())));
    }
}

/// @title The policy guard, with a verifier that believes everything
contract AgentPolicyGuardTest is ExampleChecks, GuardSetup {
    function setUp() external {
        deployGuard(AGENT);
    }

    function target() internal view override returns (address) {
        return address(guard);
    }

    function goodRoot() internal view override returns (Root memory) {
        return rootOf(AGENT, features(), guard.actionOf(deposit(1 ether)));
    }

    function goodInference() internal view override returns (ZKMLConsumer.Inference memory) {
        return judged(deposit(1 ether), 0.125e18);
    }

    function act(ZKMLConsumer.Inference memory inference_) internal override {
        AgentPolicyGuard.Call memory call = deposit(1 ether);
        vm.prank(AGENT);
        guard.execute(call, inference_);
    }

    function execute(AgentPolicyGuard.Call memory call) private returns (bytes memory) {
        ZKMLConsumer.Inference memory inference_ = judged(call, 0.125e18);
        vm.prank(AGENT);
        return guard.execute(call, inference_);
    }

    function refusedCall(AgentPolicyGuard.Call memory call, bytes memory reason) private {
        ZKMLConsumer.Inference memory inference_ = judged(call, 0.125e18);
        vm.expectRevert(reason);
        vm.prank(AGENT);
        guard.execute(call, inference_);
    }

    function test_MakesTheCallAndReturnsItsAnswer() external {
        bytes memory answer = execute(deposit(1 ether));
        assertEq(abi.decode(answer, (uint256)), 42, "answer");
        assertEq(venue.received(), 1 ether, "value");
        assertEq(guard.spent(NOW / PERIOD), 1 ether, "spent");
    }

    function test_SaysWhatIsAllowedAndWhatWasCalled() external {
        address other = account("another venue");
        vm.expectEmit(true, true, true, true, address(guard));
        emit AgentPolicyGuard.AllowanceChanged(other, Venue.closed.selector, true);
        guard.setAllowed(other, Venue.closed.selector, true);
        AgentPolicyGuard.Call memory call = deposit(1 ether);
        ZKMLConsumer.Inference memory inference_ = judged(call, 0.125e18);
        vm.expectEmit(true, true, true, true, address(guard));
        emit AgentPolicyGuard.Executed(address(venue), Venue.deposit.selector, 1 ether, guard.actionOf(call));
        vm.prank(AGENT);
        guard.execute(call, inference_);
    }

    /// @dev A risk of exactly one is a risk, and a guard may take it.
    function test_ARiskOfOneIsARisk() external {
        refused(
            judged(deposit(1 ether), 1e18), abi.encodeWithSelector(AgentPolicyGuard.TooRisky.selector, 1e18, 0.25e18)
        );
        guard = new AgentPolicyGuard(mock, mockModel, SCALE, issuer(), AGENT, 1e18, CAP, PERIOD);
        guard.setAllowed(address(venue), Venue.deposit.selector, true);
        vm.deal(address(guard), 1 ether);
        act(judged(deposit(1 ether), 1e18));
    }

    function test_RevertsWithTheCallsReason() external {
        AgentPolicyGuard.Call memory call = callOf(1 ether, abi.encodeCall(Venue.closed, (7)));
        refusedCall(call, abi.encodeWithSelector(Venue.VenueClosed.selector, 7));
        refusedCall(callOf(0, abi.encodeCall(Venue.dead, ())), abi.encodeWithSignature("FailedCall()"));
        assertEq(guard.nonces(AGENT), 0, "the proof is not used up");
        assertEq(guard.spent(NOW / PERIOD), 0, "nothing was spent");
    }

    function test_RevertWhen_TheTargetHasNoCode() external {
        AgentPolicyGuard.Call memory call = callOf(0, abi.encodeCall(Venue.dead, ()));
        call.target = account("nobody");
        refusedCall(call, abi.encodeWithSignature("AddressEmptyCode(address)", call.target));
    }

    function test_RevertWhen_ThePurseIsEmpty() external {
        vm.deal(address(guard), 1 ether - 1);
        refusedCall(
            deposit(1 ether), abi.encodeWithSignature("InsufficientBalance(uint256,uint256)", 1 ether - 1, 1 ether)
        );
    }

    function test_RevertWhen_SomebodyElseCalls() external {
        AgentPolicyGuard.Call memory call = deposit(1 ether);
        ZKMLConsumer.Inference memory inference_ = good();
        vm.expectRevert(abi.encodeWithSelector(AgentPolicyGuard.NotAgent.selector, address(this)));
        guard.execute(call, inference_);
    }

    function test_RevertWhen_TheFunctionIsNotAllowed() external {
        AgentPolicyGuard.Call memory call = callOf(0, abi.encodeCall(Venue.prepare, (guard, "")));
        refusedCall(
            call, abi.encodeWithSelector(AgentPolicyGuard.NotAllowed.selector, address(venue), Venue.prepare.selector)
        );
        call = deposit(1 ether);
        call.target = account("another venue");
        refusedCall(
            call, abi.encodeWithSelector(AgentPolicyGuard.NotAllowed.selector, call.target, Venue.deposit.selector)
        );
        guard.setAllowed(address(venue), Venue.deposit.selector, false);
        refusedCall(
            deposit(1 ether),
            abi.encodeWithSelector(AgentPolicyGuard.NotAllowed.selector, address(venue), Venue.deposit.selector)
        );
    }

    function test_RevertWhen_ThereIsNoSelector() external {
        refusedCall(callOf(1 ether, hex"b6b55f"), abi.encodeWithSelector(AgentPolicyGuard.NoSelector.selector));
    }

    function test_RevertWhen_TheCapIsExceeded() external {
        execute(deposit(4 ether));
        refusedCall(
            deposit(6 ether + 1), abi.encodeWithSelector(AgentPolicyGuard.CapExceeded.selector, 6 ether + 1, 6 ether)
        );
        execute(deposit(6 ether));
        vm.warp((NOW / PERIOD + 1) * PERIOD);
        execute(deposit(10 ether));
    }

    /// @dev A proof about a harmless call is no permission for another one.
    function test_RevertWhen_AnotherCallIsMade() external {
        ZKMLConsumer.Inference memory inference_ = good();
        AgentPolicyGuard.Call[2] memory others =
            [deposit(1 ether + 1), callOf(1 ether, abi.encodeCall(Venue.deposit, (42)))];
        bytes32 action = goodRoot().action;
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory reason = wrongContext(inference_, AGENT, guard.actionOf(others[i]));
            vm.expectRevert(reason);
            vm.prank(AGENT);
            guard.execute(others[i], inference_);
        }
        AgentPolicyGuard.Call memory elsewhere = deposit(1 ether);
        elsewhere.target = account("another venue");
        assertTrue(guard.actionOf(elsewhere) != action, "target");
    }

    /// @dev One signature allows one call, not as many as there are proofs.
    function test_RevertWhen_TheFeaturesAreUsedAgain() external {
        Root memory root = goodRoot();
        act(good());
        ZKMLConsumer.Inference memory inference_ = believed(address(guard), root, 0.125e18);
        refused(inference_, abi.encodeWithSelector(AgentPolicyGuard.DataAlreadyUsed.selector, root.dataCommitment));
    }

    function test_RevertWhen_TheModelFindsItTooRisky() external {
        refused(
            judged(deposit(1 ether), 0.5e18),
            abi.encodeWithSelector(AgentPolicyGuard.TooRisky.selector, 0.5e18, 0.25e18)
        );
        refused(
            judged(deposit(1 ether), 2e18),
            abi.encodeWithSelector(AgentPolicyGuard.RiskOutOfRange.selector, int256(2e18))
        );
        refused(
            judged(deposit(1 ether), -1e18),
            abi.encodeWithSelector(AgentPolicyGuard.RiskOutOfRange.selector, -int256(1e18))
        );
        act(judged(deposit(1 ether), 0.25e18));
    }

    /// @dev The limit is a quarter, and the number a little more.
    function test_RoundsAgainstTheAgent() external {
        (, int256 upper) = between();
        refused(
            judged(deposit(1 ether), upper), abi.encodeWithSelector(AgentPolicyGuard.TooRisky.selector, upper, 0.25e18)
        );
    }

    /// @dev The venue is the agent here, and enters with a second proof that would be good by itself.
    function test_RevertWhen_TheTargetEntersAgain() external {
        deployGuard(account("venue as agent"));
        vm.etch(account("venue as agent"), address(venue).code);
        venue = Venue(account("venue as agent"));
        guard.setAllowed(address(venue), Venue.deposit.selector, true);
        guard.setAllowed(address(venue), Venue.enter.selector, true);
        AgentPolicyGuard.Call memory outer = callOf(1 ether, abi.encodeCall(Venue.enter, ()));
        AgentPolicyGuard.Call memory inner = deposit(1 ether);
        ZKMLConsumer.Inference memory first = judged(outer, 0);
        Root memory root = rootOf(address(venue), DATA, guard.actionOf(inner));
        ZKMLConsumer.Inference memory second = believed(address(guard), root, 0);
        bytes32 context = guard.contextOf(address(venue), 1, DEADLINE, root.action);
        second.proof = abi.encodePacked(bytes4("mock"), DATA, context);
        venue.prepare(guard, abi.encodeCall(AgentPolicyGuard.execute, (inner, second)));
        vm.expectRevert(abi.encodeWithSignature("ReentrancyGuardReentrantCall()"));
        vm.prank(address(venue));
        guard.execute(outer, first);
    }

    function test_OwnerWithdraws() external {
        guard.withdraw(payable(account("owner's purse")), 3 ether);
        assertEq(account("owner's purse").balance, 3 ether, "withdrawn");
        vm.expectRevert(abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", AGENT));
        vm.prank(AGENT);
        guard.withdraw(payable(AGENT), 1);
    }

    function test_RevertWhen_TheAllowlistIsChangedByTheAgentOrNamesTheGuard() external {
        vm.expectRevert(abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", AGENT));
        vm.prank(AGENT);
        guard.setAllowed(AGENT, 0, true);
        vm.expectRevert(AgentPolicyGuard.SelfCall.selector);
        guard.setAllowed(address(guard), Venue.deposit.selector, true);
    }

    function test_RevertWhen_ThePolicyIsBad() external {
        vm.expectRevert(AgentPolicyGuard.BadPolicy.selector);
        new AgentPolicyGuard(mock, mockModel, SCALE, issuer(), AGENT, 1e18 + 1, CAP, PERIOD);
        vm.expectRevert(AgentPolicyGuard.BadPolicy.selector);
        new AgentPolicyGuard(mock, mockModel, SCALE, issuer(), AGENT, 0, CAP, 0);
    }
}

/// @title An agent that calls whatever comes to mind
contract Agent is GuardSetup {
    mapping(uint256 period => uint256 value) private _spent;
    uint256 public most;
    uint256 public calls;

    constructor() {
        deployGuard(AGENT);
    }

    function call(uint256 value, uint256 what, int256 risk) external {
        bytes[3] memory data = [
            abi.encodeCall(Venue.deposit, (what)), abi.encodeCall(Venue.closed, (what)), abi.encodeCall(Venue.enter, ())
        ];
        AgentPolicyGuard.Call memory call_ = callOf(value % (CAP + 1), data[what % 3]);
        ZKMLConsumer.Inference memory inference_ = judged(call_, risk % 0.5e18);
        uint256 before = address(guard).balance;
        vm.prank(AGENT);
        try guard.execute(call_, inference_) {
            ++calls;
        } catch {}
        _spent[block.timestamp / PERIOD] += before - address(guard).balance;
        if (_spent[block.timestamp / PERIOD] > most) most = _spent[block.timestamp / PERIOD];
    }

    function wait_(uint256 time) external {
        vm.warp(block.timestamp + time % 12 hours);
    }
}

/// @title Whatever an agent does, the purse never loses more than the cap in a period
contract AgentPolicyGuardInvariants is ExampleTest {
    Agent private agent;

    function setUp() external {
        agent = new Agent();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(agent);
    }

    function invariant_SpendingStaysBelowTheCap() external view {
        assertAtMost(agent.most(), 10 ether, "cap");
    }
}
