//! [`Entry`]: what the directory of a zip says about one member.

use std::io;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::fields::{WIDE, extras, narrow, put, u16_at, u32_at, u64_at, with_zip64, zip64};
use crate::archive::container::{About, corrupt, unsupported};

const SIGNATURE: &[u8] = b"PK\x01\x02";
/// The length of an entry without its name, its extra fields and its comment.
const FIXED: usize = 46;
const LOCAL_FIXED: usize = 30;

/// The flag of those whose lengths follow the content, in a descriptor.
const DESCRIPTOR: u16 = 1 << 3;
/// The flags of those that are encrypted, in one way or another.
pub(super) const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
/// The flag of those that are only what has changed in a file.
pub(super) const PATCH: u16 = 1 << 5;

/// The sum and the lengths of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) crc: u32,
    pub(super) packed: u64,
    pub(super) plain: u64,
}

/// One member, as the directory tells it.
pub(super) struct Entry {
    raw: Vec<u8>,
    name: usize,
    extra: usize,
    pub(super) sizes: Sizes,
    /// Where its local header begins.
    pub(super) offset: u64,
    pub(super) flags: u16,
    pub(super) method: u16,
}

impl Entry {
    /// The entry at the beginning of what is left of a directory; `place` is where that lies.
    pub(super) fn read(directory: &[u8], place: u64) -> io::Result<Entry> {
        let entry =
            Entry::parse(directory).ok_or_else(|| corrupt("a malformed entry of the directory", place))?;
        match u16_at(&entry.raw, 34) {
            Some(0) => Ok(entry),
            Some(u16::MAX) if entry.disk_is_first() => Ok(entry),
            _ => Err(unsupported("a zip in several volumes")),
        }
    }

    fn parse(directory: &[u8]) -> Option<Entry> {
        if !directory.starts_with(SIGNATURE) {
            return None;
        }
        let length = |at| u16_at(directory, at).map(usize::from);
        let (name, extra, comment) = (length(28)?, length(30)?, length(32)?);
        let raw = directory.get(..FIXED + name + extra + comment)?.to_vec();
        let extras = raw.get(FIXED + name..FIXED + name + extra)?;
        let mut wide = zip64(extras)?.and_then(|place| extras.get(place)).unwrap_or_default().chunks(8);
        let mut value = |at| match u32_at(&raw, at)? {
            WIDE => u64_at(wide.next()?, 0),
            narrow => Some(u64::from(narrow)),
        };
        let (plain, packed, offset) = (value(24)?, value(20)?, value(42)?);
        let sizes = Sizes { crc: u32_at(&raw, 16)?, packed, plain };
        let (flags, method) = (u16_at(&raw, 8)?, u16_at(&raw, 10)?);
        Some(Entry { raw, name, extra, sizes, offset, flags, method })
    }

    /// Whether the zip64 field says that the member lies in the first volume.
    fn disk_is_first(&self) -> bool {
        let wide = [24, 20, 42].iter().filter(|at| u32_at(&self.raw, **at) == Some(WIDE)).count();
        let extras = self.extras();
        let field = zip64(extras).flatten().and_then(|place| extras.get(place)).unwrap_or_default();
        u32_at(field, wide * 8) == Some(0)
    }

    /// How many bytes it takes in the directory.
    pub(super) fn length(&self) -> usize {
        self.raw.len()
    }

    pub(super) fn name(&self) -> &[u8] {
        self.raw.get(FIXED..FIXED + self.name).unwrap_or_default()
    }

    fn extras(&self) -> &[u8] {
        let start = FIXED + self.name;
        self.raw.get(start..start + self.extra).unwrap_or_default()
    }

    pub(super) fn has_descriptor(&self) -> bool {
        self.flags & DESCRIPTOR != 0
    }

    /// The bits of its mode that tell what kind of file it is, if it comes from a Unix.
    pub(super) fn file_type(&self) -> u32 {
        match self.raw.get(5) {
            Some(3 | 19) => u32_at(&self.raw, 38).map_or(0, |attributes| attributes >> 16 & 0o170_000),
            _ => 0,
        }
    }

