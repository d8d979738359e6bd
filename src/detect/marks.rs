//! [`Marks`]: bit maps of a block, one bit a byte for each class of bytes, and the places where a match is
//! possible, found by mask algebra on them.
//!
//! The block is gone over in groups of windows of 64 bytes. Each window becomes one word for each class
//! ([`Window`]); the algebra then works on the words of a whole group, in loops of which each compiler makes
//! vector instructions, eight words long where vectors have 64 bytes. What a shift moves out of one word goes
//! into the next: a row of words and the same row one word earlier (`Row`) make that two shifts and no chain
//! of carries.
//!
//! What is marked holds every candidate of [`scan`](super::scan()) that is a match, and more: a group of digits is
//! marked by the length of the run before it, separators included, and not by the number of its digits. Of colons
//! that are held together by hex digits the first is enough, as the exact test judges all of them.

use super::simd::{self, Level};
use crate::span::Span;

/// Bytes of one window.
pub const WINDOW_BYTES: usize = 64;
/// Windows of a group, of which the words of all maps stay in the nearest cache.
const LONG_WINDOWS: usize = 64;
/// Windows of a group at the end of a block, and in what is short.
const SHORT_WINDOWS: usize = 8;
/// Places that are written at once, whether there are as many or not: most windows hold fewer, and a loop
/// with that many turns costs a mispredicted branch.
const AT_ONCE: usize = 4;

/// One bit a byte of a window, lowest first, for each class of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// `0` to `9`.
    pub digit: u64,
    /// `0` to `9`, `a` to `f`, `A` to `F`.
    pub hex: u64,
    /// ASCII letters and digits.
    pub alnum: u64,
    /// ASCII letters and digits, `.`, `-`, `_`: what host names and most local parts are made of.
    pub name: u64,
    /// `.`.
    pub dot: u64,
    /// `:`.
    pub colon: u64,
    /// `@`.
    pub at: u64,
    /// Single-byte separators of card numbers: blank, `-`, `+`.
    pub separator: u64,
    /// `\`, `%`, `&`, ESC, `C2`, `E2`, `EF`: each may begin an escape. (`CF` comes with them.)
    pub escape: u64,
    /// Line feed.
    pub feed: u64,
}

/// What is known of one block. Places are offsets in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Marks {
    escape: Map,
    feed: Map,
    candidates: Places,
}

impl Marks {
    /// Candidates, in ascending order: `@`; the second colon of `::` and a fourth colon; the first digit after
    /// a third dot; the last digit of a group that may end a card number.
    pub fn candidates(&self) -> &[u32] {
        self.candidates.list()
    }

    /// Bytes that may begin an escape.
    pub fn escapes(&self) -> &Map {
        &self.escape
    }

    /// The line around a place, without its line feed, and whether a byte in it may begin an escape. The place
    /// is none of a line feed, and the line starts at `floor` or later.
    #[inline]
    pub fn line(&self, at: usize, floor: usize, bytes: usize) -> (Span, bool) {
        let (first, floor_word, last) = (at / 64, floor / 64, bytes / 64);
        let (mut escapes, below) = (0, (1 << (at % 64)) - 1);
        let mut word = first;
        let mut feeds = self.feed.word(word) & below;
        while feeds == 0 && word > floor_word {
            word -= 1;
            feeds = self.feed.word(word);
            escapes |= self.escape.word(word);
        }
        let start = if feeds == 0 { floor } else { word * 64 + 64 - feeds.leading_zeros() as usize };
        let mut word = first;
        let mut feeds = self.feed.word(word) & !below;
        escapes |= self.escape.word(word);
        while feeds == 0 && word < last {
            word += 1;
            feeds = self.feed.word(word);
            escapes |= self.escape.word(word);
        }
        let end = if feeds == 0 { bytes } else { word * 64 + feeds.trailing_zeros() as usize };
        let line = Span::new(start.max(floor), end);
        // Those of the words at its ends may be of other lines.
        (line, escapes != 0 && self.escape.next(line.start, line.end).is_some())
    }

