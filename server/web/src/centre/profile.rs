//! What the centre says of itself.

use super::Audit;
use crate::auth::who::Who;
use crate::body::Json;
use crate::doors::App;
use crate::form::{Form, Letters};
use crate::mail::Sender;
use crate::problem::Refused;
use axum::extract::{FromRef, State};
use std::sync::Arc;
use synaq_core::ids::CentreId;
use synaq_runtime::Clock;
use synaq_store::{CentreRow, Directory, NewProfile, Personnel};
use synaq_wire::candidate::{CentreContacts, Text};
use synaq_wire::people::{Profile, ProfileView, SaveProfile};

/// In characters.
const NAME_CHARS: usize = 300;
const ADDRESS_CHARS: usize = 300;
const LINE_CHARS: usize = 120;
const APPEALS_CHARS: usize = 1_000;

/// As it is stored.
pub(crate) async fn show(
    State(directory): State<Arc<dyn Directory>>,
    State(personnel): State<Arc<dyn Personnel>>,
    who: Who,
) -> Result<axum::Json<ProfileView>, Refused> {
    Ok(axum::Json(view(&*directory, &*personnel, who.staff.centre).await?))
}

async fn view(
    directory: &dyn Directory,
    personnel: &dyn Personnel,
    centre: CentreId,
) -> Result<ProfileView, Refused> {
    let row = directory.centre(centre).await?;
    let stored = personnel.profile(centre).await?;
    let saved_by = match &stored {
        Some(stored) => Some(directory.staff(stored.saved_by).await?.name),
        None => None,
    };
    let profile = stored.as_ref().map(|stored| serde_json::from_str(&stored.body));
    Ok(ProfileView {
        revision: stored.as_ref().map_or(0, |stored| stored.revision),
        bin: row.bin,
        name_kk: row.name_kk,
        name_ru: row.name_ru,
        // A field of a later version is read over by an earlier one after a step back.
        profile: profile.and_then(Result::ok).unwrap_or_default(),
        saved_at: stored.as_ref().map(|stored| stored.saved_at.0),
        saved_by,
    })
}

/// Centres as candidates meet them.
#[derive(Clone)]
pub(crate) struct Face {
    pub(crate) directory: Arc<dyn Directory>,
    personnel: Arc<dyn Personnel>,
}

impl FromRef<App> for Face {
    fn from_ref(app: &App) -> Self {
        Self { directory: FromRef::from_ref(app), personnel: FromRef::from_ref(app) }
    }
}

impl Face {
    /// Who signs a centre's letters.
    pub(crate) async fn sender(&self, centre: CentreId) -> Result<Sender, Refused> {
        let centre = self.directory.centre(centre).await?;
        let contacts = self.contacts(&centre).await?;
        Ok(Sender { centre, contacts })
    }

    /// What a candidate may know of a centre; none before it has said anything.
    pub(crate) async fn contacts(&self, centre: &CentreRow) -> Result<Option<CentreContacts>, Refused> {
        let Some(stored) = self.personnel.profile(centre.id).await? else { return Ok(None) };
        let profile: Profile = serde_json::from_str(&stored.body).unwrap_or_default();
        Ok(Some(CentreContacts {
            bin: centre.bin.clone(),
            address: Text { kk: profile.address_kk, ru: profile.address_ru },
            phone: profile.phone,
            mail: profile.mail,
            appeals: Text { kk: profile.appeals_kk, ru: profile.appeals_ru },
        }))
    }
}

/// Saves what was edited, unless somebody else saved meanwhile.
pub(crate) async fn save(
    State(directory): State<Arc<dyn Directory>>,
    State(personnel): State<Arc<dyn Personnel>>,
    State(clock): State<Arc<dyn Clock>>,
    State(audit): State<Audit>,
    who: Who,
    Json(body): Json<SaveProfile>,
) -> Result<axum::Json<ProfileView>, Refused> {
    let (name_kk, name_ru, profile) = checked(&body)?;
    let new = NewProfile {
        after: body.revision,
        name_kk,
        name_ru,
        body: serde_json::to_string(&profile).expect("texts are plain JSON"),
        at: clock.now(),
        by: who.staff.id,
    };
    personnel.save_profile(who.staff.centre, new).await?;
    audit.note(&who, "profile_saved", who.staff.centre.to_string()).await?;
    Ok(axum::Json(view(&*directory, &*personnel, who.staff.centre).await?))
}

fn checked(body: &SaveProfile) -> Result<(String, String, Profile), Refused> {
    let (mut form, typed) = (Form::default(), &body.profile);
    let name_kk = form.line("name_kk", &body.name_kk, NAME_CHARS, Letters::Text);
    let name_ru = form.line("name_ru", &body.name_ru, NAME_CHARS, Letters::Text);
    let mut text = |field: &str, typed: &str, most: usize| form.optional(field, typed, most, Letters::Text);
    let profile = Profile {
        address_kk: text("address_kk", &typed.address_kk, ADDRESS_CHARS),
        address_ru: text("address_ru", &typed.address_ru, ADDRESS_CHARS),
        phone: text("phone", &typed.phone, LINE_CHARS),
        mail: String::new(),
        site: text("site", &typed.site, LINE_CHARS),
        accreditation_kind: text("accreditation_kind", &typed.accreditation_kind, LINE_CHARS),
        certificate: text("certificate", &typed.certificate, LINE_CHARS),
        issued_on: text("issued_on", &typed.issued_on, LINE_CHARS),
        expires_on: text("expires_on", &typed.expires_on, LINE_CHARS),
        appeals_kk: text("appeals_kk", &typed.appeals_kk, APPEALS_CHARS),
        appeals_ru: text("appeals_ru", &typed.appeals_ru, APPEALS_CHARS),
    };
    let profile = Profile { mail: form.mail("mail", &typed.mail).unwrap_or_default(), ..profile };
    if !["", "nce", "conformity_body"].contains(&profile.accreditation_kind.as_str()) {
        form.mistake("accreditation_kind", "unknown", "nce or conformity_body");
    }
    let digits = profile.phone.chars().filter(char::is_ascii_digit).count();
    let phone = profile.phone.chars().all(|c| c.is_ascii_digit() || " +-(),;".contains(c));
    if !profile.phone.is_empty() && (digits < 6 || !phone) {
        form.mistake("phone", "no_phone", "write it as +7 700 000 00 00");
    }
    for (field, day) in [("issued_on", &profile.issued_on), ("expires_on", &profile.expires_on)] {
        if !day.is_empty() && !is_day(day) {
            form.mistake(field, "no_day", "write it as 2026-11-20");
        }
    }
    // Days of one form sort as text.
    if !profile.issued_on.is_empty()
        && !profile.expires_on.is_empty()
        && profile.expires_on <= profile.issued_on
    {
        form.mistake("expires_on", "order", "the end lies before the beginning");
    }
    form.done()?;
    Ok((name_kk, name_ru, profile))
}

fn is_day(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut number = |digits: usize| {
        let part =
            parts.next().filter(|part| part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()))?;
        part.parse::<u16>().ok()
    };
    let (Some(year), Some(month), Some(day)) = (number(4), number(2), number(2)) else { return false };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u16::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    parts.next().is_none() && (1990..=2100).contains(&year) && (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_days_of_the_calendar() {
        for day in ["2026-11-20", "2028-02-29", "2026-12-31"] {
            assert!(is_day(day), "{day}");
        }
        for wrong in [
            "",
            "20.11.2026",
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-1-1",
            "2026-11-20-1",
            "9999-01-01",
        ] {
            assert!(!is_day(wrong), "{wrong}");
        }
    }
}
