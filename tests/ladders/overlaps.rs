//! Rules of which more than one may have left what stands in a record, and steps that no run fell into.

use std::path::Path;
use std::sync::Arc;

use logscrub::action::keys::{KeyPeriod, Keys};
use logscrub::{HashKey, Policy, Scrubber};
use proptest::bool::weighted;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::{at, cases, scrubber, stamp};

/// What is left of a line at these dates, one after another, by the judge and by the lane.
fn walked(rules: &str, line: &str, dates: &[&str]) -> String {
    let mut left = line.to_owned();
    for date in dates {
        let scrubber = scrubber(rules, at(&format!("{date}T00:00:00Z")));
        let [by_lane, by_judge] = [scrubber.clone(), scrubber.judging_every_record()].map(|mut scrubber| {
            let mut out = Vec::new();
            scrubber.scrub(left.as_bytes(), &mut out);
            String::from_utf8(out).unwrap()
        });
        assert_eq!(by_lane, by_judge, "{rules}{left}");
        left = by_lane;
    }
    left
}

/// One late run leaves this, a walk over earlier dates leaves the same, and nothing is left to do.
fn leaves(rules: &str, line: &str, wanted: &str) {
    let rules = format!("pseudonyms.keyring = 'k.toml'\n{rules}");
    let line = format!("{line}\n");
    let late = "2026-06-02";
    let once = walked(&rules, &line, &[late]);
    assert_eq!(once, format!("{wanted}\n"), "late: {rules}");
    assert_eq!(walked(&rules, &line, &["2026-03-02", late]), once, "walked: {rules}");
    assert_eq!(walked(&rules, &line, &[late, late]), once, "twice: {rules}");
}

/// A rule for these kinds with these steps, the last of them without an end.
fn rule(find: &str, more: &str, steps: &[(&str, &str)]) -> String {
    let mut text = format!("[[rule]]\nfind = [{find}]\n{more}\nretain = [");
    for (until, action) in steps {
        let until = if until.is_empty() { String::new() } else { format!("until = '{until}', ") };
        text += &format!("{{ {until}action = {action} }}, ");
    }
    text + "]\n"
}

#[test]
fn a_mapped_address_is_labelled_alike_by_every_way() {
    let prefix = "{ truncate = { pseudonymise = 'prefix' } }";
    let rules = rule("'ip'", "", &[("30d", prefix), ("", "'redact'")]);
    leaves(&rules, "2026-03-01T00:00:00Z of ::ffff:198.51.100.7", "2026-03-01T00:00:00Z of [ipv4]");
    let keeps = rule("'ip'", "", &[("30d", "{ hash = { keep = '/24' } }"), ("", "'truncate'")]);
    let wanted = "2026-03-01T00:00:00Z of ::ffff:198.51.100.0";
    leaves(&keeps, "2026-03-01T00:00:00Z of ::ffff:198.51.100.7", wanted);
}

#[test]
fn a_number_before_a_truncated_card_is_no_part_of_it() {
    let last4 = "{ truncate = { pan = 'last4' } }";
    let line = format!("2026-03-01T00:00:00Z paid 16 {} x", ["3782", "822463", "10005"].concat());
    let wanted = "2026-03-01T00:00:00Z paid 16 ***********0005 x";
    leaves(&rule("'pan'", "", &[("30d", "'truncate'"), ("", last4)]), &line, wanted);
    let binding = "[[rule]]\nname = 'b'\nfield = ['email']\nbinding = true\nretain = [{ until = '7d', action = 'keep' }, { action = 'truncate' }]\n";
    leaves(&(rule("'pan'", "", &[("", last4)]) + binding), &line, wanted);
}

/// A line of which this is left.
fn line(value: &str) -> String {
    format!("2026-03-01T00:00:00Z from {value}")
}

const KEEPS: &str = "{ hash = { keep = '/24' } }";

