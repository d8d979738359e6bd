//! Field rules on LEEF, against splitting at bars and separators.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::acted::{acts, scrubbed};

const HEADER: [&str; 4] = ["vendor", "product", "version", "event_id"];
const KEYS: [&str; 5] = ["src", "usrName", "url", "x y", "cat"];
const FIELDS: [&str; 4] = ["vendor", "usrName", "x y", "url"];
const VALUES: [&str; 6] = ["", "x", "two words", "a=b c", "C:\\d\\n", "[x] 'y' \"z\""];

/// The fields of a record behind a header that begins so.
fn read(record: &str, begin: &str, end: &str, separator: char) -> Vec<(String, String)> {
    let mut rest = record.strip_prefix(begin).unwrap();
    let mut fields = Vec::new();
    for name in HEADER {
        let (value, after) = rest.split_once('|').unwrap();
        fields.push((name.to_owned(), value.to_owned()));
        rest = after;
    }
    let attributes = rest.strip_prefix(end).unwrap().split(separator).filter(|part| !part.is_empty());
    fields.extend(
        attributes
            .map(|part| part.split_once('=').unwrap())
            .map(|(key, value)| (key.to_owned(), value.to_owned())),
    );
    fields
}

/// What LEEF cannot hold, in any place, is a low line.
fn held(text: &str) -> String {
    text.replace(['|', '&'], "_")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn field_rules_act_on_headers_and_attributes(
        header in vec(select(&VALUES[..]), 4),
        pairs in vec((select(&KEYS[..]), select(&VALUES[..])), 0..6),
        fields in subsequence(&FIELDS[..], 1..4),
        acts in acts(),
        (begin, end, separator) in select(vec![("LEEF:1.0|", "", '\t'), ("LEEF:2.0|", "^|", '^'), ("LEEF:2.0|", "0x7C|", '|')]),
    ) {
        let pairs: Vec<String> = pairs.iter().map(|(key, text)| format!("{key}={text}")).collect();
        let record = format!("{begin}{}|{end}{}", header.join("|"), pairs.join(&separator.to_string()));
        let out = scrubbed(&record, &fields, acts);
        let wanted: Vec<_> = read(&record, begin, end, separator)
            .into_iter()
            .filter_map(|(name, value)| match acts.1 {
                _ if !fields.contains(&name.as_str()) => Some((name, value)),
                Some(left) if !value.is_empty() => Some((name, held(left))),
                None if !value.is_empty() && !HEADER.contains(&name.as_str()) => None,
                _ => Some((name, String::new())),
            })
            .collect();
        let got: Vec<_> = read(&out, begin, end, separator)
            .into_iter()
            .map(|(name, value)| if fields.contains(&name.as_str()) { (name, held(&value)) } else { (name, value) })
            .collect();
        prop_assert_eq!(got, wanted, "{} from {}", out, record);
    }
}
