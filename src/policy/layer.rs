//! The files of one policy, each read once, in the order in which their rules are asked.

use std::cell::Cell;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::document::Document;
use super::fault::{Fault, Faults, Place, quoted, suggestion};
use super::packs::{self, PACKS};
use super::shape::{self, list};
use crate::error::reason;

/// A rules file of more bytes than this is refused.
const FILE_BYTES: u64 = 1 << 20;
/// Files of one policy.
const FILES: usize = 100;
/// Files in a chain of `extends`.
const CHAIN: usize = 20;

/// One file with its place among the others.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) doc: Document,
    /// What names of inherited rules begin with: `default/`. Empty for the file that was named.
    pub(crate) prefix: String,
    /// The folder that its paths are relative to; none for a pack.
    pub(crate) folder: Option<PathBuf>,
    identity: PathBuf,
    /// Syntax is right, so that what the file lacks can be judged.
    sound: bool,
}

/// Whether all files are TOML. Behind a fault of syntax the tree is a guess, and to judge its meaning would only
/// add noise.
pub(crate) fn are_sound(layers: &[Layer]) -> bool {
    layers.iter().all(|layer| layer.sound)
}

/// Those that were read from files.
pub(super) fn files(layers: &[Layer]) -> impl Iterator<Item = PathBuf> {
    layers.iter().filter(|layer| layer.folder.is_some()).map(|layer| layer.identity.clone())
}

/// A text to begin with.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) label: String,
    pub(crate) text: String,
    pub(crate) folder: Option<PathBuf>,
    identity: PathBuf,
    stem: String,
}

impl Source {
    pub(crate) fn text(label: &str, text: &str, folder: Option<&Path>) -> Result<Source, Faults> {
        if text.len() as u64 > FILE_BYTES {
            return Err(too_long(label, 0).into());
        }
        Ok(Source {
            label: label.to_owned(),
            text: text.to_owned(),
            folder: folder.map(Path::to_owned),
            identity: PathBuf::from(label),
            stem: stem(Path::new(label)),
        })
    }

    pub(crate) fn pack(name: &str) -> Option<Source> {
        let text = packs::text(name)?.to_owned();
        let label = format!("packs/{name}.toml");
        // No file has this identity: a colon and no folder.
        let identity = PathBuf::from(format!("pack:{name}"));
        Some(Source { label, text, folder: None, identity, stem: name.to_owned() })
    }

    /// Reads a file. `label` is its name in messages.
    pub(crate) fn file(path: &Path, label: &str, rank: usize) -> Result<Source, Fault> {
        let unreadable = |error: &std::io::Error| {
            Fault::of_file(label, rank, format!("cannot be read: {}", reason(error)))
        };
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(FILE_BYTES + 1).read_to_end(&mut bytes))
            .map_err(|error| unreadable(&error))?;
        if bytes.len() as u64 > FILE_BYTES {
            return Err(too_long(label, rank));
        }
        let text = String::from_utf8(bytes).map_err(|error| not_utf8(label, rank, error.as_bytes()))?;
        Ok(Source {
            label: label.to_owned(),
            text,
            folder: Some(path.parent().unwrap_or(Path::new("")).to_owned()),
            // A pipe has no canonical path, and extends nothing that could lead back to it.
            identity: path.canonicalize().unwrap_or_else(|_| path.to_owned()),
            stem: stem(path),
        })
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}

fn too_long(label: &str, rank: usize) -> Fault {
    Fault::of_file(label, rank, format!("longer than {FILE_BYTES} bytes"))
        .help("long lists of words belong into a file of [lists]")
}

/// Says where the first byte stands that is not UTF-8.
fn not_utf8(label: &str, rank: usize, bytes: &[u8]) -> Fault {
    let good = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), |_| bytes.len());
    let text = String::from_utf8_lossy(bytes);
    Place { file: label, rank, text: &text, made: &Cell::new(0) }
        .fault(&(good..good + 1), "not UTF-8")
        .help("a rules file is TOML, which is UTF-8 text")
}

