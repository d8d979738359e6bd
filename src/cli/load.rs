//! From what the command line names to a scrubber: rules, format, key.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::args::ByRules;
use super::exit::Exit;
use super::print::{message, to_stderr, usage_fault};
use crate::action::hash::HashKey;
use crate::action::keys::{KeyPeriod, Keys};
use crate::policy::fault::Faults;
use crate::policy::source::Inputs;
use crate::policy::{FormatChoice, Policy, Source};
use crate::scrub::Scrubber;
use crate::stream::Place;
use crate::time::keyring::Keyring;

/// When the run began, for all of its scrubbers.
static START: OnceLock<Timestamp> = OnceLock::new();

/// When the run began.
pub(super) fn start() -> Timestamp {
    *START.get_or_init(Timestamp::now)
}

/// The pack that is used when nothing is named.
const DEFAULT_RULES: &str = "default";

/// Scrubbers under the rules that were named and under those of sources, and which input is for which.
pub(super) struct Scrubbers {
    named: Scrubber,
    sources: Vec<Sourced>,
    labels: Vec<(String, String)>,
}

struct Sourced {
    inputs: Inputs,
    /// As it is written.
    rules: String,
    scrubber: Scrubber,
}

impl Scrubbers {
    /// One for all inputs.
    pub(super) fn one(named: Scrubber) -> Scrubbers {
        Scrubbers { named, sources: Vec::new(), labels: Vec::new() }
    }

    /// The same inputs under what is made of each policy, that which was named first.
    pub(super) fn try_map(
        self,
        mut make: impl FnMut(&Policy) -> Result<Scrubber, Exit>,
    ) -> Result<Scrubbers, Exit> {
        let named = make(self.named.policy())?;
        let mut sources = Vec::new();
        for source in self.sources {
            sources.push(Sourced { scrubber: make(source.scrubber.policy())?, ..source });
        }
        Ok(Scrubbers { named, sources, ..self })
    }

    /// The same scrubbers, which tell the years of the records that they count.
    pub(super) fn by_year(self) -> Scrubbers {
        let by_year = |source: Sourced| Sourced { scrubber: source.scrubber.by_year(), ..source };
        let sources = self.sources.into_iter().map(by_year).collect();
        Scrubbers { named: self.named.by_year(), sources, ..self }
    }

    /// The number of the one that an input is for: 0 is under the rules that were named.
    pub(super) fn number_for(&self, place: &Place) -> usize {
        let path = match place {
            Place::Stdin => None,
            Place::Path(path) => Some(path.as_path()),
        };
        let is_of = |source: &Sourced| source.inputs.include(path, &self.labels);
        self.sources.iter().position(is_of).map_or(0, |at| at + 1)
    }

    /// The one of that number.
    pub(super) fn get(&self, number: usize) -> &Scrubber {
        let source = number.checked_sub(1).and_then(|at| self.sources.get(at));
        source.map_or(&self.named, |source| &source.scrubber)
    }

    /// All of them, with the rules file of each source.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Option<&str>, &Scrubber)> {
        let sources = self.sources.iter().map(|source| (Some(source.rules.as_str()), &source.scrubber));
        std::iter::once((None, &self.named)).chain(sources)
    }
}

impl ByRules {
    /// The rules that are named, if any are.
    pub(super) fn named(&self) -> Option<&str> {
        self.rules.as_deref().filter(|rules| !rules.is_empty())
    }

    /// Whether rules are named: `scan` behaves differently without.
    pub(super) fn has_rules(&self) -> bool {
        self.named().is_some()
    }

    /// Scrubbers under the rules that are named, and under those of their sources.
    pub(super) fn scrubbers(&self) -> Result<Scrubbers, Exit> {
        let rules = self.named().unwrap_or(DEFAULT_RULES);
        let mut policy = policy_with_keyring(rules, self.keyring.as_deref())?;
        let mut sources = Vec::new();
        for Source { inputs, rules, policy } in std::mem::take(&mut policy.sources) {
            sources.push(Sourced { inputs, rules, scrubber: self.scrubber_under(policy)? });
        }
        let named = self.scrubber_under(policy)?;
        Ok(Scrubbers { named, sources, labels: self.labels()? })
    }

