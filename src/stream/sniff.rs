//! Tells from the first bytes of an input what it is. The answer depends on the bytes alone, never on how
//! many of them one read returned.

use memchr::{memchr, memchr2};

use super::utf16::{Decoder, Endian};
use crate::codec::{Codec, Signature};

/// How far a byte-order mark of UTF-16 is doubted: that much text without a single ASCII character would be
/// one without digits, spaces or line feeds.
const DOUBT_BYTES: usize = 64 << 10;

/// Where a tar says that it is one (POSIX.1-1988 and GNU).
const TAR_MAGIC: (usize, &[u8]) = (257, b"ustar");

/// What an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nature {
    /// Bytes, to be scrubbed as they are.
    Plain,
    /// UTF-16 after a byte-order mark (Unicode 3.10, D97).
    Utf16(Endian),
    /// Compressed: what it holds is to be looked at again.
    Packed(Codec),
    /// Something that is no log: what to say of it.
    Refused(&'static str),
}

/// What a file holds, as far as it is decompressed: for whoever looks into archives, and for logs among other files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Text, or something else that an [`Input`](super::Input) reads or refuses.
    Log,
    /// A tar archive.
    Tar,
    /// A zip archive.
    Zip,
    /// NULs where no log has any.
    Binary,
}

/// What holds these bytes first, of which more is not needed.
pub fn look(head: &[u8]) -> Look {
    match nature(head, true) {
        Some(TAR) => Look::Tar,
        Some(ZIP) => Look::Zip,
        Some(Nature::Plain) | None if has_odd_nul(head) => Look::Binary,
        _ => Look::Log,
    }
}

/// NULs at the beginning are what is left of a log that was emptied while it was written to; an export of the journal has
/// lengths in binary.
fn has_odd_nul(head: &[u8]) -> bool {
    let start = head.iter().position(|byte| *byte != 0).unwrap_or(head.len());
    let rest = head.get(start..).unwrap_or_default();
    memchr(0, rest).is_some() && !JOURNAL.iter().any(|begin| rest.starts_with(begin))
}

/// How an export of the journal begins.
const JOURNAL: [&[u8]; 2] = [b"__CURSOR=", b"__REALTIME_TIMESTAMP="];

const UTF32: Nature = Nature::Refused("UTF-32, which is not read");
const ZIP: Nature = Nature::Refused("a zip archive, which `logscrub archive` takes");
const TAR: Nature = Nature::Refused("a tar archive, which `logscrub archive` takes");

/// Signatures beside those of the codecs.
const OTHERS: [(Signature, Nature); 5] = [
    (Signature::exactly(b"\xff\xfe\0\0"), UTF32),
    (Signature::exactly(b"\0\0\xfe\xff"), UTF32),
    (Signature::exactly(b"PK\x03\x04"), ZIP),
    (Signature::exactly(b"PK\x05\x06"), ZIP), // an empty one
    (Signature::exactly(b"PK\x07\x08"), ZIP), // one split into volumes
];

/// All signatures, and what they are of.
fn signatures() -> impl Iterator<Item = (Signature, Nature)> {
    let of = |codec: Codec| codec.signatures().iter().map(move |known| (*known, Nature::Packed(codec)));
    Codec::ALL.into_iter().flat_map(of).chain(OTHERS)
}

/// What the input is that begins with `head`; `None` if more bytes are needed, which is never so at its end.
pub(super) fn nature(head: &[u8], at_end: bool) -> Option<Nature> {
    for (signature, nature) in signatures() {
        if signature.begins(head) || at_end && signature.is_cut(head) {
            return Some(nature);
        }
        if !at_end && signature.may_begin(head) {
            return None;
        }
    }
    match head {
        [0xff, 0xfe, rest @ ..] => utf16_or_plain(rest, Endian::Little, at_end),
        [0xfe, 0xff, rest @ ..] => utf16_or_plain(rest, Endian::Big, at_end),
        [0xfe] if !at_end => None,
        _ => tar_or_plain(head, at_end),
    }
}

/// A tar begins with the name of a file, as a text might; but with no line.
fn tar_or_plain(head: &[u8], at_end: bool) -> Option<Nature> {
    let (at, magic) = TAR_MAGIC;
    let before = head.get(..at).unwrap_or(head);
    let may_be_tar = before.first() != Some(&0) && memchr(b'\n', before).is_none();
    match head.get(at..at + magic.len()) {
        Some(found) if may_be_tar && found == magic => Some(TAR),
        None if may_be_tar && !at_end => None,
        _ => Some(Nature::Plain),
    }
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
    fn every_signature_is_known_as_soon_as_it_is_whole_and_not_before() {
        for (signature, expected) in signatures() {
            let head = signature.example();
            assert_eq!(nature(head, false), Some(expected));
            for short in 1..head.len() {
                assert_eq!(nature(&head[..short], false), None, "{expected:?} {short}");
                let is_told = short >= 4; // of four bytes in such a row none is a text
                assert_eq!(nature(&head[..short], true) == Some(expected), is_told, "{expected:?} {short}");
            }
        }
        for plain in [
            &b"BZh0abc\n"[..],
            b"BZh91AY&SX\n",
            b"\x1f\x8b\x07\n",
            b"PK\x03\x05\n",
            b"plain\n",
            b"\xef\xbb\xbf\n",
        ] {
            assert_eq!(nature(plain, false), Some(Nature::Plain), "{plain:?}");
        }
    }

    #[test]
    fn a_tar_is_known_by_its_first_header() {
        let mut tar = b"var/log/app.log".to_vec();
        tar.resize(257, 0);
        assert_eq!((nature(&tar, false), nature(&tar, true)), (None, Some(Nature::Plain)));
        tar.extend_from_slice(b"ustar\x0000");
        assert_eq!(nature(&tar, false), Some(TAR));
        tar[3] = b'\n';
        assert_eq!(nature(&tar, false), Some(Nature::Plain));
        assert_eq!(nature(&tar[..5], false), Some(Nature::Plain));
        assert_eq!(nature(&[b'x'; 262], false), Some(Nature::Plain));
        assert_eq!(nature(b"\0x", false), Some(Nature::Plain));
    }

    #[test]
    fn a_binary_file_is_told_from_a_log() {
        assert_eq!(look(b"text\n"), Look::Log);
        assert_eq!(look(b""), Look::Log);
        assert_eq!(look(b"\0\0\0text\n"), Look::Log);
        assert_eq!(look(b"text\n\0"), Look::Binary);
        assert_eq!(look(b"\x7fELF\x02\x01\x01\0"), Look::Binary);
        assert_eq!(look(b"\xff\xfea\0"), Look::Log);
        assert_eq!(look(b"PK\x03\x04"), Look::Zip);
        assert_eq!(look(b"__CURSOR=x\nMESSAGE\n\x01\0\0\0\0\0\0\0x\n\n"), Look::Log);
        let gzip = [&b"\x1f\x8b\x08"[..], &[0; 20]].concat();
        assert_eq!(look(&gzip), Look::Log);
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
