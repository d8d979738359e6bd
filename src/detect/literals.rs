//! [`Literals`]: where any of many literals stands, in one pass however many they are.
//!
//! A literal of seven bytes holds, wherever it begins, one whole *gram* of four bytes at an offset that is a
//! multiple of four. So only every fourth place is looked at: a table of bits tells whether the gram
//! there may be one of a literal, and only then is the literal compared. Few or short literals are left
//! to the `aho-corasick` crate, which searches for up to sixteen with vector instructions.
//!
//! Measured over 32 MiB of JSON lines, one core, in GB/s: grams at every fourth place 10, at every second 4.9,
//! at every place 2.1, whether there are 20 literals or 2,000; vector search for up to 16 fragments of four
//! bytes 17, for 32 4.3; an automaton over all of them 0.8 to 1.4.

use aho_corasick::{AhoCorasick, Input, MatchKind};

use super::unescape::INTRODUCERS;

/// How far before a word an escape may begin that ends where the word begins.
const MAX_ESCAPE_BYTES: usize = 64;

/// A text that is searched for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Literal {
    /// Its bytes, never none; in lower case if the case is ignored.
    bytes: Vec<u8>,
    /// Whether the case of ASCII letters is ignored.
    ignore_case: bool,
    /// Whether no ASCII letter, digit or `_` may go on across either end.
    whole_word: bool,
}

impl std::fmt::Debug for Literal {
    /// A literal may be a name or a number: it is not shown.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Literal").field("len", &self.bytes.len()).finish_non_exhaustive()
    }
}

impl Literal {
    /// A literal that may stand anywhere.
    pub fn new(bytes: &[u8], ignore_case: bool) -> Literal {
        let bytes = if ignore_case { bytes.to_ascii_lowercase() } else { bytes.to_vec() };
        Literal { bytes, ignore_case, whole_word: false }
    }

    /// The same as a whole word.
    pub fn whole_word(self) -> Literal {
        Literal { whole_word: true, ..self }
    }

    /// Its bytes, in lower case if the case is ignored.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether it may be written with this byte.
    pub fn has(&self, byte: u8) -> bool {
        self.bytes.contains(&byte) || self.ignore_case && self.bytes.contains(&byte.to_ascii_lowercase())
    }

    /// One after the other.
    pub(super) fn followed_by(&self, other: &Literal) -> Literal {
        let ignore_case = self.ignore_case || other.ignore_case;
        Literal::new(&[self.bytes.as_slice(), &other.bytes].concat(), ignore_case)
    }

    /// Its beginning.
    pub(super) fn cut(&self, length: usize) -> Literal {
        Literal { bytes: self.bytes[..length.min(self.bytes.len())].to_vec(), ..*self }
    }

    /// How often it is to be expected: at how many of a million places.
    pub(super) fn frequency(&self) -> f32 {
        let windows = self.bytes.windows(GRAM_BYTES.min(self.bytes.len()));
        windows.map(frequency).fold(1e6, f32::min)
    }

    fn stands_at(&self, hay: &[u8], at: usize) -> bool {
        let Some(there) = hay.get(at..at + self.bytes.len()) else { return false };
        let same =
            if self.ignore_case { there.eq_ignore_ascii_case(&self.bytes) } else { there == self.bytes };
        same && !(self.whole_word && (goes_on_before(hay, at) || is_joined(hay, at + self.bytes.len())))
    }

    /// Every way to write a part of it.
    fn spellings(&self, part: std::ops::Range<usize>) -> Vec<Vec<u8>> {
        let mut spellings = vec![Vec::new()];
        for byte in &self.bytes[part] {
            let upper = byte.to_ascii_uppercase();
            let other: Vec<Vec<u8>> = match self.ignore_case && upper != *byte {
                true => spellings.iter().map(|begun| [begun, &[upper][..]].concat()).collect(),
                false => Vec::new(),
            };
            spellings.iter_mut().for_each(|begun| begun.push(*byte));
            spellings.extend(other);
        }
        spellings
    }
}

/// Whether an ASCII word goes on across `at`, and what stands before is no escape: of `\nann` the word is `ann`.
fn goes_on_before(hay: &[u8], at: usize) -> bool {
    let near = &hay[at.saturating_sub(MAX_ESCAPE_BYTES)..at];
    is_joined(hay, at) && !near.iter().any(|byte| INTRODUCERS.contains(byte) || *byte == b'#')
}

