//! One level of escapes undone, byte by byte, each byte with the range that it was written in.

use std::sync::LazyLock;

/// Bytes and, for each of them, where it was written in the raw value.
#[derive(Clone)]
pub(crate) struct Level {
    pub(crate) bytes: Vec<u8>,
    pub(crate) from: Vec<(usize, usize)>,
}

impl Level {
    pub(crate) fn raw(bytes: &[u8]) -> Level {
        Level { bytes: bytes.to_vec(), from: (0..bytes.len()).map(|at| (at, at + 1)).collect() }
    }

    /// The raw range of a range of these bytes.
    pub(crate) fn written(&self, start: usize, end: usize) -> (usize, usize) {
        (self.from[start].0, self.from[end - 1].1)
    }

    /// The bytes with each escape of `grammar` replaced by what it stands for; `None` if there is none.
    pub(crate) fn undo(&self, grammar: impl Fn(&[u8]) -> Option<(Vec<u8>, usize)>) -> Option<Level> {
        self.undo_at(|at| grammar(&self.bytes[at..]))
    }

    /// The same with the escapes of logs.
    pub(crate) fn undo_in_logs(&self, separate: bool) -> Option<Level> {
        let (quoted, grammar) = (quoted(&self.bytes), in_logs(separate));
        self.undo_at(|at| {
            let text = &self.bytes[at..];
            let in_address = text[0] == b'=' && quoted.iter().any(|address| address.contains(&at));
            if in_address { Some((vec![hex(text.get(1..3)?)? as u8], 3)) } else { grammar(text) }
        })
    }

    fn undo_at(&self, grammar: impl Fn(usize) -> Option<(Vec<u8>, usize)>) -> Option<Level> {
        let mut out = Level { bytes: Vec::new(), from: Vec::new() };
        let mut at = 0;
        while at < self.bytes.len() {
            let (bytes, length) = grammar(at).unwrap_or((vec![self.bytes[at]], 1));
            let (start, end) = self.written(at, at + length);
            out.from.extend(bytes.iter().map(|_| (start, end)));
            out.bytes.extend(bytes);
            at += length;
        }
        (out.bytes != self.bytes).then_some(out)
    }
}

/// The escapes of logs. Colours and zero-width characters stand for nothing, or for a line feed.
fn in_logs(separate: bool) -> impl Fn(&[u8]) -> Option<(Vec<u8>, usize)> {
    move |text| match text[0] {
        b'\\' => backslash(text),
        b'%' => percent(text),
        b'&' => entity(text),
        b'#' => {
            let named = [("#011", b'\t'), ("#012", b'\n'), ("#015", b'\r')];
            let named =
                named.iter().find(|(name, _)| text.starts_with(name.as_bytes())).map(|(_, byte)| *byte);
            let byte = named.or_else(|| text.starts_with(b"#033[").then_some(0x1B))?;
            Some((vec![byte], 4))
        }
        0x1B => invisible(colour(text)?, separate),
        _ => ["\u{AD}", "\u{200B}", "\u{200C}", "\u{200D}", "\u{2060}", "\u{FEFF}"]
            .iter()
            .find(|hidden| text.starts_with(hidden.as_bytes()))
            .and_then(|hidden| invisible(hidden.len(), separate)),
    }
}

static QUOTED_ADDRESS: LazyLock<regex::bytes::Regex> = LazyLock::new(|| {
    let part = "(?:[A-Za-z0-9._+-]|=2E|=2D|=2B|=5F)";
    let domain = "(?:[A-Za-z0-9.-]|=2E|=2D)";
    let address = format!("(?-u){part}+=40[A-Za-z]{domain}*?(?:\\.|=2E)[A-Za-z0-9]{domain}*");
    regex::bytes::Regex::new(&address).unwrap_or_else(|fault| panic!("{fault}"))
});

/// The addresses in quoted-printable: a local part, `=40`, a letter, and a dot behind it that a letter or digit follows.
fn quoted(text: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    // What is a domain may be the local part of another.
    while let Some(next) = QUOTED_ADDRESS.find_at(text, from) {
        found.push(next.range());
        from = next.start() + next.as_bytes().windows(3).position(|three| three == b"=40").unwrap_or(0) + 3;
    }
    found
}

fn invisible(length: usize, separate: bool) -> Option<(Vec<u8>, usize)> {
    Some((if separate { vec![b'\n'] } else { vec![] }, length))
}

