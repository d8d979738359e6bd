//! [`Skim`]: the members of a record at some of its colons, without a list of all of its fields.

use super::{NotThis, Reader, Role, Told};
use crate::span::Span;

/// One member of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member<'m> {
    /// The names on the way to it, from the outside in, its own the last; none for what lies in an array.
    pub names: &'m [Option<Span>],
    /// What its value is.
    pub role: Role,
    /// The content of the value, without quotes; of an object or array where it begins.
    pub value: Span,
}

/// Reads records for some of their members. It owns the buffer that this takes.
#[derive(Debug, Default)]
pub struct Skim {
    names: Vec<Option<Span>>,
}

impl Skim {
    /// Hands on the members of which the colons stand at these places, in order. The record must hold no backslash,
    /// and is read as [`Json`](super::Json) reads it.
    ///
    /// # Errors
    /// It is not JSON, or one of the places is none of a member: what was handed on is of no use.
    pub fn read(
        &mut self,
        record: &[u8],
        colons: impl Iterator<Item = usize>,
        each: impl FnMut(Member<'_>),
    ) -> Result<(), NotThis> {
        self.names.clear();
        let told =
            Picked { names: &mut self.names, own: None, colons: colons.peekable(), stray: false, each };
        let mut reader = Reader::new(record, 0, told);
        reader.document()?;
        let Picked { stray, mut colons, .. } = reader.told;
        if stray || colons.next().is_some() { Err(NotThis) } else { Ok(()) }
    }
}

/// Picks the members at some colons.
struct Picked<'m, C: Iterator<Item = usize>, E> {
    /// Of the open objects and arrays.
    names: &'m mut Vec<Option<Span>>,
    /// Of the value that follows.
    own: Option<Span>,
    colons: std::iter::Peekable<C>,
    /// Some colon stands elsewhere.
    stray: bool,
    each: E,
}

impl<C: Iterator<Item = usize>, E: FnMut(Member<'_>)> Picked<'_, C, E> {
    /// What follows a name and its colon, or stands in an array.
    fn value(&mut self, role: Role, value: Span, start: usize) {
        let Some(colon) = self.colons.next_if(|colon| *colon < start) else { return };
        self.stray |= self.own.is_none_or(|name| colon <= name.end);
        self.names.push(self.own);
        (self.each)(Member { names: self.names, role, value });
        self.names.pop();
    }
}

impl<C: Iterator<Item = usize>, E: FnMut(Member<'_>)> Told for Picked<'_, C, E> {
    #[inline]
    fn quote_or_escape(&self, record: &[u8], from: usize) -> Option<usize> {
        Some(from + super::quote_or_escape(record.get(from..)?)?)
    }

    #[inline]
    fn text(&mut self, role: Role, value: Span, _: bool) {
        if role == Role::Name {
            self.own = Some(value);
            return;
        }
        self.value(role, value, value.start);
        self.own = None;
    }

    #[inline]
    fn bare(&mut self, role: Role, span: Span) {
        self.value(role, span, span.start);
        self.own = None;
    }

    #[inline]
    fn open(&mut self, role: Role, at: usize) {
        self.value(role, Span::new(at, at), at);
        self.names.push(self.own.take());
    }

    #[inline]
    fn close(&mut self, _: usize) {
        self.names.pop();
    }
}
