//! What is left of a line under two simple policies: every kind redacted, every kind truncated.

use super::unescape::{self, Level};
use super::{Found, find};

/// What happens to every value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    Redact,
    Truncate,
}

impl Policy {
    pub(crate) const BOTH: [Policy; 2] = [Policy::Redact, Policy::Truncate];

    /// The rules file that says so.
    pub(crate) fn rules(self) -> String {
        let action = match self {
            Policy::Redact => "redact",
            Policy::Truncate => "truncate",
        };
        format!(
            "[[rule]]\nname = \"all\"\nfind = [\"email\", \"ipv4\", \"ipv6\", \"pan\"]\naction = \"{action}\"\n"
        )
    }
}

/// A value of the record: the bytes `start..end` are its content, `number` those of a bare number.
#[derive(Clone, Copy)]
struct Place {
    start: usize,
    end: usize,
    number: bool,
    /// The object in which it is a name.
    name_in: Option<usize>,
    /// The name that says what it is.
    called: Option<(usize, usize)>,
}

/// What a log becomes, line by line.
pub(crate) fn scrub(log: &[u8], policy: Policy) -> Vec<u8> {
    log.split_inclusive(|byte| *byte == b'\n').flat_map(|line| scrub_line(line, policy)).collect()
}

fn scrub_line(line: &[u8], policy: Policy) -> Vec<u8> {
    let end = if line.ends_with(b"\r\n") { 2 } else { usize::from(line.ends_with(b"\n")) };
    let (record, line_end) = line.split_at(line.len() - end);
    let mut now = record.to_vec();
    for _ in 0..8 {
        let next = scrub_once(&now, policy);
        if next == now {
            return [&now, line_end].concat();
        }
        now = next;
    }
    let object = record.iter().find(|byte| !b" \t".contains(byte)) == Some(&b'{');
    let marker = match object {
        true => format!("{{\"logscrub\":\"withheld\",\"bytes\":{}}}", record.len()),
        false => format!("[withheld {} bytes]", record.len()),
    };
    [marker.as_bytes(), line_end].concat()
}

fn scrub_once(record: &[u8], policy: Policy) -> Vec<u8> {
    match json(record) {
        Some(places) => scrub_json(record, &places, policy),
        None => {
            let pieces = pieces(record, in_text(record));
            let mut out = record.to_vec();
            for piece in pieces.iter().rev() {
                let left = left_of(&record[piece.start..piece.end], piece, policy);
                out.splice(piece.start..piece.end, left);
            }
            out
        }
    }
}

/// Running text. What was meant to be JSON is also read as JSON reads it.
fn in_text(record: &[u8]) -> Vec<Found> {
    let mut found = find(record);
    let meant = b"{[".contains(record.trim_ascii_start().first().unwrap_or(&b' '));
    if meant && record.contains(&b'\\') {
        let level = Level::raw(record);
        let level = level.undo(unescape::in_json).unwrap_or(level);
        let known = found.clone();
        for other in find(&level.bytes) {
            let (start, end) = level.written(other.start, other.end);
            let other = Found { start, end, ..other };
            if !known.iter().any(|one| one.kind == other.kind && super::overlap(one, &other)) {
                found.push(other);
            }
        }
        found.sort_by_key(|found| (found.start, found.end, super::order(found.kind)));
    }
    found
}

