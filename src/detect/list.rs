//! stub
#[derive(Debug, Clone)]
pub struct List {}
impl List { pub fn contains(&self, _v: &[u8]) -> bool { false } }
