//! [`run`]: all files of a run, small ones side by side, a large one on all threads.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rustix::io::Errno;

use super::rewrite::{Done, How, Shared, Skip, To, rewrite};
use super::tree::{Entry, Folder, Root};
use crate::stream::Scrub;

/// Files above this are scrubbed one after another, each by all threads.
const LARGE_BYTES: u64 = 8 << 20;

/// What to do with which files.
pub struct Run<'r, S> {
    /// What was named.
    pub roots: &'r [Root],
    /// The files.
    pub entries: &'r [Entry],
    /// By what to scrub the file of that number.
    pub scrubber: &'r (dyn Fn(usize) -> S + Sync),
    /// Whether the file of that number is under a hold: it is only looked at.
    pub is_held: &'r (dyn Fn(usize) -> bool + Sync),
    /// Where new files go; none: in place of the old ones.
    pub into: Option<&'r Path>,
    /// How they are rewritten.
    pub how: &'r How,
    /// What the run tells them.
    pub shared: &'r Shared,
}

/// Scrubs all of the files. `each` is told of every one when it is done, by its number.
pub fn run<S: Scrub + Send>(run: &Run<'_, S>, each: &(dyn Fn(usize, Result<Done, Skip>) + Sync)) {
    let is_large =
        |number: &usize| run.entries.get(*number).is_some_and(|entry| entry.about.size() > LARGE_BYTES);
    let (large, small): (Vec<usize>, Vec<usize>) = (0..run.entries.len()).partition(is_large);
    let next = AtomicUsize::new(0);
    let alone = How { threads: 1, ..run.how.clone() };
    let work = || {
        while let Some(number) = small.get(next.fetch_add(1, Ordering::Relaxed)) {
            each(*number, run.one(*number, &alone));
        }
    };
    thread::scope(|scope| {
        for _ in 1..run.how.threads.min(small.len()) {
            // If there is none to be had, those that are there must do.
            let _ = thread::Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
    large.into_iter().for_each(|number| each(number, run.one(number, run.how)));
}

impl<S: Scrub + Send> Run<'_, S> {
    fn one(&self, number: usize, how: &How) -> Result<Done, Skip> {
        if self.shared.stop.load(Ordering::SeqCst) {
            return Err(Skip::Stopped);
        }
        let entry = self.entries.get(number).ok_or(Skip::Stopped)?;
        let root = self.roots.get(entry.root).ok_or(Skip::Stopped)?;
        let (folder, name) = root.folder_of(entry).map_err(|cause| no_folder(&cause))?;
        let others = entry.links.iter().map(|link| self.roots.get(link.root)?.folder_of(link).ok());
        let others: Vec<_> = others.collect::<Option<_>>().ok_or(Skip::LeftOut(GONE.into()))?;
        let place = if others.is_empty() { To::Place } else { To::Names(&others) };
        let scrubber = (self.scrubber)(number);
        if (self.is_held)(number) {
            let dry = How { dry: true, digests: None, ..how.clone() };
            return rewrite((&folder, &name), &entry.about, place, &scrubber, &dry, self.shared);
        }
        let other = self.into.map(|into| mirror(into, entry)).transpose();
        let other = other.map_err(|cause| Skip::Output(crate::error::reason(&cause)))?;
        let to = other.as_ref().map_or(place, To::Folder);
        rewrite((&folder, &name), &entry.about, to, &scrubber, how, self.shared)
    }
}

const GONE: &str = "its directory is not what it was any more";

/// Why there is no directory to look for a file in: it was exchanged or went away, or it cannot be opened.
fn no_folder(cause: &std::io::Error) -> Skip {
    match Errno::from_io_error(cause) {
        None | Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Skip::LeftOut(GONE.into()),
        Some(_) => Skip::Input(crate::error::reason(cause), 0),
    }
}

/// The directory for a file under another one, made as far as it is not there.
fn mirror(into: &Path, entry: &Entry) -> std::io::Result<Folder> {
    let mut folder = Folder::open(into)?;
    for part in entry.relative.parent().into_iter().flat_map(Path::components) {
        folder = folder.make(part.as_os_str())?;
    }
    Ok(folder)
}
