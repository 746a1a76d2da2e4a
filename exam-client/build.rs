//! Builds the browser apps, so that `cargo run` on a fresh clone serves them.

use std::error::Error;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, io};

/// What the bundle is made from. Not `node_modules`: its times change with every `npm ci`.
const SOURCES: &[&str] = &[
    "build.rs",
    ".npmrc",
    "package.json",
    "package-lock.json",
    "vite.config.ts",
    "svelte.config.js",
    "tsconfig.json",
    "shared",
    "candidate",
    "proctor",
    "centre",
];

/// The three pages, also needed by the placeholder.
const PAGES: &[&str] = &["candidate", "proctor", "centre"];

/// In `node_modules`: the lockfile it was installed from.
const STAMP: &str = ".installed-from";

fn main() -> ExitCode {
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
    }
    println!("cargo::rerun-if-env-changed=SKIP_WEB");
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error=the browser apps were not built: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env_value("CARGO_MANIFEST_DIR")?);
    let dist = PathBuf::from(env_value("OUT_DIR")?).join("dist");
    if env::var_os("SKIP_WEB").is_some_and(|value| value != "0") {
        println!(
            "cargo::warning=SKIP_WEB is set: the pages are placeholders, nobody can sit an exam in them"
        );
        return Ok(placeholder(&dist)?);
    }
    if !npm_answers(&root)? {
        if env_value("PROFILE")? == "release" {
            return Err(
                "npm was not found; install Node.js 20.19 or newer, or set SKIP_WEB=1 for placeholder pages"
                    .into(),
            );
        }
        println!(
            "cargo::warning=npm was not found: the pages are placeholders; install Node.js 20.19 or newer"
        );
        return Ok(placeholder(&dist)?);
    }
    install(&root)?;
    npm(npm_command(&root).args(["run", "--silent", "build"]).env("SYNAQ_DIST", &dist))
}

fn env_value(name: &str) -> Result<OsString, Box<dyn Error>> {
    env::var_os(name).ok_or_else(|| format!("{name} is not set; run this through cargo").into())
}

fn npm_command(root: &Path) -> Command {
    let mut command = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    command.current_dir(root);
    command
}

fn npm_answers(root: &Path) -> io::Result<bool> {
    match npm_command(root).arg("--version").output() {
        Ok(output) => Ok(output.status.success()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// `npm ci`, only when the lockfile is another than the one installed.
fn install(root: &Path) -> Result<(), Box<dyn Error>> {
    // Two builds into different target folders share one `node_modules`.
    let lock = File::create(env::temp_dir().join("synaq-exam-client-npm-ci.lock"))?;
    lock.lock()?;
    let stamp = root.join("node_modules").join(STAMP);
    let lockfile = fs::read(root.join("package-lock.json"))?;
    if fs::read(&stamp).is_ok_and(|installed| installed == lockfile) {
        return Ok(());
    }
    npm(npm_command(root).args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]))?;
    Ok(fs::write(stamp, lockfile)?)
}

fn npm(command: &mut Command) -> Result<(), Box<dyn Error>> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    eprint!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let args: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy()).collect();
    Err(format!("`npm {}` failed ({}); its output is above", args.join(" "), output.status).into())
}

fn placeholder(dist: &Path) -> io::Result<()> {
    for page in PAGES {
        fs::create_dir_all(dist.join(page))?;
        fs::write(
            dist.join(page).join("index.html"),
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Synaq</title>\
             <h1>Built without the browser apps</h1><p>Build again with Node.js installed and without SKIP_WEB.</p></html>",
        )?;
    }
    fs::write(dist.join("sw.js"), "// built without the browser apps\n")
}
