//! The CPU level that the networks are tested on.

use avizor_kernels::Level;

/// What `AVIZOR_CPU` names, otherwise the machine's best: run once a level, the tests cover all that a machine has.
pub(crate) fn level() -> Level {
    match std::env::var("AVIZOR_CPU") {
        Ok(name) => name.parse().unwrap_or_else(|error| panic!("AVIZOR_CPU: {error}")),
        Err(_) => Level::best(),
    }
}
