//! What a file holds: a log, or an archive of logs.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use jiff::Timestamp;
use zip::result::ZipError;

use super::{Candidate, Search, searched};
use crate::cli::exit::Exit;
use crate::codec::{Codec, Damaged};
use crate::error::reason;
use crate::stream::input::Source;
use crate::stream::sniff::{Look, look};
use crate::stream::{Fault, Input, Place};
use crate::time::file_name::date_in;

/// How much of a file is looked at to tell what it is.
const HEAD_BYTES: usize = 64 << 10;

/// Chunks of a member between the thread that reads the archive and the one that searches.
const CHUNKS: usize = 2;

/// Searches a file, or the members of an archive.
pub(super) fn search(search: &mut Search<'_>, file: &Candidate) -> Result<(), Exit> {
    let place = &file.place;
    if let Place::Path(path) = place
        && path.is_file()
        && let Ok(head) = File::open(path).and_then(|mut file| head(&mut file))
    {
        let (codec, held) = (Codec::of(&head), look(&unpacked(&head)));
        match (held, codec) {
            (Look::Tar, _) => return tar(search, path, codec),
            (Look::Zip, None) => return zip(search, path),
            (Look::Zip, Some(_)) => {
                search.pass_over(place, "a zip archive, compressed again");
                return Ok(());
            }
            (Look::Binary, _) if !file.named => {
                search.pass_over(place, "binary");
                return Ok(());
            }
            (Look::Log | Look::Binary, _) => {}
        }
    }
    search.one(place, Input::open(place))
}

/// The first bytes; fewer only at the end.
fn head(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    from.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// The first bytes of what these hold, if they are compressed; as far as it can be told from them.
fn unpacked(head: &[u8]) -> Vec<u8> {
    let Some(codec) = Codec::of(head) else { return head.to_vec() };
    let mut held = Vec::new();
    if let Ok(decoder) = codec.decoder(head) {
        let _ = decoder.take(HEAD_BYTES as u64).read_to_end(&mut held); // it breaks off where the head does
    }
    held
}

fn tar(search: &mut Search<'_>, path: &Path, codec: Option<Codec>) -> Result<(), Exit> {
    let opened = File::open(path).map(BufReader::new).and_then(|file| -> io::Result<Box<dyn Read>> {
        Ok(match codec {
            Some(codec) => Box::new(codec.decoder(file)?),
            None => Box::new(file),
        })
    });
    let mut archive = match opened {
        Ok(source) => tar::Archive::new(source),
        Err(error) => return fault(search, path, &error),
    };
    search.many = true;
    if let Err(broken) = tar_members(search, path, &mut archive)? {
        return fault(search, path, &broken);
    }
    // What stands behind the last member may tell that the archive is damaged.
    match io::copy(&mut archive.into_inner(), &mut io::sink()) {
        Ok(_) => Ok(()),
        Err(error) => fault(search, path, &error),
    }
}

/// How the archive ended, unless the search did.
fn tar_members(
    search: &mut Search<'_>,
    path: &Path,
    archive: &mut tar::Archive<Box<dyn Read>>,
) -> Result<io::Result<()>, Exit> {
    let entries = match archive.entries() {
        Ok(entries) => entries,
        Err(error) => return Ok(Err(error)),
    };
    for entry in entries {
        let mut entry = match entry {
            Ok(entry) => entry,
            Err(error) => return Ok(Err(error)),
        };
        if entry.header().entry_type().is_file() {
            let name = entry.path_bytes().into_owned();
            let written = entry.header().mtime().ok().and_then(|mtime| i64::try_from(mtime).ok());
            let date = date(&name).or_else(|| Timestamp::from_second(written?).ok());
            member(search, &member_place(path, &name), date, &mut entry)?;
        }
    }
    Ok(Ok(()))
}

fn zip(search: &mut Search<'_>, path: &Path) -> Result<(), Exit> {
    let mut archive = match File::open(path).map_err(ZipError::from).and_then(zip::ZipArchive::new) {
        Ok(archive) => archive,
        Err(error) => return fault(search, path, &zip_error(error)),
    };
    search.many = true;
    for number in 0..archive.len() {
        zip_member(search, path, &mut archive, number)?;
    }
    Ok(())
}

fn zip_member(
    search: &mut Search<'_>,
    path: &Path,
    archive: &mut zip::ZipArchive<impl Read + Seek>,
    number: usize,
) -> Result<(), Exit> {
    let (name, is_file, encrypted) = match archive.by_index_raw(number) {
        Ok(entry) => (entry.name_raw().to_vec(), entry.is_file(), entry.encrypted()),
        Err(error) => return fault(search, path, &zip_error(error)),
    };
    let place = member_place(path, &name);
    match archive.by_index(number) {
        _ if !is_file => {}
        _ if encrypted => search.pass_over(&place, "encrypted"),
        Ok(mut entry) => return member(search, &place, date(&name), &mut entry),
        Err(ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_)) => {
            search.pass_over(&place, "compressed in a way that is not read");
        }
        Err(error) => return fault(search, path, &zip_error(error)),
    }
    Ok(())
}

