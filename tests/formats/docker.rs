//! Lines of Docker before and after field rules, by serde_json.

use std::sync::Arc;

use logscrub::policy::Policy;
use logscrub::scrub::Scrubber;
use proptest::prelude::*;
use serde_json::{Value, json};

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// What the message holds is read on, through both layers of escapes; the line feed at its end stays.
    #[test]
    fn members_stay_but_for_those_that_rules_name(
        text in "[a-z \"\\\\é{},:\n-]{0,20}",
        number in any::<u32>(),
        drops in any::<bool>(),
        ends in any::<bool>(),
        attrs in any::<bool>(),
    ) {
        let action = if drops { "drop" } else { "redact" };
        let rule = format!("[[rule]]\nfield = ['user', 'docker.attrs']\nas = 'member'\nelsewhere = 'no'\naction = '{action}'");
        let policy = Policy::from_toml(&rule, "test", None).unwrap();
        let mut scrubber = Scrubber::new(Arc::new(policy), None);
        let end = if ends { "\n" } else { "" };
        let inner = json!({"a": text, "user": {"id": number, "x": text}, "b": number});
        let mut outer = json!({"log": format!("{inner}{end}"), "stream": "stdout"});
        if attrs {
            outer["attrs"] = json!({"tag": "web"});
        }
        outer["time"] = json!("2026-01-01T00:00:00Z");
        let mut out = Vec::new();
        scrubber.scrub(outer.to_string().as_bytes(), &mut out);
        let got: Value = serde_json::from_slice(&out).unwrap();
        let log = got["log"].as_str().unwrap();
        prop_assert_eq!(log.ends_with('\n'), ends);
        let user = if text.is_empty() { json!({"id": "[member]", "x": ""}) } else { json!({"id": "[member]", "x": "[member]"}) };
        let wanted = match drops {
            true => json!({"a": text, "b": number}),
            false => json!({"a": text, "user": user, "b": number}),
        };
        prop_assert_eq!(serde_json::from_str::<Value>(log).unwrap(), wanted);
        prop_assert_eq!((&got["stream"], &got["time"]), (&outer["stream"], &outer["time"]));
        prop_assert_eq!(got.get("attrs").is_some(), attrs && !drops);
    }
}
