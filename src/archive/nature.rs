//! What a file holds: told by its first bytes, never by its name.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use super::container::HEAD;
use crate::codec::{Codec, GzipHead};

/// What is in a file, and how it is compressed.
#[derive(Clone, Debug)]
pub(super) struct Nature {
    pub(super) codec: Option<Codec>,
    /// What its gzip says of itself.
    pub(super) gzip: Option<GzipHead>,
    pub(super) content: Content,
}

/// What is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Nothing,
    Text,
    Tar,
    Zip,
    /// What nobody can scrub.
    Other(&'static str),
}

/// Forms that hold no text, by how they begin; what has NUL bytes in it is none of text in any case.
const OTHERS: [(&[u8], &str); 4] = [
    (b"LPKSHHRH", "a journal of systemd: export it with journalctl"),
    (b"SQLite format 3\0", "a database"),
    (b"\x7fELF", "a program"),
    (b"Rar!\x1a\x07", "an archive of an unknown form (rar)"),
];
const SEVEN_ZIP: &[u8] = b"7z\xbc\xaf\x27\x1c";
/// Where a tar says that it is one (POSIX ustar, GNU).
const TAR_MAGIC: (usize, &[u8]) = (257, b"ustar");
const ZIP: [&[u8]; 3] = [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"];

impl Nature {
    /// That of a file that is at its start, to which it is put back.
    pub(super) fn of(mut file: &File) -> io::Result<Nature> {
        let mut head = Vec::new();
        file.take(HEAD as u64).read_to_end(&mut head)?;
        file.rewind()?;
        let codec = Codec::of(&head);
        let gzip = codec.filter(|codec| *codec == Codec::Gzip).and_then(|_| GzipHead::of(&head));
        let content = match codec {
            None => content(&head),
            Some(codec) => {
                let mut decoded = Vec::new();
                // What is wrong with it will be told when it is read to its end.
                let _ = codec.decoder(BufReader::new(file))?.take(HEAD as u64).read_to_end(&mut decoded);
                file.rewind()?;
                inner_content(&decoded)
            }
        };
        Ok(Nature { codec, gzip, content })
    }
}

fn inner_content(head: &[u8]) -> Content {
    match content(head) {
        _ if Codec::of(head).is_some() => Content::Other("compressed twice"),
        Content::Zip => Content::Other("a zip that is compressed once more"),
        content => content,
    }
}

fn content(head: &[u8]) -> Content {
    let (at, magic) = TAR_MAGIC;
    let begins = |magic: &[u8]| head.starts_with(magic);
    if let Some((_, what)) = OTHERS.iter().find(|(magic, _)| begins(magic)) {
        return Content::Other(what);
    }
    match head {
        [] => Content::Nothing,
        _ if ZIP.iter().any(|magic| begins(magic)) => Content::Zip,
        _ if head.get(at..at + magic.len()) == Some(magic) => Content::Tar,
        _ if begins(SEVEN_ZIP) => Content::Other("an archive of an unknown form (7z)"),
        _ if is_text(head) => Content::Text,
        _ => Content::Other("binary"),
    }
}

/// Whether bytes may be a log: no NUL is among them, unless they are UTF-16.
pub(super) fn is_text(head: &[u8]) -> bool {
    let is_wide = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff");
    is_wide || memchr::memchr(0, head).is_none()
}

/// Why a member of an archive is none that can be scrubbed, by how it begins.
pub(super) fn no_log(head: &[u8]) -> Option<&'static str> {
    match content(head) {
        _ if Codec::of(head).is_some() => Some("compressed within an archive"),
        Content::Nothing | Content::Text => None,
        Content::Tar | Content::Zip => Some("an archive within an archive"),
        Content::Other(what) => Some(what),
    }
}
