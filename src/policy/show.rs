//! A policy as it resolves, written in the language of the rules file; and its fingerprint.

use std::fmt::Write;

use jiff::tz::Offset;
use sha2::{Digest, Sha256};

use super::selector::Selector;
use super::{Condition, Covers, Hold, Known, Numbers, Policy, Retention, Rule, Source, Step, Timing, Values};
use crate::action::{Action, Hash, PanKeep, Part, Truncate};

impl Policy {
    /// The policy as it resolves, as TOML: all rules of all files in the order in which they are asked, groups
    /// as their kinds, defaults spelt out. The same policy gives the same text on every machine.
    pub fn to_toml(&self) -> String {
        let mut out = format!("title = {}\n", text(&self.title));
        if !self.claims.is_empty() {
            line(&mut out, "claims", &texts(self.claims.iter().map(|claim| claim.name())));
        }
        let format = self.format.name();
        let numbers = match self.numbers {
            Numbers::String => "string",
            Numbers::Null => "null",
        };
        let _ = write!(out, "\n[input]\nformat = \"{format}\"\n");
        if let Some(columns) = &self.columns {
            line(&mut out, "columns", &text(columns));
        }
        self.timing(&mut out);
        let _ = write!(out, "\n[output]\nnumbers = \"{numbers}\"\n");
        self.records(&mut out);
        self.pseudonyms(&mut out);
        self.definitions.iter().for_each(|definition| out.push_str(definition));
        self.sources.iter().for_each(|source| input_source(source, &mut out));
        self.holds.iter().for_each(|hold| held(hold, &mut out));
        self.known.iter().for_each(|known| self.fields(known, &mut out));
        let written = self.rules.iter().filter(|rule| !matches!(rule.covers, Covers::Unknown));
        written.for_each(|rule| self.rule(rule, &mut out));
        out
    }

    pub(super) fn fingerprinted(mut self) -> Policy {
        self.fingerprint = Sha256::digest(self.to_toml().as_bytes()).into();
        self
    }

    fn timing(&self, out: &mut String) {
        let Timing { field, zone, undated } = &self.timing;
        field.iter().for_each(|field| line(out, "time", &text(&field.to_string())));
        zone.iter().for_each(|zone| line(out, "zone", &text(&written_zone(*zone))));
        undated.iter().for_each(|undated| line(out, "undated", &text(undated.word())));
    }

    fn records(&self, out: &mut String) {
        let Retention { drop_after, keep_at_least } = self.records;
        if self.records != Retention::default() {
            out.push_str("\n[records]\n");
        }
        drop_after.iter().for_each(|age| line(out, "drop_after", &text(&age.to_string())));
        keep_at_least.iter().for_each(|age| line(out, "keep_at_least", &text(&age.to_string())));
    }

    fn pseudonyms(&self, out: &mut String) {
        if self.every.or(self.forget_after).is_some() {
            out.push_str("\n[pseudonyms]\n");
        }
        for (key, age) in [("every", self.every), ("forget_after", self.forget_after)] {
            age.iter().for_each(|age| line(out, key, &text(&age.to_string())));
        }
    }

    fn fields(&self, known: &Known, out: &mut String) {
        out.push_str("\n[fields]\n");
        line(out, "allow", &selectors(&known.allow));
        line(out, "otherwise", &text(self.rules[known.rule].action.name()));
        line(out, "unparsed", if known.withholds_unparsed { "\"withhold\"" } else { "\"text\"" });
    }

