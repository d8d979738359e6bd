//! `logscrub archive`: files and trees, rewritten in place.

mod outcome;
mod plan;

use std::collections::HashSet;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use signal_hook::consts::{SIGINT, SIGTERM};

use outcome::Outcome;
use plan::Plan;

use super::args::{Archive, HardLinks};
use super::exit::Exit;
use super::load::Scrubbers;
use super::overlap::{Used, place_of};
use super::print::{message, usage_fault};
use crate::archive::journal::Journal;
use crate::archive::rewrite::Shared;
use crate::archive::tree::{Entry, Note, Root, Wanted, clean, walk};
use crate::error::reason;
use crate::policy::glob::Glob;
use crate::report::{self, archive::Lines};
use crate::stream::{Output, Target, sys};
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
    let used = used(args, &scrubbers)?;
    let now = args.by.now.unwrap_or_else(super::load::start);
    let (roots, is_missing) = roots(args)?;
    refuse_identifiers(args, &roots)?;
    let erasers = args.erase.as_deref().map(|path| args.by.erasers(path, args.quiet)).transpose()?;
    let (report, lines) = report(args, &roots)?.unzip();
    let journal = journal(args, &roots)?;
    let shared = Arc::new(Shared::default());
    let interrupts = Interrupts::install(&shared)?;
    if args.nice {
        yield_to_others();
    }
    let mut notes = Vec::new();
    let mut entries = walk(&roots, &wanted(args)?, !args.dry_run && args.into.is_none(), &mut notes);
    refuse_outputs(&entries, &used)?;
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
        refuse_own_in_mirror(args, &entries, &used)?;
    }
    let (scrubbers, erasers) = match args.dry_run {
        true => (scrubbers.by_year(), erasers.map(Scrubbers::by_year)),
        false => (scrubbers, erasers),
    };
    let mut plan = Plan::new(args, scrubbers, erasers, entries, policy, now);
    if args.hardlinks == HardLinks::RewriteAll && args.into.is_none() {
        plan.join_links();
    }
    plan.pass_over(journal.as_ref());
    let replaced = plan.replaced_elsewhere();
    if replaced > 0 && !args.quiet {
        message(&format!("--into: files that lie there already and are replaced: {replaced}"));
    }
    plan.confirm(args, journal.as_ref(), &roots)?;
    let mut outcome = plan.run(args, &roots, journal, lines, &shared);
    let told = outcome.tell(&plan, args, &notes);
    if args.erase.is_some() && !args.dry_run && interrupts.caught().is_none() {
        outcome.is_left = plan.search_again(&roots, &shared);
    }
    if let (Some(path), Some(output)) = (&args.report, report) {
        write_report(path, output, &plan, &mut outcome, &notes)?;
    }
    Ok(match interrupts.caught() {
        Some(signal) => Exit::Signal(signal),
        None if told != Exit::Done => told,
        None => outcome.exit(is_missing, &notes),
    })
}

