//! The head of a record: what may stand before its time. [The module above](super) says why.

use memchr::memchr;

use super::number::{Number, TAI_DIGITS, Tai};
use super::read::Reader;
use super::{Clock, Form, Moment, Stamp, usual};
use crate::span::Span;

/// How far a time is looked at.
const HEAD_BYTES: usize = 256;

/// How far into it a time may begin, so that none is cut.
const LAST_START: usize = 160;

/// How far the first quote of an access log is looked for: names of users and virtual hosts come before it.
const QUOTE_BYTES: usize = 4096;

/// Bytes of the longest time of an access log, with room.
const BRACKET_BYTES: usize = 48;

/// `[10/Oct/2000:13:55:36 -0700] `
const USUAL_BRACKET_BYTES: usize = 29;

/// Digits of a number that is a time, at least.
const LEAST_DIGITS: usize = 9;

/// How many things may stand before a time: enough for a colour, a bracket, a level, its bracket, and a number.
const MOST_BEFORE: usize = 6;

pub(super) fn read(record: &[u8], clock: &Clock) -> Option<Stamp> {
    // What goes on with another record, or is JSON, or XML: most records without a time of their own.
    if matches!(record.first()?, b' ' | b'\t' | b'{' | b'}' | b'\r') {
        return None;
    }
    if let Some(reader) = Reader::usual(record, 0) {
        return Some(Stamp::of(&reader, 0, clock));
    }
    usual_of_access(record, clock).or_else(|| read_behind(record, clock))
}

/// `203.0.113.9 - - [10/Oct/2000:13:55:36 -0700] "`, without a user: nearly all lines of access logs, in a third of the
/// time.
#[inline(always)]
fn usual_of_access(record: &[u8], clock: &Clock) -> Option<Stamp> {
    let start = behind_no_user(record)?;
    let reader = Reader::usual_of_access(record, start)?;
    let is_closed = record.get(reader.at..)?.first_chunk() == Some(b"] \"");
    is_closed.then(|| Stamp::of(&reader, start, clock))
}

/// The moment of such a line, and of none but such.
#[inline(always)]
pub(super) fn moment_of_access(record: &[u8]) -> Option<Moment> {
    let seconds = usual::seconds_of_access(record, behind_no_user(record)?)?;
    Some(Moment::certain(super::timestamp(seconds, 0)))
}

/// Where the first blank stands; 16 if none does. Most hosts are addresses, for which a call takes longer than the search.
#[inline(always)]
fn first_blank(head: &[u8; 16]) -> usize {
    const EACH: u128 = u128::MAX / 255;
    let others = u128::from_le_bytes(*head) ^ (EACH * u128::from(b' '));
    let blanks = others.wrapping_sub(EACH) & !others & (EACH << 7);
    blanks.trailing_zeros() as usize / 8
}

/// Where the bracket opens behind a host without a user: `203.0.113.9 - - [`.
#[inline(always)]
fn behind_no_user(record: &[u8]) -> Option<usize> {
    /// Longest host that is looked at.
    const HOST_BYTES: usize = 48;
    const BEFORE: &[u8; 6] = b" - - [";
    let host = match record.first_chunk() {
        Some(head) if first_blank(head) < head.len() => first_blank(head),
        _ => memchr(b' ', record.get(..HOST_BYTES)?)?,
    };
    (record.get(host..)?.first_chunk() == Some(BEFORE)).then_some(host + BEFORE.len())
}

#[inline(never)]
fn read_behind(record: &[u8], clock: &Clock) -> Option<Stamp> {
    let text = record.get(..HEAD_BYTES).unwrap_or(record);
    let mut at = 0;
    for _ in 0..=MOST_BEFORE {
        let stamp = here(text, at, clock);
        if stamp.is_some() {
            return stamp;
        }
        if at == 0
            && let Some(stamp) = common_log(record, clock).or_else(|| bucket_log(record, clock))
        {
            return Some(stamp);
        }
        match before(text, at) {
            Some(next) if next <= LAST_START => at = next,
            _ => return None,
        }
    }
    None
}

