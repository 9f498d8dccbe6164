// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLAttestors} from "../../src/ZKMLAttestors.sol";
import {IZKMLAcceptance} from "../../src/interfaces/IZKMLAcceptance.sol";
import {TestToken} from "../examples/support/Tokens.sol";
import {Hooked} from "./Hooked.sol";
import {HookedAcceptance} from "./HookedAcceptance.sol";
import {ScriptedBeacon} from "./ScriptedBeacon.sol";

/// @title Results under policies on the scripted stack, with proofs and signatures for them
abstract contract Accepting is Hooked {
    address internal constant COIN = address(0);
    address internal constant POSTER = address(uint160(uint256(keccak256("poster"))));
    address internal constant CHALLENGER = address(uint160(uint256(keccak256("challenger"))));
    address internal constant BENEFICIARY = address(uint160(uint256(keccak256("beneficiary"))));
    address internal constant REGISTRAR = address(uint160(uint256(keccak256("registrar"))));

    uint256 internal constant OPTIMISTIC = 1;
    uint256 internal constant SAMPLED = 2;
    uint256 internal constant ATTESTED = 4;
    uint256 internal constant PROVEN = 8;

    uint256 internal constant BOND = 3 ether + 1;
    uint256 internal constant DEPOSIT = 1 ether;
    uint32 internal constant CHALLENGE_WINDOW = 1 hours;
    uint32 internal constant ANSWER_WINDOW = 2 hours;
    uint256 internal constant LATE = NOW + 1 days;

    HookedAcceptance internal acceptance;
    ZKMLAttestors internal attestors;
    ScriptedBeacon internal beacon;
    TestToken internal token;

    function deployAccepting() internal {
        deployScripted(defaultShape());
        acceptance = new HookedAcceptance(zkml, modelId, 0, OWNER);
        consumer = acceptance;
        attestors = new ZKMLAttestors(REGISTRAR);
        beacon = new ScriptedBeacon();
        token = new TestToken();
        address[3] memory rich = [POSTER, CHALLENGER, BOB];
        for (uint256 i = 0; i < rich.length; ++i) {
            vm.deal(rich[i], 1000 ether);
            token.mint(rich[i], 1000 ether);
            vm.prank(rich[i]);
            token.approve(address(acceptance), type(uint256).max);
        }
    }

    /// @dev Any of these paths is enough.
    function policyOf(uint256 paths) internal view returns (IZKMLAcceptance.AcceptancePolicy memory p) {
        p.paths = uint8(paths);
        p.required = 1;
        p.signatures = 1;
        (p.challengeWindow, p.answerWindow) = (CHALLENGE_WINDOW, ANSWER_WINDOW);
        p.rate = 0.25e18;
        (p.bond, p.deposit) = (BOND, DEPOSIT);
        (p.asset, p.beneficiary) = (COIN, BENEFICIARY);
        (p.beacon, p.attestors) = (beacon, attestors);
    }

    function postingOf() internal pure returns (IZKMLAcceptance.Posting memory posting) {
        posting.deadline = LATE;
        posting.dataCommitment = DATA;
        posting.output = words(5, 6);
        posting.provenance = "because";
    }

    /// @dev The result that comes of {postingOf} next.
    function resultOf(address poster) internal view returns (IZKMLAcceptance.Result memory) {
        uint256 nonce = acceptance.nonces(ALICE);
        bytes32 hash = keccak256(words(5, 6));
        return IZKMLAcceptance.Result(poster, ALICE, nonce, LATE, ACTION, DATA, hash, acceptance.modelId());
    }

    /// @dev Posts with coins along.
    function post(IZKMLAcceptance.AcceptancePolicy memory p) internal returns (IZKMLAcceptance.Result memory r) {
        return post(p, postingOf(), BOND);
    }

    function post(IZKMLAcceptance.AcceptancePolicy memory p, IZKMLAcceptance.Posting memory posting, uint256 value)
        internal
        returns (IZKMLAcceptance.Result memory r)
    {
        r = resultOf(POSTER);
        vm.prank(POSTER);
        acceptance.post{value: value}(ALICE, ACTION, posting, p);
    }

    function challenge(IZKMLAcceptance.Result memory r, IZKMLAcceptance.AcceptancePolicy memory p) internal {
        vm.prank(CHALLENGER);
        acceptance.challenge{value: DEPOSIT}(r, p);
    }

    function proofOf(IZKMLAcceptance.Result memory r) internal view returns (bytes memory) {
        return blobOf(acceptance.resultContext(r));
    }

    function prove(IZKMLAcceptance.Result memory r, IZKMLAcceptance.AcceptancePolicy memory p) internal {
        bytes memory proof = proofOf(r);
        vm.prank(BOB);
        acceptance.prove(r, p, words(5, 6), proof);
    }

    function accept(IZKMLAcceptance.Result memory r, IZKMLAcceptance.AcceptancePolicy memory p) internal {
        vm.prank(BOB);
        acceptance.accept(r, p, words(5, 6));
    }

    function idOf(IZKMLAcceptance.Result memory r, IZKMLAcceptance.AcceptancePolicy memory p)
        internal
        view
        returns (bytes32)
    {
        return acceptance.resultIdOf(r, p);
    }

    function stateOf(IZKMLAcceptance.Result memory r, IZKMLAcceptance.AcceptancePolicy memory p)
        internal
        view
        returns (IZKMLAcceptance.State)
    {
        return acceptance.statusOf(idOf(r, p)).state;
    }

    function heldOf(IZKMLAcceptance.Result memory r, IZKMLAcceptance.AcceptancePolicy memory p)
        internal
        view
        returns (uint256)
    {
        return acceptance.statusOf(idOf(r, p)).held;
    }

    function funds(address account) internal view returns (uint256) {
        return acceptance.fundsOf(account, COIN);
    }

    /// @dev Registers a key by name, for a month.
    function registerKey(string memory name) internal returns (bytes32 keyId) {
        bytes32 x = bytes32(uint256(uint160(vm.addr(key(name)))));
        vm.prank(REGISTRAR);
        return attestors.register(
            ZKMLAttestors.Kind.Secp256k1,
            x,
            0,
            keccak256("certificate"),
            keccak256("code"),
            uint40(block.timestamp + 30 days)
        );
    }

    function attestationBy(string memory name, IZKMLAcceptance.Result memory r)
        internal
        view
        returns (IZKMLAcceptance.Attestation memory a)
    {
        bytes32 x = bytes32(uint256(uint160(vm.addr(key(name)))));
        a.keyId = attestors.keyIdOf(ZKMLAttestors.Kind.Secp256k1, x, 0);
        (a.issuedAt, a.validUntil) = (uint64(block.timestamp), uint64(block.timestamp + 10 minutes));
        a.signature = signed(name, acceptance.attestationDigest(r, a.issuedAt, a.validUntil));
    }

    function one(IZKMLAcceptance.Attestation memory a)
        internal
        pure
        returns (IZKMLAcceptance.Attestation[] memory all)
    {
        all = new IZKMLAcceptance.Attestation[](1);
        all[0] = a;
    }

    function wrongState(
        IZKMLAcceptance.Result memory r,
        IZKMLAcceptance.AcceptancePolicy memory p,
        IZKMLAcceptance.State state
    ) internal view returns (bytes memory) {
        return abi.encodeWithSelector(IZKMLAcceptance.WrongState.selector, idOf(r, p), state);
    }
}
