//! [`Own`]: the detectors that a policy brings along, its regexes and lists, however many they are.
//!
//! Most regexes hold literals without which they cannot match. Those and the words of the lists are searched
//! for in one pass, and only a regex or list of which something was seen is asked. The regexes
//! without literals are one alternation, which tells whether any of them can match.

use std::sync::Arc;

use regex::bytes::{Regex, RegexBuilder};

use super::list::List;
use super::literals::Literals;
use super::pattern::Pattern;
use crate::finding::Finding;

/// Compiled size of one alternation. What does not fit in one goes into another.
const MAX_COMPILED_BYTES: usize = 8 << 20;
/// Of the lazy automaton's cache, per thread.
const MAX_CACHE_BYTES: usize = 4 << 20;

/// A policy's own detectors.
#[derive(Clone, Debug, Default)]
pub struct Own {
    patterns: Vec<Arc<Pattern>>,
    lists: Vec<Arc<List>>,
    literals: Literals,
    /// For each literal the detector that it belongs to: patterns first, then lists.
    owners: Vec<u32>,
    /// Those without literals.
    others: Others,
}

/// Patterns without literals.
#[derive(Clone, Debug, Default)]
struct Others {
    patterns: Vec<u32>,
    /// None of the patterns matches where none of these does.
    any_of: Vec<Regex>,
}

impl Own {
    /// These patterns and lists.
    pub fn new(patterns: Vec<Arc<Pattern>>, lists: Vec<Arc<List>>) -> Own {
        let (mut literals, mut owners, mut without) = (Vec::new(), Vec::new(), Vec::new());
        for (at, pattern) in (0..).zip(&patterns) {
            match pattern.required() {
                Some(required) => {
                    literals.extend_from_slice(required);
                    owners.resize(literals.len(), at);
                }
                None => without.push(at),
            }
        }
        for (at, list) in (patterns.len() as u32..).zip(&lists) {
            literals.extend(list.literals());
            owners.resize(literals.len(), at);
        }
        let texts: Vec<&str> = without.iter().map(|at| patterns[*at as usize].widened()).collect();
        let others = Others { any_of: alternations(&texts), patterns: without };
        Own { literals: Literals::new(literals), owners, others, patterns, lists }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty() && self.lists.is_empty()
    }

    /// The literals of those that have some.
    pub fn literals(&self) -> &Literals {
        &self.literals
    }

    /// Whether any has no literal: anything may then be a match.
    pub fn has_others(&self) -> bool {
        !self.others.patterns.is_empty()
    }

    /// Appends what they find in `hay`.
    pub(super) fn find(&self, hay: &[u8], out: &mut Vec<Finding>) {
        let mut due = Vec::new();
        self.literals.find(hay, |_, literal| due.push(self.owners[literal]));
        if self.others.any_of.iter().any(|any| any.is_match(hay)) {
            due.extend_from_slice(&self.others.patterns);
        }
        due.sort_unstable();
        due.dedup();
        for at in due.into_iter().map(|at| at as usize) {
            match self.patterns.get(at) {
                Some(pattern) => pattern.find(hay, out),
                None => self.lists[at - self.patterns.len()].find(hay, out),
            }
        }
    }

    /// Appends a place in every line of the block in which one of them may find something.
    pub fn places(&self, block: &[u8], out: &mut Vec<u32>) {
        self.literals.find(block, |at, _| out.push(at as u32));
        for any in &self.others.any_of {
            let mut from = 0;
            while let Some(end) = any.shortest_match_at(block, from) {
                // No match crosses a line feed, and none is empty.
                out.push(end.saturating_sub(1) as u32);
                let line_feed = memchr::memchr(b'\n', &block[end..]);
                let Some(line_feed) = line_feed else { break };
                from = end + line_feed + 1;
            }
        }
    }

    /// Whether one of them may find something in the text.
    pub fn may_find(&self, text: &[u8]) -> bool {
        let mut found = false;
        self.literals.find(text, |_, _| found = true);
        found || self.others.any_of.iter().any(|any| any.is_match(text))
    }
}

