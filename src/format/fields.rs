//! [`Fields`]: the parts of a record, also of those that its parts hold in turn.
//!
//! A line of a container's log is a record of the format `cri`, its message may be JSON, and a text in that JSON
//! another JSON document. Each of them is a *layer*: a format that reads what a field of the layer before holds.
//! The spans of all fields, on whatever layer, are those of the record as it is written.

use std::ops::Range;

use super::json::Json;
use super::request::{Query, Request};
use super::text::Text;
use super::{FORMATS, Format, Head};
use crate::decoded::Decoded;
use crate::span::Span;

/// Layers of a record. What would need more stays text.
const MAX_LAYERS: usize = 64;

/// Layers within layers: a record in a record in a record.
const MAX_DEPTH: usize = 4;

/// What stands in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The name of the field whose value follows.
    Name,
    /// Text.
    Text,
    /// A number without quotes.
    Number,
    /// `true`, `false` or `null`.
    Literal,
    /// Text as an array of byte numbers, without the brackets: `97,110,110`.
    Bytes,
    /// A length in bytes: the decimal digits are the `value`, and what they count ends with `whole`, which begins with them.
    /// What stands between digits and counted bytes is never edited, so that nobody has to know where those begin:
    /// after edits the length is as much longer or shorter as the bytes from the end of `value` to the end of `whole`
    /// are, as the format sees them. It may count more than is there: a line feed, or lines that follow.
    Count,
    /// Named fields, up to the end of `whole`.
    Object,
    /// Elements without names, up to the end of `whole`.
    Array,
}

/// What a field is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Name {
    /// It has no name of its own: an element of an array, a whole record.
    #[default]
    None,
    /// As the [`Role::Name`] at this place in the list of fields.
    Field(usize),
    /// As its format or a header says: see [`Fields::give_name`].
    Given(Span),
}

/// What the content of a field is to be read as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Opens {
    /// As it stands.
    #[default]
    No,
    /// It may be a JSON document, whose names are found below the field's.
    Json,
    /// It may be the request line of HTTP, whose parts are found below the field's name.
    Request,
    /// Pairs of names and values, as in the query of a URL. A name is found below the field's, and by itself.
    Query,
    /// A record of its own, of any format. Its names stand for themselves: the field around it is a wrapping.
    Record,
}

/// One part of a record. All spans count from the start of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// What it is.
    pub role: Role,
    /// The field that it lies in, by its place in the list of fields.
    pub parent: Option<usize>,
    /// What it is called.
    pub name: Name,
    /// Which column it is, from 1; 0 if there are none.
    pub column: u32,
    /// The content: without quotes, escapes as written.
    pub value: Span,
    /// The content with its quotes or brackets.
    pub whole: Span,
    /// Whether the content has escapes that [`Fields::decode`] undoes.
    pub escaped: bool,
    /// What the content may be read as.
    pub opens: Opens,
    /// Whether the format is told by it: where it is removed, its name stays.
    pub tells: bool,
    /// Whether the content is, to the byte, one of the few words that the format has for it: it says nothing of anybody, and
    /// whoever reads the record needs it.
    pub is_framing: bool,
    /// The layer that it was read on.
    pub layer: usize,
    /// What sort of field it is to its format, in whatever numbers that uses. Nobody else looks at it.
    pub sort: u8,
}

impl Field {
    /// A field without a name, quotes or escapes.
    pub const fn new(role: Role, value: Span) -> Field {
        Field {
            role,
            parent: None,
            name: Name::None,
            column: 0,
            value,
            whole: value,
            escaped: false,
            opens: Opens::No,
            tells: false,
            is_framing: false,
            layer: 0,
            sort: 0,
        }
    }

    /// Whether it stands in quotes or brackets.
    pub fn is_quoted(&self) -> bool {
        self.whole.start < self.value.start
    }

    /// Whether it holds fields that were read with it.
    pub fn is_container(&self) -> bool {
        matches!(self.role, Role::Object | Role::Array)
    }
}

/// A format that reads a record, or what a field holds.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The format.
    pub format: &'static dyn Format,
    /// The field that it reads; none for the record itself.
    pub opened: Option<usize>,
    /// The fields that it read.
    pub fields: Range<usize>,
    depth: usize,
}

