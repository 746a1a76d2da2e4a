//! Rows 19 to 24 and 33: the way between candidate and server.

use super::Stage;
use super::storage::flows;
use crate::bot::Mode;
use crate::line::Line;
use crate::proxy::{Faults, TcpProxy, UdpProxy, Way};
use crate::report::Report;
use crate::scene::Scene;
use crate::watch::{lock, per_mille};
use anyhow::Context as _;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};
use tokio::time::sleep;

const CANDIDATES: usize = 6;
const EVERY_MS: u64 = 200;
const ACKS: Duration = Duration::from_secs(30);
/// Server and page give a silent socket up after 15 s; then comes another.
const REAPED: Duration = Duration::from_secs(45);

/// ICE looks at its path every few seconds.
const VIDEO_BACK: Duration = Duration::from_secs(12);

/// A sitting behind both proxies.
struct Way2 {
    scene: Scene,
    tcp: TcpProxy,
    udp: UdpProxy,
}

async fn behind_proxies(stage: &Stage, candidates: usize) -> anyhow::Result<Way2> {
    let mut house = stage.house()?;
    let tcp = TcpProxy::before(house.ports.http).await?;
    let udp = UdpProxy::before(house.ports.media).await?;
    house.set_outside(crate::house::Outside {
        http: Some(tcp.port()),
        media: Some(udp.port()),
        ..crate::house::Outside::default()
    });
    house.start()?;
    let scene = Scene::begin(house, &stage.folder, candidates).await?;
    scene.do_now(Mode::Answer(EVERY_MS));
    scene.more_acks(20, ACKS).await?;
    Ok(Way2 { scene, tcp, udp })
}

/// Row 19.
pub(super) async fn packets_are_lost(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let Way2 { scene, tcp, udp } = behind_proxies(stage, CANDIDATES).await?;
    for loss in [0.1, 0.3] {
        let way = Way { loss, twice: 0.01, jitter: Duration::from_millis(40), ..Way::default() };
        udp.set(Faults::both(way));
        // What TCP makes of loss: segments come late, in bursts.
        tcp.set(Faults::both(Way { jitter: Duration::from_millis(400), ..Way::default() }));
        sleep(Duration::from_secs(1)).await;
        let _ = scene.watched.take_latencies();
        let acks = scene.acks_within(stage.of(Duration::from_secs(15), Duration::from_secs(3))).await;
        let late = scene.watched.take_latencies();
        let seen = scene.with_video();
        report.note(format!(
            "{:.0} % loss: {acks} acknowledged, p99 {:?}, {seen} of {CANDIDATES} pictures arrive",
            loss * 100.0,
            per_mille(&late, 990)
        ));
        report.that("answers_go_on", acks > 0, || format!("at {loss}"));
        report.that("some_video_arrives", seen > 0, || format!("at {loss}"));
    }
    let breaks = scene.breaks();
    report.that("no_socket_broke", breaks == 0, || format!("{breaks}"));
    udp.set(Faults::default());
    tcp.set(Faults::default());
    scene.judge(report).await?;
    Ok(())
}

/// Row 20.
pub(super) async fn latency(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let Way2 { scene, tcp, udp } = behind_proxies(stage, CANDIDATES).await?;
    let way = Way { delay: Duration::from_secs(1), jitter: Duration::from_millis(500), ..Way::default() };
    tcp.set(Faults::both(way));
    udp.set(Faults::both(way));
    sleep(Duration::from_secs(3)).await;
    let _ = scene.watched.take_latencies();
    let acks = scene.acks_within(stage.of(Duration::from_secs(40), Duration::from_secs(8))).await;
    let late = scene.watched.take_latencies();
    let breaks = scene.breaks();
    report.note(format!("{acks} acknowledged, p50 {:?}, {breaks} sockets broke", per_mille(&late, 500)));
    report.that("answers_go_on", acks > 0, || "none".to_owned());
    report.that("no_socket_broke", breaks == 0, || format!("{breaks}"));
    tcp.set(Faults::default());
    udp.set(Faults::default());
    scene.judge(report).await?;
    Ok(())
}

