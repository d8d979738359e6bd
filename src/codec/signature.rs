//! [`Signature`]: how a file of some kind begins.

/// The first bytes of a file, each between two bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    low: &'static [u8],
    high: &'static [u8],
}

impl Signature {
    /// These bytes.
    pub const fn exactly(bytes: &'static [u8]) -> Signature {
        Signature { low: bytes, high: bytes }
    }

    /// Bytes that are each within the bounds that stand at its place.
    pub const fn between(low: &'static [u8], high: &'static [u8]) -> Signature {
        assert!(low.len() == high.len());
        Signature { low, high }
    }

    /// Whether the bytes begin with it.
    pub fn begins(self, bytes: &[u8]) -> bool {
        bytes.len() >= self.low.len() && self.may_begin(bytes)
    }

    /// Whether the bytes begin with it, or would if there were more of them.
    pub fn may_begin(self, bytes: &[u8]) -> bool {
        let bounds = self.low.iter().zip(self.high);
        bytes.iter().zip(bounds).all(|(byte, (low, high))| (low..=high).contains(&byte))
    }

    /// Whether these bytes, behind which nothing comes, are what is left of it: enough that no text is taken for it.
    pub fn is_cut(self, bytes: &[u8]) -> bool {
        const ENOUGH: usize = 4;
        (ENOUGH..self.low.len()).contains(&bytes.len()) && self.may_begin(bytes)
    }

    /// An example, for tests.
    pub fn example(self) -> &'static [u8] {
        self.high
    }
}