fn scrub_json(record: &[u8], places: &[Place], policy: Policy) -> Vec<u8> {
    let mut edits: Vec<(usize, usize, Vec<u8>)> = Vec::new();
    let mut names: Vec<(usize, Vec<u8>)> = Vec::new();
    let untouched = |place: &&Place| pieces(record, in_place(record, place)).is_empty();
    for name in places.iter().filter(|place| place.name_in.is_some()).filter(untouched) {
        names.push((name.name_in.unwrap_or(0), record[name.start..name.end].to_vec()));
    }
    let mut numbers = std::collections::HashMap::new();
    for place in places {
        let pieces = pieces(record, in_place(record, place));
        let mut content = record[place.start..place.end].to_vec();
        for piece in pieces.iter().rev() {
            let raw = &record[piece.start..piece.end];
            let plain = Level::raw(raw);
            let plain = plain.undo(unescape::in_json).unwrap_or(plain).bytes;
            let left = left_of(if place.number { raw } else { &plain }, piece, policy);
            // A value that stays as it was written stays so, whatever its escapes.
            if left != raw {
                content.splice(piece.start - place.start..piece.end - place.start, escaped(&left));
            }
        }
        if content == record[place.start..place.end] {
            if place.name_in.is_some() && !pieces.is_empty() {
                names.push((place.name_in.unwrap_or(0), content));
            }
            continue;
        }
        if let Some(object) = place.name_in {
            content = numbered(object, content, &mut names, &mut numbers);
        }
        if place.number {
            content = [b"\"".as_slice(), &content, b"\""].concat();
        }
        edits.push((place.start, place.end, content));
    }
    let mut out = record.to_vec();
    for (start, end, content) in edits.into_iter().rev() {
        out.splice(start..end, content);
    }
    out
}

/// The name, or the name with the first number that makes it unlike the others of its object.
fn numbered(
    object: usize,
    name: Vec<u8>,
    names: &mut Vec<(usize, Vec<u8>)>,
    numbers: &mut std::collections::HashMap<(usize, Vec<u8>), usize>,
) -> Vec<u8> {
    let mut free = name.clone();
    while names.contains(&(object, free.clone())) {
        let number = numbers.entry((object, name.clone())).or_insert(1);
        *number += 1;
        free = match name.strip_suffix(b"]") {
            Some(head) => [head, format!("#{number}]").as_bytes()].concat(),
            None => [name.as_slice(), format!("#{number}").as_bytes()].concat(),
        };
    }
    names.push((object, free.clone()));
    free
}

/// What is found in one value, in the light of what stands before it.
fn in_place(record: &[u8], place: &Place) -> Vec<Found> {
    let name = record[place.start.saturating_sub(192)..place.start].to_vec();
    let raw = Level::raw(&record[place.start..place.end]);
    let plain = if place.number { raw } else { raw.undo(unescape::in_json).unwrap_or(raw) };
    let hay = [name.as_slice(), &plain.bytes].concat();
    find(&hay)
        .into_iter()
        .filter(|found| found.start >= name.len())
        .map(|found| {
            let (start, end) = plain.written(found.start - name.len(), found.end - name.len());
            Found { start: place.start + start, end: place.start + end, ..found }
        })
        .collect()
}

/// The bytes that go, each with the kind on whose account: what touches a residue stays; the longest value
/// has its bytes, of the others what is left over.
fn pieces(record: &[u8], found: Vec<Found>) -> Vec<Piece> {
    let mut found: Vec<Found> = found.into_iter().filter(|found| !touches_residue(record, found)).collect();
    found.sort_by_key(|found| (std::cmp::Reverse(found.end - found.start), found.start));
    let mut owner: Vec<Option<usize>> = vec![None; record.len()];
    let mut out: Vec<Piece> = Vec::new();
    for (index, found) in found.iter().enumerate() {
        let rest = owner[found.start..found.end].iter().any(Option::is_some);
        let mut at = found.start;
        while at < found.end {
            let length = owner[at..found.end].iter().take_while(|owner| owner.is_none()).count();
            if length > 0 {
                out.push(Piece { start: at, end: at + length, kind: found.kind, rest });
            }
            at += length.max(1);
        }
        owner[found.start..found.end].iter_mut().for_each(|owner| *owner = Some(index));
    }
    out.retain(|piece| !is_residue(&record[piece.start..piece.end]));
    out.sort_by_key(|piece| piece.start);
    out
}

struct Piece {
    start: usize,
    end: usize,
    kind: &'static str,
    rest: bool,
}

fn touches_residue(record: &[u8], found: &Found) -> bool {
    (0..found.end).filter(|at| record[*at] == b'[').any(|at| {
        let end = record[at..].iter().position(|byte| *byte == b']').map(|length| at + length + 1);
        end.is_some_and(|end| end > found.start && is_residue(&record[at..end]))
    })
}

