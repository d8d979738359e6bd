//! Markers that stand where a record may not go out.

/// Appends the marker of a record that could not be judged: `[withheld N bytes]`, or as a JSON object if the
/// record looks like one. `N` is its length without the line end, which is kept.
pub fn withhold(record: &[u8], out: &mut Vec<u8>) {
    let body = &record[..record.len() - line_end(record).len()];
    withheld_marker(looks_like_json(body), body.len() as u64, out);
    out.extend_from_slice(line_end(record));
}

/// Appends the marker alone, for a record whose bytes are not at hand in one piece.
pub(crate) fn withheld_marker(json: bool, bytes: u64, out: &mut Vec<u8>) {
    let marker = match json {
        true => format!("{{\"logscrub\":\"withheld\",\"bytes\":{bytes}}}"),
        false => format!("[withheld {bytes} bytes]"),
    };
    out.extend_from_slice(marker.as_bytes());
}

/// Whether a record is such a marker, which is never acted on again. A length has fewer digits than any card
/// number, lest a marker be forged around one.
pub(crate) fn is_marker(record: &[u8]) -> bool {
    let inside =
        |head: &[u8], tail: &[u8]| record.strip_prefix(head).and_then(|rest| rest.strip_suffix(tail));
    let digits =
        inside(b"{\"logscrub\":\"withheld\",\"bytes\":", b"}").or_else(|| inside(b"[withheld ", b" bytes]"));
    digits.is_some_and(|digits| (1..=11).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit))
}

/// Whether the first byte that is not blank opens a JSON object.
pub(crate) fn looks_like_json(record: &[u8]) -> bool {
    record.iter().find(|byte| !matches!(byte, b' ' | b'\t')) == Some(&b'{')
}

/// `\n`, `\r\n` or nothing.
pub(crate) fn line_end(record: &[u8]) -> &[u8] {
    let length = match record {
        [.., b'\r', b'\n'] => 2,
        [.., b'\n'] => 1,
        _ => 0,
    };
    &record[record.len() - length..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker(record: &[u8]) -> String {
        let mut out = Vec::new();
        withhold(record, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn the_marker_counts_without_the_line_end_and_keeps_it() {
        assert_eq!(marker(b"abc\n"), "[withheld 3 bytes]\n");
        assert_eq!(marker(b"abc\r\n"), "[withheld 3 bytes]\r\n");
        assert_eq!(marker(b"abc"), "[withheld 3 bytes]");
        assert_eq!(marker(b" \t{\"a\":1}\n"), "{\"logscrub\":\"withheld\",\"bytes\":9}\n");
        assert_eq!(marker(b"\n"), "[withheld 0 bytes]\n");
    }

    #[test]
    fn a_marker_is_known_again_and_nothing_else_is() {
        for record in [&b"abc"[..], b"{\"a\":1}"] {
            let mut out = Vec::new();
            withhold(record, &mut out);
            assert!(is_marker(&out));
        }
        assert!(!is_marker(b"[withheld 4111111111111111 bytes]") && !is_marker(b"[withheld  bytes]"));
        assert!(!is_marker(b"{\"logscrub\":\"withheld\",\"bytes\":1,\"a\":2}"));
    }
}
