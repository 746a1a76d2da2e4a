//! The built browser apps, embedded. `build.rs` makes them; this hands them out with what HTTP needs to know.

use rust_embed::{Embed, EmbeddedFile};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;

#[derive(Embed)]
#[folder = "$OUT_DIR/dist"]
struct Dist;

/// Words of the centre's pages by key, for files with the same heads.
pub type CentreWords = HashMap<String, String>;

/// The words in `kk`, `ru` or `en`; Kazakh for anything else.
///
/// # Panics
/// Never: the files are read by the front-end's own tests.
#[must_use]
pub fn centre_words(lang: &str) -> CentreWords {
    let file = match lang {
        "ru" => include_str!("../centre/src/texts/ru.json"),
        "en" => include_str!("../centre/src/texts/en.json"),
        _ => include_str!("../centre/src/texts/kk.json"),
    };
    let messages: HashMap<String, serde_json::Value> =
        serde_json::from_str(file).expect("a file of texts maps keys to messages");
    let plain = |(key, message): (String, serde_json::Value)| Some((key, message.as_str()?.to_owned()));
    messages.into_iter().filter_map(plain).collect()
}

/// Folder of files whose names hold a hash of their content.
const HASHED: &str = "assets/";

/// The three apps; each is one HTML page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum App {
    /// Under `/c/{link}`
    Candidate,
    /// Under `/proctor/`
    Proctor,
    /// Under `/centre/`
    Centre,
}

impl App {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Candidate, Self::Proctor, Self::Centre];

    const fn page(self) -> &'static str {
        match self {
            Self::Candidate => "candidate/index.html",
            Self::Proctor => "proctor/index.html",
            Self::Centre => "centre/index.html",
        }
    }
}

/// A file to serve.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asset {
    /// The body
    pub bytes: Cow<'static, [u8]>,
    /// For `Content-Type`, with the character set where it has one
    pub media_type: String,
    /// For `ETag`, quotes included; strong
    pub etag: String,
    /// The name holds a hash of the content: `Cache-Control: public, max-age=31536000, immutable`.
    /// Otherwise `no-cache`: ask again each time, by the tag.
    pub immutable: bool,
}

/// The file at a path such as `/assets/candidate-Dx3.js` or `/sw.js`; `None` if there is none.
#[must_use]
pub fn asset(path: &str) -> Option<Asset> {
    let path = path.strip_prefix('/').unwrap_or(path);
    Dist::get(path).map(|file| served(path, file))
}

/// The HTML page of an app; the same for every path below the app's.
///
/// # Panics
/// If the build script wrote no such page, which it always does.
#[must_use]
pub fn page(app: App) -> Asset {
    asset(app.page()).expect("build.rs writes all three pages or fails")
}

/// Every path [`asset`] knows, without a leading slash.
pub fn paths() -> impl Iterator<Item = Cow<'static, str>> {
    Dist::iter()
}

fn served(path: &str, file: EmbeddedFile) -> Asset {
    let guessed = mime_guess::from_path(path).first_or_octet_stream();
    let text = guessed.type_() == mime_guess::mime::TEXT || guessed.subtype() == mime_guess::mime::JSON;
    let media_type = if text { format!("{guessed}; charset=utf-8") } else { guessed.to_string() };
    let mut etag = String::from("\"");
    for byte in &file.metadata.sha256_hash()[..16] {
        write!(etag, "{byte:02x}").expect("writing to a String does not fail");
    }
    etag.push('"');
    Asset { bytes: file.data, media_type, etag, immutable: path.starts_with(HASHED) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_app_has_an_html_page_that_is_asked_for_again() {
        for app in App::ALL {
            let page = page(app);
            assert_eq!(page.media_type, "text/html; charset=utf-8");
            assert!(!page.immutable);
            assert!(page.bytes.starts_with(b"<!doctype html>"));
        }
    }

    #[test]
    fn pages_hold_no_inline_script_or_style() {
        for app in App::ALL {
            let html = String::from_utf8(page(app).bytes.into_owned()).unwrap();
            assert!(!html.contains("<style") && !html.contains("style="), "the policy forbids inline styles");
            for script in html.split("<script").skip(1) {
                assert!(
                    script.contains("src=") && script.contains("></script>"),
                    "the policy forbids inline scripts"
                );
            }
        }
    }

    #[test]
    fn the_service_worker_has_a_fixed_address_and_is_never_immutable() {
        let worker = asset("/sw.js").unwrap();
        assert_eq!(worker.media_type, "text/javascript; charset=utf-8");
        assert!(!worker.immutable);
    }

    #[test]
    fn only_files_with_a_hash_in_their_name_are_immutable() {
        for path in paths() {
            let asset = asset(&path).unwrap();
            assert_eq!(asset.immutable, path.starts_with("assets/"), "{path}");
            assert_eq!(asset.etag.len(), 34);
        }
    }

    #[test]
    fn unknown_and_climbing_paths_lead_nowhere() {
        for path in [
            "",
            "/",
            "assets",
            "assets/none.js",
            "../Cargo.toml",
            "/candidate/../../Cargo.toml",
            "/etc/passwd",
        ] {
            assert_eq!(asset(path), None, "{path}");
        }
    }
}
