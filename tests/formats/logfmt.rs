//! Field rules on logfmt, against a regex that reads pairs.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use regex::Regex;

use super::acted::{acts, scrubbed};

const NAMES: [&str; 6] = ["a", "user", "user_id", "http.path", "k/x", "[email]"];
const FIELDS: [&str; 4] = ["user", "user_id", "http.path", "k/x"];
const BARE: [&str; 7] = ["", "x", "ann", "it's", "/a?b=c", "c==", "C:\\d"];
const TEXTS: [&str; 6] = ["", "two words", "a \"b\" \\", "été\t\n", "x=1", "{x"];

/// A pair, with its value as it is written.
fn pair() -> impl Strategy<Value = (&'static str, String)> {
    let quoted = select(&TEXTS[..]).prop_map(|text| serde_json::to_string(text).unwrap());
    (select(&NAMES[..]), prop_oneof![select(&BARE[..]).prop_map(str::to_owned), quoted])
}

/// The pairs of a record as they are written.
fn raw_pairs(record: &str) -> Vec<(String, String)> {
    let pair = Regex::new(r#"(?:^|\s)([^\s=]+)=("(?:[^"\\]|\\.)*"|\S*)"#).unwrap();
    pair.captures_iter(record).map(|pair| (pair[1].to_owned(), pair[2].to_owned())).collect()
}

fn value(raw: &str) -> String {
    serde_json::from_str(raw).ok().filter(|_| raw.starts_with('"')).unwrap_or_else(|| raw.to_owned())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn field_rules_act_on_pairs(
        pairs in vec(pair(), 2..7),
        separators in vec(select(vec![" ", "  ", "\t"]), 7),
        fields in subsequence(&FIELDS[..], 1..3),
        acts in acts(),
    ) {
        let parts = pairs.iter().zip(separators).map(|((name, value), blank)| format!("{name}={value}{blank}"));
        let record: String = parts.collect();
        let out = scrubbed(&record, &fields, acts);
        let is_meant = |name: &str| fields.contains(&name);
        let mut got = raw_pairs(&out).into_iter();
        for (name, raw) in raw_pairs(&record) {
            if !is_meant(&name) {
                got = got.skip_while(|(next, _)| acts.1.is_none() && is_meant(next)).collect::<Vec<_>>().into_iter();
                prop_assert_eq!(got.next(), Some((name, raw)), "{} from {}", out, record);
            } else if let Some(left) = acts.1 {
                let wanted = if value(&raw).is_empty() { "" } else { left };
                prop_assert_eq!(got.next().map(|(_, raw)| value(&raw)), Some(wanted.to_owned()), "{} from {}", out, record);
            }
        }
        prop_assert!(got.all(|(name, raw)| is_meant(&name) && raw.is_empty()), "{} from {}", out, record);
        prop_assert_eq!(out.ends_with('\t'), record.ends_with('\t') || out.is_empty());
    }
}