#[test]
fn what_a_rule_cannot_have_left_is_none_of_its_own() {
    for steps in ["'encrypt'", "'hash'", KEEPS] {
        let some = rule("'ip'", "only = { networks = ['10.0.0.0/8'] }", &[("", "'redact'")]);
        let rest = rule("'ip'", "", &[("30d", steps), ("", "'redact'")]);
        leaves(&(some + &rest), &line("203.0.113.7"), &line("[ipv4]"));
    }
    for action in ["'keep'", "'truncate'", "'redact'"] {
        let ipv6 = rule("'ipv6'", "", &[("", action)]);
        let ipv4 = rule("'ipv4'", "", &[("30d", "'hash'"), ("", "'redact'")]);
        leaves(&(ipv6 + &ipv4), &line("203.0.113.7"), &line("[ipv4]"));
    }
    for action in ["'redact'", "'drop'"] {
        let some = rule("'email'", "only = { domains = ['example.org'] }", &[("", action)]);
        let rest = rule("'email'", "", &[("30d", "'hash'"), ("", "'redact'")]);
        leaves(&(some + &rest), &line("ana@example.com"), &line("[email]"));
    }
    let most =
        rule("'email'", "unless = { domains = ['example.org'] }", &[("30d", "'hash'"), ("", "'redact'")]);
    let rest = rule("'email'", "", &[("", "'drop'")]);
    leaves(&(most + &rest), &line("ana@example.com"), &line("[email]"));
}

#[test]
fn a_domain_that_stays_tells_whose_an_address_was() {
    let domain = "{ truncate = { email = 'domain' } }";
    let ours = rule("'email'", "only = { domains = ['example.org'] }", &[("", domain)]);
    let rest = rule("'email'", "", &[("30d", domain), ("", "'redact'")]);
    let rules = ours + &rest;
    leaves(&rules, &line("ana@example.com"), &line("[email]"));
    leaves(&rules, &line("ana@mail.example.org"), &line("[email]@mail.example.org"));
}

#[test]
fn what_is_in_a_token_tells_whose_it_is() {
    let some =
        rule("'ip'", "only = { networks = ['10.0.0.0/8'] }", &[("30d", "'encrypt'"), ("", "'redact'")]);
    let rest = rule("'ip'", "", &[("", "'encrypt'")]);
    leaves(&(some + &rest), &line("10.1.2.3 x"), &line("[ipv4] x"));
    let mapped = rule("'ipv4'", "", &[("30d", "'encrypt'"), ("", "'redact'")]);
    leaves(&mapped, &line("::ffff:198.51.100.7"), &line("[ipv6]"));
}

#[test]
fn what_a_rule_leaves_today_stays() {
    let ipv6 = rule("'ipv6'", "", &[("30d", "'hash'"), ("", "'redact'")]);
    let rules = format!("pseudonyms.keyring = 'k.toml'\n{ipv6}{}", rule("'ipv4'", "", &[("", "'hash'")]));
    let once = walked(&rules, &line("203.0.113.7"), &["2026-06-02"]);
    assert!(once.contains("[ipv4:k"));
    assert_eq!(walked(&rules, &once, &["2026-06-02", "2026-09-02"]), once);
}

#[test]
fn two_ladders_that_both_act_withhold_nothing() {
    for condition in ["when = { level = 'info' }", "in = ['msg', 'remote_addr']"] {
        let ipv6 = rule("'ipv6'", condition, &[("3d", KEEPS), ("", "'truncate'")]);
        let ip = rule("'ip'", "", &[("200d", KEEPS), ("", "'redact'")]);
        let rules = format!("pseudonyms.keyring = 'k.toml'\n{ipv6}{ip}");
        let once = walked(&rules, &line("198.51.100.71 to 2001:db8:fb6b:355e::2fc8"), &["2026-06-02"]);
        assert!(once.contains("@198.51.100.0/24] to 2001:db8:fb6b::"), "{once}");
        assert_eq!(walked(&rules, &once, &["2026-06-02"]), once);
    }
}

