//! [`Input`]: one source of bytes, decompressed and decoded as far as it must be to be judged.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::OFlags;

use super::packed::Packed;
use super::sniff::{Nature, nature};
use super::sys;
use super::utf16::{Decoder, Endian};
use crate::codec::{Codec, Damaged};
use crate::error::reason;
use crate::time::file_name::date_in;

/// Bytes of one read before the nature of an input is known, and of UTF-16: what a pipe holds by default.
const RAW_BYTES: usize = 64 << 10;

/// What went wrong with one input. It holds no log bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Name of the input, as it was given.
    pub source: String,
    /// What is wrong.
    pub what: String,
    /// Where, in bytes from the start of the input, 0 the first; of what is compressed in what it holds.
    pub offset: Option<u64>,
}

impl fmt::Display for Fault {
    /// `NAME: WHAT, at byte N`; control characters of the name are escaped.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.source.chars() {
            match character.is_control() {
                true => write!(out, "{}", character.escape_default())?,
                false => write!(out, "{character}")?,
            }
        }
        write!(out, ": {}", self.what)?;
        self.offset.map_or(Ok(()), |offset| write!(out, ", at byte {offset}"))
    }
}

impl std::error::Error for Fault {}

/// Where an input is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Descriptor 0.
    Stdin,
    /// A file, FIFO or device.
    Path(PathBuf),
}

impl Place {
    /// What messages call it.
    pub fn name(&self) -> String {
        match self {
            Place::Stdin => "stdin".to_owned(),
            Place::Path(path) => path.display().to_string(),
        }
    }

    /// The date in its name.
    fn date(&self) -> Option<Timestamp> {
        let Place::Path(path) = self else { return None };
        date_in(path.file_name()?.as_bytes())
    }

    /// What is known of it without opening it.
    pub(super) fn metadata(&self) -> io::Result<Metadata> {
        match self {
            Place::Stdin => File::from(rustix::io::dup(rustix::stdio::stdin())?).metadata(),
            Place::Path(path) => path.metadata(),
        }
    }
}

/// Something to read from.
pub trait Source: Read + Send {
    /// The descriptor to wait on, if it has one.
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// Whether it can be read again, so that a signal may end the run at the next record.
    fn is_regular(&self) -> bool {
        false
    }
}

struct OpenFile {
    file: File,
    regular: bool,
}

impl Read for OpenFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.file.read(into)
    }
}

impl Source for OpenFile {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.file.as_fd())
    }

    fn is_regular(&self) -> bool {
        self.regular
    }
}

/// What one [`Input::read`] gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Got {
    /// So many bytes.
    Bytes(usize),
    /// Nothing yet: read again, after waiting if [`Input::must_wait`] says so.
    Nothing,
    /// The end.
    End,
}

/// One input. Never more than one read of the source for a call, so that whoever waits for the source to
/// become readable is never blocked.
pub struct Input<'s> {
    name: String,
    source: Box<dyn Source + 's>,
    /// Of a source that is compressed.
    packed: Option<Packed>,
    settled: bool,
    decoder: Option<Decoder>,
    encoding: Option<Endian>,
    /// What is written is told of the input, and not in its encoding.
    is_told_of: bool,
    /// Of a regular file: that in its name, else when it was last written.
    date: Option<Timestamp>,
    raw: Vec<u8>,
    /// Bytes read so far, decompressed.
    offset: u64,
    /// Bytes before the nature is known, then what is ready to be handed on from `at` on.
    ready: Vec<u8>,
    at: usize,
    ended: bool,
    fault: Option<Fault>,
}

impl fmt::Debug for Input<'_> {
    /// The name alone: the rest is log bytes.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Input").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Input<'static> {
    /// Opens an input.
    ///
    /// # Errors
    /// It is missing, closed, a directory, or may not be read.
    pub fn open(place: &Place) -> Result<Input<'static>, Fault> {
        let fault = |what: String| Fault { source: place.name(), what, offset: None };
        let file = open_file(place).map_err(|error| fault(reason(&error)))?;
        let about = file.metadata().map_err(|error| fault(reason(&error)))?;
        if about.is_dir() {
            return Err(fault("is a directory".to_owned()));
        }
        let date = about.is_file().then(|| place.date().or_else(|| written(&about))).flatten();
        Ok(Input::new(place.name(), OpenFile { file, regular: about.is_file() }).dated(date))
    }
}

impl<'s> Input<'s> {
    /// An input that reads from any source.
    pub fn new(name: impl Into<String>, source: impl Source + 's) -> Input<'s> {
        Input {
            name: name.into(),
            source: Box::new(source),
            packed: None,
            settled: false,
            decoder: None,
            encoding: None,
            is_told_of: false,
            date: None,
            raw: vec![0; RAW_BYTES],
            offset: 0,
            ready: Vec::new(),
            at: 0,
            ended: false,
            fault: None,
        }
    }

    /// The date of a regular file: that in its name, else when it was last written; none of a stream.
    pub fn date(&self) -> Option<Timestamp> {
        self.date
    }

    /// The same, of this date: what a record without a time is as old as.
    pub fn dated(self, date: Option<Timestamp>) -> Input<'s> {
        Input { date, ..self }
    }

