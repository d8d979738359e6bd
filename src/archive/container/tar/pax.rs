//! The records of extended headers: `LENGTH KEY=VALUE` and a line feed each.

use jiff::Timestamp;

/// One record, and all its bytes.
pub(super) struct Record<'a> {
    pub(super) key: &'a [u8],
    pub(super) value: &'a [u8],
    raw: &'a [u8],
}

/// What the records say that is of use here.
#[derive(Default)]
pub(super) struct Told {
    pub(super) path: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) modified: Option<Timestamp>,
    pub(super) is_sparse: bool,
}

/// All records; none if anything else stands between them.
fn records(mut data: &[u8]) -> Option<Vec<Record<'_>>> {
    let mut records = Vec::new();
    while !data.is_empty() {
        let space = data.iter().take(20).position(|byte| *byte == b' ')?;
        let length = usize::try_from(decimal(data.get(..space)?)?).ok()?;
        let raw = data.get(..length)?;
        let body = raw.get(space + 1..)?.strip_suffix(b"\n")?;
        let equals = body.iter().position(|byte| *byte == b'=')?;
        let (key, value) = (body.get(..equals)?, body.get(equals + 1..)?);
        records.push(Record { key, value, raw });
        data = data.get(length..)?;
    }
    Some(records)
}

/// Reads the records; none if they are not well-formed, or tell two lengths.
pub(super) fn read(data: &[u8]) -> Option<Told> {
    let mut told = Told::default();
    let mut sizes = 0;
    for record in records(data)? {
        // A record without a value takes back what was told before.
        let value = Some(record.value).filter(|value| !value.is_empty());
        match record.key {
            b"path" if !told.is_sparse => told.path = value.map(<[u8]>::to_vec),
            b"GNU.sparse.name" => told.path = value.map(<[u8]>::to_vec),
            b"size" => {
                sizes += 1;
                told.size = value.map(decimal).map_or(Some(None), |size| size.map(Some))?;
            }
            b"mtime" => told.modified = value.and_then(moment),
            _ => {}
        }
        told.is_sparse |= record.key.starts_with(b"GNU.sparse.") || record.key == b"SCHILY.realsize";
    }
    (sizes < 2).then_some(told)
}

/// The records with another length of the content in the one that tells it.
pub(super) fn with_size(data: &[u8], size: u64) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for record in records(data)? {
        if record.key == b"size" && decimal(record.value).is_some_and(|old| old != size) {
            out.extend_from_slice(&size_record(size));
        } else {
            out.extend_from_slice(record.raw);
        }
    }
    Some(out)
}

/// Its length counts its own digits.
fn size_record(size: u64) -> Vec<u8> {
    let body = format!(" size={size}\n");
    let length = body.len() + 1 + usize::from(body.len() >= 9);
    format!("{length}{body}").into_bytes()
}

fn decimal(digits: &[u8]) -> Option<u64> {
    let push = |value: u64, digit: &u8| match digit {
        b'0'..=b'9' => value.checked_mul(10)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    };
    (!digits.is_empty()).then(|| digits.iter().try_fold(0, push))?
}

/// Seconds since 1970, with a fraction or without, negative or not.
fn moment(text: &[u8]) -> Option<Timestamp> {
    let (negative, text) = text.strip_prefix(b"-").map_or((false, text), |rest| (true, rest));
    let mut parts = text.splitn(2, |byte| *byte == b'.');
    let seconds = i64::try_from(decimal(parts.next()?)?).ok()?;
    let mut fraction = parts.next().unwrap_or(b"0").iter().take(9).copied().collect::<Vec<u8>>();
    fraction.resize(9, b'0');
    let nanoseconds = i32::try_from(decimal(&fraction)?).ok()?;
    let sign = if negative { -1 } else { 1 };
    Timestamp::new(sign * seconds, i32::try_from(sign).ok()? * nanoseconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_length_changes() {
        let data = b"11 path=ab\n020 mtime=1.500000001\n".to_vec();
        assert!(read(&data).is_none()); // 020 is not the length of that record
        let data = b"11 path=ab\n9 size=7\n021 comment=a=b\nc=d\n\n";
        let told = read(&data[..]).map(|told| (told.path, told.size, told.is_sparse));
        assert_eq!(told, Some((Some(b"ab".to_vec()), Some(7), false)));
        let longer = b"11 path=ab\n17 size=12345678\n021 comment=a=b\nc=d\n\n";
        assert_eq!(with_size(data, 12_345_678).as_deref(), Some(&longer[..]));
        assert_eq!(with_size(longer, 7).as_deref(), Some(&data[..]));
    }

    #[test]
    fn the_length_of_a_record_counts_its_digits() {
        for size in (0..20).map(|power| 10u64.pow(power)).flat_map(|size| [size - 1, size]) {
            let record = size_record(size);
            assert_eq!(read(&record).and_then(|told| told.size), Some(size));
        }
    }

    #[test]
    fn what_is_not_a_record_is_refused() {
        for data in
            ["9 size=7", "8 size=7\n", "9 size=7\n\0", "9 size=x\n", "0 \n", " a=b\n", "5 ab\n", "99 a=b\n"]
        {
            assert!(read(data.as_bytes()).is_none(), "{data:?}");
        }
        assert!(read(b"9 size=7\n9 size=8\n").is_none());
        assert!(read(b"8 size=\n").is_some_and(|told| told.size.is_none()));
    }

    #[test]
    fn times_have_fractions_and_signs() {
        assert_eq!(moment(b"1.5"), Timestamp::new(1, 500_000_000).ok());
        assert_eq!(moment(b"-1.000000001999"), Timestamp::new(-1, -1).ok());
        assert_eq!(moment(b"7"), Timestamp::from_second(7).ok());
        assert!(moment(b"").is_none() && moment(b"1.x").is_none() && moment(b"99999999999999").is_none());
    }
}
