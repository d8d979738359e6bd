//! Entries of the journal, with text as numbers, before and after: by serde_json.

use std::sync::Arc;

use logscrub::policy::Policy;
use logscrub::scrub::Scrubber;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

const RULES: [&str; 3] = [
    "[[rule]]\nfind = ['all']\naction = 'redact'",
    "[[rule]]\nfield = ['journal._CMDLINE', 'journal.NOTE']\naction = 'redact'\n[[rule]]\nfind = ['all']\naction = 'redact'",
    "[[rule]]\nfield = ['journal._CMDLINE', 'journal.NOTE', 'journal._BOOT_ID']\naction = 'drop'\n[[rule]]\nfind = ['pan']\naction = 'truncate'\n[[rule]]\nfind = ['all']\naction = 'redact'",
];

fn scrub(format: &str, rules: &str, log: &[u8]) -> Vec<u8> {
    let policy = Policy::from_toml(&format!("input.format = '{format}'\n{rules}"), "test", None).unwrap();
    let mut out = Vec::new();
    Scrubber::new(Arc::new(policy), None).scrub(log, &mut out);
    out
}

/// Text as the journal writes it: as an array of bytes where it has to be, or at random.
fn written(text: &str, as_bytes: bool) -> Value {
    if as_bytes { json!(text.as_bytes()) } else { json!(text) }
}

/// The text of a value, however it is written.
fn text(value: &Value) -> String {
    match value {
        Value::Array(bytes) => {
            let bytes: Vec<u8> =
                bytes.iter().map(|byte| u8::try_from(byte.as_u64().unwrap()).unwrap()).collect();
            String::from_utf8(bytes).unwrap()
        }
        value => value.as_str().unwrap().to_owned(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Text that is written as numbers becomes what it becomes when it is written as text.
    #[test]
    fn bytes_are_scrubbed_as_text(
        texts in vec(vec(select(&["jane@example.com", "203.0.113.9", "4111 1111 1111 1111", "x", " ", "\u{1b}[31m", "é", "a=b"][..]), 1..5), 4),
        as_bytes in vec(any::<bool>(), 4),
        rules in 0..RULES.len(),
        auto in any::<bool>(),
    ) {
        let names = ["MESSAGE", "_CMDLINE", "NOTE", "OTHER"];
        let entry = |as_bytes: &[bool]| {
            let mut entry = json!({"__CURSOR": "s=1;i=2", "_BOOT_ID": "1"});
            for ((name, text), as_bytes) in names.iter().zip(&texts).zip(as_bytes) {
                entry[*name] = written(&text.concat(), *as_bytes);
            }
            entry.to_string()
        };
        let format = if auto { "auto" } else { "journal" };
        let read = |line: &str| -> Value {
            let out = scrub(format, RULES[rules], line.as_bytes());
            serde_json::from_slice(&out).unwrap_or_else(|fault| panic!("{fault}: {} from {line}", out.escape_ascii()))
        };
        let (plain, got) = (read(&entry(&[false; 4])), read(&entry(&as_bytes)));
        prop_assert_eq!(&plain["__CURSOR"], &got["__CURSOR"]);
        prop_assert_eq!(&plain["_BOOT_ID"], &got["_BOOT_ID"]);
        for name in names {
            prop_assert_eq!(plain.get(name).map(text), got.get(name).map(text), "{} of {}", name, entry(&as_bytes));
        }
    }
}

/// Under `auto` too, once the first lines tell.
#[test]
fn numbers_are_searched_in_the_journal() {
    let hidden: Vec<String> = "ana@example.com".bytes().map(|byte| byte.to_string()).collect();
    let entry = format!("{{\"_BOOT_ID\":\"1\",\"MESSAGE\":[{}]}}\n", hidden.join(","));
    for format in ["auto", "journal"] {
        let out = scrub(format, RULES[0], entry.repeat(3).as_bytes());
        for line in out.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let entry: Value = serde_json::from_slice(line).unwrap();
            assert_eq!(text(&entry["MESSAGE"]), "[email]");
        }
    }
}
