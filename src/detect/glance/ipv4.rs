//! A glance at the first digit after the third dot of what may be an IPv4 address.

use super::super::ipv4::{ADDRESS_WORDS, MAX_BETWEEN_BYTES};
use super::{AROUND, Bytes, Classify, Glance, Look, Told, UNSURE, byte};

/// Bytes before the candidate in the window: `255.255.255.` and what stands before it.
const BACK: usize = 16;
/// Bytes beyond the candidate at which the glance looks: the fourth part and two more.
const AHEAD: usize = 8;
/// Names of products are shorter.
const NAME_BYTES: usize = 32;

#[inline(always)]
pub(super) fn glance<C: Classify>(look: &Look<'_, C>, bytes: &Bytes, at: usize) -> Glance {
    let nothing = (Told::Nothing, at - BACK, at + AHEAD);
    let window = look.window(bytes, -(BACK as isize));
    let digit = window.digit;
    // How many digits stand right before a place of the window.
    let before = |place: u32| (!(digit << ((64 - place) & 63))).leading_zeros();
    let last = (!(digit >> BACK)).trailing_zeros();
    let third = before(BACK as u32 - 1);
    let second_dot = (BACK as u32 - 2).wrapping_sub(third) & 15;
    let second = before(second_dot);
    let first_dot = second_dot.wrapping_sub(1 + second) & 15;
    let first = before(first_dot);
    let start = first_dot.wrapping_sub(first) & 15;
    let dots = window.dot;
    let dotted = dots >> second_dot & dots >> first_dot & 1 == 1;
    let fits = fits(bytes, start, first)
        & fits(bytes, first_dot + 1, second)
        & fits(bytes, second_dot + 1, third)
        & fits(bytes, BACK as u32, last);
    if !(fits & dotted) {
        return nothing;
    }
    let offset = start as isize - BACK as isize;
    let right = RIGHT[usize::from(byte(bytes, last as isize))];
    let (from, to) = (at - BACK + start as usize, at + last as usize);
    if is_plain_on_the_left(bytes, offset) & (right == Side::Plain) {
        return (Told::Found, from, to);
    }
    match (left(bytes, offset), right) {
        (Side::Word, _) | (_, Side::Word) => nothing,
        (Side::Plain, Side::Plain) => (Told::Found, from, to),
        (Side::Slash, Side::Plain) => product(look, from, to),
        _ => UNSURE,
    }
}

/// Whether so many digits at a place of the window are a number of at most 255 without leading zeros, or filled up
/// with zeros to three digits.
#[inline(always)]
fn fits(bytes: &Bytes, place: u32, length: u32) -> bool {
    let place = place as usize % (2 * BACK) + AROUND - BACK;
    // As text, numbers of three digits are in order; the first digit stands highest.
    let digits = u32::from_be_bytes([bytes[place], bytes[place + 1], bytes[place + 2], 0]) >> 8;
    let large = (length == 3) & (digits > 0x32_35_35);
    let padded = (length == 2) & (digits >> 16 == 0x30);
    (length.wrapping_sub(1) < 3) & !large & !padded
}

/// What a byte next to four numbers says of them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Nothing.
    Plain,
    /// They are glued to a word.
    Word,
    /// What stands beyond says more.
    Between,
    /// The name of a product may stand beyond.
    Slash,
    /// It takes the exact test.
    Unsure,
}

const LEFT: [Side; 256] = {
    let mut table = sides(b" \t:=\"'\\>[(+", b".-");
    table[b'/' as usize] = Side::Slash;
    table
};
const RIGHT: [Side; 256] = sides(b"", b".-+~");

const fn sides(between: &[u8], unsure: &[u8]) -> [Side; 256] {
    let mut table = [Side::Plain; 256];
    let mut byte = 0;
    while byte < 256 {
        if (byte as u8).is_ascii_alphanumeric() || byte as u8 == b'_' {
            table[byte] = Side::Word;
        }
        byte += 1;
    }
    let mut at = 0;
    while at < between.len() {
        table[between[at] as usize] = Side::Between;
        at += 1;
    }
    at = 0;
    while at < unsure.len() {
        table[unsure[at] as usize] = Side::Unsure;
        at += 1;
    }
    table
}

/// Whether a byte to the left says nothing, or is the only one between and the letter before it ends no word that
/// announces a version.
#[inline(always)]
fn is_plain_on_the_left(bytes: &Bytes, start: isize) -> bool {
    const PLAIN: u8 = 1;
    const BETWEEN: u8 = 2;
    const NO_END: u8 = 4;
    const BITS: [u8; 256] = {
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            let end = matches!(byte as u8 | 0x20, b'n' | b's' | b'r' | b'v' | b'e' | b'w' | b'd');
            table[byte] = match LEFT[byte] {
                Side::Plain => PLAIN | NO_END,
                Side::Between => BETWEEN,
                _ if end => 0,
                _ => NO_END,
            };
            byte += 1;
        }
        table
    };
    let [near, far] = [1, 2].map(|by| BITS[usize::from(byte(bytes, start - by))]);
    (near & PLAIN != 0) | (near & BETWEEN != 0) & (far & NO_END != 0)
}

/// What stands to the left: behind blanks, quotes and signs a word may announce a version, which no word does
/// that ends in other letters.
#[inline(always)]
fn left(bytes: &Bytes, start: isize) -> Side {
    let side = LEFT[usize::from(byte(bytes, start - 1))];
    if side != Side::Between {
        return side;
    }
    let mut at = start - 2;
    let floor = start - 1 - MAX_BETWEEN_BYTES as isize;
    while at != floor && LEFT[usize::from(byte(bytes, at))] == Side::Between {
        at -= 1;
    }
    // The last letters of the words that announce a version.
    match [byte(bytes, at - 1) | 0x20, byte(bytes, at) | 0x20] {
        [_, b'v'] | [b'o', b'n'] | [b'n' | b'r', b's'] | [b'e', b'r'] | [b'r' | b's', b'e'] => Side::Unsure,
        [b'f', b'w'] | [b'i' | b'l', b'd'] => Side::Unsure,
        _ => Side::Plain,
    }
}

/// `Chrome/103.0.0.0`: a name in capital and small letters that begins a word, no port behind it, and no address of
/// those that private networks have.
#[inline(always)]
fn product<C: Classify>(look: &Look<'_, C>, start: usize, end: usize) -> Glance {
    let slash = start - 1;
    let name = |bytes| (look.classify)(bytes).name;
    let window = slash.checked_sub(64).and_then(|from| look.block.get(from..)?.first_chunk());
    let length = (!window.map_or(0, name)).leading_zeros() as usize;
    let word = look.block.get(slash.wrapping_sub(length)..slash).unwrap_or_default();
    let before = look.byte(slash.wrapping_sub(1 + length));
    let [first, second, .., last] = word else { return UNSURE };
    let mixed = first.is_ascii_uppercase() && second.is_ascii_lowercase() && last.is_ascii_alphanumeric();
    let begins = matches!(before, b' ' | b'"' | b'\n' | b'\t' | b'(' | b',' | b';');
    let octet = [look.byte(start), look.byte(start + 1), look.byte(start + 2)];
    let private = matches!(octet, [b'1', b'0', b'.'] | [b'1', b'7', b'2'] | [b'1', b'9', b'2']);
    let has_port = look.byte(end) == b':';
    if length < NAME_BYTES && mixed && begins && !private && !has_port && !ADDRESS_WORDS.contains(word) {
        (Told::Nothing, slash.wrapping_sub(1 + length), end + 1)
    } else {
        UNSURE
    }
}
