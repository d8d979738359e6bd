//! `logscrub archive`: files and trees, rewritten in place.

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::io::{self, IsTerminal, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use signal_hook::consts::{SIGINT, SIGTERM};

use super::args::Archive;
use super::exit::Exit;
use super::load::Scrubbers;
use super::print::{message, to_stderr, to_stdout, usage_fault};
use super::progress::{Progress, size};
use crate::archive::journal::Journal;
use crate::archive::rewrite::{Done, How, Shared, Skip};
use crate::archive::run::{Run, run as run_all};
use crate::archive::tree::{Entry, Note, Root, Wanted, clean, walk};
use crate::error::reason;
use crate::policy::glob::Glob;
use crate::policy::hold::Hold;
use crate::report::{self, Part, text::columns};
use crate::scrub::Scrubber;
use crate::stream::Held;
use crate::stream::{Output, Place, Target, sys};
use crate::tally::Tally;
use crate::time::file_name::date_in;

/// A clock that says so much more than the newest record and the last run is wrong more often than right.
const JUMP: SignedDuration = SignedDuration::from_hours(400 * 24);

pub(super) fn run(args: &Archive) -> Exit {
    start(args).unwrap_or_else(|exit| exit)
}

fn start(args: &Archive) -> Result<Exit, Exit> {
    if !args.by.has_rules() {
        return Err(usage_fault("archive rewrites files for good: say by which rules, with -r FILE|PACK"));
    }
    let scrubbers = args.by.scrubbers()?;
    let erasers = args.erase.as_deref().map(|path| args.by.erasers(path, args.quiet)).transpose()?;
    let now = args.by.now.unwrap_or_else(super::load::start);
    let (roots, is_missing) = roots(args)?;
    let report = report(args, &roots)?;
    let journal = journal(args, &roots)?;
    let shared = Arc::new(Shared::default());
    let interrupts = Interrupts::install(&shared)?;
    if args.nice {
        yield_to_others();
    }
    let mut notes = Vec::new();
    let mut entries = walk(&roots, &wanted(args)?, !args.dry_run && args.into.is_none(), &mut notes);
    if let Some(Ok(into)) = args.into.as_deref().map(Root::open) {
        walk(&[into], &Wanted::default(), true, &mut Vec::new()); // for what an earlier run left there
    }
    spare_own_files(args, &scrubbers, &mut entries, &mut notes);
    let policy = fingerprint(args, &scrubbers);
    if erasers.is_none() && scrubbers.iter().any(|(_, scrubber)| scrubber.policy().depends_on_age()) {
        refuse_jump(args, now, &entries, journal.as_ref())?;
    }
    if args.into.is_some() {
        refuse_twins(&entries)?;
    }
    let mut plan = Plan::new(args, scrubbers, erasers, entries, policy, now);
    plan.pass_over(journal.as_ref());
    plan.confirm(args, journal.as_ref(), &roots)?;
    let mut outcome = plan.run(args, &roots, journal, &shared);
    let told = outcome.tell(&plan, args, &notes);
    if args.erase.is_some() && !args.dry_run && interrupts.caught().is_none() {
        outcome.is_left = plan.search_again(&roots, &shared);
    }
    if let (Some(path), Some(output)) = (&args.report, report) {
        write_report(path, output, &plan, &outcome, &notes)?;
    }
    Ok(match interrupts.caught() {
        Some(signal) => Exit::Signal(signal),
        None if told != Exit::Done => told,
        None => outcome.exit(is_missing, &notes),
    })
}

/// What was named; and whether any of it is not there.
fn roots(args: &Archive) -> Result<(Vec<Root>, bool), Exit> {
    let mut roots = Vec::new();
    let mut missing = false;
    for path in &args.paths {
        match Root::open(path) {
            Ok(root) => roots.push(root),
            Err(cause) => {
                message(&format!("{}: {}", path.display(), reason(&cause)));
                missing = true;
            }
        }
    }
    if let Some(into) = &args.into {
        let into = into
            .canonicalize()
            .map_err(|cause| usage_fault(&format!("--into {}: {}", into.display(), reason(&cause))))?;
        if roots.iter().any(|root| into.starts_with(&root.path) || root.path.starts_with(&into)) {
            return Err(usage_fault("--into names a directory beside what is read, not in it or around it"));
        }
        let folder =
            Root::open(&into).map_err(|cause| usage_fault(&format!("--into: {}", reason(&cause))))?;
        clean(&folder);
    }
    Ok((roots, missing))
}

/// The report, opened before anything is done: hours later is too late to say that it cannot be written.
fn report(args: &Archive, roots: &[Root]) -> Result<Option<Output>, Exit> {
    let Some(path) = &args.report else { return Ok(None) };
    let name = format!("report {}", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let place = folder.canonicalize().ok().zip(path.file_name()).map(|(folder, name)| folder.join(name));
    let into = args.into.as_ref().and_then(|into| into.canonicalize().ok());
    let is_inside = |place: &PathBuf| {
        roots.iter().any(|root| place.starts_with(&root.path))
            || into.is_some_and(|into| place.starts_with(into))
    };
    if place.as_ref().is_some_and(is_inside) {
        return Err(usage_fault(&format!("{name}: it lies in what is to be rewritten")));
    }
    Output::open(&Target::Path(path.clone())).map(Some).map_err(|cause| Exit::of_output_to(&name, &cause))
}

fn wanted(args: &Archive) -> Result<Wanted, Exit> {
    let globs = |texts: &[String]| -> Result<Vec<Glob>, Exit> {
        let parsed = texts.iter().map(|text| {
            Glob::parse_path(text).map_err(|what| usage_fault(&format!("pattern {text:?}: {what}")))
        });
        parsed.collect()
    };
    Ok(Wanted { include: globs(&args.include)?, exclude: globs(&args.exclude)? })
}

/// Leaves out what the run itself goes by: a keyring that loses a key loses it for good.
fn spare_own_files(args: &Archive, scrubbers: &Scrubbers, entries: &mut Vec<Entry>, notes: &mut Vec<Note>) {
    let keyrings = scrubbers.iter().filter_map(|(_, scrubber)| scrubber.policy().keyring.as_deref());
    let named = args.by.rules.as_deref().map(Path::new).into_iter().chain(args.report.as_deref());
    let inodes = keyrings.chain(named).filter_map(|path| path.metadata().ok());
    let own: HashSet<(u64, u64)> = inodes.map(|about| (about.dev(), about.ino())).collect();
    entries.retain(|entry| {
        let is_own = own.contains(&(entry.about.dev(), entry.about.ino()));
        if is_own {
            notes.push(Note::NoFile(entry.path.clone(), "a file of this run itself"));
        }
        !is_own
    });
}

/// The journal, if there is to be one.
fn journal(args: &Archive, roots: &[Root]) -> Result<Option<Journal>, Exit> {
    // What erasure does says nothing of what is due by age.
    if args.no_journal || args.into.is_some() || args.erase.is_some() {
        return Ok(None);
    }
    let Some(path) = args.journal.clone().or_else(state_path) else {
        return Err(usage_fault(
            "there is no HOME to keep the journal in: name one with --journal, or --no-journal",
        ));
    };
    let fault = |what: String| usage_fault(&format!("journal {}: {what}", path.display()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let place = std::path::absolute(&path).map_err(|cause| fault(reason(&cause)))?;
    let real = folder.canonicalize().unwrap_or_else(|_| place.clone());
    if roots.iter().any(|root| place.starts_with(&root.path) || real.starts_with(&root.path)) {
        return Err(fault("it lies in what is to be rewritten".to_owned()));
    }
    Journal::open(&path).map(Some).map_err(fault)
}

/// Where a journal is kept if nobody says so: what systemd names, root's state directory, or one's own.
fn state_path() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let own = || variable("XDG_STATE_HOME").or_else(|| Some(variable("HOME")?.join(".local/state")));
    let folder = match variable("STATE_DIRECTORY") {
        Some(folder) => folder,
        None if rustix::process::geteuid().is_root() => PathBuf::from("/var/lib/logscrub"),
        None => own()?.join("logscrub"),
    };
    Some(folder.join("archive.journal"))
}

/// Ctrl-C and SIGTERM let the files that are at work be given up; a second one ends the program at once.
struct Interrupts {
    shared: Arc<Shared>,
    last: Arc<std::sync::atomic::AtomicUsize>,
}

impl Interrupts {
    fn install(shared: &Arc<Shared>) -> Result<Interrupts, Exit> {
        let interrupts = Interrupts { shared: Arc::clone(shared), last: Arc::default() };
        interrupts.register().map_err(|cause| usage_fault(&format!("signals: {}", reason(&cause))))?;
        Ok(interrupts)
    }

    /// The order counts: whether one came before is looked at first.
    fn register(&self) -> io::Result<()> {
        for signal in [SIGINT, SIGTERM] {
            let stop = Arc::clone(&self.shared.stop);
            signal_hook::flag::register_conditional_default(signal, Arc::clone(&stop))?;
            signal_hook::flag::register_usize(signal, Arc::clone(&self.last), signal as usize)?;
            signal_hook::flag::register(signal, stop)?;
        }
        Ok(())
    }

    fn caught(&self) -> Option<rustix::process::Signal> {
        rustix::process::Signal::from_named_raw(self.last.load(Ordering::SeqCst) as i32)
    }
}

fn yield_to_others() {
    const MOST: i32 = 19;
    if rustix::process::nice(MOST).is_err() || sys::yield_disk().is_err() {
        message("--nice: the system does not allow it");
    }
}

/// What decides what becomes of a file, but for its age.
fn fingerprint(args: &Archive, scrubbers: &Scrubbers) -> String {
    let mut digest = Sha256::new();
    let mut add = |bytes: &[u8]| {
        digest.update((bytes.len() as u64).to_le_bytes());
        digest.update(bytes);
    };
    add(env!("CARGO_PKG_VERSION").as_bytes());
    scrubbers.iter().for_each(|(_, scrubber)| add(&scrubber.policy().fingerprint));
    add(args.by.format.as_deref().unwrap_or_default().as_bytes());
    args.by.label.iter().for_each(|(name, value)| add(format!("{name}={value}").as_bytes()));
    add(&args.max_record.to_le_bytes());
    digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Of two files that would be one in the mirror one would be lost.
fn refuse_twins(entries: &[Entry]) -> Result<(), Exit> {
    let mut places = HashSet::new();
    match entries.iter().find(|entry| !places.insert(entry.target())) {
        Some(twin) => Err(usage_fault(&format!(
            "--into: two files would be {}: name a directory in which both lie",
            twin.target().display()
        ))),
        None => Ok(()),
    }
}

/// A clock that jumps must not destroy years.
fn refuse_jump(
    args: &Archive,
    now: Timestamp,
    entries: &[Entry],
    journal: Option<&Journal>,
) -> Result<(), Exit> {
    // A clock that is wrong has dated what was written under it too.
    const FRESH: SignedDuration = SignedDuration::from_hours(48);
    let is_older = |date: &Timestamp| now.duration_since(*date) > FRESH;
    let newest = || entries.iter().filter_map(date_of).filter(is_older).max();
    let known = journal.and_then(Journal::last_run).or_else(newest);
    let is_far = known.is_some_and(|known| now.duration_since(known) > JUMP);
    if args.by.now.is_some() || args.dry_run || !is_far {
        return Ok(());
    }
    let known = known.map(|known| known.strftime("%Y-%m-%d").to_string()).unwrap_or_default();
    let today = now.strftime("%Y-%m-%d");
    Err(usage_fault(&format!(
        "the newest file and the last run are of {known}, and it is said to be {today}: if the clock is right, \
         say so with --now {today}"
    )))
}

fn date_of(entry: &Entry) -> Option<Timestamp> {
    let name = entry.path.file_name().unwrap_or_default().as_bytes();
    date_in(name).or_else(|| Timestamp::new(entry.about.mtime(), 0).ok())
}

/// The files of a run, and by what they are scrubbed.
struct Plan {
    /// Under the rules that were named and under those of sources.
    scrubbers: Scrubbers,
    /// Of erasure, which does nothing else.
    erasers: Option<Scrubbers>,
    /// Those that are to be looked at, with the number of the scrubber of each.
    entries: Vec<Entry>,
    by: Vec<usize>,
    /// The hold that each of them is under as a whole.
    held: Vec<Option<Hold>>,
    /// How many are not, and when the first of those is.
    passed_over: u64,
    next_due: Option<Timestamp>,
    policy: String,
    now: Timestamp,
    how: How,
    /// Where new files go; none: in place of the old ones.
    into: Option<PathBuf>,
}

impl Plan {
    fn new(
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

    /// Leaves out what the journal says is done, and finds out what is under a hold.
    fn pass_over(&mut self, journal: Option<&Journal>) {
        if let Some(journal) = journal {
            self.pass_over_done(journal);
        }
        let is_whole = |hold: &&Hold| hold.records.is_empty();
        self.held =
            (0..self.entries.len()).map(|number| self.holds(number).find(is_whole).cloned()).collect();
    }

    /// The holds that cover a file or records in it.
    fn holds(&self, number: usize) -> impl Iterator<Item = &Hold> {
        let holds = self.rules(number).policy().holds.iter().filter(|_| self.into.is_none());
        let path = self.entries.get(number).map(|entry| entry.given.as_path());
        holds.filter(move |hold| !hold.is_over(self.now) && path.is_some_and(|path| hold.covers_path(path)))
    }

    fn pass_over_done(&mut self, journal: &Journal) {
        let (entries, by) = (std::mem::take(&mut self.entries), std::mem::take(&mut self.by));
        for (entry, by) in entries.into_iter().zip(by) {
            match journal.is_done(&entry.path, &entry.about, &self.policy, self.now) {
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

    fn bytes(&self) -> u64 {
        self.entries.iter().map(|entry| entry.about.size()).sum()
    }

    /// What a dry run is remembered by.
    fn rehearsal(&self, roots: &[Root]) -> String {
        let mut digest = Sha256::new();
        digest.update(&self.policy);
        for root in roots {
            digest.update(b"\0");
            digest.update(root.path.as_os_str().as_bytes());
        }
        digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Asks on a terminal, unless a dry run came before.
    fn confirm(&self, args: &Archive, journal: Option<&Journal>, roots: &[Root]) -> Result<(), Exit> {
        let is_asked = io::stdin().is_terminal() && io::stderr().is_terminal();
        let was_rehearsed = journal.is_some_and(|journal| journal.was_rehearsed(&self.rehearsal(roots)));
        let is_harmless = args.dry_run || args.into.is_some() || self.entries.is_empty();
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
    fn rules(&self, number: usize) -> &Scrubber {
        self.scrubbers.get(self.by.get(number).copied().unwrap_or(0))
    }

    /// What changes a file in this run.
    fn eraser(&self, number: usize) -> &Scrubber {
        let by = self.by.get(number).copied().unwrap_or(0);
        self.erasers.as_ref().unwrap_or(&self.scrubbers).get(by)
    }

    /// Where the file of that number is after the run.
    fn place_of(&self, entry: &Entry) -> PathBuf {
        self.into.as_ref().map_or_else(|| entry.path.clone(), |into| into.join(entry.target()))
    }

    /// By what a file is scrubbed in this run.
    fn scrubber(&self, number: usize) -> Held<Scrubber> {
        let scrubber = self.eraser(number).clone();
        let path = self.entries.get(number).map(|entry| entry.given.as_path());
        // Of a file that is held as a whole is told what is due.
        let is_held = self.held.get(number).is_some_and(Option::is_some);
        let is_free = is_held || self.into.is_some();
        let holds = if is_free { &[] } else { self.rules(number).policy().holds.as_slice() };
        Held::new(scrubber, holds, path, self.now)
    }

    fn part(&self, number: usize, tally: Tally) -> Part<'_> {
        let by = self.by.get(number).copied().unwrap_or(0);
        let source = self.scrubbers.iter().nth(by).and_then(|(source, _)| source.map(str::to_owned));
        Part { source, policy: self.erasers.as_ref().unwrap_or(&self.scrubbers).get(by).policy(), tally }
    }

    fn run(&self, args: &Archive, roots: &[Root], journal: Option<Journal>, shared: &Shared) -> Outcome {
        let progress = Progress::new(self.entries.len(), self.bytes(), args.quiet);
        let outcome = Mutex::new(Outcome::new(self, journal, args.report.is_some()));
        let each = |number: usize, done: Result<Done, Skip>| {
            lock(&outcome).take(self, number, done, &progress);
        };
        progress.during(shared, || self.run_files(roots, shared, &each));
        let mut outcome = outcome.into_inner().unwrap_or_else(PoisonError::into_inner);
        outcome.finish(self, args, roots);
        outcome
    }

    fn run_files(&self, roots: &[Root], shared: &Shared, each: &(dyn Fn(usize, Result<Done, Skip>) + Sync)) {
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
    fn as_they_are(&self) -> Vec<Entry> {
        let mut entries = self.entries.clone();
        for entry in &mut entries {
            if let Ok(about) = entry.path.symlink_metadata() {
                entry.about = about;
            }
        }
        entries
    }

    /// Looks once more for what was to be erased, under holds too. Whether any of it is left.
    fn search_again(&self, roots: &[Root], shared: &Shared) -> bool {
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn sooner(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

/// What a run did so far.
struct Outcome {
    journal: Option<Journal>,
    files: Option<Vec<(usize, report::archive::File)>>,
    reached: usize,
    rewritten: u64,
    unchanged: u64,
    left_out: u64,
    inputs_failed: u64,
    outputs_failed: u64,
    stopped: u64,
    held: u64,
    members_left: u64,
    /// Something that was to be erased was found again.
    is_left: bool,
    next_due: Option<Timestamp>,
    /// By scrubber.
    tallies: Vec<Tally>,
    /// By year of the file, rule, kind and action.
    by_year: BTreeMap<(i16, String, String, String), u64>,
}

impl Outcome {
    fn new(plan: &Plan, journal: Option<Journal>, is_reported: bool) -> Outcome {
        Outcome {
            journal,
            files: is_reported.then(Vec::new),
            reached: 0,
            rewritten: 0,
            unchanged: 0,
            left_out: 0,
            inputs_failed: 0,
            outputs_failed: 0,
            stopped: 0,
            held: 0,
            members_left: 0,
            is_left: false,
            next_due: plan.next_due,
            tallies: vec![Tally::default(); plan.scrubbers.iter().count()],
            by_year: BTreeMap::new(),
        }
    }

    fn take(&mut self, plan: &Plan, number: usize, done: Result<Done, Skip>, progress: &Progress) {
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
                self.add_file(number, report::archive::done(path, done, &part));
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
    fn take_held(&mut self, plan: &Plan, number: usize, done: &Done, progress: &Progress) {
        let (Some(entry), Some(Some(hold))) = (plan.entries.get(number), plan.held.get(number)) else {
            return;
        };
        self.held += 1;
        self.next_due = sooner(self.next_due, Some(hold.until));
        let part = plan.part(number, done.tally.clone());
        self.add_file(number, report::archive::held(entry.path.as_os_str().as_bytes(), hold, done, &part));
        let Tally { changed, dropped, .. } = done.tally;
        progress.line(&format!(
            "{}: held until {} ({}): {changed} records would be changed, {dropped} dropped",
            entry.path.display(),
            hold.until_date(),
            hold.name
        ));
    }

    fn add_file(&mut self, number: usize, file: report::archive::File) {
        self.files.iter_mut().for_each(|files| files.push((number, file.clone())));
    }

    fn note(&mut self, plan: &Plan, number: usize, done: &Done, progress: &Progress) {
        let (Some(entry), Some(by)) = (plan.entries.get(number), plan.by.get(number)) else { return };
        match done.changed {
            true => self.rewritten += 1,
            false => self.unchanged += 1,
        }
        self.members_left += done.members.len() as u64;
        // When the hold on a record ends, it is to be looked at again.
        let ends = plan.holds(number).map(|hold| hold.until).min();
        let due = sooner(done.tally.due, ends);
        self.next_due = sooner(self.next_due, due);
        self.tallies.get_mut(*by).into_iter().for_each(|tally| tally.add(&done.tally));
        if plan.how.dry {
            let year = done.date.map_or(0, |date| Offset::UTC.to_datetime(date).year());
            for [rule, kind, action, count] in plan.part(number, done.tally.clone()).table() {
                let count: u64 = count.parse().unwrap_or(0);
                *self.by_year.entry((year, rule, kind, action)).or_default() += count;
            }
            if done.tally.dropped > 0 {
                let dropped = (year, "(all)".to_owned(), "record".to_owned(), "drop_record".to_owned());
                *self.by_year.entry(dropped).or_default() += done.tally.dropped;
            }
        } else if done.members.is_empty()
            && done.fault.is_none()
            && let Some(journal) = &mut self.journal
            && let Err(cause) = journal.note(&entry.path, &done.about, &plan.policy, due)
        {
            progress.warn(&format!("journal: {}", reason(&cause)));
            self.journal = None; // what it lacks is looked at again
        }
    }

    /// Closes the journal.
    fn finish(&mut self, plan: &Plan, args: &Archive, roots: &[Root]) {
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
    fn tell(&self, plan: &Plan, args: &Archive, notes: &[Note]) -> Exit {
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
            message(&self.closing_line(plan, args));
        }
        told
    }

    fn years(&self) -> String {
        let mut rows = vec![["year", "rule", "kind", "action", "count"].map(str::to_owned)];
        rows.extend(self.by_year.iter().map(|((year, rule, kind, action), count)| {
            [year.to_string(), rule.clone(), kind.clone(), action.clone(), count.to_string()]
        }));
        columns(&rows)
    }

    fn closing_line(&self, plan: &Plan, args: &Archive) -> String {
        let mut sum = Tally::default();
        self.tallies.iter().for_each(|tally| {
            sum.records += tally.records;
            sum.changed += tally.changed;
            sum.withheld += tally.withheld;
            sum.dropped += tally.dropped;
            sum.held += tally.held;
        });
        let would = if args.dry_run { " to rewrite" } else { " rewritten" };
        let mut line = format!("{}{would}, {} unchanged", self.rewritten, self.unchanged);
        for (count, what) in [
            (plan.passed_over, "not due"),
            (self.left_out, "not scrubbed"),
            (self.inputs_failed + self.outputs_failed, "failed"),
            (self.held, "held"),
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
        if sum.held > 0 {
            line += &format!(", {} held", sum.held);
        }
        if let Some(due) = self.next_due.filter(|_| args.erase.is_none()) {
            line += &format!("; next due {}", due.strftime("%Y-%m-%dT%H:%M:%SZ"));
        }
        line
    }

    fn exit(&self, is_missing: bool, notes: &[Note]) -> Exit {
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

fn write_report(
    path: &Path,
    mut output: Output,
    plan: &Plan,
    outcome: &Outcome,
    notes: &[Note],
) -> Result<(), Exit> {
    let mut files = outcome.files.clone().unwrap_or_default();
    files.sort_by_key(|(number, _)| *number);
    let noted = notes.iter().map(|note| {
        let (path, outcome, why) = match note {
            Note::NoFile(path, why) => (path, "no file", *why),
            Note::LeftOut(path, why) => (path, "not scrubbed", *why),
            Note::Unreadable(path, why) => (path, "failed", why.as_str()),
        };
        report::archive::noted(path.as_os_str().as_bytes(), outcome, why)
    });
    let files = files.into_iter().map(|(_, file)| file).chain(noted).collect();
    let key = plan.how.digests.as_ref().and_then(|key| key.as_ref()).map(|key| key.id());
    let text = report::archive::render(plan.scrubbers.get(0).policy(), plan.now, key, files);
    let name = format!("report {}", path.display());
    let write = || {
        output.write_all(text.as_bytes())?;
        output.commit()
    };
    write().map_err(|cause: io::Error| Exit::of_output_to(&name, &cause))
}
