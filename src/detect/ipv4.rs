//! IPv4 addresses in dotted decimal (RFC 791), told from versions, OIDs and other dotted numbers.

use super::context::{Words, has_word_before, is_word};
use super::{Detector, Reason, Trigger, Verdict};
use crate::finding::Finding;
use crate::kind::Kind;
use crate::span::Span;

/// The detector.
#[derive(Debug)]
pub struct Ipv4;

/// The part of an address before its third dot: `255.255.255`.
const MAX_HEAD_BYTES: usize = 11;
/// Between a word that announces a version and the version: `"version": "`, `Version&gt; `, `\": \"`.
pub(super) const MAX_BETWEEN_BYTES: usize = 8;
/// Longest word that is looked at before an address: product names in user agents are shorter.
const MAX_WORD_BYTES: usize = 40;

impl Detector for Ipv4 {
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::IPV4]
    }

    fn trigger(&self) -> Trigger {
        Trigger::Dots
    }

    fn verify(&self, hay: &[u8], at: usize) -> Verdict {
        let outcome = address(hay, at).and_then(|span| {
            reject_version(hay, span)?;
            Ok(Finding { span, kind: Kind::IPV4 })
        });
        // The next dot of a longer run is asked on its own: what is before it is eleven bytes at most.
        Verdict { outcome, resume: at + 1 }
    }
}

/// The four parts around the third dot, and what touches them.
fn address(hay: &[u8], third_dot: usize) -> Result<Span, Reason> {
    let start = head_start(hay, third_dot);
    let end = third_dot + 1 + digits_at(&hay[third_dot + 1..]);
    let span = Span::new(start, end);
    if !is_quad(span.of(hay)) {
        return Err("not four parts of 0 to 255");
    }
    check_left(hay, start)?;
    check_right(hay, span)?;
    Ok(span)
}

/// Where three groups of digits and dots before the third dot begin.
fn head_start(hay: &[u8], third_dot: usize) -> usize {
    let floor = third_dot.saturating_sub(MAX_HEAD_BYTES);
    let mut start = third_dot;
    let mut dots = 0;
    while start > floor {
        match hay[start - 1] {
            b'0'..=b'9' => {}
            b'.' if dots < 2 => dots += 1,
            _ => break,
        }
        start -= 1;
    }
    start
}

