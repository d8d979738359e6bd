//! Tar archives: v7, ustar, GNU and PAX, as a stream.

mod header;
mod pax;

use std::io::{self, Read, Write};

use header::{BLOCK, Header, text};
use pax::Told;

use super::spool::{NewFile, Spool};
use super::{About, Members, Verdict};

/// The most that headers in front of one member may hold.
const MOST_PENDING: usize = 16 << 20;

/// No archive holds a member of this length, and lengths below it can be added without a second thought.
const MOST: u64 = 1 << 62;

/// Rewrites a tar from its first byte to the end of its input. New content waits in `spool` until its length is known.
///
/// # Errors
///
/// If reading or writing fails; if the archive is truncated or a header is wrong; if it is laid out in a way that leaves
/// in doubt where a member begins.
pub fn rewrite_tar(
    input: &mut (dyn Read + Send),
    out: &mut (dyn Write + Send),
    spool: NewFile<'_>,
    members: &mut dyn Members,
) -> io::Result<()> {
    let mut tar =
        Tar { input: Input { inner: input, at: 0 }, out, spool, members, pending: Pending::default() };
    let mut zeros = 0;
    loop {
        let place = tar.input.at;
        match tar.block()? {
            Err(rest) if zeros >= 2 && rest.iter().all(|byte| *byte == 0) => {
                return tar.out.write_all(&rest);
            }
            Err(_) => return Err(super::truncated()),
            // What stands behind the end is read on: it may be another archive, and nothing goes out unseen.
            Ok(block) if block == [0; BLOCK] => {
                zeros += 1;
                tar.end(&block, place)?;
            }
            Ok(block) => {
                zeros = 0;
                let header = Header::new(block);
                tar.header(
                    header.ok_or_else(|| super::corrupt("a header with a wrong checksum", place))?,
                    place,
                )?;
            }
        }
    }
}

/// The input, and how far it has been read.
struct Input<'a> {
    inner: &'a mut (dyn Read + Send),
    at: u64,
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.at = self.at.saturating_add(read as u64);
        Ok(read)
    }
}

/// The headers that say more about the member that follows.
#[derive(Default)]
struct Pending {
    headers: Vec<(Header, Vec<u8>)>,
    long_name: Option<Vec<u8>>,
    long_link: bool,
    told: Option<Told>,
}

struct Tar<'a> {
    input: Input<'a>,
    out: &'a mut (dyn Write + Send),
    spool: NewFile<'a>,
    members: &'a mut dyn Members,
    pending: Pending,
}

