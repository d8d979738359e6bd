//! What becomes of parts.

use super::{Fate, Line, Parts};
use crate::edit::Cause;
use crate::finding::Finding;
use crate::scrub::judge::{Dropped, Judge, Judged, Outcome};
use crate::scrub::stages::Aged;
use crate::span::Span;
use crate::withhold::{is_marker, withheld_marker, withhold};

/// The parts of a record, joined.
struct Joined {
    text: Vec<u8>,
    /// Where in the text the content of each part begins, and where that of the last ends.
    places: Vec<usize>,
}

impl Parts {
    /// The next part, without its line end.
    pub(in crate::scrub) fn next_record(&mut self) -> Option<Span> {
        while self.lines.get(self.next).is_some_and(|line| line.fate == Fate::Alone) {
            self.next += 1;
        }
        self.lines.get(self.next).map(|line| line.record)
    }

    /// By which age the next part is judged that is itself of this age.
    pub(in crate::scrub) fn age(&mut self, own: Aged) -> Aged {
        let first = self.lines[self.next].first;
        if first == self.next {
            self.lines[first].aged = Some(own);
        }
        self.lines[first].aged.unwrap_or(own)
    }

    /// Judges the next part, with those that it is to be joined with, and goes on behind it.
    pub(in crate::scrub) fn judge_next(&mut self, judge: &mut Judge, block: &[u8]) -> &Line {
        let at = self.next;
        self.next += 1;
        match self.lines[at].fate {
            Fate::Joined if self.lines[at].first == at => self.judge_joined(judge, block, at),
            Fate::Framed { name } => self.judge_framed(judge, block, at, name),
            Fate::Withheld { counted } => self.withhold(judge, block, at, counted),
            Fate::Joined | Fate::Alone => {}
        }
        &self.lines[at]
    }

    /// The same, and what is seen in the part.
    pub(in crate::scrub) fn inspect_next(&mut self, judge: &mut Judge, block: &[u8]) -> (&Line, Judged) {
        let at = self.next;
        if self.lines[at].fate == Fate::Joined && self.lines[at].first == at {
            self.look_at_joined(judge, block, at);
        } else {
            self.lines[at].look(judge, block);
        }
        let mut seen = std::mem::take(&mut self.lines[at].seen);
        seen.sightings.sort_unstable();
        seen.changes.sort_by_key(|cause| cause.value);
        let line = self.judge_next(judge, block);
        seen.left.clone_from(&line.left);
        seen.dropped = line.left.is_none().then_some(Dropped::ByRule);
        seen.residues = judge.residues_in(seen.left.as_deref().unwrap_or_default());
        (line, seen)
    }

    /// Notes in each part of a record what is seen in it and begins there.
    fn look_at_joined(&mut self, judge: &mut Judge, block: &[u8], first: usize) {
        let group = self.group(first);
        let Joined { text, places } = self.joined(block, &group);
        let judged = judge.look(&text, true, None);
        let (start, end) = (places[0], places[group.len()]);
        self.lines[first].seen.format.clone_from(&judged.format);
        let lines = &mut self.lines;
        judged.each(|span, note| {
            let part = match places.partition_point(|place| *place <= span.start) {
                after if span.start >= end || after == 0 => 0,
                after => after - 1,
            };
            let line = &mut lines[group[part]];
            let content = Span::new(line.content.start - line.start, line.content.end - line.start);
            let own = Span::new(places[part], places[part + 1]);
            let place = |at: usize| match at {
                at if at < start => at,
                at if span.start >= end => at - (end - start) + content.len(),
                at => at.min(own.end).saturating_sub(own.start) + content.start,
            };
            line.seen.note(Span::new(place(span.start), place(span.end)), note);
        });
    }

    fn joined(&self, block: &[u8], group: &[usize]) -> Joined {
        let first = &self.lines[group[0]];
        let mut text = block[first.start..first.content.start].to_vec();
        let mut places = vec![text.len()];
        for at in group {
            text.extend_from_slice(self.lines[*at].content.of(block));
            places.push(text.len());
        }
        text.extend_from_slice(&block[first.content.end..first.record.end]);
        Joined { text, places }
    }

    fn judge_joined(&mut self, judge: &mut Judge, block: &[u8], first: usize) {
        let group = self.group(first);
        let Joined { text, places } = self.joined(block, &group);
        judge.follow(places);
        let text = match judge.judge(&text, None) {
            Outcome::Unchanged => text,
            Outcome::Edited(left) => left.to_vec(),
            Outcome::Dropped => return judge.count_dropped(group.len() as u64 - 1),
            Outcome::Withheld => {
                self.doom(first, |_| Fate::Withheld { counted: true });
                return self.withhold(judge, block, first, true);
            }
        };
        let mut places = judge.followed();
        self.keep_open(&text, &mut places);
        let end = places[group.len()];
        for (part, at) in group.iter().enumerate() {
            let content = &text[places[part]..places[part + 1]];
            self.lines[*at].left = match part {
                0 => Some([&text[..places[1]], &text[end..]].concat()),
                _ => self.lines[*at].with(judge, block, content),
            };
        }
    }

