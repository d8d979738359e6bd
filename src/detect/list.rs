//! The user's literal dictionaries.

use std::collections::HashSet;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};

use super::Detector;
use super::context::{char_after, char_before};
use super::email::Email;
use super::literals::Literal;
use crate::finding::Finding;
use crate::kind::Kind;
use crate::span::Span;

/// Longer entries are refused: a dictionary holds names, not texts.
const MAX_ENTRY_BYTES: usize = 1024;

/// A dictionary: its entries are found as whole words.
#[derive(Clone)]
pub struct List {
    kind: Kind,
    ignore_case: bool,
    entries: HashSet<Vec<u8>>,
    automaton: AhoCorasick,
    veiled: Option<Veiled>,
    whole_addresses: bool,
}

/// Texts that stand for entries, and of which nobody can say beforehand how they are spelled.
#[derive(Clone)]
struct Veiled {
    /// Without it there is none.
    mark: &'static [u8],
    find: FindVeiled,
}

/// Appends where they stand in a text, in their order.
pub type FindVeiled = Arc<dyn Fn(&[u8], &mut Vec<Span>) + Send + Sync>;

impl std::fmt::Debug for List {
    /// Entries are personal data: they are counted, not shown.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("List").field("kind", &self.kind).field("entries", &self.entries.len()).finish()
    }
}

impl List {
    /// A list of literal entries; `ignore_case` is about ASCII letters. Empty entries are left out.
    ///
    /// # Errors
    /// A sentence, without any entry, if an entry is too long or the list too large.
    pub fn new(kind: Kind, entries: Vec<Vec<u8>>, ignore_case: bool) -> Result<List, String> {
        if let Some(at) = entries.iter().position(|entry| entry.len() > MAX_ENTRY_BYTES) {
            return Err(format!("entry {} of the list is longer than {MAX_ENTRY_BYTES} bytes", at + 1));
        }
        let fold = |entry: Vec<u8>| if ignore_case { entry.to_ascii_lowercase() } else { entry };
        let entries: HashSet<Vec<u8>> =
            entries.into_iter().filter(|entry| !entry.is_empty()).map(fold).collect();
        let mut sorted: Vec<&Vec<u8>> = entries.iter().collect();
        sorted.sort_unstable();
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(ignore_case)
            .build(sorted)
            .map_err(|_| "the list is too large to search for".to_owned())?;
        Ok(List { kind, ignore_case, entries, automaton, veiled: None, whole_addresses: false })
    }

    /// The same, in which texts count as entries that stand for some. No such text is without the mark.
    pub fn with_veiled(self, mark: &'static [u8], find: FindVeiled) -> List {
        List { veiled: Some(Veiled { mark, find }), ..self }
    }

    /// The same, in which a mail address is none where its domain goes on: `ana@example.com` in `ana@example.com.au` is
    /// somebody else.
    pub fn of_whole_addresses(self) -> List {
        List { whole_addresses: true, ..self }
    }

    /// What its entries are.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its entries as they are searched for together with all other literals. Whether an entry is a whole
    /// word is asked of ASCII alone there.
    pub(super) fn literals(&self) -> impl Iterator<Item = Literal> {
        let words = self.entries.iter().map(|entry| Literal::new(entry, self.ignore_case).whole_word());
        words.chain(self.veiled.iter().map(|veiled| Literal::new(veiled.mark, false)))
    }

    /// Whether the whole value is an entry.
    pub fn contains(&self, value: &[u8]) -> bool {
        if self.ignore_case {
            self.entries.contains(&value.to_ascii_lowercase())
        } else {
            self.entries.contains(value)
        }
    }

    /// Appends the entries in `hay` that stand there as whole words: leftmost first, longest first, none overlapping.
    ///
    /// All overlapping matches are looked at, for the longest at a place may be no whole word where a shorter
    /// one is (`ann smi` and `ann` in `ann smith`).
    pub(super) fn find(&self, hay: &[u8], out: &mut Vec<Finding>) {
        let mut spans: Vec<Span> = self
            .automaton
            .find_overlapping_iter(hay)
            .map(|found| Span::new(found.start(), found.end()))
            .filter(|span| is_whole(hay, *span) && !(self.whole_addresses && has_longer_domain(hay, *span)))
            .collect();
        if let Some(Veiled { find, .. }) = &self.veiled {
            find(hay, &mut spans);
        }
        spans.sort_unstable_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
        let mut end = 0;
        for span in spans {
            if span.start >= end {
                out.push(Finding { span, kind: self.kind });
                end = span.end;
            }
        }
    }
}

/// Whether no letter, digit or `_` goes on across either end.
pub(crate) fn is_whole(hay: &[u8], span: Span) -> bool {
    let joined = |outside: Option<(char, usize)>, inside: Option<(char, usize)>| matches!((outside, inside), (Some((outside, _)), Some((inside, _))) if is_word(outside) && is_word(inside));
    !joined(char_before(hay, span.start), char_after(hay, span.start))
        && !joined(char_after(hay, span.end), char_before(hay, span.end))
}

/// Whether it is the beginning of a mail address with more labels.
fn has_longer_domain(hay: &[u8], span: Span) -> bool {
    let behind = hay.get(span.end..).unwrap_or_default();
    let Some(at) = memchr::memrchr(b'@', span.of(hay)).filter(|_| behind.starts_with(b".")) else {
        return false;
    };
    let found = Email.verify(hay, span.start + at).outcome;
    found.is_ok_and(|finding| finding.span.end > span.end)
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn found(entries: &[&str], ignore_case: bool, text: &str) -> Vec<String> {
        let entries = entries.iter().map(|entry| entry.as_bytes().to_vec()).collect();
        let list = List::new(Kind::FIELD, entries, ignore_case).unwrap();
        let mut out = Vec::new();
        list.find(text.as_bytes(), &mut out);
        out.iter().map(|finding| text[finding.span.start..finding.span.end].to_owned()).collect()
    }

    #[test]
    fn entries_are_whole_words() {
        assert_eq!(found(&["ann", "ann smi"], false, "ann smith, joann, ann_x, ann-x"), ["ann", "ann"]);
        assert_eq!(found(&["ann", "ann smith"], true, "Ann Smith"), ["Ann Smith"]);
        assert_eq!(found(&["ann"], false, "Ann \u{e9}ann annX"), Vec::<String>::new());
        assert_eq!(found(&["j\u{fc}rg", "@x"], false, "(j\u{fc}rg) a@x"), ["j\u{fc}rg", "@x"]);
    }

    #[test]
    fn membership_is_exact() {
        let list = List::new(Kind::FIELD, vec![b"Ann".to_vec(), Vec::new()], true).unwrap();
        assert!(list.contains(b"aNN") && !list.contains(b"ann ") && !list.contains(b""));
        assert!(!format!("{list:?}").to_lowercase().contains("ann"));
        assert!(List::new(Kind::FIELD, vec![vec![b'x'; 2000]], false).is_err());
    }
}
