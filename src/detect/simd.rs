//! Classes of bytes as bit masks, by the vector instructions that the processor has.
//!
//! The classes are found by two table look-ups, one for each half of a byte: a byte belongs to a class if both
//! look-ups give the bit of that class. (The way is known from Geoff Langdale and Daniel Lemire, "Parsing
//! Gigabytes of JSON per Second", VLDB Journal 28, 2019.)
#![allow(unsafe_code)]

use super::marks::{Marks, Masks, WINDOW_BYTES, mark_with};

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
        _ => mark_with(portable::classify, block, marks),
    }
}

const DIGIT: u8 = 1;
const DOT: u8 = 2;
const COLON: u8 = 4;
const AT: u8 = 8;
const SEPARATOR: u8 = 16;
const PERCENT_OR_AMPERSAND: u8 = 32;
const BACKSLASH: u8 = 64;
const ESC: u8 = 128;
/// The classes that may begin an escape.
const ESCAPE: u8 = PERCENT_OR_AMPERSAND | BACKSLASH | ESC;

/// Classes by the low half of a byte.
const LOW: [u8; 16] = {
    let mut table = [0; 16];
    let mut digit = 0;
    while digit < 10 {
        table[digit] |= DIGIT;
        digit += 1;
    }
    table[0xe] |= DOT;
    table[0xa] |= COLON;
    table[0x0] |= AT | SEPARATOR;
    table[0xb] |= SEPARATOR | ESC;
    table[0xd] |= SEPARATOR;
    table[0x5] |= PERCENT_OR_AMPERSAND;
    table[0x6] |= PERCENT_OR_AMPERSAND;
    table[0xc] |= BACKSLASH;
    table
};

/// Classes by the high half of a byte.
const HIGH: [u8; 16] = {
    let mut table = [0; 16];
    table[0x3] = DIGIT | COLON;
    table[0x2] = DOT | SEPARATOR | PERCENT_OR_AMPERSAND;
    table[0x4] = AT;
    table[0x5] = BACKSLASH;
    table[0x1] = ESC;
    table
};

/// Tables and 64-bit words: the scalar twin of the others.
mod portable {
    use super::{AT, COLON, DIGIT, DOT, ESCAPE, HIGH, LOW, Masks, SEPARATOR, WINDOW_BYTES};