/// Regexes that match where any of the texts does: one, or as few as their size allows.
fn alternations(texts: &[&str]) -> Vec<Regex> {
    if texts.is_empty() {
        return Vec::new();
    }
    let joined = texts.iter().map(|text| format!("(?:{text})")).collect::<Vec<String>>().join("|");
    let built =
        RegexBuilder::new(&joined).size_limit(MAX_COMPILED_BYTES).dfa_size_limit(MAX_CACHE_BYTES).build();
    match built {
        Ok(any) => vec![any],
        Err(_) if texts.len() > 1 => {
            let (first, second) = texts.split_at(texts.len() / 2);
            [alternations(first), alternations(second)].concat()
        }
        Err(_) => everything(),
    }
}

/// Where a regex cannot be widened any text may be a match.
fn everything() -> Vec<Regex> {
    Regex::new(r"(?s-u:.)").into_iter().collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::kind::Kind;
    use proptest::prelude::*;

    const REGEXES: [&str; 14] = [
        r"(?:ab_key|tok)[=:](?<value>[a-z0-9]{2,8})",
        r"(?i)kelvin (?<value>\w+)",
        r"(?i)\u{6b}elvin",
        r"\b[A-Z]{2}\d{3}\b",
        r"\d{3}-\d{2}$",
        r"^\d+",
        r"(?:[a-c]{2}x|zz)+9",
        r"[\s]ann",
        r"a\s+b",
        r"[^a]zq?",
        r"x[^b]*b",
        r"x{3,}|9\n",
        r"(?s)[0-9].[0-9]",
        "\u{e9}+",
    ];
    const TOKENS: [&str; 24] = [
        "ab_key",
        "tok",
        "=",
        "kelvin ",
        "\u{212a}elvin ",
        "KELVIN ",
        "AB123",
        "-45",
        "123",
        "abx",
        "zz",
        "9",
        "ann",
        "Ann",
        "\n",
        " ",
        "a",
        "b",
        "z",
        "xxx",
        "\u{e9}",
        "q",
        "_",
        "\\",
    ];

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 300, ..ProptestConfig::default() })]

        /// Together they find what each of them finds alone, and no line with a finding is without a place.
        #[test]
        fn each_finds_what_it_finds_alone(
            regexes in prop::sample::subsequence(&REGEXES[..], 0..6),
            words in prop::sample::subsequence(&TOKENS[..], 0..20),
            ignore_case in any::<bool>(),
            hays in proptest::collection::vec(proptest::collection::vec(prop::sample::select(&TOKENS[..]), 0..24), 1..30),
        ) {
            let pattern = |regex: &&str| Arc::new(Pattern::new(Kind::FIELD, regex, None, Vec::new()).unwrap());
            let patterns: Vec<Arc<Pattern>> = regexes.iter().map(pattern).collect();
            let words = words.iter().map(|word| word.as_bytes().to_vec()).collect();
            let lists = vec![Arc::new(List::new(Kind::FIELD, words, ignore_case).unwrap())];
            let own = Own::new(patterns.clone(), lists.clone());
            for hay in hays.iter().map(|tokens| tokens.concat().into_bytes()) {
                let (mut alone, mut together, mut places) = (Vec::new(), Vec::new(), Vec::new());
                patterns.iter().for_each(|pattern| pattern.find(&hay, &mut alone));
                lists.iter().for_each(|list| list.find(&hay, &mut alone));
                own.find(&hay, &mut together);
                prop_assert_eq!(&together, &alone);
                own.places(&hay, &mut places);
                let line = |at: usize| memchr::memchr_iter(b'\n', &hay[..at]).count();
                let mut watched: Vec<usize> = places.iter().map(|place| line(*place as usize)).collect();
                watched.sort_unstable();
                for finding in &alone {
                    let at = line(finding.span.start);
                    prop_assert!(watched.binary_search(&at).is_ok(), "line {at} of {:?}", hay.escape_ascii().to_string());
                }
            }
        }
    }
}
