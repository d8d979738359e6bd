//! [`Spool`]: where new content waits until its length is known.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, Write};

/// Opens an empty file that has no name and that nobody else can read.
pub type NewFile<'a> = &'a (dyn Fn() -> io::Result<File> + Sync);

/// How much waits in memory.
const IN_MEMORY: usize = 1 << 20;

/// New content of a member: in memory while it is short, then in a file. Only what was scrubbed is put into it.
pub(super) struct Spool<'a> {
    memory: Vec<u8>,
    file: Option<File>,
    length: u64,
    new: NewFile<'a>,
}

impl<'a> Spool<'a> {
    pub(super) fn new(new: NewFile<'a>) -> Spool<'a> {
        Spool { memory: Vec::new(), file: None, length: 0, new }
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn copy_to(mut self, out: &mut (dyn Write + Send)) -> io::Result<()> {
        let mut content: Box<dyn Read> = match self.file.take() {
            None => Box::new(Cursor::new(self.memory)),
            Some(mut file) => {
                file.write_all(&self.memory)?;
                file.rewind()?;
                Box::new(file)
            }
        };
        super::copy(&mut content, self.length, out)
    }
}

impl Write for Spool<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.memory.len().saturating_add(bytes.len()) > IN_MEMORY {
            if self.file.is_none() {
                self.file = Some((self.new)()?);
            }
            if let Some(file) = &mut self.file {
                file.write_all(&self.memory)?;
                file.write_all(bytes)?;
                self.memory.clear();
            }
        } else {
            self.memory.extend_from_slice(bytes);
        }
        self.length = self.length.saturating_add(bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
