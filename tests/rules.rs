//! The rules file: what is refused, with which words, and what the good ones compile to.
//!
//! Each `tests/rules/refused/NAME.toml` has its faults beside it in `NAME.err`, each `tests/rules/good/NAME.toml`
//! the policy as it resolves in `NAME.show` (its warnings at the end). `UPDATE=1 cargo test --test rules` writes
//! them anew. Files in folders below are only extended by others.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use logscrub::action::{Action, Hash, PanKeep, Part, Truncate};
use logscrub::kind::Kind;
use logscrub::policy::schema::{self, Shape, Table};
use logscrub::policy::{Covers, Policy, check, packs};
use logscrub::scrub::Scrubber;
use logscrub::time::age::Age;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Loads a file as from the folder of the tests, so that messages hold no path of this machine.
fn load(path: &Path) -> Result<Policy, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(std::env::current_dir().unwrap(), root, "cargo runs tests in the crate's folder");
    let path = path.strip_prefix(root).unwrap().to_str().unwrap();
    Policy::load(path).map_err(|faults| faults.to_string())
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules").join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// Compares with a file of what is expected, or writes it.
fn expect(path: &Path, got: &str) -> Result<(), String> {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, got).unwrap();
    }
    let wanted = std::fs::read_to_string(path).unwrap_or_default();
    if wanted == got { Ok(()) } else { Err(format!("{}\nexpected:\n{wanted}\ngot:\n{got}", path.display())) }
}

