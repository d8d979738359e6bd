//! [`Ends`]: the `:` and `=` behind words that end in certain letters, told for many bytes at once.
//!
//! Of each of the last two bytes of a word one look-up tells in which of eight groups of words it may stand there; the
//! word counts if one group is told by both. One quote between a word and its separator is passed over. It is a sieve:
//! a group mixes the letters of its words, and whoever asks makes an exact test of what is left. Four bytes, and sets
//! for what may stand before the first of them, let fewer pass and took longer than to test the others.

use super::simd::{self, Level};

/// Bytes of which vectors are made, in a window.
const VECTOR_BYTES: usize = 64;
/// Bytes before them: the letter before the last of a word is loaded from there.
pub(super) const LEAD_BYTES: usize = 1;
/// The first bytes of the vectors are those of a word's end and a quote before the first separator.
const CONTEXT_BYTES: usize = 2;
const BEFORE_BYTES: usize = LEAD_BYTES + CONTEXT_BYTES;
const STEP_BYTES: usize = VECTOR_BYTES - CONTEXT_BYTES;
pub(super) const WINDOW_BYTES: usize = LEAD_BYTES + VECTOR_BYTES;
/// As many as a byte has bits.
const GROUPS: usize = 8;
/// Groups of which the two that are most alike are looked for. With more each new one joins that which it is most
/// like, or a policy of a thousand names would take long to load.
const MAX_GROUPS: usize = 32;

/// Some bytes: those of which both halves are among these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Set {
    low: u16,
    high: u16,
}

impl Set {
    /// All bytes.
    pub const ALL: Set = Set { low: u16::MAX, high: u16::MAX };
    /// These bytes, and those that mix their halves.
    pub fn of(bytes: &[u8]) -> Set {
        bytes.iter().fold(Set { low: 0, high: 0 }, |set, byte| {
            set.and(Set { low: 1 << (byte & 15), high: 1 << (byte >> 4) })
        })
    }

    /// Those of both, and those that mix their halves.
    #[must_use]
    pub fn and(self, other: Set) -> Set {
        Set { low: self.low | other.low, high: self.high | other.high }
    }

    /// How often one of them stands in the names of logs, more or less.
    fn weight(self) -> u64 {
        /// Of a byte with this upper half: names are small letters, a few capitals, digits and joints
        /// (`_`).
        const ROWS: [u64; 16] = [0, 0, 2, 2, 1, 8, 16, 10, 0, 0, 0, 0, 0, 0, 0, 0];
        let rows = (0..16).filter(|row| self.high >> row & 1 == 1).map(|row| ROWS[row]);
        u64::from(self.low.count_ones()) * rows.sum::<u64>().max(1)
    }
}

/// How a word may end: what its last byte may be, and the byte before it.
pub type End = [Set; 2];

/// Words by how they end.
#[derive(Clone, Debug, Default)]
pub struct Ends {
    pub(super) last: Halves,
    pub(super) second: Halves,
}

/// In which groups a byte may stand at some place.
#[derive(Clone, Debug, Default)]
pub(super) struct Halves {
    /// By its lower half.
    pub(super) low: [u8; 16],
    /// By its upper half.
    pub(super) high: [u8; 16],
}

impl Halves {
    fn add(&mut self, group: usize, set: Set) {
        for half in 0..16 {
            self.low[half] |= ((set.low >> half & 1) as u8) << group;
            self.high[half] |= ((set.high >> half & 1) as u8) << group;
        }
    }

    fn of(&self, byte: u8) -> u8 {
        self.low[usize::from(byte & 15)] & self.high[usize::from(byte >> 4)]
    }
}

/// What vectors tell of the bytes of a window, one bit each.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// A word may end there.
    pub(super) end: u64,
    pub(super) quote: u64,
    /// `:` and `=`.
    pub(super) separator: u64,
}

impl Seen {
    /// The separators behind words.
    #[inline(always)]
    pub(super) fn found(&self) -> u64 {
        let behind_quote = self.quote << 1;
        self.separator & (behind_quote & self.end << 2 | !behind_quote & self.end << 1)
    }
}

impl Ends {
    /// Words that end in one of these ways.
    pub fn new(ends: impl IntoIterator<Item = End>) -> Ends {
        let mut groups: Vec<End> = Vec::new();
        for end in ends {
            if groups.contains(&end) {
                continue;
            }
            if groups.len() < MAX_GROUPS {
                groups.push(end);
            } else if let Some(nearest) = groups.iter_mut().min_by_key(|group| price(group, &end)) {
                *nearest = joined(nearest, &end);
            }
        }
        while groups.len() > GROUPS {
            join_nearest(&mut groups);
        }
        let mut ends = Ends::default();
        for (group, [last, second]) in groups.iter().enumerate() {
            ends.last.add(group, *last);
            ends.second.add(group, *second);
        }
        ends
    }

