//! What `rules check` warns of: policies that load, but may not do what their authors think.

mod claims;
mod ladders;

use std::fmt;

use jiff::Timestamp;

use super::claim::Claim;
use super::fault::quoted;
use super::names::{FOUND, SECRET};
use super::selector::Selector;
use super::source::Inputs;
use super::{Covers, FormatChoice, Hold, Policy, Rule, Source};
use crate::action::{Action, Truncate};
use crate::kind::Kind;
use crate::time::age::{Age, AgeUnit};
pub use ladders::notes;

/// Bits of an IPv6 address that a truncated one may keep: a /48 is a site, a /56 or longer often one home
/// (RFC 6177).
const IPV6_SITE_BITS: u8 = 48;

/// How long whoever looks into an abuse may have to know the home that it came from.
const ABUSE_HANDLING: Age = Age { number: 7, unit: AgeUnit::Days };

/// Names of fields that hold sensitive authentication data, in normal form (PCI DSS 3.3.1).
const CARD_SECRETS: &[&str] = &[
    "cvv",
    "cvv2",
    "cvc",
    "cvc2",
    "csc",
    "cid",
    "cav2",
    "track1",
    "track2",
    "trackdata",
    "pinblock",
    "securitycode",
    "cardsecuritycode",
    "cardcvv",
    "cardcvc",
];

/// One warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The rule that it is about.
    pub rule: Option<String>,
    /// What is odd.
    pub message: String,
    /// What to do about it.
    pub help: String,
    /// Under these claims of the policy it is an error.
    pub claims: &'static [Claim],
}

impl Warning {
    fn of_all(message: impl Into<String>, help: impl Into<String>) -> Warning {
        Warning { rule: None, message: message.into(), help: help.into(), claims: &[] }
    }

    /// The same as an error under claims.
    fn against(self, claims: &'static [Claim]) -> Warning {
        Warning { claims, ..self }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "warning: {}", self.message)?;
        if let Some(rule) = &self.rule {
            writeln!(out, " --> rule {}", quoted(rule))?;
        }
        writeln!(out, "  = help: {}", self.help)
    }
}

/// Everything odd about a policy, rule by rule, then as a whole.
pub fn check(policy: &Policy) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for (at, rule) in policy.rules.iter().enumerate() {
        let earlier = &policy.rules[..at];
        warnings.extend(never_fires(rule, earlier));
        warnings.extend(only_holds_never(rule));
        warnings.extend(long_ipv6(rule));
        warnings.extend(keeps_card_secret(rule));
        warnings.extend(same_short_name(rule, &policy.rules[at + 1..]));
        warnings.extend(condition_on_changed_field(rule, policy));
        ladders::of_rule(policy, at, rule, &mut warnings);
        claims::of_rule(policy, rule, &mut warnings);
    }
    warnings.extend(denies_nothing(policy));
    warnings.extend(only_in_fields(policy));
    warnings.extend(uncovered(policy));
    warnings.extend(linkable_cards(policy));
    ladders::of_policy(policy, &mut warnings);
    claims::of_policy(policy, &mut warnings);
    warnings.extend(sources_never_asked(policy));
    policy.sources.iter().for_each(|source| warnings.extend(of_source(source)));
    policy.holds.iter().for_each(|hold| warnings.extend(of_hold(hold, Timestamp::now())));
    warnings
}

/// Sources behind one that includes all their inputs.
fn sources_never_asked(policy: &Policy) -> impl Iterator<Item = Warning> {
    let takes_all = |source: &Source| {
        let Inputs { path, labels } = &source.inputs;
        labels.is_empty() && path.as_ref().is_some_and(|path| path.to_string() == "**")
    };
    let sources = &policy.sources;
    let hidden = move |(at, source): (usize, &Source)| {
        let has_path = source.inputs.path.is_some();
        let mut earlier = sources.iter().take(at);
        earlier.any(|other| other.inputs == source.inputs || has_path && takes_all(other))
    };
    let hidden = sources.iter().enumerate().filter(move |one| hidden(*one));
    hidden.map(|(at, source)| {
        let message = format!("source {} ({}) is never asked", at + 1, quoted(&source.rules));
        Warning::of_all(message, "one before it includes all its inputs: move it up, or take it out")
    })
}

