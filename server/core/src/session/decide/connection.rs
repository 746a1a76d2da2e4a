//! One session, one device, one tab; everything else waits for a proctor (8.3 constraint 2). Each binding of a tab
//! has its own epoch, because each tab counts its own commands.

use super::Deciding;
use crate::ids::{DeviceHash, Epoch, SocketId, StaffId, TabId};
use crate::proctoring::{Code, DetectorEvent, SignalPhase, Source};
use crate::session::event::Fact;
use crate::session::input::{Effect, Refusal};
use crate::session::limits::{CHATTER_EVENTS_MAX, REASON_CHARS};
use crate::session::state::Stage;

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
        if self.state().closes_at.is_some_and(|closes_at| self.at > closes_at) {
            return Err(Refusal::LinkExpired);
        }
        let epoch = Epoch(1);
        self.emit(Fact::DeviceBound { epoch, device, tab, admitted_by: None });
        self.answer(Effect::Attached(epoch));
        Ok(())
    }

    /// The same tab replaces its old socket silently. Another tab of the same device takes over freely when no socket
    /// is live, under a new epoch: what the former tab still queues is evidence. All else waits.
    pub(super) fn attach(&mut self, device: DeviceHash, tab: TabId, socket: SocketId) -> Result<(), Refusal> {
        let state = self.state();
        let binding = state.binding.clone().ok_or(Refusal::WrongStage)?;
        let live = state.socket.map(|(live, _)| live);
        if binding.device == device && binding.tab != tab && live.is_none() {
            let epoch = self.rebind(device, tab, socket, None);
            self.answer(Effect::Attached(epoch));
            return Ok(());
        }
        if binding.device == device && (binding.tab == tab || live == Some(socket)) {
            if live != Some(socket) {
                self.cut_off_client();
                self.emit(Fact::Connected { epoch: binding.epoch, tab, socket });
                if let Some(old) = live {
                    self.answer(Effect::CloseSocket(old));
                }
            }
            self.answer(Effect::Attached(binding.epoch));
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
        if matches!(self.state().stage, Stage::Running { .. }) {
            let claim = DetectorEvent {
                code: Code::SecondConnection,
                phase: SignalPhase::Seen,
                source: Source::Server,
                confidence_pct: 100,
                at: self.at,
                note: None,
            };
            self.observe(&claim);
        }
        Ok(())
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
        if live {
            self.promote_waiting_tab();
        }
    }

    /// A tab of the same device that waited for the one that went: nobody has to be asked.
    fn promote_waiting_tab(&mut self) {
        let bound = self.state().binding.as_ref().map(|binding| binding.device);
        if let Some((device, tab, socket)) = self.state().waiting_device
            && bound == Some(device)
        {
            self.rebind(device, tab, socket, None);
        }
    }

    /// A new epoch for that tab, and its socket in charge: whoever serves the socket sees it in the state.
    fn rebind(
        &mut self,
        device: DeviceHash,
        tab: TabId,
        socket: SocketId,
        admitted_by: Option<StaffId>,
    ) -> Epoch {
        let last = self.state().binding.as_ref().map_or(0, |binding| binding.epoch.0);
        let epoch = Epoch(last.saturating_add(1));
        self.emit(Fact::DeviceBound { epoch, device, tab, admitted_by });
        self.emit(Fact::Connected { epoch, tab, socket });
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
        self.rebind(device, tab, socket, Some(by));
        self.answer(Effect::Accepted);
        if let Some(old) = old {
            self.answer(Effect::CloseSocket(old));
        }
        Ok(())
    }
}
