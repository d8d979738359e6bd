//! [`Directory`]: the members of a zip, and what stands behind them.

use std::io::{self, Read, Seek, SeekFrom};

use super::entry::Entry;
use super::fields::{WIDE, narrow, put, u16_at, u32_at, u64_at};
use crate::archive::container::{corrupt, truncated, unsupported};

const END: &[u8] = b"PK\x05\x06";
const END_LENGTH: u64 = 22;
const LOCATOR: &[u8] = b"PK\x06\x07";
const LOCATOR_LENGTH: u64 = 20;
const END64: &[u8] = b"PK\x06\x06";
const END64_LENGTH: usize = 56;

/// The longest directory that is read, since it is held in memory: some million members.
const LONGEST: u64 = 256 << 20;

/// All entries in their order, and what ends the archive.
pub(super) struct Directory {
    pub(super) entries: Vec<Entry>,
    /// Where the entries begin: behind the last member.
    pub(super) at: u64,
    end: End,
}

/// The records behind the entries.
struct End {
    /// The zip64 record, if there is one.
    wide: Option<Vec<u8>>,
    locator: Vec<u8>,
    /// The record of old, and the comment of the archive.
    last: Vec<u8>,
}

/// What the end tells of the directory.
#[derive(PartialEq, Eq)]
struct Told {
    entries: u64,
    length: u64,
    at: u64,
}

impl Directory {
    pub(super) fn read(input: &mut (impl Read + Seek)) -> io::Result<Directory> {
        let total = input.seek(SeekFrom::End(0))?;
        let (last, last_at) = last_record(input, total)?;
        let (end, end_at) = End::read(input, last, last_at)?;
        let told = end.told().ok_or_else(|| corrupt("a malformed end of the directory", last_at))?;
        if told.at.checked_add(told.length) != Some(end_at) {
            return Err(unsupported("a zip with other bytes in front of it or behind its directory"));
        }
        if told.length > LONGEST {
            return Err(unsupported("a zip with a directory of more than 256 MiB"));
        }
        let bytes = bytes_at(input, told.at, told.length)?;
        let (mut entries, mut read) = (Vec::new(), 0);
        while let Some(rest @ [_, ..]) = bytes.get(read..) {
            let entry = Entry::read(rest, told.at.saturating_add(read as u64))?;
            read = read.saturating_add(entry.length());
            entries.push(entry);
        }
        if entries.len() as u64 != told.entries {
            return Err(corrupt("another number of entries than told", told.at));
        }
        Ok(Directory { entries, at: told.at, end })
    }

    /// What stands behind the entries when they are `length` bytes at `at`.
    pub(super) fn end(&self, at: u64, length: u64) -> Vec<u8> {
        let told = Told { entries: self.entries.len() as u64, length, at };
        self.end.rewritten(&told)
    }
}

/// The last record with the comment behind it, which must reach to the end of the file.
fn last_record(input: &mut (impl Read + Seek), total: u64) -> io::Result<(Vec<u8>, u64)> {
    let start = total.saturating_sub(END_LENGTH + u64::from(u16::MAX));
    let mut tail = bytes_at(input, start, total - start)?;
    let found = memchr::memmem::rfind(&tail, END).map(|at| tail.split_off(at));
    let last = found.ok_or_else(|| corrupt("no end of the directory", total))?;
    let at = total.saturating_sub(last.len() as u64);
    let comment = u16_at(&last, 20).ok_or_else(truncated)?;
    match (END_LENGTH + u64::from(comment)).cmp(&(last.len() as u64)) {
        std::cmp::Ordering::Equal => Ok((last, at)),
        std::cmp::Ordering::Greater => Err(truncated()),
        std::cmp::Ordering::Less => Err(corrupt("more bytes than the comment behind the end", at)),
    }
}

impl End {
    /// The records before the last one, and where the first of all begins.
    fn read(input: &mut (impl Read + Seek), last: Vec<u8>, last_at: u64) -> io::Result<(End, u64)> {
        let locator_at = last_at.checked_sub(LOCATOR_LENGTH);
        let locator =
            locator_at.map(|at| bytes_at(input, at, LOCATOR_LENGTH)).transpose()?.unwrap_or_default();
        let Some(locator_at) = locator_at.filter(|_| locator.starts_with(LOCATOR)) else {
            return Ok((End { wide: None, locator: Vec::new(), last }, last_at));
        };
        let at = u64_at(&locator, 8).unwrap_or_default();
        let possible = END64_LENGTH as u64..LONGEST;
        let length = locator_at.checked_sub(at).filter(|length| possible.contains(length));
        let length = length.ok_or_else(|| corrupt("a malformed end of the directory", locator_at))?;
        let wide = bytes_at(input, at, length)?;
        let volumes = (u32_at(&locator, 4), u32_at(&locator, 16), u32_at(&wide, 16), u32_at(&wide, 20));
        if !wide.starts_with(END64) || u64_at(&wide, 4) != Some(length - 12) {
            return Err(corrupt("a malformed end of the directory", at));
        }
        match volumes {
            (Some(0), Some(0 | 1), Some(0), Some(0)) => Ok((End { wide: Some(wide), locator, last }, at)),
            _ => Err(unsupported("a zip in several volumes")),
        }
    }

