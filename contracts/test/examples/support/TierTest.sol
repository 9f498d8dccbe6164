// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLAttestors} from "../../../src/ZKMLAttestors.sol";
import {ZKMLConsumer} from "../../../src/ZKMLConsumer.sol";
import {ZKMLTiers} from "../../../src/ZKMLTiers.sol";
import {IZKMLAcceptance} from "../../../src/interfaces/IZKMLAcceptance.sol";
import {SignedDataRoot} from "../../../src/provenance/SignedDataRoot.sol";
import {ExampleTest} from "./ExampleTest.sol";

/// @title Policies by amount, and results under them: attested below 100, optimistic below 10,000, proven above
abstract contract TierTest is ExampleTest {
    address internal constant ALICE = address(uint160(uint256(keccak256("alice"))));
    uint256 internal constant BOND = 2 ether;
    uint256 internal constant WINDOW = 1 hours;

    ZKMLAttestors internal attestors;
    bytes32 internal keyId;
    IZKMLAcceptance.AcceptancePolicy internal small;
    IZKMLAcceptance.AcceptancePolicy internal medium;

    function makePolicies() internal {
        attestors = new ZKMLAttestors(address(this));
        bytes32 x = bytes32(uint256(uint160(vm.addr(key("enclave")))));
        keyId = attestors.register(
            ZKMLAttestors.Kind.Secp256k1, x, 0, keccak256("quote"), keccak256("code"), uint40(block.timestamp + 1 days)
        );
        (small.paths, small.required, small.signatures, small.attestors) = (4, 1, 1, attestors);
        (medium.paths, medium.required, medium.bond, medium.deposit) = (1, 1, BOND, 1 ether);
        (medium.challengeWindow, medium.answerWindow) = (uint32(WINDOW), 2 hours);
        medium.beneficiary = account("treasury");
        vm.deal(ALICE, 100 ether);
    }

    function tiers() internal view returns (ZKMLTiers.TierPolicies memory) {
        return ZKMLTiers.TierPolicies(100e18, 10_000e18, small, medium);
    }

    /// @dev A result of these data, and the posting that it comes of.
    function resultAbout(address where, address poster, Root memory root, bytes memory output, uint256 modelId)
        internal
        view
        returns (IZKMLAcceptance.Posting memory p, IZKMLAcceptance.Result memory r)
    {
        uint256 deadline = block.timestamp + 2 days;
        (p.deadline, p.dataCommitment, p.output) = (deadline, root.dataCommitment, output);
        p.provenance = signRoot(SignedDataRoot(where), "issuer", root);
        r = IZKMLAcceptance.Result(
            poster,
            root.subject,
            ZKMLConsumer(where).nonces(root.subject),
            deadline,
            root.action,
            root.dataCommitment,
            keccak256(output),
            modelId
        );
    }

    /// @dev Signs a result by the registered key.
    function attested(IZKMLAcceptance where, IZKMLAcceptance.Posting memory p, IZKMLAcceptance.Result memory r)
        internal
        view
    {
        uint64 now_ = uint64(block.timestamp);
        p.attestations = new IZKMLAcceptance.Attestation[](1);
        bytes32 digest = where.attestationDigest(r, now_, now_ + 60);
        p.attestations[0] = IZKMLAcceptance.Attestation(keyId, now_, now_ + 60, signed("enclave", digest));
    }
}
