//! The command as a user runs it, on checkpoints and lists that MXNet 1.9.1 wrote.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn formats(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance/formats").join(name)
}

/// A folder of one test with MXNet's checkpoint in it, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("mxr-cli-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        for (from, to) in [("model-symbol.json", "net-symbol.json"), ("model-0000.params", "net-0007.params")]
        {
            std::fs::copy(formats(from), path.join(to)).unwrap();
        }
        Folder(path)
    }

    fn mxr(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_mxr")).args(args).current_dir(&self.0).output().unwrap()
    }

    /// Runs the command, which succeeds, and gives what it prints.
    fn good(&self, args: &[&str]) -> String {
        let done = self.mxr(args);
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
        assert!(done.stderr.is_empty());
        String::from_utf8(done.stdout).unwrap()
    }

    /// Runs the command, which ends with `code`, and gives the message.
    fn bad(&self, code: i32, args: &[&str]) -> String {
        let done = self.mxr(args);
        assert_eq!(done.status.code(), Some(code), "{args:?}");
        assert!(done.stdout.is_empty());
        String::from_utf8(done.stderr).unwrap()
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.0.join(name)).unwrap()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.0.join(name), bytes).unwrap();
    }

    fn has(&self, name: &str) -> bool {
        self.0.join(name).exists()
    }

    /// Number of files, hidden ones as well.
    fn count(&self) -> usize {
        std::fs::read_dir(&self.0).unwrap().count()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_checkpoint_becomes_one_file_and_comes_back_byte_for_byte() {
    let f = Folder::new("checkpoint");
    let text = f.good(&["convert", "net-0007.params", "net.safetensors"]);
    assert_eq!(text, "wrote net.safetensors\ninputs, which have no parameter: data, softmax_label\n");
    assert_eq!(
        f.good(&["convert", "net.safetensors", "back-0007.params"]).lines().next().unwrap(),
        "wrote back-symbol.json and back-0007.params"
    );
    assert_eq!(f.read("back-symbol.json"), f.read("net-symbol.json"));
    assert_eq!(f.read("back-0007.params"), f.read("net-0007.params"));
}

#[test]
fn either_file_of_a_checkpoint_or_both_are_its_source() {
    let f = Folder::new("either");
    f.good(&["convert", "net-0007.params", "a.safetensors"]);
    f.good(&["convert", "net-symbol.json", "b.safetensors"]);
    std::fs::rename(f.0.join("net-symbol.json"), f.0.join("graph.json")).unwrap();
    std::fs::rename(f.0.join("net-0007.params"), f.0.join("weights")).unwrap();
    f.good(&["convert", "graph.json", "weights", "c.safetensors"]);
    f.good(&["convert", "weights", "graph.json", "d.safetensors"]);
    for name in ["b", "c", "d"] {
        assert_eq!(f.read("a.safetensors"), f.read(&format!("{name}.safetensors")), "{name}");
    }
}

#[test]
fn of_several_epochs_one_must_be_named() {
    let f = Folder::new("epochs");
    std::fs::copy(f.0.join("net-0007.params"), f.0.join("net-0012.params")).unwrap();
    let message = f.bad(1, &["convert", "net-symbol.json", "a.safetensors"]);
    assert!(message.contains("net-0007.params, net-0012.params"), "{message}");
    f.good(&["convert", "net-0012.params", "a.safetensors"]);
}

#[test]
fn lists_of_arrays_go_to_safetensors_and_back_with_and_without_names() {
    let f = Folder::new("lists");
    for name in ["dict", "list"] {
        std::fs::copy(formats(&format!("{name}.params")), f.0.join("a.params")).unwrap();
        f.good(&["convert", "--force", "a.params", "a.safetensors"]);
        f.good(&["convert", "--force", "a.safetensors", "b.nd"]);
        f.good(&["convert", "--force", "b.nd", "b.safetensors"]);
        assert_eq!(f.read("a.safetensors"), f.read("b.safetensors"), "{name}");
    }
    assert_eq!(f.read("b.nd"), f.read("a.params"));
}

#[test]
fn old_lists_are_renewed_and_sparse_ones_kept() {
    let f = Folder::new("renew");
    for name in ["row_sparse", "csr"] {
        std::fs::copy(formats(&format!("{name}.params")), f.0.join("a.params")).unwrap();
        f.good(&["convert", "--force", "a.params", "b.params"]);
        assert_eq!(f.read("b.params"), f.read("a.params"), "{name}");
    }
    std::fs::copy(formats("v1.params"), f.0.join("a.params")).unwrap();
    f.good(&["convert", "--force", "a.params", "b.params"]);
    assert_ne!(f.read("b.params"), f.read("a.params"));
    assert_eq!(
        f.good(&["inspect", "b.params"]).split_once(": ").unwrap().1.lines().last(),
        f.good(&["inspect", "a.params"]).split_once(": ").unwrap().1.lines().last()
    );
}

#[test]
fn sparse_arrays_become_dense_in_safetensors_and_that_is_said() {
    let f = Folder::new("sparse");
    std::fs::copy(formats("csr.params"), f.0.join("csr.params")).unwrap();
    let text = f.good(&["convert", "csr.params", "csr.safetensors"]);
    assert_eq!(text, "wrote csr.safetensors\nsparse arrays that became dense ones: 1\n");
    assert!(f.good(&["inspect", "csr.safetensors"]).contains("  0  float32  (3, 3)  36 bytes\n"));
}

#[test]
fn nothing_is_replaced_without_force() {
    let f = Folder::new("force");
    f.write("net.safetensors", b"mine");
    let message = f.bad(1, &["convert", "net-0007.params", "net.safetensors"]);
    assert_eq!(message, "mxr: net.safetensors exists: --force replaces it\n");
    assert_eq!(f.read("net.safetensors"), b"mine");
    f.good(&["convert", "--force", "net-0007.params", "net.safetensors"]);
    // One of the two files of a checkpoint is enough.
    f.write("other-symbol.json", b"mine");
    f.bad(1, &["convert", "net.safetensors", "other-0000.params"]);
    assert!(!f.has("other-0000.params"));
    // A file may be its own target.
    f.good(&["convert", "-f", "net.safetensors", "net.safetensors"]);
}

#[test]
fn a_full_disk_leaves_the_old_file_and_no_other() {
    let f = Folder::new("full");
    f.write("net.safetensors", b"old");
    let before = f.count();
    let limited = r#"trap '' XFSZ; ulimit -f 1; exec "$0" convert --force net-0007.params net.safetensors"#;
    let done = Command::new("sh")
        .args(["-c", limited, env!("CARGO_BIN_EXE_mxr")])
        .current_dir(&f.0)
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(1));
    let message = String::from_utf8(done.stderr).unwrap();
    assert!(message.starts_with("mxr: cannot write 'net.safetensors': "), "{message}");
    assert_eq!(f.read("net.safetensors"), b"old");
    assert_eq!(f.count(), before);
}

