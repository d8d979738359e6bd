//! [`Lines`]: the numbers of the lines that are looked at.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many lines were looked at. All clones count together: long lines are for another one, and so is what follows a
/// panic.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines(Arc<AtomicU64>);

impl Lines {
    pub(super) fn so_far(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, lines: u64) {
        self.0.fetch_add(lines, Ordering::Relaxed);
    }
}
