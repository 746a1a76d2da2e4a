//! Staff of the centre, by its head: invitations, roles, links, second factors.

use super::Audit;
use super::profile::Face;
use crate::auth::who::Who;
use crate::body::Json;
use crate::convert;
use crate::doors::App;
use crate::form::{Form, Letters};
use crate::fresh::Fresh;
use crate::mail::{Letter, Post};
use crate::peers::{Owner, Peers};
use crate::problem::Refused;
use crate::staff::SetupLinks;
use axum::extract::{FromRef, Path, State};
use axum::http::StatusCode;
use std::collections::HashMap;
use std::sync::Arc;
use synaq_core::ids::{CentreId, StaffId};
use synaq_store::{Directory, LetterRow, Member, Personnel, StaffEdit, StaffRow};
use synaq_wire::people::{
    EditMember, FactorRule, Invite, LetterView, LinkMade, MemberFields, MemberState, MemberView, Staff,
};
use synaq_wire::problem::Code;
use synaq_wire::staff::Role;

/// In characters.
const NAME_CHARS: usize = 120;
const LOGIN_CHARS: usize = 60;

/// What managing staff needs.
#[derive(Clone)]
pub(crate) struct Desk {
    directory: Arc<dyn Directory>,
    personnel: Arc<dyn Personnel>,
    links: SetupLinks,
    post: Post,
    face: Face,
    audit: Audit,
}

impl FromRef<App> for Desk {
    fn from_ref(app: &App) -> Self {
        Self {
            directory: FromRef::from_ref(app),
            personnel: FromRef::from_ref(app),
            links: FromRef::from_ref(app),
            post: FromRef::from_ref(app),
            face: FromRef::from_ref(app),
            audit: FromRef::from_ref(app),
        }
    }
}

/// Everybody of the centre.
pub(crate) async fn list(State(desk): State<Desk>, who: Who) -> Result<axum::Json<Staff>, Refused> {
    let centre = who.staff.centre;
    let members = desk.personnel.members(centre).await?;
    let about: Vec<String> = members.iter().map(|member| member.staff.id.to_string()).collect();
    let mut newest = HashMap::new();
    for letter in desk.post.letters(centre, &about).await? {
        newest.entry(letter.about.clone()).or_insert(letter);
    }
    let members = members.into_iter().map(|member| {
        let letter = newest.remove(&member.staff.id.to_string());
        view(member, letter)
    });
    let rule = desk.personnel.factor_rule(centre).await?;
    Ok(axum::Json(Staff {
        members: members.collect(),
        mail: desk.post.is_open(),
        second_factor: rule.into_iter().map(convert::role).collect(),
    }))
}

fn view(member: Member, letter: Option<LetterRow>) -> MemberView {
    let Member { staff, link_until, second_factor, signed_in_at } = member;
    let state = match (staff.disabled, &staff.password_hash) {
        (true, _) => MemberState::Disabled,
        (false, None) => MemberState::Invited,
        (false, Some(_)) => MemberState::Active,
    };
    MemberView {
        staff: staff.id.0,
        login: staff.login,
        name: staff.name,
        mail: staff.mail,
        roles: staff.roles.into_iter().map(convert::role).collect(),
        state,
        link_until: link_until.map(|at| at.0),
        signed_in_at: signed_in_at.map(|at| at.0),
        second_factor,
        letter: letter.map(|letter| LetterView {
            state: letter.state.as_str().to_owned(),
            at: letter.created_at.0,
            why: letter.why,
        }),
    }
}

/// Adds a person and sends their link, or shows it where no letter can go.
pub(crate) async fn invite(
    State(desk): State<Desk>,
    State(fresh): State<Fresh>,
    who: Who,
    Json(body): Json<Invite>,
) -> Result<(StatusCode, axum::Json<LinkMade>), Refused> {
    let mut form = Form::default();
    let login = crate::form::plain(&body.login);
    if login.is_empty() {
        form.mistake("login", "empty", "this must not be empty");
    } else if login.chars().count() > LOGIN_CHARS {
        form.mistake("login", "too_long", format!("at most {LOGIN_CHARS} characters"));
    } else if !login.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-@".contains(&byte)) {
        // Two logins that look the same in two scripts would be two people.
        form.mistake("login", "wrong_letters", "Latin letters, digits, and . _ - @");
    } else if desk.directory.staff_by_login(&login).await?.is_some() {
        form.mistake("login", "taken", "somebody has this login");
    }
    let name = form.line("name", &body.name, NAME_CHARS, Letters::Name);
    let mail = form.mail("mail", &body.mail);
    let roles = roles(&mut form, &body.roles);
    form.done()?;
    let id = StaffId(fresh.id().map_err(|_| Code::Busy)?);
    let centre = who.staff.centre;
    let staff = StaffRow { id, centre, login, name, mail, roles, password_hash: None, disabled: false };
    desk.directory.add_staff(staff.clone()).await?;
    desk.audit.note(&who, "staff_added", id.to_string()).await?;
    Ok((StatusCode::CREATED, axum::Json(desk.send_link(&staff).await?)))
}

