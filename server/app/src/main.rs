//! The binary `synaq`: the only place that reads the environment and the real clock.

mod adapter;
mod backup;
mod clock;
mod command;
mod config;
mod descriptors;
mod installation;
mod keys;
mod mail;
mod ops;
mod patience;
mod private;
mod retention;
mod secret;
mod serve;
mod store;
mod telemetry;
mod timekeeping;
mod tls;

use clap::{Parser, Subcommand};
use command::directory::{NewCentre, NewStaff};
use std::path::PathBuf;
use std::process::ExitCode;

/// Online qualification exams with proctoring.
#[derive(Parser, Debug)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run the whole main job on this machine: server, platform sandbox, demo programme
    Demo(command::demo::Demo),
    /// Run the server from a configuration
    Serve {
        /// TOML
        #[arg(long)]
        config: PathBuf,
    },
    /// Say what is wrong with a configuration
    Doctor {
        /// TOML
        #[arg(long)]
        config: PathBuf,
        /// Read the whole database too: its pages, the chain of every session, every record; beside a running server
        #[arg(long)]
        deep: bool,
    },
    /// Ask a running server on this machine whether it is alive
    Health(command::health::Options),
    /// Copy everything to a folder, beside the running server
    Backup(command::backup::Options),
    /// Bring a backup back into an empty folder
    Restore(command::restore::Options),
    /// Erase evidence whose time is over, and say what goes when
    #[command(subcommand)]
    Retention(command::retention::Retention),
    /// Manage centres
    #[command(subcommand)]
    Centre(CentreCommand),
    /// Manage staff
    #[command(subcommand)]
    Staff(StaffCommand),
    /// Check a downloaded bundle, offline
    Verify {
        /// The bundle
        bundle: PathBuf,
        /// Set of trusted keys; no key inside the bundle is ever trusted
        #[arg(long)]
        trust: PathBuf,
        /// A downloaded recording under its own name, to be held against the log; may be given again
        #[arg(long)]
        recording: Vec<PathBuf>,
        /// A candidate's file of answer receipts, to be held against the log
        #[arg(long)]
        receipts: Option<PathBuf>,
        /// Print the report as JSON
        #[arg(long)]
        json: bool,
    },
    /// Draw the paper again from what a record says
    RebuildForm {
        /// The bundle
        bundle: PathBuf,
        /// The bank version that was recorded
        #[arg(long)]
        bank: PathBuf,
    },
    /// What the detectors of pictures and sound are worth
    #[command(subcommand)]
    Detectors(command::detectors::Detectors),
    /// Run the sandbox of the central platform
    Platform(command::platform::Options),
    /// Play an exam day with made-up candidates on this machine and sign what was measured
    Rehearse(command::rehearse::Options),
    /// The server of a rehearsal: a scratch folder, made-up candidates, no cameras
    #[command(hide = true)]
    RehearsalRoom(command::rehearse::room::Options),
}

#[derive(Subcommand, Debug)]
enum CentreCommand {
    /// Add a centre with its first member of staff and print a one-time set-up link
    Add {
        /// TOML
        #[arg(long)]
        config: PathBuf,
        #[command(flatten)]
        centre: NewCentre,
    },
}

#[derive(Subcommand, Debug)]
enum StaffCommand {
    /// Add a member of staff and print a one-time set-up link
    Add {
        /// TOML
        #[arg(long)]
        config: PathBuf,
        #[command(flatten)]
        staff: NewStaff,
    },
    /// Print a new set-up link, when the first was lost or a password forgotten
    Link {
        /// TOML
        #[arg(long)]
        config: PathBuf,
        /// Whose
        #[arg(long)]
        login: String,
    },
}

fn main() -> ExitCode {
    // Both TLS users (listener, platform client) take the process's provider; a second installation is no error.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("synaq: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let done = match command {
        Command::Demo(demo) => wait(command::demo::run(demo)),
        Command::Serve { config } => wait(command::serve::run(&config)),
        Command::Doctor { config, deep } => wait(command::doctor::run(&config, deep)),
        Command::Health(options) => command::health::run(&options),
        Command::Backup(options) => command::backup::run(&options),
        Command::Restore(options) => command::restore::run(&options),
        Command::Retention(retention) => wait(command::retention::run(retention)),
        Command::Centre(CentreCommand::Add { config, centre }) => {
            wait(command::directory::add_centre(&config, centre))
        }
        Command::Staff(StaffCommand::Add { config, staff }) => {
            wait(command::directory::add_staff(&config, staff))
        }
        Command::Staff(StaffCommand::Link { config, login }) => {
            wait(command::directory::link_again(&config, &login))
        }
        Command::Detectors(detectors) => command::detectors::run(&detectors),
        Command::Platform(options) => wait(command::platform::run(options)),
        Command::Rehearse(options) => return command::rehearse::run(&options),
        Command::RehearsalRoom(options) => wait(command::rehearse::room::run(options)),
        Command::RebuildForm { bundle, bank } => command::rebuild_form::run(&bundle, &bank),
        Command::Verify { bundle, trust, recording, receipts, json } => {
            let beside = command::verify::Beside { recordings: &recording, receipts: receipts.as_deref() };
            return command::verify::run(&bundle, &trust, beside, json);
        }
    };
    done.map(|()| ExitCode::SUCCESS)
}

fn wait(command: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(command)
}
