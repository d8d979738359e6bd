//! [`Outcome`]: what a run did, told while it goes on and at its end.

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::plan::Plan;
use crate::archive::journal::Journal;
use crate::archive::rewrite::{Done, Skip};
use crate::archive::tree::{Note, Root};
use crate::cli::args::Archive;
use crate::cli::exit::Exit;
use crate::cli::print::{message, to_stdout};
use crate::cli::progress::{Progress, size};
use crate::error::reason;
use crate::report::{self, text::columns};
use crate::tally::Tally;

/// What a run did so far.
pub(super) struct Outcome {
    pub(super) journal: Option<Journal>,
    pub(super) files: Option<report::archive::Lines>,
    pub(super) reached: usize,
    pub(super) rewritten: u64,
    pub(super) unchanged: u64,
    pub(super) left_out: u64,
    pub(super) inputs_failed: u64,
    pub(super) outputs_failed: u64,
    pub(super) stopped: u64,
    pub(super) held: u64,
    pub(super) members_left: u64,
    pub(super) members_held: u64,
    /// Something that was to be erased was found again.
    pub(super) is_left: bool,
    pub(super) next_due: Option<Timestamp>,
    /// By scrubber.
    pub(super) tallies: Vec<Tally>,
    /// By year of the record, rule, kind and action.
    pub(super) by_year: BTreeMap<[String; 4], u64>,
}

impl Outcome {
    pub(super) fn new(
        plan: &Plan,
        journal: Option<Journal>,
        files: Option<report::archive::Lines>,
    ) -> Outcome {
        Outcome {
            journal,
            files,
            reached: 0,
            rewritten: 0,
            unchanged: 0,
            left_out: 0,
            inputs_failed: 0,
            outputs_failed: 0,
            stopped: 0,
            held: 0,
            members_left: 0,
            members_held: 0,
            is_left: false,
            next_due: plan.next_due,
            tallies: vec![Tally::default(); plan.scrubbers.iter().count()],
            by_year: BTreeMap::new(),
        }
    }

    pub(super) fn take(&mut self, plan: &Plan, number: usize, done: Result<Done, Skip>, progress: &Progress) {
        let Some(entry) = plan.entries.get(number) else { return };
        self.reached += 1;
        progress.done(self.reached, plan.entries.len());
        let place = plan.place_of(entry);
        let path = place.as_os_str().as_bytes();
        let name = entry.path.display();
        match &done {
            Ok(done) if plan.held.get(number).is_some_and(Option::is_some) => {
                self.take_held(plan, number, done, progress);
            }
            Ok(done) => {
                let part = plan.part(number, done.tally.clone());
                self.add_file(number, report::archive::done(path, &entry.links, done, &part));
                self.note(plan, number, done, progress);
                if let Some(fault) = &done.fault {
                    self.outputs_failed += 1;
                    progress.warn(&format!("{name}: rewritten, but {fault}"));
                }
                if done.changed {
                    let Tally { records, changed, withheld, dropped, .. } = done.tally;
                    let would = if plan.how.dry { "would be " } else { "" };
                    progress.line(&format!(
                        "{name}: {records} records, {changed} {would}changed, {withheld} withheld, {dropped} dropped"
                    ));
                }
                for (member, hold) in &done.held {
                    let member = String::from_utf8_lossy(member);
                    progress.line(&format!(
                        "{name}!{member}: held until {} ({})",
                        hold.until_date(),
                        hold.name
                    ));
                }
                for (member, why) in &done.members {
                    progress
                        .warn(&format!("{name}!{}: not scrubbed: {why}", String::from_utf8_lossy(member)));
                }
            }
            Err(skip) => {
                self.add_file(number, report::archive::skipped(path, skip));
                match skip {
                    Skip::LeftOut(why) => {
                        self.left_out += 1;
                        progress.warn(&format!("{name}: not scrubbed: {why}"));
                    }
                    Skip::Input(why, decoded) => {
                        self.inputs_failed += 1;
                        progress
                            .warn(&format!("{name}: {why}; left as it is, {} could be read", size(*decoded)));
                    }
                    Skip::Output(why) => {
                        self.outputs_failed += 1;
                        progress.warn(&format!("{name}: {why}; left as it is"));
                    }
                    Skip::Stopped => self.stopped += 1,
                }
            }
        }
    }

    /// A file that is under a hold: what would have been done in it is told, and when the hold ends.
    pub(super) fn take_held(&mut self, plan: &Plan, number: usize, done: &Done, progress: &Progress) {
        let (Some(entry), Some(Some(hold))) = (plan.entries.get(number), plan.held.get(number)) else {
            return;
        };
        self.held += 1;
        self.next_due = sooner(self.next_due, Some(hold.until));
        let part = plan.part(number, done.tally.clone());
        self.add_file(number, report::archive::held(entry, hold, done, &part));
        let Tally { changed, dropped, .. } = done.tally;
        progress.line(&format!(
            "{}: held until {} ({}): {changed} records would be changed, {dropped} dropped",
            entry.path.display(),
            hold.until_date(),
            hold.name
        ));
    }

    fn add_file(&mut self, number: usize, file: report::archive::File) {
        if let Some(files) = &mut self.files {
            files.add(number, &file);
        }
    }

