//! Ladders: what a step makes of what the steps before it left.
//!
//! The law: to carry the steps out one after another, each on what is left, is to carry [`effective`] out once on the
//! value. So it does not matter how often and when a log was scrubbed on its way.

use super::residue::Residues;
use super::trace::{Trace, What};
use super::{Action, Hash, Of, Part, Tools, Truncate};
use crate::kind::Kind;

/// Whether a step may follow another, or why not.
///
/// # Errors
/// The reason, for people.
pub fn is_legal(from: &Action, to: &Action) -> Result<(), &'static str> {
    match (from, to) {
        (Action::Keep, _) => Ok(()),
        (Action::Drop | Action::DropRecord, _) => Err("nothing is left to act on"),
        (_, Action::Drop | Action::DropRecord) => Ok(()),
        (Action::Redact { .. }, _) => Err("what is redacted has nothing left to lose"),
        (_, Action::Redact { .. }) => Ok(()),
        (_, Action::Keep) => Err("what is gone does not come back"),
        (Action::Encrypt, Action::Hash(_)) => Ok(()),
        (Action::Truncate(from), Action::Hash(to)) if !from.pseudonymise => match to.keep {
            None => Ok(()),
            Some(_) => Err("of what is truncated already a hash keeps no part"),
        },
        (Action::Hash(hash), Action::Truncate(to)) => hash_to_truncate(hash.keep, to),
        (Action::Truncate(from), Action::Truncate(to)) => truncate_to_truncate(from, to),
        (Action::Mask, _) => Err("a mask can only be redacted or dropped"),
        (Action::Encrypt, _) => Err("what is encrypted can be hashed, redacted or dropped"),
        (Action::Hash(_), _) => {
            Err("a pseudonym can be truncated to the part that it keeps, redacted or dropped")
        }
        (Action::Truncate(_), _) => {
            Err("what is truncated can be truncated further, hashed, redacted or dropped")
        }
        (Action::Withhold, _) => Err("what is withheld stays so"),
    }
}

fn hash_to_truncate(kept: Option<Part>, to: &Truncate) -> Result<(), &'static str> {
    match kept {
        _ if to.pseudonymise => Err("a pseudonym cannot become another"),
        None => Err("a pseudonym that keeps no part has nothing to truncate to"),
        Some(Part::Domain) if to.email_domain => Ok(()),
        Some(Part::Domain) => Err("the pseudonym keeps the domain, and the truncation does not"),
        Some(Part::Network { ipv4, ipv6 }) if to.ipv4 <= ipv4 && to.ipv6 <= ipv6 => Ok(()),
        Some(Part::Network { .. }) => {
            Err("the pseudonym keeps fewer bits than the truncation: write as many, or fewer")
        }
    }
}

fn truncate_to_truncate(from: &Truncate, to: &Truncate) -> Result<(), &'static str> {
    let narrower = to.ipv4 <= from.ipv4
        && to.ipv6 <= from.ipv6
        && to.pan >= from.pan
        && to.email_domain <= from.email_domain
        && to.zip <= from.zip
        && to.time_unit().is_none_or(|to| from.time_unit().is_some_and(|from| to >= from));
    match narrower {
        _ if from.pseudonymise || to.pseudonymise => {
            Err("an address in place of an address can be redacted or dropped")
        }
        true => Ok(()),
        false => Err("a later step leaves no more than the one before it"),
    }
}

/// The one action that does to a value what these steps do one after another; `keep` for none. Each must be allowed to
/// follow the one before it.
pub fn effective(steps: &[Action]) -> Action {
    steps.iter().fold(Action::Keep, |before, step| match (before, step) {
        (Action::Encrypt, Action::Hash(hash)) => Action::Hash(Hash { of: Of::Encrypted, ..*hash }),
        (Action::Truncate(keep), Action::Hash(hash)) => {
            Action::Hash(Hash { of: Of::Truncated(keep), ..*hash })
        }
        (Action::Hash(hash), Action::Truncate(keep)) => {
            Action::Truncate(Truncate { only: hash.keep, ..*keep })
        }
        (Action::Truncate(before), Action::Truncate(keep)) => {
            Action::Truncate(Truncate { only: before.only, ..*keep })
        }
        (_, step) => step.clone(),
    })
}

