//! Field rules on XML, against what `roxmltree` reads.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use roxmltree::{Document, Node};

use super::acted::{acts, scrubbed};

const TAGS: [&str; 4] = ["System", "user", "Data", "x.y"];
const FIELDS: [&str; 6] =
    ["Event.user", "**.user", "Event.System", "Event.Data.ann", "**.id", "Event.System.Data"];
const TEXTS: [&str; 7] =
    ["x", "two words", "&lt;a&gt; &amp;amp;", "&#64;&#x40;", "<![CDATA[<b> & ]]>", "<!-- c -->", "été"];

/// An element as it is written.
fn element() -> impl Strategy<Value = String> {
    let attributes =
        (select(vec!["", " id='1'", " id=\"a&quot;b\"", "  Name = 'ann'", " Name=\"e&amp;f\" id='2'"]),);
    let start = (select(&TAGS[..]), attributes);
    let leaf =
        (start.clone(), select(&TEXTS[..]), any::<bool>()).prop_map(|((tag, (attributes,)), text, empty)| {
            if empty { format!("<{tag}{attributes}/>") } else { format!("<{tag}{attributes}>{text}</{tag}>") }
        });
    leaf.prop_recursive(4, 16, 4, move |inner| {
        let blank = select(vec!["", "  "]);
        (start.clone(), vec(inner, 0..4), blank).prop_map(|((tag, (attributes,)), children, blank)| {
            format!("<{tag}{attributes}>{blank}{}</{tag} >", children.join(blank))
        })
    })
}

/// What holds of the field of a node: it, or what it lies in, is named by a rule.
fn names(node: Node<'_, '_>) -> Vec<String> {
    let own = match node.attribute("Name").filter(|_| node.tag_name().name() == "Data") {
        Some(name) => name,
        None => node.tag_name().name(),
    };
    let mut names = node.parent_element().map_or_else(Vec::new, names);
    names.extend(own.to_lowercase().split('.').map(str::to_owned));
    names
}

fn is_meant(names: &[String], fields: &[&str]) -> bool {
    let matches = |names: &[String], field: &str| {
        let field = field.to_lowercase();
        match field.strip_prefix("**.") {
            Some(last) => names.last().is_some_and(|name| name == last),
            None => names.join("\n") == field.replace('.', "\n"),
        }
    };
    (1..=names.len()).any(|length| fields.iter().any(|field| matches(&names[..length], field)))
}

/// All texts and attributes: what they lie in, what they hold, whether a rule means them.
fn leaves(xml: &str, fields: &[&str]) -> Vec<(String, String, bool)> {
    let document = Document::parse(xml).unwrap_or_else(|fault| panic!("{fault}: {xml}"));
    let mut leaves = Vec::new();
    for node in document.root_element().descendants() {
        if node.is_element() {
            let own = names(node);
            for attribute in node.attributes() {
                let is_name = node.tag_name().name() == "Data" && attribute.name() == "Name";
                let path = [&own[..], &[attribute.name().to_lowercase()]].concat();
                let meant = !is_name && is_meant(&path, fields);
                leaves.push((path.join("."), attribute.value().to_owned(), meant));
            }
        } else if let Some(text) = node.text().filter(|text| !text.trim().is_empty()) {
            let own = node.parent_element().map_or_else(Vec::new, names);
            leaves.push((own.join("."), text.trim().to_owned(), is_meant(&own, fields)));
        }
    }
    leaves
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn field_rules_act_on_elements_and_attributes(
        children in vec(element(), 0..4),
        fields in subsequence(&FIELDS[..], 1..4),
        acts in acts(),
    ) {
        let record = format!("<?xml version='1.0'?><Event xmlns='urn:x'>{}</Event>", children.join(" "));
        let out = scrubbed(&record, &fields, acts);
        let before = leaves(&record, &fields).into_iter();
        match acts.1 {
            Some(left) => {
                // In CDATA there is no way to write an end of it.
                let held = |text: &str| text.replace('>', "_");
                let wanted: Vec<_> = before
                    .map(|(path, text, meant)| (path, held(if meant { left } else { &text }), meant))
                    .collect();
                let got: Vec<_> =
                    leaves(&out, &fields).into_iter().map(|(path, text, meant)| (path, held(&text), meant)).collect();
                prop_assert_eq!(got, wanted, "{} from {}", out, record);
            }
            None => {
                // A name goes with its element.
                let stays = |(path, _, meant): &(String, String, bool)| {
                    !meant && !is_meant(&path.split('.').map(str::to_owned).collect::<Vec<_>>(), &fields)
                };
                let wanted: Vec<_> = before.filter(stays).collect();
                prop_assert_eq!(leaves(&out, &fields), wanted, "{} from {}", out, record);
            }
        }
    }
}
