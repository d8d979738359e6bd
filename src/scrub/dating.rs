//! [`Dating`]: when records were written.
//!
//! A record's own time stands in the field that the policy names, in the one in which its format has it, or at its
//! head: never in later text, which whoever writes to a log may choose. A record without one is of the time of the
//! last before it that has one.

use std::sync::Arc;

use jiff::tz::Offset;
use memchr::memmem::Finder;

use super::carry::{Last, Read, header};
use super::parted;
use super::seen::Seen;
use crate::decoded::Decoded;
use crate::format::json::{Json, outermost};
use crate::format::w3c::W3c;
use crate::format::{Field, Fields, Format, Head, Name, Role};
use crate::policy::decide::Record;
use crate::policy::selector::normal;
use crate::policy::{Policy, TimeField, TimeName, time_name};
use crate::span::Span;
use crate::time::stamp::{Clock, Moment, Stamp, Unit};

/// What a record of a format whose time does not stand at the head holds, in names like `time`, `ts` and `rt`.
const HINTS: [&[u8]; 8] = [b"ime", b"IME=", b"ts=", b"t=", b"tamp", b"TAMP=", b"ate=", b"msec="];

/// What of an input is one record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Units {
    pub(super) seen: Seen,
    pub(super) max_record: usize,
}

impl Units {
    /// One past the end of the record that begins at a place, with its line feed.
    pub(super) fn end(&self, block: &[u8], start: usize) -> usize {
        let rest = &block[start..];
        let line = || memchr::memchr(b'\n', rest).map_or(rest.len(), |feed| feed + 1);
        start + self.seen.frame(rest, self.max_record).unwrap_or_else(line)
    }

    /// What is known of all records of such an input.
    pub(super) fn note_in(&self, head: &mut Head) {
        if let Some(framed) = self.seen.format().filter(|format| format.is_framed()) {
            head.only = Some(framed.name());
        }
    }

    /// Whether records are no lines, so that nobody can tell them from behind.
    fn are_framed(&self) -> bool {
        self.seen.format().is_some_and(|format| format.is_framed())
    }
}

/// The time of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    stamp: Stamp,
    /// Where it stands in the record.
    pub(super) span: Span,
    /// Where the date stands, if that is another field.
    pub(super) date: Option<Span>,
}

impl Found {
    /// Whether it may be any number as well: it has neither a name nor a form of its own.
    pub(super) fn may_be_any_number(&self, record: &[u8]) -> bool {
        self.span.start == 0 && self.stamp.is_number() && !self.span.of(record).contains(&b'.')
    }

    /// What stands before it and means nothing else: [`Stamp::words_before`].
    pub(super) fn words_before(&self, record: &[u8], clock: &Clock, word: impl FnMut(Span)) {
        Stamp::words_before(record, self.span.start, clock, word);
    }
}

/// Reads the times of records. It owns the buffers that this takes.
#[derive(Debug)]
pub(super) struct Dating {
    policy: Arc<Policy>,
    /// The unit to which times are ever written.
    coarsest: Option<Unit>,
    /// Times stand where they stand by themselves, and are never written coarser.
    is_plain: bool,
    hints: Arc<[Finder<'static>; HINTS.len()]>,
    fields: Fields,
    decoded: Decoded,
    finder: TimeField,
}

impl Clone for Dating {
    fn clone(&self) -> Dating {
        Dating::under(Arc::clone(&self.policy), Arc::clone(&self.hints))
    }
}

impl Dating {
    pub(super) fn new(policy: &Arc<Policy>) -> Dating {
        Dating::under(Arc::clone(policy), Arc::new(HINTS.map(Finder::new)))
    }

