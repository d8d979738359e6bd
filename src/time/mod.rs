//! Time and keys: the keyring, one key a period.

pub mod keyring;