#[test]
fn a_model_is_shown_with_its_graph_inputs_and_arrays() {
    let f = Folder::new("inspect");
    f.good(&["convert", "net-0007.params", "net.safetensors"]);
    let size = f.read("net.safetensors").len() as f64 / 1000.0;
    let text = f.good(&["inspect", "net.safetensors"]);
    let expected = format!(
        "\
net.safetensors: mxr's model file, version 1, {size:.1} kB
graph: 5 operators, 10 variables
  Activation      1
  BatchNorm       1
  Convolution     1
  FullyConnected  1
  SoftmaxOutput   1
inputs: 2
  data           float32  any shape
  softmax_label  float32  any shape  label
outputs: 1
  softmax_output
arrays: 8, 203 elements, 812 bytes
"
    );
    assert!(text.starts_with(&expected), "{text}");
    assert!(text.contains("\n  arg:conv_weight     float32  (4, 2, 3, 3)  288 bytes\n"), "{text}");
}

#[test]
fn graphs_and_lists_are_shown_as_well() {
    let f = Folder::new("inspect-others");
    let graph = f.good(&["inspect", "net-symbol.json"]);
    assert!(graph.starts_with("net-symbol.json: MXNet's graph, 2.4 kB\ngraph: 5 operators"), "{graph}");
    assert!(graph.contains("auxiliary states: 2\n  bn_moving_mean\n"), "{graph}");
    let sparse = f.good(&["inspect", formats("csr.params").to_str().unwrap()]);
    assert!(
        sparse.contains(": MXNet's list of arrays, 224 bytes\narrays: 2, 11 elements, 76 bytes"),
        "{sparse}"
    );
    assert!(sparse.contains("  0  float32  (3, 3)  68 bytes  Csr\n"), "{sparse}");
}

