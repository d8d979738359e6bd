//! [`Reader`]: goes over one message and notes its fields.

use super::super::{Field, Fields, Name, NotThis, Opens, Role};
use super::{DATA, NAMES, NONE, Sort, time};
use crate::span::Span;

/// Digits of a length. Messages of a gigabyte do not occur.
const MAX_COUNT_DIGITS: usize = 9;

/// Words that stand behind a time in logs of many kinds, where syslog has a host.
const LEVELS: [&[u8]; 15] = [
    b"trace",
    b"debug",
    b"info",
    b"notice",
    b"warn",
    b"warning",
    b"err",
    b"error",
    b"crit",
    b"critical",
    b"alert",
    b"emerg",
    b"fatal",
    b"panic",
    b"severe",
];

/// The facilities of syslog(3), and those of the BSDs.
const FACILITIES: [&[u8]; 24] = [
    b"kern",
    b"user",
    b"mail",
    b"daemon",
    b"auth",
    b"syslog",
    b"lpr",
    b"news",
    b"uucp",
    b"cron",
    b"authpriv",
    b"ftp",
    b"ntp",
    b"security",
    b"console",
    b"audit",
    b"local0",
    b"local1",
    b"local2",
    b"local3",
    b"local4",
    b"local5",
    b"local6",
    b"local7",
];

/// What may stand before the message, which is a record of its own.
const BEFORE_MESSAGE: [&[u8]; 2] = [b"\xef\xbb\xbf", b"@cee:"];

/// A message with its length before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    count: Span,
    message: Span,
}

impl Frame {
    /// Adds the length and what holds the fields of the message, of which it returns the place.
    pub(super) fn push(&self, around: usize, out: &mut Fields) -> usize {
        let parent = Some(around);
        let whole = Span::new(self.count.start, self.message.end);
        let count = Field { parent, whole, ..Field::new(Role::Count, self.count) };
        out.push(count);
        out.push(Field { parent, ..Field::new(Role::Object, self.message) })
    }
}

/// Whether the record begins as a frame does.
pub(super) fn may_have_frames(record: &[u8]) -> bool {
    frame(record, 0).is_some()
}

/// The frames that the record consists of. The last may be longer than what is left of the line: its length counts the
/// line feed too, or further lines.
pub(super) fn frames(record: &[u8]) -> Option<Vec<Frame>> {
    let mut frames = Vec::new();
    let mut at = 0;
    while at < record.len() {
        let frame = frame(record, at)?;
        at = frame.message.end;
        frames.push(frame);
    }
    Some(frames)
}

fn frame(record: &[u8], at: usize) -> Option<Frame> {
    let digits = record[at..].iter().take(MAX_COUNT_DIGITS).take_while(|byte| byte.is_ascii_digit()).count();
    let count = Span::new(at, at + digits);
    // Every line of an access log begins with digits.
    if !record[count.end..].starts_with(b" <") {
        return None;
    }
    let length: usize = std::str::from_utf8(count.of(record)).ok()?.parse().ok()?;
    let start = count.end + 1;
    priority(record.get(start..).filter(|_| record[at] != b'0')?)?;
    Some(Frame { count, message: Span::new(start, record.len().min(start + length)) })
}

/// Length of the priority that the text begins with, without the angle brackets.
fn priority(text: &[u8]) -> Option<usize> {
    let rest = text.strip_prefix(b"<")?;
    let digits = rest.iter().take(4).position(|byte| *byte == b'>')?;
    is_priority(&rest[..digits]).then_some(digits)
}

/// Facility × 8 + severity: at most 191.
pub(super) fn is_priority(text: &[u8]) -> bool {
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<u8>().ok());
    text.iter().all(u8::is_ascii_digit) && number.is_some_and(|number| number <= 191)
}

/// Facility and severity as `syslogd -v` of the BSDs writes them, as numbers or as words. Anything else may be a value.
fn is_level_of_bsd(text: &[u8]) -> bool {
    let Some(dot) = memchr::memchr(b'.', text) else { return false };
    let (facility, severity) = (&text[..dot], &text[dot + 1..]);
    let is_number = |text: &[u8]| matches!(text.len(), 1 | 2) && text.iter().all(u8::is_ascii_digit);
    is_number(facility) && is_number(severity) || FACILITIES.contains(&facility) && LEVELS.contains(&severity)
}

/// What may stand in a name of structured data.
pub(super) fn is_name(byte: u8) -> bool {
    byte > b' ' && !matches!(byte, b'=' | b']' | b'"' | 0x7f)
}

/// Where the bracket opens that the last byte closes.
pub(super) fn opening(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in text.iter().enumerate().rev() {
        match byte {
            b']' => depth += 1,
            b'[' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return (*byte == b'[').then_some(at);
        }
    }
    None
}

/// What says who wrote a message: `sshd[123]:`.
struct Tag {
    app: Span,
    /// Without its brackets.
    pid: Option<Span>,
    end: usize,
}

