//! Passwords: Argon2id, few at a time, equally slow whether the login exists or not.

use crate::doors::Random;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::{Arc, OnceLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// OWASP's first choice for Argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;
/// Hashes at once: 4 x 19 MiB, and answers keep their share of the processor.
const AT_ONCE: usize = 4;
/// In characters; from 12 on length beats composition rules (ASVS 6.2.1).
pub(crate) const MIN_CHARS: usize = 12;
/// In bytes; longer ones only cost time.
pub(crate) const MAX_BYTES: usize = 512;

/// What people and attackers try first, from 12 characters on, lower case.
const COMMON: &[&str] = &[
    "123456789012",
    "1234567890123",
    "12345678901234",
    "123456789123",
    "1234567890qwerty",
    "qwerty123456",
    "qwerty1234567",
    "qwertyuiop12",
    "qwertyuiop123",
    "qwertyuiop[]",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "1qazxsw23edc",
    "q1w2e3r4t5y6",
    "password1234",
    "password12345",
    "password123456",
    "passwordpassword",
    "administrator",
    "admin1234567",
    "adminadminadmin",
    "letmein12345",
    "welcome12345",
    "changeme1234",
    "iloveyou1234",
    "abcdefghijkl",
    "abcdefghijklm",
    "abc123456789",
    "asdfghjkl123",
    "zxcvbnm12345",
    "parol1234567",
    "parolparol12",
    "qazaqstan123",
    "kazakhstan123",
    "kazakhstan2026",
    "astana123456",
    "almaty123456",
    "йцукенгшщзхъ",
    "пароль123456",
    "парольпароль",
    "қазақстан123",
    "казахстан123",
];

/// Why a password was not hashed or checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// No entropy
    #[error("the random source gave no bytes")]
    Entropy,
    /// Argon2 refused its input
    #[error("the password cannot be hashed")]
    Hash(#[source] argon2::password_hash::Error),
    /// A bug
    #[error("the hashing task ended by panic")]
    Ended,
}

/// Hashes and checks passwords on blocking threads.
pub(crate) struct Passwords {
    random: Random,
    at_once: Arc<Semaphore>,
    /// Checked against when there is no such login.
    nobody: OnceLock<String>,
}

impl Passwords {
    pub(crate) fn new(random: Random) -> Self {
        Self { random, at_once: Arc::new(Semaphore::new(AT_ONCE)), nobody: OnceLock::new() }
    }

    /// The PHC text to store.
    pub(crate) async fn hash(&self, password: String) -> Result<String, PasswordError> {
        let mut salt = [0; SALT_BYTES];
        self.random.fill(&mut salt).map_err(|_| PasswordError::Entropy)?;
        let turn = self.turn().await;
        let hashed = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            hash(&password, &salt)
        });
        hashed.await.map_err(|_| PasswordError::Ended)?
    }

    /// Whether it is the password behind `stored`; takes as long without one.
    pub(crate) async fn check(
        &self,
        password: String,
        stored: Option<String>,
    ) -> Result<bool, PasswordError> {
        let known = stored.is_some();
        let stored = match stored {
            Some(stored) => stored,
            None => self.nobody().await?,
        };
        let turn = self.turn().await;
        let matches = move || {
            let _turn = turn;
            argon2().verify_password(password.as_bytes(), stored.as_str()).is_ok()
        };
        let matches = tokio::task::spawn_blocking(matches).await.map_err(|_| PasswordError::Ended)?;
        Ok(known && matches)
    }

    /// Held by the work itself: a request that goes away does not make room for another before its hash is done.
    async fn turn(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.at_once).acquire_owned().await.expect("the semaphore is never closed")
    }

    async fn nobody(&self) -> Result<String, PasswordError> {
        if self.nobody.get().is_none() {
            let secret = super::secret(&*self.random).map_err(|_| PasswordError::Entropy)?;
            let hashed = self.hash(secret).await?;
            let _ = self.nobody.set(hashed);
        }
        Ok(self.nobody.get().expect("set above").clone())
    }
}

/// Long enough, not too long, and not what everybody tries first.
pub(crate) fn strong_enough(password: &str, login: &str) -> bool {
    let lower = password.to_lowercase();
    let length = password.chars().count() >= MIN_CHARS && password.len() <= MAX_BYTES;
    let first = lower.chars().next();
    let varied = lower.chars().any(|character| Some(character) != first);
    length && varied && !COMMON.contains(&lower.as_str()) && !lower.contains(&login.to_lowercase())
}

fn argon2() -> Argon2<'static> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the constants are within Argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &str, salt: &[u8]) -> Result<String, PasswordError> {
    argon2()
        .hash_password_with_salt(password.as_bytes(), salt)
        .map(|hash| hash.to_string())
        .map_err(PasswordError::Hash)
}

/// Hashes a password for whoever adds staff from the command line, in PHC form.
///
/// # Errors
/// When it cannot be hashed, which is a bug.
pub fn hash_password(password: &str, salt: &[u8; SALT_BYTES]) -> Result<String, PasswordError> {
    hash(password, salt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::rand::SystemRandom;

    #[test]
    fn short_common_and_monotonous_passwords_are_refused() {
        for weak in
            ["", "short", "elevenchars", "aaaaaaaaaaaaaaaa", "Qwerty123456", "aigul.s-2026-x", "қазақстан123"]
        {
            assert!(!strong_enough(weak, "aigul.s"), "{weak}");
        }
        assert!(!strong_enough(&"ab".repeat(300), "x"));
        for strong in ["correct horse battery", "Екі қоян және бір түлкі"] {
            assert!(strong_enough(strong, "aigul.s"), "{strong}");
        }
    }

    #[tokio::test]
    async fn only_the_right_password_opens_and_nobody_has_none() {
        let passwords = Passwords::new(Arc::new(SystemRandom::new()));
        let stored = passwords.hash("correct horse battery".to_owned()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(passwords.check("correct horse battery".to_owned(), Some(stored.clone())).await.unwrap());
        assert!(!passwords.check("correct horse batterx".to_owned(), Some(stored)).await.unwrap());
        assert!(!passwords.check("anything at all".to_owned(), None).await.unwrap());
        assert!(!passwords.check("x".to_owned(), Some("no hash".to_owned())).await.unwrap());
    }
}
