//! [`Paths`]: under which names the fields of a record stand, from the outside in.

use super::decide::Record;
use super::selector::{Names, Path, Selector};
use crate::decoded::Decoded;
use crate::format::{Name, Opens, Role};
use crate::span::Span;

/// Longest name that is read whole, in bytes as it is written. A longer one is left out but for its ends: it is part of
/// the path of each field in it.
const MAX_NAME_BYTES: usize = 1024;

/// Which layers of a record a path leads through. None leads through wrappings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Through {
    /// Out of JSON documents into the texts that they are, and out of the queries of URLs.
    Texts,
    Nothing,
}

/// The path of one field after another. It owns its buffers.
#[derive(Debug, Default)]
pub(super) struct Paths {
    /// The field that the path is of.
    at: Option<(usize, Through)>,
    path: Path,
    /// How many names of the path each field on the way has, from the outside in.
    steps: Vec<usize>,
    /// The names on the way, from the inside out.
    names: Vec<Name>,
    /// Which column the field is, or lies in; 0 if there are none.
    column: u32,
    /// The field in whose content it lies and what that is called does not belong to its path.
    around: Option<usize>,
    decoded: Decoded,
    /// By field: whether a field rule may mean it.
    meant: Vec<bool>,
}

impl Paths {
    /// Starts with a new record.
    pub(super) fn begin(&mut self) {
        self.at = None;
        self.meant.clear();
    }

    /// Notes which fields a selector with one of these names may mean: those under such a name.
    pub(super) fn look_for(&mut self, names: &Names, record: &Record<'_>) {
        for (at, field) in record.fields.list.iter().enumerate() {
            let own = match (field.role, field.name) {
                (Role::Name, _) => field.escaped || names.may_mean(field.value.of(record.bytes)),
                (_, Name::Field(name)) => self.meant[name],
                (_, Name::Given(name)) => names.may_mean(record.fields.given_name(name)),
                (_, Name::None) => false,
            };
            let own = own || field.column > 0 && names.may_mean(field.column.to_string().as_bytes());
            let meant = own || field.parent.is_some_and(|parent| self.meant[parent]);
            debug_assert_eq!(self.meant.len(), at, "what a field lies in stands before it");
            self.meant.push(meant);
        }
    }

    /// Whether a field rule may mean the field. It may say yes in vain.
    pub(super) fn may_be_meant(&self, at: usize) -> bool {
        self.meant[at]
    }

    /// Whether the field or one that it lies in has a name. An element of an array that is the whole record
    /// has none.
    pub(super) fn has(&self, record: &Record<'_>, at: usize) -> bool {
        let mut field = Some(at);
        while let Some(own) = field.map(|at| &record.fields.list[at]) {
            if own.role == Role::Name || own.name != Name::None {
                return true;
            }
            field = own.parent;
        }
        false
    }

    /// Whether one of the selectors names the field or one that it lies in. A name counts as its field.
    ///
    /// A field of a JSON document in a text goes by two names: that which begins with the text's own, and its own
    /// in the document, for those who write rules know either. So does a parameter of a URL. Exceptions know the
    /// first alone: whoever writes a document into a log must not choose a name that is one.
    pub(super) fn any(
        &mut self,
        record: &Record<'_>,
        at: usize,
        selectors: &[Selector],
        exception: bool,
    ) -> bool {
        let any = !selectors.is_empty() && self.any_of(record, at, selectors, Through::Texts);
        let in_text = || record.fields.layers[record.fields.list[at].layer].opened.is_some();
        any || !selectors.is_empty()
            && !exception
            && in_text()
            && self.any_of(record, at, selectors, Through::Nothing)
    }

    fn any_of(&mut self, record: &Record<'_>, at: usize, selectors: &[Selector], through: Through) -> bool {
        let mut around = Some(at);
        while let Some(at) = around {
            if self.any_at(record, at, selectors, through) {
                return true;
            }
            around = self.around;
        }
        false
    }

