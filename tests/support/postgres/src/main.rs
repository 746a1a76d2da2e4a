//! `cargo run -p synaq-test-postgres`: prints the address of an empty database and keeps the cluster until the input
//! ends, for programs that are not written in Rust.

use std::io::Read as _;
use std::process::ExitCode;
use synaq_test_postgres::{Cluster, Options};

fn main() -> ExitCode {
    let started = Cluster::start(Options::default());
    match started.and_then(|cluster| Ok((cluster.fresh_database()?, cluster))) {
        Ok((url, _cluster)) => {
            println!("{url}");
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