/// A hold that suspends nothing.
fn of_hold(hold: &Hold, now: Timestamp) -> Option<Warning> {
    let name = quoted(&hold.name);
    if hold.is_over(now) {
        let message = format!("the hold {name} is over since {}", hold.until_date());
        return Some(Warning::of_all(message, "take it out, or move its end on if the matter is still open"));
    }
    hold.can_never_hold().then(|| {
        let help = "the path of a file ends with its name, and holds no `//`, `/./` or `/../`";
        Warning::of_all(format!("the hold {name} can never hold: no file lies at its paths"), help)
    })
}

/// What is odd about the rules of a source.
fn of_source(source: &Source) -> impl Iterator<Item = Warning> {
    check(&source.policy).into_iter().map(|warning| Warning {
        rule: warning.rule.map(|rule| format!("{}: {rule}", source.rules)),
        message: format!("in {}: {}", quoted(&source.rules), warning.message),
        ..warning
    })
}

fn about(rule: &Rule, message: impl Into<String>, help: impl Into<String>) -> Warning {
    Warning { rule: Some(rule.name.clone()), ..Warning::of_all(message, help) }
}

fn never_fires(rule: &Rule, earlier: &[Rule]) -> Option<Warning> {
    if rule.binding || rule.name.contains('/') {
        // A binding rule is asked whatever an earlier one decided; to cover inherited ones is what they are for.
        return None;
    }
    let covered = match &rule.covers {
        Covers::Find { kinds, within, .. } => {
            let within = within.as_deref();
            kinds.iter().all(|kind| earlier.iter().any(|other| always_decides(other, kind, within)))
        }
        Covers::Field { fields, .. } => {
            fields.iter().all(|field| earlier.iter().any(|other| names(other, field)))
        }
        Covers::Unknown => false,
    };
    covered.then(|| {
        let help = "earlier rules without a condition cover all that it covers: move it up, or take it out";
        about(rule, "the rule can never fire", help)
    })
}

/// Whether a rule decides about every sighting of a kind in these fields (none: anywhere).
fn always_decides(rule: &Rule, kind: Kind, fields: Option<&[Selector]>) -> bool {
    let Covers::Find { kinds, within, not_within, only: None, unless: None } = &rule.covers else {
        return false;
    };
    let everywhere = match (within, fields) {
        (None, _) => true,
        (Some(within), Some(fields)) => fields.iter().all(|field| within.iter().any(|one| one.covers(field))),
        (Some(_), None) => false,
    };
    kinds.contains(kind) && not_within.is_empty() && everywhere && rule.when.is_empty()
}

fn names(rule: &Rule, field: &Selector) -> bool {
    matches!(&rule.covers, Covers::Field { fields, .. } if fields.iter().any(|one| one.covers(field)))
        && rule.when.is_empty()
}

/// An `only` that no value of the rule's kinds can fulfil.
fn only_holds_never(rule: &Rule) -> Option<Warning> {
    let Covers::Find { kinds, only: Some(only), .. } = &rule.covers else { return None };
    let other = !only.values.is_empty() || !only.suffixes.is_empty() || !only.lists.is_empty();
    let networks = !only.networks.is_empty() && (kinds.contains(Kind::IPV4) || kinds.contains(Kind::IPV6));
    let domains = !only.domains.is_empty() && kinds.contains(Kind::EMAIL);
    (!other && !networks && !domains).then(|| {
        let message = "the rule can never fire: `only` speaks of values that it does not find";
        about(rule, message, "`networks` hold for addresses, `domains` for e-mail")
    })
}

