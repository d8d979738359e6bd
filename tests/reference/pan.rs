//! What a card number is, as a predicate over a whole text and a window of it.

use logscrub::detect::pan::KEYWORDS;

use super::{byte, byte_before, is_word, word_ends_at};

/// Twelve digits, and nineteen with four separators of two bytes.
pub(crate) const BYTES: (usize, usize) = (12, 27);

pub(crate) fn is_pan(text: &[u8], start: usize, end: usize) -> bool {
    let Some(digits) = card(text, start, end) else { return false };
    let after = byte(text, end);
    if after.is_ascii_alphanumeric() || after == b'.' && byte(text, end + 1).is_ascii_digit() {
        return false;
    }
    let grouped = end - start > digits.len();
    let enough = match evidence(&digits) {
        Some(Evidence::Strong) => true,
        Some(Evidence::Grouped) => grouped || has_keyword(text, start),
        Some(Evidence::Weak) => has_keyword(text, start),
        None => false,
    };
    enough && !is_date(&digits) && may_begin(text, start, end)
}

/// The digits of a window that is written as cards are, issued by somebody and has the right check digit.
fn card(text: &[u8], start: usize, end: usize) -> Option<String> {
    let digits = laid_out(text, start, end)?;
    (evidence(&digits).is_some() && luhn(&digits)).then_some(digits)
}

/// The digits, if they are one group or the groups of a card with one separator throughout.
fn laid_out(text: &[u8], start: usize, end: usize) -> Option<String> {
    let window = std::str::from_utf8(&text[start..end]).ok()?;
    if !window.starts_with(|first: char| first.is_ascii_digit())
        || byte_before(text, start).is_ascii_digit()
        || byte(text, end).is_ascii_digit()
    {
        return None;
    }
    let separator = window.chars().find(|character| !character.is_ascii_digit());
    let groups: Vec<&str> = match separator {
        None => vec![window],
        Some(separator @ (' ' | '-' | '+' | '\u{A0}')) => window.split(separator).collect(),
        Some(_) => return None,
    };
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let known = match lengths.as_slice() {
        [length] => (12..=19).contains(length),
        lengths => matches!(lengths, [4, 4, 4, 4] | [4, 6, 5] | [4, 6, 4] | [4, 4, 4, 4, 3]),
    };
    let digits = groups.concat();
    (known && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

/// The doubled digits counted by a table, from the right.
fn luhn(digits: &str) -> bool {
    const DOUBLED: [u32; 10] = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| match (usize::from(byte - b'0'), place % 2) {
            (digit, 0) => digit as u32,
            (digit, _) => DOUBLED[digit],
        })
        .sum();
    sum.is_multiple_of(10)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Evidence {
    Strong,
    Grouped,
    Weak,
}

/// One line a network: how sure, the lengths, the ranges of first digits.
const ISSUED: &str = "
    strong  16     4 51-55 222100-272099 6011 644-649 65 3528-3589 62 2200-2205 9792
    strong  15     34 37
    strong  14     36 300-305 3095 38-39
    strong  19     62
    strong  16     5018-5020 5038 5893 6304 6759-6763 506099-509999 606282 636297-639999
    grouped 19     4
    grouped 17-19  6011 644-649 65 3528-3589 2200-2204 6759-6763
    grouped 17-18  62
    grouped 16-19  810000-817199
    weak    13     4
    weak    15-19  36
    weak    16-19  300-305 3095 38-39
    weak    12-19  50 56-69
    weak    16     82";

fn evidence(digits: &str) -> Option<Evidence> {
    let bounds = |text: &str| match text.split_once('-') {
        Some((first, last)) => (first.to_owned(), last.to_owned()),
        None => (text.to_owned(), text.to_owned()),
    };
    // Lines are in order of sureness, so the first that fits is the best.
    ISSUED.lines().filter(|line| !line.trim().is_empty()).find_map(|line| {
        let mut words = line.split_whitespace();
        let sure = match words.next()? {
            "strong" => Evidence::Strong,
            "grouped" => Evidence::Grouped,
            _ => Evidence::Weak,
        };
        let (least, most) = bounds(words.next()?);
        let long_enough = digits.len() >= least.parse().ok()? && digits.len() <= most.parse().ok()?;
        let in_range = |range: &str| {
            let (first, last) = bounds(range);
            let lead = &digits[..first.len()];
            first.as_str() <= lead && lead <= last.as_str()
        };
        (long_enough && words.any(in_range)).then_some(sure)
    })
}

/// A word like `card` that lies in the 32 bytes before.
fn has_keyword(text: &[u8], start: usize) -> bool {
    (start.saturating_sub(32)..=start).any(|end| {
        KEYWORDS.iter().any(|word| {
            end >= word.len()
                && end - word.len() >= start.saturating_sub(32)
                && word_ends_at(text, end, word.as_bytes())
                && !(byte_before(text, end - word.len()) == b'[' && ends_residue(&text[end..]))
        })
    })
}

/// `]` or `#2]`.
fn ends_residue(rest: &[u8]) -> bool {
    regex::bytes::Regex::new(r"^(?:#\d+)?\]").unwrap().is_match(rest)
}

/// Day, month, year, time: the fourteen digits that some write for a moment.
fn is_date(digits: &str) -> bool {
    if digits.len() != 14 {
        return false;
    }
    let number = |from: usize, to: usize| digits[from..to].parse::<u32>().unwrap_or(0);
    (1..=31).contains(&number(0, 2))
        && (1..=12).contains(&number(2, 4))
        && (1970..=2099).contains(&number(4, 8))
        && number(8, 10) <= 23
        && number(10, 12) <= 59
        && number(12, 14) <= 60
}

fn may_begin(text: &[u8], start: usize, end: usize) -> bool {
    let before = byte_before(text, start);
    let earlier = if start > 1 { text[start - 2] } else { b' ' };
    let after_keyword =
        || KEYWORDS.iter().any(|word| word_ends_at(&text[..start], start - 1, word.as_bytes()));
    match before {
        b'B' if earlier == b'%' => true,
        b'B' if !is_word(earlier) && byte(text, end) == b'^' => true,
        b'_' => after_keyword(),
        b'-' => {
            let joint = start - 1;
            let card_before = (BYTES.0..=BYTES.1.min(joint))
                .any(|length| text[joint - 1].is_ascii_digit() && card_up_to(text, joint - length, joint));
            after_keyword() || earlier == b'-' && start > 1 || card_before
        }
        b'.' if earlier.is_ascii_digit() => false,
        b'.' if is_word(earlier) => has_keyword(text, start),
        b'+' => is_word(earlier) || end - start >= 16,
        _ => !is_word(before),
    }
}

fn card_up_to(text: &[u8], start: usize, end: usize) -> bool {
    card(text, start, end).is_some()
}
