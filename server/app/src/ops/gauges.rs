//! What is looked up when somebody asks rather than counted when it happens.

use super::watch::Watch;
use super::{disk, process};
use crate::clock;
use metrics::{describe_counter, describe_gauge, gauge};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The backlog is asked of the database, so not for every scrape.
const BACKLOG_EVERY: Duration = Duration::from_secs(5);
/// A database that does not answer must not keep the operator from everything else.
const BACKLOG_PATIENCE: Duration = Duration::from_secs(1);

/// When the backlog was looked up last.
#[derive(Debug, Default)]
pub(crate) struct Gauges {
    backlog_at: Mutex<Option<Instant>>,
}

/// What the metrics mean. Each stands in OPERATIONS.md, with what to do when it is bad.
pub(crate) fn describe() {
    for (name, what) in [
        ("synaq_build_info", "1; the version is its label"),
        ("synaq_ready", "1 when candidates may be sent here"),
        ("synaq_sockets_open", "WebSockets open now, by seat"),
        ("synaq_sessions_coming_back", "Running exams and unsealed records not in memory yet"),
        ("synaq_store_last_commit_age_seconds", "Since events were last stored"),
        ("synaq_outbox_waiting", "Messages the platform has not acknowledged"),
        ("synaq_outbox_oldest_age_seconds", "Age of the oldest of them"),
        ("synaq_outbox_refused", "Messages the platform refused; a person must look"),
        ("synaq_mail_waiting", "Letters no mail server has taken yet"),
        ("synaq_mail_oldest_age_seconds", "Age of the oldest of them"),
        ("synaq_mail_failed", "Letters given up; a person must look"),
        ("synaq_clock_ahead_of_wall_ms", "The server's clock less the machine's"),
        ("synaq_clock_ahead_of_server_ms", "The server's clock less the last time server's"),
        ("synaq_media_publishers", "Cameras connected now"),
        ("synaq_media_viewers", "Proctors' pictures open now"),
        ("synaq_media_rooms", "Sessions with media now"),
        ("synaq_disk_free_bytes", "Room on the disk of a folder"),
        ("synaq_evidence_waiting_bytes", "Evidence written here that its store does not have yet"),
        ("synaq_evidence_waiting_seconds", "Since the oldest of it was written"),
        ("process_start_time_seconds", "When this process started, Unix time"),
        ("process_open_fds", "Files, sockets and pipes open now"),
        ("process_max_fds", "How many may be open at once"),
        ("process_resident_memory_bytes", "Memory in RAM"),
        ("process_threads", "Threads now"),
    ] {
        describe_gauge!(name, what);
    }
    for (name, what) in [
        ("synaq_store_failures_total", "Writes the store did not take"),
        ("synaq_evidence_carried_bytes_total", "Evidence carried to its store"),
        ("synaq_evidence_carry_failures_total", "Parts that the store did not take, by reason"),
        ("synaq_mail_letters_total", "Attempts to send a letter, by outcome"),
        ("synaq_media_datagrams_total", "Media packets received"),
        ("synaq_media_bytes_total", "Media bytes received"),
        ("synaq_media_forwarded_total", "Media packets sent on to proctors"),
        ("synaq_media_dropped_total", "Media packets and frames thrown away, by reason"),
        ("synaq_media_lost_packets_total", "Media packets that never came, repairs included"),
        ("synaq_media_refused_frames_total", "Key frames that were no VP8, or of an absurd size"),
        ("synaq_media_panics_total", "Peers dropped for a fault of the WebRTC core"),
    ] {
        describe_counter!(name, what);
    }
    gauge!("synaq_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    // As Prometheus names it: whole seconds suffice.
    gauge!("process_start_time_seconds").set(float(clock::wall_millis().unsigned_abs() / 1_000));
}

/// The kernel's view of this process.
pub(crate) fn of_process() {
    let set = |name: &'static str, value: Option<u64>| {
        if let Some(value) = value {
            gauge!(name).set(float(value));
        }
    };
    set("process_open_fds", process::open_descriptors());
    set("process_max_fds", process::descriptor_limit());
    set("process_resident_memory_bytes", process::resident_bytes());
    set("process_threads", process::threads());
}

