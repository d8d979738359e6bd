//! The fast lane: records in which what was found can be edited where it stands.
//!
//! Most records of most logs hold no escape, and most policies ask what a value is and not where it stands.
//! For such a record what a glance at the whole block told is taken, the few candidates of which it was not
//! sure are tested in place, and the edits are made while the block is copied: no fields, no decoded copy, no
//! allocation. Whatever is out of the ordinary (an escape, values that overlap, a bare number in JSON, a value
//! in the name of a field, …) is left to the [`Judge`](super::judge::Judge), of which this is a faster twin:
//! tests hold that the two agree.

mod named;

use super::pen::{AT_ONCE, Pen};
use super::records::Wanted;
use super::watch::Watch;
use crate::action::residue::MAX_RESIDUE_BYTES;
use crate::action::{self, Action, Left, Tools};
use crate::detect::glance::{Sight, Sights, Told};
use crate::detect::marks::{Marks, mark};
use crate::detect::simd::fetch;
use crate::detect::{DETECTORS, Detectors};
use crate::format::FORMATS;
use crate::kind::Kind;
use crate::policy::{Covers, FormatChoice, Policy, Rule};
use crate::span::Span;
use crate::tally::{Tally, acted};
use named::Named;

/// How far from a candidate the exact test looks at bytes. An edit that is nearer than this to a candidate that
/// was none calls for a second look.
const REACH_BYTES: usize = 192;

/// The kinds of the built-in detectors, in their order.
const KINDS: [Kind; 4] = [Kind::EMAIL, Kind::IPV4, Kind::IPV6, Kind::PAN];
const IPV4: u8 = 1;
const IPV6: u8 = 2;

/// What the policy does with values of one built-in kind.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Lot {
    /// It covers none.
    Stay,
    /// The same text for every value. `makes`: something that is watched for, perhaps.
    Text { rule: usize, text: Vec<u8>, short: Option<[u8; AT_ONCE]>, makes: bool },
    /// The same action for every value.
    Act { rule: usize },
    /// It depends on the value.
    Ask,
    /// Only the judge can tell.
    Judge,
}

/// What a policy does in the fast lane, and the buffers for it.
#[derive(Debug)]
pub(super) struct Lane {
    law: Law,
    /// Values replaced by the text of their lot, not in a tally yet.
    texts: [u64; 4],
    /// Rules and lots of the other values that were replaced in a record.
    others: Vec<(usize, usize)>,
    /// The rule for the last IPv4 address.
    last_rule: Option<usize>,
    left: Vec<u8>,
    again: Vec<u8>,
    second: Second,
    named: Named,
}

#[derive(Debug, Clone)]
struct Law {
    lots: [Lot; 4],
    json: bool,
    /// Records are read for their fields.
    structured: bool,
    /// No replacement adds digits to a group, or what may stand between groups.
    inert: bool,
    /// No value may take the time of a record away.
    shields_time: bool,
    /// Some rule hashes.
    hashes: bool,
}

/// A value, as a span of the block.
#[derive(Debug, Clone, Copy)]
struct Value {
    span: Span,
    lot: usize,
}

/// Buffers of the second look.
#[derive(Debug, Default)]
struct Second {
    marks: Marks,
    sights: Sights,
}

/// A record on its way through the lane, and by what it is judged.
#[derive(Clone, Copy)]
pub(super) struct Job<'j> {
    pub(super) policy: &'j Policy,
    /// Year of the record, where it is asked for and known.
    pub(super) year: Option<i16>,
    pub(super) tools: Tools<'j>,
    pub(super) block: &'j [u8],
    /// The record in the block, without its line end and without an escape in it.
    pub(super) content: Span,
    /// The candidates in it.
    pub(super) sights: &'j [Sight],
    /// The first candidate behind it.
    pub(super) next: Option<&'j Sight>,
    /// Separators in it behind names that are watched for.
    pub(super) names: &'j [u32],
    /// What else the record does not hold.
    pub(super) watch: &'j Watch,
    /// Whether the record may be JSON, as it came: what is left of text may begin with a bracket.
    pub(super) json: bool,
}

