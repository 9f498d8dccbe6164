// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IZKMLAcceptance} from "../src/interfaces/IZKMLAcceptance.sol";
import {IZKMLBeacon} from "../src/interfaces/IZKMLBeacon.sol";
import {ZKMLPolicy} from "../src/libraries/ZKMLPolicy.sol";
import {Accepting} from "./support/Accepting.sol";
import {PlainAcceptance} from "./support/PlainAcceptance.sol";

/// @title What each path costs, as transactions of their own: base, calldata and cold storage included
/// @notice Of a subject, a poster and a contract that have done it before, with two output words and the whole stack but for the proof,
/// which is `verifyInference`'s. Figures are compared with `contracts/test/snapshots/acceptance.json`, within two percent.
/// `ZKML_WRITE_GAS=true forge test --match-contract AcceptanceGasTest` writes the file anew.
/// forge-config: default.isolate = true
contract AcceptanceGasTest is Accepting {
    string private constant FILE = "contracts/test/snapshots/acceptance.json";

    string[] private _names;
    mapping(string name => uint256) private _gasOf;

    function test_FiguresHoldAndBudgetsAreKept() external {
        deployAccepting();
        PlainAcceptance plain = new PlainAcceptance(zkml, modelId, OWNER);
        _names.push("size of a contract that takes results, in bytes");
        _gasOf[_names[0]] = address(plain).code.length;
        registerKey("enclave");
        plainly(plain);
        if (vm.envOr("ZKML_WRITE_GAS", false)) write();
        else compare();
        assertAtMost(_gasOf["optimistic: post"], 90_000, "optimistic, posted and not challenged");
        assertAtMost(_gasOf["sampled: post"], 90_000, "sampled, posted and not drawn");
        assertAtMost(_gasOf["attested: post and accept"], 94_000, "attested, accepted at once");
        assertAtMost(_gasOf[_names[0]], 24_576, "size");
    }

    function plainly(PlainAcceptance plain) private {
        // Each slot was written before.
        vm.startPrank(POSTER);
        plain.deposit{value: 1 ether}(COIN, 1 ether);
        vm.stopPrank();
        vm.prank(CHALLENGER);
        plain.deposit{value: 1 ether}(COIN, 1 ether);
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        postTo(plain, p, BOND, postingOf());
        IZKMLAcceptance.Result memory r = postTo(plain, p, BOND, postingOf());
        note("optimistic: post");
        vm.warp(NOW + CHALLENGE_WINDOW + 1);
        plain.accept(r, p, words(5, 6));
        note("optimistic: accept");
        vm.warp(NOW);
        r = postTo(plain, p, BOND, postingOf());
        vm.prank(CHALLENGER);
        plain.challenge{value: DEPOSIT}(r, p);
        note("optimistic: challenge");
        vm.warp(NOW + ANSWER_WINDOW + 1);
        plain.claim(r, p);
        note("optimistic: claim");
        vm.warp(NOW);
        sampled(plain);
        p = policyOf(ATTESTED);
        (p.bond, p.deposit, p.challengeWindow, p.answerWindow, p.rate) = (0, 0, 0, 0, 0);
        (p.beneficiary, p.beacon) = (address(0), IZKMLBeacon(address(0)));
        IZKMLAcceptance.Posting memory posting = postingOf();
        posting.attestations = one(plainAttestation(plain, resultAt(plain)));
        postTo(plain, p, 0, posting);
        note("attested: post and accept");
    }

    function sampled(PlainAcceptance plain) private {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(SAMPLED);
        IZKMLAcceptance.Result memory r = postTo(plain, p, BOND, postingOf());
        note("sampled: post");
        bytes32 id = plain.resultIdOf(r, p);
        bytes32 value = keccak256("value");
        while (ZKMLPolicy.isDrawn(id, value, p.rate)) {
            value = keccak256(abi.encode(value));
        }
        beacon.set(1, IZKMLBeacon.RoundState.Known, value);
        plain.draw(r, p);
        note("sampled: spared");
        plain.accept(r, p, words(5, 6));
        note("sampled: accept");
    }

    function resultAt(PlainAcceptance plain) private view returns (IZKMLAcceptance.Result memory r) {
        r = resultOf(POSTER);
        r.nonce = plain.nonces(ALICE);
    }

    function postTo(
        PlainAcceptance plain,
        IZKMLAcceptance.AcceptancePolicy memory p,
        uint256 value,
        IZKMLAcceptance.Posting memory posting
    ) private returns (IZKMLAcceptance.Result memory r) {
        r = resultAt(plain);
        vm.prank(POSTER);
        plain.post{value: value}(ALICE, ACTION, posting, p);
    }

    function plainAttestation(PlainAcceptance plain, IZKMLAcceptance.Result memory r)
        private
        view
        returns (IZKMLAcceptance.Attestation memory a)
    {
        a = attestationBy("enclave", r);
        a.signature = signed("enclave", plain.attestationDigest(r, a.issuedAt, a.validUntil));
    }

    function note(string memory name) private {
        _names.push(name);
        _gasOf[name] = vm.lastCallGas().gasTotalUsed;
    }

    function write() private {
        string memory json = "{";
        for (uint256 i = 0; i < _names.length; ++i) {
            string memory line = string.concat('\n  "', _names[i], '": ', vm.toString(_gasOf[_names[i]]));
            json = string.concat(json, i == 0 ? "" : ",", line);
        }
        vm.writeFile(FILE, string.concat(json, "\n}\n"));
    }

    function compare() private view {
        string memory json = vm.readFile(FILE);
        assertEq(vm.parseJsonKeys(json, ".").length, _names.length, "figures");
        for (uint256 i = 0; i < _names.length; ++i) {
            uint256 expected = vm.parseJsonUint(json, string.concat("['", _names[i], "']"));
            uint256 found = _gasOf[_names[i]];
            uint256 off = found > expected ? found - expected : expected - found;
            assertAtMost(off * 50, expected, _names[i]);
        }
    }
}