/// What the action of the step that holds makes of what an earlier step left, the residue being all of `residue`.
///
/// `false` if it stays: it is none, no step of `earlier` leaves such a one, or the action does not act on it. Nothing is
/// appended then. Truncated addresses are values like any other, on which [`effective`] acts.
pub fn advance(
    action: &Action,
    earlier: &[Action],
    kind: Kind,
    residue: &[u8],
    tools: Tools<'_>,
    residues: &Residues,
    out: &mut Vec<u8>,
) -> bool {
    let trace = Trace::read(residue, kind, residues);
    let trace = trace.filter(|trace| earlier.iter().any(|step| trace.may_be_left_by(step)));
    trace.is_some_and(|trace| trace.advance(action, earlier, tools, out))
}

/// Whether the text, all of it, is what this very action leaves of some value, so that it has nothing left to do: where a
/// rule covers a whole field, also where [`Residues::is`] does not know it, as with `[email]@example.org`.
pub fn is_left_by(action: &Action, text: &[u8], tools: Tools<'_>, residues: &Residues) -> bool {
    let trace = Trace::read(text, Kind::PAN, residues);
    let Some(trace) = trace.filter(|trace| trace.may_be_left_by(action)) else { return false };
    let (Action::Truncate(_), What::Domain(_) | What::Card(_)) = (action, &trace.left) else {
        return !matches!(&trace.left, What::WithDomain(domain) if !is_host(domain));
    };
    let stays = !trace.advance(action, &[], tools, &mut Vec::new());
    stays && !matches!(&trace.left, What::Domain(domain) if !is_host(domain))
}

