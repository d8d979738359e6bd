//! Which rule decides about which bytes.

use super::named::{is_delimiter, pairs};
use super::paths::Paths;
use super::{Covers, FormatChoice, Numbers, Policy, Rule, Values};
use crate::action::Action;
use crate::action::canonical::hashed_as;
use crate::detect::Detectors;
use crate::finding::Finding;
use crate::format::{Field, Format, Role};
use crate::kind::{Kind, KindSet};
use crate::span::Span;

/// A record as the rules see it.
#[derive(Clone, Copy)]
pub struct Record<'r> {
    /// Its bytes, without the line end.
    pub bytes: &'r [u8],
    /// The grammar that yielded the fields.
    pub format: &'r dyn Format,
    /// The fields. All spans count from the start of the record.
    pub fields: &'r [Field],
    /// Whether the fields have names; running text and records that cannot be read have not.
    pub named: bool,
}

/// A value of one kind in one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// What and where, in the record.
    pub finding: Finding,
    /// The field, by its place in the record's list.
    pub field: usize,
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
}

/// The value conditions of a rule need the value with its escapes undone.
pub type Plain<'p> = &'p mut dyn FnMut(Span, &Field) -> Vec<u8>;

impl Policy {
    /// The detectors of the kinds that its rules ask for. Rules for IPv4 cover mapped IPv6 addresses, and a
    /// field rule that does not say what its values are asks for every kind.
    pub fn detectors(&self) -> Detectors {
        let mut wanted = KindSet::default();
        for rule in &self.rules {
            match &rule.covers {
                Covers::Find { kinds, .. } => kinds.iter().for_each(|kind| wanted.insert(kind)),
                Covers::Field { kind: None, .. } => {
                    self.kinds.iter().for_each(|(kind, _)| wanted.insert(kind))
                }
                Covers::Field { .. } => {}
            }
        }
        if wanted.contains(Kind::IPV4) {
            wanted.insert(Kind::IPV6);
        }
        Detectors::new(wanted, self.patterns.clone(), self.lists.clone())
    }

    /// Whether any rule asks where a value stands.
    pub fn needs_fields(&self) -> bool {
        self.rules.iter().any(|rule| match &rule.covers {
            Covers::Find { within, not_within, .. } => within.is_some() || !not_within.is_empty(),
            Covers::Field { .. } => true,
        })
    }

    /// Whether any rule covers whole values by where they stand.
    pub fn has_field_rules(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule.covers, Covers::Field { .. }))
    }

    /// Whether any rule drops whole records.
    pub fn drops_records(&self) -> bool {
        self.rules.iter().any(|rule| rule.action == Action::DropRecord)
    }

    /// Appends the decisions about a record to `all`, and to `out` those that act: sorted by place, at most
    /// one for any byte.
    pub fn decide(
        &self,
        record: &Record<'_>,
        sightings: &[Sighting],
        plain: Plain<'_>,
        all: &mut Vec<Decision>,
        out: &mut Vec<Decision>,
    ) {
        let paths = if record.named && self.needs_fields() { Paths::of(record) } else { Paths::default() };
        let mut judge = Judge { policy: self, record, paths: &paths, plain };
        judge.values(sightings, all);
        if self.has_field_rules() {
            judge.fields(sightings, all);
        }
        let acts = |decision: &Decision| self.rules[decision.rule].action != Action::Keep;
        self.part(all.iter().copied().filter(acts).collect(), out);
    }

    /// Parts the bytes among decisions that overlap: the stronger action first, then the longer span. What
    /// the loser covers outside the winner is still acted on, so no tail of it stays.
    fn part(&self, mut decisions: Vec<Decision>, out: &mut Vec<Decision>) {
        let first = out.len();
        decisions.sort_by_key(|decision| {
            let strength = self.rules[decision.rule].action.strength();
            (std::cmp::Reverse((strength, decision.span.len())), decision.span.start, decision.rule)
        });
        let mut taken = std::collections::BTreeMap::new();
        for decision in decisions {
            let mut start = decision.span.start;
            let overlapping: Vec<Span> = overlaps(&taken, decision.span);
            let rest = !overlapping.is_empty();
            for span in overlapping.into_iter().chain([Span::new(decision.span.end, decision.span.end)]) {
                if start < span.start {
                    let piece = Span::new(start, span.start);
                    taken.insert(piece.start, piece.end);
                    out.push(Decision { span: piece, rest, whole: decision.whole && !rest, ..decision });
                }
                start = start.max(span.end);
            }
        }
        out[first..].sort_by_key(|decision| decision.span);
    }
}

/// The taken spans that share a byte with `span`, in order.
fn overlaps(taken: &std::collections::BTreeMap<usize, usize>, span: Span) -> Vec<Span> {
    let mut found: Vec<Span> = taken
        .range(..span.end)
        .rev()
        .map(|(start, end)| Span::new(*start, *end))
        .take_while(|other| other.end > span.start)
        .collect();
    found.reverse();
    found
}

