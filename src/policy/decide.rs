//! Which rule decides about which bytes.

use super::choose::Cover;
use super::condition::Subject;
use super::named::{is_delimiter, pairs};
use super::owner::{self, Claim};
use super::paths::Paths;
use super::selector::{Path, Selector};
use super::taint::Means;
use super::when::{Circumstances, is_nothing, is_value};
use super::{Covers, FormatChoice, Known, Numbers, Policy, Rule};
use crate::action::{Action, Trace};
use crate::decoded::Decoded;
use crate::detect::MAX_DEPTH;
use crate::detect::unescape::{Ansi, unescape};
use crate::finding::Finding;
use crate::format::{FORMATS, Field, Fields, Role};
use crate::kind::Kind;
use crate::span::Span;

/// A record as the rules see it.
#[derive(Clone, Copy)]
pub struct Record<'r> {
    /// Its bytes, without the line end.
    pub bytes: &'r [u8],
    /// Its parts.
    pub fields: &'r Fields,
}

impl Record<'_> {
    /// What stands somewhere in a field, with the escapes of its format undone.
    fn undone<'d>(&'d self, field: usize, span: Span, decoded: &'d mut Decoded) -> &'d [u8] {
        let field = &self.fields.list[field];
        if !field.escaped {
            return span.of(self.bytes);
        }
        decoded.clear();
        self.fields.decode(self.bytes, field, span, decoded);
        &decoded.bytes
    }
}

/// A value of one kind in one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// What and where, in the record.
    pub finding: Finding,
    /// The field, by its place in the record's list.
    pub field: usize,
    /// It is what an earlier step of a ladder left: nobody knows the value.
    pub left: bool,
}

/// What is to be done, by which rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Where, in the record.
    pub span: Span,
    /// What the value is taken for.
    pub kind: Kind,
    /// The field, by its place in the record's list.
    pub field: usize,
    /// The rule, by its place in the policy.
    pub rule: usize,
    /// The span is the whole value of the field.
    pub whole: bool,
    /// What a stronger decision left of a longer span; of it no part may stay.
    pub rest: bool,
    /// It is about a copy of what a field rule removes elsewhere in the record.
    pub copy: bool,
    /// It is about what an earlier step of a ladder left.
    pub left: bool,
}

/// Appends the bytes of a span with the escapes in them undone.
pub type Plain<'p> = &'p mut dyn FnMut(Span, &Field, &mut Vec<u8>);

/// The decisions about one record. It owns the buffers that they are made with.
#[derive(Debug, Default)]
pub struct Decisions {
    /// All of them: also those to leave a value as it is, and those that overlap.
    pub all: Vec<Decision>,
    /// Those that act; once they are parted sorted by place, at most one for any byte.
    pub acting: Vec<Decision>,
    paths: Paths,
    circumstances: Circumstances,
    plain: Vec<u8>,
    decoded: Decoded,
    claims: Vec<Claim>,
}

impl Decisions {
    /// Another record begins. What is left of one after a pass is no other.
    pub fn begin_record(&mut self) {
        self.circumstances.begin();
    }

    /// Appends the dotted name of a field as it is written, of the record that was decided about last.
    pub fn name_of(&mut self, record: &Record<'_>, field: usize, out: &mut Vec<u8>) {
        self.paths.written(record, field, out);
    }

    /// Forgets them, but keeps the memory.
    pub fn clear(&mut self) {
        self.all.clear();
        self.acting.clear();
    }
}

impl Policy {
    /// Decides about a record in which these values were found. Decisions may overlap until [`Policy::part`] parts them.
    pub fn decide(
        &self,
        record: &Record<'_>,
        sightings: &[Sighting],
        means: Means<'_>,
        plain: Plain<'_>,
        decisions: &mut Decisions,
    ) {
        decisions.clear();
        let Decisions { all, acting, paths, circumstances, plain: buffer, decoded, claims } = decisions;
        circumstances.read(self, record);
        paths.begin();
        if record.fields.are_named() && self.has_field_rules() {
            paths.look_for(&self.needs.names, record);
        }
        let mut judge =
            Judge { policy: self, record, means, paths, circumstances, plain, buffer, decoded, claims };
        judge.values(sightings, all);
        if self.has_field_rules() {
            judge.fields(sightings, all);
        }
        if let Some(known) = self.known.as_ref().filter(|_| record.fields.are_named()) {
            judge.unknown(known, all);
        }
        let acts = |decision: &&Decision| self.rules[decision.rule].action != Action::Keep;
        acting.extend(all.iter().filter(acts));
    }
}

struct Judge<'j, 'p> {
    policy: &'j Policy,
    record: &'j Record<'j>,
    means: Means<'j>,
    paths: &'j mut Paths,
    circumstances: &'j Circumstances,
    plain: Plain<'p>,
    buffer: &'j mut Vec<u8>,
    decoded: &'j mut Decoded,
    claims: &'j mut Vec<Claim>,
}

