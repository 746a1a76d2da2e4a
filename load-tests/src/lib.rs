//! Virtual candidates and measuring programs.
