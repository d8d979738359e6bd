//! Card numbers (ISO/IEC 7812-1): a layout in which they are written, a range that some network issues in
//! that length, and the check digit.

use super::context::{KEYWORD_REACH_BYTES, has_word_before, is_word};
use super::index::is_separator;
use super::{Detector, Reason, Trigger, Verdict};
use crate::checksum::luhn;
use crate::finding::Finding;
use crate::kind::Kind;
use crate::span::Span;

/// The detector.
#[derive(Debug)]
pub struct Pan;

/// Lengths of card numbers.
const MIN_DIGITS: usize = 12;
const MAX_DIGITS: usize = 19;

/// Groups in which cards are printed, by network.
const LAYOUTS: [&[usize]; 4] = [&[4, 4, 4, 4, 3], &[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4]];

/// Words next to a number that say it is a card number.
pub const KEYWORDS: [&str; 28] = [
    "card",
    "cards",
    "cardno",
    "cardnumber",
    "cardnum",
    "cardid",
    "pan",
    "pans",
    "cc",
    "ccn",
    "ccno",
    "ccnum",
    "ccnumber",
    "creditcard",
    "debitcard",
    "credit",
    "debit",
    "visa",
    "mastercard",
    "maestro",
    "amex",
    "discover",
    "diners",
    "jcb",
    "unionpay",
    "mir",
    "track1",
    "track2",
];

impl Detector for Pan {
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::PAN]
    }

    fn trigger(&self) -> Trigger {
        Trigger::Digits
    }

    fn verify(&self, hay: &[u8], at: usize) -> Verdict {
        let outcome = card_ending_at(hay, at + 1).map(|span| Finding { span, kind: Kind::PAN });
        Verdict { outcome, resume: at + 1 }
    }
}

/// The card whose last digit is the one before `end`. Neighbours cannot hide each other, for each group
/// that may be a card's last is asked on its own.
fn card_ending_at(hay: &[u8], end: usize) -> Result<Span, Reason> {
    check_right(hay, end)?;
    let mut reason = "no layout of a card number";
    for start in
        LAYOUTS.iter().map(|layout| layout_start(hay, end, layout)).chain([plain_start(hay, end)]).flatten()
    {
        match check_card(hay, Span::new(start, end)) {
            Ok(()) => return Ok(Span::new(start, end)),
            Err(failed) => reason = failed,
        }
    }
    Err(reason)
}

fn check_right(hay: &[u8], end: usize) -> Result<(), Reason> {
    match hay[end..] {
        [after, ..] if after.is_ascii_alphanumeric() => Err("glued to a word"),
        [b'.', digit, ..] if digit.is_ascii_digit() => Err("part of a decimal number"),
        _ => Ok(()),
    }
}

/// Where the group of digits before `end` begins; `None` if it is longer than any card.
fn plain_start(hay: &[u8], end: usize) -> Option<usize> {
    let count = digits_before(hay, end, MAX_DIGITS + 1);
    (MIN_DIGITS..=MAX_DIGITS).contains(&count).then(|| end - count)
}

fn digits_before(hay: &[u8], end: usize, most: usize) -> usize {
    hay[..end].iter().rev().take(most).take_while(|byte| byte.is_ascii_digit()).count()
}

/// Where groups of these lengths, one separator throughout, begin if they end at `end`.
fn layout_start(hay: &[u8], end: usize, layout: &[usize]) -> Option<usize> {
    let mut at = end;
    let mut separator: Option<&[u8]> = None;
    for (index, &length) in layout.iter().rev().enumerate() {
        if index > 0 {
            let found = separator_before(hay, at)?;
            if separator.get_or_insert(found) != &found {
                return None;
            }
            at -= found.len();
        }
        if digits_before(hay, at, length + 1) != length {
            return None;
        }
        at -= length;
    }
    Some(at)
}

fn separator_before(hay: &[u8], at: usize) -> Option<&[u8]> {
    [1, 2]
        .into_iter()
        .filter_map(|length| hay.get(at.checked_sub(length)?..at))
        .find(|between| is_separator(between))
}

fn check_card(hay: &[u8], span: Span) -> Result<(), Reason> {
    let mut digits = [0u8; MAX_DIGITS];
    let count = collect(span.of(hay), &mut digits);
    let digits = &digits[..count];
    // The check digit first: it is cheap and turns nine of ten away.
    if !luhn::holds(digits.iter().copied()) {
        return Err("Luhn check fails");
    }
    let evidence = issued(digits).ok_or("no network issues this range in this length")?;
    check_left(hay, span)?;
    if is_date(digits) {
        return Err("a date and time");
    }
    let grouped = span.len() > count;
    if evidence == Evidence::Strong
        || grouped && evidence == Evidence::Grouped
        || has_keyword(hay, span.start)
    {
        return Ok(());
    }
    Err("a weak range without a word like `card` before it")
}

