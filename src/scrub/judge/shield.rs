//! What findings may not touch: the time of a record whose age counts.
//!
//! What a rule finds in the time, as a date of birth or the name of a month, stays: without its time the record would be
//! of another age on the next run, and no later step would ever act on it. What goes on beyond the time is judged as ever.

use super::law::{Law, Reading};
use crate::action::Action;
use crate::format::Name;
use crate::kind::Kind;
use crate::policy::decide::{Decision, Decisions, Record};
use crate::policy::{Covers, Policy, time_name};
use crate::scrub::carry::Read;
use crate::scrub::dating::{Dating, Found};
use crate::span::Span;

/// How many bytes that are of no word stand around a time, so that it is one: `] "` behind that of an access log.
const AROUND_BYTES: usize = 3;

/// How many stand between a name and its value: `": "`.
const JOINT_BYTES: usize = 8;

/// More than the longest name that is known for one of a time.
const NAME_BYTES: usize = 128;

/// The bytes by which the time of a record is read.
pub(super) struct Shield {
    /// Sorted.
    spans: Vec<Shielded>,
    /// Nobody can tell the time from any other number.
    may_be_any_number: bool,
}

/// Bytes that stay, and those around them that stay with them where a value reaches so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Shielded {
    wide: Span,
    span: Span,
}

impl Shielded {
    fn alone(span: Span) -> Shielded {
        Shielded { wide: span, span }
    }

    /// Whether a value shares bytes with it, or begins or ends with it.
    fn meets(&self, value: Span) -> bool {
        value.start <= self.span.end && self.span.start <= value.end
    }
}

/// Whether a byte may be of a word: no other tells anything by itself.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

/// A span with the bytes around it that are of no word.
fn widened(bytes: &[u8], span: Span) -> Shielded {
    let before = bytes.iter().take(span.start).rev().take(AROUND_BYTES);
    let after = bytes.iter().skip(span.end).take(AROUND_BYTES);
    let start = span.start - before.take_while(|byte| !is_of_word(**byte)).count();
    let end = span.end + after.take_while(|byte| !is_of_word(**byte)).count();
    Shielded { wide: Span::new(start, end), span }
}

impl Shield {
    /// That of a record, if it has a time of its own.
    pub(super) fn of(
        record: &Record<'_>,
        policy: &Policy,
        reading: Reading<'_>,
        times: &mut Option<(Dating, Read)>,
    ) -> Option<Shield> {
        let (Reading::Record { head, is_header: false, .. } | Reading::Beginning { head }) = reading else {
            return None;
        };
        let (dating, read) = times.as_mut()?;
        let time = dating.find_own(record.bytes, head, read)?;
        let mut shield = Shield { spans: Vec::new(), may_be_any_number: false };
        for span in [time.date, Some(time.span)].into_iter().flatten() {
            shield.add(record, policy, span);
        }
        shield.may_be_any_number = time.may_be_any_number(record.bytes) && time.date.is_none();
        shield.add_words(record, &time, dating, read);
        shield.spans.sort_unstable();
        Some(shield)
    }

    /// Adds a time, and the names by which it is known.
    fn add(&mut self, record: &Record<'_>, policy: &Policy, time: Span) {
        self.spans.push(widened(record.bytes, time));
        // Records of which nobody asks for fields have names as well.
        let before = name_before(record.bytes, time);
        if is_known(before.of(record.bytes), policy) {
            self.spans.push(Shielded::alone(Span::new(before.start, time.start)));
        }
        let list = &record.fields.list;
        let mut field = Some(record.fields.around(time));
        while let Some(at) = field {
            if let Name::Field(name) = list[at].name
                && is_known(list[name].value.of(record.bytes), policy)
            {
                self.spans.push(Shielded::alone(list[name].value));
            }
            field = list[at].parent;
        }
    }

    /// Adds the words before a time that stands at the head.
    fn add_words(&mut self, record: &Record<'_>, time: &Found, dating: &Dating, read: &Read) {
        let clock = dating.clock(read);
        let spans = &mut self.spans;
        time.words_before(record.bytes, &clock, |word| spans.push(Shielded::alone(word)));
    }

    fn meets(&self, value: Span) -> bool {
        self.spans.iter().any(|shielded| shielded.meets(value))
    }
}

/// Whether this is the very name of a field that holds the time, or of what it lies in.
fn is_known(name: &[u8], policy: &Policy) -> bool {
    let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or(name);
    match &policy.timing.field {
        _ if name == b"$date" => true,
        Some(field) => field.has_name(name),
        None => time_name(last).is_some(),
    }
}

/// What stands before a value and its `=` or `": "`, as a name does.
fn name_before(record: &[u8], value: Span) -> Span {
    let is_of_name = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-.@$".contains(byte);
    let joint = record.iter().take(value.start).rev().take(JOINT_BYTES);
    let joint = joint.take_while(|byte| b" \"'=:\\".contains(byte)).count();
    let end = value.start - joint;
    let has_sign = memchr::memchr2(b'=', b':', &record[end..value.start]).is_some();
    let name = record.iter().take(end).rev().take(NAME_BYTES).take_while(is_of_name).count();
    Span::new(if has_sign { end - name } else { end }, end)
}

impl Law {
    /// Whether a decision may take the time away: it is about what was found. A rule about a field says what it means.
    pub(super) fn may_take_time(&self, decision: &Decision) -> bool {
        let rule = &self.policy.rules[decision.rule];
        let makes_coarser = matches!(&rule.action, Action::Truncate(keep) if keep.time_unit().is_some());
        match &rule.covers {
            _ if rule.action == Action::DropRecord => false,
            Covers::Find { kinds, .. } => !kinds.contains(Kind::RECORD_TIME),
            Covers::Field { .. } => decision.copy || !decision.whole && !makes_coarser,
            Covers::Unknown => false,
        }
    }

    /// Takes from the decisions what is of the time. `false`: nobody can tell whether it is one, or what a rule found.
    pub(super) fn shield(&self, shield: &Shield, decisions: &mut Decisions) -> bool {
        let may_take = |decision: &Decision| self.may_take_time(decision) && shield.meets(decision.span);
        if shield.may_be_any_number && decisions.acting.iter().any(may_take) {
            return false;
        }
        for list in [&mut decisions.all, &mut decisions.acting] {
            if list.iter().any(may_take) {
                *list = list
                    .iter()
                    .flat_map(|one| if may_take(one) { cut(*one, shield) } else { vec![*one] })
                    .collect();
            }
        }
        true
    }
}

/// What of a decision is about other bytes.
fn cut(decision: Decision, shield: &Shield) -> Vec<Decision> {
    let Span { mut start, end } = decision.span;
    let mut left = Vec::new();
    let behind = Span::new(end, end);
    let met = shield.spans.iter().filter(|shielded| shielded.meets(decision.span));
    for span in met.map(|shielded| shielded.wide).chain([behind]) {
        if start < span.start.min(end) {
            left.push(Span::new(start, span.start.min(end)));
        }
        start = start.max(span.end);
    }
    left.into_iter().map(|span| Decision { span, whole: false, rest: true, ..decision }).collect()
}
