//! The stages that compile and run the C and C++ programs of `capi/tests` against libmxr.
//!
//! Each `*.c` (strict C11) and `*.cpp` (C++17) there is a program of its own that ends with the line
//! `N passed, N failed`. One more, of calls with NULL, is made from `schema/abi.json`. Each runs in the folder of the
//! programs, and its arguments are the file of conformance cases and, if only one operator is to be tested, its name.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bail;
use crate::count::Count;
use crate::error::{Context, Result};
use crate::stage::Job;
use crate::{cases, elf, nulls, paths, process};

const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-Werror", "-pedantic"];

/// The small programs need no fast kernels, and instrumented ones take long to compile.
const LIGHTLY: &str = "profile.dev.package.\"*\".opt-level = 1";

/// The programs on a libmxr of the development profile.
pub fn test(job: &Job) -> Result<Count> {
    job.must(&mut job.cargo(&["build", "-p", "mxr-capi"]))?;
    let build = Build {
        library: paths::target().join("debug"),
        out: paths::target().join("capi-tests"),
        runtime: None,
    };
    build.all(job)
}

/// The programs on a libmxr that AddressSanitizer instruments, in a build folder of its own.
pub fn sanitize(job: &Job) -> Result<Count> {
    let host = host()?;
    let target = paths::target().join("sanitizer");
    let mut cargo =
        job.cargo(&["build", "-p", "mxr-capi", "--target", &host, "--config", LIGHTLY, "--target-dir"]);
    cargo.arg(&target).env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", "-Zsanitizer=address");
    job.must(&mut cargo)?;
    let library = target.join(&host).join("debug");
    Build { library, out: target.join("capi-tests"), runtime: Some(runtime(&host)?) }.all(job)
}

/// Where and how the programs are built.
struct Build {
    /// The folder of libmxr.so.
    library: PathBuf,
    /// The folder for the programs.
    out: PathBuf,
    /// The sanitizer's run time, linked whole into each program; instrumented libraries find it there.
    runtime: Option<PathBuf>,
}

impl Build {
    fn all(&self, job: &Job) -> Result<Count> {
        fs::create_dir_all(&self.out).context(|| format!("creating {}", self.out.display()))?;
        link_soname(&self.library, &self.out)?;
        let folder = paths::root().join("capi/tests");
        let mut sources: Vec<PathBuf> = fs::read_dir(&folder)
            .context(|| "reading capi/tests")?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|kind| kind == "c" || kind == "cpp"))
            .collect();
        sources.push(nulls::write(&self.out)?);
        if job.operator.is_some() {
            sources.retain(|path| path.ends_with("conformance.c"));
        }
        sources.sort();
        let cases = cases::write()?;
        let mut sum = Count::default();
        for source in &sources {
            sum += self.one(job, source, &cases).unwrap_or_else(|error| {
                println!("error: {error}");
                Count::one(false)
            });
        }
        Ok(sum)
    }

    fn one(&self, job: &Job, source: &Path, cases: &Path) -> Result<Count> {
        let name = source.file_name().context(|| "a test without a name")?;
        let program = self.out.join(name).with_extension(if is_cpp(source) { "cpp.out" } else { "c.out" });
        job.must(&mut self.compile(job, source, &program))?;
        let mut run = job.command(&program);
        run.arg(cases).args(&job.operator).current_dir(&self.out);
        run.env("LD_LIBRARY_PATH", &self.out).env("MXR_CHECK", "1");
        // An allocation that cannot be had is for the library to report, with the sanitizer as without.
        run.env("ASAN_OPTIONS", "allocator_may_return_null=1");
        let done = job.watch(&mut run)?;
        let count = Count::from_plain(&done.text);
        let count =
            count.context(|| format!("{} did not print `N passed, N failed`", name.to_string_lossy()))?;
        Ok(count.settled(done.success))
    }

    fn compile(&self, job: &Job, source: &Path, program: &Path) -> Command {
        let root = paths::root();
        let (compiler, standard) = if is_cpp(source) { ("c++", "-std=c++17") } else { ("cc", "-std=c11") };
        let mut command = job.command(compiler);
        command.arg(standard).args(WARNINGS).args(["-g", "-O1"]);
        command.arg("-I").arg(root.join("include")).arg("-I").arg(root.join("capi/tests"));
        command.arg(format!("-DMXR_SOURCE_DIR=\"{}\"", root.display()));
        command.arg(source).arg("-o").arg(program);
        command.arg("-L").arg(&self.library).arg("-lmxr");
        if let Some(runtime) = &self.runtime {
            command.arg("-Wl,--whole-archive").arg(runtime).arg("-Wl,--no-whole-archive");
            command.args(["-rdynamic", "-ldl", "-lrt"]);
        }
        command.args(["-pthread", "-lm"]);
        command
    }
}

/// Gives the library in a folder its run-time name beside programs in another.
pub fn link_soname(library: &Path, out: &Path) -> Result {
    let library = library.join("libmxr.so");
    let bytes = fs::read(&library).context(|| format!("reading {}", paths::show(&library)))?;
    let name = elf::soname(&bytes)?.unwrap_or_else(|| "libmxr.so".to_string());
    let link = out.join(name);
    let _ = fs::remove_file(&link);
    std::os::unix::fs::symlink(&library, &link).context(|| format!("linking {}", paths::show(&link)))
}

fn is_cpp(source: &Path) -> bool {
    source.extension().is_some_and(|kind| kind == "cpp")
}

/// This machine's target triple.
pub fn host() -> Result<String> {
    let version = process::capture(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_string).context(|| "`rustc -vV` names no host")
}

/// AddressSanitizer's run time, which comes with the Rust tool chain.
fn runtime(host: &str) -> Result<PathBuf> {
    let sysroot = process::capture(Command::new("rustc").args(["--print", "sysroot"]))?;
    let folder = Path::new(sysroot.trim()).join("lib/rustlib").join(host).join("lib");
    let entries = fs::read_dir(&folder).context(|| format!("reading {}", folder.display()))?;
    let found = entries.flatten().map(|entry| entry.path()).find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("librustc") && name.ends_with("_rt.asan.a")
    });
    let Some(found) = found else {
        bail!("this Rust tool chain has no AddressSanitizer run time in {}", folder.display());
    };
    Ok(found)
}