/// The fields of a record, in the order in which they stand, layer by layer.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    /// All of them. What a field lies in stands before it.
    pub list: Vec<Field>,
    /// The layers; none before a record was read.
    pub layers: Vec<Layer>,
    given: Vec<u8>,
}

impl Fields {
    /// Forgets the record but keeps the memory.
    pub fn clear(&mut self) {
        self.list.clear();
        self.layers.clear();
        self.given.clear();
    }

    /// Adds a field and returns its place. For formats.
    pub fn push(&mut self, field: Field) -> usize {
        self.list.push(field);
        self.list.len() - 1
    }

    /// A name that does not stand in the record. For formats.
    pub fn give_name(&mut self, name: &[u8]) -> Name {
        let start = self.given.len();
        self.given.extend_from_slice(name);
        Name::Given(Span::new(start, self.given.len()))
    }

    /// A name that was given.
    pub fn given_name(&self, name: Span) -> &[u8] {
        name.of(&self.given)
    }

    /// Reads a record as this format. Whether it is of it; otherwise there are no fields.
    pub fn read(&mut self, record: &[u8], format: &'static dyn Format, head: &Head) -> bool {
        self.clear();
        let read = format.fields(record, head, self).is_ok();
        if read {
            self.layers.push(Layer { format, opened: None, fields: 0..self.list.len(), depth: 0 });
        } else {
            self.clear();
        }
        read
    }

    /// Reads a record as running text, which every record is.
    pub fn read_text(&mut self, record: &[u8]) {
        self.read(record, &Text, &Head::default());
    }

    /// Reads on what the fields hold, and what the fields of that hold, by the first format that knows it.
    pub fn open(&mut self, record: &[u8], head: &Head) {
        let mut content = Decoded::default();
        let mut at = 0;
        while at < self.list.len() && self.layers.len() < MAX_LAYERS {
            let field = self.list[at];
            at += 1;
            let depth = self.layers[field.layer].depth + 1;
            if field.opens == Opens::No || field.value.is_empty() || depth > MAX_DEPTH {
                continue;
            }
            let text = if field.escaped {
                content.clear();
                self.decode(record, &field, field.value, &mut content);
                content.bytes.as_slice()
            } else {
                field.value.of(record)
            };
            if let Some(format) = self.read_opened(field.opens, text, head) {
                let raw = |span: Span| match field.escaped {
                    true => content.raw(span),
                    false => span.shifted(field.value.start),
                };
                self.add_layer(at - 1, format, raw, depth);
            }
        }
    }

