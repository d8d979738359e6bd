//! UTF-16 to UTF-8 and back, a stream at a time (RFC 2781).

/// The order of the two bytes of a code unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endian {
    Little,
    Big,
}

impl Endian {
    /// U+FEFF in this order.
    pub(super) fn mark(self) -> [u8; 2] {
        self.bytes(0xfeff)
    }

    fn bytes(self, unit: u16) -> [u8; 2] {
        match self {
            Endian::Little => unit.to_le_bytes(),
            Endian::Big => unit.to_be_bytes(),
        }
    }

    fn unit(self, bytes: [u8; 2]) -> u16 {
        match self {
            Endian::Little => u16::from_le_bytes(bytes),
            Endian::Big => u16::from_be_bytes(bytes),
        }
    }
}

/// A surrogate without its partner, or half a code unit at the end; and the offset behind the last good
/// character, in bytes since the byte-order mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotUtf16 {
    pub(super) offset: u64,
}

/// UTF-16 to UTF-8.
#[derive(Debug)]
pub(super) struct Decoder {
    endian: Endian,
    /// First byte of a code unit whose second has not come yet.
    odd: Option<u8>,
    /// First half of a surrogate pair.
    high: Option<u16>,
    /// Bytes that gave whole characters.
    good: u64,
}

impl Decoder {
    pub(super) fn new(endian: Endian) -> Decoder {
        Decoder { endian, odd: None, high: None, good: 0 }
    }

    /// Appends the text of `raw`; up to the fault, if there is one.
    pub(super) fn decode(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<(), NotUtf16> {
        for &byte in raw {
            match self.odd.take() {
                None => self.odd = Some(byte),
                Some(first) => self.unit(self.endian.unit([first, byte]), out)?,
            }
        }
        Ok(())
    }

    /// Whether the text may end here.
    pub(super) fn finish(&self) -> Result<(), NotUtf16> {
        match (self.odd, self.high) {
            (None, None) => Ok(()),
            _ => Err(NotUtf16 { offset: self.good }),
        }
    }

    fn unit(&mut self, unit: u16, out: &mut Vec<u8>) -> Result<(), NotUtf16> {
        let pair = self.high.take();
        if pair.is_none() && (0xd800..0xdc00).contains(&unit) {
            self.high = Some(unit);
            return Ok(());
        }
        let units = pair.into_iter().chain([unit]);
        let Some(Ok(character)) = char::decode_utf16(units).next() else {
            return Err(NotUtf16 { offset: self.good });
        };
        self.good += 2 * character.len_utf16() as u64;
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }
}

/// UTF-8 to UTF-16.
#[derive(Debug)]
pub(super) struct Encoder {
    endian: Endian,
    /// The first bytes of a character that a piece of a long record cut.
    cut: Vec<u8>,
}

impl Encoder {
    pub(super) fn new(endian: Endian) -> Encoder {
        Encoder { endian, cut: Vec::new() }
    }

    pub(super) fn endian(&self) -> Endian {
        self.endian
    }

    /// Appends the text. What is not UTF-8, which the scrubber never makes of UTF-8, becomes U+FFFD.
    pub(super) fn encode(&mut self, text: &[u8], out: &mut Vec<u8>) {
        let joined = [std::mem::take(&mut self.cut).as_slice(), text].concat();
        let mut rest = joined.as_slice();
        while let Err(fault) = std::str::from_utf8(rest) {
            let (valid, other) = rest.split_at(fault.valid_up_to());
            self.valid(valid, out);
            let Some(invalid) = fault.error_len() else {
                self.cut = other.to_vec();
                return;
            };
            out.extend_from_slice(&self.endian.bytes(0xfffd));
            rest = &other[invalid..];
        }
        self.valid(rest, out);
    }

    /// Appends what stands for a character that never became whole.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if !std::mem::take(&mut self.cut).is_empty() {
            out.extend_from_slice(&self.endian.bytes(0xfffd));
        }
    }

    fn valid(&self, text: &[u8], out: &mut Vec<u8>) {
        let units = std::str::from_utf8(text).unwrap_or_default().encode_utf16();
        out.extend(units.flat_map(|unit| self.endian.bytes(unit)));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back_as_it_was_however_it_is_cut() {
        let text = "a\0ü上😀\r\nz";
        for endian in [Endian::Little, Endian::Big] {
            let raw: Vec<u8> = text.encode_utf16().flat_map(|unit| endian.bytes(unit)).collect();
            for cut in 1..8 {
                let mut decoder = Decoder::new(endian);
                let mut decoded = Vec::new();
                raw.chunks(cut).for_each(|piece| decoder.decode(piece, &mut decoded).unwrap());
                assert_eq!(decoder.finish(), Ok(()));
                assert_eq!(decoded, text.as_bytes());
                let mut encoder = Encoder::new(endian);
                let mut encoded = Vec::new();
                decoded.chunks(cut).for_each(|piece| encoder.encode(piece, &mut encoded));
                encoder.finish(&mut encoded);
                assert_eq!(encoded, raw);
            }
        }
    }

    #[test]
    fn a_lone_surrogate_and_an_odd_tail_are_faults() {
        let mut out = Vec::new();
        let fault = Err(NotUtf16 { offset: 2 });
        assert_eq!(Decoder::new(Endian::Big).decode(b"\0a\xdc\0\0b", &mut out), fault);
        assert_eq!(Decoder::new(Endian::Big).decode(b"\0a\xd8\0\0b", &mut out), fault);
        assert_eq!(out, b"aa");
        for tail in [&b"\0a\xd8\0"[..], b"\0a\0"] {
            let mut decoder = Decoder::new(Endian::Big);
            decoder.decode(tail, &mut out).unwrap();
            assert_eq!(decoder.finish(), fault);
        }
    }
}
