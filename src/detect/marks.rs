//! [`Marks`]: where in a block a match is possible, from bit masks.
//!
//! The block is gone over in windows of 64 bytes, each of which becomes one bit mask for each class of bytes
//! ([`Masks`]); mask algebra then finds the candidates. Windows overlap by 16 bytes, so that no
//! state is carried from one to the next: the shifts across words that carries need are slow on current
//! cores and were measured to cost 1.6 times as much.
//!
//! What is marked is a superset of the candidates of [`index()`](super::index()): a group of digits is
//! marked by the length of the run before it, separators included, and not by the number of its digits.

use super::simd::{self, Level};

/// Bytes of a window that the window before has marked already: as far as a mark may look back. (A card in
/// groups looks back 16 bytes from the byte after it; four colons 15.)
const OVERLAP_BYTES: usize = 16;
/// Bytes of one window.
pub const WINDOW_BYTES: usize = 64;
/// Bytes from one window to the next.
const STEP_BYTES: usize = WINDOW_BYTES - OVERLAP_BYTES;
/// Marks that are written at once, whether there are as many or not: most windows hold fewer, and a loop
/// with that many turns costs a mispredicted branch.
const AT_ONCE: usize = 4;

/// One bit a byte of a window, lowest first, for each class of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Masks {
    /// `0` to `9`.
    pub digit: u64,
    /// `.`.
    pub dot: u64,
    /// `:`.
    pub colon: u64,
    /// `@`.
    pub at: u64,
    /// Single-byte separators of card numbers: blank, `-`, `+`.
    pub separator: u64,
    /// `\`, `%`, `&`, ESC and all bytes outside ASCII: each may begin an escape.
    pub escape: u64,
    /// Line feed.
    pub feed: u64,
}

/// Places in one block, as offsets in ascending order.
#[derive(Debug, Default)]
pub struct Marks {
    pub(super) candidates: Places,
    pub(super) escapes: Places,
    pub(super) feeds: Places,
}

impl Marks {
    /// Candidates: `@`; the second colon of `::` and a fourth colon; the first digit after a third dot; the
    /// last digit of a group that may end a card number.
    pub fn candidates(&self) -> &[u32] {
        self.candidates.list()
    }

    /// Line feeds.
    pub fn feeds(&self) -> &[u32] {
        self.feeds.list()
    }

    /// Bytes that may begin an escape.
    pub fn escapes(&self) -> &[u32] {
        self.escapes.list()
    }
}

/// A list that is written several places at once.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Initialised beyond `count`: what lies there is room.
    room: Vec<u32>,
    count: usize,
}

impl Places {
    fn list(&self) -> &[u32] {
        &self.room[..self.count]
    }

    /// Appends the offsets of the bits of a window in which bit [`OVERLAP_BYTES`] is offset `from`.
    #[inline(always)]
    fn write(&mut self, mut bits: u64, from: usize) {
        let base = (from as u32).wrapping_sub(OVERLAP_BYTES as u32);
        let count = self.count + bits.count_ones() as usize;
        if self.room.len() < count + AT_ONCE {
            self.grow(count);
        }
        loop {
            for place in &mut self.room[self.count..self.count + AT_ONCE] {
                *place = base.wrapping_add(bits.trailing_zeros());
                bits &= bits.wrapping_sub(1);
            }
            self.count += AT_ONCE;
            if self.count >= count {
                self.count = count;
                return;
            }
        }
    }

    /// Takes back what was marked in the bytes that stand for the end of the block.
    fn forget_from(&mut self, end: usize) {
        let beyond = self.list().iter().rev().take_while(|place| **place as usize >= end).count();
        self.count -= beyond;
    }

    #[cold]
    fn grow(&mut self, count: usize) {
        self.room.resize(2 * count + WINDOW_BYTES, 0);
    }
}

/// Marks a block at the best level that the processor has.
pub fn mark(block: &[u8], marks: &mut Marks) {
    mark_at(Level::best(), block, marks);
}

/// Marks a block at a level that the processor has. Blocks are shorter than 4 GiB.
pub fn mark_at(level: Level, block: &[u8], marks: &mut Marks) {
    marks.candidates.count = 0;
    marks.escapes.count = 0;
    marks.feeds.count = 0;
    simd::mark(level, block, marks);
}

/// Goes over the block with one way to classify a window.
#[inline(always)]
pub(super) fn mark_with(classify: impl Fn(&[u8; WINDOW_BYTES]) -> Masks, block: &[u8], marks: &mut Marks) {
    let mut from = 0;
    // One byte more than there are: the card that ends the block is marked at the byte after it.
    while from <= block.len() {
        let window = from.checked_sub(OVERLAP_BYTES).and_then(|start| block[start..].first_chunk());
        let masks = match window {
            Some(window) => classify(window),
            None => classify(&at_edge(block, from)),
        };
        marks.candidates.write(masks.candidates(), from);
        let due = u64::MAX << OVERLAP_BYTES;
        if masks.feed & due != 0 {
            marks.feeds.write(masks.feed & due, from);
        }
        if masks.escape & due != 0 {
            marks.escapes.write(masks.escape & due, from);
        }
        from += STEP_BYTES;
    }
    marks.feeds.forget_from(block.len());
}

/// A window that reaches over an edge of the block. Line feeds stand for what is not there.
fn at_edge(block: &[u8], from: usize) -> [u8; WINDOW_BYTES] {
    let mut window = [b'\n'; WINDOW_BYTES];
    let before = from.min(OVERLAP_BYTES);
    let here = &block[from - before..block.len().min(from + STEP_BYTES)];
    window[OVERLAP_BYTES - before..][..here.len()].copy_from_slice(here);
    window
}

impl Masks {
    /// The candidates among the bytes that are due in this window.
    #[inline(always)]
    fn candidates(&self) -> u64 {
        let due = u64::MAX << OVERLAP_BYTES;
        // A group that ends is known from the byte after it, and marked at its last digit.
        let ends = self.card_ends() & due;
        (self.at | self.quads() | self.colons()) & due | ends >> 1
    }

    /// The first digit after the third of three dots between digits, each two to four bytes after the last.
    #[inline(always)]
    fn quads(&self) -> u64 {
        let after_dot = self.digit & self.dot << 1 & self.digit << 2;
        let close = |mask: u64| mask << 2 | mask << 3 | mask << 4;
        let second = after_dot & close(after_dot);
        second & close(second)
    }

    /// The second colon of `::`, and a colon after three others that are at most five bytes apart. Most
    /// windows with colons hold the two of a time.
    #[inline(always)]
    fn colons(&self) -> u64 {
        let colon = self.colon;
        let doubled = colon & colon << 1;
        if colon.count_ones() < 4 {
            return doubled;
        }
        let close = |mask: u64| mask << 1 | mask << 2 | mask << 3 | mask << 4 | mask << 5;
        let third = colon & close(colon & close(colon));
        doubled | colon & close(third)
    }

    /// The byte after twelve digits in a row, or after sixteen digits and single separators between them
    /// (the shortest card in groups: 4-6-4).
    #[inline(always)]
    fn card_ends(&self) -> u64 {
        let grouped = self.digit | self.separator & (self.digit << 1 | 1);
        let ends = !self.digit & self.digit << 1;
        let runs = |mask: u64| {
            let two = mask & mask << 1;
            let four = two & two << 2;
            (four, four & four << 4)
        };
        let (four, eight) = runs(self.digit);
        let (_, eight_grouped) = runs(grouped);
        let twelve = eight & four << 8;
        let sixteen = eight_grouped & eight_grouped << 8;
        ends & (twelve | sixteen) << 1
    }
}
