//! One decoding step through the escapes that occur in logs, and the test whether it is needed at all.
//!
//! Decoded: `\n \r \t \" \\ \/ \u0040 \x40 \033[ \e[`, `%40 %u0040`, `&#64; &#x40;` and a few named HTML
//! entities, ANSI control sequences (ECMA-48 CSI) and zero-width characters, both of which vanish.
//! `=40` of quoted-printable in an address, `#011 #012 #015 #033[` of rsyslog: see `plain_escape`.
//! Not `\b` and `\f`: nobody writes them, and `DOMAIN\bob` is common. Not `+` for a blank: only forms do.

use super::plain_escape::{PlainEscapes, plain_escape, splits_quoted};
use crate::decoded::Decoded;
use crate::span::Span;

/// First bytes of everything that is decoded: `\`, `%`, `&`, ESC, and the lead bytes of no-break space and
/// soft hyphen (U+00A0, U+00AD), the zero-width characters (U+200B..U+200D, U+2060) and the byte-order mark.
pub(super) const INTRODUCERS: [u8; 7] = [b'\\', b'%', b'&', ESC, 0xC2, 0xE2, 0xEF];

/// The same as a table: most bytes of a log are looked up here.
const IS_INTRODUCER: [bool; 256] = {
    let mut table = [false; 256];
    let mut at = 0;
    while at < INTRODUCERS.len() {
        table[INTRODUCERS[at] as usize] = true;
        at += 1;
    }
    table
};

const ESC: u8 = 0x1B;
/// Longer control sequences are not colours. A bound keeps a line of lone ESC bytes linear.
const MAX_CSI_BYTES: usize = 64;
/// Nested escapes of one byte that are looked through for a hidden trigger (`%252525…40`).
const MAX_NESTED_BYTES: usize = 64;

/// What becomes of what nobody sees: ANSI control sequences and zero-width characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ansi {
    /// It vanishes: a value that is coloured in parts is one value.
    Remove,
    /// It ends a word: `ESC[1mweb10.0.0.1` may be a coloured `web` and an address, once it is a blank.
    Separate,
}

impl Ansi {
    fn escape(self, length: usize) -> Escape {
        match self {
            Ansi::Remove => Escape::nothing(length),
            Ansi::Separate => Escape::byte(b'\n', length),
        }
    }
}

/// What an escape stands for: up to four bytes.
#[derive(Clone, Copy)]
struct Escape {
    bytes: [u8; 4],
    decoded: usize,
    /// Length of the escape as written.
    length: usize,
}

impl Escape {
    fn byte(byte: u8, length: usize) -> Escape {
        Escape { bytes: [byte, 0, 0, 0], decoded: 1, length }
    }

    fn nothing(length: usize) -> Escape {
        Escape { bytes: [0; 4], decoded: 0, length }
    }

    fn character(character: char, length: usize) -> Escape {
        let mut bytes = [0; 4];
        let decoded = character.encode_utf8(&mut bytes).len();
        Escape { bytes, decoded, length }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.decoded]
    }
}

/// Whether the byte at `at` begins anything of which [`Ansi`] decides.
pub(super) fn is_invisible(hay: &[u8], at: usize) -> bool {
    match hay[at] {
        ESC => true,
        0xC2 | 0xE2 | 0xEF => zero_width(&hay[at..]).is_some(),
        _ => false,
    }
}

/// Whether the bytes hold anything of which [`Ansi`] decides.
pub fn holds_invisible(hay: &[u8]) -> bool {
    (0..hay.len()).any(|at| is_invisible(hay, at))
}

