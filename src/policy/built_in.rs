//! The built-in detectors that a regex describes: nothing but their files, read when a policy asks for their kinds.

use std::sync::Arc;

use super::document::{Document, Node, Value};
use super::fault::{Fault, Faults};
use super::packs::DETECTORS;
use crate::checksum::Checksum;
use crate::detect::pattern::Pattern;
use crate::kind::{Kind, KindSet, Kinds};

/// The patterns of those of the kinds that a regex describes.
///
/// # Errors
/// A built-in file is faulty. No policy is made then: what it asks for would not be found.
pub(super) fn patterns(kinds: &KindSet) -> Result<Vec<Arc<Pattern>>, Faults> {
    let known = Kinds::default();
    let mut all = Vec::new();
    for (name, text) in DETECTORS {
        if let Some(kind) = known.get(name).filter(|kind| kinds.contains(*kind)) {
            all.extend(read(kind, name, text)?);
        }
    }
    Ok(all)
}

/// The patterns of one file: `regex` is one or several, each with the same `checksum`, `keywords` and `across_lines`.
fn read(kind: Kind, name: &str, text: &str) -> Result<Vec<Arc<Pattern>>, Faults> {
    let (doc, faults) = Document::read(&format!("detectors/{name}.toml"), 0, text.to_owned());
    if !faults.is_empty() {
        return Err(faults);
    }
    let regexes = match doc.root.get("regex") {
        None => return Ok(Vec::new()),
        Some(Node { value: Value::List(several), .. }) => several.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    Ok(regexes.iter().map(|regex| pattern(kind, &doc, regex)).collect::<Result<_, Fault>>()?)
}

fn pattern(kind: Kind, doc: &Document, regex: &Node) -> Result<Arc<Pattern>, Fault> {
    let fault = |message: String| doc.fault(&regex.span, message);
    let check = |name: &str| Checksum::named(name).ok_or_else(|| fault(format!("no check is called {name}")));
    let checksum = doc.root.text("checksum").map(check).transpose()?;
    let keywords = doc.root.owned_texts("keywords");
    let text = regex.as_text().ok_or_else(|| fault("a regex is a text".to_owned()))?;
    let pattern = Pattern::new(kind, text, checksum, keywords).map_err(fault)?;
    let pattern =
        if doc.root.truth("across_lines") { pattern.across_lines().map_err(fault)? } else { pattern };
    Ok(Arc::new(pattern))
}