    /// The number of line feeds.
    pub fn feeds(&self) -> u64 {
        self.feed.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    fn begin(&mut self, bytes: usize) {
        // One byte more than there are, in whole groups.
        let windows = (bytes / WINDOW_BYTES + 1).next_multiple_of(SHORT_WINDOWS);
        self.escape.words.resize(windows, 0);
        self.feed.words.resize(windows, 0);
        self.candidates.count = 0;
    }
}

/// One bit for each byte of a block.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Map {
    words: Vec<u64>,
}

impl Map {
    /// The first place in `from..to`.
    #[inline]
    pub fn next(&self, from: usize, to: usize) -> Option<usize> {
        if from >= to {
            return None;
        }
        let (mut word, last) = (from / 64, (to - 1) / 64);
        let mut bits = self.word(word) >> (from % 64) << (from % 64);
        while bits == 0 && word < last {
            word += 1;
            bits = self.word(word);
        }
        let at = word * 64 + bits.trailing_zeros() as usize;
        (bits != 0 && at < to).then_some(at)
    }

    /// The places in `from..to`, in ascending order.
    pub fn within(&self, from: usize, to: usize) -> impl Iterator<Item = usize> {
        let mut at = from;
        std::iter::from_fn(move || {
            let next = self.next(at, to)?;
            at = next + 1;
            Some(next)
        })
    }

    #[inline(always)]
    fn word(&self, word: usize) -> u64 {
        self.words.get(word).copied().unwrap_or(0)
    }

    #[inline(always)]
    fn write<const N: usize>(&mut self, at: usize, words: &Words<N>) {
        self.words[at..at + N].copy_from_slice(words);
    }
}

/// A list that is written several places at once.
#[derive(Default)]
struct Places {
    /// Initialised beyond `count`: what lies there is room.
    room: Vec<u32>,
    count: usize,
}

impl Places {
    fn list(&self) -> &[u32] {
        &self.room[..self.count]
    }

    /// Appends the bits of a group, of which the lowest is offset `base`.
    #[inline(always)]
    fn write<const N: usize>(&mut self, words: &Words<N>, base: u32) {
        if self.room.len() < self.count + N * WINDOW_BYTES + AT_ONCE {
            self.grow();
        }
        for (at, bits) in words.iter().enumerate() {
            self.write_word(*bits, base.wrapping_add((at * WINDOW_BYTES) as u32));
        }
    }

    #[inline(always)]
    fn write_word(&mut self, mut bits: u64, base: u32) {
        let mut left = bits.count_ones() as usize;
        loop {
            let room = &mut self.room[self.count..self.count + AT_ONCE];
            for place in room {
                *place = base.wrapping_add(bits.trailing_zeros());
                bits &= bits.wrapping_sub(1);
            }
            self.count += left.min(AT_ONCE);
            if left <= AT_ONCE {
                return;
            }
            left -= AT_ONCE;
        }
    }

    #[cold]
    fn grow(&mut self) {
        self.room.resize(2 * self.count + 2 * LONG_WINDOWS * WINDOW_BYTES, 0);
    }
}

impl PartialEq for Places {
    fn eq(&self, other: &Places) -> bool {
        self.list() == other.list()
    }
}

impl Eq for Places {}

impl std::fmt::Debug for Places {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.list().fmt(out)
    }
}

/// Marks a block at the best level that the processor has.
pub fn mark(block: &[u8], marks: &mut Marks) {
    mark_at(Level::best(), block, marks);
}

/// Marks a block at a level that the processor has. Blocks are shorter than 4 GiB.
pub fn mark_at(level: Level, block: &[u8], marks: &mut Marks) {
    marks.begin(block.len());
    simd::mark(level, block, marks);
}