#[test]
fn names_in_a_file_cannot_command_the_terminal() {
    let f = Folder::new("escape");
    let evil = "\u{1b}[2J\u{202e}name";
    let header = format!(
        r#"{{"__metadata__":{{"k":"{0}"}},"{0}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}}}"#,
        r"\u001b[2J\u202ename"
    );
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    f.write("evil.safetensors", &file);
    let text = f.good(&["inspect", "evil.safetensors"]);
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    assert_eq!(text.matches(r"\u{1b}[2J\u{202e}name").count(), 2, "{text}");
    f.write("evil-symbol.json", f.read("net-symbol.json").as_slice());
    let graph =
        String::from_utf8(f.read("net-symbol.json")).unwrap().replace("\"BatchNorm\"", &format!("{evil:?}"));
    f.write(
        "evil-symbol.json",
        graph.replace(r"\u{1b}", r"\u001b").replace(r"\u{202e}", r"\u202e").as_bytes(),
    );
    let message = f.bad(1, &["inspect", "evil-symbol.json"]);
    assert!(!message.contains(['\u{1b}', '\u{202e}']), "{message:?}");
}

#[test]
fn what_cannot_be_done_is_said_and_ends_with_1() {
    let f = Folder::new("cannot");
    f.write("foreign.bin", b"PK\x03\x04 and so on");
    f.write("short.params", &f.read("net-0007.params")[..100]);
    let whole = {
        f.good(&["convert", "net-0007.params", "net.safetensors"]);
        f.read("net.safetensors")
    };
    f.write("short.safetensors", &whole[..whole.len() - 1]);
    std::fs::copy(formats("list.params"), f.0.join("list.params")).unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&["inspect", "none.params"], "mxr: cannot read 'none.params': No such file"),
        (&["inspect", "foreign.bin"], "mxr: foreign.bin: neither a safetensors file"),
        (&["inspect", "short.params"], "mxr: short.params: array 0 of 8: "),
        (&["inspect", "short.safetensors"], "mxr: argument 'arg:fc_bias': short.safetensors: "),
        (&["inspect", "."], "mxr: .: neither"),
        (&["convert", "list.params", "l-symbol.json"], "mxr: l-symbol.json: list.params holds no graph"),
        (&["convert", "list.params", "net-0007.params", "l.safetensors"], "mxr: two sources: expected"),
    ];
    for (args, begin) in cases {
        let message = f.bad(1, args);
        assert!(message.starts_with(begin), "{args:?}: {message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
    std::fs::remove_file(f.0.join("net-0007.params")).unwrap();
    let message = f.bad(1, &["convert", "net-symbol.json", "a.safetensors"]);
    assert!(message.contains("there is no net-0000.params beside it"), "{message}");
}

#[test]
fn what_is_asked_wrongly_ends_with_2() {
    let f = Folder::new("usage");
    let cases: &[(&[&str], &str)] = &[
        (&[], "expected a command"),
        (&["show"], "there is no command show"),
        (&["inspect"], "inspect: expected a file"),
        (&["inspect", "--force", "x"], "inspect has no option --force"),
        (&["convert", "net-0007.params"], "convert: expected a source and a target"),
        (&["convert", "net-0007.params", "net.h5"], "net.h5: the name tells no format"),
        (&["convert", "net-0007.params", "net.params"], "net.params: a model takes two files"),
        (
            &["convert", "a", "b", "c", "d.safetensors"],
            "expected one source or the two of a checkpoint, got 3",
        ),
    ];
    for (args, begin) in cases {
        let message = f.bad(2, args);
        assert!(message.starts_with(&format!("mxr: {begin}")), "{args:?}: {message}");
        assert!(message.ends_with("; see mxr --help\n"), "{message}");
    }
}

#[test]
fn help_and_version_are_told() {
    let f = Folder::new("help");
    assert!(f.good(&["--help"]).contains("mxr convert [--force] SOURCE… TARGET"));
    assert_eq!(f.good(&["convert", "--help"]), f.good(&["--help"]));
    assert_eq!(f.good(&["--version"]), format!("mxr {}\n", env!("CARGO_PKG_VERSION")));
    f.write("--force.params", &std::fs::read(formats("list.params")).unwrap());
    assert!(f.good(&["inspect", "--", "--force.params"]).starts_with("--force.params: MXNet's list"));
}
