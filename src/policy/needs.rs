//! [`Needs`]: what the rules of a policy ask for, so that nothing else is made for them.

use super::selector::Names;
use super::{Covers, Policy, Rule};
use crate::action::Action;
use crate::detect::Detectors;
use crate::format::{FORMATS, Format};
use crate::kind::{Kind, KindSet};

/// Columns that rules can mean by their number.
const MAX_COLUMNS: u32 = 1000;

/// What the rules ask for.
#[derive(Clone, Debug, Default)]
pub(super) struct Needs {
    /// Some rule asks where a value stands.
    fields: bool,
    /// Some rule covers whole values by where they stand.
    field_rules: bool,
    /// Some rule does what depends on the format: it removes fields, or writes what may need quotes.
    edits_structure: bool,
    /// Some rule asks what a value is, beyond its kind.
    pub(super) values: bool,
    /// The names without which no field rule means a field.
    pub(super) names: Names,
}

impl Needs {
    pub(super) fn of(rules: &[Rule]) -> Needs {
        let mut needs = Needs::default();
        let mut selectors = Vec::new();
        for rule in rules {
            needs.edits_structure |= rule.action.depends_on_format();
            match &rule.covers {
                Covers::Find { kinds, within, not_within, only, unless } => {
                    needs.fields |= within.is_some() || !not_within.is_empty();
                    // A mapped IPv6 address is of both kinds.
                    let ipv4_alone = kinds.contains(Kind::IPV4) && !kinds.contains(Kind::IPV6);
                    needs.values |= only.is_some() || unless.is_some() || ipv4_alone;
                }
                Covers::Field { fields, .. } => {
                    (needs.fields, needs.field_rules) = (true, true);
                    selectors.extend(fields);
                }
            }
        }
        needs.names = Names::of(selectors.into_iter());
        needs
    }
}

impl Policy {
    /// The detectors of the kinds that its rules ask for. Rules for IPv4 cover mapped IPv6 addresses, and a
    /// field rule that does not say what its values are asks for every kind.
    pub fn detectors(&self) -> Detectors {
        let mut wanted = KindSet::default();
        for rule in &self.rules {
            match &rule.covers {
                Covers::Find { kinds, .. } => kinds.iter().for_each(|kind| wanted.insert(kind)),
                Covers::Field { kind: None, .. } => {
                    self.kinds.iter().for_each(|(kind, _)| wanted.insert(kind))
                }
                Covers::Field { .. } => {}
            }
        }
        if wanted.contains(Kind::IPV4) {
            wanted.insert(Kind::IPV6);
        }
        Detectors::new(wanted, self.patterns.clone(), self.lists.clone())
    }

    /// Whether a rule asks for values of this kind by name.
    pub fn finds(&self, kind: Kind) -> bool {
        let mut covers = self.rules.iter().map(|rule| &rule.covers);
        covers.any(|covers| matches!(covers, Covers::Find { kinds, .. } if kinds.contains(kind)))
    }

    /// Whether any rule asks where a value stands.
    pub fn needs_fields(&self) -> bool {
        self.needs.fields
    }

    /// Whether records are read for their fields. Otherwise only JSON is, for its numbers.
    pub fn reads_structure(&self) -> bool {
        self.needs.fields || self.needs.edits_structure
    }

    /// Whether a field rule may mean a field of this name, or one under it.
    pub fn may_mean(&self, name: &[u8]) -> bool {
        self.needs.field_rules && self.needs.names.may_mean(name)
    }

    /// Whether a field rule may mean a field by a name that no record holds: a format gives it.
    pub fn may_mean_given_name(&self) -> bool {
        let means = |format: &&dyn Format| {
            let mut names = format.given_names().iter();
            names.any(|name| self.may_mean(name.as_bytes())) || format.has_columns() && self.means_columns()
        };
        self.formats().any(|format| means(&format))
    }

    fn means_columns(&self) -> bool {
        (1..=MAX_COLUMNS).any(|column| self.may_mean(column.to_string().as_bytes()))
    }

    /// The formats that records may be of.
    pub fn formats(&self) -> impl Iterator<Item = &'static dyn Format> {
        FORMATS.into_iter().filter(|format| self.format.admits(format.name()))
    }

    /// Whether any rule covers whole values by where they stand.
    pub fn has_field_rules(&self) -> bool {
        self.needs.field_rules
    }

    /// Whether any rule drops whole records.
    pub fn drops_records(&self) -> bool {
        self.rules.iter().any(|rule| rule.action == Action::DropRecord)
    }
}
