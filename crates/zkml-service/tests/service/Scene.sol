// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ZKMLPausable} from "@zkml-chain/contracts/src/ZKMLPausable.sol";
import {ZKMLRewards} from "@zkml-chain/contracts/src/ZKMLRewards.sol";
import {ZKMLConsumer} from "@zkml-chain/contracts/src/ZKMLConsumer.sol";
import {IZKMLRegistry} from "@zkml-chain/contracts/src/interfaces/IZKMLRegistry.sol";
import {IZKMLVerifier} from "@zkml-chain/contracts/src/interfaces/IZKMLVerifier.sol";
import {ZKMLStatement} from "@zkml-chain/contracts/src/libraries/ZKMLStatement.sol";

/// @title A verifier and registry in one that takes all proofs, or none
contract Believer {
    /// @notice The proof is refused.
    error Refused();

    /// @notice Whether proofs are refused.
    bool public refuses;

    /// @notice Says whether proofs are refused from now on.
    function refuse(bool yes) external {
        refuses = yes;
    }

    /// @notice The registry.
    function registry() external view returns (address) {
        return address(this);
    }

    /// @notice The identity of its one model.
    function identityOf(uint256)
        external
        view
        returns (IZKMLRegistry.Identity memory identity, address owner, bool deprecated)
    {
        bytes32 hash = bytes32(uint256(1));
        return (IZKMLRegistry.Identity(hash, hash, hash, 0x01020304), address(this), false);
    }

    /// @notice The model.
    function modelId() external view returns (uint256) {
        bytes32 hash = bytes32(uint256(1));
        return ZKMLStatement.modelIdOf(address(this), ZKMLStatement.commitmentHash(hash, hash, hash, 0x01020304));
    }

    /// @notice Takes every proof.
    function verifyInference(uint256, bytes32, bytes calldata, bytes calldata) external view {
        if (refuses) revert Refused();
    }
}

/// @title A token of which one account has all
contract Coinage is ERC20 {
    constructor(address owner) ERC20("Coinage", "COIN") {
        _mint(owner, 1_000_000);
    }
}

/// @title The real request contract, around a verifier that takes all
contract Asked is ZKMLConsumer, ZKMLRewards {
    constructor(Believer believer, address owner)
        ZKMLConsumer(IZKMLVerifier(address(believer)), believer.modelId(), 0, owner)
    {}

    /// @notice Makes so many requests.
    function ask(uint256 count, uint256 deadline, bytes calldata input) external {
        for (uint256 i = 0; i < count; ++i) {
            _requestInference(msg.sender, 0, deadline, keccak256(input), input, input[:0]);
        }
    }

    /// @notice Makes a request that pays.
    function askRewarded(uint256 deadline, Reward calldata reward, bytes calldata input) external payable {
        _requestRewarded(msg.sender, 0, deadline, keccak256(input), reward, input, input[:0]);
    }

    function _checkProvenance(address, bytes32, bytes32, bytes calldata) internal override {}

    function _validateOutput(address, bytes calldata) internal override {}

    function _beforeInference() internal view override(ZKMLConsumer, ZKMLPausable) {
        super._beforeInference();
    }
}

/// @title Deploys both
contract Scene {
    /// @notice The verifier.
    Believer public believer;
    /// @notice The consumer.
    Asked public asked;
    /// @notice A token of whoever deploys.
    Coinage public coinage;

    constructor() {
        believer = new Believer();
        asked = new Asked(believer, tx.origin);
        coinage = new Coinage(tx.origin);
    }
}
