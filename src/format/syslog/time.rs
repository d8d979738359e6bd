//! The times at the head of syslog messages.

/// What stands in place of a time that was taken away. Without a time nobody would know the record for what it is, and
/// any real one would be a lie.
pub(super) const NO_TIME: &[u8] = b"--- -- --:--:--";

const MONTHS: [&[u8; 3]; 14] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec", b"***",
    b"---",
];

/// Length of the time that the text begins with: that of RFC 3164, also with a year or a fraction, masked, or
/// [`NO_TIME`].
pub(super) fn bsd(text: &[u8]) -> Option<usize> {
    let rest = MONTHS.iter().find_map(|month| text.strip_prefix(*month))?.strip_prefix(b" ")?;
    let rest = match rest {
        [b' ', day, b' ', rest @ ..] if is_digit(*day) => rest,
        [ten, day, b' ', rest @ ..] if is_digit(*ten) && is_digit(*day) => rest,
        [day, b' ', rest @ ..] if is_digit(*day) => rest,
        _ => return None,
    };
    let rest = year(rest).and_then(|rest| rest.strip_prefix(b" ")).unwrap_or(rest);
    let rest = fraction(clock(rest)?);
    // Behind a time that is not masked a mask is that of a host.
    let is_masked = text.starts_with(b"*");
    let may_be_year = |rest: &&[u8]| is_masked || !rest.starts_with(b"*");
    let rest = match rest.strip_prefix(b" ").filter(may_be_year).and_then(year) {
        Some(after) if after.first().is_none_or(|byte| *byte == b' ') => after,
        _ => rest,
    };
    Some(text.len() - rest.len())
}

/// Length of the time of RFC 3339 that the text begins with. The colon in the offset may lack, as in the output of
/// `journalctl`.
pub(super) fn iso(text: &[u8]) -> Option<usize> {
    let date = digits(digits(digits(text, 4)?.strip_prefix(b"-")?, 2)?.strip_prefix(b"-")?, 2)?;
    let rest = fraction(clock(date.strip_prefix(b"T")?)?);
    let rest = match rest {
        [b'Z', rest @ ..] => rest,
        [b'+' | b'-', rest @ ..] => {
            let minutes = digits(rest, 2)?;
            digits(minutes.strip_prefix(b":").unwrap_or(minutes), 2)?
        }
        _ => return None,
    };
    Some(text.len() - rest.len())
}

/// Whether the whole text is such a time.
pub(super) fn is_time(text: &[u8]) -> bool {
    bsd(text).or_else(|| iso(text)) == Some(text.len())
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'*' | b'-')
}

fn digits(text: &[u8], count: usize) -> Option<&[u8]> {
    let (digits, rest) = text.split_at_checked(count)?;
    digits.iter().all(|byte| is_digit(*byte)).then_some(rest)
}

fn year(text: &[u8]) -> Option<&[u8]> {
    let is_near = text.starts_with(b"19") || text.starts_with(b"20") || text.starts_with(b"****");
    digits(text, 4).filter(|_| is_near)
}

fn clock(text: &[u8]) -> Option<&[u8]> {
    digits(digits(digits(text, 2)?.strip_prefix(b":")?, 2)?.strip_prefix(b":")?, 2)
}

fn fraction(text: &[u8]) -> &[u8] {
    match text {
        [b'.' | b',', rest @ ..] => {
            let length = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'*').count();
            if length > 0 { &rest[length..] } else { text }
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_known_by_their_shape() {
        for time in [
            "Oct 11 22:14:15",
            "Oct  1 22:14:15",
            "Oct 1 22:14:15",
            "Oct 11 2003 22:14:15",
            "Oct 11 22:14:15 2003",
            "Oct 11 22:14:15.003",
            "*** ** **:**:**",
            "***  * **:**:**",
            "--- -- --:--:--",
            "2003-10-11T22:14:15Z",
            "2003-10-11T22:14:15.000003-07:00",
            "2003-10-11T22:14:15+0200",
        ] {
            assert!(is_time(time.as_bytes()), "{time}");
        }
        for text in
            ["", "Oct", "Okt 11 22:14:15", "Oct 11 22:14", "2003-10-11 22:14:15", "2003-10-11T22:14:15"]
        {
            assert!(!is_time(text.as_bytes()), "{text}");
        }
        assert_eq!(bsd(b"Oct 11 22:14:15 20034"), Some(15));
        assert_eq!(bsd(b"Oct 11 22:14:15. x"), Some(15));
        assert_eq!(bsd(b"Oct 11 22:14:15 **** su: x"), Some(15));
        assert_eq!(bsd(b"*** ** **:**:** **** su: x"), Some(20));
    }
}