/// The record needs the judge.
pub(super) struct OutOfLane;

impl Clone for Lane {
    fn clone(&self) -> Lane {
        Lane::under(self.law.clone())
    }
}

impl Lane {
    /// The lane for a policy.
    pub(super) fn new(
        policy: &Policy,
        detectors: &Detectors,
        watch: &Watch,
        tools: Tools<'_>,
        shields_time: bool,
    ) -> Lane {
        let lots = KINDS.map(|kind| lot(policy, detectors, watch, kind, tools));
        // Whatever else an action writes holds the digits that were there, fewer of them, or brackets around.
        let inert = policy.rules.iter().all(|rule| match &rule.action {
            Action::Redact { with: Some(text) } => !text.bytes().any(|byte| b" -+".contains(&byte)),
            _ => true,
        });
        let json = policy.format != FormatChoice::Text;
        let hashes = policy.rules.iter().any(|rule| matches!(rule.action, Action::Hash(_)));
        Lane::under(Law { lots, json, structured: policy.reads_structure(), inert, shields_time, hashes })
    }

    fn under(law: Law) -> Lane {
        Lane {
            law,
            texts: [0; 4],
            others: Vec::new(),
            last_rule: None,
            left: Vec::new(),
            again: Vec::new(),
            second: Second::default(),
            named: Named::default(),
        }
    }

    /// The candidates that matter at any stage.
    pub(super) fn wanted_by(lanes: &[Lane]) -> Wanted {
        let mut all = [false; 4];
        for lane in lanes {
            all.iter_mut().zip(lane.law.wanted()).for_each(|(all, wanted)| *all |= wanted);
        }
        Wanted::Glanced(all)
    }

    /// Writes the edited record as far as its last value, after what is not written yet of the block before it.
    /// Returns how far the block is written then.
    #[inline]
    pub(super) fn edit(
        &mut self,
        job: Job<'_>,
        copied: usize,
        pen: &mut Pen<'_>,
        tally: &mut Tally,
    ) -> Result<usize, OutOfLane> {
        if !job.names.is_empty() {
            self.named.read(job)?;
        }
        if self.law.hashes {
            self.expect_next(job);
        }
        let Lane { law, texts, others, last_rule, left, again, second, .. } = self;
        let job = Job { json: law.json && looks_structured(job.content.of(job.block)), ..job };
        if law.may_have_counts(job) || law.structured && escapes_brackets(job.content.of(job.block)) {
            return Err(OutOfLane);
        }
        let (before, mut written, mut replaced) = (pen.at(), copied, [0; 4]);
        others.clear();
        let mut without_key = 0;
        let mut unsettled = false; // another rule may concern a truncated value than the value
        let mut watched = false; // an edit may make something that is watched for
        let bares = |span| job.watch.may_be_laid_bare(job.block, job.content, span);
        let found = law.values(job, |Value { span, lot }| {
            if let Lot::Text { text, short, makes, .. } = &law.lots[lot] {
                watched |= *makes || bares(span);
                pen.copy(job.block, written, span.start);
                match short {
                    Some(short) => pen.short(short, text.len()),
                    None => pen.write(text),
                }
                replaced[lot] += 1;
                written = span.end;
            } else if let Some((rule, done)) = replacement(&law.lots[lot], job, Value { span, lot }, left) {
                without_key += u64::from(done == Left::NoKey);
                watched |= job.watch.may_be_made_of(left) || bares(span);
                unsettled |= law.lots[lot] == Lot::Ask && !stays(job, KINDS[lot], rule, left, again);
                pen.copy(job.block, written, span.start);
                pen.write(left);
                others.push((rule, lot));
                if lot == usize::from(IPV4) {
                    *last_rule = Some(rule);
                }
                written = span.end;
            }
        });
        let settled = match found {
            Ok(near) if written == copied || !(near || watched || unsettled) => true,
            Ok(near) => {
                pen.copy(job.block, written, job.content.end);
                written = job.content.end;
                // What stands before the record was copied as it is.
                let start = before + (job.content.start - copied);
                let left_over = pen.written(start);
                !(watched && job.watch.may_concern(left_over)
                    || (near || unsettled) && law.would_change(job, left_over, left, second))
            }
            Err(OutOfLane) => false,
        };
        if !settled {
            pen.go_back(before);
            return Err(OutOfLane);
        }
        for (texts, replaced) in texts.iter_mut().zip(replaced) {
            *texts += replaced;
        }
        others.iter().for_each(|(rule, lot)| tally.act(acted(job.policy, *rule, KINDS[*lot], job.year, 1)));
        tally.without_key += without_key;
        tally.changed += u64::from(written != copied);
        Ok(written)
    }