    /// Appends the places in `block` of separators behind such words, and of some others.
    pub fn places(&self, block: &[u8], out: &mut Vec<u32>) {
        self.places_at(Level::best(), block, out);
    }

    /// The same with the instructions of a level.
    pub fn places_at(&self, level: Level, block: &[u8], out: &mut Vec<u32>) {
        simd::ends(level, block, self, out);
    }

    /// The separators of one window, one by one: the scalar twin of what vectors do.
    pub(super) fn find(&self, window: &[u8; WINDOW_BYTES]) -> u64 {
        let is_found = |at: &usize| {
            let (before, separator) = (&window[..LEAD_BYTES + at], window[LEAD_BYTES + at]);
            matches!(separator, b':' | b'=') && self.holds(before.strip_suffix(b"\"").unwrap_or(before))
        };
        (CONTEXT_BYTES..VECTOR_BYTES).filter(is_found).fold(0, |found, at| found | 1 << at)
    }

    fn holds(&self, word: &[u8]) -> bool {
        matches!(*word, [.., second, last] if self.last.of(last) & self.second.of(second) != 0)
    }
}

/// Makes one of the two groups that are most alike.
fn join_nearest(groups: &mut Vec<End>) {
    let pairs = (0..groups.len()).flat_map(|at| (at + 1..groups.len()).map(move |other| (at, other)));
    if let Some((at, other)) = pairs.min_by_key(|(at, other)| price(&groups[*at], &groups[*other])) {
        let other = groups.swap_remove(other);
        groups[at] = joined(&groups[at], &other);
    }
}

/// How many more words would be let through if two groups were one.
fn price(one: &End, other: &End) -> u64 {
    weight(&joined(one, other)).saturating_sub(weight(one) + weight(other))
}

fn weight(end: &End) -> u64 {
    end.iter().map(|set| set.weight()).product()
}

fn joined(one: &End, other: &End) -> End {
    [one[0].and(other[0]), one[1].and(other[1])]
}

/// Goes over a block with one way to find the separators of a window.
#[inline(always)]
pub(super) fn places_with(find: impl Fn(&[u8; WINDOW_BYTES]) -> u64, block: &[u8], out: &mut Vec<u32>) {
    let known = u64::MAX << CONTEXT_BYTES;
    for start in (0..block.len()).step_by(STEP_BYTES) {
        let whole = start.checked_sub(BEFORE_BYTES).and_then(|from| block.get(from..)?.first_chunk());
        let found = match whole {
            Some(window) => find(window),
            None => find(&padded(block, start)),
        };
        let mut found = (found & known) >> CONTEXT_BYTES;
        while found != 0 {
            out.push(start as u32 + found.trailing_zeros());
            found &= found - 1;
        }
    }
}

/// A window at the beginning or the end of a block. What lies outside counts as line feeds.
fn padded(block: &[u8], start: usize) -> [u8; WINDOW_BYTES] {
    let mut window = [b'\n'; WINDOW_BYTES];
    let from = start.saturating_sub(BEFORE_BYTES);
    let bytes = &block[from..block.len().min(start + STEP_BYTES)];
    let first = BEFORE_BYTES - (start - from);
    window[first..first + bytes.len()].copy_from_slice(bytes);
    window
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    fn end(word: &String) -> End {
        [Set::of(&word.as_bytes()[1..]), Set::of(&word.as_bytes()[..1])]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 8 } else { 2000 }))]

        #[test]
        fn every_level_equals_its_scalar_twin(
            words in vec("[a-zA-Z0-9_]{2}", 0..20),
            log in vec(select(b"aAbdeiknrszZ09_-.:=\"'\\ \n{,@[\xc3".to_vec()), 0..400),
        ) {
            let ends = Ends::new(words.iter().map(end).chain([[Set::of(b" \\"), Set::ALL]]));
            let mut twin = Vec::new();
            ends.places_at(Level::Portable, &log, &mut twin);
            for level in Level::ALL.iter().filter(|level| level.is_here()) {
                let mut places = Vec::new();
                ends.places_at(*level, &log, &mut places);
                prop_assert_eq!(&places, &twin, "{:?}", level);
            }
        }
    }
}
