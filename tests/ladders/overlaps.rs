//! Rules of which more than one may have left what stands in a record, and steps that no run fell into.

use super::{at, scrubber};

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
