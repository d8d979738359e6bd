//! `[input] time, zone, undated`: when a record was written.

use jiff::tz::Offset;

use super::fault::Faults;
use super::layer::Layer;
use super::selector::Selector;

/// How the times of records are read.
#[derive(Clone, Debug, Default)]
pub struct Timing {
    /// `time`: the field that holds the record's own time.
    pub field: Option<Selector>,
    /// `zone`: the offset of times that carry none. Without it they are taken for UTC, and are uncertain.
    pub zone: Option<Offset>,
    /// `undated`.
    pub undated: Option<Undated>,
}

/// `undated`: what holds for a record without a time behind none that has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undated {
    /// It is as old as the moment at which it was read.
    Arrival,
    /// It is of the date of its file.
    File,
    /// It has reached every age.
    Oldest,
    /// It has reached none.
    Newest,
    /// It does not go out if any age would change it.
    Withhold,
}

impl Undated {
    /// The word of the rules file.
    pub fn word(self) -> &'static str {
        match self {
            Undated::Arrival => "arrival",
            Undated::File => "file",
            Undated::Oldest => "oldest",
            Undated::Newest => "newest",
            Undated::Withhold => "withhold",
        }
    }

    fn named(word: &str) -> Option<Undated> {
        let all = [Undated::Arrival, Undated::File, Undated::Oldest, Undated::Newest, Undated::Withhold];
        all.into_iter().find(|one| one.word() == word)
    }
}

/// Reads the keys; of each the first file that has it decides.
pub(super) fn read(layers: &[Layer], faults: &mut Faults) -> Timing {
    let mut timing = Timing::default();
    let written = |key| {
        layers.iter().find_map(|layer| {
            let node = layer.doc.root.get("input")?.get(key)?;
            Some((&layer.doc, node, node.as_text()?))
        })
    };
    if let Some((doc, node, text)) = written("time") {
        match Selector::parse(text) {
            Ok(field) => timing.field = Some(field),
            Err(wrong) => faults.push(doc.fault(&node.span, wrong)),
        }
    }
    if let Some((doc, node, text)) = written("zone") {
        timing.zone = zone(text);
        if timing.zone.is_none() {
            let fault = doc.fault(&node.span, "`zone` is no offset from UTC");
            faults.push(fault.help("write it as in +01:00 or -08:00, or UTC; names of zones are not known"));
        }
    }
    timing.undated = written("undated").and_then(|(_, _, text)| Undated::named(text));
    timing
}

/// `+01:00`, `-0800`, `UTC`, `Z`.
fn zone(text: &str) -> Option<Offset> {
    if matches!(text, "UTC" | "Z" | "z") {
        return Some(Offset::UTC);
    }
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits = digits.replacen(':', "", 1);
    let is_whole = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: i32 = digits.parse().ok().filter(|_| is_whole)?;
    let (hours, minutes) = (number / 100, number % 100);
    let seconds = sign * (hours * 3600 + minutes * 60);
    (hours <= 14 && minutes < 60).then(|| Offset::from_seconds(seconds).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_offsets() {
        for (text, seconds) in
            [("UTC", 0), ("Z", 0), ("+01:00", 3600), ("-0800", -28800), ("+05:45", 20700), ("-00:00", 0)]
        {
            assert_eq!(zone(text).map(Offset::seconds), Some(seconds), "{text}");
        }
        for text in ["", "+", "1", "01:00", "+1", "+1:00", "+15:00", "+01:60", "CET", "Europe/Berlin", "+é"]
        {
            assert_eq!(zone(text), None, "{text}");
        }
    }
}
