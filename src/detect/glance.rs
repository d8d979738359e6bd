//! Glances: what the bit maps alone tell of the candidates of a block.
//!
//! A glance is the exact test of a [`Detector`](super::Detector) for values as most of them are written and
//! for what most often only looks like one. It looks at one window of each map and a few bytes, in no loop,
//! and says so when the candidate is not of that sort: then the exact test decides. Where a glance decides,
//! the two agree; tests hold that.

mod email;
mod ipv4;
mod ipv6;
mod pan;

use super::marks::{Marks, WINDOW_BYTES, Window};
use super::simd::{self, Level};

/// What a glance tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Told {
    /// The span is a value.
    Found,
    /// It is none, for reasons that lie in the span: whatever happens to the bytes outside, it stays none.
    Nothing,
    /// It is none, and replacing bytes by any that are neither digits nor separators of digits does not make it
    /// one.
    Never,
    /// The exact test has to decide.
    #[default]
    Unsure,
}

/// One candidate of a block and what a glance tells of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// The place of the candidate, as in [`Marks::candidates`].
    pub at: u32,
    /// The value, or the bytes that were looked at; of no meaning where the glance is not sure.
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
    /// The detector, by its place in [`DETECTORS`](super::DETECTORS).
    pub detector: u8,
    /// What is told.
    pub told: Told,
}

/// The sights of one block, in the order of their candidates.
#[derive(Debug, Default)]
pub struct Sights {
    /// Initialised beyond `count`: what lies there is room.
    room: Vec<Sight>,
    count: usize,
}

/// Detectors, by their place in [`DETECTORS`](super::DETECTORS).
const EMAIL: u8 = 0;
const IPV4: u8 = 1;
const IPV6: u8 = 2;
const PAN: u8 = 3;

impl Sights {
    /// The sights.
    pub fn list(&self) -> &[Sight] {
        &self.room[..self.count]
    }

    /// Leaves all candidates to the exact test.
    pub fn all_unsure(&mut self, marks: &Marks) {
        let candidates = marks.candidates();
        self.room.clear();
        self.room.extend(candidates.iter().map(|at| Sight { at: *at, ..Sight::default() }));
        self.count = candidates.len();
    }

    /// Glances at the candidates of a block that concern the `wanted` detectors (by their place in
    /// [`DETECTORS`](super::DETECTORS)).
    pub fn glance(&mut self, block: &[u8], marks: &Marks, wanted: [bool; 4]) {
        self.glance_at(Level::best(), block, marks, wanted);
    }

    /// The same with the instructions of a level.
    pub fn glance_at(&mut self, level: Level, block: &[u8], marks: &Marks, wanted: [bool; 4]) {
        let candidates = marks.candidates().len();
        if self.room.len() < candidates {
            self.room.resize(2 * candidates, Sight::default());
        }
        self.count = simd::glance(level, block, marks.candidates(), wanted, &mut self.room);
    }
}

/// Writes the sights of a block and says how many there are.
///
/// Parting the candidates by kind first, with a loop for each, was measured to gain nothing: it is the number of
/// instructions that counts, not which kind comes next.
#[inline(always)]
pub(super) fn glance<C: Classify>(
    look: &Look<'_, C>,
    candidates: &[u32],
    wanted: [bool; 4],
    room: &mut [Sight],
) -> usize {
    let mut count = 0;
    let mut judged_to = 0; // by a glance at a run of hex digits and colons
    for &at in candidates {
        let place = at as usize;
        let trigger = look.byte(place);
        if trigger == b':' && place < judged_to {
            continue;
        }
        let (detector, (told, start, end)) = match look.around(place) {
            None => (detector(look, place), UNSURE),
            Some(bytes) => match trigger {
                b'@' => (EMAIL, email::glance(look, bytes, place)),
                b':' => {
                    let glance = ipv6::glance(look, bytes, place);
                    judged_to = if glance.0 == Told::Unsure { judged_to } else { glance.2 };
                    (IPV6, glance)
                }
                _ if bytes[AROUND - 1] == b'.' => (IPV4, ipv4::glance(look, bytes, place)),
                _ => (PAN, pan::glance(look, bytes, place)),
            },
        };
        let Some(next) = room.get_mut(count) else { break };
        *next = Sight { at, start: start as u32, end: end as u32, detector, told };
        count += usize::from(wanted[usize::from(detector & 3)]);
    }
    count
}

/// The detector that a candidate concerns.
fn detector<C: Classify>(look: &Look<'_, C>, at: usize) -> u8 {
    match look.byte(at) {
        b'@' => EMAIL,
        b':' => IPV6,
        _ if look.byte(at.wrapping_sub(1)) == b'.' => IPV4,
        _ => PAN,
    }
}

/// A block, and the way to make bit maps of a window of it.
pub(super) struct Look<'b, C> {
    pub(super) block: &'b [u8],
    pub(super) classify: C,
}

/// Bit maps of a window.
pub(super) trait Classify: Fn(&[u8; WINDOW_BYTES]) -> Window {}

impl<C: Fn(&[u8; WINDOW_BYTES]) -> Window> Classify for C {}

/// What is told of which bytes.
type Glance = (Told, usize, usize);

const UNSURE: Glance = (Told::Unsure, 0, 0);

/// Bytes around a candidate, which itself is the one at [`AROUND`].
type Bytes = [u8; 2 * AROUND];
const AROUND: usize = 64;

/// The byte at an offset from the candidate, -64 to 63.
#[inline(always)]
fn byte(bytes: &Bytes, offset: isize) -> u8 {
    bytes[(offset + AROUND as isize) as usize % (2 * AROUND)]
}

impl<C: Classify> Look<'_, C> {
    /// The maps of the window that begins at an offset from the candidate.
    #[inline(always)]
    fn window(&self, bytes: &Bytes, offset: isize) -> Window {
        let from = (offset + AROUND as isize) as usize % (AROUND + 1);
        (self.classify)(&std::array::from_fn(|at| bytes[from + at]))
    }

    /// The byte at a place. A line feed stands for what is beyond the block, before its start too.
    #[inline(always)]
    fn byte(&self, at: usize) -> u8 {
        self.block.get(at).copied().unwrap_or(b'\n')
    }

    /// The bytes around a place, unless it is too near to an end of the block.
    #[inline(always)]
    fn around(&self, at: usize) -> Option<&Bytes> {
        self.block.get(at.wrapping_sub(AROUND)..)?.first_chunk()
    }
}

/// The lowest `count` (at most 63) bits.
#[inline(always)]
fn low(count: u32) -> u64 {
    !(u64::MAX << (count & 63))
}
