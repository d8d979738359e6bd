//! The check digits of bank account numbers (ISO 7064 MOD 97-10, as ISO 13616-1 applies it).

/// Whether the value passes: the first four characters go to the end, letters count 10 to 35.
pub fn holds(value: &[u8]) -> bool {
    let characters = || value.iter().copied().filter(u8::is_ascii_alphanumeric);
    let rotated = characters().skip(4).chain(characters().take(4));
    let remainder = rotated.fold(0u32, |remainder, character| {
        let value = (character as char).to_digit(36).unwrap_or(0);
        (remainder * if value < 10 { 10 } else { 100 } + value) % 97
    });
    characters().count() > 4 && remainder == 1
}

#[cfg(test)]
mod tests {
    use super::holds;

    #[test]
    fn the_registry_example_passes() {
        assert!(holds(b"GB82 WEST 1234 5698 7654 32"));
        assert!(!holds(b"GB82 WEST 1234 5698 7654 33"));
        assert!(!holds(b""));
    }
}
