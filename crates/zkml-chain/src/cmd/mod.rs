//! One file per subcommand: its arguments, and the call of what does the work.

pub mod completions;
