//! Access logs: what rules name is edited, and nothing else.

use logscrub::format::{FORMATS, Fields, Head};
use proptest::prelude::*;

use super::reading::leaves;
use super::scrubbed;

const RULES: &str = r#"
[[rule]]
name = "user"
field = ["remote_user"]
action = "redact"

[[rule]]
name = "parameters"
field = ["request.query.token", "sid"]
action = "drop"

[[rule]]
name = "names"
field = ["name"]
action = { redact = { with = "a & b" } }

[[rule]]
name = "referrer"
field = ["8"]
action = "drop"
"#;

/// What is left of a query, read with nothing but `split`.
fn query_left(query: &str) -> String {
    let goes =
        |pair: &&str| pair.contains('=') && ["token", "sid"].contains(&pair.split('=').next().unwrap());
    let left = query.split('&').filter(|pair| !goes(pair)).map(|pair| match pair.split_once('=') {
        Some(("name", value)) if !value.is_empty() => "name=a%20%26%20b".to_owned(),
        _ => pair.to_owned(),
    });
    left.collect::<Vec<_>>().join("&")
}

fn expected(record: &str) -> String {
    let whole = r#"^(\S+) (\S+) (.*) \[([^]]*)\] "((?:[^"\\]|\\.)*)" (\S+) (\S+) "((?:[^"\\]|\\.)*)" (.*)$"#;
    let columns = regex::Regex::new(whole).unwrap().captures(record).unwrap();
    let user = if &columns[3] == "-" { "-" } else { "[field]" };
    let request = match columns[5].split_once('?') {
        Some((before, after)) => {
            let (query, protocol) = after.rsplit_once(' ').unwrap();
            let left = query_left(query);
            let question = if left.is_empty() && !query.is_empty() { "" } else { "?" };
            format!("{before}{question}{left} {protocol}")
        }
        None => columns[5].to_owned(),
    };
    let [_, address, logname, _, time, _, status, length, _, rest] =
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(|at| &columns[at]);
    format!("{address} {logname} {user} [{time}] \"{request}\" {status} {length} \"-\" {rest}")
}

fn request() -> impl Strategy<Value = String> {
    let pair = prop_oneof!["(token|sid|name|q|na)=[a-zA-Z0-9%.\\[\\]-]{0,6}", "[a-z]{1,3}",];
    let query = proptest::collection::vec(pair, 0..5).prop_map(|pairs| pairs.join("&"));
    prop_oneof![
        ("(GET|POST)", "/[a-z/%.]{0,8}", proptest::option::of(query), "HTTP/[12]\\.[01]").prop_map(
            |(method, path, query, protocol)| match query {
                Some(query) => format!("{method} {path}?{query} {protocol}"),
                None => format!("{method} {path} {protocol}"),
            }
        ),
        "(\\\\x[0-9A-F]{2}){0,5}",
        Just("-".to_owned()),
    ]
}

proptest! {
    #[test]
    fn rules_on_columns_and_parameters_edit_those_alone(
        user in "-|[a-z]{1,5}( [a-z]{1,3})?|[a-z]\\\\x22[a-z]",
        request in request(),
        status in "[1-5][0-9]{2}",
        length in "-|[0-9]{1,6}",
        referrer in "-|https?//[a-z./]{0,8}|a\\\\\"b",
        agent in "-|[a-zA-Z0-9 ()/;.]{0,12}|say \\\\\"hi\\\\\"",
        more in "| [0-9.]{1,4}| \"[a-z ,]{0,8}\" -",
    ) {
        let record = format!(
            "203.0.113.7 - {user} [10/Oct/2000:13:55:36 -0700] \"{request}\" {status} {length} \"{referrer}\" \"{agent}\"{more}"
        );
        prop_assert_eq!(scrubbed(RULES, &record), expected(&record));
    }
}

/// A target may have been sent with blanks in it. Only what looks like a protocol ends it then.
#[test]
fn a_target_with_blanks_is_read_up_to_the_protocol() {
    let record = br#"203.0.113.7 - - [10/Oct/2000:13:55:36 -0700] "GET /a b?name=Ana B HTTP/1.1" 200 0"#;
    let head = Head::default();
    let mut fields = Fields::default();
    assert!(FORMATS.into_iter().any(|format| fields.read(record, format, &head)));
    fields.open(record, &head);
    let leaves = leaves(record, &fields);
    for (path, content) in
        [("request.path", "/a b"), ("request.query.name", "Ana B"), ("request.protocol", "HTTP/1.1")]
    {
        assert!(leaves.contains(&(path.to_owned(), content.as_bytes().to_vec())), "{path}");
    }
}

