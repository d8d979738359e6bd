//! Records longer than `--max-record`, scrubbed in overlapping windows.
//!
//! A window is judged as text: what went out last (context), the bytes to be written now, and the bytes
//! after them (look-ahead), which stay for the next window. So a value is seen whole wherever the pieces are
//! cut. In JSON the state of the string is carried along: a bare number that goes becomes a string, and an
//! escape is never split.

use super::judge::Judge;
use crate::edit::Edit;
use crate::format::json::Json;
use crate::format::{Field, Format, Role};
use crate::span::Span;
use crate::withhold::{looks_like_json, withheld_marker};

/// Bytes that are added to a window at once: what is found in them takes up to forty times as much memory.
const WINDOW_BYTES: usize = 64 << 10;

/// Bytes that are judged once more with what follows: more than the longest value (an e-mail address: 320
/// bytes, every one escaped as `\u00XX`) and what is looked at around it.
const LOOK_AHEAD_BYTES: usize = 4 << 10;

/// Bytes already written that are shown to the detectors again: more than the longest residue, a token of `encrypt`.
const CONTEXT_BYTES: usize = 2 << 10;

/// As for whole records: what is left is judged again until nothing changes.
const MAX_PASSES: usize = 8;

/// Any field without quotes.
const BARE: Field = Field::new(Role::Text, Span::new(0, 0));

/// A long record on its way.
#[derive(Debug)]
pub(super) struct Long {
    /// It is so old that it is dropped.
    drops: bool,
    /// Whether the record can be judged in windows; otherwise it, or what is left of it, is withheld.
    windows: bool,
    /// Whether it is to be written as JSON.
    json: bool,
    looks_like_json: bool,
    /// Bytes that are withheld if the record is.
    bytes: usize,
    changed: bool,
    /// The last bytes written.
    context: Vec<u8>,
    /// The bytes that wait for more.
    kept: Vec<u8>,
    string: StringState,
}

/// Whether a place in a JSON text is inside a string, and just after a backslash.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct StringState {
    inside: bool,
    escape: bool,
}

impl StringState {
    fn after(mut self, bytes: &[u8]) -> StringState {
        for byte in bytes {
            match byte {
                _ if self.escape => self.escape = false,
                b'\\' => self.escape = self.inside,
                b'"' => self.inside = !self.inside,
                _ => {}
            }
        }
        self
    }
}

impl Long {
    /// `alone`: it is no part of a longer one. `drops`: it is not to be written.
    pub(super) fn begin(judge: &Judge, piece: &[u8], alone: bool, drops: bool) -> Long {
        let first = piece.iter().find(|byte| !byte.is_ascii_whitespace());
        Long {
            drops,
            windows: alone && judge.judges_windows(),
            json: matches!(first, Some(b'{' | b'[')) && judge.policy().format.admits(Json.name()),
            looks_like_json: looks_like_json(piece),
            bytes: 0,
            changed: false,
            context: Vec::new(),
            kept: Vec::new(),
            string: StringState::default(),
        }
    }

    /// Whether its time was made coarser.
    pub(super) fn note_changed(&mut self, is_changed: bool) {
        self.changed |= is_changed && self.windows;
    }

    pub(super) fn piece(&mut self, judge: &mut Judge, piece: &[u8], last: bool, out: &mut Vec<u8>) {
        if self.drops {
            judge.count_dropped(u64::from(last));
            return;
        }
        let (content, line_end) = if last { super::parted(piece) } else { (piece, &b""[..]) };
        let mut parts = content.chunks(WINDOW_BYTES).peekable();
        while let Some(part) = parts.next() {
            self.part(judge, part, last && parts.peek().is_none(), out);
        }
        if last && content.is_empty() {
            self.part(judge, b"", true, out);
        }
        if last {
            if !self.windows {
                withheld_marker(self.looks_like_json, self.bytes as u64, out);
                judge.count_withheld();
            }
            judge.count_changed(self.changed);
            out.extend_from_slice(line_end);
        }
    }