/// Goes over the block with one way to classify a window.
#[inline(always)]
pub(super) fn mark_with(classify: impl Fn(&[u8; WINDOW_BYTES]) -> Window, block: &[u8], marks: &mut Marks) {
    let mut carry = Carry::default();
    let mut window = 0; // of the block
    let (windows, rest) = block.as_chunks::<WINDOW_BYTES>();
    let (long, short) = windows.as_chunks::<LONG_WINDOWS>();
    let mut words = Windows::new();
    for group in long {
        mark_group(group, &classify, window, &mut words, &mut carry, marks);
        window += LONG_WINDOWS;
    }
    let (short, few) = short.as_chunks::<SHORT_WINDOWS>();
    let mut words = Windows::new();
    for group in short {
        mark_group(group, &classify, window, &mut words, &mut carry, marks);
        window += SHORT_WINDOWS;
    }
    // One byte more than there are: the card that ends the block is marked at the byte after it.
    let mut last = [[0; WINDOW_BYTES]; SHORT_WINDOWS];
    last[..few.len()].copy_from_slice(few);
    last[few.len()][..rest.len()].copy_from_slice(rest);
    mark_group(&last, &classify, window, &mut words, &mut carry, marks);
}

#[inline(always)]
fn mark_group<const N: usize>(
    group: &[[u8; WINDOW_BYTES]; N],
    classify: &impl Fn(&[u8; WINDOW_BYTES]) -> Window,
    at: usize,
    windows: &mut Windows<N>,
    carry: &mut Carry,
    marks: &mut Marks,
) {
    for (place, window) in group.iter().enumerate() {
        windows.set(place, &classify(window));
    }
    marks.escape.write(at, &windows.escape);
    marks.feed.write(at, &windows.feed);
    let candidates = windows.candidates(carry);
    // Candidates are marked one bit late: a card is known from the byte after it.
    marks.candidates.write(&candidates, ((at * WINDOW_BYTES) as u32).wrapping_sub(1));
}

/// The words of one class for the windows of a group.
type Words<const N: usize> = [u64; N];

/// The windows of a group, class by class.
struct Windows<const N: usize> {
    digit: Words<N>,
    hex: Words<N>,
    dot: Words<N>,
    colon: Words<N>,
    at: Words<N>,
    separator: Words<N>,
    escape: Words<N>,
    feed: Words<N>,
}

/// The last word of each [`Row`] of the group before.
#[derive(Default)]
struct Carry {
    digit: u64,
    hex: u64,
    dot: u64,
    colon: u64,
    at: u64,
    dotted: [u64; 2],
    colons: [u64; 3],
    grouped: [u64; 3],
    bare: [u64; 2],
}

/// The words of a class and, of each, the word before it.
struct Row<const N: usize> {
    here: Words<N>,
    before: Words<N>,
}

impl<const N: usize> Row<N> {
    #[inline(always)]
    fn new(here: Words<N>, carry: &mut u64) -> Row<N> {
        let mut before = [0; N];
        before[1..].copy_from_slice(&here[..N - 1]);
        before[0] = std::mem::replace(carry, here[N - 1]);
        Row { here, before }
    }

    /// A word of the bits `by` places later.
    #[inline(always)]
    fn later(&self, at: usize, by: u32) -> u64 {
        self.here[at] << by | self.before[at] >> (64 - by)
    }
}

/// A word for each window.
#[inline(always)]
fn each<const N: usize>(word: impl Fn(usize) -> u64) -> Words<N> {
    let mut words = [0; N];
    for (at, place) in words.iter_mut().enumerate() {
        *place = word(at);
    }
    words
}

impl<const N: usize> Windows<N> {
    #[inline(always)]
    fn new() -> Windows<N> {
        let none = [0; N];
        Windows {
            digit: none,
            hex: none,
            dot: none,
            colon: none,
            at: none,
            separator: none,
            escape: none,
            feed: none,
        }
    }

    #[inline(always)]
    fn set(&mut self, at: usize, window: &Window) {
        self.digit[at] = window.digit;
        self.hex[at] = window.hex;
        self.dot[at] = window.dot;
        self.colon[at] = window.colon;
        self.at[at] = window.at;
        self.separator[at] = window.separator;
        self.escape[at] = window.escape;
        self.feed[at] = window.feed;
    }

