//! Making, stopping, pausing and starting a cluster.

use crate::programs::{self, output};
use crate::user::User;
use crate::watcher::Watcher;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

/// The one account, a superuser of the cluster.
const ACCOUNT: &str = "synaq";
/// Somebody else may take the port between our look and PostgreSQL's.
const PORT_TRIES: usize = 5;
/// A killed process is gone within this.
const DEATH: Duration = Duration::from_secs(10);

/// What a test wants otherwise.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where to make it, an empty folder that is kept at the end; a temporary one, removed at the end, otherwise
    pub folder: Option<PathBuf>,
    /// Lines for postgresql.conf: name and value
    pub settings: Vec<(String, String)>,
}

/// How to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// In order: open transactions are rolled back, a checkpoint is written
    Fast,
    /// SIGQUIT: everything is dropped, the next start recovers from the log
    Immediate,
    /// SIGKILL to every process of the cluster
    Kill,
}

/// A running cluster; stopped and removed when dropped, or when this process ends.
#[derive(Debug)]
pub struct Cluster {
    /// Of initdb, pg_ctl, psql
    programs: PathBuf,
    user: User,
    folder: PathBuf,
    port: u16,
    password: String,
    databases: AtomicU32,
    /// Processes held by SIGSTOP
    paused: Mutex<Vec<u32>>,
    _watcher: Watcher,
}

impl Cluster {
    /// Makes a cluster and starts it.
    pub fn start(options: Options) -> Result<Self, String> {
        let (programs, user) = (programs::folder()?, User::find()?);
        let keep = options.folder.is_some();
        let folder = match options.folder {
            Some(folder) => folder,
            None => tempfile::Builder::new()
                .prefix("synaq-pg-")
                .tempdir()
                .map_err(|error| format!("no temporary folder: {error}"))?
                .keep(),
        };
        let watcher = Watcher::over(&folder, keep)?;
        user.own(&folder)?;
        let cluster = Self {
            programs,
            user,
            port: 0,
            password: password(),
            databases: AtomicU32::new(0),
            paused: Mutex::new(Vec::new()),
            _watcher: watcher,
            folder,
        };
        cluster.initialise(&options.settings, keep)?;
        cluster.start_on_a_free_port()
    }

    /// `postgres://` address of a database of this name over TCP, with the password.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{ACCOUNT}:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    /// The same without the password, for tests of how it is given otherwise.
    #[must_use]
    pub fn url_without_password(&self, database: &str) -> String {
        format!("postgres://{ACCOUNT}@127.0.0.1:{}/{database}", self.port)
    }

    /// The account's password.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Where TCP is served on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// PostgreSQL's data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The folder with PostgreSQL's programs.
    #[must_use]
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// A new, empty database: its address.
    pub fn fresh_database(&self) -> Result<String, String> {
        let name = format!("fresh_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.create_database(&name)?;
        Ok(self.url(&name))
    }

    /// A new, empty database of this name.
    pub fn create_database(&self, name: &str) -> Result<(), String> {
        self.sql("postgres", &format!("CREATE DATABASE \"{name}\"")).map(drop)
    }

    /// What psql prints for a statement: rows a line each, columns apart by `|`.
    pub fn sql(&self, database: &str, statement: &str) -> Result<String, String> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"])
            .arg(format!("--command={statement}"))
            .arg(self.url_without_password(database))
            .env("PGPASSWORD", &self.password);
        output(&mut psql)
    }

    /// Stops the server; [`start_again`](Self::start_again) brings it back on the same port with the same data.
    pub fn stop(&self, how: Stop) -> Result<(), String> {
        self.resume()?;
        match how {
            Stop::Fast => self.pg_ctl(&["stop", "--mode=fast"]),
            Stop::Immediate => self.pg_ctl(&["stop", "--mode=immediate"]),
            Stop::Kill => self.kill(),
        }
    }

    /// Starts the stopped server, waiting until it takes connections.
    pub fn start_again(&self) -> Result<(), String> {
        self.pg_ctl(&["start", "--log", &self.log().to_string_lossy()]).map_err(|error| {
            let log = fs::read_to_string(self.log()).unwrap_or_default();
            let tail: Vec<&str> = log.lines().rev().take(5).collect();
            format!("{error}\n{}", tail.into_iter().rev().collect::<Vec<_>>().join("\n"))
        })
    }

    /// Holds every process of the server by SIGSTOP: connections stay open, nothing answers.
    pub fn pause(&self) -> Result<(), String> {
        let mut paused = self.paused.lock().map_err(|_| "a test panicked while pausing")?;
        let postmaster = self.postmaster()?;
        // First the one that makes new ones.
        signal("STOP", &[postmaster])?;
        let mut all = vec![postmaster];
        all.extend(children(postmaster)?);
        signal("STOP", &all)?;
        *paused = all;
        Ok(())
    }

    /// Lets a paused server go on.
    pub fn resume(&self) -> Result<(), String> {
        let mut paused = self.paused.lock().map_err(|_| "a test panicked while pausing")?;
        if paused.is_empty() { Ok(()) } else { signal("CONT", &std::mem::take(&mut *paused)) }
    }

