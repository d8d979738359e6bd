//! [`Stages`]: which step of each ladder holds for a record, by when it was written.
//!
//! All records that have reached the same ages are of one stage. They are judged under one policy, in which each rule
//! does what its step says: nobody but this module knows of ages.

use std::sync::Arc;

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::carry::{Last, Read};
use super::dating::{Dating, Found, Units};
use super::parted;
use super::seen::Seen;
use crate::format::Head;
use crate::policy::{MayDrop, Policy, Reached, Undated};
use crate::span::Span;
use crate::time::age::Age;
use crate::time::stamp::Moment;

/// What is done with a record by its age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stage {
    /// Which of the policy's ages it has reached.
    pub(super) reached: Reached,
    /// Which rules may drop it.
    pub(super) may_drop: MayDrop,
    /// When it was written, where that is asked for and known. Nothing else depends on it.
    pub(super) year: Option<i16>,
}

impl Stage {
    /// Of a record that has reached no age.
    pub(super) const OF_NEW: Stage = Stage { reached: 0, may_drop: MayDrop::Any, year: None };
}

/// From where the age of a record is known, and when it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dated {
    /// It holds its time itself.
    Own(Moment),
    /// It has none, and takes that of the last record before it that has one.
    Before(Moment),
    /// There is none before it either: `undated` says what holds, and as of which time; none if it says no time.
    By(Undated, Option<Timestamp>),
}

/// What is known of the age of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Aged {
    pub(super) stage: Stage,
    /// The moment by which it is under a key; none if it may be of any time.
    pub(super) moment: Option<Timestamp>,
    /// Nobody can tell its age, and it is not to go out unless it is the same at every age.
    pub(super) withheld: bool,
    /// It is not to be written, whatever it holds.
    pub(super) drops: bool,
}

/// An age as it is now.
#[derive(Clone, Copy, Debug)]
struct Limit {
    age: Age,
    /// The last time that has reached it.
    last: Timestamp,
    /// All times up to this one have. The ends of months differ, so that close to the last an earlier one may not.
    all: Timestamp,
    /// The first time that was asked about and has not; of an age in months, when the first of them will.
    next: Option<Timestamp>,
    /// From the last time for which that was reckoned to the end of its day.
    asked: Option<(Timestamp, Timestamp)>,
    /// Times from here on reach it no earlier than the first, however long the months are.
    later: Timestamp,
}

impl Limit {
    fn of(age: Age, now: Timestamp) -> Limit {
        const CLAMPED: SignedDuration = SignedDuration::from_hours(4 * 24);
        let last = age.before(now);
        let all = if age.is_exact() { last } else { last.checked_sub(CLAMPED).unwrap_or(Timestamp::MIN) };
        Limit { age, last, all, next: None, asked: None, later: Timestamp::MAX }
    }

    /// Whether something of that time has reached the age.
    #[inline]
    fn is_reached(&self, time: Timestamp, now: Timestamp) -> bool {
        time <= self.all || time <= self.last && self.age.reached(time, now)
    }

    /// When the first of those that were asked about reaches the age.
    fn take_due(&mut self) -> Option<Timestamp> {
        (self.asked, self.later) = (None, Timestamp::MAX);
        let next = self.next.take()?;
        if self.age.is_exact() { self.age.after(next) } else { Some(next) }
    }

    /// The same, and notes when this will be so if it is not yet.
    #[inline]
    fn reaches(&mut self, time: Timestamp, now: Timestamp) -> bool {
        let is_reached = self.is_reached(time, now);
        if !is_reached {
            self.note(time);
        }
        is_reached
    }

    #[inline]
    fn note(&mut self, time: Timestamp) {
        if !self.age.is_exact() {
            return self.note_day(time);
        }
        if self.next.is_none_or(|next| time < next) {
            self.next = Some(time);
        }
    }

