//! What parses as JSON still does after; only the insides of strings and numbers have changed.
#![no_main]

#[path = "../../tests/logs/mod.rs"]
mod logs;
#[path = "../../tests/reference/mod.rs"]
mod reference;
mod scrubbers;

use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// Policies that change values and drop none.
const POLICIES: [usize; 4] = [0, 1, 3, 5];

fuzz_target!(|data: &[u8]| {
    let [choice, record @ ..] = data else { return };
    let parsed = serde_json::from_slice::<Value>(record);
    if record.contains(&b'\n') || !parsed.is_ok_and(|value| value.is_object() || value.is_array()) {
        return;
    }
    let mut scrubber = scrubbers::ALL[POLICIES[usize::from(*choice) % POLICIES.len()]].clone();
    let mut out = Vec::new();
    scrubber.scrub(record, &mut out);
    if scrubber.take_tally().withheld == 0 {
        let (before, after) = (scrubbers::shown(record), scrubbers::shown(&out));
        assert!(serde_json::from_slice::<Value>(&out).is_ok(), "{after} from {before}");
        assert_eq!(skeleton(record), skeleton(&out), "{after} from {before}");
    }
});

/// The record with every string and number as `_`.
fn skeleton(record: &[u8]) -> String {
    let token = regex::bytes::Regex::new(r#"(?-u)"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*"#).expect("a regex");
    scrubbers::shown(&token.replace_all(record, b"_".as_slice()))
}