    fn initialise(&self, settings: &[(String, String)], keep: bool) -> Result<(), String> {
        let password_file = self.folder.join("password");
        fs::write(&password_file, &self.password)
            .map_err(|error| format!("{}: {error}", password_file.display()))?;
        self.user.own(&password_file)?;
        let mut initdb = self.user.command(&self.programs.join("initdb"));
        initdb
            .arg(format!("--username={ACCOUNT}"))
            .arg(format!("--pwfile={}", password_file.display()))
            .args(["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"])
            .arg(self.data());
        if !keep {
            // A temporary folder need not outlive a power cut; a kept one may be there to be tested with one.
            initdb.arg("--no-sync");
        }
        output(&mut initdb)?;
        let mut lines = format!(
            "listen_addresses = '127.0.0.1'\nunix_socket_directories = '{}'\nfsync = on\nsynchronous_commit = on\n\
             max_connections = 200\nshared_buffers = '256MB'\n",
            self.folder.display()
        );
        for (name, value) in settings {
            lines.push_str(&format!("{name} = '{}'\n", value.replace('\'', "''")));
        }
        let file = self.data().join("postgresql.auto.conf");
        fs::write(&file, lines).map_err(|error| format!("{}: {error}", file.display()))
    }

    fn start_on_a_free_port(mut self) -> Result<Self, String> {
        let mut failure = String::new();
        for _ in 0..PORT_TRIES {
            self.port = free_port()?;
            let line = format!("port = {}\n", self.port);
            let file = self.data().join("postgresql.conf");
            fs::write(&file, line).map_err(|error| format!("{}: {error}", file.display()))?;
            match self.start_again() {
                Ok(()) => return Ok(self),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn pg_ctl(&self, arguments: &[&str]) -> Result<(), String> {
        let mut pg_ctl = self.user.command(&self.programs.join("pg_ctl"));
        pg_ctl.args(arguments).arg("--wait").arg("--silent").arg("--pgdata").arg(self.data());
        // The server inherits pg_ctl's output, and would keep a pipe open for ever.
        let report = self.folder.join("pg_ctl");
        let file = fs::File::create(&report).map_err(|error| format!("{}: {error}", report.display()))?;
        let errors = file.try_clone().map_err(|error| format!("{}: {error}", report.display()))?;
        let status = pg_ctl
            .stdout(file)
            .stderr(errors)
            .status()
            .map_err(|error| format!("pg_ctl did not start: {error}"))?;
        if status.success() {
            return Ok(());
        }
        Err(format!("pg_ctl {}: {}", arguments[0], fs::read_to_string(report).unwrap_or_default().trim()))
    }

    fn kill(&self) -> Result<(), String> {
        let postmaster = self.postmaster()?;
        // Stopped, it starts no more of them.
        signal("STOP", &[postmaster])?;
        let mut all = children(postmaster)?;
        all.push(postmaster);
        signal("KILL", &all)?;
        // A start refuses while one of them still holds the shared memory.
        let started = SystemTime::now();
        while all.iter().any(|id| alive(*id)) {
            if started.elapsed().is_ok_and(|waited| waited > DEATH) {
                return Err(format!("some of {all:?} outlived SIGKILL"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        // Where nobody reaps orphans the process id stays taken, and a start would believe the old server alive.
        let socket = self.folder.join(format!(".s.PGSQL.{}", self.port));
        for file in
            [self.data().join("postmaster.pid"), socket.with_extension(format!("{}.lock", self.port)), socket]
        {
            fs::remove_file(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        }
        Ok(())
    }

    fn postmaster(&self) -> Result<u32, String> {
        let file = self.data().join("postmaster.pid");
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let first = text.lines().next().unwrap_or_default();
        first.parse().map_err(|_| format!("{} does not begin with a process id", file.display()))
    }
}

fn free_port() -> Result<u16, String> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| format!("no free port: {error}"))
}

/// Keeps other users of a shared machine out of a cluster that holds nothing of value.
fn password() -> String {
    use std::hash::{BuildHasher as _, RandomState};
    // std's hasher keys come from the system's entropy.
    format!("{:016x}{:016x}", RandomState::new().hash_one(0), RandomState::new().hash_one(1))
}

fn children(parent: u32) -> Result<Vec<u32>, String> {
    let processes = fs::read_dir("/proc").map_err(|error| format!("/proc: {error}"))?;
    Ok(processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|id| field(*id, 1).as_deref() == Some(&parent.to_string()))
        .collect())
}

/// Not yet reaped counts as dead: it holds nothing any more.
fn alive(id: u32) -> bool {
    field(id, 0).is_some_and(|state| state != "Z")
}

/// Of /proc/ID/stat, counted after the name in brackets: 0 is the state, 1 the parent.
fn field(id: u32, number: usize) -> Option<String> {
    let line = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    line.rsplit_once(')')?.1.split_whitespace().nth(number).map(str::to_owned)
}

fn signal(name: &str, processes: &[u32]) -> Result<(), String> {
    // A process that ended meanwhile is no fault, so the shell's word on the whole list does not count.
    let ids: Vec<String> = processes.iter().map(u32::to_string).collect();
    Command::new("sh")
        .args(["-c", &format!("kill -{name} {} 2>/dev/null; true", ids.join(" "))])
        .status()
        .map(drop)
        .map_err(|error| format!("kill did not start: {error}"))
}
