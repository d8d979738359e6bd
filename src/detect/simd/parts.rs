//! What vectors tell of the parts of a window, put together.

use super::{Seen, Window};

/// The same of parts of a window, each `bytes` long, as of the whole.
#[inline(always)]
pub(super) fn seen<const N: usize>(parts: [Seen; N], bytes: usize) -> Seen {
    let mut whole = Seen::default();
    for (at, part) in parts.into_iter().enumerate() {
        let by = at * bytes;
        whole.end |= part.end << by;
        whole.quote |= part.quote << by;
        whole.separator |= part.separator << by;
    }
    whole
}

/// The masks of parts of a window, each `bytes` long, as those of the whole.
#[inline(always)]
pub(super) fn joined<const N: usize>(parts: [Window; N], bytes: usize) -> Window {
    let mut whole = Window::default();
    for (at, part) in parts.into_iter().enumerate() {
        let by = at * bytes;
        whole.digit |= part.digit << by;
        whole.hex |= part.hex << by;
        whole.alnum |= part.alnum << by;
        whole.name |= part.name << by;
        whole.dot |= part.dot << by;
        whole.colon |= part.colon << by;
        whole.at |= part.at << by;
        whole.separator |= part.separator << by;
        whole.escape |= part.escape << by;
        whole.feed |= part.feed << by;
    }
    whole
}
