//! Before the exam: language, consent, device check, photos, admission, four texts, the draw.

use super::{Deciding, within};
use crate::bank::Lang;
use crate::form::{Seed, draw, seed};
use crate::ids::StaffId;
use crate::proctoring::Code;
use crate::session::event::{EvidenceRef, Fact, PhotoKind};
use crate::session::input::{AcknowledgedText, Creation, DeviceReport, PhotosSeen, Refusal};
use crate::session::limits::{EXTRA_MAX, LABEL_CHARS, REASON_CHARS};
use crate::session::state::{ExamSession, Stage, State};
use crate::time::{At, Span};
use std::collections::BTreeSet;

impl Deciding<'_> {
    pub(super) fn create(&mut self, creation: &Creation) -> Result<(), Refusal> {
        if creation.opens_at >= creation.closes_at || !(Span::ZERO..=EXTRA_MAX).contains(&creation.extra) {
            return Err(Refusal::OutOfLimits);
        }
        let context = self.session.context().clone();
        let programme = &context.programme;
        programme.plan.check(&context.bank).map_err(|_| Refusal::CannotDraw)?;
        self.emit(Fact::SessionCreated {
            centre: creation.centre,
            sitting: creation.sitting,
            programme: programme.slug.clone(),
            programme_version: programme.version,
            bank: programme.bank_slug.clone(),
            bank_version: programme.bank_version,
            bank_sha256: context.bank_sha256.clone(),
            draw_secret: creation.draw_secret,
            planned: Span::mins(i64::from(programme.plan.minutes)),
            extra: creation.extra,
            opens_at: creation.opens_at,
            closes_at: creation.closes_at,
            switched_off: context.rules.switched_off.clone(),
            care: creation.care.clone(),
        });
        Ok(())
    }

    pub(super) fn choose_language(&mut self, lang: Lang) -> Result<(), Refusal> {
        self.preparing()?;
        // English is a language of the interface only: its readers sit the Russian paper.
        let paper = if lang == Lang::En { Lang::Ru } else { lang };
        if !self.session.context().programme.plan.languages.contains(&paper) {
            return Err(Refusal::LanguageNotOffered);
        }
        self.emit_command(Fact::LanguageChosen { lang });
        Ok(())
    }

    pub(super) fn consent(&mut self, text_version: String, lang: Lang) -> Result<(), Refusal> {
        self.preparing()?;
        self.step(self.state().lang.is_some())?;
        within(&text_version, 1, LABEL_CHARS)?;
        self.emit_command(Fact::ConsentGiven { text_version, lang });
        Ok(())
    }

    pub(super) fn check_device(&mut self, report: DeviceReport) -> Result<(), Refusal> {
        self.preparing()?;
        self.step(self.state().consent.is_some())?;
        within(&report.camera_label, 0, LABEL_CHARS)?;
        within(&report.browser, 0, LABEL_CHARS)?;
        within(report.screen.as_deref().unwrap_or_default(), 0, LABEL_CHARS)?;
        self.emit_command(Fact::DeviceChecked { report });
        Ok(())
    }

    pub(super) fn photo(&mut self, kind: PhotoKind, evidence: EvidenceRef) -> Result<(), Refusal> {
        if self.state().recheck.is_some() {
            evidence_within(&evidence)?;
            return self.recheck_photo(kind, evidence);
        }
        self.preparing()?;
        // Photos under the proctor's eyes do not change until they are asked for again.
        if self.state().identity_submitted {
            return Err(Refusal::WrongStage);
        }
        self.step(self.state().device_works())?;
        evidence_within(&evidence)?;
        self.emit(Fact::PhotoStored { kind, evidence });
        Ok(())
    }

    pub(super) fn submit_identity(&mut self) -> Result<(), Refusal> {
        if self.state().recheck.is_some() {
            return self.submit_recheck();
        }
        self.preparing()?;
        if self.state().identity_submitted {
            return Err(Refusal::WrongStage);
        }
        let photos = &self.state().photos;
        self.step(
            photos.contains_key(&PhotoKind::Face)
                && photos.contains_key(&PhotoKind::Document)
                && self.state().device_works(),
        )?;
        self.emit_command(Fact::IdentitySubmitted);
        Ok(())
    }

    /// Right is what was looked at: the candidate can have sent other photos meanwhile.
    pub(super) fn admit(&mut self, by: StaffId, seen: Option<&PhotosSeen>) -> Result<(), Refusal> {
        self.identity_waits()?;
        let photos = &self.state().photos;
        let held = |kind| photos.get(&kind).map(|photo| photo.sha256.as_str());
        let same = |seen: &PhotosSeen| {
            seen.face.as_deref() == held(PhotoKind::Face)
                && seen.document.as_deref() == held(PhotoKind::Document)
        };
        if !seen.is_none_or(same) {
            return Err(Refusal::PhotosChanged);
        }
        self.emit(Fact::Admitted { by });
        Ok(())
    }

    pub(super) fn ask_again(&mut self, by: StaffId, reason: String) -> Result<(), Refusal> {
        self.identity_waits()?;
        within(&reason, 1, REASON_CHARS)?;
        self.emit(Fact::IdentityAskedAgain { by, reason });
        Ok(())
    }

    /// NB-15, NB-16, NB-21: read and confirmed before the start.
    pub(super) fn acknowledge(
        &mut self,
        text: AcknowledgedText,
        text_version: String,
        lang: Lang,
    ) -> Result<(), Refusal> {
        self.preparing()?;
        self.step(self.state().admitted.is_some())?;
        within(&text_version, 1, LABEL_CHARS)?;
        self.emit_command(Fact::Acknowledged { text, text_version, lang });
        Ok(())
    }

    /// Before the start, so that the bell finds every paper stored: five thousand draws in its second would be a queue.
    /// Once only: a second half of the draw would be a choice between papers.
    pub(super) fn draw_paper(&mut self, nonce: Seed) -> Result<(), Refusal> {
        self.preparing()?;
        let state = self.state();
        if state.form.is_some() {
            return Err(Refusal::WrongStage);
        }
        if state.called_off.is_some() {
            return Err(Refusal::CalledOff);
        }
        if state.closes_at.is_none_or(|closes_at| self.at > closes_at) {
            return Err(Refusal::LinkExpired);
        }
        self.step(state.steps_done())?;
        let secret = state.draw_secret.ok_or(Refusal::CannotDraw)?;
        let context = self.session.context();
        let form = draw(&context.bank, &context.programme.plan, &BTreeSet::new(), seed(&secret.0, &nonce.0))
            .map_err(|_| Refusal::CannotDraw)?;
        self.emit_command(Fact::FormDrawn { nonce, form });
        Ok(())
    }

    pub(super) fn begin(&mut self) -> Result<(), Refusal> {
        self.session.may_begin(self.at)?;
        let deadline = self.at + self.state().planned + self.state().extra;
        self.emit_command(Fact::Started { deadline });
        Ok(())
    }

    fn preparing(&self) -> Result<(), Refusal> {
        self.session.preparing()
    }

    #[expect(clippy::unused_self, reason = "reads as a sentence beside its siblings")]
    fn step(&self, done: bool) -> Result<(), Refusal> {
        if done { Ok(()) } else { Err(Refusal::StepMissing) }
    }

    fn identity_waits(&self) -> Result<(), Refusal> {
        self.preparing()?;
        if self.state().identity_submitted && self.state().admitted.is_none() {
            Ok(())
        } else {
            Err(Refusal::NothingWaits)
        }
    }
}

