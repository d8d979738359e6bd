//! Recognises the time of a record: what the strength of a rule by age hangs on.
//!
//! # What the head of a record is
//!
//! A time counts only where nothing that a client chooses can stand before it; one of a URL, a user name or a message
//! would let anyone make records look old, and be dropped, or new, and be kept. [`Stamp::at_head`] therefore reads a
//! time at the very beginning, or behind up to six of these, within the first 160 bytes:
//!
//! | before the time | where from | what it costs |
//! |---|---|---|
//! | a byte-order mark, ANSI colours | editors, terminals | nothing |
//! | `[` `(` `"` `'` `*` `.` | Apache, CSV, Cisco's mark of an unsure clock | a message in quotes may begin with a time |
//! | `<34>`, `<34>1 `, `83 <34>1 ` | syslog's priority and version, behind the length of a frame | nothing |
//! | a level, as a word or a letter, and `]` `)` `:` `,` `\|` | Ruby, Kodi, qBittorrent | a message that is one word and a time |
//! | a number up to seven digits, a role `M` behind it | Redis, strace, line numbers | a message that begins with a number |
//! | an address, with its port or without, or what is left of one | PostgreSQL `%h`, HAProxy | where clients may write their address (`X-Forwarded-For` is not checked by everyone), they get no further than its letters |
//! | `http ` `https ` `h2 ` `ws ` `wss ` `grpcs ` | AWS load balancers | a message that begins so |
//! | `time=` `ts=` `t=` `timestamp=` | logfmt | nothing |
//! | a name of `[A-Za-z0-9_.:-]`, blanks, a bar | Docker Compose | a message that is a table |
//! | such a name with `.log` in it, a blank | grep, collected logs | a message that begins with a file's name |
//! | 64 hexadecimal digits, a blank, a name, a blank, `[` | S3 | a message that begins so |
//! | `# Time: `, `L `, `- ` or an upper-case word before a number and its date | MySQL, game servers, Blue Gene | nothing |
//!
//! A record that begins with a blank or a tab has no time: it goes on with the one before. Behind `host ident user` of
//! the Common Log Format the bracket directly before the first quote that is not escaped counts, since users choose
//! their names, brackets too; without a quote right behind, the one after three words, or four with a virtual host, if
//! no other follows. `ident` must be `-`, which it is nearly everywhere. A server that writes quotes in names as they
//! are lets its users choose the time, and there is no telling; so does one that quotes something, but not the request.
//!
//! What stands directly behind a time may be taken for its zone or year (`+0100`, `UTC`, `2024`): a message that
//! begins so moves the time by up to a day, and by years behind one of RFC 3164.
//!
//! # Forms
//!
//! | form | from |
//! |---|---|
//! | `2024-03-01T12:34:56.789012+01:00` | RFC 3339, ISO 8601, Docker, CRI, MySQL, Windows, MongoDB |
//! | `2024-03-01 12:34:56,789`, `2024-03-01 12:34`, blank, tab, `_` or `-` between | log4j, Python, PostgreSQL, W3C |
//! | `2024/03/01 12:34:56`, `2024.03.01 12:34:56`, `2024:03:01-12:34:56` | nginx, Go, stunnel, Astaro |
//! | `20240301T123456Z`, `20240301 12:34:56`, `20240301-22:15:29:606`, `20240301123456` | ISO 8601, HealthApp, LDAP |
//! | `2024-W09-5T12:34:56`, `2024-061T12:34:56`, both without hyphens | ISO 8601 |
//! | `2005-06-03-15.42.50.675872`, an offset in minutes behind it | Db2, Blue Gene |
//! | `10/Oct/2000:13:55:36 -0700`, `04/Apr/2024:14:30:18.885` | Common Log Format, AWS S3, HAProxy |
//! | `01-Mar-2024 12:34:56.789`, `01 Mar 2024 12:34:56`, `01.03.2024 12:34:56` | BIND, Redis, Germany |
//! | `17/06/09 20:10:40`, `081109 203615`, `070917  9:01:55` | Spark, HDFS, MySQL; POSIX: 69 is 1969, 68 is 2068 |
//! | `Oct  1 02:03:04`, with a fraction, a year before or behind the time | RFC 3164, Cisco |
//! | `Fri Mar  1 12:34:56.789 2024`, `Fri Mar  1 12:34:56 CET 2024`, `Fri 01 Mar 2024 12:34:56 CET` | ctime, Apache, date(1) |
//! | `Fri, 01 Mar 2024 12:34:56 +0100` | RFC 5322, RFC 9110 |
//! | `I0301 12:34:56.789012`, `03-17 16:13:38.811`, `[10.30 16:49:06]` | glog, klog; logcat; Proxifier |
//! | `03/17/2024-16:13:38.811234`, `L 03/17/2024 - 16:13:38` | Snort, Suricata; game servers |
//! | `1709296496` and with 13, 16, 19 digits (one less before September 2001), `1709296496.789`, `1.709296496E9` | epoch |
//! | `/Date(1603278584123)/` | Microsoft's JSON |
//! | `@4000000043225833b6e1a644` | TAI64N |
//!
//! A number is a time only between 1990 and 2200. At a head without anything before it, one of 10, 13, 16 or 19 digits is
//! a time from 2001 to 2096 if a blank or tab stands behind it, and no date behind that. Any other at a head it needs three to nine digits of a fraction and a blank or
//! tab behind (Zeek, Squid, strace), or brackets around (`[1709296496]`), or to be that of `msg=audit(1709296496.789:42)`,
//! `#1709296496` or `#+1709296496` (histories of shells), or Blue Gene's behind `- `.
//!
//! The only zones known by name are UTC, GMT and Z; others (`CET`, `EST`) are read as unknown, whatever the clock says.
//! The second 60 is read as 59, as `jiff` does: so it stays within the minute, hour and day that its text names.
//! Not read: `INFO:root:2024-03-01 12:34:56` (Python's default puts a name before the time), `kern  :info  : [Fri Mar  1 …]`
//! (`dmesg -x`), a number behind a level, one with an exponent at a head, 24:00:00, hours with AM and PM, years after 9998, names of months in other languages, day and month both as
//! numbers with slashes (they are read one way here and the other way there), times of day alone.

