//! `claims`: what a policy says it meets.

use super::fault::{Faults, quoted, suggestion};
use super::inherit::Written;
use super::layer::Layer;
use super::{Policy, check};

/// A standard that can be claimed. What `rules check` would warn of and does not go with it is then refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Card numbers and what authenticates a payment.
    PciDss,
    /// Personal data.
    Gdpr,
    /// The method of removing identifiers, 45 CFR 164.514(b)(2).
    HipaaSafeHarbor,
}

impl Claim {
    const ALL: [Claim; 3] = [Claim::PciDss, Claim::Gdpr, Claim::HipaaSafeHarbor];

    /// The word of the rules file.
    pub fn name(self) -> &'static str {
        match self {
            Claim::PciDss => "pci-dss-4.0.1",
            Claim::Gdpr => "gdpr",
            Claim::HipaaSafeHarbor => "hipaa-safe-harbor",
        }
    }
}

/// Reads `claims` of the file that was named: those of files that it extends are about these files alone.
pub(super) fn read(root: &Layer, faults: &mut Faults) -> Vec<Claim> {
    let mut claims = Vec::new();
    for (name, span) in root.doc.root.texts("claims").filter(|(name, _)| !name.is_empty()) {
        let known = Claim::ALL.map(Claim::name);
        match Claim::ALL.into_iter().find(|claim| claim.name() == name) {
            Some(claim) => claims.push(claim),
            None => {
                let meant = suggestion(name, known);
                let meant = meant.map_or(String::new(), |meant| format!("did you mean `{meant}`? "));
                let fault = root.doc.fault(span, format!("no claim is called {}", quoted(name)));
                faults.push(fault.help(format!("{meant}known are: {}", known.join(", "))));
            }
        }
    }
    claims
}

/// Notes what does not go with the claims.
pub(super) fn hold(policy: &Policy, root: &Layer, written: &[Written<'_>], faults: &mut Faults) {
    if policy.claims.is_empty() || !faults.is_empty() {
        return; // a rule that is faulty is not there to be judged
    }
    for warning in check::check(policy) {
        let Some(claim) = policy.claims.iter().find(|claim| warning.claims.contains(claim)) else { continue };
        let rule = warning.rule.as_ref().and_then(|name| written.iter().find(|rule| rule.name == *name));
        let fault = match (rule, root.doc.root.get("claims")) {
            (Some(rule), _) => rule.layer.doc.fault(&rule.node.span, &warning.message),
            (None, Some(claims)) => root.doc.fault(&claims.span, &warning.message),
            (None, None) => continue,
        };
        faults.push(fault.help(&warning.help).help(format!("the policy claims `{}`", claim.name())));
    }
}