    /// The same, of which only is told: what is written is UTF-8 whatever the input is.
    pub fn told_of(self) -> Input<'s> {
        Input { is_told_of: true, ..self }
    }

    /// Whether the next [`read`](Input::read) asks the source.
    pub fn must_wait(&self) -> bool {
        !(self.settled && self.at < self.ready.len())
            && self.fault.is_none()
            && !self.ended
            && self.packed.as_ref().is_none_or(Packed::is_dry)
    }

    /// The next bytes, decoded.
    ///
    /// # Errors
    /// The fault at which the input ends; everything before it was handed on.
    pub fn read(&mut self, into: &mut [u8]) -> Result<Got, Fault> {
        if self.settled && self.at < self.ready.len() {
            return Ok(self.hand_on(into));
        }
        if let Some(fault) = self.fault.take() {
            self.ended = true;
            return Err(fault);
        }
        if self.ended {
            return Ok(Got::End);
        }
        if self.settled && self.decoder.is_none() {
            return Ok(self.read_plain(into));
        }
        self.read_raw();
        Ok(Got::Nothing)
    }

    pub(super) fn source(&self) -> &(dyn Source + 's) {
        &*self.source
    }

    /// How the output of this input is to be encoded, if not as it is. Known once bytes were handed on.
    pub(super) fn encoding(&self) -> Option<Endian> {
        self.encoding.filter(|_| !self.is_told_of)
    }

    fn hand_on(&mut self, into: &mut [u8]) -> Got {
        let rest = &self.ready[self.at..];
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Got::Bytes(count)
    }

    fn read_plain(&mut self, into: &mut [u8]) -> Got {
        self.fetch(into).unwrap_or_else(|error| {
            self.read_failed(&error);
            Got::Nothing
        })
    }

    fn read_raw(&mut self) {
        let mut raw = std::mem::take(&mut self.raw);
        match self.fetch(&mut raw) {
            Ok(Got::Bytes(bytes)) => self.take_in(&raw[..bytes], false),
            Ok(Got::Nothing) => {}
            Ok(Got::End) => self.take_in(&[], true),
            Err(error) => self.read_failed(&error),
        }
        self.raw = raw;
    }

    /// The next bytes of the source, decompressed.
    fn fetch(&mut self, into: &mut [u8]) -> io::Result<Got> {
        let got = match &mut self.packed {
            Some(packed) => packed.read(&mut *self.source, into)?,
            None => match self.source.read(into)? {
                0 => Got::End,
                bytes => Got::Bytes(bytes),
            },
        };
        if let Got::Bytes(bytes) = got {
            self.offset += bytes as u64;
        }
        Ok(got)
    }

    /// EINTR and EAGAIN (a descriptor that somebody else made non-blocking) only mean to wait again.
    fn read_failed(&mut self, error: &io::Error) {
        if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) {
            return;
        }
        if !self.settled {
            self.settle(true);
        }
        let what = Damaged::of(error).map_or_else(|| reason(error), |damaged| damaged.to_string());
        self.fault = Some(self.fault_at(what, self.offset));
    }

    fn take_in(&mut self, raw: &[u8], at_end: bool) {
        if self.settled {
            self.ready.clear();
            self.at = 0;
            self.decode(raw);
        } else {
            self.ready.extend_from_slice(raw);
            self.settle(at_end);
        }
        if at_end && self.fault.is_none() {
            self.ended = true;
            let fine = self.decoder.as_ref().map_or(Ok(()), Decoder::finish);
            self.fault = fine.err().map(|fault| self.not_utf16(fault.offset));
        }
    }

    fn settle(&mut self, at_end: bool) {
        match nature(&self.ready, at_end) {
            None => {}
            Some(Nature::Plain) => self.settled = true,
            Some(Nature::Utf16(endian)) => {
                self.settled = true;
                self.decoder = Some(Decoder::new(endian));
                self.encoding = Some(endian);
                let head = std::mem::take(&mut self.ready);
                self.decode(&head[endian.mark().len()..]);
            }
            Some(Nature::Packed(codec)) => self.unpack(codec),
            Some(Nature::Refused(what)) => self.refuse(what.to_owned()),
        }
    }

    /// What was read so far begins what this codec decodes; what that holds is yet to be looked at.
    fn unpack(&mut self, codec: Codec) {
        if let Some(outer) = &self.packed {
            return self.refuse(format!("compressed twice ({} in {})", codec.name(), outer.codec().name()));
        }
        match Packed::new(codec, std::mem::take(&mut self.ready)) {
            Ok(packed) => self.packed = Some(packed),
            Err(error) => self.refuse(reason(&error)),
        }
        self.offset = 0;
    }

    fn refuse(&mut self, what: String) {
        self.ready.clear();
        self.fault = Some(Fault { source: self.name.clone(), what, offset: None });
    }

    fn decode(&mut self, raw: &[u8]) {
        let Some(decoder) = &mut self.decoder else { return };
        if let Err(fault) = decoder.decode(raw, &mut self.ready) {
            self.fault = Some(self.not_utf16(fault.offset));
        }
    }

    fn not_utf16(&self, offset: u64) -> Fault {
        self.fault_at("not valid UTF-16".to_owned(), offset + 2)
    }

    fn fault_at(&self, what: String, offset: u64) -> Fault {
        Fault { source: self.name.clone(), what, offset: Some(offset) }
    }
}

/// When a file was last written.
fn written(about: &Metadata) -> Option<Timestamp> {
    Timestamp::new(about.mtime(), about.mtime_nsec() as i32).ok()
}

fn open_file(place: &Place) -> io::Result<File> {
    match place {
        Place::Stdin if sys::closed_at_start(0) => Err(io::Error::other("is closed")),
        Place::Stdin => Ok(File::from(rustix::io::dup(rustix::stdio::stdin())?)),
        Place::Path(path) => open_path(path),
    }
}

/// O_NONBLOCK: a FIFO without a writer would block in open(2), where no signal is noticed; the wait before
/// the first read does the same and notices. It changes nothing for a regular file.
fn open_path(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32;
    File::options().read(true).custom_flags(flags).open(path)
}
