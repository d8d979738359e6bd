//! Copies of what field rules remove: each bound in a table, and random records against a naive reading.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "reference/mod.rs"]
mod reference;

use std::path::Path;
use std::sync::{Arc, LazyLock};

use logscrub::action::hash::HashKey;
use logscrub::policy::Policy;
use logscrub::scrub::Scrubber;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value};

/// What the rows of the table and the random records are scrubbed by.
const POLICIES: [(&str, &str); 13] = [
    ("redact", "[[rule]]\nfield = ['user', 'people.**']\nas = 'user'\naction = 'redact'"),
    ("no", "[[rule]]\nfield = ['user']\nas = 'user'\nelsewhere = 'no'\naction = 'redact'"),
    ("drop", "[[rule]]\nfield = ['user', 'people.**']\naction = 'drop'"),
    ("record", "[[rule]]\nfield = ['user']\naction = 'drop_record'"),
    ("mask", "[[rule]]\nfield = ['user']\naction = 'mask'"),
    ("truncate", "[[rule]]\nfield = ['user']\nas = 'email'\naction = 'truncate'"),
    ("network", "[[rule]]\nfield = ['user']\naction = 'truncate'"),
    (
        "hash",
        "pseudonyms.keyring = 'k'\n[[rule]]\nfield = ['user', 'id']\nas = 'user'\naction = 'hash'\n\
         [[rule]]\nfind = ['email']\naction = 'truncate'",
    ),
    ("with", "[[rule]]\nfield = ['user']\nas = 'user'\naction = { redact = { with = 'some \"body\"' } }"),
    ("null", "output.numbers = 'null'\n[[rule]]\nfield = ['user']\nas = 'user'\naction = 'redact'"),
    (
        "two",
        "[[rule]]\nfield = ['user']\nas = 'user'\naction = 'mask'\n\
         [[rule]]\nfield = ['name']\nas = 'name'\naction = 'redact'\n[[rule]]\nfield = ['kept']\naction = 'keep'",
    ),
    (
        "mail",
        "[[rule]]\nfield = ['user']\nas = 'user'\naction = 'redact'\n[[rule]]\nfind = ['email']\naction = 'truncate'",
    ),
    ("found", "[[rule]]\nfield = ['user']\naction = 'redact'\n[[rule]]\nfind = ['ip']\naction = 'keep'"),
];

static SCRUBBERS: LazyLock<Vec<Scrubber>> = LazyLock::new(|| {
    let scrubber = |(_, rules): &(&str, &str)| {
        let policy = Policy::from_toml(rules, "taint", Some(Path::new(".")))
            .unwrap_or_else(|faults| panic!("{faults}"));
        Scrubber::new(Arc::new(policy), Some(HashKey::new(&[7; 32])))
    };
    POLICIES.iter().map(scrubber).collect()
});

fn scrubber(policy: &str) -> Scrubber {
    let at = POLICIES.iter().position(|(name, _)| *name == policy).expect("a policy of this name");
    SCRUBBERS[at].clone()
}

