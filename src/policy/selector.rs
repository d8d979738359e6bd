//! [`Selector`]: which fields a rule means.

use std::fmt;

/// A field path with wildcards, as written in a rules file: `user_id`, `client.**`, `http.*.ip`.
#[derive(Clone, Debug)]
pub struct Selector {
    parts: Vec<Part>,
    written: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// One name, in normal form.
    Name(Vec<u8>),
    /// `*`: any one name.
    Any,
    /// `**`: any number of names, none included.
    Deep,
}

impl Selector {
    /// Reads a selector.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it: empty, an empty part, `**` twice.
    pub fn parse(text: &str) -> Result<Selector, String> {
        if text.is_empty() {
            return Err("a field name may not be empty".to_owned());
        }
        let mut parts = Vec::new();
        for part in text.split('.') {
            parts.push(match part {
                "" => return Err(format!("`{text}` has an empty part between two dots")),
                "*" => Part::Any,
                "**" => Part::Deep,
                name => Part::Name(normal(name.as_bytes()).collect()),
            });
        }
        if parts.iter().filter(|part| **part == Part::Deep).count() > 1 {
            return Err(format!("`{text}` has more than one `**`"));
        }
        Ok(Selector { parts, written: text.to_owned() })
    }

    /// Whether it names the field whose path is the first `names` names of `path`.
    pub fn matches(&self, path: &Path, names: usize) -> bool {
        let Some(deep) = self.parts.iter().position(|part| *part == Part::Deep) else {
            return self.parts.len() == names && each_matches(&self.parts, path, 0);
        };
        let (head, tail) = (&self.parts[..deep], &self.parts[deep + 1..]);
        names >= head.len() + tail.len()
            && each_matches(head, path, 0)
            && each_matches(tail, path, names - tail.len())
    }

    /// Whether it names the field of this path, or one below it by any name.
    pub fn may_mean(&self, path: &Path) -> bool {
        let is_open = self.last_name().is_none();
        let deep = self.parts.iter().position(|part| *part == Part::Deep).unwrap_or(self.parts.len());
        let head = &self.parts[..deep.min(path.len())];
        self.matches(path, path.len())
            || is_open && (deep < path.len() || self.parts.len() > path.len()) && each_matches(head, path, 0)
    }

    /// Whether every field that `other` names is named by this one as well.
    pub fn covers(&self, other: &Selector) -> bool {
        if self == other {
            return true;
        }
        let Some(deep) = self.parts.iter().position(|part| *part == Part::Deep) else {
            return self.parts.len() == other.parts.len() && each_covers(&self.parts, &other.parts);
        };
        let (head, tail) = (&self.parts[..deep], &self.parts[deep + 1..]);
        let names = other.parts.iter().filter(|part| **part != Part::Deep).count();
        names >= head.len() + tail.len()
            && each_covers(head, &other.parts[..head.len()])
            && each_covers(tail, &other.parts[other.parts.len() - tail.len()..])
    }

    /// Whether every field that `other` names lies in one that this one names.
    pub fn holds(&self, other: &Selector) -> bool {
        let has_deep = |parts: &[Part]| parts.contains(&Part::Deep);
        let head = other.parts.get(..self.parts.len());
        !has_deep(&self.parts) && head.is_some_and(|head| !has_deep(head) && each_covers(&self.parts, head))
    }

    /// Whether it names the column of this number, from 1.
    pub fn is_column(&self, number: u32) -> bool {
        self.parts.len() == 1 && self.written == number.to_string()
    }

    /// The last name of the path in normal form, if it is not a wildcard.
    pub fn last_name(&self) -> Option<&[u8]> {
        match self.parts.last() {
            Some(Part::Name(name)) => Some(name),
            _ => None,
        }
    }
}

impl Selector {
    /// The names on the way to the field, if there is one way alone.
    pub fn way(&self) -> Option<impl Iterator<Item = &[u8]>> {
        let is_one = self.parts.iter().all(|part| matches!(part, Part::Name(_)));
        let names = self.parts.iter().filter_map(|part| match part {
            Part::Name(name) => Some(name.as_slice()),
            Part::Any | Part::Deep => None,
        });
        is_one.then_some(names)
    }

