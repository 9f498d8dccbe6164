// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLRewards} from "../src/ZKMLRewards.sol";
import {IZKMLLedger} from "../src/interfaces/IZKMLLedger.sol";
import {IZKMLRequests} from "../src/interfaces/IZKMLRequests.sol";
import {IZKMLRewards} from "../src/interfaces/IZKMLRewards.sol";
import {Paying} from "./support/Paying.sol";

/// @title A token that answers nothing, as some old ones do
contract SilentToken {
    mapping(address => uint256) public balanceOf;
    bool private _refuses;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function setRefuses(bool refuses) external {
        _refuses = refuses;
    }

    function transfer(address to, uint256 amount) external {
        _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external {
        _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private {
        require(!_refuses, "refused");
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @title Moves money while money moves
contract Attacker {
    ZKMLRewards private immutable _TARGET;
    bytes private _then;
    bool public succeeded;

    constructor(ZKMLRewards target) {
        _TARGET = target;
    }

    function deposit(address asset, uint256 amount) external payable {
        _TARGET.deposit{value: msg.value}(asset, amount);
    }

    function withdraw(address asset, uint256 amount, bytes calldata then) external {
        _then = then;
        _TARGET.withdraw(asset, amount, address(this));
    }

    function depositThen(address asset, uint256 amount, bytes calldata then) external {
        _then = then;
        _TARGET.deposit(asset, amount);
    }

    function asked() external {
        _go();
    }

    function _go() private {
        bytes memory then = _then;
        if (then.length == 0) return;
        delete _then;
        (succeeded,) = address(_TARGET).call(then);
    }

    receive() external payable {
        _go();
    }
}

/// @title A token whose transfers call the sender before anything moves (as ERC-777's do)
contract HookToken {
    mapping(address => uint256) public balanceOf;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        Attacker(payable(from)).asked();
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        return true;
    }
}

/// @title Refuses coins, at length
contract Refusing {
    function take(ZKMLRewards target, uint256 amount) external {
        target.withdraw(address(0), amount, address(this));
    }

    function pay(ZKMLRewards target) external payable {
        target.deposit{value: msg.value}(address(0), msg.value);
    }
}

/// @title The ledger of deposits, limits and rewards
contract RewardsLedgerTest is Paying {
    function setUp() external {
        deployPaying();
    }

    function test_DepositsAreTakenOutAgain() external {
        address[2] memory assets = [COIN, address(token)];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectEmit(true, true, true, true, address(requests));
            emit IZKMLLedger.Deposited(PAYER, assets[i], 5);
            deposit(PAYER, assets[i], 5);
            deposit(PAYER, assets[i], 2);
            assertEq(requests.fundsOf(PAYER, assets[i]), 7, "paid in");
            vm.expectEmit(true, true, true, true, address(requests));
            emit IZKMLLedger.Withdrawn(PAYER, assets[i], PROVER, 6);
            vm.prank(PAYER);
            requests.withdraw(assets[i], 6, PROVER);
            assertEq(requests.fundsOf(PAYER, assets[i]), 1, "left");
            bytes memory error_ =
                abi.encodeWithSelector(IZKMLLedger.InsufficientDeposit.selector, PAYER, assets[i], 1, 2);
            vm.expectRevert(error_);
            vm.prank(PAYER);
            requests.withdraw(assets[i], 2, PROVER);
        }
        assertTrue(PROVER.balance == 6 && token.balanceOf(PROVER) == 6, "arrived");
    }

    function test_RevertWhen_TheCoinsAreNotTheDeposit() external {
        uint256[2] memory wrong = [uint256(4), 6];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IZKMLLedger.WrongValue.selector, wrong[i], 5));
            vm.prank(PAYER);
            requests.deposit{value: wrong[i]}(COIN, 5);
        }
        vm.expectRevert(abi.encodeWithSelector(IZKMLLedger.WrongValue.selector, 5, 0));
        vm.prank(PAYER);
        requests.deposit{value: 5}(address(token), 5);
    }

    function test_RevertWhen_TheTokenKeepsAPart() external {
        token.setFee(1);
        vm.expectRevert(abi.encodeWithSelector(IZKMLLedger.DepositNotExact.selector, 4, 5));
        vm.prank(PAYER);
        requests.deposit(address(token), 5);
    }

    function test_TokensThatAnswerNothingAreTaken() external {
        SilentToken silent = new SilentToken();
        silent.mint(PAYER, 9);
        vm.startPrank(PAYER);
        requests.deposit(address(silent), 9);
        requests.withdraw(address(silent), 4, BOB);
        assertTrue(silent.balanceOf(BOB) == 4 && requests.fundsOf(PAYER, address(silent)) == 5, "moved");
        silent.setRefuses(true);
        vm.expectRevert();
        requests.withdraw(address(silent), 4, BOB);
        assertEq(requests.fundsOf(PAYER, address(silent)), 5, "still there");
    }

    function test_RevertWhen_ThereIsNoToken() external {
        vm.expectRevert();
        vm.prank(PAYER);
        requests.deposit(account("no token"), 5);
    }

    /// @dev A token that lets its sender in: what moves besides is found out, or adds up.
    function test_RevertWhen_ADepositIsCountedTwice() external {
        HookToken hooked = new HookToken();
        Attacker attacker = new Attacker(requests);
        hooked.mint(address(attacker), 100);
        bytes memory inner = abi.encodeCall(requests.deposit, (address(hooked), 10));
        vm.expectRevert(abi.encodeWithSelector(IZKMLLedger.DepositNotExact.selector, 20, 10));
        attacker.depositThen(address(hooked), 10, inner);
        attacker.depositThen(address(hooked), 10, "");
        inner = abi.encodeCall(requests.withdraw, (address(hooked), 10, BOB));
        vm.expectRevert(abi.encodeWithSelector(IZKMLLedger.DepositNotExact.selector, 0, 10));
        attacker.depositThen(address(hooked), 10, inner);
        assertEq(hooked.balanceOf(address(requests)), requests.fundsOf(address(attacker), address(hooked)), "owed");
    }

    function test_WhoEntersAgainWhenPaidOutGetsNothing() external {
        Attacker attacker = new Attacker(requests);
        vm.deal(address(this), 10);
        attacker.deposit{value: 10}(COIN, 10);
        deposit(PAYER, COIN, 10);
        attacker.withdraw(COIN, 10, abi.encodeCall(requests.withdraw, (COIN, 10, address(attacker))));
        assertTrue(!attacker.succeeded() && address(attacker).balance == 10, "its own, once");
        assertEq(address(requests).balance, 10, "the other's is there");
    }

    function test_RevertWhen_TheReceiverRefuses() external {
        Refusing refusing = new Refusing();
        vm.deal(address(this), 10);
        refusing.pay{value: 10}(requests);
        vm.expectRevert(abi.encodeWithSelector(IZKMLLedger.WithdrawalFailed.selector, address(refusing)));
        refusing.take(requests, 10);
        assertEq(requests.fundsOf(address(refusing), COIN), 10, "still there");
        vm.prank(address(refusing));
        requests.withdraw(COIN, 10, BOB);
        deposit(PAYER, COIN, 10);
        vm.expectRevert(IZKMLLedger.NoRecipient.selector);
        vm.prank(PAYER);
        requests.withdraw(COIN, 10, address(0));
    }

    function test_RevertWhen_TheRewardIsNothing() external {
        vm.startPrank(ALICE);
        vm.expectRevert(IZKMLRewards.NoReward.selector);
        requests.askRewarded(ALICE, ACTION, DEADLINE, DATA, coins(ALICE, 0), INPUT, "");
        vm.expectRevert(IZKMLRewards.NoReward.selector);
        requests.askRewarded{value: 1}(ALICE, ACTION, DEADLINE, DATA, coins(ALICE, 0), INPUT, "");
    }

    /// @dev Coins that come along are the reward, and nothing else.
    function test_RevertWhen_TheCoinsAreNotTheReward() external {
        deposit(ALICE, COIN, 10);
        deposit(ALICE, address(token), 10);
        deposit(PAYER, COIN, 10);
        vm.prank(PAYER);
        requests.setSpendingLimit(ALICE, COIN, 10);
        wrongValue(coins(ALICE, 5), 4, 5);
        wrongValue(coins(ALICE, 5), 6, 5);
        wrongValue(coins(PAYER, 5), 5, 0);
        wrongValue(tokens(ALICE, 5), 5, 0);
        askFor(ALICE, coins(ALICE, 5), 5);
        assertEq(requests.fundsOf(ALICE, COIN), 10, "the deposit is for later");
        askFor(ALICE, coins(ALICE, 5), 0);
        assertEq(requests.fundsOf(ALICE, COIN), 5, "now");
        askFor(ALICE, tokens(ALICE, 10), 0);
        assertEq(requests.fundsOf(ALICE, address(token)), 0, "all of it");
    }

    function test_RevertWhen_TheDepositIsTooSmall() external {
        deposit(ALICE, address(token), 10);
        vm.startPrank(ALICE);
        bytes memory error_ =
            abi.encodeWithSelector(IZKMLLedger.InsufficientDeposit.selector, ALICE, address(token), 10, 11);
        vm.expectRevert(error_);
        requests.askRewarded(ALICE, ACTION, DEADLINE, DATA, tokens(ALICE, 11), INPUT, "");
        error_ = abi.encodeWithSelector(IZKMLLedger.InsufficientDeposit.selector, ALICE, COIN, 0, 1);
        vm.expectRevert(error_);
        requests.askRewarded(ALICE, ACTION, DEADLINE, DATA, coins(ALICE, 1), INPUT, "");
    }

    /// @dev One deposit, many requests, a limit.
    function test_ASubscriptionPaysUpToItsLimit() external {
        deposit(PAYER, address(token), 100);
        vm.expectEmit(true, true, true, true, address(requests));
        emit IZKMLRewards.SpendingLimitSet(PAYER, ALICE, address(token), 25);
        vm.prank(PAYER);
        requests.setSpendingLimit(ALICE, address(token), 25);
        IZKMLRewards.Reward memory w = tokens(PAYER, 10);
        IZKMLRequests.Request memory r = askFor(ALICE, w, 0);
        askFor(ALICE, w, 0);
        assertEq(requests.spendingLimitOf(PAYER, ALICE, address(token)), 5, "left");
        beyond(ALICE, w, 5);
        // Of this asset, by this account.
        beyond(BOB, w, 0);
        IZKMLRewards.Reward memory inCoins = coins(PAYER, 1);
        beyond(ALICE, inCoins, 0);
        askFor(ALICE, tokens(PAYER, 5), 0);
        beyond(ALICE, tokens(PAYER, 1), 0);
        assertEq(requests.fundsOf(PAYER, address(token)), 75, "the payer's");
        // What comes back is the payer's, and not the spender's to spend again.
        vm.warp(DEADLINE + 1);
        requests.reclaimReward(r, w);
        assertEq(requests.fundsOf(PAYER, address(token)), 85, "returned");
        vm.warp(NOW);
        beyond(ALICE, tokens(PAYER, 1), 0);
        // A limit beyond the deposit is no deposit.
        vm.prank(PAYER);
        requests.setSpendingLimit(ALICE, address(token), 1000);
        w = tokens(PAYER, 86);
        vm.expectRevert(abi.encodeWithSelector(IZKMLLedger.InsufficientDeposit.selector, PAYER, address(token), 85, 86));
        vm.prank(ALICE);
        requests.askRewarded(ALICE, ACTION, DEADLINE, DATA, w, INPUT, "");
        assertEq(requests.spendingLimitOf(PAYER, ALICE, address(token)), 1000, "nothing was spent");
    }

    function test_NobodyNeedsALimitForTheirOwn() external {
        deposit(ALICE, COIN, 10);
        askFor(ALICE, coins(ALICE, 10), 0);
        assertEq(requests.spendingLimitOf(ALICE, ALICE, COIN), 0, "none");
    }

    /// @dev Tokens are paid out as they came in.
    function test_TokensAreEarned() external {
        deposit(ALICE, address(token), 10);
        IZKMLRewards.Reward memory w = tokens(ALICE, 10);
        earn(PROVER, askFor(ALICE, w, 0), w);
        vm.prank(PROVER);
        requests.withdraw(address(token), 10, PROVER);
        assertEq(token.balanceOf(PROVER), 10, "earned");
    }

    function beyond(address spender, IZKMLRewards.Reward memory w, uint256 available) private {
        bytes memory error_ =
            abi.encodeWithSelector(IZKMLRewards.SpendingLimitExceeded.selector, PAYER, spender, available, w.amount);
        vm.expectRevert(error_);
        vm.prank(spender);
        requests.askRewarded(spender, ACTION, DEADLINE, DATA, w, INPUT, "");
    }

    function wrongValue(IZKMLRewards.Reward memory w, uint256 value, uint256 expected) private {
        vm.expectRevert(abi.encodeWithSelector(IZKMLLedger.WrongValue.selector, value, expected));
        vm.prank(ALICE);
        requests.askRewarded{value: value}(ALICE, ACTION, DEADLINE, DATA, w, INPUT, "");
    }
}
