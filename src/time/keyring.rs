//! The keyring: a TOML file of random 256-bit keys, one a period.
//!
//! ```toml
//! version = 1
//!
//! [[key]]
//! id     = "3f9x2q"                # fingerprint of the secret, as it stands in pseudonyms
//! from   = "2026-01-01T00:00:00Z"  # first moment that it serves; absent: since ever
//! until  = "2026-01-31T00:00:00Z"  # first moment that it no longer serves; absent: for ever
//! secret = "…"                     # 64 hexadecimal digits
//! ```
//!
//! The file is checked as it was opened: a regular file that nobody but its owner can read, below
//! directories in which nobody else can exchange it.

use std::fmt::Write as _;
use std::fs::{File, Metadata};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use zeroize::{Zeroize, Zeroizing};

use crate::error::{Error, reason};

/// Largest keyring that is read. Ten keys a day for a hundred years stay below it.
const MAX_KEYRING_BYTES: u64 = 64 << 20;

/// One key and the time that it serves.
pub struct Period {
    /// First moment, if there is one.
    pub from: Option<Timestamp>,
    /// First moment after, if there is one.
    pub until: Option<Timestamp>,
    /// Fingerprint of the secret.
    pub id: String,
    /// The secret; zeroed when dropped.
    pub secret: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for Period {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Period").field("id", &self.id).finish_non_exhaustive()
    }
}

/// All keys of one file.
#[derive(Debug)]
pub struct Keyring {
    /// At least one, in the order of their times.
    pub periods: Vec<Period>,
}

impl Keyring {
    /// Reads a keyring and checks the file, its folder and every key in it. `id_of` gives the fingerprint of
    /// a secret.
    ///
    /// # Errors
    /// The file cannot be read, others have rights to it, or it is not a keyring. The text names the file
    /// and what to do, and holds no part of a key.
    pub fn open(path: &Path, id_of: fn(&[u8; 32]) -> String) -> Result<Keyring, Error> {
        let fault = |what: String| Error::new(format!("keyring {}: {what}", path.display()));
        let mut file = File::options()
            .read(true)
            .custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32) // a FIFO must not stop the start
            .open(path)
            .map_err(|cause| fault(reason(&cause)))?;
        let about = file.metadata().map_err(|cause| fault(reason(&cause)))?;
        check_file(&about).map_err(fault)?;
        check_folders(path).map_err(fault)?;
        let mut text = Zeroizing::new(String::new());
        Read::by_ref(&mut file)
            .take(MAX_KEYRING_BYTES)
            .read_to_string(&mut text)
            .map_err(|_| fault("it is not a text file".to_owned()))?;
        parse(&text, id_of).map_err(fault)
    }

    /// The key that serves at that moment.
    pub fn at(&self, moment: Timestamp) -> Option<&Period> {
        self.periods.iter().find(|period| {
            period.from.is_none_or(|from| from <= moment) && period.until.is_none_or(|until| moment < until)
        })
    }
}

/// Writes a new keyring with one random key that serves for ever and returns the id of the key.
///
/// # Errors
/// The file is there already, or cannot be written.
pub fn create(path: &Path, id_of: fn(&[u8; 32]) -> String) -> Result<String, Error> {
    let fault = |what: String| Error::new(format!("keyring {}: {what}", path.display()));
    let mut secret = Zeroizing::new([0_u8; 32]);
    getrandom::fill(&mut *secret).map_err(|_| fault("the system gave no random bytes".to_owned()))?;
    let id = id_of(&secret);
    let mut text = Zeroizing::new(String::from(HEADER));
    let _ = write!(text, "\n[[key]]\nid     = \"{id}\"\nsecret = \"");
    for byte in secret.iter() {
        let _ = write!(text, "{byte:02x}");
    }
    text.push_str("\"\n");
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Beside the target and linked into place when complete: an existing keyring is never overwritten.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|cause| fault(reason(&cause)))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.as_file().sync_all())
        .map_err(|cause| fault(reason(&cause)))?;
    file.persist_noclobber(path).map_err(|cause| fault(reason(&cause.error)))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|cause| fault(reason(&cause)))?;
    Ok(id)
}

const HEADER: &str = "\
# Keys of logscrub. Whoever holds this file can test a pseudonym against a value: keep it from the logs.
version = 1
";

