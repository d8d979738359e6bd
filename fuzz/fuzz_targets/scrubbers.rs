//! Scrubbers under the two policies of the reference, then under those of the tests.
#![allow(dead_code)]

use std::path::Path;
use std::sync::{Arc, LazyLock};

use logscrub::action::hash::HashKey;
use logscrub::policy::Policy;
use logscrub::scrub::Scrubber;

pub static ALL: LazyLock<Vec<Scrubber>> = LazyLock::new(|| {
    let simple = crate::reference::scrub::Policy::BOTH.map(|policy| policy.rules());
    let all = simple.into_iter().chain(crate::logs::POLICIES.iter().map(|rules| (*rules).to_owned()));
    let scrubber = |rules: String| {
        let policy = Policy::from_toml(&rules, "fuzz", Some(Path::new("."))).expect("a good policy");
        Scrubber::new(Arc::new(policy), Some(HashKey::new(&[7; 32])))
    };
    all.map(scrubber).collect()
});

pub fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
