//! The line and the device: connecting, losing the line in all its ways, a second page.

use super::page::{Page, Pending};
use super::{AGAIN_MS, Candidate, Script, Todo};
use crate::dice::Dice;
use crate::net::{Place, Up, connect};
use crate::plan::{Act, Trouble, name_of};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use synaq_core::ids::{DeviceHash, SocketId, TabId};
use synaq_core::session::{Command, Effect, Input};
use synaq_core::time::Span;
use tokio::sync::watch;

/// The server's end of a dead line is there for so long.
const REAPED_AFTER: Duration = Duration::from_secs(45);

impl Candidate {
    pub(super) async fn connect(&mut self) {
        if self.line.is_some() || self.gone {
            return;
        }
        let node = self.ground.node.borrow().clone();
        let Some(node) = node else { return self.after(AGAIN_MS, Todo::Connect) };
        if self.page.epoch.is_none() && !self.visits() {
            let bind = Input::Bind { device: self.page.device, tab: self.page.tab };
            let bound = node.handle.submit(self.session, bind).await;
            let bound = bound.is_ok_and(|done| matches!(done.effects[..], [Effect::Attached(_)]));
            if !bound {
                return self.after(AGAIN_MS, Todo::Connect);
            }
        }
        self.connections += 1;
        let socket = SocketId(self.dice.id());
        let place = Place { session: self.session, device: self.page.device, tab: self.page.tab, socket };
        let dice = Dice::new(self.ground.seed, &[0x11e, self.page.name(), self.connections]);
        self.line = Some(connect(&node, place, &self.ground.history, dice));
    }

    /// All of it, in order: what arrived before is answered with its first receipt.
    pub(super) fn send_outbox(&mut self) {
        for pending in self.page.outbox.clone() {
            self.send(&pending);
        }
    }

    pub(super) fn resend_failed(&mut self) {
        for place in 0..self.page.outbox.len() {
            if std::mem::take(&mut self.page.outbox[place].failed) {
                let pending = self.page.outbox[place].clone();
                self.send(&pending);
            }
        }
    }

    pub(super) fn send(&self, pending: &Pending) {
        let Some(line) = &self.line else { return };
        let mut command = pending.command.clone();
        if let Command::Signal { ago, .. } = &mut command {
            // The device says anew at each sending how long ago it was.
            *ago = Span(self.clock.elapsed_ms() - pending.made_at);
        }
        line.up.send(Up { client: pending.client, command });
    }

    pub(super) async fn suffer(&mut self, trouble: Trouble, over: &watch::Receiver<bool>) {
        self.history().count(&format!("trouble {}", name_of(&trouble)));
        match trouble {
            Trouble::Cut { offline_ms, arrives } => self.cut(offline_ms, arrives),
            Trouble::Reload { for_ms } => self.cut(for_ms, true),
            Trouble::HalfOpen { for_ms } => {
                if let Some(line) = &self.line {
                    line.weather.silent.store(true, Ordering::SeqCst);
                    self.after(for_ms, Todo::GiveUpLine);
                }
            }
            Trouble::Slow { for_ms, delay_ms } => {
                if let Some(line) = &self.line {
                    line.weather.delay_ms.store(delay_ms, Ordering::SeqCst);
                    self.after(for_ms, Todo::Clear);
                }
            }
            Trouble::SendTwice => {
                for answered in self.page.answered.clone() {
                    self.send(&answered);
                }
                self.send_outbox();
            }
            Trouble::SecondTab { for_ms } => self.visitor(self.page.device, for_ms, over),
            Trouble::SecondDevice { for_ms } => {
                let device = DeviceHash(self.dice.bytes());
                self.visitor(device, for_ms, over);
            }
            Trouble::PictureLost { for_ms } => {
                self.picture_lost = true;
                self.publish().await;
                self.after(for_ms, Todo::PictureBack);
                self.after(for_ms, Todo::Publish);
            }
        }
    }

    pub(super) fn cut(&mut self, offline_ms: u64, arrives: bool) {
        if let Some(line) = self.line.take() {
            line.cut(arrives);
            self.in_charge = false;
            self.after(offline_ms, Todo::Connect);
        }
    }

    /// A dead line is left to the server to find out, one that only waits is closed.
    pub(super) fn give_up_line(&mut self) {
        let silent = self.line.as_ref().is_some_and(|line| line.weather.silent.load(Ordering::SeqCst));
        if !silent && self.in_charge {
            return;
        }
        let Some(line) = self.line.take() else { return };
        self.in_charge = false;
        if silent {
            tokio::spawn(async move {
                tokio::time::sleep(REAPED_AFTER).await;
                line.cut(false);
            });
        }
        self.after(100, Todo::Connect);
    }

    pub(super) fn clear(&self) {
        if let Some(line) = &self.line {
            line.weather.delay_ms.store(0, Ordering::SeqCst);
        }
    }

    /// A second page of the same exam: it answers something if it is let in, and goes again.
    fn visitor(&mut self, device: DeviceHash, for_ms: u64, over: &watch::Receiver<bool>) {
        let tab = TabId(self.dice.id());
        let mut acts = Vec::new();
        for at_ms in [300, 1_500, 4_000] {
            let question = u16::try_from(self.dice.below(6)).expect("below 6");
            let shown = vec![u8::try_from(self.dice.below(4)).expect("below 4")];
            acts.push((at_ms, Act::Answer { question, shown }));
        }
        let habits = self.script.habits.clone();
        let script = Script { habits, acts, troubles: Vec::new(), visits_ms: Some(for_ms) };
        let page = Page::new(device, tab);
        let visitor = Self::new(Arc::clone(&self.ground), self.clock.clone(), self.session, script, page);
        tokio::spawn(visitor.boxed(over.clone()));
    }

    /// Named, because a page can open a page.
    pub(crate) fn boxed(self, over: watch::Receiver<bool>) -> BoxFuture<'static, ()> {
        self.run(over).boxed()
    }
}
