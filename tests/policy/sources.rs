//! `[[source]]`: which inputs take other rules.

use std::os::unix::fs::symlink;
use std::path::Path;

use logscrub::policy::Policy;
use logscrub::policy::source::Inputs;

fn inputs(source: &str) -> Inputs {
    let rules =
        format!("[[source]]\nrules = 'default'\n{source}\n[[rule]]\nfind = ['all']\naction = 'redact'\n");
    let mut policy = Policy::from_toml(&rules, "test", None).unwrap_or_else(|faults| panic!("{faults}"));
    policy.sources.remove(0).inputs
}

fn labels(given: &[(&str, &str)]) -> Vec<(String, String)> {
    given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn all_that_is_said_must_hold() {
    let source = inputs("path = '/var/log/*.log'\nlabel = { a = 'x*', b = '?' }");
    let path = Some(Path::new("/var/log/a.log"));
    assert!(source.include(path, &labels(&[("a", "xy"), ("b", "1"), ("c", "")])));
    for (path, given) in [
        (path, &[("a", "xy"), ("b", "12")][..]),
        (path, &[("a", "xy")]),
        (path, &[("A", "xy"), ("b", "1")]),
        (path, &[]),
        (None, &[("a", "xy"), ("b", "1")]),
        (Some(Path::new("/var/log/b/a.log")), &[("a", "xy"), ("b", "1")]),
    ] {
        assert!(!source.include(path, &labels(given)), "{path:?} {given:?}");
    }
}

#[test]
fn a_path_counts_as_given_and_as_links_lead() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    for name in ["pods", "containers"] {
        std::fs::create_dir(root.join(name)).unwrap();
    }
    std::fs::write(root.join("pods/a.log"), "").unwrap();
    symlink(root.join("pods/a.log"), root.join("containers/b.log")).unwrap();
    let includes =
        |glob: &str, path: &str| inputs(&format!("path = '{glob}'")).include(Some(&root.join(path)), &[]);
    assert!(includes("**/pods/*.log", "pods/a.log") && includes("**/containers/*.log", "containers/b.log"));
    assert!(includes("**/pods/a.log", "containers/b.log") && !includes("**/containers/*", "pods/a.log"));
    // What stands before `..` is passed through, and is not where the file is.
    assert!(includes("**/pods/a.log", "containers/../pods/a.log"));
    assert!(!includes("**/containers/**", "containers/../pods/a.log"));
    assert!(includes("**", "no/such.log") && !includes("/pods/*", "pods/a.log"));
}

#[test]
fn a_path_from_here_is_made_absolute() {
    let source = inputs("path = '**/src/lib.rs'");
    assert!(
        source.include(Some(Path::new("src/lib.rs")), &[]) && !source.include(Some(Path::new("lib.rs")), &[])
    );
}

#[test]
fn the_fingerprint_covers_the_rules_of_sources() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own.toml");
    let load = |action: &str, path: &str| {
        std::fs::write(&own, format!("[[rule]]\nfind = ['ip']\naction = '{action}'\n")).unwrap();
        let rules = format!(
            "[[source]]\npath = '{path}'\nrules = 'own.toml'\n[[rule]]\nfind = ['all']\naction = 'redact'\n"
        );
        Policy::from_toml(&rules, "test", Some(folder.path())).unwrap().fingerprint
    };
    assert_eq!(load("mask", "/a"), load("mask", "/a"));
    assert_ne!(load("mask", "/a"), load("redact", "/a"));
    assert_ne!(load("mask", "/a"), load("mask", "/b"));
}
