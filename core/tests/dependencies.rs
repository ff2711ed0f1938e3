//! The core stays pure: what it may depend on is written down here, with the reason.

#![allow(clippy::unwrap_used, missing_docs)]
#![expect(clippy::disallowed_types, reason = "asks cargo for the tree; the core itself starts nothing")]

use std::process::Command;

/// Each computes, and does nothing else: no I/O, no clock, no runtime.
const ALLOWED: [&str; 7] = [
    "argon2",                // hashes passwords
    "base64",                // writes digests and tokens as text
    "hmac",                  // derives refresh tokens
    "sha2",                  // digests secrets
    "thiserror",             // writes errors
    "unicode-normalization", // makes one address of its spellings
    "zeroize",               // wipes secrets
];

#[test]
fn the_core_depends_on_nothing_that_touches_the_world() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "-p", "cloudmeet-core", "--depth", "1", "-e", "normal", "--prefix", "none", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let tree = String::from_utf8(output.stdout).unwrap();
    let mut names: Vec<&str> = tree.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    names.sort_unstable();
    assert_eq!(names, ALLOWED, "{}", String::from_utf8_lossy(&output.stderr));
}
