//! Numbers at fixed places, and the extra fields of headers.

use std::ops::Range;

/// What stands in a field of 32 bits whose value is in the zip64 field.
pub(super) const WIDE: u32 = u32::MAX;

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

/// Writes a value over what stands there; a header that was read has room for it.
pub(super) fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at.saturating_add(value.len())) {
        place.copy_from_slice(value);
    }
}

/// A value for a field of 32 bits, if it is to stand there.
pub(super) fn narrow(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(WIDE)
}

/// The extra fields: what each is, and where its data lie. Ends before what is none, such as padding.
pub(super) fn extras(extra: &[u8]) -> impl Iterator<Item = (u16, Range<usize>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (id, length) = (u16_at(extra, at)?, u16_at(extra, at + 2)?);
        let data = at + 4..at + 4 + usize::from(length);
        at = data.end;
        (data.end <= extra.len()).then_some((id, data))
    })
}

/// The data of the zip64 field, if there is one; none at all if there are two.
pub(super) fn zip64(extra: &[u8]) -> Option<Option<Range<usize>>> {
    let mut fields = extras(extra).filter(|(id, _)| *id == 1).map(|(_, data)| data);
    let first = fields.next();
    fields.next().is_none().then_some(first)
}

/// The extra fields with other data in the zip64 field, or without it where there are none.
pub(super) fn with_zip64(extra: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(data.len()).ok()?;
    let field = match data {
        [] => Vec::new(),
        _ => [&1u16.to_le_bytes()[..], &length.to_le_bytes(), data].concat(),
    };
    // A new one goes first, for there may be padding behind the others.
    let (start, end) = zip64(extra)?.map_or((0, 0), |old| (old.start.saturating_sub(4), old.end));
    let all = [extra.get(..start)?, &field, extra.get(end..)?].concat();
    (all.len() <= usize::from(u16::MAX)).then_some(all)
}
