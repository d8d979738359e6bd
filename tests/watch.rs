//! The watch passes no record over that a policy's own detectors or its field rules concern: what comes out is
//! what comes out when every record is judged, over random policies and logs full of escapes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use logscrub::policy::Policy;
use logscrub::scrub::Scrubber;
use logscrub::tally::Tally;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// Regexes with literals, with poor ones, with none; with anchors, classes, Unicode, folded case.
const REGEXES: &[&str] = &[
    r"(?:ab_key|tok)[=:](?<value>[A-Za-z0-9]{2,8})",
    r"cust-(?<value>\d{2,8})",
    r"(?i)kelvin (?<value>\w+)",
    r"(?i)\u{6b}elvin=(?<value>\w+)",
    r"(?iu)stra\u{df}e (?<value>\d+)",
    r"\b[A-Z]{2}\d{3}\b",
    r"\d{3}-\d{2}$",
    r"^id\d+",
    r"(?:[a-c]{2}x|zz)+9",
    r"key..(?<value>[a-z]{3,})",
    r#""user":"(?<value>[a-z]+)"#,
    r"(?:session|jsess)(?:id)?=(?<value>[^ &]+)",
    r"\[email\] (?<value>\w+)",
    r"x[=]y?z{2,}",
    r"foo\\nbar",
    r"[\s]ann",
];
const WORDS: &[&str] =
    &["ann", "Ann Lee", "tok", "j\u{fc}rg", "a", "Jo", "ab_key", "a\"b", "x/y", "bob-smith", "@x", "cust"];
const FIELDS: &[&str] = &[
    "user_id",
    "userId",
    "id",
    "x",
    "a.b",
    "client.**",
    "http.*",
    "**.id",
    "@ts",
    "api-key",
    "user name",
    "tok",
    "k\u{e9}y",
    "*",
    "_",
    "a/b",
];
const ACTIONS: &[&str] = &[
    "\"redact\"",
    "\"mask\"",
    "\"drop\"",
    "\"drop_record\"",
    "\"keep\"",
    "{ redact = { with = \"user\" } }",
    "{ redact = { with = \"tok=\" } }",
];

/// What values and texts are made of.
const TOKENS: &[&str] = &[
    "ab_key",
    "tok",
    "=",
    ":",
    "cust-",
    "12",
    "345",
    "kelvin ",
    "\u{212a}elvin ",
    "KELVIN=",
    "stra\u{df}e ",
    "STRASSE ",
    "AB123",
    "-45",
    "id7",
    "abx",
    "zz",
    "9",
    "key",
    "user",
    "\"",
    "session",
    "jsess",
    "id",
    "abc",
    "ann",
    "Ann Lee",
    "ANN",
    "j\u{fc}rg",
    "a",
    "Jo",
    "x/y",
    "bob-smith",
    "@x",
    "ana@example.com",
    "203.0.113.9",
    "2001:db8::1",
    "4111111111111111",
    " ",
    ",",
    "user_id=",
    "userId: ",
    "USER-ID=",
    "api_key=",
    "user_id]=",
    "\u{1b}[1;36muser_id=\u{1b}[0m",
    "id\u{1b}[0m\u{1b}[2m=",
    "user_id#011=",
    "id#033[0m=",
    "#012",
    "user_id\\u003d",
    "user_id\\u0027\\u003a",
    "user_id\\u0020\\u005d=",
    "userId\t=> ",
    "id=<",
    "<x>",
    "<Data Name='userId'>",
    "<a.b c=\"id\">",
    "</x>",
    "</",
    "/>",
    ">",
    "client.ip=",
    "a.b=",
    "http.x:",
    "x=y",
    "zzz",
    "foo",
    "\\n",
    "\\",
    "%",
    "&",
    "\n",
    "\t",
    "\u{1b}[1m",
    "\u{200b}",
    "/",
    ".",
    "_",
    "[email] ",
    "\u{8}",
    "u",
];
const NAMES: &[&str] = &[
    "user_id",
    "userId",
    "USER-ID",
    "use_r_id",
    "id",
    "i-d",
    "x",
    "a",
    "b",
    "a.b",
    "client",
    "ip",
    "client.ip",
    "http",
    "msg",
    "@ts",
    "apiKey",
    "api_key",
    "user name",
    "username",
    "k\u{e9}y",
    "tok",
    "",
    "_",
    "a/b",
    "long.id",
    "other",
];