/// Row 21: one line of 64 kbit/s for answers and picture of each candidate.
pub(super) async fn narrow(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let Way2 { scene, tcp, udp } = behind_proxies(stage, CANDIDATES).await?;
    tcp.set(Faults::both(Way { rate: 8_000, ..Way::default() }));
    // What is left of the line carries a few packets of a picture that needs 300 kbit/s.
    udp.set(Faults::both(Way { loss: 0.8, ..Way::default() }));
    sleep(Duration::from_secs(2)).await;
    let _ = scene.watched.take_latencies();
    let acks = scene.acks_within(stage.of(Duration::from_secs(20), Duration::from_secs(5))).await;
    let late = scene.watched.take_latencies();
    let (breaks, p99) = (scene.breaks(), per_mille(&late, 990));
    report.note(format!("{acks} acknowledged, p99 {p99:?}, {breaks} sockets broke"));
    report.that("ack_p99_below_2_s", acks > 0 && p99 < Duration::from_secs(2), || format!("{p99:?}"));
    report.that("no_socket_broke", breaks == 0, || format!("{breaks}"));
    tcp.set(Faults::default());
    udp.set(Faults::default());
    scene.judge(report).await?;
    Ok(())
}

/// Row 22: both ways, then one way, then the other.
pub(super) async fn partition(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let Way2 { scene, tcp, udp } = behind_proxies(stage, CANDIDATES).await?;
    let blocked = Way { blocked: true, ..Way::default() };
    let long = stage.of(Duration::from_secs(60), Duration::from_secs(3));
    let one_way = stage.of(Duration::from_secs(25), Duration::from_secs(2));
    let kinds = [
        ("both ways, short", Faults::partition(), Duration::from_secs(5)),
        ("both ways", Faults::partition(), long),
        ("up only", Faults { up: blocked, ..Faults::default() }, one_way),
        ("down only", Faults { down: blocked, ..Faults::default() }, one_way),
    ];
    // One of each in the short selection.
    for (name, faults, span) in kinds.into_iter().skip(stage.of(0, 1)) {
        let before = scene.deadlines();
        tcp.set(Faults { no_new: true, ..faults });
        udp.set(faults);
        sleep(Duration::from_secs(1)).await;
        let acks = scene.acks_within(span).await;
        tcp.set(Faults::default());
        udp.set(Faults::default());
        // A connection that was opened into nothing stays stuck until its side gives it up.
        let began = Instant::now();
        let back = scene.everybody_back(REAPED).await;
        let flowing = scene.more_acks(20, REAPED).await;
        report.note(format!(
            "{name} for {} s: answers {:.1} s later",
            span.as_secs(),
            began.elapsed().as_secs_f64()
        ));
        report.that("nothing_acknowledged_meanwhile", acks == 0, || format!("{name}: {acks}"));
        report.that("everybody_resumes", back.is_ok() && flowing.is_ok(), || {
            format!("{name}: {back:?} {flowing:?}")
        });
        // The candidate's own outage runs the clock.
        report.that("deadline_stands", scene.deadlines() == before, || name.to_owned());
    }
    scene.judge(report).await?;
    Ok(())
}

/// Row 23: another address in the middle of the exam.
pub(super) async fn rebind(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let Way2 { scene, tcp, udp } = behind_proxies(stage, CANDIDATES).await?;
    let mut seen = Vec::new();
    for _ in 0..stage.of(5, 1) {
        udp.rebind();
        tcp.reset();
        let flowing = flows(&scene).await;
        report.that("answers_flow_again_within_10_s", flowing.is_ok(), || format!("{flowing:?}"));
        // An address that is silent is given up by then: what still comes has moved.
        sleep(VIDEO_BACK).await;
        let began = Instant::now();
        while scene.with_video() < CANDIDATES && began.elapsed() < VIDEO_BACK {
            sleep(Duration::from_millis(50)).await;
        }
        seen.push(scene.with_video());
    }
    report.note(format!(
        "{} sockets broke, {seen:?} of {CANDIDATES} pictures arrive from the new port",
        scene.breaks()
    ));
    report.that("video_goes_on", seen.iter().all(|seen| *seen == CANDIDATES), || format!("{seen:?}"));
    scene.judge(report).await?;
    Ok(())
}

