//! [`Held`]: a scrubber that leaves records under a hold as they are.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use aho_corasick::{AhoCorasick, Input};
use jiff::Timestamp;
use memchr::{memchr, memrchr};

use super::Scrub;
use crate::detect::list::is_whole;
use crate::policy::Hold;
use crate::scrub::{Carry, Together, Tracker};
use crate::span::Span;
use crate::tally::Tally;

/// Bytes of a long record that wait for its end: what was written of a record cannot be taken back. One that is longer
/// is scrubbed; that it was under a hold is counted if a word turns up behind so much of it.
const WAITING_BYTES: usize = 16 << 20;

/// Scrubs as another does, but for the records (lines) that hold one of the words of a hold: those go out as they came
/// in. Whatever they say of records behind them (time, columns, keys) holds all the same.
///
/// Words are looked for in the bytes of the record as they are, as whole words, in any case of ASCII letters. Parts of a
/// longer record are held together. Without words it does nothing but hand on.
#[derive(Clone, Debug)]
pub struct Held<S> {
    scrubber: S,
    words: Option<Arc<Words>>,
    paths: Option<Arc<Paths>>,
    long: Long,
    held: u64,
    held_late: u64,
}

/// Holds that name paths, and those of a file that may be an archive: as it is given, and as links lead to it.
#[derive(Debug)]
struct Paths {
    file: Vec<PathBuf>,
    holds: Vec<Hold>,
}

impl Paths {
    fn new(holds: &[Hold], path: Option<&Path>, now: Timestamp) -> Option<Paths> {
        let holds: Vec<Hold> = holds.iter().filter(|hold| !hold.is_over(now)).cloned().collect();
        let path = path.filter(|_| holds.iter().any(|hold| !hold.paths.is_empty()))?;
        let file = [Some(path.to_owned()), path.canonicalize().ok()].into_iter().flatten().collect();
        Some(Paths { file, holds })
    }

    /// The holds on a member, which lies in the file as in a directory.
    fn of_member<'p>(&'p self, name: &[u8]) -> impl Iterator<Item = &'p Hold> {
        // Whoever made the archive may have named members with `/`, `./` or `../` before them.
        let name = Path::new(OsStr::from_bytes(name)).components();
        let name: PathBuf = name.filter(|part| matches!(part, Component::Normal(_))).collect();
        let paths: Vec<PathBuf> = self.file.iter().map(|file| file.join(&name)).collect();
        let covers = move |path: &PathBuf, hold: &Hold| hold.covers_path(path);
        self.holds.iter().filter(move |hold| paths.iter().chain(&self.file).any(|path| covers(path, hold)))
    }
}

impl<S: Scrub> Held<S> {
    /// Leaves the records of a file that a hold covers at that moment. A hold without words is about whole files: it
    /// is for whoever opens them. Of an input without a path no hold that names paths says anything.
    pub fn new(scrubber: S, holds: &[Hold], path: Option<&Path>, now: Timestamp) -> Held<S> {
        let covers = |hold: &&Hold| {
            !hold.is_over(now) && path.map_or_else(|| hold.paths.is_empty(), |path| hold.covers_path(path))
        };
        let words = holds.iter().filter(covers).flat_map(|hold| &hold.records);
        Held {
            scrubber,
            words: Words::new(words).map(Arc::new),
            paths: Paths::new(holds, path, now).map(Arc::new),
            long: Long::default(),
            held: 0,
            held_late: 0,
        }
    }

    /// Scrubs a block in which these lines are held.
    fn around(&mut self, block: &[u8], held: &[Span], out: &mut Vec<u8>) {
        let mut done = 0;
        for span in held {
            self.free(&block[done..span.start], out);
            for line in span.of(block).split_inclusive(|byte| *byte == b'\n') {
                self.scrubber.skip(line);
                self.held += 1;
            }
            out.extend_from_slice(span.of(block));
            done = span.end;
        }
        self.free(&block[done..], out);
    }

