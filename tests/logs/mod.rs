//! Logs made up for tests: values, look-alikes and noise, joined in every way that logs join them.
#![allow(dead_code)]

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Values of every built-in kind, in plain and in escaped dress.
pub(crate) const VALUES: &[&str] = &[
    "jane@example.com",
    "JOHN.DOE+tag@Mail.Example.ORG",
    "jane%40example.com",
    "jane\\u0040example.com",
    "jane&#64;example.com",
    "jane=40example.com",
    "jane=2Edoe=40mail=2Eexample.com",
    "\"john doe\"@example.com",
    "user@[192.0.2.1]",
    "203.0.113.9",
    "10.1.2.3",
    "198.51.100.77:8080",
    "#011198.51.100.77#012",
    "#0124111111111111111",
    "2001:db8::1",
    "[2001:db8:85a3::8a2e:370:7334]:443",
    "::ffff:192.0.2.128",
    "fe80::1%eth0",
    "2001:db8::/32",
    "4111111111111111",
    "4111 1111 1111 1111",
    "4111%201111%201111%201111",
    "3782-822463-10005",
    "5555555555554444",
    "6799990100000000019",
];

/// What looks like a value, and what joins badly.
pub(crate) const NOISE: &[&str] = &[
    "Chrome/120.0.0.0",
    "version 1.2.3.4",
    "std::vector",
    "12:34:56",
    "00:11:22:33:44:55",
    "1700000000123456789",
    "550e8400-e29b-41d4-a716-446655440000",
    "getty@tty1.service",
    "1.3.6.1.4.1.311",
    "4111111111111112",
    "blk_-3955287039966096707",
    "[email]",
    "[ipv4]",
    "[email:k3f9x2q:0123456789abcdefghjk]",
    "[]",
    "[withheld 12 bytes]",
    "@",
    "::",
    ".",
    ":",
    "-",
    "\\",
    "\\n",
    "\\t",
    "\\u00",
    "%",
    "%4",
    "%20",
    "%3D40",
    "=40",
    "=2E",
    "#012",
    "#0",
    "#033[1m",
    "\"",
    "'",
    "é",
    "用户",
    "\u{200b}",
    "\u{1b}[31m",
    "\u{1b}[0m",
    "\u{0}",
    "x",
    "9",
    "user",
    "version",
    "card",
    "0",
];

/// What stands between.
pub(crate) const JOINTS: &[&str] =
    &["", " ", ",", "=", ": ", "/", "\t", ";", "|", "<", ">", "(", ")", "@", ".", "-", "_", ":", "\r"];

fn fragment() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => select(VALUES).prop_map(|text| text.as_bytes().to_vec()),
        4 => select(NOISE).prop_map(|text| text.as_bytes().to_vec()),
        5 => select(JOINTS).prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..6).prop_map(without_line_feeds),
        1 => "[0-9:.@a-f]{1,40}".prop_map(String::into_bytes),
    ]
}

fn without_line_feeds(bytes: Vec<u8>) -> Vec<u8> {
    bytes.into_iter().filter(|byte| *byte != b'\n').collect()
}

/// One line of running text, without its end.
pub(crate) fn text_line() -> impl Strategy<Value = Vec<u8>> {
    vec(fragment(), 0..14).prop_map(|fragments| fragments.concat())
}

/// One line of JSON as serde_json writes it, now and then with other escapes for some characters.
pub(crate) fn json_line() -> impl Strategy<Value = Vec<u8>> {
    (json_value(), any::<bool>()).prop_map(|(value, escaped)| {
        let text = serde_json::json!({ "msg": value }).to_string();
        let text = if escaped { text.replace('@', "\\u0040").replace('é', "\\u00e9") } else { text };
        text.into_bytes()
    })
}

