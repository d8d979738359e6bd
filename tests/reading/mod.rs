//! What holds for the fields that any format reads from any bytes. Shared with the fuzz target.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use logscrub::decoded::Decoded;
use logscrub::format::{Field, Fields, Format, Head, Name, Role};
use logscrub::span::Span;

/// A field as its readers see it: its path, and its content with the escapes undone.
pub(crate) type Leaf = (String, Vec<u8>);

/// The fields of a record that hold no others, if it is of the format; what they hold is opened.
pub(crate) fn read(record: &[u8], format: &'static dyn Format, head: &Head) -> Option<Fields> {
    let mut fields = Fields::default();
    let read = fields.read(record, format, head);
    if read {
        fields.open(record, head);
    }
    read.then_some(fields)
}

/// The leaves of a record, in order.
pub(crate) fn leaves(record: &[u8], fields: &Fields) -> Vec<Leaf> {
    places(fields).map(|at| leaf(record, fields, at)).collect()
}

/// The places of the fields that hold values and were not opened.
pub(crate) fn places(fields: &Fields) -> impl Iterator<Item = usize> {
    let is_value =
        |field: &Field| matches!(field.role, Role::Text | Role::Number | Role::Literal | Role::Bytes);
    (0..fields.list.len()).filter(move |at| is_value(&fields.list[*at]) && !fields.is_opened(*at))
}

fn leaf(record: &[u8], fields: &Fields, at: usize) -> Leaf {
    (path(record, fields, at), content(record, fields, &fields.list[at]))
}

/// The content of a field with its escapes undone.
pub(crate) fn content(record: &[u8], fields: &Fields, field: &Field) -> Vec<u8> {
    let mut decoded = Decoded::default();
    fields.decode(record, field, field.value, &mut decoded);
    decoded.bytes
}

/// The names of a field and of those that it lies in, with dots.
pub(crate) fn path(record: &[u8], fields: &Fields, at: usize) -> String {
    let mut names = Vec::new();
    let mut field = Some(at);
    while let Some(at) = field {
        let own = &fields.list[at];
        match own.name {
            Name::Field(name) => names.push(content(record, fields, &fields.list[name])),
            Name::Given(name) => names.push(fields.given_name(name).to_vec()),
            Name::None if own.column > 0 => names.push(own.column.to_string().into_bytes()),
            Name::None => {}
        }
        field = own.parent;
    }
    let names: Vec<String> =
        names.iter().rev().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    names.join(".")
}

/// Checks the places of all fields: each inside the field that it lies in, in order, what holds others before them.
pub(crate) fn check_places(record: &[u8], fields: &Fields) {
    let whole = Span::new(0, record.len());
    for (at, field) in fields.list.iter().enumerate() {
        assert!(field.whole.contains(field.value) && whole.contains(field.whole), "{field:?}");
        if let Some(parent) = field.parent {
            assert!(parent < at && fields.list[parent].whole.contains(field.whole), "{field:?}");
        }
        if let Name::Field(name) = field.name {
            assert!(name < at && fields.list[name].role == Role::Name, "{field:?}");
        }
    }
    for layer in &fields.layers {
        let own = &fields.list[layer.fields.clone()];
        assert!(own.is_sorted_by_key(|field| field.whole.start), "{own:?}");
    }
    for at in places(fields) {
        let value = fields.list[at].value;
        assert!(value.is_empty() || fields.around(value) == at, "{at} is not around {value:?}");
    }
}

/// Writes `text` in place of a field, as edits do, and returns the record.
pub(crate) fn replace(record: &[u8], fields: &Fields, at: usize, text: &[u8]) -> Vec<u8> {
    let field = &fields.list[at];
    let (mut quote, mut written) = (Vec::new(), Vec::new());
    fields.quote(field, text, &mut quote);
    fields.escape(field, text, true, &mut written);
    let parts = [
        &record[..field.whole.start],
        quote.as_slice(),
        &record[field.whole.start..field.value.start],
        &written,
        &record[field.value.end..field.whole.end],
        &quote,
        &record[field.whole.end..],
    ];
    parts.concat()
}