    fn free(&mut self, block: &[u8], out: &mut Vec<u8>) {
        if !block.is_empty() {
            self.scrubber.scrub(block, out);
        }
    }

    /// Takes up the next piece of a long record of which nothing was written yet.
    fn wait(&mut self, piece: &[u8], last: bool, out: &mut Vec<u8>) {
        self.long.waiting.extend_from_slice(piece);
        self.long.lengths.push(piece.len());
        if self.long.has_word {
            self.scrubber.skip(&self.long.waiting);
            out.append(&mut self.long.waiting);
            self.long.fate = Fate::Held;
            self.held += 1;
        } else if last || self.long.waiting.len() > WAITING_BYTES {
            self.let_go(last, out);
        }
    }

    /// Scrubs what waits of a long record.
    fn let_go(&mut self, ends: bool, out: &mut Vec<u8>) {
        let bytes = std::mem::take(&mut self.long.waiting);
        let lengths = std::mem::take(&mut self.long.lengths);
        let mut rest = bytes.as_slice();
        for (at, length) in lengths.iter().enumerate() {
            let (piece, behind) = rest.split_at_checked(*length).unwrap_or((rest, b""));
            self.scrubber.scrub_piece(piece, ends && at + 1 == lengths.len(), out);
            rest = behind;
        }
        self.long.fate = Fate::LetGo;
    }
}

impl<S: Scrub> Scrub for Held<S> {
    fn scrub(&mut self, block: &[u8], out: &mut Vec<u8>) {
        let Some(words) = &self.words else { return self.scrubber.scrub(block, out) };
        let held = words.held(block, &self.scrubber.together(block));
        match held.is_empty() {
            true => self.scrubber.scrub(block, out),
            false => self.around(block, &held, out),
        }
    }

    fn scrub_piece(&mut self, piece: &[u8], last: bool, out: &mut Vec<u8>) {
        let Some(words) = &self.words else { return self.scrubber.scrub_piece(piece, last, out) };
        self.long.search(words, piece, last);
        match self.long.fate {
            Fate::Held => out.extend_from_slice(piece),
            Fate::LetGo => self.scrubber.scrub_piece(piece, last, out),
            Fate::Waits => self.wait(piece, last, out),
        }
        if last {
            self.held_late += u64::from(self.long.fate == Fate::LetGo && self.long.has_word);
            self.long = Long::default();
        }
    }

    fn tracker(&self) -> Option<Tracker> {
        self.scrubber.tracker()
    }

    fn go_on(&mut self, carry: &Carry) {
        self.scrubber.go_on(carry);
    }

    fn skip(&mut self, record: &[u8]) {
        self.scrubber.skip(record);
    }

    fn together(&self, block: &[u8]) -> Vec<Together> {
        self.scrubber.together(block)
    }

    fn for_member(&self, name: &[u8]) -> Result<Held<S>, Box<Hold>> {
        let Some(paths) = &self.paths else { return Ok(self.clone()) };
        let holds: Vec<&Hold> = paths.of_member(name).collect();
        if let Some(hold) = holds.iter().find(|hold| hold.records.is_empty()) {
            return Err(Box::new((*hold).clone()));
        }
        let words = Words::new(holds.iter().flat_map(|hold| &hold.records)).map(Arc::new);
        Ok(Held { words, ..self.clone() })
    }

    fn take_tally(&mut self) -> Tally {
        let mut tally = Tally::default();
        self.add_tally_to(&mut tally);
        tally
    }

    fn add_tally_to(&mut self, total: &mut Tally) {
        self.scrubber.add_tally_to(total);
        let held = std::mem::take(&mut self.held);
        total.held += held;
        total.records += held;
        total.held_late += std::mem::take(&mut self.held_late);
    }
}

/// A long record on its way.
#[derive(Clone, Debug, Default)]
struct Long {
    fate: Fate,
    waiting: Vec<u8>,
    /// Of the pieces that wait.
    lengths: Vec<usize>,
    has_word: bool,
    /// The last bytes before the next piece, for a word may be cut, and whether the record begins with them.
    tail: Vec<u8>,
    is_cut: bool,
}