    /// Pseudonyms that are remembered are too many for the second-level cache, and to fetch one takes as long as to edit a
    /// record. So it is done while this one is edited, in the hope that the next goes as the last one did.
    fn expect_next(&self, job: Job<'_>) {
        let Some(rule) = self.last_rule else { return };
        let is_address = |sight: &&Sight| sight.told == Told::Found && sight.detector == IPV4;
        let Some(sight) = job.next.filter(is_address) else { return };
        let address = Span::new(sight.start as usize, sight.end as usize).of(job.block);
        if let Some(place) = action::place(&job.policy.rules[rule].action, address, job.tools) {
            fetch(place);
        }
    }

    /// Adds to the tally what is not in it yet.
    pub(super) fn count(&mut self, policy: &Policy, year: Option<i16>, tally: &mut Tally) {
        for (lot, count) in std::mem::take(&mut self.texts).into_iter().enumerate() {
            if let Lot::Text { rule, .. } = self.law.lots[lot] {
                tally.act(acted(policy, rule, KINDS[lot], year, count));
            }
        }
    }
}

impl Law {
    fn wanted(&self) -> [bool; 4] {
        self.lots.each_ref().map(|lot| *lot != Lot::Stay)
    }

    /// Hands on the values of a record, in order. Whether one of them is near a candidate that is none, which its
    /// edit might turn into one.
    #[inline(always)]
    fn values(&self, job: Job<'_>, mut each: impl FnMut(Value)) -> Result<bool, OutOfLane> {
        let Job { block, content, sights, json, .. } = job;
        let mut near = false;
        let mut last = Value { span: Span::new(content.start, content.start), lot: 0 };
        let mut nothing_to = 0; // end of what made a candidate none
        let mut judged_to = 0; // by the detector of IPv6, which judges whole runs
        for sight in sights {
            let at = sight.at as usize;
            let (told, span) = match sight.told {
                _ if at < judged_to && sight.detector == IPV6 => continue,
                Told::Never if self.inert => continue,
                Told::Unsure => {
                    let (told, span) = self.test(job, sight, &mut judged_to);
                    near |= told == Told::Found && cuts_digits(block, span);
                    (told, span)
                }
                told => (told, Span::new(sight.start as usize, sight.end as usize)),
            };
            if told != Told::Found {
                near |= span.start < last.span.end;
                nothing_to = span.end.max(nothing_to);
                continue;
            }
            if span.start < last.span.end && sight.detector == IPV4 && is_tail(last, span) {
                continue;
            }
            let lot = usize::from(sight.detector & 3);
            if self.lots[lot] == Lot::Judge || span.start < last.span.end || block[span.start] == b'"' {
                return Err(OutOfLane);
            }
            if self.shields_time && may_be_of_time(block, content, Value { span, lot }) {
                return Err(OutOfLane);
            }
            if json && !is_in_string(block, content, span) || may_be_in_residue(block, content, span) {
                return Err(OutOfLane);
            }
            near |= span.start < nothing_to;
            last = Value { span, lot };
            each(last);
        }
        Ok(near)
    }