/// Whether an ASCII word goes on across `at`.
fn is_joined(hay: &[u8], at: usize) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let before = at.checked_sub(1).and_then(|before| hay.get(before));
    before.is_some_and(is_word) && hay.get(at).is_some_and(is_word)
}

/// At how many of a million places of a log the bytes stand, if every byte stood for itself. Bytes that are the
/// same but for bit 5 count together, as they do in a gram.
fn frequency(bytes: &[u8]) -> f32 {
    bytes.iter().fold(1e6, |product, byte| product * f32::from(PER_MILLE[usize::from(byte | CASE_BIT)]) / 1e3)
}

/// Occurrences of each byte in a thousand bytes of log, counted over the logs of fourteen programs.
const PER_MILLE: [u8; 256] = {
    let mut table = [1; 256];
    let counted: [(&[u8], u8); 9] = [
        (b" e\"", 55),
        (b"01t:a2", 40),
        (b".345srio", 30),
        (b"cd6789-ln", 22),
        (b"pm,", 17),
        (b"b/fhu", 13),
        (b"gk\x7f", 8),
        (b"vwxyz|{}*", 5),
        (b"=jq();+`", 2),
    ];
    let mut row = 0;
    while row < counted.len() {
        let mut at = 0;
        while at < counted[row].0.len() {
            table[counted[row].0[at] as usize] = counted[row].1;
            at += 1;
        }
        row += 1;
    }
    table
};

/// Many literals, ready to be searched for.
#[derive(Clone, Debug, Default)]
pub struct Literals {
    literals: Vec<Literal>,
    grams: Option<Grams>,
    fragments: Vec<Fragments>,
}

impl Literals {
    /// A search for these literals, none of which is empty.
    pub fn new(literals: Vec<Literal>) -> Literals {
        let (long, short): (Vec<usize>, Vec<usize>) =
            (0..literals.len()).partition(|at| literals[*at].bytes.len() >= GRAM_BYTES + 3);
        let all: Vec<usize> = (0..literals.len()).collect();
        let (few, many) = if spellings(&literals, &all) <= MAX_FRAGMENTS {
            (all, Vec::new())
        } else if spellings(&literals, &short) <= MAX_FRAGMENTS {
            (short, long)
        } else {
            all.into_iter().partition(|at| literals[*at].bytes.len() < MIN_GRAM_BYTES)
        };
        let fragments = Fragments::of(&literals, &few);
        Literals { grams: Grams::new(&literals, &many), fragments, literals }
    }

    /// The literals, in their order.
    pub fn list(&self) -> &[Literal] {
        &self.literals
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.literals.is_empty()
    }

    /// Calls `hit` with the place and the number of every literal in `hay`, in no particular order.
    pub fn find(&self, hay: &[u8], mut hit: impl FnMut(usize, usize)) {
        let mut check = |gram: usize, part: &Part| {
            if let Some(start) = gram.checked_sub(part.offset as usize)
                && self.literals[part.literal as usize].stands_at(hay, start)
            {
                hit(start, part.literal as usize);
            }
        };
        if let Some(grams) = &self.grams {
            grams.find(hay, &mut check);
        }
        self.fragments.iter().for_each(|fragments| fragments.find(hay, &mut check));
    }
}

/// A part of a literal that leads to it.
#[derive(Clone, Copy, Debug)]
struct Part {
    literal: u32,
    /// Where in the literal it stands.
    offset: u32,
}

/// Spellings that are searched for with vector instructions. With more the search is no faster than grams.
const MAX_FRAGMENTS: usize = 16;

/// How many fragments the literals make.
fn spellings(literals: &[Literal], which: &[usize]) -> usize {
    let length = fragment_bytes(literals, which);
    let of = |at: &usize| literals[*at].spellings(rarest(&literals[*at], length)).len();
    which.iter().take(MAX_FRAGMENTS + 1).map(of).sum()
}

fn fragment_bytes(literals: &[Literal], which: &[usize]) -> usize {
    which.iter().map(|at| literals[*at].bytes.len()).min().unwrap_or(0).min(GRAM_BYTES)
}

/// The part of that length that is to be expected least often.
fn rarest(literal: &Literal, length: usize) -> std::ops::Range<usize> {
    let starts = 0..=literal.bytes.len() - length;
    let of = |start: &usize| frequency(&literal.bytes[*start..*start + length]);
    let start = starts.min_by(|one, other| of(one).total_cmp(&of(other))).unwrap_or(0);
    start..start + length
}

