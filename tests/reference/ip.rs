//! What an IP address is, as predicates over a whole text and a window of it.

use logscrub::detect::ipv4::{
    ADDRESS_WORDS, FILE_ENDINGS, PRODUCTS, VERSION_SUFFIXES, VERSION_WORDS, WEAK_VERSION_WORDS,
};

use super::{byte, byte_before, is_one_of, is_word, word_ends_at};

/// The shortest and the longest dotted address.
pub(crate) const IPV4_BYTES: (usize, usize) = (7, 15);

/// Four numbers up to 255; padded to three digits or without leading zeros.
pub(crate) fn quad(text: &[u8]) -> Option<[u8; 4]> {
    let text = std::str::from_utf8(text).ok()?;
    let parts: Option<Vec<u8>> = text
        .split('.')
        .map(|part| {
            let digits = part.bytes().all(|byte| byte.is_ascii_digit());
            let plain = part.len() == 3 || part == "0" || !part.starts_with('0');
            (digits && plain && part.len() <= 3).then(|| part.parse().ok())?
        })
        .collect();
    parts?.try_into().ok()
}

pub(crate) fn is_ipv4(text: &[u8], start: usize, end: usize) -> bool {
    let Some(parts) = quad(&text[start..end]) else { return false };
    stands_alone(text, start, end) && !is_version(text, start, end, parts)
}

fn stands_alone(text: &[u8], start: usize, end: usize) -> bool {
    let before = byte_before(text, start);
    let after = byte(text, end);
    if is_word(before) || is_word(after) {
        return false;
    }
    if before == b'.' && start > 1 && text[start - 2].is_ascii_digit() {
        return false;
    }
    if after != b'.' {
        return true;
    }
    match byte(text, end + 1) {
        b'0'..=b'9' => has_dotted_port(text, start, end),
        _ => {
            let name: Vec<u8> =
                text[end + 1..].iter().copied().take_while(u8::is_ascii_alphanumeric).collect();
            let fedora = name.len() <= 4 && name.starts_with(b"fc");
            !(fedora || is_one_of(&name, FILE_ENDINGS.text()))
        }
    }
}

