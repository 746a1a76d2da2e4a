//! The fault rig: the real binary, virtual candidates who write down what they were told, a fault, and a checker that
//! compares their files with what was sealed. `matrix.toml` names every fault with its one expected outcome.

pub mod bot;
pub mod check;
pub mod disk;
pub mod house;
pub mod journal;
pub mod line;
pub mod machine;
pub mod matrix;
pub mod process;
pub mod proxy;
pub mod report;
pub mod rows;
pub mod run;
pub mod scene;
pub mod standin;
pub mod wall;
pub mod watch;
