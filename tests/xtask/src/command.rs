//! Runs a program, shows its output as it comes and counts the tests it reports.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, thread};

/// How many tests went which way.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    /// One check that held.
    pub(crate) const fn passed() -> Self {
        Self { passed: 1, failed: 0 }
    }

    /// One check that did not.
    pub(crate) const fn failed() -> Self {
        Self { passed: 0, failed: 1 }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// Adds what one line of a test runner says: cargo's `test result: ok. 3 passed; 0 failed; ...`, node's
    /// `# pass 3` and `# fail 0` (or the same after `ℹ`). A test that was not run counts as failed.
    fn read(&mut self, line: &str) {
        if let Some(result) = line.strip_prefix("test result: ") {
            let number_before = |word: &str| {
                let before = result.split(word).next().unwrap_or_default().trim_end();
                before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
            };
            self.passed += number_before("passed;");
            self.failed += number_before("failed;");
            return;
        }
        let node = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ "));
        if let Some((word, number)) = node.and_then(|rest| rest.split_once(' '))
            && let Ok(number) = number.trim().parse::<u64>()
        {
            match word {
                "pass" => self.passed += number,
                "fail" | "cancelled" | "skipped" => self.failed += number,
                _ => {}
            }
        }
    }
}

/// A program in a folder, without the variables that `cargo run` gave this one: build scripts such as ring's watch
/// them and would build everything twice.
pub(crate) fn program(name: impl Into<OsString>, folder: &Path) -> Command {
    let mut command = Command::new(name.into());
    command.current_dir(folder);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") || text == "CARGO_BIN_NAME" {
            command.env_remove(&name);
        }
    }
    command
}

/// One check: green if the program ends with 0.
pub(crate) fn check(command: &mut Command) -> Result<Tally, String> {
    let status = command.status().map_err(|error| format!("{command:?} did not start: {error}"))?;
    if status.success() { Ok(Tally::passed()) } else { Err(format!("{command:?} ended with {status}")) }
}

/// A test runner: counts its tests, and is red as well if it fails without saying which test did, or ran none.
pub(crate) fn tests(command: &mut Command) -> Result<Tally, String> {
    command.stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("{command:?} did not start: {error}"))?;
    let output = child.stdout.take().expect("the output was asked for as a pipe");
    let reader = thread::spawn(move || {
        let mut tally = Tally::default();
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            tally.read(&line);
            println!("{line}");
        }
        tally
    });
    let mut tally = reader.join().map_err(|_| "the reader of the output ended early".to_owned())?;
    let status = child.wait().map_err(|error| format!("{command:?} cannot be waited for: {error}"))?;
    if !status.success() && tally.failed == 0 {
        println!("{command:?} ended with {status}");
        tally.failed += 1;
    }
    if tally == Tally::default() {
        return Err(format!("{command:?} ran no test"));
    }
    Ok(tally)
}

/// What a program prints, if it ends with 0.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::Tally;

    fn read(lines: &[&str]) -> Tally {
        let mut tally = Tally::default();
        lines.iter().for_each(|line| tally.read(line));
        tally
    }

    #[test]
    fn counts_what_cargo_and_node_say() {
        let lines = [
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "# pass 4",
            "# fail 1",
            "ℹ pass 5",
            "ℹ cancelled 1",
            "ℹ duration_ms 12.5",
            "# Subtest: fail 7",
        ];
        assert_eq!(read(&lines), Tally { passed: 24, failed: 4 });
    }

    #[test]
    fn a_skipped_browser_test_is_red() {
        assert_eq!(read(&["# skipped 2"]), Tally { passed: 0, failed: 2 });
    }
}
