//! E-mail addresses (RFC 5321, RFC 5322, RFC 6531) as logs hold them.
//!
//! A log glues addresses to keys, paths and text, so what RFC 5322 allows in a local part is not what is
//! taken: the bytes that delimit in practice end it, unless the form of the address says otherwise.

use super::context::{Words, char_after, char_before};
use super::{Detector, Reason, Trigger, Verdict, ipv4, ipv6};
use crate::finding::Finding;
use crate::kind::Kind;
use crate::span::Span;

/// The detector.
#[derive(Debug)]
pub struct Email;

/// RFC 5321 section 4.5.3.1.1.
const MAX_LOCAL_BYTES: usize = 64;
/// Rewritten senders (SRS, VERP, BATV) hold a whole address and more; RFC 5321 section 4.5.3.1.3 allows
/// 256 octets for a path.
const MAX_REWRITTEN_BYTES: usize = 192;
/// RFC 5321 section 4.5.3.1.2.
const MAX_DOMAIN_BYTES: usize = 255;
/// RFC 1035 section 2.3.4.
const MAX_LABEL_BYTES: usize = 63;

impl Detector for Email {
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::EMAIL]
    }

    fn trigger(&self) -> Trigger {
        Trigger::At
    }

    fn verify(&self, hay: &[u8], at: usize) -> Verdict {
        let outcome = address(hay, at).map(|span| Finding { span, kind: Kind::EMAIL });
        Verdict { outcome, resume: at + 1 }
    }
}

fn address(hay: &[u8], at: usize) -> Result<Span, Reason> {
    let span = simple(hay, at)?;
    // `jane@example.com@REALM.EXAMPLE`: Kerberos enterprise names and proxies hold a whole address.
    match span.start.checked_sub(1).filter(|&at| hay[at] == b'@').map(|at| simple(hay, at)) {
        Some(Ok(inner)) if inner.end == at => Ok(Span::new(inner.start, span.end)),
        _ => Ok(span),
    }
}

fn simple(hay: &[u8], at: usize) -> Result<Span, Reason> {
    let end = domain_end(hay, at + 1)?;
    let start = local_start(hay, at, end)?;
    if is_algorithm(&hay[start..at], &hay[at + 1..end]) {
        return Err("name of an SSH algorithm");
    }
    Ok(Span::new(start, end))
}

// The local part.

fn local_start(hay: &[u8], at: usize, end: usize) -> Result<usize, Reason> {
    if at > 0 && hay[at - 1] == b'"' {
        return quoted_start(hay, at - 1);
    }
    if let Some(start) = simple_start(hay, at) {
        return Ok(start);
    }
    let run = run_start(hay, at);
    let start = rewritten_start(hay, run, at)
        .or_else(|| bracketed_start(hay, run, at, end))
        .unwrap_or_else(|| plain_start(hay, run, at));
    if start == at {
        return Err("nothing before the @");
    }
    if at - start > MAX_LOCAL_BYTES && rewritten_start(hay, run, at).is_none() {
        return Err("local part longer than 64 octets");
    }
    Ok(start)
}

/// `"john doe"@`: the quote that opens has to stand where a word begins, lest the end of one string and
/// the start of the next are taken for one.
fn quoted_start(hay: &[u8], closing: usize) -> Result<usize, Reason> {
    let floor = closing.saturating_sub(MAX_LOCAL_BYTES);
    let is_open = |at: usize| hay[at] == b'"' && (at == 0 || hay[at - 1] != b'\\');
    let open = (floor..closing).rev().find(|&at| is_open(at)).ok_or("quotes that do not open")?;
    let content = &hay[open + 1..closing];
    let delimited = match open.checked_sub(1).map(|before| hay[before]) {
        None | Some(b' ' | b'\t' | b'<' | b'(' | b'[' | b'=' | b':' | b',' | b';' | b'>') => true,
        // An address at the start of a JSON text; `","@` is the end of one text and the start of the next.
        Some(b'"') => content.first().is_some_and(u8::is_ascii_alphanumeric),
        _ => false,
    };
    if content.is_empty() || !delimited || content.iter().any(u8::is_ascii_control) {
        return Err("nothing before the @");
    }
    Ok(open)
}

