//! Times and keys: when a record was written, ages as rules write them, and the keyring, one key a period.

pub mod age;
pub mod file_name;
pub mod keyring;
pub mod stamp;