/// The words of a library about an archive might quote it.
fn zip_error(error: ZipError) -> io::Error {
    match error {
        ZipError::Io(error) => error,
        _ => io::Error::new(io::ErrorKind::InvalidData, "not a valid zip archive"),
    }
}

/// `archive.tar!member`.
fn member_place(archive: &Path, name: &[u8]) -> Place {
    let name = [archive.as_os_str().as_bytes(), b"!", name].concat();
    Place::Path(PathBuf::from(std::ffi::OsString::from_vec(name)))
}

/// The date in the name of a member.
fn date(name: &[u8]) -> Option<Timestamp> {
    date_in(name.rsplit(|byte| *byte == b'/').next()?)
}

/// Searches a member. An archive can only be read by the thread that opened it, so that another searches.
fn member(
    search: &mut Search<'_>,
    place: &Place,
    date: Option<Timestamp>,
    member: &mut impl Read,
) -> Result<(), Exit> {
    let head = match head(member) {
        Ok(head) => head,
        Err(error) => return search.one(place, Err(broken(place.name(), &error))),
    };
    match look(&unpacked(&head)) {
        Look::Log => {}
        Look::Binary => return passed(search, place, "binary"),
        Look::Tar | Look::Zip => return passed(search, place, "an archive in an archive"),
    }
    let (sender, receiver) = sync_channel(CHUNKS);
    let input = Input::new(place.name(), Handed { receiver, chunk: Vec::new(), at: 0 }).dated(date);
    let (number, finder) = search.finder(place);
    let max_record = search.args.reading.max_record;
    let (output, watch) = (&mut search.output, &mut search.watch);
    let outcome = thread::scope(|scope| {
        let searching = scope.spawn(|| searched(Ok(input), finder, max_record, output, watch));
        hand_over(head, member, &sender);
        drop(sender);
        searching.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    search.add(number, outcome)
}

fn passed(search: &Search<'_>, place: &Place, why: &str) -> Result<(), Exit> {
    search.pass_over(place, why);
    Ok(())
}

/// Until the member ends, or nobody wants more of it.
fn hand_over(head: Vec<u8>, member: &mut impl Read, sender: &SyncSender<io::Result<Vec<u8>>>) {
    let mut next = Ok(head);
    loop {
        let is_last = next.as_ref().map_or(true, Vec::is_empty);
        if sender.send(next).is_err() || is_last {
            return;
        }
        next = self::head(member);
    }
}

/// A member as another thread reads it.
struct Handed {
    receiver: Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    at: usize,
}

impl Read for Handed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.chunk.len() {
            self.at = 0;
            self.chunk = self.receiver.recv().unwrap_or_else(|_| Ok(Vec::new()))?;
        }
        let read = self.chunk.get(self.at..).unwrap_or_default().read(into)?;
        self.at += read;
        Ok(read)
    }
}

impl Source for Handed {
    /// It can be read again.
    fn is_regular(&self) -> bool {
        true
    }
}

fn fault(search: &mut Search<'_>, path: &Path, error: &io::Error) -> Result<(), Exit> {
    search.faults.push(broken(path.display().to_string(), error));
    Ok(())
}

fn broken(source: String, error: &io::Error) -> Fault {
    let what = match Damaged::of(error) {
        Some(damaged) => damaged.to_string(),
        None if error.raw_os_error().is_some() => reason(error),
        None => "not a valid archive".to_owned(),
    };
    Fault { source, what, offset: None }
}
