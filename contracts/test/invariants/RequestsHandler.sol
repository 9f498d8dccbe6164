// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../../src/ZKMLConsumer.sol";
import {IZKMLRequests} from "../../src/interfaces/IZKMLRequests.sol";
import {Asking} from "../support/Asking.sol";
import {FakeVerifier} from "../support/FakeVerifier.sol";
import {HookedRequests} from "../support/HookedRequests.sol";

/// @title Subjects, services, strangers and an owner at one contract, in any order; what should come of it is kept beside it
contract RequestsHandler is Asking {
    address private constant STRANGER = address(0x57a4);

    /// @dev Every request that was made, with where it should stand.
    IZKMLRequests.Request[] private _made;
    IZKMLRequests.RequestState[] private _expected;
    mapping(uint256 requestId => uint256) public timesFulfilled;
    mapping(address subject => uint256) public expectedNonce;
    mapping(uint256 requestId => uint8) private _highest;
    bool public paused;
    uint256 private _now = NOW;

    /// @dev Calls that did what they should not have, or did not do what they should have.
    uint256 public surprises;
    mapping(string what => uint256 count) public happened;

    constructor() {
        deployRequests();
    }

    function theRequests() external view returns (HookedRequests) {
        return requests;
    }

    function made() external view returns (uint256) {
        return _made.length;
    }

    function madeAt(uint256 index) external view returns (uint256 id, IZKMLRequests.RequestState expected) {
        return (idOf(_made[index]), _expected[index]);
    }

    function subjectAt(uint256 index) public pure returns (address) {
        return address(uint160(0xa11ce + index % 3));
    }

    /// @dev Some ask about what is past already.
    function request(uint256 who, uint16 time, bool late, bytes32 data) external {
        IZKMLRequests.Request memory r =
            IZKMLRequests.Request(subjectAt(who), _made.length, late ? _now - 1 - time : _now + time, ACTION, data);
        bytes memory call = abi.encodeCall(requests.ask, (r.subject, r.action, r.deadline, r.dataCommitment, INPUT, ""));
        if (!attempt("requested", r.subject, call, !late && !paused)) return;
        _made.push(r);
        _expected.push(IZKMLRequests.RequestState.Pending);
    }

    /// @dev Anybody, with a good proof or one that is bad in some way.
    function fulfill(uint256 which, uint8 how) external {
        if (_made.length == 0) return;
        which %= _made.length;
        IZKMLRequests.Request memory r = _made[which];
        how %= 12;
        fake.setAnswer(how == 1 ? FakeVerifier.Answer.No : FakeVerifier.Answer.Yes);
        bytes memory proof = proofOf(r);
        if (how == 2) proof = proofOf(r, ~r.dataCommitment);
        if (how == 3) proof = blobOf(consumer.contextOf(r.subject, expectedNonce[r.subject], r.deadline, r.action));
        if (how == 4) ++r.deadline;
        if (how == 5) r.sequence += 1000;
        bool expected = (how == 0 || how > 5) && !paused && _now <= r.deadline
            && _expected[which] == IZKMLRequests.RequestState.Pending;
        bytes memory call = abi.encodeCall(requests.fulfillInference, (r, words(5, 6), proof));
        if (!attempt("fulfilled", STRANGER, call, expected)) return;
        _expected[which] = IZKMLRequests.RequestState.Fulfilled;
        if (++timesFulfilled[idOf(r)] > 1) ++surprises;
    }

    /// @dev What was fulfilled once, with all doors open that can be.
    function replay(uint256 which) external {
        if (_made.length == 0 || paused) return;
        which %= _made.length;
        if (_expected[which] != IZKMLRequests.RequestState.Fulfilled) return;
        fake.setAnswer(FakeVerifier.Answer.Yes);
        IZKMLRequests.Request memory r = _made[which];
        uint256 time = _now;
        if (_now > r.deadline) _now = r.deadline;
        bytes memory call = abi.encodeCall(requests.fulfillInference, (r, words(5, 6), proofOf(r)));
        attempt("replayed", STRANGER, call, false);
        _now = time;
    }

    function cancel(uint256 which, bool asSubject) external {
        if (_made.length == 0) return;
        which %= _made.length;
        IZKMLRequests.Request memory r = _made[which];
        bool expected = asSubject && _expected[which] == IZKMLRequests.RequestState.Pending;
        bytes memory call = abi.encodeCall(requests.cancelRequest, (r));
        if (!attempt("cancelled", asSubject ? r.subject : STRANGER, call, expected)) return;
        _expected[which] = IZKMLRequests.RequestState.Cancelled;
    }

    /// @dev The other way, beside requests.
    function take(uint256 who) external {
        address subject = subjectAt(who);
        fake.setAnswer(FakeVerifier.Answer.Yes);
        ZKMLConsumer.Inference memory i = inferenceFor(subject, expectedNonce[subject], _now, ACTION);
        if (attempt("taken", subject, abi.encodeCall(requests.take, (subject, ACTION, i)), !paused)) {
            ++expectedNonce[subject];
        }
    }

    function pause(bool asOwner, uint8 rarely) external {
        if (!paused && rarely % 4 != 0) return;
        bytes memory call = paused ? abi.encodeCall(requests.unpause, ()) : abi.encodeCall(requests.pause, ());
        if (attempt(paused ? "unpaused" : "paused", asOwner ? OWNER : STRANGER, call, asOwner)) paused = !paused;
    }

    function wait(uint16 seconds_) external {
        _now += seconds_ / 8;
    }

    /// @dev Looks at every request, and remembers the furthest that each has come.
    function lookedBack() external returns (bool) {
        for (uint256 i = 0; i < _made.length; ++i) {
            uint256 id = idOf(_made[i]);
            uint8 state = uint8(requests.requestState(id));
            // Both ends are final: whoever got there stays.
            if (_highest[id] > 1 && state != _highest[id]) return false;
            if (state < _highest[id]) return false;
            _highest[id] = state;
        }
        return true;
    }

    function attempt(string memory what, address caller, bytes memory data, bool expected) private returns (bool done) {
        vm.warp(_now);
        vm.prank(caller);
        (done,) = address(requests).call(data);
        if (done != expected) ++surprises;
        if (done) ++happened[what];
    }
}
