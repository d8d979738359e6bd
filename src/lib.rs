//! logscrub
pub mod action;
pub mod detect;
pub mod edit;
pub mod finding;
pub mod kind;
pub mod policy;
pub mod scrub;
pub mod span;
pub mod stream;
pub mod tally;
