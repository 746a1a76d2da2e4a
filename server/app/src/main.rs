//! The binary `synaq`: the only place that reads the environment and the real clock.

mod adapter;
mod clock;
mod command;
mod config;
mod installation;
mod keys;
mod serve;
mod telemetry;

use clap::{Parser, Subcommand};
use command::directory::{NewCentre, NewStaff};
use std::net::SocketAddr;
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
    },
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
    /// Run the sandbox of the central platform
    Platform {
        /// Folder of its key and archive
        #[arg(long)]
        data: PathBuf,
        /// Address and port
        #[arg(long)]
        listen: SocketAddr,
        /// Set of keys of the centres it trusts
        #[arg(long)]
        trust: PathBuf,
        /// End when standard input closes
        #[arg(long)]
        until_stdin_closes: bool,
    },
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
}

fn main() -> ExitCode {
    // Both TLS users (listener, platform client) take the process's provider; a second installation is no error.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match dispatch(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("synaq: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Verify { bundle, trust, json } => return command::verify::run(&bundle, &trust, json),
        Command::RebuildForm { bundle, bank } => {
            command::rebuild_form::run(&bundle, &bank)?;
        }
        Command::Doctor { config } => command::doctor::run(&config)?,
        other => tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(other))?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Demo(demo) => command::demo::run(demo).await,
        Command::Serve { config } => command::serve::run(&config).await,
        Command::Centre(CentreCommand::Add { config, centre }) => {
            command::directory::add_centre(&config, centre).await
        }
        Command::Staff(StaffCommand::Add { config, staff }) => {
            command::directory::add_staff(&config, staff).await
        }
        Command::Platform { data, listen, trust, until_stdin_closes } => {
            telemetry::start(&config::Log::default())?;
            command::platform::run(&data, listen, &trust, until_stdin_closes).await
        }
        Command::Verify { .. } | Command::RebuildForm { .. } | Command::Doctor { .. } => Ok(()),
    }
}
