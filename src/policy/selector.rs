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
                name => Part::Name(normal(name.as_bytes())),
            });
        }
        if parts.iter().filter(|part| **part == Part::Deep).count() > 1 {
            return Err(format!("`{text}` has more than one `**`"));
        }
        Ok(Selector { parts, written: text.to_owned() })
    }

    /// Whether it names the field with this path, given as names in normal form from the outside in.
    pub fn matches(&self, path: &[&[u8]]) -> bool {
        // Of a thousand selectors nearly all are told by this.
        if self.last_name().is_some_and(|name| path.last() != Some(&name)) {
            return false;
        }
        let Some(deep) = self.parts.iter().position(|part| *part == Part::Deep) else {
            return self.parts.len() == path.len() && each_matches(&self.parts, path);
        };
        let (head, tail) = (&self.parts[..deep], &self.parts[deep + 1..]);
        path.len() >= head.len() + tail.len()
            && each_matches(head, &path[..head.len()])
            && each_matches(tail, &path[path.len() - tail.len()..])
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

    /// The last name of the path in normal form, if it is not a wildcard.
    pub fn last_name(&self) -> Option<&[u8]> {
        match self.parts.last() {
            Some(Part::Name(name)) => Some(name),
            _ => None,
        }
    }
}

impl Selector {
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

fn each_matches(parts: &[Part], path: &[&[u8]]) -> bool {
    parts.iter().zip(path).all(|(part, name)| match part {
        Part::Name(wanted) => wanted == name,
        Part::Any => true,
        Part::Deep => false,
    })
}

/// The normal form of a name: lower case without `-` and `_`, so that `apiKey`, `api_key` and `API-KEY` are one name.
pub fn normal(name: &[u8]) -> Vec<u8> {
    name.iter().filter(|byte| !matches!(byte, b'-' | b'_')).map(u8::to_ascii_lowercase).collect()
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
