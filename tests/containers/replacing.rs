//! Members that replace one word by another, and note all that they are told. The tests share it with the fuzz target.

use std::fs::File;
use std::io::{self, Cursor, Read, Write};

use logscrub::archive::container::{About, HEAD, Members, Verdict, rewrite_tar, rewrite_zip};

/// Takes what holds no NUL, and puts `to` where `from` stands.
pub(crate) struct Replacing {
    pub(crate) from: &'static [u8],
    pub(crate) to: &'static [u8],
    /// Takes nothing if false.
    pub(crate) takes: bool,
    /// What was taken, and what was written in its place.
    pub(crate) taken: Vec<(About, Vec<u8>)>,
    pub(crate) offered: Vec<About>,
    pub(crate) left_alone: Vec<(Vec<u8>, &'static str)>,
}

impl Replacing {
    pub(crate) fn new(from: &'static [u8], to: &'static [u8]) -> Replacing {
        Replacing { from, to, takes: true, taken: vec![], offered: vec![], left_alone: vec![] }
    }

    /// Takes no member.
    pub(crate) fn nothing() -> Replacing {
        Replacing { takes: false, ..Replacing::new(b"", b"") }
    }

    /// The reference.
    pub(crate) fn replaced(&self, content: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = content;
        while let Some((first, tail)) = rest.split_first() {
            match rest.strip_prefix(self.from).filter(|_| !self.from.is_empty()) {
                Some(tail) => {
                    out.extend_from_slice(self.to);
                    rest = tail;
                }
                None => {
                    out.push(*first);
                    rest = tail;
                }
            }
        }
        out
    }

    pub(crate) fn tar(&mut self, input: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        rewrite_tar(&mut Trickling(input), &mut out, &new_file, self)?;
        Ok(out)
    }

    pub(crate) fn zip(&mut self, input: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        rewrite_zip(&mut Cursor::new(input), &mut out, &new_file, self, None)?;
        Ok(out)
    }
}

fn new_file() -> io::Result<File> {
    tempfile::tempfile()
}

/// Reads that stop at odd places.
struct Trickling<'a>(&'a [u8]);

impl Read for Trickling<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(1 + self.0.len() % 4099);
        self.0.read(&mut buffer[..most])
    }
}

impl Members for Replacing {
    fn takes(&mut self, about: &About, head: &[u8]) -> bool {
        assert_eq!(head.len() as u64, about.size.min(HEAD as u64));
        self.offered.push(about.clone());
        self.takes && !head.contains(&0)
    }

    fn member(
        &mut self,
        about: &About,
        content: &mut (dyn Read + Send),
        out: &mut (dyn Write + Send),
    ) -> io::Result<Verdict> {
        let mut all = Vec::new();
        content.read_to_end(&mut all)?;
        assert_eq!(all.len() as u64, about.size);
        let replaced = self.replaced(&all);
        for piece in replaced.chunks(70_000) {
            out.write_all(piece)?;
        }
        let verdict = if replaced == all { Verdict::Kept } else { Verdict::Scrubbed };
        self.taken.push((about.clone(), replaced));
        Ok(verdict)
    }

    fn left_alone(&mut self, about: &About, why: &'static str) {
        self.left_alone.push((about.name.clone(), why));
    }
}
