// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IZKMLRequests} from "../../src/interfaces/IZKMLRequests.sol";
import {IZKMLRewards} from "../../src/interfaces/IZKMLRewards.sol";
import {HookedConsumer} from "../support/HookedConsumer.sol";
import {HookedRequests} from "../support/HookedRequests.sol";
import {Paying} from "../support/Paying.sol";

/// @title Payers, spenders, provers and thieves at one ledger, in any order; what should come of it is kept beside it
contract RewardsHandler is Paying {
    struct Made {
        IZKMLRequests.Request request;
        IZKMLRewards.Reward reward;
        bool waiting;
    }

    address[4] private _people = [ALICE, BOB, PAYER, PROVER];
    Made[] private _made;
    mapping(address account => mapping(address asset => uint256)) private _owed;
    mapping(address payer => mapping(address spender => mapping(address asset => uint256))) private _limits;
    uint256 private _now = NOW;
    uint256 private _block = 100;

    /// @dev Calls that did what they should not have, or did not do what they should have.
    uint256 public surprises;
    mapping(string what => uint256 count) public happened;

    constructor() {
        deployPaying();
    }

    function theRequests() external view returns (HookedRequests) {
        return requests;
    }

    /// @dev What lies in the contract, and what it owes: to accounts, and to whoever proves.
    function books(bool coin) external view returns (uint256 held, uint256 owed) {
        address asset = coin ? COIN : address(token);
        held = coin ? address(requests).balance : token.balanceOf(address(requests));
        for (uint256 i = 0; i < _people.length; ++i) {
            owed += requests.fundsOf(_people[i], asset);
        }
        for (uint256 i = 0; i < _made.length; ++i) {
            if (_made[i].waiting && _made[i].reward.asset == asset) owed += _made[i].reward.amount;
        }
    }

    /// @dev Whether each account has what it should.
    function agrees() external view returns (bool) {
        for (uint256 i = 0; i < _people.length; ++i) {
            for (uint256 j = 0; j < 2; ++j) {
                address asset = j == 0 ? COIN : address(token);
                if (requests.fundsOf(_people[i], asset) != _owed[_people[i]][asset]) return false;
                for (uint256 k = 0; k < _people.length; ++k) {
                    uint256 limit = requests.spendingLimitOf(_people[i], _people[k], asset);
                    if (limit != _limits[_people[i]][_people[k]][asset]) return false;
                }
            }
        }
        return true;
    }

    function deposit(uint8 who, bool inCoins, uint64 amount, bool wrong) external {
        (address account, address asset) = (_people[who % 3], inCoins ? COIN : address(token));
        uint256 value = inCoins ? (wrong ? uint256(amount) + 1 : amount) : (wrong ? 1 : 0);
        bytes memory call = abi.encodeCall(requests.deposit, (asset, amount));
        if (attempt("deposited", account, value, call, !wrong)) _owed[account][asset] += amount;
    }

    function withdraw(uint8 who, bool inCoins, uint256 amount) external {
        (address account, address asset) = (_people[who % 4], inCoins ? COIN : address(token));
        uint256 owed = _owed[account][asset];
        amount %= owed + 2;
        bytes memory call = abi.encodeCall(requests.withdraw, (asset, amount, account));
        if (attempt("withdrawn", account, 0, call, amount <= owed)) _owed[account][asset] = owed - amount;
    }

    function allow(uint8 payer, uint8 spender, bool inCoins, uint64 amount) external {
        (address from, address to) = (_people[payer % 3], _people[spender % 3]);
        address asset = inCoins ? COIN : address(token);
        bytes memory call = abi.encodeCall(requests.setSpendingLimit, (to, asset, amount));
        if (attempt("limited", from, 0, call, true)) _limits[from][to][asset] = amount;
    }

    /// @dev From a deposit of one's own or another's, or with coins along.
    function request(uint8 payer, uint8 spender, bool inCoins, bool along, uint64 amount, uint8 waits) external {
        (address from, address to) = (_people[payer % 3], _people[spender % 3]);
        address asset = inCoins ? COIN : address(token);
        along = along && amount != 0;
        IZKMLRewards.Reward memory w = IZKMLRewards.Reward(from, asset, amount, CALLBACK_GAS, waits % 4);
        IZKMLRequests.Request memory r = IZKMLRequests.Request(to, requests.requestCount(), _now + waits, ACTION, DATA);
        bool expected = amount != 0;
        if (along) {
            expected = expected && inCoins && from == to;
        } else {
            expected = expected && _owed[from][asset] >= amount && (from == to || _limits[from][to][asset] >= amount);
        }
        bytes memory call = abi.encodeCall(requests.askRewarded, (to, ACTION, r.deadline, DATA, w, INPUT, ""));
        if (!attempt("requested", to, along ? amount : 0, call, expected)) return;
        if (!along) _owed[from][asset] -= amount;
        if (!along && from != to) _limits[from][to][asset] -= amount;
        _made.push(Made(r, w, true));
    }

    /// @dev By its prover or by somebody who has copied it, with hooks that refuse or do not.
    function fulfill(uint256 which, uint8 who, uint8 how) external {
        if (_made.length == 0) return;
        Made storage made = _made[which % _made.length];
        (IZKMLRequests.Request memory r, IZKMLRewards.Reward memory w) = (made.request, made.reward);
        address claims = how % 8 == 1 ? _people[(who % 4 + 1) % 4] : _people[who % 4];
        bytes memory proof = proofBy(_people[who % 4], r, w);
        if (how % 8 == 2) ++w.amount;
        requests.plan(how % 8 == 3 ? HookedConsumer.Hook.Act : HookedConsumer.Hook.None, address(0), "no");
        bool expected = made.waiting && _now <= r.deadline && how % 8 != 1 && how % 8 != 2
            && _block >= requests.fulfillableFrom(idOf(r, w));
        bytes memory call = abi.encodeCall(requests.fulfillRewarded, (r, w, claims, words(5, 6), proof));
        if (!attempt("fulfilled", _people[how % 4], 0, call, expected)) return;
        made.waiting = false;
        _owed[_people[who % 4]][w.asset] += w.amount;
    }

    function reclaim(uint256 which, uint8 who) external {
        if (_made.length == 0) return;
        Made storage made = _made[which % _made.length];
        (IZKMLRequests.Request memory r, IZKMLRewards.Reward memory w) = (made.request, made.reward);
        bytes memory call = abi.encodeCall(requests.reclaimReward, (r, w));
        if (!attempt("reclaimed", _people[who % 4], 0, call, made.waiting && _now > r.deadline)) return;
        made.waiting = false;
        _owed[w.payer][w.asset] += w.amount;
    }

    function wait(uint8 seconds_) external {
        _now += seconds_ / 4;
        _block += seconds_ % 3;
    }

    function attempt(string memory what, address caller, uint256 value, bytes memory data, bool expected)
        private
        returns (bool done)
    {
        vm.warp(_now);
        vm.roll(_block);
        vm.prank(caller);
        (done,) = address(requests).call{value: value}(data);
        if (done != expected) ++surprises;
        if (done) ++happened[what];
    }
}
