//! Erasure of one person: nothing that stands for them is left, and nothing else is touched.
//!
//! What stands for a person is worked out here without the erasure: by scrubbing their values under the policy at two
//! times, and with `logscrub pseudonym`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, LazyLock};

use logscrub::action::hash::key_id;
use logscrub::action::keys::{KeyPeriod, Keys};
use logscrub::erase::Erasure;
use logscrub::time::keyring::Keyring;
use logscrub::{HashKey, Policy, Scrubber};
use proptest::prelude::*;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_logscrub");
const NOW: &str = "2026-02-20T00:00:00Z";
const TIMES: [&str; 2] = ["2026-01-05T10:00:00Z", "2026-02-10T10:00:00Z"];

const RULES: &str = r#"
[pseudonyms]
keyring = "keys.toml"
every   = "30d"
[[rule]]
name   = "user"
field  = ["uid"]
as     = "user_id"
elsewhere = "no"
action = "hash"
[[rule]]
name   = "member"
field  = ["fid"]
as     = "member"
elsewhere = "no"
action = { hash = { scope = "forever" } }
[[rule]]
name   = "someone"
field  = ["name"]
elsewhere = "no"
action = "hash"
[[rule]]
name   = "sealed"
field  = ["seal"]
elsewhere = "no"
action = "encrypt"
[[rule]]
name   = "mail"
find   = ["email"]
action = { hash = { keep = "domain" } }
[[rule]]
name   = "address"
find   = ["ipv4"]
action = { hash = { keep = "/24" } }
[[rule]]
name   = "long address"
find   = ["ipv6"]
action = { truncate = { pseudonymise = "prefix" } }
[[rule]]
name   = "card"
find   = ["pan"]
action = "encrypt"
"#;

/// What names a person, and other spellings of it.
struct Person {
    identifiers: [&'static str; 6],
    spellings: &'static [&'static str],
}

const ANA: Person = Person {
    identifiers: [
        "Ana.Lopez@example.com",
        "203.0.113.77",
        "2001:db8:0:0::a1",
        "4111 1111 1111 1111",
        "u-48151623",
        "Ana Lopez",
    ],
    spellings: &[
        "ana.lopez@EXAMPLE.com",
        "ana.lopez%40example.com",
        "Ana\\u002eLopez\\u0040example.com",
        "::ffff:203.0.113.77",
        "2001:DB8::A1",
        "2001:db8:0:0:0:0:0:a1",
        "4111111111111111",
        "4111-1111-1111-1111",
        "U-48151623",
        "ANA LOPEZ",
        "ana%20lopez",
    ],
};

const BEA: Person = Person {
    identifiers: [
        "bea@example.com",
        "203.0.113.7",
        "2001:db8::a2",
        "5555555555554444",
        "u-481516234",
        "Bea Lopez",
    ],
    spellings: &[
        "Ana",
        "Lopez",
        "xu-48151623",
        "2001:db8::a11",
        "[email]",
        "[erased]",
        "ana.lopez",
        "[field]",
        "ana.lopez@example.com.au",
        "Ana.Lopez@EXAMPLE.com.example",
        "ana.lopez%40example.com.au",
        "Ana\\u002eLopez\\u0040example.com.au",
        "ana.lopez@mail.example.com",
        "ana.lopez@example.community",
    ],
};

struct House {
    folder: TempDir,
    policy: Policy,
}

