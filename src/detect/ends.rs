//! [`Ends`]: the `:` and `=` behind words that end in certain letters, told for 64 bytes at once.
//!
//! Of each of the four bytes before a separator (a quote between is passed over) one look-up tells in which of eight
//! groups of words it may stand there; the separator counts if one group is told by all four. It is a sieve: a group
//! mixes the letters of its words, and whoever asks makes an exact test of what is left.

use super::simd::{self, Level};

/// Bytes of a word that are looked at, counted from its end.
pub const PLACES: usize = 4;
/// Separators that are looked for at once.
pub(super) const STEP_BYTES: usize = 64;
/// Bytes before the first of them: those of a word, a quote, and what makes it a round number.
pub(super) const BEFORE_BYTES: usize = 8;
pub(super) const WINDOW_BYTES: usize = BEFORE_BYTES + STEP_BYTES;
/// As many as a byte has bits.
const GROUPS: usize = 8;
/// Groups of which the two that are most alike are looked for. With more each new one joins that which it is most
/// like, or a policy of a thousand names would take long to load.
const MAX_GROUPS: usize = 32;

/// Some bytes: those of which both halves are among these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Set {
    low: u16,
    high: u16,
}

impl Set {
    /// All bytes.
    pub const ALL: Set = Set { low: u16::MAX, high: u16::MAX };
    /// Three sets that hold every byte but ASCII letters, digits and `_`, and of these few.
    pub const OTHERS: [Set; 3] = [
        Set { low: u16::MAX, high: 0b1111_1111_0000_0111 },
        Set { low: 0b0111_1100_0000_0000, high: 0b1010_1000 },
        Set { low: 0b1000_0000_0000_0001, high: 0b1101_1000 },
    ];

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

/// How a word may end: what its last byte may be, the byte before it, and so on.
pub type End = [Set; PLACES];

/// Words by how they end.
#[derive(Clone, Debug, Default)]
pub struct Ends {
    /// For each place: in which groups a byte with this lower half may stand there.
    pub(super) low: [[u8; 16]; PLACES],
    /// The same for the upper half.
    pub(super) high: [[u8; 16]; PLACES],
}

impl Ends {
    /// Words that end in one of these ways.
    pub fn new(ends: impl IntoIterator<Item = End>) -> Ends {
        let mut groups: Vec<End> = Vec::new();
        for end in ends {
            if groups.len() < MAX_GROUPS {
                groups.push(end);
            } else if let Some(nearest) = groups.iter_mut().min_by_key(|group| price(group, &end)) {
                *nearest = joined(nearest, &end);
            }
        }
        while groups.len() > GROUPS {
            join_nearest(&mut groups);
        }
        let mut all = Ends::default();
        for (group, end) in groups.iter().enumerate() {
            for (place, set) in end.iter().enumerate() {
                for half in 0..16 {
                    all.low[place][half] |= ((set.low >> half & 1) as u8) << group;
                    all.high[place][half] |= ((set.high >> half & 1) as u8) << group;
                }
            }
        }
        all
    }

    /// Appends the places in `block` of separators behind such words, and of some others.
    pub fn places(&self, block: &[u8], out: &mut Vec<u32>) {
        self.places_at(Level::best(), block, out);
    }

    /// The same with the instructions of a level.
    pub fn places_at(&self, level: Level, block: &[u8], out: &mut Vec<u32>) {
        simd::ends(level, block, self, out);
    }

    /// The separators of one window, by tables alone: the scalar twin of what vectors do.
    pub(super) fn find(&self, window: &[u8; WINDOW_BYTES]) -> u64 {
        let mut found = 0;
        for at in 0..STEP_BYTES {
            if matches!(window[BEFORE_BYTES + at], b':' | b'=') {
                found |= u64::from(self.holds(&window[..BEFORE_BYTES + at])) << at;
            }
        }
        found
    }

    fn holds(&self, before: &[u8]) -> bool {
        let word = before.strip_suffix(b"\"").unwrap_or(before);
        let mut groups = u8::MAX;
        for (place, byte) in word.iter().rev().take(PLACES).enumerate() {
            groups &= self.low[place][usize::from(byte & 15)] & self.high[place][usize::from(byte >> 4)];
        }
        groups != 0
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
    let mut joined = *one;
    joined.iter_mut().zip(other).for_each(|(set, other)| *set = set.and(*other));
    joined
}

/// Goes over a block with one way to find the separators of a window.
#[inline(always)]
pub(super) fn places_with(find: impl Fn(&[u8; WINDOW_BYTES]) -> u64, block: &[u8], out: &mut Vec<u32>) {
    for start in (0..block.len()).step_by(STEP_BYTES) {
        let whole = start.checked_sub(BEFORE_BYTES).and_then(|from| block.get(from..)?.first_chunk());
        let mut found = match whole {
            Some(window) => find(window),
            None => find(&padded(block, start)),
        };
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

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 8 } else { 2000 }))]

        #[test]
        fn every_level_equals_its_scalar_twin(
            words in vec("[a-zA-Z0-9_]{4}", 0..20),
            log in vec(select(b"aAbdeiknrszZ09_-.:=\"'\\ \n{,@[\xc3".to_vec()), 0..400),
        ) {
            let end = |word: &String| -> End {
                std::array::from_fn(|place| Set::of(&word.as_bytes()[3 - place..4 - place]))
            };
            let all = |set: Set| [set, Set::ALL, Set::ALL, Set::ALL];
            let ends = Ends::new(words.iter().map(end).chain([all(Set::of(b" \\")), all(Set::OTHERS[1])]));
            let mut twin = Vec::new();
            ends.places_at(Level::Portable, &log, &mut twin);
            for level in Level::ALL.iter().filter(|level| level.is_here()) {
                let mut places = Vec::new();
                ends.places_at(*level, &log, &mut places);
                prop_assert_eq!(&places, &twin, "{:?}", level);
            }
        }
    }

    #[test]
    fn the_other_bytes_are_all_but_those_of_names() {
        for byte in 0..=255_u8 {
            let holds = |set: &Set| set.low >> (byte & 15) & 1 == 1 && set.high >> (byte >> 4) & 1 == 1;
            let other = !byte.is_ascii_alphanumeric() && byte != b'_' || b"Zz0Oop".contains(&byte);
            assert_eq!(Set::OTHERS.iter().any(holds), other, "{byte:#x}");
        }
    }
}