    pub(super) fn about(&self) -> About {
        let modified = self.timestamp().or_else(|| self.dos_time());
        About { name: self.name().to_vec(), modified, size: self.sizes.plain }
    }

    /// The time in the extended timestamp, or else in that of NTFS, which counts 100 ns since 1601.
    fn timestamp(&self) -> Option<Timestamp> {
        let extra = self.extras();
        let field =
            |wanted| extras(extra).find(|(id, _)| *id == wanted).and_then(|(_, data)| extra.get(data));
        let unix = field(0x5455).filter(|data| data.first().is_some_and(|flags| flags & 1 != 0));
        if let Some(seconds) = unix.and_then(|data| u32_at(data, 1)) {
            return Timestamp::from_second(i64::from(seconds.cast_signed())).ok();
        }
        let ntfs = field(0x000a).filter(|data| u16_at(data, 4) == Some(1))?;
        let seconds = i64::try_from(u64_at(ntfs, 8)? / 10_000_000).ok()?;
        Timestamp::from_second(seconds.checked_sub(11_644_473_600)?).ok()
    }

    fn dos_time(&self) -> Option<Timestamp> {
        let (time, date) = (u16_at(&self.raw, 12)?, u16_at(&self.raw, 14)?);
        let part = |value: u16, shift: u32, bits: u32| i8::try_from(value >> shift & ((1 << bits) - 1)).ok();
        let year = i16::try_from(1980 + (date >> 9)).ok()?;
        let (month, day) = (part(date, 5, 4)?, part(date, 0, 5)?);
        let (hour, minute, second) = (part(time, 11, 5)?, part(time, 5, 6)?, part(time, 0, 5)? * 2);
        let time = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
        Offset::UTC.to_timestamp(time).ok()
    }

    /// The entry with a new place, and new content if there is some: in 64 bits where it was, or where it must be.
    pub(super) fn rewritten(&self, new: Option<Sizes>, offset: u64) -> io::Result<Vec<u8>> {
        let mut raw = self.raw.clone();
        if new.is_none() && offset == self.offset {
            return Ok(raw);
        }
        let sizes = new.unwrap_or(self.sizes);
        if new.is_some() {
            put(&mut raw, 8, &(self.flags & !DESCRIPTOR).to_le_bytes());
            put(&mut raw, 16, &sizes.crc.to_le_bytes());
        }
        let mut wide = Vec::new();
        for (at, value) in [(24, sizes.plain), (20, sizes.packed), (42, offset)] {
            if u32_at(&raw, at) == Some(WIDE) || narrow(value) == WIDE {
                put(&mut raw, at, &WIDE.to_le_bytes());
                wide.extend_from_slice(&value.to_le_bytes());
            } else {
                put(&mut raw, at, &narrow(value).to_le_bytes());
            }
        }
        if u16_at(&raw, 34) == Some(u16::MAX) {
            wide.extend_from_slice(&[0; 4]);
        }
        if !wide.is_empty() {
            needs_zip64(&mut raw, 6);
        }
        with_extras(&raw, FIXED, 30, self.name, self.extra, &wide)
    }
}

/// Has a header say, if it does not, that whoever reads it must know zip64.
fn needs_zip64(header: &mut [u8], at: usize) {
    let version = u16_at(header, at).unwrap_or_default().max(45);
    put(header, at, &version.to_le_bytes());
}

/// A header with other data in its zip64 field: `fixed` is its length without what varies, `at` where it tells that of
/// its extra fields.
fn with_extras(
    raw: &[u8],
    fixed: usize,
    at: usize,
    name: usize,
    extra: usize,
    wide: &[u8],
) -> io::Result<Vec<u8>> {
    let (start, end) = (fixed + name, fixed + name + extra);
    let old = raw.get(start..end).unwrap_or_default();
    let new = with_zip64(old, wide).ok_or_else(|| unsupported("extra fields of more than 64 KiB"))?;
    let length = u16::try_from(new.len()).unwrap_or(u16::MAX).to_le_bytes();
    let mut out = [raw.get(..start).unwrap_or_default(), &new, raw.get(end..).unwrap_or_default()].concat();
    put(&mut out, at, &length);
    Ok(out)
}