    fn under(policy: Arc<Policy>, hints: Arc<[Finder<'static>; HINTS.len()]>) -> Dating {
        let (fields, decoded, finder) = (Fields::default(), Decoded::default(), TimeField::default());
        let coarsest = policy.coarsest_time();
        let is_plain = coarsest.is_none() && policy.timing.field.is_none();
        Dating { policy, coarsest, is_plain, hints, fields, decoded, finder }
    }

    /// The last of these records that has a time, without its line end, and that time.
    pub(super) fn last_of(
        &mut self,
        lines: &[u8],
        units: &Units,
        head: &Head,
        read: &Read,
    ) -> Option<(Span, Moment)> {
        if units.are_framed() {
            return self.last_of_frames(lines, units, head, read);
        }
        let mut end = lines.len();
        while end > 0 {
            let start = memchr::memrchr(b'\n', &lines[..end - 1]).map_or(0, |feed| feed + 1);
            let record = Span::new(start, start + parted(&lines[start..end]).0.len());
            if let Some(moment) = self.of(record.of(lines), head, read) {
                return Some((record, moment));
            }
            end = start;
        }
        None
    }

    fn last_of_frames(
        &mut self,
        records: &[u8],
        units: &Units,
        head: &Head,
        read: &Read,
    ) -> Option<(Span, Moment)> {
        let (mut start, mut last) = (0, None);
        while start < records.len() {
            let end = units.end(records, start);
            let record = Span::new(start, start + parted(&records[start..end]).0.len());
            last = self.of(record.of(records), head, read).map(|moment| (record, moment)).or(last);
            start = end;
        }
        last
    }

    /// The last of these records, or of those before, that has a time. `keeps`: with its line, if all lines behind it go on
    /// with it, for then those of the next block may do so as well.
    pub(super) fn last_record(
        &mut self,
        lines: &[u8],
        before: Option<&Last>,
        keeps: bool,
        units: &Units,
        head: &Head,
        read: &Read,
    ) -> Option<Last> {
        let (moment, record, from) = match self.last_of(lines, units, head, read) {
            Some((span, moment)) => {
                let end =
                    memchr::memchr(b'\n', &lines[span.end..]).map_or(lines.len(), |feed| span.end + feed + 1);
                (moment, keeps.then(|| span.of(lines).into()), end)
            }
            None => before.map(|last| (last.moment, last.record.clone(), 0))?,
        };
        let goes_on = |dating: &mut Dating| {
            let behind = &lines[from..];
            dating.continued(behind, units, head, read) == behind.len()
        };
        let record = record.filter(|record| !self.may_be_part(record) && goes_on(self));
        Some(Last { moment, record })
    }

    /// How far these lines go on with the record before them, which has a time: they have none, and are no records of
    /// a format whose records are one line each. Nor do they name columns: those of the records behind are read by them.
    pub(super) fn continued(&mut self, lines: &[u8], units: &Units, head: &Head, read: &Read) -> usize {
        let mut end = 0;
        while end < lines.len() && !units.are_framed() {
            let next = units.end(lines, end);
            let (line, _) = parted(&lines[end..next]);
            let names_columns = line.starts_with(b"#") && header(&self.policy, line).is_some();
            if names_columns
                || is_object(line)
                || self.of(line, head, read).is_some()
                || self.may_be_part(line)
            {
                break;
            }
            end = next;
        }
        end
    }

    /// Whether a line is a record of a format that parts long ones. It is one by itself, with a time that can be believed
    /// or without: no line goes on with it, and it goes on with none but the parts before it.
    pub(super) fn may_be_part(&self, line: &[u8]) -> bool {
        self.policy.formats().any(|format| format.has_parts() && format.part(line).is_some())
    }

    /// The record's own time, if it has one. One more than a day ahead is none.
    pub(super) fn of(&mut self, record: &[u8], head: &Head, read: &Read) -> Option<Moment> {
        let usual = if self.is_plain { Stamp::moment_of_access(record) } else { None };
        let moment = match usual {
            Some(moment) => moment,
            None => self.find(record, head, read)?.stamp.moment(self.coarsest),
        };
        (moment.nominal <= read.latest).then_some(moment)
    }

    /// The same, and where it stands.
    pub(super) fn find_own(&mut self, record: &[u8], head: &Head, read: &Read) -> Option<Found> {
        let found = self.find(record, head, read)?;
        (found.stamp.moment(self.coarsest).nominal <= read.latest).then_some(found)
    }

    /// The record's own time, wherever in time that is, and where it stands.
    pub(super) fn find(&mut self, record: &[u8], head: &Head, read: &Read) -> Option<Found> {
        let clock = self.clock(read);
        match &self.policy.timing.field {
            Some(_) => self.in_field(record, head, &clock),
            None if is_object(record) && self.policy.format.admits(Json.name()) => {
                self.in_json(record, &clock)
            }
            None => match Stamp::at_head(record, &clock) {
                Some(stamp) => Some(Found { stamp, span: stamp.span, date: None }),
                None => self.in_format(record, head, &clock),
            },
        }
    }

    /// What times are read by.
    pub(super) fn clock(&self, read: &Read) -> Clock {
        Clock { zone: self.policy.timing.zone, reference: read.file.unwrap_or(read.now) }
    }

    /// In the member of a JSON record that tells it best; of two that tell it alike the first.
    fn in_json(&mut self, record: &[u8], clock: &Clock) -> Option<Found> {
        let mut perhaps = None;
        for member in outermost(record) {
            let Some(name) = time_name(member.name.of(record)) else { continue };
            let Some((stamp, span)) = self.of_json_value(record, member.value, clock) else { continue };
            let found = Found { stamp, span, date: None };
            if name == TimeName::Sure {
                return Some(found);
            }
            perhaps = perhaps.or(Some(found));
        }
        perhaps
    }

    /// A text or number; `{"$date":…}`, as MongoDB writes times.
    fn of_json_value(&mut self, record: &[u8], value: Span, clock: &Clock) -> Option<(Stamp, Span)> {
        let text = value.of(record);
        if text.starts_with(b"{") {
            let inner = outermost(text).find(|member| member.name.of(text) == b"$date")?.value;
            return Some((Stamp::of_value(inner.of(text), clock)?, inner.shifted(value.start)));
        }
        if !text.contains(&b'\\') {
            return Some((Stamp::of_value(text, clock)?, value));
        }
        self.decoded.clear();
        let all = Span::new(0, text.len());
        Json.decode(text, &Field::new(Role::Text, all), all, &mut self.decoded);
        Some((Stamp::of_value(&self.decoded.bytes, clock)?, value))
    }

    /// In a field of another format than JSON that says by its name that it holds it.
    fn in_format(&mut self, record: &[u8], head: &Head, clock: &Clock) -> Option<Found> {
        let may_tell = head.columns.is_some()
            || head.layout.is_some()
            || self.hints.iter().any(|hint| hint.find(record).is_some());
        if !may_tell {
            return None;
        }
        self.policy.read_outermost(record, head, &mut self.fields);
        if !self.fields.are_named() {
            return None;
        }
        // W3C: all times are in UTC (Extended Log File Format, 1996).
        let is_utc = clock.zone.is_none() && self.fields.format().name() == W3c.name();
        let clock = &Clock { zone: if is_utc { Some(Offset::UTC) } else { clock.zone }, ..*clock };
        let (mut perhaps, mut date) = (None, None::<(Vec<u8>, Span)>);
        for at in 0..self.fields.list.len() {
            let Some(name) = self.name_of(record, at) else { continue };
            let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or(name);
            let Some(rank) = time_name(last) else { continue };
            let is_date = last.eq_ignore_ascii_case(b"date");
            let span = self.fields.list[at].value;
            let text = self.text_of(record, at);
            let of_parts = || {
                let (date, at) = date.as_ref().filter(|_| !is_date)?;
                let [stamp, _] = Stamp::of_parts(date, text, clock)?;
                Some(Found { stamp, span, date: Some(*at) })
            };
            let of_value = || Some(Found { stamp: Stamp::of_value(text, clock)?, span, date: None });
            let found = of_parts().or_else(of_value);
            if is_date {
                date = Some((text.to_vec(), span));
            }
            if found.is_some() && rank == TimeName::Sure {
                return found;
            }
            perhaps = perhaps.or(found);
        }
        perhaps
    }

    /// In the field that the policy names; of several the first that holds one.
    fn in_field(&mut self, record: &[u8], head: &Head, clock: &Clock) -> Option<Found> {
        if let Some(found) = self.on_the_way(record, clock) {
            return Some(found);
        }
        let Dating { policy, fields, finder, decoded, .. } = self;
        policy.read_outermost(record, head, fields);
        fields.open(record, head);
        let fields = &*fields;
        policy.in_time_field(&Record { bytes: record, fields }, finder, |field| {
            decoded.clear();
            fields.decode(record, field, field.value, decoded);
            Some(Found { stamp: Stamp::of_value(&decoded.bytes, clock)?, span: field.value, date: None })
        })
    }

    /// The same in a JSON record, where only one field is meant and no escape stands on the way to it.
    fn on_the_way(&mut self, record: &[u8], clock: &Clock) -> Option<Found> {
        let field = self.policy.timing.field.as_ref()?;
        let mut span = Span::new(0, record.len());
        for wanted in field.way().filter(|_| is_object(record))? {
            let is_meant = |name: &[u8]| normal(name).eq(wanted.iter().copied());
            let text = span.of(record);
            let member = outermost(text).find(|member| is_meant(member.name.of(text)))?;
            span = member.value.shifted(span.start);
        }
        Some(Found { stamp: Stamp::of_value(span.of(record), clock)?, span, date: None })
    }

    /// The name of a field that holds a text or number.
    fn name_of<'r>(&'r self, record: &'r [u8], at: usize) -> Option<&'r [u8]> {
        let field = &self.fields.list[at];
        let holds = matches!(field.role, Role::Text | Role::Number);
        match field.name {
            _ if !holds => None,
            Name::None => None,
            Name::Given(name) => Some(self.fields.given_name(name)),
            Name::Field(name) => Some(self.fields.list[name].value.of(record)),
        }
    }

    fn text_of<'r>(&'r mut self, record: &'r [u8], at: usize) -> &'r [u8] {
        let field = self.fields.list[at];
        if !field.escaped {
            return field.value.of(record);
        }
        self.decoded.clear();
        self.fields.decode(record, &field, field.value, &mut self.decoded);
        &self.decoded.bytes
    }
}

/// Whether a record begins as a JSON object does.
fn is_object(record: &[u8]) -> bool {
    let record = record.strip_prefix(b"\xef\xbb\xbf").unwrap_or(record);
    record.trim_ascii_start().first() == Some(&b'{')
}