fn collect(text: &[u8], digits: &mut [u8; MAX_DIGITS]) -> usize {
    let found = text.iter().copied().filter(u8::is_ascii_digit);
    digits.iter_mut().zip(found).map(|(digit, byte)| *digit = byte).count()
}

fn has_keyword(hay: &[u8], start: usize) -> bool {
    has_word_before(hay, start, KEYWORD_REACH_BYTES, &KEYWORDS)
}

fn check_left(hay: &[u8], span: Span) -> Result<(), Reason> {
    let before = &hay[..span.start];
    let earlier = before.len().checked_sub(2).map_or(b' ', |at| before[at]);
    match before.last() {
        // The start sentinel and format code of track 1 (ISO/IEC 7813).
        Some(b'B') if earlier == b'%' || !is_word(earlier) && hay[span.end..].starts_with(b"^") => Ok(()),
        Some(b'_') if is_keyword_glued(before) => Ok(()),
        Some(byte) if is_word(*byte) => Err("glued to a word"),
        Some(b'.') if earlier.is_ascii_digit() => Err("part of a decimal number"),
        Some(b'.') if is_word(earlier) && !has_keyword(hay, span.start) => Err("part of a dotted name"),
        Some(b'-') if !hyphen_delimits(before) => Err("part of a hyphenated identifier"),
        Some(b'+') if !is_word(earlier) && span.len() < 16 => Err("a phone number"),
        _ => Ok(()),
    }
}

/// `card_4111…`, `pan-4111…`: the word right before the joint.
fn is_keyword_glued(before: &[u8]) -> bool {
    let end = before.len() - 1;
    KEYWORDS.iter().any(|word| has_word_before(before, end, word.len(), &[word]))
}

/// Whether a hyphen before a card is not the sign of a number or the joint of an identifier: after a
/// keyword, after a blank and another hyphen, or after another card.
fn hyphen_delimits(before: &[u8]) -> bool {
    let end = before.len() - 1;
    is_keyword_glued(before)
        || before[..end].ends_with(b"-")
        || LAYOUTS
            .iter()
            .map(|layout| layout_start(before, end, layout))
            .chain([plain_start(before, end)])
            .flatten()
            .any(|start| {
                let mut digits = [0u8; MAX_DIGITS];
                let count = collect(&before[start..end], &mut digits);
                issued(&digits[..count]).is_some() && luhn::holds(digits[..count].iter().copied())
            })
}

/// `DDMMYYYYhhmmss`, which the Diners range 300-305 meets. `YYYYMMDD…` and the epoch in any unit begin with
/// 19, 20 or 1 and are in no range.
fn is_date(digits: &[u8]) -> bool {
    let number = |from: usize, to: usize| {
        digits[from..to].iter().fold(0u32, |value, digit| value * 10 + u32::from(digit - b'0'))
    };
    digits.len() == 14
        && (1..=31).contains(&number(0, 2))
        && (1..=12).contains(&number(2, 4))
        && (1970..2100).contains(&number(4, 8))
        && number(8, 10) < 24
        && number(10, 12) < 60
        && number(12, 14) < 61
}

/// What a range and a length prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Evidence {
    /// Enough, with the check digit.
    Strong,
    /// Enough if the number is written in the groups of a card.
    Grouped,
    /// A word like `card` has to stand before it.
    Weak,
}

struct Range {
    /// First and last value of the six leading digits.
    first: u32,
    last: u32,
    lengths: std::ops::RangeInclusive<usize>,
    evidence: Evidence,
}

/// A range from the leading digits of its first and last number, of equal length.
const fn range(first: u32, last: u32, lengths: std::ops::RangeInclusive<usize>, evidence: Evidence) -> Range {
    let mut range = Range { first, last, lengths, evidence };
    while range.first < 100_000 {
        range.first *= 10;
        range.last = range.last * 10 + 9;
    }
    range
}

