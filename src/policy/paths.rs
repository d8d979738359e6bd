//! [`Paths`]: under which names the fields of a record stand, from the outside in.

use super::decide::Record;
use super::selector::{Selector, normal};
use super::wanted::Names;
use crate::decoded::Decoded;
use crate::format::{Field, Role};

/// The names of a record's fields in normal form, by their places in the list of fields.
#[derive(Default)]
pub(super) struct Paths {
    parts: Vec<Vec<Vec<u8>>>,
}

impl Paths {
    pub(super) fn of(record: &Record<'_>) -> Paths {
        let mut decoded = Decoded::default();
        let mut name = |field: &Field| {
            if field.role != Role::Name {
                return Vec::new();
            }
            decoded.clear();
            record.format.decode(record.bytes, field, &mut decoded);
            decoded.bytes.split(|byte| *byte == b'.').map(normal).collect()
        };
        Paths { parts: record.fields.iter().map(&mut name).collect() }
    }

    /// Whether any name is one that these may mean.
    pub(super) fn hold(&self, names: &Names) -> bool {
        self.parts.iter().any(|parts| names.are_among(parts))
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
    pub(super) fn any(&self, record: &Record<'_>, at: usize, selectors: &[Selector]) -> bool {
        if selectors.is_empty() {
            return false;
        }
        let mut steps: Vec<&[Vec<u8>]> = Vec::new(); // from the inside out, one a name
        let mut field = Some(at);
        while let Some(at) = field {
            let own = &record.fields[at];
            let name = if own.role == Role::Name { Some(at) } else { own.name };
            steps.extend(name.map(|name| self.parts[name].as_slice()));
            field = own.parent;
        }
        let mut path: Vec<&[u8]> = Vec::new();
        steps.iter().rev().any(|parts| {
            path.extend(parts.iter().map(Vec::as_slice));
            selectors.iter().any(|selector| selector.matches(&path))
        })
    }
}
