//! Logs of everything that carries over from record to record, mixed: the output depends on nothing but the input.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{self, Read, Write};
use std::sync::{Arc, LazyLock};

use logscrub::policy::Policy;
use logscrub::scrub::Scrubber;
use logscrub::stream::input::Source;
use logscrub::stream::{Input, ScrubWriter, Settings, Watch, drive};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Lines, and what is longer than a line; of what spans lines also the single lines.
const PIECES: [&[u8]; 45] = [
    b"2026-01-01T00:00:00Z stdout P mail ana@exam\n",
    b"2026-01-01T00:00:00Z stdout P 4111 1111\n",
    b"2026-01-01T00:00:00Z stdout F  1111 1111\n",
    b"2026-01-01T00:00:00Z stdout F ple.com user=bob\n",
    b"2026-01-01T00:00:00Z stderr P user=al\n",
    b"2026-01-01T00:00:00Z stderr F ice password=x\n",
    b"2026-01-01T00:00:00Z stdout F -----BEGIN RSA PRIVATE KEY-----\n",
    b"2026-01-01T00:00:00Z stdout P -----BEGIN RSA PRIVATE KEY-----\n",
    b"2026-01-01T00:00:00Z stdout F MIIEowIBAAKCAQEAy8Dbv8prpJ\n",
    b"2026-01-01T00:00:00Z stdout F -----END RSA PRIVATE KEY-----\n",
    b"{\"log\":\"4111 1111\",\"stream\":\"stdout\",\"time\":\"2026-01-01T00:00:00Z\"}\n",
    b"{\"log\":\" 1111 1111\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-01T00:00:00Z\"}\n",
    b"{\"log\":\"{\\\"user\\\":\\\"bob\\\"}\\n\",\"stream\":\"stderr\",\"time\":\"2026-01-01T00:00:00Z\"}\n",
    b"__CURSOR=s=1;i=2\n",
    b"MESSAGE=login of ana@example.com user=bob\n",
    b"MESSAGE\n\x15\0\0\0\0\0\0\0from 192.0.2.17\nagain\n\n",
    b"MESSAGE\n\x0a\0\0\0\0\0\0\0user=bob\n\n\n",
    b"MESSAGE\n\xff\x01\0\0\0\0\0\0user=bob\n\n\n",
    b"MESSAGE\n",
    b"\n",
    b"\r\n",
    b"user,email,note\n",
    b"bob,ana@example.com,x\n",
    b"\"bo\"\"b\",\"192.0.2.17\",\"user=x\"\n",
    b"id;user\n",
    b"1;bob\n",
    b"#Software: x\n",
    b"#Fields: date c-ip cs-username\n",
    b"#Fields: cs-username date\n",
    b"2026-01-01 192.0.2.17 bob\n",
    b"bob 2026-01-01\n",
    b"-----BEGIN PRIVATE KEY-----\n",
    b"MIIEowIBAAKCAQEAy8Dbv8prpJ\n",
    b"-----END PRIVATE KEY-----\n",
    b"83 <34>1 2026-01-01T00:00:00Z host app 1 - - user=bob\n",
    b"40 <34>1 2026-01-01T00:00:00Z h a 1 - - 4111 11111111 1111\n",
    b"{\"__CURSOR\":\"a\",\"MESSAGE\":[117,115,101,114,61,98,111,98],\"_PID\":\"1\",\"__REALTIME_TIMESTAMP\":\"1\"}\n",
    b"{\"user\":\"bob\",\"n\":[97,64,98,46,99,111]}\n",
    b"{\"pem\":\"-----BEGIN PRIVATE KEY-----\\nMIIEowIBAAKCAQEAy8Dbv8prpJ\"}\n",
    b"192.0.2.17 - bob [01/Mar/2026:10:00:00 +0000] \"GET /?user=bob HTTP/1.1\" 200 1 \"-\" \"x\"\n",
    b"text \xff\xfe\0 user=bob 4111111111111111\n",
    b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx 192.0.2.17 user=bob\n",
    b"2026-01-01T00:00:00Z stdout P xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx 192.0.2.17\n",
    b"MIIEowIBAAKCAQEAy8Dbv8prpJMIIEowIBAAKCAQEAy8Dbv8prpJMIIEowIBAAKCAQEAy8Dbv8prpJMIIEowIBAAKCAQEAy8Dbv8prpJMIIEowIBAAKCAQEAy8Dbv8prpJ\n",
    b"plain text\n",
];

const FORMATS: [&str; 8] = ["auto", "auto", "auto", "cri", "docker", "csv", "w3c", "journal"];

const RULES: [&str; 5] = [
    "[[rule]]\nfind = ['all']\naction = 'redact'",
    "[[rule]]\nfield = ['user', 'password', 'cs-username']\naction = 'redact'\n[[rule]]\nfind = ['all']\naction = 'mask'",
    "[[rule]]\nfield = ['user', 'cs-username']\naction = 'drop'\n[[rule]]\nfind = ['pan']\naction = 'truncate'",
    "[[rule]]\nfind = ['private_key']\naction = 'redact'",
    "[[rule]]\nfind = ['email']\nin = ['note', 'email']\naction = 'redact'\n[[rule]]\nfield = ['user']\naction = 'mask'",
];

static SCRUBBERS: LazyLock<Vec<Vec<Scrubber>>> = LazyLock::new(|| {
    let of = |format: &str, rules: &str| {
        let rules = format!("input.format = '{format}'\n{rules}");
        let policy = Policy::from_toml(&rules, "test", None).unwrap_or_else(|faults| panic!("{faults}"));
        Scrubber::new(Arc::new(policy), None)
    };
    let all = |format: &&str| RULES.iter().map(|rules| of(format, rules)).collect();
    FORMATS.iter().map(all).collect()
});

