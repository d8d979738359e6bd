//! Archives that hold logs as members, rewritten: members that are taken get new content, all else stays byte for byte.
//!
//! [`rewrite_tar`] and [`rewrite_zip`] know how an archive is laid out and nothing of logs; a [`Members`] knows which
//! members are logs and what becomes of them. Whatever the layout leaves in doubt is an error, since bytes that two
//! readers see differently could hide a log from one of them. No error holds a byte of the archive.

mod spool;
pub mod tar;
pub mod zip;

pub use spool::NewFile;
pub use tar::rewrite_tar;
pub use zip::rewrite_zip;

use std::io::{self, ErrorKind, Read, Write};

use jiff::Timestamp;

/// How much of a member is looked at before it is taken or not.
pub const HEAD: usize = 64 << 10;

/// What an archive says about a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Its name, in whatever encoding.
    pub name: Vec<u8>,
    /// When it was last modified. Times without a zone, as most of those in a zip, are taken for UTC.
    pub modified: Option<Timestamp>,
    /// The length of its content.
    pub size: u64,
}

/// What has become of a member that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// What was written takes the place of its content.
    Scrubbed,
    /// What was written is what was read: where content is compressed it need not be compressed again. Believed only if
    /// length and checksum are the same too.
    Kept,
}

/// Decides about the members of an archive, in the order in which their content lies there.
pub trait Members {
    /// Whether this regular member gets new content; if not it stays as it is. `head` is its first [`HEAD`] bytes, or
    /// all of it.
    fn takes(&mut self, about: &About, head: &[u8]) -> bool;

    /// Reads the content of a member that was taken to its end, and writes what is to be in its place.
    fn member(
        &mut self,
        about: &About,
        content: &mut (dyn Read + Send),
        out: &mut (dyn Write + Send),
    ) -> io::Result<Verdict>;

    /// A member that cannot be offered, and stays as it is: a link, a sparse file, an encrypted one … Directories are
    /// not told of, for they hold nothing.
    fn left_alone(&mut self, about: &About, why: &'static str);
}

/// The archive is not what it should be. The place is the offset of what is at fault.
fn corrupt(what: &str, place: u64) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("{what} at byte {place} of the archive"))
}

/// The archive may be sound, but nothing here knows how to rewrite it.
fn unsupported(what: &str) -> io::Error {
    io::Error::new(ErrorKind::Unsupported, format!("not supported: {what}"))
}

/// The archive ends too early.
fn truncated() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "the archive is truncated")
}

/// Exactly the next bytes of an input.
struct Content<'a, R: Read + ?Sized> {
    input: &'a mut R,
    left: u64,
}

impl<R: Read + ?Sized> Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.input.read(buffer.get_mut(..most).unwrap_or_default())?;
        if read == 0 && most > 0 {
            return Err(truncated());
        }
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}

/// Copies exactly that many bytes.
fn copy(input: &mut (impl Read + ?Sized), count: u64, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    io::copy(&mut Content { input, left: count }, out).map(drop)
}

/// The first bytes of a content.
fn head(content: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    content.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// Has a member that was taken written. What it did not read would be lost.
fn scrub(
    members: &mut dyn Members,
    about: &About,
    content: &mut (impl Read + Send),
    out: &mut (dyn Write + Send),
) -> io::Result<Verdict> {
    let verdict = members.member(about, content, out)?;
    match io::copy(&mut content.take(1), &mut io::sink())? {
        0 => Ok(verdict),
        _ => Err(io::Error::other("a member was not read to its end")),
    }
}
