//! [`Selector`]: which fields a rule means.

/// A field path with wildcards, as written in a rules file: `user_id`, `client.**`, `http.*.ip`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    parts: Vec<Part>,
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
        Ok(Selector { parts })
    }

    /// Whether it names the field with this path, given as names in normal form from the outside in.
    pub fn matches(&self, path: &[&[u8]]) -> bool {
        let Some(deep) = self.parts.iter().position(|part| *part == Part::Deep) else {
            return self.parts.len() == path.len() && each_matches(&self.parts, path);
        };
        let (head, tail) = (&self.parts[..deep], &self.parts[deep + 1..]);
        path.len() >= head.len() + tail.len()
            && each_matches(head, &path[..head.len()])
            && each_matches(tail, &path[path.len() - tail.len()..])
    }

    /// The last name of the path in normal form, if it is not a wildcard.
    pub fn last_name(&self) -> Option<&[u8]> {
        match self.parts.last() {
            Some(Part::Name(name)) => Some(name),
            _ => None,
        }
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