/// RFC 8259 section 7.
pub(crate) fn in_json(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let plain = |byte: u8| Some((vec![byte], 2));
    match (text[0], *text.get(1)?) {
        (b'\\', b'b') => plain(8),
        (b'\\', b'f') => plain(12),
        (b'\\', b'n') => plain(10),
        (b'\\', b'r') => plain(13),
        (b'\\', b't') => plain(9),
        (b'\\', b'u') => match hex(text.get(2..6)?)? {
            unit if (0xD800..0xE000).contains(&unit) => {
                Some(surrogates(text).unwrap_or(("\u{FFFD}".as_bytes().to_vec(), 6)))
            }
            unit => Some((utf8(unit)?, 6)),
        },
        (b'\\', other @ (b'"' | b'\\' | b'/')) => plain(other),
        _ => None,
    }
}

fn backslash(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    match *text.get(1)? {
        b'n' => Some((vec![b'\n'], 2)),
        b'r' => Some((vec![b'\r'], 2)),
        b't' => Some((vec![b'\t'], 2)),
        other @ (b'"' | b'\\' | b'/') => Some((vec![other], 2)),
        b'e' if text.starts_with(b"\\e[") => Some((vec![0x1B], 2)),
        b'0' if text.starts_with(b"\\033[") => Some((vec![0x1B], 4)),
        b'u' => surrogates(text).or_else(|| Some((utf8(hex(text.get(2..6)?)?)?, 6))),
        b'x' => spelled(text, b"\\x").or_else(|| Some((vec![hex(text.get(2..4)?)? as u8], 4))),
        _ => None,
    }
}

fn percent(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    if matches!(text.get(1), Some(b'u' | b'U')) {
        return Some((utf8(hex(text.get(2..6)?)?)?, 6));
    }
    spelled(text, b"%").filter(|(bytes, _)| !bytes[0].is_ascii_control() || b"\t\r\n".contains(&bytes[0]))
}

/// One character, each byte of its UTF-8 form written as `mark` and two hex digits.
fn spelled(text: &[u8], mark: &[u8]) -> Option<(Vec<u8>, usize)> {
    let width = mark.len() + 2;
    (1..=4).find_map(|count| {
        let written: Vec<&[u8]> = text.chunks_exact(width).take(count).collect();
        let bytes: Option<Vec<u8>> =
            written.iter().map(|one| Some(hex(one.strip_prefix(mark)?)? as u8)).collect();
        let bytes = bytes.filter(|bytes| bytes.len() == count)?;
        std::str::from_utf8(&bytes).is_ok().then_some((bytes, count * width))
    })
}

fn surrogates(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (high, low) = (hex(text.get(2..6)?)?, hex(text.get(8..12)?)?);
    let is_pair =
        text.get(6..8)? == b"\\u" && (0xD800..0xDC00).contains(&high) && (0xDC00..0xE000).contains(&low);
    is_pair.then(|| utf8(0x10000 + (high - 0xD800) * 0x400 + (low - 0xDC00)))?.map(|bytes| (bytes, 12))
}

fn utf8(code: u32) -> Option<Vec<u8>> {
    char::from_u32(code).map(|character| character.to_string().into_bytes())
}

fn hex(digits: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(digits).ok()?;
    text.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(text, 16).ok())?
}

fn entity(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    const NAMED: [(&str, &str); 9] = [
        ("amp", "&"),
        ("lt", "<"),
        ("gt", ">"),
        ("quot", "\""),
        ("apos", "'"),
        ("nbsp", "\u{A0}"),
        ("commat", "@"),
        ("period", "."),
        ("colon", ":"),
    ];
    let end = text.iter().position(|byte| *byte == b';')?;
    let name = std::str::from_utf8(&text[1..end]).ok()?;
    if let Some((_, value)) = NAMED.iter().find(|(known, _)| *known == name) {
        return Some((value.as_bytes().to_vec(), end + 1));
    }
    let (digits, radix) = match name.strip_prefix("#")? {
        digits if digits.starts_with(['x', 'X']) => (&digits[1..], 16),
        digits => (digits, 10),
    };
    let is_number = (1..=7).contains(&digits.len()) && digits.chars().all(|digit| digit.is_digit(radix));
    is_number.then(|| u32::from_str_radix(digits, radix).ok())?.and_then(utf8).map(|bytes| (bytes, end + 1))
}

/// A control sequence of at most 64 bytes (ECMA-48, section 5.4).
fn colour(text: &[u8]) -> Option<usize> {
    let body = text.strip_prefix(b"\x1b[")?;
    let end = body.iter().position(|byte| !(0x20..0x40).contains(byte))?;
    (end + 3 <= 64 && (0x40..0x7F).contains(&body[end])).then_some(end + 3)
}