/// Where the local part begins if it is as most are: letters, digits and single `.`, `_`, `-`, `+` between
/// them, behind a byte that ends it in any case. `None` leaves it to the exact look.
fn simple_start(hay: &[u8], at: usize) -> Option<usize> {
    let floor = at.saturating_sub(MAX_LOCAL_BYTES + 1);
    let mut start = at;
    while start > floor && LOCAL[usize::from(hay[start - 1])] == Local::Letter {
        start -= 1;
    }
    while start > floor + 1
        && start < at
        && LOCAL[usize::from(hay[start - 1])] == Local::Joint
        && LOCAL[usize::from(hay[start - 2])] == Local::Letter
    {
        start -= 2;
        while start > floor && LOCAL[usize::from(hay[start - 1])] == Local::Letter {
            start -= 1;
        }
    }
    let ended = start == 0 || LOCAL[usize::from(hay[start - 1])] == Local::End;
    (start < at && at - start <= MAX_LOCAL_BYTES && ended).then_some(start)
}

/// What a byte is to [`simple_start`].
#[derive(Clone, Copy, PartialEq, Eq)]
enum Local {
    Letter,
    Joint,
    /// Neither in a local part nor in front of one does it mean anything.
    End,
    Other,
}

static LOCAL: [Local; 256] = {
    let mut table = [Local::Other; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => Local::Letter,
            b'.' | b'_' | b'-' | b'+' => Local::Joint,
            0..=b' ' | b'"' | b'(' | b')' | b',' | b':' | b';' | b'>' | b'[' | b']' => Local::End,
            _ => Local::Other,
        };
        byte += 1;
    }
    table
};

/// Whether a byte ends a local part on its left, whatever stands before it.
#[inline(always)]
pub(super) fn ends_local(byte: u8) -> bool {
    LOCAL[usize::from(byte)] == Local::End
}

/// Where the bytes begin that RFC 5322 and RFC 6531 allow in a local part.
fn run_start(hay: &[u8], at: usize) -> usize {
    let floor = at.saturating_sub(MAX_REWRITTEN_BYTES);
    let mut start = at;
    loop {
        // Nearly all of it is ASCII.
        start -= hay[floor..start].iter().rev().take_while(|byte| IS_LOCAL[usize::from(**byte)]).count();
        match char_before(hay, start) {
            Some((character, length)) if is_wide_local(character) && start >= floor + length => {
                start -= length
            }
            _ => return start,
        }
    }
}