    /// What both records say; none if they differ.
    fn told(&self) -> Option<Told> {
        let last = &self.last;
        let count = u16_at(last, 10)?;
        let (length, at) = (u32_at(last, 12)?, u32_at(last, 16)?);
        let told = Told { entries: count.into(), length: length.into(), at: at.into() };
        let first = |volume: u16, is_wide: bool| volume == 0 || volume == u16::MAX && is_wide;
        let is_wide = self.wide.is_some();
        if !first(u16_at(last, 4)?, is_wide) || !first(u16_at(last, 6)?, is_wide) || u16_at(last, 8)? != count
        {
            return None;
        }
        let Some(wide) = &self.wide else { return Some(told) };
        let wider = Told { entries: u64_at(wide, 32)?, length: u64_at(wide, 40)?, at: u64_at(wide, 48)? };
        let same = (count == u16::MAX || told.entries == wider.entries)
            && (length == WIDE || told.length == wider.length)
            && (at == WIDE || told.at == wider.at)
            && u64_at(wide, 24)? == wider.entries;
        same.then_some(wider)
    }

    fn rewritten(&self, told: &Told) -> Vec<u8> {
        let mut last = self.last.clone();
        for (at, value) in [(12, told.length), (16, told.at)] {
            if self.wide.is_none() || u32_at(&last, at) != Some(WIDE) {
                put(&mut last, at, &narrow(value).to_le_bytes());
            }
        }
        let is_large = narrow(told.length) == WIDE || narrow(told.at) == WIDE;
        let Some(mut wide) = self.wide.clone().or_else(|| is_large.then(|| new_wide(told.entries))) else {
            return last;
        };
        put(&mut wide, 40, &told.length.to_le_bytes());
        put(&mut wide, 48, &told.at.to_le_bytes());
        let mut locator = self.locator.clone();
        if locator.is_empty() {
            locator = [LOCATOR, &[0; 12], &1u32.to_le_bytes()].concat();
        }
        put(&mut locator, 8, &told.at.saturating_add(told.length).to_le_bytes());
        [wide, locator, last].concat()
    }
}

/// A zip64 record for an archive that had none, and has grown beyond 4 GiB.
fn new_wide(entries: u64) -> Vec<u8> {
    let mut wide = vec![0; END64_LENGTH];
    put(&mut wide, 0, END64);
    put(&mut wide, 4, &(END64_LENGTH as u64 - 12).to_le_bytes());
    put(&mut wide, 12, &[45, 0, 45, 0]);
    put(&mut wide, 24, &entries.to_le_bytes());
    put(&mut wide, 32, &entries.to_le_bytes());
    wide
}

/// Exactly these bytes of the file.
pub(super) fn bytes_at(input: &mut (impl Read + Seek), at: u64, count: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.seek(SeekFrom::Start(at))?;
    crate::archive::container::copy(input, count, &mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn an_end_beyond_4_gib_gets_a_zip64_record() {
        let last = [END, &[0; 16], &[7, 0], b"comment"].concat();
        let end = End { wide: None, locator: Vec::new(), last: last.clone() };
        let told = Told { entries: 0, length: 0, at: 5 << 32 };
        let bytes = end.rewritten(&told);
        assert_eq!(bytes.len(), END64_LENGTH + LOCATOR_LENGTH as usize + last.len());
        // As if it stood where it says.
        let mut here = bytes.clone();
        put(&mut here, END64_LENGTH + 8, &[0; 8]);
        let at = END64_LENGTH as u64 + LOCATOR_LENGTH;
        let last = here.get(at as usize..).unwrap().to_vec();
        let (wide, _) = End::read(&mut Cursor::new(here), last, at).unwrap();
        assert!(wide.told().is_some_and(|read| read == told));
        let back = wide.rewritten(&Told { at: 7, ..told });
        assert_eq!(u64_at(&back, 48), Some(7));
    }
}
