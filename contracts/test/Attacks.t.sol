// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";

import {ZKMLConsumer} from "../src/ZKMLConsumer.sol";
import {IZKMLLedger} from "../src/interfaces/IZKMLLedger.sol";
import {IZKMLRequests} from "../src/interfaces/IZKMLRequests.sol";
import {IZKMLRewards} from "../src/interfaces/IZKMLRewards.sol";
import {IZKMLVerifier} from "../src/interfaces/IZKMLVerifier.sol";
import {HookedConsumer} from "./support/HookedConsumer.sol";
import {HookedRequests} from "./support/HookedRequests.sol";
import {Paying} from "./support/Paying.sol";
import {Vm} from "./support/Vm.sol";

/// @title Asks several times in one call, with the coins of one
contract Bulk is HookedRequests {
    constructor(IZKMLVerifier verifier, uint256 modelId_, address owner_)
        HookedRequests(verifier, modelId_, 0, owner_)
    {}

    /// @dev Calls of others, bundled.
    function bundle(bytes[] calldata calls) external payable {
        for (uint256 i = 0; i < calls.length; ++i) {
            Address.functionDelegateCall(address(this), calls[i]);
        }
    }

    function askTwice(bytes32 action, uint256 deadline, bytes32 data, Reward calldata reward) external payable {
        bytes calldata none = msg.data[0:0];
        _requestRewarded(msg.sender, action, deadline, data, reward, none, none);
        _requestRewarded(msg.sender, action, deadline, data, reward, none, none);
    }
}

/// @title Takes no inferences for reasons of its own
contract Closing is HookedRequests {
    bool public closed;

    error Closed();

    constructor(IZKMLVerifier verifier, uint256 modelId_, address owner_)
        HookedRequests(verifier, modelId_, 0, owner_)
    {}

    function close() external {
        closed = true;
    }

    function _beforeInference() internal view override {
        super._beforeInference();
        if (closed) revert Closed();
    }
}

/// @title A pool that lets nobody in while it lends
contract Pool {
    bool private _lending;

    function lend(address target, bytes calldata data) external returns (bool done) {
        _lending = true;
        (done,) = target.call(data);
        _lending = false;
    }

    function borrow() external view {
        require(!_lending, "locked");
    }
}

/// @title A receiver of coins that does something with them
contract Receiver {
    bytes private _then;
    address private _target;
    bool public succeeded;
    bytes public answer;

    function set(address target, bytes calldata then) external {
        (_target, _then) = (target, then);
    }

    function act(address target, bytes calldata data) external {
        Address.functionCall(target, data);
    }

    function hook() external {
        _go();
    }

    function withdraw(IZKMLRewards from, uint256 amount) external {
        from.withdraw(address(0), amount, address(this));
    }

    receive() external payable {
        _go();
    }

    function _go() private {
        if (_target != address(0)) (succeeded, answer) = _target.call(_then);
    }
}

/// @title A token that calls its receiver before anything moves
contract EagerToken {
    mapping(address => uint256) public balanceOf;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        Receiver(payable(to)).hook();
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        return true;
    }
}

/// @title Goes down as many calls as it is told to, and then calls
contract Deep {
    function dive(uint256 depth, address target, bytes calldata data) external returns (bool done) {
        if (depth == 0) (done,) = target.call(data);
        else done = this.dive(depth - 1, target, data);
    }
}

/// @title One token at two addresses
contract TwoFaced {
    TwoFaced private immutable _OTHER;
    mapping(address => uint256) private _balances;

    constructor(TwoFaced other) {
        _OTHER = other;
    }

    function balanceOf(address who) public view returns (uint256) {
        return address(_OTHER) == address(0) ? _balances[who] : _OTHER.balanceOf(who);
    }

    function mint(address to, uint256 amount) external {
        _balances[to] += amount;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        return move(from, to, amount);
    }

    function move(address from, address to, uint256 amount) public returns (bool) {
        if (address(_OTHER) != address(0)) return _OTHER.move(from, to, amount);
        _balances[from] -= amount;
        _balances[to] += amount;
        return true;
    }
}