/// The header in front of a content.
pub(super) struct Local {
    raw: Vec<u8>,
    name: usize,
    extra: usize,
}

impl Local {
    /// How many bytes stand in front of name and extra fields.
    pub(super) const FIXED: usize = LOCAL_FIXED;

    /// How long the header is that begins so.
    pub(super) fn length(fixed: &[u8]) -> Option<usize> {
        let (name, extra) = (u16_at(fixed, 26)?, u16_at(fixed, 28)?);
        fixed.starts_with(b"PK\x03\x04").then_some(LOCAL_FIXED + usize::from(name) + usize::from(extra))
    }

    /// The header of a member; none if it tells another thing than the directory does.
    pub(super) fn new(raw: Vec<u8>, entry: &Entry) -> Option<Local> {
        let name = usize::from(u16_at(&raw, 26)?);
        let extra = raw.len().checked_sub(LOCAL_FIXED + name)?;
        let local = Local { raw, name, extra };
        let raw = &local.raw;
        let same = raw.get(LOCAL_FIXED..LOCAL_FIXED + name)? == entry.name()
            && (u16_at(raw, 6)? ^ entry.flags) & (DESCRIPTOR | ENCRYPTED | PATCH) == 0
            && u16_at(raw, 8)? == entry.method
            && (entry.has_descriptor() || local.sizes()? == entry.sizes);
        same.then_some(local)
    }

    pub(super) fn len(&self) -> u64 {
        self.raw.len() as u64
    }

    fn extras(&self) -> &[u8] {
        let start = LOCAL_FIXED + self.name;
        self.raw.get(start..start + self.extra).unwrap_or_default()
    }

    fn sizes(&self) -> Option<Sizes> {
        let extras = self.extras();
        let mut wide = zip64(extras)?.and_then(|place| extras.get(place)).unwrap_or_default().chunks(8);
        let mut value = |at| match u32_at(&self.raw, at)? {
            WIDE => u64_at(wide.next()?, 0),
            narrow => Some(u64::from(narrow)),
        };
        let (plain, packed) = (value(22)?, value(18)?);
        Some(Sizes { crc: u32_at(&self.raw, 14)?, packed, plain })
    }

    /// The header of a member with new content. Its lengths are known now, and need no descriptor.
    pub(super) fn rewritten(&self, sizes: Sizes) -> io::Result<Vec<u8>> {
        let mut raw = self.raw.clone();
        let flags = u16_at(&raw, 6).unwrap_or_default() & !DESCRIPTOR;
        put(&mut raw, 6, &flags.to_le_bytes());
        put(&mut raw, 14, &sizes.crc.to_le_bytes());
        let (mut packed, mut plain) = (narrow(sizes.packed), narrow(sizes.plain));
        let mut wide = Vec::new();
        // Here both lengths are wide, or none.
        if packed == WIDE || plain == WIDE || zip64(self.extras()).flatten().is_some() {
            (packed, plain) = (WIDE, WIDE);
            wide.extend_from_slice(&sizes.plain.to_le_bytes());
            wide.extend_from_slice(&sizes.packed.to_le_bytes());
            needs_zip64(&mut raw, 4);
        }
        put(&mut raw, 18, &packed.to_le_bytes());
        put(&mut raw, 22, &plain.to_le_bytes());
        with_extras(&raw, LOCAL_FIXED, 28, self.name, self.extra, &wide)
    }
}