/// The time that begins here.
fn here(text: &[u8], at: usize, clock: &Clock) -> Option<Stamp> {
    match text.get(at)? {
        b'0'..=b'9' => {
            written(text, at, clock).or_else(|| proxifier(text, at, clock)).or_else(|| epoch(text, at, clock))
        }
        b'A'..=b'Z' | b'a'..=b'z' => written(text, at, clock).or_else(|| worded(text, at, clock)),
        b'@' => tai(text, at),
        b'#' => history(text, at),
        b'-' => blue_gene(text, at),
        _ => None,
    }
}

pub(super) fn written(text: &[u8], at: usize, clock: &Clock) -> Option<Stamp> {
    if let Some(reader) = Reader::usual(text, at) {
        return Some(Stamp::of(&reader, at, clock));
    }
    let mut reader = Reader::new(text, at, clock.until());
    reader.stamp()?;
    Some(Stamp::of(&reader, at, clock))
}

/// Times that a word of their own stands before.
fn worded(text: &[u8], at: usize, clock: &Clock) -> Option<Stamp> {
    let rest = text.get(at..)?;
    if let Some(stamp) = klog(text, at, clock) {
        return Some(stamp);
    }
    match rest {
        [b'L', b' ', ..] => game_server(text, at + 2, clock),
        [b't', b'y', b'p', b'e', b'=', ..] => audit(text, at),
        [b'A'..=b'Z', b'A'..=b'Z' | b'0'..=b'9', ..] => blue_gene(text, at),
        _ => None,
    }
}

/// `I0301 12:34:56.789012`
pub(super) fn klog(text: &[u8], at: usize, clock: &Clock) -> Option<Stamp> {
    let [b'I' | b'W' | b'E' | b'F' | b'D', b'0' | b'1', ..] = text.get(at..)? else { return None };
    let mut reader = Reader::new(text, at + 1, clock.until());
    reader.without_year(None)?;
    Some(Stamp::of(&reader, at + 1, clock))
}

/// `[10.30 16:49:06]`
fn proxifier(text: &[u8], at: usize, clock: &Clock) -> Option<Stamp> {
    let opens = at.checked_sub(1).and_then(|before| text.get(before)) == Some(&b'[');
    if !opens || text.get(at + 2) != Some(&b'.') {
        return None;
    }
    let mut reader = Reader::new(text, at, clock.until());
    reader.without_year(Some(b'.'))?;
    (reader.byte(0) == b']').then(|| Stamp::of(&reader, at, clock))
}

/// `L 03/17/2024 - 16:13:38`
fn game_server(text: &[u8], at: usize, clock: &Clock) -> Option<Stamp> {
    let mut reader = Reader::new(text, at, clock.until());
    reader.month_first()?;
    Some(Stamp::of(&reader, at, clock))
}

/// `@4000000043225833b6e1a644`
pub(super) fn tai(text: &[u8], at: usize) -> Option<Stamp> {
    let label = Tai::read(text.get(at..)?.strip_prefix(b"@")?)?;
    let end = at + 1 + TAI_DIGITS;
    let is_whole = !text.get(end).is_some_and(u8::is_ascii_alphanumeric);
    is_whole.then_some(Stamp { span: Span::new(at, end), form: Form::Tai(label) })
}

