//! Colours.

use std::io::IsTerminal;

use super::args::Color;

/// Whether and how to colour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    on: bool,
}

/// What is coloured.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ink {
    /// A file name.
    Path,
    /// A line number.
    Line,
    /// What stands for a value.
    Residue,
}

impl Paint {
    /// For stdout. `NO_COLOR` (no-color.org) counts under `auto`.
    pub(super) fn of(color: Color) -> Paint {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let on = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => std::io::stdout().is_terminal() && !no_color,
        };
        Paint { on }
    }

    pub(super) fn text(self, ink: Ink, text: &str) -> String {
        let code = match ink {
            Ink::Path => "35",
            Ink::Line => "32",
            Ink::Residue => "1;31",
        };
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
