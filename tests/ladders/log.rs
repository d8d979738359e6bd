//! Records with times and values, how each format writes them, and what has to be left of them at a date.

use super::calendar::{Age, fields, rfc3339};

const HOUR: i64 = 3_600_000_000_000;
const DAY: i64 = 24 * HOUR;
const SECOND: i64 = 1_000_000_000;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// What stands for a value in the text of a record.
const PLACES: [(&str, Kind); 3] = [("<IP>", Kind::Ip), ("<MAIL>", Kind::Email), ("<CARD>", Kind::Pan)];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ip,
    Email,
    Pan,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Keep,
    /// To so many bits.
    Truncate(u32),
    /// To the domain.
    Domain,
    /// To the first six digits and the last four.
    Card,
    /// To the last four.
    LastFour,
    Hash,
    /// With the domain beside it.
    HashDomain,
    /// With so many bits beside it.
    HashBits(u32),
    Redact,
    Drop,
    DropRecord,
}

impl Act {
    fn text(self) -> String {
        match self {
            Act::Keep => "'keep'".to_owned(),
            Act::Truncate(bits) => format!("{{ truncate = {{ ipv4 = {bits}, ipv6 = {bits} }} }}"),
            Act::Domain => "{ truncate = { email = 'domain' } }".to_owned(),
            Act::Card => "{ truncate = { pan = 'first6last4' } }".to_owned(),
            Act::LastFour => "{ truncate = { pan = 'last4' } }".to_owned(),
            Act::Hash => "'hash'".to_owned(),
            Act::HashDomain => "{ hash = { keep = 'domain' } }".to_owned(),
            Act::HashBits(bits) => format!("{{ hash = {{ keep = '/{bits}' }} }}"),
            Act::Redact => "'redact'".to_owned(),
            Act::Drop => "'drop'".to_owned(),
            Act::DropRecord => "'drop_record'".to_owned(),
        }
    }

    /// What it leaves of a value of which these left something before.
    fn leaves(self, before: &[Act], value: &str, kind: Kind) -> String {
        let truncated = before.iter().rev().find(|act| matches!(act, Act::Truncate(_)));
        let value = &truncated.map_or(value.to_owned(), |act| act.leaves(&[], value, kind));
        match (self, kind) {
            (Act::Hash | Act::HashDomain | Act::HashBits(_), _) => super::pseudonym(&self.text(), value),
            (Act::Domain, _) => format!("[email]@{}", value.split('@').nth(1).unwrap()),
            (Act::Card, _) => format!("{}******{}", &value[..6], &value[12..]),
            (Act::LastFour, _) => format!("************{}", &value[12..]),
            (Act::Keep, _) => value.to_owned(),
            (Act::Truncate(bits), _) => {
                let address: std::net::Ipv4Addr = value.parse().unwrap();
                (address & std::net::Ipv4Addr::from_bits(u32::MAX << (32 - bits))).to_string()
            }
            (Act::Redact | Act::DropRecord, Kind::Ip) => "[ipv4]".to_owned(),
            (Act::Redact | Act::DropRecord, Kind::Email) => "[email]".to_owned(),
            (Act::Redact | Act::DropRecord, Kind::Pan) => "[pan]".to_owned(),
            (Act::Drop, _) => "[]".to_owned(),
        }
    }
}

/// What is done until an age; the last has none.
pub(crate) type Ladder = Vec<(Option<Age>, Act)>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undated {
    Arrival,
    File,
    Oldest,
    Newest,
    Withhold,
}

/// A policy, as far as these tests go.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) ip: Ladder,
    pub(crate) email: Ladder,
    pub(crate) pan: Ladder,
    pub(crate) drop_after: Option<Age>,
    pub(crate) keep_at_least: Option<Age>,
    pub(crate) undated: Option<Undated>,
    /// Hours ahead of UTC.
    pub(crate) zone: Option<i64>,
}

impl Rules {
    /// Whether it matters for any record when it was written.
    fn know_ages(&self) -> bool {
        let ladders = [&self.ip, &self.email, &self.pan];
        let may_drop = ladders.iter().any(|ladder| ladder.iter().any(|(_, act)| *act == Act::DropRecord));
        ladders.iter().any(|ladder| ladder.len() > 1) || self.drop_after.is_some() || may_drop
    }

    pub(crate) fn text(&self) -> String {
        let mut text = "[pseudonyms]\nkeyring = 'k.toml'\n[input]\n".to_owned();
        let undated = self.undated.map(|one| format!("{one:?}").to_lowercase());
        undated.iter().for_each(|one| text += &format!("undated = '{one}'\n"));
        self.zone.iter().for_each(|hours| text += &format!("zone = '{hours:+03}:00'\n"));
        text += "[records]\n";
        self.drop_after.iter().for_each(|age| text += &format!("drop_after = '{}'\n", age.text()));
        self.keep_at_least.iter().for_each(|age| text += &format!("keep_at_least = '{}'\n", age.text()));
        for (kind, ladder) in [("ip", &self.ip), ("email", &self.email), ("pan", &self.pan)] {
            let step = |(until, act): &(Option<Age>, Act)| {
                let until = until.map(|age| format!("until = '{}', ", age.text())).unwrap_or_default();
                format!("  {{ {until}action = {} }},\n", act.text())
            };
            let steps: String = ladder.iter().map(step).collect();
            text += &format!("[[rule]]\nfind = ['{kind}']\nretain = [\n{steps}]\n");
        }
        text
    }
}

