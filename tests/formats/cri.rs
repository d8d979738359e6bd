//! Lines of containers before and after field rules, by splitting at blanks.

use std::sync::Arc;

use logscrub::policy::Policy;
use logscrub::scrub::Scrubber;
use proptest::prelude::*;
use proptest::sample::select;

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// The columns are those that the rules leave, and what the message holds is read on.
    #[test]
    fn columns_stay_but_for_those_that_rules_name(
        rules in 0..3usize,
        stream in select(&["stdout", "stderr"][..]),
        tag in select(&["F", "F:x", "P"][..]),
        text in "[a-z =\\[\\]*-]{0,20}",
        json in any::<bool>(),
    ) {
        let rule = [
            "field = ['cri.time', 'user']\naction = 'redact'",
            "field = ['cri.stream', 'user']\naction = 'drop'",
            "field = ['cri.tag', 'user']\naction = { redact = { with = 'x y' } }",
        ][rules];
        let policy = Policy::from_toml(&format!("[[rule]]\n{rule}"), "test", None).unwrap();
        let mut scrubber = Scrubber::new(Arc::new(policy), None);
        let message = if json { serde_json::json!({"a": text, "user": "ann"}).to_string() } else { text };
        let line = format!("2026-01-01T00:00:00Z {stream} {tag} {message}\n");
        let mut out = Vec::new();
        scrubber.scrub(line.as_bytes(), &mut out);
        let out = String::from_utf8(out).unwrap();
        let mut wanted: Vec<&str> = line.splitn(4, ' ').collect();
        wanted[rules] = ["[field]", "-", "\"x_y\""][rules];
        let got: Vec<&str> = out.splitn(4, ' ').collect();
        prop_assert_eq!(&got[..3], &wanted[..3]);
        if json {
            let mut before: serde_json::Value = serde_json::from_str(wanted[3]).unwrap();
            let after: serde_json::Value = serde_json::from_str(got[3]).unwrap();
            match rules {
                1 => { before.as_object_mut().unwrap().remove("user"); }
                _ => before["user"] = serde_json::json!(["[field]", "", "x y"][rules]),
            }
            prop_assert_eq!(before, after);
        } else {
            prop_assert_eq!(got[3], wanted[3]);
        }
        let mut again = Vec::new();
        scrubber.scrub(out.as_bytes(), &mut again);
        prop_assert_eq!(String::from_utf8(again).unwrap(), out);
    }
}