fn json_value() -> impl Strategy<Value = serde_json::Value> {
    let text = text_line().prop_map(|bytes| serde_json::json!(String::from_utf8_lossy(&bytes)));
    let number = select(&[0_u64, 7, 4_111_111_111_111_111, 5_555_555_555_554_444, 1_700_000_000_123][..])
        .prop_map(|number| serde_json::json!(number));
    let leaf = prop_oneof![4 => text, 2 => number, 1 => Just(serde_json::Value::Null), 1 => Just(serde_json::json!(true))];
    let name = prop_oneof![
        3 => select(&["user", "ip", "user_id", "password", "a.b", "client", "x"][..]).prop_map(str::to_owned),
        1 => select(VALUES).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(3, 16, 4, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(serde_json::Value::Array),
            vec((name.clone(), inner), 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// A line of either sort, or a JSON line that lost or gained a few bytes.
pub(crate) fn line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => text_line(),
        2 => json_line(),
        1 => (json_line(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut line, at, byte)| {
            let at = at.index(line.len());
            if byte != b'\n' {
                line[at] = byte;
            }
            line
        }),
    ]
}

/// Several lines, with line ends of either sort, the last one with or without.
pub(crate) fn log() -> impl Strategy<Value = Vec<u8>> {
    let ended =
        (line(), select(&["\n", "\n", "\r\n"][..])).prop_map(|(line, end)| [&line, end.as_bytes()].concat());
    (vec(ended, 0..8), prop_oneof![Just(Vec::new()), line()])
        .prop_map(|(lines, last)| [lines.concat(), last].concat())
}

/// Policies that between them use every action and every way to cover a value.
pub(crate) const POLICIES: &[&str] = &[
    r#"
[[rule]]
name   = "all"
find   = ["all"]
action = "redact"
"#,
    r#"
[[rule]]
name   = "private"
find   = ["ip"]
unless = { networks = ["203.0.113.0/24", "2001:db8::/32"] }
action = "keep"

[[rule]]
name   = "ip"
find   = ["ip"]
action = { truncate = { ipv4 = 24, ipv6 = 48 } }

[[rule]]
name   = "card"
find   = ["pan"]
action = { truncate = { pan = "first6last4" } }

[[rule]]
name   = "email"
find   = ["email"]
action = { truncate = { email = "domain" } }
"#,
    r#"
[[rule]]
name   = "email"
find   = ["email"]
action = "mask"

[[rule]]
name   = "one network only"
find   = ["ipv4"]
only   = { networks = ["203.0.113.9/32"] }
action = "truncate"

[[rule]]
name   = "others"
find   = ["ip"]
action = "drop"

[[rule]]
name   = "card"
find   = ["pan"]
action = { redact = { with = "\"card\"" } }
"#,
    r#"
[pseudonyms]
keyring = "keyring.toml"

[[rule]]
name   = "all"
find   = ["all"]
action = "hash"
"#,
    r#"
[output]
numbers = "null"

[[rule]]
name   = "user"
field  = ["user", "password", "client.**"]
action = "redact"

[[rule]]
name   = "id"
field  = ["user_id", "**.x"]
action = "drop"

[[rule]]
name   = "client address"
find   = ["ip"]
in     = ["ip", "msg.ip"]
action = "truncate"

[[rule]]
name   = "elsewhere"
find   = ["all"]
action = "redact"
"#,
    r#"
[[rule]]
name   = "bad record"
find   = ["pan"]
action = "drop_record"

[lists.staff]
words       = ["user", "jane"]
ignore_case = true

[detectors.hexid]
regex = '(?<value>[0-9a-f]{8})-[0-9a-f]{4}'

[[rule]]
name   = "own"
find   = ["staff", "hexid"]
action = "redact"

[[rule]]
name    = "mail"
find    = ["email"]
binding = true
action  = "redact"
"#,
    r#"
[[rule]]
name   = "six"
find   = ["ipv6"]
action = "keep"

[[rule]]
name   = "four"
find   = ["ipv4", "email"]
action = "redact"

[[rule]]
name   = "card"
find   = ["pan"]
unless = { values = ["4111111111111111"] }
action = "mask"
"#,
    r#"
[[rule]]
name   = "mapped"
find   = ["ipv4"]
unless = { networks = ["10.0.0.0/8"] }
action = "truncate"
"#,
    r#"
[[rule]]
name   = "known users"
find   = ["all"]
when   = { "msg.user" = "*@*" }
action = "mask"

[[rule]]
name   = "exception"
find   = ["email", "ip"]
when   = { "**.x" = "*" }
action = "keep"

[[rule]]
name   = "others"
find   = ["all"]
action = "redact"
"#,
    r#"
[fields]
allow = ["msg.user", "**.x", "msg.client.*"]

[[rule]]
name   = "all"
find   = ["all"]
not_in = ["msg.password"]
action = "redact"
"#,
    r#"
[pseudonyms]
keyring = "keyring.toml"

[[rule]]
name   = "all"
find   = ["all"]
action = "encrypt"
"#,
    r#"
[pseudonyms]
keyring = "keyring.toml"

[[rule]]
name   = "email"
find   = ["email"]
action = { hash = { keep = "domain", scope = "forever" } }

[[rule]]
name   = "private"
find   = ["ip"]
unless = { networks = ["203.0.113.0/24", "2001:db8::/32"] }
action = { truncate = { pseudonymise = "prefix" } }

[[rule]]
name   = "others"
find   = ["all"]
action = { hash = { keep = "/24" } }
"#,
];
