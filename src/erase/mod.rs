//! [`Erasure`]: everything that stands for one person goes, as they are and as the pseudonyms that a policy made of them.
//!
//! The identifiers, their other spellings and their pseudonyms under every key make one list, whose kind is `erased`; a
//! policy of two rules removes what is on it. So formats, escapes, whole words and a second run are as everywhere. Tokens
//! of `encrypt` are opened, and on the list if their value is to be erased.

mod forms;
mod identifiers;
mod tokens;

use std::fmt;
use std::sync::Arc;

use crate::action::keys::{KeyPeriod, Keys};
use crate::action::{Action, Truncate};
use crate::detect::list::List;
use crate::error::Error;
use crate::kind::Kind;
use crate::policy::{Covers, Policy, Rule};
use crate::scrub::Scrubber;
use forms::Forms;
use identifiers::Identifiers;
use tokens::Tokens;

/// What is left in place of what goes: the residue of the kind of this name.
pub const ERASED: &str = "[erased]";

/// Identifiers and what stands for them, at most: what is searched for grows with it.
const MAX_FORMS: usize = 100_000;

/// The rules: what is on the list goes, and what a detector finds if the list holds its canonical form.
const RULES: &str = "
[lists.erased]
words       = ['nobody']
ignore_case = true

[[rule]]
name   = 'on the list'
find   = ['erased']
action = 'redact'

[[rule]]
name   = 'spelled otherwise'
find   = ['all']
only   = { lists = ['erased'] }
action = { redact = { with = '[erased]' } }
";

/// Removes what stands for one person from logs that a policy scrubbed, or that nobody did.
pub struct Erasure {
    policy: Arc<Policy>,
    cannot_be_found: Vec<String>,
}

impl fmt::Debug for Erasure {
    /// Identifiers are counted nowhere and never shown.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Erasure").finish_non_exhaustive()
    }
}

impl Erasure {
    /// Of these identifiers, one a line, in logs under that policy. Without its keys pseudonyms are not looked for.
    ///
    /// Blanks around an identifier, empty lines and duplicates do not count.
    ///
    /// # Errors
    /// A line is too short or too long to be searched for, there are too many or none; it is told by its number alone.
    pub fn new(policy: &Policy, keys: Option<&Keys>, identifiers: &[u8]) -> Result<Erasure, Error> {
        let identifiers = Identifiers::read(identifiers)?;
        let mut erasing = erasing()?.reading_as(policy);
        let mut finder = Scrubber::new(Arc::new(erasing.clone()), None);
        let mut forms = Forms::new(policy, keys);
        for identifier in identifiers.iter() {
            forms.add(identifier, &mut finder);
            if forms.len() > MAX_FORMS {
                let message = format!(
                    "the identifiers stand for more than {MAX_FORMS} pseudonyms and spellings: erase in several runs"
                );
                return Err(Error::new(message));
            }
        }
        let kind = erasing.kinds.get("erased").unwrap_or(Kind::FIELD);
        let list = List::new(kind, forms.into_entries(), true).map_err(Error::new)?.of_whole_addresses();
        let plain = Arc::new(list.clone());
        erasing.lists = vec![Arc::clone(&plain)];
        if let Some(keys) = keys {
            let tokens = Tokens::new(keys.clone(), Arc::new(erasing.clone()), plain);
            let find = move |text: &[u8], out: &mut Vec<_>| tokens.find(text, out);
            erasing.lists = vec![Arc::new(list.with_veiled(tokens::MARK, Arc::new(find)))];
        }
        Ok(Erasure { policy: Arc::new(erasing), cannot_be_found: cannot_be_found(policy, keys) })
    }

    /// A scrubber that removes all that was given, and nothing else.
    pub fn scrubber(&self) -> Scrubber {
        Scrubber::new(Arc::clone(&self.policy), None)
    }

    /// What stands for the person and cannot be found, a sentence each.
    pub fn cannot_be_found(&self) -> Vec<String> {
        self.cannot_be_found.clone()
    }
}

fn erasing() -> Result<Policy, Error> {
    let policy = Policy::from_toml(RULES, "erasure", None);
    let mut policy = policy.map_err(|faults| Error::new(faults.to_string()))?;
    for rule in &mut policy.rules {
        if let Covers::Find { only: Some(only), .. } = &mut rule.covers {
            only.forms = std::mem::take(&mut only.lists);
        }
    }
    Ok(policy)
}

fn cannot_be_found(policy: &Policy, keys: Option<&Keys>) -> Vec<String> {
    let mut told = Vec::new();
    match keys {
        Some(keys) => told.extend(forgotten(keys)),
        None => told.push("pseudonyms and tokens: no keyring was given to compute them with".to_owned()),
    }
    let rules: Vec<String> = policy
        .rules
        .iter()
        .filter(|rule| leaves_a_part(rule))
        .map(|rule| format!("`{}`", rule.name))
        .collect();
    if !rules.is_empty() {
        told.push(format!("what is left of values that were truncated or masked, by {}", rules.join(", ")));
    }
    if keys.is_some() {
        told.push("pseudonyms of what was spelled otherwise than listed, as mail in another case".to_owned());
    }
    told.push("parts of longer words, and values that are spelled in a way that nobody listed".to_owned());
    told.push("what stands in files that are told to be compressed or binary and not scrubbed".to_owned());
    let holds: Vec<String> = policy.holds.iter().map(|hold| format!("`{}`", hold.name)).collect();
    if !holds.is_empty() {
        told.push(format!("what is under a hold, which stays until that ends: {}", holds.join(", ")));
    }
    told
}

/// The periods whose pseudonyms nobody can compute any more.
fn forgotten(keys: &Keys) -> impl Iterator<Item = String> {
    let moment = |moment: Option<jiff::Timestamp>, none: &str| {
        moment.map_or_else(|| none.to_owned(), |moment| moment.to_string())
    };
    let gone = keys.periods().iter().filter(|period| period.key.is_none());
    let periods = gone.map(move |KeyPeriod { from, until, id, .. }| {
        let (from, until) = (moment(*from, "the beginning"), moment(*until, "now on"));
        format!("pseudonyms and tokens of records from {from} to {until}: their key k{id} is forgotten")
    });
    let forever = keys.forgotten_for_ever();
    periods.chain(forever.map(|id| format!("pseudonyms under the key for ever k{id}, which is forgotten")))
}

/// Whether a step of a rule leaves a part of a value, which may be of others as well. When a record was written is no
/// value of anybody.
fn leaves_a_part(rule: &Rule) -> bool {
    if let Covers::Find { kinds, .. } = &rule.covers
        && kinds.iter().all(|kind| kind == Kind::RECORD_TIME)
    {
        return false;
    }
    rule.steps.iter().any(|step| match step.action {
        Action::Truncate(Truncate { pseudonymise, .. }) => !pseudonymise,
        Action::Mask => true,
        _ => false,
    })
}
