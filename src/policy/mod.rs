//! The rules as written, and what they decide.
//!
//! A file goes through four steps, each of which notes every fault it sees: `document` (TOML to a tree with
//! places), `shape` (the tree against the language in [`schema`]), `layer` (the files that it extends)
//! and `compile` (meaning, names, actions).

mod action;
mod built_in;
pub mod check;
mod choose;
mod claim;
mod compile;
mod condition;
pub mod decide;
mod document;
pub mod fault;
pub mod glob;
pub mod hold;
mod inherit;
mod input;
pub mod known;
mod ladder;
mod layer;
mod leave;
mod named;
mod names;
mod needs;
mod networks;
pub mod packs;
mod part;
mod paths;
mod reading;
pub mod schema;
pub mod selector;
mod shape;
mod show;
mod sound;
pub mod source;
pub mod taint;
mod timing;
mod trial;
mod values;
pub mod wanted;
mod when;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::action::Action;
use crate::format::Head;
use crate::kind::{Kind, KindSet, Kinds};
use crate::time::age::Age;
pub use claim::Claim;
use fault::{Fault, Faults};
pub use glob::Glob;
pub use hold::Hold;
pub use known::Known;
pub use ladder::{AGES, MayDrop, Reached, Retention, Step};
pub use leave::coarsen;
use needs::Needs;
pub use networks::Networks;
use selector::Selector;
pub use source::Source;
pub use timing::{TimeField, TimeName, Timing, Undated, time_name};
pub use trial::{Test, When};
pub use when::Condition;

/// Compiled rules: everything that is needed to judge a record.
#[derive(Clone, Debug)]
pub struct Policy {
    /// `title` of the rules file, or the name of the pack.
    pub title: String,
    /// `claims` of the file that was named.
    pub claims: Vec<Claim>,
    /// `[input] format`.
    pub format: FormatChoice,
    /// `[input] columns`, as it is written.
    pub columns: Option<String>,
    /// `[output] numbers`.
    pub numbers: Numbers,
    /// `[pseudonyms] keyring`; a path is resolved against the folder of the file that named it.
    pub keyring: Option<PathBuf>,
    /// `[pseudonyms] every`: how long one key serves.
    pub every: Option<Age>,
    /// `[pseudonyms] forget_after`: how long after its period a key is due to be forgotten.
    pub forget_after: Option<Age>,
    /// The kinds of this policy.
    pub kinds: Kinds,
    /// The rules in the order in which they are asked.
    pub rules: Vec<Rule>,
    /// `[records]`.
    pub records: Retention,
    /// How the times of records are read.
    pub timing: Timing,
    /// `[fields]`: which fields may stay, if not all may. The last rule is the one that acts on the others.
    pub known: Option<Known>,
    /// The regex detectors: the user's, then those built in that a rule asks for.
    pub patterns: Vec<Arc<crate::detect::pattern::Pattern>>,
    /// The user's literal dictionaries.
    pub lists: Vec<Arc<crate::detect::list::List>>,
    /// Names of the lists, in their order.
    pub list_names: Vec<String>,
    /// `[[source]]`: the inputs that take other rules, the first that includes one decides. Whoever hands the inputs
    /// over asks them: a scrubber of this policy knows nothing of where its records come from.
    pub sources: Vec<Source>,
    /// `[[hold]]` of the file that was named and those that it extends: what must stay as it is. Whoever rewrites
    /// files asks them, also for inputs of a source; a scrubber of this policy knows nothing of them.
    pub holds: Vec<Hold>,
    /// The files that it was read from: that which was named, those that it extends, and lists.
    pub files: Vec<PathBuf>,
    /// `[[test]]` entries of the file that was named.
    pub tests: Vec<Test>,
    /// SHA-256 over the policy as it resolves: what is found, decided and done, and in which order. Two
    /// policies with the same fingerprint give the same output; where the keyring and the files lie and what the
    /// tests say is no part of it.
    pub fingerprint: [u8; 32],
    needs: Needs,
    /// The ages that the steps of all rules name, each once.
    ages: Vec<Age>,
    /// What `[input] columns` makes hold from the start of each input.
    head: Head,
    /// The kinds of the lists and detectors that the files define.
    own_kinds: Vec<Kind>,
    /// Lists and detectors, rendered.
    definitions: Vec<String>,
}

impl Policy {
    /// Loads a pack by its name, or a file. A name without a `/` that does not end with `.toml` is a pack.
    ///
    /// # Errors
    /// Everything that is wrong with the file and those that it extends.
    pub fn load(reference: &str) -> Result<Policy, Faults> {
        Policy::load_with_keyring(reference, None)
    }

    /// The same with a keyring in place of the one that the files name.
    ///
    /// # Errors
    /// As [`Policy::load`].
    pub fn load_with_keyring(reference: &str, keyring: Option<&Path>) -> Result<Policy, Faults> {
        Policy::resolve(layer::named(reference)?, keyring, true)
    }

