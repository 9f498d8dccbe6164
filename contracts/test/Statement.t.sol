// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLStatement} from "../src/libraries/ZKMLStatement.sol";
import {Test} from "./support/Test.sol";

/// @title Hashing of statements, and the words in front of a proof
contract StatementTest is Test {
    /// @dev Bits that a context does not have cannot tell two contexts apart, but everything that goes in does.
    function testFuzz_ContextDependsOnEverything(address consumer, address subject, uint256 nonce, bytes32 action)
        external
    {
        bytes32 separator = ZKMLStatement.domainSeparator(consumer);
        bytes32 context = ZKMLStatement.contextOf(separator, subject, nonce, 1, action);
        assertTrue(uint256(context) >> 253 == 0, "253 bits");
        address other = address(uint160(subject) ^ 1);
        assertTrue(context != ZKMLStatement.contextOf(separator, other, nonce, 1, action), "subject");
        assertTrue(context != ZKMLStatement.contextOf(separator, subject, nonce ^ 1, 1, action), "nonce");
        assertTrue(context != ZKMLStatement.contextOf(separator, subject, nonce, 0, action), "deadline");
        assertTrue(context != ZKMLStatement.contextOf(separator, subject, nonce, 1, ~action), "action");
        bytes32 elsewhere = ZKMLStatement.domainSeparator(address(uint160(consumer) ^ 1));
        assertTrue(context != ZKMLStatement.contextOf(elsewhere, subject, nonce, 1, action), "consumer");
        vm.chainId(1);
        elsewhere = ZKMLStatement.domainSeparator(consumer);
        assertTrue(context != ZKMLStatement.contextOf(elsewhere, subject, nonce, 1, action), "chain");
    }

    function testFuzz_HeaderReadsWhatWasPacked(bytes4 selector, bytes32 data, bytes32 context, bytes calldata rest)
        external
        view
    {
        (bytes4 a, bytes32 b, bytes32 c) = this.header(abi.encodePacked(selector, data, context, rest));
        assertTrue(a == selector && b == data && c == context, "header");
        // The rest of the selector's word is clean, also where Solidity does not look.
        assertEq(this.selectorWord(abi.encodePacked(selector, data, context, rest)), bytes32(selector), "clean");
    }

    function test_RevertWhen_ThereIsNoHeader() external {
        for (uint256 length = 0; length < 68; ++length) {
            vm.expectRevert(abi.encodeWithSelector(ZKMLStatement.BlobTooShort.selector, length));
            this.header(new bytes(length));
        }
        this.header(new bytes(68));
    }

    function selectorWord(bytes calldata blob) external pure returns (bytes32 word) {
        (bytes4 selector,,) = ZKMLStatement.header(blob);
        assembly ("memory-safe") {
            word := selector
        }
    }

    function header(bytes calldata blob) external pure returns (bytes4, bytes32, bytes32) {
        return ZKMLStatement.header(blob);
    }
}