/// A step that is not over after a week and leaves enough of an IPv6 address to tell a home.
fn long_ipv6(rule: &Rule) -> Option<Warning> {
    let is_long = |until: Option<Age>| {
        until.is_none_or(|until| until != ABUSE_HANDLING && !until.is_shorter(ABUSE_HANDLING))
    };
    let bits = rule.steps.iter().filter(|step| is_long(step.until)).find_map(|step| match step.action {
        Action::Truncate(Truncate { ipv6, pseudonymise: false, .. }) if ipv6 > IPV6_SITE_BITS => Some(ipv6),
        _ => None,
    })?;
    covers(rule, Kind::IPV6).then(|| {
        let message = format!("/{bits} of an IPv6 address can be one household");
        let help = format!(
            "a prefix of at most {IPV6_SITE_BITS} bits is a site (RFC 6177); a longer one may stay for a week"
        );
        about(rule, message, help).against(&[Claim::Gdpr])
    })
}

fn covers(rule: &Rule, wanted: Kind) -> bool {
    match &rule.covers {
        Covers::Find { kinds, .. } => kinds.contains(wanted),
        Covers::Field { kind, .. } => *kind == Some(wanted),
        Covers::Unknown => false,
    }
}

fn keeps_card_secret(rule: &Rule) -> Option<Warning> {
    let Covers::Field { fields, .. } = &rule.covers else { return None };
    let secret = |field: &Selector| {
        field.last_name().is_some_and(|name| CARD_SECRETS.iter().any(|secret| secret.as_bytes() == name))
    };
    (rule.actions().any(leaves_something) && fields.iter().any(secret)).then(|| {
        let message = "a card security code or track data is kept in some form";
        let help = "PCI DSS 3.3.1: it may not be stored after authorisation, not even hashed; write action = \"drop\"";
        about(rule, message, help).against(&[Claim::PciDss])
    })
}

/// Whether some of the value is left, or what can be tested against it.
fn leaves_something(action: &Action) -> bool {
    matches!(action.name(), "keep" | "encrypt" | "hash" | "truncate")
}

/// A rule that looks as if it took the place of an inherited one.
fn same_short_name(rule: &Rule, later: &[Rule]) -> Option<Warning> {
    let inherited =
        later.iter().find(|other| other.name.split_once('/').is_some_and(|(_, own)| own == rule.name))?;
    let message = format!("{} is still asked after it", quoted(&inherited.name));
    Some(about(rule, message, format!("to take its place, write name = \"{}\"", inherited.name)))
}

/// A condition on a field that another rule changes: a second run would see what the first left of it.
fn condition_on_changed_field(rule: &Rule, policy: &Policy) -> Option<Warning> {
    let others = || policy.rules.iter().filter(|other| !std::ptr::eq(*other, rule));
    let (field, other) = rule.when.iter().map(|one| &one.field).find_map(|field| {
        let changing = others().find(|other| acts(other) && touches(other, field));
        changing.map(|other| (field, other))
    })?;
    let message = format!("its condition is on `{field}`, which {} changes", quoted(&other.name));
    let effect = match acts(rule) {
        false => "the exception does not hold",
        true => "the rule acts whatever stood there",
    };
    let help = format!(
        "where what is left of the field is not as it came, {effect}: put the condition on a field that stays"
    );
    Some(about(rule, message, help))
}

/// Whether a rule may act on the field, or on what it lies in, by its name.
fn touches(rule: &Rule, field: &Selector) -> bool {
    let selectors = match &rule.covers {
        Covers::Field { fields, .. } => fields,
        Covers::Find { within: Some(within), .. } => within,
        Covers::Find { .. } | Covers::Unknown => return false,
    };
    selectors.iter().any(|one| one.covers(field) || field.covers(one) || one.holds(field))
}

