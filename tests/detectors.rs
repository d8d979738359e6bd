//! What the files of the detectors promise, and what holds for any bytes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::sync::{Arc, LazyLock};

use logscrub::Policy;
use logscrub::action::Truncate;
use logscrub::action::truncate::truncate;
use logscrub::detect::list::List;
use logscrub::detect::pattern::Pattern;
use logscrub::detect::{Candidate, DETECTORS, Detectors, Scratch, index};
use logscrub::finding::Finding;
use logscrub::kind::{Kind, KindSet, Kinds};
use proptest::prelude::*;

const KINDS: [Kind; 4] = [Kind::EMAIL, Kind::IPV4, Kind::IPV6, Kind::PAN];

/// Those that marks lead to.
fn all() -> Detectors {
    Detectors::new(KINDS.into_iter().collect(), Vec::new(), Vec::new())
}

/// Those that a regex describes as well.
static EVERY: LazyLock<Detectors> = LazyLock::new(|| {
    let rules = "[[rule]]\nfind = ['all']\naction = 'redact'\n";
    Policy::from_toml(rules, "all", None).unwrap().detectors()
});

fn find(value: &[u8]) -> Vec<Finding> {
    let mut out = Vec::new();
    all().find(value, &mut Scratch::default(), &mut out);
    out
}

fn values(text: &str, kind: Kind) -> Vec<String> {
    let mut found = Vec::new();
    EVERY.find(text.as_bytes(), &mut Scratch::default(), &mut found);
    let of_kind = found.into_iter().filter(|found| found.kind == kind);
    of_kind.map(|found| String::from_utf8_lossy(found.span.of(text.as_bytes())).into_owned()).collect()
}

fn strings(value: &toml::de::DeValue<'_>) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.get_ref().as_str().unwrap().to_owned()).collect()
}