mod civil;
mod dates;
mod head;
mod number;
mod read;
mod tail;
mod usual;
mod words;
mod write;

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use self::civil::{Civil, DAY_SECONDS};
use self::number::{Number, Tai};
use self::read::{Places, Reader, Zone};
use crate::span::Span;

/// What the reader of times has to know.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Offset of times that carry none. `None`: not known; they are taken for UTC, and are uncertain.
    pub zone: Option<Offset>,
    /// A time without a year is of the newest year in which it is not more than a day after this: now for a stream,
    /// the date of the file for a file.
    pub reference: Timestamp,
}

impl Clock {
    /// The last second of times without a year, since 1970.
    fn until(&self) -> i64 {
        self.reference.as_second() + DAY_SECONDS
    }
}

/// Units that times can be coarsened to, the finest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// Seconds become 0.
    Minute,
    /// Minutes too.
    Hour,
    /// Hours too.
    Day,
    /// Days become 1.
    Month,
    /// Months too.
    Year,
}

impl Unit {
    /// All units, the finest first.
    pub const ALL: [Unit; 5] = [Unit::Minute, Unit::Hour, Unit::Day, Unit::Month, Unit::Year];
}

/// When a record was written, and how early and late that may have been where the zone is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The time, in UTC if its zone is not known.
    pub nominal: Timestamp,
    /// Seconds that it was taken to be ahead of UTC, if its zone is not known.
    unsure: Option<i32>,
}

impl Moment {
    /// A time of which the zone is known.
    pub fn certain(nominal: Timestamp) -> Moment {
        Moment { nominal, unsure: None }
    }

    /// As early as it can be: of its text as UTC fourteen hours before, where it is the next day first.
    #[inline]
    pub fn earliest(&self) -> Timestamp {
        // A clock may be of an offset that no zone has.
        self.unsure
            .map_or(self.nominal, |offset| self.nominal.min(self.of_offset(offset, -FIRST_ZONE_SECONDS)))
    }

