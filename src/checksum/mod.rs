//! Check digits.

pub mod luhn;
pub mod mod97;

/// A check that a value has to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// ISO/IEC 7812-1, over the digits of the value; other bytes are skipped.
    Luhn,
    /// ISO 7064 MOD 97-10 as ISO 13616 applies it; bytes other than letters and digits are skipped.
    Mod97,
}

impl Checksum {
    /// The check of that name in a rules file.
    pub fn named(name: &str) -> Option<Checksum> {
        match name {
            "luhn" => Some(Checksum::Luhn),
            "mod97" => Some(Checksum::Mod97),
            _ => None,
        }
    }

    /// Whether the value passes.
    pub fn holds(self, value: &[u8]) -> bool {
        match self {
            Checksum::Luhn => luhn::holds(value.iter().copied().filter(u8::is_ascii_digit)),
            Checksum::Mod97 => mod97::holds(value),
        }
    }
}