/// What becomes of a long record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fate {
    /// No word was found so far, and nothing was written.
    #[default]
    Waits,
    Held,
    LetGo,
}

impl Long {
    /// Looks for a word up to the end of this piece.
    fn search(&mut self, words: &Words, piece: &[u8], last: bool) {
        if self.has_word {
            return;
        }
        self.tail.extend_from_slice(piece);
        let hay = self.tail.as_slice();
        // What touches either end of what is seen may be a part of a longer word; it is seen whole in another turn.
        let start = if self.is_cut { CHAR_BYTES } else { 0 };
        let end = if last { hay.len() } else { hay.len().saturating_sub(CHAR_BYTES) };
        self.has_word = words.all_from(hay, 0).any(|word| start <= word.start && word.end <= end);
        let gone = hay.len().saturating_sub(words.longest + 2 * CHAR_BYTES);
        self.tail.drain(..gone);
        self.is_cut |= gone > 0;
    }
}

/// Bytes of the longest character.
const CHAR_BYTES: usize = 4;

/// The words of all holds.
struct Words {
    automaton: AhoCorasick,
    /// Bytes of the longest.
    longest: usize,
}

impl std::fmt::Debug for Words {
    /// They may be names: they are counted, not shown.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Words").field("count", &self.automaton.patterns_len()).finish()
    }
}

impl Words {
    fn new<'w>(words: impl Iterator<Item = &'w String>) -> Option<Words> {
        let words: BTreeSet<&[u8]> = words.map(|word| word.as_bytes()).collect();
        let longest = words.iter().map(|word| word.len()).max()?;
        // What the rules file may hold is far below what an automaton takes.
        let automaton = AhoCorasick::builder().ascii_case_insensitive(true).build(&words).ok()?;
        Some(Words { automaton, longest })
    }

    /// Where words stand from a place on: all of them, for the longest may be no whole word where a shorter one is.
    fn all_from<'h>(&'h self, hay: &'h [u8], from: usize) -> impl Iterator<Item = Span> {
        let found = self.automaton.find_overlapping_iter(Input::new(hay).range(from..));
        let spans = found.map(|found| Span::new(found.start(), found.end()));
        spans.filter(move |span| is_whole(hay, *span))
    }

    /// The lines of a block that hold a word, and those that belong together with one.
    fn held(&self, block: &[u8], together: &[Together]) -> Vec<Span> {
        let mut held = Vec::new();
        let mut lines = self.lines(block).into_iter().peekable();
        for Together { lines: all, texts } in together {
            held.extend(std::iter::from_fn(|| lines.next_if(|line| line.end <= all.start)));
            let inside = std::iter::from_fn(|| lines.next_if(|line| line.start < all.end)).count();
            if inside > 0 || texts.iter().any(|parts| self.is_in(parts, block)) {
                held.push(*all);
            }
        }
        held.extend(lines);
        held
    }

    fn lines(&self, block: &[u8]) -> Vec<Span> {
        let mut lines: Vec<Span> = Vec::new();
        let mut at = 0;
        while let Some(word) = self.all_from(block, at).next() {
            let before = block.get(at..word.start).unwrap_or_default();
            let start = memrchr(b'\n', before).map_or(at, |feed| at + feed + 1);
            let behind = block.get(word.end..).unwrap_or_default();
            at = memchr(b'\n', behind).map_or(block.len(), |feed| word.end + feed + 1);
            lines.push(Span::new(start, at));
        }
        lines
    }

    /// Whether a word stands in the text that these parts make up.
    fn is_in(&self, parts: &[Span], block: &[u8]) -> bool {
        let text: Vec<u8> = parts.iter().flat_map(|part| part.of(block)).copied().collect();
        self.all_from(&text, 0).next().is_some()
    }
}
