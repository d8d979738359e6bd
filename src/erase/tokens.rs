//! [`Tokens`]: tokens of `encrypt` of which the value would be erased.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::action::canonical::canonical;
use crate::action::encrypt::opened;
use crate::action::keys::Keys;
use crate::detect::list::List;
use crate::policy::Policy;
use crate::scrub::Scrubber;
use crate::span::Span;

/// Without it there is no token.
pub(super) const MARK: &[u8] = b"~k";

/// Opens tokens, and looks at what is in them as at what stands in a log.
pub(super) struct Tokens {
    keys: Keys,
    policy: Arc<Policy>,
    list: Arc<List>,
    /// Those that no thread uses: to make one takes longer than to look.
    finders: Mutex<Vec<Scrubber>>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Tokens").finish_non_exhaustive()
    }
}

impl Tokens {
    /// `policy` is one that removes what is on the list where it stands as it is.
    pub(super) fn new(keys: Keys, policy: Arc<Policy>, list: Arc<List>) -> Tokens {
        Tokens { keys, policy, list, finders: Mutex::default() }
    }

    /// Appends where those stand of which the value is, or holds, what is to be erased.
    pub(super) fn find(&self, text: &[u8], out: &mut Vec<Span>) {
        for token in opened(&self.keys, text) {
            if token.value.is_some_and(|value| self.stands_for(token.kind, &value)) {
                out.push(token.span);
            }
        }
    }

    fn stands_for(&self, kind: &str, value: &[u8]) -> bool {
        let kind = self.policy.kinds.get(kind);
        if kind.is_some_and(|kind| self.list.contains(&canonical(kind, value))) {
            return true;
        }
        let free = || self.finders.lock().unwrap_or_else(PoisonError::into_inner);
        let finder = free().pop();
        let mut finder = finder.unwrap_or_else(|| Scrubber::new(Arc::clone(&self.policy), None));
        let is_found = !finder.inspect_text(value).changes.is_empty();
        free().push(finder);
        is_found || self.is_in_inner(value)
    }

    /// A field may have been encrypted in which tokens stood. What is in a token is shorter than it.
    fn is_in_inner(&self, value: &[u8]) -> bool {
        let mut inner = Vec::new();
        self.find(value, &mut inner);
        !inner.is_empty()
    }
}