pub(super) struct Reader<'r> {
    record: &'r [u8],
    /// The message.
    span: Span,
    at: usize,
    /// The field that holds the others.
    around: usize,
}

impl<'r> Reader<'r> {
    pub(super) fn new(record: &'r [u8], span: Span, around: usize) -> Reader<'r> {
        Reader { record, span, at: span.start, around }
    }

    /// Notes the fields of the whole message.
    pub(super) fn message(mut self, out: &mut Fields) -> Result<(), NotThis> {
        let priority = priority(self.rest());
        if let Some(length) = priority {
            let value = Span::new(self.at + 1, self.at + 1 + length);
            self.push(Sort::Priority, value, Span::new(self.at, value.end + 1), out);
            self.at = value.end + 1;
            let (start, before) = (self.at, out.list.len());
            if self.ietf(out).is_some() {
                return Ok(());
            }
            self.at = start;
            out.list.truncate(before);
        }
        self.bsd(priority.is_some(), out)
    }

    /// Behind the priority in the form of RFC 5424: version, header, structured data, message.
    fn ietf(&mut self, out: &mut Fields) -> Option<()> {
        let version = self.word()?.of(self.record);
        if !matches!(version, [b'1'..=b'9'] | [b'1'..=b'9', b'0'..=b'9']) {
            return None;
        }
        for sort in [Sort::Stamp, Sort::Host, Sort::App, Sort::Pid, Sort::MessageId] {
            self.blank()?;
            let word = self.word()?;
            self.push(sort, word, word, out);
        }
        self.blank()?;
        match self.peek() {
            Some(b'[') => {
                while self.peek() == Some(b'[') {
                    self.element(out)?;
                }
            }
            _ => self.take(b'-')?,
        }
        if self.at < self.span.end {
            self.blank()?;
        }
        self.text(out);
        Some(())
    }

    /// `[id name="value" …]`. The id is a name without a value.
    fn element(&mut self, out: &mut Fields) -> Option<()> {
        let start = self.at;
        let object = Field { parent: Some(self.around), ..Field::new(Role::Object, Span::new(start, start)) };
        let object = out.push(object);
        self.take(b'[')?;
        self.name(object, out)?;
        while self.peek() == Some(b' ') {
            while self.peek() == Some(b' ') {
                self.at += 1;
            }
            if self.peek() == Some(b']') {
                break;
            }
            let name = self.name(object, out)?;
            self.take(b'=')?;
            self.take(b'"')?;
            self.data(object, name, out)?;
        }
        self.take(b']')?;
        out.list[object].value = Span::new(start + 1, self.at - 1);
        out.list[object].whole = Span::new(start, self.at);
        Some(())
    }

    fn name(&mut self, parent: usize, out: &mut Fields) -> Option<usize> {
        let length = self.rest().iter().take_while(|byte| is_name(**byte)).count();
        let value = Span::new(self.at, self.at + length);
        self.at = value.end;
        (length > 0)
            .then(|| out.push(Field { parent: Some(parent), sort: DATA, ..Field::new(Role::Name, value) }))
    }

    /// A value up to its closing quote.
    fn data(&mut self, parent: usize, name: usize, out: &mut Fields) -> Option<()> {
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at += memchr::memchr2(b'"', b'\\', self.rest())?;
            match self.rest() {
                [b'\\', b'"' | b'\\' | b']', ..] => (self.at, escaped) = (self.at + 2, true),
                [b'\\', ..] => self.at += 1,
                _ => break,
            }
        }
        let (value, whole) = (Span::new(start, self.at), Span::new(start - 1, self.at + 1));
        self.at = whole.end;
        let opens = opens(value.of(self.record));
        let (parent, name) = (Some(parent), Name::Field(name));
        out.push(Field { parent, name, whole, escaped, opens, sort: DATA, ..Field::new(Role::Text, value) });
        Some(())
    }

    /// In the form of RFC 3164, as far as it is kept: time, host, tag, message. Behind a priority all may lack.
    fn bsd(&mut self, has_priority: bool, out: &mut Fields) -> Result<(), NotThis> {
        let bsd = time::bsd(self.rest());
        let time = bsd.or_else(|| time::iso(self.rest())).map(|length| Span::new(self.at, self.at + length));
        let after = time.map_or(self.at, |time| time.end);
        let time = time.filter(|time| match &self.record[time.end..self.span.end] {
            [b' ' | b':', ..] => true,
            rest => has_priority && rest.is_empty(),
        });
        if let Some(time) = time {
            self.push(Sort::Time, time, time, out);
            self.at = after;
            let is_strict = !has_priority && bsd.is_none();
            self.behind_time(is_strict, has_priority, out)?;
        } else if !has_priority {
            return Err(NotThis);
        } else if let Some(tag) = self.word_at(self.at).and_then(|word| self.tag(word)) {
            self.push_tag(&tag, out);
        }
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        self.text(out);
        Ok(())
    }

