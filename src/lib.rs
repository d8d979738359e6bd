//! logscrub
pub mod action;
pub mod checksum;
pub mod decoded;
pub mod detect;
pub mod finding;
pub mod kind;
pub mod policy;
pub mod scrub;
pub mod span;
pub mod tally;