    /// The candidates of the group, each one bit late.
    #[inline(always)]
    fn candidates(&self, carry: &mut Carry) -> Words<N> {
        let at = Row::new(self.at, &mut carry.at);
        let digit = Row::new(self.digit, &mut carry.digit);
        let quads = self.quads(&digit, carry);
        let colons = self.colons(carry);
        let cards = self.card_ends(&digit, carry);
        each::<N>(|word| at.later(word, 1) | quads[word] | colons[word] | cards[word])
    }

    /// The first digit after the third of three dots between digits, each two to four bytes after the last.
    #[inline(always)]
    fn quads(&self, digit: &Row<N>, carry: &mut Carry) -> Words<N> {
        let dot = Row::new(self.dot, &mut carry.dot);
        let parted = each::<N>(|word| digit.here[word] & dot.later(word, 1) & digit.later(word, 2));
        let parted = Row::new(parted, &mut carry.dotted[0]);
        let second = each::<N>(|word| {
            let near = parted.later(word, 2) | parted.later(word, 3) | parted.later(word, 4);
            parted.here[word] & near
        });
        let second = Row::new(second, &mut carry.dotted[1]);
        each::<N>(|word| {
            let near = second.later(word, 3) | second.later(word, 4) | second.later(word, 5);
            second.later(word, 1) & near
        })
    }

    /// The second colon of `::`, and a colon after three others that are at most five bytes apart; but not one
    /// that four hex digits or fewer part from such a one.
    #[inline(always)]
    fn colons(&self, carry: &mut Carry) -> Words<N> {
        let hex = Row::new(self.hex, &mut carry.hex);
        let colon = Row::new(self.colon, &mut carry.colon);
        let next = |row: &Row<N>| {
            each::<N>(|word| {
                let two = row.later(word, 1) | row.later(word, 2);
                let four = row.later(word, 3) | row.later(word, 4);
                colon.here[word] & (two | four | row.later(word, 5))
            })
        };
        let second = Row::new(next(&colon), &mut carry.colons[0]);
        let third = Row::new(next(&second), &mut carry.colons[1]);
        let fourth = Row::new(next(&third), &mut carry.colons[2]);
        each::<N>(|word| {
            let fourth = |by: u32| fourth.later(word, by);
            let hex = |by: u32| hex.later(word, by);
            let four = hex(5) & fourth(6);
            let three = hex(4) & (fourth(5) | four);
            let two = hex(3) & (fourth(4) | three);
            let known = fourth(2) | hex(2) & (fourth(3) | two);
            let colon = |by: u32| colon.later(word, by);
            (fourth(1) | colon(1) & colon(2)) & !known
        })
    }

    /// The byte after twelve digits in a row, or after sixteen digits and single separators between them
    /// (the shortest card in groups: 4-6-4).
    #[inline(always)]
    fn card_ends(&self, digit: &Row<N>, carry: &mut Carry) -> Words<N> {
        let doubled = |row: &Row<N>, by: u32| each::<N>(|word| row.here[word] & row.later(word, by));
        let grouped = each::<N>(|word| digit.here[word] | self.separator[word] & digit.later(word, 1));
        let grouped = Row::new(grouped, &mut carry.grouped[0]);
        let grouped = Row::new(doubled(&grouped, 1), &mut carry.grouped[1]);
        let grouped = Row::new(doubled(&grouped, 2), &mut carry.grouped[2]);
        let bare = Row::new(doubled(digit, 1), &mut carry.bare[0]);
        let bare = Row::new(doubled(&bare, 2), &mut carry.bare[1]);
        each::<N>(|word| {
            let twelve = bare.later(word, 1) & bare.later(word, 5) & bare.later(word, 9);
            let eight = grouped.later(word, 1) & grouped.later(word, 5);
            let sixteen = eight & grouped.later(word, 9) & grouped.later(word, 13);
            digit.later(word, 1) & !digit.here[word] & (twelve | sixteen)
        })
    }
}
