//! Writes times with less detail, in place: same form, same length.

use super::Unit;
use super::civil::{self, Civil};
use super::read::{Place, Places};
use super::words::{MONTHS, WEEKDAYS};

/// Puts everything below the unit at its lowest. `text` is the time, `civil` what was read from it, `pad` what stands
/// before a day of one digit where two had stood.
pub(super) fn coarsen(text: &mut [u8], civil: &Civil, places: &Places, unit: Unit, pad: u8) {
    fill(text, places.second);
    fill(text, places.fraction);
    if unit >= Unit::Hour {
        fill(text, places.minute);
    }
    if unit >= Unit::Day {
        fill(text, places.hour);
    }
    if unit >= Unit::Month {
        date(text, &civil.floored(Some(unit)), places, pad);
    }
}

fn fill(text: &mut [u8], place: Place) {
    number(text, place, 0);
}

fn date(text: &mut [u8], civil: &Civil, places: &Places, pad: u8) {
    if let Some(days) = civil.days() {
        if places.week.length > 0 {
            let (year, week) = civil::week(days);
            number(text, places.year, year.unsigned_abs() as u32);
            number(text, places.week, u32::from(week));
            number(text, places.weekday, u32::from(civil::weekday(days)));
            return;
        }
        if places.weekday.length > 0 {
            name(text, places.weekday, WEEKDAYS.get(usize::from(civil::weekday(days)) - 1));
        }
        if places.day.length == 3 {
            return number(text, places.day, civil::ordinal(days));
        }
    }
    if places.month.length == 3 {
        name(text, places.month, MONTHS.get(usize::from(civil.month) - 1));
    } else {
        number(text, places.month, u32::from(civil.month));
    }
    let old = bytes(text, places.day).and_then(|day| day.first().copied());
    number(text, places.day, u32::from(civil.day));
    if places.day.length == 2 && old != Some(b'0') {
        let pad = if old == Some(b' ') { b' ' } else { pad };
        if let Some(ten) = bytes(text, places.day).and_then(|day| day.first_mut()) {
            *ten = if civil.day < 10 { pad } else { *ten };
        }
    }
}

fn bytes(text: &mut [u8], place: Place) -> Option<&mut [u8]> {
    let start = usize::from(place.at);
    text.get_mut(start..start + usize::from(place.length))
}

/// The last digits of the value, as many as there is place for.
fn number(text: &mut [u8], place: Place, mut value: u32) {
    for digit in bytes(text, place).unwrap_or_default().iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// The name in the case of the one that stands there.
fn name(text: &mut [u8], place: Place, name: Option<&&[u8; 3]>) {
    let (Some(old), Some(name)) = (bytes(text, place), name) else { return };
    for (old, new) in old.iter_mut().zip(*name) {
        *old = if old.is_ascii_uppercase() { new.to_ascii_uppercase() } else { new.to_ascii_lowercase() };
    }
}
