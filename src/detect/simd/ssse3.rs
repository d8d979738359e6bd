//! 16 bytes at once, on x86-64 with SSSE3.
#![allow(clippy::wildcard_imports, reason = "thirty names that all begin with _mm")]

use std::arch::x86_64::*;

use super::parts::{joined, seen};
use super::{
    ALNUM, ESC, ESCAPE, Ends, HEX, HIGH, Halves, LOW, Look, Marks, NAME, Seen, Sight, WINDOW_BYTES, Window,
    mark_with, places_with,
};

#[target_feature(enable = "ssse3,popcnt")]
pub(super) fn mark(block: &[u8], marks: &mut Marks) {
    mark_with(|window| classify(window), block, marks)
}

#[target_feature(enable = "ssse3,popcnt")]
pub(super) fn glance(block: &[u8], candidates: &[u32], wanted: [bool; 4], room: &mut [Sight]) -> usize {
    let look = Look { block, classify: |window: &[u8; WINDOW_BYTES]| classify(window) };
    super::glance::glance(&look, candidates, wanted, room)
}

#[target_feature(enable = "ssse3,popcnt")]
#[inline]
fn classify(window: &[u8; WINDOW_BYTES]) -> Window {
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

#[target_feature(enable = "ssse3,popcnt")]
pub(super) fn ends(block: &[u8], ends: &Ends, out: &mut Vec<u32>) {
    places_with(|window| see(window, ends).found(), block, ends, out)
}

#[target_feature(enable = "ssse3,popcnt")]
#[inline]
fn see(window: &[u8; super::ends::WINDOW_BYTES], ends: &Ends) -> Seen {
    let part = |at: usize| {
        // SAFETY: the loads read a quarter of the last 64 bytes of the window, or what begins one of `LEAD_BYTES`
        // before it, or the 16 of a table.
        unsafe {
            let from = window.as_ptr().add(super::ends::LEAD_BYTES + at);
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
