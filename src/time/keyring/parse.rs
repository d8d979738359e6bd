//! The text of a keyring to its keys. No message holds a byte of the text, which could be one of a key.

use std::collections::HashSet;

use jiff::Timestamp;
use toml::de::{DeTable, DeValue};
use zeroize::Zeroizing;

use super::{Forgotten, IdOf, Keyring, Period, TEST_KEY};
use crate::time::age::Age;

/// Keys of one keyring, those forgotten included: one a day for 27 years.
pub const KEYS: usize = 10_000;

/// Reads a keyring. Gaps between periods are left to the caller.
pub(super) fn parse(text: &str, id_of: IdOf) -> Result<Keyring, String> {
    let mut keyring = read(text, id_of)?;
    keyring.periods.sort_by_key(|period| period.from);
    keyring.forgotten.sort_by_key(|gone| (gone.was_forever, gone.from));
    let mut seen = HashSet::new();
    if let Some(id) = keyring.ids().find(|id| !seen.insert(*id)) {
        return Err(format!("the key {id} stands in it twice"));
    }
    if seen.is_empty() {
        return Err("it holds no key".to_owned());
    }
    let timeline = keyring.timeline();
    match timeline.windows(2).find(|pair| pair[0].until.is_none() || pair[0].until > pair[1].from) {
        Some(pair) => Err(format!("the keys {} and {} serve at the same time", pair[0].id, pair[1].id)),
        None => Ok(keyring),
    }
}

fn read(text: &str, id_of: IdOf) -> Result<Keyring, String> {
    // Texts are borrowed, so that no secret is copied, and faults come without a copy of the file.
    let (table, faults) = DeTable::parse_recoverable(text);
    if let Some(fault) = faults.first() {
        let before = fault.span().and_then(|span| text.get(..span.start)).unwrap_or(text);
        let line = 1 + before.matches('\n').count();
        return Err(format!("line {line} is not TOML: the file was damaged or is half written"));
    }
    let table = table.get_ref();
    takes(table, &["version", "entries", "every", "key", "forgotten"])?;
    if whole(table, "version") != Some(1) {
        return Err("it does not say version = 1, the one that this logscrub reads".to_owned());
    }
    let keys = entries(table, "key")?;
    let notes = entries(table, "forgotten")?;
    let number = keys.len() + notes.len();
    if table.contains_key("entries") && whole(table, "entries") != i64::try_from(number).ok() {
        return Err(format!("it holds {number} entries and says another number: it is half written"));
    }
    if number > KEYS {
        return Err(format!("it holds more than {KEYS} keys"));
    }
    let mut keyring = Keyring { every: every(table)?, ..Keyring::default() };
    for (number, entry) in (1..).zip(&keys) {
        let fault = |what: String| format!("key {number}: {what}");
        let key = period(entry, id_of).map_err(fault)?;
        match (scope(entry).map_err(fault)?, &keyring.forever) {
            (false, _) => keyring.periods.push(key),
            (true, None) => keyring.forever = Some(key),
            (true, Some(_)) => return Err(fault("is the second of scope = \"forever\"".to_owned())),
        }
    }
    for (number, entry) in (1..).zip(&notes) {
        let gone = forgotten(entry).map_err(|what| format!("forgotten {number}: {what}"))?;
        keyring.forgotten.push(gone);
    }
    Ok(keyring)
}

fn every(table: &DeTable<'_>) -> Result<Option<Age>, String> {
    let Some(value) = table.get("every") else { return Ok(None) };
    let age = value.get_ref().as_str().and_then(|text| Age::parse(text).ok());
    age.map(Some).ok_or_else(|| "every is not a span of time as in 30d, 4w, 1mo or 1y".to_owned())
}

