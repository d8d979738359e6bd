//! [`Part`]: one of the records into which a format parts a long one. [`Framed`]: a record that may hold line feeds.

use crate::span::Span;

/// A record that may be a part of a longer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The stream that it belongs to: the parts of different streams may alternate. Less than [`Part::STREAMS`].
    pub stream: usize,
    /// What of it is content. The rest is its own.
    pub content: Span,
    /// Whether the content goes on in the next record of the stream.
    pub goes_on: bool,
    /// Whether it can be told from it alone that it is whole or a part. Whoever passes logs on may take away what ends a
    /// record, so that each of them looks as if it went on.
    pub is_sure: bool,
}

impl Part {
    /// Streams that are told apart.
    pub const STREAMS: usize = 3;

    /// The stream of this name. All but the two that every process has count as one.
    pub fn stream(name: &[u8]) -> usize {
        match name {
            b"stdout" => 0,
            b"stderr" => 1,
            _ => 2,
        }
    }

    /// Whether this is one of the two streams that every process has, as runtimes write them.
    pub fn is_stream(name: &[u8]) -> bool {
        Part::stream(name) < 2
    }
}

/// Where the parts of a record lie whose length is written before it, counted from where it begins. They may lie beyond
/// what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framed {
    /// How long its name is, with which it begins.
    pub name: usize,
    /// Where its data begin.
    pub start: usize,
    /// Where they end: there stands a line feed, which is not of the data.
    pub end: usize,
}
