// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Test} from "./Test.sol";

/// @title Points of BN254, as the precompiles compute with them, and pairings as batches take them
abstract contract Points is Test {
    struct Point {
        uint256 x;
        uint256 y;
    }

    uint256 private constant Q = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47;
    /// @dev The usual generator of the second group: coordinates as the precompile takes them.
    uint256 private constant G2_X1 = 0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2;
    uint256 private constant G2_X0 = 0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed;
    uint256 private constant G2_Y1 = 0x090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b;
    uint256 private constant G2_Y0 = 0x12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa;

    function generator() internal pure returns (Point memory) {
        return Point(1, 2);
    }

    function negated(Point memory p) internal pure returns (Point memory) {
        return p.y == 0 ? p : Point(p.x, Q - p.y);
    }

    function times(Point memory p, uint256 factor) internal view returns (Point memory product) {
        (bool done, bytes memory answer) = address(7).staticcall(abi.encode(p.x, p.y, factor));
        assertTrue(done && answer.length == 64, "multiplied");
        (product.x, product.y) = abi.decode(answer, (uint256, uint256));
    }

    function plus(Point memory p, Point memory q) internal view returns (Point memory sum) {
        (bool done, bytes memory answer) = address(6).staticcall(abi.encode(p.x, p.y, q.x, q.y));
        assertTrue(done && answer.length == 64, "added");
        (sum.x, sum.y) = abi.decode(answer, (uint256, uint256));
    }

    /// @dev The pairing `e(p, G2) e(q, -G2)`, which is 1 if and only if the points are equal.
    function equal(Point memory p, Point memory q) internal pure returns (bytes memory) {
        return bytes.concat(
            abi.encode(p.x, p.y, G2_X1, G2_X0, G2_Y1, G2_Y0), abi.encode(q.x, q.y, G2_X1, G2_X0, Q - G2_Y1, Q - G2_Y0)
        );
    }

    /// @dev The pairing `e(p, G2) e(q, G2)`.
    function opposite(Point memory p, Point memory q) internal pure returns (bytes memory) {
        return bytes.concat(
            abi.encode(p.x, p.y, G2_X1, G2_X0, G2_Y1, G2_Y0), abi.encode(q.x, q.y, G2_X1, G2_X0, G2_Y1, G2_Y0)
        );
    }

    function holds(bytes memory pairs) internal view returns (bool) {
        (bool done, bytes memory answer) = address(8).staticcall(pairs);
        assertTrue(done && answer.length == 32, "paired");
        return abi.decode(answer, (uint256)) == 1;
    }
}
