//! What field rules make of a record, for tests of formats.

use std::sync::Arc;

use logscrub::policy::Policy;
use logscrub::scrub::Scrubber;
use proptest::prelude::*;
use proptest::sample::select;

/// An action, as a rules file has it, and what it leaves of a value; nothing where it drops.
pub(crate) type Acts = (&'static str, Option<&'static str>);

pub(crate) fn acts() -> impl Strategy<Value = Acts> {
    select(vec![
        ("'redact'", Some("[field]")),
        ("'drop'", None),
        (r#"{ redact = { with = 'a "b" <c>\ d=e|f &' } }"#, Some(r#"a "b" <c>\ d=e|f &"#)),
    ])
}

/// The record after a rule about these fields, and again after another run, which changes nothing.
pub(crate) fn scrubbed(record: &str, fields: &[&str], acts: Acts) -> String {
    let rules = format!("[[rule]]\nfield = {fields:?}\nelsewhere = 'no'\naction = {}\n", acts.0);
    let policy = Policy::from_toml(&rules, "formats", None).unwrap();
    let mut scrubber = Scrubber::new(Arc::new(policy), None);
    let (mut out, mut again) = (Vec::new(), Vec::new());
    scrubber.scrub(record.as_bytes(), &mut out);
    scrubber.scrub(&out, &mut again);
    assert_eq!(scrubber.take_tally().withheld, 0, "{record}");
    assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(&out), "from {record}");
    String::from_utf8(out).unwrap()
}