/// @title What a thief, a griefer or a careless contract would try at requests that pay
contract AttacksTest is Paying {
    function setUp() external {
        deployPaying();
    }

    /// @dev Coins that come along once pay once: the second time, it would be somebody else's deposit.
    function test_RevertWhen_TheSameCoinsPayTwice() external {
        Bulk bulk = new Bulk(zkml, modelId, OWNER);
        vm.prank(PAYER);
        bulk.deposit{value: 10 ether}(COIN, 10 ether);
        bytes memory error_ =
            abi.encodeWithSelector(IZKMLLedger.InsufficientDeposit.selector, address(bulk), COIN, 15 ether, 20 ether);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(bulk.deposit, (COIN, 5 ether));
        calls[1] = calls[0];
        vm.startPrank(ALICE);
        vm.expectRevert(error_);
        bulk.askTwice{value: 5 ether}(ACTION, DEADLINE, DATA, coins(ALICE, 5 ether));
        vm.expectRevert(error_);
        bulk.bundle{value: 5 ether}(calls);
        // From a deposit, one can ask as often as it lasts.
        bulk.deposit{value: 10 ether}(COIN, 10 ether);
        bulk.askTwice(ACTION, DEADLINE, DATA, coins(ALICE, 5 ether));
        vm.expectRevert(abi.encodeWithSelector(IZKMLLedger.InsufficientDeposit.selector, ALICE, COIN, 0, 5 ether));
        bulk.askTwice(ACTION, DEADLINE, DATA, coins(ALICE, 5 ether));
        vm.stopPrank();
        // What was taken out is not counted any more.
        vm.startPrank(PAYER);
        bulk.withdraw(COIN, 10 ether, PAYER);
        bulk.deposit{value: 10 ether}(COIN, 10 ether);
    }

    /// @dev What stops inferences stops those that were asked for, too.
    function test_RevertWhen_ARequestIsFulfilledWhileNoInferenceIsTaken() external {
        Closing closing = new Closing(zkml, modelId, OWNER);
        (consumer, requests) = (closing, closing);
        IZKMLRequests.Request memory r = ask(ALICE);
        closing.close();
        ZKMLConsumer.Inference memory i = inferenceFor(ALICE, 0);
        vm.expectRevert(Closing.Closed.selector);
        consumer.take(ALICE, ACTION, i);
        refuse(r, proofOf(r), abi.encodeWithSelector(Closing.Closed.selector));
    }

    /// @dev Whoever hands a proof in can do it while others let nobody in: a hook should not rely on them. The prover is paid.
    function test_WhoHandsInAProofChoosesTheMoment() external {
        Pool pool = new Pool();
        IZKMLRewards.Reward memory w = coins(ALICE, 1 ether);
        IZKMLRequests.Request memory r = askFor(ALICE, w, 1 ether);
        requests.plan(HookedConsumer.Hook.Act, address(pool), abi.encodeCall(Pool.borrow, ()));
        bytes memory call = abi.encodeCall(requests.fulfillRewarded, (r, w, PROVER, words(5, 6), proofBy(PROVER, r, w)));
        vm.prank(BOB);
        assertTrue(pool.lend(address(requests), call), "taken");
        assertTrue(requests.called() && !requests.succeeded(), "the hook's call is refused");
        assertEq(requests.fundsOf(PROVER, COIN), 1 ether, "earned");
    }

    /// @dev Nobody gets so deep that the callback cannot be called, and still has the gas that it is owed.
    function test_NobodyCallsFromTooDeep() external {
        Deep deep = new Deep();
        IZKMLRewards.Reward memory w = coins(ALICE, 1 ether);
        IZKMLRequests.Request memory r = askFor(ALICE, w, 1 ether);
        bytes memory call = abi.encodeCall(requests.fulfillRewarded, (r, w, PROVER, words(5, 6), proofBy(PROVER, r, w)));
        for (uint256 depth = 0; depth < 900; depth += 50) {
            uint256 before = vm.snapshotState();
            (bool ok, bytes memory answer) =
                address(deep).call{gas: 30_000_000}(abi.encodeCall(deep.dive, (depth, address(requests), call)));
            bool done = ok && abi.decode(answer, (bool));
            assertTrue(!done || requests.fulfilled() == 1, "with its callback, or not at all");
            vm.revertToState(before);
        }
    }

    /// @dev A token at two addresses is two assets, and what is owed of both together is there.
    function test_ATokenAtTwoAddressesIsOwedOnce() external {
        TwoFaced one = new TwoFaced(TwoFaced(address(0)));
        TwoFaced two = new TwoFaced(one);
        one.mint(PAYER, 10);
        vm.startPrank(PAYER);
        requests.deposit(address(one), 4);
        requests.deposit(address(two), 6);
        bytes memory error_ =
            abi.encodeWithSelector(IZKMLLedger.InsufficientDeposit.selector, PAYER, address(two), 6, 7);
        vm.expectRevert(error_);
        requests.withdraw(address(two), 7, PAYER);
        requests.withdraw(address(two), 6, PAYER);
        requests.withdraw(address(one), 4, PAYER);
        assertTrue(one.balanceOf(PAYER) == 10 && one.balanceOf(address(requests)) == 0, "all of it, once");
    }

    /// @dev The contract is no token, and lets nobody speak in its name.
    function test_RevertWhen_TheContractItselfIsTheAsset() external {
        vm.startPrank(PAYER);
        vm.expectRevert();
        requests.deposit(address(requests), 5);
        vm.expectRevert();
        requests.deposit(address(requests), 0);
        vm.expectRevert();
        requests.withdraw(address(requests), 0, PAYER);
        vm.expectRevert(abi.encodeWithSelector(IZKMLLedger.WithdrawalFailed.selector, address(requests)));
        requests.withdraw(COIN, 0, address(requests));
    }

    /// @dev Whoever is paid out hands in a proof, or asks for the reward back, and is treated like anybody.
    function test_WhoEntersAgainWhenPaidOutFulfilsOrReclaimsOnce() external {
        Receiver prover = new Receiver();
        IZKMLRewards.Reward memory w = coins(ALICE, 1 ether);
        (IZKMLRequests.Request memory r, IZKMLRequests.Request memory s) =
            (askFor(ALICE, w, 1 ether), askFor(ALICE, w, 1 ether));
        earn(address(prover), r, w);
        bytes memory proof = proofBy(address(prover), s, w);
        prover.set(
            address(requests), abi.encodeCall(requests.fulfillRewarded, (s, w, address(prover), words(5, 6), proof))
        );
        prover.withdraw(requests, 1 ether);
        assertTrue(prover.succeeded() && requests.fundsOf(address(prover), COIN) == 1 ether, "the next one");
        prover.withdraw(requests, 1 ether);
        assertTrue(!prover.succeeded() && requests.fundsOf(address(prover), COIN) == 0, "not again");
        assertTrue(address(requests).balance == 0 && address(prover).balance == 2 ether, "twice one");
    }

    /// @dev After a fork, and at another contract, a proof that earned a reward earns none.
    function test_RevertWhen_AProofIsShownElsewhere() external {
        IZKMLRewards.Reward memory w = coins(ALICE, 1 ether);
        IZKMLRequests.Request memory r = askFor(ALICE, w, 1 ether);
        (bytes memory proof, bytes32 actual) = (proofBy(PROVER, r, w), requests.rewardedContext(r, w, PROVER));
        HookedRequests here = requests;
        requests = new HookedRequests(zkml, modelId, 0, OWNER);
        askFor(ALICE, w, 1 ether);
        bytes32 expected = requests.rewardedContext(r, w, PROVER);
        vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.WrongContext.selector, actual, expected));
        requests.fulfillRewarded(r, w, PROVER, words(5, 6), proof);
        requests = here;
        vm.chainId(999);
        expected = requests.rewardedContext(r, w, PROVER);
        vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.WrongContext.selector, actual, expected));
        requests.fulfillRewarded(r, w, PROVER, words(5, 6), proof);
    }

    /// @dev A clone that nobody owns takes no request and pays none; what was paid in can be taken out.
    function test_ACloneWithoutAnOwnerPaysNothing() external {
        address code = address(requests);
        requests = HookedRequests(account("clone"));
        vm.etch(
            address(requests), abi.encodePacked(hex"363d3d373d3d3d363d73", code, hex"5af43d82803e903d91602b57fd5bf3")
        );
        consumer = requests;
        IZKMLRewards.Reward memory w = coins(ALICE, 1 ether);
        vm.expectRevert(ZKMLConsumer.NotInitialized.selector);
        vm.prank(ALICE);
        requests.askRewarded{value: 1 ether}(ALICE, ACTION, DEADLINE, DATA, w, INPUT, "");
        deposit(PAYER, COIN, 5);
        vm.prank(PAYER);
        requests.withdraw(COIN, 5, PAYER);
        consumer.initialize(BOB);
        IZKMLRequests.Request memory r = askFor(ALICE, w, 1 ether);
        bytes memory proof = proofBy(PROVER, r, w);
        bytes memory unknown = abi.encodeWithSelector(
            IZKMLRequests.RequestNotPending.selector, idOf(r, w), IZKMLRequests.RequestState.None
        );
        vm.expectRevert(unknown);
        HookedRequests(code).fulfillRewarded(r, w, PROVER, words(5, 6), proof);
        earn(PROVER, r, w);
        assertEq(requests.fundsOf(PROVER, COIN), 1 ether, "earned at the clone");
    }

    /// @dev What was proven is paid for. Whether the contract has accepted it is another question.
    function test_WhatIsFulfilledWasNotNecessarilyAccepted() external {
        IZKMLRewards.Reward memory w = coins(ALICE, 1 ether);
        IZKMLRequests.Request memory r = askFor(ALICE, w, 1 ether);
        requests.plan(HookedConsumer.Hook.Validate, address(0), "out of bounds");
        vm.recordLogs();
        earn(PROVER, r, w);
        assertTrue(stateOf(r, w) == IZKMLRequests.RequestState.Fulfilled && requests.accepted() == 0, "only proven");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            assertTrue(logs[i].topics[0] != ZKMLConsumer.InferenceAccepted.selector, "no word of acceptance");
        }
    }

    /// @dev A token that calls its receiver before it moves: what comes in meanwhile is the receiver's, once.
    function test_WhoPaysInWhilePaidOutIsOwedOnce() external {
        EagerToken eager = new EagerToken();
        Receiver receiver = new Receiver();
        eager.mint(address(receiver), 10);
        eager.mint(PAYER, 10);
        vm.prank(PAYER);
        requests.deposit(address(eager), 10);
        receiver.act(address(requests), abi.encodeCall(requests.deposit, (address(eager), 6)));
        receiver.set(address(requests), abi.encodeCall(requests.deposit, (address(eager), 4)));
        receiver.act(address(requests), abi.encodeCall(requests.withdraw, (address(eager), 6, address(receiver))));
        assertTrue(receiver.succeeded() && requests.fundsOf(address(receiver), address(eager)) == 4, "paid in");
        assertTrue(eager.balanceOf(address(receiver)) == 6 && eager.balanceOf(address(requests)) == 14, "moved");
    }

    /// @dev A deprecated model earns nothing, and nothing is lost.
    function test_RevertWhen_TheModelIsDeprecatedAndTheRewardComesBack() external {
        IZKMLRewards.Reward memory w = coins(ALICE, 1 ether);
        IZKMLRequests.Request memory r = askFor(ALICE, w, 1 ether);
        vm.prank(PUBLISHER);
        registry.deprecateModel(modelId);
        bytes memory proof = proofBy(PROVER, r, w);
        vm.expectRevert();
        requests.fulfillRewarded(r, w, PROVER, words(5, 6), proof);
        vm.warp(DEADLINE + 1);
        requests.reclaimReward(r, w);
        assertEq(requests.fundsOf(ALICE, COIN), 1 ether, "returned");
    }
}
