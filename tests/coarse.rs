//! Times made coarser: in place or by the judge, in any blocks, once or step by step.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use jiff::Timestamp;
use logscrub::tally::Tally;
use logscrub::{Policy, Scrubber};
use proptest::prelude::*;

const RULES: &str = r#"
[[rule]]
find   = ["record_time"]
retain = [
  { until = "7d", action = "keep" },
  { until = "60d", action = { truncate = { time = "minute" } } },
  { until = "90d", action = { truncate = { time = "hour" } } },
  { action = { truncate = { time = "day" } } },
]

[[rule]]
find   = ["ip"]
retain = [{ until = "400d", action = "keep" }, { action = "redact" }]

[[rule]]
find   = ["pan"]
retain = [{ until = "2y", action = "keep" }, { action = "drop_record" }]
"#;

const MORE: [&str; 3] =
    ["", "[records]\ndrop_after = \"3y\"\n", "[input]\nzone = \"+01:00\"\nundated = \"withhold\"\n"];

fn scrubber(more: &str, now: &str) -> Scrubber {
    let policy = Policy::from_toml(&format!("{more}{RULES}"), "coarse", None).unwrap();
    Scrubber::new(Arc::new(policy), None).at(now.parse().unwrap())
}

fn scrub(mut scrubber: Scrubber, log: &[u8], block: usize) -> (Vec<u8>, Tally) {
    let mut out = Vec::new();
    let mut lines: Vec<u8> = Vec::new();
    for line in log.split_inclusive(|byte| *byte == b'\n') {
        lines.extend_from_slice(line);
        if lines.len() >= block {
            scrubber.scrub(&lines, &mut out);
            lines.clear();
        }
    }
    if !lines.is_empty() {
        scrubber.scrub(&lines, &mut out);
    }
    let mut tally = scrubber.take_tally();
    tally.acted.sort_by_key(|acted| (acted.rule, acted.step, acted.kind));
    (out, tally)
}

/// A line of some format with this time in it.
fn line(form: usize, time: Timestamp) -> String {
    let rfc = time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    let card = ["4111", "1111", "1111", "1111"].join("");
    match form {
        0 => format!("{rfc} from 203.0.113.9 to 198.51.100.7"),
        1 => format!(
            "203.0.113.9 - - [{}] \"GET /?d={rfc} HTTP/1.1\" 200 5",
            time.strftime("%d/%b/%Y:%H:%M:%S +0000")
        ),
        2 => format!("{{\"ts\":{},\"ip\":\"203.0.113.9\"}}", time.as_second()),
        3 => format!("{{\"a\":\"203.0.113.9\",\"@timestamp\":\"{rfc}\"}}"),
        4 => format!("{{\"time\":\"{}\",\"m\":\"\\u0041 203.0.113.9\"}}", rfc.replace('-', "\\u002d")),
        5 => format!("level=info ts={rfc} ip=203.0.113.9"),
        6 => format!("{} [error] 3#0: client: 203.0.113.9", time.strftime("%Y/%m/%d %H:%M:%S")),
        7 => format!("{rfc} stdout F 203.0.113.9 {rfc}"),
        8 => format!("{rfc} stdout P 203.0."),
        9 => format!("{rfc} paid with {card}"),
        10 => format!("{}.{:03} 203.0.113.9", time.as_second(), time.subsec_millisecond()),
        11 => format!("<34>1 {rfc} host app - - - from 203.0.113.9"),
        12 => "  at com.example.Main(203.0.113.9)".to_owned(),
        13 => format!("2099-01-01T00:00:00Z {rfc} 203.0.113.9"),
        _ => format!("{{\"ts\":{}E9,\"ip\":\"203.0.113.9\"}}", time.as_second() as f64 / 1e9),
    }
}

