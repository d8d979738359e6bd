//! The rules as written, and what they decide.

pub mod decide;
mod named;
pub mod selector;

use std::net::IpAddr;
use std::path::PathBuf;

use crate::action::Action;
use crate::kind::{Kind, KindSet, Kinds};
use selector::Selector;

/// Compiled rules: everything that is needed to judge a record.
#[derive(Debug)]
pub struct Policy {
    /// `title` of the rules file, or the name of the pack.
    pub title: String,
    /// `[input] format`.
    pub format: FormatChoice,
    /// `[output] numbers`.
    pub numbers: Numbers,
    /// `[pseudonyms] keyring`, resolved against the folder of the file that named it.
    pub keyring: Option<PathBuf>,
    /// The kinds of this policy.
    pub kinds: Kinds,
    /// The rules in the order in which they are asked.
    pub rules: Vec<Rule>,
    /// The user's regex detectors.
    pub patterns: Vec<crate::detect::pattern::Pattern>,
    /// The user's literal dictionaries.
    pub lists: Vec<crate::detect::list::List>,
    /// `[[test]]` entries.
    pub tests: Vec<Test>,
}

/// `[input] format`, `--format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum FormatChoice {
    /// Chosen for each record.
    #[default]
    Auto,
    /// Running text, one record a line.
    Text,
    /// JSON, one record a line.
    Json,
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
#[derive(Debug)]
pub struct Rule {
    /// Its name; `pack/name` if it was inherited.
    pub name: String,
    /// What it covers.
    pub covers: Covers,
    /// What it does.
    pub action: Action,
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
#[derive(Debug)]
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
}

/// A condition on a value: it holds if any part holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// Networks that hold the address.
    pub networks: Vec<Network>,
    /// Exact values, compared in canonical form (lower case, digits only for cards).
    pub values: Vec<Vec<u8>>,
    /// E-mail domains and their subdomains, in lower case.
    pub domains: Vec<Vec<u8>>,
    /// Endings of the value, in lower case.
    pub suffixes: Vec<Vec<u8>>,
    /// Lists that hold the value (index into [`Policy::lists`]).
    pub lists: Vec<usize>,
}

/// A network: address and prefix length (RFC 4632, RFC 4291 section 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// The address; bits beyond the prefix are zero.
    pub address: IpAddr,
    /// Prefix length in bits.
    pub prefix: u8,
}

/// One `[[test]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// Its name.
    pub name: String,
    /// The record, without a line end.
    pub input: Vec<u8>,
    /// Must not be in the output.
    pub gone: Vec<Vec<u8>>,
    /// Must be in the output.
    pub stays: Vec<Vec<u8>>,
    /// The whole output.
    pub expect: Option<Vec<u8>>,
}
