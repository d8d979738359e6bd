//! [`Paths`]: under which names the fields of a record stand, from the outside in.

use super::decide::Record;
use super::selector::{Names, Path, Selector};
use crate::decoded::Decoded;
use crate::format::{Name, Opens, Role};

/// The path of one field after another. It owns its buffers.
#[derive(Debug, Default)]
pub(super) struct Paths {
    /// The field that the path is of.
    at: Option<usize>,
    path: Path,
    /// How many names of the path each field on the way has, from the outside in.
    steps: Vec<usize>,
    /// The names on the way, from the inside out.
    names: Vec<Name>,
    /// Which column the field is, or lies in; 0 if there are none.
    column: u32,
    /// The names inside the query that the field lies in: there they also stand for themselves.
    in_query: Path,
    /// The field of a wrapping whose content it lies in. What it is called there does not belong to its path.
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
    pub(super) fn any(&mut self, record: &Record<'_>, at: usize, selectors: &[Selector]) -> bool {
        if selectors.is_empty() {
            return false;
        }
        let mut around = Some(at);
        while let Some(at) = around {
            if self.at != Some(at) {
                self.read(record, at);
            }
            let is_named =
                |names: &usize| selectors.iter().any(|selector| selector.matches(&self.path, *names));
            let is_in_query = |selector: &Selector| {
                !self.in_query.is_empty() && selector.matches(&self.in_query, self.in_query.len())
            };
            let is_numbered = |selector: &Selector| self.column > 0 && selector.is_column(self.column);
            if self.steps.iter().any(is_named)
                || selectors.iter().any(|selector| is_in_query(selector) || is_numbered(selector))
            {
                return true;
            }
            around = self.around;
        }
        false
    }

    fn read(&mut self, record: &Record<'_>, at: usize) {
        self.at = Some(at);
        self.path.clear();
        self.steps.clear();
        self.names.clear();
        (self.column, self.around) = (0, None);
        self.in_query.clear();
        let mut of_query = 0;
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
            let Some(parent) = field.map(|at| &record.fields.list[at]) else { break };
            match parent.opens {
                Opens::Record if parent.layer != own.layer => self.around = field.take(),
                Opens::Query if parent.layer != own.layer => of_query = self.names.len(),
                _ => {}
            }
        }
        for (inside, name) in self.names.iter().enumerate().rev() {
            match *name {
                Name::Field(name) => {
                    let field = &record.fields.list[name];
                    self.decoded.clear();
                    record.fields.decode(record.bytes, field, field.value, &mut self.decoded);
                    self.path.push(&self.decoded.bytes);
                    if inside < of_query {
                        self.in_query.push(&self.decoded.bytes);
                    }
                }
                Name::Given(name) => self.path.push(record.fields.given_name(name)),
                Name::None => {}
            }
            self.steps.push(self.path.len());
        }
    }
}
