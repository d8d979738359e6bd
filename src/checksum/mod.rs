//! Check digits, and what else a value has to be to be taken for one.

pub mod luhn;
pub mod mod97;
pub mod token;

/// A check that a value has to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// ISO/IEC 7812-1, over the digits of the value; other bytes are skipped.
    Luhn,
    /// ISO 7064 MOD 97-10 as ISO 13616 applies it; bytes other than letters and digits are skipped.
    Mod97,
    /// The first part is the header of a JWT (RFC 7515).
    Jwt,
    /// It decodes to a user and a password (RFC 7617).
    BasicAuth,
    /// It looks drawn by lot.
    Bearer,
}

impl Checksum {
    /// The check of that name in the file of a detector.
    pub fn named(name: &str) -> Option<Checksum> {
        match name {
            "luhn" => Some(Checksum::Luhn),
            "mod97" => Some(Checksum::Mod97),
            "jwt" => Some(Checksum::Jwt),
            "basic_auth" => Some(Checksum::BasicAuth),
            "bearer" => Some(Checksum::Bearer),
            _ => None,
        }
    }

    /// Whether the value passes.
    pub fn holds(self, value: &[u8]) -> bool {
        match self {
            Checksum::Luhn => luhn::holds(value.iter().copied().filter(u8::is_ascii_digit)),
            Checksum::Mod97 => mod97::holds(value),
            Checksum::Jwt => token::is_jwt(value),
            Checksum::BasicAuth => token::is_basic_auth(value),
            Checksum::Bearer => token::is_bearer(value),
        }
    }
}
