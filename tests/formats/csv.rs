//! Separated values against the reader of the crate `csv`, and headers as the scrubber finds them.

use std::sync::Arc;

use logscrub::{Policy, Scrubber};
use proptest::prelude::*;

fn scrubber(rules: &str) -> Scrubber {
    Scrubber::new(Arc::new(Policy::from_toml(rules, "test", None).unwrap()), None)
}

fn scrubbed(scrubber: &Scrubber, text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    scrubber.clone().scrub(text, &mut out);
    out
}

fn rows(text: &[u8], separator: u8) -> Vec<Vec<Vec<u8>>> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).delimiter(separator).flexible(true).from_reader(text);
    let rows = reader.byte_records().map(|row| row.unwrap().iter().map(<[u8]>::to_vec).collect());
    rows.collect()
}

/// Name and value of each cell below a header of its own.
const RULES: &str = r#"
    [[rule]]
    field = ["secret"]
    elsewhere = "no"
    action = { redact = { with = "a,\"b\";c" } }
    [[rule]]
    field = ["gone"]
    elsewhere = "no"
    action = "drop"
    [[rule]]
    field = ["hidden"]
    elsewhere = "no"
    action = "mask"
    [[rule]]
    find = ["email"]
    action = "redact"
"#;

const NAMES: [&str; 5] = ["id", "secret", "gone", "hidden", "other"];

fn cell() -> impl Strategy<Value = (String, bool)> {
    let text = prop_oneof![
        "[a-z0-9 ;'\\\\|]{0,8}",
        "[a-z,\"\t ]{0,6}",
        "[\", ]{0,2}ana@example[.]com[\", ]{0,2}",
        "\"ann\"@example[.]com",
        "x ana@example[.]com y"
    ];
    (text, any::<bool>())
}

fn written((text, quoted): &(String, bool), separator: char) -> String {
    let needs = text.contains([separator, '"', '\r', '\n']);
    if *quoted || needs { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.clone() }
}

