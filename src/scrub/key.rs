//! [`Key`]: a private key in PEM form whose lines are records of their own.
//!
//! What is left of each line is what the rule leaves of a value; its prefix stays. A key begins with a record that ends
//! with `-----BEGIN … PRIVATE KEY-----`, or in which a closing quote follows that. Then each line belongs to it that is
//! base64, a header or blank, by itself or behind a prefix like that of the first line, up to END, to the first
//! line that is neither, or to [`MAX_LINES`]: a lone BEGIN blinds nobody.

use memchr::memmem::Finder;

use crate::span::Span;

/// Lines behind a BEGIN: more than a key of 16,384 bits has.
const MAX_LINES: u32 = 200;
/// A longer prefix is not compared.
const MAX_PREFIX_BYTES: usize = 1024;
/// Longest line that may belong to a key, prefix included: some loggers write the whole body as one.
const MAX_LINE_BYTES: usize = 64 << 10;
/// `ENCRYPTED PRIVATE KEY`, with names to come.
const MAX_LABEL_BYTES: usize = 64;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// What may stand between BEGIN and the body (RFC 1421, RFC 9580).
const HEADERS: [&[u8]; 7] =
    [b"Proc-Type:", b"DEK-Info:", b"Version:", b"Comment:", b"Hash:", b"Charset:", b"MessageID:"];

/// A key that is open where a block begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// What stood before BEGIN in its line, see [`shape`]; empty if nothing did.
    prefix: Vec<u8>,
    /// Lines since then.
    lines: u32,
}

/// A line as a part of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    /// What goes, perhaps nothing.
    span: Span,
    /// Whether the key ends here.
    ends: bool,
}

/// A line of a key, and whether the key begins with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyLine {
    pub(super) span: Span,
    pub(super) begins: bool,
}

/// Hands on the lines of a block that belong to keys, in order. `open` is the key that is open
/// before the block, then the one that is behind it.
pub(super) fn pass(open: &mut Option<Key>, block: &[u8], mut each: impl FnMut(KeyLine)) {
    let begin = Finder::new(BEGIN);
    let mut from = 0;
    while from < block.len() {
        if let Some(key) = open {
            let line = line_at(block, from);
            match key.part(line.of(block)) {
                Some(part) => {
                    from = line.end + 1;
                    key.lines += 1;
                    let ends = part.ends || key.lines >= MAX_LINES;
                    let span = part.span.shifted(line.start);
                    (!span.is_empty()).then(|| each(KeyLine { span, begins: false }));
                    ends.then(|| *open = None);
                    continue;
                }
                None => *open = None,
            }
        }
        let Some(at) = begin.find(&block[from..]).map(|at| from + at) else { return };
        let line = line_at(block, at);
        from = line.end + 1;
        if let Some((key, span)) = last_begin(line.of(block)) {
            *open = Some(key);
            each(KeyLine { span: span.shifted(line.start), begins: true });
        }
    }
}

/// A line that is handed over in pieces, as far as keys go: it may be the first line of one, of which only the end of
/// the line tells, or a line of the one that is open.
#[derive(Clone, Debug, Default)]
pub(super) struct LongLine {
    /// Its last bytes so far.
    tail: Vec<u8>,
}

impl LongLine {
    /// Whether the line that begins with this piece is taken for one of the open key, which it closes otherwise: the
    /// rest of it is not known yet.
    pub(super) fn begin(open: &mut Option<Key>, piece: &[u8]) -> bool {
        let piece = without_broken_escape(piece);
        *open = open.take().filter(|key| key.lines + 1 < MAX_LINES && key.part(piece).is_some());
        open.iter_mut().for_each(|key| key.lines += 1);
        open.is_some()
    }

    /// Goes on behind a piece, without its line end.
    pub(super) fn pass(&mut self, piece: &[u8]) {
        let kept = self.tail.len().min(MAX_LINE_BYTES.saturating_sub(piece.len()));
        self.tail.drain(..self.tail.len() - kept);
        self.tail.extend_from_slice(&piece[piece.len().saturating_sub(MAX_LINE_BYTES)..]);
    }

    /// Goes on behind the line. Whether a key begins with it.
    pub(super) fn end(&mut self, open: &mut Option<Key>) -> bool {
        let begun = last_begin(&std::mem::take(&mut self.tail));
        let begins = begun.is_some();
        *open = begun.map(|(key, _)| key).or(open.take());
        begins
    }
}

/// A piece up to an escape that may go on in the next.
fn without_broken_escape(piece: &[u8]) -> &[u8] {
    const LONGEST: usize = b"\\u000a".len();
    let last = memchr::memrchr(b'\\', piece).filter(|at| piece.len() - at < LONGEST);
    let end = last.map_or(piece.len(), |last| {
        piece[..last].iter().rposition(|byte| *byte != b'\\').map_or(0, |at| at + 1)
    });
    &piece[..end]
}

/// The line around a place, without its line feed.
fn line_at(block: &[u8], at: usize) -> Span {
    let start = memchr::memrchr(b'\n', &block[..at]).map_or(0, |feed| feed + 1);
    let end = memchr::memchr(b'\n', &block[at..]).map_or(block.len(), |feed| at + feed);
    Span::new(start, end)
}