    /// Whether it asks for this very name, or for the parts of a dotted one.
    pub fn has_name(&self, name: &[u8]) -> bool {
        let has = |one: &[u8]| {
            self.parts
                .iter()
                .any(|part| matches!(part, Part::Name(name) if normal(one).eq(name.iter().copied())))
        };
        has(name) || name.split(|byte| *byte == b'.').all(has)
    }

    /// A name in normal form that stands in every path that it means, if it asks for any.
    pub fn any_name(&self) -> Option<&[u8]> {
        self.parts.iter().find_map(|part| match part {
            Part::Name(name) => Some(name.as_slice()),
            Part::Any | Part::Deep => None,
        })
    }
}

fn each_covers(parts: &[Part], others: &[Part]) -> bool {
    parts.iter().zip(others).all(|(part, other)| match part {
        Part::Name(_) => part == other,
        Part::Any => *other != Part::Deep,
        Part::Deep => false,
    })
}

impl PartialEq for Selector {
    /// Whether they mean the same fields; `userId` is `user_id`.
    fn eq(&self, other: &Selector) -> bool {
        self.parts == other.parts
    }
}

impl Eq for Selector {}

impl fmt::Display for Selector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.written)
    }
}

fn each_matches(parts: &[Part], path: &Path, from: usize) -> bool {
    parts.iter().enumerate().all(|(at, part)| match part {
        Part::Name(wanted) => wanted == path.name(from + at),
        Part::Any => true,
        Part::Deep => false,
    })
}

/// The normal form of a name: lower case without `-` and `_`, so that `apiKey`, `api_key` and `API-KEY` are one name.
pub fn normal(name: &[u8]) -> impl Iterator<Item = u8> {
    name.iter().filter(|byte| !matches!(byte, b'-' | b'_')).map(u8::to_ascii_lowercase)
}

/// Names in normal form, from the outside in.
#[derive(Debug, Default)]
pub struct Path {
    text: Vec<u8>,
    /// Where in the text each name ends.
    ends: Vec<usize>,
}

impl Path {
    /// Forgets the names.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    /// Adds a name as it is written: a dotted one is several.
    pub fn push(&mut self, written: &[u8]) {
        for name in written.split(|byte| *byte == b'.') {
            self.text.extend(normal(name));
            self.ends.push(self.text.len());
        }
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The name at a place that there is.
    fn name(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[at]]
    }

    /// The innermost name.
    pub fn last(&self) -> Option<&[u8]> {
        self.len().checked_sub(1).map(|last| self.name(last))
    }
}

/// A quick look whether any of many selectors may mean a name or what lies in the field of that name. It may
/// say yes in vain.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Hashes of the last name in each selector, without which it means nothing; ascending.
    hashes: Vec<u64>,
    /// Some selector has none: `*`.
    any: bool,
    /// Bit `b`: whether a name that begins with the byte `b`, as it is written, may be one of them. Most names
    /// are turned away here: hashing them all took a tenth of the time of a JSON record.
    first: [u64; 4],
}

impl Names {
    /// The names in some selectors.
    pub fn of<'s>(selectors: impl Iterator<Item = &'s Selector>) -> Names {
        let mut names = Names::default();
        for selector in selectors {
            let last = selector.parts.iter().rev().find_map(|part| match part {
                Part::Name(name) => Some((hash(name), name.first().copied())),
                Part::Any | Part::Deep => None,
            });
            match last {
                Some((hash, first)) => {
                    names.hashes.push(hash);
                    first.into_iter().for_each(|first| {
                        names.may_begin_with(first);
                        names.may_begin_with(first.to_ascii_uppercase());
                    });
                }
                None => names.any = true,
            }
        }
        // These are no part of the normal form.
        names.may_begin_with(b'-');
        names.may_begin_with(b'_');
        names.hashes.sort_unstable();
        names.hashes.dedup();
        names
    }

    fn may_begin_with(&mut self, byte: u8) {
        self.first[usize::from(byte / 64)] |= 1 << (byte % 64);
    }

    /// Whether one of the selectors may mean a field under this name, as it is written.
    pub fn may_mean(&self, written: &[u8]) -> bool {
        let may_begin = |byte: &u8| self.first[usize::from(byte / 64)] >> (byte % 64) & 1 == 1;
        let known = |name: &[u8]| {
            name.first().is_none_or(may_begin) && self.hashes.binary_search(&hash(name)).is_ok()
        };
        self.any || written.split(|byte| *byte == b'.').any(known)
    }
}