/// What the rules make of a value. Those of a finding within a longer value are left to other tests.
fn wanted(name: &str, value: &str) -> Option<String> {
    match name {
        _ if value.is_empty() => Some(String::new()),
        "id" | "other" if value.starts_with("\"ann") => None, // a quoted local part
        "gone" => Some(String::new()),
        "secret" | "hidden" if value.contains('@') => None,
        "secret" => Some("a,\"b\";c".to_owned()),
        "hidden" => {
            Some(value.chars().map(|one| if one.is_ascii_alphanumeric() { '*' } else { one }).collect())
        }
        _ => Some(value.replace("ana@example.com", "[email]")),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cells_that_no_rule_names_stay(
        table in proptest::collection::vec(proptest::collection::vec(cell(), 5), 0..6),
        separator in prop_oneof![Just(','), Just(';'), Just('\t')],
        ends in prop_oneof![Just("\n"), Just("\r\n")],
        named in any::<bool>(),
    ) {
        let lines = table.iter().map(|row| {
            let cells: Vec<String> = row.iter().map(|cell| written(cell, separator)).collect();
            cells.join(&separator.to_string()) + ends
        });
        let header = NAMES.join(&separator.to_string()) + ends;
        let text = header + &lines.collect::<String>();
        let format = if separator == '\t' { "tsv" } else { "csv" };
        let format = if named { format!("[input]\nformat = {format:?}\n") } else { String::new() };
        let scrubber = scrubber(&format!("{format}{RULES}"));
        let out = scrubbed(&scrubber, text.as_bytes());
        let got = rows(&out, separator as u8);
        prop_assert_eq!(got.len(), table.len() + 1);
        prop_assert_eq!(&got[0], &NAMES.map(|name| name.as_bytes().to_vec()).to_vec());
        for (row, got) in table.iter().zip(&got[1..]) {
            prop_assert_eq!(got.len(), NAMES.len(), "{}", out.escape_ascii());
            for ((name, (value, _)), got) in NAMES.iter().zip(row).zip(got) {
                if let Some(wanted) = wanted(name, value) {
                    prop_assert_eq!(String::from_utf8_lossy(got), wanted, "{}: {}", name, out.escape_ascii());
                }
            }
        }
        prop_assert_eq!(scrubbed(&scrubber, &out).escape_ascii().to_string(), out.escape_ascii().to_string());
    }
}

fn rules(format: &str, field: &str) -> String {
    format!(
        "[input]\nformat = {format:?}\n[[rule]]\nfield = [{field:?}]\naction = \"redact\"\n\
         [detectors.word]\nregex = '\\bsecretive\\b'\n[[rule]]\nfind = [\"word\"]\naction = \"redact\"\n"
    )
}

/// A header names what follows it, wherever it stands among the first lines, and is edited by no field rule; find
/// rules see it as they see everything.
#[test]
fn a_header_is_never_a_value() {
    for format in ["auto", "csv"] {
        let scrubber = scrubber(&rules(format, "user_id"));
        let text = "a banner, of several words, 2026\nid,user_id,secretive\n1,ana,secretive\nid,user_id,secretive\n2,bob,x\n";
        let wanted = "a banner, of several words, 2026\nid,user_id,[word]\n1,[field],[word]\nid,user_id,[word]\n2,[field],x\n";
        assert_eq!(
            scrubbed(&scrubber, text.as_bytes()).escape_ascii().to_string(),
            wanted.replace('\n', "\\n"),
            "{format}"
        );
        // However it is cut into blocks, on whatever thread each of them is scrubbed.
        let lines: Vec<&[u8]> = text.as_bytes().split_inclusive(|byte| *byte == b'\n').collect();
        for first in 0..=lines.len() {
            let mut tracker = scrubber.tracker().unwrap();
            let mut out = Vec::new();
            for block in [lines[..first].concat(), lines[first..].concat()] {
                let mut own = scrubber.clone();
                own.go_on(tracker.next(&block, false));
                own.scrub(&block, &mut out);
            }
            assert_eq!(out.escape_ascii().to_string(), wanted.replace('\n', "\\n"), "{format} {first}");
        }
    }
}

/// A sentence may look like a header until a record shows that it is none.
#[test]
fn a_banner_that_looks_like_a_header_gives_way_to_one() {
    let scrubber = scrubber(&rules("csv", "user_id"));
    let text = "Report of sales\nid,user_id,note\n1,ana,x\nJoe,Ann,y\n";
    let wanted = "Report of sales\nid,user_id,note\n1,[field],x\nJoe,[field],y\n";
    assert_eq!(scrubbed(&scrubber, text.as_bytes()), wanted.as_bytes());
}

/// A record with a cell too many takes no header's place, though there are nothing but words in it.
#[test]
fn no_record_takes_the_place_of_a_header_that_the_policy_asks_for() {
    let text = b"id,user_id,note\nana,bob,carl,dora\n1,eva,x\n";
    let left = scrubbed(&scrubber(&rules("csv", "user_id")), text);
    assert_eq!(String::from_utf8_lossy(&left), "id,user_id,note\n[withheld 17 bytes]\n1,[field],x\n");
    let denied = "[input]\nformat = 'csv'\n[fields]\nallow = ['id']\nunparsed = 'withhold'\n\
                  [[rule]]\nfind = ['pan']\naction = 'redact'\n";
    let left = scrubbed(&scrubber(denied), text);
    let wanted = "id,user_id,note\n[withheld 17 bytes]\n1,[withheld],[withheld]\n";
    assert_eq!(String::from_utf8_lossy(&left), wanted);
}

/// Where a header told the format, a cell that begins as another format's records do changes nothing.
#[test]
fn no_cell_says_how_its_record_is_read() {
    let scrubber = scrubber(&rules("auto", "note"));
    for cell in ["<13>ann: x", "Oct 11 22:14:15 h a: x", "MESSAGE=x", "a=1 b=2 c=3", "CEF:0|a|b|c|d|e|f|x"] {
        let text = format!("note,id,x\n1,2,3\n{cell},2,3\n");
        let left = scrubbed(&scrubber, text.as_bytes());
        assert_eq!(String::from_utf8_lossy(&left), "note,id,x\n[field],2,3\n[field],2,3\n", "{cell}");
    }
}

/// Columns can be meant by their number; a header is one all the same.
#[test]
fn columns_have_numbers() {
    let scrubber = scrubber(&rules("csv", "2"));
    assert_eq!(scrubbed(&scrubber, b"1,ana\n2,bob,x\n"), b"1,[field]\n2,[field],x\n");
    assert_eq!(scrubbed(&scrubber, b"id,name\n1,ana\n"), b"id,name\n1,[field]\n");
}

/// A record in which a line feed stands in quotes is several lines that yield no cells. None of them goes out where a
/// rule means a column; in a mixed log those do that have no part in it.
#[test]
fn a_line_feed_in_quotes_leaks_nothing() {
    let text = b"id,user_id,note\n1,ana,\"first\nsecond, third\nlast\"\n2,bob,x\n\n";
    let named = scrubber(&rules("csv", "note"));
    let wanted =
        "id,user_id,note\n[withheld 12 bytes]\n[withheld 13 bytes]\n[withheld 5 bytes]\n2,bob,[field]\n\n";
    assert_eq!(scrubbed(&named, text), wanted.as_bytes());
    assert_eq!(scrubbed(&named, wanted.as_bytes()), wanted.as_bytes());
    let auto = scrubber(&rules("auto", "note"));
    let wanted = "id,user_id,note\n[withheld 12 bytes]\nsecond, third\n[withheld 5 bytes]\n2,bob,[field]\n\n";
    assert_eq!(scrubbed(&auto, text), wanted.as_bytes());
    let other = scrubber(&rules("csv", "unknown"));
    assert_eq!(scrubbed(&other, text), text);
}

#[cfg(feature = "cli")]
mod streams {
    use std::io::{Cursor, Read};

    use logscrub::stream::input::Source;
    use logscrub::stream::{Input, Settings, Watch, drive};

    use super::{rules, scrubbed, scrubber};

    struct Bytes(Cursor<Vec<u8>>);

    impl Read for Bytes {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            self.0.read(into)
        }
    }

    impl Source for Bytes {}

    /// The same through a stream, on one thread and on several, in blocks of a line or so.
    #[test]
    fn a_header_holds_on_every_thread() {
        let scrubber = scrubber(&rules("auto", "user_id"));
        let rows = (0..200).map(|row| format!("{row},ana{row},x\n")).collect::<String>();
        let text = format!("a banner\nid,user_id,note\n{rows}");
        let expected = scrubbed(&scrubber, text.as_bytes());
        assert!(!String::from_utf8_lossy(&expected).contains("ana"));
        for threads in [1, 4] {
            for block_bytes in [1, 40, 1 << 17] {
                let settings = Settings { threads, max_record: 1 << 20, block_bytes };
                // The second input has a header of its own, and other columns.
                let inputs = [text.as_bytes(), b"user_id,x,y\n1,2,3\n"]
                    .map(|text| Ok(Input::new("log", Bytes(Cursor::new(text.to_vec())))));
                let mut out = Vec::new();
                let outcome = drive(
                    inputs.into_iter().collect::<Vec<_>>(),
                    scrubber.clone(),
                    &mut out,
                    &mut Watch::default(),
                    &settings,
                );
                assert!(outcome.output.is_ok());
                let wanted = [expected.as_slice(), b"user_id,x,y\n[field],2,3\n"].concat();
                assert!(out == wanted, "{threads} threads, blocks of {block_bytes}");
            }
        }
    }
}