    fn part(&mut self, judge: &mut Judge, content: &[u8], last: bool, out: &mut Vec<u8>) {
        if self.windows {
            self.window(judge, content, last, out);
        } else {
            self.bytes += content.len();
        }
    }

    fn window(&mut self, judge: &mut Judge, content: &[u8], last: bool, out: &mut Vec<u8>) {
        let mut text = [self.context.as_slice(), &self.kept, content].concat();
        let start = self.context.len();
        let mut ahead = if last { 0 } else { LOOK_AHEAD_BYTES.min(text.len() - start) };
        for pass in 0..MAX_PASSES {
            let edits = judge.edits_of_text(&text, start == 0);
            let due = Span::new(start, text.len() - ahead);
            if pass == 0 {
                // A value across the cut waits as a whole.
                let across =
                    edits.list.iter().find(|edit| edit.span.start < due.end && due.end < edit.span.end);
                if let Some(edit) = across {
                    if edit.span.start <= start {
                        // Longer than a window: nobody can tell where it ends, so the rest does not go out.
                        self.bytes = text.len() - start;
                        self.windows = false;
                        self.looks_like_json = false;
                        return;
                    }
                    ahead = text.len() - edit.span.start;
                }
            }
            let due = Span::new(start, text.len() - ahead);
            let inside: Vec<(Edit, Vec<u8>)> = edits
                .list
                .iter()
                .filter(|edit| edit.span.overlaps(due))
                .map(|edit| (edit.clone(), edits.text[edit.text.clone()].to_vec()))
                .collect();
            if inside.is_empty() {
                break;
            }
            if pass + 1 == MAX_PASSES {
                // It does not settle: a window made so is not let out.
                let mut marker = text[..start].to_vec();
                withheld_marker(false, due.len() as u64, &mut marker);
                marker.extend_from_slice(&text[due.end..]);
                text = marker;
                judge.count_withheld();
                break;
            }
            judge.count();
            self.changed = true;
            text = self.splice(judge, &text, due, &inside);
        }
        let (written, kept) = text.split_at(text.len() - ahead);
        out.extend_from_slice(&written[start..]);
        self.string = self.string.after(&written[start..]);
        self.kept = kept.to_vec();
        self.context = written[written.len().saturating_sub(CONTEXT_BYTES)..].to_vec();
    }

    /// The text with the edits made as far as they lie in `due`.
    fn splice(&self, judge: &Judge, text: &[u8], due: Span, edits: &[(Edit, Vec<u8>)]) -> Vec<u8> {
        let mut next = Vec::with_capacity(text.len());
        let mut from = 0;
        let (mut state, mut state_at) = (self.string, due.start);
        for (edit, replacement) in edits {
            let mut start = edit.span.start.max(due.start).max(from);
            let end = edit.span.end.min(due.end);
            if start >= end {
                continue;
            }
            state = state.after(&text[state_at..start]);
            state_at = start;
            if self.json && state.escape && start > due.start {
                start -= 1; // the backslash goes with the escape that it begins
                state.escape = false;
            }
            next.extend_from_slice(&text[from..start]);
            self.write(judge, state, replacement, &mut next);
            from = end;
        }
        next.extend_from_slice(&text[from..]);
        next
    }

    fn write(&self, judge: &Judge, state: StringState, replacement: &[u8], out: &mut Vec<u8>) {
        let bare = self.json && !state.inside;
        if bare && !judge.policy().numbers.is_string() {
            return out.extend_from_slice(b"null");
        }
        let quote = if bare { Json.quote(&BARE, replacement) } else { b"" };
        out.extend_from_slice(quote);
        if self.json {
            Json.escape(&BARE, replacement, false, out)
        } else {
            out.extend_from_slice(replacement)
        }
        out.extend_from_slice(quote);
    }
}
