//! `logscrub key`: the keyring.

use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::args::{KeyCommand, KeyForget, KeyList, KeyNew, KeyRoll};
use super::exit::Exit;
use super::keyring::{open, writable};
use super::load::policy_with_keyring;
use super::print::{message, to_stdout, usage_fault};
use crate::action::hash::key_id;
use crate::time::age::{Age, AgeUnit};
use crate::time::keyring::change::Reach;
use crate::time::keyring::write::{Locked, create};
use crate::time::keyring::{Forgotten, Keyring, Period};

/// How far ahead of now a new keyring has keys.
const AHEAD: Age = Age { number: 1, unit: AgeUnit::Years };

pub(super) fn run(command: &KeyCommand) -> Exit {
    let end = match command {
        KeyCommand::New(args) => new(args),
        KeyCommand::List(args) => list(args),
        KeyCommand::Roll(args) => roll(args),
        KeyCommand::Forget(args) => forget(args),
    };
    end.unwrap_or_else(|exit| exit)
}

fn new(args: &KeyNew) -> Result<Exit, Exit> {
    let path = writable(&args.keyring)?;
    let keyring = made(args).map_err(|what| fault(path, &what))?;
    create(path, &keyring).map_err(|cause| usage_fault(&cause.to_string()))?;
    let path = path.display();
    message(&match (keyring.every(), keyring.forever()) {
        (Some(every), _) => format!(
            "made {path} with {} from {} until {}, one each {every}; `logscrub key roll` adds more; copy it to every \
             host, and where no log is",
            counted(keyring.periods().count()),
            shown(keyring.first_moment()),
            shown(keyring.last_end()),
        ),
        (None, key) => {
            let id = key.map(|key| key.id.as_str()).unwrap_or_default();
            format!("made {path} with the key {id}; keep a copy where no log is")
        }
    });
    if let Some(key) = keyring.forever().filter(|_| args.every.is_some()) {
        message(&format!("the key {} is for scope = \"forever\"", key.id));
    }
    Ok(Exit::Done)
}

fn made(args: &KeyNew) -> Result<Keyring, String> {
    let Some(every) = args.every else { return Keyring::of_one_key(key_id) };
    let now = args.at.now();
    let from = args.from.map_or_else(|| midnight(now), Ok)?;
    let reach = match (args.count, args.until) {
        (Some(count), _) => Reach::Count(usize::from(count)),
        (_, Some(until)) if until <= from => {
            return Err(format!("--until is not after the first moment, {from}"));
        }
        (_, Some(until)) => Reach::Until(until),
        _ => Reach::Until(ahead(now.max(from), AHEAD)?),
    };
    let mut keyring = Keyring::of_periods(every, from, reach, key_id)?;
    if args.forever {
        keyring.add_forever(key_id)?;
    }
    Ok(keyring)
}

/// The first moment of its day in UTC.
fn midnight(moment: Timestamp) -> Result<Timestamp, String> {
    let day = TimeZone::UTC.to_datetime(moment).date();
    TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).map_err(|_| "now lies before all times".to_owned())
}

fn ahead(now: Timestamp, age: Age) -> Result<Timestamp, String> {
    age.after(now).ok_or_else(|| format!("{age} ahead of {now} lies past the year 9999"))
}

fn list(args: &KeyList) -> Result<Exit, Exit> {
    let keyring = open(&args.keyring)?;
    if args.fingerprint {
        let digest: String = keyring.fingerprint().iter().map(|byte| format!("{byte:02x}")).collect();
        return Ok(to_stdout(format!("{digest}\n").as_bytes()));
    }
    let now = args.at.now();
    let header = ["id", "from", "until", "state"].map(str::to_owned);
    let mut rows: Vec<_> =
        keyring.periods().map(|period| (period.from, row(period, state(period, now)))).collect();
    rows.extend(keyring.forgotten().filter(|gone| !gone.was_forever).map(|gone| (gone.from, gone_row(gone))));
    rows.sort_by_key(|(from, _)| *from);
    let beside = keyring.forever().filter(|key| keyring.periods().all(|period| period.id != key.id));
    let beside = beside.map(|key| row(key, "scope = \"forever\""));
    let gone_beside = keyring.forgotten().filter(|gone| gone.was_forever).map(gone_row);
    let rows = rows.into_iter().map(|(_, row)| row).chain(beside).chain(gone_beside);
    let rows: Vec<[String; 4]> = std::iter::once(header).chain(rows).collect();
    Ok(to_stdout(table(&rows).as_bytes()))
}

fn row(period: &Period, state: &str) -> [String; 4] {
    [period.id.clone(), shown(period.from), shown(period.until), state.to_owned()]
}

fn gone_row(gone: &Forgotten) -> [String; 4] {
    [gone.id.clone(), shown(gone.from), shown(gone.until), format!("forgotten {}", gone.forgotten)]
}

