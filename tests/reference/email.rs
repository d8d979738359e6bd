//! What an e-mail address is: a local part and a domain around each `@`, as predicates over windows.

use logscrub::detect::email::{ALGORITHM_DOMAINS, ALGORITHMS, NO_DOMAINS, PRE_RELEASES, REWRITTEN};

use super::{byte, byte_before, ip, is_one_of};

/// All addresses of a text: for each `@` the longest domain after it and the local part before it; two that
/// are chained (`jane@example.com@REALM.EXAMPLE`) are one.
pub(crate) fn emails(text: &[u8]) -> Vec<(usize, usize)> {
    let simple: Vec<(usize, usize, usize)> = (0..text.len())
        .filter(|at| text[*at] == b'@')
        .filter_map(|at| {
            let end = domain_end(text, at + 1)?;
            let start = local_start(text, at, end)?;
            (!is_algorithm(&text[start..at], &text[at + 1..end])).then_some((start, at, end))
        })
        .collect();
    let chained = |&(start, _, end): &(usize, usize, usize)| {
        let first = simple.iter().find(|(_, at, inner)| at + 1 == start && *inner + 1 > start);
        // The second `@` is where the first address ends.
        let first = first.filter(|(_, _, inner)| text.get(*inner) == Some(&b'@'));
        (first.map_or(start, |(first, _, _)| *first), end)
    };
    simple.iter().map(chained).collect()
}

fn domain_end(text: &[u8], start: usize) -> Option<usize> {
    if byte(text, start) == b'[' {
        let end = (start + 1..text.len().min(start + 54)).find(|at| text[*at] == b']')?;
        return is_literal(&text[start + 1..end]).then_some(end + 1);
    }
    let characters = characters(&text[start..]);
    let run: Vec<(char, usize)> = characters
        .into_iter()
        .take_while(|(character, end)| is_in_domain(*character) && *end <= 255)
        .collect();
    // Another script right behind a Latin letter is text that touches the address, unless nothing is left.
    let cut =
        (1..run.len()).find(|at| is_latin(run[at - 1].0) && run[at - 1].0 != '.' && !is_latin(run[*at].0));
    let longest = |run: &[(char, usize)]| {
        let domain: String = run.iter().map(|(character, _)| *character).collect();
        (1..=run.len()).rev().find(|count| {
            let end = run[*count - 1].1;
            let rest = &domain[end..];
            // Only hyphens at its end part a label that begins with `xn--` from what follows.
            let label = domain[..end].rsplit('.').next().unwrap_or("").to_ascii_lowercase();
            let goes_on = rest.trim_start_matches('-').starts_with(|next: char| next.is_ascii_alphanumeric());
            let cut = label.starts_with("xn--") && rest.starts_with('-') && goes_on;
            is_domain(&domain[..end]) && ends_word(rest.chars().next()) && !cut
        })
    };
    let count = cut.and_then(|cut| longest(&run[..cut])).or_else(|| longest(&run))?;
    Some(start + run[count - 1].1)
}

fn is_literal(content: &[u8]) -> bool {
    let tagged = content.len() >= 5 && content[..5].eq_ignore_ascii_case(b"ipv6:");
    if tagged { ip::is_ipv6_text(&content[5..]) } else { ip::quad(content).is_some() }
}

/// A last label ends before anything but a letter or a digit.
fn ends_word(next: Option<char>) -> bool {
    next.is_none_or(|next| matches!(next, '.' | '-' | '_'))
}

/// Two labels or more, the last with two letters or more and a letter first, none empty, none longer than 63 bytes, none with a
/// hyphen at either end, and no name of a file, unit or version.
fn is_domain(name: &str) -> bool {
    let labels: Vec<&str> = name.split('.').collect();
    let sound = |label: &&str| {
        !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-')
    };
    if labels.len() < 2 || !labels.iter().all(sound) {
        return false;
    }
    let (first, second, last) = (labels[0], labels[1], labels[labels.len() - 1]);
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || !byte.is_ascii();
    let letters = last.bytes().filter(is_letter).count();
    let digits = last.bytes().filter(u8::is_ascii_digit).count();
    let plain = letters >= 2 && letters + digits == last.len() && is_letter(&last.as_bytes()[0]);
    let punycode = last.len() > 4
        && last.to_ascii_lowercase().starts_with("xn--")
        && last.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !(punycode || plain) || is_one_of(last.as_bytes(), NO_DOMAINS.text()) {
        return false;
    }
    let scale = first.len() == 2 && first.ends_with('x') && (b'1'..=b'9').contains(&first.as_bytes()[0]);
    let number = first.strip_prefix('v').unwrap_or(first);
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let version = second.as_bytes()[0].is_ascii_digit() || is_one_of(last.as_bytes(), PRE_RELEASES.text());
    !(scale || is_number && version)
}