    /// Of times in months that end on other days a later one may reach the age first, but not on the same day, and not if
    /// it is later by some days: so it is reckoned once for a day of a log in order, and hardly ever in any other.
    #[inline]
    fn note_day(&mut self, time: Timestamp) {
        if time >= self.later || self.asked.is_some_and(|(from, to)| from <= time && time < to) {
            return;
        }
        let midnight = Offset::UTC.to_datetime(time).date().tomorrow().map(|day| day.at(0, 0, 0, 0));
        let end = midnight.ok().and_then(|midnight| Offset::UTC.to_timestamp(midnight).ok());
        self.asked = Some((time, end.unwrap_or(time)));
        self.next = self.next.into_iter().chain(self.age.after(time)).min();
        let later = self.next.and_then(|next| next.checked_sub(self.age.shortest()).ok());
        self.later = later.unwrap_or(Timestamp::MAX);
    }
}

/// The ages of the records of one block after another.
#[derive(Clone, Debug)]
pub(super) struct Stages {
    dating: Dating,
    undated: Option<Undated>,
    read: Read,
    /// The ages of the policy as they are at that moment.
    ages: Vec<Limit>,
    drop_after: Option<Limit>,
    keep_at_least: Option<Limit>,
    may_drop: bool,
    tells_years: bool,
    /// When a time may be believed that is too far ahead now, if that may be what a record without one has.
    wakes: Option<Timestamp>,
    units: Units,
    /// Up to where in the block the time of the last record is known.
    place: usize,
    last: Option<Moment>,
    /// The last record that was asked about has that time itself.
    is_own: bool,
    /// Where records stood that are in the block no more, the last first, and the time of the last record there.
    gone: Vec<(usize, Option<Moment>)>,
}

impl Stages {
    pub(super) fn new(policy: &Arc<Policy>, now: Timestamp) -> Stages {
        let mut stages = Stages {
            dating: Dating::new(policy),
            undated: policy.timing.undated,
            read: Read::new(now, None),
            ages: policy.ages().iter().map(|age| Limit::of(*age, now)).collect(),
            drop_after: policy.records.drop_after.map(|age| Limit::of(age, now)),
            keep_at_least: policy.records.keep_at_least.map(|age| Limit::of(age, now)),
            may_drop: policy.may_drop_records(),
            tells_years: false,
            wakes: None,
            units: Units { seen: Seen::default(), max_record: usize::MAX },
            place: 0,
            last: None,
            is_own: false,
            gone: Vec::new(),
        };
        stages.set_now(now);
        stages
    }

    /// Under a policy for which it does not matter when a record was written.
    pub(super) fn of_years(policy: &Arc<Policy>, now: Timestamp) -> Stages {
        let stages = Stages::new(policy, now);
        // Neither is a record withheld for want of a time, nor does one come due.
        let undated = stages.undated.map(|undated| match undated {
            Undated::Newest | Undated::Withhold => Undated::Oldest,
            undated => undated,
        });
        Stages { undated, ..stages }
    }

    /// From now on stages are apart by years as well.
    pub(super) fn tell_years(&mut self) {
        self.tells_years = true;
    }

    /// The year of a record of that time, if it is asked for. One in which no log was written says nothing, and there
    /// must not be thousands of them.
    #[inline]
    fn year(&self, time: Timestamp) -> Option<i16> {
        const FIRST: i16 = 1970;
        let year = |time: Timestamp| Offset::UTC.to_datetime(time).year();
        let is_real = |found: &i16| (FIRST..=year(self.read.now) + 1).contains(found);
        self.tells_years.then(|| year(time)).filter(is_real)
    }

    /// The stages that records may be of now, as far as their time is known.
    pub(super) fn likely(&mut self) -> Vec<Stage> {
        let reached = self.ages.iter().map(|limit| limit.last);
        let times: Vec<Timestamp> = reached.chain([Timestamp::MAX, Timestamp::MIN]).collect();
        let mut likely: Vec<Stage> = Vec::new();
        for time in times {
            let stage = self.stage(Moment::certain(time));
            if !likely.contains(&stage) {
                likely.push(stage);
            }
        }
        self.take_due(); // nobody asked about a record
        likely
    }

