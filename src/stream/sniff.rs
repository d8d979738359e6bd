//! Tells from the first bytes of an input what it is. The answer depends on the bytes alone, never on how
//! many of them one read returned.

use memchr::memchr2;

use super::utf16::{Decoder, Endian};

/// How far a byte-order mark of UTF-16 is doubted: that much text without a single ASCII character would be
/// one without digits, spaces or line feeds.
const DOUBT_BYTES: usize = 64 << 10;

/// What an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nature {
    /// Bytes, to be scrubbed as they are.
    Plain,
    /// UTF-16 after a byte-order mark (Unicode 3.10, D97).
    Utf16(Endian),
    /// Something whose content cannot be judged: its name.
    Refused(&'static str),
}

/// Signatures of what is refused. bzip2: the block size digit is any of 1 to 9, see [`matches_so_far`].
const REFUSED: [(&[u8], &str); 11] = [
    (b"\xff\xfe\0\0", "UTF-32; not yet supported"),
    (b"\0\0\xfe\xff", "UTF-32; not yet supported"),
    (b"\x1f\x8b\x08", "compressed (gzip); not yet supported"), // RFC 1952, 2.3.1
    (b"\x28\xb5\x2f\xfd", "compressed (zstd); not yet supported"), // RFC 8878, 3.1.1
    (b"BZh?\x31\x41\x59\x26\x53\x59", "compressed (bzip2); not yet supported"),
    (b"BZh?\x17\x72\x45\x38\x50\x90", "compressed (bzip2); not yet supported"), // an empty one
    (b"\xfd7zXZ\0", "compressed (xz); not yet supported"),
    (b"\x04\x22\x4d\x18", "compressed (lz4); not yet supported"),
    (b"PK\x03\x04", "compressed (zip); not yet supported"),
    (b"PK\x05\x06", "compressed (zip); not yet supported"), // an empty one
    (b"PK\x07\x08", "compressed (zip); not yet supported"), // one split into volumes
];

/// What the input is that begins with `head`; `None` if more bytes are needed, which is never so at its end.
pub(super) fn nature(head: &[u8], at_end: bool) -> Option<Nature> {
    for (magic, name) in REFUSED {
        if matches_so_far(head, magic) {
            if head.len() >= magic.len() {
                return Some(Nature::Refused(name));
            }
            if !at_end {
                return None;
            }
        }
    }
    match head {
        [0xff, 0xfe, rest @ ..] => utf16_or_plain(rest, Endian::Little, at_end),
        [0xfe, 0xff, rest @ ..] => utf16_or_plain(rest, Endian::Big, at_end),
        [0xfe] if !at_end => None,
        _ => Some(Nature::Plain),
    }
}

fn matches_so_far(head: &[u8], magic: &[u8]) -> bool {
    head.iter().zip(magic).all(|(byte, expected)| match expected {
        b'?' => (b'1'..=b'9').contains(byte),
        _ => byte == expected,
    })
}

/// A log of bytes may begin with the bytes of a byte-order mark, and UTF-16 without any NUL holds no ASCII,
/// so nothing to find. A NUL settles it, and so does a line feed of one byte after what reads like ASCII
/// (U+4E0A and others also contain the byte 0x0A).
fn utf16_or_plain(text: &[u8], endian: Endian, at_end: bool) -> Option<Nature> {
    let looked_at = &text[..text.len().min(DOUBT_BYTES)];
    let mut from = 0;
    while let Some(found) = memchr2(0, b'\n', &looked_at[from..]) {
        let at = from + found;
        if looked_at[at] == 0 {
            return Some(Nature::Utf16(endian));
        }
        let may_be_unit = endian == Endian::Little && at % 2 == 0;
        match looked_at.get(at + 1) {
            Some(0) => return Some(Nature::Utf16(endian)),
            None if may_be_unit && !at_end && looked_at.len() < DOUBT_BYTES => return None,
            _ if reads_like_ascii(&looked_at[..at]) => return Some(Nature::Plain),
            _ => from = at + 1,
        }
    }
    if at_end {
        return Some(Nature::Plain);
    }
    (looked_at.len() == DOUBT_BYTES).then(|| undecided(looked_at, endian))
}

fn reads_like_ascii(line: &[u8]) -> bool {
    let ascii = line.iter().filter(|byte| matches!(byte, b'\t'..=b'\r' | b' '..=b'~')).count();
    ascii >= line.len() - line.len() / 8
}

/// Valid UTF-16 comes out as it went in, so that believing the mark does no harm.
fn undecided(text: &[u8], endian: Endian) -> Nature {
    match Decoder::new(endian).decode(text, &mut Vec::new()) {
        Ok(()) => Nature::Utf16(endian),
        Err(_) => Nature::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signature_is_refused_as_soon_as_it_is_whole_and_not_before() {
        for (magic, name) in REFUSED {
            let head: Vec<u8> = magic.iter().map(|byte| if *byte == b'?' { b'9' } else { *byte }).collect();
            assert_eq!(nature(&head, false), Some(Nature::Refused(name)));
            for short in 1..head.len() {
                assert_eq!(nature(&head[..short], false), None, "{name} {short}");
                assert!(nature(&head[..short], true).is_some());
            }
        }
        for plain in
            [&b"BZh0abc"[..], b"BZh91AY&SX", b"\x1f\x8b\x07", b"PK\x03\x05", b"plain\n", b"\xef\xbb\xbf"]
        {
            assert_eq!(nature(plain, false), Some(Nature::Plain), "{plain:?}");
        }
    }

    #[test]
    fn a_mark_of_utf16_counts_only_with_a_nul() {
        let little = Some(Nature::Utf16(Endian::Little));
        let big = Some(Nature::Utf16(Endian::Big));
        assert_eq!(nature(b"\xff\xfea\0", false), little);
        assert_eq!(nature(b"\xfe\xff\0a", false), big);
        assert_eq!(nature(b"\xff\xfea", false), None);
        assert_eq!(nature(b"\xff\xfehello\n", false), Some(Nature::Plain));
        assert_eq!(nature(b"\xff\xfehell\n", false), None); // 0A 00 may follow
        assert_eq!(nature(b"\xff\xfehell\nx", false), Some(Nature::Plain));
        assert_eq!(nature(b"\xfe\xffhell\n", false), Some(Nature::Plain));
        assert_eq!(nature(b"\xff\xfehell\n", true), Some(Nature::Plain));
        // U+6771 U+4EAC U+4E0A U+000A: 0x0A occurs in a letter first.
        assert_eq!(nature(b"\xff\xfe\x71\x67\xac\x4e\x0a\x4e\x0a\0", false), little);
        assert_eq!(nature(&[b"\xff\xfe".as_slice(), &[0xd8; 64 << 10]].concat(), false), Some(Nature::Plain));
        assert_eq!(nature(&[b"\xff\xfe".as_slice(), &[0x4e; 64 << 10]].concat(), false), little);
    }
}
