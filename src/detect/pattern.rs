//! The user's regex detectors.
/// (stub)
#[derive(Debug)]
pub struct Pattern {}
