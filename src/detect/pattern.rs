//! Regex detectors: the user's, and those of the built-in ones that a regex describes.
//!
//! One search of the `regex` crate is linear, all searches of a record together need not be: each may run to
//! the record's end and come back with a match of one byte. So a search first sees a small window of the
//! record, and a larger one only if nothing ends inside the smaller. A larger window then pays for itself by
//! how far it gets; where it does not, a budget ends the growth. The work for a record is at most its length
//! times the window, and no regex can change that.

use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange};
use regex_syntax::hir::{Hir, HirKind};

use super::context::{KEYWORD_REACH_BYTES, has_word_before};
use super::literals::Literal;
use super::required::{better, required};
use crate::checksum::Checksum;
use crate::finding::Finding;
use crate::kind::Kind;
use crate::span::Span;

/// Bytes that a search sees beyond where it starts, at first. Where a shorter match and a longer one begin
/// at the same place, the longer is taken only if it ends within this.
const WINDOW_BYTES: usize = 1024;
/// Times a record's length that larger windows may see in all: doubling costs at most four.
const MAX_REGROWN: usize = 16;
/// Compiled size of one pattern: `\w{1000}` and `(a{1000}){1000}` are refused within milliseconds.
const MAX_COMPILED_BYTES: usize = 1 << 20;
/// Of the lazy automaton's cache, per thread.
const MAX_CACHE_BYTES: usize = 2 << 20;
/// A class with at least this many bytes in it swallows nearly anything.
const WIDE_CLASS_BYTES: usize = 128;

/// A regex and what else must hold where it matches.
#[derive(Clone)]
pub struct Pattern {
    kind: Kind,
    regex: Regex,
    /// The group that is the value; 0 if the whole match is.
    group: usize,
    checksum: Option<Checksum>,
    keywords: Vec<String>,
    /// Whether a match may go on across line feeds.
    across_lines: bool,
    required: Option<Vec<Literal>>,
    /// See [`Pattern::widened`]; empty if it has literals.
    widened: String,
}

impl std::fmt::Debug for Pattern {
    /// A pattern may hold names or numbers: it is not shown.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Pattern").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Pattern {
    /// A detector from the text of a regex. The group `value`, if there is one, is what goes.
    ///
    /// `keywords`: one of them, as a whole word in any case, has to stand in the 32 bytes before the match.
    ///
    /// # Errors
    /// A sentence that says what is wrong: the syntax, the size, that it matches nothing at all or begins with
    /// a repetition of nearly any byte.
    pub fn new(
        kind: Kind,
        regex: &str,
        checksum: Option<Checksum>,
        keywords: Vec<String>,
    ) -> Result<Pattern, String> {
        let (hir, compiled) = compile(regex)?;
        let group = compiled.capture_names().position(|name| name == Some("value")).unwrap_or(0);
        let keywords: Vec<String> = keywords.into_iter().map(|word| word.to_ascii_lowercase()).collect();
        let required = better(required(&hir), words(&keywords));
        let widened = if required.is_some() { String::new() } else { widen(&hir).to_string() };
        Ok(Pattern {
            kind,
            regex: compiled,
            group,
            checksum,
            keywords,
            across_lines: false,
            required,
            widened,
        })
    }

    /// The same, with matches that may go on across the line feeds of a value. The regex needs literals: by those
    /// alone such matches are looked for.
    ///
    /// # Errors
    /// It has none.
    pub fn across_lines(self) -> Result<Pattern, String> {
        match self.required {
            Some(_) => Ok(Pattern { across_lines: true, ..self }),
            None => Err("a regex that crosses lines needs a literal".to_owned()),
        }
    }

    /// Literals of which at least one stands wherever something is found, in the same line.
    pub(super) fn required(&self) -> Option<&[Literal]> {
        self.required.as_deref()
    }

    /// The text of a regex that matches, without a line feed, whatever this one finds, for patterns without literals. It
    /// asks nothing of what stands around a match: a value ends where the record goes on.
    pub(super) fn widened(&self) -> &str {
        &self.widened
    }

    /// What it finds.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether it finds anything in the text.
    pub fn is_in(&self, text: &[u8]) -> bool {
        let mut found = Vec::new();
        self.find(text, &mut found);
        !found.is_empty()
    }

