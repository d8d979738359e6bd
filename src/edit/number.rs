//! Numbers as they are written.

use crate::span::Span;

/// Whether the text is a number as JSON has them (RFC 8259 section 6): a shorter one takes the place of a number as it
/// is, such as a time without its seconds.
pub(super) fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(text);
    if whole == 0 || whole > 1 && text.starts_with(b"0") {
        return false;
    }
    let mut rest = &text[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = &fraction[count..];
    }
    if let [b'e' | b'E', power @ ..] = rest {
        let power = power.strip_prefix(b"+").or_else(|| power.strip_prefix(b"-")).unwrap_or(power);
        return !power.is_empty() && digits(power) == power.len();
    }
    rest.is_empty()
}

/// The numbers in a span of text that is written as numbers. What a stronger decision leaves of it may begin or end
/// with a comma.
pub(super) fn numbers(bytes: &[u8], span: Span) -> Span {
    let text = span.of(bytes);
    let start = text.iter().position(u8::is_ascii_digit).unwrap_or(text.len());
    let end = text.iter().rposition(u8::is_ascii_digit).map_or(start, |last| last + 1);
    Span::new(start, end).shifted(span.start)
}

#[cfg(test)]
mod tests {
    use super::{is_number, numbers};
    use crate::span::Span;

    #[test]
    fn numbers_are_those_of_json() {
        for text in ["0", "-0", "17", "-1.50", "1e5", "1E+5", "0.1e-05", "1735689600000"] {
            assert!(is_number(text.as_bytes()), "{text}");
        }
        for text in ["", "-", "01", "+1", ".5", "1.", "1e", "1e+", "1.5.2", "0x1", "1 ", "NaN", "\u{0660}"] {
            assert!(!is_number(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn commas_around_numbers_stay() {
        let found = |text: &str| numbers(text.as_bytes(), Span::new(0, text.len()));
        assert_eq!(found("1,22,3"), Span::new(0, 6));
        assert_eq!(found(",22,"), Span::new(1, 3));
        assert!(found(",").is_empty());
        assert!(found("").is_empty());
    }
}
