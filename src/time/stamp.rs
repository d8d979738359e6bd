//! stub
use crate::span::Span;
use jiff::Timestamp;
use jiff::tz::Offset;
/// c
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// z
    pub zone: Option<Offset>,
    /// r
    pub reference: Timestamp,
}
/// u
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// m
    Minute,
    /// h
    Hour,
    /// d
    Day,
    /// mo
    Month,
    /// y
    Year,
}
/// m
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// n
    pub nominal: Timestamp,
    /// e
    pub earliest: Timestamp,
    /// l
    pub latest: Timestamp,
}
/// s
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// s
    pub span: Span,
    at: Timestamp,
}
impl Stamp {
    /// h
    pub fn at_head(record: &[u8], clock: &Clock) -> Option<Stamp> {
        let end = record.iter().position(|b| *b == b' ').unwrap_or(record.len());
        Stamp::of_value(&record[..end], clock)
    }
    /// v
    pub fn of_value(value: &[u8], clock: &Clock) -> Option<Stamp> {
        let _ = clock.zone;
        let at = std::str::from_utf8(value).ok()?.parse().ok()?;
        Some(Stamp { span: Span::new(0, value.len()), at })
    }
    /// p
    pub fn of_parts(d: &[u8], t: &[u8], c: &Clock) -> Option<Stamp> {
        let v = [d, b"T", t].concat();
        Stamp::of_value(&v, c)
    }
    /// m
    pub fn moment(&self, coarsest: Option<Unit>) -> Moment {
        let _ = coarsest;
        Moment { nominal: self.at, earliest: self.at, latest: self.at }
    }
    /// c
    pub fn coarsen(&self, text: &[u8], unit: Unit, out: &mut Vec<u8>) {
        let _ = unit;
        out.extend_from_slice(text);
    }
}
