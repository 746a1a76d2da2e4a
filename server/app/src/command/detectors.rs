//! `synaq detectors evaluate DIR`: how often the detectors are wrong on a centre's own consented pictures.

use anyhow::{Context as _, ensure};
use clap::Subcommand;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use synaq_detectors::evaluate::{Clip, ErrorTable, thresholds_tried};
use synaq_detectors::{Condition, Faces as _, Frame, Rustface};
use synaq_media::{Index, KeyPicture};

/// As if the pictures had been taken in an exam.
const EVERY_MS: i64 = 5_000;
/// The folder of pictures in which nothing is the matter.
const NOTHING: &str = "nothing";

/// What can be done with detectors.
#[derive(Debug, Subcommand)]
pub(crate) enum Detectors {
    /// Prints false alarms and misses on labelled pictures: DIR/<truth>/<setting>/<person>/<pictures, or recordings as
    /// `webcam-0001.webm`, in order of name>, where <truth> is `nothing` or conditions joined by `+`, such as `no_face` or `camera_dark+camera_covered`
    Evaluate {
        /// The folder
        dir: PathBuf,
    },
}

/// Prints the table.
pub(crate) fn run(detectors: &Detectors) -> anyhow::Result<()> {
    let Detectors::Evaluate { dir } = detectors;
    let (mut faces, tried) = (Rustface::new(), thresholds_tried());
    let (mut table, mut pictures) = (ErrorTable::default(), 0);
    for (truth, folder) in folders(dir)? {
        let truth = conditions(&truth)?;
        for (setting, folder) in folders(&folder)? {
            for (person, folder) in folders(&folder)? {
                let frames = frames(&folder)?;
                pictures += frames.len();
                let clip = Clip { person, setting: setting.clone(), truth: truth.clone(), frames };
                table.add(&clip, &tried, &mut faces);
            }
        }
    }
    ensure!(
        pictures > 0,
        "{} holds no pictures; they are looked for in DIR/<truth>/<setting>/<person>/",
        dir.display()
    );
    super::print(&format!("{table}\n{} {}, {pictures} pictures\n", faces.name(), faces.version()))
}

/// Folders in a folder, by name.
fn folders(of: &Path) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(of).with_context(|| format!("{} cannot be read", of.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
        }
    }
    found.sort();
    Ok(found)
}

fn conditions(name: &str) -> anyhow::Result<BTreeSet<Condition>> {
    if name == NOTHING {
        return Ok(BTreeSet::new());
    }
    let of_name = |part: &str| {
        let known = Condition::ALL.into_iter().find(|condition| condition.name() == part);
        known.with_context(|| {
            let names: Vec<_> = Condition::ALL.iter().map(|condition| condition.name()).collect();
            format!("the folder `{name}` names no condition; they are `{NOTHING}`, {}", names.join(", "))
        })
    };
    name.split('+').map(of_name).collect()
}

fn frames(folder: &Path) -> anyhow::Result<Vec<Frame>> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    files.sort();
    let (mut frames, mut at): (Vec<Frame>, i64) = (Vec::new(), 0);
    for file in files.iter().filter(|file| file.is_file()) {
        let unusable = || format!("{} cannot be used", file.display());
        for (since, picture) in pictures(file).with_context(unusable)? {
            frames.push(Frame::decode(frames.len() as u64, at + since, &picture).with_context(unusable)?);
        }
        at = frames.last().map_or(at, |frame| frame.taken_ms) + EVERY_MS;
    }
    Ok(frames)
}

/// What a file shows, and when, ms since its beginning: one picture, or the key frames of a recording.
fn pictures(file: &Path) -> anyhow::Result<Vec<(i64, Vec<u8>)>> {
    if file.extension().is_none_or(|extension| extension != "webm") {
        return Ok(vec![(0, fs::read(file)?)]);
    }
    let mut recording = fs::File::open(file)?;
    let bytes = recording.metadata()?.len();
    let index = Index::of(&mut recording, bytes)?;
    let pictures = index.key_pictures(&mut recording).map(|picture| {
        let KeyPicture { ms, webp } = picture?;
        Ok((i64::try_from(ms)?, webp))
    });
    pictures.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GrayImage, Luma};

    #[test]
    fn a_folder_of_labelled_pictures_is_counted() {
        let dir = tempfile::tempdir().unwrap();
        let person = dir.path().join("camera_covered/tape/a");
        fs::create_dir_all(&person).unwrap();
        for number in 0..3 {
            GrayImage::from_pixel(64, 48, Luma([120])).save(person.join(format!("{number}.png"))).unwrap();
        }
        run(&Detectors::Evaluate { dir: dir.path().to_owned() }).unwrap();
        assert_eq!(frames(&person).unwrap().len(), 3);
    }

    #[test]
    fn unknown_truths_empty_folders_and_files_that_are_no_pictures_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let evaluate = || run(&Detectors::Evaluate { dir: dir.path().to_owned() });
        assert!(evaluate().unwrap_err().to_string().contains("holds no pictures"));
        let person = dir.path().join("sleepy/x/a");
        fs::create_dir_all(&person).unwrap();
        assert!(evaluate().unwrap_err().to_string().contains("`sleepy`"));
        fs::rename(dir.path().join("sleepy"), dir.path().join("no_face")).unwrap();
        fs::write(dir.path().join("no_face/x/a/1.webp"), "text").unwrap();
        assert!(evaluate().unwrap_err().to_string().contains("1.webp"));
    }
}
