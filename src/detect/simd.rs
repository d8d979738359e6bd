//! Classes of bytes as bit masks, by the vector instructions that the processor has.
//!
//! The classes are found by two table look-ups, one for each half of a byte: a byte belongs to a class if both
//! look-ups give the bit of that class. (The way is known from Geoff Langdale and Daniel Lemire, "Parsing
//! Gigabytes of JSON per Second", VLDB Journal 28, 2019.)
#![allow(unsafe_code)]

use super::ends::{self, Ends, Halves, Seen, places_with};
use super::glance::{self, Look, Sight};
use super::marks::{Marks, WINDOW_BYTES, Window, mark_with};

/// Vector instructions, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// None: tables and 64-bit words.
    Portable,
    /// 16 bytes at once (x86-64 with SSSE3).
    #[cfg(target_arch = "x86_64")]
    Ssse3,
    /// 32 bytes at once.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 64 bytes at once.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 16 bytes at once (AArch64).
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl Level {
    /// All levels of this architecture, worst first.
    #[cfg(target_arch = "x86_64")]
    pub const ALL: &[Level] = &[Level::Portable, Level::Ssse3, Level::Avx2, Level::Avx512];
    /// All levels of this architecture, worst first.
    #[cfg(target_arch = "aarch64")]
    pub const ALL: &[Level] = &[Level::Portable, Level::Neon];
    /// All levels of this architecture, worst first.
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    pub const ALL: &[Level] = &[Level::Portable];

    /// Whether this processor has it.
    pub fn is_here(self) -> bool {
        match self {
            Level::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Level::Ssse3 => is_x86_feature_detected!("ssse3") && is_x86_feature_detected!("popcnt"),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => is_x86_feature_detected!("avx2") && has_bit_counts(),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => is_x86_feature_detected!("avx512bw") && has_bit_counts(),
            #[cfg(target_arch = "aarch64")]
            Level::Neon => std::arch::is_aarch64_feature_detected!("neon"),
        }
    }

    /// The best that this processor has.
    pub fn best() -> Level {
        static BEST: std::sync::OnceLock<Level> = std::sync::OnceLock::new();
        let here =
            || Level::ALL.iter().copied().rev().find(|level| level.is_here()).unwrap_or(Level::Portable);
        *BEST.get_or_init(here)
    }
}

#[cfg(target_arch = "x86_64")]
fn has_bit_counts() -> bool {
    is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("popcnt")
}