/// What the manual says of rules that leave the same.
#[test]
fn rules_that_leave_the_same_are_told_apart_by_their_order_or_by_what_they_leave() {
    let ladder = [("30d", "'hash'"), ("", "'redact'")];
    let user = "[[rule]]\nfield = ['user']\nas = 'email'\nretain = [{ until = '30d', action = 'hash' }, { action = 'redact' }]\n";
    let json = |user: &str| format!("{{\"ts\":\"2026-03-01T00:00:00Z\",\"user\":\"{user}\"}}");
    let emails = rule("'email'", "", &[("", "'hash'")]);
    leaves(&format!("{user}{emails}"), &json("alice77"), &json("[email]"));
    let [ipv4, ipv6] = [rule("'ipv4'", "", &ladder), rule("'ipv6'", "", &[("", "'hash'")])];
    leaves(&(ipv4 + &ipv6), &line("::ffff:203.0.113.7"), &line("[ipv4]"));
    for longer in ["{ hash = { scope = 'forever' } }", KEEPS, "'encrypt'"] {
        let some = rule("'ip'", "only = { networks = ['10.0.0.0/8'] }", &[("", longer)]);
        let rules = format!("pseudonyms.keyring = 'k.toml'\n{some}{}", rule("'ip'", "", &ladder));
        let walk = |value: &str| {
            let dates = ["2026-03-02", "2026-06-02"];
            [&dates[1..], &dates[..]].map(|dates| under_two_keys(&rules, &line(value), dates))
        };
        let [late, walked] = walk("203.0.113.7");
        assert_eq!((late.as_str(), walked.as_str()), (line("[ipv4]").as_str(), line("[ipv4]").as_str()));
        let [late, walked] = walk("10.1.2.3");
        assert!(late == walked && !late.contains("[ipv4]") && !late.contains("10.1.2.3"), "{late}");
    }
}

