//! [`Plan`]: the files of a run, and by what they are scrubbed.

use std::collections::HashSet;
use std::io::{self, IsTerminal};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::outcome::{Outcome, lock, sooner};
use crate::archive::journal::{Journal, path_text};
use crate::archive::rewrite::{Done, How, Shared, Skip};
use crate::archive::run::{Run, run as run_all};
use crate::archive::tree::{Entry, Root, links};
use crate::cli::args::Archive;
use crate::cli::exit::Exit;
use crate::cli::load::Scrubbers;
use crate::cli::print::{message, to_stderr, usage_fault};
use crate::cli::progress::{Progress, size};
use crate::policy::hold::Hold;
use crate::report::{Part, archive::Lines};
use crate::scrub::Scrubber;
use crate::stream::{Held, Place};
use crate::tally::Tally;

/// The files of a run, and by what they are scrubbed.
pub(super) struct Plan {
    /// Under the rules that were named and under those of sources.
    pub(super) scrubbers: Scrubbers,
    /// Of erasure, which does nothing else.
    pub(super) erasers: Option<Scrubbers>,
    /// Those that are to be looked at, with the number of the scrubber of each.
    pub(super) entries: Vec<Entry>,
    pub(super) by: Vec<usize>,
    /// The hold that each of them is under as a whole.
    pub(super) held: Vec<Option<Hold>>,
    /// How many are not, and when the first of those is.
    pub(super) passed_over: u64,
    pub(super) next_due: Option<Timestamp>,
    pub(super) policy: String,
    pub(super) now: Timestamp,
    pub(super) how: How,
    /// Where new files go; none: in place of the old ones.
    pub(super) into: Option<PathBuf>,
}

impl Plan {
    pub(super) fn new(
        args: &Archive,
        scrubbers: Scrubbers,
        erasers: Option<Scrubbers>,
        entries: Vec<Entry>,
        policy: String,
        now: Timestamp,
    ) -> Plan {
        let by =
            entries.iter().map(|entry| scrubbers.number_for(&Place::Path(entry.given.clone()))).collect();
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let how = How {
            threads: args.jobs.map_or_else(cores, usize::from),
            max_record: args.max_record,
            level: args.level,
            max_bytes: args.max_size,
            max_ratio: args.max_ratio,
            dry: args.dry_run,
            digests: args.report.as_ref().map(|_| scrubbers.get(0).key_of(now)),
        };
        Plan {
            scrubbers,
            erasers,
            entries,
            by,
            held: Vec::new(),
            passed_over: 0,
            next_due: None,
            policy,
            now,
            how,
            into: args.into.clone(),
        }
    }

    /// Takes the names of one file for one entry, if these are all and the rules say the same of each.
    pub(super) fn join_links(&mut self) {
        let is_alike = |one: usize, other: usize| {
            let holds = |number: usize| self.holds(number).map(|hold| &hold.name).collect::<Vec<_>>();
            self.by.get(one) == self.by.get(other) && holds(one) == holds(other)
        };
        let mut links = links(&self.entries);
        links.retain(|first, others| others.iter().all(|other| is_alike(*first, *other)));
        let joined: HashSet<usize> = links.values().flatten().copied().collect();
        for (first, others) in links {
            let others = others.iter().filter_map(|other| self.entries.get(*other).cloned()).collect();
            if let Some(entry) = self.entries.get_mut(first) {
                entry.links = others;
            }
        }
        let mut number = 0..;
        self.entries.retain(|_| !number.next().is_some_and(|number| joined.contains(&number)));
        let mut number = 0..;
        self.by.retain(|_| !number.next().is_some_and(|number| joined.contains(&number)));
    }

    /// Leaves out what the journal says is done, and finds out what is under a hold.
    pub(super) fn pass_over(&mut self, journal: Option<&Journal>) {
        if let Some(journal) = journal {
            self.pass_over_done(journal);
        }
        let is_whole = |hold: &&Hold| hold.records.is_empty();
        self.held =
            (0..self.entries.len()).map(|number| self.holds(number).find(is_whole).cloned()).collect();
    }

    /// The holds that cover a file or records in it.
    pub(super) fn holds(&self, number: usize) -> impl Iterator<Item = &Hold> {
        let holds = self.rules(number).policy().holds.iter().filter(|_| self.into.is_none());
        let path = self.entries.get(number).map(|entry| entry.given.as_path());
        holds.filter(move |hold| !hold.is_over(self.now) && path.is_some_and(|path| hold.covers_path(path)))
    }

    pub(super) fn pass_over_done(&mut self, journal: &Journal) {
        let (entries, by) = (std::mem::take(&mut self.entries), std::mem::take(&mut self.by));
        for (entry, by) in entries.into_iter().zip(by) {
            match journal.is_done(&entry.path, &entry.about, &self.policy_of(&entry), self.now) {
                Some(due) => {
                    self.passed_over += 1;
                    self.next_due = sooner(self.next_due, due);
                }
                None => {
                    self.entries.push(entry);
                    self.by.push(by);
                }
            }
        }
    }

