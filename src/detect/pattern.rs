//! stub
#[derive(Debug, Clone)]
pub struct Pattern {}
