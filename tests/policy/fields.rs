//! `[fields]`: default deny.

use std::io::Write;

use logscrub::ScrubWriter;
use proptest::prelude::*;
use proptest::sample::select;

use super::{scrub, scrubber, shown};

fn left(rules: &str, record: &str) -> String {
    let scrubber = scrubber(rules);
    let (out, _) = scrub(&scrubber, record.as_bytes());
    let (again, tally) = scrub(&scrubber, &out);
    assert_eq!((shown(&out), tally.changed), (shown(&again), 0), "a second run of {record}");
    String::from_utf8(out).unwrap()
}

const ALLOW: &str = "[fields]\nallow = ['ts', 'msg', 'http.*', 'count']\n\
                     [[rule]]\nfind = ['email']\naction = 'redact'\n\
                     [[rule]]\nfield = ['user']\naction = 'mask'\n";

#[test]
fn what_nobody_named_is_withheld() {
    for (record, wanted) in [
        (r#"{"ts":1,"MSG":"a","x":"b"}"#, r#"{"ts":1,"MSG":"a","x":"[withheld]"}"#),
        (
            r#"{"http":{"path":"/","h":{"z":1}},"user":"ana"}"#,
            r#"{"http":{"path":"/","h":{"z":1}},"user":"***"}"#,
        ),
        (
            r#"{"x":{"msg":"a","y":[1,{"z":true}]}}"#,
            r#"{"x":{"msg":"[withheld]","y":["[withheld]",{"z":"[withheld]"}]}}"#,
        ),
        (
            r#"{"msg":"to ana@example.com","to":"ana@example.com"}"#,
            r#"{"msg":"to [email]","to":"[withheld]"}"#,
        ),
        (r#"{"a":null,"b":"","c":{},"d":[]}"#, r#"{"a":null,"b":"","c":{},"d":[]}"#),
        (
            r#"{"x":"[email]","y":"[withheld]","z":" [email] "}"#,
            r#"{"x":"[email]","y":"[withheld]","z":"[withheld]"}"#,
        ),
        (
            r#"{"msg":"{\"x\":\"b\"}","x":"{\"msg\":\"b\"}"}"#,
            r#"{"msg":"{\"x\":\"b\"}","x":"{\"msg\":\"[withheld]\"}"}"#,
        ),
        (r#"["a",1]"#, r#"["[withheld]","[withheld]"]"#),
        ("x=1 msg=2", "x=[withheld] msg=2"),
        ("on x=1 all is well", "on x=1 all is well"),
    ] {
        assert_eq!(left(ALLOW, record), wanted);
    }
}

/// Nobody has to name what every reader of such a log needs and nobody can write anything into.
#[test]
fn the_words_of_a_runtime_stay() {
    let message = r#"{"msg":"a","x":"b"}"#;
    let quoted = message.replace('"', "\\\"");
    let allow = ALLOW.replace("'ts'", "'ts', 'cri.time', 'docker.time'");
    let drop = allow.replace("[fields]", "[fields]\notherwise = 'drop'");
    for (rules, wanted) in [(&allow, r#"{"msg":"a","x":"[withheld]"}"#), (&drop, r#"{"msg":"a"}"#)] {
        let quoted_wanted = wanted.replace('"', "\\\"");
        for stream in ["stdout", "stderr"] {
            for tag in ["F", "P"] {
                let head = format!("2026-01-01T00:00:00Z {stream} {tag} ");
                assert_eq!(left(rules, &format!("{head}{message}")), format!("{head}{wanted}"));
            }
            let docker = |log: &str| {
                format!(r#"{{"log":"{log}\n","stream":"{stream}","time":"2026-01-01T00:00:00Z"}}"#)
            };
            assert_eq!(left(rules, &docker(&quoted)), docker(&quoted_wanted));
        }
    }
    // Exactly these words, at their place, and only where nobody named the field.
    for (record, wanted) in [
        (
            "2026-01-01T00:00:00Z stdout F:ana {\"msg\":\"F\",\"x\":\"F\"}",
            "2026-01-01T00:00:00Z stdout [withheld] {\"msg\":\"F\",\"x\":\"[withheld]\"}",
        ),
        ("2026-01-01T00:00:00Z \"ana\" F {}", "2026-01-01T00:00:00Z \"[withheld]\" F {}"),
        (r#"{"log":"a\n","stream":"ana"}"#, r#"{"log":"[withheld]\n","stream":"[withheld]"}"#),
        (r#"{"log":"a\n","stream":"std\u006fut"}"#, r#"{"log":"[withheld]\n","stream":"[withheld]"}"#),
        (
            r#"{"log":"a\n","stream":"stdout","attrs":{"stream":"stdout"}}"#,
            r#"{"log":"[withheld]\n","stream":"stdout","attrs":{"stream":"[withheld]"}}"#,
        ),
        (r#"{"stream":"stdout"}"#, r#"{"stream":"[withheld]"}"#),
    ] {
        assert_eq!(left(&allow, record), wanted);
    }
    let named = format!("{allow}[[rule]]\nfield = ['cri.stream', 'docker.stream']\naction = 'redact'\n");
    assert_eq!(left(&named, "2026-01-01T00:00:00Z stdout F {}"), "2026-01-01T00:00:00Z [field] F {}");
    assert_eq!(left(&named, r#"{"log":"\n","stream":"stdout"}"#), r#"{"log":"\n","stream":"[field]"}"#);
}

#[test]
fn numbers_may_become_null_and_fields_may_go() {
    let null = format!("[output]\nnumbers = 'null'\n{ALLOW}");
    assert_eq!(left(&null, r#"{"x":1,"y":"b","count":2}"#), r#"{"x":null,"y":"[withheld]","count":2}"#);
    let drop = ALLOW.replace("[fields]", "[fields]\notherwise = 'drop'");
    assert_eq!(
        left(&drop, r#"{"x":1,"ts":2,"y":["a","b"],"z":{"w":"c"}}"#),
        r#"{"ts":2,"y":[null,null],"z":{}}"#
    );
}

#[test]
fn what_any_rule_names_is_known() {
    let rules = "[fields]\n[[rule]]\nfind = ['email']\nin = ['a']\nwhen = { b = 'x' }\naction = 'redact'\n\
                 [[rule]]\nfind = ['ip']\nnot_in = ['c']\naction = 'redact'\n";
    let record = r#"{"a":"v","b":"v","c":"v","d":"v"}"#;
    assert_eq!(left(rules, record), record.replace(r#""d":"v""#, r#""d":"[withheld]""#));
}

#[test]
fn no_exception_shields_an_unknown_field() {
    let rules =
        "[fields]\n[[rule]]\nfind = ['ip']\naction = 'keep'\n[[rule]]\nfind = ['email']\naction = 'drop'\n";
    assert_eq!(left(rules, r#"{"x":"10.0.0.1","y":"a 10.0.0.1"}"#), r#"{"x":"[withheld]","y":"[withheld]"}"#);
    assert_eq!(left(rules, r#"{"x":"ana@example.com","y":"to ana@example.com!"}"#), r#"{"y":"[withheld]"}"#);
}

#[test]
fn records_without_fields_are_withheld_if_the_policy_says_so() {
    let scrubber = scrubber(&ALLOW.replace("[fields]", "[fields]\nunparsed = 'withhold'"));
    let log = "{\"msg\":\"a\"}\nTraceback of ana\r\n\n  \n{\"msg\":\n[withheld 3 bytes]\n";
    let (out, tally) = scrub(&scrubber, log.as_bytes());
    let wanted = "{\"msg\":\"a\"}\n[withheld 16 bytes]\r\n\n  \n{\"logscrub\":\"withheld\",\"bytes\":7}\n[withheld 3 bytes]\n";
    assert_eq!(shown(&out), shown(wanted.as_bytes()));
    assert_eq!((tally.records, tally.withheld), (6, 2));
    assert_eq!(scrub(&scrubber, &out).0, out);
}

#[test]
fn unknown_fields_are_counted_by_names_that_hold_nothing() {
    let rules = "[fields]\n[[rule]]\nfind = ['email']\naction = 'redact'\n";
    let card = ["4111", "1111", "1111", "1111"].concat();
    let log = format!(
        "{{\"a\":{{\"b\":1,\"c\":[2,3]}}}}\n{{\"a\":{{\"b\":1}},\"d e\":1,\"{card}\":2,\"10.20.30.40\":3,\"\":4,\"{}\":5}}\n",
        "n".repeat(65)
    );
    let (_, tally) = scrub(&scrubber(rules), log.as_bytes());
    let names: Vec<(&str, u64)> =
        tally.unknown.names.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!((names, tally.unknown.unnamed), (vec![("a.b", 2), ("a.c", 2)], 5));
}

/// Which names are told does not depend on who counted what.
#[test]
fn a_hundred_names_are_told() {
    let rules = "[fields]\n[[rule]]\nfind = ['email']\naction = 'redact'\n";
    let record = |number: usize| format!("{{\"n{:03}\":1}}\n", number * 37 % 150);
    let log: String = (0..300).map(record).collect();
    let (_, whole) = scrub(&scrubber(rules), log.as_bytes());
    assert_eq!((whole.unknown.names.len(), whole.unknown.unnamed), (100, 100));
    assert!(
        whole
            .unknown
            .names
            .iter()
            .zip(0..)
            .all(|((name, count), at)| *name == format!("n{at:03}") && *count == 2)
    );
    let mut parts = logscrub::Tally::default();
    for record in log.split_inclusive('\n').rev() {
        parts.add(&scrub(&scrubber(rules), record.as_bytes()).1);
    }
    assert_eq!(whole.unknown, parts.unknown);
}

/// Letters and digits that stand in no name, in no allowed value and in no residue.
const CANARIES: &[&str] = &[
    "QXZJ",
    "93737",
    "Q Q=Z",
    "J@Z.XQ",
    "user=QX",
    "{\"msg\":\"QX\"}",
    "[\"Q\",{\"ts\":9}]",
    "\\u0051",
    "Q\"Z",
    "[QX]",
    "[email]Q",
    "7.3.9.3",
];

fn value(unknown: bool) -> BoxedStrategy<serde_json::Value> {
    let text = if unknown {
        select(CANARIES).boxed()
    } else {
        select(&["fine", "ok {", "[\"a\"]", "é"][..]).boxed()
    };
    let leaf = prop_oneof![
        4 => text.prop_map(|text| serde_json::json!(text)),
        1 => Just(if unknown { serde_json::json!(9373) } else { serde_json::json!(1) }),
        1 => Just(serde_json::Value::Null),
    ];
    let nested = leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(serde_json::Value::Array),
            prop::collection::vec((select(&["msg", "ts", "b", "c d"][..]), inner), 0..3).prop_map(
                |members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            ),
        ]
    });
    // A document in a text of another.
    (nested, 0..4)
        .prop_map(|(value, sort)| if sort == 0 { serde_json::json!(value.to_string()) } else { value })
        .boxed()
}

fn record() -> impl Strategy<Value = String> {
    let known = (select(&["msg", "ts", "user"][..]), value(false));
    let unknown = (select(&["a", "b.msg", "x y", "ms", "tss", ""][..]), value(true));
    let member =
        prop_oneof![known, unknown].prop_map(|(name, value)| format!("{}:{value}", serde_json::json!(name)));
    let json = prop::collection::vec(member, 0..5).prop_map(|members| format!("{{{}}}", members.join(", ")));
    prop_oneof![
        5 => json.clone(),
        1 => (json, any::<prop::sample::Index>()).prop_map(|(json, at)| {
            let cut = json.char_indices().map(|(at, _)| at).nth(at.index(json.chars().count())).unwrap_or(0);
            json[..cut].to_owned()
        }),
        1 => select(CANARIES).prop_map(|text| format!("at {text} msg=\"{text}\"")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 800, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_byte_of_a_canary_in_an_unknown_field_comes_out(
        records in prop::collection::vec(record(), 1..6),
        otherwise in select(&["withhold", "drop"][..]),
        numbers in select(&["string", "null"][..]),
        write in 1..200_usize,
    ) {
        let rules = format!(
            "[output]\nnumbers = '{numbers}'\n[fields]\nallow = ['msg', 'ts']\notherwise = '{otherwise}'\nunparsed = 'withhold'\n\
             [[rule]]\nfield = ['user']\nelsewhere = 'no'\naction = 'redact'\n[[rule]]\nfind = ['all']\naction = 'redact'\n"
        );
        let scrubber = scrubber(&rules);
        let log = records.join("\n") + "\n";
        let (out, tally) = scrub(&scrubber, log.as_bytes());
        let text = String::from_utf8(out.clone()).unwrap();
        // Lengths of what was withheld are digits too.
        let markers = regex::Regex::new(r#"\[withheld \d+ bytes\]|"bytes":\d+"#).unwrap();
        let told = markers.replace_all(&text, "");
        let canary = told.find(|letter: char| "QXZJ937".contains(letter));
        prop_assert_eq!(canary, None, "{} from {} under\n{}", &text, log, rules);
        prop_assert_eq!(scrub(&scrubber, &out).0, out.clone(), "{} from {}", &text, log);
        // In whatever pieces it comes.
        let mut writer = ScrubWriter::new(scrubber.clone(), Vec::new());
        log.as_bytes().chunks(write).for_each(|piece| writer.write_all(piece).unwrap());
        prop_assert_eq!(writer.finish().unwrap(), out.clone());
        // What parsed before parses after, and what was allowed is still there.
        for (before, after) in records.iter().zip(text.lines()) {
            if let Ok(before) = serde_json::from_str::<serde_json::Value>(before) {
                let after: serde_json::Value = serde_json::from_str(after).unwrap();
                prop_assert_eq!(&before["msg"], &after["msg"]);
                prop_assert_eq!(&before["ts"], &after["ts"]);
            }
        }
        prop_assert_eq!(tally.records as usize, records.len());
        prop_assert_eq!(text.lines().count(), log.lines().count());
    }
}
