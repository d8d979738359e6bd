//! What is odd about ladders, ages and pseudonyms.

use std::net::IpAddr;

use jiff::Timestamp;

use super::{Warning, about, covers};
use crate::action::{Action, Part, Truncate};
use crate::kind::Kind;
use crate::policy::claim::Claim;
use crate::policy::fault::quoted;
use crate::policy::selector::Selector;
use crate::policy::timing::time_names;
use crate::policy::{Covers, FormatChoice, Network, Policy, Rule, Step, Undated, Values};
use crate::time::age::{Age, AgeUnit};
use crate::time::stamp::Unit;

pub(super) fn of_rule(policy: &Policy, at: usize, rule: &Rule, warnings: &mut Vec<Warning>) {
    warnings.extend(never_reached(policy, rule));
    warnings.extend(drops_too_soon(policy, rule));
    warnings.extend(lost_condition(policy, at, rule));
    warnings.extend(falls_into_network(policy.rules.get(..at).unwrap_or_default(), rule));
    warnings.extend(key_goes_first(policy, rule));
    warnings.extend(under_key_for_ever(rule));
}

pub(super) fn of_policy(policy: &Policy, warnings: &mut Vec<Warning>) {
    warnings.extend(linkable_for_ever(policy));
    warnings.extend(time_is_denied(policy));
    warnings.extend(coarser_than_ages(policy));
}

/// What is good to know about a policy though nothing is wrong with it.
pub fn notes(policy: &Policy) -> Vec<String> {
    let mut notes = Vec::new();
    if policy.depends_on_age() {
        notes.push("later steps act only where stored records are scrubbed again".to_owned());
    }
    let mut actions = policy.rules.iter().flat_map(Rule::actions);
    if let (Some(every), Some(after), true) =
        (policy.every, policy.forget_after, actions.any(Action::is_by_period))
    {
        notes.push(format!(
            "whoever holds the keyring can link pseudonyms for up to {every} + {after}, if `key forget --due` runs"
        ));
    }
    notes
}

/// The steps, each with the age at which it begins.
fn begun(rule: &Rule) -> impl Iterator<Item = (Option<Age>, &Step)> {
    let starts = std::iter::once(None).chain(rule.steps.iter().map(|step| step.until));
    starts.zip(&rule.steps)
}

/// Steps for records that are not written any more.
fn never_reached(policy: &Policy, rule: &Rule) -> Option<Warning> {
    let after = policy.records.drop_after.filter(|_| policy.timing.undated != Some(Undated::Oldest))?;
    let is_late = |start: &Age| *start == after || after.is_shorter(*start);
    let start = begun(rule).find_map(|(start, _)| start.filter(is_late))?;
    let message = format!("its step from {start} on never acts: records of {after} are not written");
    Some(about(rule, message, "take the step out, or let `drop_after` be later"))
}

/// Steps that drop records which have to stay.
fn drops_too_soon(policy: &Policy, rule: &Rule) -> Option<Warning> {
    let least = policy.records.keep_at_least?;
    let (start, _) = begun(rule).find(|(_, step)| step.action == Action::DropRecord)?;
    let is_late = start.is_some_and(|start| start == least || least.is_shorter(start));
    (!is_late).then(|| {
        let message = format!("it drops records that have to stay: before {least} only the value goes");
        about(rule, message, format!("let the step begin at {least}, or write `redact` before it"))
    })
}

/// Ages that are over before they began: they are counted from the first moment of the coarsest time that is ever written.
fn coarser_than_ages(policy: &Policy) -> Option<Warning> {
    let unit = policy.coarsest_time()?;
    let (name, longest): (_, &[Age]) = match unit {
        Unit::Minute | Unit::Hour => return None,
        Unit::Day => ("day", &[Age { number: 1, unit: AgeUnit::Days }]),
        Unit::Month => {
            ("month", &[Age { number: 1, unit: AgeUnit::Months }, Age { number: 31, unit: AgeUnit::Days }])
        }
        Unit::Year => {
            ("year", &[Age { number: 1, unit: AgeUnit::Years }, Age { number: 366, unit: AgeUnit::Days }])
        }
    };
    let fits = |age: Age| longest.iter().any(|length| *length == age || length.is_shorter(age));
    let mut steps = policy.rules.iter().filter_map(|rule| Some((Some(rule), rule.steps.first()?.until?)));
    let whole = policy.records.drop_after.map(|after| (None, after));
    let (rule, age) = steps.find(|(_, until)| !fits(*until)).or(whole.filter(|(_, age)| !fits(*age)))?;
    let what = if rule.is_some() { "its first step" } else { "`drop_after`" };
    let message = format!(
        "{what} of {age} is over for some records as soon as they are written: ages are counted from the first \
         moment of the {name} to which times are made coarser"
    );
    let help = format!("let it be a {name} or more, or leave more of the time");
    Some(match rule {
        Some(rule) => about(rule, message, help),
        None => Warning::of_all(message, help),
    })
}