impl AsRef<[u8]> for Escape {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

/// Whether an escape begins at `at`.
pub fn begins_escape(hay: &[u8], at: usize) -> bool {
    escape_at(hay, at, Ansi::Remove).is_some()
}

/// Whether the byte at `at` of a JSON text can neither begin nor complete an escape, on any level, that stands
/// for a part of a value, or vanishes: then a text without a candidate holds no value. `hay` ends where the
/// text does, and all bytes in it that may begin an escape have to be harmless. May say no in vain.
pub fn is_harmless(hay: &[u8], at: usize) -> bool {
    let next = hay.get(at + 1).copied().unwrap_or(b'\n');
    match hay[at] {
        // What is left of a line end, a quote, a slash or of the backslashes themselves is at least one byte
        // that ends every value. Of several backslashes the last one tells.
        b'\\' => !matches!(next, b'u' | b'x' | b'e' | b'0') || backslash(&hay[at..]).is_none(),
        b'%' => !(next.is_ascii_hexdigit() || matches!(next, b'u' | b'U')),
        // First letters of the entities.
        b'&' => !(next == b'#' || b"algqncp".contains(&next)),
        ESC => false,
        0xC2 if next == 0xA0 => false,
        _ => zero_width(&hay[at..]).is_none(),
    }
}

/// What the escape at `at` stands for, which is nothing if it vanishes, and its length; `None` if it is none.
pub fn written_at(hay: &[u8], at: usize) -> Option<(impl AsRef<[u8]> + use<>, usize)> {
    let escape = escape_at(hay, at, Ansi::Remove)?;
    let length = escape.length;
    Some((escape, length))
}

/// Decodes every escape of `hay` once, into `out`, which is cleared first. Whether there was any.
pub fn unescape(hay: &[u8], ansi: Ansi, out: &mut Decoded) -> bool {
    let introducers = hay.iter().enumerate().filter(|(_, byte)| IS_INTRODUCER[usize::from(**byte)]);
    unescape_at(hay, introducers.map(|(at, _)| at), ansi, out)
}

/// The same, where `places` (ascending) are known to hold every place at which an introducer may begin an escape.
/// Without an escape nothing is written to `out`.
pub(super) fn unescape_at(
    hay: &[u8],
    places: impl Iterator<Item = usize>,
    ansi: Ansi,
    out: &mut Decoded,
) -> bool {
    out.clear();
    let mut copied = 0;
    for at in merged(places, PlainEscapes::of(hay)) {
        if at < copied {
            continue;
        }
        let Some(escape) = escape_at(hay, at, ansi) else { continue };
        out.push_verbatim(&hay[copied..at], copied);
        out.push(escape.as_bytes(), Span::new(at, at + escape.length));
        copied = at + escape.length;
    }
    // Every escape is longer than what it stands for, so one is a change.
    if copied > 0 {
        out.push_verbatim(&hay[copied..], copied);
    }
    copied > 0
}

/// The places of both, in ascending order.
fn merged(
    one: impl Iterator<Item = usize>,
    other: impl Iterator<Item = usize>,
) -> impl Iterator<Item = usize> {
    let (mut one, mut other) = (one.peekable(), other.peekable());
    std::iter::from_fn(move || match (one.peek(), other.peek()) {
        (Some(first), Some(second)) if second < first => other.next(),
        (None, _) => other.next(),
        _ => one.next(),
    })
}

fn escape_at(hay: &[u8], at: usize, ansi: Ansi) -> Option<Escape> {
    match hay[at] {
        b'\\' => backslash(&hay[at..]),
        b'%' => percent(&hay[at..]),
        b'&' => entity(&hay[at..]),
        ESC => control_sequence(&hay[at..]).map(|length| ansi.escape(length)),
        b'=' | b'#' => plain_escape(&hay[at..]).map(|(byte, length)| Escape::byte(byte, length)),
        _ => zero_width(&hay[at..]).map(|length| ansi.escape(length)),
    }
}

fn backslash(rest: &[u8]) -> Option<Escape> {
    match *rest.get(1)? {
        b'n' => Some(Escape::byte(b'\n', 2)),
        b'r' => Some(Escape::byte(b'\r', 2)),
        b't' => Some(Escape::byte(b'\t', 2)),
        byte @ (b'"' | b'\\' | b'/') => Some(Escape::byte(byte, 2)),
        b'u' => utf16(rest),
        b'x' => hex_bytes(rest, 4, |rest| rest.starts_with(b"\\x")).or_else(|| lone_hex(rest)),
        b'e' if rest.get(2) == Some(&b'[') => Some(Escape::byte(ESC, 2)),
        b'0' if rest.starts_with(b"\\033[") => Some(Escape::byte(ESC, 4)),
        _ => None,
    }
}

/// `\xe9` of a text that is not UTF-8.
fn lone_hex(rest: &[u8]) -> Option<Escape> {
    Some(Escape::byte(hex(rest.get(2..4)?)? as u8, 4))
}

/// `\uXXXX`, or two of them that make a surrogate pair.
fn utf16(rest: &[u8]) -> Option<Escape> {
    let unit = hex(rest.get(2..6)?)?;
    if let Some(character) = char::from_u32(unit) {
        return Some(Escape::character(character, 6));
    }
    let low = if rest.get(6..8)? == b"\\u" { hex(rest.get(8..12)?)? } else { return None };
    let pair = char::decode_utf16([unit as u16, low as u16]).next()?.ok()?;
    Some(Escape::character(pair, 12))
}

fn percent(rest: &[u8]) -> Option<Escape> {
    if matches!(rest.get(1), Some(b'u' | b'U')) {
        return Some(Escape::character(char::from_u32(hex(rest.get(2..6)?)?)?, 6));
    }
    let escape = hex_bytes(rest, 3, |rest| rest.starts_with(b"%"))?;
    let first = escape.bytes[0];
    (!first.is_ascii() || matches!(first, b' '..=b'~' | b'\t' | b'\n' | b'\r')).then_some(escape)
}

/// One character, each byte of whose UTF-8 form is written as an escape of `width` bytes, hex digits last.
fn hex_bytes(rest: &[u8], width: usize, is_escape: impl Fn(&[u8]) -> bool) -> Option<Escape> {
    let mut bytes = [0; 4];
    for count in 1..=4 {
        let written = rest.get((count - 1) * width..count * width)?;
        if !is_escape(written) {
            return None;
        }
        bytes[count - 1] = hex(&written[width - 2..])? as u8;
        if let Ok(text) = std::str::from_utf8(&bytes[..count]) {
            return text.chars().next().map(|character| Escape::character(character, count * width));
        }
    }
    None
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))
}

