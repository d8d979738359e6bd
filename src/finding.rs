//! [`Finding`]: one sighting of a value.

use crate::kind::Kind;
use crate::span::Span;

/// One sighting: what it is and where. It holds no log bytes, so it may be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Finding {
    /// Where, in the value, record or block that was searched.
    pub span: Span,
    /// What.
    pub kind: Kind,
}
