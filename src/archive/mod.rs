//! Archives rewritten in place: files and trees, compressed ones too.
//!
//! ```text
//! tree: walk ─► Entry ─► journal: is anything due? ─► rewrite: decode ─► scrub ─► encode ─► verify ─► replace
//!                                                        └─ container: the members of a tar or zip
//! ```
//!
//! A file is the old one or the new one, at every instant; what cannot be judged stays as it is and is listed.

pub mod container;
pub mod digest;
pub mod journal;
mod lease;
mod nature;
pub mod replace;
pub mod rewrite;
pub mod run;
pub mod tree;
pub mod walk;
