//! Times that begin with a word, and the words.

use super::read::{Reader, Zone};

pub(super) const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

pub(super) const WEEKDAYS: [&[u8; 3]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];

/// The number of the month whose name the text begins with.
#[inline]
pub(super) fn month(text: &[u8]) -> Option<u8> {
    let name: &[u8; 3] = text.first_chunk()?;
    month_of(*name)
}

/// The number of the month of that name. No byte but a letter becomes one with the bit of small letters: names are
/// compared as one number, and found by the four bits in which a product of it differs for each of them.
#[inline]
pub(super) fn month_of(name: [u8; 3]) -> Option<u8> {
    const fn number(name: &[u8; 3]) -> u32 {
        u32::from_le_bytes([name[0] | 0x20, name[1] | 0x20, name[2] | 0x20, 0])
    }
    const fn slot(number: u32) -> usize {
        (number.wrapping_mul(0x3b6f_e507) >> 28) as usize
    }
    const TABLE: [(u32, u8); 16] = {
        const NAMES: [&[u8; 3]; 12] =
            [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];
        let mut table = [(0, 0); 16];
        let mut month = 0;
        while month < 12 {
            let number = number(NAMES[month]);
            assert!(table[slot(number)].1 == 0, "each name has a slot of its own");
            table[slot(number)] = (number, month as u8 + 1);
            month += 1;
        }
        table
    };
    let name = number(&name);
    let (known, month) = TABLE[slot(name) % TABLE.len()];
    (known == name).then_some(month)
}

pub(super) fn weekday(text: &[u8]) -> Option<()> {
    matches!(&lower(text)?, b"mon" | b"tue" | b"wed" | b"thu" | b"fri" | b"sat" | b"sun").then_some(())
}

fn lower(text: &[u8]) -> Option<[u8; 3]> {
    let name: &[u8; 3] = text.first_chunk()?;
    name.iter().all(u8::is_ascii_alphabetic).then(|| name.map(|byte| byte | 0x20))
}

/// What the name of a zone says. Names other than those of UTC are of several zones, or of one that is hours off in
/// summer: `CST` is of China, Cuba and Chicago.
pub(super) fn zone(name: &[u8]) -> Option<Zone> {
    match name {
        b"UTC" | b"GMT" | b"Z" => Some(Zone::Offset(0)),
        b"CET" | b"CEST" | b"EET" | b"EEST" | b"WET" | b"WEST" | b"MEZ" | b"MESZ" | b"MET" | b"MEST"
        | b"BST" | b"IST" | b"MSK" | b"EST" | b"EDT" | b"CST" | b"CDT" | b"MST" | b"MDT" | b"PST"
        | b"PDT" | b"AKST" | b"AKDT" | b"HST" | b"AST" | b"ADT" | b"NST" | b"NDT" | b"JST" | b"KST"
        | b"HKT" | b"SGT" | b"PKT" | b"AEST" | b"AEDT" | b"ACST" | b"ACDT" | b"AWST" | b"NZST" | b"NZDT"
        | b"BRT" | b"ART" | b"CLT" | b"SAST" | b"CAT" | b"EAT" | b"WAT" | b"TRT" | b"WIB" => {
            Some(Zone::Vague)
        }
        _ => None,
    }
}

impl Reader<'_> {
    /// A time that begins with the name of a month or of a weekday.
    pub(super) fn name_first(&mut self) -> Option<()> {
        if self.month_name().is_some() {
            self.step(b' ')?;
            return self.behind_month(false);
        }
        self.weekday_name()?;
        let has_comma = self.is_step(b',');
        self.step(b' ')?;
        if !has_comma && self.byte(0).is_ascii_alphabetic() {
            self.month_name()?;
            self.step(b' ')?;
            return self.behind_month(true);
        }
        let is_hyphen = self.byte(1) == b'-' || self.byte(2) == b'-';
        self.day_first(if is_hyphen { b'-' } else { b' ' })?;
        self.step(b' ')?;
        self.time_with_colons()?;
        self.zone();
        Some(())
    }

    /// Day, year and time of day in the orders of RFC 3164, Cisco, ctime and date(1). Where the year is missing, only
    /// syslog is meant, which has no weekday.
    fn behind_month(&mut self, needs_year: bool) -> Option<()> {
        self.loose_day()?;
        let has_comma = self.is_step(b',');
        self.step(b' ')?;
        let has_year = self.byte(4) == b' ' && self.year().is_some();
        if has_year {
            self.step(b' ')?;
        } else if has_comma {
            return None;
        }
        self.time_with_colons()?;
        self.zone();
        if !has_year && !self.year_behind(needs_year) && needs_year {
            return None;
        }
        Some(())
    }

    /// Where there need not be one, only what is surely a year is taken for one.
    fn year_behind(&mut self, is_needed: bool) -> bool {
        let is_near = matches!((self.byte(1), self.byte(2)), (b'1', b'9') | (b'2', b'0'));
        let is_whole = !matches!(self.byte(5), b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'.' | b'-' | b'_');
        if !(self.byte(0) == b' ' && (is_near || is_needed) && is_whole) {
            return false;
        }
        let mut reader = *self;
        reader.at += 1;
        let is_year = reader.year().is_some();
        if is_year {
            *self = reader;
        }
        is_year
    }
}
