//! Classes of bytes as bit masks, by the vector instructions that the processor has.
//!
//! The classes are found by two table look-ups, one for each half of a byte: a byte belongs to a class if both
//! look-ups give the bit of that class. (The way is known from Geoff Langdale and Daniel Lemire, "Parsing
//! Gigabytes of JSON per Second", VLDB Journal 28, 2019.)
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "x86_64")]
mod parts;
mod portable;
#[cfg(target_arch = "x86_64")]
mod ssse3;

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
        Level::Avx512 if level.is_here() => unsafe { avx512::mark(block, marks) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Level::Avx2 if level.is_here() => unsafe { avx2::mark(block, marks) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Level::Ssse3 if level.is_here() => unsafe { ssse3::mark(block, marks) },
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
        Level::Avx512 if level.is_here() => unsafe { avx512::glance(block, candidates, wanted, room) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Level::Avx2 if level.is_here() => unsafe { avx2::glance(block, candidates, wanted, room) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Level::Ssse3 if level.is_here() => unsafe { ssse3::glance(block, candidates, wanted, room) },
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
        Level::Avx512 if level.is_here() => unsafe { avx512::ends(block, ends, out) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Level::Avx2 if level.is_here() => unsafe { avx2::ends(block, ends, out) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Level::Ssse3 if level.is_here() => unsafe { ssse3::ends(block, ends, out) },
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
