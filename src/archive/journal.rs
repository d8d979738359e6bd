//! [`Journal`]: which files need not be looked at again, and until when.
//!
//! One JSON object a line; the last line about a file counts. What it says saves time and nothing else: a file is passed over
//! only if it is the very file that was scrubbed, byte for byte as far as the system can tell (device, inode, length, time of
//! the last change), under the same policy, and nothing in it has come due. Lost, it costs one run that looks at everything.

use std::collections::HashMap;
use std::fs::{DirBuilder, File, Metadata, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::OFlags;
use serde_json::{Value, json};

use crate::error::reason;
use crate::time::keyring::file::{check_file, check_way};

const VERSION: u64 = 1;

/// How a journal begins: as a run that came to its end left it, or one that made it and did not.
const HEADS: [&[u8]; 3] = [b"{\"journal\":", b"{\"path\":", b"{\"due\":"];
/// Bytes in which a journal must be told from any other file.
const HEAD_BYTES: u64 = 64 << 10;

/// What tells a file from any other, and from itself after any change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp([i64; 7]);

impl Stamp {
    /// That of a file.
    pub fn of(about: &Metadata) -> Stamp {
        let (device, inode, size) = (about.dev() as i64, about.ino() as i64, about.size() as i64);
        let (mtime, ctime) = ((about.mtime(), about.mtime_nsec()), (about.ctime(), about.ctime_nsec()));
        Stamp([device, inode, size, mtime.0, mtime.1, ctime.0, ctime.1])
    }
}

#[derive(Clone, Debug)]
struct Seen {
    stamp: Stamp,
    policy: String,
    due: Option<Timestamp>,
}

/// A journal that no other run uses.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    seen: HashMap<Vec<u8>, Seen>,
    last_run: Option<Timestamp>,
    /// Of which policy a dry run over which roots came before, and when.
    rehearsed: Option<String>,
}

