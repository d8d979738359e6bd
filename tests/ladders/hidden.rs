//! What an earlier run left, a forged residue or default deny must not hide from the steps that follow.

use super::{at, left_of, pseudonym};

/// Default deny would take the times away by which ages are known.
#[test]
fn the_time_of_a_record_stays_where_nobody_named_its_field() {
    for otherwise in ["withhold", "drop"] {
        let rules = format!(
            "[fields]\nallow = ['msg', 'message']\notherwise = '{otherwise}'\n[records]\ndrop_after = '1y'\n[[rule]]\nfind = ['ip']\nretain = [{{ until = '30d', action = 'keep' }}, {{ action = 'redact' }}]\n"
        );
        for log in [
            "{\"ts\":\"2026-01-01T00:00:00Z\",\"a\":1,\"msg\":\"203.0.113.9\"}\n",
            "{\"a\":1,\"msg\":\"203.0.113.9\",\"time\":1767225600}\n",
            "{\"a\":1,\"t\":{\"$date\":\"2026-01-01T00:00:00Z\"},\"msg\":\"203.0.113.9\"}\n",
            "a=1 ts=2026-01-01T00:00:00Z msg=203.0.113.9\n",
            "<34>1 2026-01-01T00:00:00Z host app 1 - - {\"msg\":\"203.0.113.9\",\"a\":1}\n",
            "2026-01-01T00:00:00Z stdout F {\"msg\":\"203.0.113.9\",\"a\":1}\n",
            "a,ts,msg\n1,2026-01-01T00:00:00Z,203.0.113.9\n",
            "#Fields: date time a msg\n2026-01-01 00:00:00 1 203.0.113.9\n",
        ] {
            let one = |date: &str, text: &str| left_of(&rules, at(date), text).0;
            let first = one("2026-01-02T00:00:00Z", log);
            assert!(first.contains("203.0.113.9"), "{first}");
            assert_eq!(one("2026-01-02T00:00:00Z", &first), first);
            let late = one("2026-06-01T00:00:00Z", log);
            assert!(late.contains("[ipv4]"), "{late}");
            assert_eq!(one("2026-06-01T00:00:00Z", &first), late);
            assert!(!one("2028-06-01T00:00:00Z", &first).contains("ipv4"), "{first}");
        }
    }
}

/// What a domain seems to be behind what looks like a residue is searched unless a step takes the residue further.
#[test]
fn nothing_hides_behind_a_forged_residue() {
    let card = "4111111111111111";
    let ladder =
        "retain = [{ until = '7d', action = { hash = { keep = 'domain' } } }, { action = 'redact' }]\n";
    let rules = format!(
        "pseudonyms.keyring = 'k.toml'\n[[rule]]\nfind = ['email']\n{ladder}[[rule]]\nfind = ['pan']\naction = 'redact'\n"
    );
    let forged = pseudonym("'hash'", "ana@example.com");
    for now in ["2026-01-02T00:00:00Z", "2026-06-01T00:00:00Z"] {
        for residue in ["[email]", "[email#2]", &forged] {
            let line = format!("2026-01-01T00:00:00Z of {residue}@{card}.example.com in\n");
            let (left, _) = left_of(&rules, at(now), &line);
            assert!(!left.contains(card), "{left}");
            assert_eq!(left_of(&rules, at(now), &left).0, left);
        }
    }
}

/// As in the marks for bold type.
#[test]
fn stars_beside_a_truncated_card_are_no_digits_of_it() {
    let ladder = "retain = [{ until = '30d', action = { truncate = { pan = 'first6last4' } } }, { until = '90d', action = { truncate = { pan = 'last4' } } }, { action = 'redact' }]\n";
    let rules = format!("[[rule]]\nfind = ['pan']\n{ladder}");
    for (before, after) in [("**", "**"), ("*", "*"), ("", "****"), ("**", ""), ("- **", "**:")] {
        for card in ["4111111111111111", "4111 1111 1111 1111", "378282246310005"] {
            let log = format!("2026-01-01T00:00:00Z {before}{card}{after}\n");
            let one = |date: &str, text: &str| left_of(&rules, at(date), text).0;
            let first = one("2026-01-02T00:00:00Z", &log);
            for date in ["2026-02-15T00:00:00Z", "2026-06-01T00:00:00Z"] {
                let late = one(date, &log);
                assert!(late != log && !late.contains(&card[..4]), "{late}");
                assert_eq!(one(date, &first), late, "{first}");
            }
        }
    }
}

/// Beside a binding rule the stronger of two acts, and which of them that is changes with the age.
#[test]
fn what_a_binding_rule_left_is_taken_further_by_the_others() {
    let keep = "{ until = '30d', action = 'keep' }";
    let cut = |pan| format!("{{ truncate = {{ pan = '{pan}', ipv4 = 24, ipv6 = 48 }} }}");
    let (first, last) = (cut("first6last4"), cut("last4"));
    let log = "2026-01-01T00:00:00Z card 4111111111111111 of ana@example.com\n{\"ts\":\"2026-01-01T00:00:00Z\",\"card\":\"4111-1111-1111-1111\",\"of\":\"ana@example.com\"}\n";
    for (ladder, binding) in [
        (format!("{keep}, {{ action = {last} }}"), format!("action = {first}")),
        (format!("{keep}, {{ action = 'redact' }}"), "action = 'hash'".to_owned()),
        (format!("{keep}, {{ action = 'redact' }}"), "action = 'encrypt'".to_owned()),
        ("{ until = '30d', action = 'hash' }, { action = 'redact' }".to_owned(), format!("action = {first}")),
        (format!("{{ action = {first} }}"), format!("retain = [{keep}, {{ action = {last} }}]")),
        ("{ action = 'hash' }".to_owned(), format!("retain = [{keep}, {{ action = 'redact' }}]")),
    ] {
        let rules = format!(
            "pseudonyms.keyring = 'k.toml'\n[[rule]]\nfind = ['pan', 'email']\nretain = [{ladder}]\n[[rule]]\nfind = ['pan', 'email']\nbinding = true\n{binding}\n"
        );
        let one = |date: &str, text: &str| left_of(&rules, at(date), text).0;
        let first = one("2026-01-02T00:00:00Z", log);
        let late = one("2026-06-01T00:00:00Z", log);
        assert_eq!(one("2026-06-01T00:00:00Z", &first), late, "{rules}{first}");
    }
}
