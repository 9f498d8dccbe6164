// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

import {ZKMLStatement} from "./libraries/ZKMLStatement.sol";

/// @title The EIP-712 domain of a contract, told by ERC-5267
/// @notice Contexts of proofs, signed inputs and consents are hashed in this one domain: they are of different types.
/// @dev A contract has one domain, so whoever inherits this has no other library's.
abstract contract ZKMLDomain is IERC5267 {
    /// @dev The domain separator where the contract was deployed; see {_domainSeparator} for the one that counts.
    bytes32 internal immutable _DOMAIN_SEPARATOR;
    /// @dev The chain's id when the contract was deployed.
    uint256 private immutable _CHAIN_ID;
    /// @dev The contract's own address: code that a proxy borrows runs at another one.
    address internal immutable _SELF;

    constructor() {
        (_CHAIN_ID, _SELF) = (block.chainid, address(this));
        _DOMAIN_SEPARATOR = ZKMLStatement.domainSeparator(address(this));
    }

    /// @inheritdoc IERC5267
    function eip712Domain()
        external
        view
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        )
    {
        // Name, version, chain and contract; no salt.
        (fields, name, version) = (0x0f, ZKMLStatement.DOMAIN_NAME, ZKMLStatement.DOMAIN_VERSION);
        (chainId, verifyingContract, salt, extensions) = (block.chainid, address(this), 0, new uint256[](0));
    }

    /// @dev After a fork it is another one on each of the two chains; behind proxies, at each of them.
    /// @return separator The domain separator of this address, on this chain.
    function _domainSeparator() internal view returns (bytes32 separator) {
        return _isElsewhere() ? ZKMLStatement.domainSeparator(address(this)) : _DOMAIN_SEPARATOR;
    }

    /// @dev Whether this is another chain or another address than the contract was deployed at.
    function _isElsewhere() internal view returns (bool elsewhere) {
        return block.chainid != _CHAIN_ID || address(this) != _SELF;
    }
}