/// Whether the bytes begin with the whole text that the action writes: it may hold blanks, at which a value
/// without quotes would end.
fn is_left(action: &Action, bytes: &[u8]) -> bool {
    let Action::Redact { with: Some(text) } = action else { return false };
    let rest = bytes.strip_prefix(text.as_bytes());
    rest.is_some_and(|rest| rest.first().is_none_or(|byte| is_delimiter(*byte)))
}

/// Whether a column says that there is no value: `-`. No rule means what is not there.
fn is_absent(field: &Field, record: &[u8]) -> bool {
    field.role == Role::Literal && !matches!(field.value.of(record), b"null" | b"true" | b"false")
}

impl Judge<'_, '_> {
    /// Decides about what was found.
    fn values(&mut self, sightings: &[Sighting], out: &mut Vec<Decision>) {
        for sighting in sightings {
            let field = &self.record.fields.list[sighting.field];
            let whole = sighting.finding.span == field.value && field.role != Role::Name;
            if let Some((rule, kind)) = self.rule_for(*sighting, whole) {
                let finding = sighting.finding;
                out.push(Decision {
                    span: finding.span,
                    kind,
                    field: sighting.field,
                    rule,
                    whole,
                    rest: false,
                    copy: false,
                    left: sighting.left,
                });
            }
        }
    }

    /// The rule that acts on a sighting, and what the value is taken for.
    fn rule_for(&mut self, sighting: Sighting, whole: bool) -> Option<(usize, Kind)> {
        let Judge { policy, record, .. } = *self;
        let Sighting { finding: Finding { kind, span }, field, left } = sighting;
        let rule = if left {
            self.owner(sighting, whole)?
        } else {
            let mut value = std::mem::take(self.buffer);
            value.clear();
            if policy.needs.values {
                (self.plain)(span, &record.fields.list[field], &mut value);
            }
            let subject = Subject::new(kind, &value);
            let chosen = policy.choose(|at, rule| match &rule.covers {
                Covers::Find { kinds, only, unless, .. }
                    if !subject.is_of(kinds) || !policy.holds(only.as_ref(), unless.as_ref(), &subject) =>
                {
                    Cover::No
                }
                _ => self.place((at, rule), field, whole),
            });
            *self.buffer = value;
            chosen?
        };
        let taken_for = match policy.rules[rule].covers {
            Covers::Field { kind: Some(kind), .. } => kind,
            _ => kind,
        };
        Some((rule, taken_for))
    }

    /// Whether a rule covers what stands in a field, whatever the value is.
    fn place(&mut self, (at, rule): (usize, &Rule), field: usize, whole: bool) -> Cover {
        let Judge { record, paths, circumstances, .. } = self;
        let keeps = rule.action == Action::Keep;
        let cover = match &rule.covers {
            Covers::Field { fields, .. } => {
                let may_be_meant = whole && record.fields.are_named() && paths.may_be_meant(field);
                Cover::of(may_be_meant && paths.any(record, field, fields, keeps))
            }
            Covers::Find { within: None, not_within, .. } if not_within.is_empty() => Cover::Yes,
            Covers::Find { .. } if !record.fields.are_named() || !paths.has(record, field) => {
                if keeps {
                    Cover::No
                } else {
                    Cover::Maybe
                }
            }
            Covers::Find { within, not_within, .. } => {
                let inside = within.as_ref().is_none_or(|within| paths.any(record, field, within, keeps));
                Cover::of(inside && !paths.any(record, field, not_within, !keeps))
            }
            Covers::Unknown => Cover::No,
        };
        circumstances.limit(at, &rule.action, cover)
    }

    /// The rule whose a residue is, if it is any rule's.
    fn owner(&mut self, sighting: Sighting, whole: bool) -> Option<usize> {
        let Judge { policy, record, means, .. } = *self;
        let Sighting { finding: Finding { kind, span }, field, .. } = sighting;
        let mut decoded = std::mem::take(self.decoded);
        let mut claims = std::mem::take(self.claims);
        claims.clear();
        let text = record.undone(field, span, &mut decoded);
        let owner = Trace::read(text, kind, means.residues).and_then(|trace| {
            for (at, rule) in policy.rules.iter().enumerate() {
                let (ways, is_found, value) = match &rule.covers {
                    Covers::Find { kinds, only, unless, .. } => {
                        let value = policy.holds_of_left(only.as_ref(), unless.as_ref(), &trace);
                        (owner::found(kinds, &trace), true, value)
                    }
                    Covers::Field { kind, .. } => (owner::placed(*kind, &trace), false, Some(true)),
                    Covers::Unknown => continue,
                };
                let place = self.place((at, rule), field, whole);
                if ways != 0 && value != Some(false) && place != Cover::No {
                    let sure = (place == Cover::Yes, value.is_some());
                    claims.push(Claim::new((at, rule), (ways, is_found), sure, &trace, means.tools));
                }
            }
            policy.owner(&claims, owner::ways(&trace, whole))
        });
        (*self.decoded, *self.claims) = (decoded, claims);
        owner
    }