fn scrub(policy: &str, record: &[u8]) -> String {
    let mut out = Vec::new();
    scrubber(policy).scrub(record, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Rules, record, what is left; `U` stands for `[user]` there.
const ROWS: &[(&str, &str, &str)] = &[
    // Whole words in values.
    ("redact", r#"{"user":"alice77","msg":"login of alice77"}"#, r#"{"user":"U","msg":"login of U"}"#),
    ("redact", r#"{"msg":"alice77, (alice77)","user":"alice77"}"#, r#"{"msg":"U, (U)","user":"U"}"#),
    (
        "redact",
        r#"{"user":"alice77","msg":"alice770 xalice77 _alice77 éalice77"}"#,
        r#"{"user":"U","msg":"alice770 xalice77 _alice77 éalice77"}"#,
    ),
    (
        "redact",
        r#"{"user":"alice77","msg":"-alice77- x.alice77/y “alice77” ’alice77"}"#,
        r#"{"user":"U","msg":"-U- x.U/y “U” ’U"}"#,
    ),
    ("redact", r#"{"user":"alice77","msg":"Alice77 ALICE77"}"#, r#"{"user":"U","msg":"Alice77 ALICE77"}"#),
    ("redact", r#"{"user":"Ana Smith","msg":"by Ana Smith; Ana"}"#, r#"{"user":"U","msg":"by U; Ana"}"#),
    ("redact", r#"{"user":"jürg","msg":"jürg jürgen"}"#, r#"{"user":"U","msg":"U jürgen"}"#),
    ("redact", r#"{"user":"a.b-c@d","msg":"xa.b-c@d a.b-c@d!"}"#, r#"{"user":"U","msg":"xa.b-c@d U!"}"#),
    ("redact", r#"{"user":"@!?x","msg":"z@!?x @!?xy"}"#, r#"{"user":"U","msg":"zU @!?xy"}"#),
    // Elsewhere switched off, and kept values.
    ("no", r#"{"user":"alice77","msg":"of alice77"}"#, r#"{"user":"U","msg":"of alice77"}"#),
    ("two", r#"{"kept":"alice77","msg":"of alice77"}"#, r#"{"kept":"alice77","msg":"of alice77"}"#),
    // Length.
    ("redact", r#"{"user":"ana","msg":"of ana"}"#, r#"{"user":"U","msg":"of ana"}"#),
    ("redact", r#"{"user":"anna","msg":"of anna"}"#, r#"{"user":"U","msg":"of U"}"#),
    (
        "redact",
        r#"{"user":"12345","msg":"of 12345","n":12345}"#,
        r#"{"user":"U","msg":"of 12345","n":12345}"#,
    ),
    ("redact", r#"{"user":"123456","msg":"of 123456"}"#, r#"{"user":"U","msg":"of U"}"#),
    ("redact", r#"{"user":"12345a","msg":"of 12345a"}"#, r#"{"user":"U","msg":"of U"}"#),
    // Numbers.
    ("redact", r#"{"user":4711832,"msg":"user 4711832 in"}"#, r#"{"user":"U","msg":"user U in"}"#),
    (
        "redact",
        r#"{"user":"4711832","n":4711832,"m":[4711832,47118320]}"#,
        r#"{"user":"U","n":"U","m":["U",47118320]}"#,
    ),
    ("null", r#"{"user":4711832,"n":4711832,"m":"4711832"}"#, r#"{"user":null,"n":null,"m":"U"}"#),
    // Names, structure and literals.
    (
        "redact",
        r#"{"user":"alice77","alice77":{"alice77":"alice77"}}"#,
        r#"{"user":"U","alice77":{"alice77":"U"}}"#,
    ),
    ("redact", r#"{"user":"true","a":true,"b":"true"}"#, r#"{"user":"U","a":true,"b":"true"}"#),
    ("redact", r#"{"user":true,"a":true,"b":"true"}"#, r#"{"user":"U","a":true,"b":"true"}"#),
    ("redact", r#"{"user":null,"a":null,"b":"null"}"#, r#"{"user":null,"a":null,"b":"null"}"#),
    (
        "redact",
        r#"{"user":"\",\"b\":\"","a":"x","b":"y","c":"z"}"#,
        r#"{"user":"U","a":"x","b":"y","c":"z"}"#,
    ),
    ("redact", r#"{"user":"","msg":""}"#, r#"{"user":"","msg":""}"#),
    // What would erase the evidence.
    (
        "redact",
        r#"{"user":"error","level":"error","msg":"error by error"}"#,
        r#"{"user":"U","level":"error","msg":"error by error"}"#,
    ),
    (
        "redact",
        r#"{"user":"POST","msg":"\"POST / HTTP/1.1\""}"#,
        r#"{"user":"U","msg":"\"POST / HTTP/1.1\""}"#,
    ),
    (
        "redact",
        r#"{"user":"granted","status":"granted","s":"granted"}"#,
        r#"{"user":"U","status":"granted","s":"U"}"#,
    ),
    ("redact", r#"{"user":"alice77","status":"alice77"}"#, r#"{"user":"U","status":"U"}"#),
    (
        "redact",
        r#"{"user":"alice","log.level":"alice","x":"alice"}"#,
        r#"{"user":"U","log.level":"alice","x":"U"}"#,
    ),
    (
        "redact",
        r#"{"user":"2026-03-01","ts":"2026-03-01 10:00","d":"2026-03-01"}"#,
        r#"{"user":"U","ts":"2026-03-01 10:00","d":"U"}"#,
    ),
    ("redact", r#"{"user":1700000000,"time":1700000000}"#, r#"{"user":"U","time":1700000000}"#),
    (
        "redact",
        r#"{"user":"1980-01-01","born":{"date":"1980-01-01"}}"#,
        r#"{"user":"U","born":{"date":"U"}}"#,
    ),
    ("redact", r#"{"user":"----","msg":"---- **** ----"}"#, r#"{"user":"U","msg":"---- **** ----"}"#),
    ("redact", r#"{"user":"    ","msg":"a    b"}"#, r#"{"user":"U","msg":"a    b"}"#),
    ("redact", r#"{"user":"!$%?","msg":"with !$%? in"}"#, r#"{"user":"U","msg":"with U in"}"#),
    // Residues.
    ("redact", r#"{"user":"[user]","msg":"a [user]"}"#, r#"{"user":"U","msg":"a [user]"}"#),
    ("redact", r#"{"user":"email","msg":"[email] email"}"#, r#"{"user":"U","msg":"[email] U"}"#),
    ("redact", r#"{"user":"user","msg":"[user] user"}"#, r#"{"user":"U","msg":"[user] U"}"#),
    ("redact", r#"{"user":"x [user]","msg":"of x [user]"}"#, r#"{"user":"U","msg":"of U"}"#),
    ("with", r#"{"user":"some","msg":"some x"}"#, r#"{"user":"some \"body\"","msg":"some x"}"#),
    ("with", r#"{"user":"a\"bcd","msg":"x a\"bcd"}"#, r#"{"user":"some \"body\"","msg":"x some \"body\""}"#),
    // Escapes: of JSON, of what is in it, and of both.
    ("redact", r#"{"user":"alice77","msg":"\u0061lice77"}"#, r#"{"user":"U","msg":"U"}"#),
    ("redact", r#"{"user":"\u0061lice77","msg":"alice77"}"#, r#"{"user":"U","msg":"U"}"#),
    (
        "redact",
        r#"{"user":"alice77","msg":"%61lice77 %2561lice77 \\u0061lice77 \\x61lice77 &#97;lice77"}"#,
        r#"{"user":"U","msg":"U U U U U"}"#,
    ),
    ("redact", r#"{"user":"a%40b","msg":"a@b a%40b a%2540b"}"#, r#"{"user":"U","msg":"a@b U U"}"#),
    ("redact", r#"{"user":"ab%40cd","msg":"ab@cd ab%40cd ab%2540cd"}"#, r#"{"user":"U","msg":"U U U"}"#),
    ("redact", r#"{"user":"Ana Smith","q":"?n=Ana%20Smith&m=1"}"#, r#"{"user":"U","q":"?n=U&m=1"}"#),
    ("redact", r#"{"user":"alice77","m":"al\u001b[1mice77 al\u200bice77"}"#, r#"{"user":"U","m":"U U"}"#),
    (
        "redact",
        "{\"user\":\"alice77\",\"m\":\"x\\u001b[1malice77\\u001b[0mx\"}",
        "{\"user\":\"U\",\"m\":\"x\\u001b[1mU\\u001b[0mx\"}",
    ),
    ("redact", r#"{"user":"a\"b\\c","m":"x a\"b\\c y"}"#, r#"{"user":"U","m":"x U y"}"#),
    ("redact", r#"{"user":"ab\bcd","m":"x ab\bcd y"}"#, r#"{"user":"U","m":"x U y"}"#),
    (
        "redact",
        r#"{"user":"nina77","m":"a\nnina77\tnina77 DOM\\nina77"}"#,
        r#"{"user":"U","m":"a\nU\tU DOM\\U"}"#,
    ),
    // JSON in JSON.
    (
        "redact",
        r#"{"user":"alice77","m":"{\"alice77\":\"of alice77\",\"n\":4}"}"#,
        r#"{"user":"U","m":"{\"alice77\":\"of U\",\"n\":4}"}"#,
    ),
    (
        "redact",
        r#"{"user":"4711832","m":"{\"n\":4711832,\"t\":\"a\\n4711832\"}"}"#,
        r#"{"user":"U","m":"{\"n\":\"U\",\"t\":\"a\\nU\"}"}"#,
    ),
    (
        "redact",
        r#"{"user":"nina77","m":"{\"t\":\"a\\nina77\"}"}"#,
        r#"{"user":"U","m":"{\"t\":\"a\\nina77\"}"}"#,
    ),
    // Containers: each value in them.
    (
        "redact",
        r#"{"people":{"a":"alice77","b":["bob88",4711832]},"m":"bob88 alice77 4711832"}"#,
        r#"{"people":{"a":"[user]","b":["[user]","[user]"]},"m":"U U U"}"#,
    ),
    ("drop", r#"{"people":{"a":"alice77","b":["bob88"]},"m":"bob88 alice77"}"#, r#"{"m":"[] []"}"#),
    // Running text.
    ("redact", "login user=alice77 ok alice77", "login user=U ok U"),
    ("redact", "2026-03-01 10:00:00.5 user=2026-03-01 on 2026-03-01", "2026-03-01 10:00:00.5 user=U on U"),
    ("redact", "[2026/03/01 10:00:00] user=10:00:00 10:00:00", "[2026/03/01 10:00:00] user=U U"),
    ("redact", "203.0.113.9 - user=203.0.113.9", "U - user=U"),
    ("redact", "login user=\"Ana Smith\" ok Ana Smith.", "login user=\"U\" ok U."),
    ("redact", "alice77: GET /u/alice77?user=alice77&x=alice778", "U: GET /u/U?user=U&x=alice778"),
    (
        "redact",
        "user=alice77 java.lang.E: alice77\\n\\tat x.y(Alice77.java) alice77\\n",
        "user=U java.lang.E: U\\n\\tat x.y(Alice77.java) U\\n",
    ),
    ("redact", "user=a%40bc.example mail a@bc.example", "user=U mail U"),
    ("redact", r#"{"user":"alice77","m":"of alice77""#, r#"{"user":"U","m":"of U""#),
    ("redact", r#"{"m":"/x?user=alice77 alice77","n":"alice77"}"#, r#"{"m":"/x?user=U U","n":"U"}"#),
    // Other actions.
    ("drop", r#"{"user":"alice77","m":"of alice77","n":"alice77"}"#, r#"{"m":"of []","n":"[]"}"#),
    ("drop", r#"{"user":4711832,"m":[4711832]}"#, r#"{"m":["[]"]}"#),
    ("drop", "user=alice77 of alice77", "user=[] of []"),
    ("record", r#"{"user":"alice77","m":"of alice77"}"#, ""),
    ("mask", r#"{"user":"al-ce77","m":"of al-ce77"}"#, r#"{"user":"**-****","m":"of **-****"}"#),
    (
        "truncate",
        r#"{"user":"ana@example.com","m":"of ana@example.com"}"#,
        r#"{"user":"[email]@example.com","m":"of [email]@example.com"}"#,
    ),
    (
        "network",
        r#"{"user":"203.0.113.9","m":"of 203.0.113.9, 203%2E0.113.9"}"#,
        r#"{"user":"203.0.113.0","m":"of 203.0.113.0, 203.0.113.0"}"#,
    ),
    (
        "network",
        r#"{"user":"203.0.113.0","m":"203%2E0.113.0"}"#,
        r#"{"user":"203.0.113.0","m":"203%2E0.113.0"}"#,
    ),
    ("found", r#"{"user":"203.0.113.9","m":"203.0.113.9"}"#, r#"{"user":"[ipv4]","m":"[ipv4]"}"#),
    // Values that overlap: those of one rule are one, of several the stronger acts, and no tail stays.
    (
        "redact",
        r#"{"people":["alice","alice smith","smith jones"],"m":"alice, alice smith, alice smith jones"}"#,
        r#"{"people":["[user]","[user]","[user]"],"m":"U, U, U"}"#,
    ),
    (
        "two",
        r#"{"user":"alice","name":"alice smith","m":"alice alice smith"}"#,
        r#"{"user":"*****","name":"[name]","m":"***** [name]"}"#,
    ),
    (
        "two",
        r#"{"user":"bob alice","name":"alice smith","m":"bob alice smith"}"#,
        r#"{"user":"*** *****","name":"[name]","m":"[user][name]"}"#,
    ),
    ("two", r#"{"user":"alice77","name":"alice77"}"#, r#"{"user":"[name]","name":"[name]"}"#),
    ("two", r#"{"user":"alice77","kept":"alice77"}"#, r#"{"user":"*******","kept":"*******"}"#),
    ("mail", r#"{"user":"alice77","m":"alice77@example.com"}"#, r#"{"user":"U","m":"[user][email]"}"#),
    ("mail", r#"{"user":"example","m":"ana@example.com"}"#, r#"{"user":"U","m":"[email][user][email]"}"#),
];

#[test]
fn copies_become_what_the_field_becomes() {
    let wrong: Vec<String> = ROWS
        .iter()
        .filter_map(|(policy, record, wanted)| {
            let wanted = match policy {
                &"drop" | &"mask" | &"truncate" | &"found" => (*wanted).to_owned(),
                _ => wanted.replace("\"U", "\"[user]").replace('U', "[user]"),
            };
            let got = scrub(policy, record.as_bytes());
            (got != wanted).then(|| format!("{policy} {record}\n  wanted {wanted}\n     got {got}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ROWS.len() >= 60);
}

#[test]
fn what_is_left_is_left_for_good() {
    for (policy, record, _) in ROWS {
        let once = scrub(policy, record.as_bytes());
        assert_eq!(scrub(policy, once.as_bytes()), once, "{policy} {record}");
        scrubber(policy).inspect(once.as_bytes(), |_, _, judged| assert_eq!(judged.changes, [], "{once}"));
    }
}

/// A copy that an edit lays bare, or leaves standing, is seen in a later pass.
#[test]
fn what_was_removed_is_remembered() {
    let left = scrub("hash", br#"{"user":"example","m":"ana@example.com"}"#);
    let read: Value = serde_json::from_str(&left).unwrap();
    let pseudonym = read["user"].as_str().unwrap();
    assert!(pseudonym.starts_with("[user:k"));
    assert_eq!(read["m"], format!("[email]@{pseudonym}.com"));
}

#[test]
fn a_copy_has_the_pseudonym_of_the_field() {
    let record = r#"{"user":"ab%40cd","id":4711832,"m":["ab@cd","4711832","ab%2540cd\u0020x"]}"#;
    let read: Value = serde_json::from_str(&scrub("hash", record.as_bytes())).unwrap();
    let is_pseudonym = |value: &Value| value.as_str().unwrap().starts_with("[user:k");
    assert!(is_pseudonym(&read["user"]) && is_pseudonym(&read["id"]) && read["user"] != read["id"]);
    assert_eq!(read["m"][0], read["user"]);
    assert_eq!(read["m"][1], read["id"]);
    assert_eq!(read["m"][2], format!("{} x", read["user"].as_str().unwrap()));
}

#[test]
fn a_copy_is_explained_as_one() {
    let mut seen = Vec::new();
    let record = br#"{"user":"alice77","m":"of alice77"}"#;
    scrubber("redact").inspect(record, |_, _, judged| {
        seen.extend(judged.changes.iter().map(|cause| cause.copy));
    });
    assert_eq!(seen, [false, true]);
}

/// No clock: what is quadratic needs hours for these.
#[test]
fn many_copies_of_many_values_come_to_an_end() {
    let often = format!(r#"{{"user":"alice77","m":"{}"}}"#, "alice77 ".repeat(10_000));
    assert_eq!(scrub("redact", often.as_bytes()).matches("[user]").count(), 10_001);
    let member = |number: usize| format!("\"n{number}\":\"alice{number}\"");
    let members: Vec<String> = (0..10_000).map(member).collect();
    let copies: Vec<String> = (0..10_000).map(|number| format!("alice{number}")).collect();
    let many = format!(r#"{{"people":{{{}}},"m":"{}"}}"#, members.join(","), copies.join(" "));
    let left = scrub("redact", many.as_bytes());
    assert_eq!(left.matches("[user]").count(), 20_000);
    assert!(!left.contains("alice"));
}

/// Values made to end in one another many times over: the record is withheld, not searched for hours.
#[test]
fn hostile_values_come_to_an_end() {
    for unit in ["a ", "a", "ab ", "%20", "\\\\", "[user]", "x=", "\\u0061 ", "&amp;"] {
        for policy in ["redact", "drop", "mask", "two", "mail"] {
            let people: Vec<String> = (2..220).map(|count| format!("\"{}\"", unit.repeat(count))).collect();
            let text = unit.repeat(20_000 / unit.len());
            let record =
                format!(r#"{{"user":"{}","people":[{}],"m":"{text}"}}"#, unit.repeat(500), people.join(","));
            let left = scrub(policy, record.as_bytes());
            assert!(left.starts_with('{'), "{policy} {unit} {left}");
        }
    }
}

/// What a value may be: each of them is a bound, or hidden in some way.
const VALUES: [&str; 22] = [
    "alice77",
    "alice",
    "alice smith",
    "4711832",
    "12345",
    "abc",
    "error",
    "TRUE",
    "j\u{fc}rg",
    "a.b-c",
    "xy@z",
    "DOM\\nina77",
    "a\"b\"c",
    "%61lice",
    "ab%2540c",
    "----",
    "!?!?",
    "[user] x",
    "[user]",
    "\u{201c}ann\u{201d}",
    "granted",
    "a a a",
];
const JOINTS: [&str; 16] = [
    " ",
    ",",
    "-",
    "_",
    "/",
    "\n",
    "\t",
    "x",
    "7",
    "\u{e9}",
    "\u{201c}",
    "\u{200b}",
    "\u{1b}[1m",
    "[user]",
    "\\n",
    "%20",
];

fn written(value: &'static str) -> impl Strategy<Value = String> {
    let each = move |form: fn(u8) -> String| value.bytes().map(form).collect::<String>();
    let one = move |form: fn(u8) -> String| {
        let plain = value.as_bytes()[0].is_ascii();
        if plain { form(value.as_bytes()[0]) + &value[1..] } else { value.to_owned() }
    };
    select(vec![
        value.to_owned(),
        value.to_owned(),
        each(|byte| format!("%{byte:02X}")),
        one(|byte| format!("%25{byte:02x}")),
        one(|byte| format!("\\u{byte:04x}")),
        one(|byte| format!("&#{byte};")),
    ])
}

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        select(VALUES.to_vec()).prop_flat_map(written),
        select(JOINTS.to_vec()).prop_map(str::to_owned),
        select(JOINTS.to_vec()).prop_map(str::to_owned),
    ];
    proptest::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        5 => text().prop_map(Value::String),
        1 => select(vec![Value::from(4711832), Value::from(12345), Value::from(true), Value::Null]),
        2 => select(VALUES.to_vec()).prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        let names = select(vec!["level", "status", "date", "alice77", "m", "n"]);
        let object = proptest::collection::vec((names, inner.clone()), 0..3).prop_map(|members| {
            Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        });
        prop_oneof![
            2 => object.clone(),
            1 => proptest::collection::vec(inner, 0..3).prop_map(Value::Array),
            1 => object.prop_map(|object| Value::String(object.to_string())),
        ]
    })
}

fn record() -> impl Strategy<Value = Value> {
    let names = select(vec!["m", "n", "level", "status", "ts", "log.level", "date", "alice77"]);
    let user = prop_oneof![4 => select(VALUES.to_vec()).prop_map(Value::from), 1 => value()];
    (user, proptest::collection::vec((names, value()), 1..4), any::<bool>()).prop_map(
        |(user, others, first)| {
            let mut record = Map::new();
            if first {
                record.insert("user".to_owned(), user.clone());
            }
            record.extend(others.into_iter().map(|(name, value)| (name.to_owned(), value)));
            record.insert("user".to_owned(), user);
            Value::Object(record)
        },
    )
}

/// The same with JSON in texts read, for blanks and escapes in it may differ.
fn opened(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), opened(value))).collect())
        }
        Value::Array(elements) => Value::Array(elements.iter().map(opened).collect()),
        Value::String(text) => match reference::taint::inner(text) {
            Some(inner) => serde_json::json!({ "inner": opened(&inner) }),
            None => value.clone(),
        },
        other => other.clone(),
    }
}

fn cases() -> u32 {
    std::env::var("LOGSCRUB_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1500)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn records_become_what_the_naive_reading_says(record in record()) {
        let line = record.to_string();
        let left = scrub("redact", line.as_bytes());
        let read: Value = serde_json::from_str(&left).unwrap();
        prop_assert_eq!(opened(&read), opened(&reference::taint::scrubbed(&record)), "{} from {}", left, line);
    }

    #[test]
    fn no_copy_is_left_and_nothing_changes_twice(record in record(), policy in 0..POLICIES.len()) {
        let policy = POLICIES[policy].0;
        let line = record.to_string();
        let once = scrub(policy, line.as_bytes());
        prop_assert_eq!(&scrub(policy, once.as_bytes()), &once, "{} {}", policy, line);
        let mut changes = Vec::new();
        scrubber(policy).inspect(once.as_bytes(), |_, _, judged| changes.extend(judged.changes));
        prop_assert!(changes.is_empty(), "{} {:?} in {} from {}", policy, changes, once, line);
        prop_assert!(!once.contains("withheld"), "{} {}", policy, line);
    }
}
