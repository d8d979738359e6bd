//! Records that do not parse: they are scrubbed as text or withheld, never passed on as they are.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use logscrub::policy::Policy;
use logscrub::scrub::Scrubber;
use logscrub::stream::ScrubWriter;
use std::io::Write;

const RULES: &str = "
[[rule]]
field = ['**.password', 'user.token']
action = 'redact'
[[rule]]
find = ['email']
in = ['contact.**']
action = 'redact'
";

/// A value that may not be in any output.
const SECRET: &str = "hunter2-hunter2";

fn scrubber() -> Scrubber {
    Scrubber::new(Arc::new(Policy::from_toml(RULES, "damaged", None).unwrap()), None)
}

fn scrubbed(record: &str) -> String {
    let mut out = Vec::new();
    scrubber().scrub(record.as_bytes(), &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Records with the secret under a name that a rule means.
fn records() -> Vec<String> {
    let deep =
        |levels: usize, inner: &str| format!("{}{inner}{}", "{\"a\":[".repeat(levels), "]}".repeat(levels));
    vec![
        format!(r#"{{"password":"{SECRET}""#),
        format!(r#"{{"password":"{SECRET}"#),
        format!(r#"{{"password":"{SECRET}","contact":{{"mail":"{SECRET}@example.com"}}}}"#),
        format!(r#"{{"a":"x" "password":"{SECRET}"}}"#),
        format!(r#"{{"password":"{SECRET}"}}}}"#),
        format!(r#"{{"password":"{SECRET}","password":"{SECRET}"}}"#),
        format!(r#"{{"password":["{SECRET}",{{"x":"{SECRET}"}}]}}"#),
        format!(r#"{{"password":["{SECRET}",{{"x":"{SECRET}"}}]"#),
        format!(r#"[{{"password":"{SECRET}"}},"#),
        format!(r#"{{"m":"{{\"password\":\"{SECRET}\"}}"}}"#),
        format!(r#"{{"m":"{{\"password\":\"{SECRET}\"}}"#),
        format!(r#"{{"m":"{{\"password\":\"{SECRET}\"","n":1}}"#),
        format!(r#"{{"m":"login password={SECRET} from here","n":1}}"#),
        format!(r#"{{"url":"/login?password={SECRET}&x=1"}}"#),
        format!(r#"  "password" : "{SECRET}","#),
        format!(r#"  'password' : '{SECRET}',"#),
        format!("level=info password={SECRET}"),
        format!("level=info password=\"{SECRET}"),
        format!("level=info password=\"{SECRET} \\\""),
        deep(60, &format!(r#"{{"password":"{SECRET}"}}"#)),
        deep(200, &format!(r#"{{"password":"{SECRET}"}}"#)),
        deep(10_000, &format!(r#"{{"password":"{SECRET}"}}"#)),
        format!("{}{{\"password\":\"{SECRET}\"}}", "[".repeat(10_000)),
        format!("\u{feff}{{\"password\":\"{SECRET}\"}}"),
        format!("{{\"password\":\"{SECRET}\u{0}\"}}"),
        format!("{{\"pass\\u0077ord\":\"{SECRET}\"}}"),
        format!("{{\"pass\\u0077ord\":\"{SECRET}\""),
        format!("GET /login?next=%2Fx%3Fpassword%3D{SECRET}%26y"),
        format!("GET /login?pass%77ord={SECRET}"),
        format!(r"read(4, GET / HTTP/1.1\r\npassword: {SECRET}\r\n"),
        format!(r"a\\tpassword={SECRET}"),
        format!("a%0Apassword={SECRET}"),
        format!("a%25250Apassword={SECRET}"),
        format!(r"a\u000apassword={SECRET}"),
        format!(r"a \x1b[38;5;196mpassword={SECRET}"),
        format!("GET /login?pass%2577ord%253D{SECRET}"),
        format!("q=%7B%22password%22%3A%22{SECRET}%22%7D"),
        format!("<p>password&#61;{SECRET}"),
        format!("&quot;password&quot;:&quot;{SECRET}&quot;"),
        format!(r#"{{"m":"password\u003d{SECRET}"}}"#),
        format!(r#"{{"m":"a	password={SECRET}"}}"#),
        format!("\x1b[1mpassword\x1b[0m={SECRET}"),
        format!("\u{1b}[1mpassword\u{1b}[0m={SECRET}"),
    ]
}

#[test]
fn what_does_not_parse_is_scrubbed_all_the_same() {
    for record in records() {
        let out = scrubbed(&record);
        assert!(!out.contains("hunter2"), "{out} from {record}");
    }
}

/// Every beginning of a record, and every record with a byte less, as a broken logger leaves them.
#[test]
fn a_record_that_was_cut_leaks_no_more_than_one_that_was_not() {
    for record in records()
        .iter()
        .filter(|record| record.len() < 300 && record.is_ascii() && !record.contains("contact"))
    {
        let name = record.find("pass").unwrap_or_default();
        for at in record.find(SECRET).unwrap_or_default()..record.len() {
            let cut = &record[..at];
            let rest = cut[name..].find("hun").map_or("", |from| &cut[name + from..]);
            assert!(rest.len() < 7 || !scrubbed(cut).contains("hunter2"), "{} from {cut}", scrubbed(cut));
        }
    }
}

#[test]
fn a_field_of_50_mb_is_withheld() {
    let mut writer = ScrubWriter::new(scrubber(), Vec::new());
    write!(writer, "{{\"a\":\"").unwrap();
    for _ in 0..50 {
        writer.write_all(&[b'x'; 1 << 20]).unwrap();
    }
    write!(writer, "\",\"password\":\"{SECRET}\"}}\nnext password={SECRET}\n").unwrap();
    assert_eq!(writer.take_tally().withheld, 1);
    let out = String::from_utf8(writer.finish().unwrap()).unwrap();
    let bytes = 6 + (50 << 20) + r#"","password":""#.len() + SECRET.len() + 2;
    assert_eq!(out, format!("{{\"logscrub\":\"withheld\",\"bytes\":{bytes}}}\nnext password=[field]\n"));
}
