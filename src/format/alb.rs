//! Access logs of the load balancers of AWS: Application Load Balancers, and Classic ones before them.
//!
//! The columns have the names of AWS's documentation, with `_` for `:`. Columns that come behind the last of them have
//! numbers alone.

use super::access::{self, Line};
use super::{Field, Fields, Format, Head, Layer, NotThis, Role};
use crate::decoded::Decoded;
use crate::span::Span;

/// Access logs of the load balancers of AWS.
#[derive(Debug)]
pub struct Alb;

/// Of an Application Load Balancer.
const APPLICATION: [&str; 33] = [
    "type",
    "time",
    "elb",
    "client_port",
    "target_port",
    "request_processing_time",
    "target_processing_time",
    "response_processing_time",
    "elb_status_code",
    "target_status_code",
    "received_bytes",
    "sent_bytes",
    "request",
    "user_agent",
    "ssl_cipher",
    "ssl_protocol",
    "target_group_arn",
    "trace_id",
    "domain_name",
    "chosen_cert_arn",
    "matched_rule_priority",
    "request_creation_time",
    "actions_executed",
    "redirect_url",
    "error_reason",
    "target_port_list",
    "target_status_code_list",
    "classification",
    "classification_reason",
    "conn_trace_id",
    "transformed_host",
    "transformed_uri",
    "request_transform_status",
];

/// Of a Classic Load Balancer.
const CLASSIC: [&str; 15] = [
    "time",
    "elb",
    "client_port",
    "backend_port",
    "request_processing_time",
    "backend_processing_time",
    "response_processing_time",
    "elb_status_code",
    "backend_status_code",
    "received_bytes",
    "sent_bytes",
    "request",
    "user_agent",
    "ssl_cipher",
    "ssl_protocol",
];

/// All of them, and those of the parts of the request.
static ALL_NAMES: [&str; 52] = {
    let parts = ["request.method", "request.path", "request.query", "request.protocol"];
    let mut all = [""; 52];
    let mut at = 0;
    while at < all.len() {
        all[at] = match at {
            ..33 => APPLICATION[at],
            33..48 => CLASSIC[at - 33],
            _ => parts[at - 48],
        };
        at += 1;
    }
    all
};

/// What an Application Load Balancer served.
const TYPES: [&[u8]; 7] = [b"http", b"https", b"h2", b"grpc", b"grpcs", b"ws", b"wss"];

impl Format for Alb {
    fn name(&self) -> &'static str {
        "alb"
    }

    fn fields(&self, record: &[u8], _: &Head, out: &mut Fields) -> Result<(), NotThis> {
        let names = names(record).ok_or(NotThis)?;
        let root = out.push(Field::new(Role::Object, Span::new(0, record.len())));
        let mut line = Line { record, at: 0 };
        let mut names = names.iter();
        let mut number = 1;
        while let Some(column) = line.next() {
            column.push(record, root, number, names.next().map(|name| name.as_bytes()), out);
            number += 1;
        }
        Ok(())
    }

    fn decode(&self, text: &[u8], _: &Field, span: Span, out: &mut Decoded) {
        access::decode(text, span, out);
    }

    fn escape(&self, field: &Field, text: &[u8], _: bool, out: &mut Vec<u8>) {
        access::escape(field, text, out);
    }

    fn remove(&self, fields: &Fields, _: &Layer, gone: &[usize], out: &mut Vec<(Span, &'static [u8])>) {
        out.extend(gone.iter().map(|at| access::removed(&fields.list[*at])));
    }

    fn given_names(&self) -> &'static [&'static str] {
        &ALL_NAMES
    }

    fn has_columns(&self) -> bool {
        true
    }
}

/// The names of the columns of a record. Which are in quotes, and the time or what an edit leaves beside it, tell the
/// formats from other text.
fn names(record: &[u8]) -> Option<&'static [&'static str]> {
    let mut line = Line { record, at: 0 };
    let first = line.next()?.value(record);
    let second = line.next()?.value(record);
    let mut before = 2;
    let mut durations = [false; 12];
    loop {
        let column = line.next()?;
        if column.is_quoted() {
            break;
        }
        *durations.get_mut(before)? = is_duration(column.value(record));
        before += 1;
    }
    let is_quoted =
        [true, false, false].map(|quoted| line.next().is_none_or(|next| next.is_quoted() == quoted));
    if is_quoted.contains(&false) {
        return None;
    }
    let took = |columns: std::ops::Range<usize>| durations[columns].iter().filter(|took| **took).count() > 1;
    match before {
        12 if TYPES.contains(&first) || is_time(second) || took(5..8) => Some(&APPLICATION),
        11 if line.next().is_none() && (is_time(first) || took(4..7)) => Some(&CLASSIC),
        _ => None,
    }
}

/// `2023-04-26T12:23:00.186641Z`.
fn is_time(text: &[u8]) -> bool {
    match text {
        [a, b, c, d, b'-', _, _, b'-', _, _, b'T', ..] => [a, b, c, d].into_iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// Seconds with their parts, or -1 for none.
fn is_duration(text: &[u8]) -> bool {
    let is_number = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let parted = memchr::memchr(b'.', text).map(|dot| (&text[..dot], &text[dot + 1..]));
    text == b"-1" || parted.is_some_and(|(seconds, parts)| is_number(seconds) && is_number(parts))
}
