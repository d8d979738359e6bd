//! Field rules on JSON, against an obvious walk over what `serde_json` reads.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use logscrub::policy::Policy;
use logscrub::scrub::Scrubber;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

const NAMES: &[&str] = &["a", "b", "user_id", "userId", "USER-ID", "a.b", "payload", "é"];

const SELECTORS: &[&str] =
    &["a", "b", "userid", "a.b", "a.*", "*.b", "**.b", "a.**", "a.**.b", "payload.a", "payload", "user_id.a"];

/// JSON values, also JSON in texts.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        select(vec!["x", "two words", "été \"q\" \\", "a=zzz", "-b: zzz;", "a.b=zzz&b=zzz", "[field]", "{"])
            .prop_map(Value::from),
        Just(json!("")),
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            object(inner.clone()),
            object(inner.clone()).prop_map(|value| Value::from(value.to_string())),
            vec(inner, 0..3).prop_map(|list| Value::from(Value::from(list).to_string())),
        ]
    })
}

fn object(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    vec((select(NAMES), inner), 0..4).prop_map(|members| {
        Value::from(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
    })
}

fn record() -> impl Strategy<Value = Value> {
    object(value())
}

/// The names of a path in normal form.
fn normal(name: &str) -> Vec<String> {
    name.split('.').map(|part| part.to_lowercase().replace(['-', '_'], "")).collect()
}

fn matches(selector: &[String], path: &[String]) -> bool {
    match (selector.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((part, rest)), _) if part == "**" => {
            matches(rest, path) || path.split_first().is_some_and(|(_, path)| matches(selector, path))
        }
        (Some((part, rest)), Some((name, path))) => (part == "*" || part == name) && matches(rest, path),
        _ => false,
    }
}

struct Walk {
    selectors: Vec<Vec<String>>,
    drops: bool,
}

impl Walk {
    /// Whether a selector means a field by one of the names that it goes by.
    fn means(&self, paths: &[Vec<String>]) -> bool {
        self.selectors.iter().any(|selector| paths.iter().any(|path| matches(selector, path)))
    }

    /// What is left of a value; `None` if it goes. `meant`: what it lies in is.
    fn walk(&self, value: &Value, paths: &[Vec<String>], meant: bool) -> Option<Value> {
        match value {
            Value::String(text) if text == "[field]" || text == "[]" => Some(value.clone()), // residues
            _ if meant && self.drops => None,
            Value::Object(members) => {
                let left = members.iter().filter_map(|(name, value)| {
                    let paths: Vec<Vec<String>> =
                        paths.iter().map(|path| [path.as_slice(), &normal(name)].concat()).collect();
                    let meant = meant || self.means(&paths);
                    Some((name.clone(), self.walk(value, &paths, meant)?))
                });
                Some(Value::Object(left.collect()))
            }
            Value::Array(list) => {
                let left = list.iter().map(|value| self.walk(value, paths, meant).unwrap_or(Value::Null));
                Some(Value::Array(left.collect()))
            }
            Value::Null => Some(Value::Null),
            Value::String(text) if text.is_empty() => Some(value.clone()),
            _ if meant => Some("[field]".into()),
            Value::String(text) => Some(self.text(text, paths).into()),
            other => Some(other.clone()),
        }
    }

    /// A text: JSON, or running text with names and values.
    fn text(&self, text: &str, paths: &[Vec<String>]) -> String {
        let bracketed = text.starts_with(['{', '[']) && text.ends_with(['}', ']']);
        match serde_json::from_str::<Value>(text).ok().filter(|_| bracketed) {
            // It goes by its own names too.
            Some(value) => {
                let paths = [&paths[..1], &[Vec::new()]].concat();
                self.walk(&value, &paths, false).unwrap_or_default().to_string()
            }
            None => {
                let left = if self.drops { "[]" } else { "[field]" };
                let pair = regex::Regex::new("([ab.]+)(=|: )zzz").unwrap();
                let replaced = |found: &regex::Captures<'_>| match self.means(&[normal(&found[1])]) {
                    true => format!("{}{}{left}", &found[1], &found[2]),
                    false => found[0].to_owned(),
                };
                pair.replace_all(text, replaced).into_owned()
            }
        }
    }
}

/// The text with JSON in texts read too, so that blanks and escapes in it do not count.
fn deep(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), deep(value))).collect(),
        Value::Array(list) => list.iter().map(deep).collect(),
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(inner) if inner.is_object() || inner.is_array() => json!({ "text": deep(&inner) }),
            _ => value.clone(),
        },
        other => other.clone(),
    }
}

fn scrubbed(record: &str, rules: &str) -> String {
    let policy = Policy::from_toml(rules, "structure", None).unwrap();
    let mut out = Vec::new();
    Scrubber::new(Arc::new(policy), None).scrub(record.as_bytes(), &mut out);
    String::from_utf8(out).unwrap()
}

fn cases() -> u32 {
    std::env::var("LOGSCRUB_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn field_rules_act_on_the_fields_that_they_name(
        record in record(),
        selectors in subsequence(SELECTORS, 1..4),
        drops in any::<bool>(),
        pretty in any::<bool>(),
    ) {
        let action = if drops { "drop" } else { "redact" };
        let rules = format!("[[rule]]\nfield = {selectors:?}\nelsewhere = 'no'\naction = '{action}'\n");
        let written = if pretty { serde_json::to_string_pretty(&record).unwrap().replace('\n', " ") } else { record.to_string() };
        let out = scrubbed(&written, &rules);
        let walk = Walk { selectors: selectors.iter().map(|selector| normal(selector)).collect(), drops };
        let wanted = walk.walk(&record, &[Vec::new()], false).unwrap();
        let got: Value = serde_json::from_str(&out).map_err(|error| TestCaseError::fail(format!("{error}: {out}")))?;
        prop_assert_eq!(deep(&got), deep(&wanted), "{} {}\n  from {}\n  left {}", action, selectors.join(", "), written, out);
    }
}
