//! The verifier program as data: transcript, proof layout, challenges, constraint expressions, opening scheme.