    /// All classes of a byte; one outside ASCII counts as an escape.
    const CLASSES: [u8; 256] = {
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            table[byte] = if byte < 128 { LOW[byte & 15] & HIGH[byte >> 4] } else { super::ESC };
            byte += 1;
        }
        table
    };

    #[inline(always)]
    pub(super) fn classify(window: &[u8; WINDOW_BYTES]) -> Masks {
        let mut masks = Masks::default();
        for (at, chunk) in window.as_chunks::<8>().0.iter().enumerate() {
            let classes = u64::from_le_bytes(chunk.map(|byte| CLASSES[usize::from(byte)]));
            let bits = |class: u8| gather(classes >> class.trailing_zeros()) << (8 * at);
            masks.digit |= bits(DIGIT);
            masks.dot |= bits(DOT);
            masks.colon |= bits(COLON);
            masks.at |= bits(AT);
            masks.separator |= bits(SEPARATOR);
            // The bit of a zero byte, by the arithmetic that adds 0x7f to each of eight bytes: line feeds are few.
            let feeds = u64::from_le_bytes(*chunk) ^ (u64::from(b'\n') * 0x0101_0101_0101_0101);
            let low_bits = 0x7f7f_7f7f_7f7f_7f7f;
            let zero = !(((feeds & low_bits) + low_bits) | feeds | low_bits);
            if zero != 0 {
                masks.feed |= gather(zero >> 7) << (8 * at);
            }
            // Escapes are rare: one look tells whether there is any.
            if classes & (u64::from(ESCAPE) * 0x0101_0101_0101_0101) != 0 {
                masks.escape |=
                    (gather(classes >> 5) | gather(classes >> 6) | gather(classes >> 7)) << (8 * at);
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

    use super::{AT, COLON, DIGIT, DOT, ESCAPE, HIGH, LOW, Marks, Masks, SEPARATOR, WINDOW_BYTES, mark_with};

    #[target_feature(enable = "avx512f,avx512bw,bmi1,lzcnt,popcnt")]
    pub(super) fn mark_avx512(block: &[u8], marks: &mut Marks) {
        mark_with(|window| classify_avx512(window), block, marks)
    }

    #[target_feature(enable = "avx512f,avx512bw,bmi1,lzcnt,popcnt")]
    #[inline]
    fn classify_avx512(window: &[u8; WINDOW_BYTES]) -> Masks {
        // SAFETY: the loads read the 64 bytes of the window and the 16 of a table, and need no alignment.
        unsafe {
            let bytes = _mm512_loadu_si512(window.as_ptr().cast());
            let table = |table: &[u8; 16]| _mm512_broadcast_i32x4(_mm_loadu_si128(table.as_ptr().cast()));
            // A byte outside ASCII has its high bit set, for which the look-up gives 0: no class.
            let low = _mm512_shuffle_epi8(table(&LOW), bytes);
            let halves = _mm512_and_si512(_mm512_srli_epi16::<4>(bytes), _mm512_set1_epi8(0x0f));
            let classes = _mm512_and_si512(low, _mm512_shuffle_epi8(table(&HIGH), halves));
            let of = |class: u8| _mm512_test_epi8_mask(classes, _mm512_set1_epi8(class as i8));
            Masks {
                digit: of(DIGIT),
                dot: of(DOT),
                colon: of(COLON),
                at: of(AT),
                separator: of(SEPARATOR),
                escape: of(ESCAPE) | _mm512_movepi8_mask(bytes),
                feed: _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(b'\n' as i8)),
            }
        }
    }

    #[target_feature(enable = "avx2,bmi1,lzcnt,popcnt")]
    pub(super) fn mark_avx2(block: &[u8], marks: &mut Marks) {
        mark_with(|window| classify_avx2(window), block, marks)
    }

    #[target_feature(enable = "avx2,bmi1,lzcnt,popcnt")]
    #[inline]
    fn classify_avx2(window: &[u8; WINDOW_BYTES]) -> Masks {
        let half = |at: usize| {
            // SAFETY: each load reads 32 of the 64 bytes of the window, or the 16 of a table.
            unsafe {
                let bytes = _mm256_loadu_si256(window.as_ptr().add(at).cast());
                let table =
                    |table: &[u8; 16]| _mm256_broadcastsi128_si256(_mm_loadu_si128(table.as_ptr().cast()));
                let low = _mm256_shuffle_epi8(table(&LOW), bytes);
                let halves = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), _mm256_set1_epi8(0x0f));
                let classes = _mm256_and_si256(low, _mm256_shuffle_epi8(table(&HIGH), halves));
                // The bit of a class is brought to the top of each byte, where `movemask` looks.
                let top = |shifted: __m256i| u64::from(_mm256_movemask_epi8(shifted) as u32);
                let escape = _mm256_cmpeq_epi8(
                    _mm256_and_si256(classes, _mm256_set1_epi8(ESCAPE as i8)),
                    _mm256_setzero_si256(),
                );
                Masks {
                    digit: top(_mm256_slli_epi16::<7>(classes)),
                    dot: top(_mm256_slli_epi16::<6>(classes)),
                    colon: top(_mm256_slli_epi16::<5>(classes)),
                    at: top(_mm256_slli_epi16::<4>(classes)),
                    separator: top(_mm256_slli_epi16::<3>(classes)),
                    escape: !top(escape) & 0xffff_ffff | top(bytes),
                    feed: top(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b'\n' as i8))),
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
    #[inline]
    fn classify_ssse3(window: &[u8; WINDOW_BYTES]) -> Masks {
        let quarter = |at: usize| {
            // SAFETY: each load reads 16 of the 64 bytes of the window, or the 16 of a table.
            unsafe {
                let bytes = _mm_loadu_si128(window.as_ptr().add(at).cast());
                let table = |table: &[u8; 16]| _mm_loadu_si128(table.as_ptr().cast());
                let low = _mm_shuffle_epi8(table(&LOW), bytes);
                let halves = _mm_and_si128(_mm_srli_epi16::<4>(bytes), _mm_set1_epi8(0x0f));
                let classes = _mm_and_si128(low, _mm_shuffle_epi8(table(&HIGH), halves));
                let top = |shifted: __m128i| u64::from(_mm_movemask_epi8(shifted) as u32);
                let escape =
                    _mm_cmpeq_epi8(_mm_and_si128(classes, _mm_set1_epi8(ESCAPE as i8)), _mm_setzero_si128());
                Masks {
                    digit: top(_mm_slli_epi16::<7>(classes)),
                    dot: top(_mm_slli_epi16::<6>(classes)),
                    colon: top(_mm_slli_epi16::<5>(classes)),
                    at: top(_mm_slli_epi16::<4>(classes)),
                    separator: top(_mm_slli_epi16::<3>(classes)),
                    escape: !top(escape) & 0xffff | top(bytes),
                    feed: top(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\n' as i8))),
                }
            }
        };
        joined([quarter(0), quarter(16), quarter(32), quarter(48)], 16)
    }

    /// The masks of parts of a window, each `bytes` long, as those of the whole.
    #[inline(always)]
    fn joined<const N: usize>(parts: [Masks; N], bytes: usize) -> Masks {
        let mut whole = Masks::default();
        for (at, part) in parts.into_iter().enumerate() {
            whole.digit |= part.digit << (at * bytes);
            whole.dot |= part.dot << (at * bytes);
            whole.colon |= part.colon << (at * bytes);
            whole.at |= part.at << (at * bytes);
            whole.separator |= part.separator << (at * bytes);
            whole.escape |= part.escape << (at * bytes);
            whole.feed |= part.feed << (at * bytes);
        }
        whole
    }
}

#[cfg(target_arch = "aarch64")]
#[allow(clippy::wildcard_imports, reason = "names that all begin with v")]
mod neon {
    use std::arch::aarch64::*;

    use super::{AT, COLON, DIGIT, DOT, ESCAPE, HIGH, LOW, Marks, Masks, SEPARATOR, WINDOW_BYTES, mark_with};

    #[target_feature(enable = "neon")]
    pub(super) fn mark(block: &[u8], marks: &mut Marks) {
        mark_with(|window| classify(window), block, marks)
    }

    #[target_feature(enable = "neon")]
    #[inline]
    fn classify(window: &[u8; WINDOW_BYTES]) -> Masks {
        // SAFETY: the four loads read the 64 bytes of the window, the others the 16 of a table.
        unsafe {
            let load = |at: usize| vld1q_u8(window.as_ptr().add(at));
            let bytes = [load(0), load(16), load(32), load(48)];
            let (low, high) = (vld1q_u8(LOW.as_ptr()), vld1q_u8(HIGH.as_ptr()));
            // The look-up gives 0 for an index above 15, so both halves are cut out first; a byte outside
            // ASCII has a high half for which the table holds no class.
            let classes = bytes.map(|bytes| {
                let low = vqtbl1q_u8(low, vandq_u8(bytes, vdupq_n_u8(0x0f)));
                vandq_u8(low, vqtbl1q_u8(high, vshrq_n_u8::<4>(bytes)))
            });
            let of = |class: u8| gathered(classes.map(|classes| vtstq_u8(classes, vdupq_n_u8(class))));
            Masks {
                digit: of(DIGIT),
                dot: of(DOT),
                colon: of(COLON),
                at: of(AT),
                separator: of(SEPARATOR),
                escape: of(ESCAPE) | gathered(bytes.map(|bytes| vcgeq_u8(bytes, vdupq_n_u8(0x80)))),
                feed: gathered(bytes.map(|bytes| vceqq_u8(bytes, vdupq_n_u8(b'\n')))),
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
        for length in [0, 1, 15, 16, 17, 47, 48, 49, 63, 64, 65, 112, 113, 300, 4096] {
            let mut twin = Marks::default();
            mark_at(Level::Portable, &all[..length], &mut twin);
            for level in Level::ALL.iter().filter(|level| level.is_here()) {
                let mut marks = Marks::default();
                mark_at(*level, &all[..length], &mut marks);
                assert_eq!(marks.candidates(), twin.candidates(), "{level:?} {length}");
                assert_eq!(marks.escapes(), twin.escapes(), "{level:?} {length}");
                assert_eq!(marks.feeds(), twin.feeds(), "{level:?} {length}");
            }
        }
    }
}
