//! Where a match is possible: one pass over any bytes.
//!
//! What counts is defined by the bytes around a place alone, so that the same candidates can be computed
//! from bit masks and so that they do not depend on where a block begins or ends, as long as a block ends
//! between two records.

use super::marks::{Marks, mark};
use super::unescape;
use super::{Candidate, Trigger};

/// A gap between two dots of an IPv4 address: one to three digits.
const MAX_DOT_STEP: usize = 4;
/// A gap between two colons of an IPv6 address: up to four digits.
const MAX_COLON_STEP: usize = 5;
/// Colons of the uncompressed form that make it worth a look: three occur in every time with a zone.
const COLONS: u8 = 4;
/// The shortest card number (Maestro).
const MIN_CARD_DIGITS: u32 = 12;

/// What a byte can start or end; `0` for most.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Plain,
    Digit,
    Dot,
    Colon,
    At,
    Escape,
}

const CLASSES: [Class; 256] = classes();

const fn classes() -> [Class; 256] {
    let mut table = [Class::Plain; 256];
    let mut byte = b'0';
    while byte <= b'9' {
        table[byte as usize] = Class::Digit;
        byte += 1;
    }
    table[b'.' as usize] = Class::Dot;
    table[b':' as usize] = Class::Colon;
    table[b'@' as usize] = Class::At;
    let mut at = 0;
    while at < unescape::INTRODUCERS.len() {
        table[unescape::INTRODUCERS[at] as usize] = Class::Escape;
        at += 1;
    }
    table
}

/// Appends the candidates of `hay` to `out`, in order of their offset.
///
/// They are taken from the marks, which are a superset of what [`scan`] finds: the exact tests tell.
pub fn index(hay: &[u8], marks: &mut Marks, out: &mut Vec<Candidate>) {
    mark(hay, marks);
    if marks.escapes().within(0, hay.len()).any(|at| is_no_break_space(hay, at)) {
        return scan(hay, out); // the marks do not know this separator
    }
    let mut escapes = marks
        .escapes()
        .within(0, hay.len())
        .filter(|at| unescape::INTRODUCERS.contains(&hay[*at]))
        .peekable();
    for at in marks.candidates().iter().map(|at| *at as usize) {
        while let Some(escape) = escapes.next_if(|escape| *escape < at) {
            add_escape(hay, escape, out);
        }
        out.push(match hay[at] {
            b'@' => Candidate { at, trigger: Trigger::At },
            b':' => Candidate { at, trigger: Trigger::Colons },
            _ if at > 0 && hay[at - 1] == b'.' => Candidate { at: at - 1, trigger: Trigger::Dots },
            _ => Candidate { at, trigger: Trigger::Digits },
        });
    }
    escapes.for_each(|escape| add_escape(hay, escape, out));
}

fn add_escape(hay: &[u8], at: usize, out: &mut Vec<Candidate>) {
    if unescape::hides_trigger(hay, at) {
        out.push(Candidate { at, trigger: Trigger::Escape });
    }
}

/// Whether a no-break space begins at `at`: it may stand between the groups of a card number.
pub fn is_no_break_space(hay: &[u8], at: usize) -> bool {
    hay[at..].starts_with(b"\xc2\xa0")
}

/// The same one byte at a time: what the candidates are, and what values with no-break spaces need.
pub fn scan(hay: &[u8], out: &mut Vec<Candidate>) {
    let mut dots = Steps::default();
    let mut colons = Steps::default();
    let mut cards = Run::default();
    let mut add = |at, trigger| out.push(Candidate { at, trigger });
    for (at, &byte) in hay.iter().enumerate() {
        match CLASSES[byte as usize] {
            Class::Plain => {}
            Class::Digit => {
                if cards.ends_group(hay, at) {
                    add(at, Trigger::Digits);
                }
            }
            Class::Dot => {
                if dots.reach(at, between_digits(hay, at), 2..=MAX_DOT_STEP, 3) {
                    add(at, Trigger::Dots);
                }
            }
            Class::Colon => {
                let doubled = at > 0 && hay[at - 1] == b':';
                if colons.reach(at, true, 1..=MAX_COLON_STEP, COLONS) || doubled {
                    add(at, Trigger::Colons);
                }
            }
            Class::At => add(at, Trigger::At),
            Class::Escape => {
                if unescape::hides_trigger(hay, at) {
                    add(at, Trigger::Escape);
                }
            }
        }
    }
}

fn between_digits(hay: &[u8], at: usize) -> bool {
    at > 0 && hay[at - 1].is_ascii_digit() && hay.get(at + 1).is_some_and(u8::is_ascii_digit)
}

/// Counts separators that follow each other closely.
#[derive(Default)]
struct Steps {
    last: usize,
    count: u8,
}

impl Steps {
    /// Whether the separator at `at` is at least the `wanted`-th in a row.
    fn reach(&mut self, at: usize, fits: bool, step: std::ops::RangeInclusive<usize>, wanted: u8) -> bool {
        let close = self.count > 0 && step.contains(&(at - self.last));
        self.count = if !fits {
            0
        } else if close {
            (self.count + 1).min(wanted)
        } else {
            1
        };
        self.last = at;
        self.count == wanted
    }
}

/// Counts the digits of groups with single separators between them.
#[derive(Default)]
struct Run {
    /// One past the last digit seen.
    end: usize,
    digits: u32,
}

impl Run {
    /// Takes in the digit at `at`: whether it is the last of a group, twelve digits or more into the run.
    fn ends_group(&mut self, hay: &[u8], at: usize) -> bool {
        if at != self.end && !is_separator(&hay[self.end..at]) {
            self.digits = 0;
        }
        self.digits = (self.digits + 1).min(MIN_CARD_DIGITS);
        self.end = at + 1;
        self.digits == MIN_CARD_DIGITS && !hay.get(at + 1).is_some_and(u8::is_ascii_digit)
    }
}

/// Whether the bytes are one separator of the kinds that card numbers are written with.
pub(super) fn is_separator(between: &[u8]) -> bool {
    matches!(between, b" " | b"-" | b"+" | b"\xC2\xA0")
}
