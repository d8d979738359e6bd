//! [`Paths`]: under which names the fields of a record stand, from the outside in.

use super::decide::Record;
use super::selector::{Names, Path, Selector};
use crate::decoded::Decoded;
use crate::format::{Field, Role};

/// The path of one field after another. It owns its buffers.
#[derive(Debug, Default)]
pub(super) struct Paths {
    /// The field that the path is of.
    at: Option<usize>,
    path: Path,
    /// How many names of the path each field on the way has, from the outside in.
    steps: Vec<usize>,
    /// The names on the way, from the inside out.
    names: Vec<usize>,
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
        for (at, field) in record.fields.iter().enumerate() {
            let own = match field.role {
                Role::Name => field.escaped || names.may_mean(field.value.of(record.bytes)),
                _ => field.name.is_some_and(|name| self.meant[name]),
            };
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
        while let Some(own) = field.map(|at| &record.fields[at]) {
            if own.role == Role::Name || own.name.is_some() {
                return true;
            }
            field = own.parent;
        }
        false
    }

    /// Whether one of the selectors names the field or one that it lies in. A name counts as its field.
    pub(super) fn any(&mut self, record: &Record<'_>, at: usize, selectors: &[Selector]) -> bool {
        if selectors.is_empty() {
            return false;
        }
        if self.at != Some(at) {
            self.read(record, at);
        }
        let is_named = |names: &usize| selectors.iter().any(|selector| selector.matches(&self.path, *names));
        self.steps.iter().any(is_named)
    }

    fn read(&mut self, record: &Record<'_>, at: usize) {
        self.at = Some(at);
        self.path.clear();
        self.steps.clear();
        self.names.clear();
        let mut field = Some(at);
        while let Some(at) = field {
            let own = &record.fields[at];
            self.names.extend(if own.role == Role::Name { Some(at) } else { own.name });
            field = own.parent;
        }
        for name in self.names.iter().rev() {
            let field: &Field = &record.fields[*name];
            if field.escaped {
                self.decoded.clear();
                record.format.decode(record.bytes, field, &mut self.decoded);
                self.path.push(&self.decoded.bytes);
            } else {
                self.path.push(field.value.of(record.bytes));
            }
            self.steps.push(self.path.len());
        }
    }
}
