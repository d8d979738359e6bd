//! Scrubbers under ladders, each at a moment of its own choice, with keys by period.
#![allow(dead_code)]

use std::path::Path;
use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use logscrub::action::hash::HashKey;
use logscrub::action::keys::{KeyPeriod, Keys};
use logscrub::policy::Policy;
use logscrub::scrub::Scrubber;

/// Moments in the order of time.
pub const DATES: [&str; 4] =
    ["2026-03-01T00:00:00Z", "2026-05-31T12:00:00Z", "2027-02-28T23:59:59Z", "2031-01-01T00:00:00Z"];

/// A policy under ladders.
pub struct Ladder {
    rules: &'static str,
    /// To be scrubbed on the way leaves what one late run leaves.
    pub walks: bool,
    /// No record goes.
    pub keeps_records: bool,
}

const fn walk(rules: &'static str) -> Ladder {
    Ladder { rules, walks: true, keeps_records: true }
}

const fn drops(rules: &'static str) -> Ladder {
    Ladder { rules, walks: false, keeps_records: false }
}

pub const LADDERS: [Ladder; 12] = [
    walk("
[[rule]]
find   = ['ip']
retain = [{ until = '7d', action = 'keep' }, { until = '3mo', action = { truncate = { ipv4 = 24, ipv6 = 64 } } }, { until = '1y', action = { truncate = { ipv4 = 16, ipv6 = 48 } } }, { action = 'redact' }]
"),
    walk("
pseudonyms.keyring = 'k.toml'
[[rule]]
find   = ['email']
retain = [{ until = '30d', action = 'keep' }, { until = '6mo', action = { hash = { keep = 'domain' } } }, { until = '2y', action = { truncate = { email = 'domain' } } }, { action = 'redact' }]
"),
    // A time ahead of now is none, and the record is old until it is behind now.
    Ladder {
        walks: false,
        keeps_records: true,
        rules: "
[input]
undated = 'oldest'
[[rule]]
find   = ['pan']
retain = [{ until = '7d', action = 'keep' }, { until = '3mo', action = { truncate = { pan = 'first6last4' } } }, { until = '1y', action = { truncate = { pan = 'last4' } } }, { action = 'redact' }]
",
    },
    walk("
pseudonyms.keyring = 'k.toml'
[[rule]]
find   = ['ip']
retain = [{ until = '7d', action = 'encrypt' }, { until = '1y', action = 'hash' }, { action = 'redact' }]
"),
    walk("
pseudonyms.keyring = 'k.toml'
[input]
undated = 'newest'
[[rule]]
find   = ['ip']
retain = [{ until = '3mo', action = { hash = { keep = '/24' } } }, { until = '1y', action = { truncate = { ipv4 = 16, ipv6 = 32 } } }, { action = 'redact' }]
"),
    walk("
[[rule]]
find   = ['record_time']
retain = [{ until = '7d', action = 'keep' }, { until = '3mo', action = { truncate = { time = 'hour' } } }, { until = '1y', action = { truncate = { time = 'day' } } }, { action = { truncate = { date = 'month' } } }]
"),
    // What a rule finds may lie over what another finds: then age decides who acts.
    Ladder {
        walks: false,
        keeps_records: true,
        rules: "
pseudonyms.keyring = 'k.toml'
[[rule]]
find   = ['ip']
retain = [{ until = '7d', action = 'keep' }, { until = '3mo', action = 'truncate' }, { until = '1y', action = 'hash' }, { action = 'redact' }]
[[rule]]
find   = ['email']
retain = [{ until = '3mo', action = 'hash' }, { action = 'redact' }]
[[rule]]
find   = ['pan']
retain = [{ until = '1y', action = 'truncate' }, { action = 'drop' }]
",
    },
    Ladder {
        walks: false,
        keeps_records: true,
        rules: "
[input]
time = 'ts'
undated = 'withhold'
[[rule]]
field  = ['user', 'ip', 'client.**']
retain = [{ until = '7d', action = 'keep' }, { action = 'redact' }]
[[rule]]
find   = ['all']
retain = [{ until = '3mo', action = 'keep' }, { action = 'redact' }]
",
    },
    Ladder {
        walks: false,
        keeps_records: true,
        rules: "
[input]
zone = '+02:00'
undated = 'file'
[[rule]]
find   = ['record_time']
retain = [{ until = '7d', action = 'keep' }, { action = { truncate = { date = 'month' } } }]
[[rule]]
find   = ['all']
retain = [{ until = '7d', action = 'keep' }, { until = '3mo', action = 'truncate' }, { action = 'redact' }]
",
    },
    drops("
[records]
drop_after    = '13mo'
keep_at_least = '12mo'
[[rule]]
find   = ['all']
retain = [{ until = '7d', action = 'keep' }, { action = 'redact' }]
"),
    drops("
[input]
undated = 'arrival'
[records]
drop_after = '90d'
[[rule]]
find   = ['ip']
action = 'truncate'
"),
    drops("
[records]
drop_after    = '2y'
keep_at_least = '30d'
[[rule]]
find   = ['pan']
retain = [{ until = '6mo', action = 'keep' }, { action = 'drop_record' }]
[[rule]]
find   = ['ip', 'email']
retain = [{ until = '7d', action = 'keep' }, { action = 'drop' }]
"),
];

/// `all`: none of them is forgotten.
fn keys(all: bool) -> Keys {
    let period = |from: Option<&str>, until: Option<&str>, byte: Option<u8>| {
        let moment = |text: &str| text.parse::<Timestamp>().expect("a moment");
        let key = byte.map(|byte| HashKey::new(&[byte; 32]));
        let id = key.as_ref().map_or("zzzzzz", HashKey::id).to_owned();
        KeyPeriod { from: from.map(moment), until: until.map(moment), id, key }
    };
    let (first, second, third) =
        (Some("2025-01-01T00:00:00Z"), Some("2025-09-01T00:00:00Z"), Some("2026-02-01T00:00:00Z"));
    let periods = vec![
        period(None, first, Some(1)),
        period(first, second, Some(2)),
        period(second, third, all.then_some(3)),
        period(third, None, Some(4)),
    ];
    Keys::new(periods, Some(HashKey::new(&[7; 32])), Vec::new())
}

/// By ladder, then by date.
pub static ALL: LazyLock<Vec<Vec<Scrubber>>> = LazyLock::new(|| {
    let of = |ladder: &Ladder| {
        let policy = Policy::from_toml(ladder.rules, "fuzz", Some(Path::new(".")));
        let policy = Arc::new(policy.unwrap_or_else(|faults| panic!("{faults}")));
        let at = |date: &str| {
            let scrubber = Scrubber::with_keys(Arc::clone(&policy), Some(keys(ladder.walks)));
            scrubber.at(date.parse().expect("a moment"))
        };
        DATES.map(at).to_vec()
    };
    LADDERS.iter().map(of).collect()
});

/// A ladder and its scrubbers by date.
pub fn chosen(choice: u8) -> (&'static Ladder, &'static [Scrubber]) {
    let at = usize::from(choice) % LADDERS.len();
    (&LADDERS[at], &ALL[at])
}

/// What is left of a log, and how many records were withheld and dropped.
pub fn scrub(scrubber: &Scrubber, log: &[u8]) -> (Vec<u8>, [u64; 4]) {
    let (mut scrubber, mut out) = (scrubber.clone(), Vec::new());
    scrubber.scrub(log, &mut out);
    let tally = scrubber.take_tally();
    (out, [tally.records, tally.changed, tally.withheld, tally.dropped])
}
