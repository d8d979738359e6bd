//! `when`: conditions on other fields.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::{scrub, scrubber, shown};

fn left(rules: &str, record: &str) -> String {
    let scrubber = scrubber(rules);
    let (out, _) = scrub(&scrubber, record.as_bytes());
    let (again, _) = scrub(&scrubber, &out);
    assert_eq!(shown(&out), shown(&again), "a second run of {record}");
    String::from_utf8(out).unwrap()
}

const PAY: &str =
    "[[rule]]\nfind = ['email']\nwhen = { service = 'pay-*', \"http.status\" = '5*' }\naction = 'redact'\n";

#[test]
fn a_rule_acts_where_all_its_conditions_hold() {
    let record = |service: &str, status: &str| {
        format!(r#"{{"mail":"ana@example.com","service":"{service}","http":{{"status":{status}}}}}"#)
    };
    for (service, status, acts) in
        [("pay-eu", "503", true), ("shop", "503", false), ("pay-eu", "200", false), ("Pay-eu", "500", false)]
    {
        let record = record(service, status);
        let wanted = if acts { record.replace("ana@example.com", "[email]") } else { record.clone() };
        assert_eq!(left(PAY, &record), wanted);
    }
}

#[test]
fn names_are_those_of_selectors_and_escapes_are_undone() {
    let record = r#"{"SER_vice":"\u0070ay-x","http.Status":"500","m":"ana@example.com"}"#;
    assert_eq!(left(PAY, record), record.replace("ana@example.com", "[email]"));
}

#[test]
fn what_is_missing_never_makes_a_rule_weaker() {
    for record in [
        "mail ana@example.com service=shop",
        r#"{"service":"shop","m":"ana@example.com""#,
        r#"{"m":"ana@example.com"}"#,
        r#"{"m":"ana@example.com","service":null,"http":{"status":"500"}}"#,
        r#"{"m":"ana@example.com","service":"","http":{"status":500}}"#,
        r#"{"m":"ana@example.com","service":"pay-a","service":"shop","http":{"status":500}}"#,
        r#"{"m":"ana@example.com","service":["shop","pay-a"],"http":{"status":500}}"#,
    ] {
        assert_eq!(left(PAY, record), record.replace("ana@example.com", "[email]"));
    }
    // One that fails is enough, whatever is missing.
    let record = r#"{"m":"ana@example.com","service":"shop"}"#;
    assert_eq!(left(PAY, record), record);
}

const EXCEPTION: &str = "[[rule]]\nfind = ['email']\nwhen = { env = 'test' }\naction = 'keep'\n[[rule]]\nfind = ['email']\naction = 'redact'\n";

#[test]
fn an_exception_that_needs_a_field_does_not_hold_without_it() {
    let kept = r#"{"env":"test","m":"ana@example.com"}"#;
    assert_eq!(left(EXCEPTION, kept), kept);
    for record in [
        r#"{"env":"prod","m":"ana@example.com"}"#,
        r#"{"m":"ana@example.com"}"#,
        r#"{"env":"test","env":"prod","m":"ana@example.com"}"#,
        "env=test ana@example.com",
        r#"{"env":"test","m":"ana@example.com""#,
    ] {
        assert_eq!(left(EXCEPTION, record), record.replace("ana@example.com", "[email]"));
    }
}

/// A weaker rule that may or may not be meant does not shield a value from the stronger one behind it.
#[test]
fn where_a_field_is_missing_the_strongest_rule_acts() {
    let rules = "[[rule]]\nfind = ['ip']\nwhen = { env = 'test' }\naction = 'truncate'\n[[rule]]\nfind = ['ip']\naction = 'redact'\n";
    assert_eq!(left(rules, r#"{"env":"test","ip":"203.0.113.9"}"#), r#"{"env":"test","ip":"203.0.113.0"}"#);
    assert_eq!(left(rules, r#"{"env":"x","ip":"203.0.113.9"}"#), r#"{"env":"x","ip":"[ipv4]"}"#);
    assert_eq!(left(rules, r#"{"ip":"203.0.113.9"}"#), r#"{"ip":"[ipv4]"}"#);
    let binding = "[[rule]]\nname = 'weak'\nfind = ['ip']\nwhen = { env = 'test' }\ninstead_of = ['strong']\naction = 'truncate'\n\
                   [[rule]]\nname = 'sure'\nfind = ['ip']\naction = 'keep'\n\
                   [[rule]]\nname = 'strong'\nfind = ['ip']\nbinding = true\naction = 'redact'\n";
    assert_eq!(left(binding, r#"{"env":"test","ip":"203.0.113.9"}"#), r#"{"env":"test","ip":"203.0.113.0"}"#);
    assert_eq!(left(binding, r#"{"ip":"203.0.113.9"}"#), r#"{"ip":"[ipv4]"}"#);
}

#[test]
fn field_rules_have_conditions_too() {
    let rules = "[[rule]]\nfield = ['user', 'token']\nwhen = { service = 'pay' }\naction = 'redact'\n";
    let record = |service: &str| format!(r#"{{"user":"ana","msg":"token=abc","service":"{service}"}}"#);
    assert_eq!(left(rules, &record("pay")), r#"{"user":"[field]","msg":"token=[field]","service":"pay"}"#);
    assert_eq!(left(rules, &record("shop")), record("shop"));
    assert_eq!(left(rules, "service=shop user=ana"), "service=shop user=ana");
    assert_eq!(left(rules, "at service=shop of user=ana"), "at service=shop of user=[field]");
}

/// A second run sees what is left of a field, and decides no other way than the first.
#[test]
fn a_condition_on_a_field_that_changes_counts_as_it_came_and_as_it_is_left() {
    let dropped = "[[rule]]\nfield = ['service']\naction = 'drop'\n[[rule]]\nfind = ['email']\nwhen = { service = 'pay' }\naction = 'redact'\n";
    assert_eq!(left(dropped, r#"{"service":"shop","m":"ana@example.com"}"#), r#"{"m":"[email]"}"#);
    let redacted = dropped.replace("drop", "redact");
    let record = r#"{"service":"shop","m":"ana@example.com"}"#;
    assert_eq!(left(&redacted, record), record.replace("shop", "[field]"));
    let exception = EXCEPTION.replace("env = 'test'", "user = '*@example.org'");
    assert_eq!(
        left(&exception, r#"{"user":"bo@example.org","m":"ana@example.com"}"#),
        r#"{"user":"bo@example.org","m":"ana@example.com"}"#
    );
    let found = exception + "[[rule]]\nfield = ['user']\naction = 'mask'\n";
    assert_eq!(
        left(&found, r#"{"user":"bo bo@example.org","m":"ana@example.com"}"#),
        r#"{"user":"** **@*******.***","m":"[email]"}"#
    );
}

const RULES: &[&str] = &[
    "find = ['email']\nwhen = { service = 'pay*' }\naction = 'redact'",
    "find = ['ip']\nwhen = { service = 'pay*', user = '*' }\naction = 'truncate'",
    "find = ['all']\nwhen = { env = 't?st' }\naction = 'keep'",
    "find = ['ip']\naction = 'redact'",
    "find = ['email']\nwhen = { \"**.user\" = '*@*' }\naction = 'drop'",
    "field = ['user']\nwhen = { env = 'prod' }\naction = 'redact'",
    "field = ['service']\naction = 'drop'",
    "field = ['env']\nwhen = { user = 'a*' }\naction = 'mask'",
    "find = ['pan']\nwhen = { env = 'prod' }\nbinding = true\naction = 'drop_record'",
    "field = ['a.user', 'x']\nas = 'person'\naction = 'redact'",
];

fn record() -> impl Strategy<Value = String> {
    let value = select(
        &[
            "pay-eu",
            "shop",
            "test",
            "prod",
            "ana@example.com",
            "bo",
            "203.0.113.9",
            "4111111111111111",
            "",
            "user=ana env=prod",
            "[email]",
            "{\"user\":\"x@example.com\",\"env\":\"test\"}",
        ][..],
    );
    let name = select(&["service", "user", "env", "a", "x", "ENV"][..]);
    let member = (name, value, 0..4).prop_map(|(name, value, sort)| {
        let value = serde_json::json!(value);
        match sort {
            0 => format!("{:?}:{{\"user\":{value}}}", name),
            1 => format!("{:?}:[{value},1]", name),
            _ => format!("{:?}:{value}", name),
        }
    });
    let json = prop::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(",")));
    prop_oneof![6 => json.clone(), 1 => json.prop_map(|json| json.replace('}', ""))]
}

/// A rule about e-mail addresses as whoever writes one thinks of it.
#[derive(Clone, Debug)]
struct Plain {
    action: &'static str,
    when: Vec<(&'static str, &'static str)>,
}

impl Plain {
    /// Weakest first.
    const ACTIONS: [&'static str; 4] = ["keep", "truncate", "mask", "redact"];

    fn written(&self) -> String {
        let when: Vec<String> = self.when.iter().map(|(field, glob)| format!("{field} = '{glob}'")).collect();
        let when =
            if when.is_empty() { String::new() } else { format!("when = {{ {} }}\n", when.join(", ")) };
        format!("[[rule]]\nfind = ['email']\n{when}action = '{}'\n", self.action)
    }

    /// Whether its conditions hold in these members; nothing if they cannot tell.
    fn holds(&self, members: &[(&str, &str)]) -> Option<bool> {
        let one = |(field, glob): &(&str, &str)| {
            let values =
                members.iter().filter(|(name, _)| name.eq_ignore_ascii_case(field)).map(|(_, value)| *value);
            let told: Vec<Option<bool>> = values
                .map(|value| match glob.strip_suffix('*') {
                    _ if value.is_empty() => None,
                    Some(start) => Some(value.starts_with(start)),
                    None => Some(value == *glob),
                })
                .collect();
            told.first().copied().flatten().filter(|_| told.iter().all(|one| *one == told[0]))
        };
        let all: Vec<Option<bool>> = self.when.iter().map(one).collect();
        if all.contains(&Some(false)) {
            Some(false)
        } else {
            all.iter().copied().collect::<Option<Vec<_>>>().map(|_| true)
        }
    }
}

/// What is done to an address in a record of these members.
fn done(rules: &[Plain], members: &[(&str, &str)]) -> &'static str {
    let mut possible = vec!["keep"];
    for rule in rules {
        match rule.holds(members) {
            Some(true) => {
                possible.push(rule.action);
                break;
            }
            None if rule.action != "keep" => possible.push(rule.action),
            _ => {}
        }
    }
    Plain::ACTIONS.into_iter().rev().find(|action| possible.contains(action)).unwrap()
}

fn plain() -> impl Strategy<Value = Plain> {
    let condition = (select(&["service", "env"][..]), select(&["pay*", "shop", "t*", "*"][..]));
    let when = prop::collection::btree_map(condition.clone().prop_map(|(field, _)| field), condition, 0..3);
    let when = when.prop_map(|when| when.into_iter().map(|(field, (_, glob))| (field, glob)).collect());
    (select(&Plain::ACTIONS[..]), when).prop_map(|(action, when)| Plain { action, when })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn twice_is_as_good_as_once(
        records in prop::collection::vec(record(), 1..4),
        rules in subsequence(RULES, 1..6).prop_shuffle(),
    ) {
        let rules: String = rules.iter().map(|rule| format!("[[rule]]\n{rule}\n")).collect();
        let scrubber = scrubber(&rules);
        let log = records.join("\n");
        let (once, tally) = scrub(&scrubber, log.as_bytes());
        prop_assert_eq!(tally.withheld, 0, "{} under\n{}", log, rules);
        let (twice, tally) = scrub(&scrubber, &once);
        prop_assert_eq!(shown(&once), shown(&twice), "{} under\n{}", log, rules);
        prop_assert_eq!(tally.changed, 0);
        let mut found = Vec::new();
        scrubber.clone().inspect(&once, |_, _, judged| found.extend(judged.changes));
        prop_assert!(found.is_empty(), "{found:?} in {} under\n{}", shown(&once), rules);
        let mut slow = Vec::new();
        scrubber.clone().judging_every_record().scrub(log.as_bytes(), &mut slow);
        prop_assert_eq!(shown(&once), shown(&slow));
    }

    #[test]
    fn the_rule_acts_that_a_plain_reading_names(
        rules in prop::collection::vec(plain(), 1..5),
        members in prop::collection::vec((
            select(&["service", "env", "ENV", "other"][..]),
            select(&["pay-eu", "shop", "test", ""][..]),
        ), 0..4),
        is_json in prop::bool::weighted(0.8),
    ) {
        let written: Vec<String> = members.iter().map(|(name, value)| format!("{name:?}:{value:?},")).collect();
        let end = if is_json { "}" } else { "" };
        let record = format!("{{{}\"m\":\"ana@example.com\"{end}", written.concat());
        let done = done(&rules, if is_json { &members } else { &[] });
        let left = match done {
            "keep" => "ana@example.com",
            "truncate" => "[email]@example.com",
            "mask" => "***@*******.***",
            _ => "[email]",
        };
        let rules: String = rules.iter().map(Plain::written).collect();
        let (out, _) = scrub(&scrubber(&rules), record.as_bytes());
        prop_assert_eq!(shown(&out), shown(record.replace("ana@example.com", left).as_bytes()), "under\n{}", rules);
    }

    /// With its conditions a rule leaves no more of a record whose fields are lost than of one that fulfils them.
    #[test]
    fn a_condition_is_never_met_by_less(record in record(), rule in select(&RULES[..2])) {
        let unconditional: String =
            rule.lines().filter(|line| !line.starts_with("when")).map(|line| format!("{line}\n")).collect();
        let broken = format!("{record} broken");
        let with = scrub(&scrubber(&format!("[[rule]]\n{rule}")), broken.as_bytes()).0;
        let without = scrub(&scrubber(&format!("[[rule]]\n{unconditional}")), broken.as_bytes()).0;
        prop_assert_eq!(shown(&with), shown(&without));
    }
}