/// The source that was named on the command line: a pack or a file.
pub(crate) fn named(reference: &str) -> Result<Source, Faults> {
    if packs::is_pack_name(reference) {
        return Source::pack(reference)
            .ok_or_else(|| no_pack(Fault::of_file(reference, 0, ""), reference).into());
    }
    Source::file(Path::new(reference), reference, 0).map_err(Faults::from)
}

pub(super) fn no_pack(mut fault: Fault, name: &str) -> Fault {
    let names = || PACKS.iter().map(|(pack, _)| *pack);
    let meant = suggestion(name, names()).map_or(String::new(), |meant| format!("did you mean `{meant}`? "));
    fault.message = format!("no pack is called {}", quoted(name));
    fault
        .help(format!("{meant}the packs are: {}", list(names())))
        .help("the name of a file holds a `/` or ends with .toml: ./rules.toml")
}

/// Reads the file and all that it extends, depth first.
pub(crate) fn load(source: Source) -> (Vec<Layer>, Faults) {
    let mut loader = Loader::default();
    loader.add(source, String::new());
    (loader.layers, loader.faults)
}

#[derive(Default)]
struct Loader {
    layers: Vec<Layer>,
    /// Identities of the files between the first and this one.
    chain: Vec<PathBuf>,
    faults: Faults,
}

impl Loader {
    fn add(&mut self, source: Source, prefix: String) {
        let rank = self.layers.len();
        let (doc, syntax) = Document::read(&source.label, rank, source.text);
        let sound = syntax.is_empty();
        self.judge_shape(&doc, syntax);
        let references: Vec<(String, std::ops::Range<usize>)> =
            doc.root.texts("extends").map(|(text, span)| (text.to_owned(), span.clone())).collect();
        self.chain.push(source.identity.clone());
        self.layers.push(Layer { doc, prefix, folder: source.folder, identity: source.identity, sound });
        for (reference, span) in references {
            if let Err(fault) = self.extend(rank, &reference, &span) {
                self.faults.push(fault);
            }
        }
        self.chain.pop();
    }

    /// Behind a syntax fault the tree is a guess, so that only what stands before it is judged.
    fn judge_shape(&mut self, doc: &Document, syntax: Faults) {
        let mut faults = Faults::default();
        shape::check(doc, &mut faults);
        if syntax.is_empty() {
            return self.faults.append(faults);
        }
        let first = syntax.iter().map(|fault| fault.line).min().unwrap_or(usize::MAX);
        faults.iter().filter(|fault| fault.line < first).for_each(|fault| self.faults.push(fault.clone()));
        self.faults.append(syntax);
    }

    fn extend(&mut self, from: usize, reference: &str, span: &std::ops::Range<usize>) -> Result<(), Fault> {
        let rank = self.layers.len();
        let fault = |loader: &Loader, message: String| loader.layers[from].doc.fault(span, message);
        let source = if packs::is_pack_name(reference) {
            Source::pack(reference).ok_or_else(|| no_pack(fault(self, String::new()), reference))?
        } else {
            let Some(folder) = &self.layers[from].folder else {
                return Err(fault(self, "a path needs a folder to be relative to".to_owned()));
            };
            let path = folder.join(reference);
            Source::file(&path, &path.to_string_lossy(), rank).map_err(|inner| {
                if inner.line > 0 {
                    inner
                } else {
                    fault(self, format!("{} {}", quoted(reference), inner.message))
                }
            })?
        };
        if self.chain.contains(&source.identity) {
            return Err(fault(self, format!("{} extends itself, through this file", quoted(reference))));
        }
        if self.layers.iter().any(|layer| layer.identity == source.identity) {
            return Ok(()); // its rules were already asked, and asking them again decides nothing
        }
        let prefix = format!("{}/", source.stem);
        if self.layers.iter().any(|layer| layer.prefix == prefix) {
            let message = format!("two files called {} in one policy", quoted(&source.stem));
            return Err(fault(self, message).help("rename one: the names of their rules begin with it"));
        }
        if self.layers.len() >= FILES || self.chain.len() >= CHAIN {
            return Err(fault(self, format!("more than {FILES} files, or {CHAIN} in a chain")));
        }
        self.add(source, prefix);
        Ok(())
    }
}
