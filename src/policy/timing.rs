//! `[input] time, zone, undated`: when a record was written.

use jiff::tz::Offset;

use super::decide::Record;
use super::fault::Faults;
use super::layer::Layer;
use super::paths::Paths;
use super::selector::{Names, Selector, normal};
use super::when::is_value;
use super::{Covers, Policy, Rule, leave};
use crate::action::Action;
use crate::format::Field;
use crate::kind::Kind;
use crate::time::stamp::Unit;

/// How the times of records are read.
#[derive(Clone, Debug, Default)]
pub struct Timing {
    /// `time`: the field that holds the record's own time.
    pub field: Option<Selector>,
    /// `zone`: the offset of times that carry none. Without it they are taken for UTC, and are uncertain.
    pub zone: Option<Offset>,
    /// `undated`.
    pub undated: Option<Undated>,
}

/// `undated`: what holds for a record without a time behind none that has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undated {
    /// It is as old as the moment at which it was read.
    Arrival,
    /// It is of the date of its file.
    File,
    /// It has reached every age.
    Oldest,
    /// It has reached none.
    Newest,
    /// It does not go out if any age would change it.
    Withhold,
}

impl Undated {
    /// The word of the rules file.
    pub fn word(self) -> &'static str {
        match self {
            Undated::Arrival => "arrival",
            Undated::File => "file",
            Undated::Oldest => "oldest",
            Undated::Newest => "newest",
            Undated::Withhold => "withhold",
        }
    }

    fn named(word: &str) -> Option<Undated> {
        let all = [Undated::Arrival, Undated::File, Undated::Oldest, Undated::Newest, Undated::Withhold];
        all.into_iter().find(|one| one.word() == word)
    }
}

impl Policy {
    /// The coarsest unit to which any rule ever writes the time of a record. Ages and periods are those of the time that
    /// is left then, so that it does not matter whether it was written so already.
    pub fn coarsest_time(&self) -> Option<Unit> {
        let means_time = |field: &Selector| match &self.timing.field {
            Some(time) => field.covers(time) || time.covers(field) || field.holds(time),
            None => field.last_name().is_none_or(|name| time_name(name).is_some()),
        };
        let concerns_time = |rule: &&Rule| match &rule.covers {
            Covers::Find { kinds, .. } => kinds.contains(Kind::RECORD_TIME),
            Covers::Field { fields, .. } => fields.iter().any(means_time),
            Covers::Unknown => false,
        };
        let unit = |action: &Action| match action {
            Action::Truncate(keep) => keep.time_unit(),
            _ => None,
        };
        let rules = self.rules.iter().filter(concerns_time);
        rules.flat_map(Rule::actions).filter_map(unit).max().map(leave::unit)
    }

    /// The one rule that acts on the time of every record, wherever it stands and whatever else the record holds.
    pub fn rule_for_times(&self) -> Option<usize> {
        let finds = |rule: &Rule| matches!(&rule.covers, Covers::Find { kinds, .. } if kinds.contains(Kind::RECORD_TIME));
        let mut rules = self.rules.iter().enumerate().filter(|(_, rule)| finds(rule));
        let (first, rule) = rules.next()?;
        let is_for_all = match &rule.covers {
            Covers::Find { within: None, not_within, only: None, unless: None, .. } => not_within.is_empty(),
            _ => false,
        };
        let is_alone = rules.next().is_none() && rule.when.is_empty() && !self.has_field_rules();
        (is_for_all && is_alone).then_some(first)
    }

    /// Whether any rule acts on the time of records, wherever it stands.
    pub fn acts_on_record_time(&self) -> bool {
        let acts = |rule: &Rule| rule.actions().any(|action| *action != Action::Keep);
        let finds = |rule: &Rule| matches!(&rule.covers, Covers::Find { kinds, .. } if kinds.contains(Kind::RECORD_TIME));
        self.rules.iter().any(|rule| finds(rule) && acts(rule))
    }

    /// Whether the time of records matters where they are judged: a rule acts on it, or it is not to be withheld
    /// because the age of the record hangs on it.
    pub fn asks_for_record_time(&self) -> bool {
        self.acts_on_record_time() || self.known.is_some() && self.depends_on_age()
    }

