//! The centre's side: banks, programmes, sittings, results.

mod library;

pub(crate) use library::Library;