/// How a character is written.
#[derive(Clone, Copy, Debug)]
enum Way {
    Plain,
    Unicode,
    Percent,
    Hex,
    Entity,
    DoublePercent,
    DoubleUnicode,
    Coloured,
    Invisible,
}

fn way() -> impl Strategy<Value = Way> {
    use Way::*;
    prop_oneof![
        40 => Just(Plain),
        1 => select(vec![Unicode, Percent, Hex, Entity, DoublePercent, DoubleUnicode, Coloured, Invisible]),
    ]
}

fn write(character: char, way: Way, out: &mut String) {
    let code = u32::from(character);
    let bytes = character.to_string().into_bytes();
    let each = |form: fn(u8) -> String| bytes.iter().map(|byte| form(*byte)).collect::<String>();
    match way {
        Way::Unicode if code < 0x10000 => out.push_str(&format!("\\u{code:04x}")),
        Way::DoubleUnicode if code < 0x10000 => out.push_str(&format!("\\\\u{code:04x}")),
        Way::Percent => out.push_str(&each(|byte| format!("%{byte:02X}"))),
        Way::DoublePercent => out.push_str(&each(|byte| format!("%25{byte:02x}"))),
        Way::Hex => out.push_str(&each(|byte| format!("\\x{byte:02x}"))),
        Way::Entity => out.push_str(&format!("&#{code};")),
        Way::Coloured => out.push_str(&format!("\u{1b}[32m{character}\u{1b}[0m")),
        Way::Invisible => out.push_str(&format!("{character}\u{200b}")),
        _ => out.push(character),
    }
}

fn escaped(tokens: Vec<&str>, ways: &[Way]) -> String {
    let mut out = String::new();
    let characters = tokens.iter().flat_map(|token| token.chars());
    characters.zip(ways.iter().cycle()).for_each(|(character, way)| write(character, *way, &mut out));
    out
}

fn text() -> impl Strategy<Value = String> {
    (vec(select(TOKENS), 0..10), vec(way(), 1..60)).prop_map(|(tokens, ways)| escaped(tokens, &ways))
}

fn name() -> impl Strategy<Value = String> {
    (select(NAMES), vec(way(), 1..20)).prop_map(|(name, ways)| escaped(vec![name], &ways))
}

/// The text as the content of a JSON string: backslashes that begin an escape there are left as they are.
fn quoted(text: &str, strict: bool) -> String {
    let text = if strict { text.replace('\\', "\\\\") } else { text.replace("\\x", "\\u00") };
    let text = text.replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t").replace('\u{8}', "\\b");
    format!("\"{}\"", text.replace('\u{1b}', "\\u001b"))
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        5 => (text(), any::<bool>()).prop_map(|(text, strict)| quoted(&text, strict)),
        1 => select(&["12345", "4111111111111111", "null", "true", "345"][..]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        let blank = select(&["", "", "", " ", "\t"][..]);
        let member =
            (name(), any::<bool>(), blank, inner.clone()).prop_map(|(name, strict, blank, value)| {
                format!("{}{blank}:{blank}{value}", quoted(&name, strict))
            });
        prop_oneof![
            3 => vec(member, 0..4).prop_map(|members| format!("{{{}}}", members.join(","))),
            1 => vec(inner, 0..3).prop_map(|elements| format!("[{}]", elements.join(","))),
        ]
    })
    .prop_map(|value| if value.starts_with(['{', '[']) { value } else { format!("{{\"msg\":{value}}}") })
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => text().prop_map(|text| text.replace('\n', " ")),
        3 => json(),
        1 => (json(), any::<prop::sample::Index>()).prop_map(|(json, at)| {
            let at = at.index(json.chars().count());
            json.chars().enumerate().filter(|(other, _)| *other != at).map(|(_, one)| one).collect()
        }),
    ]
}

fn log() -> impl Strategy<Value = String> {
    vec((line(), select(&["\n", "\n", "\r\n"][..])), 1..6)
        .prop_map(|lines| lines.into_iter().map(|(line, end)| line + end).collect())
}

fn some(from: &'static [&'static str], at_most: usize) -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(from, 0..=at_most)
}

fn literal(text: &str) -> String {
    format!("'''{text}'''")
}