/// Parts of one length, found by the `aho-corasick` crate.
#[derive(Clone, Debug)]
struct Fragments {
    search: AhoCorasick,
    /// By the number of the pattern.
    parts: Vec<Vec<Part>>,
}

impl Fragments {
    /// One search; several if there are more than one automaton can hold.
    fn of(literals: &[Literal], which: &[usize]) -> Vec<Fragments> {
        if which.is_empty() {
            return Vec::new();
        }
        Fragments::new(literals, which).map_or_else(
            || {
                let (first, second) = which.split_at(which.len() / 2);
                [Fragments::of(literals, first), Fragments::of(literals, second)].concat()
            },
            |search| vec![search],
        )
    }

    fn new(literals: &[Literal], which: &[usize]) -> Option<Fragments> {
        let length = fragment_bytes(literals, which);
        let mut by_spelling = std::collections::BTreeMap::<Vec<u8>, Vec<Part>>::new();
        for at in which {
            let part = rarest(&literals[*at], length);
            let offset = part.start as u32;
            for spelling in literals[*at].spellings(part) {
                by_spelling.entry(spelling).or_default().push(Part { literal: *at as u32, offset });
            }
        }
        let search = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst) // the kind that may use vector instructions
            .build(by_spelling.keys())
            .ok()?;
        Some(Fragments { search, parts: by_spelling.into_values().collect() })
    }

    fn find(&self, hay: &[u8], check: &mut impl FnMut(usize, &Part)) {
        let mut from = 0;
        while let Some(found) = self.search.find(Input::new(hay).range(from..)) {
            self.parts[found.pattern().as_usize()].iter().for_each(|part| check(found.start(), part));
            from = found.start() + 1;
        }
    }
}

/// Bytes of a gram, if the literals are long enough.
const GRAM_BYTES: usize = 4;
/// Shorter literals have no gram.
const MIN_GRAM_BYTES: usize = 3;
/// Letters that differ in this bit alone are one letter in two cases.
const CASE_BIT: u8 = 0x20;
/// Logarithms of the bits in the table, for up to a thousand grams (16 KiB, half of the smallest first-level cache
/// in use), up to sixteen thousand, and more. A larger table is slower, 39 ms for 27 ms in 256 MiB at every fourth
/// place; one of which more than 1 % is set says yes to too many groups.
const TABLE_LOGS: [u32; 3] = [17, 19, 21];
/// Places that are tested before the first branch.
const GROUP_PLACES: usize = 16;
/// Fibonacci hashing (Knuth, The Art of Computer Programming, section 6.4).
const GOLDEN: u32 = 0x9e37_79b1;

/// How long grams are and where they are looked for.
#[derive(Clone, Copy)]
struct Shape {
    bytes: usize,
    stride: usize,
    /// Microseconds for a million bytes, if no gram is there.
    cost: f32,
}

const SHAPES: [Shape; 6] = [
    Shape { bytes: 4, stride: 4, cost: 100.0 },
    Shape { bytes: 3, stride: 4, cost: 100.0 },
    Shape { bytes: 4, stride: 2, cost: 200.0 },
    Shape { bytes: 3, stride: 2, cost: 200.0 },
    Shape { bytes: 4, stride: 1, cost: 480.0 },
    Shape { bytes: 3, stride: 1, cost: 480.0 },
];

/// Microseconds for a gram that is there; and words make some grams more frequent than their bytes do.
const COST_OF_HIT: f32 = 3.0 * 0.01;

impl Shape {
    /// Bytes that hold a whole gram wherever they begin.
    fn span(self) -> usize {
        self.bytes + self.stride - 1
    }

    /// Where in a literal the grams are to be expected least often, and at how many of a million places.
    fn rarest(self, literal: &Literal) -> (usize, f32) {
        let frequency = |start: usize| -> f32 {
            (start..start + self.stride).map(|at| frequency(&literal.bytes[at..at + self.bytes])).sum()
        };
        let starts = 0..=literal.bytes.len().saturating_sub(self.span());
        let all = starts.map(|start| (start, frequency(start) / self.stride as f32));
        all.min_by(|one, other| one.1.total_cmp(&other.1)).unwrap_or_default()
    }
}