    /// Decides about whole values by where they stand. A value that was found as a whole has been decided
    /// about: it is one sighting, and the first rule of either sort that covers it acts.
    fn fields(&mut self, sightings: &[Sighting], out: &mut Vec<Decision>) {
        if !self.record.fields.are_named() {
            return self.pairs(out);
        }
        debug_assert!(sightings.is_sorted_by_key(|sighting| sighting.field));
        for (at, field) in self.record.fields.list.iter().enumerate() {
            if is_absent(field, self.record.bytes) {
                continue;
            }
            if field.role == Role::Name || !self.paths.may_be_meant(at) {
                self.pairs_in_text(at, out);
                continue;
            }
            let first = sightings.partition_point(|sighting| sighting.field < at);
            let mut own = sightings[first..].iter().take_while(|sighting| sighting.field == at);
            if own.any(|sighting| sighting.finding.span == field.value) {
                continue;
            }
            let Some((rule, kind)) = self.field_rule(at) else {
                self.pairs_in_text(at, out);
                continue;
            };
            let removes = self.policy.rules[rule].action.strength() >= Action::Drop.strength();
            let container = field.is_container();
            let null = field.role == Role::Literal && field.value.of(self.record.bytes) == b"null";
            // What holds other fields is acted on in each of them; what holds nothing can only be removed.
            if removes || !(container || null || field.value.is_empty()) {
                let span = if removes { field.whole } else { field.value };
                let (whole, rest, copy, left) = (true, false, false, false);
                out.push(Decision { span, kind, field: at, rule, whole, rest, copy, left });
            }
        }
    }

    fn field_rule(&mut self, at: usize) -> Option<(usize, Kind)> {
        let Judge { policy, record, paths, circumstances, .. } = self;
        let mut covers = |rule: &Rule| match &rule.covers {
            Covers::Field { fields, .. } => {
                Cover::of(paths.any(record, at, fields, rule.action == Action::Keep))
            }
            Covers::Find { .. } | Covers::Unknown => Cover::No,
        };
        let rule = policy.choose(|at, rule| circumstances.limit(at, &rule.action, covers(rule)))?;
        Some((rule, policy.field_kind(rule)))
    }

    /// Decides about the fields that nobody named, those in messages that were read on included. What holds nothing
    /// stays, and so does a word of the format's own.
    fn unknown(&mut self, known: &Known, out: &mut Vec<Decision>) {
        let removes = self.policy.rules[known.rule].action == Action::Drop;
        for (at, field) in self.record.fields.list.iter().enumerate() {
            let judged = is_value(field) && !field.is_framing;
            if !judged || self.record.fields.is_opened(at) || is_nothing(self.record, field) {
                continue;
            }
            let mut is_of = |selectors| self.paths.any_of_its_own(self.record, at, selectors);
            if !is_of(&known.named) && !is_of(&known.allow) {
                let span = if removes { field.whole } else { field.value };
                let (kind, rule) = (Kind::FIELD, known.rule);
                let (whole, rest, copy, left) = (true, false, false, false);
                out.push(Decision { span, kind, field: at, rule, whole, rest, copy, left });
            }
        }
    }

    /// Field rules where there are no fields: names followed by `=` or `:`, or in tags. A selector is met by the whole
    /// dotted name or by its last part, since the parts before it may be lost; the strongest rule acts.
    fn pairs(&self, out: &mut Vec<Decision>) {
        let meant = |selector: &Selector, path: &Path| {
            selector.matches(path, path.len()) || selector.last_name() == path.last()
        };
        self.pairs_on_levels(self.record.bytes, 0, &meant, &|span| span, MAX_DEPTH, out);
    }

