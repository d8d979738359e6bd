//! A place to work in: a tree, rules and a journal beside it; and ways to look at what became of it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{Cursor, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;
use zip::write::SimpleFileOptions;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_logscrub");

pub(crate) const RULES: &str = "[[rule]]\nfind = [\"email\"]\naction = \"redact\"\n";

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Plain,
    Gzip,
    Zstd,
    /// Of one member, which is read here and there.
    Zip,
}

impl Form {
    pub(crate) const ALL: [Form; 4] = [Form::Plain, Form::Gzip, Form::Zstd, Form::Zip];

    pub(crate) fn encoded(self, text: &[u8]) -> Vec<u8> {
        match self {
            Form::Plain => text.to_vec(),
            Form::Gzip => gzip(text),
            Form::Zstd => zstd::encode_all(text, 3).unwrap(),
            Form::Zip => zip_of(text),
        }
    }

    /// What is in it, if all of it can be read.
    pub(crate) fn decoded(self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self {
            Form::Plain => Some(bytes.to_vec()),
            Form::Gzip => {
                let mut text = Vec::new();
                flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut text).ok()?;
                Some(text)
            }
            Form::Zstd => zstd::decode_all(bytes).ok(),
            Form::Zip => member_of_zip(bytes),
        }
    }
}

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn tar_of(text: &[u8]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, "a.log", text).unwrap();
    tar.into_inner().unwrap()
}

pub(crate) fn zip_of(text: &[u8]) -> Vec<u8> {
    zip_of_many(text, 1)
}

pub(crate) fn zip_of_many(text: &[u8], members: usize) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for member in 0..members {
        zip.start_file(format!("{member}.log"), SimpleFileOptions::default()).unwrap();
        zip.write_all(text).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

pub(crate) fn member_of_zip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    zip::ZipArchive::new(Cursor::new(bytes)).ok()?.by_index(0).ok()?.read_to_end(&mut text).ok()?;
    Some(text)
}

/// Lines with an address each, and what is to be left of them.
pub(crate) fn text(lines: usize) -> (Vec<u8>, Vec<u8>) {
    let with = |address: &dyn Fn(usize) -> String| {
        (0..lines).flat_map(|n| format!("line {n} of {} and more\n", address(n)).into_bytes()).collect()
    };
    (with(&|n| format!("ana{n}@example.com")), with(&|_| "[email]".to_owned()))
}

pub(crate) struct Site {
    folder: TempDir,
    /// What is to be rewritten.
    pub(crate) tree: PathBuf,
}

impl Site {
    pub(crate) fn new() -> Site {
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path().join("tree");
        fs::create_dir(&tree).unwrap();
        fs::write(folder.path().join("rules.toml"), RULES).unwrap();
        Site { folder, tree }
    }

    /// A path beside the tree.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn file(&self, name: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.tree.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// The arguments of a run over the tree, without a journal if `more` names none.
    pub(crate) fn args(&self, more: &[&str]) -> Vec<String> {
        let paths =
            [self.beside("rules.toml"), self.tree.clone()].map(|path| path.to_str().unwrap().to_owned());
        let mut args = vec!["archive".to_owned(), "-r".to_owned()];
        args.extend(paths);
        args.extend(more.iter().map(|arg| (*arg).to_owned()));
        if !more.contains(&"--journal") {
            args.push("--no-journal".to_owned());
        }
        args
    }

    /// The same with the journal beside the tree.
    pub(crate) fn args_with_journal(&self, more: &[&str]) -> Vec<String> {
        let journal = self.beside("journal");
        let more: Vec<&str> =
            ["--journal", journal.to_str().unwrap()].into_iter().chain(more.iter().copied()).collect();
        self.args(&more)
    }

    pub(crate) fn run(&self, more: &[&str]) -> Ran {
        ran(program(&self.args(more)))
    }

    pub(crate) fn run_with_journal(&self, more: &[&str]) -> Ran {
        ran(program(&self.args_with_journal(more)))
    }

    /// Names of new files on their way that lie about.
    pub(crate) fn leftovers(&self) -> Vec<PathBuf> {
        let is_leftover = |path: &PathBuf| path.file_name().unwrap().as_bytes().starts_with(b".logscrub-");
        all_paths(&self.tree).into_iter().filter(is_leftover).collect()
    }
}

pub(crate) fn program<A: AsRef<OsStr>>(args: &[A]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(args).env_clear().stdin(Stdio::null());
    command
}

/// How a run ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn ran(mut command: Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

fn all_paths(folder: &Path) -> Vec<PathBuf> {
    walkdir::WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .collect()
}

/// All that can be told of a tree: kinds, contents, owners, modes, times and numbers of files.
pub(crate) fn picture(folder: &Path) -> BTreeMap<PathBuf, String> {
    let told = |path: &PathBuf| {
        let about = path.symlink_metadata().unwrap();
        let content = match () {
            () if about.is_file() => format!("{:?}", fs::read(path).unwrap()),
            () if about.is_symlink() => format!("{:?}", fs::read_link(path).unwrap()),
            () => String::new(),
        };
        let (owner, times) = ((about.uid(), about.gid()), (about.mtime(), about.mtime_nsec()));
        let times = if about.is_dir() { (0, 0) } else { times };
        format!("{:o} {} {owner:?} {times:?} {} {content}", about.mode(), about.ino(), about.nlink())
    };
    all_paths(folder).into_iter().map(|path| (path.clone(), told(&path))).collect()
}
