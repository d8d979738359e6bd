//! [`Ends`]: the `:` and `=` behind words that end in certain letters, told for many bytes at once.
//!
//! Words are names in normal form: no joints (`-`, `_`), small letters. Of each of the last two bytes of a word one
//! look-up tells in which of eight groups of words it may stand there; the word counts if one group is told by both, and
//! if its last three letters, joints left out, are those of a word. It is a sieve: whoever asks makes an exact test of
//! what is left. Four bytes in vectors, and sets for what may stand before the first of them, took longer.

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

/// Bytes between the letters of a word that do not count.
pub const JOINTS: [u8; 2] = [b'-', b'_'];
/// Bytes between a word and its separator.
pub const BEHIND: [u8; 8] = [b' ', b'\t', b'\r', b'"', b'\'', b'\\', b'[', b']'];

/// Some bytes: those of which both halves are among these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Set {
    low: u16,
    high: u16,
}

impl Set {
    const ALL: Set = Set { low: u16::MAX, high: u16::MAX };
    /// These bytes, and those that mix their halves.
    fn of(bytes: &[u8]) -> Set {
        bytes.iter().fold(Set { low: 0, high: 0 }, |set, byte| {
            set.and(Set { low: 1 << (byte & 15), high: 1 << (byte >> 4) })
        })
    }