impl Journal {
    /// Opens a journal, or makes one for its owner alone.
    ///
    /// # Errors
    /// A sentence: others could write it; another run uses it; it cannot be read; it is something else.
    pub fn open(path: &Path) -> Result<Journal, String> {
        let told = |cause: io::Error| reason(&cause);
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(told)?;
        }
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
        let file = File::options()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .custom_flags(flags)
            .open(path)
            .map_err(told)?;
        let about = file.metadata().map_err(told)?;
        check_file(&about)?;
        check_way(path, Some(&about))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err("another run uses it".to_owned()),
            Err(TryLockError::Error(cause)) => return Err(told(cause)),
        }
        // Whoever held the lock may have put another file in place.
        check_way(path, Some(&about))?;
        let mut journal =
            Journal { path: path.to_owned(), file, seen: HashMap::new(), last_run: None, rehearsed: None };
        if !journal.is_one().map_err(told)? {
            return Err(
                "that is no journal, and would be lost: name another file, or remove this one".to_owned()
            );
        }
        journal.read().map_err(told)?;
        journal.end_last_line().map_err(told)?;
        Ok(journal)
    }

    /// Whether it is empty, or is told by its first bytes or a line behind them: what it is beyond that, it may be damaged.
    fn is_one(&self) -> io::Result<bool> {
        let mut head = Vec::new();
        (&self.file).take(HEAD_BYTES).read_to_end(&mut head)?;
        (&self.file).rewind()?;
        let begins = HEADS.iter().any(|known| head.starts_with(known) || known.starts_with(&head));
        let is_line = |line: &[u8]| {
            let entry: Option<Value> = serde_json::from_slice(line).ok();
            entry.is_some_and(|entry| entry["journal"].is_u64() || seen(&entry).is_some())
        };
        Ok(begins || head.split(|byte| *byte == b'\n').any(is_line))
    }

    /// What cannot be read says nothing: the last line of a run that was killed may be half a line.
    fn read(&mut self) -> io::Result<()> {
        let mut is_known = true;
        for line in BufReader::new(self.file.try_clone()?).split(b'\n') {
            let Ok(entry) = serde_json::from_slice::<Value>(&line?) else { continue };
            if let Some(version) = entry["journal"].as_u64() {
                is_known = version == VERSION;
            }
            if is_known {
                self.take_in(&entry);
            }
        }
        Ok(())
    }

    /// What is added must not go on where a run that was killed broke off.
    fn end_last_line(&mut self) -> io::Result<()> {
        let mut last = [b'\n'];
        if let Some(at) = self.file.metadata()?.len().checked_sub(1) {
            self.file.read_exact_at(&mut last, at)?;
        }
        if last == [b'\n'] { Ok(()) } else { self.file.write_all(b"\n") }
    }

    fn take_in(&mut self, entry: &Value) {
        let time = |name: &str| entry[name].as_str().and_then(|text| text.parse().ok());
        if let Some(run) = time("run") {
            self.last_run = Some(run);
        }
        if let Some(rehearsed) = entry["rehearsed"].as_str() {
            self.rehearsed = Some(rehearsed.to_owned());
        }
        self.seen.extend(seen(entry));
    }

    /// Whether nothing is to be done with a file now, under this policy; and when something will be.
    pub fn is_done(
        &self,
        path: &Path,
        about: &Metadata,
        policy: &str,
        now: Timestamp,
    ) -> Option<Option<Timestamp>> {
        let seen = self.seen.get(path.as_os_str().as_bytes())?;
        let is_due = seen.due.is_some_and(|due| due <= now);
        (seen.stamp == Stamp::of(about) && seen.policy == policy && !is_due).then_some(seen.due)
    }

    /// Notes that a file was scrubbed, and when something in it comes due.
    ///
    /// # Errors
    /// Those of write(2).
    pub fn note(
        &mut self,
        path: &Path,
        about: &Metadata,
        policy: &str,
        due: Option<Timestamp>,
    ) -> io::Result<()> {
        let seen = Seen { stamp: Stamp::of(about), policy: policy.to_owned(), due };
        let path = path.as_os_str().as_bytes();
        self.file.write_all(line(path, &seen).as_bytes())?;
        self.seen.insert(path.to_owned(), seen);
        Ok(())
    }

    /// When the last run was, for which time it was.
    pub fn last_run(&self) -> Option<Timestamp> {
        self.last_run
    }

    /// Whether the last run was a dry one of the same kind.
    pub fn was_rehearsed(&self, what: &str) -> bool {
        self.rehearsed.as_deref() == Some(what)
    }

    /// Ends a run: writes the journal anew, without what is no more, so that it does not grow for ever. `keeps` tells of
    /// which files entries stay.
    ///
    /// # Errors
    /// Those of write(2), fsync(2) and rename(2): then it is as it was.
    pub fn finish(
        self,
        now: Timestamp,
        rehearsed: Option<&str>,
        keeps: impl Fn(&Path) -> bool,
    ) -> io::Result<()> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let new = tempfile::NamedTempFile::new_in(folder)?;
        // Locked before it has the name: the next run must not come between.
        let _ = new.as_file().try_lock();
        let mut out = io::BufWriter::new(new.as_file());
        let last = if rehearsed.is_some() { self.last_run } else { Some(now) };
        let mut head = json!({"journal": VERSION, "logscrub": env!("CARGO_PKG_VERSION")});
        if let Some(last) = last {
            head["run"] = json!(last.to_string());
        }
        if let Some(rehearsed) = rehearsed {
            head["rehearsed"] = json!(rehearsed);
        }
        writeln!(out, "{head}")?;
        for (path, seen) in &self.seen {
            if keeps(Path::new(std::ffi::OsStr::from_bytes(path))) {
                out.write_all(line(path, seen).as_bytes())?;
            }
        }
        out.flush()?;
        drop(out);
        new.as_file().sync_all()?;
        new.persist(&self.path).map_err(|cause| cause.error)?;
        Ok(())
    }
}

/// What a line says of a file, with its path.
fn seen(entry: &Value) -> Option<(Vec<u8>, Seen)> {
    let path = entry["path"].as_str().and_then(path_from)?;
    let numbers = entry["stamp"].as_array()?.iter().filter_map(Value::as_i64);
    let stamp = numbers.collect::<Vec<i64>>().try_into().ok()?;
    let due = entry["due"].as_str().and_then(|text| text.parse().ok());
    Some((path, Seen { stamp: Stamp(stamp), policy: entry["policy"].as_str()?.to_owned(), due }))
}

fn line(path: &[u8], seen: &Seen) -> String {
    let mut entry = json!({"path": path_text(path), "stamp": seen.stamp.0, "policy": seen.policy});
    if let Some(due) = seen.due {
        entry["due"] = json!(due.to_string());
    }
    format!("{entry}\n")
}

/// A path as text from which it can be read again: bytes that are no UTF-8, and `%`, as `%XX`.
pub fn path_text(path: &[u8]) -> String {
    let mut text = String::with_capacity(path.len());
    for chunk in path.utf8_chunks() {
        text.push_str(&chunk.valid().replace('%', "%25"));
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("%{byte:02X}")));
    }
    text
}

/// The path that such a text means.
pub fn path_from(text: &str) -> Option<Vec<u8>> {
    let mut path = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, more)) = rest.split_first() {
        rest = more;
        if *byte != b'%' {
            path.push(*byte);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        path.push(u8::from_str_radix(digits, 16).ok()?);
        rest = rest.get(2..)?;
    }
    Some(path)
}
