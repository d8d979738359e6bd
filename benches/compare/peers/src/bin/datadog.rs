//! DataDog's library as its agents call it: one string an event.

use dd_sds::{MatchAction, RegexRuleConfig, RootRuleConfig, Scanner, SecondaryValidator};
use peers::{filter_lines, rules};

fn main() -> std::io::Result<()> {
    let rules: Vec<_> = rules()
        .iter()
        .map(|(kind, pattern)| {
            let validator = (kind == "card").then_some(SecondaryValidator::LuhnChecksum);
            let regex = RegexRuleConfig::new(pattern).with_validator(validator).build();
            RootRuleConfig::new(regex).match_action(MatchAction::redact(&format!("[{kind}]")))
        })
        .collect();
    let scanner = Scanner::builder(&rules).build().expect("rules compile");
    filter_lines(|line, scrubbed| {
        let mut line = String::from_utf8_lossy(line).into_owned();
        scanner.scan(&mut line).expect("a line can be scanned");
        scrubbed.extend_from_slice(line.as_bytes());
    })
}