    /// When the first of the records that were asked about since the last call reaches another age.
    pub(super) fn take_due(&mut self) -> Option<Timestamp> {
        let wakes = self.wakes.take();
        self.limits().filter_map(Limit::take_due).chain(wakes).min()
    }

    fn limits(&mut self) -> impl Iterator<Item = &mut Limit> {
        self.ages.iter_mut().chain(&mut self.drop_after).chain(&mut self.keep_at_least)
    }

    /// Another block begins, which was read then, behind a record of that time.
    pub(super) fn begin(&mut self, read: Read, units: Units, last: Option<Moment>) {
        if read.now != self.read.now {
            self.set_now(read.now);
        }
        (self.read, self.units, self.place, self.last) = (read, units, 0, last);
        self.gone.clear();
    }

    /// The same block begins once more, without the records that stood at these places.
    pub(super) fn begin_again(&mut self, last: Option<Moment>, gone: Vec<(usize, Option<Moment>)>) {
        (self.place, self.last, self.gone) = (0, last, gone);
        self.gone.reverse();
    }

    /// The time of the last record that was asked about, or of the last before it that has one.
    pub(super) fn last(&self) -> Option<Moment> {
        self.last
    }

    fn set_now(&mut self, now: Timestamp) {
        self.read.now = now;
        self.limits().for_each(|limit| {
            let Limit { age, next, asked, later, .. } = *limit;
            *limit = Limit { next, asked, later, ..Limit::of(age, now) }
        });
    }

    /// The moment from which ages are reckoned.
    pub(super) fn now(&self) -> Timestamp {
        self.read.now
    }

    /// Whether records are dropped by their age alone.
    pub(super) fn drops_by_age(&self) -> bool {
        self.drop_after.is_some()
    }

    /// The age of a record of that time, if it is known.
    pub(super) fn of_time(&mut self, moment: Option<Moment>) -> Aged {
        match moment {
            Some(moment) => self.aged(moment),
            None => self.undated(),
        }
    }

    /// The age of a record of that time.
    pub(super) fn of_moment(&mut self, moment: Moment) -> Aged {
        self.aged(moment)
    }

    /// The age of the record that begins here. Records are asked about in the order in which they stand.
    pub(super) fn of(&mut self, block: &[u8], record: Span, head: &Head) -> Aged {
        self.time_of(block, record, head);
        self.of_time(self.last)
    }

    /// The last record of the block, or of those before, that has a time.
    pub(super) fn last_in(&mut self, block: &[u8], before: Option<&Last>, head: &Head) -> Option<Last> {
        self.dating.last_record(block, before, self.may_drop, &self.units, head, &self.read)
    }

    /// How far the block goes on, from `end`, with the record that begins at `start`; nowhere if that has no time of its
    /// own, or may be a part of a longer one.
    pub(super) fn continued(&mut self, block: &[u8], start: usize, end: usize, head: &Head) -> usize {
        let (record, _) = parted(&block[start..end]);
        let moment = self.dating.of(record, head, &self.read);
        match moment.filter(|_| !self.dating.may_be_part(record)) {
            Some(_) => end + self.dating.continued(&block[end..], &self.units, head, &self.read),
            None => end,
        }
    }

    /// How far the block goes on with the last record before it.
    pub(super) fn continued_before(&mut self, block: &[u8], head: &Head) -> usize {
        self.dating.continued(block, &self.units, head, &self.read)
    }

    /// The time of a record, and where it stands.
    pub(super) fn find(&mut self, record: &[u8], head: &Head) -> Option<Found> {
        self.dating.find(record, head, &self.read)
    }

    /// The time of a record on its own.
    pub(super) fn own_time(&mut self, record: &[u8], head: &Head, read: Read) -> Option<Moment> {
        self.dating.of(record, head, &read)
    }

    /// What reads the times.
    pub(super) fn dating(&self) -> &Dating {
        &self.dating
    }

