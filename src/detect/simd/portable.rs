//! Tables and 64-bit words: the scalar twin of the others.

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
