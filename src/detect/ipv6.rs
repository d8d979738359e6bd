//! IPv6 addresses in every text form of RFC 4291 section 2.2, told from times, MAC addresses and `::` in code.

use super::context::is_word;
use super::ipv4::is_quad;
use super::{Detector, Reason, Trigger, Verdict};
use crate::finding::Finding;
use crate::kind::Kind;
use crate::span::Span;

/// The detector.
#[derive(Debug)]
pub struct Ipv6;

/// Eight groups of four digits and a port: 39 + 6 bytes, and some of the word in front (`6:` of `IPv6:`).
const MAX_BACK_BYTES: usize = 64;
const GROUPS: usize = 8;
const MAX_GROUP_DIGITS: usize = 4;

impl Detector for Ipv6 {
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::IPV6]
    }

    fn trigger(&self) -> Trigger {
        Trigger::Colons
    }

    fn verify(&self, hay: &[u8], at: usize) -> Verdict {
        let run = run_around(hay, at);
        let outcome = may_be_address(hay, run).and_then(|()| address(hay, run));
        let outcome = outcome.map(|span| Finding { span, kind: Kind::IPV6 });
        Verdict { outcome, resume: run.end.max(at + 1) }
    }
}

/// Turns MAC addresses and the like away at once: without `::` there are seven colons, or a dotted tail.
fn may_be_address(hay: &[u8], run: Span) -> Result<(), Reason> {
    let text = run.of(hay);
    let colons = text.iter().filter(|byte| **byte == b':').count();
    let enough =
        colons >= GROUPS - 1 || hay.get(run.end) == Some(&b'.') || text.windows(2).any(|pair| pair == b"::");
    if enough { Ok(()) } else { Err("not eight groups of up to four hex digits") }
}

/// The hex digits and colons around a colon, up to a group of more than four digits. That is a word (an epoch,
/// a hash, a port) which must not hide the address next to it.
fn run_around(hay: &[u8], colon: usize) -> Span {
    let floor = colon.saturating_sub(MAX_BACK_BYTES);
    let before = reach(hay[floor..colon].iter().rev());
    let after = reach(hay[colon + 1..].iter());
    Span::new(colon - before, colon + 1 + after)
}

/// How many bytes the colons and the groups of up to four digits are.
fn reach<'h>(bytes: impl Iterator<Item = &'h u8>) -> usize {
    let (mut length, mut digits) = (0, 0);
    for byte in bytes {
        match PARTS[usize::from(*byte)] {
            Part::Colon => digits = 0,
            Part::Other => break,
            Part::Digit if digits == MAX_GROUP_DIGITS => return length - digits,
            Part::Digit => digits += 1,
        }
        length += 1;
    }
    length
}

/// What a byte is to an address.
#[derive(Clone, Copy)]
enum Part {
    Digit,
    Colon,
    Other,
}

static PARTS: [Part; 256] = {
    let mut table = [Part::Other; 256];
    let mut byte = 0;
    while byte < 128 {
        if (byte as u8).is_ascii_hexdigit() {
            table[byte] = Part::Digit;
        }
        byte += 1;
    }
    table[b':' as usize] = Part::Colon;
    table
};

fn is_hex(byte: u8) -> bool {
    matches!(PARTS[usize::from(byte)], Part::Digit)
}

/// The address in a run of hex digits and colons; a dotted tail or port may follow the run.
fn address(hay: &[u8], run: Span) -> Result<Span, Reason> {
    let start = check_left(hay, run)?;
    let run = Span::new(start, run.end);
    let end = address_end(hay, run)?;
    let span = Span::new(start, end);
    check_shape(hay, span)?;
    Ok(span)
}

/// Where the address begins: after the colon of a word that runs into it (`IPv6:`, `smtpd:`, `addr:`).
fn check_left(hay: &[u8], run: Span) -> Result<usize, Reason> {
    let text = run.of(hay);
    let before = run.start.checked_sub(1).and_then(|at| hay.get(at)).copied().unwrap_or(b' ');
    let earlier = run.start.checked_sub(2).and_then(|at| hay.get(at)).copied().unwrap_or(b' ');
    if before == b'.' && is_word(earlier) || before == b')' {
        return Err("glued to a name");
    }
    if !is_word(before) {
        return if starts_with_lone_colon(text) { Ok(run.start + 1) } else { Ok(run.start) };
    }
    let colon = text.iter().position(|byte| *byte == b':').ok_or("glued to a word")?;
    let start = run.start + colon + 1;
    match &text[colon..] {
        // `from:::ffff:192.0.2.1`, but not `arn:aws:s3:::bucket`.
        [b':', b':', b':', rest @ ..] if rest.contains(&b':') => Ok(start),
        [b':', b':', ..] => Err("scope operator of a name"),
        _ => Ok(start),
    }
}

fn starts_with_lone_colon(text: &[u8]) -> bool {
    text.starts_with(b":")
        && (!text.starts_with(b"::") || text.starts_with(b":::") && text[3..].contains(&b':'))
}