/// What the run goes by and what it writes beside the files, none of which may be another.
fn used(args: &Archive, scrubbers: &Scrubbers) -> Result<Used, Exit> {
    let mut used = Used::by(scrubbers);
    if let Some(identifiers) = args.erase.as_deref().filter(|path| *path != Path::new("-")) {
        used.add("the list of identifiers", identifiers);
    }
    if let Some(path) = &args.report {
        used.add_output("the report", &format!("report {}", path.display()), path)?;
    }
    if let Some(path) = journal_path(args) {
        used.add_output("the journal", &format!("journal {}", path.display()), &path)?;
    }
    Ok(used)
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

/// The report and its lines, opened before anything is done: hours later is too late to say that it cannot be written.
fn report(args: &Archive, roots: &[Root]) -> Result<Option<(Output, Lines)>, Exit> {
    let Some(path) = &args.report else { return Ok(None) };
    let name = format!("report {}", path.display());
    let place = place_of(path);
    let into = args.into.as_ref().and_then(|into| into.canonicalize().ok());
    let lies_in = |folder: &Path| place.as_ref().is_some_and(|place| place.starts_with(folder));
    if roots.iter().any(|root| lies_in(&root.path)) {
        return Err(usage_fault(&format!("{name}: it lies in what is to be rewritten")));
    }
    if into.is_some_and(|into| lies_in(&into)) {
        return Err(usage_fault(&format!(
            "{name}: it lies where the new files go, and might be one of them"
        )));
    }
    let open = || {
        let output = Output::open(&Target::Path(path.clone()))?;
        // Beside the report there is room for it, and who may read that.
        let waiting = match output.folder() {
            Some(folder) => tempfile::tempfile_in(folder)?,
            None => tempfile::tempfile()?,
        };
        Ok((output, Lines::new(waiting)))
    };
    open().map(Some).map_err(|cause| Exit::of_output_to(&name, &cause))
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

/// Leaves out what the run itself goes by: a keyring that loses a key loses it for good, and a list that loses its words
/// finds nothing in the next run.
fn spare_own_files(args: &Archive, scrubbers: &Scrubbers, entries: &mut Vec<Entry>, notes: &mut Vec<Note>) {
    let policies = || scrubbers.iter().map(|(_, scrubber)| scrubber.policy());
    let keyrings = policies().filter_map(|policy| policy.keyring.as_deref());
    let rules = policies().flat_map(|policy| policy.files.iter().map(PathBuf::as_path));
    let own = keyrings.chain(rules).chain(args.report.as_deref());
    let inodes = own.filter_map(|path| path.metadata().ok());
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
    if !has_journal(args) {
        return Ok(None);
    }
    let Some(path) = journal_path(args) else {
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

/// What erasure does says nothing of what is due by age.
fn has_journal(args: &Archive) -> bool {
    !args.no_journal && args.into.is_none() && args.erase.is_none()
}

fn journal_path(args: &Archive) -> Option<PathBuf> {
    args.journal.clone().or_else(state_path).filter(|_| has_journal(args))
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

/// What names a person is none of the logs, and would be left there as `[erased]`, or be overlooked.
fn refuse_identifiers(args: &Archive, roots: &[Root]) -> Result<(), Exit> {
    let place = args.erase.as_deref().filter(|path| *path != Path::new("-")).and_then(place_of);
    match place.filter(|place| roots.iter().any(|root| place.starts_with(&root.path))) {
        Some(place) => {
            Err(usage_fault(&format!("--erase {}: it lies in what is to be rewritten", place.display())))
        }
        None => Ok(()),
    }
}

/// No file of the tree has another name by which the run would write something else over it.
fn refuse_outputs(entries: &[Entry], used: &Used) -> Result<(), Exit> {
    let over = |entry: &Entry| Some((used.output_over(&entry.about)?, entry.path.display().to_string()));
    match entries.iter().find_map(over) {
        Some((what, path)) => Err(usage_fault(&format!("{path}: {what} would be written over it"))),
        None => Ok(()),
    }
}

/// What the run goes by may lie in the directory for new files, but not where one will be.
fn refuse_own_in_mirror(args: &Archive, entries: &[Entry], used: &Used) -> Result<(), Exit> {
    let Some(into) = args.into.as_ref().and_then(|into| into.canonicalize().ok()) else { return Ok(()) };
    let own = entries.iter().map(|entry| into.join(entry.target()));
    match own.filter_map(|place| Some((used.at(&place)?, place))).next() {
        Some((what, place)) => {
            Err(usage_fault(&format!("--into: {} would be written over {what}", place.display())))
        }
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

fn write_report(
    path: &Path,
    mut output: Output,
    plan: &Plan,
    outcome: &mut Outcome,
    notes: &[Note],
) -> Result<(), Exit> {
    let Some(files) = outcome.files.take() else { return Ok(()) };
    let noted = notes.iter().map(|note| {
        let (path, outcome, why) = match note {
            Note::NoFile(path, why) => (path, "no file", *why),
            Note::LeftOut(path, why) => (path, "not scrubbed", *why),
            Note::Unreadable(path, why) => (path, "failed", why.as_str()),
        };
        report::archive::noted(path.as_os_str().as_bytes(), outcome, why)
    });
    let key = plan.how.digests.as_ref().and_then(|key| key.as_ref()).map(|key| key.id());
    let name = format!("report {}", path.display());
    let write = || {
        let mut out = io::BufWriter::new(&mut output);
        report::archive::write(&mut out, plan.scrubbers.get(0).policy(), plan.now, key, files, noted)?;
        out.flush()
    };
    write().and_then(|()| output.commit()).map_err(|cause: io::Error| Exit::of_output_to(&name, &cause))
}