/// `[kind]`, `[kind#2]`, `[]`, `[withheld 12 bytes]`; no pseudonym, for there is no key.
fn is_residue(text: &[u8]) -> bool {
    let Some(inside) = text.strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]")) else { return false };
    let Ok(inside) = std::str::from_utf8(inside) else { return false };
    let is_number =
        |text: &str| (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_kind = |name: &str| ["email", "ipv4", "ipv6", "pan", "field"].contains(&name);
    inside.is_empty()
        || is_kind(inside)
        || inside.split_once('#').is_some_and(|(name, number)| is_kind(name) && is_number(number))
        || inside
            .strip_prefix("withheld ")
            .and_then(|rest| rest.strip_suffix(" bytes"))
            .is_some_and(is_number)
}

fn left_of(value: &[u8], piece: &Piece, policy: Policy) -> Vec<u8> {
    let label = format!("[{}]", piece.kind).into_bytes();
    if policy == Policy::Redact || piece.rest {
        return label;
    }
    truncated(value, piece.kind).unwrap_or(label)
}

fn truncated(value: &[u8], kind: &str) -> Option<Vec<u8>> {
    let mut level = Level::raw(value);
    for _ in 0..super::LEVELS {
        let Some(next) = level.undo_in_logs(false) else { break };
        level = next;
    }
    let plain = level.bytes;
    match kind {
        "ipv4" => {
            let address: std::net::Ipv4Addr = std::str::from_utf8(&plain).ok()?.parse().ok()?;
            let [a, b, c, _] = address.octets();
            Some(format!("{a}.{b}.{c}.0").into_bytes())
        }
        "ipv6" => {
            let address: std::net::Ipv6Addr = std::str::from_utf8(&plain).ok()?.parse().ok()?;
            let cut = truncated_ipv6(address);
            Some(if cut == address { plain } else { spelled(cut).into_bytes() })
        }
        // Cards that overlap are one value, which is longer than any card and so goes as a whole.
        "pan" if plain.iter().filter(|byte| byte.is_ascii_digit()).count() > 19 => None,
        "pan" => Some(truncated_pan(&plain)),
        _ => {
            let at = plain.iter().rposition(|byte| *byte == b'@')?;
            let domain = plain[at..].to_ascii_lowercase();
            (!domain.starts_with(b"@[")).then(|| [b"[email]".as_slice(), &domain].concat())
        }
    }
}

/// The short form, unless it may be taken for a time, for names or for empty fields.
fn spelled(address: std::net::Ipv6Addr) -> String {
    let short = address.to_string();
    let groups: Vec<&str> = short.split(':').filter(|group| !group.is_empty()).collect();
    let has_letter = |group: &str| group.contains(|c: char| c.is_ascii_alphabetic());
    let is_time = groups.iter().all(|group| group.len() == 2 && !has_letter(group));
    let is_name = groups.len() <= 2 && !short.contains(|c: char| c.is_ascii_digit());
    let is_field = groups.len() <= 2 && !groups.iter().any(|group| group.len() >= 3 && has_letter(group));
    match is_time || is_name || is_field {
        true => address.segments().map(|group| format!("{group:x}")).join(":"),
        false => short,
    }
}

/// 48 bits; of a mapped address the 24 of its IPv4 address; of an embedded one in those 48 no more either.
fn truncated_ipv6(address: std::net::Ipv6Addr) -> std::net::Ipv6Addr {
    let mut octets = address.octets();
    if octets[..12] == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF] {
        octets[15] = 0;
        return octets.into();
    }
    octets[6..].fill(0);
    if octets[..2] == [0x20, 0x02] {
        octets[5] = 0;
    }
    octets.into()
}

/// All digits but the last four, and but the first six if there are fifteen or more.
fn truncated_pan(value: &[u8]) -> Vec<u8> {
    let digits: Vec<usize> = (0..value.len()).filter(|at| value[*at].is_ascii_digit()).collect();
    let first = if digits.len() >= 15 { 6 } else { 0 };
    let mut out = value.to_vec();
    digits[first..digits.len() - 4].iter().for_each(|at| out[*at] = b'*');
    out
}