/// `/Date(1603278584123)/`, the slashes escaped or not; the offset that may follow the number changes nothing.
pub(super) fn microsoft(text: &[u8]) -> Option<Stamp> {
    let rest = text.strip_prefix(b"\\").unwrap_or(text).strip_prefix(b"/Date(")?;
    let number = Number::read(rest).filter(|number| number.fraction == 0)?;
    let offset = rest.get(number.length..)?;
    let offset = offset.strip_suffix(b")/").or_else(|| offset.strip_suffix(b")\\/"))?;
    let is_offset = match offset {
        [] => true,
        [b'+' | b'-', digits @ ..] => digits.len() == 4 && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    is_offset.then(|| Stamp::number(number, text.len() - rest.len()))
}

/// A number at a head: with a fraction and a blank behind, or in brackets; without either at the very beginning alone.
fn epoch(text: &[u8], at: usize, clock: &Clock) -> Option<Stamp> {
    if !text.get(at..at + LEAST_DIGITS)?.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = Number::read(text.get(at..)?)?;
    let behind = text.get(at + number.length);
    let is_bracketed = at > 0 && text.get(at - 1) == Some(&b'[') && behind == Some(&b']');
    let is_float = (3..=9).contains(&number.fraction) && matches!(behind, None | Some(b' ' | b'\t'));
    let is_time = is_bracketed || is_float || is_bare(text, at, &number, clock);
    (!number.has_exponent && is_time).then(|| Stamp::number(number, at))
}

/// Whether a number without anything that tells it from others is a time. No number of a card begins so, and few others
/// have so many digits: 10, 13, 16 or 19.
fn is_bare(text: &[u8], at: usize, number: &Number, clock: &Clock) -> bool {
    /// 2001-09-09 to 2096-10-02
    const SECONDS: std::ops::Range<i64> = 1_000_000_000..4_000_000_000;
    let is_blank = matches!(text.get(number.length), Some(b' ' | b'\t'));
    let is_plausible = SECONDS.contains(&(number.nanoseconds(None) / 1_000_000_000));
    // Before a date it is the number of something.
    let is_of_date = || written(text, number.length + 1, clock).is_some();
    at == 0 && number.fraction == 0 && is_blank && is_plausible && !is_of_date()
}

/// `#1162490366`, `#+1162490366`
fn history(text: &[u8], at: usize) -> Option<Stamp> {
    let rest = text.get(at + 1..)?;
    let digits = rest.strip_prefix(b"+").unwrap_or(rest);
    let number = Number::read(digits)?;
    (number.length == digits.len() && number.fraction == 0)
        .then(|| Stamp::number(number, text.len() - digits.len()))
}

/// `type=USER_LOGIN msg=audit(1709296496.789:42)`
fn audit(text: &[u8], at: usize) -> Option<Stamp> {
    let rest = text.get(at..)?.strip_prefix(b"type=")?;
    let word = rest.iter().take_while(|byte| byte.is_ascii_uppercase() || matches!(byte, b'0'..=b'9' | b'_'));
    let rest = rest.get(word.count()..)?.strip_prefix(b" msg=audit(")?;
    let number = Number::read(rest).filter(|number| !number.has_exponent)?;
    (rest.get(number.length) == Some(&b':')).then(|| Stamp::number(number, text.len() - rest.len()))
}

/// `- 1117838570 2005.06.03`: an alert's name or `-`, the number, and the same day once more.
fn blue_gene(text: &[u8], at: usize) -> Option<Stamp> {
    let rest = text.get(at..)?;
    let label =
        rest.iter().take_while(|byte| byte.is_ascii_uppercase() || matches!(byte, b'0'..=b'9' | b'_' | b'-'));
    let rest = rest.get(label.count()..)?.strip_prefix(b" ")?;
    let number = Number::read(rest).filter(|number| number.fraction == 0)?;
    let day: &[u8; 12] = rest.get(number.length..)?.first_chunk()?;
    let is_day =
        |(byte, shape): (&u8, &u8)| if *shape == b'0' { byte.is_ascii_digit() } else { byte == shape };
    day.iter().zip(b" 0000.00.00 ").all(is_day).then(|| Stamp::number(number, text.len() - rest.len()))
}

/// Where what may stand before a time ends, if such a thing begins here.
fn before(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    if let Some(length) = residue(rest) {
        return Some(at + length);
    }
    let length = match rest {
        [b'[' | b'(' | b'"' | b'\'' | b'*', ..] => 1,
        [b'.', b'A'..=b'Z', ..] => 1,
        [0xEF, 0xBB, 0xBF, ..] if at == 0 => 3,
        [0x1B, b'[', ..] => colour(rest)?,
        [b'<', ..] if at == 0 || is_length(text.get(..at)?) => priority(rest)?,
        [b'#', ..] => rest.strip_prefix(b"# Time: ").map(|_| 8)?,
        [b'0'..=b'9', ..] => process(rest).or_else(|| address(rest))?,
        [b'A'..=b'Z' | b'a'..=b'z', ..] => {
            level(rest).or_else(|| word(rest)).or_else(|| name(rest)).or_else(|| address(rest))?
        }
        [b':', ..] => address(rest)?,
        _ => return None,
    };
    Some(at + length)
}

/// Hands on what [`Stamp::words_before`] says.
pub(super) fn words_before(record: &[u8], time: usize, clock: &Clock, mut word: impl FnMut(Span)) {
    let text = record.get(..HEAD_BYTES).unwrap_or(record);
    let mut at = 0;
    while at < time {
        if here(text, at, clock).is_some_and(|stamp| stamp.span.start == time) {
            return word(Span::new(at, time));
        }
        let Some(next) = before(text, at).filter(|next| *next <= time) else { return };
        let rest = text.get(at..).unwrap_or_default();
        if level(rest).is_some() || self::word(rest).is_some() || rest.starts_with(b"# Time: ") {
            word(Span::new(at, next));
        }
        at = next;
    }
}

fn count(text: &[u8], most: usize, is_of: impl Fn(u8) -> bool) -> usize {
    text.iter().take(most).take_while(|byte| is_of(**byte)).count()
}

/// `ESC[32m`
fn colour(text: &[u8]) -> Option<usize> {
    let length = 2 + count(text.get(2..)?, 16, |byte| matches!(byte, b'0'..=b'9' | b';'));
    (text.get(length) == Some(&b'm')).then_some(length + 1)
}

/// `83 `, the bytes of a frame of syslog that begins behind it.
fn is_length(text: &[u8]) -> bool {
    text.strip_suffix(b" ").is_some_and(|digits| digits.iter().all(u8::is_ascii_digit))
}

/// `<34>`, `<34>1 `
fn priority(text: &[u8]) -> Option<usize> {
    let digits = count(text.get(1..)?, 4, |byte| byte.is_ascii_digit());
    if !(1..=3).contains(&digits) || text.get(digits + 1) != Some(&b'>') {
        return None;
    }
    let version = match text.get(digits + 2..)? {
        [b'1'..=b'9', b' ', ..] => 2,
        _ => 0,
    };
    Some(digits + 2 + version)
}

/// What separates a level or a number from a time: at least one byte, or it would be a part of a longer word.
fn separator(text: &[u8]) -> Option<usize> {
    let length = count(text, 8, |byte| matches!(byte, b' ' | b'\t' | b']' | b')' | b':' | b',' | b'|'));
    (length > 0).then_some(length)
}

/// A number of a process or line, and a role as Redis writes it: `12345:M `.
fn process(text: &[u8]) -> Option<usize> {
    let digits = count(text, 8, |byte| byte.is_ascii_digit());
    match text.get(digits..)? {
        _ if digits > 7 => None,
        [b':', b'A'..=b'Z', b' ', ..] => Some(digits + 3),
        // Only blanks may stand behind the colon, or it were an address.
        [b':', next, ..] if *next != b' ' => None,
        rest => Some(digits + separator(rest)?),
    }
}

fn level(text: &[u8]) -> Option<usize> {
    let length = count(text, 9, |byte| byte.is_ascii_alphabetic());
    let rest = separator(text.get(length..)?)?;
    let word = text.get(..length)?;
    let levels: &[&[u8]] = match length {
        1 => return word.first()?.is_ascii_uppercase().then_some(1 + rest),
        3 => &[b"ERR"],
        4 => &[b"INFO", b"WARN", b"CRIT", b"FINE"],
        5 => &[b"DEBUG", b"ERROR", b"TRACE", b"FATAL", b"ALERT", b"EMERG", b"PANIC", b"FINER"],
        6 => &[b"NOTICE", b"SEVERE", b"FINEST", b"CONFIG"],
        7 => &[b"WARNING", b"VERBOSE"],
        8 => &[b"CRITICAL"],
        _ => return None,
    };
    levels.iter().any(|level| level.eq_ignore_ascii_case(word)).then_some(length + rest)
}

/// Words that name a time or the kind of a record.
fn word(text: &[u8]) -> Option<usize> {
    let words: &[&[u8]] = match text.first()? {
        b't' => &[b"time=", b"ts=", b"t=", b"timestamp="],
        b'h' => &[b"http ", b"https ", b"h2 "],
        b'w' => &[b"ws ", b"wss "],
        b'g' => &[b"grpcs "],
        _ => return None,
    };
    Some(words.iter().find(|word| text.starts_with(word))?.len())
}

/// The name of a service as Docker Compose puts it before each line, `web-1  | `, or of a log file, as grep does.
fn name(text: &[u8]) -> Option<usize> {
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b':');
    let length = count(text, 128, is_of_name);
    let blanks = count(text.get(length..)?, 128, |byte| byte == b' ');
    let is_file = || memchr::memmem::find(text.get(..length).unwrap_or_default(), b".log").is_some();
    match text.get(length + blanks..)? {
        [b'|', b' ', ..] if blanks > 0 => Some(length + blanks + 2),
        _ if blanks == 1 && is_file() => Some(length + 1),
        _ => None,
    }
}

