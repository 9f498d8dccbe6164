//! Compiles Solidity with solc and runs it in a local EVM: deploy, call, gas, transcript trace.
