//! Which rule takes further what an earlier step left of a value that nobody knows any more.
//!
//! Of the value nothing is known but what stands there, so that one rule or another may have covered it: each way in which
//! it may have been covered is looked at. What some rule leaves of a value today is left alone, or a second run would
//! change what the first left. Otherwise it goes on by the rule that leaves least, of those that would act today where
//! something like this may have been left.

use super::condition::Subject;
use super::{Policy, Rule, Values};
use crate::action::{Tools, Trace};
use crate::kind::{Kind, KindSet};

/// Ways to have come by a residue, a bit each: of a value that was found and is of its kind, of a mapped IPv6 address, or
/// of whatever stood in a field that a rule means.
pub(super) type Ways = u8;
/// Of a value of the kind.
const FOUND: Ways = 1;
/// Of an IPv6 address in which an IPv4 address is mapped.
const MAPPED: Ways = 2;
/// Of anything, as a whole field.
const PLACED: Ways = 4;

/// A rule that may have covered the value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub(super) rule: usize,
    /// In these ways.
    ways: Ways,
    strength: u8,
    is_binding: bool,
    /// It covers what stands there, if it covers the value.
    place_is_sure: bool,
    /// It covers the value, if it covers what stands there.
    value_is_sure: bool,
    /// It leaves such a thing today, or an earlier step does.
    may_have_left: bool,
    /// It leaves just this today.
    leaves_now: bool,
}

/// The ways in which a residue may have come about.
pub(super) fn ways(trace: &Trace<'_>, whole: bool) -> Ways {
    let [mapped, found] = trace.of_mapped();
    let way = |may_be: bool, way: Ways| if may_be { way } else { 0 };
    way(found, FOUND) | way(mapped, MAPPED) | way(whole, PLACED)
}

/// The ways in which a rule that finds these kinds may have covered the value.
pub(super) fn found(kinds: &KindSet, trace: &Trace<'_>) -> Ways {
    if let Some(value) = trace.value() {
        return if Subject::new(trace.kind, value).is_of(kinds) { FOUND } else { 0 };
    }
    let is_address = kinds.contains(Kind::IPV4) || kinds.contains(Kind::IPV6);
    let by_kind = if kinds.contains(trace.kind) { FOUND } else { 0 };
    if is_address { by_kind | MAPPED } else { by_kind }
}

/// The ways in which a rule for a whole field may have covered the value, which it takes for this.
pub(super) fn placed(kind: Option<Kind>, trace: &Trace<'_>) -> Ways {
    let is_address = |kind: Kind| matches!(kind, Kind::IPV4 | Kind::IPV6);
    let kind = kind.unwrap_or(Kind::FIELD);
    let names_it = kind == trace.kind || is_address(kind) && is_address(trace.kind);
    if names_it { FOUND | MAPPED | PLACED } else { FOUND | MAPPED }
}

impl Claim {
    /// A rule that covers what stands there, surely or not, and what of the value is known.
    pub(super) fn new(
        (at, rule): (usize, &Rule),
        (ways, is_found): (Ways, bool),
        (place_is_sure, value_is_sure): (bool, bool),
        trace: &Trace<'_>,
        tools: Tools<'_>,
    ) -> Claim {
        let leaves_now = trace.is_left_by(&rule.action, is_found, tools);
        Claim {
            rule: at,
            ways,
            strength: rule.action.strength(),
            is_binding: rule.binding,
            place_is_sure,
            value_is_sure,
            may_have_left: leaves_now || rule.earlier.iter().any(|step| trace.may_be_left_by(step)),
            leaves_now,
        }
    }

    fn is_sure(&self) -> bool {
        self.place_is_sure && self.value_is_sure
    }

    /// Whether it acts although the other covers as well, which is asked earlier or not.
    fn is_before(&self, other: &Claim) -> bool {
        (self.strength, other.rule) > (other.strength, self.rule)
    }
}

/// What the ways come to that were looked at so far.
#[derive(Default)]
struct Verdict {
    /// It is what this rule leaves today.
    stays: Option<usize>,
    further: Option<Claim>,
}

