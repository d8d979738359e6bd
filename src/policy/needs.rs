//! [`Needs`]: what the rules of a policy ask for, so that nothing else is made for them.

use super::known::selectors;
use super::ladder::act_by_turns;
use super::selector::{Names, Path};
use super::{Covers, FormatChoice, Policy, Rule};
use crate::action::Action;
use crate::detect::Detectors;
use crate::format::{FORMATS, Format, Head};
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
    /// Some rule acts on copies of what it removes.
    taints: bool,
    /// Some rule does what depends on the format: it removes fields, or writes what may need quotes.
    edits_structure: bool,
    /// Some step acts on what another left.
    residues: bool,
    /// Some rule asks what a value is, beyond its kind.
    pub(super) values: bool,
    /// Some field rule may mean a column by its number.
    columns: bool,
    /// The names without which no field rule means a field.
    pub(super) names: Names,
    /// The names without which no condition means a field; none if there is no condition.
    pub(super) when: Option<Names>,
}

impl Needs {
    /// `may_have_to_stay`: records that a rule drops, of which then only the value goes.
    pub(super) fn of(rules: &[Rule], may_have_to_stay: bool) -> Needs {
        // Where rules act by turns each takes further what another left.
        let mut needs = Needs { residues: act_by_turns(rules), ..Needs::default() };
        let mut selectors = Vec::new();
        for rule in rules {
            needs.edits_structure |= rule.actions().any(Action::depends_on_format);
            needs.residues |= may_have_to_stay && rule.actions().any(|action| *action == Action::DropRecord);
            needs.residues |= rule.steps.iter().rev().skip(1).any(|step| step.action != Action::Keep);
            match &rule.covers {
                Covers::Find { kinds, within, not_within, only, unless } => {
                    needs.fields |= within.is_some() || !not_within.is_empty();
                    // A mapped IPv6 address is of both kinds.
                    let ipv4_alone = kinds.contains(Kind::IPV4) && !kinds.contains(Kind::IPV6);
                    needs.values |= only.is_some() || unless.is_some() || ipv4_alone;
                }
                Covers::Field { fields, elsewhere, .. } => {
                    (needs.fields, needs.field_rules) = (true, true);
                    needs.taints |= elsewhere;
                    selectors.extend(fields);
                }
                Covers::Unknown => needs.fields = true,
            }
        }
        needs.names = Names::of(selectors.into_iter());
        let mut conditions = rules.iter().flat_map(|rule| &rule.when).map(|one| &one.field).peekable();
        needs.when = conditions.peek().is_some().then(|| Names::of(conditions));
        needs.fields |= needs.when.is_some();
        needs.columns = (1..=MAX_COLUMNS).any(|column| needs.names.may_mean(column.to_string().as_bytes()));
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
                Covers::Field { .. } | Covers::Unknown => {}
            }
        }
        if wanted.contains(Kind::IPV4) {
            wanted.insert(Kind::IPV6);
        }
        Detectors::new(wanted, self.patterns.clone(), self.lists.clone())
    }

    /// The detectors of all kinds that it knows.
    pub fn all_detectors(&self) -> Detectors {
        let all = self.kinds.iter().map(|(kind, _)| kind).collect();
        Detectors::new(all, self.patterns.clone(), self.lists.clone())
    }

    /// Whether a rule asks for values of this kind by name.
    pub fn finds(&self, kind: Kind) -> bool {
        let mut covers = self.rules.iter().map(|rule| &rule.covers);
        covers.any(|covers| matches!(covers, Covers::Find { kinds, .. } if kinds.contains(kind)))
    }

    /// Whether what was decided about a record depends on nothing but the values and names in it, so that what is left
    /// of it is decided about alike.
    pub fn decides_alike_again(&self) -> bool {
        self.needs.when.is_none() && self.known.is_none()
    }

    /// Whether any rule asks where a value stands.
    pub fn needs_fields(&self) -> bool {
        self.needs.fields
    }

    /// Whether a record that yields no fields does not go out.
    pub fn withholds_unparsed(&self) -> bool {
        self.known.as_ref().is_some_and(|known| known.withholds_unparsed)
    }

    /// Whether records are read for their fields. Otherwise only JSON is, for its numbers.
    pub fn reads_structure(&self) -> bool {
        self.needs.fields || self.needs.edits_structure
    }

    /// Whether a field rule may mean the field of this dotted name, or one under it whose name may be any.
    pub fn may_mean(&self, name: &[u8]) -> bool {
        let mut path = Path::default();
        path.push(name);
        let means = |rule: &Rule| match &rule.covers {
            Covers::Field { fields, .. } => fields.iter().any(|field| field.may_mean(&path)),
            Covers::Find { .. } | Covers::Unknown => false,
        };
        self.needs.field_rules && self.needs.names.may_mean(name) && self.rules.iter().any(means)
    }

    /// Whether the policy asks for a field of this name anywhere.
    pub fn asks_for(&self, name: &[u8]) -> bool {
        let mut path = Path::default();
        path.push(name);
        let allowed = self.known.iter().flat_map(|known| known.allow.iter());
        selectors(&self.rules).chain(allowed).any(|selector| selector.may_mean(&path))
    }

    /// Whether a field rule may mean a field by a name that no record holds: a format gives it, whose records cannot
    /// be told from others by a word.
    pub fn may_mean_given_name(&self) -> bool {
        let mut formats = self.formats().filter(|format| format.begins_with().is_none());
        let mut layout = self.head.layout.iter().flat_map(|layout| layout.names());
        formats.any(|format| self.means_given_name(format) || format.has_columns() && self.means_columns())
            || layout.any(|name| self.may_mean(name))
    }

    /// The words that records begin with, before a colon, in which a field rule may mean a field by a name that its format
    /// gives.
    pub fn words_before_given_names(&self) -> impl Iterator<Item = &'static str> {
        let formats = self.formats().filter(|format| self.means_given_name(*format));
        formats.filter_map(Format::begins_with)
    }

    fn means_given_name(&self, format: &dyn Format) -> bool {
        format.given_names().iter().any(|name| self.may_mean(name.as_bytes()))
    }

    /// Whether a field rule may mean one of the columns of an input.
    pub fn may_mean_columns(&self, head: &Head) -> bool {
        let mut names = head.columns.iter().flat_map(|columns| &columns.names);
        names.any(|name| self.may_mean(name)) || self.means_columns()
    }

    /// What the policy says about the records of any input.
    pub fn head(&self) -> Head {
        let only = match self.format {
            FormatChoice::Only(name) => Some(name),
            FormatChoice::Auto | FormatChoice::Text => None,
        };
        Head { only, ..self.head.clone() }
    }

    fn means_columns(&self) -> bool {
        self.needs.columns
    }

    /// The formats that records may be of.
    pub fn formats(&self) -> impl Iterator<Item = &'static dyn Format> {
        FORMATS.into_iter().filter(|format| self.format.admits(format.name()))
    }

    /// Whether any rule covers whole values by where they stand.
    pub fn has_field_rules(&self) -> bool {
        self.needs.field_rules
    }

    /// Whether some step of a ladder acts on what another left.
    pub fn acts_on_residues(&self) -> bool {
        self.needs.residues
    }

    /// Whether any rule acts on copies of what it removes.
    pub(super) fn taints(&self) -> bool {
        self.needs.taints
    }

    /// Whether any step of any rule needs a key.
    pub fn needs_keys(&self) -> bool {
        self.rules.iter().flat_map(Rule::actions).any(|action| action.keyed().is_some())
    }

    /// Whether any step of any rule needs the key that serves for ever.
    pub fn needs_key_for_ever(&self) -> bool {
        self.rules.iter().flat_map(Rule::actions).any(Action::is_for_ever)
    }

    /// Whether any rule drops whole records.
    pub fn drops_records(&self) -> bool {
        self.rules.iter().any(|rule| rule.action == Action::DropRecord)
    }
}