/// Parts of three or four bytes, looked for at every first, second or fourth place.
#[derive(Clone)]
struct Grams {
    stride: usize,
    /// The bytes of a gram, of four that are loaded.
    mask: u32,
    table_log: u32,
    table: Vec<u32>,
    /// Grams by their bucket: those of bucket `n` are at `starts[n]..starts[n + 1]`.
    starts: Vec<u32>,
    grams: Vec<(u32, Part)>,
}

impl std::fmt::Debug for Grams {
    /// Grams are parts of names or numbers: they are not shown.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Grams").field("stride", &self.stride).finish_non_exhaustive()
    }
}

impl Grams {
    fn new(literals: &[Literal], which: &[usize]) -> Option<Grams> {
        let shortest = which.iter().map(|at| literals[*at].bytes.len()).min()?;
        let mut best: Option<(f32, Shape, Vec<usize>)> = None;
        for shape in SHAPES.into_iter().filter(|shape| shape.span() <= shortest) {
            let places = which.iter().map(|at| shape.rarest(&literals[*at]));
            let (starts, frequencies): (Vec<usize>, Vec<f32>) = places.unzip();
            let cost = shape.cost + COST_OF_HIT * frequencies.iter().sum::<f32>();
            if best.as_ref().is_none_or(|(least, ..)| cost < *least) {
                best = Some((cost, shape, starts));
            }
        }
        let (_, shape, starts) = best?;
        let mask = u32::MAX >> (32 - 8 * shape.bytes);
        let mut grams = Vec::new();
        for (at, start) in which.iter().zip(starts) {
            for offset in start..start + shape.stride {
                let part = Part { literal: *at as u32, offset: offset as u32 };
                grams.push((gram(&literals[*at].bytes[offset..], mask), part));
            }
        }
        Some(Grams::of(grams, shape.stride, mask))
    }

    fn of(mut grams: Vec<(u32, Part)>, stride: usize, mask: u32) -> Grams {
        let is_sparse = |log: &u32| grams.len() <= 1 << (log - 7);
        let table_log = TABLE_LOGS.into_iter().find(is_sparse).unwrap_or(TABLE_LOGS[2]);
        let hashed = |gram: u32| hash(gram, table_log) as usize;
        let mut table = vec![0; 1 << (table_log - WORD_LOG)];
        let mut starts = vec![0; table.len() + 1];
        for (gram, _) in &grams {
            table[hashed(*gram) >> WORD_LOG] |= 1 << (hashed(*gram) & WORD_MASK);
            starts[(hashed(*gram) >> WORD_LOG) + 1] += 1;
        }
        (1..starts.len()).for_each(|at| starts[at] += starts[at - 1]);
        grams.sort_by_key(|(gram, _)| hashed(*gram));
        Grams { stride, mask, table_log, table, starts, grams }
    }

    fn find(&self, hay: &[u8], check: &mut impl FnMut(usize, &Part)) {
        match self.table_log {
            17 => self.find_in::<17>(hay, check),
            19 => self.find_in::<19>(hay, check),
            _ => self.find_in::<21>(hay, check),
        }
    }

    fn find_in<const LOG: u32>(&self, hay: &[u8], check: &mut impl FnMut(usize, &Part)) {
        match self.stride {
            1 => self.scan::<1, LOG>(hay, check),
            2 => self.scan::<2, LOG>(hay, check),
            _ => self.scan::<4, LOG>(hay, check),
        }
    }

    fn scan<const STRIDE: usize, const LOG: u32>(&self, hay: &[u8], check: &mut impl FnMut(usize, &Part)) {
        let table = &self.table[..1 << (LOG - WORD_LOG)]; // so that no access needs a test of its own
        let mut at = 0;
        while let Some(group) = hay.get(at..at + GROUP_PLACES * STRIDE + 4) {
            let end = at + GROUP_PLACES * STRIDE;
            if may_hold::<STRIDE, LOG>(table, self.mask, group) {
                (at..end).step_by(STRIDE).for_each(|at| self.look::<LOG>(table, hay, at, check));
            }
            at = end;
        }
        (at..hay.len()).step_by(STRIDE).for_each(|at| self.look::<LOG>(table, hay, at, check));
    }

