//! Randomness from the operating system.

/// Draws bytes for secrets.
///
/// # Panics
/// When the operating system has no randomness to give: nothing that this server makes would be safe.
#[must_use]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}