fn all(results: impl Iterator<Item = Result<(), String>>) {
    let wrong: Vec<String> = results.filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn faulty_files_are_refused_with_these_words() {
    all(files("refused").iter().map(|path| match load(path) {
        Ok(_) => Err(format!("{} is accepted", path.display())),
        Err(faults) => expect(&path.with_extension("err"), &faults),
    }));
}

#[test]
fn good_files_resolve_to_this() {
    all(files("good").iter().map(|path| {
        let policy = load(path)?;
        let warnings: String = check::check(&policy).iter().map(|warning| format!("\n{warning}")).collect();
        expect(&path.with_extension("show"), &format!("{}{warnings}", policy.to_toml()))
    }));
}

#[test]
fn packs_load_without_a_warning_and_say_why() {
    for (name, _) in packs::PACKS {
        let policy = Policy::pack(name).map_err(|faults| faults.to_string()).unwrap();
        assert_eq!(check::check(&policy), [], "{name}");
        assert!(!policy.tests.is_empty(), "{name}");
        for rule in &policy.rules {
            assert!(rule.why.is_some() && !rule.clause.is_empty(), "{name}: {}", rule.name);
        }
    }
}

/// What is wrong with the output of each test of a policy that needs no key.
fn failures(mut policy: Policy) -> Vec<String> {
    let sources = std::mem::take(&mut policy.sources).into_iter();
    let mut sources: Vec<_> =
        sources.map(|source| (source.inputs, Scrubber::new(Arc::new(source.policy), None))).collect();
    let policy = Arc::new(policy);
    let mut scrubber = Scrubber::new(Arc::clone(&policy), None);
    let mut failures = Vec::new();
    for test in &policy.tests {
        let mut out = Vec::new();
        let source = sources.iter_mut().find(|(inputs, _)| inputs.include(None, &test.from));
        source.map_or(&mut scrubber, |(_, scrubber)| scrubber).try_out(test, &mut out);
        let holds = |part: &Vec<u8>| memchr::memmem::find(&out, part).is_some();
        let good = test.expect.as_ref().is_none_or(|expect| *expect == out)
            && !test.gone.iter().any(holds)
            && test.stays.iter().all(holds);
        if !good {
            failures.push(format!("{}: {}", test.name, String::from_utf8_lossy(&out)));
        }
    }
    failures
}

#[test]
fn the_tests_in_the_packs_pass() {
    for (name, _) in packs::PACKS {
        assert_eq!(failures(Policy::pack(name).unwrap()), [""; 0], "{name}");
    }
}

#[test]
fn the_ladders_of_the_packs_leave_the_same_by_one_late_run_as_by_many() {
    let written: Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
    for (name, _) in packs::PACKS {
        let policy = Arc::new(Policy::pack(name).unwrap());
        let mut ages = policy.ages().to_vec();
        ages.sort_by_key(|age| age.after(written));
        let moments: Vec<Timestamp> = ages.iter().map(|age| age.after(written).unwrap()).collect();
        let run = |record: &[u8], now: Timestamp| {
            let mut out = Vec::new();
            Scrubber::new(Arc::clone(&policy), None).at(now).scrub(record, &mut out);
            out
        };
        for test in policy.tests.iter().filter(|test| contains(&test.input, b"2026-03-01T10:00:00Z")) {
            for last in 0..moments.len() {
                for first in 0..=last {
                    let walk = moments[first..=last]
                        .iter()
                        .fold(test.input.clone(), |record, now| run(&record, *now));
                    let (late, walk) =
                        (run(&test.input, moments[last]), String::from_utf8_lossy(&walk).into_owned());
                    assert_eq!(walk, String::from_utf8_lossy(&late), "{name}: {}", test.name);
                }
            }
        }
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

fn policy(text: &str) -> Policy {
    Policy::from_toml(text, "x.toml", None).map_err(|faults| faults.to_string()).unwrap()
}

fn faults(text: &str) -> String {
    Policy::from_toml(text, "x.toml", None).expect_err("it is faulty").to_string()
}

#[test]
fn actions_are_read_with_their_parameters() {
    let default = Truncate::default();
    let hash = |keep, forever| Action::Hash(Hash { keep, forever, ..Hash::default() });
    let network = |ipv4, ipv6| Some(Part::Network { ipv4, ipv6 });
    let cases = [
        ("\"keep\"", Action::Keep),
        ("\"redact\"", Action::Redact { with: None }),
        ("{ redact = { with = \"***\" } }", Action::Redact { with: Some("***".into()) }),
        ("\"mask\"", Action::Mask),
        ("\"drop\"", Action::Drop),
        ("\"drop_record\"", Action::DropRecord),
        ("\"truncate\"", Action::Truncate(default)),
        ("{ truncate = {} }", Action::Truncate(default)),
        (
            "{ truncate = { ipv4 = 0, ipv6 = 32 } }",
            Action::Truncate(Truncate { ipv4: 0, ipv6: 32, ..default }),
        ),
        ("{ truncate = { pan = \"last4\" } }", Action::Truncate(Truncate { pan: PanKeep::Last4, ..default })),
        ("{ truncate = { zip = 3 } }", Action::Truncate(Truncate { zip: Some(3), ..default })),
        (
            "{ truncate = { pseudonymise = \"prefix\" } }",
            Action::Truncate(Truncate { pseudonymise: true, ..default }),
        ),
        ("\"encrypt\"", Action::Encrypt),
        ("{ encrypt = {} }", Action::Encrypt),
        ("\"hash\"", hash(None, false)),
        ("{ hash = { scope = \"forever\" } }", hash(None, true)),
        ("{ hash = { keep = \"domain\" } }", hash(Some(Part::Domain), false)),
        ("{ hash = { keep = \"/24\" } }", hash(network(24, 48), false)),
        ("{ hash = { keep = \"/32\" } }", hash(network(32, 48), false)),
        ("{ hash = { keep = \"/8\" } }", hash(network(8, 16), false)),
        ("{ hash = { keep = \"/24,/56\", scope = \"forever\" } }", hash(network(24, 56), true)),
    ];
    for (written, action) in cases {
        for key in [format!("action = {written}"), format!("retain = [{{ action = {written} }}]")] {
            let text = format!("[[rule]]\nfind = [\"all\"]\n{key}");
            let keyring = Some(Path::new("keys"));
            let policy = Policy::from_toml_with_keyring(&text, "x.toml", None, keyring).unwrap();
            assert_eq!(policy.rules[0].action, action, "{key}");
            let shown = Policy::from_toml_with_keyring(&policy.to_toml(), "x.toml", None, keyring).unwrap();
            assert_eq!(shown.rules[0].action, action, "{key}");
        }
    }
}

#[test]
fn groups_mean_their_kinds_and_all_means_own_ones_too() {
    let policy = policy(
        "[lists.staff]\nwords = [\"ana\"]\n[groups]\nouter = [\"inner\", \"pan\"]\ninner = [\"ip\"]\n\
         [[rule]]\nfind = [\"outer\"]\naction = \"redact\"\n[[rule]]\nfind = [\"all\"]\naction = \"redact\"",
    );
    let kinds = |at: usize| match &policy.rules[at].covers {
        Covers::Find { kinds, .. } => kinds.iter().map(|kind| policy.kinds.name(kind)).collect::<Vec<_>>(),
        Covers::Field { .. } | Covers::Unknown => panic!("a find rule"),
    };
    assert_eq!(kinds(0), ["ipv4", "ipv6", "pan"]);
    assert_eq!(
        kinds(1),
        ["email", "ipv4", "ipv6", "pan", "private_key", "jwt", "basic_auth", "bearer", "staff"]
    );
}

#[test]
fn a_field_may_be_of_a_kind_that_nothing_finds() {
    let policy = policy("[[rule]]\nfield = [\"uid\"]\nas = \"user_id\"\naction = \"redact\"");
    match &policy.rules[0].covers {
        Covers::Field { kind: Some(kind), elsewhere: true, .. } => {
            assert_eq!(policy.kinds.name(*kind), "user_id")
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(policy.kinds.get("email"), Some(Kind::EMAIL));
}

#[test]
fn a_rule_with_an_inherited_name_takes_its_place() {
    let policy = policy(
        "extends = [\"default\"]\n[[rule]]\nname = \"default/email\"\nfind = [\"email\"]\naction = \"keep\"\nwhy = \"mine\"",
    );
    let named: Vec<&str> = policy.rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(named.iter().filter(|name| **name == "default/email").count(), 1);
    assert_eq!((named[0], policy.rules[0].why.as_deref()), ("default/email", Some("mine")));
    assert!(named.contains(&"default/card number"));
}

#[test]
fn the_fingerprint_follows_what_is_decided_and_nothing_else() {
    let base = "[[rule]]\nname = \"a\"\nfind = [\"ip\"]\naction = \"redact\"";
    let same = "# a remark\n[[rule]]\naction='redact'\nfind = [ 'ipv4', \"ipv6\" ]\nname = 'a'\n[[test]]\ninput=''\nstays=['x']";
    let other = "[[rule]]\nname = \"a\"\nfind = [\"ip\"]\naction = \"mask\"";
    assert_eq!(policy(base).fingerprint, policy(same).fingerprint);
    assert_ne!(policy(base).fingerprint, policy(other).fingerprint);
}

#[test]
fn files_that_are_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.toml");
    let load = || Policy::load(path.to_str().unwrap()).expect_err("it is no rules file").to_string();
    assert!(load().contains("cannot be read"));
    std::fs::write(&path, b"title = \"a\"\n# \xff\n").unwrap();
    let shown = load();
    assert!(shown.contains("error: not UTF-8") && shown.contains("x.toml:2:3"), "{shown}");
    std::fs::write(&path, vec![b'#'; (1 << 20) + 1]).unwrap();
    assert!(load().contains("longer than 1048576 bytes"));
    std::fs::write(&path, b"").unwrap();
    assert!(load().contains("a policy without any rule"));
    assert!(
        Policy::load("defualt").expect_err("no such pack").to_string().contains("did you mean `default`?")
    );
    assert!(Policy::pack("nothing").is_err());
}

#[test]
fn a_list_is_read_from_its_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("staff.txt"), "# people\n\nAna\r\n  Ben \n").unwrap();
    let text = "[lists.staff]\nfile = \"staff.txt\"\n[[rule]]\nfind = [\"staff\"]\naction = \"redact\"";
    let from_file = Policy::from_toml(text, "x.toml", Some(folder.path())).unwrap();
    let from_words = policy(&text.replace("file = \"staff.txt\"", "words = [\"Ana\", \"Ben\"]"));
    assert_eq!(from_file.fingerprint, from_words.fingerprint);
    std::fs::write(folder.path().join("staff.txt"), "# nobody\n").unwrap();
    assert!(
        Policy::from_toml(text, "x.toml", Some(folder.path())).unwrap_err().to_string().contains("is empty")
    );
}

#[test]
fn hash_without_a_keyring_names_the_command_that_makes_one() {
    let text = "[[rule]]\nfind = [\"email\"]\naction = \"hash\"";
    assert!(faults(text).contains("logscrub key new --keyring FILE"));
    let named = Policy::from_toml(
        &format!("[pseudonyms]\nkeyring = \"keys.toml\"\n{text}"),
        "x.toml",
        Some(Path::new("/etc/logscrub")),
    );
    assert_eq!(named.unwrap().keyring.as_deref(), Some(Path::new("/etc/logscrub/keys.toml")));
    for elsewhere in ["credential:keyring", "fd:3"] {
        let text = format!("[pseudonyms]\nkeyring = \"{elsewhere}\"\n{text}");
        let named = Policy::from_toml(&text, "x.toml", Some(Path::new("/etc/logscrub")));
        assert_eq!(named.unwrap().keyring.as_deref(), Some(Path::new(elsewhere)));
    }
}

#[test]
fn the_ages_of_pseudonyms_come_from_the_first_file_that_says_them() {
    let text = "[pseudonyms]\nevery = \"30d\"\nforget_after = \"1y\"\n[[rule]]\nfind = [\"email\"]\naction = \"redact\"";
    let policy = Policy::from_toml(text, "x.toml", None).unwrap();
    assert_eq!(policy.every, Age::parse("30d").ok());
    assert_eq!(policy.forget_after, Age::parse("1y").ok());
    let shown = policy.to_toml();
    assert!(shown.contains("[pseudonyms]\nevery = \"30d\"\nforget_after = \"1y\"\n"), "{shown}");
    let again = Policy::from_toml(&shown, "x.toml", None).unwrap();
    assert_eq!((again.every, again.forget_after), (policy.every, policy.forget_after));
    assert_eq!(again.fingerprint, policy.fingerprint);
    let none = Policy::pack("default").unwrap();
    assert_eq!((none.every, none.forget_after), (None, None));
    assert!(faults("[pseudonyms]\nevery = \"1m\"").contains("write `mo` for months"));
}

#[test]
fn many_faults_are_counted_and_a_hundred_shown() {
    let text = "[[rule]]\nx = 1\n".repeat(9_000);
    let faults = Policy::from_toml(&text, "x.toml", None).unwrap_err();
    assert_eq!((faults.iter().count(), faults.len()), (100, 9_000));
    assert!(faults.to_string().ends_with("100 faults in x.toml, and 8900 more\n"));
    let one_line = format!("[[rule]]\nfind = [{}]", "1,".repeat(400_000));
    assert!(Policy::from_toml(&one_line, "x.toml", None).unwrap_err().len() > 400_000);
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    let dotted = format!("{}a = 1", "a.".repeat(100_000));
    let lists = format!("a = {}", "[".repeat(100_000));
    let mut mixed = String::from("a = ");
    for _ in 0..79 {
        mixed.push_str(&format!("{{ {}x = ", "x.".repeat(70)));
    }
    let short = mixed.replace(&"x.".repeat(70), &"x.".repeat(15));
    mixed.push('1');
    mixed.push_str(&"}".repeat(79));
    let short = format!("{short}1{}", "}".repeat(79));
    let groups: String = (0..900).map(|at| format!("g{at} = [\"g{}\"]\n", at + 1)).collect();
    for text in [dotted, lists, mixed, short, format!("[groups]\n{groups}")] {
        assert!(Policy::from_toml(&text, "x.toml", None).is_err());
    }
}

/// The editors' schema of a table of the language.
fn object(table: &Table) -> Value {
    let mut properties = Map::new();
    for key in table.keys {
        let mut value = shape(key.shape);
        let later = schema::is_later(
            &match table.path {
                "" => key.name.to_owned(),
                path => format!("{path}.{}", key.name),
            },
            None,
        );
        let later = if later { " Not yet supported." } else { "" };
        value["description"] = json!(format!("{}{later}", key.doc));
        properties.insert(key.name.to_owned(), value);
    }
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn shape(shape_: Shape) -> Value {
    match shape_ {
        Shape::Text => json!({ "type": "string" }),
        Shape::Truth => json!({ "type": "boolean" }),
        Shape::Whole(low, high) => json!({ "type": "integer", "minimum": low, "maximum": high }),
        Shape::Word(words) => json!({ "enum": words }),
        Shape::Age => json!({ "type": "string", "pattern": "^[0-9]{1,5}(d|w|mo|y)$" }),
        Shape::Date => json!({ "type": "string", "format": "date" }),
        Shape::Time => json!({ "type": "string", "format": "date-time" }),
        Shape::Texts => {
            json!({ "type": "array", "items": { "type": "string", "minLength": 1 }, "uniqueItems": true })
        }
        Shape::NamedText => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        Shape::NamedTexts => json!({ "type": "object", "additionalProperties": shape(Shape::Texts) }),
        Shape::Table(table) => object(table),
        Shape::Tables(table) => json!({ "type": "array", "items": object(table) }),
        Shape::Named(table) => json!({ "type": "object", "additionalProperties": object(table) }),
        Shape::WordOr(words, table) => {
            let mut table = object(table);
            table["minProperties"] = json!(1);
            table["maxProperties"] = json!(1);
            json!({ "anyOf": [{ "enum": words }, table] })
        }
    }
}

#[test]
fn the_schema_for_editors_is_the_language() {
    let mut whole = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "logscrub rules file",
    });
    let members = whole.as_object_mut().unwrap();
    object(&schema::FILE).as_object().unwrap().iter().for_each(|(key, value)| {
        members.insert(key.clone(), value.clone());
    });
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/schema.json");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, serde_json::to_string_pretty(&whole).unwrap() + "\n").unwrap();
    }
    let written: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert!(
        written == whole,
        "rules/schema.json is not what src/policy/schema.rs says: write it anew with UPDATE=1"
    );
}