/// A condition on what a value is, which cannot be told of what an earlier step left of it.
fn lost_condition(policy: &Policy, at: usize, rule: &Rule) -> Option<Warning> {
    let Covers::Find { kinds, only, unless, .. } = &rule.covers else { return None };
    let (_, earlier) = rule.steps.split_last()?;
    let conditions = [("only", only), ("unless", unless)];
    let mut lost = conditions.iter().filter_map(|(key, values)| {
        let values = values.as_ref()?;
        let step = earlier.iter().find(|step| loses(&step.action, values, rule))?;
        Some((*key, step))
    });
    let (key, step) = lost.next()?;
    let behind = policy.rules.iter().skip(at + 1);
    let behind: Vec<&Rule> = behind.filter(|other| kinds.iter().any(|kind| covers(other, kind))).collect();
    let is_open = |other: &Rule| matches!(&other.covers, Covers::Find { only: None, unless: None, .. });
    let asked = behind.iter().position(|other| is_open(other)).map_or(&behind[..], |last| &behind[..=last]);
    // Where all do the same it does not matter which of them decides.
    let other = asked.iter().find(|other| other.steps != rule.steps);
    if other.is_none() && !asked.is_empty() {
        return None;
    }
    let message =
        format!("of what its `{}` leaves, a later run cannot tell whether `{key}` holds", step.action.name());
    let help = match other {
        Some(other) => format!(
            "{} covers what looks the same: give both the same steps, or tell them apart by `in`",
            quoted(&other.name)
        ),
        None => "say by `in` where the values stand, or let the first step be the last".to_owned(),
    };
    Some(about(rule, message, help))
}

/// Truncated addresses that a later run would take for those of an earlier rule.
fn falls_into_network(earlier: &[Rule], rule: &Rule) -> Option<Warning> {
    let fallen = |step: &Step| {
        let Action::Truncate(keep) = &step.action else { return None };
        // Where both leave the same at last, or what is left is kept for good, the second run changes nothing.
        let is_last = std::ptr::eq(step, rule.steps.last()?);
        let harms = |other: &&Rule| {
            other.steps != rule.steps && !(is_last && other.actions().all(|action| *action == Action::Keep))
        };
        earlier.iter().filter(harms).find_map(|other| Some((other, takes_truncated(other, rule, keep)?)))
    };
    let (other, Network { address, prefix }) = rule.steps.iter().find_map(fallen)?;
    let message = format!(
        "truncated addresses can come to lie in {address}/{prefix}, on which {} acts in a later run",
        quoted(&other.name)
    );
    let help = "give both rules the same steps, or let the truncation keep as many bits as that network has";
    Some(about(rule, message, help))
}

/// A network of the first rule in which an address lies to which the second truncates others around it. Those around
/// the unspecified address are nobody's.
fn takes_truncated<'r>(other: &'r Rule, rule: &Rule, keep: &Truncate) -> Option<&'r Network> {
    let Covers::Find { only: Some(only), .. } = &other.covers else { return None };
    let takes = |network: &&Network| {
        let (kind, bits, host) = match network.address {
            IpAddr::V4(address) => {
                let host = u32::MAX.checked_shr(u32::from(keep.ipv4)).unwrap_or(0);
                (Kind::IPV4, keep.ipv4, u128::from(address.to_bits() & host))
            }
            IpAddr::V6(address) => {
                let host = u128::MAX.checked_shr(u32::from(keep.ipv6)).unwrap_or(0);
                (Kind::IPV6, keep.ipv6, address.to_bits() & host)
            }
        };
        let is_at_begin = network.prefix > bits && host == 0 && !network.address.is_unspecified();
        is_at_begin && covers(rule, kind) && covers(other, kind)
    };
    only.networks.iter().find(takes).filter(|_| !keep.pseudonymise)
}

