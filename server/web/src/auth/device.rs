//! A candidate's device: `Authorization: Bearer <session>.<device key>`.

use crate::problem::Refused;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use synaq_core::ids::{DeviceHash, SessionId};
use synaq_runtime::{Handle, Snapshot, SubmitError};
use synaq_wire::problem::Code;

/// Devices remembered that came by link and wait or were superseded: a few per session of a large installation.
const KNOWN_MAX: usize = 50_000;

/// A device key as its hash; `None` unless it is base64url of exactly 256 bits.
pub(crate) fn device_hash(key: &str) -> Option<DeviceHash> {
    let key: [u8; 32] = URL_SAFE_NO_PAD.decode(key).ok()?.try_into().ok()?;
    Some(DeviceHash(synaq_seal::sha256(&key).0))
}

/// Devices that have shown a personal link to this process. The device in charge and the one that waits stand in the
/// session's own state; the others show their link again after a restart.
#[derive(Default)]
pub(crate) struct KnownDevices(Mutex<Known>);

#[derive(Default)]
struct Known {
    devices: HashMap<DeviceHash, SessionId>,
    oldest_first: VecDeque<DeviceHash>,
}

impl KnownDevices {
    pub(crate) fn add(&self, session: SessionId, device: DeviceHash) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.devices.insert(device, session).is_none() {
            known.oldest_first.push_back(device);
        }
        if known.oldest_first.len() > KNOWN_MAX
            && let Some(oldest) = known.oldest_first.pop_front()
        {
            known.devices.remove(&oldest);
        }
    }

    fn has(&self, session: SessionId, device: DeviceHash) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.devices.get(&device) == Some(&session)
    }
}

/// A device with a valid credential.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    pub(crate) session: SessionId,
    pub(crate) hash: DeviceHash,
    pub(crate) snapshot: Snapshot,
}

impl Device {
    /// The one that sits the exam, not one that waits.
    pub(crate) fn in_charge(&self) -> Result<(), Refused> {
        let binding = self.snapshot.session.state().binding.as_ref();
        match binding {
            Some(binding) if binding.device == self.hash => Ok(()),
            _ => Err(Code::OtherDevice.into()),
        }
    }
}

/// A credential of the right shape, not looked up yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Credential {
    pub(crate) session: SessionId,
    pub(crate) device: DeviceHash,
}

impl<S: Sync> FromRequestParts<S> for Credential {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (session, key) = header.and_then(credential).ok_or(Code::CredentialInvalid)?;
        Ok(Self { session, device: device_hash(key).ok_or(Code::CredentialInvalid)? })
    }
}

impl Device {
    /// Whose device it is, as the session and this process know it.
    pub(crate) async fn of(
        credential: Credential,
        runtime: &Handle,
        known: &KnownDevices,
    ) -> Result<Self, Refused> {
        let Credential { session, device: hash } = credential;
        let snapshot = match runtime.look(session).await {
            Err(SubmitError::NotFound) => return Err(Code::CredentialInvalid.into()),
            looked => looked?,
        };
        let seen = snapshot.session.state();
        let bound = seen.binding.as_ref().is_some_and(|binding| binding.device == hash);
        let waits = seen.waiting_device.is_some_and(|(device, _, _)| device == hash);
        if bound || waits || known.has(session, hash) {
            return Ok(Self { session, hash, snapshot });
        }
        Err(Code::CredentialInvalid.into())
    }
}

impl<S: Sync> FromRequestParts<S> for Device
where
    Handle: FromRef<S>,
    Arc<KnownDevices>: FromRef<S>,
{
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let credential = Credential::from_request_parts(parts, state).await?;
        Self::of(credential, &Handle::from_ref(state), &Arc::<KnownDevices>::from_ref(state)).await
    }
}

fn credential(header: &str) -> Option<(SessionId, &str)> {
    let (session, key) = header.strip_prefix("Bearer ")?.split_once('.')?;
    Some((session.parse().ok()?, key))
}
