//! Exports of the journal before and after, by a reader of a few lines.

use std::sync::Arc;

use logscrub::policy::Policy;
use logscrub::scrub::Scrubber;
use logscrub::stream::block::Cutter;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

type Entry = Vec<(String, Vec<u8>)>;

/// Writes entries; a field of which the length is to be written, or has to be, is written so.
fn export(entries: &[Entry], with_length: &[bool]) -> Vec<u8> {
    let (mut out, mut with_length) = (Vec::new(), with_length.iter().cycle());
    for entry in entries {
        for (name, data) in entry {
            out.extend_from_slice(name.as_bytes());
            if name != "__CURSOR" && (*with_length.next().unwrap() || data.contains(&b'\n')) {
                out.push(b'\n');
                out.extend_from_slice(&(data.len() as u64).to_le_bytes());
            } else {
                out.push(b'=');
            }
            out.extend_from_slice(data);
            out.push(b'\n');
        }
        out.push(b'\n');
    }
    out
}

fn entries(mut export: &[u8]) -> Vec<Entry> {
    let (mut entries, mut entry) = (Vec::new(), Vec::new());
    while !export.is_empty() {
        let line = export.iter().position(|byte| *byte == b'\n').expect("a line feed");
        let (head, rest) = (&export[..line], &export[line + 1..]);
        export = rest;
        if head.is_empty() {
            entries.push(std::mem::take(&mut entry));
        } else if let Some(equals) = head.iter().position(|byte| *byte == b'=') {
            entry.push((String::from_utf8(head[..equals].to_vec()).unwrap(), head[equals + 1..].to_vec()));
        } else {
            let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
            assert_eq!(rest[8 + length], b'\n');
            entry.push((String::from_utf8(head.to_vec()).unwrap(), rest[8..8 + length].to_vec()));
            export = &rest[8 + length + 1..];
        }
    }
    assert!(entry.is_empty());
    entries
}

/// What stands in a field, and what is to be left of it.
const WORDS: [(&str, &str); 7] = [
    ("jane@example.com", "[email]"),
    ("203.0.113.9", "[ipv4]"),
    ("4111 1111 1111 1111", "[pan]"),
    ("word", "word"),
    ("FOO=bar", "FOO=bar"),
    ("é\u{1b}[0m", "é\u{1b}[0m"),
    ("__CURSOR", "__CURSOR"),
];

/// Cut into blocks of what so many bytes bring.
fn scrub(format: &str, log: &[u8], read: usize) -> Vec<u8> {
    let rules = format!(
        "input.format = '{format}'\n[[rule]]\nfield = ['journal._CMDLINE']\naction = 'redact'\n[[rule]]\nfield = ['journal.NOTE']\naction = 'drop'\n\
         [[rule]]\nfind = ['all']\naction = 'redact'"
    );
    let mut scrubber = Scrubber::new(Arc::new(Policy::from_toml(&rules, "test", None).unwrap()), None);
    let mut cutter = Cutter::new(1 << 20, read).tracked(scrubber.tracker());
    let (mut rest, mut out) = (log, Vec::new());
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let room = cutter.space();
        let count = room.len().min(rest.len());
        room[..count].copy_from_slice(&rest[..count]);
        cutter.filled(count);
        rest = &rest[count..];
        while let Some(part) = cutter.next_part() {
            parts.push(part);
        }
    }
    parts.extend(cutter.finish());
    for part in parts {
        scrubber.go_on(part.carry.clone().expect("a tracker"));
        scrubber.scrub(part.bytes(), &mut out);
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fields_stay_but_for_what_goes_and_lengths_are_true(
        fields in vec((select(&["MESSAGE", "_CMDLINE", "NOTE", "OTHER"][..]), vec((0..WORDS.len(), select(&["\n", " ", "\n\n"][..])), 0..6)), 1..8),
        with_length in vec(any::<bool>(), 1..6),
        named in select(&["auto", "journal", "journal-export"][..]),
        read in select(&[1usize, 7, 100, 1 << 17][..]),
    ) {
        let text = |words: &[(usize, &str)], left: bool| -> Vec<u8> {
            let words = words.iter().map(|(word, gap)| {
                let (before, after) = WORDS[*word];
                format!("{}{gap}", if left { after } else { before })
            });
            words.collect::<String>().into_bytes()
        };
        let entry = |left: bool| {
            let cursor = ("__CURSOR".to_owned(), b"s=1;i=2".to_vec());
            let rest = fields.iter().map(|(name, words)| {
                let data = match *name {
                    "NOTE" if left => Vec::new(),
                    "_CMDLINE" if left && !words.is_empty() => b"[field]".to_vec(),
                    _ => text(words, left),
                };
                ((*name).to_owned(), data)
            });
            [cursor].into_iter().chain(rest).collect::<Entry>()
        };
        let (before, after) = (vec![entry(false); 2], vec![entry(true); 2]);
        let log = export(&before, &with_length);
        prop_assert_eq!(&entries(&log), &before);
        let out = scrub(named, &log, read);
        prop_assert_eq!(entries(&out), after, "{} from {}", out.escape_ascii(), log.escape_ascii());
        let again = scrub(named, &out, 1 << 17);
        prop_assert_eq!(again.escape_ascii().to_string(), out.escape_ascii().to_string());
    }
}
