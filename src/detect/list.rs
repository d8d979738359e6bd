//! The user's literal dictionaries.
/// (stub)
#[derive(Debug)]
pub struct List {}
