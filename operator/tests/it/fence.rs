//! Nothing is written once somebody else may lead.

use std::time::Duration;

use cloudmeet_operator::fence::fenced;
use cloudmeet_operator::lease::Leadership;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, PostParams};

#[tokio::test]
async fn who_does_not_lead_writes_nothing() {
    // Nobody listens: whatever is sent fails by another error than ours.
    let config = kube::Config::new("http://127.0.0.1:9".parse().expect("an address"));
    let leadership = Leadership::default();
    let maps: Api<ConfigMap> = Api::namespaced(fenced(config, leadership.clone()).expect("a client"), "default");

    let refused = maps.create(&PostParams::default(), &ConfigMap::default()).await.expect_err("nobody leads");
    assert!(format!("{refused:?}").contains("Fenced"), "{refused:?}");
    let read = maps.get("a").await.expect_err("nobody listens");
    assert!(!format!("{read:?}").contains("Fenced"), "reading is for everybody: {read:?}");

    leadership.hold_for(Duration::from_secs(60));
    let sent = maps.create(&PostParams::default(), &ConfigMap::default()).await.expect_err("nobody listens");
    assert!(!format!("{sent:?}").contains("Fenced"), "{sent:?}");
}
