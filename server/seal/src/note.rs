//! Short secrets at rest that are no key of a session: a letter with a link in it, the secret of a second factor.

use crate::secret::InstallationKey;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::SecureRandom;

const VERSION: u8 = 1;
const CONTEXT: &[u8] = b"synaq note v1\0";

/// Why a note was not sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The system's random source failed.
    #[error("the random source gave no bytes")]
    Entropy,
    /// Wrong installation key, another purpose, or changed bytes.
    #[error("the note does not open: wrong installation key, another purpose, or changed bytes")]
    Open,
}

/// Seals `plain` (AES-256-GCM, random nonce) for one purpose: what it is and whose.
///
/// # Errors
/// When `random` fails.
pub fn seal(
    plain: &[u8],
    by: &InstallationKey,
    purpose: &[&[u8]],
    random: &dyn SecureRandom,
) -> Result<Vec<u8>, Error> {
    let mut nonce = [0; NONCE_LEN];
    random.fill(&mut nonce).map_err(|_| Error::Entropy)?;
    let mut body = plain.to_vec();
    key(by)
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), context(purpose), &mut body)
        .expect("a note is far below the cipher's limit");
    Ok([&[VERSION][..], &nonce, &body].concat())
}

/// Opens what [`seal`] made for the same purpose.
///
/// # Errors
/// [`Error::Open`] when anything differs.
pub fn open(sealed: &[u8], by: &InstallationKey, purpose: &[&[u8]]) -> Result<Vec<u8>, Error> {
    let sealed = sealed.strip_prefix(&[VERSION]).ok_or(Error::Open)?;
    let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or(Error::Open)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Error::Open)?;
    let mut body = body.to_vec();
    let plain = key(by).open_in_place(nonce, context(purpose), &mut body).map_err(|_| Error::Open)?;
    Ok(plain.to_vec())
}

fn key(by: &InstallationKey) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, by.expose()).expect("AES-256 takes 32 bytes"))
}

/// Each part with its length before it, so that no two purposes read the same.
fn context(purpose: &[&[u8]]) -> Aad<Vec<u8>> {
    let parts = purpose.iter().flat_map(|part| [&(part.len() as u64).to_be_bytes()[..], part].concat());
    Aad::from(CONTEXT.iter().copied().chain(parts).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::rand::SystemRandom;

    #[test]
    fn a_note_opens_for_its_purpose_and_installation_alone() {
        let random = SystemRandom::new();
        let by = InstallationKey::generate(&random).unwrap();
        let sealed = seal("хат".as_bytes(), &by, &[b"letter", b"1"], &random).unwrap();
        assert_eq!(open(&sealed, &by, &[b"letter", b"1"]).unwrap(), "хат".as_bytes());
        assert_eq!(open(&sealed, &by, &[b"letter1"]), Err(Error::Open));
        assert_eq!(open(&sealed, &by, &[b"letter", b"2"]), Err(Error::Open));
        let other = InstallationKey::generate(&random).unwrap();
        assert_eq!(open(&sealed, &other, &[b"letter", b"1"]), Err(Error::Open));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(open(&changed, &by, &[b"letter", b"1"]), Err(Error::Open), "byte {at}");
        }
        assert_eq!(open(&[], &by, &[]), Err(Error::Open));
        assert_eq!(open(&[VERSION; 5], &by, &[]), Err(Error::Open));
    }
}
