//! Several keys of one session, side by side: what is under one of them can be made unreadable while the others stay.

use crate::secret::{Error, InstallationKey, SessionKey, WRAPPED_LEN, WrappedKey, unwrap, wrap};
use ring::rand::SecureRandom;

/// What stands where a key was. No wrapped key begins like that.
const STRUCK: u8 = 0;

/// Makes `count` fresh keys for `session` and wraps each, bound to its place: their wrapped forms in a row.
///
/// # Errors
/// When `random` fails.
pub fn wrap_fresh(
    count: usize,
    by: &InstallationKey,
    session: &[u8],
    random: &dyn SecureRandom,
) -> Result<Vec<u8>, Error> {
    let mut row = Vec::with_capacity(count * WRAPPED_LEN);
    for share in 0..count {
        let key = SessionKey::generate(random)?;
        row.extend_from_slice(wrap(&key, by, &context(session, share), random)?.as_bytes());
    }
    Ok(row)
}

/// The key of one place; `None` once it was struck out. A row of one key alone is older: it serves every place.
///
/// # Errors
/// As [`unwrap`].
pub fn unwrap_share(
    row: &[u8],
    share: usize,
    by: &InstallationKey,
    session: &[u8],
) -> Result<Option<SessionKey>, Error> {
    let one = row.len() == WRAPPED_LEN;
    let at = if one { 0 } else { share * WRAPPED_LEN };
    let wrapped = row.get(at..at + WRAPPED_LEN).ok_or(Error::WrappedShape)?;
    if wrapped.iter().all(|byte| *byte == STRUCK) {
        return Ok(None);
    }
    let wrapped = WrappedKey::from_bytes(wrapped)?;
    let bound = if one { session.to_vec() } else { context(session, share) };
    unwrap(&wrapped, by, &bound).map(Some)
}

/// A row without the key of one place, and the wrapped key that is gone with it, if there was one.
#[derive(Clone, PartialEq, Eq)]
pub struct Struck {
    /// To be stored over the row before; of the same length
    pub row: Vec<u8>,
    /// What must no longer be found anywhere
    pub gone: Option<Vec<u8>>,
}

impl std::fmt::Debug for Struck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Struck(redacted)")
    }
}

/// Strikes the key of one place out. The one key of an older row goes with the `last` place only, because the others
/// still need it.
#[must_use]
pub fn strike(row: &[u8], share: usize, last: bool) -> Struck {
    let whole = row.len() <= WRAPPED_LEN;
    let range = if whole { 0..row.len() } else { share * WRAPPED_LEN..(share + 1) * WRAPPED_LEN };
    let stays = whole && !last;
    let gone = row.get(range.clone()).filter(|key| !stays && key.iter().any(|byte| *byte != STRUCK));
    let gone = gone.map(<[u8]>::to_vec);
    let mut row = row.to_vec();
    if gone.is_some() {
        row[range].fill(STRUCK);
    }
    Struck { row, gone }
}

fn context(session: &[u8], share: usize) -> Vec<u8> {
    let share = u8::try_from(share).expect("a session has a handful of keys");
    [session, &[share]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::rand::SystemRandom;

    #[test]
    fn each_key_opens_in_its_place_alone_and_goes_alone() {
        let random = SystemRandom::new();
        let by = InstallationKey::generate(&random).unwrap();
        let row = wrap_fresh(3, &by, b"s", &random).unwrap();
        let key = |row: &[u8], share| unwrap_share(row, share, &by, b"s").unwrap().map(|key| *key.expose());
        let all = [key(&row, 0), key(&row, 1), key(&row, 2)];
        assert!(all.iter().all(Option::is_some) && all[0] != all[1] && all[1] != all[2]);
        assert!(unwrap_share(&row, 0, &by, b"another").is_err());
        let mut swapped = row.clone();
        swapped.rotate_left(WRAPPED_LEN);
        assert!(unwrap_share(&swapped, 0, &by, b"s").is_err());

        let struck = strike(&row, 1, false);
        assert_eq!(struck.gone.as_deref(), Some(&row[WRAPPED_LEN..2 * WRAPPED_LEN]));
        assert_eq!([key(&struck.row, 0), key(&struck.row, 1), key(&struck.row, 2)], [all[0], None, all[2]]);
        assert_eq!(strike(&struck.row, 1, false), Struck { row: struck.row.clone(), gone: None });
    }

    #[test]
    fn the_one_key_of_an_older_session_goes_with_the_last_of_what_it_opens() {
        let random = SystemRandom::new();
        let by = InstallationKey::generate(&random).unwrap();
        let key = SessionKey::generate(&random).unwrap();
        let row = wrap(&key, &by, b"s", &random).unwrap().as_bytes().to_vec();
        assert_eq!(unwrap_share(&row, 2, &by, b"s").unwrap().unwrap().expose(), key.expose());
        assert_eq!(strike(&row, 0, false), Struck { row: row.clone(), gone: None });
        let struck = strike(&row, 2, true);
        assert_eq!(struck.gone, Some(row));
        assert_eq!(struck.row, vec![0; WRAPPED_LEN]);
        assert!(unwrap_share(&struck.row, 0, &by, b"s").unwrap().is_none());
    }
}
