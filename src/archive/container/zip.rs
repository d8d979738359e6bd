//! Zip archives, with members that are stored or deflated, of any length.
//!
//! The headers are patched, not made anew: what they hold beside lengths and places stays, known or not.

mod content;
mod directory;
mod entry;
mod fields;

use std::io::{self, Read, Seek, SeekFrom, Write};

use content::{DEFLATED, Deflater, Packed, STORED, Unpacked};
use directory::{Directory, bytes_at};
use entry::{ENCRYPTED, Entry, Local, PATCH, Sizes, is_descriptor};

use super::spool::{NewFile, Spool};
use super::{Members, Verdict};

/// Rewrites a zip. What is deflated is deflated again at `level` (0 to 9; 6 if none is given), what is stored is stored.
/// New content waits in `spool` until its length is known.
///
/// # Errors
///
/// If reading or writing fails; if the directory does not account for every byte of the archive, or its headers say
/// another thing; if a member that is read is damaged; if other bytes stand in front of the archive, as in programs that
/// unpack themselves, or it has several volumes.
pub fn rewrite_zip<I: Read + Seek + Send>(
    input: &mut I,
    out: &mut (dyn Write + Send),
    spool: NewFile<'_>,
    members: &mut dyn Members,
    level: Option<u32>,
) -> io::Result<()> {
    let directory = Directory::read(input)?;
    let mut zip = Zip { input, out, at: 0, spool, members, level, deflater: None };
    let mut order: Vec<(usize, &Entry)> = directory.entries.iter().enumerate().collect();
    order.sort_by_key(|(_, entry)| entry.offset);
    let ends = order.iter().skip(1).map(|(_, entry)| entry.offset).chain([directory.at]);
    if order.first().map_or(directory.at, |(_, entry)| entry.offset) != 0 {
        return Err(super::unsupported("a zip with other bytes in front of it"));
    }
    let mut rewritten = vec![Vec::new(); order.len()];
    for ((index, entry), end) in order.iter().zip(ends) {
        let offset = zip.at;
        let sizes = zip.member(entry, end)?;
        if let Some(place) = rewritten.get_mut(*index) {
            *place = entry.rewritten(sizes, offset)?;
        }
    }
    let (at, entries) = (zip.at, rewritten.concat());
    zip.out.write_all(&entries)?;
    zip.out.write_all(&directory.end(at, entries.len() as u64))
}

struct Zip<'a, I> {
    input: &'a mut I,
    out: &'a mut (dyn Write + Send),
    /// How far it has been written.
    at: u64,
    spool: NewFile<'a>,
    members: &'a mut dyn Members,
    level: Option<u32>,
    deflater: Option<Deflater<'a>>,
}

impl<I: Read + Seek + Send> Zip<'_, I> {
    /// Writes a member, which reaches up to `end`, and tells the lengths of new content.
    fn member(&mut self, entry: &Entry, end: u64) -> io::Result<Option<Sizes>> {
        let local = self.local(entry, end)?;
        if is_empty_directory(entry) {
            return self.keep(entry, end);
        }
        if let Some(why) = left_alone(entry) {
            self.members.left_alone(&entry.about(), why);
            return self.keep(entry, end);
        }
        let about = entry.about();
        let content_at = entry.offset.saturating_add(local.len());
        let head = super::head(&mut self.content(entry, content_at)?)?;
        if !self.members.takes(&about, &head) {
            return self.keep(entry, end);
        }
        let mut packed = Packed::new(self.spool, entry.method, self.level, self.deflater.take());
        self.input.seek(SeekFrom::Start(content_at))?;
        let mut content = Unpacked::new(&mut *self.input, entry);
        let verdict = super::scrub(self.members, &about, &mut content, &mut packed)?;
        let (spool, sizes, deflater) = packed.finish(Spool::new(self.spool))?;
        self.deflater = deflater;
        let same = sizes.crc == entry.sizes.crc && sizes.plain == entry.sizes.plain;
        if verdict == Verdict::Kept && same {
            return self.keep(entry, end);
        }
        let header = local.rewritten(sizes)?;
        self.out.write_all(&header)?;
        spool.copy_to(self.out)?;
        self.at = self.at.saturating_add(header.len() as u64).saturating_add(sizes.packed);
        Ok(Some(sizes))
    }

    /// The header in front of a member, which must account for every byte up to `end`.
    fn local(&mut self, entry: &Entry, end: u64) -> io::Result<Local> {
        let wrong = |what| super::corrupt(what, entry.offset);
        let fixed = bytes_at(self.input, entry.offset, Local::FIXED as u64)?;
        let length = Local::length(&fixed).ok_or_else(|| wrong("a malformed header of a member"))?;
        let raw = bytes_at(self.input, entry.offset, length as u64)?;
        let local =
            Local::new(raw, entry).ok_or_else(|| wrong("a header that differs from the directory"))?;
        let content_end = entry.offset.saturating_add(local.len()).saturating_add(entry.sizes.packed);
        let room = if entry.has_descriptor() { 24 } else { 0 };
        let behind = end.checked_sub(content_end).filter(|behind| *behind <= room);
        let behind =
            behind.ok_or_else(|| wrong("bytes that belong to no member or to two, behind the one"))?;
        let behind = bytes_at(self.input, content_end, behind)?;
        match is_descriptor(&behind, entry.sizes) {
            true => Ok(local),
            false => Err(wrong("a wrong descriptor of the member")),
        }
    }

    fn content(&mut self, entry: &Entry, at: u64) -> io::Result<Unpacked<&mut I>> {
        self.input.seek(SeekFrom::Start(at))?;
        Ok(Unpacked::new(&mut *self.input, entry))
    }

    /// Copies a member with all that belongs to it.
    fn keep(&mut self, entry: &Entry, end: u64) -> io::Result<Option<Sizes>> {
        let length = end.saturating_sub(entry.offset);
        self.input.seek(SeekFrom::Start(entry.offset))?;
        super::copy(self.input, length, self.out)?;
        self.at = self.at.saturating_add(length);
        Ok(None)
    }
}

/// Nothing takes two bytes when it is deflated.
fn is_empty_directory(entry: &Entry) -> bool {
    let is_directory = entry.name().ends_with(b"/") || entry.file_type() == 0o040_000;
    is_directory && entry.sizes.plain == 0 && entry.sizes.packed <= 2
}

/// Why a member cannot be offered.
fn left_alone(entry: &Entry) -> Option<&'static str> {
    match (entry.file_type(), entry.method) {
        _ if entry.flags & ENCRYPTED != 0 => Some("encrypted"),
        _ if entry.flags & PATCH != 0 => Some("a patch of another file"),
        (0o120_000, _) => Some("a symbolic link"),
        (0 | 0o040_000 | 0o100_000, STORED | DEFLATED) => None,
        (0 | 0o040_000 | 0o100_000, _) => Some("compressed by a method that is not supported"),
        _ => Some("neither a file nor a link"),
    }
}
