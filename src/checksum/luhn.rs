//! The check digit of card numbers (ISO/IEC 7812-1, annex B).

/// Whether the digits, as ASCII and with the check digit last, pass. No digits at all do not.
pub fn holds(digits: impl DoubleEndedIterator<Item = u8>) -> bool {
    let (mut sum, mut count) = (0_u32, 0_u32);
    for digit in digits.rev() {
        let value = u32::from(digit.wrapping_sub(b'0'));
        let doubled = if value > 4 { 2 * value - 9 } else { 2 * value };
        sum += if count % 2 == 1 { doubled } else { value };
        count += 1;
    }
    count > 0 && sum % 10 == 0
}

#[cfg(test)]
mod tests {
    use super::holds;

    #[test]
    fn one_changed_digit_is_noticed() {
        assert!(holds(b"4111111111111111".iter().copied()));
        assert!(holds(b"378282246310005".iter().copied()));
        assert!(!holds(b"4111111111111112".iter().copied()));
        assert!(!holds(b"4111111111111121".iter().copied()));
        assert!(!holds(std::iter::empty()));
    }
}
