//! Archives rewritten in place.

pub mod container;