/// The ASCII characters that RFC 5322 allows in a local part without quotes (`atext` and the dot).
static IS_LOCAL: [bool; 256] = {
    let mut table = [false; 256];
    let (signs, mut at) = (b"!#$%&'*+-/=?^_`{|}~.", 0);
    while at < signs.len() {
        table[signs[at] as usize] = true;
        at += 1;
    }
    let mut byte = 0;
    while byte < 128 {
        table[byte] |= (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    table
};

fn is_wide_local(character: char) -> bool {
    !character.is_ascii() && is_name_character(character)
}

/// Letters, marks and digits beyond ASCII; not the punctuation, spaces, arrows and symbols around text.
fn is_name_character(character: char) -> bool {
    character.is_alphanumeric()
        || matches!(character, '\u{300}'..='\u{36F}' | '\u{900}'..='\u{DFF}' | '\u{E00}'..='\u{E7F}')
}

/// Marks of a rewritten sender, each with what has to follow it: SRS, BATV, VERP and mailing lists.
pub const REWRITTEN: [(&[u8], &[u8]); 12] = [
    (b"srs0", b"=+-"),
    (b"srs1", b"=+-"),
    (b"prvs", b"="),
    (b"btv1", b"="),
    (b"msprvs1", b"="),
    (b"bounce", b"+-"),
    (b"bounces", b"+-"),
    (b"return", b"+-"),
    (b"owner", b"-"),
    (b"sentto", b"-"),
    (b"verp", b"+-"),
    (b"errors", b"+-"),
];

/// `SRS0=…=user@`, `bounce+123-jane=example.org@`: all of it identifies, so all of it is taken.
fn rewritten_start(hay: &[u8], run: usize, at: usize) -> Option<usize> {
    let last = memchr::memrchr(b'=', &hay[run..at])?; // nothing is cut off without one
    // Two looks at tables turn nearly all places away.
    let mut before = BEFORE_MARK;
    let start = (run..at).find(|&start| {
        let here = MARKS[usize::from(hay[start])];
        let may_be = before & BEFORE_MARK & here >> 1 != 0;
        before = here;
        may_be && is_mark(&hay[start..at])
    })?;
    (start <= run + last).then_some(start)
}

fn is_mark(text: &[u8]) -> bool {
    REWRITTEN.iter().any(|(mark, joints)| {
        text.len() > mark.len()
            && text[..mark.len()].eq_ignore_ascii_case(mark)
            && joints.contains(&text[mark.len()])
    })
}

const BEFORE_MARK: u8 = 1;
const FIRST_OF_MARK: u8 = 2;

/// What a byte is to a mark of a rewritten sender.
static MARKS: [u8; 256] = {
    let mut table = [0; 256];
    let (before, mut at) = (b"=:/&?|", 0);
    while at < before.len() {
        table[before[at] as usize] = BEFORE_MARK;
        at += 1;
    }
    at = 0;
    while at < REWRITTEN.len() {
        let first = REWRITTEN[at].0[0];
        table[first as usize] = FIRST_OF_MARK;
        table[first.to_ascii_uppercase() as usize] = FIRST_OF_MARK;
        at += 1;
    }
    table
};

/// `<a/b=c@example.com>`: angle brackets close around the whole address, so nothing inside delimits.
fn bracketed_start(hay: &[u8], run: usize, at: usize, end: usize) -> Option<usize> {
    let is_enclosed = run > 0 && hay[run - 1] == b'<' && hay.get(end) == Some(&b'>');
    // An `=` may end the name of a field, unless it is the last byte: then the local part is base64 or a token.
    let is_whole = run < at && (!hay[run..at].contains(&b'=') || hay[at - 1] == b'=');
    (is_enclosed && is_whole && hay[run].is_ascii_alphanumeric()).then_some(run)
}

/// The local part without what is glued to it: cut at bytes that delimit in practice, at a change from
/// another script to ASCII, and at three equal signs in a row (leaders, rules); then stripped on the left.
fn plain_start(hay: &[u8], run: usize, at: usize) -> usize {
    let mut start = at;
    let mut ascii = true;
    while start > run {
        let Some((character, length)) = char_before(hay, start) else { break };
        let latin = is_latin(character);
        if start == at {
            ascii = latin;
        }
        if is_delimiter(character) || ascii && !latin || is_leader(hay, start) {
            break;
        }
        start -= length;
    }
    while start < at && b".-+~!^$%'".contains(&hay[start]) {
        start += 1;
    }
    start
}

fn is_delimiter(character: char) -> bool {
    "=&?|/{}`*#".contains(character)
}

fn is_leader(hay: &[u8], end: usize) -> bool {
    let sign = hay[end - 1];
    !sign.is_ascii_alphanumeric()
        && sign.is_ascii()
        && end >= 3
        && hay[end - 3..end].iter().all(|byte| *byte == sign)
}

/// ASCII, and the letters of the Latin script, which form words with it.
fn is_latin(character: char) -> bool {
    character.is_ascii() || matches!(character, '\u{AA}'..='\u{36F}' | '\u{1E00}'..='\u{1EFF}')
}

// The domain.

fn domain_end(hay: &[u8], start: usize) -> Result<usize, Reason> {
    if hay.get(start) == Some(&b'[') {
        return literal_end(hay, start);
    }
    let ascii = ascii_run(hay, start);
    if hay.get(start + ascii).is_none_or(u8::is_ascii) {
        return host_name(hay, start, start + ascii);
    }
    let end = domain_run(hay, start);
    let narrow = ascii_end(hay, start, end);
    host_name(hay, start, narrow)
        .or_else(|reason| if narrow < end { host_name(hay, start, end) } else { Err(reason) })
}

/// `[192.0.2.1]`, `[IPv6:2001:db8::1]` (RFC 5321 section 4.1.3).
fn literal_end(hay: &[u8], start: usize) -> Result<usize, Reason> {
    const MAX_LITERAL_BYTES: usize = 53;
    let content = &hay[start + 1..hay.len().min(start + 1 + MAX_LITERAL_BYTES)];
    let length = content.iter().position(|byte| *byte == b']').ok_or("no domain after the @")?;
    let content = &content[..length];
    let tagged = content.get(..5).is_some_and(|tag| tag.eq_ignore_ascii_case(b"IPv6:"));
    let is_literal = if tagged { ipv6::is_address(&content[5..]) } else { ipv4::is_quad(content) };
    if is_literal { Ok(start + length + 2) } else { Err("no address in the brackets after the @") }
}

/// How many ASCII letters, digits, hyphens, underscores and dots there are.
fn ascii_run(hay: &[u8], start: usize) -> usize {
    let inside = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(**byte, b'.' | b'-' | b'_');
    hay[start..].iter().take(MAX_DOMAIN_BYTES).take_while(inside).count()
}

/// Where the letters, digits, hyphens, underscores and dots of any script end.
fn domain_run(hay: &[u8], start: usize) -> usize {
    let mut end = start;
    while let Some((character, length)) = char_after(hay, end) {
        let inside = character.is_ascii_alphanumeric()
            || matches!(character, '.' | '-' | '_')
            || !character.is_ascii() && is_name_character(character);
        if !inside || end + length - start > MAX_DOMAIN_BYTES {
            break;
        }
        end += length;
    }
    end
}

/// Where another script is glued to ASCII: `example.com` of an address in the midst of Chinese text.
fn ascii_end(hay: &[u8], start: usize, end: usize) -> usize {
    let mut at = start;
    let mut ascii = false;
    while at < end {
        let Some((character, length)) = char_after(hay, at) else { break };
        if ascii && !is_latin(character) {
            return at;
        }
        ascii = is_latin(character) && character != '.';
        at += length;
    }
    end
}

/// The end of the longest host name of two labels or more that ends in letters. Where the whole is none
/// (`example.com.log`), what is left without its last label may be one.
fn host_name(hay: &[u8], start: usize, end: usize) -> Result<usize, Reason> {
    let domain = &hay[start..end];
    let mut end = domain.windows(2).position(|pair| pair == b"..").unwrap_or(domain.len());
    let mut failed = None;
    while let Some(dot) = domain[..end].iter().rposition(|byte| *byte == b'.') {
        if let Some(length) = top_label(&domain[dot + 1..end]) {
            let name = &domain[..dot + 1 + length];
            match check_labels(name) {
                Ok(()) => return Ok(start + name.len()),
                Err(reason) => failed = failed.or(Some(reason)),
            }
        }
        end = dot;
    }
    Err(failed.unwrap_or("no dot in the domain"))
}

/// Length of what a last label begins with, if it may be one: `xn--…`, or two letters or more, among which digits
/// may stand (no top-level domain has any, but typing errors do, and so do hosts of private networks).
fn top_label(label: &[u8]) -> Option<usize> {
    if label.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case(b"xn--")) {
        let run = label.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
        let length = label[..run].iter().rposition(|byte| *byte != b'-').map_or(0, |last| last + 1);
        if (5..=MAX_LABEL_BYTES).contains(&length) {
            return Some(length);
        }
    }
    let is_letter = |byte: &&u8| byte.is_ascii_alphabetic() || !byte.is_ascii();
    let length = label.iter().take_while(|byte| is_letter(byte) || byte.is_ascii_digit()).count();
    let letters = label[..length].iter().filter(is_letter).count();
    (letters >= 2 && !label[0].is_ascii_digit()).then_some(length)
}

/// Last labels that are endings of files and systemd units, and no domain that anybody uses for mail.
pub static NO_DOMAINS: Words = Words::of(
    "\
    service socket timer slice scope mount automount target device path swap png jpg jpeg gif svg webp \
    avif ico bmp css js mjs cjs jsx tsx ts html htm php json xml yml yaml toml txt log gz tgz zip tar xz \
    jar war class exe dll pdf doc docx csv woff ttf conf cfg tmp bak whl",
);
/// Words of pre-release versions.
pub static PRE_RELEASES: Words = Words::of(
    "\
    alpha beta rc next canary dev latest snapshot final release nightly pre",
);

fn check_labels(name: &[u8]) -> Result<(), Reason> {
    let labels: (usize, bool) = name.split(|byte| *byte == b'.').fold((0, true), |(count, valid), label| {
        (
            count + 1,
            valid
                && !label.is_empty()
                && label.len() <= MAX_LABEL_BYTES
                && label[0] != b'-'
                && label[label.len() - 1] != b'-',
        )
    });
    if labels.0 < 2 || !labels.1 {
        return Err("an empty or overlong label in the domain");
    }
    let mut names = name.split(|byte| *byte == b'.');
    let first = names.next().unwrap_or(name);
    let second = names.next().unwrap_or(name);
    let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or(name);
    if NO_DOMAINS.contains(last) || is_scale(first) {
        return Err("name of a file or a unit");
    }
    if is_number(first) && (second[0].is_ascii_digit() || PRE_RELEASES.contains(last)) {
        return Err("version of a package");
    }
    Ok(())
}

/// `2x` of `icon@2x.png`.
fn is_scale(label: &[u8]) -> bool {
    matches!(label, [b'1'..=b'9', b'x'])
}

/// `8` of `eslint@8.0.0`, `v0` of `errors@v0.9.1`.
fn is_number(label: &[u8]) -> bool {
    let digits = label.strip_prefix(b"v").unwrap_or(label);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// Domains under which RFC 4251 section 6 has private names of algorithms.
pub static ALGORITHM_DOMAINS: Words = Words::of(
    "\
    openssh.com libssh.org lysator.liu.se",
);
/// What those names begin with.
pub static ALGORITHMS: Words = Words::of(
    "\
    aes chacha20 hmac umac curve25519 sntrup ssh- sk- rsa- ecdsa zlib rijndael kex- ext- hostkeys \
    webauthn mlkem seed",
);

fn is_algorithm(local: &[u8], domain: &[u8]) -> bool {
    ALGORITHM_DOMAINS.contains(domain) && ALGORITHMS.iter().any(|name| local.starts_with(name))
}
