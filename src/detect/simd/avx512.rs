//! 64 bytes at once, on x86-64 with AVX-512.
#![allow(clippy::wildcard_imports, reason = "thirty names that all begin with _mm")]

use std::arch::x86_64::*;

use super::{
    ALNUM, DIGIT, ESC, ESCAPE, Ends, HEX, HIGH, Halves, LOW, Look, Marks, NAME, SEPARATOR, Seen, Sight,
    WINDOW_BYTES, Window, mark_with, places_with,
};

#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,lzcnt,popcnt")]
pub(super) fn mark(block: &[u8], marks: &mut Marks) {
    mark_with(|window| classify(window), block, marks)
}

#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,lzcnt,popcnt")]
pub(super) fn glance(block: &[u8], candidates: &[u32], wanted: [bool; 4], room: &mut [Sight]) -> usize {
    let look = Look { block, classify: |window: &[u8; WINDOW_BYTES]| classify(window) };
    super::glance::glance(&look, candidates, wanted, room)
}

#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,lzcnt,popcnt")]
#[inline]
fn classify(window: &[u8; WINDOW_BYTES]) -> Window {
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

#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,lzcnt,popcnt")]
pub(super) fn ends(block: &[u8], ends: &Ends, out: &mut Vec<u32>) {
    places_with(|window| see(window, ends).found(), block, ends, out)
}

#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,lzcnt,popcnt")]
#[inline]
fn see(window: &[u8; super::ends::WINDOW_BYTES], ends: &Ends) -> Seen {
    // SAFETY: the loads read the last 64 bytes of the window, or those that begin one of `LEAD_BYTES` before, or the
    // 16 of a table; they need no alignment.
    unsafe {
        let before = |by: usize| _mm512_loadu_si512(window.as_ptr().add(super::ends::LEAD_BYTES - by).cast());
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
