//! Access logs of web servers: the common and combined formats, with the virtual host before them and columns behind
//! them, and any other [`Layout`] that the policy gives.
//!
//! Columns stand between single blanks, in quotes or without. nginx writes `\x22` for a quote inside a column, Apache
//! `\"`; where a server escapes nothing, a quote with no blank behind it does not end the column. A column that the end
//! of the record cuts off is read as far as it goes: a record that is damaged at its end keeps its names.

mod layout;

pub use layout::Layout;

use super::{Field, Fields, Format, Head, Layer, Name, NotThis, Opens, Role};
use crate::decoded::Decoded;
use crate::span::Span;

/// Access logs of nginx, Apache and those that write as they do.
#[derive(Debug)]
pub struct Access;

/// The columns behind the time. A name in the second part is that of a column in quotes alone.
const BEHIND_TIME: [(&str, bool); 6] = [
    ("request", true),
    ("status", false),
    ("body_bytes_sent", false),
    ("http_referer", true),
    ("http_user_agent", true),
    ("http_x_forwarded_for", true),
];

/// Words before the time: a name with blanks in it is several.
const MAX_LEAD_WORDS: usize = 12;

/// Bytes of the time, and of what an edit may leave in its place.
const MAX_TIME_BYTES: usize = 256;

impl Format for Access {
    fn name(&self) -> &'static str {
        "access"
    }

    fn fields(&self, record: &[u8], head: &Head, out: &mut Fields) -> Result<(), NotThis> {
        let before = out.list.len();
        if let Some(layout) = &head.layout {
            if layout.fields(record, out).is_ok() {
                return Ok(());
            }
            out.list.truncate(before);
        }
        usual(record, out)
    }

    fn decode(&self, text: &[u8], _: &Field, span: Span, out: &mut Decoded) {
        decode(text, span, out);
    }

    fn escape(&self, field: &Field, text: &[u8], _: bool, out: &mut Vec<u8>) {
        escape(field, text, out);
    }

    fn remove(&self, fields: &Fields, _: &Layer, gone: &[usize], out: &mut Vec<(Span, &'static [u8])>) {
        out.extend(gone.iter().map(|at| removed(&fields.list[*at])));
    }

    fn given_names(&self) -> &'static [&'static str] {
        &[
            "host",
            "remote_addr",
            "remote_logname",
            "remote_user",
            "time_local",
            "request.method",
            "request.path",
            "request.query",
            "request.protocol",
            "status",
            "body_bytes_sent",
            "http_referer",
            "http_user_agent",
            "http_x_forwarded_for",
        ]
    }

    fn has_columns(&self) -> bool {
        true
    }
}

/// The common and combined formats.
fn usual(record: &[u8], out: &mut Fields) -> Result<(), NotThis> {
    let lead = Lead::read(record).ok_or(NotThis)?;
    let mut line = Line { record, at: lead.time.end + 1 };
    let request = line.next().filter(|request| request.is_quoted()).ok_or(NotThis)?;
    if !is_time(inside(lead.time).of(record)) && evidence(record, &lead, request, line) < ENOUGH_EVIDENCE {
        return Err(NotThis);
    }
    let root = out.push(Field::new(Role::Object, Span::new(0, record.len())));
    let mut number = lead.push(record, root, out);
    let (mut column, mut names) = (Some(request), BEHIND_TIME.iter().peekable());
    while let Some(next) = column {
        let name = names.next_if(|(_, quoted)| next.is_quoted() || !quoted).map(|(name, _)| *name);
        if name.is_none() {
            names = [].iter().peekable(); // what stands behind a column without a name has none
        }
        next.push(record, root, number, name.map(str::as_bytes), out);
        number += 1;
        column = line.next();
    }
    Ok(())
}

/// What tells an access log from other text where the time does not, because an edit took it: how much else is as it
/// should be.
fn evidence(record: &[u8], lead: &Lead, request: Column, mut line: Line<'_>) -> u32 {
    let address = match lead.address.of(record) {
        b"-" => 1,
        [b'[', ..] => 2,
        word => match std::str::from_utf8(word).is_ok_and(|word| word.parse::<std::net::IpAddr>().is_ok()) {
            true => 2,
            false => 0,
        },
    };
    let mut is_next =
        |is: fn(&[u8]) -> bool| u32::from(line.next().is_some_and(|next| is(next.value(record))));
    address
        + u32::from(lead.logname.of(record) == b"-")
        + u32::from(memchr::memmem::find(request.value(record), b" HTTP/").is_some())
        + is_next(|status| status.len() == 3 && status.iter().all(u8::is_ascii_digit))
        + is_next(|length| length == b"-" || !length.is_empty() && length.iter().all(u8::is_ascii_digit))
}

