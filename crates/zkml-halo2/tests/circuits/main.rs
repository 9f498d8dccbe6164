//! Circuits from integer graphs: operators one by one, networks end to end, and what every layout keeps.

mod bounds;
mod certificate;
mod end_to_end;
mod layouts;
mod networks;
mod operators;
