// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IZKMLAcceptance} from "../src/interfaces/IZKMLAcceptance.sol";
import {IZKMLLedger} from "../src/interfaces/IZKMLLedger.sol";
import {CallingToken, RefusingToken, SilentToken} from "./examples/support/Tokens.sol";
import {Accepting} from "./support/Accepting.sol";

/// @title Bonds in tokens that answer nothing, say no, keep a part or call back
contract AcceptanceTokensTest is Accepting {
    function setUp() external {
        deployAccepting();
    }

    function policyIn(address asset) private view returns (IZKMLAcceptance.AcceptancePolicy memory p) {
        p = policyOf(OPTIMISTIC);
        p.asset = asset;
    }

    /// @dev The whole way of bond and deposit: lost, won, and taken out.
    function test_TokenWithoutAnswersIsABond() external {
        SilentToken silent = new SilentToken();
        address[2] memory payers = [POSTER, CHALLENGER];
        for (uint256 i = 0; i < 2; ++i) {
            silent.mint(payers[i], BOND);
            vm.startPrank(payers[i]);
            silent.approve(address(acceptance), BOND);
            acceptance.deposit(address(silent), BOND);
            vm.stopPrank();
        }
        IZKMLAcceptance.AcceptancePolicy memory p = policyIn(address(silent));
        IZKMLAcceptance.Result memory r = post(p, postingOf(), 0);
        vm.prank(CHALLENGER);
        acceptance.challenge(r, p);
        assertEq(acceptance.fundsOf(CHALLENGER, address(silent)), BOND - DEPOSIT, "deposit");
        vm.warp(NOW + ANSWER_WINDOW + 1);
        acceptance.claim(r, p);
        uint256 won = BOND + BOND / 2;
        vm.prank(CHALLENGER);
        acceptance.withdraw(address(silent), won, CHALLENGER);
        vm.prank(BENEFICIARY);
        acceptance.withdraw(address(silent), BOND - BOND / 2, BENEFICIARY);
        assertTrue(silent.balanceOf(CHALLENGER) == won && silent.balanceOf(address(acceptance)) == 0, "all is out");
    }

    function test_RevertWhen_TokenSaysNo() external {
        address refusing = address(new RefusingToken());
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, refusing));
        vm.prank(POSTER);
        acceptance.deposit(refusing, BOND);
    }

    function test_RevertWhen_ThereIsNoToken() external {
        vm.expectRevert();
        vm.prank(POSTER);
        acceptance.deposit(BOB, BOND);
        assertEq(acceptance.fundsOf(POSTER, BOB), 0, "nothing");
    }

    /// @dev A fee is noticed when money comes in. Later, what a token keeps of a payment is its receiver's loss and nobody else's.
    function test_FeeIsRefusedOnTheWayInAndPaidOnTheWayOut() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyIn(address(token));
        token.setFee(1);
        vm.expectRevert(abi.encodeWithSelector(IZKMLLedger.DepositNotExact.selector, BOND - 1, BOND));
        vm.prank(POSTER);
        acceptance.deposit(address(token), BOND);
        bytes memory none =
            abi.encodeWithSelector(IZKMLLedger.InsufficientDeposit.selector, POSTER, address(token), 0, BOND);
        vm.expectRevert(none);
        vm.prank(POSTER);
        acceptance.post(ALICE, ACTION, postingOf(), p);
        token.setFee(0);
        vm.prank(POSTER);
        acceptance.deposit(address(token), BOND);
        vm.prank(CHALLENGER);
        acceptance.deposit(address(token), DEPOSIT);
        IZKMLAcceptance.Result memory r = post(p, postingOf(), 0);
        token.setFee(1);
        vm.warp(NOW + CHALLENGE_WINDOW + 1);
        accept(r, p);
        vm.prank(POSTER);
        acceptance.withdraw(address(token), BOND, POSTER);
        assertEq(token.balanceOf(POSTER), 1000 ether - 1, "less the fee");
        assertEq(token.balanceOf(address(acceptance)), DEPOSIT, "the other's is all there");
    }

    /// @dev While the token moves a deposit, its payer posts with it: there is nothing yet that a bond could come out of.
    function test_RevertWhen_TokenPostsWhileItMoves() external {
        CallingToken calling = new CallingToken();
        IZKMLAcceptance.AcceptancePolicy memory p = policyIn(address(calling));
        calling.mint(address(calling), 0);
        calling.mint(POSTER, 2 * BOND);
        vm.prank(POSTER);
        calling.approve(address(acceptance), type(uint256).max);
        calling.plan(address(acceptance), abi.encodeCall(acceptance.post, (ALICE, ACTION, postingOf(), p)));
        vm.prank(POSTER);
        acceptance.deposit(address(calling), BOND);
        assertTrue(!calling.succeeded() && acceptance.nonces(ALICE) == 0, "refused");
        // And while money goes out, it is written off already.
        IZKMLAcceptance.Result memory r = post(p, postingOf(), 0);
        vm.warp(NOW + CHALLENGE_WINDOW + 1);
        accept(r, p);
        bytes memory again = abi.encodeCall(acceptance.withdraw, (address(calling), BOND, address(calling)));
        calling.plan(address(acceptance), again);
        vm.prank(POSTER);
        acceptance.withdraw(address(calling), BOND, POSTER);
        assertTrue(!calling.succeeded(), "refused, too");
        assertTrue(calling.balanceOf(POSTER) == 2 * BOND && calling.balanceOf(address(acceptance)) == 0, "once");
    }

    /// @dev What moves a deposit in while another is counted is found out.
    function test_RevertWhen_ADepositIsCountedTwice() external {
        CallingToken calling = new CallingToken();
        calling.mint(POSTER, BOND);
        calling.mint(address(calling), BOND);
        vm.prank(POSTER);
        calling.approve(address(acceptance), BOND);
        vm.prank(address(calling));
        calling.approve(address(acceptance), BOND);
        calling.plan(address(acceptance), abi.encodeCall(acceptance.deposit, (address(calling), BOND)));
        vm.expectRevert(abi.encodeWithSelector(IZKMLLedger.DepositNotExact.selector, 2 * BOND, BOND));
        vm.prank(POSTER);
        acceptance.deposit(address(calling), BOND);
    }
}
