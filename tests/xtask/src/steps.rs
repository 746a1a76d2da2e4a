//! The steps of `cargo xtask test`, in their order. All of cargo's run in one target directory with one set of
//! features (`--workspace --all-targets`), so that nothing is built twice.

use crate::command::{Tally, check, program, tests};
use crate::{needs, workspace};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, thread};

/// One step.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) run: fn(&Place) -> Result<Tally, String>,
}

/// Where the steps run.
pub(crate) struct Place {
    root: PathBuf,
    target: PathBuf,
    /// Only browser tests whose name holds this
    browser_name: Option<String>,
    /// What `cargo xtask rig` was told
    pub(crate) rig_options: Vec<String>,
}

/// Needed by every test that starts a foreign program.
pub(crate) const NEEDS: Step =
    Step { name: "needs", what: "programs the tests use", run: |place| needs::provide(&place.root) };
/// Needed by the browser tests as well.
pub(crate) const BUILD: Step =
    Step { name: "build", what: "every target of the workspace, browser apps included", run: build };
/// Whole exams.
pub(crate) const BROWSER: Step =
    Step { name: "browser", what: "whole exams in Chromium and Firefox", run: browser };

/// Every fault, as the binary of a user meets it; its short selection runs with the Rust tests.
pub(crate) const RIG: Step = Step { name: "rig", what: "the fault matrix on the real binary", run: rig };

/// All steps.
pub(crate) const ALL: &[Step] = &[
    NEEDS,
    Step { name: "fmt", what: "formatting", run: fmt },
    BUILD,
    Step { name: "clippy", what: "lints, warnings are errors", run: clippy },
    Step { name: "rust", what: "Rust tests", run: rust },
    Step { name: "types", what: "generated TypeScript types are up to date", run: types },
    Step { name: "front", what: "browser apps: types, reducers, size", run: front },
    Step { name: "media", what: "media service against Chromium, aiortc, coturn and ffmpeg", run: media },
    BROWSER,
];

impl Place {
    /// The workspace and its target folder.
    pub(crate) fn find(browser_name: Option<String>) -> Self {
        let root = workspace();
        let target =
            env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |name| root.join(name));
        Self { root, target, browser_name, rig_options: Vec::new() }
    }

    fn cargo(&self) -> Command {
        let mut command = program(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), &self.root);
        command.env("CARGO_TARGET_DIR", &self.target);
        command
    }

    fn browser_folder(&self) -> PathBuf {
        self.root.join("tests/browser")
    }

    /// Node with what the browser tests need to find.
    fn node(&self) -> Result<Command, String> {
        let folder = self.browser_folder();
        check(program("npm", &folder).args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]))?;
        let missing = |what: &str| format!("{what} is missing; `cargo xtask test --only needs` installs it");
        let chromium = needs::chromium().ok_or_else(|| missing("Chromium"))?;
        let firefox = needs::firefox().ok_or_else(|| missing("Firefox"))?;
        let mut command = program("node", &folder);
        command
            .env("CHROMIUM", chromium)
            .env("FIREFOX", firefox)
            .env("RCLONE", needs::RCLONE.program("rclone")?)
            .env("PLAYWRIGHT_FROM", &folder)
            .env("SYNAQ_BIN", self.debug_binary("synaq")?);
        Ok(command)
    }

    fn debug_binary(&self, path: &str) -> Result<PathBuf, String> {
        let file = self.target.join("debug").join(path).with_extension(env::consts::EXE_EXTENSION);
        if file.is_file() {
            Ok(file)
        } else {
            Err(format!("{} is missing; `cargo xtask test --only build` makes it", file.display()))
        }
    }
}

fn fmt(place: &Place) -> Result<Tally, String> {
    check(place.cargo().args(["fmt", "--all", "--check"]))
}

fn build(place: &Place) -> Result<Tally, String> {
    check(place.cargo().args(["build", "--locked", "--workspace", "--all-targets"]))
}