/// `address.port`: after `> ` or `IP `, before ` > `, or next to another one.
fn has_dotted_port(text: &[u8], start: usize, end: usize) -> bool {
    let digits = text[end + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = &text[end + 1 + digits..];
    if digits > 5 || byte(rest, 0) == b'.' && byte(rest, 1).is_ascii_alphanumeric() {
        return false;
    }
    let before = &text[..start];
    let is_twin = |token: &[u8]| {
        let dots = token.iter().filter(|byte| **byte == b'.').count();
        token.len() <= 21 && dots == 4 && token.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
    };
    let earlier = before.strip_suffix(b" ").and_then(|before| before.rsplit(|byte| *byte == b' ').next());
    let later = rest.strip_prefix(b" ").and_then(|rest| rest.split(|byte| b" :,".contains(byte)).next());
    before.ends_with(b"> ")
        || before.ends_with(b"IP ")
        || rest.starts_with(b" > ")
        || earlier.is_some_and(is_twin)
        || later.is_some_and(is_twin)
}

fn is_private(parts: [u8; 4]) -> bool {
    let low_ten = parts[..3] == [10, 0, 0] && parts[3] < 10;
    let shared = parts[0] == 172 && parts[1] / 16 == 1;
    (parts[0] == 10 && !low_ten) || shared || parts[..2] == [192, 168]
}

fn is_low(parts: [u8; 4]) -> bool {
    !is_private(parts) && parts[0] < 128 && parts[1].max(parts[2]).max(parts[3]) < 100
}

fn is_version(text: &[u8], start: usize, end: usize, parts: [u8; 4]) -> bool {
    let before = &text[..start];
    let rest = &text[end..];
    is_announced(before, parts)
        || has_version_suffix(rest)
        || match byte_before(text, start) {
            b'/' => is_of_product(&before[..start - 1], rest, parts),
            b'-' => is_of_package(&before[..start - 1], parts),
            b'.' => start > 1 && is_word(before[start - 2]) && !goes_on_as_name(rest),
            _ => false,
        }
}

/// A word like `version`, one to eight signs, the number.
fn is_announced(before: &[u8], parts: [u8; 4]) -> bool {
    (1..=8).any(|count| {
        let Some(end) = before.len().checked_sub(count) else { return false };
        let between = before[end..].iter().all(|byte| b" \t:=\"'\\>[(+".contains(byte));
        let word = |words: &[&str]| words.iter().any(|word| word_ends_at(before, end, word.as_bytes()));
        between && (word(&VERSION_WORDS) || is_low(parts) && word(&WEAK_VERSION_WORDS))
    })
}

fn has_version_suffix(rest: &[u8]) -> bool {
    b"-+~".contains(&byte(rest, 0))
        && (0..=3).any(|digits| {
            let Some(word) = rest.get(1 + digits..) else { return false };
            let number = rest[1..1 + digits].iter().all(u8::is_ascii_digit);
            let is_suffix = |suffix: &str| {
                word.len() >= suffix.len() && word[..suffix.len()].eq_ignore_ascii_case(suffix.as_bytes())
            };
            number
                && VERSION_SUFFIXES
                    .text()
                    .split(' ')
                    .any(|suffix| is_suffix(suffix) && !byte(word, suffix.len()).is_ascii_alphabetic())
        })
}

fn goes_on_as_name(rest: &[u8]) -> bool {
    byte(rest, 0) == b'.' && byte(rest, 1).is_ascii_alphabetic()
}

/// The last word of `before`, of at most 40 bytes.
fn word_of(before: &[u8]) -> &[u8] {
    let inside = |byte: &u8| is_word(*byte) || b".-!".contains(byte);
    let start = before.iter().rposition(|byte| !inside(byte)).map_or(0, |at| at + 1);
    &before[start.max(before.len().saturating_sub(40))..]
}

/// `Name/1.2.3.4`; `before` ends with the name.
fn is_of_product(before: &[u8], rest: &[u8], parts: [u8; 4]) -> bool {
    let name = word_of(before);
    let last_part = name.rsplit(|byte| *byte == b'-').next().unwrap_or(name);
    let known = is_one_of(name, PRODUCTS.text()) || is_one_of(last_part, PRODUCTS.text());
    if name.is_empty() || byte(rest, 0) == b':' || is_private(parts) && !known {
        return false;
    }
    let host = is_one_of(name, ADDRESS_WORDS.text());
    let in_path = before.len() > name.len() && b"/:=@\\[".contains(&before[before.len() - name.len() - 1]);
    let looks_so = name[0].is_ascii_uppercase()
        && name.iter().any(u8::is_ascii_lowercase)
        && name[name.len() - 1].is_ascii_alphanumeric();
    let alone = (!in_path || known) && !host && (known || looks_so);
    alone || stands_in_list(&before[..before.len() - name.len()], host, rest)
}

/// `OpenSSL/1.0.1 zlib/1.2.3.4 libidn/1.23`: next to another product with a version of up to three parts.
fn stands_in_list(before: &[u8], host: bool, rest: &[u8]) -> bool {
    let product = |token: &[u8]| {
        let mut halves = token.splitn(2, |byte| *byte == b'/');
        let (name, version) = (halves.next().unwrap_or(token), halves.next().unwrap_or(b""));
        let dots = version.iter().filter(|byte| **byte == b'.').count();
        byte(name, 0).is_ascii_alphabetic() && byte(version, 0).is_ascii_digit() && dots < 3
    };
    let cut = |token: &[u8]| token[..token.len().min(40)].to_vec();
    let Some(earlier) = before.strip_suffix(b" ").or((before.is_empty()).then_some(b"")) else {
        return false;
    };
    let earlier = &earlier[earlier.len().saturating_sub(79)..];
    let earlier = cut(earlier.rsplit(|byte| *byte == b' ').next().unwrap_or(b""));
    let later = rest.strip_prefix(b" ").unwrap_or(b"");
    let later = cut(later.split(|byte| *byte == b' ').next().unwrap_or(b""));
    !host && (product(&earlier) || product(&later))
}

/// `phpMyAdmin-2.8.2.3`; `before` ends with the name.
fn is_of_package(before: &[u8], parts: [u8; 4]) -> bool {
    let name = word_of(before).rsplit(|byte| b"-._".contains(byte)).next().unwrap_or(b"");
    byte(name, 0).is_ascii_alphabetic() && !is_one_of(name, ADDRESS_WORDS.text()) && is_low(parts)
}

/// RFC 4291 section 2.2 in the words of the standard library, plus padded dotted tails.
pub(crate) fn is_ipv6_text(text: &[u8]) -> bool {
    let mut plain = text.to_vec();
    if let Some(colon) = text.iter().rposition(|byte| *byte == b':')
        && quad(&text[colon + 1..]).is_some()
    {
        plain.truncate(colon + 1);
        plain.extend_from_slice(b"192.0.2.1");
    }
    std::str::from_utf8(&plain).is_ok_and(|plain| plain.parse::<std::net::Ipv6Addr>().is_ok())
}

/// The address in each run of hex digits and colons in which no group has more than four digits: a longer
/// group is a word. Of the windows that fit, the longest.
pub(crate) fn ipv6(text: &[u8]) -> Vec<(usize, usize)> {
    runs(text)
        .into_iter()
        .filter_map(|run| {
            let windows = starts(text, run).into_iter().flat_map(|start| {
                ends(text, (start, run.1))
                    .into_iter()
                    .filter(move |end| *end > start)
                    .map(move |end| (start, end))
            });
            let fits = |&(start, end): &(usize, usize)| is_ipv6(text, start, end);
            windows.filter(fits).max_by_key(|(start, end)| end - start)
        })
        .collect()
}

fn runs(text: &[u8]) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let core = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b':';
        let end = at + text[at..].iter().take_while(|byte| core(byte)).count();
        let mut start = at;
        // Cut at the words.
        let mut group = at;
        while group < end {
            let digits = text[group..end].iter().take_while(|byte| **byte != b':').count();
            if digits > 4 {
                runs.push((start, group));
                start = group + digits;
            }
            group += digits + 1;
        }
        runs.push((start, end.max(start)));
        at = end + 1;
    }
    runs.retain(|(start, end)| text[*start..*end].contains(&b':'));
    runs
}