    /// Adds the fields of what a field holds, and tells the format; their spans are those of the text.
    fn read_opened(&mut self, opens: Opens, text: &[u8], head: &Head) -> Option<&'static dyn Format> {
        let mut read_by = |format: &'static dyn Format| self.read_inner(text, format, head).then_some(format);
        match opens {
            Opens::No => None,
            Opens::Json => read_by(&Json),
            Opens::Request => read_by(&Request),
            Opens::Query => read_by(&Query),
            Opens::Record => FORMATS.into_iter().find_map(read_by),
        }
    }

    fn read_inner(&mut self, text: &[u8], format: &'static dyn Format, head: &Head) -> bool {
        let (fields, given) = (self.list.len(), self.given.len());
        let read = format.fields(text, head, self).is_ok();
        if !read {
            self.list.truncate(fields);
            self.given.truncate(given);
        }
        read
    }

    fn add_layer(
        &mut self,
        opened: usize,
        format: &'static dyn Format,
        raw: impl Fn(Span) -> Span,
        depth: usize,
    ) {
        let first = self.layers.last().map_or(0, |last| last.fields.end);
        let layer = self.layers.len();
        let escaped = self.list[opened].escaped;
        for field in &mut self.list[first..] {
            field.value = raw(field.value);
            field.whole = raw(field.whole);
            field.escaped |= escaped;
            field.parent = field.parent.or(Some(opened));
            field.layer = layer;
        }
        self.layers.push(Layer { format, opened: Some(opened), fields: first..self.list.len(), depth });
    }

    /// What the record was seen as: its format, and for a wrapping the formats of what it holds.
    pub fn seen(&self) -> String {
        let mut seen = self.format().name().to_owned();
        let (mut at, mut rest) = (0, self.layers.iter().enumerate());
        while let Some((inner, layer)) =
            rest.find(|(_, layer)| layer.opened.is_some_and(|field| self.is_wrapping(field, at)))
        {
            seen = seen + " " + layer.format.name();
            at = inner;
        }
        seen
    }

    fn is_wrapping(&self, field: usize, layer: usize) -> bool {
        self.list[field].layer == layer && self.list[field].opens == Opens::Record
    }

    /// The format that read the record.
    pub fn format(&self) -> &'static dyn Format {
        self.layers.first().map_or(&Text, |layer| layer.format)
    }

    /// Whether what the field holds was read as a record of its own.
    pub fn is_opened(&self, field: usize) -> bool {
        self.layers.iter().any(|layer| layer.opened == Some(field))
    }

    /// Whether it is a header: names without values.
    pub fn is_header(&self) -> bool {
        self.list.len() > 1 && self.list[1..].iter().all(|field| field.role == Role::Name)
    }

    /// Whether the fields have names; running text and records that cannot be read have not.
    pub fn are_named(&self) -> bool {
        self.format().name() != Text.name()
    }

    /// The innermost field that holds the span. There is one: formats begin with a field that is the whole
    /// record.
    pub fn around(&self, span: Span) -> usize {
        let mut layer = &self.layers[0];
        loop {
            let fields = &self.list[layer.fields.clone()];
            let before = fields.partition_point(|field| field.whole.start <= span.start);
            let mut at = layer.fields.start + before.saturating_sub(1);
            while !self.list[at].whole.contains(span) || matches!(self.list[at].role, Role::Count) {
                match self.list[at].parent {
                    Some(parent) if Some(parent) != layer.opened => at = parent,
                    _ => return layer.opened.unwrap_or(layer.fields.start),
                }
            }
            match self.layers.iter().find(|inner| inner.opened == Some(at)) {
                Some(inner) => layer = inner,
                None => return at,
            }
        }
    }

    /// Appends a span of a field's content with the escapes of its format, and of those around it, undone. The
    /// spans of `out` count from the start of the record.
    pub fn decode(&self, record: &[u8], field: &Field, span: Span, out: &mut Decoded) {
        if !field.escaped {
            return out.push_verbatim(span.of(record), span.start);
        }
        let layer = &self.layers.get(field.layer);
        let format = layer.map_or(&Text as &dyn Format, |layer| layer.format);
        let outer = layer.and_then(|layer| layer.opened).map(|outer| &self.list[outer]);
        match outer.filter(|outer| outer.escaped) {
            None => format.decode(record, field, span, out),
            Some(outer) => {
                let (mut text, mut inner) = (Decoded::default(), Decoded::default());
                self.decode(record, outer, span, &mut text);
                format.decode(&text.bytes, field, Span::new(0, text.bytes.len()), &mut inner);
                inner.through(&text, out);
            }
        }
    }

    /// Appends `text` as it must be written inside the content of a field; `whole`: in place of the content.
    pub fn escape(&self, field: &Field, text: &[u8], whole: bool, out: &mut Vec<u8>) {
        let layer = &self.layers[field.layer];
        let Some(outer) = layer.opened else { return layer.format.escape(field, text, whole, out) };
        let mut inner = Vec::new();
        layer.format.escape(field, text, whole, &mut inner);
        self.escape(&self.list[outer], &inner, false, out);
    }

    /// Appends what has to stand before and after `text` where it takes the place of the whole field.
    pub fn quote(&self, field: &Field, text: &[u8], out: &mut Vec<u8>) {
        let layer = &self.layers[field.layer];
        let quote = layer.format.quote(field, text);
        match layer.opened {
            _ if quote.is_empty() => {}
            None => out.extend_from_slice(quote),
            Some(outer) => self.escape(&self.list[outer], quote, false, out),
        }
    }

    /// Appends, for each field of `gone` (places in the list, ascending), the span that goes and what takes its
    /// place, so that the record still parses without those fields. In the same order.
    pub fn remove(&self, gone: &[usize], out: &mut Vec<(Span, &'static [u8])>) {
        for gone in gone.chunk_by(|one, other| self.list[*one].layer == self.list[*other].layer) {
            let layer = &self.layers[self.list[gone[0]].layer];
            layer.format.remove(self, layer, gone, out);
        }
    }
}