fn log() -> impl Strategy<Value = String> {
    // Parts of one record are in one block, and not years apart.
    let form = (0_usize..15).prop_map(|form| if form == 8 { 7 } else { form });
    let one = (form, 1_600_000_000_000_i64..1_772_300_000_000);
    prop::collection::vec(one, 1..12).prop_map(|lines| {
        let written =
            |(form, time): (usize, i64)| line(form, Timestamp::from_millisecond(time).unwrap()) + "\n";
        lines.into_iter().map(written).collect()
    })
}

const DATES: [&str; 3] = ["2026-03-01T12:34:56Z", "2026-08-01T00:00:00Z", "2030-01-01T00:00:00Z"];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn in_place_and_by_the_judge_alike(log in log(), more in prop::sample::select(&MORE[..]), block in 1..600_usize) {
        let mut state = log.clone().into_bytes();
        for now in DATES {
            let scrubber = scrubber(more, now);
            let (judged, tally) = scrub(scrubber.clone().without_fast_lane(), log.as_bytes(), usize::MAX);
            for block in [block, usize::MAX] {
                let (out, counted) = scrub(scrubber.clone(), log.as_bytes(), block);
                prop_assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&judged), "{} {}", now, block);
                prop_assert_eq!(&counted, &tally, "{} {}\n{}", now, block, log);
            }
            let (again, counted) = scrub(scrubber.clone(), &judged, usize::MAX);
            prop_assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(&judged));
            prop_assert_eq!(counted.changed, 0);
            state = scrub(scrubber, &state, block).0;
            // A marker has no time, and what stands behind it takes an older one.
            if !more.contains("withhold") {
                prop_assert_eq!(String::from_utf8_lossy(&state), String::from_utf8_lossy(&judged), "in a row, {}", now);
            }
        }
    }
}

#[test]
fn every_form_keeps_its_form() {
    let time: Timestamp = "2026-01-30T23:45:56.789Z".parse().unwrap();
    let log: String = (0..15).map(|form| line(form, time) + "\n").collect();
    let (out, _) = scrub(scrubber("", DATES[0]), log.as_bytes(), usize::MAX);
    let expected = log
        .replace("23:45:56.789Z from", "23:45:00.000Z from")
        .replace("30/Jan/2026:23:45:56", "30/Jan/2026:23:45:00")
        .replace("\"ts\":1769816756,", "\"ts\":1769816700,")
        .replace("\"@timestamp\":\"2026-01-30T23:45:56.789Z\"", "\"@timestamp\":\"2026-01-30T23:45:00.000Z\"")
        .replace("2026\\u002d01\\u002d30T23:45:56.789Z", "2026-01-30T23:45:00.000Z")
        .replace("ts=2026-01-30T23:45:56.789Z", "ts=2026-01-30T23:45:00.000Z")
        .replace("2026/01/30 23:45:56", "2026/01/30 23:45:00")
        .replace("23:45:56.789Z stdout", "23:45:00.000Z stdout")
        .replace("23:45:56.789Z paid", "23:45:00.000Z paid")
        .replace("1769816756.789 ", "1769816700.000 ")
        .replace("23:45:56.789Z host", "23:45:00.000Z host")
        .replace("1.769816756E9", "1.769816700E9");
    assert_eq!(String::from_utf8_lossy(&out), expected);
}

#[test]
fn a_long_record_has_a_coarse_time_too() {
    let policy = Policy::from_toml(RULES, "coarse", None).unwrap();
    let scrubber = Scrubber::new(Arc::new(policy), None).at(DATES[0].parse().unwrap());
    for mut scrubber in [scrubber.clone(), scrubber.without_fast_lane()] {
        let mut out = Vec::new();
        let words = "word ".repeat(2000);
        scrubber.scrub_piece(format!("2026-01-30T23:45:56Z {words}").as_bytes(), false, &mut out);
        scrubber.scrub_piece(b"end 2026-01-30T23:45:56Z\n", true, &mut out);
        let out = String::from_utf8(out).unwrap();
        assert_eq!(out, format!("2026-01-30T23:45:00Z {words}end 2026-01-30T23:45:56Z\n"));
        assert_eq!(scrubber.take_tally().changed, 1);
    }
}