/// Returns so many bytes a read.
struct Slow(Vec<u8>, usize, usize);

impl Read for Slow {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.2.min(into.len()).min(self.0.len() - self.1);
        into[..count].copy_from_slice(&self.0[self.1..self.1 + count]);
        self.1 += count;
        Ok(count)
    }
}

impl Source for Slow {}

fn driven(scrubber: &Scrubber, logs: &[&[u8]], most: usize, settings: (usize, usize, usize)) -> Vec<u8> {
    let (threads, max_record, block_bytes) = settings;
    let settings = Settings { threads, max_record, block_bytes };
    let mut out = Vec::new();
    let inputs: Vec<_> = logs.iter().map(|log| Ok(Input::new("fake", Slow(log.to_vec(), 0, most)))).collect();
    let outcome = drive(inputs, scrubber.clone(), &mut out, &mut Watch::default(), &settings);
    outcome.output.unwrap();
    out
}

fn written(scrubber: &Scrubber, log: &[u8], most: usize) -> Vec<u8> {
    let mut writer = ScrubWriter::new(scrubber.clone(), Vec::new());
    log.chunks(most).for_each(|chunk| writer.write_all(chunk).unwrap());
    writer.finish().unwrap()
}

fn log() -> impl Strategy<Value = Vec<u8>> {
    let at_first = prop_oneof![3 => Just(usize::MAX), 1 => select(vec![10, 13, 21, 27])];
    let pieces = vec(select(PIECES.to_vec()), 0..40);
    let few = vec(select(PIECES.to_vec()), 1..6);
    // Of few kinds, so that something comes together.
    let of_few = (few, vec(any::<usize>(), 0..50))
        .prop_map(|(few, which)| which.iter().map(|at| few[at % few.len()]).collect::<Vec<_>>());
    (at_first, prop_oneof![pieces, of_few], 0..3usize).prop_map(|(at, pieces, cut)| {
        let mut log = PIECES.get(at).unwrap_or(&&b""[..]).to_vec();
        log.extend(pieces.concat());
        log.truncate(log.len().saturating_sub(cut));
        log
    })
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).escape_debug().to_string().replace("\\n", "\n")
}

/// More of them find rarer faults: set `LOGSCRUB_CASES`.
fn cases() -> u32 {
    std::env::var("LOGSCRUB_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(100)
}

/// Where the first lines do not tell that text stands as numbers, no header makes it be looked for.
#[test]
fn numbers_are_text_in_a_known_journal_alone() {
    let entry = PIECES.iter().find(|piece| piece.starts_with(b"{\"__CURSOR\"")).unwrap();
    let log = [PIECES[0], entry, b"user,email,note\n"].concat();
    let scrubber = &SCRUBBERS[0][1];
    assert_eq!(shown(&driven(scrubber, &[&log], 1, (1, 1 << 20, 1))), shown(&log));
    assert_eq!(shown(&driven(scrubber, &[&log], usize::MAX, (1, 1 << 20, 1 << 17))), shown(&log));
    assert_ne!(shown(&driven(scrubber, &[entry], usize::MAX, (1, 1 << 20, 1 << 17))), shown(entry));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_output_depends_on_the_input_alone(
        format in 0..FORMATS.len(),
        rules in 0..RULES.len(),
        first in log(),
        second in log(),
        // No field of the export is longer: of such what goes out line by line, and what is withheld, depends on blocks.
        max_record in prop_oneof![1 => Just(1usize << 20), 2 => 64..400usize],
    ) {
        let scrubber = &SCRUBBERS[format][rules];
        let alone = |log: &[u8]| driven(scrubber, &[log], usize::MAX, (1, max_record, 1 << 17));
        let expected = alone(&first);
        for (most, threads, block_bytes) in [(1, 1, 1 << 17), (usize::MAX, 1, 1), (7, 1, 64), (100, 1, 1 << 17), (50, 3, 128), (usize::MAX, 2, 200)] {
            let out = driven(scrubber, &[&first], most, (threads, max_record, block_bytes));
            prop_assert_eq!(shown(&out), shown(&expected), "{} {} {} max_record {}: {}", most, threads, block_bytes, max_record, shown(&first));
        }
        let by_year = driven(&scrubber.clone().by_year(), &[&first], usize::MAX, (2, max_record, 300));
        prop_assert_eq!(shown(&by_year), shown(&expected), "by year, max_record {}: {}", max_record, shown(&first));
        let slow = scrubber.clone().judging_every_record();
        let judged = driven(&slow, &[&first], usize::MAX, (1, max_record, 1 << 17));
        prop_assert!(judged == expected, "judged {} otherwise {} max_record {}: {}", shown(&judged), shown(&expected), max_record, shown(&first));

        let mut both = expected.clone();
        if both.last().is_some_and(|last| *last != b'\n') && !second.is_empty() { both.push(b'\n'); }
        both.extend(alone(&second));
        for (most, threads, block_bytes) in [(usize::MAX, 1, 1 << 17), (9, 2, 100)] {
            let out = driven(scrubber, &[&first, b"", &second], most, (threads, max_record, block_bytes));
            prop_assert_eq!(shown(&out), shown(&both), "two inputs {} {} {}", most, threads, block_bytes);
        }
        if max_record == 1 << 20 {
            let mut whole = Vec::new();
            scrubber.clone().scrub(&first, &mut whole);
            prop_assert_eq!(shown(&whole), shown(&expected));
            for most in [1, 13, 1000] {
                prop_assert_eq!(shown(&written(scrubber, &first, most)), shown(&expected), "writer {}", most);
            }
        }
    }
}
