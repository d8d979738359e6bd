//! Time and keys: the time of a record; the keyring, one key a period.

pub mod keyring;
pub mod stamp;