    /// The labels, of each name one.
    fn labels(&self) -> Result<Vec<(String, String)>, Exit> {
        let mut labels: Vec<(String, String)> = Vec::new();
        for (name, value) in &self.label {
            if labels.iter().any(|(known, _)| known == name) {
                return Err(usage_fault(&format!("--label {name} is given twice")));
            }
            labels.push((name.clone(), value.clone()));
        }
        Ok(labels)
    }

    /// A scrubber under these rules.
    pub(super) fn scrubber_under(&self, mut policy: Policy) -> Result<Scrubber, Exit> {
        if let Some(format) = &self.format {
            policy.format = format_named(format)?;
        }
        let keys = self.keys(&policy)?;
        let scrubber = Scrubber::with_keys(Arc::new(policy), keys);
        Ok(match self.now {
            Some(now) => scrubber.at(now),
            None => scrubber.started(start()),
        })
    }

    /// The keys, if any rule needs one.
    pub(super) fn keys(&self, policy: &Policy) -> Result<Option<Keys>, Exit> {
        // That a policy which needs keys names a keyring was checked when it was loaded.
        let Some(path) = policy.keyring.as_ref().filter(|_| policy.needs_keys()) else { return Ok(None) };
        let fault = |what: String| usage_fault(&format!("keyring {}: {what}", path.display()));
        let keyring = self.opened.get(path)?;
        policy.every.map_or(Ok(()), |every| keyring.check_every(every)).map_err(fault)?;
        let now = self.now.unwrap_or_else(jiff::Timestamp::now);
        keyring.serving(now).map_err(fault)?;
        if policy.needs_key_for_ever() {
            keyring.serving_forever(path).map_err(fault)?;
        }
        Ok(Some(keys_of(&keyring)))
    }
}

/// All keys of the keyring of that name.
pub(super) fn keys(keyring: &Path) -> Result<Keys, Exit> {
    Ok(keys_of(&super::keyring::open(keyring)?))
}

/// The keys of a keyring, ready for use.
fn keys_of(keyring: &Keyring) -> Keys {
    let live = keyring.periods().map(|period| KeyPeriod {
        from: period.from,
        until: period.until,
        id: period.id.clone(),
        key: Some(HashKey::new(&period.secret)),
    });
    let (forever, periods): (Vec<_>, Vec<_>) = keyring.forgotten().partition(|gone| gone.was_forever);
    let forgotten = periods.into_iter().map(|period| KeyPeriod {
        from: period.from,
        until: period.until,
        id: period.id.clone(),
        key: None,
    });
    let gone = forever.into_iter().map(|gone| gone.id.clone()).collect();
    let forever = keyring.forever().map(|period| HashKey::new(&period.secret));
    Keys::new(live.chain(forgotten).collect(), forever, gone)
}

/// The policy of that name or path. Faults are shown.
pub(super) fn policy(rules: &str) -> Result<Policy, Exit> {
    Policy::load(rules).map_err(|faults| shown(&faults))
}

/// The same with a keyring in place of the one that the files name.
pub(super) fn policy_with_keyring(rules: &str, keyring: Option<&Path>) -> Result<Policy, Exit> {
    Policy::load_with_keyring(rules, keyring).map_err(|faults| shown(&faults))
}

fn shown(faults: &Faults) -> Exit {
    to_stderr(&faults.to_string());
    Exit::Usage
}

fn format_named(name: &str) -> Result<FormatChoice, Exit> {
    FormatChoice::named(name).ok_or_else(|| {
        let names: Vec<&str> = FormatChoice::names().collect();
        message(&format!("unknown format {name:?}; it is one of {}", names.join(", ")));
        Exit::Usage
    })
}