fn clippy(place: &Place) -> Result<Tally, String> {
    check(place.cargo().args(["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

fn rust(place: &Place) -> Result<Tally, String> {
    tests(place.cargo().env("SYNAQ_BIN", place.debug_binary("synaq")?).args([
        "test",
        "--locked",
        "--workspace",
        "--no-fail-fast",
    ]))
}

/// The step before wrote them, so it is enough to look for changes.
fn types(place: &Place) -> Result<Tally, String> {
    let folder = "exam-client/shared/src/wire";
    check(program("git", &place.root).args(["diff", "--exit-code", "--stat", "--", folder])).map_err(
        |_| {
            format!(
                "{folder} differs from what server/wire says; commit what `cargo test -p synaq-wire` wrote"
            )
        },
    )?;
    let new = program("git", &place.root)
        .args(["ls-files", "--others", "--exclude-standard", "--", folder])
        .output()
        .map_err(|error| format!("git did not start: {error}"))?;
    if new.status.success() && new.stdout.is_empty() {
        return Ok(Tally::passed());
    }
    Err(format!("not committed yet:\n{}", String::from_utf8_lossy(&new.stdout)))
}

fn front(place: &Place) -> Result<Tally, String> {
    let folder = place.root.join("exam-client");
    let npm = |script: &str| {
        let mut command = program("npm", &folder);
        command.args(["run", "--silent", script]);
        command
    };
    if !folder.join("node_modules").is_dir() {
        check(program("npm", &folder).args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]))?;
    }
    let mut tally = check(&mut npm("check"))?;
    tally.add(tests(&mut npm("test"))?);
    // The size script looks at what vite wrote to the default folder.
    check(&mut npm("build"))?;
    tally.add(check(&mut npm("size"))?);
    Ok(tally)
}

fn media(place: &Place) -> Result<Tally, String> {
    let mut tally = Tally::default();
    for script in ["interop.mjs", "dtls-loss.mjs", "turn.mjs"] {
        let recordings = place.target.join("media-tests").join(script);
        fresh_folder(&recordings)?;
        let mut node = place.node()?;
        node.arg(place.root.join("tests/media").join(script))
            .arg(place.debug_binary("examples/interop")?)
            .arg(recordings);
        tally.add(check(&mut node)?);
    }
    let recordings = place.target.join("media-tests/independent");
    fresh_folder(&recordings)?;
    let mut python = program(needs::AIORTC.program("python")?, &place.root);
    python
        .arg(place.root.join("tests/media/independent.py"))
        .arg(place.debug_binary("examples/interop")?)
        .arg(recordings);
    tally.add(check(&mut python)?);
    Ok(tally)
}

fn browser(place: &Place) -> Result<Tally, String> {
    // Each file has browsers, a server and a camera of its own: two cores carry one exam at a time.
    let files_at_once = thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1));
    let mut node = place.node()?;
    node.args(["--test", "--test-reporter=spec", &format!("--test-concurrency={files_at_once}")]);
    // Each screen that a test looks at stays there as a picture, for people.
    let screens = place.target.join("screens");
    node.env("SYNAQ_SHOTS", &screens);
    if let Some(name) = &place.browser_name {
        node.arg(format!("--test-name-pattern={name}"));
    } else {
        fresh_folder(&screens)?;
    }
    node.args(test_files(&place.browser_folder())?);
    let mut tally = tests(&mut node)?;
    if place.browser_name.is_none() {
        tally.add(pictures(place, &screens)?);
    }
    Ok(tally)
}

/// Every screen has its pictures in both languages, wide and narrow; what is missing is listed.
fn pictures(place: &Place, screens: &Path) -> Result<Tally, String> {
    let mut node = program("node", &place.browser_folder());
    node.arg("pictures.mjs").arg(screens);
    Ok(check(&mut node).unwrap_or_else(|problem| {
        println!("{problem}");
        Tally::failed()
    }))
}

fn rig(place: &Place) -> Result<Tally, String> {
    check(place.cargo().args(["build", "--locked", "-p", "synaq-app", "-p", "synaq-rig"]))?;
    let mut command = program(place.debug_binary("synaq-rig")?, &place.root);
    check(command.env("SYNAQ_BIN", place.debug_binary("synaq")?).args(&place.rig_options))
}

fn test_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = folder.read_dir().map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().ends_with(".test.mjs"))
        .collect();
    files.sort();
    Ok(files)
}

fn fresh_folder(folder: &Path) -> Result<(), String> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}