/// The key that the line opens, if it does, and what goes of the line: only the last BEGIN can be one that nothing follows.
fn last_begin(line: &[u8]) -> Option<(Key, Span)> {
    let at = memchr::memmem::rfind(line, BEGIN)?;
    let label = &line[at + BEGIN.len()..];
    let length = memchr::memmem::find(&label[..label.len().min(MAX_LABEL_BYTES)], DASHES)?;
    let name = label[..length].strip_suffix(b" BLOCK").unwrap_or(&label[..length]);
    let is_word = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ';
    if !(name.ends_with(b"PRIVATE KEY") && name.iter().all(is_word)) {
        return None;
    }
    let after = at + BEGIN.len() + length + DASHES.len();
    let end = after + begun(&line[after..])?;
    let before = &line[..at];
    let prefix = if before.len() > MAX_PREFIX_BYTES { Vec::new() } else { shape(before) };
    Some((Key { prefix, lines: 0 }, Span::new(at, end)))
}

/// How far the body goes in the line of BEGIN, of which it is the rest; `None` if something else follows.
fn begun(rest: &[u8]) -> Option<usize> {
    let start = line_ends(rest);
    let body = body(&rest[start..]);
    if body == 0 {
        return is_closed(rest).then_some(0);
    }
    /// A word of prose is shorter.
    const MIN_BODY_BYTES: usize = 16;
    (body >= MIN_BODY_BYTES && is_closed(&rest[start + body..])).then_some(start + body)
}

impl Key {
    /// What of the line belongs to the key; `None` if it is no part of it.
    fn part(&self, line: &[u8]) -> Option<Part> {
        if line.len() > MAX_LINE_BYTES {
            return None;
        }
        payload(line, 0).or_else(|| {
            let start = behind(&self.prefix, line)?;
            payload(line, start)
        })
    }
}

/// The part of a key that is all of the line from `from` on.
fn payload(line: &[u8], from: usize) -> Option<Part> {
    let start = from + blanks(&line[from..]);
    let rest = &line[start..];
    let header = HEADERS.iter().any(|name| rest.starts_with(name));
    let length = if header { text(rest) } else { body(rest) };
    let end = start + length;
    let closing = end + line_ends(&line[end..]);
    if let Some(label) = line[closing..].strip_prefix(END).filter(|_| !header) {
        let dashes = memchr::memmem::find(&label[..label.len().min(MAX_LABEL_BYTES)], DASHES);
        let end = dashes.map_or(line.len(), |dashes| closing + END.len() + dashes + DASHES.len());
        return Some(Part { span: Span::new(start, end), ends: true });
    }
    // A quote that closes nothing opens something.
    let closed =
        if from == 0 && length == 0 { rest.trim_ascii().is_empty() } else { is_closed(&line[end..]) };
    closed.then_some(Part { span: Span::new(start, end), ends: false })
}

/// Bytes of base64, some of them written as JSON writers do, with line ends between.
fn body(text: &[u8]) -> usize {
    let (mut at, mut end) = (0, 0);
    loop {
        let length = symbol(&text[at..]);
        if length > 0 {
            at += length;
            end = at;
        } else {
            match line_ends(&text[at..]) {
                0 => return end,
                length => at += length,
            }
        }
    }
}

/// Length of one symbol of base64; 0 if it is none.
fn symbol(text: &[u8]) -> usize {
    match text {
        [byte, ..] if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=') => 1,
        [b'\\', b'/', ..] => 2,
        [b'\\', b'u', b'0', b'0', b'2', b'b' | b'B' | b'f' | b'F', ..] => 6,
        [b'\\', b'u', b'0', b'0', b'3', b'd' | b'D', ..] => 6,
        _ => 0,
    }
}

/// Length of a header: to the end of the line or of the text in quotes that it is.
fn text(rest: &[u8]) -> usize {
    let end = memchr::memchr3(b'"', b'\'', b'\\', rest).unwrap_or(rest.len());
    rest[..end].trim_ascii_end().len()
}

/// Length of the line ends, as escapes, that the text begins with.
fn line_ends(text: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let slashes = text[at..].iter().take_while(|byte| **byte == b'\\').count();
        match &text[at + slashes..] {
            [b'n' | b'r', ..] if slashes > 0 => at += slashes + 1,
            [b'#', b'0', b'1', b'2' | b'5', ..] if slashes == 0 => at += 4,
            _ => return at,
        }
    }
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// Whether nothing follows but line ends and blanks, or a closing quote.
fn is_closed(rest: &[u8]) -> bool {
    let rest = &rest[line_ends(rest)..];
    let slashes = rest.iter().take_while(|byte| **byte == b'\\').count();
    matches!(rest.get(slashes), Some(b'"' | b'\'')) || rest.trim_ascii().is_empty()
}

/// What prefixes of lines have in common that one logger wrote one after another: what a time, a number, a host and a
/// level are is all one word, and blanks are one blank. Empty if what follows could not be told from the last word.
fn shape(prefix: &[u8]) -> Vec<u8> {
    let mut shape = Vec::new();
    let mut from = 0;
    while let Some((sign, length)) = next_sign(&prefix[from..]) {
        shape.push(sign);
        from += length;
    }
    if shape.last() == Some(&WORD) { Vec::new() } else { shape }
}

const WORD: u8 = b'w';

/// The sign for what the text begins with, and its length.
fn next_sign(text: &[u8]) -> Option<(u8, usize)> {
    let in_word = |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
    match text.first()? {
        b' ' | b'\t' => Some((b' ', blanks(text))),
        byte if in_word(byte) => Some((WORD, text.iter().take_while(|byte| in_word(byte)).count())),
        byte => Some((*byte, 1)),
    }
}

/// Where the line goes on behind a prefix of this shape; `None` if it has no such prefix. Blanks at the end of a
/// line may be missing.
fn behind(shape: &[u8], line: &[u8]) -> Option<usize> {
    let mut at = 0;
    for sign in shape {
        match next_sign(&line[at..]) {
            Some((next, length)) if next == *sign => at += length,
            None if *sign == b' ' => {}
            _ => return None,
        }
    }
    (!shape.is_empty()).then_some(at)
}
