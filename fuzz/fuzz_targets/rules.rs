//! Any text as a rules file: refused with faults that can be shown, or loaded; and then what it resolves to
//! loads again as the same policy.
#![no_main]

use libfuzzer_sys::fuzz_target;
use logscrub::policy::Policy;
use logscrub::policy::check::check;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Policy::from_toml(text, "fuzz", None) {
        Err(faults) => assert!(!faults.to_string().is_empty()),
        Ok(policy) => {
            check(&policy);
            let shown = policy.to_toml();
            let again = Policy::from_toml(&shown, "again", None)
                .unwrap_or_else(|faults| panic!("{faults}\nof\n{shown}\nof\n{text}"));
            assert_eq!(again.to_toml(), shown);
            assert_eq!(again.fingerprint, policy.fingerprint);
        }
    }
});