/// Whether what stands behind the bracket can be a domain: whoever fills a field must not keep words there.
fn is_host(domain: &[u8]) -> bool {
    let is_written = |byte: &u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(byte) || !byte.is_ascii()
    };
    domain.contains(&b'.') && domain.iter().skip(1).all(is_written)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::action::apply;
    use crate::action::hash::HashKey;
    use crate::action::keys::Keys;
    use crate::action::{DateKeep, PanKeep, TimeKeep};
    use crate::kind::Kinds;
    use proptest::prelude::*;
    use proptest::sample::select;

    use crate::span::Span;

    /// A field whose values are postal codes, and one of no kind that anything knows.
    fn kinds() -> (Kinds, Kind, Kind) {
        let mut kinds = Kinds::default();
        let (zip, user) = (kinds.intern("zip"), kinds.intern("user_id"));
        (kinds, zip, user)
    }

    fn value() -> impl Strategy<Value = (Kind, String)> {
        let (_, zip, user) = kinds();
        prop_oneof![
            "[a-zA-Z0-9.+_-]{1,12}@([a-zA-Z0-9-]{1,8}\\.){1,3}[a-zA-Z]{2,5}"
                .prop_map(|text| (Kind::EMAIL, text)),
            Just((Kind::EMAIL, "ana@[192.0.2.1]".to_owned())),
            "[a-z]{1000,1030}@example\\.org".prop_map(|text| (Kind::EMAIL, text)),
            any::<u32>().prop_map(|bits| (Kind::IPV4, std::net::Ipv4Addr::from_bits(bits).to_string())),
            (any::<u128>(), 0_u32..128).prop_map(|(bits, zeros)| {
                let bits = bits.checked_shl(zeros).unwrap_or(0);
                (Kind::IPV6, std::net::Ipv6Addr::from_bits(bits).to_string().to_uppercase())
            }),
            (any::<u32>(), select(&["2002:{}::1", "64:ff9b::{}", "2001:0:{}:0:8000:63bf:3fff:fdd2"][..]))
                .prop_map(|(bits, form)| {
                    let halves = format!("{:x}:{:x}", bits >> 16, bits & 0xffff);
                    (Kind::IPV6, form.replace("{}", &halves))
                }),
            "[1-9]([0-9][ -]?){10,17}[0-9]".prop_map(|text| (Kind::PAN, text)),
            "[0-9]{3,5}(-[0-9]{4})?|[A-Z][A-Z0-9]{2} [0-9][A-Z]{2}|0[35]6[0-9]{2}"
                .prop_map(move |text| (zip, text)),
            "[a-z0-9 /]{1,20}".prop_map(move |text| (user, text)),
            "x{1020,1030}".prop_map(move |text| (user, text)),
        ]
    }

    fn truncation() -> impl Strategy<Value = Truncate> {
        let pan = select(&[PanKeep::First6Last4, PanKeep::Last4][..]);
        let zip = proptest::option::of(0_u8..=5);
        let date = proptest::option::of(select(&[DateKeep::Month, DateKeep::Year][..]));
        let time = proptest::option::of(select(&[TimeKeep::Minute, TimeKeep::Hour, TimeKeep::Day][..]));
        let bits = (select(&[0_u8, 8, 16, 20, 24, 32][..]), select(&[0_u8, 20, 32, 48, 56, 100, 128][..]));
        (bits, pan, any::<bool>(), zip, date, time, proptest::bool::weighted(0.1)).prop_map(
            |((ipv4, ipv6), pan, email_domain, zip, date, time, pseudonymise)| Truncate {
                ipv4,
                ipv6,
                pan,
                email_domain,
                zip,
                date,
                time,
                pseudonymise,
                only: None,
            },
        )
    }

    fn action() -> impl Strategy<Value = Action> {
        let network = (select(&[8_u8, 24, 32][..]), select(&[32_u8, 48, 100, 128][..]));
        let part = prop_oneof![
            Just(None),
            Just(Some(Part::Domain)),
            network.prop_map(|(ipv4, ipv6)| Some(Part::Network { ipv4, ipv6 })),
        ];
        let hash = (part, any::<bool>());
        prop_oneof![
            1 => Just(Action::Keep),
            2 => Just(Action::Encrypt),
            4 => hash.prop_map(|(keep, forever)| Action::Hash(Hash { keep, forever, of: Of::Value })),
            6 => truncation().prop_map(Action::Truncate),
            1 => Just(Action::Mask),
            1 => Just(Action::Redact { with: None }),
            1 => Just(Action::Redact { with: Some("***".to_owned()) }),
            1 => Just(Action::Drop),
        ]
    }

    /// Some legal ladder: of these actions those that may follow what was chosen of them before.
    fn ladder() -> impl Strategy<Value = Vec<Action>> {
        proptest::collection::vec(action(), 1..12).prop_map(|actions| {
            let mut steps: Vec<Action> = Vec::new();
            for action in actions {
                if steps.last().is_none_or(|last| is_legal(last, &action).is_ok()) {
                    steps.push(action);
                }
            }
            steps
        })
    }

    struct World {
        kinds: Kinds,
        keys: Keys,
        residues: Residues,
    }

    impl World {
        fn new() -> World {
            let kinds = kinds().0;
            let keys = Keys::one(HashKey::new(&[7; 32]));
            let residues = Residues::new(kinds.clone(), Some(keys.clone()));
            World { kinds, keys, residues }
        }

        fn tools(&self) -> Tools<'_> {
            Tools { kinds: &self.kinds, keys: Some(&self.keys), period: Some(0) }
        }

        fn apply(&self, action: &Action, kind: Kind, value: &[u8]) -> Vec<u8> {
            let mut out = Vec::new();
            apply(action, kind, value, value, self.tools(), &mut out);
            out
        }

        /// What the last of these steps leaves of what the others left.
        fn step(&self, steps: &[Action], kind: Kind, left: &[u8]) -> Vec<u8> {
            let (_, earlier) = steps.split_last().unwrap();
            let mut out = Vec::new();
            if advance(&effective(steps), earlier, kind, left, self.tools(), &self.residues, &mut out) {
                return out;
            }
            if Trace::read(left, kind, &self.residues).is_some() {
                return left.to_vec();
            }
            self.apply(&effective(steps), kind, left)
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn step_by_step_leaves_what_the_effective_action_leaves_at_once((kind, value) in value(), steps in ladder()) {
            let world = World::new();
            let mut left = value.clone().into_bytes();
            for last in 1..=steps.len() {
                left = world.step(&steps[..last], kind, &left);
                let at_once = world.apply(&effective(&steps[..last]), kind, value.as_bytes());
                prop_assert_eq!(String::from_utf8_lossy(&left), String::from_utf8_lossy(&at_once), "{:?}", &steps[..last]);
                // A second run of the same step changes nothing.
                let again = world.step(&steps[..last], kind, &left);
                prop_assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(&left), "{:?}", &steps[..last]);
            }
        }

        #[test]
        fn steps_that_no_run_fell_into_are_made_up_for((kind, value) in value(), steps in ladder(), visited: u16) {
            let world = World::new();
            let mut left = value.clone().into_bytes();
            for last in (1..=steps.len()).filter(|last| *last == steps.len() || visited >> last & 1 == 1) {
                let before = left.clone();
                left = world.step(&steps[..last], kind, &left);
                let at_once = world.apply(&effective(&steps[..last]), kind, value.as_bytes());
                // Of what kept no part although it ought to, nobody can tell from which of two hashes it is.
                let is_either = before == left && matches!(effective(&steps[..last]), Action::Hash(Hash { of: Of::Truncated(keep), .. }) if keep.only.is_some());
                if is_either && matches!(Trace::read(&left, kind, &world.residues), Some(Trace { left: What::Pseudonym, .. })) {
                    return Ok(());
                }
                prop_assert_eq!(String::from_utf8_lossy(&left), String::from_utf8_lossy(&at_once), "{:?} by {:b}", &steps[..last], visited);
            }
        }

        #[test]
        fn what_needs_a_mark_is_recognised_and_nothing_less((kind, value) in value(), action in action(), cut in any::<prop::sample::Index>()) {
            let world = World::new();
            let left = world.apply(&action, kind, value.as_bytes());
            let Some((_, span)) = world.residues.read(&left, 0) else {
                let needs_none = matches!(
                    action,
                    Action::Keep | Action::Mask | Action::Truncate(_) | Action::Redact { with: Some(_) }
                );
                prop_assert!(needs_none, "{}", String::from_utf8_lossy(&left));
                return Ok(());
            };
            prop_assert!(span.end == left.len() || kind == Kind::EMAIL && left[span.end] == b'@');
            // From wherever one looks at it, with whatever stands around.
            let text = [&b"abc [x["[..], &left[..span.end], b"] abc"].concat();
            let place = 8 + cut.index(span.len() - 1);
            prop_assert!(world.residues.runs_across(&text, place));
            prop_assert!(world.residues.touches(&text, Span::new(place, place + 1)));
            prop_assert!(!world.residues.touches(&text, Span::new(0, 7)));
            prop_assert!(!world.residues.runs_across(&text, 7) && !world.residues.runs_across(&text, 7 + span.len()));
            prop_assert!(world.residues.at(&left[..place - 7], 0).is_none());
        }

        #[test]
        fn any_bytes_can_be_looked_at(bytes: Vec<u8>, text in "(\\[|email|ipv4|[:~#@/\\]]|withheld| bytes|[0-9a-z]{1,26}){0,20}") {
            let world = World::new();
            for hay in [&bytes[..], text.as_bytes()] {
                for at in 0..=hay.len() {
                    if let Some((_, span)) = world.residues.read(hay, at) {
                        prop_assert!(span.start == at && hay[at] == b'[' && hay[span.end - 1] == b']');
                        prop_assert!(world.residues.is(span.of(hay)));
                    }
                    world.residues.runs_across(hay, at);
                }
                Trace::read(hay, Kind::PAN, &world.residues);
            }
        }
    }

    #[test]
    fn steps_that_would_bring_something_back_are_refused() {
        let hash = |keep| Action::Hash(Hash { keep, ..Hash::default() });
        let cut =
            |ipv4, email_domain| Action::Truncate(Truncate { ipv4, email_domain, ..Truncate::default() });
        let redact = Action::Redact { with: None };
        let network = Some(Part::Network { ipv4: 24, ipv6: 48 });
        let legal = [
            (&Action::Keep, &Action::Encrypt),
            (&Action::Encrypt, &hash(Some(Part::Domain))),
            (&hash(Some(Part::Domain)), &cut(24, true)),
            (&hash(network), &cut(16, true)),
            (&cut(24, true), &cut(24, false)),
            (&cut(24, true), &hash(None)),
            (&Action::Mask, &redact),
            (&redact, &Action::Drop),
        ];
        for (from, to) in legal {
            assert_eq!(is_legal(from, to), Ok(()), "{from:?} {to:?}");
        }
        let refused = [
            (&Action::Drop, &Action::DropRecord),
            (&Action::Encrypt, &Action::Keep),
            (&Action::Encrypt, &cut(24, true)),
            (&hash(None), &cut(24, true)),
            (&hash(None), &hash(None)),
            (&hash(network), &cut(32, true)),
            (&hash(Some(Part::Domain)), &cut(24, false)),
            (&cut(16, true), &cut(24, true)),
            (&cut(16, true), &hash(network)),
            (&cut(16, true), &Action::Mask),
            (&Action::Mask, &hash(None)),
            (&redact, &redact),
            (&redact, &Action::Mask),
            (&Action::Drop, &redact),
            (&Action::DropRecord, &Action::Drop),
        ];
        for (from, to) in refused {
            assert!(is_legal(from, to).is_err(), "{from:?} {to:?}");
        }
    }

    #[test]
    fn what_no_earlier_step_leaves_stays() {
        let world = World::new();
        let token = world.apply(&Action::Encrypt, Kind::EMAIL, b"ana@example.com");
        let redact = Action::Redact { with: None };
        let mut out = Vec::new();
        let mut advanced = |earlier: &[Action], text: &[u8]| {
            advance(&redact, earlier, Kind::EMAIL, text, world.tools(), &world.residues, &mut out)
        };
        assert!(advanced(&[Action::Encrypt], &token));
        assert!(!advanced(&[Action::Hash(Hash::default())], &token));
        assert!(!advanced(&[Action::Encrypt], b"[email]"), "it is what is asked for");
        assert!(!advanced(&[Action::Encrypt], b"[]"));
        assert!(!advanced(&[Action::Encrypt], b"ana@example.com"));
    }

    /// A token is a pseudonym as well, and a later hash is that of the value.
    #[test]
    fn a_token_goes_over_into_the_pseudonym_of_its_value() {
        let world = World::new();
        let hash = Action::Hash(Hash { keep: Some(Part::Domain), ..Hash::default() });
        let token = world.apply(&Action::Encrypt, Kind::EMAIL, b"ana@EXAMPLE.com");
        let left = world.step(&[Action::Encrypt, hash.clone()], Kind::EMAIL, &token);
        assert_eq!(left, world.apply(&hash, Kind::EMAIL, b"ana@example.com"));
        assert!(left.ends_with(b"]@example.com"));
    }

    #[test]
    fn what_an_action_left_of_a_whole_field_is_known_again() {
        let world = World::new();
        let keep = |keep| Action::Hash(Hash { keep, ..Hash::default() });
        let cut = |pan| Action::Truncate(Truncate { pan, ..Truncate::default() });
        let (first, last) = (cut(PanKeep::First6Last4), cut(PanKeep::Last4));
        let is_left = |action: &Action, text: &[u8]| is_left_by(action, text, world.tools(), &world.residues);
        for (action, kind, value) in [
            (&first, Kind::EMAIL, "ana@Example.org"),
            (&first, Kind::PAN, "4111 1111 1111 1111"),
            (&last, Kind::PAN, "4111111111111111"),
            (&keep(Some(Part::Domain)), Kind::EMAIL, "ana@example.org"),
            (&keep(Some(Part::Network { ipv4: 24, ipv6: 48 })), Kind::IPV4, "203.0.113.9"),
            (&keep(None), Kind::IPV4, "203.0.113.9"),
            (&Action::Encrypt, Kind::IPV4, "203.0.113.9"),
        ] {
            let left = world.apply(action, kind, value.as_bytes());
            assert!(is_left(action, &left), "{}", String::from_utf8_lossy(&left));
            assert!(!is_left(action, value.as_bytes()) && !is_left(&Action::Mask, &left));
        }
        assert!(!is_left(&last, b"411111******1111"));
        assert!(!is_left(&first, b"[email]@her name is ana.smith"));
        assert!(!is_left(&first, b"[email]@secret"));
    }
}
