//! What a file holds: a log, or an archive of logs.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Candidate, Search};
use crate::archive::container::{About, Members, Verdict, rewrite_tar, rewrite_zip};
use crate::cli::exit::Exit;
use crate::codec::{Codec, Damaged};
use crate::error::reason;
use crate::stream::input::Source;
use crate::stream::sniff::{Look, look};
use crate::stream::{Fault, Input, Place};
use crate::time::file_name::date_in;

/// How much of a file is looked at to tell what it is.
const HEAD_BYTES: usize = 64 << 10;

/// Searches a file, or the members of an archive.
pub(super) fn search(search: &mut Search<'_>, file: &Candidate) -> Result<(), Exit> {
    let place = &file.place;
    if let Place::Path(path) = place
        && path.is_file()
        && let Ok(head) = File::open(path).and_then(|mut file| head(&mut file))
    {
        let (codec, held) = (Codec::of(&head), look(&unpacked(&head)));
        match (held, codec) {
            (Look::Tar, _) | (Look::Zip, None) => return archive(search, path, held, codec),
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

/// `archive.tar!member`.
fn member_place(archive: &Path, name: &[u8]) -> Place {
    let name = [archive.as_os_str().as_bytes(), b"!", name].concat();
    Place::Path(PathBuf::from(std::ffi::OsString::from_vec(name)))
}

/// The date in the name of a member.
fn date(name: &[u8]) -> Option<Timestamp> {
    date_in(name.rsplit(|byte| *byte == b'/').next()?)
}

/// Searches the members of an archive, as `archive` would rewrite them: what it makes of them is thrown away.
fn archive(search: &mut Search<'_>, path: &Path, held: Look, codec: Option<Codec>) -> Result<(), Exit> {
    search.many = true;
    let number = search.scrubbers.number_for(&Place::Path(path.to_owned()));
    let mut members = Searched { search, path, number, ended: None };
    let no_spool = || Err(io::ErrorKind::Unsupported.into()); // nothing is written that would have to wait
    let done = File::open(path).and_then(|mut file| match (held, codec) {
        (Look::Zip, _) => rewrite_zip(&mut file, &mut io::sink(), &no_spool, &mut members, None),
        (_, Some(codec)) => {
            let mut source = codec.decoder(BufReader::new(file))?;
            rewrite_tar(&mut source, &mut io::sink(), &no_spool, &mut members)
        }
        (_, None) => rewrite_tar(&mut BufReader::new(file), &mut io::sink(), &no_spool, &mut members),
    });
    match (members.ended, done) {
        (Some(exit), _) => Err(exit),
        (None, Ok(())) => Ok(()),
        (None, Err(error)) => {
            search.faults.push(broken(path.display().to_string(), &error));
            Ok(())
        }
    }
}

/// The members of an archive, which are searched.
struct Searched<'m, 's> {
    search: &'m mut Search<'s>,
    path: &'m Path,
    /// Of the scrubber: that of the archive.
    number: usize,
    /// Why the search is over before the end of the archive.
    ended: Option<Exit>,
}

impl Members for Searched<'_, '_> {
    fn takes(&mut self, about: &About, head: &[u8]) -> bool {
        let why_not = match look(&unpacked(head)) {
            Look::Log => return true,
            Look::Binary => "binary",
            Look::Tar | Look::Zip => "an archive in an archive",
        };
        self.search.pass_over(&member_place(self.path, &about.name), why_not);
        false
    }

    fn member(
        &mut self,
        about: &About,
        content: &mut (dyn Read + Send),
        _: &mut (dyn Write + Send),
    ) -> io::Result<Verdict> {
        let place = member_place(self.path, &about.name);
        let input = Input::new(place.name(), Member(&mut *content));
        let input = input.dated(date(&about.name).or(about.modified));
        if let Err(exit) = self.search.one_by(self.number, &place, Ok(input)) {
            self.ended = Some(exit);
            return Err(io::ErrorKind::Interrupted.into());
        }
        io::copy(content, &mut io::sink())?; // what is left behind a fault
        Ok(Verdict::Scrubbed)
    }

    fn left_alone(&mut self, about: &About, why: &'static str) {
        // What a link leads to is a file of its own.
        if !["a symbolic link", "a hard link", "a device", "a FIFO"].contains(&why) {
            self.search.pass_over(&member_place(self.path, &about.name), why);
        }
    }
}

/// The content of a member.
struct Member<'m>(&'m mut (dyn Read + Send));

impl Read for Member<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl Source for Member<'_> {
    /// It can be read again.
    fn is_regular(&self) -> bool {
        true
    }
}

fn broken(source: String, error: &io::Error) -> Fault {
    let what = Damaged::of(error).map_or_else(|| reason(error), |damaged| damaged.to_string());
    Fault { source, what, offset: None }
}
