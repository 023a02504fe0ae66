//! Running other programs: quietly, for their output, or watched against a deadline.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::bail;
use crate::error::{Context, Result};
use crate::paths;

/// The cargo that runs this program.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs to the end with our own terminal; an exit status other than 0 is an error.
pub fn run(command: &mut Command) -> Result {
    let line = describe(command);
    let status = command.status().context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// Runs to the end and returns what it wrote to its standard output.
pub fn capture(command: &mut Command) -> Result<String> {
    let line = describe(command);
    let output = command.stderr(Stdio::inherit()).output().context(|| format!("cannot start `{line}`"))?;
    if !output.status.success() {
        bail!("`{line}` failed ({})", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// How a watched program ended.
pub struct Finished {
    /// It exited with status 0.
    pub success: bool,
    /// All that it wrote, both streams together.
    pub text: String,
}

/// Runs with the output shown and kept; past `deadline` the program and its descendants are killed, which is an error.
pub fn watch(command: &mut Command, deadline: Instant) -> Result<Finished> {
    let line = describe(command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().context(|| format!("cannot start `{line}`"))?;
    let text = Arc::new(Mutex::new(String::new()));
    let out = child.stdout.take().map(|stream| tee(stream, std::io::stdout(), &text));
    let err = child.stderr.take().map(|stream| tee(stream, std::io::stderr(), &text));
    let status = loop {
        if let Some(status) = child.try_wait().context(|| format!("waiting for `{line}`"))? {
            break status;
        }
        if Instant::now() >= deadline {
            kill_tree(&mut child);
            bail!("`{line}` ran past its deadline and was killed");
        }
        thread::sleep(Duration::from_millis(20));
    };
    for reader in [out, err].into_iter().flatten() {
        let _ = reader.join();
    }
    let text = std::mem::take(&mut *text.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
    Ok(Finished { success: status.success(), text })
}

/// Copies a stream line by line to `show` and to the end of `keep`.
fn tee(
    stream: impl Read + Send + 'static,
    mut show: impl Write + Send + 'static,
    keep: &Arc<Mutex<String>>,
) -> thread::JoinHandle<()> {
    let keep = Arc::clone(keep);
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while matches!(stream.read_until(b'\n', &mut line), Ok(n) if n > 0) {
            let _ = show.write_all(&line).and_then(|()| show.flush());
            keep.lock().unwrap_or_else(|p| p.into_inner()).push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    })
}

/// Kills a process and all that it started.
fn kill_tree(child: &mut Child) {
    let mut doomed = vec![child.id()];
    let mut next = 0;
    while next < doomed.len() {
        doomed.extend(children(doomed[next]));
        next += 1;
    }
    let list: String = doomed.iter().map(|id| format!(" {id}")).collect();
    let _ = Command::new("sh").args(["-c", &format!("kill -9{list}")]).stderr(Stdio::null()).status();
    let _ = child.wait();
}

/// The processes that every thread of `id` has started; none where the system has no `/proc`.
fn children(id: u32) -> Vec<u32> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{id}/task")) else { return Vec::new() };
    tasks
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// The command as one would type it in the root of the repository.
pub fn describe(command: &Command) -> String {
    let mut line = short(command.get_program().to_string_lossy().as_ref());
    for arg in command.get_args() {
        line.push(' ');
        line.push_str(&arg.to_string_lossy());
    }
    line.replace(&format!("{}/", paths::root().display()), "")
}

fn short(program: &str) -> String {
    program.rsplit('/').next().unwrap_or(program).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_watched_program_returns_both_streams_and_its_success() {
        let done = watch(&mut sh("echo one; echo two >&2; exit 3"), Instant::now() + Duration::from_secs(60));
        let done = done.unwrap();
        assert!(!done.success);
        assert!(done.text.contains("one\n") && done.text.contains("two\n"));
    }

    #[test]
    fn a_program_past_its_deadline_is_killed_with_its_children() {
        let start = Instant::now();
        let error = watch(&mut sh("sleep 60 & wait"), start + Duration::from_millis(200)).err().unwrap();
        assert!(error.to_string().contains("deadline"), "{error}");
        assert!(start.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_failed_program_is_named_with_its_arguments() {
        let error = run(&mut sh("exit 7")).unwrap_err().to_string();
        assert!(error.contains("`sh -c exit 7`") && error.contains('7'), "{error}");
        assert_eq!(capture(&mut sh("echo hello")).unwrap(), "hello\n");
    }
}