    /// A pack.
    ///
    /// # Errors
    /// As [`Policy::load`]; no pack is called so.
    pub fn pack(name: &str) -> Result<Policy, Faults> {
        match layer::Source::pack(name) {
            Some(source) => Policy::resolve(source, None, true),
            None => Err(Fault::of_file(name, 0, format!("no pack is called {}", fault::quoted(name))).into()),
        }
    }

    /// A policy from the text of a rules file. `name` stands in messages; paths in the text are relative to
    /// `folder`, and refused if there is none.
    ///
    /// # Errors
    /// As [`Policy::load`].
    pub fn from_toml(text: &str, name: &str, folder: Option<&Path>) -> Result<Policy, Faults> {
        Policy::from_toml_with_keyring(text, name, folder, None)
    }

    /// The same with a keyring in place of the one that the files name.
    ///
    /// # Errors
    /// As [`Policy::load`].
    pub fn from_toml_with_keyring(
        text: &str,
        name: &str,
        folder: Option<&Path>,
        keyring: Option<&Path>,
    ) -> Result<Policy, Faults> {
        Policy::resolve(layer::Source::text(name, text, folder)?, keyring, true)
    }

    /// The kinds of the lists and detectors that the files define.
    pub fn own_kinds(&self) -> Vec<Kind> {
        self.own_kinds.clone()
    }

    fn resolve(source: layer::Source, keyring: Option<&Path>, is_named: bool) -> Result<Policy, Faults> {
        let (layers, mut faults) = layer::load(source);
        let (sources, inner) = source::read(&layers, keyring, is_named, &mut faults);
        let holds = hold::read(&layers, is_named, &mut faults);
        let policy = match layer::are_sound(&layers) {
            true => compile::compile(&layers, keyring, &mut faults),
            false => None,
        };
        faults.sort();
        faults.append(inner);
        match policy {
            Some(policy) if faults.is_empty() => {
                let files = layer::files(&layers).chain(names::list_files(&layers)).collect();
                Ok(Policy { sources, holds, files, ..policy }.fingerprinted())
            }
            _ => Err(faults),
        }
    }
}

/// `[input] format`, `--format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum FormatChoice {
    /// Chosen for each record.
    #[default]
    Auto,
    /// Running text, one record a line.
    Text,
    /// The format of this name; what is not of it is text.
    Only(&'static str),
}

/// `[output] numbers`: what a replaced JSON number becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Numbers {
    /// A string.
    #[default]
    String,
    /// `null`.
    Null,
}

/// One `[[rule]]`.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name; `pack/name` if it was inherited.
    pub name: String,
    /// What it covers.
    pub covers: Covers,
    /// Conditions on other fields of the record: all must hold.
    pub when: Vec<Condition>,
    /// What it does at the age for which the policy is: [`Policy::at`]. In a policy as it was loaded, what it does to
    /// new records.
    pub action: Action,
    /// The step that says so, by its place in the ladder.
    pub step: usize,
    /// What may have been done to a value before: by the steps before, and by this one while the record had to be kept.
    /// Nothing in a policy as it was loaded.
    pub earlier: Vec<Action>,
    /// The ladder: at least one step, the last without an end.
    pub steps: Vec<Step>,
    /// No earlier rule may leave more.
    pub binding: bool,
    /// Names of binding rules that this rule takes the place of.
    pub instead_of: Vec<String>,
    /// Why, in the words of whoever wrote it.
    pub why: Option<String>,
    /// The clauses that it answers.
    pub clause: Vec<String>,
}

/// What a rule covers.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a policy holds few rules, and most of them find")]
pub enum Covers {
    /// What is found, wherever it stands.
    Find {
        /// The kinds.
        kinds: KindSet,
        /// Only in these fields.
        within: Option<Vec<Selector>>,
        /// Not in these fields.
        not_within: Vec<Selector>,
        /// Values that it is limited to.
        only: Option<Values>,
        /// Values at which it steps aside.
        unless: Option<Values>,
    },
    /// A whole value, by where it stands.
    Field {
        /// The fields.
        fields: Vec<Selector>,
        /// What the value is; otherwise the kind found in the whole value, or `field`.
        kind: Option<Kind>,
        /// Whether copies in the same record go too.
        elsewhere: bool,
    },
    /// A whole value in a field that nobody named.
    Unknown,
}

/// A condition on a value: it holds if any part holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// Networks that hold the address.
    pub networks: Networks,
    /// Exact values, compared in canonical form (lower case, digits only for cards).
    pub values: Vec<Vec<u8>>,
    /// E-mail domains and their subdomains, in lower case.
    pub domains: Vec<Vec<u8>>,
    /// Endings of the value, in lower case.
    pub suffixes: Vec<Vec<u8>>,
    /// Lists that hold the value (index into [`Policy::lists`]).
    pub lists: Vec<usize>,
    /// Lists, without regard to case, that hold its canonical form; not written in rules.
    pub forms: Vec<usize>,
}

/// A network: address and prefix length (RFC 4632, RFC 4291 section 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// The address; bits beyond the prefix are zero.
    pub address: IpAddr,
    /// Prefix length in bits.
    pub prefix: u8,
}
