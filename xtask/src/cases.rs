//! The conformance cases as lines of words, for runners in languages without a JSON reader.
//!
//! `tests/conformance/cases/*.json` and the attributes' ids of `schema/ops.json` become one file:
//!
//! ```text
//! operator NAME
//! case NAME
//! dtypes COUNT CODE…            the dtypes that it runs with
//! settings TRAINING TOLERANCE PRECISION
//! attr ID FORM VALUE…           bool, int, float, string, no_value; ints, floats, strings after their COUNT
//! input CODE NDIM SIZE… VALUE…  CODE is -1 for the dtype that the case runs with
//! error NAME
//! output NDIM SIZE… VALUE…
//! gradient NDIM SIZE… VALUE…
//! state INPUT NDIM SIZE… VALUE…
//! end
//! ```
//!
//! In texts, bytes other than letters, digits and `_` are `%` and two hexadecimal digits; `%` alone is no text.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::bail;
use crate::error::{Context, Result};
use crate::{data, paths};

/// Dtypes by name, with their codes in the C ABI.
const DTYPES: [(&str, i32); 9] = [
    ("float64", 1),
    ("float32", 0),
    ("float16", 2),
    ("bfloat16", 12),
    ("int64", 6),
    ("int32", 4),
    ("int8", 5),
    ("uint8", 3),
    ("bool", 7),
];

/// Stands for `None` inside a list of integers, as in the C ABI.
const NO_INT: i64 = i64::MIN;

/// Writes the cases of every operator of the schema, and returns the file's path.
pub fn write() -> Result<PathBuf> {
    let schema = data::json(Path::new("schema/ops.json"))?;
    let mut text = String::new();
    for operator in schema["operators"].as_array().context(|| "schema/ops.json lists no operators")? {
        let name = operator["name"].as_str().context(|| "an operator has no name")?;
        let file = Path::new("tests/conformance/cases").join(format!("{name}.json"));
        let _ = writeln!(text, "operator {}", word(name));
        // An operator without cases fails in the runner.
        let cases = if paths::root().join(&file).exists() { data::json(&file)? } else { Value::Null };
        for case in cases["cases"].as_array().into_iter().flatten() {
            case_lines(&mut text, operator, case).context(|| format!("the cases of {name}"))?;
        }
    }
    let folder = paths::target().join("conformance");
    fs::create_dir_all(&folder).context(|| format!("creating {}", folder.display()))?;
    let path = folder.join("cases.txt");
    fs::write(&path, text).context(|| format!("writing {}", path.display()))?;
    Ok(path)
}

