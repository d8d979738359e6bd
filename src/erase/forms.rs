//! [`Forms`]: what may stand in a log for an identifier.

use std::collections::HashSet;

use crate::action::canonical::{canonical, ipv4, ipv6};
use crate::action::keys::Keys;
use crate::action::{Action, Hash, Tools, apply};
use crate::kind::{Kind, KindSet};
use crate::policy::{Covers, Policy, Rule};
use crate::scrub::Scrubber;

/// Gathers spellings and pseudonyms, in lower case: case of ASCII letters does not count in the list that they make.
pub(super) struct Forms<'p> {
    policy: &'p Policy,
    keys: Option<&'p Keys>,
    /// What makes pseudonyms.
    actions: Vec<Action>,
    /// The kinds that a rule gives to whole values, whatever they are.
    given: KindSet,
    entries: HashSet<Vec<u8>>,
}

impl<'p> Forms<'p> {
    pub(super) fn new(policy: &'p Policy, keys: Option<&'p Keys>) -> Forms<'p> {
        Forms { policy, keys, actions: actions(policy), given: given(policy), entries: HashSet::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn into_entries(self) -> Vec<Vec<u8>> {
        self.entries.into_iter().collect()
    }

    /// Adds all forms of an identifier. `finder` tells what it is.
    pub(super) fn add(&mut self, identifier: &[u8], finder: &mut Scrubber) {
        let found = kinds_of(identifier, finder);
        let mut spellings = vec![identifier.to_vec(), identifier.to_ascii_lowercase()];
        spellings.extend(found.iter().map(|(kind, _)| canonical(*kind, identifier)));
        let mapped = mapped(identifier);
        let is_mapped = mapped.is_some();
        spellings.extend(mapped);
        spellings.extend(grouped(identifier, found.iter().any(|(kind, _)| *kind == Kind::PAN)));
        spellings.sort_unstable();
        spellings.dedup();
        if let Some(keys) = self.keys {
            let found = found.iter().filter_map(|(_, name)| self.policy.kinds.get(name));
            let also = [Kind::IPV4, Kind::IPV6].into_iter().filter(|_| is_mapped);
            let kinds: KindSet = found.chain(self.given.iter()).chain(also).collect();
            for kind in kinds.iter() {
                spellings.iter().for_each(|spelling| self.pseudonyms(keys, kind, spelling));
            }
        }
        self.entries.extend(spellings.into_iter().map(|spelling| spelling.to_ascii_lowercase()));
    }

    /// What a value of that kind became, in each period and for ever.
    fn pseudonyms(&mut self, keys: &Keys, kind: Kind, value: &[u8]) {
        let mut left = Vec::new();
        for action in &self.actions {
            let periods = if action.is_for_ever() { 0..1 } else { 0..keys.periods().len() };
            for period in periods {
                let tools = Tools { kinds: &self.policy.kinds, keys: Some(keys), period: Some(period) };
                left.clear();
                apply(action, kind, value, value, tools, &mut left);
                if is_keyed(&left) {
                    self.entries.insert(left.to_ascii_lowercase());
                    // The second of two equal names is `[email:k…:…#2]`.
                    let close = left.iter().position(|byte| *byte == b']').unwrap_or(left.len());
                    let numbered = [left.get(..close).unwrap_or_default(), b"#"].concat();
                    self.entries.insert(numbered.to_ascii_lowercase());
                }
            }
        }
    }
}

/// Whether it is a residue that a key made: without one there is only a label, which is everybody's.
fn is_keyed(left: &[u8]) -> bool {
    left.starts_with(b"[") && left.windows(2).any(|pair| pair == b":k")
}

/// The actions of all steps that leave a pseudonym, and those without parameters: an earlier version of the policy may
/// have had them. Tokens are opened.
fn actions(policy: &Policy) -> Vec<Action> {
    let plain = Hash::default();
    let mut actions = vec![Action::Hash(plain), Action::Hash(Hash { forever: true, ..plain })];
    for step in policy.rules.iter().flat_map(|rule| &rule.steps) {
        if is_pseudonym(&step.action) && !actions.contains(&step.action) {
            actions.push(step.action.clone());
        }
    }
    actions
}

fn is_pseudonym(action: &Action) -> bool {
    match action {
        Action::Hash(_) => true,
        Action::Truncate(keep) => keep.pseudonymise,
        _ => false,
    }
}

/// The kinds that keyed rules give to whole values by where they stand, and those of own lists and detectors.
fn given(policy: &Policy) -> KindSet {
    let is_keyed = |rule: &&Rule| rule.steps.iter().any(|step| is_pseudonym(&step.action));
    let mut kinds = KindSet::default();
    for rule in policy.rules.iter().filter(is_keyed) {
        match &rule.covers {
            Covers::Field { kind: Some(kind), .. } => kinds.insert(*kind),
            Covers::Field { kind: None, .. } | Covers::Unknown => {
                kinds.insert(Kind::FIELD);
                policy.own_kinds().into_iter().for_each(|kind| kinds.insert(kind));
            }
            Covers::Find { kinds: found, .. } => {
                let own = policy.own_kinds().into_iter().filter(|kind| found.contains(*kind));
                own.for_each(|kind| kinds.insert(kind));
            }
        }
    }
    kinds
}

/// The kinds of which the whole identifier is, with their names.
fn kinds_of(identifier: &[u8], finder: &mut Scrubber) -> Vec<(Kind, String)> {
    let sightings = finder.inspect_text(identifier).sightings;
    let whole = sightings.iter().filter(|finding| finding.span.len() == identifier.len());
    let name = |kind: Kind| finder.policy().kinds.name(kind).to_owned();
    whole.map(|finding| (finding.kind, name(finding.kind))).collect()
}

/// An IPv4 address as an IPv6 address holds it: of that a pseudonym may keep the network.
fn mapped(identifier: &[u8]) -> Option<Vec<u8>> {
    let held = || ipv6(identifier).and_then(|address| address.to_ipv4_mapped());
    let address = ipv4(identifier).or_else(held)?;
    Some(address.to_ipv6_mapped().to_string().into_bytes())
}

/// Cards and account numbers without the signs between their groups, and in the groups in which they are printed.
fn grouped(identifier: &[u8], is_card: bool) -> Vec<Vec<u8>> {
    let bare: Vec<u8> = identifier.iter().filter(|byte| !matches!(byte, b' ' | b'-')).copied().collect();
    if !is_card && !is_like_iban(&bare) {
        return Vec::new();
    }
    // American Express prints 4-6-5, all others fours.
    let sizes: &[usize] = if is_card && bare.len() == 15 { &[4, 6, 5] } else { &[4; 9] };
    let mut groups: Vec<&[u8]> = Vec::new();
    let mut rest = bare.as_slice();
    for size in sizes {
        let (group, behind) = rest.split_at(rest.len().min(*size));
        groups.extend(Some(group).filter(|group| !group.is_empty()));
        rest = behind;
    }
    vec![groups.join(&b" "[..]), groups.join(&b"-"[..]), bare]
}

/// Two letters, two digits, and 11 to 30 letters and digits (ISO 13616).
fn is_like_iban(bare: &[u8]) -> bool {
    let (head, rest) = bare.split_at(bare.len().min(4));
    matches!(head, [a, b, c, d] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() && c.is_ascii_digit() && d.is_ascii_digit())
        && (11..=30).contains(&rest.len())
        && rest.iter().all(u8::is_ascii_alphanumeric)
}