    fn judge_framed(&mut self, judge: &mut Judge, block: &[u8], at: usize, name: usize) {
        let line = &self.lines[at];
        let (text, start) = line.unframed(block, name);
        judge.follow(vec![start]);
        let left = match judge.judge(&text, None) {
            Outcome::Unchanged => line.record.of(block).to_vec(),
            Outcome::Edited(left) => {
                let left = left.to_vec();
                let start = judge.followed().first().map_or(0, |start| (*start).min(left.len()));
                let mut framed = Vec::new();
                self.format.iter().for_each(|format| format.frame(&left, start, &mut framed));
                framed
            }
            Outcome::Dropped => return,
            Outcome::Withheld => {
                let mut marker = text[..start].to_vec();
                withheld_marker(false, (text.len() - start) as u64, &mut marker);
                marker
            }
        };
        self.lines[at].left = Some(left);
    }

    /// Moves cuts so that no part but the last ends like one that is the last.
    fn keep_open(&self, text: &[u8], places: &mut [usize]) {
        for part in 1..places.len() - 1 {
            let mut closing = self.closing(&text[places[part - 1]..places[part]]);
            while closing > 0 {
                places[part] -= closing;
                closing = self.closing(&text[places[part - 1]..places[part]]);
            }
        }
    }

    /// The line keeps its header.
    fn withhold(&mut self, judge: &mut Judge, block: &[u8], at: usize, counted: bool) {
        let line = &self.lines[at];
        let content = line.content.of(block);
        let (content, closing) = content.split_at(content.len() - self.closing(content));
        let mut marker = content.to_vec();
        if !is_marker(content) {
            marker.clear();
            withheld_marker(false, content.len() as u64, &mut marker);
        }
        marker.extend_from_slice(closing);
        if !counted {
            judge.count_withheld();
        }
        self.lines[at].left = line.with(judge, block, &marker);
    }
}

/// Something that is seen in a record.
enum Note<'j> {
    Sighting(&'j Finding),
    Change(&'j Cause),
    Decided(&'j Cause),
}

impl Judged {
    /// All that has a place.
    fn each(&self, mut each: impl FnMut(Span, Note<'_>)) {
        self.sightings.iter().for_each(|found| each(found.span, Note::Sighting(found)));
        self.changes.iter().for_each(|cause| each(cause.value, Note::Change(cause)));
        self.decided.iter().for_each(|cause| each(cause.value, Note::Decided(cause)));
    }

    /// Notes it in this place.
    fn note(&mut self, span: Span, note: Note<'_>) {
        match note {
            Note::Sighting(found) => self.sightings.push(Finding { span, ..*found }),
            Note::Change(cause) => self.changes.push(Cause { value: span, ..*cause }),
            Note::Decided(cause) => self.decided.push(Cause { value: span, ..*cause }),
        }
    }
}

impl Line {
    /// Notes what is seen in what the line has of its own: its header, or all of a framed record.
    fn look(&mut self, judge: &mut Judge, block: &[u8]) {
        let content = Span::new(self.content.start - self.start, self.content.end - self.start);
        let (text, start, shift) = match self.fate {
            Fate::Framed { name } => {
                let (text, start) = self.unframed(block, name);
                (text, start, content.start - start)
            }
            _ => (self.without_content(block), content.start, content.len()),
        };
        let judged = judge.look(&text, true, None);
        let place = |at: usize| if at < start { at } else { at + shift };
        judged.each(|span, note| self.seen.note(Span::new(place(span.start), place(span.end)), note));
        self.seen.format = judged.format;
    }

    /// A framed record without its length, and where its data begin in that.
    fn unframed(&self, block: &[u8], name: usize) -> (Vec<u8>, usize) {
        let name = &block[self.start..self.start + name];
        ([name, b"=", self.content.of(block)].concat(), name.len() + 1)
    }

    fn without_content(&self, block: &[u8]) -> Vec<u8> {
        [&block[self.start..self.content.start], &block[self.content.end..self.record.end]].concat()
    }

    /// What is left of the line, with this in the place of its content.
    fn with(&self, judge: &mut Judge, block: &[u8], content: &[u8]) -> Option<Vec<u8>> {
        let own = self.without_content(block);
        judge.follow(vec![self.content.start - self.start]);
        let own = match judge.judge(&own, None) {
            Outcome::Unchanged => own,
            Outcome::Edited(left) => left.to_vec(),
            Outcome::Dropped => return None,
            Outcome::Withheld => {
                let mut marker = Vec::new();
                withhold(self.record.of(block), &mut marker);
                return Some(marker);
            }
        };
        let at = judge.followed().first().copied().unwrap_or(0);
        Some([&own[..at], content, &own[at..]].concat())
    }
}
