//! Tests of the operator's decisions; what it says to a real cluster is tried in `tests/kubernetes`.

mod crd;
mod fence;
mod plan;
mod requests;
mod world;
