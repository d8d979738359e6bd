//! The bytes around a place: characters and words.

/// How far before a match a word may stand that says what it is.
pub(super) const KEYWORD_REACH_BYTES: usize = 32;

/// The character that ends at `at`, with its length; `None` at the start and where the bytes are not UTF-8.
pub(super) fn char_before(hay: &[u8], at: usize) -> Option<(char, usize)> {
    let last = *hay.get(at.checked_sub(1)?)?;
    if last.is_ascii() {
        return Some((char::from(last), 1));
    }
    (2..=4.min(at)).find_map(|length| Some((one_char(&hay[at - length..at])?, length)))
}

/// The character that begins at `at`, with its length; `None` at the end and where the bytes are not UTF-8.
pub(super) fn char_after(hay: &[u8], at: usize) -> Option<(char, usize)> {
    let rest = hay.get(at..)?;
    let length = match *rest.first()? {
        first if first.is_ascii() => return Some((char::from(first), 1)),
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        _ => 4,
    };
    Some((one_char(rest.get(..length)?)?, length))
}

fn one_char(bytes: &[u8]) -> Option<char> {
    let mut characters = std::str::from_utf8(bytes).ok()?.chars();
    let first = characters.next()?;
    characters.next().is_none().then_some(first)
}

/// Whether the byte at `at` is an ASCII letter, digit or `_`.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// A set of words in lower case.
///
/// Almost every look-up is in vain, so a filter of one bit for each first letter, last letter and length
/// answers first: comparing with the words one by one was a third of the time of an access log.
#[derive(Debug)]
pub struct Words {
    text: &'static str,
    filter: [u64; 16],
}

impl Words {
    /// The words of a text, which blanks separate.
    pub const fn of(text: &'static str) -> Words {
        let bytes = text.as_bytes();
        let (mut filter, mut start, mut at) = ([0; 16], 0, 0);
        while at <= bytes.len() {
            if at == bytes.len() || bytes[at] == b' ' {
                if at > start {
                    let bit = Words::bit(bytes[start], bytes[at - 1], at - start);
                    filter[bit / 64] |= 1 << (bit % 64);
                }
                start = at + 1;
            }
            at += 1;
        }
        Words { text, filter }
    }

    /// The words as they were written.
    pub const fn text(&self) -> &'static str {
        self.text
    }

    /// Fibonacci hashing (Knuth, The Art of Computer Programming, section 6.4) to ten bits.
    const fn bit(first: u8, last: u8, length: usize) -> usize {
        let key = (first as u32) << 16 | (last as u32) << 8 | length as u32;
        (key.wrapping_mul(0x9e37_79b1) >> 22) as usize
    }

    /// The words.
    pub fn iter(&self) -> impl Iterator<Item = &'static [u8]> {
        self.text.split(' ').map(str::as_bytes)
    }

    /// Whether the text is one of them, in any case.
    #[inline(always)]
    pub fn contains(&self, text: &[u8]) -> bool {
        let (Some(first), Some(last)) = (text.first(), text.last()) else { return false };
        let bit = Words::bit(first.to_ascii_lowercase(), last.to_ascii_lowercase(), text.len());
        self.filter[bit / 64] >> (bit % 64) & 1 == 1
            && self.iter().any(|word| text.eq_ignore_ascii_case(word))
    }
}

/// Whether one of `words` (lower case) stands as a whole word in the `reach` bytes before `at`.
///
/// `-`, `_`, `.`, digits and a change to upper case are joints: `cardNumber`, `card_no` and `card2` hold
/// the word `card`, `discard` does not.
pub(super) fn has_word_before<W: AsRef<[u8]>>(hay: &[u8], at: usize, reach: usize, words: &[W]) -> bool {
    let start = at.saturating_sub(reach);
    words.iter().any(|word| {
        let word = word.as_ref();
        !word.is_empty()
            && (start..at.saturating_sub(word.len() - 1)).any(|begin| {
                let end = begin + word.len();
                end <= at
                    && hay[begin..end].eq_ignore_ascii_case(word)
                    && is_joint(hay, begin)
                    && is_joint(hay, end)
                    && !is_label(hay, begin, end)
            })
    })
}

/// Whether the word stands alone in square brackets, perhaps with a number: `[pan]`, `[pan#2]` are what was left of a
/// value, and say nothing about the next one.
fn is_label(hay: &[u8], begin: usize, end: usize) -> bool {
    let number = hay[end..].strip_prefix(b"#").unwrap_or_default();
    let digits = number.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = if digits > 0 { &number[digits..] } else { &hay[end..] };
    begin > 0 && hay[begin - 1] == b'[' && rest.first() == Some(&b']')
}

/// Whether a word may begin or end at `at`.
fn is_joint(hay: &[u8], at: usize) -> bool {
    let (Some(&before), Some(&after)) = (at.checked_sub(1).and_then(|at| hay.get(at)), hay.get(at)) else {
        return true;
    };
    if !before.is_ascii_alphabetic() || !after.is_ascii_alphabetic() {
        return true;
    }
    let starts_hump = hay.get(at + 1).is_some_and(u8::is_ascii_lowercase);
    after.is_ascii_uppercase() && (before.is_ascii_lowercase() || starts_hump)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole() {
        let found = |text: &[u8]| has_word_before(text, text.len(), 32, &["card", "cc"]);
        assert!(found(b"card=") && found(b"cardNumber: ") && found(b"CARD_NO=") && found(b"CCNumber="));
        assert!(found(b"my card ") && found(b"card2="));
        assert!(found(b"[card: ") && !found(b"[card] ") && !found(b"[card#2]=") && found(b"[card#]="));
        assert!(!found(b"discard=") && !found(b"cardinal ") && !found(b"access "));
    }

    #[test]
    fn characters_are_read_both_ways() {
        let text = "a\u{20ac}b".as_bytes();
        assert_eq!(char_before(text, 4), Some(('\u{20ac}', 3)));
        assert_eq!(char_after(text, 1), Some(('\u{20ac}', 3)));
        assert_eq!(char_before(text, 3), None);
        assert_eq!(char_after(b"\xff", 0), None);
    }
}