/// What [`evidence`] is enough.
const ENOUGH_EVIDENCE: u32 = 3;

/// What stands before the request.
struct Lead {
    host: Option<Span>,
    address: Span,
    logname: Span,
    user: Span,
    /// With its brackets.
    time: Span,
}

impl Lead {
    fn read(record: &[u8]) -> Option<Lead> {
        let mut words = [Span::new(0, 0); MAX_LEAD_WORDS];
        let (mut count, mut at) = (0, 0);
        let time = loop {
            if count >= 3
                && let Some(time) = bracketed(record, at)
            {
                break time;
            }
            let length = memchr::memchr(b' ', record.get(at..)?).filter(|length| *length > 0)?;
            *words.get_mut(count)? = Span::new(at, at + length);
            count += 1;
            at += length + 1;
        };
        let is_nothing = |word: usize| words[word].of(record) == b"-";
        // A user name may hold blanks. Then nothing in the place of the one before it, which hardly any server sets,
        // tells how many columns there are.
        let host = match count {
            3 => false,
            _ if is_nothing(1) && !is_nothing(2) => false,
            4 => true,
            _ if is_nothing(2) => true,
            _ => return None,
        };
        let first = usize::from(host);
        Some(Lead {
            host: host.then_some(words[0]),
            address: words[first],
            logname: words[first + 1],
            user: Span::new(words[first + 2].start, time.start - 1),
            time,
        })
    }

    /// Adds the columns and returns the number of the next.
    fn push(&self, record: &[u8], root: usize, out: &mut Fields) -> u32 {
        let plain = |span: Span| Column::plain(record, span);
        let time = Column { whole: self.time, ..plain(inside(self.time)) };
        // Without a log name, which tells where the other columns are, it is no field that could be replaced.
        let logname = Some(self.logname).filter(|logname| logname.of(record) != b"-");
        let columns = [
            (logname.map(plain), "remote_logname"),
            (Some(plain(self.user)), "remote_user"),
            (Some(time), "time_local"),
        ];
        let host = self.host.map(|host| (Some(plain(host)), "host"));
        let address = (Some(plain(self.address)), "remote_addr");
        let mut next = 1;
        for (column, name) in host.into_iter().chain([address]).chain(columns) {
            if let Some(column) = column {
                column.push(record, root, next, Some(name.as_bytes()), out);
            }
            next += 1;
        }
        next
    }
}

/// What stands in brackets from `at` on, with a blank and a quote behind them.
fn bracketed(record: &[u8], at: usize) -> Option<Span> {
    let rest = record.get(at..)?.strip_prefix(b"[")?;
    let near = &rest[..rest.len().min(MAX_TIME_BYTES)];
    let closes = memchr::memchr_iter(b']', near).find(|end| rest.get(end + 1) == Some(&b' '))?;
    // A user may be called `[ann`: the time begins behind that.
    let begins_later = memchr::memmem::find(&rest[..closes], b" [").is_some();
    (rest.get(closes + 2) == Some(&b'"') && !begins_later).then(|| Span::new(at, at + closes + 2))
}

fn inside(brackets: Span) -> Span {
    Span::new(brackets.start + 1, brackets.end - 1)
}

/// Whether it is a time as servers write it, or nothing: `10/Oct/2000:13:55:36 -0700`, `2000-10-10T13:55:36-07:00`.
fn is_time(text: &[u8]) -> bool {
    text == b"-" || text.first().is_some_and(u8::is_ascii_digit) && memchr::memchr(b':', text).is_some()
}

/// Reads columns from left to right.
#[derive(Clone, Copy)]
pub(super) struct Line<'r> {
    pub(super) record: &'r [u8],
    /// Where the next column begins; beyond the end of the record if there is none.
    pub(super) at: usize,
}

/// One column.
#[derive(Clone, Copy)]
pub(super) struct Column {
    value: Span,
    whole: Span,
    escaped: bool,
}

impl Line<'_> {
    pub(super) fn next(&mut self) -> Option<Column> {
        let rest = self.record.get(self.at..)?;
        let column = if rest.first() == Some(&b'"') {
            quoted(self.record, self.at, |behind| matches!(behind, [] | [b' ', ..]))
        } else {
            let length = memchr::memchr(b' ', rest).unwrap_or(rest.len());
            Column::plain(self.record, Span::new(self.at, self.at + length))
        };
        self.at = column.whole.end + 1;
        Some(column)
    }
}