    fn rule(&self, rule: &Rule, out: &mut String) {
        let _ = write!(out, "\n[[rule]]\nname = {}\n", text(&flat(&rule.name)));
        match &rule.covers {
            Covers::Find { kinds, within, not_within, only, unless } => {
                line(out, "find", &texts(kinds.iter().map(|kind| self.kinds.name(kind))));
                if let Some(within) = within {
                    line(out, "in", &selectors(within));
                }
                if !not_within.is_empty() {
                    line(out, "not_in", &selectors(not_within));
                }
                for (key, values) in [("only", only), ("unless", unless)] {
                    if let Some(values) = values {
                        line(out, key, &self.values(values));
                    }
                }
            }
            Covers::Field { fields, kind, elsewhere } => {
                line(out, "field", &selectors(fields));
                if let Some(kind) = kind {
                    line(out, "as", &text(self.kinds.name(*kind)));
                }
                line(out, "elsewhere", if *elsewhere { "\"words\"" } else { "\"no\"" });
            }
            Covers::Unknown => {}
        }
        if !rule.when.is_empty() {
            line(out, "when", &conditions(&rule.when));
        }
        match rule.steps.as_slice() {
            [only] => line(out, "action", &action(&only.action)),
            steps => line(out, "retain", &ladder(steps)),
        }
        if rule.binding {
            line(out, "binding", "true");
        }
        if !rule.instead_of.is_empty() {
            line(out, "instead_of", &texts(rule.instead_of.iter().map(|name| flat(name))));
        }
        if let Some(why) = &rule.why {
            line(out, "why", &text(why));
        }
        if !rule.clause.is_empty() {
            line(out, "clause", &texts(&rule.clause));
        }
    }

    fn values(&self, values: &Values) -> String {
        let bytes = |list: &[Vec<u8>]| texts(list.iter().map(|value| String::from_utf8_lossy(value)));
        let networks =
            values.networks.iter().map(|network| format!("{}/{}", network.address, network.prefix));
        let lists = values.lists.iter().map(|at| self.list_names[*at].as_str());
        let parts = [
            ("networks", texts(networks)),
            ("values", bytes(&values.values)),
            ("domains", bytes(&values.domains)),
            ("suffixes", bytes(&values.suffixes)),
            ("lists", texts(lists)),
        ];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(_, list)| list != "[]")
            .map(|(key, list)| format!("{key} = {list}"))
            .collect();
        format!("{{ {} }}", parts.join(", "))
    }
}

/// A source: of its rules only their fingerprint.
fn input_source(source: &Source, out: &mut String) {
    let digest: String = source.policy.fingerprint.iter().map(|byte| format!("{byte:02x}")).collect();
    let _ = write!(out, "\n[[source]] # SHA-256 {digest}\n");
    if let Some(path) = &source.inputs.path {
        line(out, "path", &text(&path.to_string()));
    }
    if !source.inputs.labels.is_empty() {
        let labels = source.inputs.labels.iter().map(|(name, glob)| (name, glob));
        line(out, "label", &named_texts(labels));
    }
    line(out, "rules", &text(&source.rules));
}

fn held(hold: &Hold, out: &mut String) {
    let _ = write!(out, "\n[[hold]]\nname = {}\n", text(&flat(&hold.name)));
    if !hold.paths.is_empty() {
        line(out, "path", &texts(hold.paths.iter().map(ToString::to_string)));
    }
    if !hold.records.is_empty() {
        line(out, "records", &texts(&hold.records));
    }
    line(out, "until", &hold.until_date().to_string());
    hold.why.iter().for_each(|why| line(out, "why", &text(why)));
}

/// The name of an inherited rule as one of its own: a `/` would mean a rule of a file that is extended.
fn flat(name: &str) -> String {
    name.replace('/', ": ")
}

/// A list as its definition; its entries stand for themselves by their SHA-256.
pub(super) fn list(name: &str, entries: &[Vec<u8>], ignore_case: bool) -> String {
    let mut hash = Sha256::new();
    for entry in entries {
        hash.update(entry);
        hash.update(b"\n");
    }
    let digest: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\n[lists.{name}] # {} entries, SHA-256 {digest}\nignore_case = {ignore_case}\n", entries.len())
}

