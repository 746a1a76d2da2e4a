//! What the borrowed `candidate/command.rs` takes from its crate.

use synaq_core::bank;
use synaq_wire::candidate::Lang;

pub(crate) const fn core_lang(lang: Lang) -> bank::Lang {
    match lang {
        Lang::Kk => bank::Lang::Kk,
        Lang::Ru => bank::Lang::Ru,
        Lang::En => bank::Lang::En,
    }
}