/// Of the normal form of a name: FNV-1a.
fn hash(name: &[u8]) -> u64 {
    normal(name)
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(one: &str, other: &str) -> bool {
        match (Selector::parse(one), Selector::parse(other)) {
            (Ok(one), Ok(other)) => one.covers(&other),
            _ => panic!("{one} {other}"),
        }
    }

    proptest::proptest! {
        /// The quick look says yes wherever a selector means a field under the name.
        #[test]
        fn no_name_that_a_selector_means_is_turned_away(
            selectors in proptest::collection::vec("([aA]_?[bB-]?|[*]|b)([.]([aAb_-]{1,3}|[*]))?([.][*][*])?", 1..4),
            names in proptest::collection::vec("[aAbB_-]{0,3}([.][aAbB_-]{0,3})?", 1..4),
        ) {
            let selectors: Vec<Selector> =
                selectors.iter().filter_map(|text| Selector::parse(text).ok()).collect();
            let quick = Names::of(selectors.iter());
            let mut path = Path::default();
            names.iter().for_each(|name| path.push(name.as_bytes()));
            let meant = selectors.iter().any(|selector| selector.matches(&path, path.len()));
            let may_be_meant = names.iter().any(|name| quick.may_mean(name.as_bytes()));
            proptest::prop_assert!(may_be_meant || !meant, "{:?} {:?}", selectors, names);
        }
    }

    #[test]
    fn a_selector_holds_what_lies_below() {
        let holds = |one: &str, other: &str| match (Selector::parse(one), Selector::parse(other)) {
            (Ok(one), Ok(other)) => one.holds(&other),
            _ => panic!("{one} {other}"),
        };
        assert!(holds("client", "client.id") && holds("*", "a.b.c") && holds("a", "A.**"));
        assert!(!holds("client.id", "client") && !holds("a", "b.c") && !holds("a", "**.c"));
    }

    #[test]
    fn a_selector_may_mean_what_lies_below_a_name() {
        let may_mean = |selector: &str, name: &str| {
            let mut path = Path::default();
            path.push(name.as_bytes());
            Selector::parse(selector).is_ok_and(|selector| selector.may_mean(&path))
        };
        for selector in
            ["request", "Request", "request.*", "request.**", "**", "**.request", "*", "request.*.**"]
        {
            assert!(may_mean(selector, "request"), "{selector}");
        }
        for selector in ["host", "request.path", "*.host", "syslog.**.host", "a.*"] {
            assert!(!may_mean(selector, "request"), "{selector}");
        }
        assert!(may_mean("**.host", "syslog.host") && may_mean("*.host", "syslog.host"));
        assert!(!may_mean("host", "syslog.host") && may_mean("syslog.**", "syslog.host"));
    }

    #[test]
    fn a_selector_covers_those_whose_fields_are_all_its_own() {
        for (one, other) in [
            ("a", "A"),
            ("user_id", "userId"),
            ("*", "a"),
            ("**", "a.b"),
            ("**", "*.**"),
            ("a.**", "a"),
            ("**.a", "b.**.a"),
        ] {
            assert!(covers(one, other), "{one} {other}");
        }
        for (one, other) in
            [("a", "b"), ("a", "a.b"), ("*", "**"), ("*.**", "**"), ("a.**.b", "a.**"), ("a.*", "a.**")]
        {
            assert!(!covers(one, other), "{one} {other}");
        }
    }
}