/// Marks a block, see [`mark_with`]. A level that the processor lacks is taken for [`Level::Portable`].
pub(super) fn mark(level: Level, block: &[u8], marks: &mut Marks) {
    match level {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has the instructions, as was asked just now.
        Level::Avx512 if level.is_here() => unsafe { x86::mark_avx512(block, marks) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Level::Avx2 if level.is_here() => unsafe { x86::mark_avx2(block, marks) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Level::Ssse3 if level.is_here() => unsafe { x86::mark_ssse3(block, marks) },
        #[cfg(target_arch = "aarch64")]
        // SAFETY: as above.
        Level::Neon if level.is_here() => unsafe { neon::mark(block, marks) },
        _ => mark_with(portable::classify::<false>, block, marks),
    }
}

/// Glances at the candidates of a block, see [`mod@glance`]. A level that the processor lacks is taken for
/// [`Level::Portable`].
pub(super) fn glance(
    level: Level,
    block: &[u8],
    candidates: &[u32],
    wanted: [bool; 4],
    room: &mut [Sight],
) -> usize {
    match level {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has the instructions, as was asked just now.
        Level::Avx512 if level.is_here() => unsafe { x86::glance_avx512(block, candidates, wanted, room) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Level::Avx2 if level.is_here() => unsafe { x86::glance_avx2(block, candidates, wanted, room) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Level::Ssse3 if level.is_here() => unsafe { x86::glance_ssse3(block, candidates, wanted, room) },
        #[cfg(target_arch = "aarch64")]
        // SAFETY: as above.
        Level::Neon if level.is_here() => unsafe { neon::glance(block, candidates, wanted, room) },
        _ => glance::glance(&Look { block, classify: portable::classify::<true> }, candidates, wanted, room),
    }
}

/// Finds the separators behind some words, see [`mod@ends`]. A level that the processor lacks is taken for
/// [`Level::Portable`].
pub(super) fn ends(level: Level, block: &[u8], ends: &Ends, out: &mut Vec<u32>) {
    match level {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has the instructions, as was asked just now.
        Level::Avx512 if level.is_here() => unsafe { x86::ends_avx512(block, ends, out) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Level::Avx2 if level.is_here() => unsafe { x86::ends_avx2(block, ends, out) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Level::Ssse3 if level.is_here() => unsafe { x86::ends_ssse3(block, ends, out) },
        #[cfg(target_arch = "aarch64")]
        // SAFETY: as above.
        Level::Neon if level.is_here() => unsafe { neon::ends(block, ends, out) },
        _ => places_with(|window| ends.find(window), block, ends, out),
    }
}

/// Has the processor fetch what stands at an address, while it goes on. The address may be of anything.
pub fn fetch(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 processor has the instruction (SSE), and it never faults, wherever the address points.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

const DIGIT: u8 = 1;
const HEX_LETTER: u8 = 2;
const UPPER_ROWS: u8 = 4; // `A` to `O`, `a` to `o`
const LOWER_ROWS: u8 = 8; // `P` to `Z`, `p` to `z`
const SEPARATOR: u8 = 16;
const PERCENT_OR_AMPERSAND: u8 = 32;
const DOT_OR_HYPHEN: u8 = 64;
/// Lead bytes of characters that nobody sees, and `CF`, which shares their halves.
const LEAD: u8 = 128;

const HEX: u8 = DIGIT | HEX_LETTER;
const ALNUM: u8 = DIGIT | UPPER_ROWS | LOWER_ROWS;
/// With `_`, what names are made of.
const NAME: u8 = ALNUM | DOT_OR_HYPHEN;
/// With `\` and ESC, what may begin an escape.
const ESCAPE: u8 = PERCENT_OR_AMPERSAND | LEAD;
const ESC: u8 = 0x1b;

/// Classes by the low half of a byte.
const LOW: [u8; 16] = {
    let mut table = [0; 16];
    let mut half = 0;
    while half < 16 {
        table[half] |= if half < 10 { DIGIT } else { 0 };
        table[half] |= if half >= 1 && half <= 6 { HEX_LETTER } else { 0 };
        table[half] |= if half >= 1 { UPPER_ROWS } else { 0 };
        table[half] |= if half <= 10 { LOWER_ROWS } else { 0 };
        half += 1;
    }
    table[0x0] |= SEPARATOR;
    table[0xb] |= SEPARATOR;
    table[0xd] |= SEPARATOR | DOT_OR_HYPHEN;
    table[0xe] |= DOT_OR_HYPHEN;
    table[0x5] |= PERCENT_OR_AMPERSAND;
    table[0x6] |= PERCENT_OR_AMPERSAND;
    table[0x2] |= LEAD;
    table[0xf] |= LEAD;
    table
};

/// Classes by the high half of a byte.
const HIGH: [u8; 16] = {
    let mut table = [0; 16];
    table[0x2] = SEPARATOR | PERCENT_OR_AMPERSAND | DOT_OR_HYPHEN;
    table[0x3] = DIGIT;
    table[0x4] = UPPER_ROWS | HEX_LETTER;
    table[0x5] = LOWER_ROWS;
    table[0x6] = UPPER_ROWS | HEX_LETTER;
    table[0x7] = LOWER_ROWS;
    table[0xc] = LEAD;
    table[0xe] = LEAD;
    table
};

/// Tables and 64-bit words: the scalar twin of the others.
mod portable {
    use super::{ALNUM, DIGIT, ESC, ESCAPE, HEX, HIGH, LOW, NAME, SEPARATOR, WINDOW_BYTES, Window};

    const AT: u8 = 1;
    const COLON: u8 = 2;
    const DOT: u8 = 4;
    const FEED: u8 = 8;

    /// The bits of a byte in the maps of digits, hex digits, letters and digits, names, separators, escapes (low
    /// byte) and of single characters (high byte).
    const CLASSES: [u16; 256] = {
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            let classes = LOW[byte & 15] & HIGH[byte >> 4];
            let mut bits = 0;
            bits |= if classes & DIGIT != 0 { 1 } else { 0 };
            bits |= if classes & HEX != 0 { 2 } else { 0 };
            bits |= if classes & ALNUM != 0 { 4 } else { 0 };
            bits |= if classes & NAME != 0 || byte == b'_' as usize { 8 } else { 0 };
            bits |= if classes & SEPARATOR != 0 { 16 } else { 0 };
            let begins = byte == b'\\' as usize || byte == ESC as usize;
            bits |= if classes & ESCAPE != 0 || begins { 32 } else { 0 };
            table[byte] = bits;
            byte += 1;
        }
        table[b'@' as usize] |= (AT as u16) << 8;
        table[b':' as usize] |= (COLON as u16) << 8;
        table[b'.' as usize] |= (DOT as u16) << 8;
        table[b'\n' as usize] |= (FEED as u16) << 8;
        table
    };

    /// `ALL`: those as well that the marks do without.
    #[inline(always)]
    pub(super) fn classify<const ALL: bool>(window: &[u8; WINDOW_BYTES]) -> Window {
        let mut masks = Window::default();
        for (at, chunk) in window.as_chunks::<8>().0.iter().enumerate() {
            let classes = chunk.map(|byte| CLASSES[usize::from(byte)]);
            let sets = u64::from_le_bytes(classes.map(|classes| classes as u8));
            let singles = u64::from_le_bytes(classes.map(|classes| (classes >> 8) as u8));
            let of = |bytes: u64, bit: u32| gather(bytes >> bit) << (8 * at);
            masks.digit |= of(sets, 0);
            masks.hex |= of(sets, 1);
            if ALL {
                masks.alnum |= of(sets, 2);
                masks.name |= of(sets, 3);
            }
            masks.separator |= of(sets, 4);
            masks.escape |= of(sets, 5);
            if singles != 0 {
                masks.at |= of(singles, AT.trailing_zeros());
                masks.colon |= of(singles, COLON.trailing_zeros());
                masks.dot |= of(singles, DOT.trailing_zeros());
                masks.feed |= of(singles, FEED.trailing_zeros());
            }
        }
        masks
    }

    /// The lowest bits of eight bytes, next to each other: the product puts bit 0 of byte `n` at bit 56 + `n`.
    #[inline(always)]
    fn gather(bytes: u64) -> u64 {
        (bytes & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080) >> 56
    }
}

#[cfg(target_arch = "x86_64")]
#[allow(clippy::wildcard_imports, reason = "thirty names that all begin with _mm")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{
        ALNUM, DIGIT, ESC, ESCAPE, Ends, HEX, HIGH, Halves, LOW, Look, Marks, NAME, SEPARATOR, Seen, Sight,
        WINDOW_BYTES, Window, ends, glance::glance, mark_with, places_with,
    };

    #[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) fn mark_avx512(block: &[u8], marks: &mut Marks) {
        mark_with(|window| classify_avx512(window), block, marks)
    }

    #[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) fn glance_avx512(
        block: &[u8],
        candidates: &[u32],
        wanted: [bool; 4],
        room: &mut [Sight],
    ) -> usize {
        let look = Look { block, classify: |window: &[u8; WINDOW_BYTES]| classify_avx512(window) };
        glance(&look, candidates, wanted, room)
    }

    #[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,lzcnt,popcnt")]
    #[inline]
    fn classify_avx512(window: &[u8; WINDOW_BYTES]) -> Window {
        // SAFETY: the loads read the 64 bytes of the window and the 16 of a table, and need no alignment.
        unsafe {
            let bytes = _mm512_loadu_si512(window.as_ptr().cast());
            let table = |table: &[u8; 16]| _mm512_broadcast_i32x4(_mm_loadu_si128(table.as_ptr().cast()));
            let half = _mm512_set1_epi8(0x0f);
            let low = _mm512_shuffle_epi8(table(&LOW), _mm512_and_si512(bytes, half));
            let halves = _mm512_and_si512(_mm512_srli_epi16::<4>(bytes), half);
            let classes = _mm512_and_si512(low, _mm512_shuffle_epi8(table(&HIGH), halves));
            let of = |class: u8| _mm512_test_epi8_mask(classes, _mm512_set1_epi8(class as i8));
            let is = |byte: u8| _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(byte as i8));
            Window {
                digit: of(DIGIT),
                hex: of(HEX),
                alnum: of(ALNUM),
                name: of(NAME) | is(b'_'),
                separator: of(SEPARATOR),
                escape: of(ESCAPE) | is(b'\\') | is(ESC),
                dot: is(b'.'),
                colon: is(b':'),
                at: is(b'@'),
                feed: is(b'\n'),
            }
        }
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) fn mark_avx2(block: &[u8], marks: &mut Marks) {
        mark_with(|window| classify_avx2(window), block, marks)
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) fn glance_avx2(
        block: &[u8],
        candidates: &[u32],
        wanted: [bool; 4],
        room: &mut [Sight],
    ) -> usize {
        let look = Look { block, classify: |window: &[u8; WINDOW_BYTES]| classify_avx2(window) };
        glance(&look, candidates, wanted, room)
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    #[inline]
    fn classify_avx2(window: &[u8; WINDOW_BYTES]) -> Window {
        let half = |at: usize| {
            // SAFETY: each load reads 32 of the 64 bytes of the window, or the 16 of a table.
            unsafe {
                let bytes = _mm256_loadu_si256(window.as_ptr().add(at).cast());
                let table =
                    |table: &[u8; 16]| _mm256_broadcastsi128_si256(_mm_loadu_si128(table.as_ptr().cast()));
                let half = _mm256_set1_epi8(0x0f);
                let low = _mm256_shuffle_epi8(table(&LOW), _mm256_and_si256(bytes, half));
                let halves = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), half);
                let classes = _mm256_and_si256(low, _mm256_shuffle_epi8(table(&HIGH), halves));
                let top = |bytes: __m256i| u64::from(_mm256_movemask_epi8(bytes) as u32);
                // None of the classes: a set of no bits is told by one comparison with zero.
                let none = |classes_of: u8| {
                    let own = _mm256_and_si256(classes, _mm256_set1_epi8(classes_of as i8));
                    _mm256_cmpeq_epi8(own, _mm256_setzero_si256())
                };
                let of = |classes_of: u8| top(none(classes_of)) ^ 0xffff_ffff;
                let is = |byte: u8| _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte as i8));
                let either = |one: __m256i, other: __m256i| top(_mm256_or_si256(one, other));
                Window {
                    // The bit of a class is brought to the top of each byte, where `movemask` looks.
                    digit: top(_mm256_slli_epi16::<7>(classes)),
                    separator: top(_mm256_slli_epi16::<3>(classes)),
                    hex: of(HEX),
                    alnum: of(ALNUM),
                    name: of(NAME) | top(is(b'_')),
                    escape: of(ESCAPE) | either(is(b'\\'), is(ESC)),
                    dot: top(is(b'.')),
                    colon: top(is(b':')),
                    at: top(is(b'@')),
                    feed: top(is(b'\n')),
                }
            }
        };
        joined([half(0), half(32)], 32)
    }

    #[target_feature(enable = "ssse3,popcnt")]
    pub(super) fn mark_ssse3(block: &[u8], marks: &mut Marks) {
        mark_with(|window| classify_ssse3(window), block, marks)
    }

    #[target_feature(enable = "ssse3,popcnt")]
    pub(super) fn glance_ssse3(
        block: &[u8],
        candidates: &[u32],
        wanted: [bool; 4],
        room: &mut [Sight],
    ) -> usize {
        let look = Look { block, classify: |window: &[u8; WINDOW_BYTES]| classify_ssse3(window) };
        glance(&look, candidates, wanted, room)
    }

    #[target_feature(enable = "ssse3,popcnt")]
    #[inline]
    fn classify_ssse3(window: &[u8; WINDOW_BYTES]) -> Window {
        let quarter = |at: usize| {
            // SAFETY: each load reads 16 of the 64 bytes of the window, or the 16 of a table.
            unsafe {
                let bytes = _mm_loadu_si128(window.as_ptr().add(at).cast());
                let table = |table: &[u8; 16]| _mm_loadu_si128(table.as_ptr().cast());
                let half = _mm_set1_epi8(0x0f);
                let low = _mm_shuffle_epi8(table(&LOW), _mm_and_si128(bytes, half));
                let halves = _mm_and_si128(_mm_srli_epi16::<4>(bytes), half);
                let classes = _mm_and_si128(low, _mm_shuffle_epi8(table(&HIGH), halves));
                let top = |bytes: __m128i| u64::from(_mm_movemask_epi8(bytes) as u32);
                let of = |classes_of: u8| {
                    let own = _mm_and_si128(classes, _mm_set1_epi8(classes_of as i8));
                    top(_mm_cmpeq_epi8(own, _mm_setzero_si128())) ^ 0xffff
                };
                let is = |byte: u8| _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte as i8));
                let either = |one: __m128i, other: __m128i| top(_mm_or_si128(one, other));
                Window {
                    digit: top(_mm_slli_epi16::<7>(classes)),
                    separator: top(_mm_slli_epi16::<3>(classes)),
                    hex: of(HEX),
                    alnum: of(ALNUM),
                    name: of(NAME) | top(is(b'_')),
                    escape: of(ESCAPE) | either(is(b'\\'), is(ESC)),
                    dot: top(is(b'.')),
                    colon: top(is(b':')),
                    at: top(is(b'@')),
                    feed: top(is(b'\n')),
                }
            }
        };
        joined([quarter(0), quarter(16), quarter(32), quarter(48)], 16)
    }

    #[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) fn ends_avx512(block: &[u8], ends: &Ends, out: &mut Vec<u32>) {
        places_with(|window| see_avx512(window, ends).found(), block, ends, out)
    }

    #[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,lzcnt,popcnt")]
    #[inline]
    fn see_avx512(window: &[u8; ends::WINDOW_BYTES], ends: &Ends) -> Seen {
        // SAFETY: the loads read the last 64 bytes of the window, or those that begin one of `LEAD_BYTES` before, or the
        // 16 of a table; they need no alignment.
        unsafe {
            let before = |by: usize| _mm512_loadu_si512(window.as_ptr().add(ends::LEAD_BYTES - by).cast());
            let half = _mm512_set1_epi8(0x0f);
            let table = |table: &[u8; 16]| _mm512_broadcast_i32x4(_mm_loadu_si128(table.as_ptr().cast()));
            let groups = |bytes: __m512i, place: &Halves| {
                let low = _mm512_shuffle_epi8(table(&place.low), _mm512_and_si512(bytes, half));
                let halves = _mm512_and_si512(_mm512_srli_epi16::<4>(bytes), half);
                _mm512_and_si512(low, _mm512_shuffle_epi8(table(&place.high), halves))
            };
            let bytes = before(0);
            let is = |byte: u8| _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(byte as i8));
            Seen {
                end: _mm512_test_epi8_mask(groups(bytes, &ends.last), groups(before(1), &ends.second)),
                quote: is(b'"'),
                separator: is(b':') | is(b'='),
            }
        }
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) fn ends_avx2(block: &[u8], ends: &Ends, out: &mut Vec<u32>) {
        places_with(|window| see_avx2(window, ends).found(), block, ends, out)
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    #[inline]
    fn see_avx2(window: &[u8; ends::WINDOW_BYTES], ends: &Ends) -> Seen {
        let part = |at: usize| {
            // SAFETY: the loads read a half of the last 64 bytes of the window, or what begins one of `LEAD_BYTES`
            // before it, or the 16 of a table.
            unsafe {
                let from = window.as_ptr().add(ends::LEAD_BYTES + at);
                let before = |by: usize| _mm256_loadu_si256(from.sub(by).cast());
                let half = _mm256_set1_epi8(0x0f);
                let table =
                    |table: &[u8; 16]| _mm256_broadcastsi128_si256(_mm_loadu_si128(table.as_ptr().cast()));
                let groups = |bytes: __m256i, place: &Halves| {
                    let low = _mm256_shuffle_epi8(table(&place.low), _mm256_and_si256(bytes, half));
                    let halves = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), half);
                    _mm256_and_si256(low, _mm256_shuffle_epi8(table(&place.high), halves))
                };
                let top = |bytes: __m256i| u64::from(_mm256_movemask_epi8(bytes) as u32);
                let bytes = before(0);
                let is = |byte: u8| _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte as i8));
                let end = _mm256_and_si256(groups(bytes, &ends.last), groups(before(1), &ends.second));
                Seen {
                    end: top(_mm256_cmpeq_epi8(end, _mm256_setzero_si256())) ^ 0xffff_ffff,
                    quote: top(is(b'"')),
                    separator: top(_mm256_or_si256(is(b':'), is(b'='))),
                }
            }
        };
        seen([part(0), part(32)], 32)
    }

    #[target_feature(enable = "ssse3,popcnt")]
    pub(super) fn ends_ssse3(block: &[u8], ends: &Ends, out: &mut Vec<u32>) {
        places_with(|window| see_ssse3(window, ends).found(), block, ends, out)
    }

    #[target_feature(enable = "ssse3,popcnt")]
    #[inline]
    fn see_ssse3(window: &[u8; ends::WINDOW_BYTES], ends: &Ends) -> Seen {
        let part = |at: usize| {
            // SAFETY: the loads read a quarter of the last 64 bytes of the window, or what begins one of `LEAD_BYTES`
            // before it, or the 16 of a table.
            unsafe {
                let from = window.as_ptr().add(ends::LEAD_BYTES + at);
                let before = |by: usize| _mm_loadu_si128(from.sub(by).cast());
                let half = _mm_set1_epi8(0x0f);
                let table = |table: &[u8; 16]| _mm_loadu_si128(table.as_ptr().cast());
                let groups = |bytes: __m128i, place: &Halves| {
                    let low = _mm_shuffle_epi8(table(&place.low), _mm_and_si128(bytes, half));
                    let halves = _mm_and_si128(_mm_srli_epi16::<4>(bytes), half);
                    _mm_and_si128(low, _mm_shuffle_epi8(table(&place.high), halves))
                };
                let top = |bytes: __m128i| u64::from(_mm_movemask_epi8(bytes) as u32);
                let bytes = before(0);
                let is = |byte: u8| _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte as i8));
                let end = _mm_and_si128(groups(bytes, &ends.last), groups(before(1), &ends.second));
                Seen {
                    end: top(_mm_cmpeq_epi8(end, _mm_setzero_si128())) ^ 0xffff,
                    quote: top(is(b'"')),
                    separator: top(_mm_or_si128(is(b':'), is(b'='))),
                }
            }
        };
        seen([part(0), part(16), part(32), part(48)], 16)
    }

    /// The same of parts of a window, each `bytes` long, as of the whole.
    #[inline(always)]
    fn seen<const N: usize>(parts: [Seen; N], bytes: usize) -> Seen {
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
    fn joined<const N: usize>(parts: [Window; N], bytes: usize) -> Window {
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
}

#[cfg(target_arch = "aarch64")]
#[allow(clippy::wildcard_imports, reason = "names that all begin with v")]
mod neon {
    use std::arch::aarch64::*;

    use super::{
        ALNUM, DIGIT, ESC, ESCAPE, Ends, HEX, HIGH, Halves, LOW, Look, Marks, NAME, SEPARATOR, Seen, Sight,
        WINDOW_BYTES, Window, mark_with, places_with,
    };

    #[target_feature(enable = "neon")]
    pub(super) fn mark(block: &[u8], marks: &mut Marks) {
        mark_with(|window| classify(window), block, marks)
    }

    #[target_feature(enable = "neon")]
    pub(super) fn glance(block: &[u8], candidates: &[u32], wanted: [bool; 4], room: &mut [Sight]) -> usize {
        let look = Look { block, classify: |window: &[u8; WINDOW_BYTES]| classify(window) };
        super::glance::glance(&look, candidates, wanted, room)
    }

    #[target_feature(enable = "neon")]
    #[inline]
    fn classify(window: &[u8; WINDOW_BYTES]) -> Window {
        // SAFETY: the four loads read the 64 bytes of the window, the others the 16 of a table.
        unsafe {
            let load = |at: usize| vld1q_u8(window.as_ptr().add(at));
            let bytes = [load(0), load(16), load(32), load(48)];
            let (low, high) = (vld1q_u8(LOW.as_ptr()), vld1q_u8(HIGH.as_ptr()));
            // The look-up gives 0 for an index above 15, so both halves are cut out first.
            let classes = bytes.map(|bytes| {
                let low = vqtbl1q_u8(low, vandq_u8(bytes, vdupq_n_u8(0x0f)));
                vandq_u8(low, vqtbl1q_u8(high, vshrq_n_u8::<4>(bytes)))
            });
            let of = |class: u8| gathered(classes.map(|classes| vtstq_u8(classes, vdupq_n_u8(class))));
            let is = |byte: u8| gathered(bytes.map(|bytes| vceqq_u8(bytes, vdupq_n_u8(byte))));
            Window {
                digit: of(DIGIT),
                hex: of(HEX),
                alnum: of(ALNUM),
                name: of(NAME) | is(b'_'),
                separator: of(SEPARATOR),
                escape: of(ESCAPE) | is(b'\\') | is(ESC),
                dot: is(b'.'),
                colon: is(b':'),
                at: is(b'@'),
                feed: is(b'\n'),
            }
        }
    }

    #[target_feature(enable = "neon")]
    pub(super) fn ends(block: &[u8], ends: &Ends, out: &mut Vec<u32>) {
        places_with(|window| see(window, ends).found(), block, ends, out)
    }

    #[target_feature(enable = "neon")]
    #[inline]
    fn see(window: &[u8; super::ends::WINDOW_BYTES], ends: &Ends) -> Seen {
        // SAFETY: the loads read the quarters of the last 64 bytes of the window, or of those that begin one of
        // `LEAD_BYTES` before, or the 16 of a table.
        unsafe {
            let from = window.as_ptr().add(super::ends::LEAD_BYTES);
            let before = |by: usize| [0, 16, 32, 48].map(|at| vld1q_u8(from.add(at).sub(by)));
            let groups = |bytes: [uint8x16_t; 4], place: &Halves| {
                let (low, high) = (vld1q_u8(place.low.as_ptr()), vld1q_u8(place.high.as_ptr()));
                bytes.map(|bytes| {
                    let low = vqtbl1q_u8(low, vandq_u8(bytes, vdupq_n_u8(0x0f)));
                    vandq_u8(low, vqtbl1q_u8(high, vshrq_n_u8::<4>(bytes)))
                })
            };
            let bytes = before(0);
            let (last, second) = (groups(bytes, &ends.last), groups(before(1), &ends.second));
            let is = |byte: u8| gathered(bytes.map(|bytes| vceqq_u8(bytes, vdupq_n_u8(byte))));
            Seen {
                end: gathered(std::array::from_fn(|at| vtstq_u8(last[at], second[at]))),
                quote: is(b'"'),
                separator: is(b':') | is(b'='),
            }
        }
    }

    /// One bit for each byte of four vectors of `0x00` and `0xff`.
    #[target_feature(enable = "neon")]
    #[inline]
    fn gathered(vectors: [uint8x16_t; 4]) -> u64 {
        const BITS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
        // SAFETY: the load reads the 16 bytes of the constant.
        let bits = unsafe { vld1q_u8(BITS.as_ptr()) };
        let [a, b, c, d] = vectors.map(|vector| vandq_u8(vector, bits));
        let sums = vpaddq_u8(vpaddq_u8(a, b), vpaddq_u8(c, d));
        vgetq_lane_u64::<0>(vreinterpretq_u64_u8(vpaddq_u8(sums, sums)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::marks::{Marks, mark_at};

    #[test]
    fn every_level_equals_its_scalar_twin_on_every_byte() {
        let all: Vec<u8> =
            (0..=255_u8).cycle().take(4096).enumerate().map(|(at, byte)| byte ^ (at >> 8) as u8).collect();
        const LENGTHS: &[usize] =
            &[4096, 577, 0, 1, 15, 16, 17, 63, 64, 65, 300, 511, 512, 513, 575, 576, 1024];
        // An interpreter takes long, and most of these are about what vectors may do wrong.
        for &length in if cfg!(miri) { &LENGTHS[..2] } else { LENGTHS } {
            let mut twin = Marks::default();
            mark_at(Level::Portable, &all[..length], &mut twin);
            for level in Level::ALL.iter().filter(|level| level.is_here()) {
                let mut marks = Marks::default();
                mark_at(*level, &all[..length], &mut marks);
                assert!(marks == twin, "{level:?} {length}");
            }
        }
    }
}
