//! Stand-ins for the scrubber, to see what becomes of files whose scrubber does what none may do.

use std::ffi::OsStr;

use logscrub::archive::rewrite::{Done, How, Shared, Skip, To, rewrite};
use logscrub::archive::tree::Folder;
use logscrub::stream::Scrub;
use logscrub::tally::Tally;

use crate::site::{Form, Site, text};

/// What becomes of each line.
#[derive(Clone)]
pub(crate) struct Lines {
    line: fn(&[u8], u64, &mut Vec<u8>),
    tally: Tally,
}

impl Lines {
    pub(crate) fn new(line: fn(&[u8], u64, &mut Vec<u8>)) -> Lines {
        Lines { line, tally: Tally::default() }
    }

    /// One that does what it should.
    pub(crate) fn good() -> Lines {
        Lines::new(|line, _, out| {
            out.extend_from_slice(String::from_utf8_lossy(line).replace("ana", "...").as_bytes());
        })
    }
}

impl Scrub for Lines {
    fn scrub(&mut self, block: &[u8], out: &mut Vec<u8>) {
        for line in block.split_inclusive(|byte| *byte == b'\n') {
            (self.line)(line, self.tally.records, out);
            self.tally.records += 1;
        }
    }

    fn scrub_piece(&mut self, piece: &[u8], _: bool, out: &mut Vec<u8>) {
        out.extend_from_slice(piece);
    }

    fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }
}

pub(crate) fn how() -> How {
    How {
        threads: 1,
        max_record: 1 << 20,
        level: None,
        max_bytes: 1 << 40,
        max_ratio: 1000,
        dry: false,
        digests: None,
    }
}

pub(crate) fn rewritten(folder: &Folder, name: &str, by: &Lines) -> Result<Done, Skip> {
    let name = OsStr::new(name);
    let listed = folder.read(name).unwrap().metadata().unwrap();
    rewrite((folder, name), &listed, To::Place, by, &how(), &Shared::default())
}

/// Rewrites a file by a stand-in; what came of it, once it is sure that the file is as it was unless all went well.
fn outcome(form: Form, by: &Lines) -> Result<Done, Skip> {
    let site = Site::new();
    let old = form.encoded(&text(20).0);
    let path = site.file("a.log", &old);
    let done = rewritten(&Folder::open(&site.tree).unwrap(), "a.log", by);
    assert_eq!(std::fs::read(path).unwrap() == old, done.is_err(), "{done:?}");
    assert!(site.leftovers().is_empty());
    done
}

#[test]
fn what_a_scrubber_may_not_do_is_refused() {
    for form in Form::ALL {
        assert!(outcome(form, &Lines::good()).unwrap().changed);
        let refused = |by: fn(&[u8], u64, &mut Vec<u8>), why: &str| match outcome(form, &Lines::new(by)) {
            Err(Skip::Output(told)) => assert!(told.ends_with(why), "{form:?}: {told}"),
            other => panic!("{form:?} {why}: {other:?}"),
        };
        // The output of which is not its own.
        refused(
            |line, _, out| {
                out.push(b'x');
                out.extend_from_slice(line);
            },
            "the rules would change it once more",
        );
        // That loses a record, or invents one.
        refused(
            |line, number, out| {
                if number != 7 {
                    out.extend_from_slice(line);
                }
            },
            "a record is missing",
        );
        refused(
            |line, number, out| {
                out.extend_from_slice(line);
                if number == 7 {
                    out.extend_from_slice(b"one more\n");
                }
            },
            "a record is missing",
        );
        // That joins two records.
        refused(
            |line, number, out| {
                let end = line.len() - usize::from(number == 7);
                out.extend_from_slice(&line[..end]);
            },
            "a record is missing",
        );
    }
}

#[test]
fn a_scrubber_that_panics_leaves_the_file() {
    let done = outcome(Form::Plain, &Lines::new(|_, number, _| assert!(number < 7)));
    assert!(matches!(done, Err(Skip::Output(_))), "{done:?}");
}