    pub(super) fn note(&mut self, plan: &Plan, number: usize, done: &Done, progress: &Progress) {
        let (Some(entry), Some(by)) = (plan.entries.get(number), plan.by.get(number)) else { return };
        match done.changed {
            true => self.rewritten += 1,
            false => self.unchanged += 1,
        }
        self.members_left += done.members.len() as u64;
        self.members_held += done.held.len() as u64;
        // When the hold on a record ends, it is to be looked at again.
        let ends = plan.holds(number).map(|hold| hold.until).min();
        let due = sooner(done.tally.due, ends);
        self.next_due = sooner(self.next_due, due);
        self.tallies.get_mut(*by).into_iter().for_each(|tally| tally.add(&done.tally));
        if plan.how.dry {
            for (year, [rule, kind, action], count) in plan.part(number, done.tally.clone()).by_year() {
                let year = year.map_or_else(|| "undated".to_owned(), |year| year.to_string());
                let row = [year, rule.to_owned(), kind.to_owned(), action.to_owned()];
                *self.by_year.entry(row).or_default() += count;
            }
        } else if done.members.is_empty()
            && done.fault.is_none()
            && let Some(journal) = &mut self.journal
            && let Err(cause) = journal.note(&entry.path, &done.about, &plan.policy_of(entry), due)
        {
            progress.warn(&format!("journal: {}", reason(&cause)));
            self.journal = None; // what it lacks is looked at again
        }
    }

    /// Closes the journal.
    pub(super) fn finish(&mut self, plan: &Plan, args: &Archive, roots: &[Root]) {
        let Some(journal) = self.journal.take() else { return };
        let listed: HashSet<&Path> = plan.entries.iter().map(|entry| entry.path.as_path()).collect();
        let is_there =
            |path: &Path| listed.contains(path) || path.symlink_metadata().is_ok_and(|about| about.is_file());
        let rehearsal = args.dry_run.then(|| plan.rehearsal(roots));
        if self.stopped > 0 {
            return; // what was done stands in it
        }
        if let Err(cause) = journal.finish(plan.now, rehearsal.as_deref(), is_there) {
            message(&format!("journal: {}", reason(&cause)));
        }
    }

    /// Says what was done, and what was not.
    pub(super) fn tell(&self, plan: &Plan, args: &Archive, notes: &[Note]) -> Exit {
        for note in notes {
            match note {
                Note::NoFile(..) => {}
                Note::LeftOut(path, why) => message(&format!("{}: not scrubbed: {why}", path.display())),
                Note::Unreadable(path, why) => message(&format!("{}: {why}", path.display())),
            }
        }
        let told = match args.dry_run {
            true => to_stdout(self.years().as_bytes()),
            false => Exit::Done,
        };
        if !args.quiet {
            let count = self.tallies.iter().map(|tally| tally.without_key).sum();
            let without_key = report::text::redacted_without_key(count, args.dry_run);
            without_key.iter().for_each(|line| message(line));
            message(&self.closing_line(plan, args, notes));
        }
        told
    }

    pub(super) fn years(&self) -> String {
        let mut rows = vec![["year", "rule", "kind", "action", "count"].map(str::to_owned)];
        rows.extend(self.by_year.iter().map(|([year, rule, kind, action], count)| {
            [year.clone(), rule.clone(), kind.clone(), action.clone(), count.to_string()]
        }));
        columns(&rows)
    }

    pub(super) fn closing_line(&self, plan: &Plan, args: &Archive, notes: &[Note]) -> String {
        let mut sum = Tally::default();
        self.tallies.iter().for_each(|tally| {
            sum.records += tally.records;
            sum.changed += tally.changed;
            sum.withheld += tally.withheld;
            sum.dropped += tally.dropped;
            sum.held += tally.held;
            sum.without_key += tally.without_key;
        });
        let would = if args.dry_run { " to rewrite" } else { " rewritten" };
        let mut line = format!("{}{would}, {} unchanged", self.rewritten, self.unchanged);
        let noted = notes.iter().filter(|note| matches!(note, Note::LeftOut(..))).count() as u64;
        for (count, what) in [
            (plan.passed_over, "not due"),
            (self.left_out + noted, "not scrubbed"),
            (self.inputs_failed + self.outputs_failed, "failed"),
            (self.held, "held"),
            (self.members_held, "members held"),
            (self.stopped, "not reached"),
        ] {
            if count > 0 {
                line += &format!(", {count} {what}");
            }
        }
        line += &format!(
            "; {} records, {} changed, {} withheld, {} dropped",
            sum.records, sum.changed, sum.withheld, sum.dropped
        );
        if sum.without_key > 0 {
            line += &format!(", {} values without a key", sum.without_key);
        }
        if sum.held > 0 {
            line += &format!(", {} held", sum.held);
        }
        if let Some(due) = self.next_due.filter(|_| args.erase.is_none()) {
            line += &format!("; next due {}", due.strftime("%Y-%m-%dT%H:%M:%SZ"));
        }
        line
    }

    pub(super) fn exit(&self, is_missing: bool, notes: &[Note]) -> Exit {
        let unreadable = notes.iter().any(|note| matches!(note, Note::Unreadable(..)));
        let left_out = notes.iter().any(|note| matches!(note, Note::LeftOut(..)));
        match () {
            () if self.outputs_failed > 0 => Exit::Output,
            () if is_missing || unreadable || self.inputs_failed > 0 => Exit::Input,
            () if left_out || self.left_out > 0 || self.members_left > 0 || self.is_left => Exit::Found,
            () => Exit::Done,
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn sooner(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}