/// A new link: for whoever lost the first, or forgot a password. Earlier ones end; a password holds until it is used.
pub(crate) async fn link(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    who: Who,
) -> Result<axum::Json<LinkMade>, Refused> {
    let staff = desk.own(who.staff.centre, &id).await?;
    desk.personnel.end_setup_tokens(staff.id).await?;
    desk.audit.note(&who, "setup_link_made", staff.id.to_string()).await?;
    Ok(axum::Json(desk.send_link(&staff).await?))
}

/// Name, address, roles, disabled, unless somebody else edited them meanwhile. Other roles and being disabled end that
/// person's sign-ins at once.
pub(crate) async fn edit(
    State(desk): State<Desk>,
    State(peers): State<Arc<Peers>>,
    Path(id): Path<String>,
    who: Who,
    Json(body): Json<EditMember>,
) -> Result<StatusCode, Refused> {
    let EditMember { was, is } = body;
    let staff = desk.own(who.staff.centre, &id).await?;
    let mut form = Form::default();
    let name = form.line("name", &is.name, NAME_CHARS, Letters::Name);
    let mail = form.mail("mail", &is.mail);
    let roles = roles(&mut form, &is.roles);
    form.done()?;
    let edit = StaffEdit { name, mail, roles, disabled: is.disabled };
    let action = match (staff.disabled, is.disabled, edit.keeps_roles(&staff)) {
        (false, true, _) => "staff_disabled",
        (true, false, _) => "staff_enabled",
        (_, _, false) => "roles_changed",
        _ => "staff_edited",
    };
    let ended = desk.personnel.edit_staff(who.staff.centre, staff.id, seen(was), edit).await?;
    desk.audit.note(&who, action, staff.id.to_string()).await?;
    if is.disabled {
        desk.personnel.end_setup_tokens(staff.id).await?;
    }
    for cookie in ended {
        peers.close_all(Owner::Staff(cookie)).await;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// What the page showed, as it is stored.
fn seen(fields: MemberFields) -> StaffEdit {
    let MemberFields { name, mail, roles, disabled } = fields;
    let roles = roles.into_iter().map(convert::store_role).collect();
    StaffEdit { name, mail: Some(mail).filter(|mail| !mail.is_empty()), roles, disabled }
}

/// Takes somebody's second factor away: their phone is lost and their recovery codes too.
pub(crate) async fn reset_factor(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    who: Who,
) -> Result<StatusCode, Refused> {
    let staff = desk.own(who.staff.centre, &id).await?;
    desk.personnel.remove_factor(staff.id).await?;
    desk.audit.note(&who, "second_factor_reset", staff.id.to_string()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether a role needs a second factor.
pub(crate) async fn set_factor_rule(
    State(desk): State<Desk>,
    who: Who,
    Json(FactorRule { role, needed }): Json<FactorRule>,
) -> Result<StatusCode, Refused> {
    let centre = who.staff.centre;
    desk.personnel.set_factor_rule(centre, convert::store_role(role), needed).await?;
    let rule = desk.personnel.factor_rule(centre).await?;
    let words: Vec<&str> = rule.into_iter().map(synaq_store::Role::as_str).collect();
    desk.audit.note(&who, "second_factor_rule_set", words.join(" ")).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn roles(form: &mut Form, roles: &[Role]) -> Vec<synaq_store::Role> {
    if roles.is_empty() {
        form.mistake("roles", "empty", "choose at least one role");
    }
    // In the order of the table, each once.
    let wanted: Vec<_> = roles.iter().copied().map(convert::store_role).collect();
    synaq_store::Role::ALL.into_iter().filter(|role| wanted.contains(role)).collect()
}

impl Desk {
    async fn own(&self, centre: CentreId, id: &str) -> Result<StaffRow, Refused> {
        let id: StaffId = id.parse().map_err(|_| Code::NotFound)?;
        let staff = self.directory.staff(id).await?;
        if staff.centre == centre { Ok(staff) } else { Err(Code::NotFound.into()) }
    }

    async fn send_link(&self, staff: &StaffRow) -> Result<LinkMade, Refused> {
        let made = self.links.make(staff).await?;
        let (id, until) = (staff.id.0, made.until.0);
        let Some(to) = staff.mail.clone().filter(|_| self.post.is_open()) else {
            return Ok(LinkMade { staff: id, link: Some(made.url), until });
        };
        let from = self.face.sender(staff.centre).await?;
        let (kind, content) = match staff.password_hash {
            None => ("invitation", crate::mail::invitation(staff, &from, &made.url, made.until)),
            Some(_) => ("password", crate::mail::password(staff, &from, &made.url, made.until)),
        };
        self.post.send(staff.centre, vec![Letter { kind, about: staff.id.to_string(), to, content }]).await?;
        Ok(LinkMade { staff: id, link: None, until })
    }
}
