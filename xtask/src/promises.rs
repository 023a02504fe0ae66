//! What a release promised and today's tree does not keep.
//!
//! Programs that were compiled against a release go on with today's library: no function, type or number of the ABI
//! goes away or changes, while another `abi_version` promises nothing. Bindings that were generated from it work with
//! every operator of equal break: none goes away, its inputs, outputs and attributes stay as they are, and what it
//! gains raises its revision.

use std::fmt::Display;

use serde_json::Value;

/// Each broken promise, named; `released` and `today` have the form that [`crate::release`] writes.
pub fn broken(released: &Value, today: &Value) -> Vec<String> {
    let (old, new) = (&released["abi"], &today["abi"]);
    if old["abi_version"] != new["abi_version"] {
        return vec![];
    }
    let mut broken = Broken::default();
    for kind in ["functions", "callbacks", "constants", "types"] {
        for old in list(&old[kind]) {
            let name = text(&old["name"]);
            match list(&new[kind]).iter().find(|new| new["name"] == old["name"]) {
                None => broken.say(name, "is gone"),
                Some(new) => declaration(&mut broken, name, old, new),
            }
        }
    }
    for (kind, old) in released["schema"].as_object().into_iter().flatten() {
        for old in list(old) {
            registered(&mut broken, kind, old, list(&today["schema"][kind]));
        }
    }
    broken.0
}

#[derive(Default)]
struct Broken(Vec<String>);

impl Broken {
    fn say(&mut self, what: &str, wrong: impl Display) {
        self.0.push(format!("{what} {wrong}"));
    }

    /// The values of these keys are what they were; one that is absent stays so.
    fn same(&mut self, what: &str, keys: &[&str], old: &Value, new: &Value) {
        for key in keys.iter().filter(|key| old.get(key) != new.get(key)) {
            let show = |value: &Value| value.get(key).map_or("absent".to_string(), Value::to_string);
            self.say(what, format!("has changed: {key} was {}, is {}", show(old), show(new)));
        }
    }

    /// Two lists agree item by item in these keys; the new one is longer only if `grows`.
    fn items(&mut self, what: &str, item: &str, keys: &[&str], (old, new): (&Value, &Value), grows: bool) {
        let (old, new) = (list(old), list(new));
        if new.len() < old.len() || new.len() > old.len() && !grows {
            self.say(what, format!("has changed: {item}s were {}, are {}", old.len(), new.len()));
        }
        for (i, (old, new)) in old.iter().zip(new).enumerate() {
            self.same(&format!("{what}, {item} {}", i + 1), keys, old, new);
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A function, callback, constant or type. A struct that says its size may grow at its end.
fn declaration(broken: &mut Broken, name: &str, old: &Value, new: &Value) {
    broken.same(name, &["returns", "value", "type", "kind", "destructor"], old, new);
    let both = |key: &str| (&old[key], &new[key]);
    broken.items(name, "parameter", &["type", "ownership"], both("parameters"), false);
    let sized = list(&old["fields"]).first().is_some_and(|first| first["name"] == "struct_size");
    broken.items(name, "field", &["name", "type"], both("fields"), sized);
}

/// An operator, optimizer, metric… and the names under which it was found. Only operators have versions.
fn registered(broken: &mut Broken, kind: &str, old: &Value, today: &[Value]) {
    let name = text(&old["name"]);
    let what = format!("{name} of {kind}");
    let known = |new: &&Value, name: &Value| new["name"] == *name || list(&new["aliases"]).contains(name);
    let Some(new) = today.iter().find(|new| known(new, &old["name"])) else {
        return broken.say(&what, "is gone");
    };
    for alias in list(&old["aliases"]).iter().filter(|alias| !known(&new, alias)) {
        broken.say(&what, format!("has lost its name {}", text(alias)));
    }
    let version = |of: &Value| (of["version"][0].as_u64(), of["version"][1].as_u64());
    let ((old_break, old_revision), (new_break, new_revision)) = (version(old), version(new));
    if (new_break, new_revision) < (old_break, old_revision) {
        broken.say(&what, format!("has gone back: version was {}, is {}", old["version"], new["version"]));
    }
    if new_break > old_break {
        return;
    }
    broken.same(&what, &["outputs", "outputs_vary", "takes"], old, new);
    inputs(broken, &what, old, new);
    for dtype in list(&old["dtypes"]).iter().filter(|dtype| !list(&new["dtypes"]).contains(dtype)) {
        broken.say(&what, format!("no longer takes {}", text(dtype)));
    }
    attributes(broken, &what, old, new);
    let longer = |key: &str| list(&new[key]).len() > list(&old[key]).len();
    if old_revision.is_some() && old_revision == new_revision && (longer("attrs") || longer("inputs")) {
        broken.say(&what, format!("has more attributes or inputs in the same version {}", old["version"]));
    }
}

/// More inputs at the end must be optional.
fn inputs(broken: &mut Broken, what: &str, old: &Value, new: &Value) {
    let keys = ["name", "optional", "variadic", "mutated", "shape_only"];
    broken.items(what, "input", &keys, (&old["inputs"], &new["inputs"]), true);
    for added in list(&new["inputs"]).iter().skip(list(&old["inputs"]).len()) {
        if added["optional"] != true {
            broken.say(what, format!("has a new input {} that is not optional", text(&added["name"])));
        }
    }
}

/// Attributes are known by their numbers. New ones must have a default.
fn attributes(broken: &mut Broken, what: &str, old: &Value, new: &Value) {
    let (old, new) = (list(&old["attrs"]), list(&new["attrs"]));
    for old in old {
        let what = format!("{what}, attribute {}", text(&old["name"]));
        let Some(new) = new.iter().find(|new| new["id"] == old["id"]) else {
            broken.say(&what, "is gone");
            continue;
        };
        broken.same(&what, &["name", "type", "optional", "default"], old, new);
        for value in list(&old["values"]).iter().filter(|value| !list(&new["values"]).contains(value)) {
            broken.say(&what, format!("no longer takes '{}'", text(value)));
        }
        let bound = |of: &Value, side: usize| of["bounds"][side].as_f64();
        let narrower = |side, tighter: fn(f64, f64) -> bool| match (bound(old, side), bound(new, side)) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(old), Some(new)) => tighter(new, old),
        };
        if narrower(0, |new, old| new > old) || narrower(1, |new, old| new < old) {
            broken.say(&what, format!("takes less: bounds were {}, are {}", old["bounds"], new["bounds"]));
        }
    }
    for added in new.iter().filter(|new| !old.iter().any(|old| old["id"] == new["id"])) {
        if added.get("default").is_none() {
            broken.say(what, format!("has a new attribute {} without a default", text(&added["name"])));
        }
    }
}

#[cfg(test)]
#[path = "promises_tests.rs"]
mod tests;
