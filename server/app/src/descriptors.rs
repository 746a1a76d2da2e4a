//! Open files: every candidate is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the process's own limit to what the system allows it, and says how many it has. Shells start programs with
/// 1,024 for the sake of old ones that use `select`; this is none.
pub(crate) fn raised() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, wanted) {
        tracing::warn!(%error, "the limit of open files was not raised");
    }
    let now = getrlimit(Resource::Nofile).current;
    now.map_or(usize::MAX, |now| usize::try_from(now).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_has_all_the_files_it_may_have() {
        let had = getrlimit(Resource::Nofile);
        let now = raised();
        let hard = had.maximum.map_or(usize::MAX, |hard| usize::try_from(hard).unwrap());
        assert_eq!(now, hard);
    }
}
