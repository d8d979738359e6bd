//! [`Copies`]: the places of many words, in any of their spellings, in one pass.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::levels::Levels;
use super::list::is_whole;
use crate::span::Span;

/// Few and short words are searched for one by one, which needs no automaton: to build one takes longer than most
/// records are searched.
const FEW_WORDS: usize = 16;
const SHORT_BYTES: usize = 64;

/// All words together. An automaton takes about thirty times as much memory.
const MAX_BYTES: usize = 2 << 20;

/// Words that may end at one byte of a text, on average. Only words made to be endings of one another come near.
const MAX_MATCHES: usize = 16;

/// The search would take more memory or time than a record may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMuch;

/// Words, each with a mark that says what it stands for. Of equal words the one with the least mark counts.
#[derive(Debug)]
pub struct Copies<M> {
    text: Vec<u8>,
    words: Vec<Word<M>>,
    /// Whether the words changed since they were made ready.
    changed: bool,
    automaton: Option<AhoCorasick>,
    levels: Levels,
}

/// A word, as a span of the text of all of them.
#[derive(Clone, Copy, Debug)]
struct Word<M> {
    span: Span,
    mark: M,
}

impl<M> Default for Copies<M> {
    fn default() -> Copies<M> {
        Copies {
            text: Vec::new(),
            words: Vec::new(),
            changed: false,
            automaton: None,
            levels: Levels::default(),
        }
    }
}

impl<M: Copy + Ord> Copies<M> {
    /// Forgets the words, but keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.words.clear();
        self.changed = false;
        self.automaton = None;
    }

    /// Whether there is no word.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Adds a word.
    pub fn add(&mut self, word: &[u8], mark: M) {
        let start = self.text.len();
        self.text.extend_from_slice(word);
        self.words.push(Word { span: Span::new(start, self.text.len()), mark });
        self.changed = true;
    }

    /// Makes the search ready after words were added.
    ///
    /// # Errors
    /// There are too many words, or they are too long.
    pub fn prepare(&mut self) -> Result<(), TooMuch> {
        if !std::mem::take(&mut self.changed) {
            return Ok(());
        }
        let Copies { text, words, automaton, .. } = self;
        words.sort_unstable_by(|one, other| {
            (one.span.of(text), one.mark).cmp(&(other.span.of(text), other.mark))
        });
        words.dedup_by(|next, one| next.span.of(text) == one.span.of(text));
        *automaton = None;
        if words.len() <= FEW_WORDS && words.iter().all(|word| word.span.len() <= SHORT_BYTES) {
            return Ok(());
        }
        if words.iter().map(|word| word.span.len()).sum::<usize>() > MAX_BYTES {
            return Err(TooMuch);
        }
        // The other kinds take quadratic time where many words end at one byte, or much longer to build.
        let built = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .prefilter(false)
            .dense_depth(1)
            .build(words.iter().map(|word| word.span.of(text)));
        *automaton = Some(built.map_err(|_| TooMuch)?);
        Ok(())
    }

    /// Calls `found` with each place at which a word stands as a whole word in a text, on any level of its escapes.
    /// Places may overlap, and come twice.
    ///
    /// # Errors
    /// The words are such that too many of them end at each byte.
    pub fn find(&mut self, value: &[u8], mut found: impl FnMut(M, Span)) -> Result<(), TooMuch> {
        let Copies { text, words, automaton, levels, .. } = self;
        let mut outcome = Ok(());
        levels.each(value, |hay, raw| match automaton {
            _ if outcome.is_err() => {}
            None => words.iter().for_each(|word| {
                find_one(hay, word.span.of(text), |span| found(word.mark, raw(span)));
            }),
            Some(automaton) => {
                let mut left = hay.len().saturating_add(1).saturating_mul(MAX_MATCHES);
                for one in automaton.find_overlapping_iter(hay) {
                    let span = Span::new(one.start(), one.end());
                    if let Some(word) = words.get(one.pattern().as_usize()).filter(|_| is_whole(hay, span)) {
                        found(word.mark, raw(span));
                    }
                    left -= 1;
                    if left == 0 {
                        outcome = Err(TooMuch);
                        break;
                    }
                }
            }
        });
        outcome
    }
}

/// All places of a short word, also those that overlap.
fn find_one(hay: &[u8], word: &[u8], mut found: impl FnMut(Span)) {
    let Some(mut start) = memchr::memmem::find(hay, word) else { return };
    let finder = memchr::memmem::Finder::new(word);
    loop {
        let span = Span::new(start, start + word.len());
        if is_whole(hay, span) {
            found(span);
        }
        let rest = hay.get(start + 1..).unwrap_or_default();
        let Some(length) = finder.find(rest) else { return };
        start += 1 + length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found, sorted and each place once. `more` words that occur nowhere make an automaton of it.
    fn found(words: &[&str], text: &str, more: usize) -> Vec<(usize, String)> {
        let mut copies = Copies::default();
        words.iter().enumerate().for_each(|(mark, word)| copies.add(word.as_bytes(), mark));
        (0..more).for_each(|number| copies.add(format!("nowhere{number}").as_bytes(), usize::MAX));
        assert_eq!(copies.prepare(), Ok(()));
        let mut all = Vec::new();
        let outcome = copies.find(text.as_bytes(), |mark, span| {
            all.push((mark, String::from_utf8_lossy(span.of(text.as_bytes())).into_owned()));
        });
        assert_eq!(outcome, Ok(()));
        all.sort();
        all.dedup();
        all
    }

    #[test]
    fn one_by_one_and_all_at_once_find_the_same() {
        let words = ["alice", "alice smith", "a a a", "b%40c"];
        let texts = [
            "alice smith, alices, (alice) \"alice\" alice_ 9alice -alice-",
            "a a a a a xa a a a",
            "%61lice \\u0061lice%20smith b%40c b%2540c b@c",
            "\u{1b}[1malice\u{1b}[0mx al\u{200b}ice \u{e9}alice \u{201c}alice\u{201d}",
        ];
        for text in texts {
            let few = found(&words, text, 0);
            assert!(!few.is_empty());
            assert_eq!(few, found(&words, text, FEW_WORDS), "{text}");
        }
        assert_eq!(found(&["alice"], "alicealice_alice alice2", 0), []);
    }

    #[test]
    fn of_equal_words_the_least_mark_counts() {
        let mut copies = Copies::default();
        [3, 1, 2].into_iter().for_each(|mark| copies.add(b"alice", mark));
        assert_eq!(copies.prepare(), Ok(()));
        let mut marks = Vec::new();
        assert_eq!(copies.find(b"alice", |mark, _| marks.push(mark)), Ok(()));
        assert_eq!(marks, [1]);
        copies.clear();
        assert!(copies.is_empty());
    }

    #[test]
    fn words_that_are_endings_of_one_another_are_too_much() {
        let mut copies = Copies::default();
        (1..300).for_each(|length| copies.add("a ".repeat(length).as_bytes(), ()));
        assert_eq!(copies.prepare(), Ok(()));
        assert_eq!(copies.find("a ".repeat(5000).as_bytes(), |(), _| {}), Err(TooMuch));
        copies.clear();
        copies.add(&vec![b'a'; MAX_BYTES + 1], ());
        assert_eq!(copies.prepare(), Err(TooMuch));
    }
}