fn period(entry: &DeTable<'_>, id_of: IdOf) -> Result<Period, String> {
    takes(entry, &["scope", "id", "from", "until", "secret"])?;
    let secret = text(entry, "secret").and_then(unhex).ok_or("secret is not 64 hexadecimal digits")?;
    if secret.iter().all(|byte| secret.first() == Some(byte)) {
        return Err("secret is no random key".to_owned());
    }
    if **secret == TEST_KEY {
        return Err("secret is the public key of tests, which everybody knows".to_owned());
    }
    let id = id_of(&secret);
    if text(entry, "id") != Some(id.as_str()) {
        return Err("id is not the fingerprint of its secret: the file was damaged".to_owned());
    }
    let (from, until) = bounds(entry)?;
    Ok(Period { from, until, id, secret })
}

fn forgotten(entry: &DeTable<'_>) -> Result<Forgotten, String> {
    takes(entry, &["scope", "id", "from", "until", "forgotten"])?;
    let is_id =
        |id: &&str| !id.is_empty() && id.len() <= 16 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let id = text(entry, "id").filter(is_id).ok_or("id is none")?.to_owned();
    let (from, until) = bounds(entry)?;
    let forgotten = moment(entry, "forgotten")?.ok_or("it does not say when it was forgotten")?;
    Ok(Forgotten { from, until, was_forever: scope(entry)?, id, forgotten })
}

/// Whether it is the key of `scope = "forever"`.
fn scope(entry: &DeTable<'_>) -> Result<bool, String> {
    match entry.get("scope").map(|scope| scope.get_ref().as_str()) {
        None => Ok(false),
        Some(Some("forever")) if entry.contains_key("from") || entry.contains_key("until") => {
            Err("scope = \"forever\" goes without from and until".to_owned())
        }
        Some(Some("forever")) => Ok(true),
        Some(_) => Err("scope can only be \"forever\"".to_owned()),
    }
}

fn bounds(entry: &DeTable<'_>) -> Result<(Option<Timestamp>, Option<Timestamp>), String> {
    let (from, until) = (moment(entry, "from")?, moment(entry, "until")?);
    match from.zip(until).is_some_and(|(from, until)| from >= until) {
        true => Err("from is not before until".to_owned()),
        false => Ok((from, until)),
    }
}

/// A time, as a text or bare.
fn moment(entry: &DeTable<'_>, key: &str) -> Result<Option<Timestamp>, String> {
    let Some(value) = entry.get(key) else { return Ok(None) };
    let moment = match value.get_ref() {
        DeValue::String(text) => text.parse().ok(),
        DeValue::Datetime(time) => time.to_string().parse().ok(),
        _ => None,
    };
    moment.map(Some).ok_or_else(|| format!("{key} is not a time as in 2026-01-31T00:00:00Z (RFC 3339)"))
}

fn takes(table: &DeTable<'_>, keys: &[&str]) -> Result<(), String> {
    match table.keys().find(|key| !keys.contains(&key.get_ref().as_ref())) {
        Some(unknown) => {
            let bytes = unknown.get_ref().len();
            Err(format!("unknown key of {bytes} bytes; here are known: {}", keys.join(", ")))
        }
        None => Ok(()),
    }
}

/// The entries of `[[key]]` or `[[forgotten]]`.
fn entries<'t>(table: &'t DeTable<'t>, key: &str) -> Result<Vec<&'t DeTable<'t>>, String> {
    let Some(value) = table.get(key) else { return Ok(Vec::new()) };
    let fault = || format!("{key} is not written [[{key}]]");
    let entries = value.get_ref().as_array().ok_or_else(fault)?;
    entries.iter().map(|entry| entry.get_ref().as_table().ok_or_else(fault)).collect()
}

fn text<'t>(table: &'t DeTable<'_>, key: &str) -> Option<&'t str> {
    table.get(key)?.get_ref().as_str()
}

fn whole(table: &DeTable<'_>, key: &str) -> Option<i64> {
    let number = table.get(key)?.get_ref().as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

fn unhex(text: &str) -> Option<Box<Zeroizing<[u8; 32]>>> {
    let mut secret = Box::new(Zeroizing::new([0; 32]));
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in secret.iter_mut().zip(digits.chunks_exact(2)) {
        for digit in pair {
            let value = char::from(*digit).to_digit(16)?;
            *byte = *byte << 4 | u8::try_from(value).ok()?;
        }
    }
    Some(secret)
}
