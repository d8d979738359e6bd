//! [`Cutter`]: cuts what the reads return into blocks of whole records, and long records into pieces.

use jiff::Timestamp;
use memchr::{memchr, memrchr};

use crate::scrub::{Carry, Tracker};

/// Bytes asked for in one read. Input, output and marks of a block stay in the second-level cache together. Blocks of
/// 64 KiB to 256 KiB measure alike; below, what is done once a block shows.
pub const BLOCK_BYTES: usize = 128 << 10;

/// Buffers above this are not used again: one long record would leave every thread with one of its size.
const KEPT_BYTES: usize = 4 * BLOCK_BYTES;

/// What one part of an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Whole records; only the last one of an input may lack its line feed.
    Records,
    /// The next piece of one long record.
    Piece {
        /// Whether the record ends here.
        last: bool,
    },
    /// A record that broke off in a fault, so that nobody can judge it, behind lines that were held back.
    Unfinished,
}

/// Bytes of one part of an input.
#[derive(Debug)]
pub struct Part {
    /// What it is.
    pub shape: Shape,
    /// What carries over to it from the parts before it.
    pub carry: Option<Carry>,
    buffer: Vec<u8>,
    len: usize,
}

impl Part {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[..self.len]
    }

    /// The buffer, to be used again: see [`Cutter::go_on_in`].
    pub fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }
}

/// Cuts the bytes of one input after another into [`Part`]s.
///
/// Fill [`space`](Cutter::space), say how much with [`filled`](Cutter::filled), take the parts with
/// [`next_part`](Cutter::next_part) until there is none, and [`finish`](Cutter::finish) at the end of an input. The
/// cuts of a long record depend on the record alone: they lie at multiples of `max_record`, counted from its start. Lines
/// are held back while the [`Tracker`] says that they go on.
#[derive(Debug)]
pub struct Cutter {
    max_record: usize,
    read_bytes: usize,
    /// `buffer[..end]` holds input; beyond it is initialised room.
    buffer: Vec<u8>,
    end: usize,
    /// `buffer[..searched]` holds no line feed.
    searched: usize,
    /// The buffer begins inside a record of which pieces were handed on.
    in_long: bool,
    /// Takes what is left behind the next part.
    spare: Vec<u8>,
    tracker: Option<Tracker>,
}

impl Cutter {
    /// A record without its line feed may have up to `max_record` bytes; at most `block_bytes` are asked for at
    /// once.
    pub fn new(max_record: usize, block_bytes: usize) -> Cutter {
        let max_record = max_record.max(1);
        // No more than `max_record` at once: then only the first record of the buffer can be longer than
        // that, and no other needs to be measured.
        let read_bytes = block_bytes.clamp(1, max_record);
        let (buffer, spare) = (Vec::new(), Vec::new());
        Cutter { max_record, read_bytes, buffer, end: 0, searched: 0, in_long: false, spare, tracker: None }
    }

    /// The same, which notes what carries over from part to part.
    pub fn tracked(self, tracker: Option<Tracker>) -> Cutter {
        Cutter { tracker, ..self }
    }

    /// The input that is cut from now on is a file of that date, or a stream.
    pub fn begin_input(&mut self, date: Option<Timestamp>) {
        self.tracker.iter_mut().for_each(|tracker| tracker.begin_input(date));
    }

    /// Goes on in this buffer, of any content. To be called after each part, with the buffer of a part that is done:
    /// best the one that the same thread scrubbed last, for it is in the cache of its core.
    pub fn go_on_in(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() > KEPT_BYTES {
            buffer = Vec::new();
        }
        copy(&self.buffer[..self.end], &mut buffer);
        self.spare = std::mem::replace(&mut self.buffer, buffer);
    }

    /// Room for the next read.
    pub fn space(&mut self) -> &mut [u8] {
        let wanted = self.end + self.read_bytes;
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        &mut self.buffer[self.end..wanted]
    }

    /// The first `bytes` of the space were filled.
    pub fn filled(&mut self, bytes: usize) {
        self.end += bytes.min(self.read_bytes);
    }

    /// The next part that is complete.
    pub fn next_part(&mut self) -> Option<Part> {
        let line_feed = self.first_line_feed();
        if line_feed.unwrap_or(self.end) > self.max_record {
            let first = !std::mem::replace(&mut self.in_long, true);
            let piece = &self.buffer[..self.max_record];
            let tracker = self.tracker.as_mut().filter(|_| first);
            let carry = tracker.map(|tracker| tracker.next_long(piece));
            self.pass_piece(self.max_record, false);
            return Some(self.split(self.max_record, Shape::Piece { last: false }, carry));
        }
        let line_feed = line_feed?;
        if std::mem::take(&mut self.in_long) {
            self.pass_piece(line_feed + 1, true);
            return Some(self.split(line_feed + 1, Shape::Piece { last: true }, None));
        }
        let last = memrchr(b'\n', &self.buffer[line_feed..self.end]).unwrap_or(0);
        let lines = line_feed + last + 1;
        let read = &self.buffer[..self.end];
        let ready = match &mut self.tracker {
            Some(tracker) => tracker.ready(read, lines, self.max_record),
            None => lines,
        };
        if ready == 0 {
            return None;
        }
        let carry = self.carry(ready, false);
        let block = self.split(ready, Shape::Records, carry);
        self.searched = if ready == lines { self.end } else { 0 };
        Some(block)
    }

