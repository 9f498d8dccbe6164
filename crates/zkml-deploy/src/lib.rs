//! Deploys, registers, submits and checks contracts over JSON-RPC.
