//! [`Glob`]: a pattern with `*` and `?`, for whole values and for paths of files.

use std::fmt::{self, Write};

use regex::bytes::Regex;

/// Bytes of a pattern: it bounds what is compiled.
const GLOB_BYTES: usize = 500;

/// A pattern for the whole of a value.
#[derive(Clone, Debug)]
pub struct Glob {
    written: String,
    regex: Regex,
}

impl Glob {
    /// Reads a pattern for values: `*` stands for any text, also none; `?` for one character; all else for itself.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Glob, String> {
        let rest = |_: &str| (1, ANY_TEXT);
        Glob::translate(text, rest, ANY_CHARACTER)
    }

    /// Reads a pattern for paths, in which `*` and `?` do not stand for a `/`. `**` does: `**/` for any folders,
    /// also none, and any other for any text.
    ///
    /// # Errors
    /// As [`Glob::parse`].
    pub fn parse_path(text: &str) -> Result<Glob, String> {
        let rest = |rest: &str| match rest {
            _ if rest.starts_with("**/") => (3, "(?s-u:(?:.*/)?)"),
            _ if rest.starts_with("**") => (2, ANY_TEXT),
            _ => (1, "(?s-u:[^/]*)"),
        };
        Glob::translate(text, rest, "(?:[^/]|(?-u:[^/]))")
    }

    /// `stars` says for how many bytes of the rest of the pattern, which begins with a `*`, which regex stands.
    fn translate(
        text: &str,
        stars: impl Fn(&str) -> (usize, &'static str),
        one: &str,
    ) -> Result<Glob, String> {
        if text.is_empty() {
            return Err("an empty pattern matches nothing".to_owned());
        }
        if text.len() > GLOB_BYTES {
            return Err(format!("a pattern of more than {GLOB_BYTES} bytes"));
        }
        let mut regex = String::from(r"\A");
        let mut rest = text;
        while let Some(symbol) = rest.chars().next() {
            let (length, part) = match symbol {
                '*' => stars(rest),
                '?' => (1, one),
                _ => {
                    let _ = write!(regex, "{}", regex::escape(symbol.encode_utf8(&mut [0; 4])));
                    (symbol.len_utf8(), "")
                }
            };
            regex += part;
            rest = rest.get(length..).unwrap_or_default();
        }
        let regex = Regex::new(&(regex + r"\z")).map_err(|_| "a pattern that is too large".to_owned())?;
        Ok(Glob { written: text.to_owned(), regex })
    }

    /// Whether all of the value is of the pattern. It takes time in the length of the value.
    pub fn matches(&self, value: &[u8]) -> bool {
        self.regex.is_match(value)
    }
}

/// Any bytes.
const ANY_TEXT: &str = "(?s-u:.*)";

/// A character, or a byte that is part of none.
const ANY_CHARACTER: &str = "(?:(?s:.)|(?s-u:.))";

impl fmt::Display for Glob {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.written)
    }
}

impl PartialEq for Glob {
    fn eq(&self, other: &Glob) -> bool {
        self.written == other.written
    }
}

impl Eq for Glob {}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_of(glob: &str, value: &[u8]) -> bool {
        Glob::parse(glob).unwrap_or_else(|fault| panic!("{fault}")).matches(value)
    }

    fn is_path(glob: &str, path: &str) -> bool {
        Glob::parse_path(glob).unwrap_or_else(|fault| panic!("{fault}")).matches(path.as_bytes())
    }

    #[test]
    fn a_value_is_matched_as_a_whole() {
        assert!(is_of("pay-*", b"pay-") && is_of("pay-*", b"pay-a\n\xff/b") && is_of("5??", b"503"));
        assert!(is_of("?", "é".as_bytes()) && is_of("?", b"\xff") && is_of("a.b[c]", b"a.b[c]"));
        assert!(!is_of("pay-*", b"xpay-1") && !is_of("5??", b"5031") && !is_of("a.b", b"axb"));
        assert!(!is_of("pay", b"Pay") && !is_of("pay", b"pay\n"));
    }

    #[test]
    fn a_star_of_a_path_stays_in_its_folder() {
        assert!(is_path("/var/log/*.log", "/var/log/a.log") && is_path("**/acme/**", "acme/x/y"));
        assert!(is_path("**/acme/**", "/srv/acme/x") && is_path("**", "/a/b"));
        assert!(!is_path("/var/log/*.log", "/var/log/a/b.log") && !is_path("/a?b", "/a/b"));
        assert!(!is_path("**/acme/**", "/srv/notacme/x"));
    }

    #[test]
    fn no_value_takes_more_than_time_in_its_length() {
        let value = vec![b'a'; 1 << 20];
        assert!(
            !is_of(&"*a".repeat(20).replace("aa", "a").replace("**", "*"), b"") && is_of("*a*a*a*a", &value)
        );
        assert!(!is_of("*a*a*a*a*b", &value));
    }
}