    /// As late as it can be: of its text as UTC twelve hours after, where it is the next day last.
    #[inline]
    pub fn latest(&self) -> Timestamp {
        self.unsure.map_or(self.nominal, |offset| self.nominal.max(self.of_offset(offset, LAST_ZONE_SECONDS)))
    }

    fn of_offset(&self, offset: i32, seconds: i64) -> Timestamp {
        let end = if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
        let moved = SignedDuration::from_secs(i64::from(offset) + seconds);
        self.nominal.checked_add(moved).unwrap_or(end)
    }
}

const FIRST_ZONE_SECONDS: i64 = 14 * 3600;
const LAST_ZONE_SECONDS: i64 = 12 * 3600;

/// A time as it stands in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Where it stands in the text that it was read from, its zone included; brackets are no part of it.
    pub span: Span,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Fields(Written),
    Number(Number),
    Tai(Tai),
}

/// A time by fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Written {
    civil: Civil,
    places: Places,
    /// Seconds ahead of UTC.
    offset: i32,
    is_certain: bool,
    /// What stands before a day of one digit.
    pad: u8,
}

impl Stamp {
    /// The time at the head of a record, a line without its end: see the [module](self).
    pub fn at_head(record: &[u8], clock: &Clock) -> Option<Stamp> {
        head::read(record, clock)
    }

    /// Whether it is a number of seconds, or of parts of seconds.
    pub fn is_number(&self) -> bool {
        matches!(self.form, Form::Number(_))
    }

    /// What stands before the time at a head that ends there and means nothing but that a time or a record begins: levels,
    /// `time=`, the `I` of `I0301`. Without it there would be none.
    pub fn words_before(record: &[u8], time: usize, clock: &Clock, word: impl FnMut(Span)) {
        head::words_before(record, time, clock, word);
    }

    /// What [`at_head`](Stamp::at_head) and [`moment`](Stamp::moment) tell of the most common line there is, one of an
    /// access log without a user, in half the time; nothing of any other.
    #[inline]
    pub fn moment_of_access(record: &[u8]) -> Option<Moment> {
        head::moment_of_access(record)
    }

    /// A whole value, as of a field: a text, in brackets or not, a date alone too, or a number.
    pub fn of_value(value: &[u8], clock: &Clock) -> Option<Stamp> {
        let (text, start) = match value {
            [b'[', text @ .., b']'] => (text, 1),
            _ => (value, 0),
        };
        Some(Stamp::whole(text, clock)?.shifted(start))
    }

