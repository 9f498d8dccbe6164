// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IModelVerifier} from "./IModelVerifier.sol";

/// @title Finds the verifier that a proof was made for
interface IZKMLRouter {
    /// @notice The verifier of a selector, if its route is in force.
    /// @param selector First four bytes of the verifier's `vkDigest`.
    /// @return verifier Never zero: it reverts if there is none.
    function verifierOf(bytes4 selector) external view returns (IModelVerifier verifier);
}
