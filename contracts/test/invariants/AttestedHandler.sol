// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLAttestors} from "../../src/ZKMLAttestors.sol";
import {IZKMLAcceptance} from "../../src/interfaces/IZKMLAcceptance.sol";
import {IZKMLBeacon} from "../../src/interfaces/IZKMLBeacon.sol";
import {ZKMLPolicy} from "../../src/libraries/ZKMLPolicy.sol";
import {Accepting} from "../support/Accepting.sol";

/// @title Keys that count, expire, are revoked, or were never registered, under policies of any k of up to three paths
/// @notice Which paths of a result hold is kept beside the contract, by rules of its own: a signature holds if each of its keys was
/// in force when it was handed in, and they were as many as the policy asks for, and in time.
contract AttestedHandler is Accepting {
    struct Made {
        IZKMLAcceptance.Result result;
        IZKMLAcceptance.AcceptancePolicy policy;
        /// Paths that hold, the optimistic one left out: it holds by time.
        uint256 held;
        uint256 postedAt;
        uint256 accepted;
        bool challenged;
        bool proven;
    }

    struct Key {
        string name;
        uint256 expiry;
        bool revoked;
    }

    Made[] private _made;
    /// The last one was never registered.
    Key[5] private _keys;
    uint256 private _now = NOW;

    /// @dev Coins that came in.
    uint256 public paidIn;
    /// @dev Signatures that were taken and should not have been, and the other way round.
    uint256 public wronglyTaken;
    uint256 public wronglyRefused;
    /// @dev Results that an application acted on without enough of their paths, or twice.
    uint256 public tooEarly;
    uint256 public twice;
    mapping(string what => uint256 count) public happened;

    constructor() {
        deployAccepting();
        string[5] memory names = ["one", "two", "three", "four", "foreign"];
        for (uint256 i = 0; i < 5; ++i) {
            _keys[i] = Key(names[i], i == 4 ? 0 : NOW + 30 days, false);
            if (i != 4) registerKey(names[i]);
        }
        vm.deal(POSTER, 1_000_000 ether);
        vm.deal(CHALLENGER, 1_000_000 ether);
    }

    /// @dev What lies in the contract, and what it owes: to accounts, and to results that are open.
    function books() external view returns (uint256 held, uint256 owed) {
        held = address(acceptance).balance;
        owed = funds(POSTER) + funds(CHALLENGER) + funds(BENEFICIARY);
        for (uint256 i = 0; i < _made.length; ++i) {
            Made memory m = _made[i];
            IZKMLAcceptance.State state = stateOf(m.result, m.policy);
            bool due = state == IZKMLAcceptance.State.Demanded;
            if (state == IZKMLAcceptance.State.Posted || due) owed += m.policy.bond;
            if (due && m.challenged) owed += m.policy.deposit;
        }
    }

    /// @dev How many results were posted.
    function made() external view returns (uint256) {
        return _made.length;
    }

    /// @dev With signatures or without, under any k of the paths.
    function post(uint8 dice, uint64 bond, uint8 first, uint16 late) external {
        uint256 paths = ATTESTED | dice % 4;
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(paths);
        p.required = uint8(1 + (dice >> 2) % ZKMLPolicy.count(paths));
        p.signatures = uint8(1 + (dice >> 4) % 2);
        (p.bond, p.deposit, p.rate) = (uint256(bond) + 1, uint256(bond) / 3 + 1, 0.5e18);
        if (paths == ATTESTED) p.bond = 0;
        IZKMLAcceptance.Posting memory posting = postingOf();
        IZKMLAcceptance.Result memory r = resultOf(POSTER);
        (posting.deadline, r.deadline) = (_now + 365 days, _now + 365 days);
        bool good = true;
        bool now_ = dice & 64 != 0;
        if (now_) (posting.attestations, good) = signaturesOf(r, p, first, late);
        bool counts = now_ && p.required == 1;
        uint256 value = counts ? 0 : p.bond;
        bytes memory call = abi.encodeCall(acceptance.post, (ALICE, ACTION, posting, p));
        bool done = attempt(now_ ? "posted and signed" : "posted", POSTER, value, call);
        judge(done, good);
        if (!done) return;
        paidIn += value;
        beacon.next();
        _made.push(Made(r, p, now_ ? ATTESTED : 0, _now, counts ? 1 : 0, false, false));
    }

    function attest(uint256 which, uint8 first, uint16 late) external {
        if (_made.length == 0) return;
        Made storage m = _made[which % _made.length];
        bool open = stateOf(m.result, m.policy) == IZKMLAcceptance.State.Posted && m.held & ATTESTED == 0;
        (IZKMLAcceptance.Attestation[] memory all, bool good) = signaturesOf(m.result, m.policy, first, late);
        bool done = attempt("signed", POSTER, 0, abi.encodeCall(acceptance.attest, (m.result, m.policy, all)));
        judge(done, good && open);
        if (done) m.held |= ATTESTED;
    }

    function challenge(uint256 which) external {
        if (_made.length == 0) return;
        Made storage m = _made[which % _made.length];
        bytes memory call = abi.encodeCall(acceptance.challenge, (m.result, m.policy));
        if (!attempt("challenged", CHALLENGER, m.policy.deposit, call)) return;
        paidIn += m.policy.deposit;
        m.challenged = true;
    }

    function draw(uint256 which, bytes32 value) external {
        if (_made.length == 0) return;
        Made storage m = _made[which % _made.length];
        bytes32 id = idOf(m.result, m.policy);
        uint64 round = acceptance.statusOf(id).round;
        (IZKMLBeacon.RoundState before,) = beacon.randomnessOf(round);
        if (before == IZKMLBeacon.RoundState.Waiting) beacon.set(round, IZKMLBeacon.RoundState.Known, value);
        if (!attempt("drawn", BOB, 0, abi.encodeCall(acceptance.draw, (m.result, m.policy)))) return;
        if (stateOf(m.result, m.policy) == IZKMLAcceptance.State.Posted) m.held |= SAMPLED;
    }

    function prove(uint256 which) external {
        if (_made.length == 0) return;
        Made storage m = _made[which % _made.length];
        bytes memory call = abi.encodeCall(acceptance.prove, (m.result, m.policy, words(5, 6), proofOf(m.result)));
        if (attempt("proven", BOB, 0, call)) m.proven = true;
    }

    function accept(uint256 which) external {
        if (_made.length == 0) return;
        Made storage m = _made[which % _made.length];
        bytes memory call = abi.encodeCall(acceptance.accept, (m.result, m.policy, words(5, 6)));
        if (!attempt("accepted", BOB, 0, call)) return;
        if (m.accepted != 0) ++twice;
        ++m.accepted;
        uint256 held = m.held;
        if (m.policy.paths & OPTIMISTIC != 0 && _now > m.postedAt + CHALLENGE_WINDOW) held |= OPTIMISTIC;
        if (!m.proven && ZKMLPolicy.count(held) < m.policy.required) ++tooEarly;
    }

    function claim(uint256 which) external {
        if (_made.length == 0) return;
        Made storage m = _made[which % _made.length];
        if (!attempt("claimed", BOB, 0, abi.encodeCall(acceptance.claim, (m.result, m.policy)))) return;
        if (m.accepted != 0 || m.proven) ++twice;
    }

    function release(uint256 which) external {
        if (_made.length == 0) return;
        Made storage m = _made[which % _made.length];
        if (!attempt("released", POSTER, 0, abi.encodeCall(acceptance.release, (m.result, m.policy)))) return;
        if (m.accepted != 0 || m.proven) ++twice;
    }

    /// @dev For good.
    function revoke(uint8 which) external {
        Key storage key_ = _keys[which % 5];
        bytes memory call = abi.encodeCall(attestors.revoke, (keyIdBy(key_.name)));
        vm.prank(REGISTRAR);
        (bool done,) = address(attestors).call(call);
        if (!done) return;
        key_.revoked = true;
        ++happened["revoked"];
    }

    function wait(uint32 seconds_) external {
        _now += seconds_ % 6 hours;
        // Keys that were not renewed expire in the end.
        if (seconds_ % 16 == 0) _now += 8 days;
    }

    function isInForce(Key memory key_) private view returns (bool) {
        return key_.expiry != 0 && !key_.revoked && _now <= key_.expiry;
    }

    /// @dev As many signatures as the policy asks for, ascending, and whether they should be taken `late` seconds from now.
    function signaturesOf(
        IZKMLAcceptance.Result memory r,
        IZKMLAcceptance.AcceptancePolicy memory p,
        uint8 first,
        uint16 late
    ) private returns (IZKMLAcceptance.Attestation[] memory all, bool good) {
        vm.warp(_now);
        all = new IZKMLAcceptance.Attestation[](p.signatures);
        (Key memory a, Key memory b) = (_keys[first % 5], _keys[(first / 5) % 5]);
        all[0] = attestationBy(a.name, r);
        // Of a minute more than they count for, at most.
        _now += late % 660;
        good = isInForce(a) && late % 660 <= 10 minutes;
        if (p.signatures == 1) return (all, good);
        all[1] = attestationBy(b.name, r);
        good = good && isInForce(b) && all[0].keyId != all[1].keyId;
        if (all[0].keyId > all[1].keyId) (all[0], all[1]) = (all[1], all[0]);
    }

    function keyIdBy(string memory name) private view returns (bytes32) {
        return attestors.keyIdOf(ZKMLAttestors.Kind.Secp256k1, bytes32(uint256(uint160(vm.addr(key(name))))), 0);
    }

    function judge(bool done, bool expected) private {
        if (done && !expected) ++wronglyTaken;
        if (!done && expected) ++wronglyRefused;
        if (!done) ++happened["refused"];
    }

    function attempt(string memory what, address caller, uint256 value, bytes memory data) private returns (bool done) {
        vm.warp(_now);
        vm.prank(caller);
        (done,) = address(acceptance).call{value: value}(data);
        if (done) ++happened[what];
    }
}
