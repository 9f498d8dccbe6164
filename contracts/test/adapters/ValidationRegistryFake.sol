// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IValidationRegistry} from "../../src/adapters/interfaces/IERC8004.sol";

/// @title ERC-8004's validation registry, as far as requests and answers go
/// @notice Agents are their owners' addresses, so that no identity registry is needed.
contract ValidationRegistryFake is IValidationRegistry {
    struct Status {
        address validator;
        uint8 response;
        uint256 agentId;
        bytes32 responseHash;
        string tag;
        uint256 lastUpdate;
    }

    mapping(bytes32 requestHash => Status) private _requests;

    /// How many answers there were.
    uint256 public answers;

    error Taken();
    error Unknown();
    error NotTheValidator();
    error TooHigh();
    error NotTheAgent();

    function validationRequest(address validator, uint256 agentId, string calldata, bytes32 requestHash) external {
        if (agentId != uint160(msg.sender)) revert NotTheAgent();
        if (_requests[requestHash].validator != address(0)) revert Taken();
        _requests[requestHash] = Status(validator, 0, agentId, 0, "", block.timestamp);
    }

    function validationResponse(
        bytes32 requestHash,
        uint8 response,
        string calldata,
        bytes32 responseHash,
        string calldata tag
    ) external {
        Status storage status = _requests[requestHash];
        if (status.validator == address(0)) revert Unknown();
        if (status.validator != msg.sender) revert NotTheValidator();
        if (response > 100) revert TooHigh();
        (status.response, status.responseHash, status.tag) = (response, responseHash, tag);
        status.lastUpdate = block.timestamp;
        ++answers;
    }

    function getValidationStatus(bytes32 requestHash)
        external
        view
        returns (address, uint256, uint8, bytes32, string memory, uint256)
    {
        Status storage s = _requests[requestHash];
        if (s.validator == address(0)) revert Unknown();
        return (s.validator, s.agentId, s.response, s.responseHash, s.tag, s.lastUpdate);
    }
}
