//! [`Decoded`]: bytes as an escape-aware reader sees them, each of which knows where it was written.

use crate::span::Span;

/// Decoded bytes and, for every one of them, the raw range that it was decoded from.
///
/// Kept as runs, not byte by byte: most of any value is copied as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// The decoded bytes.
    pub bytes: Vec<u8>,
    runs: Vec<Run>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    /// Offset of the run's first byte in the decoded bytes.
    start: usize,
    raw: Span,
    /// Copied byte for byte; otherwise one escape, which is never split.
    verbatim: bool,
}

impl Decoded {
    /// Forgets everything but the allocation.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.runs.clear();
    }

    /// Appends what one escape, the raw range `raw`, stands for. `bytes` may be empty (the escape is
    /// dropped: its raw range then belongs to no decoded byte).
    pub fn push(&mut self, bytes: &[u8], raw: Span) {
        if !bytes.is_empty() {
            self.runs.push(Run { start: self.bytes.len(), raw, verbatim: false });
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// Appends bytes that stand for themselves and begin at the raw offset `at`.
    pub fn push_verbatim(&mut self, bytes: &[u8], at: usize) {
        if bytes.is_empty() {
            return;
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        match self.runs.last_mut() {
            Some(last) if last.verbatim && last.raw.end == at => last.raw.end += bytes.len(),
            _ => self.runs.push(Run { start, raw: Span::new(at, at + bytes.len()), verbatim: true }),
        }
    }

    /// The raw range of a decoded range. An escape of which one byte is covered is covered whole.
    ///
    /// An empty range, or one outside the decoded bytes, gives an empty range at the nearest raw offset.
    pub fn raw(&self, span: Span) -> Span {
        let end = span.end.min(self.bytes.len());
        if span.start >= end {
            let at = self.run_at(span.start).map_or(0, |run| match span.start < self.bytes.len() {
                true => run.raw_start(span.start),
                false => run.raw.end,
            });
            return Span::new(at, at);
        }
        let first = self.run_at(span.start).map_or(0, |run| run.raw_start(span.start));
        let last = self.run_at(end - 1).map_or(first, |run| run.raw_end(end - 1));
        Span::new(first, last)
    }

    /// The decoded range of a raw one that [`raw`](Decoded::raw) gives.
    pub fn place(&self, raw: Span) -> Span {
        let place = |at: usize| {
            let after = self.runs.partition_point(|run| run.raw.start < at);
            let Some(run) = after.checked_sub(1).map(|before| self.runs[before]) else { return 0 };
            let end = self.runs.get(after).map_or(self.bytes.len(), |next| next.start);
            if run.verbatim { (run.start + at - run.raw.start).min(end) } else { end }
        };
        Span::new(place(raw.start), place(raw.end))
    }

    /// Appends these bytes, which were decoded from the bytes of `outer`, with the raw ranges of those.
    pub fn through(&self, outer: &Decoded, out: &mut Decoded) {
        for (at, run) in self.runs.iter().enumerate() {
            let end = self.runs.get(at + 1).map_or(self.bytes.len(), |next| next.start);
            if run.verbatim {
                outer.slice(run.raw, out);
            } else {
                out.push(&self.bytes[run.start..end], outer.raw(run.raw));
            }
        }
    }

    /// Appends a part of these bytes.
    fn slice(&self, span: Span, out: &mut Decoded) {
        let mut at = span.start;
        while at < span.end {
            let after = self.runs.partition_point(|run| run.start <= at);
            let next = self.runs.get(after).map_or(self.bytes.len(), |run| run.start).min(span.end);
            let Some(run) = after.checked_sub(1).map(|index| self.runs[index]) else { return };
            if run.verbatim {
                out.push_verbatim(&self.bytes[at..next], run.raw_start(at));
            } else {
                out.push(&self.bytes[at..next], run.raw);
            }
            at = next.max(at + 1);
        }
    }

    fn run_at(&self, at: usize) -> Option<&Run> {
        let after = self.runs.partition_point(|run| run.start <= at);
        after.checked_sub(1).and_then(|index| self.runs.get(index))
    }
}

impl Run {
    fn raw_start(&self, at: usize) -> usize {
        if self.verbatim { (self.raw.start + at - self.start).min(self.raw.end) } else { self.raw.start }
    }

    fn raw_end(&self, at: usize) -> usize {
        if self.verbatim { (self.raw.start + at - self.start + 1).min(self.raw.end) } else { self.raw.end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_is_never_split() {
        let mut decoded = Decoded::default();
        decoded.push_verbatim(b"ab", 1);
        decoded.push(b"@", Span::new(3, 9));
        decoded.push(b"", Span::new(9, 13));
        decoded.push("é".as_bytes(), Span::new(13, 19));
        decoded.push_verbatim(b"cd", 19);
        assert_eq!(decoded.bytes, "ab@écd".as_bytes());
        assert_eq!(decoded.raw(Span::new(1, 3)), Span::new(2, 9));
        assert_eq!(decoded.raw(Span::new(2, 4)), Span::new(3, 19));
        assert_eq!(decoded.raw(Span::new(4, 6)), Span::new(13, 20));
        assert_eq!(decoded.raw(Span::new(7, 7)), Span::new(21, 21));
        decoded.clear();
        assert_eq!(decoded.raw(Span::new(0, 4)), Span::new(0, 0));
    }
}
