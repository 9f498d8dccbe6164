// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../../src/ZKMLConsumer.sol";
import {ZKMLEmergencyStop} from "../../src/ZKMLEmergencyStop.sol";
import {ZKMLRegistry} from "../../src/ZKMLRegistry.sol";
import {IERCZKMLRegistry} from "../../src/interfaces/IERCZKMLRegistry.sol";
import {IModelVerifier} from "../../src/interfaces/IModelVerifier.sol";
import {FakeVerifier} from "../support/FakeVerifier.sol";
import {Hooked} from "../support/Hooked.sol";
import {HookedConsumer} from "../support/HookedConsumer.sol";

/// @title Everybody at the whole stack, in any order; what each call should do is kept beside it
/// @notice One architecture with private weights and four models, behind an emergency stop; one consumer that may move from
/// model to model; three subjects.
contract SystemHandler is Hooked {
    uint256 public constant MODELS = 4;
    address private constant GUARDIAN = address(0x60a2d);
    address private constant STRANGER = address(0x57a4);

    ZKMLEmergencyStop public stop;
    uint256[MODELS] public models;

    // What should be so.
    mapping(uint256 model => bool) public deprecated;
    mapping(address subject => uint256) public expectedNonce;
    mapping(bytes32 context => uint256) public timesTaken;
    uint256 public expectedModel;
    uint256 public proposed;
    uint256 public proposedFrom;
    bool public routeStopped;
    bool public emergency;
    uint256 private _now = NOW;

    /// @dev Every inference that was taken, for replaying.
    ZKMLConsumer.Inference[] private _taken;
    address[] private _takenSubject;

    /// @dev Calls that did what they should not have, or did not do what they should have.
    uint256 public surprises;
    mapping(string what => uint256 count) public happened;

    constructor() {
        IModelVerifier.Shape memory shape = defaultShape();
        shape.weightsAreCommitted = true;
        fake = new FakeVerifier(shape);
        fake.setBounds(0, -10, 1000);
        stop = new ZKMLEmergencyStop(fake, GUARDIAN);
        deployStack(stop);
        for (uint256 i = 0; i < MODELS; ++i) {
            models[i] = publishOther(vm.toString(i));
        }
        expectedModel = models[0];
        consumer = new HookedConsumer(zkml, models[0], MODEL_DELAY, OWNER);
    }

    function theConsumer() external view returns (HookedConsumer) {
        return consumer;
    }

    function theRegistry() external view returns (ZKMLRegistry) {
        return registry;
    }

    function subjectAt(uint256 index) public pure returns (address) {
        return address(uint160(0xa11ce + index % 3));
    }

    /// @dev A proof for this nonce, the one before or the one after.
    function take(uint256 who, uint8 which, bool valid) external {
        address subject = subjectAt(who);
        uint256 nonce = expectedNonce[subject] + 1;
        uint256 wrong = which % 4 == 0 ? 1 : 0;
        if (which % 8 == 0 && nonce > 1) wrong = 2;
        nonce = nonce - 1 + (wrong == 1 ? 1 : 0) - (wrong == 2 ? 1 : 0);
        fake.setAnswer(valid ? FakeVerifier.Answer.Yes : FakeVerifier.Answer.No);
        ZKMLConsumer.Inference memory i = inferenceFor(subject, nonce, _now, ACTION);
        bool usable = !deprecated[expectedModel] && !routeStopped && !emergency;
        bool done = attempt(
            "taken",
            address(consumer),
            subject,
            abi.encodeCall(consumer.take, (subject, ACTION, i)),
            wrong == 0 && valid && usable
        );
        if (!done) return;
        ++expectedNonce[subject];
        // The context stands for the statement.
        if (++timesTaken[consumer.contextOf(subject, nonce, _now, ACTION)] > 1) ++surprises;
        _taken.push(i);
        _takenSubject.push(subject);
    }

    /// @dev A proof that was taken before, with all doors open that can be.
    function replay(uint256 which) external {
        if (_taken.length == 0) return;
        which %= _taken.length;
        fake.setAnswer(FakeVerifier.Answer.Yes);
        bytes memory again = abi.encodeCall(consumer.take, (_takenSubject[which], ACTION, _taken[which]));
        uint256 before = _now;
        _now = _taken[which].deadline;
        attempt("replayed", address(consumer), _takenSubject[which], again, false);
        _now = before;
    }

    function propose(uint256 which, bool asOwner) external {
        uint256 model = models[which % MODELS];
        bool expected = asOwner && !deprecated[model] && model != expectedModel;
        if (attemptAs(asOwner, "proposed", abi.encodeCall(consumer.proposeModel, (model)), expected)) {
            (proposed, proposedFrom) = (model, _now + MODEL_DELAY);
        }
    }

    function cancel(bool asOwner, uint8 rarely) external {
        if (rarely % 4 != 0) return;
        if (attemptAs(asOwner, "cancelled", abi.encodeCall(consumer.cancelModel, ()), asOwner && proposed != 0)) {
            (proposed, proposedFrom) = (0, 0);
        }
    }

    function accept(bool asOwner) external {
        bool expected = asOwner && proposed != 0 && _now >= proposedFrom && !deprecated[proposed];
        if (attemptAs(asOwner, "accepted", abi.encodeCall(consumer.acceptModel, ()), expected)) {
            expectedModel = proposed;
            (proposed, proposedFrom) = (0, 0);
        }
    }

    function deprecate(uint256 which, bool asOwner, uint8 rarely) external {
        if (rarely % 8 != 0) return;
        uint256 model = models[which % MODELS];
        bytes memory data = abi.encodeCall(registry.deprecateModel, (model));
        address caller = asOwner ? PUBLISHER : STRANGER;
        if (attempt("deprecated", address(registry), caller, data, asOwner && !deprecated[model])) {
            deprecated[model] = true;
        }
    }

    /// @dev Only the uri may change; the hashes are tried, too.
    function update(uint256 which, bool asOwner, uint8 part, string calldata uri) external {
        uint256 model = models[which % MODELS];
        (IERCZKMLRegistry.ModelCommitment memory c,,) = registry.getModel(model);
        c.uri = uri;
        if (part % 8 == 0) c.modelHash = ~c.modelHash;
        if (part % 8 == 1) c.circuitHash = ~c.circuitHash;
        if (part % 8 == 2) c.vkHash = ~c.vkHash;
        if (part % 8 == 3) c.proofSystemId = ~c.proofSystemId;
        bool expected = asOwner && part % 8 > 3 && !deprecated[model];
        bytes memory data = abi.encodeCall(registry.updateModel, (model, c));
        attempt("updated", address(registry), asOwner ? PUBLISHER : STRANGER, data, expected);
    }

    function stopRoute(bool asOwner, uint8 rarely) external {
        if (rarely % 32 != 0) return;
        bytes memory data = abi.encodeCall(router.stopRoute, (selectorOf("vk")));
        bool done = attempt(
            "route stopped", address(router), asOwner ? ROUTER_OWNER : STRANGER, data, asOwner && !routeStopped
        );
        if (done) routeStopped = true;
    }

    function pressStop(bool asOwner, uint8 rarely) external {
        if (asOwner && rarely % 32 != 0) return;
        bytes memory data = abi.encodeCall(stop.stop, ());
        bool expected = asOwner && !emergency;
        if (attempt("emergency", address(stop), asOwner ? GUARDIAN : STRANGER, data, expected)) emergency = true;
    }

    /// @dev Anybody, with a proof of something possible or impossible.
    function showExploit(uint16 output, bool valid, uint8 rarely) external {
        fake.setAnswer(valid ? FakeVerifier.Answer.Yes : FakeVerifier.Answer.No);
        bool impossible = output > 1000;
        if (impossible && valid && rarely % 16 != 0) return;
        bytes memory data = abi.encodeCall(stop.stopWithExploit, (PROOF, list(1, 2, output, 4)));
        bool expected = valid && impossible && !emergency;
        if (attempt("exploited", address(stop), STRANGER, data, expected)) emergency = true;
    }

    function wait(uint24 seconds_) external {
        _now += seconds_ % MODEL_DELAY;
    }

    function attemptAs(bool asOwner, string memory what, bytes memory data, bool expected) private returns (bool) {
        return attempt(what, address(consumer), asOwner ? OWNER : STRANGER, data, expected);
    }

    function attempt(string memory what, address target, address caller, bytes memory data, bool expected)
        private
        returns (bool done)
    {
        vm.warp(_now);
        vm.prank(caller);
        (done,) = target.call(data);
        if (done != expected) ++surprises;
        if (done) ++happened[what];
    }
}