/// Whether of what the action leaves nobody can tell if the condition holds.
fn loses(action: &Action, values: &Values, rule: &Rule) -> bool {
    let Values { networks, values, domains, suffixes, lists, forms: _ } = values;
    let is_exact = !values.is_empty() || !suffixes.is_empty() || !lists.is_empty();
    let has_domains = !domains.is_empty() && covers(rule, Kind::EMAIL);
    let has_networks = !networks.is_empty() && (covers(rule, Kind::IPV4) || covers(rule, Kind::IPV6));
    match action {
        Action::Keep => false,
        Action::Truncate(Truncate { ipv4, ipv6, email_domain, .. }) => {
            let is_longer = networks
                .iter()
                .any(|network| network.prefix > if network.address.is_ipv4() { *ipv4 } else { *ipv6 });
            is_exact || has_domains && !email_domain || has_networks && is_longer
        }
        Action::Hash(hash) => is_exact || has_networks || has_domains && hash.keep != Some(Part::Domain),
        Action::Drop | Action::DropRecord => false, // nothing is left
        _ => is_exact || has_networks || has_domains,
    }
}

/// A step that needs a key for longer than there is one.
fn key_goes_first(policy: &Policy, rule: &Rule) -> Option<Warning> {
    let (every, after) = (policy.every?, policy.forget_after?);
    let gone = after.after(every.after(Timestamp::UNIX_EPOCH)?)?;
    let outlasts = |until: Age| until.after(Timestamp::UNIX_EPOCH).is_none_or(|end| end > gone);
    let (step, until) = rule.steps.iter().find_map(|step| {
        let until = step.until.filter(|until| step.action.is_by_period() && outlasts(*until))?;
        Some((step, until))
    })?;
    let (does, later) = match step.action {
        Action::Encrypt => ("encrypts", ", and its tokens are not found by later steps"),
        Action::Hash(_) => ("hashes", ""),
        _ => ("pseudonymises", ""),
    };
    let message = format!("it {does} until {until}, and the key is forgotten after {every} + {after}");
    let help = format!(
        "what is scrubbed after that is redacted{later}: let the step end before, or `forget_after` be later"
    );
    Some(about(rule, message, help))
}

/// Pseudonyms whose keys nobody is told to forget.
fn linkable_for_ever<'p>(policy: &'p Policy) -> Option<Warning> {
    let keyed = |rule: &'p Rule| Some((rule, rule.actions().find(|action| action.is_by_period())?));
    let (rule, action) = policy.rules.iter().find_map(keyed).filter(|_| policy.forget_after.is_none())?;
    let what = match action {
        Action::Hash(_) => "pseudonyms can be linked for ever",
        Action::Encrypt => "tokens can be turned back for ever",
        _ => "addresses in place of addresses can be turned back for ever",
    };
    let message = format!("{what}: the rules do not say when their keys are forgotten");
    let help =
        "[pseudonyms] every = \"30d\", forget_after = \"90d\", and `logscrub key forget --due` every day";
    Some(about(rule, message, help).against(&[Claim::Gdpr]))
}

/// Pseudonyms under the key that `forget_after` does not speak of.
fn under_key_for_ever(rule: &Rule) -> Option<Warning> {
    rule.actions().any(Action::is_for_ever).then(|| {
        let message = "pseudonyms of scope = \"forever\" can be linked for ever: `key forget --due` never removes their key";
        let help = "hash under the keys of periods, or set a day for `logscrub key forget --forever`";
        about(rule, message, help).against(&[Claim::Gdpr])
    })
}

/// Default deny that leaves no field in which the time of a record could stand.
fn time_is_denied(policy: &Policy) -> Option<Warning> {
    let known = policy.known.as_ref().filter(|_| policy.depends_on_age())?;
    if policy.timing.field.is_some() || policy.format == FormatChoice::Text {
        return None;
    }
    let times: Vec<Selector> =
        time_names().filter_map(|name| Selector::parse(std::str::from_utf8(name).ok()?).ok()).collect();
    let mut allowed = known.allow.iter().chain(&known.named);
    let is_allowed =
        allowed.any(|one| times.iter().any(|time| one.covers(time) || one.last_name() == time.last_name()));
    (!is_allowed).then(|| {
        let message =
            "`[fields]` allows no field that may hold the time of a record, by which its age is known";
        Warning::of_all(message, "name it in `allow`, and in [input] time")
    })
}
