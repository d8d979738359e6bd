//! 16 bytes at once, on AArch64.
#![allow(clippy::wildcard_imports, reason = "names that all begin with v")]

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