impl Gauges {
    /// The installation's own.
    pub(crate) async fn of_installation(&self, watch: &Watch) {
        of_media(watch.media.stats());
        let coming_back = u64::try_from(watch.runtime.coming_back()).unwrap_or(u64::MAX);
        gauge!("synaq_sessions_coming_back").set(float(coming_back));
        for (name, folder) in &watch.folders {
            if let Ok(free) = disk::free_bytes(folder) {
                gauge!("synaq_disk_free_bytes", "folder" => *name).set(float(free));
            }
        }
        if let Some(since) = watch.store.since_commit() {
            gauge!("synaq_store_last_commit_age_seconds").set(since.as_secs_f64());
        }
        if self.backlog_is_due() {
            of_outbox(watch).await;
            of_mail(watch).await;
        }
    }

    fn backlog_is_due(&self) -> bool {
        let mut at = self.backlog_at.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let due = at.is_none_or(|at| at.elapsed() >= BACKLOG_EVERY);
        if due {
            *at = Some(Instant::now());
        }
        due
    }
}

async fn of_outbox(watch: &Watch) {
    match tokio::time::timeout(BACKLOG_PATIENCE, watch.outbox.backlog()).await {
        Ok(Ok(backlog)) => {
            let age = backlog.oldest.map_or(0, |oldest| (watch.clock.now() - oldest).0.max(0));
            gauge!("synaq_outbox_waiting").set(float(backlog.queued));
            gauge!("synaq_outbox_refused").set(float(backlog.refused));
            gauge!("synaq_outbox_oldest_age_seconds")
                .set(Duration::from_millis(age.unsigned_abs()).as_secs_f64());
        }
        // The gauges keep their last value; `synaq_ready` and the store's own metrics tell that it does not answer.
        Ok(Err(error)) => tracing::debug!(%error, "the backlog could not be read"),
        Err(_) => tracing::debug!("the store did not tell the backlog in time"),
    }
}

async fn of_mail(watch: &Watch) {
    match tokio::time::timeout(BACKLOG_PATIENCE, watch.mail.mail_backlog()).await {
        Ok(Ok(backlog)) => {
            let age = backlog.oldest.map_or(0, |oldest| (watch.clock.now() - oldest).0.max(0));
            gauge!("synaq_mail_waiting").set(float(backlog.queued));
            gauge!("synaq_mail_failed").set(float(backlog.failed));
            gauge!("synaq_mail_oldest_age_seconds")
                .set(Duration::from_millis(age.unsigned_abs()).as_secs_f64());
        }
        Ok(Err(error)) => tracing::debug!(%error, "the letters could not be counted"),
        Err(_) => tracing::debug!("the store did not count the letters in time"),
    }
}

fn of_media(stats: synaq_media::Stats) {
    for (name, value) in [
        ("synaq_media_publishers", stats.publishers),
        ("synaq_media_viewers", stats.viewers),
        ("synaq_media_rooms", stats.rooms),
    ] {
        gauge!(name).set(float(value));
    }
    for (name, value) in [
        ("synaq_media_datagrams_total", stats.datagrams_in),
        ("synaq_media_bytes_total", stats.bytes_in),
        ("synaq_media_forwarded_total", stats.forwarded),
        ("synaq_media_lost_packets_total", stats.lost_packets),
        ("synaq_media_refused_frames_total", stats.refused_frames),
        ("synaq_media_panics_total", stats.panics),
    ] {
        metrics::counter!(name).absolute(value);
    }
    for (reason, value) in [
        ("unknown_sender", stats.dropped_unknown),
        ("rate", stats.dropped_rate),
        ("busy", stats.dropped_busy),
        ("send_buffer", stats.dropped_out),
        ("recorder", stats.dropped_frames),
    ] {
        metrics::counter!("synaq_media_dropped_total", "reason" => reason).absolute(value);
    }
}

/// Prometheus knows floats only; what is measured stays exact below 2^53.
#[expect(clippy::cast_precision_loss, reason = "a gauge above 2^53 may be off by one")]
fn float(value: u64) -> f64 {
    value as f64
}