/// Named entities that stand for a byte that matters here (HTML 5, section 13.5).
const ENTITIES: [(&[u8], char); 8] = [
    (b"&amp;", '&'),
    (b"&lt;", '<'),
    (b"&gt;", '>'),
    (b"&quot;", '"'),
    (b"&apos;", '\''),
    (b"&nbsp;", '\u{A0}'),
    (b"&commat;", '@'),
    (b"&period;", '.'),
];

fn entity(rest: &[u8]) -> Option<Escape> {
    if rest.get(1) == Some(&b'#') {
        return numeric_entity(rest);
    }
    let named = ENTITIES.iter().find(|(name, _)| rest.starts_with(name));
    let (name, character) = named.or_else(|| rest.starts_with(COLON.0).then_some(&COLON))?;
    Some(Escape::character(*character, name.len()))
}

const COLON: (&[u8], char) = (b"&colon;", ':');

/// `&#64;` or `&#x40;`, with up to seven digits.
fn numeric_entity(rest: &[u8]) -> Option<Escape> {
    let (start, radix) = if matches!(rest.get(2)?, b'x' | b'X') { (3, 16) } else { (2, 10) };
    let length = rest[start..].iter().take(8).position(|byte| *byte == b';')?;
    let digits = &rest[start..start + length];
    let code = digits
        .iter()
        .try_fold(0u32, |value, digit| Some(value * radix + char::from(*digit).to_digit(radix)?))?;
    (length > 0).then_some(())?;
    Some(Escape::character(char::from_u32(code)?, start + length + 1))
}

/// Length of `ESC [`, parameters, intermediates, final byte (ECMA-48, section 5.4).
fn control_sequence(rest: &[u8]) -> Option<usize> {
    if rest.get(1) != Some(&b'[') {
        return None;
    }
    let body = &rest[2..rest.len().min(MAX_CSI_BYTES)];
    let end = body.iter().position(|byte| !(0x20..=0x3F).contains(byte))?;
    (0x40..=0x7E).contains(&body[end]).then_some(end + 3)
}

fn zero_width(rest: &[u8]) -> Option<usize> {
    match rest {
        [0xC2, 0xAD, ..] => Some(2),
        [0xE2, 0x80, 0x8B..=0x8D, ..] | [0xE2, 0x81, 0xA0, ..] | [0xEF, 0xBB, 0xBF, ..] => Some(3),
        _ => None,
    }
}

/// Whether the escape that begins at `at` may stand for a byte that a trigger is made of, so that the
/// other triggers of [`super::index()`] cannot be seen in the bytes as they are written.
///
/// Selective, for `%2F`, `\n` and `\"` are everywhere and hide nothing: a separator of card numbers counts
/// only between digits, a colour only inside a word of digits, dots and colons.
pub fn hides_trigger(hay: &[u8], at: usize) -> bool {
    let Some((first, length)) = innermost(&hay[at..]) else { return false };
    // Of `\\u0020` the backslashes in front are part of the escape as it was first written.
    let start = hay[..at].iter().rposition(|byte| *byte != b'\\').map_or(0, |last| last + 1);
    let (before, after) = (&hay[..start], &hay[at + length..]);
    match first {
        b'@' | b'.' | b':' | b'0'..=b'9' => true,
        b' ' | b'-' | b'+' | 0xC2 => joins(before, after, |byte| byte.is_ascii_digit()),
        // What is left after the decoding may itself begin an escape: `\\u0040`, `&amp;#64;`.
        b'\\' | b'%' | b'&' => true,
        b'=' if after.starts_with(b"40") => true,
        b'#' if after.starts_with(b"033[") => true,
        b'a'..=b'f' | b'A'..=b'F' if joins(before, after, in_address) => true,
        0 => may_vanish(&hay[..at], before, after),
        ESC => may_vanish(&hay[..at], before, &after[control_length(after)..]),
        // The escape is a part of another: of `&#64%3B`, of `\%750040`.
        b'a'..=b'z' | b'A'..=b'Z' | b'#' | b'[' | b';' => splits_escape(&hay[..at], after),
        _ => false,
    }
}

