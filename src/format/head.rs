//! [`Head`]: what says how to read a record, beside the record.

use std::sync::Arc;

use super::Format;

/// What earlier records of the input, or the policy, say about those that follow.
#[derive(Clone, Debug, Default)]
pub struct Head {
    /// The columns that a header line names.
    pub columns: Option<Arc<Columns>>,
    /// The name of the format that all of the input is known to be of.
    pub input: Option<&'static str>,
}

/// Names of columns, as a header line gives them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Name of the format that knows the header.
    pub format: &'static str,
    /// What stands between columns.
    pub separator: u8,
    /// The names, in order.
    pub names: Vec<Vec<u8>>,
}

impl Head {
    /// Whether it is known to say the same as the other.
    pub fn is_same(&self, other: &Head) -> bool {
        if self.input != other.input {
            return false;
        }
        match (&self.columns, &other.columns) {
            (Some(own), Some(others)) => Arc::ptr_eq(own, others),
            (own, others) => own.is_none() && others.is_none(),
        }
    }

    /// The columns, if they are those of this format.
    pub fn columns_of(&self, format: &dyn Format) -> Option<&Columns> {
        self.columns.as_deref().filter(|columns| columns.format == format.name())
    }
}