    /// What is left at the end of the input: a last record without line feed.
    pub fn finish(&mut self) -> Option<Part> {
        let (shape, carry) = match std::mem::take(&mut self.in_long) {
            // What begins at the end of the input has nothing behind it.
            true => (Shape::Piece { last: true }, None),
            false => (Shape::Records, self.carry(self.end, true)),
        };
        let part = (self.end > 0).then(|| self.split(self.end, shape, carry));
        self.start_over();
        part
    }

    /// The next part is the first of an input.
    fn start_over(&mut self) {
        self.tracker.iter_mut().for_each(Tracker::start_over);
    }

    /// The whole lines that were held back, when nothing more is to be read.
    pub fn held(&mut self) -> Option<Part> {
        let lines = memrchr(b'\n', &self.buffer[..self.end]).filter(|_| !self.in_long)? + 1;
        let carry = self.carry(lines, false);
        Some(self.split(lines, Shape::Records, carry))
    }

    /// What is left when the input broke off.
    pub fn abandon(&mut self) -> Option<Part> {
        let open = std::mem::take(&mut self.in_long) || self.end > 0;
        let carry = self.carry(self.end, false);
        let part = open.then(|| self.split(self.end, Shape::Unfinished, carry));
        self.start_over();
        part
    }

    fn first_line_feed(&mut self) -> Option<usize> {
        let found = memchr(b'\n', &self.buffer[self.searched..self.end]).map(|at| self.searched + at);
        self.searched = found.unwrap_or(self.end);
        found
    }

    /// What carries over to a block of so many bytes.
    fn carry(&mut self, len: usize, ends: bool) -> Option<Carry> {
        self.tracker.as_mut().map(|tracker| tracker.next(&self.buffer[..len], ends))
    }

    /// The next bytes are a piece of a long record.
    fn pass_piece(&mut self, len: usize, last: bool) {
        self.tracker.iter_mut().for_each(|tracker| tracker.pass_piece(&self.buffer[..len], last));
    }

    fn split(&mut self, len: usize, shape: Shape, carry: Option<Carry>) -> Part {
        let mut rest = std::mem::take(&mut self.spare);
        copy(&self.buffer[len..self.end], &mut rest);
        self.end -= len;
        self.searched = self.searched.saturating_sub(len);
        Part { shape, carry, buffer: std::mem::replace(&mut self.buffer, rest), len }
    }
}

/// Copies to the start of a buffer, which keeps what it has of initialised room.
fn copy(bytes: &[u8], buffer: &mut Vec<u8>) {
    if buffer.len() < bytes.len() {
        buffer.resize(bytes.len(), 0);
    }
    buffer[..bytes.len()].copy_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts of `input`, read `read` bytes at a time: pieces as they are, records one by one.
    fn parts(input: &[u8], max_record: usize, read: usize) -> Vec<(Shape, Vec<u8>)> {
        let mut cutter = Cutter::new(max_record, read);
        let mut found = Vec::new();
        let note = |part: Part, found: &mut Vec<(Shape, Vec<u8>)>| {
            match part.shape {
                Shape::Records => found.extend(
                    part.bytes().split_inclusive(|byte| *byte == b'\n').map(|r| (part.shape, r.to_vec())),
                ),
                _ => found.push((part.shape, part.bytes().to_vec())),
            }
            part.into_buffer()
        };
        let mut rest = input;
        while !rest.is_empty() {
            let room = cutter.space();
            let count = room.len().min(rest.len());
            room[..count].copy_from_slice(&rest[..count]);
            cutter.filled(count);
            rest = &rest[count..];
            while let Some(part) = cutter.next_part() {
                let buffer = note(part, &mut found);
                cutter.go_on_in(buffer);
            }
        }
        if let Some(part) = cutter.finish() {
            note(part, &mut found);
        }
        found
    }

    #[test]
    fn cuts_do_not_depend_on_the_reads() {
        let input =
            b"a\n\nbcdefghijklmnopqrstuvw\nxyz\n0123456789012345\n01234567\n012345678\nend without line feed";
        for max_record in 1..30 {
            let whole = parts(input, max_record, 1 << 20);
            for read in 1..max_record + 2 {
                assert_eq!(parts(input, max_record, read), whole, "max_record {max_record}, read {read}");
            }
            let joined: Vec<u8> = whole.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
            assert_eq!(joined, input);
        }
    }

    #[test]
    fn pieces_have_exactly_the_longest_length_and_the_last_carries_the_line_feed() {
        let more = Shape::Piece { last: false };
        let last = Shape::Piece { last: true };
        assert_eq!(
            parts(b"12345678\nab\n", 4, 3),
            [(more, b"1234".to_vec()), (last, b"5678\n".to_vec()), (Shape::Records, b"ab\n".to_vec())]
        );
        assert_eq!(parts(b"1234\n", 4, 9), [(Shape::Records, b"1234\n".to_vec())]);
        assert_eq!(parts(b"12345", 4, 9), [(more, b"1234".to_vec()), (last, b"5".to_vec())]);
    }
}
