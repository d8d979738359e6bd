//! Ways that the judge leaves out work, each against the whole work.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod logs;

use logscrub::decoded::Decoded;
use logscrub::detect::marks::{Marks, mark};
use logscrub::detect::unescape::is_harmless;
use logscrub::detect::{Detectors, Scratch};
use logscrub::format::json::Json;
use logscrub::format::{Fields, Format, Head};
use logscrub::kind::Kind;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// More of them find rarer faults: set `LOGSCRUB_CASES`.
fn cases() -> u32 {
    std::env::var("LOGSCRUB_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(4000)
}

/// Escapes and parts of escapes as they stand in a JSON text.
const ESCAPES: &[&str] = &[
    r"\n",
    r"\r",
    r"\t",
    r"\b",
    r"\f",
    r"\/",
    r#"\""#,
    r"\\",
    r"\\n",
    r"\\W",
    r"\\u",
    r"\\x",
    r"\\e",
    r"\\0",
    r"\\\\",
    r"\u0040",
    r"\u0031",
    r"\u005c",
    r"\u0025",
    r"\u001b",
    r"\u200b",
    r"\u0026",
    "%",
    "%4",
    "%40",
    "%25",
    "%u",
    "&",
    "&#",
    "&amp",
    "&amp;",
    "&#64;",
    "[",
    "m",
    ";",
    "#",
    "u0040",
    "40",
    "=",
    "=40",
    "%3D40",
    r"\u003d40",
    "#012",
    "033[",
    "é",
    "\u{a0}",
    "\u{200b}",
    "\u{ad}",
    "\u{1b}",
    "\u{1b}[1m",
    "用",
    "-",
    " ",
    ".",
    ":",
    "1",
];

/// The content of a JSON text: a value that escapes cut to pieces, and what else may stand there.
fn content() -> impl Strategy<Value = String> {
    let cut = (select(logs::VALUES), vec((any::<prop::sample::Index>(), select(ESCAPES)), 0..6)).prop_map(
        |(value, cuts)| {
            let mut text: Vec<char> =
                value.chars().filter(|character| !"\"\\".contains(*character)).collect();
            for (at, escape) in cuts {
                let at = at.index(text.len() + 1);
                text.splice(at..at, escape.chars());
            }
            text.into_iter().collect::<String>()
        },
    );
    let other = prop_oneof![select(ESCAPES), select(logs::JOINTS)].prop_map(|text| text.replace('\\', r"\\"));
    let escape = select(ESCAPES).prop_map(str::to_owned);
    vec(prop_oneof![1 => cut, 1 => other, 3 => escape], 0..6).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, max_global_rejects: 1 << 20, ..ProptestConfig::default() })]

    #[test]
    fn a_json_text_without_candidates_and_with_harmless_escapes_holds_no_value(content in content()) {
        let record = format!("{{\"a\":\"{content}\"}}");
        let mut fields = Fields::default();
        let mut marks = Marks::default();
        mark(record.as_bytes(), &mut marks);
        let read = fields.read(record.as_bytes(), &Json, &Head::default());
        let value = fields.list.last().map(|field| field.value).unwrap_or_default();
        let inside = |at: &&u32| (value.start..value.end).contains(&(**at as usize));
        let harmless = |at: usize| is_harmless(value.of(record.as_bytes()), at - value.start);
        prop_assume!(read && marks.candidates().iter().find(inside).is_none());
        prop_assume!(!["=40", "#033["].iter().any(|escape| content.contains(escape)));
        prop_assume!(marks.escapes().within(value.start, value.end).all(harmless));

        let mut decoded = Decoded::default();
        Json.decode(record.as_bytes(), &fields.list[2], value, &mut decoded);
        let kinds = [Kind::EMAIL, Kind::IPV4, Kind::IPV6, Kind::PAN].into_iter().collect();
        let mut found = Vec::new();
        // An address in front makes the detectors look through the escapes in any case.
        let hay = [b"10.1.2.3 \n".as_slice(), &decoded.bytes].concat();
        Detectors::new(kinds, Vec::new(), Vec::new()).find(&hay, &mut Scratch::default(), &mut found);
        prop_assert_eq!(found.len(), 1, "{:?} in {}", found, content);
    }
}
