//! What no key serves is redacted, and told, before it is done and afterwards.

use std::fs;

use crate::site::{Site, program, ran};

#[test]
fn values_without_a_key_are_told() {
    let site = Site::new();
    let (keyring, report) = (site.beside("keys.toml"), site.beside("report.json"));
    let [keyring, report] = [&keyring, &report].map(|path| path.to_str().unwrap());
    let now = ["--now", "2026-03-01T00:00:00Z"];
    let made = ["key", "new", "--every", "30d", "--from", "2026-02-15", "--keyring", keyring];
    assert_eq!(ran(program(&[&made[..], &now].concat())).code, Some(0));
    let rules = "[pseudonyms]\nkeyring = \"keys.toml\"\n[[rule]]\nfind = [\"ip\"]\naction = \"hash\"\n";
    fs::write(site.beside("rules.toml"), rules).unwrap();
    let log = site.file("a.log", "2026-02-01T00:00:00Z 203.0.113.7\n2026-02-20T00:00:00Z 203.0.113.7\n");
    site.file("b.log", "2026-02-20T00:00:00Z 203.0.113.7\n2026-02-01T00:00:00Z 203.0.113.8 203.0.113.9\n");
    let show = || ran(program(&["report", "show", report])).stdout;
    let cause = "no key serves at the time of the record, or its time is not known\n";

    let dry = site.run(&[&now[..], &["-n", "--report", report]].concat());
    assert_eq!(dry.code, Some(0));
    assert!(dry.stderr.contains(&format!("logscrub: 3 values would be redacted: {cause}")), "{dry:?}");
    assert!(dry.stderr.contains(", 3 values without a key\n"), "{dry:?}");
    assert!(show().ends_with(&format!("\n3 values would be redacted: {cause}")), "{}", show());

    let done = site.run(&[&now[..], &["--report", report]].concat());
    assert_eq!(done.code, Some(0));
    assert_eq!(
        done.stderr.matches(&format!("logscrub: 3 values were redacted: {cause}")).count(),
        1,
        "{done:?}"
    );
    assert!(show().ends_with(&format!("\n3 values were redacted: {cause}")), "{}", show());
    let report: serde_json::Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    let told: Vec<_> =
        report["files"].as_array().unwrap().iter().map(|file| file["without_key"].as_u64()).collect();
    assert_eq!(told, [Some(1), Some(2)]);
    let left = fs::read_to_string(log).unwrap();
    assert!(left.starts_with("2026-02-01T00:00:00Z [ipv4]\n2026-02-20T00:00:00Z [ipv4:k"), "{left}");

    // Nothing is left that lacks one.
    let again = site.run(&now);
    assert!(!again.stderr.contains("key"), "{again:?}");
}