    /// Whether there are lengths in the record that edits have to keep true.
    fn may_have_counts(&self, job: Job<'_>) -> bool {
        let content = job.content.of(job.block);
        self.json && FORMATS.iter().any(|format| format.has_counts(content))
    }

    /// The exact test, where a glance was not sure.
    fn test(&self, job: Job<'_>, sight: &Sight, judged_to: &mut usize) -> (Told, Span) {
        let Span { start: base, .. } = job.content;
        let at = sight.at as usize;
        let dot = usize::from(sight.detector == IPV4); // whose trigger is the dot before
        let verdict =
            DETECTORS[usize::from(sight.detector)].verify(job.content.of(job.block), at - base - dot);
        if sight.detector == IPV6 {
            *judged_to = base + verdict.resume;
        }
        match verdict.outcome {
            Ok(finding) => (Told::Found, finding.span.shifted(base)),
            Err(_) => (Told::Nothing, Span::new(at.saturating_sub(REACH_BYTES), at + REACH_BYTES)),
        }
    }

    /// Whether there is anything to edit in a record that was edited.
    fn would_change(&self, job: Job<'_>, record: &[u8], left: &mut Vec<u8>, second: &mut Second) -> bool {
        let Second { marks, sights } = second;
        mark(record, marks);
        sights.glance(record, marks, self.wanted());
        let job = Job { block: record, content: Span::new(0, record.len()), sights: sights.list(), ..job };
        let mut changes = false;
        let found = self.values(job, |value| {
            changes |= replacement(&self.lots[value.lot], job, value, left).is_some();
        });
        found.is_err() || changes
    }
}

/// Whether an address may stand in what an action left of one, behind a pseudonym or in place of it.
fn may_be_in_residue(block: &[u8], content: Span, span: Span) -> bool {
    let ends = matches!(block.get(span.end), Some(b']' | b'/'));
    let from = content.start.max(span.start.saturating_sub(MAX_RESIDUE_BYTES));
    ends && memchr::memmem::find(&block[from..span.start], b"[ipv").is_some()
}

/// Whether brackets may have to be escaped in the record: it is one of RFC 5424, in whose structured data they end an
/// element.
fn escapes_brackets(record: &[u8]) -> bool {
    /// `<191>1 `
    const HEAD_BYTES: usize = 7;
    let head = &record[..record.len().min(HEAD_BYTES)];
    head.starts_with(b"<") && memchr::memmem::find(head, b">1 ").is_some()
}

/// Whether a value may share bytes with the time of the record: it goes on with digits that something other than a blank
/// stands before, `12:34:56-ana@example.com`, or with which a record or a name begins. May say yes in vain.
#[inline]
fn may_be_of_time(block: &[u8], content: Span, Value { span, lot }: Value) -> bool {
    let goes_on = || matches!(block[content.start..span.start].last(), Some(b'-' | b',' | b'.' | b'+'));
    block[span.start].is_ascii_digit() && (KINDS[lot] == Kind::EMAIL || goes_on())
}

/// Whether an IPv4 address is the tail of the IPv6 address before it.
fn is_tail(last: Value, span: Span) -> bool {
    last.lot == usize::from(IPV6) && last.span.contains(span)
}

/// Whether a value begins or ends within a run of digits, of which the rest may be more without it.
fn cuts_digits(block: &[u8], span: Span) -> bool {
    let digit = |at: usize| block.get(at).is_some_and(u8::is_ascii_digit);
    digit(span.end) && digit(span.end - 1) || digit(span.start) && digit(span.start.wrapping_sub(1))
}

/// What an action leaves of a value, the rule, and whether it had its key; `None` if the value stays as it is.
fn replacement(lot: &Lot, job: Job<'_>, value: Value, left: &mut Vec<u8>) -> Option<(usize, Left)> {
    let (kind, bytes) = (KINDS[value.lot], value.span.of(job.block));
    let rule = match lot {
        Lot::Stay | Lot::Judge => return None,
        Lot::Text { rule, .. } | Lot::Act { rule } => *rule,
        Lot::Ask => job.policy.rule_for_value(kind, bytes)?,
    };
    left.clear();
    let label = job.policy.label_of(rule, kind, bytes);
    let done = action::apply(&job.policy.rules[rule].action, label, bytes, bytes, job.tools, left);
    (left != bytes).then_some((rule, done))
}