fn in_address(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':')
}

/// Whether the bytes on both sides of an escape, or on one side where the other is an escape as well,
/// satisfy `fits`.
fn joins(before: &[u8], after: &[u8], fits: impl Fn(u8) -> bool) -> bool {
    let continues = |byte: u8| fits(byte) || INTRODUCERS.contains(&byte);
    before.last().is_some_and(|byte| fits(*byte)) && after.first().is_some_and(|byte| continues(*byte))
}

/// Whether the bytes around what vanishes make a trigger once they stand side by side.
fn may_vanish(all_before: &[u8], before: &[u8], after: &[u8]) -> bool {
    joins(before, after, in_address)
        || joins_groups(before, after)
        || splits_escape(all_before, after)
        || splits_quoted(before, after)
}

/// Whether the place is inside an escape: between `%` and `40`.
fn splits_escape(before: &[u8], after: &[u8]) -> bool {
    /// `&commat`, `\u0040`.
    const MAX_BEGUN_BYTES: usize = 9;
    let in_body = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'#' | b'[' | 0x80..=0xBF);
    let body = before.iter().rev().take(MAX_BEGUN_BYTES).take_while(|byte| in_body(byte)).count();
    let introducer = before[..before.len() - body].last();
    let goes_on = |byte: &u8| in_body(byte) || *byte == b';' || INTRODUCERS.contains(byte);
    introducer.is_some_and(|byte| INTRODUCERS.contains(byte)) && after.first().is_some_and(goes_on)
        || begins_control(before)
}

/// Whether the bytes end in the `[` and parameters of a control sequence, whose end may be behind another.
fn begins_control(before: &[u8]) -> bool {
    let is_parameter = |byte: &u8| (0x20..=0x3F).contains(byte);
    let parameters = before.iter().rev().take(MAX_CSI_BYTES).take_while(|byte| is_parameter(byte)).count();
    before[..before.len() - parameters].ends_with(b"[")
}

/// Length of the rest of a control sequence whose ESC was written as an escape; 0 if it is none.
fn control_length(after: &[u8]) -> usize {
    let Some((b'[', body)) = after.split_first() else { return 0 };
    let body = &body[..body.len().min(MAX_CSI_BYTES)];
    body.iter().position(|byte| !(0x20..=0x3F).contains(byte)).map_or(0, |end| end + 2)
}

/// Whether what vanishes stands beside the separator of two groups of digits: `4111 ESC[1m1111`.
fn joins_groups(before: &[u8], after: &[u8]) -> bool {
    let ends = |text: &[u8]| text.last().is_some_and(u8::is_ascii_digit);
    let begins =
        |text: &[u8]| text.first().is_some_and(|byte| byte.is_ascii_digit() || INTRODUCERS.contains(byte));
    match (before, after) {
        ([group @ .., b' ' | b'-' | b'+' | 0xA0], rest) => {
            ends(group.strip_suffix(b"\xC2").unwrap_or(group)) && begins(rest)
        }
        (group, [b' ' | b'-' | b'+', rest @ ..]) => ends(group) && begins(rest),
        _ => false,
    }
}

/// The first byte that the escape at the start of `rest` finally stands for, and the length of the escape.
/// 0 stands for what vanishes.
fn innermost(rest: &[u8]) -> Option<(u8, usize)> {
    match rest[0] {
        // Of `\\\\u0040` the last backslash says it.
        b'\\' if matches!(rest.get(1), Some(b'u' | b'x' | b'e' | b'0')) => {
            backslash(rest).map(|escape| reduced(&escape))
        }
        b'\\' => None,
        b'%' => innermost_percent(rest),
        b'&' => {
            let escape = entity(rest)?;
            let byte = escape.bytes[0];
            let nested =
                byte != b'&' || matches!(rest.get(escape.length), Some(b'#' | b'a' | b'c' | b'n' | b'p'));
            nested.then(|| reduced(&escape))
        }
        ESC => control_sequence(rest).map(|length| (0, length)),
        b'#' => plain_escape(rest),
        0xC2 if rest.get(1) == Some(&0xA0) => None,
        _ => zero_width(rest).map(|length| (0, length)),
    }
}

