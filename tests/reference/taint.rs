//! What is left of a JSON object under one rule, `field = ["user"]`, `as = "user"`, `action = "redact"`: the field, and its
//! copies in all other values.

use serde_json::Value;

use super::unescape::Level;

const ORDINARY: &str = "true false null none trace debug info notice warn warning error err crit critical fatal alert \
    emerg emergency panic unknown success failed failure head post patch delete options connect";
const TELLING: [&str; 9] =
    ["level", "lvl", "loglevel", "levelname", "severity", "severitytext", "status", "method", "httpmethod"];
const TIMES: [&str; 8] =
    ["time", "ts", "timestamp", "@timestamp", "date", "datetime", "timelocal", "timeiso8601"];

/// The object as it has to be read after scrubbing.
pub(crate) fn scrubbed(record: &Value) -> Value {
    let mut record = record.clone();
    let words = record.get("user").map(words).unwrap_or_default();
    if let Some(user) = record.get_mut("user") {
        redact(user);
    }
    for _ in 0..8 {
        replace(&mut record, &words, "", true);
    }
    record
}

/// A value that is named is replaced, and each of those in it; JSON in a text stays JSON.
fn redact(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(redact),
        Value::Array(elements) => elements.iter_mut().for_each(redact),
        Value::Null => {}
        Value::String(text) if text.is_empty() || is_residue(text.as_bytes()) => {}
        other => *other = Value::String("[user]".to_owned()),
    }
}

/// The words that a value taints.
pub(crate) fn words(value: &Value) -> Vec<Vec<u8>> {
    match value {
        Value::Object(members) => members.values().flat_map(words).collect(),
        Value::Array(elements) => elements.iter().flat_map(words).collect(),
        Value::String(text) => {
            let inner = inner(text).map(|inner| words(&inner)).unwrap_or_default();
            [words_of(text.as_bytes()), inner].concat()
        }
        Value::Number(number) => words_of(number.to_string().as_bytes()),
        Value::Null | Value::Bool(_) => Vec::new(),
    }
}

fn words_of(text: &[u8]) -> Vec<Vec<u8>> {
    if is_residue(text) {
        return Vec::new();
    }
    let mut level = Level::raw(text);
    for _ in 0..super::LEVELS {
        let Some(next) = level.undo_in_logs(false) else { break };
        level = next;
    }
    let mut words = vec![text.to_vec(), level.bytes];
    words.retain(|word| taints(word));
    words
}

fn taints(word: &[u8]) -> bool {
    let text = String::from_utf8_lossy(word);
    let mut signs: Vec<u8> = word.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    signs.sort_unstable();
    signs.dedup();
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80;
    let shortest = if text.bytes().all(|byte| byte.is_ascii_digit()) { 6 } else { 4 };
    word.len() >= shortest
        && (word.iter().any(is_word) || signs.len() > 1)
        && !ORDINARY.split_whitespace().any(|ordinary| text.eq_ignore_ascii_case(ordinary))
}

fn replace(value: &mut Value, words: &[Vec<u8>], name: &str, outermost: bool) {
    match value {
        Value::Object(members) => {
            let outermost = outermost && name.is_empty();
            for (name, member) in members.iter_mut() {
                let plain: String = name.chars().filter(|c| !"-_".contains(*c)).collect();
                let last = plain.to_lowercase().rsplit('.').next().unwrap_or_default().to_owned();
                if !(outermost && TIMES.contains(&last.as_str())) || holds_others(member) {
                    let last = if last.is_empty() { "-" } else { &last };
                    replace_member(member, words, last, outermost);
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(|value| replace(value, words, "-", false)),
        Value::String(text) => match inner(text) {
            Some(mut inner) => {
                replace(&mut inner, words, "-", false);
                *text = inner.to_string();
            }
            None => *text = replaced(text.as_bytes(), words),
        },
        Value::Number(number) => {
            let left = replaced(number.to_string().as_bytes(), words);
            if left != number.to_string() {
                *value = Value::String(left);
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn holds_others(value: &Value) -> bool {
    value.is_object() || value.is_array() || value.as_str().is_some_and(|text| inner(text).is_some())
}

fn replace_member(member: &mut Value, words: &[Vec<u8>], name: &str, outermost: bool) {
    let says = |text: &String| TELLING.contains(&name) && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    if !matches!(member, Value::String(text) if says(text)) {
        replace(member, words, name, outermost);
    }
}

/// The document that a text is.
pub(crate) fn inner(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().filter(|inner: &Value| inner.is_object() || inner.is_array())
}

/// A text with every copy replaced; copies that share a byte are one.
fn replaced(text: &[u8], words: &[Vec<u8>]) -> String {
    let mut gone = vec![false; text.len() + 1];
    let mut spans = copies(text, words);
    spans.sort_unstable();
    let mut out = Vec::new();
    let mut joined: Vec<(usize, usize)> = Vec::new();
    for (start, end) in spans {
        match joined.last_mut() {
            Some(last) if start < last.1 => last.1 = last.1.max(end),
            _ => joined.push((start, end)),
        }
    }
    for (start, end) in &joined {
        gone[*start..*end].fill(true);
    }
    for at in 0..text.len() {
        if joined.iter().any(|(start, _)| *start == at) {
            out.extend_from_slice(b"[user]");
        }
        if !gone[at] {
            out.push(text[at]);
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Where the words stand in a text, on any level of its escapes.
pub(crate) fn copies(text: &[u8], words: &[Vec<u8>]) -> Vec<(usize, usize)> {
    let mut spans = Vec::new();
    for separate in [false, true] {
        let mut level = Level::raw(text);
        for depth in 0..=super::LEVELS {
            for word in words {
                spans.extend(plain_copies(&level.bytes, word).map(|(start, end)| level.written(start, end)));
            }
            match level.undo_in_logs(separate) {
                Some(next) if depth < super::LEVELS => level = next,
                _ => break,
            }
        }
    }
    spans.retain(|(start, end)| ![*start, *end].iter().any(|place| residue_across(text, *place)));
    spans
}

fn plain_copies(text: &[u8], word: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let starts = 0..=text.len().saturating_sub(word.len());
    starts
        .map(|start| (start, start + word.len()))
        .filter(|(start, end)| text.get(*start..*end) == Some(word))
        .filter(|(start, end)| {
            let (before, rest) = text.split_at(*start);
            let (inside, after) = rest.split_at(end - start);
            !goes_on(before, inside) && !goes_on(inside, after)
        })
}

/// Whether one word goes on from one text into the next.
fn goes_on(before: &[u8], after: &[u8]) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    String::from_utf8_lossy(before).chars().next_back().is_some_and(is_word)
        && String::from_utf8_lossy(after).chars().next().is_some_and(is_word)
}

fn residue_across(text: &[u8], place: usize) -> bool {
    let within = |start: usize| (place + 1..=text.len()).any(|end| is_residue(&text[start..end]));
    (0..place).any(within)
}

fn is_residue(text: &[u8]) -> bool {
    ["[user]", "[field]", "[email]", "[ipv4]", "[ipv6]", "[pan]", "[]"]
        .iter()
        .any(|residue| residue.as_bytes() == text)
}
