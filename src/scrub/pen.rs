//! [`Pen`]: appends many short runs of bytes to the output.

/// Bytes of a run that are written at once, whether there are as many or not: a copy of a fixed length is two
/// instructions, one of any length a call and a branch that is hard to foresee.
pub(super) const AT_ONCE: usize = 32;

/// Writes at the end of a buffer.
pub(super) struct Pen<'o> {
    out: &'o mut Vec<u8>,
}

impl<'o> Pen<'o> {
    /// A pen for about as many bytes.
    pub(super) fn new(out: &'o mut Vec<u8>, bytes: usize) -> Pen<'o> {
        out.reserve(bytes + AT_ONCE);
        Pen { out }
    }

    /// How many bytes there are.
    #[inline(always)]
    pub(super) fn at(&self) -> usize {
        self.out.len()
    }

    /// The bytes from a place on.
    pub(super) fn written(&self, from: usize) -> &[u8] {
        &self.out[from..]
    }

    /// Takes back what was written from a place on.
    pub(super) fn go_back(&mut self, to: usize) {
        self.out.truncate(to);
    }

    /// Writes bytes of a block.
    #[inline(always)]
    pub(super) fn copy(&mut self, block: &[u8], from: usize, to: usize) {
        let length = to - from;
        match block.get(from..).and_then(<[u8]>::first_chunk) {
            Some(bytes) if length <= AT_ONCE => self.short(bytes, length),
            _ => self.write(&block[from..to]),
        }
    }

    /// Writes the first bytes of so many.
    #[inline(always)]
    pub(super) fn short(&mut self, bytes: &[u8; AT_ONCE], length: usize) {
        let end = self.out.len() + length;
        self.out.extend_from_slice(bytes);
        self.out.truncate(end);
    }

    /// Writes any bytes.
    #[inline(always)]
    pub(super) fn write(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Lets others append to the buffer.
    pub(super) fn append(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(self.out);
    }
}