    /// What decides what becomes of a file: the rules, and the name by which sources and holds know it.
    pub(super) fn policy_of(&self, entry: &Entry) -> String {
        match entry.given == entry.path {
            true => self.policy.clone(),
            false => format!("{} {}", self.policy, path_text(entry.given.as_os_str().as_bytes())),
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.entries.iter().map(|entry| entry.about.size()).sum()
    }

    /// What a dry run is remembered by.
    pub(super) fn rehearsal(&self, roots: &[Root]) -> String {
        let mut digest = Sha256::new();
        digest.update(&self.policy);
        for root in roots {
            digest.update(b"\0");
            digest.update(root.path.as_os_str().as_bytes());
        }
        digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Asks on a terminal, unless a dry run came before.
    pub(super) fn confirm(
        &self,
        args: &Archive,
        journal: Option<&Journal>,
        roots: &[Root],
    ) -> Result<(), Exit> {
        let is_asked = io::stdin().is_terminal() && io::stderr().is_terminal();
        let was_rehearsed = journal.is_some_and(|journal| journal.was_rehearsed(&self.rehearsal(roots)));
        let is_elsewhere = args.into.is_some() && self.replaced_elsewhere() == 0;
        let is_harmless = args.dry_run || is_elsewhere || self.entries.is_empty();
        if args.yes || is_harmless || was_rehearsed || !is_asked {
            return Ok(());
        }
        let title = &self.scrubbers.get(0).policy().title;
        to_stderr(&format!(
            "Rewrite {} files ({}) by the rules {title}, for good? [y/N] ",
            self.entries.len(),
            size(self.bytes())
        ));
        let mut answer = String::new();
        let read = io::stdin().read_line(&mut answer);
        match answer.trim() {
            "y" | "Y" | "yes" if read.is_ok() => Ok(()),
            _ => Err(usage_fault("nothing was done; --dry-run shows what would be")),
        }
    }

    /// By what the rules scrub a file.
    pub(super) fn rules(&self, number: usize) -> &Scrubber {
        self.scrubbers.get(self.by.get(number).copied().unwrap_or(0))
    }

    /// What changes a file in this run.
    pub(super) fn eraser(&self, number: usize) -> &Scrubber {
        let by = self.by.get(number).copied().unwrap_or(0);
        self.erasers.as_ref().unwrap_or(&self.scrubbers).get(by)
    }

    /// Where the file of that number is after the run.
    pub(super) fn place_of(&self, entry: &Entry) -> PathBuf {
        self.into.as_ref().map_or_else(|| entry.path.clone(), |into| into.join(entry.target()))
    }

    /// How many files in the directory for new ones bear the name of one. Who put them there nobody knows: an earlier run, or
    /// somebody who did not mean this directory.
    pub(super) fn replaced_elsewhere(&self) -> usize {
        let is_there = |entry: &&Entry| self.place_of(entry).symlink_metadata().is_ok();
        if self.into.is_some() { self.entries.iter().filter(is_there).count() } else { 0 }
    }

    /// By what a file is scrubbed in this run.
    pub(super) fn scrubber(&self, number: usize) -> Held<Scrubber> {
        let scrubber = self.eraser(number).clone();
        let path = self.entries.get(number).map(|entry| entry.given.as_path());
        // Of a file that is held as a whole is told what is due.
        let is_held = self.held.get(number).is_some_and(Option::is_some);
        let is_free = is_held || self.into.is_some();
        let holds = if is_free { &[] } else { self.rules(number).policy().holds.as_slice() };
        Held::new(scrubber, holds, path, self.now)
    }

    pub(super) fn part(&self, number: usize, tally: Tally) -> Part<'_> {
        let by = self.by.get(number).copied().unwrap_or(0);
        let source = self.scrubbers.iter().nth(by).and_then(|(source, _)| source.map(str::to_owned));
        Part { source, policy: self.erasers.as_ref().unwrap_or(&self.scrubbers).get(by).policy(), tally }
    }

    pub(super) fn run(
        &self,
        args: &Archive,
        roots: &[Root],
        journal: Option<Journal>,
        files: Option<Lines>,
        shared: &Shared,
    ) -> Outcome {
        let progress = Progress::new(self.entries.len(), self.bytes(), args.quiet);
        let outcome = Mutex::new(Outcome::new(self, journal, files));
        let each = |number: usize, done: Result<Done, Skip>| {
            lock(&outcome).take(self, number, done, &progress);
        };
        progress.during(shared, || self.run_files(roots, shared, &each));
        let mut outcome = outcome.into_inner().unwrap_or_else(PoisonError::into_inner);
        outcome.finish(self, args, roots);
        outcome
    }

    pub(super) fn run_files(
        &self,
        roots: &[Root],
        shared: &Shared,
        each: &(dyn Fn(usize, Result<Done, Skip>) + Sync),
    ) {
        let run = Run {
            roots,
            entries: &self.entries,
            scrubber: &|number| self.scrubber(number),
            is_held: &|number| self.held.get(number).is_some_and(Option::is_some),
            into: self.into.as_deref(),
            how: &self.how,
            shared,
        };
        run_all(&run, each);
    }

    /// The files as they are by now, for most of them are new ones.
    pub(super) fn as_they_are(&self) -> Vec<Entry> {
        let mut entries = self.entries.clone();
        for entry in &mut entries {
            if let Ok(about) = entry.path.symlink_metadata() {
                entry.about = about;
            }
        }
        entries
    }

    /// Looks once more for what was to be erased, under holds too. Whether any of it is left.
    pub(super) fn search_again(&self, roots: &[Root], shared: &Shared) -> bool {
        let found = Mutex::new((0_u64, 0_u64));
        let each = |_: usize, done: Result<Done, Skip>| {
            if let Ok(done) = done {
                let mut found = lock(&found);
                found.0 += 1;
                found.1 += done.tally.changed + done.tally.dropped + done.tally.withheld;
            }
        };
        let run = Run {
            roots,
            entries: &self.as_they_are(),
            scrubber: &|number| Held::new(self.eraser(number).clone(), &[], None, self.now),
            is_held: &|_| false,
            into: None,
            how: &How { dry: true, digests: None, ..self.how.clone() },
            shared,
        };
        run_all(&run, &each);
        let (files, records) = *lock(&found);
        message(&format!(
            "searched again: {records} records in {files} files still hold what was to be erased"
        ));
        records > 0
    }
}
