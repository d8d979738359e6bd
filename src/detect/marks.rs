//! [`Marks`]: where in a block a match is possible, from bit masks.
//!
//! The block is gone over in windows of 64 bytes, each of which becomes one bit mask for each class of bytes
//! ([`Masks`]); mask algebra then finds the candidates. Windows overlap by [`OVERLAP_BYTES`], so that no
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
}

/// Places in one block, as offsets in ascending order.
#[derive(Debug, Default)]
pub struct Marks {
    candidates: Places,
    escapes: Places,
}

impl Marks {
    /// Candidates: `@`; the second colon of `::` and a fourth colon; the first digit after a third dot; the
    /// last digit of a group that may end a card number.
    pub fn candidates(&self) -> &[u32] {
        self.candidates.list()
    }

    /// Bytes that may begin an escape.
    pub fn escapes(&self) -> &[u32] {
        self.escapes.list()
    }
}

/// A list with room for every byte of a block, which is initialised once and then kept.
#[derive(Debug, Default)]
struct Places {
    room: Vec<u32>,
    count: usize,
}

impl Places {
    fn list(&self) -> &[u32] {
        &self.room[..self.count]
    }

    fn make_room(&mut self, places: usize) -> &mut [u32] {
        if self.room.len() < places {
            self.room.resize(places, 0);
        }
        &mut self.room
    }
}

/// Marks a block at the best level that the processor has.
pub fn mark(block: &[u8], marks: &mut Marks) {
    mark_at(Level::best(), block, marks);
}

/// Marks a block at a level that the processor has. Blocks are shorter than 4 GiB.
pub fn mark_at(level: Level, block: &[u8], marks: &mut Marks) {
    let room = block.len() + 2 * WINDOW_BYTES;
    let (candidates, escapes) =
        simd::mark(level, block, marks.candidates.make_room(room), marks.escapes.make_room(room));
    marks.candidates.count = candidates;
    marks.escapes.count = escapes;
}

/// Goes over the block with one way to classify a window. Returns how many marks of each sort were written.
#[inline(always)]
pub(super) fn mark_with(
    classify: impl Fn(&[u8; WINDOW_BYTES]) -> Masks,
    block: &[u8],
    candidates: &mut [u32],
    escapes: &mut [u32],
) -> (usize, usize) {
    let (mut marked, mut escaped) = (0, 0);
    let mut from = 0;
    // One byte more than there are: the card that ends the block is marked at the byte after it.
    while from <= block.len() {
        let window = from.checked_sub(OVERLAP_BYTES).and_then(|start| block[start..].first_chunk());
        let masks = match window {
            Some(window) => classify(window),
            None => classify(&at_edge(block, from)),
        };
        marked += write(masks.candidates(), from, &mut candidates[marked..]);
        let due = masks.escape & (u64::MAX << OVERLAP_BYTES);
        if due != 0 {
            escaped += write(due, from, &mut escapes[escaped..]);
        }
        from += STEP_BYTES;
    }
    (marked, escaped)
}

/// A window that reaches over an edge of the block. Line feeds stand for what is not there.
fn at_edge(block: &[u8], from: usize) -> [u8; WINDOW_BYTES] {
    let mut window = [b'\n'; WINDOW_BYTES];
    let before = from.min(OVERLAP_BYTES);
    let here = &block[from - before..block.len().min(from + STEP_BYTES)];
    window[OVERLAP_BYTES - before..][..here.len()].copy_from_slice(here);
    window
}

/// Writes the offsets of the bits of a window in which bit [`OVERLAP_BYTES`] is offset `from`.
#[inline(always)]
fn write(mut bits: u64, from: usize, out: &mut [u32]) -> usize {
    let count = bits.count_ones() as usize;
    let base = (from as u32).wrapping_sub(OVERLAP_BYTES as u32);
    let mut written = 0;
    loop {
        for place in &mut out[written..written + AT_ONCE] {
            *place = base.wrapping_add(bits.trailing_zeros());
            bits &= bits.wrapping_sub(1);
        }
        written += AT_ONCE;
        if written >= count {
            return count;
        }
    }
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