    /// Appends the matches in `hay`. None crosses a line feed, unless it may.
    pub(super) fn find(&self, hay: &[u8], out: &mut Vec<Finding>) {
        if self.across_lines {
            return self.find_in_line(hay, 0, out);
        }
        let mut start = 0;
        for line in hay.split(|byte| *byte == b'\n') {
            self.find_in_line(line, start, out);
            start += line.len() + 1;
        }
    }

    fn find_in_line(&self, line: &[u8], offset: usize, out: &mut Vec<Finding>) {
        let mut from = 0;
        let mut budget = line.len() * MAX_REGROWN;
        while from < line.len() {
            let Some((whole, value)) = self.next_match(line, &mut from, &mut budget) else { continue };
            if !value.is_empty() && self.is_confirmed(line, whole, value) {
                out.push(Finding { span: value.shifted(offset), kind: self.kind });
            }
            from = whole.end.max(from + 1);
        }
    }

    /// The next match at or after `from`; `None` if there is none in sight, and `from` is then moved on.
    fn next_match(&self, line: &[u8], from: &mut usize, budget: &mut usize) -> Option<(Span, Span)> {
        let mut window = WINDOW_BYTES;
        loop {
            let end = line.len().min(from.saturating_add(window));
            let found = self.regex.captures_at(&line[..end], *from).and_then(|captures| {
                let span = |group| captures.get(group).map(|found| Span::new(found.start(), found.end()));
                Some((span(0)?, span(self.group).unwrap_or_default()))
            });
            let ends_inside = found.is_some_and(|(whole, _)| whole.end < end);
            if end == line.len() || ends_inside || *budget < window {
                if found.is_none() {
                    *from = if end == line.len() { end } else { end - WINDOW_BYTES / 2 };
                }
                return found;
            }
            *budget -= window;
            window *= 2;
        }
    }

    fn is_confirmed(&self, line: &[u8], whole: Span, value: Span) -> bool {
        self.checksum.is_none_or(|checksum| checksum.holds(value.of(line)))
            && (self.keywords.is_empty()
                || has_word_before(line, whole.start, KEYWORD_REACH_BYTES, &self.keywords)
                || has_word_before(
                    &line[..value.start],
                    value.start,
                    value.start - whole.start,
                    &self.keywords,
                ))
    }
}

/// One of the words stands near every match. An empty word never does.
fn words(words: &[String]) -> Option<Vec<Literal>> {
    let words: Vec<Literal> = words.iter().map(|word| Literal::new(word.as_bytes(), true)).collect();
    let say_enough = !words.is_empty() && words.iter().all(|word| word.bytes().len() > 2);
    say_enough.then_some(words)
}

/// The regex without look-arounds, and without line feeds in what it matches.
fn widen(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Hir::empty(),
        HirKind::Literal(literal) if literal.0.contains(&b'\n') => Hir::fail(),
        HirKind::Literal(literal) => Hir::literal(literal.0.clone()),
        HirKind::Class(Class::Bytes(class)) => {
            let mut class = class.clone();
            class.difference(&ClassBytes::new([ClassBytesRange::new(b'\n', b'\n')]));
            Hir::class(Class::Bytes(class))
        }
        HirKind::Class(Class::Unicode(class)) => {
            let mut class = class.clone();
            class.difference(&ClassUnicode::new([ClassUnicodeRange::new('\n', '\n')]));
            Hir::class(Class::Unicode(class))
        }
        HirKind::Repetition(repetition) => Hir::repetition(repetition.with(widen(&repetition.sub))),
        HirKind::Capture(capture) => widen(&capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(widen).collect()),
        HirKind::Alternation(branches) => Hir::alternation(branches.iter().map(widen).collect()),
    }
}

fn compile(text: &str) -> Result<(Hir, Regex), String> {
    let unicode = needs_unicode(text);
    let hir = regex_syntax::ParserBuilder::new()
        .unicode(unicode)
        .utf8(false)
        .build()
        .parse(text)
        .map_err(|error| error.to_string())?;
    check(&hir)?;
    let compiled = RegexBuilder::new(text)
        .unicode(unicode)
        .size_limit(MAX_COMPILED_BYTES)
        .dfa_size_limit(MAX_CACHE_BYTES)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                "the regex is too large once its repetitions are written out".to_owned()
            }
            error => error.to_string(),
        })?;
    Ok((hir, compiled))
}

/// Logs are bytes: `.` is one byte and `\w` is ASCII, unless the pattern itself speaks of other characters.
fn needs_unicode(text: &str) -> bool {
    !text.is_ascii() || ["\\p", "\\P", "\\u", "\\x{"].iter().any(|form| text.contains(form))
}