/// Issuer ranges (ISO/IEC 7812-1) by network, with the lengths in use. Not here: UATP (1, 15 digits), which
/// every other counter would meet, and brands that are dead and had no check digit.
const RANGES: [Range; 42] = [
    // Visa; 13 digits are history, and 19 bare digits from 4 on are mostly other identifiers.
    range(4, 4, 16..=16, Evidence::Strong),
    range(4, 4, 19..=19, Evidence::Grouped),
    range(4, 4, 13..=13, Evidence::Weak),
    // Mastercard.
    range(51, 55, 16..=16, Evidence::Strong),
    range(222_100, 272_099, 16..=16, Evidence::Strong),
    // American Express.
    range(34, 34, 15..=15, Evidence::Strong),
    range(37, 37, 15..=15, Evidence::Strong),
    // Discover.
    range(6011, 6011, 16..=16, Evidence::Strong),
    range(644, 649, 16..=16, Evidence::Strong),
    range(65, 65, 16..=16, Evidence::Strong),
    range(6011, 6011, 17..=19, Evidence::Grouped),
    range(644, 649, 17..=19, Evidence::Grouped),
    range(65, 65, 17..=19, Evidence::Grouped),
    // Diners Club.
    range(36, 36, 14..=14, Evidence::Strong),
    range(300, 305, 14..=14, Evidence::Strong),
    range(3095, 3095, 14..=14, Evidence::Strong),
    range(38, 39, 14..=14, Evidence::Strong),
    range(36, 36, 15..=19, Evidence::Weak),
    range(300, 305, 16..=19, Evidence::Weak),
    range(3095, 3095, 16..=19, Evidence::Weak),
    range(38, 39, 16..=19, Evidence::Weak),
    // JCB.
    range(3528, 3589, 16..=16, Evidence::Strong),
    range(3528, 3589, 17..=19, Evidence::Grouped),
    // UnionPay.
    range(62, 62, 16..=16, Evidence::Strong),
    range(62, 62, 17..=18, Evidence::Grouped),
    range(62, 62, 19..=19, Evidence::Strong),
    range(810_000, 817_199, 16..=19, Evidence::Grouped),
    // Mir, Borica.
    range(2200, 2205, 16..=16, Evidence::Strong),
    range(2200, 2204, 17..=19, Evidence::Grouped),
    // Troy.
    range(9792, 9792, 16..=16, Evidence::Strong),
    // Maestro and what runs in its ranges: Elo, Verve, Hipercard, RuPay, Dankort.
    range(5018, 5020, 16..=16, Evidence::Strong),
    range(5038, 5038, 16..=16, Evidence::Strong),
    range(5893, 5893, 16..=16, Evidence::Strong),
    range(6304, 6304, 16..=16, Evidence::Strong),
    range(6759, 6763, 16..=16, Evidence::Strong),
    range(506_099, 509_999, 16..=16, Evidence::Strong),
    range(606_282, 606_282, 16..=16, Evidence::Strong),
    range(636_297, 639_999, 16..=16, Evidence::Strong),
    range(6759, 6763, 17..=19, Evidence::Grouped),
    range(50, 50, 12..=19, Evidence::Weak),
    range(56, 69, 12..=19, Evidence::Weak),
    // RuPay.
    range(82, 82, 16..=16, Evidence::Weak),
];

/// What the first four digits say of all numbers of a length that begin with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Issued {
    /// The evidence is enough for each of them.
    Yes,
    /// Nobody issues any.
    No,
    /// It depends on more digits, or on a word before them.
    Depends,
}

/// One bit for each length.
#[derive(Clone, Copy)]
struct Lengths {
    strong: u8,
    strong_if_grouped: u8,
    any: u8,
}

/// The lengths by the first four digits, made from [`RANGES`].
static PREFIXES: [Lengths; 10_000] = {
    let mut prefixes = [Lengths { strong: 0, strong_if_grouped: 0, any: 0 }; 10_000];
    let mut at = 0;
    while at < RANGES.len() {
        let range = &RANGES[at];
        let bits = length_bits(*range.lengths.start(), *range.lengths.end());
        let mut prefix = range.first / 100;
        while prefix <= range.last / 100 {
            let lengths = &mut prefixes[prefix as usize];
            let whole = range.first <= prefix * 100 && prefix * 100 + 99 <= range.last;
            lengths.any |= bits;
            lengths.strong |= if whole && matches!(range.evidence, Evidence::Strong) { bits } else { 0 };
            let enough = whole && !matches!(range.evidence, Evidence::Weak);
            lengths.strong_if_grouped |= if enough { bits } else { 0 };
            prefix += 1;
        }
        at += 1;
    }
    prefixes
};

const fn length_bits(first: usize, last: usize) -> u8 {
    let (mut bits, mut length) = (0, first);
    while length <= last {
        bits |= 1 << (length - MIN_DIGITS);
        length += 1;
    }
    bits
}

/// What the first four digits, in ASCII, say of a number of 12 to 19 digits.
#[inline(always)]
pub(super) fn issued_by_prefix(lead: [u8; 4], length: u32, grouped: bool) -> Issued {
    let prefix = lead.iter().fold(0, |value, digit| 10 * value + usize::from(digit & 15));
    let Some(lengths) = PREFIXES.get(prefix) else { return Issued::Depends };
    let bit = 1 << (length as usize - MIN_DIGITS);
    let strong = if grouped { lengths.strong_if_grouped } else { lengths.strong };
    match (lengths.any & bit, strong & bit) {
        (0, _) => Issued::No,
        (_, 0) => Issued::Depends,
        _ => Issued::Yes,
    }
}

/// The best evidence that the leading digits give in this length; `None` if nobody issues it.
fn issued(digits: &[u8]) -> Option<Evidence> {
    let lead =
        digits.iter().take(6).fold(0u32, |value, digit| value * 10 + u32::from(digit.wrapping_sub(b'0')));
    let fits =
        |range: &&Range| range.lengths.contains(&digits.len()) && (range.first..=range.last).contains(&lead);
    RANGES.iter().filter(fits).map(|range| range.evidence).min()
}