/// Takes a field away, as edits do, and returns the record.
pub(crate) fn remove(record: &[u8], fields: &Fields, at: usize) -> Vec<u8> {
    let mut gone = Vec::new();
    fields.remove(&[at], &mut gone);
    let (span, text) = gone[0];
    [&record[..span.start], text, &record[span.end..]].concat()
}

/// Checks that a record whose value is replaced reads as the same fields with that one value, and one without a
/// field as the others. Lengths are left out: whoever edits corrects them at the end.
pub(crate) fn check_edits(record: &[u8], format: &'static dyn Format, head: &Head) {
    let Some(fields) = read(record, format, head) else { return };
    check_places(record, &fields);
    if fields.list.iter().any(|field| matches!(field.role, Role::Count)) {
        return;
    }
    let before = leaves(record, &fields);
    if before.iter().any(is_weak) {
        return;
    }
    for (index, at) in places(&fields).enumerate() {
        for text in TEXTS {
            // A protocol that is none, and no residue, reads as the end of a target with blanks in it.
            if before[index].0.ends_with("protocol") && text[0] != b'[' {
                continue;
            }
            let edited = replace(record, &fields, at, text);
            let after = read(&edited, format, head).map(|fields| leaves(&edited, &fields));
            let mut wanted = before.clone();
            wanted[index].1 = text.to_vec();
            assert_same(&wanted, after, record, &edited);
        }
        let edited = remove(record, &fields, at);
        assert!(read(&edited, format, head).is_some(), "{} from {}", shown(&edited), shown(record));
    }
}

/// What is written in place of values.
const TEXTS: [&[u8]; 2] = [b"[email]", b"x y, \"z\"; a=b|c\\d"];

/// Formats that are told by what their columns look like, each of which an edit may change: of bytes that only look
/// like one of them an edit may make something else.
const TOLD_BY_COLUMNS: [&str; 5] = ["access", "alb", "syslog", "cri", "w3c"];

/// The same for any bytes, as far as it holds for any.
pub(crate) fn check_edits_of_any(record: &[u8], format: &'static dyn Format, head: &Head) {
    if !TOLD_BY_COLUMNS.contains(&format.name()) {
        return check_edits(record, format, head);
    }
    let Some(fields) = read(record, format, head) else { return };
    for at in places(&fields) {
        let removed = [remove(record, &fields, at)].into_iter();
        for edited in removed.chain(TEXTS.map(|text| replace(record, &fields, at, text))) {
            read(&edited, format, head).iter().for_each(|fields| check_places(&edited, fields));
        }
    }
}

/// Whether an access log has something else in the place of its time, or of the client's address, which tell it. Then it
/// is told by its other columns, and each edit takes away some of what tells it.
fn is_weak((path, text): &Leaf) -> bool {
    let text = String::from_utf8_lossy(text);
    let is_time = text.starts_with(|first: char| first.is_ascii_digit()) && text.contains(':');
    path.ends_with("time_local") && !is_time && text != "-"
        || path.ends_with("remote_addr") && text.parse::<std::net::IpAddr>().is_err()
}

/// What can hold nothing but a value of its own sort; anything else is written as the sign for none.
const HOLD_THEIR_SORT: [&str; 2] = ["syslog.priority", "syslog.time"];

/// Whether two readings are the same. A format without quotes writes `_` for what it cannot hold, and what it writes may
/// be read on (`a=b` in a message).
fn assert_same(wanted: &[Leaf], got: Option<Vec<Leaf>>, record: &[u8], edited: &[u8]) {
    let got =
        got.unwrap_or_else(|| panic!("no longer of its format: {} from {}", shown(edited), shown(record)));
    let plain = |leaf: &Leaf| -> String {
        let text: String = leaf
            .1
            .iter()
            .map(|byte| if byte.is_ascii_alphanumeric() { *byte as char } else { '_' })
            .collect();
        if HOLD_THEIR_SORT.contains(&leaf.0.as_str()) {
            return leaf.0.clone();
        }
        format!("{}={text}", leaf.0)
    };
    let (wanted, got): (Vec<String>, Vec<String>) =
        (wanted.iter().map(plain).collect(), got.iter().map(plain).collect());
    assert_eq!(wanted, got, "{} from {}", shown(edited), shown(record));
}

pub(crate) fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