/// A rules file.
fn rules() -> impl Strategy<Value = String> {
    let own = (some(REGEXES, 4), some(WORDS, 4), any::<bool>(), select(ACTIONS), any::<bool>());
    let fields = vec((subsequence(FIELDS, 1..4), select(ACTIONS)), 0..3);
    let place = select(&["", "", "in = [\"id\", \"client.**\"]", "not_in = [\"x\"]"][..]);
    let built_in = vec((select(&["email", "ip", "pan", "all"][..]), select(ACTIONS), place), 0..3);
    (own, fields, built_in).prop_map(|((regexes, words, ignore_case, action, keywords), fields, built_in)| {
        let mut text = String::new();
        let mut own = Vec::new();
        for (at, regex) in regexes.iter().enumerate() {
            text += &format!("[detectors.d{at}]\nregex = {}\n", literal(regex));
            if keywords && at % 2 == 1 {
                text += "keywords = [\"user\", \"tok\"]\n";
            }
            own.push(format!("\"d{at}\""));
        }
        if !words.is_empty() {
            let words: Vec<String> = words.iter().map(|word| literal(word)).collect();
            text += &format!("[lists.staff]\nwords = [{}]\nignore_case = {ignore_case}\n", words.join(", "));
            own.push("\"staff\"".to_owned());
        }
        let mut rules = 0;
        let mut rule = |covers: String, action: &str| {
            rules += 1;
            format!("[[rule]]\nname = \"r{rules}\"\n{covers}\naction = {action}\n")
        };
        for (fields, action) in fields {
            let fields: Vec<String> = fields.iter().map(|field| literal(field)).collect();
            text += &rule(format!("field = [{}]", fields.join(", ")), action);
        }
        if !own.is_empty() {
            text += &rule(format!("find = [{}]", own.join(", ")), action);
        }
        for (kind, action, place) in built_in {
            text += &rule(format!("find = [\"{kind}\"]\n{place}"), action);
        }
        text + &rule("find = [\"email\"]".to_owned(), "\"redact\"")
    })
}

/// Those that are refused, for what they write is found again, are left out.
fn compile(text: &str) -> Option<Policy> {
    Policy::from_toml(text, "test", None).ok()
}

fn scrub(mut scrubber: Scrubber, log: &[u8]) -> (String, Tally) {
    let mut out = Vec::new();
    scrubber.scrub(log, &mut out);
    let mut tally = scrubber.take_tally();
    tally.acted.sort_unstable_by_key(|acted| (acted.rule, acted.kind));
    (out.escape_ascii().to_string(), tally)
}

fn inspect(mut scrubber: Scrubber, log: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    scrubber.inspect(log, |number, _, judged| {
        if !judged.sightings.is_empty() || !judged.decided.is_empty() {
            all.push(format!("{number} {judged:?}"));
        }
    });
    all
}

/// More of them find rarer faults: set `LOGSCRUB_CASES`.
fn cases() -> u32 {
    std::env::var("LOGSCRUB_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(500)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(), failure_persistence: None, max_global_rejects: 1 << 20, ..ProptestConfig::default()
    })]

    #[test]
    fn no_record_is_passed_over(
        text in rules().prop_filter("refused", |text| compile(text).is_some()),
        logs in vec(log(), 1..4),
    ) {
        let policy = compile(&text).unwrap();
        let scrubber = Scrubber::new(Arc::new(policy), None).at("2026-06-01T00:00:00Z".parse().unwrap());
        for log in logs {
            let every = scrub(scrubber.clone().judging_every_record(), log.as_bytes());
            prop_assert_eq!(&scrub(scrubber.clone().without_fast_lane(), log.as_bytes()), &every, "no lane\n{}", text);
            prop_assert_eq!(&scrub(scrubber.clone(), log.as_bytes()), &every, "{}", text);
            let seen = inspect(scrubber.clone().judging_every_record(), log.as_bytes());
            prop_assert_eq!(inspect(scrubber.clone(), log.as_bytes()), seen, "inspect\n{}", text);
        }
    }
}

#[test]
fn control_characters_of_rsyslog_hide_no_name() {
    let policy = compile("[[rule]]\nfield = [\"user\"]\naction = \"redact\"\n").unwrap();
    let scrubber = Scrubber::new(Arc::new(policy), None);
    for name in ["user#011=", "user#033[0m=", "#012user=", "#033[1muser:", "user%23011=", "us#033[1mer="] {
        let (left, _) = scrub(scrubber.clone(), format!("an {name}ann\n").as_bytes());
        assert_eq!(left, format!("an {name}[field]\\n"));
    }
}
