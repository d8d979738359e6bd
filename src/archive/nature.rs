//! What a file holds: told by its first bytes, never by its name.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use super::container::HEAD;
use crate::codec::{Codec, GzipHead};
use crate::stream::{Look, look};

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

/// Forms that nobody scrubs, by how they begin.
const OTHERS: [(&[u8], &str); 14] = [
    (b"LPKSHHRH", "a journal of systemd: export it with journalctl"),
    (b"SQLite format 3\0", "a database"),
    (b"\x7fELF", "a program"),
    (b"Rar!\x1a\x07", "an archive of an unknown form (rar)"),
    (b"7z\xbc\xaf\x27\x1c", "an archive of an unknown form (7z)"),
    (b"\x1f\x9d", "compressed in an unknown form (compress)"),
    (b"\x1f\xa0", "compressed in an unknown form (lzh)"),
    (b"\x89LZO", "compressed in an unknown form (lzop)"),
    (b"LZIP", "compressed in an unknown form (lzip)"),
    (b"\x5d\0\0", "compressed in an unknown form (lzma)"),
    (b"Salted__", "encrypted (openssl)"),
    (b"age-encryption.org/", "encrypted (age)"),
    (b"-----BEGIN AGE ENCRYPTED FILE-----", "encrypted (age)"),
    (b"-----BEGIN PGP MESSAGE-----", "encrypted (PGP)"),
];

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
    if let Some((_, what)) = OTHERS.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Content::Other(what);
    }
    match look(head) {
        _ if head.is_empty() => Content::Nothing,
        Look::Zip => Content::Zip,
        Look::Tar => Content::Tar,
        Look::Log if !is_scrambled(head) => Content::Text,
        Look::Log | Look::Binary => Content::Other("binary"),
    }
}

/// What some compression or encryption without a signature makes: every ninth byte of it is a control character, and
/// hardly one of a log, in whatever encoding.
fn is_scrambled(head: &[u8]) -> bool {
    const MOST: usize = 20;
    let is_odd = |byte: &&u8| byte.is_ascii_control() && !matches!(byte, 0 | 8..=13 | 0x1b);
    head.iter().filter(is_odd).count() * MOST > head.len()
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