/// How a record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Access,
    /// RFC 3164: no zone, no year.
    OldSyslog,
    Syslog,
    Json,
    JsonLate,
    Logfmt,
    /// No zone.
    Plain,
    PlainZoned,
    /// An address stands before the time.
    AddressFirst,
    Compose,
    /// Without a time.
    Trace,
    Prose,
    Blank,
    BareJson,
}

pub(crate) const FORMS: [Form; 14] = [
    Form::Access,
    Form::OldSyslog,
    Form::Syslog,
    Form::Json,
    Form::JsonLate,
    Form::Logfmt,
    Form::Plain,
    Form::PlainZoned,
    Form::AddressFirst,
    Form::Compose,
    Form::Trace,
    Form::Prose,
    Form::Blank,
    Form::BareJson,
];

impl Form {
    pub(crate) fn is_dated(self) -> bool {
        !matches!(self, Form::Trace | Form::Prose | Form::Blank | Form::BareJson)
    }

    fn is_certain(self) -> bool {
        !matches!(self, Form::OldSyslog | Form::Plain)
    }

    fn has_fractions(self) -> bool {
        matches!(self, Form::Syslog | Form::Json | Form::JsonLate | Form::Logfmt)
    }

    /// The text; times without a zone are written as they are there.
    fn text(self, time: i64, rules: &Rules, has_card: bool) -> String {
        let ((year, month, day), (hour, minute, second), _) = fields(time);
        let local = match self.is_certain() {
            true => time,
            false => time + rules.zone.unwrap_or(0) * HOUR,
        };
        let utc = format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}");
        let ((lyear, lmonth, lday), (lhour, lminute, lsecond), _) = fields(local);
        let card = if has_card { " card <CARD>." } else { "" };
        let month_name = MONTHS[lmonth as usize - 1];
        match self {
            Form::Access => format!(
                "<IP> - <MAIL> [{lday:02}/{month_name}/{lyear}:{lhour:02}:{lminute:02}:{lsecond:02} +0000] \"GET /?at=1999-01-01T00:00:00Z&m=<MAIL> HTTP/1.1\" 200 17 \"-\" \"a [01/Jan/2001:00:00:00 +0000] <IP>\"{card}"
            ),
            Form::OldSyslog => format!(
                "<34>{month_name} {lday:2} {lhour:02}:{lminute:02}:{lsecond:02} web sshd[12]: from <IP> at 2001-01-01 00:00:00 for <MAIL>{card}"
            ),
            Form::Syslog => format!("<34>1 {} web app 12 - - from <IP> <MAIL>{card}", rfc3339(time)),
            Form::Json => format!(
                "{{\"ts\":\"{}\",\"ip\":\"<IP>\",\"msg\":\"2001-01-01 00:00:00 <MAIL>{card}\"}}",
                rfc3339(time)
            ),
            Form::JsonLate => format!(
                "{{\"ip\":\"<IP>\",\"http\":{{\"time\":\"2001-01-01T00:00:00Z\"}},\"u\":\"\\u0041 <MAIL>{card}\",\"time\":\"{}\"}}",
                rfc3339(time)
            ),
            Form::Logfmt => format!(
                "level=info ts={} ip=<IP> msg=\"time=2001-01-01T00:00:00Z <MAIL>{card}\"",
                rfc3339(time)
            ),
            Form::Plain => format!(
                "{lyear}-{lmonth:02}-{lday:02} {lhour:02}:{lminute:02}:{lsecond:02},000 INFO from <IP> {{since 2001-01-01 00:00:00}} <MAIL>{card}"
            ),
            Form::PlainZoned => format!("[{utc}+00:00] [info] client <IP>:443 said <MAIL>{card}"),
            Form::AddressFirst => format!("<IP> {utc} UTC log: for <MAIL>{card}"),
            Form::Compose => format!("web-1  | {} GET from <IP> <MAIL>{card}", rfc3339(time)),
            Form::Trace => format!("\tat com.example.Main(2001-01-01 00:00:00) <IP> <MAIL>{card}"),
            Form::Prose => format!("went on with <IP> since 1999-12-31 for <MAIL>{card}"),
            Form::Blank => String::new(),
            Form::BareJson => {
                format!("{{\"msg\":\"from <IP>\",\"expires\":\"2001-01-01\",\"to\":[\"to <MAIL>{card}\"]}}")
            }
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) form: Form,
    pub(crate) time: i64,
    pub(crate) ip: [u8; 2],
    pub(crate) mail: u32,
    pub(crate) has_card: bool,
}

