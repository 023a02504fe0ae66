//! Gives the fuzzer's seeds and finds to the readers, whole and cut short: no panic, and no more memory than
//! the bound allows. docs/fuzzing.md tells more.

#[path = "../../fuzz/src/memory.rs"]
mod memory;
#[path = "../../fuzz/src/readers.rs"]
mod readers;

use std::path::{Path, PathBuf};

#[global_allocator]
static COUNTING: memory::Counting = memory::Counting;

/// Runs a reader on each file of these folders of `tests`, and on what is left of it when its end is missing.
fn replay(folders: &[&str], read: fn(&[u8])) {
    for folder in folders {
        let folder = tests().join(folder);
        let mut files = 0;
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            println!("{}", path.display());
            read(&bytes);
            for len in (0..bytes.len()).step_by(1 + bytes.len() / 64) {
                read(&bytes[..len]);
            }
            files += 1;
        }
        assert!(files > 0, "{} is empty", folder.display());
    }
}

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests")
}

#[test]
fn lists_of_arrays_are_read_or_refused() {
    replay(&["fuzz/corpus/ndarray_list", "conformance/formats"], readers::ndarray_list);
}

#[test]
fn records_are_read_or_refused() {
    replay(&["conformance/recordio"], readers::recordio);
}

#[test]
fn graphs_are_read_or_refused() {
    replay(&["fuzz/corpus/symbol_json", "conformance/graphs/files"], readers::symbol_json);
}

#[test]
fn a_large_text_of_small_values_takes_little_more_memory_than_its_size() {
    const N: usize = 200_000;
    let node = r#"{"op":"null","name":"","inputs":[]}"#;
    let nodes = vec![node; N].join(",");
    let texts = [
        format!(r#"{{"nodes":[{}0]}}"#, "0,".repeat(N)),
        format!(r#"{{"nodes":[{node}],"heads":[],"arg_nodes":[{}0]}}"#, "0,".repeat(N)),
        format!(r#"{{"nodes":[{node}],"heads":[{}[0,0]],"arg_nodes":[]}}"#, "[0,0],".repeat(N)),
        format!(r#"{{"nodes":[{nodes}],"heads":[],"arg_nodes":[]}}"#),
        format!(r#"{{"nodes":[],"heads":[],"arg_nodes":[],"more":[{}[]]}}"#, "[],".repeat(N)),
    ];
    for text in texts {
        readers::symbol_json(text.as_bytes());
    }
}

#[test]
fn models_are_read_or_refused() {
    replay(&["fuzz/corpus/model"], readers::model);
}

#[test]
#[should_panic(expected = "bytes were held for an input of 10")]
fn the_bound_on_memory_is_watched() {
    memory::bounded(10, || Vec::<u8>::with_capacity(100 << 20));
}

#[test]
fn the_corpus_is_small() {
    let mut total = 0;
    for target in ["ndarray_list", "symbol_json", "model"] {
        let folder = tests().join("fuzz/corpus").join(target);
        total +=
            std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).sum::<u64>();
    }
    assert!(total < 200_000, "{total} bytes");
}
