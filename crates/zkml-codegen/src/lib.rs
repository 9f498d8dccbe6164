//! Prints a verifier program as Solidity, with the consumer contract and calldata.