fn innermost_percent(rest: &[u8]) -> Option<(u8, usize)> {
    let escape = percent(rest)?;
    let next = rest.get(escape.length).copied().unwrap_or(0);
    match escape.bytes[0] {
        b'%' if next.is_ascii_hexdigit() || next == b'u' => nested_percent(rest, escape.length),
        b'%' => None,
        b'\\' => matches!(next, b'u' | b'x').then(|| reduced(&escape)),
        b'&' => (next == b'#').then(|| reduced(&escape)),
        _ => Some(reduced(&escape)),
    }
}

/// `%2540`: what the two digits after `%25` would stand for, behind any number of further `25`.
fn nested_percent(rest: &[u8], mut at: usize) -> Option<(u8, usize)> {
    while rest.get(at..at + 2) == Some(b"25") && at < MAX_NESTED_BYTES {
        at += 2;
    }
    if rest.get(at) == Some(&b'u') {
        return Some((b'%', at));
    }
    Some((hex(rest.get(at..at + 2)?)? as u8, at + 2))
}

fn reduced(escape: &Escape) -> (u8, usize) {
    let vanishes = zero_width(escape.as_bytes()).is_some();
    (if vanishes { 0 } else { escape.bytes[0] }, escape.length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str, ansi: Ansi) -> String {
        let mut out = Decoded::default();
        unescape(text.as_bytes(), ansi, &mut out);
        String::from_utf8_lossy(&out.bytes).into_owned()
    }

    fn hides(text: &str) -> bool {
        let hay = text.as_bytes();
        (0..hay.len()).any(|at| INTRODUCERS.contains(&hay[at]) && hides_trigger(hay, at))
    }

    #[test]
    fn one_step_decodes_each_escape_once() {
        let pairs = [
            (r#"a\\nb\nc\/d\"e"#, "a\\nb\nc/d\"e"),
            (r"\u0040\u00e9\ud83d\ude00\ud83d", "@\u{e9}\u{1f600}\\ud83d"),
            (r"\x40\xc3\xa9\xff", "@\u{e9}\u{fffd}"),
            ("%40%2540%u0040%C3%A9%B4%1B%ZZ%4", "@%40@\u{e9}%B4%1B%ZZ%4"),
            ("&#64;&#x40;&amp;amp;&commat;&period;&colon;&nbsp;&bogus;&#;", "@@&amp;@.:\u{a0}&bogus;&#;"),
            ("x\u{200b}y\u{feff}z\u{ad}\u{2060}\u{e9}\u{2013}", "xyz\u{e9}\u{2013}"),
            (r"D\bob\f \033[1m\e[0m", "D\\bob\\f \u{1b}[1m\u{1b}[0m"),
        ];
        for (text, wanted) in pairs {
            assert_eq!(decoded(text, Ansi::Remove), wanted, "{text}");
        }
    }

    #[test]
    fn control_sequences_vanish_or_separate() {
        let text = "a\u{1b}[1;31mb\u{1b}[0mc\u{1b}[\u{1b}d";
        assert_eq!(decoded(text, Ansi::Remove), "abc\u{1b}[\u{1b}d");
        assert_eq!(decoded(text, Ansi::Separate), "a\nb\nc\u{1b}[\u{1b}d");
    }

    #[test]
    fn common_escapes_hide_nothing() {
        let common =
            ["a%2Fb", "a%3Db%20c", r"x\ny", r#"\"q\""#, "&lt;&amp;&gt;", "caf\u{e9}\u{2013}", r"C:\\Users"];
        for text in common {
            assert!(!hides(text), "{text}");
        }
        assert!(!hides("\u{1b}[31mERROR\u{1b}[0m at"));
        let hidden = [
            "3782-822463\u{feff}-10005",
            "4111 \u{1b}[1m1111",
            "4111\u{a0}\u{200b}1111",
            r"203.0.\u001b[1m113.9",
            r"4111\\u00201111",
            "jane%\u{200b}40example.com",
            "91.1.\u{1b}[31\u{1b}[1mm1.25",
            "x\\u00\u{200b}40y",
            "a%40b",
            "1%201",
            "%2540",
            r"\\u003a",
            "&amp;#64;",
            "9\u{1b}[0m.",
            "1\u{200b}2",
            "%5Cu0040",
        ];
        for text in hidden {
            assert!(hides(text), "{text}");
        }
    }

    #[test]
    fn nothing_to_decode_is_said() {
        let mut out = Decoded::default();
        assert!(!unescape(b"100% \\z & \x1b", Ansi::Remove, &mut out));
    }
}
