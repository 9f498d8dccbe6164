// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IZKMLRegistry} from "../interfaces/IZKMLRegistry.sol";

/// @title How statements are hashed: contexts, input commitments, model ids, proof blobs
/// @notice The same functions exist in Rust (`zkml-protocol`) and are tested against the same vectors.
///
/// A proof blob is `selector(4) ‖ dataCommitment(32) ‖ context(32) ‖ proof ‖ input words`. The input words are there
/// only where the statement shows more than one commitment; `dataCommitment` is then the Keccak-256 over them, and
/// otherwise the one commitment itself.
library ZKMLStatement {
    /// @notice The proof system of all generated verifiers.
    bytes4 internal constant PROOF_SYSTEM_ID = bytes4(keccak256("halo2-kzg-shplonk-bn254-v1"));

    /// @notice EIP-712 type of a bound inference.
    bytes32 internal constant CONTEXT_TYPEHASH =
        keccak256("ZKMLInference(address subject,uint256 nonce,uint256 deadline,bytes32 action)");
    /// @notice EIP-712 type of what an input commitment covers.
    bytes32 internal constant INPUT_TYPEHASH = keccak256("ZKMLInput(bytes32 dataCommitment,bytes32 context)");
    /// @notice Type of a request for an inference.
    bytes32 internal constant REQUEST_TYPEHASH = keccak256(
        "ZKMLRequest(address subject,uint256 sequence,uint256 deadline,bytes32 action,bytes32 dataCommitment)"
    );
    /// @notice Type of a model's identity.
    bytes32 internal constant COMMITMENT_TYPEHASH =
        keccak256("ZKMLModelCommitment(bytes32 modelHash,bytes32 circuitHash,bytes32 vkHash,bytes4 proofSystemId)");
    /// @notice Type of a model's id.
    bytes32 internal constant MODEL_ID_TYPEHASH = keccak256("ZKMLModelId(address owner,bytes32 commitment)");
    /// @notice Type of the EIP-712 domain.
    bytes32 internal constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    /// @notice Bytes of a blob before the proof.
    uint256 internal constant BLOB_HEADER = 68;

    /// @dev A context has 253 bits, so that it is a canonical field element.
    uint256 private constant CONTEXT_MASK = type(uint256).max >> 3;

    /// @notice The blob is too short to carry selector, data commitment and context.
    /// @param length Its length in bytes.
    error BlobTooShort(uint256 length);

    /// @notice The EIP-712 domain of a consumer on this chain.
    /// @param consumer The contract that a proof is made for.
    /// @return separator The domain separator.
    function domainSeparator(address consumer) internal view returns (bytes32 separator) {
        bytes32 chainId = bytes32(block.chainid);
        return _hash(DOMAIN_TYPEHASH, keccak256("zkml-chain"), keccak256("1"), chainId, _word(consumer));
    }

    /// @notice The context: instance 0 of a proof that only one consumer accepts, once, for one subject and purpose.
    /// @param separator The consumer's domain separator.
    /// @param subject Whom the inference is about.
    /// @param nonce The subject's next nonce at the consumer.
    /// @param deadline Last acceptable block time, in seconds since 1970.
    /// @param action What the result is to be used for, hashed by the consumer.
    /// @return context An EIP-712 digest, cut to 253 bits.
    function contextOf(bytes32 separator, address subject, uint256 nonce, uint256 deadline, bytes32 action)
        internal
        pure
        returns (bytes32 context)
    {
        bytes32 message = _hash(CONTEXT_TYPEHASH, _word(subject), bytes32(nonce), bytes32(deadline), action);
        bytes32 digest;
        assembly ("memory-safe") {
            // `0x1901 ‖ separator ‖ message`, 66 bytes behind the end of memory in use.
            let free := mload(0x40)
            mstore(free, shl(240, 0x1901))
            mstore(add(free, 0x02), separator)
            mstore(add(free, 0x22), message)
            digest := keccak256(free, 0x42)
        }
        return bytes32(uint256(digest) & CONTEXT_MASK);
    }

    /// @notice ERC-7992's input commitment: the data, and what the proof is bound to.
    /// @param dataCommitment The commitment to the input data.
    /// @param context The context; zero for an unbound proof.
    /// @return commitment The hash of both.
    function inputCommitment(bytes32 dataCommitment, bytes32 context) internal pure returns (bytes32 commitment) {
        bytes32 typeHash = INPUT_TYPEHASH;
        assembly ("memory-safe") {
            // As `abi.encode` writes them, without moving the end of memory in use.
            let free := mload(0x40)
            mstore(free, typeHash)
            mstore(add(free, 0x20), dataCommitment)
            mstore(add(free, 0x40), context)
            commitment := keccak256(free, 0x60)
        }
    }

    /// @notice The id of a request, and the nonce of its context. A hash: no count of inferences ever gets there.
    /// @param subject Who asks.
    /// @param sequence How many requests the contract had before.
    /// @param deadline Last acceptable block time, in seconds since 1970.
    /// @param action What the output is to be used for, hashed.
    /// @param dataCommitment The commitment to the input.
    /// @return requestId The id.
    function requestIdOf(address subject, uint256 sequence, uint256 deadline, bytes32 action, bytes32 dataCommitment)
        internal
        pure
        returns (uint256 requestId)
    {
        return uint256(keccak256(abi.encode(REQUEST_TYPEHASH, subject, sequence, deadline, action, dataCommitment)));
    }

    /// @notice What a consumer pins of a model besides its id.
    /// @param modelHash See {IERCZKMLRegistry.ModelCommitment}.
    /// @param circuitHash See {IERCZKMLRegistry.ModelCommitment}.
    /// @param vkHash See {IERCZKMLRegistry.ModelCommitment}.
    /// @param proofSystemId See {IERCZKMLRegistry.ModelCommitment}.
    /// @return hash The hash of all four.
    function commitmentHash(bytes32 modelHash, bytes32 circuitHash, bytes32 vkHash, bytes4 proofSystemId)
        internal
        pure
        returns (bytes32 hash)
    {
        return keccak256(abi.encode(COMMITMENT_TYPEHASH, modelHash, circuitHash, vkHash, proofSystemId));
    }

    /// @notice The {commitmentHash} of what a registry says about a model.
    /// @param identity Its identity.
    /// @return hash The hash of all four parts.
    function identityHash(IZKMLRegistry.Identity memory identity) internal pure returns (bytes32 hash) {
        return commitmentHash(identity.modelHash, identity.circuitHash, identity.vkHash, identity.proofSystemId);
    }

    /// @notice The id of a model in every registry: nobody else can take it, and it stands for nothing else.
    /// @param owner Who registers it.
    /// @param commitment Its {commitmentHash}.
    /// @return modelId The id.
    function modelIdOf(address owner, bytes32 commitment) internal pure returns (uint256 modelId) {
        return uint256(keccak256(abi.encode(MODEL_ID_TYPEHASH, owner, commitment)));
    }

    /// @notice Reads the words in front of a proof.
    /// @param blob The proof blob.
    /// @return selector Which verifier it is made for.
    /// @return dataCommitment The commitment to the input data.
    /// @return context What it is bound to.
    function header(bytes calldata blob)
        internal
        pure
        returns (bytes4 selector, bytes32 dataCommitment, bytes32 context)
    {
        if (blob.length < BLOB_HEADER) revert BlobTooShort(blob.length);
        assembly ("memory-safe") {
            let start := blob.offset
            // The first four bytes of a word; Solidity wants the others clean.
            selector := shl(224, shr(224, calldataload(start)))
            dataCommitment := calldataload(add(start, 4))
            context := calldataload(add(start, 36))
        }
    }

    /// @dev `keccak256(abi.encode(a, b, c, d, e))`, without moving the end of memory in use.
    function _hash(bytes32 a, bytes32 b, bytes32 c, bytes32 d, bytes32 e) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, a)
            mstore(add(free, 0x20), b)
            mstore(add(free, 0x40), c)
            mstore(add(free, 0x60), d)
            mstore(add(free, 0x80), e)
            hash := keccak256(free, 0xa0)
        }
    }

    /// @dev An address as `abi.encode` writes it.
    function _word(address account) private pure returns (bytes32 word) {
        return bytes32(uint256(uint160(account)));
    }
}