    #[inline(always)]
    fn look<const LOG: u32>(
        &self,
        table: &[u32],
        hay: &[u8],
        at: usize,
        check: &mut impl FnMut(usize, &Part),
    ) {
        let gram = gram(&hay[at..], self.mask);
        if bit::<LOG>(table, gram) & 1 == 1 {
            let bucket = (hash(gram, LOG) >> WORD_LOG) as usize;
            let grams = &self.grams[self.starts[bucket] as usize..self.starts[bucket + 1] as usize];
            grams.iter().filter(|(other, _)| *other == gram).for_each(|(_, part)| check(at, part));
        }
    }
}

/// Whether a gram may begin at one of the places of a group.
#[inline(always)]
fn may_hold<const STRIDE: usize, const LOG: u32>(table: &[u32], mask: u32, group: &[u8]) -> bool {
    let mut bits = 0;
    for word in 0..GROUP_PLACES * STRIDE / 4 {
        let Some(eight) = group[4 * word..].first_chunk() else { break };
        let eight = u64::from_le_bytes(*eight);
        for place in 0..4 / STRIDE {
            bits |= bit::<LOG>(table, fold((eight >> (8 * STRIDE * place)) as u32, mask));
        }
    }
    bits & 1 == 1
}

/// Its lowest bit tells whether the gram may be one of those in the table.
#[inline(always)]
fn bit<const LOG: u32>(table: &[u32], gram: u32) -> u32 {
    let hash = hash(gram, LOG);
    table[(hash >> WORD_LOG) as usize & (table.len() - 1)] >> (hash as usize & WORD_MASK)
}

/// Logarithm of the bits in a word of the table. The grams of one word share a bucket.
const WORD_LOG: u32 = 5;
const WORD_MASK: usize = (1 << WORD_LOG) - 1;

#[inline(always)]
fn hash(gram: u32, log: u32) -> u32 {
    gram.wrapping_mul(GOLDEN) >> (32 - log)
}

#[inline(always)]
fn fold(four: u32, mask: u32) -> u32 {
    (four | u32::from_ne_bytes([CASE_BIT; 4])) & mask
}

/// The gram at the start of the bytes. Behind their end there is what no check takes for a literal.
#[inline(always)]
fn gram(bytes: &[u8], mask: u32) -> u32 {
    let mut four = [0; 4];
    match bytes.first_chunk::<4>() {
        Some(first) => four = *first,
        None => four[..bytes.len()].copy_from_slice(bytes),
    }
    fold(u32::from_le_bytes(four), mask)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(literals: &Literals, hay: &[u8]) -> Vec<(usize, usize)> {
        let mut out = Vec::new();
        literals.find(hay, |at, literal| out.push((at, literal)));
        out.sort_unstable();
        out
    }

    fn slow(literals: &Literals, hay: &[u8]) -> Vec<(usize, usize)> {
        let stands = |(at, literal): &(usize, usize)| literals.list()[*literal].stands_at(hay, *at);
        let all = (0..hay.len()).flat_map(|at| (0..literals.list().len()).map(move |literal| (at, literal)));
        all.filter(stands).collect()
    }

    fn literal() -> impl Strategy<Value = Literal> {
        (
            proptest::collection::vec(prop::sample::select(b"abABk_-=\"\xe9".to_vec()), 1..12),
            any::<(bool, bool)>(),
        )
            .prop_map(|(bytes, (ignore_case, word))| {
                let literal = Literal::new(&bytes, ignore_case);
                if word { literal.whole_word() } else { literal }
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

        /// However many there are and whatever their lengths, what is found is what stands there.
        #[test]
        fn all_are_found(
            literals in proptest::collection::vec(literal(), 0..40),
            least in 1_usize..9,
            hay in proptest::collection::vec(prop::sample::select(b"abABk_-=\"\xe9".to_vec()), 0..300),
            places in proptest::collection::vec((0_usize..40, 0_usize..300), 0..6),
        ) {
            let literals: Vec<Literal> =
                literals.into_iter().filter(|literal| literal.bytes.len() >= least).collect();
            let mut hay = hay;
            for (literal, at) in places {
                if let Some(literal) = literals.get(literal) {
                    let at = at.min(hay.len());
                    hay.splice(at..at, literal.bytes.iter().copied());
                }
            }
            let literals = Literals::new(literals);
            prop_assert_eq!(found(&literals, &hay), slow(&literals, &hay));
        }
    }

    #[test]
    fn nothing_shows_a_literal() {
        let literals = Literals::new((0..40).map(|_| Literal::new(b"ann smith", false)).collect());
        assert!(!format!("{literals:?}").contains("ann"));
    }
}