    /// The first field of a record that holds a time and that `[input] time` names: what `read` makes of it.
    pub fn in_time_field<T>(
        &self,
        record: &Record<'_>,
        finder: &mut TimeField,
        mut read: impl FnMut(&Field) -> Option<T>,
    ) -> Option<T> {
        let field = std::slice::from_ref(self.timing.field.as_ref()?);
        let TimeField { paths, names } = finder;
        paths.begin();
        paths.look_for(names.get_or_insert_with(|| Names::of(field.iter())), record);
        record.fields.list.iter().enumerate().find_map(|(at, one)| {
            let is_meant = is_value(one) && paths.may_be_meant(at) && paths.any(record, at, field, true);
            is_meant.then(|| read(one))?
        })
    }
}

/// Looks for the field that `[input] time` names. It owns the buffers that this takes.
#[derive(Debug, Default)]
pub struct TimeField {
    paths: Paths,
    names: Option<Names>,
}

/// How well a name tells that a field holds the time of its record; the better is the lesser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimeName {
    /// Nothing else is called so.
    Sure,
    /// Where no other field says it.
    Perhaps,
}

/// Names of nothing but the time of a record, in normal form.
const SURE: [&[u8]; 15] = [
    b"time",
    b"ts",
    b"timestamp",
    b"@timestamp",
    b"@t",
    b"datetime",
    b"asctime",
    b"eventtime",
    b"systemtime",
    b"timelocal",
    b"timeiso8601",
    b"msec",
    b"realtimetimestamp", // of the journal, with underscores
    b"devtime",
    b"rt", // of CEF
];
/// Names that may mean another time.
const PERHAPS: [&[u8]; 3] = [b"date", b"t", b"timegenerated"];

/// All names that may be of the time of a record, in normal form.
pub(super) fn time_names() -> impl Iterator<Item = &'static [u8]> {
    SURE.into_iter().chain(PERHAPS)
}

/// Whether a field of this name, the last part of a dotted one, holds the time of its record if it lies in nothing else.
pub fn time_name(name: &[u8]) -> Option<TimeName> {
    const LONGEST: usize = 32;
    if name.len() > LONGEST {
        return None;
    }
    let is = |word: &&[u8]| normal(name).eq(word.iter().copied());
    let rank = |sure| if sure { TimeName::Sure } else { TimeName::Perhaps };
    let is_sure = SURE.iter().any(is);
    (is_sure || PERHAPS.iter().any(is)).then(|| rank(is_sure))
}

/// Reads the keys; of each the first file that has it decides.
pub(super) fn read(layers: &[Layer], faults: &mut Faults) -> Timing {
    let mut timing = Timing::default();
    let written = |key| {
        layers.iter().find_map(|layer| {
            let node = layer.doc.root.get("input")?.get(key)?;
            Some((&layer.doc, node, node.as_text()?))
        })
    };
    if let Some((doc, node, text)) = written("time") {
        match Selector::parse(text) {
            Ok(field) => timing.field = Some(field),
            Err(wrong) => faults.push(doc.fault(&node.span, wrong)),
        }
    }
    if let Some((doc, node, text)) = written("zone") {
        timing.zone = zone(text);
        if timing.zone.is_none() {
            let fault = doc.fault(&node.span, "`zone` is no offset from UTC");
            faults.push(fault.help("write it as in +01:00 or -08:00, or UTC; names of zones are not known"));
        }
    }
    timing.undated = written("undated").and_then(|(_, _, text)| Undated::named(text));
    timing
}

/// `+01:00`, `-0800`, `UTC`, `Z`.
fn zone(text: &str) -> Option<Offset> {
    if matches!(text, "UTC" | "Z" | "z") {
        return Some(Offset::UTC);
    }
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits = digits.replacen(':', "", 1);
    let is_whole = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: i32 = digits.parse().ok().filter(|_| is_whole)?;
    let (hours, minutes) = (number / 100, number % 100);
    let seconds = sign * (hours * 3600 + minutes * 60);
    (hours <= 14 && minutes < 60).then(|| Offset::from_seconds(seconds).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_offsets() {
        for (text, seconds) in
            [("UTC", 0), ("Z", 0), ("+01:00", 3600), ("-0800", -28800), ("+05:45", 20700), ("-00:00", 0)]
        {
            assert_eq!(zone(text).map(Offset::seconds), Some(seconds), "{text}");
        }
        for text in ["", "+", "1", "01:00", "+1", "+1:00", "+15:00", "+01:60", "CET", "Europe/Berlin", "+é"]
        {
            assert_eq!(zone(text), None, "{text}");
        }
    }
}
