//! A little chance, so that not everybody comes at once.

use std::time::Duration;

/// Gives a duration between nine and eleven tenths of another.
#[must_use]
pub fn jittered(duration: Duration) -> Duration {
    let mut bytes = [0; 2];
    // Without chance they come at once; that is not worth an error.
    let _ = getrandom::fill(&mut bytes);
    let fraction = f64::from(u16::from_le_bytes(bytes)) / f64::from(u16::MAX);
    duration.mul_f64(0.2f64.mul_add(fraction, 0.9))
}
