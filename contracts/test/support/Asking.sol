// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IZKMLRequests} from "../../src/interfaces/IZKMLRequests.sol";
import {ZKMLStatement} from "../../src/libraries/ZKMLStatement.sol";
import {Hooked} from "./Hooked.sol";
import {HookedRequests} from "./HookedRequests.sol";

/// @title Requests on the scripted stack, and proofs for them
abstract contract Asking is Hooked {
    bytes internal constant INPUT = "the words of the input";
    address internal constant SERVICE = address(uint160(uint256(keccak256("service"))));

    HookedRequests internal requests;

    function deployRequests() internal {
        deployScripted(defaultShape());
        requests = new HookedRequests(zkml, modelId, 0, OWNER);
        // What is inherited works on the same contract.
        consumer = requests;
    }

    /// @dev The request that has this number, if its subject asks for it.
    function requestOf(address subject, uint256 sequence) internal pure returns (IZKMLRequests.Request memory) {
        return IZKMLRequests.Request(subject, sequence, DEADLINE, ACTION, DATA);
    }

    function idOf(IZKMLRequests.Request memory r) internal pure returns (uint256) {
        return ZKMLStatement.requestIdOf(r.subject, r.sequence, r.deadline, r.action, r.dataCommitment);
    }

    function ask(address subject) internal returns (IZKMLRequests.Request memory r) {
        r = requestOf(subject, requests.requestCount());
        ask(r);
    }

    function ask(IZKMLRequests.Request memory r) internal {
        requests.ask(r.subject, r.action, r.deadline, r.dataCommitment, INPUT, "because");
    }

    /// @dev A proof of what was asked for.
    function proofOf(IZKMLRequests.Request memory r) internal view returns (bytes memory) {
        return proofOf(r, r.dataCommitment);
    }

    /// @dev A proof of some input, bound to the request.
    function proofOf(IZKMLRequests.Request memory r, bytes32 data) internal view returns (bytes memory) {
        return blobOf(selectorOf("vk"), data, requests.requestContext(r), PROOF, "");
    }

    /// @dev Hands a proof in, as anybody may.
    function fulfil(IZKMLRequests.Request memory r, bytes memory proof) internal {
        vm.prank(SERVICE);
        requests.fulfillInference(r, words(5, 6), proof);
    }

    function fulfil(IZKMLRequests.Request memory r) internal {
        fulfil(r, proofOf(r));
    }

    /// @dev A fulfilment that must be refused, and change nothing.
    function refuse(IZKMLRequests.Request memory r, bytes memory proof, bytes memory error_) internal {
        IZKMLRequests.RequestState before = stateOf(r);
        uint256 done = requests.accepted();
        vm.expectRevert(error_);
        fulfil(r, proof);
        assertTrue(stateOf(r) == before && requests.accepted() == done, "nothing happened");
    }

    function stateOf(IZKMLRequests.Request memory r) internal view returns (IZKMLRequests.RequestState) {
        return requests.requestState(idOf(r));
    }

    function notPending(IZKMLRequests.Request memory r, IZKMLRequests.RequestState state)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(IZKMLRequests.RequestNotPending.selector, idOf(r), state);
    }

    function cancel(IZKMLRequests.Request memory r) internal {
        vm.prank(r.subject);
        requests.cancelRequest(r);
    }
}