fn starts(text: &[u8], (start, end): (usize, usize)) -> Vec<usize> {
    let run = &text[start..end];
    let before = byte_before(text, start);
    let colon = run.iter().position(|byte| *byte == b':').unwrap_or(0);
    let colons = run[colon..].iter().take_while(|byte| **byte == b':').count();
    // `from:::ffff:192.0.2.1`: one colon that belongs to the word, two that belong to the address.
    let three = run[colon..].starts_with(b":::") && run[colon + 3..].contains(&b':');
    if before == b')' || before == b'.' && start > 1 && is_word(text[start - 2]) {
        return vec![];
    }
    if is_word(before) {
        return if colons == 1 || three { vec![start + colon + 1] } else { vec![] };
    }
    if colon == 0 && (colons == 1 || three) { vec![start + 1] } else { vec![start] }
}

fn ends(text: &[u8], (start, end): (usize, usize)) -> Vec<usize> {
    let run = &text[start..end];
    if !run.contains(&b':') {
        return vec![];
    }
    let after = byte(text, end);
    let tail = &text[end..text.len().min(end + 16)];
    let tail = tail.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let tail = text[end..end + tail].iter().rposition(u8::is_ascii_digit).map_or(0, |last| last + 1);
    if after == b'.' && tail > 0 {
        let dots: Vec<usize> = (end..end + tail).filter(|at| text[*at] == b'.').collect();
        let glued = is_word(byte(text, end + tail));
        match dots.len() {
            1 if !glued => {}                       // tcpdump's port, or the end of a sentence
            3 if !glued => return vec![end + tail], // a dotted tail
            4 if !glued => return vec![dots[3]],    // a dotted tail and tcpdump's port
            _ => return vec![],
        }
    }
    let last = run.iter().rposition(|byte| *byte == b':').unwrap_or(0);
    if run.ends_with(b"::") {
        return if is_word(after) { vec![] } else { vec![end] };
    }
    if run.ends_with(b":") {
        return vec![end - 1, ninth(run, last).map_or(0, |cut| start + cut)];
    }
    if is_word(after) {
        return if run[..last].ends_with(b":") {
            vec![]
        } else {
            vec![start + last, ninth(&run[..last + 1], last).map_or(0, |cut| start + cut)]
        };
    }
    vec![end, ninth(run, run.len()).map_or(0, |cut| start + cut)]
}

/// Where the eighth group of a full address ends, if three to five digits, a port, follow up to `end`.
fn ninth(run: &[u8], end: usize) -> Option<usize> {
    let cut = run[..end].iter().rposition(|byte| *byte == b':')?;
    let port = &run[cut + 1..end];
    let full = run[..cut].iter().filter(|byte| **byte == b':').count() >= 7 || run[..cut].ends_with(b"::");
    (full && (3..=5).contains(&port.len()) && port.iter().all(u8::is_ascii_digit)).then_some(cut)
}

fn is_ipv6(text: &[u8], start: usize, end: usize) -> bool {
    is_ipv6_text(&text[start..end]) && !looks_otherwise(text, start, end)
}

/// What reads as an address and is none.
fn looks_otherwise(text: &[u8], start: usize, end: usize) -> bool {
    let address = &text[start..end];
    let rest = &text[end..];
    let groups: Vec<&[u8]> = address.split(|byte| *byte == b':').filter(|group| !group.is_empty()).collect();
    let pairs = groups.iter().all(|group| group.len() == 2);
    let decimal = address.iter().all(|byte| byte.is_ascii_digit() || *byte == b':');
    let open = address.ends_with(b"::");
    let is_field = |group: &&[u8]| group.len() < 3 || group.iter().all(u8::is_ascii_digit);
    let may_be_fields = groups.len() < 3 && groups.iter().all(is_field);
    if address == b"::" {
        let left = start == 0 || b"[\"'\t\n=(<>,;|".contains(&text[start - 1]);
        let right = rest.is_empty() || b"]\"'\t\r\n)<>,;|".contains(&rest[0]);
        return !(left && right || byte(rest, 0) == b'/' && byte(rest, 1).is_ascii_digit());
    }
    pairs && groups.len() == 8
        || open && pairs && decimal
        || open
            && may_be_fields
            && byte(rest, 0) == b'/'
            && rest.len() > 1
            && is_word(rest[1])
            && !rest[1].is_ascii_digit()
        || groups.len() < 3 && !address.iter().any(u8::is_ascii_digit)
}
