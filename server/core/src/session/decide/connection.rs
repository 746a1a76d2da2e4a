//! One session, one device, one tab; everything else waits for a proctor (8.3 constraint 2). Each binding of a tab
//! has its own epoch, because each tab counts its own commands.

use super::Deciding;
use crate::ids::{DeviceHash, Epoch, SocketId, StaffId, TabId};
use crate::proctoring::{Code, DetectorEvent, SignalPhase, Source};
use crate::session::event::Fact;
use crate::session::input::{Effect, Refusal};
use crate::session::limits::{CHATTER_EVENTS_MAX, REASON_CHARS};
use crate::session::state::{Binding, Stage};
use crate::time::At;

impl Deciding<'_> {
    pub(super) fn bind(&mut self, device: DeviceHash, tab: TabId) -> Result<(), Refusal> {
        if let Some(binding) = &self.state().binding {
            if binding.device != device {
                return Err(Refusal::OtherDevice);
            }
            let effect = Effect::Attached(binding.epoch);
            self.answer(effect);
            return Ok(());
        }
        if self.state().called_off.is_some() {
            return Err(Refusal::CalledOff);
        }
        if self.state().closes_at.is_some_and(|closes_at| self.at > closes_at) {
            return Err(Refusal::LinkExpired);
        }
        let epoch = Epoch(1);
        self.emit(Fact::DeviceBound { epoch, device, tab, admitted_by: None });
        self.answer(Effect::Attached(epoch));
        Ok(())
    }

    /// The same tab replaces its old socket silently. Another tab of the same device takes over freely once the first
    /// is gone for good, under a new epoch: what the former tab still queues is evidence. All else waits.
    pub(super) fn attach(&mut self, device: DeviceHash, tab: TabId, socket: SocketId) -> Result<(), Refusal> {
        let state = self.state();
        if state.called_off.is_some() {
            return Err(Refusal::CalledOff);
        }
        let binding = state.binding.clone().ok_or(Refusal::WrongStage)?;
        let live = state.socket.map(|(live, _)| live);
        let own = binding.device == device;
        if own && (binding.tab == tab || live == Some(socket)) {
            self.welcome_back(&binding, tab, socket);
            return Ok(());
        }
        let may_return = state.tab_may_return_until().is_some_and(|until| self.at < until);
        // There is one place to wait in, and a stranger whom the proctor looks at keeps it.
        let stranger_waits = state.waiting_device.is_some_and(|(waiting, ..)| waiting != device);
        if own && live.is_none() && (!may_return || stranger_waits) {
            let epoch = self.rebind(self.at, device, tab, socket, None);
            self.answer(Effect::Attached(epoch));
            return Ok(());
        }
        if state.waiting_device == Some((device, tab, socket)) {
            self.answer(Effect::AttachWaits);
            return Ok(());
        }
        if state.chatter_events >= CHATTER_EVENTS_MAX {
            return Err(Refusal::TooManyEvents);
        }
        if let Some((_, _, waiting)) = state.waiting_device
            && waiting != socket
        {
            self.answer(Effect::CloseSocket(waiting));
        }
        self.emit(Fact::DeviceWaiting { device, tab, socket });
        self.answer(Effect::AttachWaits);
        self.claim_second_connection();
        Ok(())
    }

    fn welcome_back(&mut self, binding: &Binding, tab: TabId, socket: SocketId) {
        let live = self.state().socket.map(|(live, _)| live);
        if live != Some(socket) {
            self.cut_off_client();
            self.credit_return(self.at);
            self.emit(Fact::Connected { epoch: binding.epoch, tab, socket });
            if let Some(old) = live {
                self.answer(Effect::CloseSocket(old));
            }
            self.claim_second_connection();
        }
        self.answer(Effect::Attached(binding.epoch));
    }

    /// Somebody else's page beside the candidate's is for a person to judge. A tab that was in charge before is not
    /// somebody else's: it comes to hand over late answers. Nor is one that only waits for its own device to be free.
    fn claim_second_connection(&mut self) {
        let state = self.state();
        let Some((device, tab, _)) = state.waiting_device else { return };
        let own = state.binding.as_ref().is_some_and(|binding| binding.device == device);
        let told = state.incidents.iter().any(|incident| {
            incident.code == Code::SecondConnection
                && state.waiting_since.is_some_and(|since| incident.seen_at >= since)
        });
        if told
            || !matches!(state.stage, Stage::Running { .. })
            || state.once_in_charge.contains(&(device, tab))
            || (own && state.socket.is_none())
        {
            return;
        }
        let claim = DetectorEvent {
            code: Code::SecondConnection,
            phase: SignalPhase::Seen,
            source: Source::Server,
            confidence_pct: 100,
            at: self.at,
            note: None,
            measured: None,
        };
        self.observe(&claim);
    }

    /// A lost connection is technical, never a violation; it also ends what only the browser could tell.
    pub(super) fn detach(&mut self, socket: SocketId, reason: String) {
        let state = self.state();
        let live = state.socket.is_some_and(|(live, _)| live == socket);
        let waits = state.waiting_device.is_some_and(|(_, _, waiting)| waiting == socket);
        if !live && !waits {
            return;
        }
        let reason = reason.chars().take(REASON_CHARS).collect();
        if live {
            self.cut_off_client();
        }
        self.emit(Fact::Disconnected { socket, reason });
    }

    /// A tab of the same device that waited for the one that went: nobody has to be asked.
    pub(super) fn promote_waiting_tab(&mut self, at: At) {
        if let Some((device, tab, socket)) = self.state().waiting_device {
            self.rebind(at, device, tab, socket, None);
        }
    }

    /// A new epoch for that tab, and its socket in charge: whoever serves the socket sees it in the state.
    fn rebind(
        &mut self,
        at: At,
        device: DeviceHash,
        tab: TabId,
        socket: SocketId,
        admitted_by: Option<StaffId>,
    ) -> Epoch {
        let last = self.state().binding.as_ref().map_or(0, |binding| binding.epoch.0);
        let epoch = Epoch(last.saturating_add(1));
        self.credit_return(at);
        self.emit_at(at, Fact::DeviceBound { epoch, device, tab, admitted_by });
        self.emit_at(at, Fact::Connected { epoch, tab, socket });
        epoch
    }

    /// With its socket goes the browser's word for what goes on; it can take it up after a reconnect.
    fn cut_off_client(&mut self) {
        if self.state().socket.is_some() {
            self.end_running_incidents(self.at, |incident| {
                incident.source == Source::Client || incident.code.needs_failed_restore()
            });
        }
    }

    /// `seen` is the one on the proctor's screen: a later one is never admitted in its stead.
    pub(super) fn admit_device(&mut self, by: StaffId, seen: Option<SocketId>) -> Result<(), Refusal> {
        let (device, tab, socket) = self.state().waiting_device.ok_or(Refusal::NothingWaits)?;
        if seen.is_some_and(|seen| seen != socket) {
            return Err(Refusal::NothingWaits);
        }
        let old = self.state().socket.map(|(old, _)| old);
        self.cut_off_client();
        self.rebind(self.at, device, tab, socket, Some(by));
        self.answer(Effect::Accepted);
        if let Some(old) = old {
            self.answer(Effect::CloseSocket(old));
        }
        Ok(())
    }
}
