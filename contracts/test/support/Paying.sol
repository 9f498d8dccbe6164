// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IZKMLRequests} from "../../src/interfaces/IZKMLRequests.sol";
import {IZKMLRewards} from "../../src/interfaces/IZKMLRewards.sol";
import {ZKMLStatement} from "../../src/libraries/ZKMLStatement.sol";
import {TestToken} from "../examples/support/Tokens.sol";
import {Asking} from "./Asking.sol";

/// @title Requests with rewards on the scripted stack, and proofs for them
abstract contract Paying is Asking {
    address internal constant COIN = address(0);
    address internal constant PROVER = address(uint160(uint256(keccak256("prover"))));
    address internal constant PAYER = address(uint160(uint256(keccak256("payer"))));
    uint64 internal constant CALLBACK_GAS = 300_000;

    TestToken internal token;

    function deployPaying() internal {
        deployRequests();
        token = new TestToken();
        address[3] memory rich = [ALICE, BOB, PAYER];
        for (uint256 i = 0; i < rich.length; ++i) {
            vm.deal(rich[i], 1000 ether);
            token.mint(rich[i], 1000 ether);
            vm.prank(rich[i]);
            token.approve(address(requests), type(uint256).max);
        }
    }

    /// @dev Coins that the payer sends along, or has paid in.
    function coins(address payer, uint256 amount) internal pure returns (IZKMLRewards.Reward memory) {
        return IZKMLRewards.Reward(payer, COIN, amount, CALLBACK_GAS, 0);
    }

    function tokens(address payer, uint256 amount) internal view returns (IZKMLRewards.Reward memory) {
        return IZKMLRewards.Reward(payer, address(token), amount, CALLBACK_GAS, 0);
    }

    function idOf(IZKMLRequests.Request memory r, IZKMLRewards.Reward memory w) internal pure returns (uint256) {
        return ZKMLStatement.rewardedIdOf(idOf(r), w.payer, w.asset, w.amount, w.callbackGas, w.confirmations);
    }

    /// @dev Asks, as the subject, who sends coins along.
    function askFor(address subject, IZKMLRewards.Reward memory w, uint256 value)
        internal
        returns (IZKMLRequests.Request memory r)
    {
        r = requestOf(subject, requests.requestCount());
        vm.prank(subject);
        requests.askRewarded{value: value}(subject, ACTION, DEADLINE, DATA, w, INPUT, "because");
    }

    function deposit(address account, address asset, uint256 amount) internal {
        vm.prank(account);
        requests.deposit{value: asset == COIN ? amount : 0}(asset, amount);
    }

    /// @dev A proof of what was asked for, by this prover.
    function proofBy(address prover, IZKMLRequests.Request memory r, IZKMLRewards.Reward memory w)
        internal
        view
        returns (bytes memory)
    {
        return blobOf(selectorOf("vk"), r.dataCommitment, requests.rewardedContext(r, w, prover), PROOF, "");
    }

    function earn(address prover, IZKMLRequests.Request memory r, IZKMLRewards.Reward memory w) internal {
        bytes memory proof = proofBy(prover, r, w);
        vm.prank(SERVICE);
        requests.fulfillRewarded(r, w, prover, words(5, 6), proof);
    }

    function stateOf(IZKMLRequests.Request memory r, IZKMLRewards.Reward memory w)
        internal
        view
        returns (IZKMLRequests.RequestState)
    {
        return requests.requestState(idOf(r, w));
    }
}
