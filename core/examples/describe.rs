//! Prints what the generators and the oracle read: `describe schema` or `describe samples`.

use mxr_core::op::{registry, schema};

fn main() {
    let value = match std::env::args().nth(1).as_deref() {
        Some("schema") => schema::document(registry()),
        Some("samples") => schema::samples(registry()),
        _ => {
            eprintln!("usage: describe schema|samples");
            std::process::exit(2);
        }
    };
    println!("{}", serde_json::to_string_pretty(&value).expect("JSON can be written"));
}
