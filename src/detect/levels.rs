//! [`Levels`]: a text on every level of its escapes.

use super::find::{MAX_DEPTH, to_raw};
use super::unescape::{Ansi, holds_invisible, unescape};
use crate::decoded::Decoded;
use crate::span::Span;

/// The levels of one text after another. It owns the buffers that this takes.
#[derive(Debug, Default)]
pub struct Levels {
    decoded: [Decoded; MAX_DEPTH],
}

impl Levels {
    /// Calls `each` with the text as it is written and with what every level of its escapes shows, from the outside in: as
    /// those see it to whom colours and the like vanish, and as those to whom they end words. `each` also gets what
    /// tells where in the text a span of the level was written.
    pub fn each(&mut self, text: &[u8], mut each: impl FnMut(&[u8], &dyn Fn(Span) -> Span)) {
        each(text, &|span| span);
        if self.view(text, Ansi::Remove, &mut each) {
            self.view(text, Ansi::Separate, &mut each);
        }
    }

    /// The levels of one view. Whether anything invisible was seen on any of them.
    fn view(&mut self, text: &[u8], ansi: Ansi, each: &mut impl FnMut(&[u8], &dyn Fn(Span) -> Span)) -> bool {
        let mut invisible = false;
        for depth in 0..MAX_DEPTH {
            let (outer, inner) = self.decoded.split_at_mut(depth);
            let hay = outer.last().map_or(text, |level| level.bytes.as_slice());
            if !unescape(hay, ansi, &mut inner[0]) {
                break;
            }
            invisible = invisible || holds_invisible(hay);
            let levels = &self.decoded[..=depth];
            each(&levels[depth].bytes, &|span| to_raw(levels, span));
        }
        invisible
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> Vec<(String, Span)> {
        let mut seen = Vec::new();
        Levels::default().each(text.as_bytes(), |level, raw| {
            let all = Span::new(0, level.len());
            seen.push((String::from_utf8_lossy(level).into_owned(), raw(all)));
        });
        seen
    }

    #[test]
    fn every_level_is_seen_once() {
        assert_eq!(seen("ana"), [("ana".to_owned(), Span::new(0, 3))]);
        let levels: Vec<String> = seen("a%2540b").into_iter().map(|(level, _)| level).collect();
        assert_eq!(levels, ["a%2540b", "a%40b", "a@b"]);
        assert!(seen("a%2540b").iter().all(|(_, raw)| *raw == Span::new(0, 7)));
    }

    #[test]
    fn what_nobody_sees_vanishes_and_parts() {
        let levels: Vec<String> = seen("a\u{200b}b").into_iter().map(|(level, _)| level).collect();
        assert_eq!(levels, ["a\u{200b}b", "ab", "a\nb"]);
    }
}