    /// Finds the time of the record: its own, or that of the last before it that has one.
    fn time_of(&mut self, block: &[u8], record: Span, head: &Head) {
        let Span { start, end } = record;
        self.is_own = false;
        if start < self.place {
            return; // a part of a longer record
        }
        while let Some((at, last)) = self.gone.pop_if(|(at, _)| *at <= start) {
            (self.place, self.last) = (at, last);
        }
        match self.dating.of(record.of(block), head, &self.read) {
            Some(own) => (self.place, self.last, self.is_own) = (end, Some(own), true),
            None => self.find_last(block, start, head),
        }
    }

    /// Each line is looked at once, from here back to where the last time is known.
    fn find_last(&mut self, block: &[u8], end: usize, head: &Head) {
        if let Some(lines) = block.get(self.place..end)
            && let Some((_, moment)) = self.dating.last_of(lines, &self.units, head, &self.read)
        {
            self.last = Some(moment);
        }
        self.place = self.place.max(end);
    }

    fn aged(&mut self, moment: Moment) -> Aged {
        let (time, now) = (moment.earliest(), self.read.now);
        let is_due = self.drop_after.as_mut().is_some_and(|limit| limit.reaches(time, now));
        let drops = is_due && self.may_go(moment);
        Aged { stage: self.stage(moment), moment: Some(moment.nominal), withheld: false, drops }
    }

    /// From where the age of the last record is known that was asked about.
    pub(super) fn dated(&self) -> Dated {
        match self.last {
            Some(moment) if self.is_own => Dated::Own(moment),
            Some(moment) => Dated::Before(moment),
            None => Dated::By(self.undated_is(), self.undated_time().map(|time| time.min(self.read.now))),
        }
    }

    fn undated_is(&self) -> Undated {
        self.undated.unwrap_or(match self.read.file {
            Some(_) => Undated::File,
            None => Undated::Arrival,
        })
    }

    /// The time of records of which nobody knows it, if one is to be taken for it.
    fn undated_time(&self) -> Option<Timestamp> {
        match self.undated_is() {
            Undated::Arrival => Some(self.read.now),
            Undated::File => Some(self.read.file.unwrap_or(self.read.now)),
            Undated::Newest => Some(Timestamp::MAX),
            Undated::Oldest | Undated::Withhold => None,
        }
    }

    fn undated(&mut self) -> Aged {
        let time = self.undated_time();
        if time == Some(Timestamp::MAX) {
            self.wakes = self.read.now.checked_add(SignedDuration::from_hours(24)).ok();
        }
        let withheld = self.undated_is() == Undated::Withhold;
        let reached = self.reached(time.unwrap_or(Timestamp::MIN));
        let may_drop = if self.keep_at_least.is_some() { MayDrop::None } else { MayDrop::Ageless };
        let may_drop = if self.may_drop { may_drop } else { MayDrop::Any };
        let is_a_guess = matches!(self.undated_is(), Undated::Arrival | Undated::File);
        let year = time.filter(|_| is_a_guess).and_then(|time| self.year(time));
        let stage = Stage { reached, may_drop, year };
        let moment = time.map(|time| time.min(self.read.now));
        Aged { stage, moment, withheld, drops: false }
    }

    #[inline]
    fn stage(&mut self, moment: Moment) -> Stage {
        let may_drop = if self.may_drop && !self.may_go(moment) { MayDrop::None } else { MayDrop::Any };
        Stage { reached: self.reached(moment.earliest()), may_drop, year: self.year(moment.nominal) }
    }

    /// Whether a record of that time is old enough to be dropped, at whatever time it may have been.
    fn may_go(&mut self, moment: Moment) -> bool {
        let now = self.read.now;
        self.keep_at_least.as_mut().is_none_or(|limit| limit.reaches(moment.latest(), now))
    }

    #[inline]
    fn reached(&mut self, time: Timestamp) -> Reached {
        let now = self.read.now;
        let bit = |(at, limit): (usize, &mut Limit)| Reached::from(limit.reaches(time, now)) << at;
        self.ages.iter_mut().enumerate().map(bit).fold(0, |reached, bit| reached | bit)
    }
}