#[test]
fn each_detector_file_is_true() {
    let root = format!("{}/rules/detectors", env!("CARGO_MANIFEST_DIR"));
    let mut faults = Vec::new();
    for path in [
        "contact/email",
        "network/ipv4",
        "network/ipv6",
        "finance/pan",
        "secret/private_key",
        "secret/jwt",
        "secret/basic_auth",
        "secret/bearer",
    ] {
        let text = std::fs::read_to_string(format!("{root}/{path}.toml")).unwrap();
        let file = toml::de::DeTable::parse(&text).unwrap();
        let file = file.get_ref();
        let entries =
            |name: &str| file[name].get_ref().as_array().unwrap().iter().map(|entry| entry.get_ref());
        let kind = Kinds::default().get(file["kind"].get_ref().as_str().unwrap()).unwrap();
        for example in entries("examples") {
            let text = example["text"].get_ref().as_str().unwrap();
            let found = values(text, kind);
            if found != strings(example["finds"].get_ref()) {
                faults.push(format!("{path}: {text} gives {found:?}"));
            }
        }
        for text in strings(file["counter_examples"].get_ref()) {
            let found = values(&text, kind);
            if !found.is_empty() {
                faults.push(format!("{path}: {text} gives {found:?}"));
            }
        }
        for miss in entries("known_misses") {
            let (text, value) =
                (miss["text"].get_ref().as_str().unwrap(), miss["value"].get_ref().as_str().unwrap());
            if values(text, kind).iter().any(|found| found == value) {
                faults.push(format!("{path}: {text} is no longer missed"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn escapes_on_several_levels_are_seen_through() {
    let email = |text| values(text, Kind::EMAIL);
    assert_eq!(email(r"x\\njane@example.com"), ["jane@example.com"]);
    assert_eq!(email(r"jane\\u0040example.com"), [r"jane\\u0040example.com"]);
    assert_eq!(email("jane&amp;#64;example.com"), ["jane&amp;#64;example.com"]);
    assert_eq!(email("jane%252540example.com"), ["jane%252540example.com"]);
    assert_eq!(email(r"DOMAIN\bob@example.com"), ["bob@example.com"]);
    assert_eq!(email("jane\u{200b}@example.com"), ["jane\u{200b}@example.com"]);
    assert_eq!(values("a 203.0.113.9 b%20c", Kind::IPV4), ["203.0.113.9"]);
    assert_eq!(values("\u{1b}[1mweb\u{1b}[0m203.0.113.9", Kind::IPV4), ["203.0.113.9"]);
    assert_eq!(values("\\t203.0.113.9\u{200b}a", Kind::IPV4), ["203.0.113.9"]);
    assert_eq!(values("203.0.\u{1b}[1m113.9", Kind::IPV4), ["203.0.\u{1b}[1m113.9"]);
    assert_eq!(
        values("4111\u{a0}1111\u{a0}1111\u{a0}1111", Kind::PAN),
        ["4111\u{a0}1111\u{a0}1111\u{a0}1111"]
    );
    assert_eq!(values("%34111111111111111", Kind::PAN), ["%34111111111111111"]);
    assert_eq!(values("4111%C2%A01111&nbsp;1111&#160;1111", Kind::PAN).len(), 1);
    assert_eq!(values(r"2001\u003adb8\u003a\u003a1", Kind::IPV6), [r"2001\u003adb8\u003a\u003a1"]);
}

/// Each way to write a byte, one inside another: the span is that of what is written.
#[test]
fn values_in_escapes_within_escapes() {
    let at = ["%40", "\\u0040", "\\x40", "&#64;", "&#x40;", "&commat;", "=40"];
    let ways: [fn(&str) -> String; 5] = [
        str::to_owned,
        |text| text.replace('%', "%25").replace('=', "%3D").replace('&', "%26").replace('\\', "%5C"),
        |text| {
            text.replace('\\', "\\\\").replace('=', "\\u003d").replace('&', "\\u0026").replace('%', "\\u0025")
        },
        |text| text.replace('&', "&amp;").replace('=', "&#61;").replace('%', "&#37;").replace('\\', "&#92;"),
        |text| {
            text.replace('=', "\\x3d")
                .replace('%', "\\x25")
                .replace('&', "\\x26")
                .replace('\\', "\\x5c")
                .replace("\\x5cx", "\\x")
        },
    ];
    for inner in at {
        for outer in ways {
            let value = format!("jane{}example.com", outer(inner));
            for text in
                [format!("to <{value}> ok"), format!("a#012{value}#011b"), format!("{{\"a\":\"{value}\"}}")]
            {
                assert_eq!(values(&text, Kind::EMAIL), [value.as_str()], "{text}");
            }
        }
    }
    for value in ["203.0.113.9", "2001:db8::1", "4111111111111111"] {
        let found = |text: &str| [Kind::IPV4, Kind::IPV6, Kind::PAN].map(|kind| values(text, kind)).concat();
        for text in [
            format!("a#012{value}#011b"),
            format!("#011{value}"),
            format!("a%23012{value} b"),
            format!("#033[1m{value}#033[0m"),
        ] {
            assert_eq!(found(&text), [value], "{text}");
        }
    }
}

#[test]
fn patterns_and_lists_see_through_escapes_too() {
    let mut kinds = Kinds::default();
    let (customer, staff) = (kinds.intern("customer_id"), kinds.intern("staff"));
    let pattern = Pattern::new(customer, r"CUST-(?<value>\d{4})", None, Vec::new()).unwrap();
    let list = List::new(staff, vec![b"Jane Doe".to_vec()], true).unwrap();
    let detectors = Detectors::new(KindSet::default(), vec![Arc::new(pattern)], vec![Arc::new(list)]);
    assert!(detectors.needs_every_record() && !all().needs_every_record());
    let text = br"by jane%20doe\nCUST\u002d1234 and JANE DOE jane@example.com";
    let mut out = Vec::new();
    detectors.find(text, &mut Scratch::default(), &mut out);
    let found: Vec<(Kind, &[u8])> = out.iter().map(|found| (found.kind, found.span.of(text))).collect();
    assert_eq!(found, [(staff, &b"jane%20doe"[..]), (customer, b"1234"), (staff, b"JANE DOE")]);
}

#[test]
fn explain_names_the_check_that_failed() {
    let text = b"Chrome/103.0.0.0 4111111111111112 jane%40example.com";
    let explained = all().explain(text);
    let reasons: Vec<&str> = explained.iter().filter_map(|seen| seen.outcome.err()).collect();
    assert!(reasons.contains(&"version of a product") && reasons.contains(&"Luhn check fails"));
    let found: Vec<Finding> = explained.iter().filter_map(|seen| seen.outcome.ok()).collect();
    assert_eq!(found.iter().map(|found| found.span.of(text)).collect::<Vec<_>>(), [b"jane%40example.com"]);
}

#[test]
fn hostile_values_finish() {
    let run = |unit: &str| unit.repeat(1_000_000 / unit.len());
    let units = [
        ":",
        "@",
        "1.",
        "1",
        "a@",
        "\"@",
        "\"",
        "%25",
        "\\",
        "\\\\u",
        "&amp;",
        "\u{1b}[",
        "\u{1b}",
        "::1",
        "1:",
        "4111 ",
        "4111-1111-",
        "a.",
        "a@a.",
        "a@a.aa",
        "aa.",
        ".",
        "1.1.1.1.",
        "1.1.1.1 ",
        "0:0:0:0:0:0:0:0 ",
        "f",
        "%40",
        "\u{200b}",
        "card ",
        "=",
        "jane@example.com ",
    ];
    for unit in units {
        find(run(unit).as_bytes());
    }
}

/// Every offset as a candidate of every detector: findings that the index lets through are the same.
fn without_index(value: &[u8]) -> Vec<Finding> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for at in 0..value.len() {
        let fits = |byte: u8, trigger: logscrub::detect::Trigger| {
            use logscrub::detect::Trigger;
            match trigger {
                Trigger::At => byte == b'@',
                Trigger::Dots => byte == b'.',
                Trigger::Colons => byte == b':',
                Trigger::Digits => {
                    byte.is_ascii_digit() && !value.get(at + 1).is_some_and(u8::is_ascii_digit)
                }
                Trigger::Escape => true,
            }
        };
        let triggers =
            DETECTORS.iter().map(|detector| detector.trigger()).chain([logscrub::detect::Trigger::Escape]);
        candidates.extend(
            triggers.filter(|trigger| fits(value[at], *trigger)).map(|trigger| Candidate { at, trigger }),
        );
    }
    let mut out = Vec::new();
    all().find_candidates(value, &candidates, 0, &mut Scratch::default(), &mut out);
    out
}

fn fragments() -> impl Strategy<Value = Vec<u8>> {
    let parts = prop::sample::select(vec![
        "jane@example.com",
        "jane",
        "@",
        "example",
        ".com",
        "%40",
        "\\u0040",
        "\\\\n",
        "\\n",
        "203.0.113.9",
        "203",
        ".",
        "0",
        "113",
        "%2E",
        "2001:db8::1",
        "2001",
        ":",
        "::",
        "db8",
        "%3A",
        "&#58;",
        "4111111111111111",
        "4111",
        "1111",
        " ",
        "-",
        "+",
        "%20",
        "\u{a0}",
        "\u{200b}",
        "\u{1b}[31m",
        "\u{1b}[0m",
        "\"",
        "<",
        ">",
        "=",
        "/",
        "Chrome",
        "version ",
        "card ",
        "登录",
        "é",
        "\\",
        "%",
        "&",
        "&amp;",
        "%25",
        "\\x2e",
        "5555 5555 5555 4444",
        "::ffff:192.0.2.1",
        "IPv6:",
        "\u{0}",
        "_",
    ]);
    prop::collection::vec(parts, 0..14).prop_map(|parts| parts.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn the_index_hides_nothing(value in fragments()) {
        prop_assert_eq!(find(&value), without_index(&value), "{}", String::from_utf8_lossy(&value));
    }

    #[test]
    fn findings_are_sorted_inside_and_apart(value in fragments(), junk in prop::collection::vec(any::<u8>(), 0..40)) {
        let value = [value, junk].concat();
        let found = find(&value);
        prop_assert!(found.is_sorted_by_key(|found| found.span.start));
        for (at, one) in found.iter().enumerate() {
            prop_assert!(!one.span.is_empty() && one.span.end <= value.len());
            prop_assert!(found[at + 1..].iter().all(|other| other.kind != one.kind || !other.span.overlaps(one.span)));
        }
        all().explain(&value);
    }

    #[test]
    fn a_value_inside_a_block_has_the_same_findings(before in fragments(), value in fragments()) {
        let mut block = before;
        block.push(b'\n');
        let base = block.len();
        block.extend_from_slice(&value);
        block.push(b'\n');
        let mut candidates = Vec::new();
        index(&block, &mut Default::default(), &mut candidates);
        prop_assert!(candidates.is_sorted_by_key(|candidate| candidate.at));
        candidates.retain(|candidate| (base..base + value.len()).contains(&candidate.at));
        let mut out = Vec::new();
        all().find_candidates(&value, &candidates, base, &mut Scratch::default(), &mut out);
        prop_assert_eq!(out, find(&value), "{}", String::from_utf8_lossy(&value));
    }

    /// Steps behind `truncate` act on what it left, so that it has to be found.
    #[test]
    fn what_truncation_leaves_of_an_address_is_found_where_the_address_was(
        groups in prop::array::uniform8(prop::sample::select(&[0, 0, 0, 0x10, 0x20, 0x1a, 0xfe80, 0x2001, 0xdb8, 0xfdab, 0xcdef, 0x1000][..])),
        prefix in 0_u8..=127,
        (before, after) in prop::sample::select(&[
            ("", ""), ("from ", " x"), ("[", "]:443"), ("a=", ",b"), ("\"", "\""), ("(", ")"), ("GET ", "/index.html"), ("", "/64"), ("at ", ", done"), ("at ", ". Done"),
        ][..]),
    ) {
        let bits = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
        let address = std::net::Ipv6Addr::from(groups);
        let line = format!("{before}{address}{after}");
        let keep = Truncate { ipv6: prefix, ipv4: prefix.min(32), ..Truncate::default() };
        let (mut left, kinds) = (Vec::new(), Kinds::default());
        prop_assert!(truncate(Kind::IPV6, address.to_string().as_bytes(), &keep, &kinds, &mut left));
        let left = String::from_utf8_lossy(&left).into_owned();
        prop_assume!(address.to_bits() & !bits != 0 && values(&line, Kind::IPV6) == [address.to_string()]);
        prop_assert_eq!(values(&format!("{before}{left}{after}"), Kind::IPV6), [left]);
    }
}