/// What is left of a line at these dates, with one key for a period and another one for ever.
fn under_two_keys(rules: &str, line: &str, dates: &[&str]) -> String {
    let key = |seed: u8| HashKey::new(&[seed; 32]);
    let period = KeyPeriod { from: None, until: None, id: key(7).id().to_owned(), key: Some(key(7)) };
    let keys = Keys::new(vec![period], Some(key(8)), Vec::new());
    let policy = Policy::from_toml(rules, "test", Some(Path::new("."))).unwrap();
    let scrubber = Scrubber::with_keys(Arc::new(policy), Some(keys));
    dates.iter().fold(line.to_owned(), |left, date| {
        let mut out = Vec::new();
        let mut scrubber = scrubber.clone().at(stamp(at(&format!("{date}T00:00:00Z"))));
        scrubber.scrub(left.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    })
}

/// Ladders that are legal for what they are about, whichever of their steps are left out.
const CHAINS: &[&[&str]] = &[
    &["'keep'", "'encrypt'", "'hash'", "'redact'", "'drop'"],
    &["'keep'", "'encrypt'", KEEPS, "'truncate'", "'hash'", "'redact'"],
    &["'keep'", KEEPS, "'truncate'", "{ truncate = { ipv4 = 16, ipv6 = 32 } }", "'redact'", "'drop'"],
    &["'keep'", "{ hash = { scope = 'forever' } }", "'redact'"],
    &["'keep'", "{ hash = { keep = 'domain' } }", "'truncate'", "'redact'"],
    &["'keep'", "{ truncate = { pseudonymise = 'prefix' } }", "'redact'"],
];

/// Which values a rule is about, or which field.
const COVERS: &[&str] = &[
    "find = ['ip']",
    "find = ['ipv4']",
    "find = ['ipv6']",
    "find = ['email']",
    "find = ['ip', 'email']",
    "find = ['ip']\nonly = { networks = ['10.0.0.0/8', '2001:db8::/48'] }",
    "find = ['ip']\nunless = { networks = ['10.0.0.0/8'] }",
    "find = ['ipv6']\nonly = { networks = ['198.51.0.0/16'] }",
    "find = ['email']\nonly = { domains = ['example.org'] }",
    "find = ['email']\nunless = { domains = ['example.org'] }",
    "find = ['ip', 'email']\nin = ['msg']",
    "find = ['ip']\nwhen = { level = 'info' }",
    "find = ['ip']\nnot_in = ['user']",
    "field = ['user']\nas = 'email'",
    "field = ['user']\nas = 'ipv4'",
    "field = ['user']\nas = 'user_id'",
];

const LINES: [&str; 3] = [
    "{\"ts\":\"2026-03-01T00:00:00Z\",\"level\":\"info\",\"user\":\"<V>\",\"msg\":\"of <V> and <W>\"}\n",
    "{\"ts\":\"2026-03-01T00:00:00Z\",\"level\":\"warn\",\"msg\":\"<V>\",\"user\":\"x <W>\"}\n",
    "2026-03-01T00:00:00Z from <V> to <W>\n",
];

const VALUES: [&str; 9] = [
    "198.51.100.7",
    "10.1.2.3",
    "::ffff:198.51.100.7",
    "::ffff:10.1.2.3",
    "2001:db8:0:355e::2fc8",
    "2001:db8:fb6b:355e::2fc8",
    "ana@example.com",
    "ana@mail.example.org",
    "alice77",
];

/// The steps hold from these dates on.
const ENDS: [&str; 6] = ["10d", "30d", "60d", "100d", "150d", "200d"];
const WALK: [&str; 7] =
    ["2026-03-02", "2026-03-20", "2026-04-10", "2026-05-10", "2026-06-20", "2026-08-10", "2026-11-01"];

fn any_rule() -> impl Strategy<Value = String> {
    let steps = select(CHAINS).prop_flat_map(|acts| subsequence(acts.to_vec(), 1..=acts.len()));
    let steps = steps.prop_flat_map(|acts| {
        let ends = subsequence(ENDS.to_vec(), acts.len() - 1);
        (Just(acts), ends)
    });
    (select(COVERS), steps, weighted(0.1)).prop_map(|(covers, (acts, ends), binding)| {
        let ends = ends.into_iter().map(|end| format!("until = '{end}', ")).chain([String::new()]);
        let steps = acts.iter().zip(ends).map(|(act, end)| format!("{{ {end}action = {act} }}"));
        let steps: Vec<String> = steps.collect();
        let binding = if binding { "binding = true\n" } else { "" };
        format!("[[rule]]\n{covers}\n{binding}retain = [{}]\n", steps.join(", "))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4 * cases(), failure_persistence: None, max_shrink_iters: 2000, ..ProptestConfig::default() })]

    /// Whatever rules overlap: a second run at the same date finds nothing to do, no record is withheld, and lane and judge
    /// agree.
    #[test]
    fn nothing_is_left_to_do_at_the_same_date(
        rules in vec(any_rule(), 1..4), line in select(&LINES[..]), values in [select(&VALUES[..]), select(&VALUES[..])], dates in subsequence(WALK.to_vec(), 1..4),
    ) {
        let names = |rule: &String, at: usize| rule.replace("[[rule]]", &format!("[[rule]]\nname = 'r{at}'"));
        let rules: String = rules.iter().enumerate().map(|(at, rule)| names(rule, at)).collect();
        let rules = format!("pseudonyms.keyring = 'k.toml'\n{rules}");
        if Policy::from_toml(&rules, "test", Some(Path::new("."))).is_err() {
            return Ok(());
        }
        let line = line.replace("<V>", values[0]).replace("<W>", values[1]);
        let mut left = line.clone();
        for date in dates {
            left = walked(&rules, &left, &[date]);
            prop_assert!(!left.contains("withheld"), "{rules}{line}{left}");
            prop_assert_eq!(walked(&rules, &left, &[date]), left.clone(), "again at {} under {}{}", date, rules, line);
        }
    }

    /// One rule by itself: whichever steps no run fell into, a walk is one run at its end.
    #[test]
    fn a_walk_by_one_rule_is_one_run_at_its_end(
        rule in any_rule(), line in select(&LINES[..]), values in [select(&VALUES[..]), select(&VALUES[..])], dates in subsequence(WALK.to_vec(), 1..5),
    ) {
        let rules = format!("pseudonyms.keyring = 'k.toml'\n{rule}");
        if Policy::from_toml(&rules, "test", Some(Path::new("."))).is_err() {
            return Ok(());
        }
        let line = line.replace("<V>", values[0]).replace("<W>", values[1]);
        let once = walked(&rules, &line, &dates[dates.len() - 1..]);
        prop_assert_eq!(walked(&rules, &line, &dates), once, "{:?} under {}{}", dates, rules, line);
    }
}