/// An address and its port: nothing but digits of one. A time of day is none: what follows it may be a message.
fn address(text: &[u8]) -> Option<usize> {
    let (mut length, mut dots, mut colons) = (0, 0, 0);
    for byte in text.iter().take(64) {
        match byte {
            b'.' => dots += 1,
            b':' => colons += 1,
            byte if byte.is_ascii_hexdigit() => {}
            _ => break,
        }
        length += 1;
    }
    let is_address = (dots >= 2 && colons <= 1) || colons >= 3 || text.starts_with(b"::");
    (is_address && text.get(length) == Some(&b' ')).then_some(length + 1)
}

/// What is left of an address and its port: `[ipv4]:443`, `[ipv6:k3f9x2q:…]`, `[ipv4:k3f9x2q:…@203.0.113.0/24]`, `[]`,
/// `***.*.***.*`. Where the time of a record is read may not depend on what was done to the record.
fn residue(text: &[u8]) -> Option<usize> {
    let is_of_mask = |byte: u8| matches!(byte, b'*' | b'.' | b':');
    let (length, is_residue) = match text {
        [b'[', rest @ ..] => {
            let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || b"_:~@./".contains(&byte);
            let inner = count(rest, 200, is_inside);
            let name = rest.get(..inner)?;
            let is_pseudonym = name.windows(2).any(|pair| matches!(pair, b":k" | b"~k"));
            let is_residue = matches!(name, b"" | b"ipv4" | b"ipv6") || is_pseudonym;
            (inner + 2, is_residue && rest.get(inner) == Some(&b']'))
        }
        [b'*', ..] => {
            let length = count(text, 64, is_of_mask);
            let separators = text.get(..length)?.iter().filter(|byte| **byte != b'*').count();
            (length, separators >= 2)
        }
        _ => return None,
    };
    let behind = text.get(length..).filter(|_| is_residue)?;
    let behind = length
        + count(behind, 64, |byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':' | b'/' | b'*'));
    (text.get(behind) == Some(&b' ')).then_some(behind + 1)
}