/// The request as a whole, a part of it, a parameter by its own name, by any spelling of it, and by the column.
#[test]
fn rules_mean_the_request_its_parts_and_its_parameters() {
    let record = r#"203.0.113.7 - - [10/Oct/2000:13:55:36 -0700] "GET /a?user=ana&t%6Fken=x HTTP/1.1" 200 0"#;
    for (field, action, left) in [
        ("request", "drop", "-"),
        ("request", "redact", "[field]"),
        ("5", "drop", "-"),
        ("request.query", "drop", "GET /a HTTP/1.1"),
        ("request.query", "redact", "GET /a?[field] HTTP/1.1"),
        ("request.*.user", "redact", "GET /a?user=[field]&t%6Fken=x HTTP/1.1"),
        ("user", "drop", "GET /a?t%6Fken=x HTTP/1.1"),
        ("token", "redact", "GET /a?user=ana&t%6Fken=[field] HTTP/1.1"),
        ("**.token", "drop", "GET /a?user=ana HTTP/1.1"),
        ("request.path", "drop", "GET -?user=ana&t%6Fken=x HTTP/1.1"),
        ("request.method", "redact", "[field] /a?user=ana&t%6Fken=x HTTP/1.1"),
        ("request.**", "redact", "[field]"),
        ("path", "redact", "GET /a?user=ana&t%6Fken=x HTTP/1.1"),
    ] {
        let rules = format!("[[rule]]\nname = \"x\"\nfield = [\"{field}\"]\naction = \"{action}\"\n");
        let expected = record.replace("GET /a?user=ana&t%6Fken=x HTTP/1.1", left);
        assert_eq!(scrubbed(&rules, record), expected, "{field} {action}");
    }
}

/// What is left of a protocol is one, and no part of the path.
#[test]
fn masked_protocols_are_protocols() {
    let record = br#"203.0.113.7 - - [10/Oct/2000:13:55:36 -0700] "GET / ****/*.*" 200 0"#;
    let fields =
        crate::reading::read(record, &logscrub::format::access::Access, &Default::default()).unwrap();
    let leaves = crate::reading::leaves(record, &fields);
    assert!(leaves.contains(&("request.protocol".to_owned(), b"****/*.*".to_vec())), "{leaves:?}");
}

/// A mask is made of what escapes stand for; and a number is a column, not what stands before a colon.
#[test]
fn masks_and_numbers_come_to_rest() {
    let record = r#"203.0.113.7 - - [10/Oct/2000:13:55:36 -0700] "GET /%2fetc%20a?a=%41 HTTP/1.1" 200 0 "\x22a\x22" "at 8:30""#;
    for (field, from, to) in [
        ("request.path", "/%2fetc%20a", "//***%20*"),
        ("a", "a=%41", "a=*"),
        ("request.query", "a=%41", "*=%**"),
        ("http_referer", r"\x22a\x22", r"\x22*\x22"),
        ("8", r"\x22a\x22", r"\x22*\x22"),
        ("request.protocol", "HTTP/1.1", "****/*.*"),
    ] {
        let rules = format!("[[rule]]\nname = \"x\"\nfield = [\"{field}\"]\naction = \"mask\"\n");
        assert_eq!(scrubbed(&rules, record), record.replace(from, to), "{field}");
    }
    let inside = r#"{"log":"203.0.113.7 - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.1\" 200 0\n","stream":"stdout"}"#;
    assert_eq!(scrubbed("[[rule]]\nfield = [\"13\"]\naction = \"redact\"\n", inside), inside);
}

/// A rule that acts on whole records does not mean those in which there is nothing to mean.
#[test]
fn a_column_without_a_value_is_no_field() {
    let rules = "[[rule]]\nname = \"x\"\nfield = [\"remote_user\"]\naction = \"drop_record\"\n";
    let record = r#"203.0.113.7 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 0"#;
    assert_eq!(scrubbed(rules, record), record);
    assert_eq!(scrubbed(rules, &record.replace("- -", "- ana")), "");
}

#[test]
fn the_layout_of_the_policy_holds_from_the_first_record() {
    let rules = |columns: &str| {
        format!(
            "[input]\nformat = \"access\"\ncolumns = '''{columns}'''\n[[rule]]\nname = \"x\"\nfield = [\"http_x_api_key\", \"cookie_sid\"]\naction = \"redact\"\n"
        )
    };
    let nginx = rules("$remote_addr [$time_local] $http_x_api_key \"$cookie_sid\"");
    assert_eq!(scrubbed(&nginx, r#"203.0.113.7 [x] k "s""#), r#"203.0.113.7 [x] [field] "[field]""#);
    let pieces = rules("'$remote_addr '\n  '$http_x_api_key \"$cookie_sid\"';");
    assert_eq!(scrubbed(&pieces, r#"203.0.113.7 k "s""#), r#"203.0.113.7 [field] "[field]""#);
    let apache = rules(r#""%h %{X-Api-Key}i \"%{sid}C\"" short"#);
    assert_eq!(scrubbed(&apache, r#"203.0.113.7 k "s""#), r#"203.0.113.7 [field] "[field]""#);
    assert_eq!(scrubbed(&apache, "203.0.113.7 - -"), "203.0.113.7 - -");
}
