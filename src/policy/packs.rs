//! The rules files that are built into the program.

/// Name and text of each pack.
pub const PACKS: &[(&str, &str)] = &[
    ("default", include_str!("../../rules/packs/default.toml")),
    ("access-log", include_str!("../../rules/packs/access-log.toml")),
    ("gdpr", include_str!("../../rules/packs/gdpr.toml")),
    ("pci-dss", include_str!("../../rules/packs/pci-dss.toml")),
    ("hipaa", include_str!("../../rules/packs/hipaa.toml")),
];

/// Kind and data of each built-in detector.
pub const DETECTORS: &[(&str, &str)] = &[
    ("email", include_str!("../../rules/detectors/contact/email.toml")),
    ("pan", include_str!("../../rules/detectors/finance/pan.toml")),
    ("ipv4", include_str!("../../rules/detectors/network/ipv4.toml")),
    ("ipv6", include_str!("../../rules/detectors/network/ipv6.toml")),
    ("private_key", include_str!("../../rules/detectors/secret/private_key.toml")),
    ("jwt", include_str!("../../rules/detectors/secret/jwt.toml")),
    ("basic_auth", include_str!("../../rules/detectors/secret/basic_auth.toml")),
    ("bearer", include_str!("../../rules/detectors/secret/bearer.toml")),
];

/// The text of a pack.
pub fn text(name: &str) -> Option<&'static str> {
    PACKS.iter().find(|(pack, _)| *pack == name).map(|(_, text)| *text)
}

/// Whether a reference means a pack and not a file: it has neither a `/` nor the ending `.toml`.
pub fn is_pack_name(reference: &str) -> bool {
    !reference.contains('/') && !reference.ends_with(".toml")
}