fn check_file(about: &Metadata) -> Result<(), String> {
    if !about.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    if about.mode() & 0o027 != 0 {
        let mode = about.mode() & 0o7777;
        return Err(format!(
            "others have rights to it (mode {mode:04o}): chmod 0600, or 0640 with a group of its own"
        ));
    }
    check_owner(about).map_err(|uid| format!("it belongs to user {uid}, neither to root nor to you"))
}

fn check_owner(about: &Metadata) -> Result<(), u32> {
    let own = rustix::process::geteuid().as_raw();
    if about.uid() == 0 || about.uid() == own { Ok(()) } else { Err(about.uid()) }
}

/// No folder above may be writable by others, unless its sticky bit keeps them from exchanging entries that
/// are not theirs. Symbolic links are followed first: Kubernetes mounts secrets through them.
fn check_folders(path: &Path) -> Result<(), String> {
    let target = path.canonicalize().map_err(|cause| reason(&cause))?;
    for folder in target.ancestors().skip(1) {
        let about = folder.metadata().map_err(|cause| reason(&cause))?;
        let open_to_others = about.mode() & 0o022 != 0 && about.mode() & 0o1000 == 0;
        if open_to_others || check_owner(&about).is_err() {
            return Err(format!(
                "others can exchange it: they can write to {}",
                PathBuf::from(folder).display()
            ));
        }
    }
    Ok(())
}

fn parse(text: &str, id_of: fn(&[u8; 32]) -> String) -> Result<Keyring, String> {
    // The parser's own message may quote a line of the file, and so a key: only its place is passed on.
    let table = text.parse::<toml::Table>().map_err(|cause| match cause.span() {
        Some(span) => format!("line {} is not TOML", 1 + text[..span.start].matches('\n').count()),
        None => "it is not TOML".to_owned(),
    })?;
    if let Some(unknown) = table.keys().find(|key| !matches!(key.as_str(), "version" | "key")) {
        return Err(format!("unknown key of {} bytes; it takes version and [[key]]", unknown.len()));
    }
    if table.get("version").and_then(toml::Value::as_integer) != Some(1) {
        return Err("it does not say version = 1".to_owned());
    }
    let entries = table.get("key").and_then(toml::Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut periods = Vec::new();
    for (number, entry) in entries.iter().enumerate() {
        let fault = |what: &str| format!("key {}: {what}", number + 1);
        let entry = entry.as_table().ok_or_else(|| fault("is not a table"))?;
        periods.push(period(entry, id_of).map_err(|what| fault(&what))?);
    }
    periods.sort_by_key(|period| period.from);
    match periods.windows(2).find(|pair| pair[0].until.is_none() || pair[0].until > pair[1].from) {
        Some(pair) => Err(format!("the keys {} and {} serve at the same time", pair[0].id, pair[1].id)),
        None if periods.is_empty() => Err("it holds no key".to_owned()),
        None => Ok(Keyring { periods }),
    }
}

fn period(entry: &toml::Table, id_of: fn(&[u8; 32]) -> String) -> Result<Period, String> {
    if entry.keys().any(|key| !matches!(key.as_str(), "id" | "from" | "until" | "secret")) {
        return Err("unknown key; it takes id, from, until and secret".to_owned());
    }
    let secret = entry
        .get("secret")
        .and_then(toml::Value::as_str)
        .and_then(unhex)
        .ok_or("secret is not 64 hexadecimal digits")?;
    if secret.iter().all(|byte| *byte == secret[0]) {
        return Err("secret is no random key".to_owned());
    }
    let id = id_of(&secret);
    if entry.get("id").and_then(toml::Value::as_str) != Some(id.as_str()) {
        return Err("id is not the fingerprint of its secret: the file was damaged".to_owned());
    }
    let (from, until) = (moment(entry, "from")?, moment(entry, "until")?);
    if from.zip(until).is_some_and(|(from, until)| from >= until) {
        return Err("from is not before until".to_owned());
    }
    Ok(Period { from, until, id, secret })
}

fn moment(entry: &toml::Table, key: &str) -> Result<Option<Timestamp>, String> {
    let Some(value) = entry.get(key) else { return Ok(None) };
    let text = value.as_str().ok_or_else(|| format!("{key} is not a text"))?;
    text.parse().map(Some).map_err(|_| format!("{key} is not a time as in 2026-01-31T00:00:00Z (RFC 3339)"))
}

fn unhex(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut secret = Zeroizing::new([0; 32]);
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in secret.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(secret)
}

impl Drop for Keyring {
    fn drop(&mut self) {
        self.periods.iter_mut().for_each(|period| period.secret.zeroize());
    }
}