fn state(period: &Period, now: Timestamp) -> &'static str {
    if period.until.is_some_and(|until| until <= now) {
        "past"
    } else if period.from.is_some_and(|from| now < from) {
        "ahead"
    } else {
        "serves now"
    }
}

fn roll(args: &KeyRoll) -> Result<Exit, Exit> {
    let path = writable(&args.keyring)?;
    let mut locked = locked(path)?;
    if args.forever {
        return add_forever(path, locked);
    }
    let until = ahead(args.at.now(), args.ahead).map_err(|what| fault(path, &what))?;
    let added = locked.keyring.roll(until, key_id).map_err(|what| fault(path, &what))?;
    let end = shown(locked.keyring.last_end());
    if added == 0 {
        message(&format!("{}: nothing is due, there are keys until {end}", path.display()));
        return Ok(Exit::Done);
    }
    replace(path, locked)?;
    message(&format!(
        "{}: added {}, so that there are keys until {end}; copy it to every host",
        path.display(),
        counted(added)
    ));
    Ok(Exit::Done)
}

/// Adds the key for ever, also where one was forgotten.
fn add_forever(path: &Path, mut locked: Locked) -> Result<Exit, Exit> {
    let name = path.display();
    if let Some(key) = locked.keyring.forever() {
        message(&format!("{name}: nothing is due, the key {} serves scope = \"forever\"", key.id));
        return Ok(Exit::Done);
    }
    locked.keyring.add_forever(key_id).map_err(|what| fault(path, &what))?;
    let id = locked.keyring.forever().map(|key| key.id.clone()).unwrap_or_default();
    replace(path, locked)?;
    message(&format!("{name}: added the key {id} for scope = \"forever\"; copy it to every host"));
    Ok(Exit::Done)
}

fn forget(args: &KeyForget) -> Result<Exit, Exit> {
    let path = writable(&args.keyring)?;
    let now = args.at.now();
    let after = forget_after(args)?;
    let mut locked = locked(path)?;
    locked.check_gaps().map_err(|cause| usage_fault(&cause.to_string()))?;
    let gone = match (args.before, after) {
        (Some(before), _) => locked.keyring.forget(now, |until| until <= before),
        (None, Some(after)) => locked.keyring.forget(now, |until| after.reached(until, now)),
        (None, None) => locked.keyring.forget_forever(now),
    };
    let name = path.display();
    if gone.is_empty() {
        message(&format!("{name}: nothing to forget"));
        return Ok(Exit::Done);
    }
    if !args.dry_run {
        replace(path, locked)?;
    }
    let rows: Vec<_> =
        gone.iter().map(|gone| [gone.id.clone(), shown(gone.from), shown(gone.until)]).collect();
    let end = to_stdout(table(&rows).as_bytes());
    let keys = counted(gone.len());
    message(&match args.dry_run {
        true => format!("{name}: would forget {keys}; nothing was changed"),
        false => {
            format!("{name}: forgot {keys}; copies of the file elsewhere and in backups still hold them")
        }
    });
    Ok(end)
}

/// The age at which `--due` finds a key due.
fn forget_after(args: &KeyForget) -> Result<Option<Age>, Exit> {
    let Some(rules) = &args.rules else { return Ok(args.after) };
    let policy = policy_with_keyring(rules, Some(&args.keyring))?;
    match policy.forget_after {
        Some(age) => Ok(Some(age)),
        None => Err(usage_fault(&format!("{rules}: no `forget_after` in [pseudonyms]; give --after"))),
    }
}

fn locked(path: &Path) -> Result<Locked, Exit> {
    Locked::open(path, key_id).map_err(|cause| usage_fault(&cause.to_string()))
}

fn replace(path: &Path, locked: Locked) -> Result<(), Exit> {
    let was_overwritten = locked.replace().map_err(|cause| usage_fault(&cause.to_string()))?;
    if !was_overwritten {
        message(&format!("{}: the blocks of the old file could not be overwritten", path.display()));
    }
    Ok(())
}

/// Rows in columns, all to the left.
fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0);
    let padded = |(column, cell): (usize, &String)| match column + 1 == N {
        true => format!("{cell}\n"),
        false => format!("{cell:<width$}  ", width = width(column)),
    };
    rows.iter().flat_map(|row| row.iter().enumerate().map(padded)).collect()
}

fn shown(time: Option<Timestamp>) -> String {
    time.map_or("-".to_owned(), |time| time.to_string())
}

fn counted(keys: usize) -> String {
    if keys == 1 { "1 key".to_owned() } else { format!("{keys} keys") }
}

fn fault(path: &Path, what: &str) -> Exit {
    usage_fault(&format!("keyring {}: {what}", path.display()))
}