/// The time in brackets of the Common Log Format and its kin.
fn common_log(record: &[u8], clock: &Clock) -> Option<Stamp> {
    if !matches!(record.first()?, b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b':' | b'-' | b'[' | b'(' | b'*')
    {
        return None;
    }
    let text = record.get(..QUOTE_BYTES).unwrap_or(record);
    let third = three_words(text)?;
    let quote = first_quote(text);
    match quote.and_then(|quote| bracket_before(text, quote, third, clock)) {
        Some(stamp) => Some(stamp),
        None => bracket_behind(text.get(..quote.unwrap_or(text.len()))?, third, clock),
    }
}

/// The time in brackets behind the owner of a bucket, 64 hexadecimal digits, and its name, as S3 writes them.
fn bucket_log(record: &[u8], clock: &Clock) -> Option<Stamp> {
    const OWNER_DIGITS: usize = 64;
    let (owner, rest) = record.split_at_checked(OWNER_DIGITS)?;
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let name = count(rest.get(1..)?, 256, is_of_name);
    let is_owner = owner.iter().all(u8::is_ascii_hexdigit) && rest.starts_with(b" ") && name > 0;
    let open = OWNER_DIGITS + 1 + name + 1;
    if !is_owner || record.get(open - 1..=open) != Some(b" [") {
        return None;
    }
    let stamp = bracketed(record, open, clock)?;
    record.get(stamp.span.end..)?.starts_with(b"] ").then_some(stamp)
}

