//! [`GzipHead`]: what the header of a gzip says of the file that it holds (RFC 1952, 2.3).

/// Bits of the flags.
const HAS_HEADER_CHECKSUM: u8 = 1 << 1;
const HAS_EXTRA: u8 = 1 << 2;
const HAS_NAME: u8 = 1 << 3;
const HAS_COMMENT: u8 = 1 << 4;

/// The system that gzip names under Unix.
const UNIX: u8 = 3;

/// What a header of gzip says, but for fields that no program writes for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GzipHead {
    /// The name of the file before it was compressed.
    pub name: Option<Vec<u8>>,
    /// What somebody wrote about it.
    pub comment: Option<Vec<u8>>,
    /// When the file was last written, in seconds since 1970; 0 if that is not known.
    pub mtime: u32,
    /// The system on which it was compressed.
    pub os: u8,
}

impl Default for GzipHead {
    /// Says nothing but that this is Unix.
    fn default() -> GzipHead {
        GzipHead { name: None, comment: None, mtime: 0, os: UNIX }
    }
}

impl GzipHead {
    /// What the first member of a file says; `None` if these bytes do not hold the whole header of one.
    pub fn of(head: &[u8]) -> Option<GzipHead> {
        let (fixed, mut rest) = head.split_first_chunk::<10>()?;
        let [0x1f, 0x8b, 8, flags, m0, m1, m2, m3, _, os] = *fixed else { return None };
        if flags & HAS_EXTRA != 0 {
            let (bytes, behind) = rest.split_first_chunk()?;
            rest = behind.get(usize::from(u16::from_le_bytes(*bytes))..)?;
        }
        let mut text = |flag: u8| {
            if flags & flag == 0 {
                return Some(None);
            }
            let end = memchr::memchr(0, rest)?;
            let (text, behind) = rest.split_at(end);
            rest = behind.get(1..)?;
            Some(Some(text.to_vec()))
        };
        let (name, comment) = (text(HAS_NAME)?, text(HAS_COMMENT)?);
        if flags & HAS_HEADER_CHECKSUM != 0 && rest.len() < 2 {
            return None;
        }
        Some(GzipHead { name, comment, mtime: u32::from_le_bytes([m0, m1, m2, m3]), os })
    }

    /// The header of a member that was compressed at this level.
    pub(super) fn bytes(&self, level: u32) -> Vec<u8> {
        let flag = |flag: u8, text: &Option<Vec<u8>>| if text.is_some() { flag } else { 0 };
        let flags = flag(HAS_NAME, &self.name) | flag(HAS_COMMENT, &self.comment);
        let effort = match level {
            9 => 2, // slowest
            1 => 4, // fastest
            _ => 0,
        };
        let mut bytes = vec![0x1f, 0x8b, 8, flags];
        bytes.extend_from_slice(&self.mtime.to_le_bytes());
        bytes.extend_from_slice(&[effort, self.os]);
        for text in [&self.name, &self.comment].into_iter().flatten() {
            bytes.extend(text.iter().take_while(|byte| **byte != 0));
            bytes.push(0);
        }
        bytes
    }
}