impl Verdict {
    /// This rule would act today on a value of which something like this may have been left.
    fn add(&mut self, chosen: &Claim, may_have_been_left: bool) {
        if chosen.leaves_now {
            self.stays = self.stays.or(Some(chosen.rule));
        }
        if may_have_been_left && self.further.is_none_or(|other| chosen.is_before(&other)) {
            self.further = Some(*chosen);
        }
    }
}

impl Policy {
    /// The rule whose a residue is, of these that may have covered the value, in the order in which they are asked.
    pub(super) fn owner(&self, claims: &[Claim], open: Ways) -> Option<usize> {
        let mut verdict = Verdict::default();
        for way in [FOUND, MAPPED, PLACED].into_iter().filter(|way| way & open != 0) {
            self.by_way(claims, way, &mut verdict);
        }
        verdict.stays.or(verdict.further.map(|claim| claim.rule))
    }

    /// Adds what would act today on each value of one sort: as [`Policy::choose`] does, whichever conditions on values
    /// held.
    fn by_way(&self, claims: &[Claim], way: Ways, verdict: &mut Verdict) {
        let covers = |claim: &&Claim| claim.ways & way != 0;
        let ends = claims.iter().filter(covers).filter(|claim| claim.place_is_sure);
        for end in ends {
            self.ending_at(claims.iter().filter(covers), Some(end), verdict);
            if end.value_is_sure {
                return;
            }
        }
        self.ending_at(claims.iter().filter(covers), None, verdict);
    }

    /// The same where this rule is the first that surely covers, or none is.
    fn ending_at<'c>(
        &self,
        claims: impl Iterator<Item = &'c Claim> + Clone,
        end: Option<&Claim>,
        verdict: &mut Verdict,
    ) {
        let is_end = |claim: &Claim| end.is_some_and(|end| end.rule == claim.rule);
        let is_asked = |claim: &&Claim| match end {
            Some(end) if claim.rule > end.rule => {
                claim.is_binding && self.binds(&self.rules[claim.rule], Some(end.rule))
            }
            _ => is_end(claim) || !claim.place_is_sure,
        };
        let acts_anyway = |claim: &&Claim| {
            let is_behind = end.is_some_and(|end| claim.rule > end.rule);
            is_end(claim) || if is_behind { claim.is_sure() } else { claim.value_is_sure }
        };
        let (mut chosen, mut may_have_left): (Option<&Claim>, bool) = (None, false);
        for claim in claims.clone().filter(is_asked).filter(acts_anyway) {
            may_have_left |= claim.may_have_left;
            if chosen.is_none_or(|chosen| claim.is_before(chosen)) {
                chosen = Some(claim);
            }
        }
        if let Some(chosen) = chosen {
            verdict.add(chosen, may_have_left);
        }
        for claim in claims.filter(is_asked).filter(|claim| !acts_anyway(claim)) {
            let chosen = chosen.filter(|chosen| chosen.is_before(claim)).unwrap_or(claim);
            verdict.add(chosen, may_have_left || claim.may_have_left);
        }
    }

    /// Whether conditions on values hold for what the residue is of; `None` if nobody can tell.
    pub(super) fn holds_of_left(
        &self,
        only: Option<&Values>,
        unless: Option<&Values>,
        trace: &Trace<'_>,
    ) -> Option<bool> {
        if only.is_none() && unless.is_none() {
            return Some(true);
        }
        let known = trace.value().or(trace.domain())?;
        let is_told = |values: &Values| {
            let Values { networks, values, suffixes, lists, forms, .. } = values;
            let are_of_domain = networks.is_empty() && values.is_empty() && suffixes.is_empty();
            are_of_domain && lists.is_empty() && forms.is_empty()
        };
        if trace.value().is_none() && ![only, unless].into_iter().flatten().all(is_told) {
            return None;
        }
        Some(self.holds(only, unless, &Subject::new(trace.kind, known)))
    }
}
