//! What only those who claim something need to hear.

use super::{Warning, about, covers, found};
use crate::action::Action;
use crate::kind::Kind;
use crate::policy::claim::Claim;
use crate::policy::fault::quoted;
use crate::policy::names::SECRET;
use crate::policy::{Covers, Policy, Rule};
use crate::time::age::{Age, AgeUnit};

/// How long audit logs are kept (PCI DSS 10.5.1).
const AUDIT_LOGS: Age = Age { number: 12, unit: AgeUnit::Months };

pub(super) fn of_rule(policy: &Policy, rule: &Rule, warnings: &mut Vec<Warning>) {
    if policy.claims.contains(&Claim::PciDss) {
        warnings.extend(readable_cards(rule));
    }
    if policy.claims.contains(&Claim::Gdpr) {
        warnings.extend(stays_for_ever(policy, rule));
    }
    if policy.claims.contains(&Claim::HipaaSafeHarbor) {
        warnings.extend(derived_code(rule));
        warnings.extend(part_of_identifier(policy, rule));
    }
}

pub(super) fn of_policy(policy: &Policy, warnings: &mut Vec<Warning>) {
    if policy.claims.contains(&Claim::PciDss) {
        warnings.extend(audit_logs(policy));
    }
    let lacks = |claim: &Claim| policy.sources.iter().find(|source| !source.policy.claims.contains(claim));
    for claim in &policy.claims {
        warnings.extend(lacks(claim).map(|source| {
            let message =
                format!("inputs of source {} are under rules that claim less", quoted(&source.rules));
            Warning::of_all(
                message,
                format!("add `{}` to the claims of that file, or take it out here", claim.name()),
            )
        }));
    }
}

/// Whether it is limited to values that somebody listed.
fn is_exception(rule: &Rule) -> bool {
    matches!(&rule.covers, Covers::Find { only: Some(_), .. })
}

fn readable_cards(rule: &Rule) -> Option<Warning> {
    let keeps = rule.actions().any(|action| *action == Action::Keep);
    (covers(rule, Kind::PAN) && keeps && !is_exception(rule)).then(|| {
        let help = "PCI DSS 3.5.1: it is unreadable wherever it is stored, logs included; truncate, hash or redact it";
        about(rule, "card numbers stay readable", help).against(&[Claim::PciDss])
    })
}

/// Records that go before an audit log may.
fn audit_logs(policy: &Policy) -> Option<Warning> {
    let is_short = |age: Age| age.is_shorter(AUDIT_LOGS);
    let drops_early = policy.records.drop_after.is_some_and(is_short);
    let may_drop = policy.may_drop_records() && policy.records.keep_at_least.is_none_or(is_short);
    (drops_early || may_drop).then(|| {
        let help =
            "PCI DSS 10.5.1: audit logs are kept for 12 months; write [records] keep_at_least = \"12mo\"";
        Warning::of_all("records may go before they are twelve months old", help).against(&[Claim::PciDss])
    })
}

fn stays_for_ever(policy: &Policy, rule: &Rule) -> Option<Warning> {
    let Covers::Find { kinds, .. } = &rule.covers else { return None };
    let is_kept = rule.steps.last().is_some_and(|step| step.action == Action::Keep);
    let ends = policy.records.drop_after.is_some();
    let kind = kinds.iter().find(|kind| !SECRET.contains(kind))?;
    (is_kept && !ends && !is_exception(rule)).then(|| {
        let message = format!("`{}` stays for ever", policy.kinds.name(kind));
        let help = "GDPR Art. 5(1)(e): end the ladder with what may stay, or limit the rule with `only`";
        about(rule, message, help).against(&[Claim::Gdpr])
    })
}

fn derived_code(rule: &Rule) -> Option<Warning> {
    rule.actions().find_map(Action::keyed).map(|word| {
        let message = format!("`{word}` leaves a code that is made from the value");
        let help = "45 CFR 164.514(c): a code that stands for a person may not be derived from what is known of him; redact it";
        about(rule, message, help).against(&[Claim::HipaaSafeHarbor])
    })
}

fn part_of_identifier(policy: &Policy, rule: &Rule) -> Option<Warning> {
    let leaves =
        |action: &&Action| matches!(action, Action::Keep | Action::Truncate(_)) && action.keyed().is_none();
    let action = rule.actions().find(leaves).filter(|_| !is_exception(rule))?;
    let Covers::Find { kinds, .. } = &rule.covers else { return None };
    let kind = found(policy).find(|kind| kinds.contains(*kind))?;
    let message =
        format!("`{}` leaves of `{}` what is an identifier still", action.name(), policy.kinds.name(kind));
    let help = "45 CFR 164.514(b)(2)(i): parts of the listed identifiers go as well, those of IP addresses too; redact it";
    Some(about(rule, message, help).against(&[Claim::HipaaSafeHarbor]))
}
