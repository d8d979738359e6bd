//! W3C and Zeek logs: what rules name is edited, and nothing else.

use proptest::prelude::*;

use super::scrubbed;

const RULES: &str = r#"
[[rule]]
name = "user"
field = ["cs-username", "id.orig_h"]
action = "redact"

[[rule]]
name = "agent"
field = ["cs(User-Agent)", "tags"]
action = "drop"
"#;

const NAMES: [&str; 6] = ["date", "cs-username", "c-ip", "cs(User-Agent)", "id.orig_h", "tags"];

/// What is left of a value in the column of that name.
fn left(name: &str, value: &str) -> String {
    let (quote, content) = match value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) {
        Some(content) => ("\"", content),
        None => ("", value),
    };
    let left = match name {
        _ if content == "-" => content,
        "cs-username" | "id.orig_h" if !content.is_empty() => "[field]",
        "cs(User-Agent)" | "tags" => "-",
        _ => content,
    };
    format!("{quote}{left}{quote}")
}

fn joined<'v>(values: impl Iterator<Item = &'v String>, separator: &str) -> String {
    values.cloned().collect::<Vec<_>>().join(separator)
}

proptest! {
    #[test]
    fn rules_on_columns_edit_those_alone(
        columns in proptest::collection::vec((0..NAMES.len(), "-|[a-z0-9+.(\\\\]{1,6}|\"([a-z ]|\"\"){0,6}\""), 2..8),
        again in proptest::collection::vec((0..NAMES.len(), "-|[a-z0-9]{1,6}"), 2..8),
        tabs in any::<bool>(),
    ) {
        let separator = if tabs { "\t" } else { " " };
        let (mut input, mut output) = (String::new(), String::new());
        for columns in [&columns, &again] {
            let names: Vec<&str> = columns.iter().map(|(name, _)| NAMES[*name]).collect();
            let header = format!("#Fields: {}\n", names.join(" "));
            let values: Vec<String> = columns.iter().map(|(_, value)| value.clone()).collect();
            let edited: Vec<String> = columns.iter().map(|(name, value)| left(NAMES[*name], value)).collect();
            input += &(header.clone() + &joined(values.iter(), separator) + "\n");
            output += &(header + &joined(edited.iter(), separator) + "\n");
        }
        prop_assert_eq!(scrubbed(RULES, &input), output);
    }

    #[test]
    fn rules_on_columns_of_zeek_edit_those_alone(
        values in proptest::collection::vec("-|[a-z0-9 \"]{1,6}|\\\\x09[a-z]", NAMES.len()),
    ) {
        let header = format!("#separator \\x09\n#fields\t{}\n", NAMES.join("\t"));
        let edited: Vec<String> = values.iter().zip(NAMES).map(|(value, name)| match name {
            _ if value == "-" => value.clone(),
            "cs-username" | "id.orig_h" => "[field]".to_owned(),
            "cs(User-Agent)" | "tags" => "-".to_owned(),
            _ => value.clone(),
        }).collect();
        let record = |values: &[String]| format!("{header}{}\n", joined(values.iter(), "\t"));
        prop_assert_eq!(scrubbed(RULES, &record(&values)), record(&edited));
    }
}

/// Without a header in the input the policy may name the columns; a header that comes takes their place.
#[test]
fn the_policy_may_name_the_columns() {
    let rules = "[input]\nformat = \"w3c\"\ncolumns = \"date, c-ip x\"\n[[rule]]\nname = \"x\"\nfield = [\"c-ip x\", \"b\"]\naction = \"redact\"\n";
    assert_eq!(
        scrubbed(rules, "2023-04-26 203.0.113.7\n#Fields: b a\nv w\n"),
        "2023-04-26 [ipv4]\n#Fields: b a\n[field] w\n"
    );
}