impl House {
    /// A policy with a keyring of three periods.
    fn new() -> House {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.toml");
        let made = run(
            &[
                "key",
                "new",
                "--every",
                "30d",
                "--from",
                "2026-01-01",
                "--count",
                "3",
                "--forever",
                "--now",
                NOW,
                "--keyring",
                text(&path),
            ],
            "",
        );
        assert!(made.status.success(), "{made:?}");
        fs::write(folder.path().join("rules.toml"), RULES).unwrap();
        let policy =
            Policy::load(text(&folder.path().join("rules.toml"))).unwrap_or_else(|faults| panic!("{faults}"));
        House { folder, policy }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn keys(&self) -> Keys {
        let ring = Keyring::open(&self.path("keys.toml"), key_id).unwrap();
        let live = ring.periods().map(|period| KeyPeriod {
            from: period.from,
            until: period.until,
            id: period.id.clone(),
            key: Some(HashKey::new(&period.secret)),
        });
        let gone = ring.forgotten().map(|period| KeyPeriod {
            from: period.from,
            until: period.until,
            id: period.id.clone(),
            key: None,
        });
        let forever = ring.forever().map(|period| HashKey::new(&period.secret));
        Keys::new(live.chain(gone).collect(), forever, Vec::new())
    }

    fn erasure(&self, person: &Person) -> Erasure {
        let identifiers = person.identifiers.join("\n");
        Erasure::new(&self.policy, Some(&self.keys()), identifiers.as_bytes()).unwrap()
    }

    /// What a record becomes under the policy, at that time.
    fn scrubbed(&self, field: &str, value: &str, time: &str) -> String {
        let mut scrubber =
            Scrubber::with_keys(Arc::new(self.policy.clone()), Some(self.keys())).at(NOW.parse().unwrap());
        let record = serde_json::json!({ "ts": time, field: value }).to_string();
        let mut out = Vec::new();
        scrubber.scrub(record.as_bytes(), &mut out);
        let left: serde_json::Value = serde_json::from_slice(&out).unwrap();
        left[field].as_str().unwrap().to_owned()
    }

    /// `logscrub pseudonym` of a value of that kind, in all periods and for ever.
    fn pseudonyms(&self, kind: &str, value: &str) -> Vec<String> {
        let told = run(
            &["pseudonym", "--as", kind, "--keyring", text(&self.path("keys.toml"))],
            &format!("{value}\n"),
        );
        let told = String::from_utf8(told.stdout).unwrap();
        told.lines().map(|line| line.split_whitespace().nth(1).unwrap().to_owned()).collect()
    }

    /// Everything that stands for a person: raw, and what the policy made of it in two periods.
    fn forms(&self, person: &Person) -> Vec<String> {
        let mut forms: Vec<String> = Vec::new();
        for value in person.identifiers.iter().chain(person.spellings) {
            forms.push((*value).to_owned());
        }
        for value in person.identifiers {
            for time in TIMES {
                for field in ["uid", "fid", "name", "seal", "m"] {
                    forms.push(self.scrubbed(field, value, time));
                }
            }
            forms.extend(self.pseudonyms("user_id", value));
            forms.extend(self.pseudonyms("member", value));
        }
        // What is hashed is one text, but for the case.
        for value in person.spellings.iter().filter(|value| value.contains(':') || value.starts_with("4111"))
        {
            forms.extend(TIMES.map(|time| self.scrubbed("m", value, time)));
        }
        // A token gives back how it was spelled, and what stood around it.
        for value in person.identifiers.iter().chain(person.spellings) {
            let sealed = self.scrubbed("seal", value, TIMES[0]);
            forms.push(self.scrubbed("seal", &format!("at {sealed} (known)"), TIMES[0]));
            forms.push(self.scrubbed("seal", &format!("of {value}, who called"), TIMES[1]));
            forms.push(sealed);
        }
        forms.sort();
        forms.dedup();
        forms
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn run(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env_remove("LOGSCRUB_RULES");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn erased(erasure: &Erasure, log: &str) -> String {
    let mut out = Vec::new();
    erasure.scrubber().scrub(log.as_bytes(), &mut out);
    String::from_utf8(out).unwrap()
}

/// One house for all tests that change nothing in it, and what stands in it for two people.
static SHARED: LazyLock<(House, Vec<String>, Vec<String>)> = LazyLock::new(|| {
    let house = House::new();
    let (ana, bea) = (house.forms(&ANA), house.forms(&BEA));
    let bea = bea.into_iter().filter(|form| !ana.contains(form)).collect();
    (house, ana, bea)
});

/// A line of one of several formats that holds two texts.
fn line(shape: usize, one: &str, other: &str) -> String {
    match shape {
        0 => format!("2026-01-05T10:00:00Z login of {one} from {other} ok\n"),
        1 => format!(
            "{{\"ts\":\"2026-01-05T10:00:00Z\",\"uid\":\"{one}\",\"m\":\"via {other}, done\",\"n\":1}}\n"
        ),
        2 => format!("ts=2026-01-05T10:00:00Z uid=\"{one}\" m=\"via {other}\" n=1\n"),
        3 => format!("<134>Jan  5 10:00:00 host app[1]: {{\"a\":{{\"b\":[\"{one}\",\"x ({other})\"]}}}}\n"),
        _ => format!("id,who,what\n1,\"{one}\",\"{other}\"\n"),
    }
}

#[test]
fn each_form_of_a_person_goes_and_each_of_another_stays() {
    let (house, ana, bea) = &*SHARED;
    assert!(ana.len() > 60, "{}", ana.len());
    let mut scrubber = house.erasure(&ANA).scrubber();
    let all = ana.iter().map(|form| (form, false)).chain(bea.iter().map(|form| (form, true)));
    for (form, stays) in all {
        for shape in 0..5 {
            let log = line(shape, form, "nobody");
            let wanted = if stays { log.clone() } else { line(shape, "[erased]", "nobody") };
            let mut out = Vec::new();
            scrubber.start_over();
            scrubber.scrub(log.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), wanted);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn of_mixed_logs_only_one_person_goes(picks in prop::collection::vec((0..5_usize, 0..10_000_usize, 0..10_000_usize), 1..30)) {
        let (house, ana, bea) = &*SHARED;
        let pick = |at: usize| if at.is_multiple_of(2) { (&ana[at / 2 % ana.len()], true) } else { (&bea[at / 2 % bea.len()], false) };
        let of = |(form, goes): (&String, bool)| if goes { "[erased]".to_owned() } else { form.clone() };
        let log: String = picks.iter().map(|(shape, a, b)| line(*shape, pick(*a).0, pick(*b).0)).collect();
        let wanted: String = picks.iter().map(|(shape, a, b)| line(*shape, &of(pick(*a)), &of(pick(*b)))).collect();
        let erasure = house.erasure(&ANA);
        let got = erased(&erasure, &log);
        prop_assert_eq!(&got, &wanted);
        prop_assert_eq!(erased(&erasure, &got), wanted);
        for line in got.lines().filter(|line| line.starts_with('{')) {
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
    }
}

#[test]
fn a_scan_says_what_would_go_and_nothing_afterwards() {
    let (house, ana, bea) = &*SHARED;
    let log: String =
        ana.iter().chain(bea).enumerate().map(|(at, form)| line(at % 5, form, "nobody")).collect();
    let (path, who) = (house.path("app.log"), house.path("who.txt"));
    fs::write(&path, &log).unwrap();
    fs::write(&who, format!("\u{feff}{}\r\n\n{}\n", ANA.identifiers.join(" \n"), ANA.identifiers[0]))
        .unwrap();
    let rules = house.path("rules.toml");
    let scan = |path: &Path, more: &[&str]| {
        run(&[&["scan", "--now", NOW, "--erase", text(&who), text(path)], more].concat(), "")
    };
    let found = scan(&path, &["-r", text(&rules)]);
    assert_eq!(found.status.code(), Some(1));
    let shown = String::from_utf8(found.stdout.clone()).unwrap();
    assert_eq!(shown.lines().count(), ana.len());
    assert!(!shown.to_lowercase().contains("ana.lopez@") && !shown.contains("4111"));
    let told = String::from_utf8(found.stderr).unwrap();
    assert!(told.contains("cannot be found: parts of longer words"), "{told}");
    assert!(!told.contains("keyring") && !told.to_lowercase().contains("lopez"));

    let left = house.path("left.log");
    fs::write(&left, erased(&house.erasure(&ANA), &log)).unwrap();
    let found = scan(&left, &["-r", text(&rules)]);
    assert_eq!((found.status.code(), found.stdout.len()), (Some(0), 0));

    // Without rules only what stands there as it is.
    let found = scan(&path, &["--json"]);
    let raw = ANA.identifiers.len() + ANA.spellings.len();
    assert_eq!(String::from_utf8(found.stdout).unwrap().lines().count(), raw);
    assert!(String::from_utf8(found.stderr).unwrap().contains("no keyring was given"));
}

#[test]
fn what_a_forgotten_key_made_stays_and_is_told() {
    let house = House::new();
    let all = house.forms(&ANA);
    let id = house.keys().periods()[0].id.clone();
    let gone = run(
        &[
            "key",
            "forget",
            "--before",
            "2026-02-01",
            "--now",
            NOW,
            "--keyring",
            text(&house.path("keys.toml")),
        ],
        "",
    );
    assert!(gone.status.success(), "{gone:?}");
    let erasure = house.erasure(&ANA);
    let told = erasure.cannot_be_found();
    let period = format!(
        "pseudonyms and tokens of records from 2026-01-01T00:00:00Z to 2026-01-31T00:00:00Z: their key k{id} is forgotten"
    );
    assert!(told.contains(&period), "{told:?}");
    let (mut stay, mut go) = (0, 0);
    for form in &all {
        let log = format!("of {form} and\n");
        let is_of_it = form.contains(&format!("k{id}:"));
        stay += usize::from(is_of_it);
        go += usize::from(!is_of_it);
        let wanted = if is_of_it { log.clone() } else { "of [erased] and\n".to_owned() };
        assert_eq!(erased(&erasure, &log), wanted);
    }
    assert!(stay > 10 && go > 30, "{stay} {go}");
}

#[test]
fn faulty_identifiers_are_told_by_their_line() {
    let (house, ..) = &*SHARED;
    let fault = |text: &[u8]| Erasure::new(&house.policy, None, text).unwrap_err().to_string();
    assert_eq!(
        fault(b"ana@example.com\n\n abc \n"),
        "line 3 of the identifiers is shorter than 4 bytes: it would stand for others as well"
    );
    assert_eq!(
        fault(&[b"anna\n".as_slice(), &[b'x'; 513]].concat()),
        "line 2 of the identifiers is longer than 512 bytes"
    );
    assert_eq!(fault(b"an\0na"), "line 1 of the identifiers holds a control byte");
    assert_eq!(fault(b" \n\r\n"), "no identifier is given");
    let many: String = (0..=10_000).map(|at| format!("user{at}\n")).collect();
    assert_eq!(fault(many.as_bytes()), "more than 10000 identifiers: erase in several runs");
    let some: String = (0..5_000).map(|at| format!("user{at}\n")).collect();
    let many = Erasure::new(&house.policy, Some(&house.keys()), some.as_bytes()).unwrap_err().to_string();
    assert!(many.contains("100000 pseudonyms"), "{many}");
    let erasure = house.erasure(&ANA);
    let shown = format!("{erasure:?} {:?}", erasure.scrubber()).to_lowercase();
    for identifier in ANA.identifiers.map(str::to_lowercase) {
        assert!(!shown.contains(&identifier), "{identifier}");
    }
}

#[test]
fn a_mail_address_ends_where_its_domain_ends() {
    let (house, ..) = &*SHARED;
    let erasure = Erasure::new(&house.policy, None, b"ana@example.com").unwrap();
    for (log, left) in [
        ("to ana@example.com.", "to [erased]."),
        ("to ana@example.com. Then", "to [erased]. Then"),
        ("<ana@example.com>...", "<[erased]>..."),
        ("ana@example.com./x", "[erased]./x"),
        ("ana@example.com,bea@example.com", "[erased],bea@example.com"),
        ("ana@example.com.1", "[erased].1"),
        ("x-ana@example.com", "x-[erased]"),
        ("ana@example.com.au", "ana@example.com.au"),
        ("x-ana@example.com.au:25", "x-ana@example.com.au:25"),
        ("ana@example.com.au ana@example.com", "ana@example.com.au [erased]"),
    ] {
        assert_eq!(erased(&erasure, log), left);
    }
}

#[test]
fn bytes_keys_of_objects_and_numbers_go_too() {
    let (house, ..) = &*SHARED;
    let erasure =
        Erasure::new(&house.policy, None, b"J\xfcrgen\n48151623\nerased\nDE89 3704 0044 0532 0130 00")
            .unwrap();
    let scrub = |log: &[u8]| {
        let mut out = Vec::new();
        erasure.scrubber().scrub(log, &mut out);
        out
    };
    assert_eq!(scrub(b"of J\xfcrgen, 48151623"), b"of [erased], [erased]");
    assert_eq!(scrub(b"DE89370400440532013000 de89-3704-0044-0532-0130-00"), b"[erased] [erased]");
    assert_eq!(scrub(b"erased and [erased]"), b"[erased] and [erased]");
    let json = br#"{"n":48151623,"48151623":{"a":1},"a":148151623}"#;
    assert_eq!(scrub(json), br#"{"n":"[erased]","[erased]":{"a":1},"a":148151623}"#);
}

#[test]
fn a_name_that_was_numbered_goes_too() {
    let (house, ..) = &*SHARED;
    let token = &house.pseudonyms("email", ANA.identifiers[0])[0];
    let log = format!("{{\"{token}\":1,\"{}#2]\":2}}", token.strip_suffix(']').unwrap());
    let left = erased(&house.erasure(&ANA), &log);
    assert!(!left.contains(token.strip_suffix(']').unwrap()), "{left}");
    serde_json::from_str::<serde_json::Value>(&left).unwrap();
}

#[test]
fn holds_and_rules_that_leave_a_part_are_told() {
    let rules = format!(
        "{}\n[[rule]]\nname = 'zip'\nfield = ['zip']\naction = 'mask'\n[[rule]]\nname = 'time'\nfind = ['record_time']\naction = {{ truncate = {{ time = 'hour' }} }}\n[[hold]]\nname = 'matter'\npath = ['**']\nuntil = 2030-01-01\n",
        RULES.replace("keys.toml", "/keys.toml")
    );
    let policy =
        Policy::from_toml(&rules, "test", Some(Path::new("/"))).unwrap_or_else(|faults| panic!("{faults}"));
    let told = Erasure::new(&policy, None, b"somebody").unwrap().cannot_be_found().join("\n");
    for part in
        ["no keyring was given", "masked, by `zip`", "under a hold, which stays until that ends: `matter`"]
    {
        assert!(told.contains(part), "{told}");
    }
    assert!(!told.contains("`time`"), "{told}");
}
