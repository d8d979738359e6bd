//! Records without a time behind none that has one.

use super::boundaries::until;
use super::{at, file, run_all, scrubber, settings, stream};

const NOW: &str = "2026-06-01T00:00:00Z";
const LINE: &str = "from 203.0.113.9\n";

/// What is left of a line in a stream, in a file written last week, in one of last year by name, and the counts of
/// withheld.
fn left(undated: &str) -> [String; 3] {
    let folder = tempfile::tempdir().unwrap();
    let written = at("2026-05-25T00:00:00Z");
    let inputs = [
        stream(LINE),
        file(folder.path(), "app.log", written, LINE),
        file(folder.path(), "app.log-20250520", written, LINE),
    ];
    inputs.map(|input| {
        let rules = format!("{undated}{}", until("90d"));
        run_all(scrubber(&rules, at(NOW)), vec![input], &settings(1, 10)).0
    })
}

#[test]
fn what_holds_for_them_is_said_by_the_rules() {
    let [raw, gone] = [LINE, "from [ipv4]\n"];
    for (undated, expected) in [
        ("", [raw, raw, gone]),
        ("arrival", [raw, raw, raw]),
        ("file", [raw, raw, gone]),
        ("oldest", [gone, gone, gone]),
        ("newest", [raw, raw, raw]),
        ("withhold", ["[withheld 16 bytes]\n"; 3]),
    ] {
        let input = if undated.is_empty() { String::new() } else { format!("input.undated = '{undated}'\n") };
        assert_eq!(left(&input), expected, "{undated}");
    }
}

#[test]
fn what_no_age_changes_is_not_withheld() {
    let rules = format!("input.undated = 'withhold'\n{}", until("90d"));
    let log = "nothing in it\nfrom 203.0.113.9\n{\"ip\":\"203.0.113.9\"}\n2026-05-31T00:00:00Z 203.0.113.9\nand 203.0.113.9\n";
    let (left, tally) = super::left_of(&rules, at(NOW), log);
    assert_eq!(
        left,
        "nothing in it\n[withheld 16 bytes]\n{\"logscrub\":\"withheld\",\"bytes\":20}\n2026-05-31T00:00:00Z 203.0.113.9\nand 203.0.113.9\n"
    );
    assert_eq!((tally.records, tally.withheld, tally.changed), (5, 2, 0));
    // What every age does alike needs no time.
    let rules = "input.undated = 'withhold'\n[[rule]]\nfind = ['ip']\naction = 'redact'\n";
    assert_eq!(super::left_of(rules, at(NOW), LINE).0, "from [ipv4]\n");
}

#[test]
fn times_are_inherited_within_one_input_alone() {
    let folder = tempfile::tempdir().unwrap();
    let old = "2020-01-01T00:00:00Z 203.0.113.9\n";
    for block in [1, 30, 1 << 17] {
        for threads in [1, 2] {
            let inputs = vec![
                stream(&[old, LINE].concat()),
                stream(LINE),
                file(folder.path(), "app.log", at("2026-05-25T00:00:00Z"), &[LINE, old, LINE].concat()),
                file(folder.path(), "b.log", at("2026-05-25T00:00:00Z"), LINE),
            ];
            let (left, _) = run_all(scrubber(&until("90d"), at(NOW)), inputs, &settings(threads, block));
            let [gone_old, gone] = [old, LINE].map(|line| line.replace("203.0.113.9", "[ipv4]"));
            let expected = [&gone_old, &gone, LINE, LINE, &gone_old, &gone, LINE].concat();
            assert_eq!(left, expected, "{block} {threads}");
        }
    }
}

#[test]
fn a_scrubber_that_starts_over_inherits_nothing() {
    let mut scrubber = scrubber(&until("90d"), at(NOW));
    let mut out = Vec::new();
    scrubber.scrub(b"2020-01-01T00:00:00Z x\n", &mut out);
    scrubber.scrub(LINE.as_bytes(), &mut out);
    scrubber.start_over();
    scrubber.scrub(LINE.as_bytes(), &mut out);
    assert_eq!(String::from_utf8(out).unwrap(), ["2020-01-01T00:00:00Z x\nfrom [ipv4]\n", LINE].concat());
}
