// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title One pairing that decides about several
/// @notice Each proof of a batch comes as a pairing product `e(P_1, Q_1) e(P_2, Q_2) ...` that has to be 1, with the same `Q` for
/// all. What is checked is the product of the first to the power 1, the second to the power `weight`, the third to the power
/// `weight^2` and so on. If one of `n` is not 1, then at most `n - 1` weights below r make up for it. The weight is a hash of all points,
/// so nobody knows it before they are chosen: at most 6 of 2^256 hashes are equal modulo r, and a hash that
/// somebody tries is such a weight with a probability below `(n - 1) / 2^253`.
library ZKMLPairing {
    /// @dev Type of what a weight is derived from, before instances and points.
    bytes32 private constant _BATCH_TYPEHASH =
        keccak256("ZKMLBatch(address verifier,uint256 modelId,bytes32 vkDigest,uint256 count)");
    /// @dev Order of both groups, and of the scalar field.
    uint256 private constant _R = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;
    /// @dev Words of a pair: a point of the first group (two), and one of the second (four).
    uint256 private constant _PAIR = 6;

    /// @notice A precompiled contract is missing on this chain, or failed.
    error PrecompileFailed();
    /// @notice Two proofs are to be checked with other points of the second group, so they are not of one verifier.
    error PairingMismatch();

    /// @notice What a weight is derived from, before anything is absorbed.
    /// @param verifier The verifier of all proofs.
    /// @param modelId The model of all proofs.
    /// @param vkDigest The verifying key.
    /// @param count How many proofs there are.
    /// @return seen The first hash.
    function start(address verifier, uint256 modelId, bytes32 vkDigest, uint256 count)
        internal
        pure
        returns (bytes32 seen)
    {
        return keccak256(abi.encode(_BATCH_TYPEHASH, verifier, modelId, vkDigest, count));
    }

    /// @notice Absorbs one proof: its statement and every point of its pairing, with the numbers of both.
    /// @param before The hash so far.
    /// @param instances The statement.
    /// @param pairs The pairing's input.
    /// @return seen The next hash.
    function absorb(bytes32 before, uint256[] memory instances, uint256[] memory pairs)
        internal
        pure
        returns (bytes32 seen)
    {
        assembly ("memory-safe") {
            // Each array with its length in front, hashed, and that behind the hash so far, in the scratch space.
            mstore(0x00, before)
            mstore(0x20, keccak256(instances, shl(5, add(mload(instances), 1))))
            mstore(0x00, keccak256(0x00, 0x40))
            mstore(0x20, keccak256(pairs, shl(5, add(mload(pairs), 1))))
            seen := keccak256(0x00, 0x40)
        }
    }

    /// @notice Returns true for what can be the input of a pairing: a pair at least, and nothing besides pairs.
    /// @param pairs The words.
    /// @return Whether it can.
    function isInput(uint256[] memory pairs) internal pure returns (bool) {
        return pairs.length != 0 && pairs.length % _PAIR == 0;
    }

    /// @notice Returns true if all pairings hold, and, but for the probability above, false if one does not. Every point is shown to be
    /// on its curve by the precompiles, also of a verifier that does not.
    /// @param pairings The pairings' inputs, one at least; the last is overwritten.
    /// @param seen The hash of all of them.
    /// @return Whether they hold.
    function hold(uint256[][] memory pairings, bytes32 seen) internal view returns (bool) {
        uint256 weight = uint256(seen) % _R;
        uint256 last = pairings.length - 1;
        uint256[] memory sum = pairings[last];
        // Horner's rule: the weight is the one factor of all multiplications.
        for (uint256 i = last; i > 0; --i) {
            _fold(sum, pairings[i - 1], weight);
        }
        return _isOne(sum);
    }

    /// @dev Multiplies the points of the first group by the weight, and adds the others' to them.
    function _fold(uint256[] memory sum, uint256[] memory pairs, uint256 weight) private view {
        if (sum.length != pairs.length) revert PairingMismatch();
        bool same = true;
        bool ok = true;
        assembly ("memory-safe") {
            let free := mload(0x40)
            let to := add(sum, 0x20)
            let from := add(pairs, 0x20)
            // A pair has 0xc0 bytes. A precompile that fails takes nearly all gas with it: no more of them.
            for { let end := add(to, shl(5, mload(sum))) } and(ok, lt(to, end)) {
                to := add(to, 0xc0)
                from := add(from, 0xc0)
            } {
                // The four words of the second group's point.
                for { let word := 0x40 } lt(word, 0xc0) { word := add(word, 0x20) } {
                    same := and(same, eq(mload(add(to, word)), mload(add(from, word))))
                }
                // Point and factor; the product takes the point's place.
                mstore(free, mload(to))
                mstore(add(free, 0x20), mload(add(to, 0x20)))
                mstore(add(free, 0x40), weight)
                ok := and(ok, staticcall(gas(), 7, free, 0x60, free, 0x40))
                // A call of an address without code succeeds, and returns nothing.
                ok := and(ok, eq(returndatasize(), 0x40))
                mstore(add(free, 0x40), mload(from))
                mstore(add(free, 0x60), mload(add(from, 0x20)))
                ok := and(ok, staticcall(gas(), 6, free, 0x80, to, 0x40))
                ok := and(ok, eq(returndatasize(), 0x40))
            }
        }
        if (!same) revert PairingMismatch();
        if (!ok) revert PrecompileFailed();
    }

    /// @dev The pairing itself.
    function _isOne(uint256[] memory pairs) private view returns (bool one) {
        bool ok;
        assembly ("memory-safe") {
            ok := staticcall(gas(), 8, add(pairs, 0x20), shl(5, mload(pairs)), 0x00, 0x20)
            ok := and(ok, eq(returndatasize(), 0x20))
            one := eq(mload(0x00), 1)
        }
        if (!ok) revert PrecompileFailed();
    }
}