fn is_in_domain(character: char) -> bool {
    character.is_ascii_alphanumeric() || ".-_".contains(character) || is_foreign_letter(character)
}

fn is_foreign_letter(character: char) -> bool {
    let mark = matches!(u32::from(character), 0x300..=0x36F | 0x900..=0xDFF | 0xE00..=0xE7F);
    !character.is_ascii() && (character.is_alphanumeric() || mark)
}

fn is_latin(character: char) -> bool {
    matches!(u32::from(character), 0..=0x7F | 0xAA..=0x36F | 0x1E00..=0x1EFF)
}

/// The characters from the start to the first bytes that are not UTF-8, each with where it ends.
fn characters(text: &[u8]) -> Vec<(char, usize)> {
    let valid = match std::str::from_utf8(text) {
        Ok(valid) => valid,
        Err(fault) => std::str::from_utf8(&text[..fault.valid_up_to()]).unwrap_or(""),
    };
    valid.char_indices().map(|(at, character)| (character, at + character.len_utf8())).collect()
}

/// The characters before a place, the nearest first, each with where it begins.
fn characters_before(text: &[u8], at: usize) -> Vec<(char, usize)> {
    let mut found = Vec::new();
    let mut end = at;
    'back: while end > 0 {
        for length in 1..=4.min(end) {
            if let Ok(one) = std::str::from_utf8(&text[end - length..end])
                && let Some(character) = one.chars().next()
            {
                end -= length;
                found.push((character, end));
                continue 'back;
            }
        }
        break;
    }
    found
}

fn local_start(text: &[u8], at: usize, end: usize) -> Option<usize> {
    if byte_before(text, at) == b'"' {
        return quoted_start(text, at - 1);
    }
    let run: Vec<(char, usize)> = characters_before(text, at)
        .into_iter()
        .take_while(|(character, start)| is_in_local(*character) && at - start <= 192)
        .collect();
    let begin = run.last()?.1;
    let local = &text[begin..at];
    if let Some(start) = rewritten(text, begin, at) {
        return Some(start);
    }
    let enclosed = byte_before(text, begin) == b'<' && text.get(end) == Some(&b'>');
    let whole = !local.contains(&b'=') || local.ends_with(b"=");
    if enclosed && whole && local[0].is_ascii_alphanumeric() {
        return (local.len() <= 64).then_some(begin);
    }
    let mut start = plain(text, &run, at);
    while start < at && b".-+~!^$%'".contains(&text[start]) {
        start += 1;
    }
    (start < at && at - start <= 64).then_some(start)
}

/// From the `@` to the left, up to a sign that delimits, another script, or three equal signs.
fn plain(text: &[u8], run: &[(char, usize)], at: usize) -> usize {
    let latin = run.first().is_some_and(|(character, _)| is_latin(*character));
    let inside = |&&(character, start): &&(char, usize)| {
        let end = start + character.len_utf8();
        let leader = end >= 3
            && character.is_ascii_punctuation()
            && text[end - 3..end].iter().all(|byte| char::from(*byte) == character);
        !"=&?|/{}`*#".contains(character) && (is_latin(character) || !latin) && !leader
    };
    run.iter().take_while(inside).last().map_or(at, |(_, start)| *start)
}

fn is_in_local(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || "!#$%&'*+-/=?^_`{|}~.".contains(character)
        || is_foreign_letter(character)
}

/// SRS, BATV, VERP: where a mark and its joint begin a word, if an equal sign follows somewhere.
fn rewritten(text: &[u8], begin: usize, at: usize) -> Option<usize> {
    let start = (begin..at).find(|&start| {
        let begins = start == begin || b"=:/&?|".contains(&text[start - 1]);
        begins
            && REWRITTEN.iter().any(|(mark, joints)| {
                let local = &text[start..at];
                local.len() > mark.len()
                    && local[..mark.len()].eq_ignore_ascii_case(mark)
                    && joints.contains(&local[mark.len()])
            })
    })?;
    text[start..at].contains(&b'=').then_some(start)
}

/// `"john doe"@`, of at most 64 bytes before the closing quote.
fn quoted_start(text: &[u8], closing: usize) -> Option<usize> {
    let is_open = |at: &usize| text[*at] == b'"' && (*at == 0 || text[*at - 1] != b'\\');
    let open = (closing.saturating_sub(64)..closing).rev().find(is_open)?;
    let content = &text[open + 1..closing];
    let doubled = byte_before(text, open) == b'"' && byte(content, 0).is_ascii_alphanumeric();
    let begins = open == 0 || b" \t<([=:,;>".contains(&text[open - 1]) || doubled;
    (begins && !content.is_empty() && !content.iter().any(u8::is_ascii_control)).then_some(open)
}

fn is_algorithm(local: &[u8], domain: &[u8]) -> bool {
    is_one_of(domain, ALGORITHM_DOMAINS.text()) && ALGORITHMS.iter().any(|name| local.starts_with(name))
}
