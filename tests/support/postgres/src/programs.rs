//! PostgreSQL's programs: on the path, or where Debian and the PGDG packages keep them.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Debian keeps each major version's servers apart, out of the path.
const VERSIONS: &str = "/usr/lib/postgresql";
const NEEDED: [&str; 3] = ["initdb", "pg_ctl", "psql"];

/// The newest folder that holds a whole PostgreSQL.
pub(crate) fn folder() -> Result<PathBuf, String> {
    let mut versions: Vec<(u32, PathBuf)> = Path::new(VERSIONS)
        .read_dir()
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            Some((path.file_name()?.to_str()?.parse().ok()?, path.join("bin")))
        })
        .collect();
    versions.sort();
    let on_path = env::var_os("PATH").unwrap_or_default();
    versions
        .into_iter()
        .rev()
        .map(|(_, folder)| folder)
        .chain(env::split_paths(&on_path))
        .find(|folder| NEEDED.iter().all(|name| folder.join(name).is_file()))
        .ok_or_else(|| {
            format!(
                "PostgreSQL's server programs {NEEDED:?} are neither on the path nor below {VERSIONS}; install them, on \
                 Debian with `apt-get install postgresql`, or run `cargo xtask test --only needs` as root"
            )
        })
}

/// What the program printed, or what it complained of.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{name} did not start: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    Err(format!("{name}: {}: {} {}", output.status, text(&output.stderr), text(&output.stdout)))
}