struct Judge<'j, 'p> {
    policy: &'j Policy,
    record: &'j Record<'j>,
    paths: &'j Paths,
    plain: Plain<'p>,
}

/// How sure it is that a rule covers a sighting.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cover {
    No,
    /// It depends on fields that the record does not yield.
    Maybe,
    Yes,
}

impl Policy {
    /// The rule that acts: the first that covers, or a binding one that leaves less. Where fields are unknown
    /// the strongest rule that may be meant acts.
    fn choose(&self, mut covers: impl FnMut(&Rule) -> Cover) -> Option<usize> {
        let mut chosen: Option<usize> = None;
        let mut settled = false;
        for (index, rule) in self.rules.iter().enumerate() {
            if settled && !self.binds(rule, chosen) {
                continue;
            }
            let cover = covers(rule);
            let stronger = |other: usize| rule.action.strength() > self.rules[other].action.strength();
            if cover != Cover::No && chosen.is_none_or(stronger) {
                chosen = Some(index);
            }
            settled |= cover == Cover::Yes;
        }
        chosen
    }

    /// Whether a binding rule is asked although another was chosen.
    fn binds(&self, rule: &Rule, chosen: Option<usize>) -> bool {
        rule.binding && !chosen.is_some_and(|chosen| self.rules[chosen].instead_of.contains(&rule.name))
    }

    /// The rule that acts on a value, its escapes undone, wherever it stands. Only for policies that do not
    /// ask where: see [`Policy::needs_fields`].
    pub fn rule_for_value(&self, kind: Kind, plain: &[u8]) -> Option<usize> {
        self.choose(|rule| match &rule.covers {
            Covers::Find { kinds, only, unless, .. }
                if is_of(kinds, kind, || hashed_as(kind, plain))
                    && self.holds(only.as_ref(), unless.as_ref(), kind, || plain) =>
            {
                Cover::Yes
            }
            _ => Cover::No,
        })
    }

    /// The rule that acts on every value of a kind, if it is the same for all of them.
    pub fn rule_for_kind(&self, kind: Kind) -> Option<usize> {
        let concerns = |rule: &&Rule| match &rule.covers {
            Covers::Find { kinds, .. } => {
                kinds.contains(kind) || kind == Kind::IPV6 && kinds.contains(Kind::IPV4)
            }
            Covers::Field { .. } => false,
        };
        let first = self.rules.iter().find(concerns)?;
        let unconditional = match &first.covers {
            Covers::Find { kinds, only: None, unless: None, .. } => kinds.contains(kind),
            _ => false,
        };
        let bound = self.rules.iter().filter(concerns).any(|rule| rule.binding);
        self.rules.iter().position(|rule| std::ptr::eq(rule, first)).filter(|_| unconditional && !bound)
    }

    fn holds<P: AsRef<[u8]>>(
        &self,
        only: Option<&Values>,
        unless: Option<&Values>,
        kind: Kind,
        plain: impl FnOnce() -> P,
    ) -> bool {
        if only.is_none() && unless.is_none() {
            return true;
        }
        let plain = plain();
        only.is_none_or(|only| self.matches(only, kind, plain.as_ref()))
            && !unless.is_some_and(|unless| self.matches(unless, kind, plain.as_ref()))
    }
}

/// Whether the bytes begin with the whole text that the action writes: it may hold blanks, at which a value
/// without quotes would end.
fn is_left(action: &Action, bytes: &[u8]) -> bool {
    let Action::Redact { with: Some(text) } = action else { return false };
    let rest = bytes.strip_prefix(text.as_bytes());
    rest.is_some_and(|rest| rest.first().is_none_or(|byte| is_delimiter(*byte)))
}

/// A mapped IPv6 address is covered by rules for either kind of address.
fn is_of(kinds: &KindSet, kind: Kind, hashed_as: impl FnOnce() -> Kind) -> bool {
    kinds.contains(kind) || kind == Kind::IPV6 && kinds.contains(Kind::IPV4) && hashed_as() == Kind::IPV4
}