/// Row 24: RST, half-open, half-closed; and a reader that reads nothing.
pub(super) async fn half_open(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let Way2 { scene, tcp, .. } = behind_proxies(stage, CANDIDATES).await?;
    type Cut = fn(&TcpProxy);
    let mut kinds: Vec<(&str, Cut)> =
        vec![("reset", TcpProxy::reset), ("half-open", TcpProxy::leave_half_open)];
    if stage.whole {
        kinds.push(("half-closed", TcpProxy::half_close));
    }
    for (name, cut) in kinds {
        let gone = Instant::now();
        cut(&tcp);
        let acks = scene.more_acks(1, REAPED).await;
        let back = scene.back_within(gone, REAPED).await;
        report.note(format!("{name}: answers again after {:.1} s", gone.elapsed().as_secs_f64()));
        report.that("the_new_socket_wins", acks.is_ok() && back.is_ok(), || {
            format!("{name}: {acks:?} {back:?}")
        });
    }
    // The candidate's page hangs and reads nothing, while others go on.
    let before = scene.watched.acks();
    tcp.set(Faults { down: Way { rate: 200, ..Way::default() }, ..Faults::default() });
    sleep(stage.of(Duration::from_secs(20), Duration::from_secs(3))).await;
    tcp.set(Faults::default());
    let flowing = scene.more_acks(20, REAPED).await;
    report.note(format!("slow reader: {} acknowledged meanwhile and after", scene.watched.acks() - before));
    report.that("the_new_socket_wins", flowing.is_ok(), || format!("slow reader: {flowing:?}"));
    scene.judge(report).await?;
    Ok(())
}

/// Row 33: connections that say nothing, half a request, or nonsense.
pub(super) async fn junk(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let scene = stage.scene_without_cameras(CANDIDATES).await?;
    scene.do_now(Mode::Answer(EVERY_MS));
    scene.more_acks(20, ACKS).await?;
    let port = scene.house.ports.http;
    let count = stage.of(400, 100);
    let mut open = Vec::new();
    for number in 0..count {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        let said: &[u8] = match number % 4 {
            0 => b"",
            1 => b"GET / HTTP/1.1\r\nhost: loc",
            2 => &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3],
            _ => b"POST /api/v1/candidate/open HTTP/1.1\r\nhost: localhost\r\ncontent-length: 900000000\r\n\r\n{",
        };
        // A refusal while we still speak is an answer too.
        let _ = stream.write_all(said);
        open.push(stream);
    }
    let _ = scene.watched.take_latencies();
    let acks = scene.acks_within(stage.of(Duration::from_secs(15), Duration::from_secs(3))).await;
    let p99 = per_mille(&scene.watched.take_latencies(), 990);
    let fresh = scene.http("/healthz").is_some();
    let socket = Line::connect(&scene.house.base(), "/api/v1/candidate/socket?ticket=junk").await;
    drop(open);
    report.note(format!("{count} connections of junk: {acks} acknowledged, p99 {p99:?}"));
    report.that("answers_go_on", acks > 0 && p99 < Duration::from_secs(1), || format!("{acks}, {p99:?}"));
    report.that("new_ones_are_served", fresh, || "no answer".to_owned());
    report.that("a_false_ticket_opens_nothing", socket.is_err(), || "it did".to_owned());
    let breaks = scene.breaks();
    report.that("no_socket_broke", breaks == 0, || format!("{breaks}"));
    scene.judge(report).await?;
    Ok(())
}

/// Row 31.
pub(super) async fn proctors_leave(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let mut scene = stage.scene_without_cameras(CANDIDATES).await?;
    scene.do_now(Mode::Answer(EVERY_MS));
    scene.more_acks(20, ACKS).await?;
    let present = scene.proctor_present();
    drop(scene.wall.take().context("a proctor looks")?);
    let began = Instant::now();
    while scene.proctor_present() > 0 && began.elapsed() < ACKS {
        sleep(Duration::from_millis(50)).await;
    }
    let told = scene.proctor_present() == 0;
    let acks = scene.acks_within(stage.of(Duration::from_secs(10), Duration::from_secs(2))).await;
    report.note(format!(
        "{present} candidates saw a proctor, none {:.1} s after, {acks} acknowledged alone",
        began.elapsed().as_secs_f64()
    ));
    report.that("candidates_are_told", present == CANDIDATES && told, || format!("{present}, then {told}"));
    report.that("answers_go_on", acks > 0, || "none".to_owned());
    scene.judge(report).await?;
    Ok(())
}

impl Scene {
    /// How many candidates are told that their picture reaches the server.
    #[must_use]
    pub fn with_video(&self) -> usize {
        self.watched.all().iter().filter(|(_, seen)| lock(seen).video).count()
    }

    /// How many candidates are told that a proctor is there.
    #[must_use]
    pub fn proctor_present(&self) -> usize {
        self.watched.all().iter().filter(|(_, seen)| lock(seen).proctor_present).count()
    }
}
