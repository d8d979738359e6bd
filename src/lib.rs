//! logscrub
pub mod action;
pub mod decoded;
pub mod detect;
pub mod edit;
pub mod error;
pub mod finding;
pub mod format;
pub mod kind;
pub mod policy;
pub mod scrub;
pub mod span;
pub mod tally;
pub mod time;