impl Record {
    /// The time as it is written.
    fn written(&self) -> i64 {
        if self.form.has_fractions() { self.time } else { self.time - self.time.rem_euclid(SECOND) }
    }

    fn value(&self, kind: Kind) -> String {
        match kind {
            Kind::Ip => format!("203.0.{}.{}", self.ip[0], self.ip[1]),
            Kind::Email => format!("jane{}@example.com", self.mail),
            Kind::Pan => ["4111", "1111", "1111", "1111"].concat(),
        }
    }

    fn with(&self, rules: &Rules, put: impl Fn(Kind) -> String) -> String {
        let mut text = self.form.text(self.written(), rules, self.has_card);
        for (place, kind) in PLACES {
            text = text.replace(place, &put(kind));
        }
        text + "\n"
    }

    pub(crate) fn raw(&self, rules: &Rules) -> String {
        self.with(rules, |kind| self.value(kind))
    }

    /// Whether all in it that may be found is raw at that date, what is left of it.
    fn holds_values(&self) -> bool {
        self.form != Form::Blank
    }
}

/// When something was written: at the earliest, and at the latest.
#[derive(Clone, Copy, Debug)]
struct Time {
    earliest: i64,
    latest: i64,
}

/// When a log is read, and from where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub(crate) now: i64,
    /// The date of the file.
    pub(crate) file: Option<i64>,
}

/// What is left of the log then, and how many records are dropped.
pub(crate) fn left(log: &[Record], rules: &Rules, reading: Reading) -> (String, u64) {
    let Reading { now, file } = reading;
    let mut last: Option<Time> = None;
    let (mut text, mut dropped) = (String::new(), 0);
    let mut goes_on = false;
    for record in log {
        let written = record.written();
        let is_own = record.form.is_dated() && written <= now + DAY;
        goes_on &= !is_own && record.form != Form::BareJson;
        if goes_on {
            dropped += 1;
            continue;
        }
        if record.form.is_dated() {
            let is_certain = record.form.is_certain() || rules.zone.is_some();
            if written <= now + DAY {
                last = Some(Time {
                    earliest: written - if is_certain { 0 } else { 14 * HOUR },
                    latest: written + if is_certain { 0 } else { 12 * HOUR },
                });
            }
        }
        let may_go = |time: Time| rules.keep_at_least.is_none_or(|age| age.reached(time.latest, now));
        if let Some(time) = last
            && rules.drop_after.is_some_and(|age| age.reached(time.earliest, now) && may_go(time))
        {
            dropped += 1;
            continue;
        }
        let undated = rules.undated.unwrap_or(if file.is_some() { Undated::File } else { Undated::Arrival });
        let at = match (last, undated) {
            (Some(time), _) => Some(time.earliest),
            (None, Undated::Arrival) => Some(now),
            (None, Undated::File) => Some(file.map_or(now, |date| date.min(now))),
            (None, Undated::Newest) => Some(i64::MAX / 2),
            (None, Undated::Oldest | Undated::Withhold) => None,
        };
        let act = |kind: Kind| {
            let ladder = match kind {
                Kind::Ip => &rules.ip,
                Kind::Email => &rules.email,
                Kind::Pan => &rules.pan,
            };
            let holds = |until: Option<Age>| match (until, at) {
                (None, _) => true,
                (Some(age), Some(at)) => at > now || !age.reached(at, now),
                (Some(_), None) => false,
            };
            let step = ladder.iter().position(|(until, _)| holds(*until)).unwrap();
            (ladder[step].1, ladder[..step].iter().map(|(_, act)| *act).collect::<Vec<Act>>())
        };
        if record.has_card && record.form != Form::Blank && act(Kind::Pan).0 == Act::DropRecord {
            let is_laddered = rules.pan.len() > 1;
            let may = match last {
                Some(time) => may_go(time),
                None => rules.keep_at_least.is_none() && !is_laddered,
            };
            if may && !(last.is_none() && undated == Undated::Withhold) {
                dropped += 1;
                goes_on = is_own;
                continue;
            }
        }
        let raw = record.raw(rules);
        let written = record.with(rules, |kind| {
            let (act, before) = act(kind);
            act.leaves(&before, &record.value(kind), kind)
        });
        let is_unknown = last.is_none() && undated == Undated::Withhold && rules.know_ages();
        if is_unknown && written != raw && record.holds_values() {
            let bytes = raw.len() - 1;
            text += &match record.form {
                Form::BareJson => format!("{{\"logscrub\":\"withheld\",\"bytes\":{bytes}}}\n"),
                _ => format!("[withheld {bytes} bytes]\n"),
            };
            continue;
        }
        text += &written;
    }
    (text, dropped)
}
