//! Records are looked at without being written: a part of [`Scrubber`]. They take the way of those that are written, and what
//! would be dropped is told as well.

use super::aging::Gone;
use super::records::{Record, Wanted};
use super::{Dropped, Judged, Scrubber, count_records, parted};
use crate::detect::Reason;
use crate::span::Span;

/// What is seen in a record of a block.
struct Looked {
    /// Where it stands in what is left of the block.
    place: usize,
    /// It in the block, without its line end.
    record: Span,
    judged: Judged,
}

impl Scrubber {
    /// Judges the records of a block without writing them: what is found in each that holds anything, and in each that would be
    /// dropped, with its number in the block (from 1) and its bytes without the line end.
    pub fn inspect(&mut self, block: &[u8], mut each: impl FnMut(u64, &[u8], Judged)) {
        let tally = std::mem::take(&mut self.work.tally);
        self.begin_ages(block);
        let last = self.last_of(block);
        let mut left = std::mem::take(&mut self.work.left);
        let mut gone = Vec::new();
        let is_thinned =
            self.drop_by_age(block, &mut left, |scrubber, one| scrubber.look_at_gone(block, &one, &mut gone));
        let young = if is_thinned { left.as_slice() } else { block };
        let mut numbers = Numbers { young, counted: 0, lines: 0 };
        let mut gone = gone.into_iter().peekable();
        self.inspect_young(young, |record, judged| {
            while let Some(one) = gone.next_if(|one| one.place <= record.start) {
                each(numbers.pass(one.place), one.record.of(block), one.judged);
            }
            each(numbers.of(record.start), record.of(young), judged);
        });
        gone.for_each(|one| each(numbers.pass(one.place), one.record.of(block), one.judged));
        self.work.left = left;
        self.carry.last = last;
        self.judge.take_tally(); // nothing was done
        self.work.tally = tally;
    }

    /// Takes up a record that is longer than a block, of which this is the first piece: [`inspect_text`](Self::inspect_text)
    /// judges by its age from now on. What that says, without what is found.
    pub fn inspect_long(&mut self, piece: &[u8]) -> Judged {
        self.begin_ages(piece);
        let drops = self.take_up(piece, Span::new(0, piece.len()));
        Judged { dropped: drops.then_some(Dropped::ByAge), ..self.with_age(Judged::default()) }
    }

    /// Judges bytes as running text, whatever they look like.
    pub fn inspect_text(&mut self, text: &[u8]) -> Judged {
        self.judge.inspect_text(text)
    }

    /// The candidates of a record that are no match, by offset, with the check that failed.
    pub fn rejected(&self, record: &[u8]) -> Vec<(usize, Reason)> {
        self.judge.rejected(record)
    }

    /// The same of records that are not dropped by their age.
    fn inspect_young(&mut self, block: &[u8], mut each: impl FnMut(Span, Judged)) {
        self.begin(block);
        let mut done = self.end_of_dropped_before(block);
        self.look_at_continued(block, Span::new(0, done), &mut each);
        let every = self.every_record || self.coarsening.is_some() || self.asks_for_columns();
        let wanted = if every { Wanted::Every } else { Wanted::Candidates };
        self.work.records.begin(block, wanted, &self.work.seen, &self.work.keys, &mut self.watch);
        loop {
            let record = self.work.records.next(block);
            let to = record.as_ref().map_or(block.len(), |record| record.content.start);
            done = self.inspect_parts(block, to, done, &mut each);
            let Some(record) = record else { break };
            if done <= record.content.start {
                done = self.inspect_record(block, &record, &mut each);
            }
        }
        self.end(block);
    }

    /// The parts of longer records that begin up to this place. Returns how far the block is looked at now.
    fn inspect_parts(
        &mut self,
        block: &[u8],
        to: usize,
        mut done: usize,
        each: &mut impl FnMut(Span, Judged),
    ) -> usize {
        while let Some(part) = self.work.parts.next_record().filter(|part| part.start <= to) {
            self.pass_headers(part.start);
            self.take_up_part(block, part);
            let (line, judged) = self.work.parts.inspect_next(&mut self.judge, block);
            done = line.end;
            each(part, self.with_age(judged));
        }
        done
    }

    /// A record that is no part, and the lines that are dropped with it.
    fn inspect_record(
        &mut self,
        block: &[u8],
        record: &Record,
        each: &mut impl FnMut(Span, Judged),
    ) -> usize {
        let Record { content, end, .. } = *record;
        self.pass_headers(content.start);
        let key = self.pass_key(content);
        self.take_up_line(block, content, key);
        let judged = self.judge.inspect(content.of(block), key.map(|line| line.span));
        let is_dropped = judged.dropped.is_some();
        each(content, self.with_age(judged));
        if !is_dropped {
            return content.end;
        }
        let done = self.end_of_dropped(block, content.start, end);
        self.look_at_continued(block, Span::new(end, done), each);
        done
    }

    /// Lines that go on with a record that a rule drops.
    fn look_at_continued(&mut self, block: &[u8], lines: Span, each: &mut impl FnMut(Span, Judged)) {
        for record in lines_of(block, lines) {
            self.pass_headers(record.start);
            self.take_up(block, record);
            let judged = self.judge.look(record.of(block), true, None);
            each(record, Judged { dropped: Some(Dropped::WithBefore), ..self.with_age(judged) });
        }
    }

    /// The lines of a record that is dropped by its age, which was taken up.
    fn look_at_gone(&mut self, block: &[u8], gone: &Gone, out: &mut Vec<Looked>) {
        self.judge.begin(&self.carry.head);
        self.judge.at_header(false);
        for record in lines_of(block, gone.lines) {
            let key = gone.key.filter(|key| record.contains(*key));
            let key = key.map(|key| Span::new(key.start - record.start, key.end - record.start));
            let judged = self.judge.look(record.of(block), true, key);
            let judged = Judged { dropped: Some(Dropped::ByAge), ..self.with_age(judged) };
            out.push(Looked { place: gone.place, record, judged });
        }
    }
}

/// The lines of a part of a block, without their ends.
fn lines_of(block: &[u8], part: Span) -> impl Iterator<Item = Span> {
    let lines = part.of(block).split_inclusive(|byte| *byte == b'\n');
    lines.scan(part.start, |start, line| {
        let record = Span::new(*start, *start + parted(line).0.len());
        *start += line.len();
        Some(record)
    })
}

/// The numbers of lines in a block of which some were left out.
struct Numbers<'b> {
    /// What is left of it.
    young: &'b [u8],
    /// How far that is counted.
    counted: usize,
    lines: u64,
}

impl Numbers<'_> {
    /// Of the line that begins there in what is left.
    fn of(&mut self, start: usize) -> u64 {
        self.lines += self.young.get(self.counted..start).map_or(0, count_records);
        self.counted = start;
        self.lines + 1
    }

    /// Of a line that was left out there.
    fn pass(&mut self, place: usize) -> u64 {
        let number = self.of(place);
        self.lines = number;
        number
    }
}