    /// The date and the time of day of two fields, as logs of W3C have them. The moment of either is that of both;
    /// each is coarsened in its own field. W3C logs are in UTC, which the clock then has to say.
    pub fn of_parts(date: &[u8], time: &[u8], clock: &Clock) -> Option<[Stamp; 2]> {
        let mut day = Reader::new(date, 0, clock.until());
        let mut hour = Reader::new(time, 0, clock.until());
        day.date()?;
        hour.time_of_day()?;
        if day.at != date.len() || hour.at != time.len() {
            return None;
        }
        let Civil { year, month, day: of_month, .. } = day.civil;
        let civil = Civil { year, month, day: of_month, ..hour.civil };
        let of = |mut reader: Reader<'_>| {
            (reader.civil, reader.zone) = (civil, hour.zone);
            Stamp::of(&reader, 0, clock)
        };
        Some([of(day), of(hour)])
    }

    /// The moment. With a unit: as it will be read when the text has been coarsened to it, which is the time rounded
    /// down to the unit in its own zone. A time without a year is then of the newest year again: it may be after.
    pub fn moment(&self, coarsest: Option<Unit>) -> Moment {
        match &self.form {
            Form::Fields(written) => written.moment(coarsest),
            Form::Number(number) => {
                let nanoseconds = number.nanoseconds(coarsest);
                Moment::certain(timestamp(
                    nanoseconds.div_euclid(1_000_000_000),
                    nanoseconds.rem_euclid(1_000_000_000) as u32,
                ))
            }
            Form::Tai(tai) => {
                let (seconds, nanoseconds) = tai.parts(coarsest);
                Moment::certain(timestamp(seconds, nanoseconds))
            }
        }
    }

    /// Appends the text of the time, with everything below the unit at its lowest. `text`: the bytes of its span.
    ///
    /// The form and the length stay (a number with an exponent grows if it has fewer digits than seconds need). What is
    /// read from the result is `moment(Some(unit))`; coarsened once more it stays as it is.
    pub fn coarsen(&self, text: &[u8], unit: Unit, out: &mut Vec<u8>) {
        match &self.form {
            Form::Fields(Written { civil, places, pad, .. }) => {
                let start = out.len();
                out.extend_from_slice(text);
                if let Some(text) = out.get_mut(start..) {
                    write::coarsen(text, civil, places, unit, *pad);
                }
            }
            Form::Number(number) => number.coarsen(text, unit, out),
            Form::Tai(tai) => {
                out.push(b'@');
                tai.coarsen(unit, out);
            }
        }
    }

    /// A time that is the whole text, but for what surrounds some numbers.
    fn whole(text: &[u8], clock: &Clock) -> Option<Stamp> {
        let is_all = |stamp: &Stamp| stamp.span.end == text.len();
        match text.first()? {
            b'@' => head::tai(text, 0).filter(is_all),
            b'/' | b'\\' => head::microsoft(text),
            b'0'..=b'9' => head::written(text, 0, clock).filter(is_all).or_else(|| Stamp::bare(text, clock)),
            _ => head::klog(text, 0, clock).or_else(|| head::written(text, 0, clock)).filter(is_all),
        }
    }

    /// A number or a date that is the whole text.
    fn bare(text: &[u8], clock: &Clock) -> Option<Stamp> {
        match Number::read(text) {
            Some(number) if number.length == text.len() => Some(Stamp::number(number, 0)),
            _ => {
                let mut date = Reader::new(text, 0, clock.until());
                date.date()?;
                // Six digits alone are too little for a date.
                (date.at == text.len() && date.at >= 8).then(|| Stamp::of(&date, 0, clock))
            }
        }
    }

    fn shifted(self, by: usize) -> Stamp {
        Stamp { span: self.span.shifted(by), ..self }
    }

    fn number(number: Number, start: usize) -> Stamp {
        Stamp { span: Span::new(start, start + number.length), form: Form::Number(number) }
    }

    /// What was read from `start` on.
    #[inline(always)]
    fn of(reader: &Reader<'_>, start: usize, clock: &Clock) -> Stamp {
        let Reader { civil, places, .. } = *reader;
        let default = clock.zone.map(Offset::seconds);
        let (offset, is_certain) = match reader.zone {
            Zone::Offset(offset) => (offset, true),
            Zone::Unsaid => (default.unwrap_or(0), default.is_some()),
            Zone::Vague => (default.unwrap_or(0), false),
        };
        // Apache pads with a nought, all others that begin with the month with a blank.
        let is_month_first = places.month.length == 3 && places.month.at < places.day.at;
        let pad = if is_month_first && !reader.is_behind(b'[') { b' ' } else { b'0' };
        let written = Written { civil, places, offset, is_certain, pad };
        Stamp { span: Span::new(start, reader.at), form: Form::Fields(written) }
    }
}

impl Written {
    fn moment(&self, unit: Option<Unit>) -> Moment {
        let civil = self.civil.floored(unit);
        let seconds = civil.seconds(self.offset);
        let nominal = timestamp(seconds, civil.nanosecond);
        Moment { nominal, unsure: (!self.is_certain).then_some(self.offset) }
    }
}

/// Times that are read lie within the range of [`Timestamp`]; bounds of the year 0 and offsets may pass its end.
fn timestamp(seconds: i64, nanoseconds: u32) -> Timestamp {
    let end = if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::new(seconds, nanoseconds as i32).unwrap_or(end)
}
