//! A second, slow and obvious reading of what is found and what is left of it, written from the grammars and
//! the decisions in `rules/detectors`, not from the code. Only the lists of words are shared.
//!
//! No trigger, no candidate, no block: every window of a text is asked, on every level of its escapes.
#![allow(dead_code)]

mod email;
mod ip;
mod pan;
pub(crate) mod scrub;
pub(crate) mod taint;
mod unescape;

use unescape::Level;

/// One sighting: kind by name, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) kind: &'static str,
}

const LEVELS: usize = 4;

/// Everything in a value: sorted, and of one kind no two that overlap.
pub(crate) fn find(value: &[u8]) -> Vec<Found> {
    let mut ranked: Vec<(usize, Found)> = Vec::new();
    let raw = Level::raw(value);
    ranked.extend(find_plain(value).into_iter().map(|found| (0, found)));
    // Where what is invisible vanishes is the better reading; where it ends words, the other.
    for (separate, bonus) in [(true, 0), (false, LEVELS)] {
        let mut level = raw.clone();
        for depth in 1..=LEVELS {
            let Some(next) = level.undo_in_logs(separate) else { break };
            level = next;
            ranked.extend(find_plain(&level.bytes).into_iter().map(|found| {
                let (start, end) = level.written(found.start, found.end);
                (bonus + depth, Found { start, end, ..found })
            }));
        }
    }
    settle(ranked)
}

/// The deepest reading first, then the longest, then the first; what overlaps a better one of its kind goes.
fn settle(mut ranked: Vec<(usize, Found)>) -> Vec<Found> {
    ranked.sort_by_key(|(rank, found)| (std::cmp::Reverse((*rank, found.end - found.start)), *found));
    let mut kept: Vec<Found> = Vec::new();
    for (_, found) in ranked {
        if !kept.iter().any(|other| other.kind == found.kind && overlap(other, &found)) {
            kept.push(found);
        }
    }
    let embedded = |found: &Found| {
        let inside = |other: &Found| other.start <= found.start && found.end <= other.end;
        found.kind == "ipv4" && kept.iter().any(|other| other.kind == "ipv6" && inside(other))
    };
    let mut left: Vec<Found> = kept.iter().copied().filter(|found| !embedded(found)).collect();
    left.sort_by_key(|found| (found.start, found.end, order(found.kind)));
    left
}

fn order(kind: &str) -> usize {
    ["email", "ipv4", "ipv6", "pan"].iter().position(|known| *known == kind).unwrap_or(usize::MAX)
}

fn overlap(one: &Found, other: &Found) -> bool {
    one.start < other.end && other.start < one.end
}

/// Everything in the bytes as they stand.
fn find_plain(text: &[u8]) -> Vec<Found> {
    let kind = |kind| move |(start, end)| Found { start, end, kind };
    let mut found: Vec<Found> = email::emails(text).into_iter().map(kind("email")).collect();
    found.extend(ip::ipv6(text).into_iter().map(kind("ipv6")));
    found.extend(windows(text, ip::IPV4_BYTES, ip::is_ipv4).into_iter().map(kind("ipv4")));
    found.extend(windows(text, pan::BYTES, pan::is_pan).into_iter().map(kind("pan")));
    joined(found)
}

/// Each value with all those of its kind that overlap it, directly or by way of others.
fn joined(found: Vec<Found>) -> Vec<Found> {
    let mut joined: Vec<Found> = Vec::new();
    for mut one in found {
        while let Some(at) = joined.iter().position(|other| other.kind == one.kind && overlap(other, &one)) {
            let other = joined.swap_remove(at);
            one = Found { start: one.start.min(other.start), end: one.end.max(other.end), ..one };
        }
        joined.push(one);
    }
    joined
}

fn windows(
    text: &[u8],
    (shortest, longest): (usize, usize),
    fits: impl Fn(&[u8], usize, usize) -> bool,
) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    // Both kinds begin and end with a digit.
    for start in (0..text.len()).filter(|start| text[*start].is_ascii_digit()) {
        for end in
            (start + shortest..=text.len().min(start + longest)).filter(|end| text[end - 1].is_ascii_digit())
        {
            if fits(text, start, end) {
                found.push((start, end));
            }
        }
    }
    found
}

/// The byte at a place; a blank beyond the end.
fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(b' ')
}

/// The byte before a place; a blank before the start.
fn byte_before(text: &[u8], at: usize) -> u8 {
    if at == 0 { b' ' } else { byte(text, at - 1) }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_one_of(text: &[u8], words: &str) -> bool {
    words.split_whitespace().any(|word| text.eq_ignore_ascii_case(word.as_bytes()))
}

/// Whether a word in lower case stands, whole, right before `end`. Words part where no letter meets a letter,
/// before a capital after a small letter, and before the last capital of several.
fn word_ends_at(text: &[u8], end: usize, word: &[u8]) -> bool {
    let parts = |at: usize| {
        let letter = |at: usize| text.get(at).filter(|byte| byte.is_ascii_alphabetic());
        let Some((before, after)) = at.checked_sub(1).and_then(letter).zip(letter(at)) else { return true };
        let next_small = letter(at + 1).is_some_and(u8::is_ascii_lowercase);
        after.is_ascii_uppercase() && (before.is_ascii_lowercase() || next_small)
    };
    let Some(start) = end.checked_sub(word.len()) else { return false };
    text[start..end].eq_ignore_ascii_case(word) && parts(start) && parts(end)
}
