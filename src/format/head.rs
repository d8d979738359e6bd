//! [`Head`]: what says how to read a record, beside the record.

use std::sync::Arc;

use super::Format;
use super::access::Layout;

/// What earlier records of the input, or the policy, say about those that follow.
#[derive(Clone, Debug, Default)]
pub struct Head {
    /// The columns that a header line names.
    pub columns: Option<Arc<Columns>>,
    /// The layout of access logs that the policy gives.
    pub layout: Option<Arc<Layout>>,
    /// Name of the format that all records are of: the policy says so, or the first one does.
    pub only: Option<&'static str>,
    /// Arrays of numbers are what they look like: the input is not of a format that writes text so.
    pub numbers_alone: bool,
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
        is_same(self.columns.as_ref(), other.columns.as_ref())
            && is_same(self.layout.as_ref(), other.layout.as_ref())
            && self.only == other.only
            && self.numbers_alone == other.numbers_alone
    }

    /// Whether all records are said to be of this format.
    pub fn is_only(&self, format: &dyn Format) -> bool {
        self.only == Some(format.name())
    }

    /// The columns, if they are those of this format.
    pub fn columns_of(&self, format: &dyn Format) -> Option<&Columns> {
        self.columns.as_deref().filter(|columns| columns.format == format.name())
    }
}

fn is_same<T>(one: Option<&Arc<T>>, other: Option<&Arc<T>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (one, other) => one.is_none() && other.is_none(),
    }
}
