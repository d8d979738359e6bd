//! 32 bytes at once, on x86-64 with AVX2.
#![allow(clippy::wildcard_imports, reason = "thirty names that all begin with _mm")]

use std::arch::x86_64::*;

use super::parts::{joined, seen};
use super::{
    ALNUM, ESC, ESCAPE, Ends, HEX, HIGH, Halves, LOW, Look, Marks, NAME, Seen, Sight, WINDOW_BYTES, Window,
    mark_with, places_with,
};

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
pub(super) fn mark(block: &[u8], marks: &mut Marks) {
    mark_with(|window| classify(window), block, marks)
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
pub(super) fn glance(block: &[u8], candidates: &[u32], wanted: [bool; 4], room: &mut [Sight]) -> usize {
    let look = Look { block, classify: |window: &[u8; WINDOW_BYTES]| classify(window) };
    super::glance::glance(&look, candidates, wanted, room)
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
#[inline]
fn classify(window: &[u8; WINDOW_BYTES]) -> Window {
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

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
pub(super) fn ends(block: &[u8], ends: &Ends, out: &mut Vec<u32>) {
    places_with(|window| see(window, ends).found(), block, ends, out)
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
#[inline]
fn see(window: &[u8; super::ends::WINDOW_BYTES], ends: &Ends) -> Seen {
    let part = |at: usize| {
        // SAFETY: the loads read a half of the last 64 bytes of the window, or what begins one of `LEAD_BYTES`
        // before it, or the 16 of a table.
        unsafe {
            let from = window.as_ptr().add(super::ends::LEAD_BYTES + at);
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
