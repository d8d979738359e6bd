//! What depends on the fields of a record and on where it comes from: `when`, `[fields]`, `[[source]]`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "policy/fields.rs"]
mod fields;
#[path = "policy/sources.rs"]
mod sources;
#[path = "policy/when.rs"]
mod when;

use std::sync::Arc;

use logscrub::policy::Policy;
use logscrub::scrub::Scrubber;
use logscrub::tally::Tally;

fn scrubber(rules: &str) -> Scrubber {
    let policy = Policy::from_toml(rules, "test", None).unwrap_or_else(|faults| panic!("{faults}"));
    Scrubber::new(Arc::new(policy), None)
}

fn scrub(scrubber: &Scrubber, log: &[u8]) -> (Vec<u8>, Tally) {
    let mut scrubber = scrubber.clone();
    let mut out = Vec::new();
    scrubber.scrub(log, &mut out);
    (out, scrubber.take_tally())
}

fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
