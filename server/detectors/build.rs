//! Finds the face model in the sources of the crate `rustface`, where its authors ship it with their licence, so that
//! this repository carries no weights of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const MODEL: &str = "model/seeta_fd_frontal_v1.0.bin";
/// A photograph of 29 people (B. Couprie, 1927), which the crate shows its own work on; here for the tests only.
const PEOPLE: &str = "test.png";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=Cargo.toml");
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let into = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let (version, sources) = rustface(&folder, &into);
    fs::copy(sources.join(MODEL), into.join("face-model.bin"))
        .expect("rustface ships its model in its folder `model`");
    fs::copy(sources.join(PEOPLE), into.join("people.png")).expect("rustface ships its example");
    println!("cargo::rustc-env=RUSTFACE_VERSION={version}");
}

/// Version and folder of the crate. Asked of a manifest that names nothing else: for the whole workspace cargo would
/// want the sources of every platform's and every test's dependencies, which a plain build has not fetched.
fn rustface(folder: &Path, into: &Path) -> (String, PathBuf) {
    let asked = into.join("ask");
    fs::create_dir_all(asked.join("src")).expect("the output folder can be written");
    let manifest = "[package]\nname = \"ask\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n\
                    [dependencies]\nrustface = { version = \"0.1.7\", default-features = false }\n";
    fs::write(asked.join("Cargo.toml"), manifest).expect("the output folder can be written");
    fs::write(asked.join("src/lib.rs"), "").expect("the output folder can be written");
    // The workspace's own lock, so that the version asked for is the version built.
    fs::copy(folder.join("../../Cargo.lock"), asked.join("Cargo.lock")).expect("the workspace is locked");
    let output = Command::new(env::var_os("CARGO").expect("cargo sets it"))
        .args(["metadata", "--format-version", "1", "--offline", "--manifest-path"])
        .arg(asked.join("Cargo.toml"))
        .current_dir(folder)
        .output()
        .expect("cargo can be run");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let packages = metadata["packages"].as_array().expect("cargo metadata lists packages");
    let package =
        packages.iter().find(|package| package["name"] == "rustface").expect("the manifest names it");
    let manifest = Path::new(package["manifest_path"].as_str().expect("every package has one"));
    let version = package["version"].as_str().expect("every package has one");
    (version.to_owned(), manifest.parent().expect("a file has a folder").to_owned())
}