/// The column in quotes that begins at `at`, up to a quote that what stands `behind` it shows to be the last; without
/// one, up to the end of the record.
fn quoted(record: &[u8], at: usize, closes: impl Fn(&[u8]) -> bool) -> Column {
    let start = at + 1;
    let (mut from, mut escaped) = (start, false);
    while let Some(found) = record.get(from..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        let place = from + found;
        if record[place] == b'\\' {
            escaped = true;
            from = place + 2;
        } else if closes(&record[place + 1..]) {
            return Column { value: Span::new(start, place), whole: Span::new(at, place + 1), escaped };
        } else {
            from = place + 1;
        }
    }
    Column { value: Span::new(start, record.len()), whole: Span::new(at, record.len()), escaped }
}

impl Column {
    /// One without quotes.
    pub(super) fn plain(record: &[u8], span: Span) -> Column {
        let escaped = memchr::memchr(b'\\', span.of(record)).is_some();
        Column { value: span, whole: span, escaped }
    }

    pub(super) fn is_quoted(&self) -> bool {
        self.whole.start < self.value.start
    }

    pub(super) fn value<'r>(&self, record: &'r [u8]) -> &'r [u8] {
        self.value.of(record)
    }

    /// Adds its field.
    pub(super) fn push(self, record: &[u8], root: usize, number: u32, name: Option<&[u8]>, out: &mut Fields) {
        let nothing = self.value.of(record) == b"-";
        let role = if nothing { Role::Literal } else { Role::Text };
        let opens = if !nothing && name == Some(b"request") { Opens::Request } else { Opens::No };
        let name = name.map_or(Name::None, |name| out.give_name(name));
        let Column { value, whole, escaped } = self;
        let field = Field::new(role, value);
        out.push(Field { parent: Some(root), name, column: number, whole, escaped, opens, ..field });
    }
}

/// Undoes the escapes of a column: `\xHH` as nginx and Apache write it, and the others of Apache.
pub(super) fn decode(text: &[u8], span: Span, out: &mut Decoded) {
    let mut at = span.start;
    while at < span.end {
        let rest = Span::new(at, span.end).of(text);
        let (byte, length) = match *rest {
            [b'\\', b'x', high, low, ..] if hex(high, low).is_some() => (hex(high, low), 4),
            [b'\\', escape, ..] => (unescaped(escape), 2),
            _ => (None, 0),
        };
        if let Some(byte) = byte {
            out.push(&[byte], Span::new(at, at + length));
            at += length;
            continue;
        }
        let next = rest.get(1..).and_then(|after| memchr::memchr(b'\\', after));
        let length = next.map_or(rest.len(), |next| next + 1);
        out.push_verbatim(&rest[..length], at);
        at += length;
    }
}

fn unescaped(escape: u8) -> Option<u8> {
    Some(match escape {
        b'"' | b'\\' => escape,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'f' => 0x0c,
        b'v' => 0x0b,
        _ => return None,
    })
}

/// The byte of two hexadecimal digits.
pub(super) fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

/// Writes a text inside a column. In quotes `\xHH` is what nginx and Apache both mean; a blank behind a bracket would
/// end the time. Without quotes, what may part columns becomes `_`.
pub(super) fn escape(field: &Field, text: &[u8], out: &mut Vec<u8>) {
    let mut before = 0;
    for byte in text {
        let ends = matches!(byte, b'"' | b'\\' | ..b' ' | 0x7f) || *byte == b' ' && before == b']';
        before = *byte;
        match field.is_quoted() {
            true if ends => out.extend_from_slice(format!("\\x{byte:02X}").as_bytes()),
            false if ends || !is_plain(*byte) => out.push(b'_'),
            _ => out.push(*byte),
        }
    }
}

/// Whether a byte stands in a column without quotes as it is: those of words, addresses and residues.
pub(super) fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80 || b"[]:#.-_@/+*~!%".contains(&byte)
}

/// What takes the place of a column. That of the record as a whole is not one.
pub(super) fn removed(field: &Field) -> (Span, &'static [u8]) {
    match field.role {
        Role::Object => (Span::new(field.whole.start, field.whole.start), b""),
        _ => (field.value, b"-"),
    }
}