    /// The same, but for the fields of a wrapping around what it lies in.
    pub(super) fn any_of_its_own(&mut self, record: &Record<'_>, at: usize, selectors: &[Selector]) -> bool {
        self.any_at(record, at, selectors, Through::Texts)
    }

    fn any_at(&mut self, record: &Record<'_>, at: usize, selectors: &[Selector], through: Through) -> bool {
        self.look_at(record, at, through);
        let is_named = |names: &usize| selectors.iter().any(|selector| selector.matches(&self.path, *names));
        let is_numbered = |selector: &Selector| self.column > 0 && selector.is_column(self.column);
        self.steps.iter().any(is_named) || selectors.iter().any(is_numbered)
    }

    /// Appends the names of a field as they are written, with dots between them; its number if it has none.
    pub(super) fn written(&mut self, record: &Record<'_>, at: usize, out: &mut Vec<u8>) {
        self.look_at(record, at, Through::Texts);
        let start = out.len();
        for name in self.names.iter().rev() {
            if out.len() > start {
                out.push(b'.');
            }
            decode(record, *name, &mut self.decoded);
            out.extend_from_slice(&self.decoded.bytes);
        }
        if out.len() == start && self.column > 0 {
            out.extend_from_slice(self.column.to_string().as_bytes());
        }
    }

    fn look_at(&mut self, record: &Record<'_>, at: usize, through: Through) {
        if self.at != Some((at, through)) {
            self.read(record, at, through);
        }
    }

    fn read(&mut self, record: &Record<'_>, at: usize, through: Through) {
        self.at = Some((at, through));
        self.path.clear();
        self.steps.clear();
        self.names.clear();
        (self.column, self.around) = (0, None);
        let mut field = Some(at);
        while let Some(at) = field {
            let own = &record.fields.list[at];
            self.names.extend(match (own.role, own.name) {
                (Role::Name, _) => Some(Name::Field(at)),
                (_, Name::None) => None,
                (_, name) => Some(name),
            });
            self.column = self.column.max(own.column);
            field = own.parent;
            if let Some(parent) = field.map(|at| &record.fields.list[at])
                && (parent.opens == Opens::Record
                    || through == Through::Nothing && matches!(parent.opens, Opens::Json | Opens::Query))
                && parent.layer != own.layer
            {
                self.around = field.take();
            }
        }
        for name in self.names.iter().rev() {
            decode(record, *name, &mut self.decoded);
            self.path.push(&self.decoded.bytes);
            self.steps.push(self.path.len());
        }
    }
}

/// Reads a name, or both ends of a long one.
fn decode(record: &Record<'_>, name: Name, out: &mut Decoded) {
    out.clear();
    match name {
        Name::Field(name) => {
            let field = &record.fields.list[name];
            for end in ends(field.value) {
                record.fields.decode(record.bytes, field, end, out);
            }
        }
        Name::Given(name) => {
            for end in ends(name) {
                out.push_verbatim(record.fields.given_name(end), end.start);
            }
        }
        Name::None => {}
    }
}

/// A name up to where it is left out, and from there on.
fn ends(name: Span) -> [Span; 2] {
    const HALF: usize = MAX_NAME_BYTES / 2;
    let (before, after) = match name.len() > MAX_NAME_BYTES {
        true => (name.start + HALF, name.end - HALF),
        false => (name.end, name.end),
    };
    [Span::new(name.start, before), Span::new(after, name.end)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_read_at_their_ends() {
        let ends = |length| ends(Span::new(1, 1 + length)).map(|end| (end.start, end.end));
        assert_eq!(ends(0), [(1, 1), (1, 1)]);
        assert_eq!(ends(MAX_NAME_BYTES), [(1, 1025), (1025, 1025)]);
        assert_eq!(ends(MAX_NAME_BYTES + 9), [(1, 513), (522, 1034)]);
    }
}
