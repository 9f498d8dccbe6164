// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IZKMLAcceptance} from "../../src/interfaces/IZKMLAcceptance.sol";
import {IZKMLBeacon} from "../../src/interfaces/IZKMLBeacon.sol";
import {Accepting} from "../support/Accepting.sol";
import {FakeVerifier} from "../support/FakeVerifier.sol";

/// @title Honest, silent, lying, colluding and griefing actors around one contract, in any order
/// @notice An honest poster posts what is true and proves it when that is due. A liar cannot prove. Anybody challenges,
/// draws, claims, accepts and releases; a liar challenges itself, too. What should come of it is kept beside it.
contract AcceptanceHandler is Accepting {
    struct Made {
        IZKMLAcceptance.Result result;
        IZKMLAcceptance.AcceptancePolicy policy;
        bool honest;
        uint256 accepted;
        bool lost;
    }

    address internal constant HONEST = address(uint160(uint256(keccak256("honest"))));
    address internal constant LIAR = address(uint160(uint256(keccak256("liar"))));
    address internal constant GRIEFER = address(uint160(uint256(keccak256("griefer"))));

    address[4] private _people = [HONEST, LIAR, GRIEFER, BENEFICIARY];
    Made[] private _made;
    uint256 private _now = NOW;

    /// @dev All coins that came in, and what the liar has got back of them by any way.
    uint256 public paidIn;
    /// @dev Bonds of lies that were challenged or drawn and not answered.
    uint256 public liesCaught;
    /// @dev Bonds of true results that were lost although their poster proved when it was due.
    uint256 public honestLosses;
    /// @dev Results that an application acted on twice, or after they were lost.
    uint256 public twice;
    mapping(string what => uint256 count) public happened;

    constructor() {
        deployAccepting();
        for (uint256 i = 0; i < 3; ++i) {
            vm.deal(_people[i], 1_000_000 ether);
        }
    }

    /// @dev What lies in the contract, and what it owes: to accounts, and to results that are open.
    function books() external view returns (uint256 held, uint256 owed) {
        held = address(acceptance).balance;
        for (uint256 i = 0; i < _people.length; ++i) {
            owed += funds(_people[i]);
        }
        for (uint256 i = 0; i < _made.length; ++i) {
            Made memory m = _made[i];
            IZKMLAcceptance.State state = stateOf(m.result, m.policy);
            if (state == IZKMLAcceptance.State.Posted) owed += m.policy.bond;
            if (state != IZKMLAcceptance.State.Demanded) continue;
            owed += m.policy.bond;
            if (acceptance.challengerOf(idOf(m.result, m.policy)) != address(0)) owed += m.policy.deposit;
        }
    }

    /// @dev Of each lie that was caught, the beneficiary has a half at least: whoever lied has not kept it.
    function beneficiaryHas() external view returns (uint256) {
        return funds(BENEFICIARY);
    }

    /// @dev Never less than what an honest poster paid in and does not have set aside.
    function honestIsWhole() external view returns (bool) {
        uint256 open;
        uint256 paid;
        for (uint256 i = 0; i < _made.length; ++i) {
            if (!_made[i].honest) continue;
            paid += _made[i].policy.bond;
            IZKMLAcceptance.State state = stateOf(_made[i].result, _made[i].policy);
            if (state == IZKMLAcceptance.State.Posted || state == IZKMLAcceptance.State.Demanded) {
                open += _made[i].policy.bond;
            }
        }
        return funds(HONEST) + open >= paid;
    }

    function post(uint8 paths, bool honest, uint64 bond) external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(paths % 3 + 1);
        (p.bond, p.deposit, p.rate) = (uint256(bond) + 1, uint256(bond) / 3 + 1, 0.5e18);
        p.required = paths % 3 == 2 && paths & 64 != 0 ? 2 : 1;
        IZKMLAcceptance.Posting memory posting = postingOf();
        posting.deadline = _now + 365 days;
        address poster = honest ? HONEST : LIAR;
        IZKMLAcceptance.Result memory r = resultOf(poster);
        r.deadline = posting.deadline;
        vm.warp(_now);
        vm.prank(poster);
        acceptance.post{value: p.bond}(ALICE, ACTION, posting, p);
        beacon.next();
        paidIn += p.bond;
        _made.push(Made(r, p, honest, 0, false));
        ++happened["posted"];
    }

    /// @dev A griefer, or the liar itself; whoever is honest answers within the window, also in its last second.
    function challenge(uint256 which, bool byLiar, uint16 wait_) external {
        if (_made.length == 0) return;
        Made storage m = _made[which % _made.length];
        bytes memory call = abi.encodeCall(acceptance.challenge, (m.result, m.policy));
        if (!attempt("challenged", byLiar ? LIAR : GRIEFER, m.policy.deposit, call)) return;
        paidIn += m.policy.deposit;
        answer(m, wait_);
    }

    function draw(uint256 which, uint8 how, bytes32 value, uint16 wait_) external {
        if (_made.length == 0) return;
        Made storage m = _made[which % _made.length];
        IZKMLBeacon.RoundState state = IZKMLBeacon.RoundState(how % 3);
        uint64 round = acceptance.statusOf(idOf(m.result, m.policy)).round;
        (IZKMLBeacon.RoundState before,) = beacon.randomnessOf(round);
        if (before == IZKMLBeacon.RoundState.Waiting) beacon.set(round, state, value);
        if (!attempt("drawn", GRIEFER, 0, abi.encodeCall(acceptance.draw, (m.result, m.policy)))) return;
        if (stateOf(m.result, m.policy) == IZKMLAcceptance.State.Demanded) answer(m, wait_);
    }

    /// @dev A proof that nobody has asked for; of a lie, there is none.
    function prove(uint256 which, uint8 who) external {
        if (_made.length == 0) return;
        tryToProve(_made[which % _made.length], _people[who % 3]);
    }

    function claim(uint256 which, uint8 who) external {
        if (_made.length == 0) return;
        Made storage m = _made[which % _made.length];
        bytes memory call = abi.encodeCall(acceptance.claim, (m.result, m.policy));
        if (!attempt("claimed", _people[who % 3], 0, call)) return;
        if (m.honest) honestLosses += m.policy.bond;
        else liesCaught += m.policy.bond - m.policy.bond / 2;
        if (m.lost || m.accepted != 0) ++twice;
        m.lost = true;
    }

    function accept(uint256 which, uint8 who) external {
        if (_made.length == 0) return;
        Made storage m = _made[which % _made.length];
        bytes memory call = abi.encodeCall(acceptance.accept, (m.result, m.policy, words(5, 6)));
        if (!attempt("accepted", _people[who % 3], 0, call)) return;
        ++m.accepted;
        if (m.accepted > 1 || m.lost) ++twice;
    }

    function release(uint256 which, uint8 who) external {
        if (_made.length == 0) return;
        Made storage m = _made[which % _made.length];
        bytes memory call = abi.encodeCall(acceptance.release, (m.result, m.policy));
        if (!attempt("released", _people[who % 3], 0, call)) return;
        if (m.lost || m.accepted != 0) ++twice;
        m.lost = true;
    }

    function wait(uint16 seconds_) external {
        _now += seconds_;
    }

    /// @dev An honest poster proves what is due.
    function answer(Made storage m, uint16 wait_) private {
        if (!m.honest) return;
        _now += wait_ % (ANSWER_WINDOW + 1);
        tryToProve(m, HONEST);
    }

    function tryToProve(Made storage m, address by) private {
        fake.setAnswer(m.honest ? FakeVerifier.Answer.Yes : FakeVerifier.Answer.No);
        bytes memory proof = proofOf(m.result);
        attempt(
            m.honest ? "proven" : "a lie proven",
            by,
            0,
            abi.encodeCall(acceptance.prove, (m.result, m.policy, words(5, 6), proof))
        );
    }

    function attempt(string memory what, address caller, uint256 value, bytes memory data) private returns (bool done) {
        vm.warp(_now);
        vm.prank(caller);
        (done,) = address(acceptance).call{value: value}(data);
        if (done) ++happened[what];
    }
}