impl Tar<'_> {
    /// The next block; what there is of it if the input ends before it is whole, perhaps at once.
    fn block(&mut self) -> io::Result<Result<[u8; BLOCK], Vec<u8>>> {
        let mut bytes = Vec::with_capacity(BLOCK);
        (&mut self.input).take(BLOCK as u64).read_to_end(&mut bytes)?;
        Ok(bytes.try_into())
    }

    /// A block of zeros, of which two end an archive.
    fn end(&mut self, block: &[u8; BLOCK], place: u64) -> io::Result<()> {
        if !self.pending.headers.is_empty() {
            return Err(super::corrupt("a header of a member that does not follow", place));
        }
        self.out.write_all(block)
    }

    fn header(&mut self, header: Header, place: u64) -> io::Result<()> {
        match header.kind() {
            b'x' | b'X' | b'L' | b'K' | b'g' => self.pend(header, place),
            _ => self.member(header, place),
        }
    }

    /// A header that says more about others. It waits for the member, for its length may change with that.
    fn pend(&mut self, header: Header, place: u64) -> io::Result<()> {
        let wrong = |what| super::corrupt(what, place);
        let size = header.size().ok_or_else(|| wrong("a header without a length"))?;
        let held: usize = self.pending.headers.iter().map(|(_, data)| data.len() + BLOCK).sum();
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if held.saturating_add(size) > MOST_PENDING {
            return Err(super::unsupported("headers of more than 16 MiB in front of a member"));
        }
        let mut data = Vec::new();
        super::copy(&mut self.input, padded(size as u64), &mut data)?;
        let content = data.get(..size).unwrap_or_default();
        let pending = &mut self.pending;
        let twice = match header.kind() {
            b'L' => pending.long_name.replace(text(content).to_vec()).is_some(),
            b'K' => std::mem::replace(&mut pending.long_link, true),
            kind => {
                let told = pax::read(content).ok_or_else(|| wrong("a malformed extended header"))?;
                match kind {
                    b'g' if told.size.is_some() || told.is_sparse => {
                        return Err(super::unsupported("one length for all members of a tar"));
                    }
                    b'g' => false,
                    _ => pending.told.replace(told).is_some(),
                }
            }
        };
        if twice {
            return Err(wrong("two extended headers for one member"));
        }
        if header.kind() == b'g' && pending.headers.is_empty() {
            self.out.write_all(&header.0)?;
            return self.out.write_all(&data);
        }
        pending.headers.push((header, data));
        Ok(())
    }

    fn member(&mut self, header: Header, place: u64) -> io::Result<()> {
        let pending = std::mem::take(&mut self.pending);
        let told_size = pending.told.as_ref().and_then(|told| told.size);
        let is_regular = matches!(header.kind(), 0 | b'0' | b'7');
        let without = (!is_regular && header.has_no_size()).then_some(0);
        let size = told_size.or_else(|| header.size()).or(without).filter(|size| *size < MOST);
        let size = size.ok_or_else(|| super::corrupt("a header without a length", place))?;
        let about = pending.about(&header, size);
        let is_sparse = pending.told.as_ref().is_some_and(|told| told.is_sparse);
        if is_regular && !is_sparse && !(size == 0 && about.name.ends_with(b"/")) {
            return self.offer(header, pending, &about);
        }
        if matches!(header.kind(), b'1'..=b'6') && size > 0 {
            // Some programs let content follow here, and some do not.
            return Err(super::corrupt("a length of what has no content", place));
        }
        if let Some(why) = left_alone(header.kind(), is_sparse, size) {
            self.members.left_alone(&about, why);
        }
        pending.write(self.out)?;
        self.out.write_all(&header.0)?;
        if header.kind() == b'S' && header.sparse_goes_on() {
            self.map()?;
        }
        super::copy(&mut self.input, padded(size), self.out)
    }

    /// The rest of the map of a GNU sparse file: each block tells whether another follows.
    fn map(&mut self) -> io::Result<()> {
        loop {
            let Ok(block) = self.block()? else { return Err(super::truncated()) };
            self.out.write_all(&block)?;
            if block.get(504).is_none_or(|flag| *flag == 0) {
                return Ok(());
            }
        }
    }

    /// A member with content that may be a log.
    fn offer(&mut self, header: Header, pending: Pending, about: &About) -> io::Result<()> {
        let mut content = super::Content { input: &mut self.input, left: about.size };
        let head = super::head(&mut content)?;
        if self.members.takes(about, &head) {
            return self.scrub(header, pending, about, &head);
        }
        let rest = padded(about.size).saturating_sub(head.len() as u64);
        pending.write(self.out)?;
        self.out.write_all(&header.0)?;
        self.out.write_all(&head)?;
        super::copy(&mut self.input, rest, self.out)
    }

    fn scrub(&mut self, mut header: Header, pending: Pending, about: &About, head: &[u8]) -> io::Result<()> {
        let mut spool = Spool::new(self.spool);
        let left = about.size.saturating_sub(head.len() as u64);
        let mut content = head.chain(super::Content { input: &mut self.input, left });
        let verdict = super::scrub(self.members, about, &mut content, &mut spool)?;
        let mut padding = Vec::new();
        super::copy(&mut self.input, padded(about.size) - about.size, &mut padding)?;
        let size = spool.length();
        if size != about.size || verdict == Verdict::Scrubbed {
            // What some programs leave behind the content may be a piece of another.
            padding = vec![0; usize::try_from(padded(size) - size).unwrap_or_default()];
        }
        pending.resized(size)?.write(self.out)?;
        // Where an extended header tells the length, the one here may only hold its place.
        if header.size() == Some(about.size) {
            header.set_size(size);
        }
        self.out.write_all(&header.0)?;
        spool.copy_to(self.out)?;
        self.out.write_all(&padding)
    }
}

impl Pending {
    fn about(&self, header: &Header, size: u64) -> About {
        let told = self.told.as_ref();
        let name = told.and_then(|told| told.path.clone()).or_else(|| self.long_name.clone());
        About {
            name: name.unwrap_or_else(|| header.name()),
            modified: told.and_then(|told| told.modified).or_else(|| header.modified()),
            size,
        }
    }

    fn write(&self, out: &mut (dyn Write + Send)) -> io::Result<()> {
        for (header, data) in &self.headers {
            out.write_all(&header.0)?;
            out.write_all(data)?;
        }
        Ok(())
    }

    /// With another length of the content, where one is told.
    fn resized(mut self, size: u64) -> io::Result<Pending> {
        if self.told.as_ref().is_none_or(|told| told.size.is_none_or(|old| old == size)) {
            return Ok(self);
        }
        for (header, data) in
            self.headers.iter_mut().filter(|(header, _)| matches!(header.kind(), b'x' | b'X'))
        {
            let length = header.size().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
            let records = data.get(..length).and_then(|records| pax::with_size(records, size));
            *data = records.ok_or_else(|| super::unsupported("this extended header"))?;
            header.set_size(data.len() as u64);
            data.resize(usize::try_from(padded(data.len() as u64)).unwrap_or_default(), 0);
        }
        Ok(self)
    }
}

/// Why a member is not offered. Directories and the names of volumes are not worth a word.
fn left_alone(kind: u8, is_sparse: bool, size: u64) -> Option<&'static str> {
    match kind {
        _ if is_sparse => Some("a sparse file"),
        0 | b'0' | b'7' | b'5' | b'V' if size == 0 => None,
        b'1' => Some("a hard link"),
        b'2' => Some("a symbolic link"),
        b'3' | b'4' => Some("a device"),
        b'6' => Some("a FIFO"),
        b'D' => Some("a list of names"),
        b'M' => Some("a part of a file that begins in another volume"),
        b'S' => Some("a sparse file"),
        _ => Some("a member of an unknown kind"),
    }
}

/// A length up to the end of its last block.
fn padded(size: u64) -> u64 {
    size.next_multiple_of(BLOCK as u64)
}
