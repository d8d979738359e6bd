//! Postal codes: their leading digits.

/// The first three digits that stand for 20,000 people or fewer: the guidance of the US Department of Health on 45 CFR
/// 164.514(b)(2)(i)(B), by the census of 2000. A later census may have other ones.
const SPARSE: [&[u8; 3]; 17] = [
    b"036", b"059", b"063", b"102", b"203", b"556", b"692", b"790", b"821", b"823", b"830", b"831", b"878",
    b"879", b"884", b"890", b"893",
];

/// Digits of a US postal code without its extension.
const DIGITS: usize = 5;

/// Appends the code with all but its first `keep` digits `0`; `false` if it is none. Of one that begins as a
/// sparsely populated area does no digit stays. Shorter codes count as if zeros before them had been lost, as where
/// `03601` was read as a number.
pub(super) fn truncate(value: &[u8], keep: u8, out: &mut Vec<u8>) -> bool {
    let count = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let is_code = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b' ');
    if count == 0 || !value.iter().all(is_code) {
        return false;
    }
    let lost = DIGITS.saturating_sub(count);
    let digits = || value.iter().filter(|byte| byte.is_ascii_digit());
    let first: Vec<u8> = std::iter::repeat_n(&b'0', lost).chain(digits()).take(3).copied().collect();
    // Of 791 two digits leave 790, which the next run takes for that area.
    let left = first.iter().enumerate().map(|(at, digit)| if at < usize::from(keep) { *digit } else { b'0' });
    let is_sparse =
        SPARSE.iter().any(|sparse| sparse[..] == first[..] || left.clone().eq(sparse.iter().copied()));
    let keep = if is_sparse { 0 } else { usize::from(keep).saturating_sub(lost) };
    let mut seen = 0;
    out.extend(value.iter().map(|byte| {
        seen += usize::from(byte.is_ascii_digit());
        if byte.is_ascii_digit() && seen > keep { b'0' } else { *byte }
    }));
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_digits_stay_where_enough_people_live() {
        let cases = [
            ("12345", 3, "12300"),
            ("12345-6789", 3, "12300-0000"),
            ("123456789", 2, "120000000"),
            ("03601", 3, "00000"),
            ("03601", 2, "00000"),
            ("03601-1234", 3, "00000-0000"),
            ("3601", 3, "0000"),
            ("1002", 3, "1000"),
            ("12345", 0, "00000"),
            ("12345", 5, "12345"),
            ("7", 3, "0"),
            ("79112", 2, "00000"),
            ("79112", 3, "79100"),
        ];
        for (value, keep, expected) in cases {
            let mut out = Vec::new();
            assert!(truncate(value.as_bytes(), keep, &mut out));
            assert_eq!(String::from_utf8_lossy(&out), expected, "{value}");
            let mut again = Vec::new();
            assert!(truncate(&out, keep, &mut again) && again == out);
        }
        for value in ["", "-", "SW1A 1AA", "12345x"] {
            assert!(!truncate(value.as_bytes(), 3, &mut Vec::new()), "{value}");
        }
    }
}