impl ExamSession {
    /// Whether `Begin` would be accepted at `at`: a look at the state, no draw.
    ///
    /// # Errors
    /// What is missing.
    pub fn may_begin(&self, at: At) -> Result<(), Refusal> {
        self.preparing()?;
        let state = self.state();
        if state.called_off.is_some() {
            return Err(Refusal::CalledOff);
        }
        if state.opens_at.is_none_or(|opens_at| at < opens_at) {
            return Err(Refusal::NotOpenYet);
        }
        if state.closes_at.is_none_or(|closes_at| at > closes_at) {
            return Err(Refusal::LinkExpired);
        }
        if !state.steps_done() || state.form.is_none() {
            return Err(Refusal::StepMissing);
        }
        // NB-19: a web camera and a microphone; the screen is the programme's own wish.
        let all = state.video && state.audio && (state.screen || !self.wants_screen());
        if all { Ok(()) } else { Err(Refusal::MediaMissing) }
    }

    /// Whether the candidate shares the screen: the programme asks for it, and no accommodation takes it back.
    #[must_use]
    pub fn wants_screen(&self) -> bool {
        self.context().programme.screen && self.rule(Code::ScreenShareEnded).is_some()
    }

    fn preparing(&self) -> Result<(), Refusal> {
        match self.state().stage {
            Stage::Preparing => Ok(()),
            Stage::Closed { .. } => Err(Refusal::ExamEnded),
            Stage::Absent | Stage::Running { .. } => Err(Refusal::WrongStage),
        }
    }
}

impl State {
    /// Everything a person has to do before the paper.
    fn steps_done(&self) -> bool {
        self.lang.is_some()
            && self.consent.is_some()
            && self.device_works()
            && self.admitted.is_some()
            && AcknowledgedText::ALL.iter().all(|text| self.acknowledged.contains_key(text))
    }

    /// NB-19: camera, microphone and Internet were seen to work.
    fn device_works(&self) -> bool {
        self.device_report
            .as_ref()
            .is_some_and(|report| report.camera && report.microphone && report.connection)
    }
}

pub(super) fn evidence_within(evidence: &EvidenceRef) -> Result<(), Refusal> {
    within(&evidence.name, 1, LABEL_CHARS)?;
    crate::ids::hex32::decode(&evidence.sha256).map(|_| ()).ok_or(Refusal::OutOfLimits)
}