fn escaped(text: &[u8]) -> Vec<u8> {
    let one = |byte: &u8| match byte {
        b'"' | b'\\' => vec![b'\\', *byte],
        0..=0x1F => format!("\\u{byte:04x}").into_bytes(),
        _ => vec![*byte],
    };
    text.iter().flat_map(one).collect()
}

/// Where the strings, names and numbers of a JSON object or array stand; `None` if it is none.
fn json(record: &[u8]) -> Option<Vec<Place>> {
    let mut reader = Reader { record, at: 0, places: Vec::new(), objects: 0 };
    if record.starts_with(b"\xEF\xBB\xBF") {
        reader.at = 3;
    }
    reader.blanks();
    if !b"{[".contains(&reader.next()) {
        return None;
    }
    reader.value(None, 0)?;
    reader.blanks();
    (reader.at == record.len()).then_some(reader.places)
}

struct Reader<'r> {
    record: &'r [u8],
    at: usize,
    places: Vec<Place>,
    objects: usize,
}

impl Reader<'_> {
    fn next(&self) -> u8 {
        self.record.get(self.at).copied().unwrap_or(0)
    }

    fn blanks(&mut self) {
        while self.at < self.record.len() && b" \t\r\n".contains(&self.next()) {
            self.at += 1;
        }
    }

    fn takes(&mut self, byte: u8) -> bool {
        self.blanks();
        let is_next = self.at < self.record.len() && self.next() == byte;
        self.at += usize::from(is_next);
        is_next
    }

    fn value(&mut self, called: Option<(usize, usize)>, depth: usize) -> Option<()> {
        self.blanks();
        match self.next() {
            b'"' => self.string(None, called).map(|_| ()),
            b'{' | b'[' if depth == 128 => None,
            b'{' => self.object(depth),
            b'[' => self.array(called, depth),
            b'-' | b'0'..=b'9' => self.number(called),
            _ => {
                let rest = &self.record[self.at..];
                let word = ["true", "false", "null"].iter().find(|word| rest.starts_with(word.as_bytes()))?;
                self.at += word.len();
                Some(())
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<()> {
        self.at += 1;
        let object = self.objects;
        self.objects += 1;
        if self.takes(b'}') {
            return Some(());
        }
        loop {
            self.blanks();
            let name = self.string(Some(object), None)?;
            self.takes(b':').then_some(())?;
            self.value(Some(name), depth + 1)?;
            if self.takes(b'}') {
                return Some(());
            }
            self.takes(b',').then_some(())?;
        }
    }

    fn array(&mut self, called: Option<(usize, usize)>, depth: usize) -> Option<()> {
        self.at += 1;
        if self.takes(b']') {
            return Some(());
        }
        loop {
            self.value(called, depth + 1)?;
            if self.takes(b']') {
                return Some(());
            }
            self.takes(b',').then_some(())?;
        }
    }

    fn string(&mut self, name_in: Option<usize>, called: Option<(usize, usize)>) -> Option<(usize, usize)> {
        (self.next() == b'"').then_some(())?;
        let start = self.at + 1;
        let mut at = start;
        while *self.record.get(at)? != b'"' {
            at += match (self.record[at], *self.record.get(at + 1)?) {
                (b'\\', b'u') => {
                    let digits = self.record.get(at + 2..at + 6)?;
                    digits.iter().all(u8::is_ascii_hexdigit).then_some(6)?
                }
                (b'\\', other) => b"\"\\/bfnrt".contains(&other).then_some(2)?,
                _ => 1,
            };
        }
        self.at = at + 1;
        self.places.push(Place { start, end: at, number: false, name_in, called });
        Some((start, at))
    }

    fn number(&mut self, called: Option<(usize, usize)>) -> Option<()> {
        let pattern = regex::bytes::Regex::new(r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?").ok()?;
        let length = pattern.find(&self.record[self.at..])?.end();
        let (start, end) = (self.at, self.at + length);
        // `1.x`, `1e` begin as numbers and are none; what follows then fails by itself.
        self.places.push(Place { start, end, number: true, name_in: None, called });
        self.at = end;
        Some(())
    }
}
