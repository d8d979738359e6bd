//! `[input] columns`: what the columns of records are, where no header of theirs says so.

use std::sync::Arc;

use super::fault::{Faults, quoted};
use super::layer::Layer;
use crate::format::access::Layout;
use crate::format::{Columns, Head};

/// What `columns` says, and what it makes hold from the start of each input.
#[derive(Debug, Default)]
pub(super) struct Input {
    /// As it is written.
    pub(super) columns: Option<String>,
    pub(super) head: Head,
}

/// Reads `columns` of the first file that has it, for the format that the files name.
pub(super) fn read(layers: &[Layer], format: Option<&str>, faults: &mut Faults) -> Input {
    let written = layers.iter().find_map(|layer| {
        let columns = layer.doc.root.get("input")?.get("columns")?;
        Some((&layer.doc, columns.as_text()?, &columns.span))
    });
    let Some((doc, text, span)) = written else { return Input::default() };
    match head(text, format) {
        Ok(head) => Input { columns: Some(text.to_owned()), head },
        Err((message, help)) => {
            let fault = doc.fault(span, message);
            faults.push(help.into_iter().fold(fault, |fault, help| fault.help(help)));
            Input::default()
        }
    }
}

/// A message, and a line of help where there is one.
type Wrong = (String, Option<&'static str>);

fn head(text: &str, format: Option<&str>) -> Result<Head, Wrong> {
    let listed = |format, separator| {
        let columns = Columns { format, separator, names: names(text)? };
        Ok(Head { columns: Some(Arc::new(columns)), ..Head::default() })
    };
    match format.unwrap_or("auto") {
        "access" | "auto" => {
            let help = "paste the log_format of nginx or the LogFormat of Apache; a list of names needs format = \"csv\", \"tsv\" or \"w3c\"";
            let layout =
                Layout::parse(text).map_err(|message| (format!("`columns`: {message}"), Some(help)))?;
            Ok(Head { layout: Some(Arc::new(layout)), ..Head::default() })
        }
        "csv" => listed("csv", b','),
        "tsv" => listed("tsv", b'\t'),
        "w3c" => listed("w3c", b' '),
        other => {
            let message = format!("`columns` means nothing for the format {}", quoted(other));
            Err((message, Some("it goes with: auto, access, csv, tsv, w3c")))
        }
    }
}

/// Names with commas between them, or blanks if there is no comma.
fn names(text: &str) -> Result<Vec<Vec<u8>>, Wrong> {
    let names: Vec<&str> = match text.contains(',') {
        true => text.split(',').map(str::trim).collect(),
        false => text.split_whitespace().collect(),
    };
    match names.is_empty() || names.contains(&"") {
        true => Err(("`columns` has an empty name".to_owned(), None)),
        false => Ok(names.into_iter().map(|name| name.as_bytes().to_vec()).collect()),
    }
}
