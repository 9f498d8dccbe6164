//! Test cases of every operator.