/// Whether what a rule left of a value stays as it is when it is judged by itself.
fn stays(job: Job<'_>, kind: Kind, rule: usize, left: &[u8], again: &mut Vec<u8>) -> bool {
    let Action::Truncate(_) = job.policy.rules[rule].action else { return true };
    let Some(next) = job.policy.rule_for_value(kind, left) else { return true };
    again.clear();
    action::apply(&job.policy.rules[next].action, kind, left, left, job.tools, again);
    again == left
}

fn lot(policy: &Policy, detectors: &Detectors, watch: &Watch, kind: Kind, tools: Tools<'_>) -> Lot {
    if !detectors.finds(kind) {
        return Lot::Stay;
    }
    if policy.rules.iter().any(|rule| concerns(rule, kind) && !fits(rule)) {
        return Lot::Judge;
    }
    let Some(rule) = policy.rule_for_kind(kind) else { return Lot::Ask };
    match &policy.rules[rule].action {
        // An IPv6 address that stays still hides the IPv4 address in its tail.
        Action::Keep if kind != Kind::IPV6 => Lot::Stay,
        action @ Action::Redact { .. } if !policy.may_have_been_ipv4(rule, kind) => {
            let mut text = Vec::new();
            action::apply(action, kind, b"", b"", tools, &mut text);
            let mut padded = text.clone();
            padded.resize(text.len().max(AT_ONCE), 0);
            let short = padded.as_slice().try_into().ok();
            Lot::Text { rule, makes: watch.may_be_made_of(&text), text, short }
        }
        _ => Lot::Act { rule },
    }
}

/// Whether the rule may cover a value of the kind wherever it is found.
fn concerns(rule: &Rule, kind: Kind) -> bool {
    match &rule.covers {
        // A mapped IPv6 address is covered by rules for either kind of address.
        Covers::Find { kinds, .. } => {
            kinds.contains(kind) || kind == Kind::IPV6 && kinds.contains(Kind::IPV4)
        }
        Covers::Field { .. } | Covers::Unknown => false,
    }
}

/// Whether the rule asks for nothing but the value, and leaves what needs no escape.
fn fits(rule: &Rule) -> bool {
    let anywhere = match &rule.covers {
        Covers::Find { within, not_within, .. } => within.is_none() && not_within.is_empty(),
        Covers::Field { .. } | Covers::Unknown => false,
    };
    anywhere
        && rule.when.is_empty()
        && match &rule.action {
            Action::Drop | Action::DropRecord => false,
            Action::Redact { with: Some(text) } => {
                text.bytes().all(is_inert) && !rule.action.depends_on_format()
            }
            _ => true,
        }
}

/// Whether a byte of a replacement can neither be part of a value nor needs an escape.
fn is_inert(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || b" [](){}<>*_#!?~^$,;/|".contains(&byte)
}

/// Whether the record may be JSON. A byte-order mark is left to the judge.
fn looks_structured(record: &[u8]) -> bool {
    matches!(record.trim_ascii_start().first(), Some(b'{' | b'['))
}

/// Whether a value in a record that may be JSON stands inside a text that is no name. May say no in vain.
fn is_in_string(block: &[u8], content: Span, span: Span) -> bool {
    // A number stands behind a colon, a comma or a bracket.
    let before = block[content.start..span.start].trim_ascii_end().last();
    if block[span.start].is_ascii_digit() && matches!(before, Some(b':' | b',' | b'[')) {
        return false;
    }
    let rest = &block[span.end..content.end];
    let Some(quote) = memchr::memchr(b'"', rest) else { return false };
    !rest[quote + 1..].trim_ascii_start().starts_with(b":")
}