    /// Those of both, and those that mix their halves.
    #[must_use]
    fn and(self, other: Set) -> Set {
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
type End = [Set; 2];

/// Words by how they end.
#[derive(Clone, Debug, Default)]
pub struct Ends {
    pub(super) last: Halves,
    pub(super) second: Halves,
    letters: Letters,
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
    /// These words; `any`: all of them.
    pub fn new<'w>(words: impl Iterator<Item = &'w [u8]>, any: bool) -> Ends {
        let mut words: Vec<&[u8]> = words.collect();
        words.sort_unstable(); // what falls into one group must not depend on their order
        // Joints so near to the end are rare, and not worth a look at what stands around them.
        let joint = Set::of(&JOINTS);
        let mut groups = vec![[Set::of(&BEHIND).and(joint), Set::ALL], [Set::ALL, joint]];
        groups.extend(any.then_some([Set::ALL; 2]));
        for end in words.iter().filter_map(|word| end(word)) {
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
        let letters = Letters::of(&words, any);
        let mut ends = Ends { letters, ..Ends::default() };
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

    /// Whether the last letters before the separator are those of a word.
    #[inline(always)]
    fn may_end_before(&self, block: &[u8], at: usize) -> bool {
        let quoted = usize::from(at > 0 && block[at - 1] == b'"');
        let letters = block[..at - quoted].last_chunk();
        letters.is_none_or(|letters| self.letters.may_be(*letters)) || follows_escape(&block[..at - quoted])
    }

    fn holds(&self, word: &[u8]) -> bool {
        matches!(*word, [.., second, last] if self.last.of(last) & self.second.of(second) != 0)
    }
}

/// How a word may end where it is written, but for a joint as one of the last two bytes.
fn end(word: &[u8]) -> Option<End> {
    let letter = |byte: &u8| Set::of(&[byte.to_ascii_lowercase(), byte.to_ascii_uppercase()]);
    let (last, before) = word.split_last()?;
    // Before the first letter there may be anything.
    Some([letter(last), before.last().map_or(Set::ALL, letter)])
}

/// The last three letters of words.
#[derive(Clone, Debug, Default)]
struct Letters {
    /// By their hash, one bit each.
    sets: Vec<u32>,
    /// What each byte is in a word.
    folded: Vec<u8>,
}

/// Of a byte before the first letter of a word.
const NONE: u8 = 0;
/// Of a byte that does not count.
const JOINT: u8 = 1;
/// Logarithm of the bits for letters: a thousand words set 3 % of them.
const SETS_LOG: u32 = 15;

impl Letters {
    fn of(words: &[&[u8]], any: bool) -> Letters {
        // Words of one letter are too short, and those with other bytes stand between others.
        let is_plain = |word: &&[u8]| word.len() > 1 && word.iter().all(u8::is_ascii_alphanumeric);
        if any || !words.iter().all(is_plain) {
            return Letters::default();
        }
        let mut sets = vec![0; (1 << SETS_LOG) / 32];
        for word in words {
            let mut last = word.iter().rev().copied().chain([NONE]);
            let set = Letters::place(std::array::from_fn(|_| last.next().unwrap_or(NONE)));
            sets[set / 32] |= 1 << (set % 32);
        }
        let fold = |byte: u8| match byte {
            _ if JOINTS.contains(&byte) => JOINT,
            _ if byte.is_ascii_alphanumeric() => byte.to_ascii_lowercase(),
            _ => NONE,
        };
        Letters { sets, folded: (0..=255).map(fold).collect() }
    }

    /// Whether a word may end in the letters before its separator, of which these are the last, `last` the last.
    #[inline(always)]
    fn may_be(&self, [fourth, third, second, last]: [u8; 4]) -> bool {
        let Some(folded) = self.folded.first_chunk::<256>() else { return true };
        let [fourth, third, second, last] =
            [fourth, third, second, last].map(|byte| folded[usize::from(byte)]);
        let third = if third == JOINT { fourth } else { third };
        // What stands behind a word, or more joints than one: four bytes do not tell.
        let is_told = last > JOINT && second != JOINT && third != JOINT;
        let set = Letters::place([last, second, third]);
        !is_told || self.sets.get(set / 32).is_none_or(|sets| sets >> (set % 32) & 1 == 1)
    }

    /// Fibonacci hashing (Knuth, The Art of Computer Programming, section 6.4).
    fn place([last, second, third]: [u8; 3]) -> usize {
        let letters = u32::from_le_bytes([last, second, third, 0]);
        (letters.wrapping_mul(0x9e37_79b9) >> (32 - SETS_LOG)) as usize
    }
}

/// Whether a word of two letters ends the text, before which an escape or a colour may end: `\nid`, `%0A_id`, `[1mid`.
/// What ends it looks like letters of the word.
fn follows_escape(text: &[u8]) -> bool {
    let Some(mut before) = text.len().checked_sub(2).map(|end| &text[..end]) else { return false };
    while let [rest @ .., last] = before
        && JOINTS.contains(last)
    {
        before = rest;
    }
    let hex = before.iter().rev().take(8).take_while(|byte| byte.is_ascii_hexdigit()).count();
    let is_colour = matches!(before, [.., b'0'..=b'9' | b'[' | b';', b'm']);
    let is_number = hex > 1 && matches!(before[..before.len() - hex].last(), Some(b'%' | b'x' | b'u' | b'#'));
    matches!(before, [.., b'\\' | b'%' | b'[' | b';' | b'#' | b'&', _]) || is_colour || is_number
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

/// Goes over a block with one way to find the separators of a window behind two letters.
#[inline(always)]
pub(super) fn places_with(
    find: impl Fn(&[u8; WINDOW_BYTES]) -> u64,
    block: &[u8],
    ends: &Ends,
    out: &mut Vec<u32>,
) {
    let known = u64::MAX << CONTEXT_BYTES;
    for start in (0..block.len()).step_by(STEP_BYTES) {
        let whole = start.checked_sub(BEFORE_BYTES).and_then(|from| block.get(from..)?.first_chunk());
        let found = match whole {
            Some(window) => find(window),
            None => find(&padded(block, start)),
        };
        let mut found = (found & known) >> CONTEXT_BYTES;
        while found != 0 {
            let at = start + found.trailing_zeros() as usize;
            if ends.may_end_before(block, at) {
                out.push(at as u32);
            }
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
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 8 } else { 2000 }, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_level_equals_its_scalar_twin(
            words in vec("[a-zA-Z0-9]{1,4}", 0..20),
            any in any::<bool>(),
            log in vec(select(b"aAbdeiknrszZ09_-.:=\"'\\ \n{,@[\xc3".to_vec()), 0..400),
        ) {
            let ends = Ends::new(words.iter().map(|word| word.as_bytes()), any);
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