#[test]
fn every_rules_file_of_the_documentation_loads() {
    let readme = include_str!("../rules/README.md");
    let blocks: Vec<&str> =
        readme.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 5);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("staff.txt"), "Ana Lopez\n").unwrap();
    let payments = "[[rule]]\nfield = [\"user_id\"]\naction = \"redact\"\n";
    std::fs::write(folder.path().join("payments.toml"), payments).unwrap();
    for block in blocks {
        let loaded = Policy::from_toml(block, "rules/README.md", Some(folder.path()));
        match loaded {
            Ok(policy) => assert_eq!(failures(policy), [""; 0], "{block}"),
            Err(faults) => panic!("{block}\n{faults}"),
        }
    }
}

/// Pieces of the language in any order: more of them are nearly right than among random bytes.
fn nearly_rules() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "[[rule]]\n",
        "[rule]\n",
        "find",
        "field",
        " = ",
        "[",
        "]",
        "{",
        "}",
        "\"ip\"",
        "'email'",
        "\"a.**\"",
        ",",
        "\n",
        "action",
        "\"hash\"",
        "truncate",
        "retain",
        "until",
        "\"7d\"",
        "ipv4",
        "99",
        "-1",
        "1.5",
        "true",
        "1979-05-27",
        "[groups]\n",
        "g",
        "[lists.a]\n",
        "words",
        "[detectors.d]\n",
        "regex",
        "'('",
        "extends",
        "\"default\"",
        "é",
        "\t",
        "\u{0}",
        "\"\"\"",
        "#",
        "name",
        "\"default/email\"",
        "unless",
        "networks",
        "\"10.0.0.1/8\"",
        "[[test]]\n",
        "input",
        "gone",
        ".",
        "when",
        "[[hold]]\n",
        "\r\n",
    ]);
    prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat())
}

/// A good file with one piece of it put somewhere else, or cut out.
fn once_good() -> impl Strategy<Value = String> {
    let everything = include_str!("rules/good/everything.toml");
    let (start, length, to) = (0..everything.len(), 0..200_usize, 0..everything.len());
    (start, length, to, any::<bool>()).prop_map(move |(start, length, to, cut)| {
        let bytes = everything.as_bytes();
        let end = bytes.len().min(start + length);
        let mut changed = if cut { [&bytes[..start], &bytes[end..]].concat() } else { bytes.to_vec() };
        let to = to.min(changed.len());
        changed.splice(to..to, bytes[start..end].iter().copied());
        String::from_utf8_lossy(&changed).into_owned()
    })
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in prop_oneof![nearly_rules(), once_good(), ".{0,200}"]) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules/good");
        if let Err(faults) = Policy::from_toml(&text, "x.toml", Some(&folder)) {
            prop_assert!(!faults.is_empty());
            prop_assert!(faults.to_string().contains(" in x.toml"));
        }
    }
}
