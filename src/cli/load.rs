//! From what the command line names to a scrubber: rules, format, key.

use std::sync::Arc;

use super::args::ByRules;
use super::exit::Exit;
use super::print::{message, to_stderr, usage_fault};
use crate::action::Action;
use crate::action::hash::{HashKey, key_id};
use crate::policy::fault::Faults;
use crate::policy::{FormatChoice, Policy};
use crate::scrub::Scrubber;
use crate::time::keyring::Keyring;

/// The pack that is used when nothing is named.
const DEFAULT_RULES: &str = "default";

impl ByRules {
    /// The rules that are named, if any are.
    fn named(&self) -> Option<&str> {
        self.rules.as_deref().filter(|rules| !rules.is_empty())
    }

    /// Whether rules are named: `scan` behaves differently without.
    pub(super) fn has_rules(&self) -> bool {
        self.named().is_some()
    }

    /// A scrubber under the rules that are named.
    pub(super) fn scrubber(&self) -> Result<Scrubber, Exit> {
        let rules = self.named().unwrap_or(DEFAULT_RULES);
        let policy =
            Policy::load_with_keyring(rules, self.keyring.as_deref()).map_err(|faults| shown(&faults))?;
        self.scrubber_under(policy)
    }

    /// A scrubber under these rules.
    pub(super) fn scrubber_under(&self, mut policy: Policy) -> Result<Scrubber, Exit> {
        if let Some(format) = &self.format {
            policy.format = format_named(format)?;
        }
        let key = self.key(&policy)?;
        Ok(Scrubber::new(Arc::new(policy), key))
    }

    /// The key for `hash`, if any rule hashes.
    fn key(&self, policy: &Policy) -> Result<Option<HashKey>, Exit> {
        let hashes = policy.rules.iter().any(|rule| matches!(rule.action, Action::Hash(_)));
        // That a policy which hashes names a keyring was checked when it was loaded.
        let Some(path) = policy.keyring.as_ref().filter(|_| hashes) else { return Ok(None) };
        let keyring = Keyring::open(path, key_id).map_err(|fault| usage_fault(&fault.to_string()))?;
        let now = self.now.unwrap_or_else(jiff::Timestamp::now);
        match keyring.at(now) {
            Some(period) => Ok(Some(HashKey::new(&period.secret))),
            None => Err(usage_fault(&format!("keyring {}: no key serves now", path.display()))),
        }
    }
}

/// The policy of that name or path. Faults are shown.
pub(super) fn policy(rules: &str) -> Result<Policy, Exit> {
    Policy::load(rules).map_err(|faults| shown(&faults))
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