/// Where the address ends: before a port, a trailing colon or a word.
fn address_end(hay: &[u8], run: Span) -> Result<usize, Reason> {
    let after = hay.get(run.end).copied().unwrap_or(b' ');
    if after == b'.'
        && let Some(end) = dotted_end(hay, run)?
    {
        return Ok(end);
    }
    let mut end = run.end;
    let text = run.of(hay);
    let glued = is_word(after) && text.last() != Some(&b':');
    if glued {
        end = run.start + text.iter().rposition(|byte| *byte == b':').ok_or("glued to a word")?;
        if hay[run.start..end].ends_with(b":") {
            return Err("glued to a word");
        }
    } else if text.ends_with(b":") && !text.ends_with(b"::") {
        end -= 1;
    } else if is_word(after) {
        return Err("scope operator of a name");
    }
    let text = &hay[run.start..end];
    if is_address(text) {
        return Ok(end);
    }
    // A ninth group of three to five decimal digits is a port, and so is what a third colon begins: Java writes
    // `0:0:0:0:0:0:0:0:2181`, others `2001:db8:::443`.
    let cut = text.iter().rposition(|byte| *byte == b':').unwrap_or(0);
    let port = &text[(cut + 1).min(text.len())..];
    let is_ninth = (3..=5).contains(&port.len()) && port.iter().all(u8::is_ascii_digit);
    let is_full = text[..cut].ends_with(b"::")
        || text[..cut].iter().filter(|byte| **byte == b':').count() >= GROUPS - 1;
    if is_ninth && is_full && is_address(&text[..cut]) {
        return Ok(run.start + cut);
    }
    Err("not eight groups of up to four hex digits")
}

/// What follows the dot after a run: the rest of `::ffff:192.0.2.1`, a port as tcpdump writes it, or the
/// end of a sentence (`None`).
fn dotted_end(hay: &[u8], run: Span) -> Result<Option<usize>, Reason> {
    let tail = &hay[run.end..hay.len().min(run.end + 16)];
    let length = tail.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let length = tail[..length].iter().rposition(u8::is_ascii_digit).map_or(0, |last| last + 1);
    let dots = tail[..length].iter().filter(|byte| **byte == b'.').count();
    let end = run.end + length;
    let after = hay.get(end).copied().unwrap_or(b' ');
    if length == 0 || dots == 1 && !is_word(after) {
        return Ok(None);
    }
    let quad =
        run.of(hay).iter().rposition(|byte| *byte == b':').map_or(run.start, |colon| run.start + colon + 1);
    // A fourth dot starts the port of `::ffff:192.0.2.1.50550`.
    let end = if dots == 4 {
        run.end + tail[..length].iter().rposition(|byte| *byte == b'.').unwrap_or(0)
    } else {
        end
    };
    if dots > 4 || is_word(after) || !is_quad(&hay[quad..end]) || !is_address(&hay[run.start..end]) {
        return Err("the dotted tail is not an IPv4 address");
    }
    Ok(Some(end))
}

/// RFC 4291 section 2.2: eight groups, or fewer with one `::`; the last two may be an IPv4 address.
pub(super) fn is_address(text: &[u8]) -> bool {
    let (mut groups, mut digits, mut double) = (0, 0, false);
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'.' => return is_quad(&text[at - digits..]) && is_complete(groups + 2, double),
            b':' if text.get(at + 1) == Some(&b':') => {
                if double || groups == 0 && digits == 0 && at > 0 {
                    return false;
                }
                groups += usize::from(digits > 0);
                (digits, double) = (0, true);
                at += 1;
            }
            b':' if digits == 0 || at + 1 == text.len() => return false,
            b':' => (groups, digits) = (groups + 1, 0),
            _ if digits < MAX_GROUP_DIGITS && is_hex(*byte) => digits += 1,
            _ => return false,
        }
        at += 1;
    }
    is_complete(groups + usize::from(digits > 0), double)
}

fn is_complete(groups: usize, double: bool) -> bool {
    if double { groups < GROUPS } else { groups == GROUPS }
}

/// What has the form of an address and is none.
fn check_shape(hay: &[u8], span: Span) -> Result<(), Reason> {
    let text = span.of(hay);
    if text == b"::" {
        return check_unspecified(hay, span);
    }
    let pieces = || text.split(|byte| *byte == b':');
    let all_pairs = pieces().all(|piece| piece.len() == 2 || piece.is_empty());
    if all_pairs && pieces().filter(|piece| !piece.is_empty()).count() == GROUPS {
        return Err("an identifier of eight octets");
    }
    let all_decimal = || text.iter().all(|byte| byte.is_ascii_digit() || *byte == b':');
    if text.ends_with(b"::") && all_pairs && all_decimal() {
        return Err("a time");
    }
    let named = || pieces().filter(|piece| !piece.is_empty()).count();
    // `1000:1000::/home`, `us-east-1::/restapis`, but not `2001:db8::/index.html`.
    let is_field = |piece: &[u8]| piece.len() < 3 || piece.iter().all(u8::is_ascii_digit);
    if text.ends_with(b"::")
        && named() < 3
        && pieces().all(is_field)
        && matches!(hay.get(span.end..), Some([b'/', after, ..]) if is_word(*after) && !after.is_ascii_digit())
    {
        return Err("empty fields between colons");
    }
    if !text.iter().any(u8::is_ascii_digit) && named() < 3 {
        return Err("scope operator between names");
    }
    Ok(())
}

/// `::` alone is an address only where something delimits it other than blanks.
fn check_unspecified(hay: &[u8], span: Span) -> Result<(), Reason> {
    let before = span.start.checked_sub(1).and_then(|at| hay.get(at)).copied();
    let after = hay.get(span.end).copied();
    let opens = matches!(
        before,
        None | Some(b'[' | b'"' | b'\'' | b'\t' | b'\n' | b'=' | b'(' | b'<' | b'>' | b',' | b';' | b'|')
    );
    let closes = matches!(
        after,
        None | Some(b']' | b'"' | b'\'' | b'\t' | b'\r' | b'\n' | b')' | b'<' | b'>' | b',' | b';' | b'|')
    );
    let has_prefix = matches!(hay.get(span.end..), Some([b'/', digit, ..]) if digit.is_ascii_digit());
    if opens && closes || has_prefix { Ok(()) } else { Err("a separator") }
}