fn check(hir: &Hir) -> Result<(), String> {
    match hir.properties().minimum_len() {
        None => return Err("the regex can never match".to_owned()),
        Some(0) => return Err("the regex matches the empty text, so it would match everywhere".to_owned()),
        Some(_) => {}
    }
    if begins_wide(hir) {
        return Err("the regex begins with a repetition of nearly any byte (such as `.*`); begin it with what is before the value".to_owned());
    }
    Ok(())
}

/// Whether some alternative begins with an unbounded repetition of a class that takes nearly any byte.
fn begins_wide(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Repetition(repetition) => {
            repetition.max.is_none() && is_wide(&repetition.sub) || begins_wide(&repetition.sub)
        }
        HirKind::Capture(capture) => begins_wide(&capture.sub),
        HirKind::Alternation(branches) => branches.iter().any(begins_wide),
        HirKind::Concat(parts) => {
            for part in parts {
                if begins_wide(part) {
                    return true;
                }
                if part.properties().minimum_len() != Some(0) {
                    return false;
                }
            }
            false
        }
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}

fn is_wide(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Class(regex_syntax::hir::Class::Bytes(class)) => {
            let count: usize =
                class.ranges().iter().map(|range| usize::from(range.end() - range.start()) + 1).sum();
            count >= WIDE_CLASS_BYTES
        }
        HirKind::Class(regex_syntax::hir::Class::Unicode(class)) => {
            // Every class with the letters of all scripts in it is wide.
            let count: u64 = class
                .ranges()
                .iter()
                .map(|range| u64::from(range.end() as u32 - range.start() as u32) + 1)
                .sum();
            count > 0x1_0000
        }
        HirKind::Capture(capture) => is_wide(&capture.sub),
        HirKind::Alternation(branches) => branches.iter().any(is_wide),
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn pattern(regex: &str) -> Result<Pattern, String> {
        Pattern::new(Kind::FIELD, regex, None, Vec::new())
    }

    fn found(pattern: &Pattern, text: &[u8]) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        pattern.find(text, &mut out);
        out.iter().map(|finding| finding.span.of(text).to_vec()).collect()
    }

    #[test]
    fn the_group_is_what_goes() {
        let customer = pattern(r"customer (?<value>CUST-\d{8})").unwrap();
        assert_eq!(found(&customer, b"customer CUST-00001234, customer CUST-12"), [b"CUST-00001234"]);
    }

    #[test]
    fn what_cannot_be_bounded_is_refused() {
        for regex in [
            ".*[^A-Z]|[A-Z]",
            "x*",
            "(?:)",
            "(.*)secret",
            r"\b.+x",
            r"[^ ]*@x",
            r"(a{1000}){1000}",
            "(",
            r"[a&&b]",
        ] {
            assert!(pattern(regex).is_err(), "{regex}");
        }
        assert!(pattern(r"\w{1000}").is_ok());
    }

    #[test]
    fn no_match_crosses_a_line() {
        let across = pattern(r"a\s+b").unwrap();
        assert_eq!(found(&across, b"a\nb a b"), [b"a b"]);
    }

    #[test]
    fn a_match_longer_than_the_window_is_whole() {
        let run = pattern(r"<[^>]+>").unwrap();
        let mut text = vec![b' '; 700];
        text.extend([b"<".as_slice(), &[b'y'; 5000], b"> <z>"].concat());
        let lengths: Vec<usize> = found(&run, &text).iter().map(Vec::len).collect();
        assert_eq!(lengths, [5002, 3]);
    }

    #[test]
    fn a_hostile_record_finishes() {
        let text = [b"a".repeat(1 << 16).as_slice(), b"b"].concat();
        for regex in ["a[^b]*$|a", r"[a-z]*X|[a-z]", "a[a-z]*c|a", r"(?:a|b)+\d", r"a\b"] {
            found(&pattern(regex).unwrap(), &text);
        }
    }

    #[test]
    fn keywords_and_checksums_confirm() {
        let pattern =
            Pattern::new(Kind::FIELD, r"\b\d{16}\b", Some(Checksum::Luhn), vec!["Loyalty".to_owned()])
                .unwrap();
        assert_eq!(
            found(&pattern, b"loyaltyNo=4111111111111111 loyalty 4111111111111112"),
            [b"4111111111111111"]
        );
        assert!(found(&pattern, b"disloyalty 4111111111111111").is_empty());
        assert!(!format!("{pattern:?}").contains("16"));
    }
}