/// Whether these bytes behind a content are its descriptor: with a signature or without, in 32 bits or 64. Some programs
/// announce one and leave it out.
pub(super) fn is_descriptor(bytes: &[u8], sizes: Sizes) -> bool {
    let body = bytes.strip_prefix(b"PK\x07\x08").filter(|rest| !rest.is_empty()).unwrap_or(bytes);
    let crc = sizes.crc.to_le_bytes();
    let wide = [&crc[..], &sizes.packed.to_le_bytes(), &sizes.plain.to_le_bytes()].concat();
    let (packed, plain) = (narrow(sizes.packed), narrow(sizes.plain));
    let short = [&crc[..], &packed.to_le_bytes(), &plain.to_le_bytes()].concat();
    bytes.is_empty() || body == wide || body == short
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: Sizes = Sizes { crc: 7, packed: 8, plain: 9 };

    /// An entry and a local header with that name and those extra fields.
    fn headers(extra: &[u8]) -> (Entry, Local) {
        let mut raw = [SIGNATURE, &[0; FIXED - 4], b"a.log", extra, b"why"].concat();
        let mut local = [&b"PK\x03\x04"[..], &[0; LOCAL_FIXED - 4], b"a.log", extra].concat();
        for (header, at) in [(&mut raw, 16), (&mut local, 14)] {
            put(header, at, &[7, 0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 0, 5, 0, extra.len() as u8, 0]);
        }
        put(&mut raw, 32, &[3, 0]);
        let entry = Entry::read(&raw, 0).unwrap();
        let local = Local::new(local, &entry).unwrap();
        (entry, local)
    }

    #[test]
    fn what_grows_beyond_4_gib_is_told_in_64_bits_and_comes_back() {
        let other = [0x55, 0x54, 1, 0, 0];
        for extra in [&b""[..], &other, &[&other[..], &[0, 0, 0]].concat()] {
            let (entry, local) = headers(extra);
            let large = Sizes { crc: 1, packed: 5 << 32, plain: u64::from(WIDE) };
            for (sizes, offset) in [(SIZES, 1 << 40), (large, 0), (large, 1 << 40)] {
                let wide = Entry::read(&entry.rewritten(Some(sizes), offset).unwrap(), 0).unwrap();
                assert_eq!((wide.sizes, wide.offset, wide.name()), (sizes, offset, entry.name()));
                assert!(wide.raw.ends_with(&[extra, b"why"].concat()));
                let header = Local::new(local.rewritten(sizes).unwrap(), &wide).unwrap();
                assert_eq!(header.sizes(), Some(sizes));
                let back = Entry::read(&wide.rewritten(Some(SIZES), 0).unwrap(), 0).unwrap();
                assert_eq!((back.sizes, back.offset), (SIZES, 0));
                let header = Local::new(header.rewritten(SIZES).unwrap(), &back).unwrap();
                assert_eq!(header.sizes(), Some(SIZES));
            }
        }
    }

    #[test]
    fn there_is_one_zip64_field_or_none() {
        let (entry, _) = headers(b"");
        let mut twice = entry.rewritten(None, 1 << 40).unwrap();
        let field = twice.get(FIXED + 5..FIXED + 5 + 12).unwrap().to_vec();
        twice.splice(FIXED + 5..FIXED + 5, field);
        put(&mut twice, 30, &[24, 0]);
        assert!(Entry::read(&twice, 0).is_err());
        let mut without = entry.raw;
        put(&mut without, 42, &WIDE.to_le_bytes());
        assert!(Entry::read(&without, 0).is_err());
    }

    #[test]
    fn descriptors_have_four_forms() {
        let short = [7, 0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 0];
        let wide = [&short[..8], &[0; 4], &[9, 0, 0, 0, 0, 0, 0, 0]].concat();
        for body in [&short[..], &wide] {
            assert!(is_descriptor(body, SIZES));
            assert!(is_descriptor(&[b"PK\x07\x08", body].concat(), SIZES));
            assert!(!is_descriptor(body, Sizes { crc: 6, ..SIZES }));
        }
        assert!(is_descriptor(b"", SIZES));
        assert!(!is_descriptor(b"PK\x07\x08", SIZES));
        assert!(!is_descriptor(b"secret", SIZES));
    }
}
