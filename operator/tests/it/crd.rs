//! The definition of the resource.

use cloudmeet_operator::resource::Room;
use kube::CustomResourceExt as _;
use serde_json::Value;

fn schema() -> Value {
    let crd = serde_json::to_value(Room::crd()).expect("JSON");
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
}

/// Calls with each schema of the tree, and where it is.
fn walk(path: &str, schema: &Value, see: &mut impl FnMut(&str, &Value)) {
    see(path, schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        walk(&format!("{path}.{name}"), property, see);
    }
    if let Some(items) = schema.get("items") {
        walk(&format!("{path}[]"), items, see);
    }
}

#[test]
fn every_field_is_described() {
    let mut bare = Vec::new();
    walk("", &schema(), &mut |path, schema| {
        if !path.ends_with("[]") && schema.get("description").is_none() {
            bare.push(path.to_owned());
        }
    });
    assert!(bare.is_empty(), "kubectl explain says nothing of {bare:?}");
}

#[test]
fn every_rule_says_what_to_do() {
    let mut rules = 0;
    walk("", &schema(), &mut |path, schema| {
        for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
            rules += 1;
            assert!(rule["message"].as_str().is_some_and(|message| message.len() > 10), "{path}: {rule}");
        }
    });
    assert!(rules >= 9, "{rules}");
}

#[test]
fn what_a_user_writes_is_bounded() {
    walk("", &schema()["properties"]["spec"], &mut |path, schema| {
        let is_free = schema["type"] == "string" && schema.get("enum").is_none() && schema.get("format").is_none();
        assert!(!is_free || schema.get("maxLength").is_some(), "{path} may be of any length");
        assert!(schema["type"] != "array" || schema.get("maxItems").is_some(), "{path} may have any number");
    });
}

#[test]
fn there_is_a_status_and_no_scale() {
    let crd = serde_json::to_value(Room::crd()).expect("JSON");
    let subresources = &crd["spec"]["versions"][0]["subresources"];
    assert!(subresources.get("status").is_some() && subresources.get("scale").is_none(), "{subresources}");
}