/// A `[fields]` that withholds nothing.
fn denies_nothing(policy: &Policy) -> Option<Warning> {
    let known = policy.known.as_ref()?;
    let warning = |message: String, help: &str| Some(Warning::of_all(message, help));
    if policy.format == FormatChoice::Text && !known.withholds_unparsed {
        let message = "`[fields]` withholds nothing: text has no fields".to_owned();
        return warning(message, "write unparsed = \"withhold\", or another `format`");
    }
    let any = Selector::parse("*").ok()?;
    let every = known.allow.iter().chain(&known.named).find(|selector| selector.covers(&any))?;
    warning(
        format!("`[fields]` withholds nothing, for `{every}` names every field"),
        "the fields that a rule names count as known: name those that are meant, or use `find`",
    )
}

/// Whether it changes anything at some age.
fn acts(rule: &Rule) -> bool {
    rule.actions().any(|action| *action != Action::Keep)
}

fn acts_on(rule: &Rule, kind: Kind) -> bool {
    covers(rule, kind) && acts(rule)
}

/// The claims that do not go with a value of this kind in a log.
fn claims_about(kind: Kind) -> &'static [Claim] {
    match kind {
        Kind::PAN => &[Claim::PciDss, Claim::Gdpr, Claim::HipaaSafeHarbor],
        _ => &[Claim::Gdpr, Claim::HipaaSafeHarbor],
    }
}

/// Kinds that are acted on in some fields and stay, silently, everywhere else.
fn only_in_fields(policy: &Policy) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for kind in found(policy) {
        let name = policy.kinds.name(kind);
        let mut acting = policy.rules.iter().filter(|rule| acts_on(rule, kind)).peekable();
        let Some(first) = acting.peek().copied() else { continue };
        let limited = |rule: &Rule| {
            !rule.when.is_empty()
                || matches!(&rule.covers, Covers::Find { within: Some(_), .. } | Covers::Field { .. })
        };
        let kept_elsewhere =
            policy.rules.iter().any(|rule| covers(rule, kind) && !acts_on(rule, kind) && !limited(rule));
        if acting.all(limited) && !kept_elsewhere {
            let message = format!("`{name}` is found in some fields only, and stays everywhere else");
            let help = "add a rule without `in` and `when`, or one that says `keep` and why";
            warnings.push(about(first, message, help).against(claims_about(kind)));
        }
    }
    warnings
}

fn found(policy: &Policy) -> impl Iterator<Item = Kind> {
    FOUND.iter().copied().chain(policy.own_kinds())
}

/// Kinds that are found, but that no rule covers.
fn uncovered(policy: &Policy) -> Vec<Warning> {
    let is_bare = |kind: &Kind| !policy.rules.iter().any(|rule| covers(rule, *kind));
    // Secrets are searched for only where a rule asks for them.
    let bare = found(policy).filter(|kind| !SECRET.contains(kind) && is_bare(kind));
    bare.map(|kind| {
        let message = format!("no rule covers `{}`, so that it stays as it is", policy.kinds.name(kind));
        Warning::of_all(message, "add a rule, or one that says `keep` and why").against(claims_about(kind))
    })
    .collect()
}

/// A hash or token and a truncated form of one card number together give the number away: the digits that are missing
/// are few enough to try, and what is equal for equal numbers links the records.
fn linkable_cards(policy: &Policy) -> Option<Warning> {
    let with = |wanted: fn(&Action) -> bool| {
        policy.rules.iter().find(|rule| covers(rule, Kind::PAN) && rule.actions().any(wanted))
    };
    let is_coded = |action: &Action| matches!(action, Action::Hash(_) | Action::Encrypt);
    let coded = with(is_coded)?;
    let truncated = with(|action| matches!(action, Action::Truncate(_)))?;
    let is_hashed = coded.actions().any(|action| matches!(action, Action::Hash(_)));
    let how = if is_hashed { "hashed" } else { "encrypted" };
    let message = match coded.name == truncated.name {
        true => format!("card numbers are {how} at one age and truncated at another"),
        false => format!("card numbers are {how} here and truncated by {}", quoted(&truncated.name)),
    };
    let help = "PCI DSS 3.5.1: whoever holds both, of one record or of two, can link them; choose one";
    Some(about(coded, message, help).against(&[Claim::PciDss]))
}