fn digits_at(rest: &[u8]) -> usize {
    rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Whether the text is an address. A part that is padded with zeros to three digits (`192.030.000.006`) is
/// one; other leading zeros are those of dates and versions (RFC 6943 section 3.1.1 on what they may mean).
pub(super) fn is_quad(text: &[u8]) -> bool {
    let (mut dots, mut value, mut length) = (0_u32, 0_u32, 0_u32);
    let mut leading_zero = false;
    let fits = |value: u32, length: u32, leading_zero: bool| {
        value <= 255 && (length == 3 || length == 1 || length == 2 && !leading_zero)
    };
    for byte in text {
        match byte {
            b'0'..=b'9' if length < 3 => {
                leading_zero = if length == 0 { *byte == b'0' } else { leading_zero };
                value = value * 10 + u32::from(byte - b'0');
                length += 1;
            }
            b'.' if fits(value, length, leading_zero) => (dots, value, length) = (dots + 1, 0, 0),
            _ => return false,
        }
    }
    dots == 3 && fits(value, length, leading_zero)
}

fn check_left(hay: &[u8], start: usize) -> Result<(), Reason> {
    let Some(&before) = start.checked_sub(1).and_then(|at| hay.get(at)) else { return Ok(()) };
    let earlier = start.checked_sub(2).and_then(|at| hay.get(at)).copied().unwrap_or(b' ');
    match before {
        _ if is_word(before) => Err("glued to a word"),
        b'.' if earlier.is_ascii_digit() => Err("part of a longer dotted run"),
        _ => Ok(()),
    }
}

fn check_right(hay: &[u8], span: Span) -> Result<(), Reason> {
    let rest = &hay[span.end..];
    match *rest {
        [after, ..] if is_word(after) => Err("glued to a word"),
        [b'.', digit, ..] if digit.is_ascii_digit() => check_dot_port(hay, span),
        [b'.', letter, ..] if letter.is_ascii_alphabetic() && has_file_ending(&rest[1..]) => {
            Err("version in a file name")
        }
        _ => Ok(()),
    }
}

/// tcpdump writes `IP 203.0.113.9.52344 > 198.51.100.7.443: `.
fn check_dot_port(hay: &[u8], span: Span) -> Result<(), Reason> {
    let digits = digits_at(&hay[span.end + 1..]);
    let rest = &hay[span.end + 1 + digits..];
    let before = &hay[..span.start];
    let is_port =
        (1..=5).contains(&digits) && !matches!(rest, [b'.', after, ..] if after.is_ascii_alphanumeric());
    let is_flow = before.ends_with(b"> ")
        || before.ends_with(b"IP ")
        || rest.starts_with(b" > ")
        || has_twin(before, rest);
    if is_port && is_flow { Ok(()) } else { Err("part of a longer dotted run") }
}

/// Dante writes both ends next to each other: `203.0.113.9.50550 198.51.100.7.1080`.
fn has_twin(before: &[u8], rest: &[u8]) -> bool {
    const MAX_TOKEN_BYTES: usize = 21;
    let is_twin = |token: Option<&[u8]>| {
        token.is_some_and(|token| {
            token.len() <= MAX_TOKEN_BYTES
                && token.iter().filter(|byte| **byte == b'.').count() == 4
                && token.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
        })
    };
    let before = &before[before.len().saturating_sub(MAX_TOKEN_BYTES + 2)..];
    let rest = &rest[..rest.len().min(MAX_TOKEN_BYTES + 2)];
    let earlier = before.strip_suffix(b" ").and_then(|before| before.rsplit(|byte| *byte == b' ').next());
    let later =
        rest.strip_prefix(b" ").and_then(|rest| rest.split(|byte| matches!(byte, b' ' | b':' | b',')).next());
    is_twin(earlier) || is_twin(later)
}

/// Endings after a version in the name of a package, a library or an archive.
pub static FILE_ENDINGS: Words = Words::of(
    "\
    el5 el6 el7 el8 el9 fc rpm deb apk tar tgz gz bz2 xz zip jar war whl gem dll exe msi so dylib js css \
    php html x86 amd64 noarch nupkg",
);

fn has_file_ending(rest: &[u8]) -> bool {
    let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let ending = &rest[..length];
    FILE_ENDINGS.contains(ending) || ending.len() <= 4 && ending.starts_with(b"fc")
}

/// Words after which four numbers are a version or an object identifier.
pub const VERSION_WORDS: [&str; 8] = ["version", "versions", "ver", "vers", "rv", "firmware", "fw", "oid"];
/// Words that also stand before addresses (`release 192.168.0.7`), so the numbers have to be low.
pub const WEAK_VERSION_WORDS: [&str; 6] = ["v", "release", "build", "revision", "rev", "section"];
/// Words after a hyphen that make the number before them a version.
pub static VERSION_SUFFIXES: Words = Words::of(
    "\
    alpha beta rc pre snapshot release final ga dev stable nightly microsoft generic ubuntu debian amd64 \
    x86_64 lts",
);
/// Words before a hyphen or a slash that name what has an address, not a product.
pub static ADDRESS_WORDS: Words = Words::of(
    "\
    ip ipv4 ip4 inet addr address host hostname node server srv client peer remote local static dynamic \
    dyn dhcp dsl adsl ppp pool cable worker master slave gateway gw router dns ns from to src dst tcp \
    udp icmp handler",
);
/// Products written in lower case or all capitals, which otherwise are words of a path or host names.
pub static PRODUCTS: Words = Words::of(
    "\
    opr gsa mra fbav fbsv crios fxios edg edga edgios linux kernel curl wget python ruby perl php java \
    node nginx apache okhttp axios openssl libcurl libwww-perl winhttp git npm pip go dart requests \
    aiohttp electron ios darwin msie lcc",
);

fn reject_version(hay: &[u8], span: Span) -> Result<(), Reason> {
    let before = &hay[..span.start];
    if announces_version(before, span.of(hay)) {
        return Err("a version, by the word before it");
    }
    if has_version_suffix(&hay[span.end..]) {
        return Err("a version, by what follows it");
    }
    match before.last() {
        Some(b'/') => reject_product(before, hay, span),
        Some(b'-') => reject_package(before, span.of(hay)),
        Some(b'.') => reject_dotted_name(before, &hay[span.end..]),
        _ => Ok(()),
    }
}

fn announces_version(before: &[u8], quad: &[u8]) -> bool {
    let is_between = |byte: &u8| {
        matches!(byte, b' ' | b'\t' | b':' | b'=' | b'"' | b'\'' | b'\\' | b'>' | b'[' | b'(' | b'+')
    };
    let between = before.iter().rev().take(MAX_BETWEEN_BYTES).take_while(|byte| is_between(byte)).count();
    let end = before.len() - between;
    // The last letters of the words below; most text ends here.
    if end > 0 && !matches!(before[end - 1] | 0x20, b'n' | b's' | b'r' | b'v' | b'e' | b'w' | b'd') {
        return false;
    }
    if between == 0 || end == 0 || !before[end - 1].is_ascii_alphabetic() {
        return false;
    }
    let ends_in =
        |words: &[&str]| words.iter().any(|word| has_word_before(&before[..end], end, word.len(), &[word]));
    ends_in(&VERSION_WORDS) || is_low(quad) && ends_in(&WEAK_VERSION_WORDS)
}

/// `5.15.90.1-microsoft-standard`, `10.0.0.1-beta`, `1.2.3.4-0ubuntu1`, `1.2.3.4-rc1`.
fn has_version_suffix(rest: &[u8]) -> bool {
    let Some((b'-' | b'+' | b'~', rest)) = rest.split_first() else { return false };
    let digits = digits_at(rest);
    let word = &rest[digits.min(3)..];
    VERSION_SUFFIXES.iter().any(|suffix| {
        word.get(..suffix.len()).is_some_and(|start| start.eq_ignore_ascii_case(suffix))
            && !word.get(suffix.len()).is_some_and(u8::is_ascii_alphabetic)
    })
}

/// `Chrome/103.0.0.0`, but not `host/10.0.0.1:8020`, `query/ip/192.0.2.1` or `LearnerHandler-/10.10.34.11`.
fn reject_product(before: &[u8], hay: &[u8], span: Span) -> Result<(), Reason> {
    let word = last_word(&before[..before.len() - 1]);
    let ends_in_port = hay[span.end..].starts_with(b":");
    if ends_in_port
        || word.is_empty()
        || !(is_product(word, before) || is_listed(before, word, &hay[span.end..]))
    {
        return Ok(());
    }
    if is_private(span.of(hay)) && !is_known_product(word) {
        return Ok(());
    }
    Err("version of a product")
}

/// The word that ends the bytes: letters, digits and `.`, `-`, `_` inside.
fn last_word(before: &[u8]) -> &[u8] {
    let inside = |byte: &u8| is_word(*byte) || matches!(byte, b'.' | b'-' | b'!');
    let length = before.iter().rev().take(MAX_WORD_BYTES).take_while(|byte| inside(byte)).count();
    &before[before.len() - length..]
}

/// Among other products with versions, as in `OpenSSL/1.0.1 zlib/1.2.3.4 libidn/1.23`.
fn is_listed(before: &[u8], word: &[u8], rest: &[u8]) -> bool {
    // Two hosts next to each other have quads on both sides, lists of products hardly ever do.
    let is_version = |token: &[u8]| {
        let Some(slash) = token.iter().position(|byte| *byte == b'/') else { return false };
        let version = &token[slash + 1..];
        let dots = version.iter().filter(|byte| **byte == b'.').count();
        token[0].is_ascii_alphabetic() && version.first().is_some_and(u8::is_ascii_digit) && dots < 3
    };
    let earlier = &before[..before.len() - 1 - word.len()];
    let earlier = &earlier[earlier.len().saturating_sub(2 * MAX_WORD_BYTES)..];
    let mut earlier = earlier.rsplit(|byte| *byte == b' ');
    let separated = earlier.next().is_some_and(<[u8]>::is_empty);
    let previous = earlier.next().map_or(&[][..], |token| &token[..token.len().min(MAX_WORD_BYTES)]);
    let next = rest.strip_prefix(b" ").map_or(&[][..], |rest| &rest[..rest.len().min(MAX_WORD_BYTES)]);
    let next = next.split(|byte| *byte == b' ').next().unwrap_or(next);
    let is_host = ADDRESS_WORDS.contains(word);
    separated && !is_host && (is_version(previous) || is_version(next))
}

fn is_known_product(word: &[u8]) -> bool {
    let name = word.rsplit(|byte| *byte == b'-').next().unwrap_or(word);
    [word, name].iter().any(|word| PRODUCTS.contains(word))
}

/// A product is written with capital and small letters and does not stand in a path.
fn is_product(word: &[u8], before: &[u8]) -> bool {
    let in_front = before.len().checked_sub(word.len() + 2).and_then(|at| before.get(at));
    if matches!(in_front, Some(b'/' | b':' | b'=' | b'@' | b'\\' | b'[')) && !is_known_product(word) {
        return false;
    }
    if ADDRESS_WORDS.contains(word) {
        return false;
    }
    let mixed = word[0].is_ascii_uppercase() && word.iter().any(u8::is_ascii_lowercase);
    let ends_in_letter = word.last().is_some_and(u8::is_ascii_alphanumeric);
    mixed && ends_in_letter || is_known_product(word)
}

/// `phpMyAdmin-2.8.2.3`, `openssl-1.0.2.4`, but not `BP-108841162-10.10.34.11` or `static-203.0.113.9`.
fn reject_package(before: &[u8], quad: &[u8]) -> Result<(), Reason> {
    let word = last_word(&before[..before.len() - 1]);
    let name = word.rsplit(|byte| matches!(byte, b'-' | b'.' | b'_')).next().unwrap_or(word);
    let is_name = name.first().is_some_and(u8::is_ascii_alphabetic);
    if !is_name || ADDRESS_WORDS.contains(name) || !is_low(quad) {
        return Ok(());
    }
    Err("version of a package")
}

/// Versions start small and stay small; an address that does is the rare one.
fn is_low(quad: &[u8]) -> bool {
    !is_private(quad) && !parts(quad).iter().skip(1).any(|part| *part >= 100) && parts(quad)[0] < 128
}

/// `libfoo.so.1.2.3.4`, but not the host name `static.1.1.168.192.client.example`.
fn reject_dotted_name(before: &[u8], rest: &[u8]) -> Result<(), Reason> {
    let in_name = before.len() > 1 && is_word(before[before.len() - 2]);
    let goes_on = matches!(rest, [b'.', letter, ..] if letter.is_ascii_alphabetic());
    if in_name && !goes_on { Err("end of a dotted name") } else { Ok(()) }
}

/// RFC 1918, less what versions look like: `10.0.0.0` to `10.0.0.9`.
fn is_private(quad: &[u8]) -> bool {
    match parts(quad) {
        [10, 0, 0, last] => last > 9,
        [10, ..] | [192, 168, ..] => true,
        [172, second, ..] => (16..32).contains(&second),
        _ => false,
    }
}

fn parts(quad: &[u8]) -> [u32; 4] {
    let mut parts = [0; 4];
    for (part, text) in parts.iter_mut().zip(quad.split(|byte| *byte == b'.')) {
        *part = text.iter().fold(0, |value, digit| value * 10 + u32::from(digit.wrapping_sub(b'0')));
    }
    parts
}