fn case_lines(text: &mut String, operator: &Value, case: &Value) -> Result {
    let precision = if case["computed_in"] == "float32" { "1e-5" } else { "1e-10" };
    let _ = writeln!(text, "case {}", word(case["name"].as_str().unwrap_or_default()));
    let dtypes = dtypes(operator, case)?;
    let codes: String = dtypes.iter().map(|code| format!(" {code}")).collect();
    let _ = writeln!(text, "dtypes {}{codes}", dtypes.len());
    let training = i32::from(case["training"] == true);
    let _ = writeln!(text, "settings {training} {} {precision}", case["tolerance"]);
    for (name, value) in case["attrs"].as_object().into_iter().flatten() {
        attr_line(text, operator, name, value)?;
    }
    for input in list(&case["inputs"]) {
        let own = input["dtype"].as_str().map(code).transpose()?.unwrap_or(-1);
        let _ = writeln!(text, "input {own} {}", tensor(input)?);
    }
    if let Some(error) = case["error"].as_str() {
        let _ = writeln!(text, "error {error}");
    }
    for output in list(&case["outputs"]) {
        let _ = writeln!(text, "output {}", tensor(output)?);
    }
    for gradient in list(&case["gradients"]) {
        let _ = writeln!(text, "gradient {}", tensor(gradient)?);
    }
    for (index, state) in case["states"].as_object().into_iter().flatten() {
        let _ = writeln!(text, "state {index} {}", tensor(state)?);
    }
    text.push_str("end\n");
    Ok(())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn code(dtype: &str) -> Result<i32> {
    let found = DTYPES.iter().find(|(name, _)| *name == dtype);
    found.map(|(_, code)| *code).context(|| format!("there is no dtype `{dtype}`"))
}

/// The dtypes that a case runs with, as codes: those of its kind that the operator claims.
fn dtypes(operator: &Value, case: &Value) -> Result<Vec<i32>> {
    if case["error"].is_string() {
        return Ok(vec![code("float32")?]);
    }
    let kinds: &[&str] = match case["run"].as_str() {
        Some("float") => &["float64", "float32", "float16", "bfloat16"],
        Some("int") => &["int64", "int32", "int8", "uint8"],
        Some("bool") => &["bool"],
        _ => {
            let input = list(&case["inputs"]).first().and_then(|input| input["dtype"].as_str());
            let own = case["attrs"]["dtype"].as_str().filter(|name| code(name).is_ok()).or(input);
            return Ok(vec![code(own.unwrap_or("float32"))?]);
        }
    };
    let claimed = data::strings(&operator["dtypes"]);
    claimed.into_iter().filter(|name| kinds.contains(name)).map(code).collect()
}

fn attr_line(text: &mut String, operator: &Value, name: &str, value: &Value) -> Result {
    let attr = list(&operator["attrs"]).iter().find(|attr| attr["name"] == name);
    // An attribute that there is not has an id that there is not.
    let id = attr.map_or(u64::from(u32::MAX), |attr| attr["id"].as_u64().unwrap_or_default());
    let kind = attr.and_then(|attr| attr["type"].as_str()).unwrap_or_default();
    let _ = writeln!(text, "attr {id} {}", attr_value(kind, value)?);
    Ok(())
}

/// The form of a value and the value: what the value is decides, and the attribute's type where that is not enough.
fn attr_value(kind: &str, value: &Value) -> Result<String> {
    Ok(match value {
        Value::Null => "no_value".to_string(),
        Value::Bool(value) => format!("bool {}", i32::from(*value)),
        Value::Number(value) if kind != "float" && value.is_i64() => format!("int {value}"),
        Value::Number(value) => format!("float {value}"),
        Value::String(value) => format!("string {}", word(value)),
        Value::Array(values) if kind == "strings" || values.iter().any(Value::is_string) => {
            let words: Vec<_> = values.iter().map(|v| word(v.as_str().unwrap_or_default())).collect();
            joined("strings", &words)
        }
        Value::Array(values) if kind == "floats" || values.iter().any(Value::is_f64) => {
            joined("floats", &values.iter().map(Value::to_string).collect::<Vec<_>>())
        }
        Value::Array(values) => {
            let ints = values.iter().map(|v| v.as_i64().unwrap_or(NO_INT).to_string());
            joined("ints", &ints.collect::<Vec<_>>())
        }
        Value::Object(_) => bail!("no attribute has the value {value}"),
    })
}

fn joined(form: &str, words: &[String]) -> String {
    let words: String = words.iter().map(|word| format!(" {word}")).collect();
    format!("{form} {}", words.split_whitespace().count()) + &words
}

/// Number of axes, sizes and elements of an array.
fn tensor(array: &Value) -> Result<String> {
    let shape = list(&array["shape"]);
    let mut out = shape.len().to_string();
    for value in shape.iter().chain(list(&array["data"])) {
        match value {
            Value::Number(number) => write!(out, " {number}"),
            Value::String(special) => write!(out, " {special}"),
            // JSON has no word for it; a sample's NaN is written so.
            Value::Null => write!(out, " nan"),
            _ => bail!("an array holds {value}"),
        }
        .context(|| "writing to a string")?;
    }
    Ok(out)
}

/// A text as one word.
fn word(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => out.push(byte.into()),
            _ => drop(write!(out, "%{byte:02x}")),
        }
    }
    if out.is_empty() { "%".to_string() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lines(operator: &Value, case: &Value) -> String {
        let mut text = String::new();
        case_lines(&mut text, operator, case).unwrap();
        text
    }

    #[test]
    fn a_case_becomes_lines_of_words() {
        let operator = json!({"dtypes": ["float32", "int32"], "attrs": [
            {"id": 3, "name": "axis", "type": "shape"}, {"id": 4, "name": "scale", "type": "float"}]});
        let case = json!({"name": "a row", "run": "float", "training": true, "tolerance": 2.0,
            "computed_in": "float64", "attrs": {"axis": [0, 1], "scale": 2},
            "inputs": [{"shape": [2], "dtype": null, "data": [1, 0.5]}],
            "outputs": [{"shape": [], "dtype": null, "data": ["nan"]}]});
        assert_eq!(
            lines(&operator, &case),
            "case a%20row\ndtypes 1 0\nsettings 1 2.0 1e-10\nattr 3 ints 2 0 1\nattr 4 float 2\n\
             input -1 1 2 1 0.5\noutput 0 nan\nend\n"
        );
    }

    #[test]
    fn values_are_written_in_the_form_they_have() {
        let form = |kind, value: Value| attr_value(kind, &value).unwrap();
        assert_eq!(form("float", json!("x")), "string x");
        assert_eq!(form("int", json!(-1)), "int -1");
        assert_eq!(form("optional ints", json!([null, 2])), format!("ints 2 {NO_INT} 2"));
        assert_eq!(form("floats", json!([])), "floats 0");
        assert_eq!(form("strings", json!(["a b", ""])), "strings 2 a%20b %");
        assert_eq!(
            (form("int", json!(null)), form("bool", json!(true))),
            ("no_value".into(), "bool 1".into())
        );
    }

    #[test]
    fn an_error_runs_once_and_a_fixed_dtype_alone() {
        let operator = json!({"dtypes": ["float64", "float32", "int8"]});
        let dtypes = |case: Value| dtypes(&operator, &case).unwrap();
        assert_eq!(dtypes(json!({"run": "float", "error": "Shape"})), [0]);
        assert_eq!(dtypes(json!({"run": "as given", "attrs": {"dtype": "float16"}, "inputs": []})), [2]);
        assert_eq!(dtypes(json!({"run": "as given", "attrs": {}, "inputs": [{"dtype": "bool"}]})), [7]);
        assert_eq!(dtypes(json!({"run": "int"})), [5]);
        assert_eq!(dtypes(json!({"run": "float"})), [1, 0]);
    }
}
