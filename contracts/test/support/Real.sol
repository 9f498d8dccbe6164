// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IModelVerifier} from "../../src/interfaces/IModelVerifier.sol";
import {IZKMLVerifier} from "../../src/interfaces/IZKMLVerifier.sol";
import {ZKMLCodec} from "../../src/libraries/ZKMLCodec.sol";
import {ZKMLStatement} from "../../src/libraries/ZKMLStatement.sol";
import {ZKMLConsumerMock} from "../../src/mocks/ZKMLConsumerMock.sol";
import {CreditVerifier} from "../generated/CreditVerifier.sol";
import {Stack} from "./Stack.sol";

/// @title Generated verifiers and committed proofs on the whole stack, and tools to spoil proofs with
abstract contract Real is Stack {
    /// @dev Order of the scalar field, and of the field that points lie over.
    uint256 internal constant R = ZKMLCodec.R;
    uint256 internal constant Q = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47;
    bytes32 internal constant ACTION = keccak256("test");
    address internal constant OWNER = address(uint160(uint256(keccak256("consumer owner"))));

    /// @dev Where the evaluations of a proof lie; all the rest are points.
    struct Parts {
        uint256 scalars;
        uint256 scalarsEnd;
    }

    IModelVerifier internal credit;

    /// @dev The stack with a route to the credit model's verifier.
    function deployCredit() internal {
        credit = IModelVerifier(address(new CreditVerifier()));
        deployStack(credit);
    }

    /// @dev Where the committed proofs expect it: the first contract of its label's account.
    function deployMock(string memory label, uint256 modelId, uint256 modelDelay) internal returns (ZKMLConsumerMock) {
        vm.prank(deployer(label));
        return new ZKMLConsumerMock(IZKMLVerifier(zkml), modelId, modelDelay, OWNER);
    }

    /// @dev Adds a route, and lets its delay pass.
    function route(IModelVerifier verifier) internal {
        vm.prank(ROUTER_OWNER);
        router.proposeRoute(verifier);
        vm.warp(block.timestamp + ROUTE_DELAY);
    }

    /// @dev Hands a proof in, as its subject.
    function take(ZKMLConsumerMock by, Proof memory each) internal {
        vm.prank(each.subject);
        by.verifyInference(each.action, inference(each, ""));
    }

    /// @dev Asks for the layout by making words of the proof too large: the verifier says what each of them is.
    function partsOf(IModelVerifier verifier, Proof memory p) internal view returns (Parts memory parts) {
        for (uint256 offset = 0; offset < p.proof.length; offset += 32) {
            bytes memory proof = withWord(p.proof, offset, type(uint256).max);
            (bool done, bytes memory answer) =
                address(verifier).staticcall(abi.encodeCall(verifier.verifyProof, (proof, p.instances)));
            assertTrue(!done, "too large");
            if (bytes4(answer) != CreditVerifier.EvaluationOutOfRange.selector) continue;
            if (parts.scalars == 0) parts.scalars = offset;
            parts.scalarsEnd = offset + 32;
        }
    }

    function isPoint(Parts memory parts, uint256 offset) internal pure returns (bool) {
        return offset < parts.scalars || offset >= parts.scalarsEnd;
    }

    /// @dev All other spellings of a field element that fit 256 bits.
    function aliasesOf(uint256 element) internal pure returns (uint256[] memory aliases) {
        aliases = new uint256[]((type(uint256).max - element) / R);
        for (uint256 k = 0; k < aliases.length; ++k) {
            aliases[k] = element + (k + 1) * R;
        }
    }

    function wordAt(bytes memory data, uint256 offset) internal pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 0x20), offset))
        }
    }

    /// @dev A copy with another word at an offset in bytes.
    function withWord(bytes memory data, uint256 offset, uint256 word) internal pure returns (bytes memory copy) {
        copy = bytes.concat(data);
        assembly ("memory-safe") {
            mstore(add(add(copy, 0x20), offset), word)
        }
    }

    /// @dev A copy with one bit flipped of the byte at an offset.
    function withFlip(bytes memory data, uint256 offset, uint256 bit) internal pure returns (bytes memory copy) {
        copy = bytes.concat(data);
        copy[offset] ^= bytes1(uint8(1 << bit));
    }

    function withInstance(uint256[] memory instances, uint256 index, uint256 value)
        internal
        pure
        returns (uint256[] memory copy)
    {
        copy = new uint256[](instances.length);
        for (uint256 i = 0; i < copy.length; ++i) {
            copy[i] = i == index ? value : instances[i];
        }
    }

    /// @dev The blob with another data commitment and context in front, and what ERC-7992 calls its input commitment.
    function withHeader(Proof memory p, bytes32 data, bytes32 context) internal pure returns (bytes memory, bytes32) {
        bytes memory blob = withWord(withWord(p.blob, 4, uint256(data)), 36, uint256(context));
        return (blob, ZKMLStatement.inputCommitment(data, context));
    }
}