/// A detector as its definition.
pub(super) fn detector(name: &str, regex: &str, checksum: Option<&str>, keywords: &[String]) -> String {
    let mut out = format!("\n[detectors.{name}]\nregex = {}\n", text(regex));
    if let Some(checksum) = checksum {
        line(&mut out, "checksum", &text(checksum));
    }
    if !keywords.is_empty() {
        line(&mut out, "keywords", &texts(keywords));
    }
    out
}

/// The steps of a ladder.
fn ladder(steps: &[Step]) -> String {
    let step = |step: &Step| {
        let until = step.until.map(|age| format!("until = \"{age}\", ")).unwrap_or_default();
        format!("{{ {until}action = {} }}", action(&step.action))
    };
    format!("[{}]", steps.iter().map(step).collect::<Vec<_>>().join(", "))
}

/// An action as it is written, all parameters spelt out.
fn action(action: &Action) -> String {
    match action {
        Action::Redact { with: Some(with) } => format!("{{ redact = {{ with = {} }} }}", text(with)),
        Action::Hash(hash) if hash.keep.is_some() || hash.forever => hash_with(hash),
        Action::Truncate(keep) => truncate_with(keep),
        other => text(other.name()),
    }
}

/// `+01:00`.
fn written_zone(zone: Offset) -> String {
    let (sign, minutes) = (if zone.seconds() < 0 { '-' } else { '+' }, zone.seconds().abs() / 60);
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

fn hash_with(hash: &Hash) -> String {
    let keep = hash.keep.map(|part| match part {
        Part::Domain => "keep = \"domain\"".to_owned(),
        Part::Network { ipv4, ipv6 } => format!("keep = \"/{ipv4},/{ipv6}\""),
    });
    let scope = hash.forever.then(|| "scope = \"forever\"".to_owned());
    let parts: Vec<String> = keep.into_iter().chain(scope).collect();
    format!("{{ hash = {{ {} }} }}", parts.join(", "))
}

fn truncate_with(keep: &Truncate) -> String {
    let pan = if keep.pan == PanKeep::Last4 { "last4" } else { "first6last4" };
    let mut parts = match keep.pseudonymise {
        true => vec!["pseudonymise = \"prefix\"".to_owned()],
        false => vec![format!("ipv4 = {}", keep.ipv4), format!("ipv6 = {}", keep.ipv6)],
    };
    parts.push(format!("pan = \"{pan}\""));
    parts.extend(keep.email_domain.then(|| "email = \"domain\"".to_owned()));
    parts.extend(keep.date.map(|part| format!("date = \"{}\"", part.name())));
    parts.extend(keep.time.map(|part| format!("time = \"{}\"", part.name())));
    parts.extend(keep.zip.map(|digits| format!("zip = {digits}")));
    format!("{{ truncate = {{ {} }} }}", parts.join(", "))
}

fn line(out: &mut String, key: &str, value: &str) {
    let _ = writeln!(out, "{key} = {value}");
}

fn selectors(list: &[Selector]) -> String {
    texts(list.iter().map(Selector::to_string))
}

fn conditions(list: &[Condition]) -> String {
    named_texts(list.iter().map(|one| (&one.field, &one.holds)))
}

/// A table of names and texts, on one line.
fn named_texts(list: impl Iterator<Item = (impl ToString, impl ToString)>) -> String {
    let pairs =
        list.map(|(name, value)| format!("{} = {}", text(&name.to_string()), text(&value.to_string())));
    format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
}

fn texts(list: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let items: Vec<String> = list.into_iter().map(|item| text(item.as_ref())).collect();
    format!("[{}]", items.join(", "))
}

/// A TOML basic string.
fn text(value: &str) -> String {
    let mut out = String::from("\"");
    for symbol in value.chars() {
        match symbol {
            '"' | '\\' => out.extend(['\\', symbol]),
            _ if symbol.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(symbol));
            }
            _ => out.push(symbol),
        }
    }
    out.push('"');
    out
}