    /// Host and tag. `is_strict`: both must be there.
    fn behind_time(&mut self, is_strict: bool, has_priority: bool, out: &mut Fields) -> Result<(), NotThis> {
        let has_colon = self.take(b':').is_some();
        let _ = self.blank();
        // More than one blank stands where some writers leave the host out.
        let may_have_host = !has_colon && self.peek() != Some(b' ');
        while !may_have_host && self.blank().is_some() {}
        self.level();
        let word = self.word_at(self.at);
        let host = word.filter(|word| may_have_host && self.tag(*word).is_none());
        if word.is_none() && !has_colon && !has_priority || host.is_some_and(|host| self.is_level(host)) {
            return Err(NotThis);
        }
        if let Some(host) = host {
            self.push(Sort::Host, host, host, out);
            self.at = host.end;
            let _ = self.blank().or_else(|| self.take(b'\t'));
        }
        let tag = self.word_at(self.at).and_then(|word| self.tag(word));
        let needs_tag = is_strict || !has_priority && !has_colon && !may_have_host;
        if needs_tag && tag.is_none() || is_strict && host.is_none() {
            return Err(NotThis);
        }
        match tag {
            Some(tag) => self.push_tag(&tag, out),
            None if self.rest().starts_with(b": ") => self.at += 1,
            None => {}
        }
        Ok(())
    }

    /// Passes `<4.3>` or `<auth.info>`, as `syslogd -v` of the BSDs writes before the host.
    fn level(&mut self) {
        let rest = self.rest();
        let length = rest.iter().take(24).position(|byte| *byte == b' ').unwrap_or(0);
        if let [b'<', inside @ .., b'>'] = &rest[..length]
            && is_level_of_bsd(inside)
        {
            self.at += length + 1;
        }
    }

    fn is_level(&self, word: Span) -> bool {
        LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word.of(self.record)))
    }

    /// The tag that the word is or begins with. Without its colon none can be told from other words.
    fn tag(&self, word: Span) -> Option<Tag> {
        let text = word.of(self.record);
        let bracket = memchr::memmem::find(text, b"]:").map(|at| at + 1);
        // Without a name before them brackets are what was left of one; of an address with a port as well.
        let is_tag = |at: usize, open: usize| open > 0 || at + 1 == text.len();
        let bracket = bracket.filter(|at| opening(&text[..*at]).is_some_and(|open| is_tag(*at, open)));
        let length = match (bracket, text.split_last()?) {
            (Some(at), _) => at,
            (None, (b':', before)) => before.len(),
            _ => return None,
        };
        let pid = opening(&text[..length]).filter(|open| *open > 0 && text[length - 1] == b']');
        if length == 0 {
            return None;
        }
        let app = Span::new(word.start, word.start + pid.unwrap_or(length));
        let pid = pid.map(|open| Span::new(word.start + open + 1, word.start + length - 1));
        Some(Tag { app, pid, end: word.start + length + 1 })
    }

    fn push_tag(&mut self, tag: &Tag, out: &mut Fields) {
        self.push(Sort::App, tag.app, tag.app, out);
        if let Some(pid) = tag.pid {
            self.push(Sort::Pid, pid, Span::new(pid.start - 1, pid.end + 1), out);
        }
        self.at = tag.end;
    }

    /// The rest is the message.
    fn text(&mut self, out: &mut Fields) {
        for before in BEFORE_MESSAGE {
            if let Some(rest) = self.rest().strip_prefix(before) {
                self.at = self.span.end - rest.len();
            }
        }
        let value = Span::new(self.at, self.span.end);
        if !value.is_empty() {
            self.push(Sort::Message, value, value, out);
        }
    }

    fn push(&self, sort: Sort, value: Span, whole: Span, out: &mut Fields) {
        let is_message = sort == Sort::Message;
        let text = value.of(self.record);
        let is_none = !is_message && (text == NONE || text == time::NO_TIME);
        let name = out.give_name(NAMES[sort as usize].as_bytes());
        let role = if is_none { Role::Literal } else { Role::Text };
        let opens = if is_message { Opens::Record } else { Opens::No };
        let (parent, sort) = (Some(self.around), sort as u8);
        out.push(Field { parent, name, whole, opens, sort, ..Field::new(role, value) });
    }

    fn rest(&self) -> &'r [u8] {
        &self.record[self.at..self.span.end]
    }

    fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek() == Some(byte)).then(|| self.at += 1)
    }

    fn blank(&mut self) -> Option<()> {
        self.take(b' ')
    }

    /// Goes on behind the word that stands here.
    fn word(&mut self) -> Option<Span> {
        let word = self.word_at(self.at)?;
        self.at = word.end;
        Some(word)
    }

    fn word_at(&self, at: usize) -> Option<Span> {
        let rest = &self.record[at..self.span.end];
        let length = rest.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(rest.len());
        (length > 0).then(|| Span::new(at, at + length))
    }
}

/// Whether a text may be JSON itself.
fn opens(text: &[u8]) -> Opens {
    match (text.first(), text.last()) {
        (Some(b'{' | b'['), Some(b'}' | b']')) => Opens::Json,
        _ => Opens::No,
    }
}
