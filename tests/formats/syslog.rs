//! Syslog against the reader of the crate `syslog_loose`, and the lengths of frames.

use std::sync::Arc;

use logscrub::{Policy, Scrubber};
use proptest::prelude::*;
use syslog_loose::{Message, Variant, parse_message_with_year};

const RULES: &str = r#"
    [[rule]]
    field = ["syslog.host", "user", "syslog.sd.none"]
    elsewhere = "no"
    action = { redact = { with = "a]\"b\\ c" } }
    [[rule]]
    field = ["syslog.pid", "gone"]
    elsewhere = "no"
    action = "drop"
    [[rule]]
    find = ["email", "pan", "ipv4"]
    action = "redact"
"#;

fn scrubber(rules: &str) -> Scrubber {
    Scrubber::new(Arc::new(Policy::from_toml(rules, "test", None).unwrap()), None)
}

fn scrubbed(scrubber: &Scrubber, text: &str) -> String {
    let mut out = Vec::new();
    scrubber.clone().scrub(text.as_bytes(), &mut out);
    String::from_utf8(out).unwrap()
}

fn parsed(text: &str, variant: Variant) -> Message<&str> {
    parse_message_with_year(text, |_| 2026, variant)
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace(']', "\\]")
}

/// The reader leaves the escapes in values.
fn unescaped(value: &str) -> String {
    let mut plain = String::new();
    let mut characters = value.chars().peekable();
    while let Some(first) = characters.next() {
        let escaped = characters.next_if(|next| first == '\\' && matches!(next, '"' | '\\' | ']'));
        plain.push(escaped.unwrap_or(first));
    }
    plain
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_no_rule_names_stays_in_the_bsd_form(
        priority in proptest::option::of(0_u8..=191),
        time in "(Jan|Oct) ([ 12][1-9]) [01][0-9]:[0-5][0-9]:[0-5][0-9]",
        host in "[a-z][a-z0-9.-]{0,8}",
        app in "[a-z][a-z0-9/_-]{0,8}",
        pid in proptest::option::of(1_u32..99999),
        message in "[a-z0-9 ,()\\[\\]-]{0,20}( ana@example[.]com)?( x)?",
    ) {
        let message = message.trim();
        let pid_part = pid.map_or(String::new(), |pid| format!("[{pid}]"));
        let priority_part = priority.map_or(String::new(), |priority| format!("<{priority}>"));
        let record = format!("{priority_part}{time} {host} {app}{pid_part}: {message}");
        let out = scrubbed(&scrubber(RULES), &record);
        let wanted_pid = pid.map_or("", |_| "[-]");
        let wanted_message = message.replace("ana@example.com", "[email]");
        prop_assert_eq!(&out, &format!("{priority_part}{time} a]\"b\\_c {app}{wanted_pid}: {wanted_message}"));
        prop_assert_eq!(scrubbed(&scrubber(RULES), &out), out.clone());
        if priority.is_some() {
            let (before, after) = (parsed(&record, Variant::RFC3164), parsed(&out, Variant::RFC3164));
            prop_assert_eq!(before.severity, after.severity);
            prop_assert_eq!(before.timestamp, after.timestamp);
            prop_assert_eq!(before.appname, after.appname, "{}", out);
            prop_assert_eq!(after.hostname, Some("a]\"b\\_c"));
            prop_assert_eq!(after.msg, before.msg.replace("ana@example.com", "[email]"));
        }
    }

    #[test]
    fn what_no_rule_names_stays_in_the_form_of_rfc_5424(
        words in proptest::collection::vec("[A-Za-z0-9.]{1,8}|-", 4),
        data in proptest::collection::vec(("(user|gone|other)", "[a-z \"\\\\\\]=]{0,8}"), 0..4),
        message in "( [a-z0-9 ]{1,20}( ana@example[.]com)?)?",
    ) {
        let [host, app, pid, id] = [&words[0], &words[1], &words[2], &words[3]];
        let elements: String =
            data.iter().enumerate().map(|(at, (name, value))| format!("[e{at} {name}=\"{}\"]", escaped(value))).collect();
        let elements = if elements.is_empty() { "-".to_owned() } else { elements };
        let record = format!("<165>1 2003-10-11T22:14:15.003Z {host} {app} {pid} {id} {elements}{message}");
        let out = scrubbed(&scrubber(RULES), &record);
        let (before, after) = (parsed(&record, Variant::RFC5424), parsed(&out, Variant::RFC5424));
        prop_assert_eq!(&before.protocol, &after.protocol, "{}", out);
        prop_assert_eq!(before.timestamp, after.timestamp);
        prop_assert_eq!(before.appname, after.appname);
        prop_assert_eq!(before.msgid, after.msgid);
        prop_assert!(after.procid.is_none());
        prop_assert_eq!(after.hostname, Some("a]\"b\\_c"));
        prop_assert_eq!(after.msg, before.msg.replace("ana@example.com", "[email]"));
        let params = |message: &Message<&str>| -> Vec<(String, String)> {
            let elements = message.structured_data.iter().flat_map(|element| element.params.clone());
            elements.map(|(name, value)| (name.to_owned(), unescaped(value))).collect()
        };
        let wanted: Vec<(String, String)> = params(&before).into_iter().filter(|(name, _)| name != "gone").map(|(name, value)| {
            let value = if name == "user" && !value.is_empty() { "a]\"b\\ c".to_owned() } else { value };
            (name, value)
        }).collect();
        prop_assert_eq!(params(&after), wanted, "{}", out);
        prop_assert_eq!(scrubbed(&scrubber(RULES), &out), out.clone());
    }

    /// Lengths are those of what follows them, however the record is wrapped and whatever the policy asks for.
    #[test]
    fn lengths_of_frames_are_true_after_edits(
        messages in proptest::collection::vec(
            "[a-z\"\\\\ ]{0,6}( ana@example[.]com| 4111111111111111| 192[.]0[.]2[.]1)?", 1..4),
        wrapped in any::<bool>(),
        fields in any::<bool>(),
        extra in 0_usize..2,
    ) {
        let last = messages.len() - 1;
        let frames: String = messages.iter().enumerate().map(|(at, message)| {
            let frame = format!("<34>1 - web - - - [x user=\"u\\\\\"] {message}");
            format!("{} {frame}", frame.len() + if at == last { extra } else { 0 })
        }).collect();
        let record = match wrapped {
            true => {
                let outer = format!("<13>Oct 11 22:14:15 h a: {frames}");
                format!("{} {outer}", outer.len())
            }
            false => frames,
        };
        let rules = if fields { RULES } else { "[[rule]]\nfind = [\"all\"]\naction = \"redact\"\n" };
        let scrubber = scrubber(rules);
        let out = scrubbed(&scrubber, &record);
        for value in ["ana@example.com", "4111111111111111", "192.0.2.1"] {
            prop_assert!(!out.contains(value), "{}", out);
        }
        let mut rest = out.as_str();
        if wrapped {
            let (length, after) = rest.split_once(' ').unwrap();
            prop_assert_eq!(length.parse::<usize>().unwrap(), after.len(), "{}", out);
            rest = after.split_once(" a: ").unwrap().1;
        }
        for at in 0..=last {
            let (length, after) = rest.split_once(' ').unwrap();
            let length: usize = length.parse::<usize>().unwrap() - if at == last { extra } else { 0 };
            prop_assert!(after.is_char_boundary(length) && after.starts_with("<34>1 "), "{}", out);
            rest = &after[length..];
        }
        prop_assert_eq!(rest, "", "{}", out);
        prop_assert_eq!(scrubbed(&scrubber, &out), out.clone());
    }
}
