//! [`Header`]: one header block of a tar.

use std::ops::Range;

use jiff::Timestamp;

/// The length of a block: headers are one, content takes whole ones.
pub(super) const BLOCK: usize = 512;

const NAME: Range<usize> = 0..100;
const SIZE: Range<usize> = 124..136;
const MODIFIED: Range<usize> = 136..148;
const CHECKSUM: Range<usize> = 148..156;
const KIND: usize = 156;
const MAGIC: Range<usize> = 257..263;
const SPARSE_GOES_ON: usize = 482;
const PREFIX: Range<usize> = 345..500;

/// A header whose checksum is right.
#[derive(Clone)]
pub(super) struct Header(pub(super) [u8; BLOCK]);

impl Header {
    /// None if the checksum is not that of the block.
    pub(super) fn new(block: [u8; BLOCK]) -> Option<Header> {
        let header = Header(block);
        let told = i64::try_from(octal(header.field(CHECKSUM))?).ok()?;
        // Old programs summed up signed bytes.
        let sum = |value: fn(u8) -> i64| header.summed().map(value).sum::<i64>();
        let right = told == sum(i64::from) || told == sum(|byte| i64::from(byte.cast_signed()));
        right.then_some(header)
    }

    /// The letter that tells what kind of member it is.
    pub(super) fn kind(&self) -> u8 {
        self.0.get(KIND).copied().unwrap_or_default()
    }

    pub(super) fn name(&self) -> Vec<u8> {
        let (name, prefix) = (text(self.field(NAME)), text(self.field(PREFIX)));
        // Other magics have other things where POSIX has the beginning of the name.
        match self.field(MAGIC) == b"ustar\0" && !prefix.is_empty() {
            true => [prefix, b"/", name].concat(),
            false => name.to_vec(),
        }
    }

    /// The length of the content, unless an extended header tells another.
    pub(super) fn size(&self) -> Option<u64> {
        u64::try_from(number(self.field(SIZE))?).ok()
    }

    /// Whether nothing at all stands where the length should, as in headers of volumes and some links.
    pub(super) fn has_no_size(&self) -> bool {
        self.field(SIZE).iter().all(|byte| *byte == 0)
    }

    pub(super) fn modified(&self) -> Option<Timestamp> {
        Timestamp::from_second(number(self.field(MODIFIED))?).ok()
    }

    /// Whether more of the map of a GNU sparse file follows the header.
    pub(super) fn sparse_goes_on(&self) -> bool {
        self.0.get(SPARSE_GOES_ON).is_some_and(|flag| *flag != 0)
    }

    /// Puts another length of the content in, in the form that is there, and the checksum of that.
    pub(super) fn set_size(&mut self, size: u64) {
        if self.size() == Some(size) {
            return;
        }
        put(self.field_mut(SIZE), size);
        let sum = self.summed().map(u64::from).sum();
        put(self.field_mut(CHECKSUM), sum);
    }

    /// The bytes that count for the checksum: it stands for spaces itself.
    fn summed(&self) -> impl Iterator<Item = u8> {
        let byte = |(at, byte): (usize, &u8)| if CHECKSUM.contains(&at) { b' ' } else { *byte };
        self.0.iter().enumerate().map(byte)
    }

    fn field(&self, place: Range<usize>) -> &[u8] {
        self.0.get(place).unwrap_or_default()
    }

    fn field_mut(&mut self, place: Range<usize>) -> &mut [u8] {
        self.0.get_mut(place).unwrap_or_default()
    }
}

/// A text up to its NUL.
pub(super) fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Octal digits, or a big number in bytes behind one that is 0x80, or 0xff if it is negative.
fn number(field: &[u8]) -> Option<i64> {
    let (first, rest) = field.split_first()?;
    if first & 0x80 == 0 {
        return i64::try_from(octal(field)?).ok();
    }
    let start = match first {
        0x80 => 0,
        0xff => -1,
        _ => return None,
    };
    rest.iter().try_fold(start, |value: i64, byte| value.checked_mul(256)?.checked_add(i64::from(*byte)))
}

/// Octal digits behind spaces and before spaces and NULs.
fn octal(field: &[u8]) -> Option<u64> {
    let (start, end) = digits(field);
    let after = field.get(end..)?;
    if start == end || !after.iter().all(|byte| matches!(byte, 0 | b' ')) {
        return None;
    }
    let push = |value: u64, digit: &u8| value.checked_mul(8)?.checked_add(u64::from(digit - b'0'));
    field.get(start..end)?.iter().try_fold(0, push)
}

/// Where the digits of a field begin and end.
fn digits(field: &[u8]) -> (usize, usize) {
    let start = field.iter().take_while(|byte| **byte == b' ').count();
    let count = field.iter().skip(start).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
    (start, start + count)
}

/// Writes a number in the form in which one stands there already, or in the nearest that has room for it.
fn put(field: &mut [u8], value: u64) {
    let (_, end) = digits(field);
    let big = field.first().is_some_and(|first| first & 0x80 != 0);
    let padding = if field.first() == Some(&b' ') { b' ' } else { b'0' };
    let digits = format!("{value:o}").into_bytes();
    let width = match digits.len() {
        _ if big => None,
        count if count <= end => Some(end),
        count if count < field.len() => Some(field.len() - 1),
        _ => None,
    };
    match width.and_then(|width| field.split_at_mut_checked(width)) {
        Some((room, rest)) => {
            let padded = digits.iter().rev().copied().chain(std::iter::repeat(padding));
            room.iter_mut().rev().zip(padded).for_each(|(place, digit)| *place = digit);
            if room.len() != end {
                rest.fill(0);
            }
        }
        None => {
            let bytes = value.to_le_bytes().into_iter().chain(std::iter::repeat(0));
            field.iter_mut().rev().zip(bytes).for_each(|(place, byte)| *place = byte);
            field.iter_mut().take(1).for_each(|first| *first = 0x80);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(field: &[u8], value: u64) -> Vec<u8> {
        let mut field = field.to_vec();
        put(&mut field, value);
        assert_eq!(number(&field), Some(value as i64));
        field
    }

    #[test]
    fn a_number_keeps_its_form_where_it_has_room() {
        assert_eq!(rewritten(b"00000000123\0", 8), b"00000000010\0");
        assert_eq!(rewritten(b"        123 ", 8), b"         10 ");
        assert_eq!(rewritten(b"123\0\0\0\0\0\0\0\0\0", 8), b"010\0\0\0\0\0\0\0\0\0");
        assert_eq!(rewritten(b"123\0\0\0\0\0\0\0\0\0", 0o7777), b"00000007777\0");
        assert_eq!(rewritten(b"00000000123\0", 1 << 33), b"\x80\0\0\0\0\0\0\x02\0\0\0\0");
        assert_eq!(rewritten(b"\x80\0\0\0\0\0\0\x02\0\0\0\0", 8), b"\x80\0\0\0\0\0\0\0\0\0\0\x08");
        assert_eq!(rewritten(b"000000000123", 8), b"000000000010");
    }

    #[test]
    fn what_is_no_number_is_none() {
        for field in [&b"\0\0\0\0"[..], b"    ", b"", b"12x4\0", b"12\x0034", b"9", b"-1", b"\x81\0", b"\xff"]
        {
            assert!(number(field).is_none() || field == b"\xff", "{field:?}");
        }
        assert_eq!(number(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe"), Some(-2));
        assert_eq!(number(b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"), None);
    }
}
