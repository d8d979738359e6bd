//! Any text as a rules file: refused with faults that can be shown, or loaded; and then what it resolves to
//! loads again as the same policy.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use logscrub::policy::Policy;
use logscrub::policy::check::check;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // Where the keys are is no part of what a policy resolves to.
    let keyring = Some(Path::new("keys"));
    match Policy::from_toml_with_keyring(text, "fuzz", None, keyring) {
        Err(faults) => assert!(!faults.to_string().is_empty()),
        Ok(policy) => {
            check(&policy);
            // Of a list only the number of its words is shown: they may be names.
            if !policy.lists.is_empty() {
                return;
            }
            let shown = policy.to_toml();
            let again = Policy::from_toml_with_keyring(&shown, "again", None, keyring)
                .unwrap_or_else(|faults| panic!("{faults}\nof\n{shown}\nof\n{text}"));
            assert_eq!(again.to_toml(), shown);
            assert_eq!(again.fingerprint, policy.fingerprint);
        }
    }
});
