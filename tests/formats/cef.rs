//! Field rules on CEF, against splitting at bars and keys.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use regex::Regex;

use super::acted::{acts, scrubbed};

const HEADER: [&str; 6] =
    ["device_vendor", "device_product", "device_version", "signature_id", "name", "severity"];
const KEYS: [&str; 5] = ["src", "suser", "cs1", "cs1Label", "ad.x"];
const FIELDS: [&str; 5] = ["device_vendor", "name", "src", "suser", "ad.x"];
const VALUES: [&str; 7] = ["", "x", "two words", "a|b", "a=b c", "C:\\d\\n", "[x] 'y' \"z\""];

/// The fields of a record.
fn read(record: &str) -> Vec<(String, String)> {
    let bars = Regex::new(r"^CEF:0\|((?:[^|\\]|\\.)*)\|((?:[^|\\]|\\.)*)\|((?:[^|\\]|\\.)*)\|((?:[^|\\]|\\.)*)\|((?:[^|\\]|\\.)*)\|((?:[^|\\]|\\.)*)\|(.*)$").unwrap();
    let parts = bars.captures(record).unwrap();
    let plain = |text: &str| Regex::new(r"\\(.)").unwrap().replace_all(text.trim(), "$1").into_owned();
    let mut fields: Vec<(String, String)> =
        HEADER.iter().enumerate().map(|(at, name)| ((*name).to_owned(), plain(&parts[at + 1]))).collect();
    let keys = Regex::new(r"(?:^| )([\w.]+)=").unwrap();
    let extension = &parts[7];
    let found: Vec<_> =
        keys.captures_iter(extension).map(|key| (key[1].to_owned(), key.get(0).unwrap().range())).collect();
    for (at, (key, range)) in found.iter().enumerate() {
        let end = found.get(at + 1).map_or(extension.len(), |(_, next)| next.start);
        fields.push((key.clone(), plain(&extension[range.end..end])));
    }
    fields
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn field_rules_act_on_headers_and_extensions(
        header in vec(select(&VALUES[..]), 6),
        pairs in vec((select(&KEYS[..]), select(&VALUES[..])), 0..6),
        fields in subsequence(&FIELDS[..], 1..4),
        acts in acts(),
    ) {
        let header: String = header.iter().map(|text| text.replace('\\', "\\\\").replace('|', "\\|") + "|").collect();
        let pairs = pairs.iter().map(|(key, text)| format!("{key}={}", text.replace('\\', "\\\\").replace('=', "\\=")));
        let record = format!("CEF:0|{header}{}", pairs.collect::<Vec<_>>().join(" "));
        let out = scrubbed(&record, &fields, acts);
        let wanted: Vec<_> = read(&record)
            .into_iter()
            .filter_map(|(name, value)| match acts.1 {
                _ if !fields.contains(&name.as_str()) => Some((name, value)),
                Some(left) if !value.is_empty() => Some((name, left.to_owned())),
                None if !value.is_empty() && !HEADER.contains(&name.as_str()) => None,
                _ => Some((name, String::new())),
            })
            .collect();
        prop_assert_eq!(read(&out), wanted, "{} from {}", out, record);
    }
}