    /// The same in a text that is a field: `?password=…` in a URL, `user=…` in a message. A selector is met by
    /// the name as it stands there, for the fields around it may have any.
    fn pairs_in_text(&mut self, at: usize, out: &mut Vec<Decision>) {
        let field = &self.record.fields.list[at];
        let text = field.value.of(self.record.bytes);
        let separated = memchr::memchr3(b'=', b':', b'>', text).is_some();
        if !matches!(field.role, Role::Text | Role::Bytes) || !(separated || field.escaped) {
            return;
        }
        if self.record.fields.is_opened(at) {
            return;
        }
        // Where there are columns, a number means one of them: `10:59` is a time.
        let numbered = self.record.fields.layers.iter().any(|layer| layer.format.has_columns());
        let is_number = |name: &[u8]| name.iter().all(u8::is_ascii_digit);
        let meant = |selector: &Selector, path: &Path| {
            selector.matches(path, path.len()) && !(numbered && path.last().is_some_and(is_number))
        };
        if !field.escaped {
            let raw = |span: Span| span.shifted(field.value.start);
            return self.pairs_on_levels(text, at, &meant, &raw, MAX_DEPTH, out);
        }
        let mut decoded = std::mem::take(self.decoded);
        decoded.clear();
        self.record.fields.decode(self.record.bytes, field, field.value, &mut decoded);
        self.pairs_on_levels(&decoded.bytes, at, &meant, &|span| decoded.raw(span), MAX_DEPTH, out);
        *self.decoded = decoded;
    }

    /// In the text as it is written, and with its escapes undone, level by level: whoever writes `pass%77ord` must
    /// not get by.
    fn pairs_on_levels(
        &self,
        text: &[u8],
        at: usize,
        is_meant: &dyn Fn(&Selector, &Path) -> bool,
        raw: &dyn Fn(Span) -> Span,
        levels: usize,
        out: &mut Vec<Decision>,
    ) {
        self.pairs_in(text, at, is_meant, raw, out);
        let mut next = Decoded::default();
        if levels > 0 && unescape(text, Ansi::Remove, &mut next) {
            let raw = |span: Span| raw(next.raw(span));
            self.pairs_on_levels(&next.bytes, at, is_meant, &raw, levels - 1, out);
        }
    }

    fn pairs_in(
        &self,
        text: &[u8],
        at: usize,
        is_meant: &dyn Fn(&Selector, &Path) -> bool,
        raw: &dyn Fn(Span) -> Span,
        out: &mut Vec<Decision>,
    ) {
        let policy = self.policy;
        let mut path = Path::default();
        let strongest = |name: &[u8]| {
            if !policy.needs.names.may_mean(name) {
                return None;
            }
            path.clear();
            path.push(name);
            let meant = |(at, rule): &(usize, &Rule)| match &rule.covers {
                Covers::Field { fields, .. } => {
                    rule.action != Action::Keep
                        && self.circumstances.limit(*at, &rule.action, Cover::Yes) != Cover::No
                        && fields.iter().any(|field| is_meant(field, &path))
                }
                Covers::Find { .. } | Covers::Unknown => false,
            };
            policy.rules.iter().enumerate().filter(meant).rev().max_by_key(|(_, rule)| rule.action.strength())
        };
        pairs(text, strongest, |(index, rule), span| {
            if !is_left(&rule.action, &text[span.start..]) {
                let (kind, span) = (policy.field_kind(index), raw(span));
                let (whole, rest, copy, left) = (false, false, false, false);
                out.push(Decision { span, kind, field: at, rule: index, whole, rest, copy, left });
            }
        });
    }
}

impl Policy {
    /// The rule about a field with this path, if one means it. (One that means what the field lies in does so too.)
    pub fn field_rule(&self, path: &Path) -> Option<usize> {
        self.choose(|_, rule| match &rule.covers {
            Covers::Field { fields, .. } => {
                Cover::of(fields.iter().any(|selector| selector.matches(path, path.len())))
            }
            Covers::Find { .. } | Covers::Unknown => Cover::No,
        })
    }

    fn field_kind(&self, rule: usize) -> Kind {
        match self.rules[rule].covers {
            Covers::Field { kind: Some(kind), .. } => kind,
            _ => Kind::FIELD,
        }
    }
}

impl FormatChoice {
    /// The choice of that name, as in `--format` and `[input] format`.
    pub fn named(name: &str) -> Option<FormatChoice> {
        match name {
            "auto" => Some(FormatChoice::Auto),
            "text" => Some(FormatChoice::Text),
            _ => {
                FORMATS.iter().find(|format| format.name() == name).map(|one| FormatChoice::Only(one.name()))
            }
        }
    }

    /// All names.
    pub fn names() -> impl Iterator<Item = &'static str> {
        ["auto", "text"].into_iter().chain(FORMATS.iter().map(|format| format.name()))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            FormatChoice::Auto => "auto",
            FormatChoice::Text => "text",
            FormatChoice::Only(name) => name,
        }
    }

    /// Whether records may be read as the format of that name.
    pub fn admits(self, name: &str) -> bool {
        match self {
            FormatChoice::Auto => true,
            FormatChoice::Text => name == "text",
            // The export of the journal is the journal as well.
            FormatChoice::Only(only) => {
                name.strip_prefix(only).is_some_and(|rest| matches!(rest, "" | "-export"))
            }
        }
    }
}

impl Numbers {
    /// Whether a replaced number becomes a string.
    pub fn is_string(self) -> bool {
        self == Numbers::String
    }
}