/// Where the third word begins, if `ident` of `host ident user` is `-`, be it behind a virtual host.
fn three_words(text: &[u8]) -> Option<usize> {
    let head = text.get(..HEAD_BYTES).unwrap_or(text);
    let second = memchr(b' ', head)? + 1;
    let third = second + memchr(b' ', head.get(second..)?)? + 1;
    let is_ident = |at: usize| head.get(at..).is_some_and(|rest| rest.starts_with(b"- "));
    (is_ident(second) || is_ident(third)).then_some(third)
}

/// The first quote that is not escaped: those of a user's name are.
fn first_quote(text: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'"', text).find(|at| *at > 0 && text.get(at - 1) != Some(&b'\\'))
}

/// The bracket that ends directly before the quote.
fn bracket_before(text: &[u8], quote: usize, third: usize, clock: &Clock) -> Option<Stamp> {
    let end = quote.checked_sub(2)?;
    if text.get(end..quote) != Some(b"] ") {
        return None;
    }
    let usual = quote.checked_sub(USUAL_BRACKET_BYTES).filter(|open| text.get(*open) == Some(&b'['));
    let open = usual.filter(|open| *open >= third).or_else(|| {
        let from = end.saturating_sub(BRACKET_BYTES).max(third);
        Some(from + memchr::memrchr(b'[', text.get(from..end)?)?)
    })?;
    bracketed(text, open, clock).filter(|stamp| stamp.span.end == end)
}

fn bracketed(text: &[u8], open: usize, clock: &Clock) -> Option<Stamp> {
    if let Some(reader) = Reader::usual_of_access(text, open + 1) {
        return (reader.byte(0) == b']').then(|| Stamp::of(&reader, open + 1, clock));
    }
    let mut reader = Reader::new(text, open + 1, clock.until());
    reader.common_log()?;
    (reader.byte(0) == b']').then(|| Stamp::of(&reader, open + 1, clock))
}

/// The bracket behind three words or four, if there is no other: of two, one is a user's.
fn bracket_behind(text: &[u8], third: usize, clock: &Clock) -> Option<Stamp> {
    let mut at = third;
    for _ in 0..2 {
        at += memchr(b' ', text.get(at..text.len().min(HEAD_BYTES))?)? + 1;
        if text.get(at) == Some(&b'[') {
            break;
        }
    }
    let stamp = bracketed(text, at, clock)?;
    let others = text.get(stamp.span.end..)?;
    let is_only = memchr::memchr_iter(b'[', others).all(|open| bracketed(others, open, clock).is_none());
    is_only.then_some(stamp)
}
