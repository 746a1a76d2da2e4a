//! A seal must be checkable without any of our code: here by the `openssl` command alone, from the public key's PEM, the
//! JWS's own text and its signature. A machine without `openssl` fails these tests; they are never skipped.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use std::path::Path;
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use synaq_seal::bundle::RECORD_TYP;
use synaq_seal::jws::{self, Jws};
use synaq_seal::key::{Algorithm, SigningKey};

fn openssl(folder: &Path, arguments: &[&str]) -> Output {
    Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the `openssl` command must be installed (Debian: apt-get install openssl)")
}

/// RFC 7518 section 3.4 writes `r || s`; openssl wants the DER `SEQUENCE { INTEGER r, INTEGER s }`.
fn der(raw: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        let mut digits = number[zeros..].to_vec();
        if digits.first().is_none_or(|byte| byte & 0x80 != 0) {
            digits.insert(0, 0);
        }
        [&[0x02, u8::try_from(digits.len()).unwrap()][..], &digits].concat()
    };
    let (r, s) = raw.split_at(32);
    let body = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(body.len()).unwrap()][..], &body].concat()
}

fn seal(key: &SigningKey) -> Jws {
    jws::sign(br#"{"kind":"theory-stage-record","v":1}"#, RECORD_TYP, key, &SystemRandom::new()).unwrap()
}

fn lay_out(folder: &Path, key: &SigningKey, jws: &Jws) {
    let signature = &jws.signatures[0];
    let raw = URL_SAFE_NO_PAD.decode(&signature.signature).unwrap();
    let laid_out = match key.public().algorithm() {
        Algorithm::Es256 => der(&raw),
        Algorithm::Ed25519 => raw,
    };
    std::fs::write(folder.join("key.pem"), key.public().to_pem()).unwrap();
    std::fs::write(folder.join("input"), format!("{}.{}", signature.protected, jws.payload)).unwrap();
    std::fs::write(folder.join("signature"), laid_out).unwrap();
}

fn es256_verifies(folder: &Path) -> bool {
    let output =
        openssl(folder, &["dgst", "-sha256", "-verify", "key.pem", "-signature", "signature", "input"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("Verified OK") || said.contains("Verification failure"), "{output:?}");
    output.status.success()
}

fn ed25519_verifies(folder: &Path) -> bool {
    let arguments = [
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "key.pem",
        "-rawin",
        "-in",
        "input",
        "-sigfile",
        "signature",
    ];
    let output = openssl(folder, &arguments);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("Signature Verified Success") || said.contains("Signature Verification Failure"),
        "{output:?}"
    );
    output.status.success()
}

fn change_input(folder: &Path) {
    let mut input = std::fs::read(folder.join("input")).unwrap();
    *input.last_mut().unwrap() ^= 1;
    std::fs::write(folder.join("input"), input).unwrap();
}

#[test]
fn openssl_alone_verifies_an_es256_seal_and_refuses_a_changed_one() {
    let folder = tempfile::tempdir().unwrap();
    // Several, because the DER form differs with the leading bits of r and s.
    for _ in 0..8 {
        let key = SigningKey::generate(Algorithm::Es256, &SystemRandom::new()).unwrap();
        lay_out(folder.path(), &key, &seal(&key));
        assert!(es256_verifies(folder.path()));
        change_input(folder.path());
        assert!(!es256_verifies(folder.path()));
    }
}

#[test]
fn openssl_alone_verifies_an_ed25519_seal_and_refuses_a_changed_one() {
    let folder = tempfile::tempdir().unwrap();
    let key = SigningKey::generate(Algorithm::Ed25519, &SystemRandom::new()).unwrap();
    lay_out(folder.path(), &key, &seal(&key));
    assert!(ed25519_verifies(folder.path()));
    change_input(folder.path());
    assert!(!ed25519_verifies(folder.path()));
}

#[test]
fn keys_made_by_openssl_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let output = openssl(folder.path(), arguments);
        assert!(output.status.success(), "{output:?}");
    };
    let p256 = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
    let ed25519 = ["-algorithm", "ED25519"];
    for (kind, algorithm) in [(&p256[..], Algorithm::Es256), (&ed25519[..], Algorithm::Ed25519)] {
        run(&[&["genpkey", "-out", "made.pem"], kind].concat());
        run(&["pkcs8", "-topk8", "-nocrypt", "-in", "made.pem", "-outform", "DER", "-out", "key.der"]);
        let pkcs8 = std::fs::read(folder.path().join("key.der")).unwrap();
        let key = SigningKey::from_pkcs8(&pkcs8, &SystemRandom::new()).unwrap();
        assert_eq!(key.public().algorithm(), algorithm);
    }
}