impl Judge<'_, '_> {
    /// Decides about what was found.
    fn values(&mut self, sightings: &[Sighting], out: &mut Vec<Decision>) {
        for sighting in sightings {
            let field = &self.record.fields[sighting.field];
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
                });
            }
        }
    }

    /// The rule that acts on a sighting, and what the value is taken for.
    fn rule_for(&mut self, sighting: Sighting, whole: bool) -> Option<(usize, Kind)> {
        let policy = self.policy;
        let rule = policy.choose(|rule| self.covers(rule, sighting, whole))?;
        let kind = match policy.rules[rule].covers {
            Covers::Field { kind: Some(kind), .. } => kind,
            _ => sighting.finding.kind,
        };
        Some((rule, kind))
    }

    fn covers(&mut self, rule: &Rule, sighting: Sighting, whole: bool) -> Cover {
        match &rule.covers {
            Covers::Field { fields, .. } => {
                let meant = whole && self.record.named && self.paths.any(self.record, sighting.field, fields);
                if meant { Cover::Yes } else { Cover::No }
            }
            Covers::Find { kinds, within, not_within, only, unless } => {
                let Finding { kind, span } = sighting.finding;
                if !is_of(kinds, kind, || hashed_as(kind, &self.plain(span, sighting.field))) {
                    return Cover::No;
                }
                let policy = self.policy;
                if !policy.holds(only.as_ref(), unless.as_ref(), kind, || self.plain(span, sighting.field)) {
                    return Cover::No;
                }
                if within.is_none() && not_within.is_empty() {
                    return Cover::Yes;
                }
                if !self.record.named || !self.paths.has(self.record, sighting.field) {
                    return if rule.action == Action::Keep { Cover::No } else { Cover::Maybe };
                }
                let inside =
                    within.as_ref().is_none_or(|within| self.paths.any(self.record, sighting.field, within));
                let outside = !self.paths.any(self.record, sighting.field, not_within);
                if inside && outside { Cover::Yes } else { Cover::No }
            }
        }
    }

    fn plain(&mut self, span: Span, field: usize) -> Vec<u8> {
        (self.plain)(span, &self.record.fields[field])
    }

    /// Decides about whole values by where they stand. A value that was found as a whole has been decided
    /// about: it is one sighting, and the first rule of either sort that covers it acts.
    fn fields(&mut self, sightings: &[Sighting], out: &mut Vec<Decision>) {
        if !self.record.named {
            return self.pairs(out);
        }
        if !self.paths.hold(&self.policy.names) {
            return;
        }
        let mut found_whole: Vec<usize> = sightings
            .iter()
            .filter(|sighting| sighting.finding.span == self.record.fields[sighting.field].value)
            .map(|sighting| sighting.field)
            .collect();
        found_whole.sort_unstable();
        for (at, field) in self.record.fields.iter().enumerate() {
            if field.role == Role::Name || found_whole.binary_search(&at).is_ok() {
                continue;
            }
            let Some((rule, kind)) = self.field_rule(at) else { continue };
            let removes = self.policy.rules[rule].action.strength() >= Action::Drop.strength();
            let container = matches!(field.role, Role::Object | Role::Array);
            let null = field.role == Role::Literal && field.value.of(self.record.bytes) == b"null";
            // What holds other fields is acted on in each of them; what holds nothing can only be removed.
            if removes || !(container || null || field.value.is_empty()) {
                let span = if removes { field.whole } else { field.value };
                out.push(Decision { span, kind, field: at, rule, whole: true, rest: false });
            }
        }
    }

    fn field_rule(&self, at: usize) -> Option<(usize, Kind)> {
        let rule = self.policy.choose(|rule| match &rule.covers {
            Covers::Field { fields, .. } if self.paths.any(self.record, at, fields) => Cover::Yes,
            _ => Cover::No,
        })?;
        Some((rule, self.policy.field_kind(rule)))
    }

    /// Field rules where there are no fields: names followed by `=` or `:`. A selector is met by the whole
    /// dotted name or by its last part, since the parts before it may be lost; the strongest rule acts.
    fn pairs(&self, out: &mut Vec<Decision>) {
        let policy = self.policy;
        let strongest = |path: &[&[u8]]| {
            if !policy.names.are_among(path) {
                return None;
            }
            let meant = |(_, rule): &(usize, &Rule)| match &rule.covers {
                Covers::Field { fields, .. } => {
                    rule.action != Action::Keep
                        && fields
                            .iter()
                            .any(|field| field.matches(path) || field.last_name() == path.last().copied())
                }
                Covers::Find { .. } => false,
            };
            policy.rules.iter().enumerate().filter(meant).rev().max_by_key(|(_, rule)| rule.action.strength())
        };
        pairs(self.record.bytes, strongest, |(index, rule), span| {
            if !is_left(&rule.action, &self.record.bytes[span.start..]) {
                let kind = policy.field_kind(index);
                out.push(Decision { span, kind, field: 0, rule: index, whole: false, rest: false });
            }
        });
    }
}

impl Policy {
    fn field_kind(&self, rule: usize) -> Kind {
        match self.rules[rule].covers {
            Covers::Field { kind: Some(kind), .. } => kind,
            _ => Kind::FIELD,
        }
    }
}

impl FormatChoice {
    /// The words of `--format` and `[input] format`.
    pub const NAMES: [(&str, FormatChoice); 3] =
        [("auto", FormatChoice::Auto), ("text", FormatChoice::Text), ("json", FormatChoice::Json)];

    /// Whether records may be read as the format of that name.
    pub fn admits(self, name: &str) -> bool {
        self == FormatChoice::Auto || FormatChoice::NAMES.contains(&(name, self))
    }
}

impl Numbers {
    /// Whether a replaced number becomes a string.
    pub fn is_string(self) -> bool {
        self == Numbers::String
    }
}
