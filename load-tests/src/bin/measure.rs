//! Prints the figures of one server on this machine: start, memory, durable acknowledgements, cost of a publishing
//! candidate. How to run it and how to read it: `load-tests/README.md`.

use anyhow::{Context as _, ensure};
use hdrhistogram::Histogram;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use synaq_load_tests::candidate::Candidate;
use synaq_load_tests::metrics::Buckets;
use synaq_load_tests::proctor::Proctor;
use synaq_load_tests::server::Server;
use synaq_load_tests::site::Site;
use synaq_load_tests::staff::Centre;
use synaq_wire::candidate::{CandidateCommand, Lang};

/// Starts that are measured; the first one, which makes keys and imports the bank, is told apart.
const STARTS: usize = 5;
/// Rounds of log appends and of answers, taken in turns so that a busy moment of the disk hits both.
const ROUNDS: usize = 20;
const PER_ROUND: usize = 100;
/// Half the rate of one socket (50 frames a second on average), so that what was taken in a row comes back.
const ANSWER_GAP: Duration = Duration::from_millis(40);
/// About what one answer adds to the log: event body, hash, ids.
const APPEND_BYTES: usize = 400;
/// The server's own histogram: frame received to acknowledgement handed to the socket.
const ACK: &str = "synaq_ack_seconds";
/// p50 of an answer within the server, at most so many times that of the raw log.
const RATIO_MAX: f64 = 2.0;
/// Longest time a figure can have.
const MOST_US: u64 = 60_000_000;
/// Questions of a paper that are answered in turn.
const QUESTIONS: u16 = 40;
/// Publishing candidates whose cost is measured together.
const PUBLISHERS: usize = 20;
/// CPU time is read at both ends of this.
const WINDOW: Duration = Duration::from_secs(20);
/// What the kernel counts CPU time in (`getconf CLK_TCK`), the same on every Linux.
const TICKS_PER_S: f64 = 100.0;
/// The server settles before memory is read: caches of the start are filled, nothing is under way.
const SETTLE: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // On the disk of the folder it is started in: the folder for temporary files is often kept in memory.
    let folder = tempfile::tempdir_in(std::env::current_dir()?)?;
    let data = folder.path().join("data");
    fs::create_dir(&data)?;
    println!("binary                         {}", Server::binary()?.display());
    starts(&data)?;
    let server = Server::start(&data)?;
    let site = Site::new(&server.demo.base_url)?;
    tokio::time::sleep(SETTLE).await;
    let idle = Usage::of(&server)?;
    println!("RSS idle                       {:.1} MiB", idle.rss_mib);

    let account = &server.demo.centre;
    let centre = Centre::sign_in(site.clone(), &account.login, &account.password).await?;
    let sitting = centre.sitting(PUBLISHERS).await?;
    let links: Vec<String> = sitting.candidates.iter().map(|row| row.link.clone()).collect();
    let mut candidates = Vec::new();
    for link in &links {
        let mut candidate = Candidate::open(site.clone(), link).await?;
        candidate.connect().await?;
        candidate.prepare(Lang::Ru).await?;
        candidates.push(candidate);
    }
    let account = &server.demo.proctor;
    let mut proctor = Proctor::watch(&site, &account.login, &account.password, sitting.sitting).await?;
    let sessions: BTreeSet<_> = candidates.iter().map(Candidate::session).collect();
    proctor.admit(&sessions).await?;
    drop(proctor);
    for candidate in &mut candidates {
        candidate.begin(Lang::Ru).await?;
    }
    publishing(&server, &idle, &mut candidates).await?;
    let mut first = candidates.swap_remove(0);
    drop(candidates);
    first.stop_publishing();
    acknowledgements(folder.path(), &mut first, &server.demo.ops_url).await
}

/// From the process's start to its links: a fresh folder once, then the same folder again.
fn starts(data: &Path) -> anyhow::Result<()> {
    let fresh = Server::start(data)?.start;
    println!("start, fresh folder            {:.0} ms", ms(fresh));
    let mut again = Vec::new();
    for _ in 0..STARTS {
        again.push(ms(Server::start(data)?.start));
    }
    again.sort_by(f64::total_cmp);
    println!("start, known folder            {:.0} ms median of {STARTS}", again[STARTS / 2]);
    Ok(())
}

/// CPU time and memory that candidates with camera, microphone and an idle socket take.
async fn publishing(server: &Server, idle: &Usage, candidates: &mut [Candidate]) -> anyhow::Result<()> {
    settle(candidates, SETTLE).await?;
    let with = window(server, candidates).await?;
    for candidate in &mut *candidates {
        candidate.stop_publishing();
    }
    // ICE gives a vanished publisher up after ten seconds.
    settle(candidates, Duration::from_secs(15)).await?;
    let without = window(server, candidates).await?;
    for candidate in &mut *candidates {
        candidate.publish().await?;
    }
    for candidate in &mut *candidates {
        candidate
            .until("picture and sound at the server", |view| view.media.video && view.media.audio)
            .await?;
    }
    #[expect(clippy::cast_precision_loss, reason = "a handful")]
    let each = candidates.len() as f64;
    println!("candidates                     {each}, 640x480, 12 pictures/s, about 290 kbit/s with sound");
    println!(
        "CPU, all publishing            {:.2} % of a core each",
        (with.cpu_percent - without.cpu_percent) / each
    );
    println!("CPU, sockets alone             {:.2} % of a core each", without.cpu_percent / each);
    println!("RSS, all publishing            {:.1} MiB", with.rss_mib);
    println!(
        "RSS added per candidate        {:.2} MiB, session and socket included",
        (with.rss_mib - idle.rss_mib) / each
    );
    Ok(())
}

async fn window(server: &Server, candidates: &mut [Candidate]) -> anyhow::Result<Usage> {
    let before = Usage::of(server)?;
    let began = Instant::now();
    settle(candidates, WINDOW).await?;
    let after = Usage::of(server)?;
    let cpu_percent = (after.cpu_s - before.cpu_s) / began.elapsed().as_secs_f64() * 100.0;
    Ok(Usage { cpu_percent, ..after })
}

/// Lets time pass while every socket is read and pinged as a page does.
async fn settle(candidates: &mut [Candidate], span: Duration) -> anyhow::Result<()> {
    let end = Instant::now() + span;
    while Instant::now() < end {
        for candidate in &mut *candidates {
            candidate.idle(Duration::from_millis(5)).await?;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// One candidate's answers to their acknowledgements, and appends of a raw log on the same disk, in turns.
async fn acknowledgements(folder: &Path, candidate: &mut Candidate, ops_url: &str) -> anyhow::Result<()> {
    let mut log = File::create(folder.join("raw.log"))?;
    let mut appends = Histogram::<u64>::new_with_bounds(1, MOST_US, 3)?;
    let (mut in_a_row, mut apart) = (appends.clone(), appends.clone());
    let mut number = 0_u16;
    // None before the first answer: what is not there yet is empty.
    let mut last = Buckets::read(ops_url, ACK).await.unwrap_or_default();
    let mut inside = Buckets::default();
    for _ in 0..ROUNDS {
        for _ in 0..PER_ROUND {
            let began = Instant::now();
            log.write_all(&[0x2e; APPEND_BYTES])?;
            log.sync_data()?;
            appends.record(us(began.elapsed()))?;
        }
        for (gap, figures) in [(Duration::ZERO, &mut in_a_row), (ANSWER_GAP, &mut apart)] {
            for _ in 0..PER_ROUND {
                number = number.wrapping_add(1);
                tokio::time::sleep(gap).await;
                let shown = vec![u8::from(number.is_multiple_of(2))];
                let command = CandidateCommand::Answer { question: number % QUESTIONS, shown };
                figures.record(us(candidate.command(command).await?.took))?;
            }
            if let Ok(now) = Buckets::read(ops_url, ACK).await {
                if gap.is_zero() {
                    inside.add_between(&last, &now);
                }
                last = now;
            }
        }
    }
    ensure!(in_a_row.len() == appends.len(), "as many answers as appends");
    let line = |what: &str, of: &Histogram<u64>| {
        println!(
            "{what:<30} p50 {:>6} us, p99 {:>6} us, n {}",
            of.value_at_quantile(0.5),
            of.value_at_quantile(0.99),
            of.len()
        );
    };
    line("raw log, write + fdatasync", &appends);
    line("answers in a row", &in_a_row);
    line("answers 40 ms apart", &apart);
    server_side(&inside, &appends);
    #[expect(clippy::cast_precision_loss, reason = "microseconds below a minute")]
    let ratio = in_a_row.value_at_quantile(0.5) as f64 / appends.value_at_quantile(0.5) as f64;
    println!(
        "ratio, in a row to raw log     {ratio:.2} (end to end over loopback; the limit of 2 is for the server's part)"
    );
    Ok(())
}

/// From the frame received to the acknowledgement handed to the socket, as the server itself measured it.
fn server_side(inside: &Buckets, appends: &Histogram<u64>) {
    let Some(p50) = inside.quantile_us(0.5) else {
        println!(
            "server's part of an answer     not measured: the server shows no {ACK} of these answers on its /metrics"
        );
        return;
    };
    #[expect(clippy::cast_precision_loss, reason = "microseconds below a minute")]
    let ratio = p50 / appends.value_at_quantile(0.5) as f64;
    println!("server's part of an answer     p50 {p50:>6.0} us, n {}", inside.count());
    let verdict = if ratio <= RATIO_MAX { "met" } else { "MISSED" };
    println!("ratio, server's part to raw log {ratio:.2} (target <= {RATIO_MAX}: {verdict})");
}

/// What the kernel says of the server's process.
struct Usage {
    rss_mib: f64,
    cpu_s: f64,
    cpu_percent: f64,
}

impl Usage {
    fn of(server: &Server) -> anyhow::Result<Self> {
        let proc = PathBuf::from(format!("/proc/{}", server.pid()));
        let status = fs::read_to_string(proc.join("status"))?;
        let rss_kib: f64 = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB")?.trim().parse().ok())
            .context("the kernel names no VmRSS")?;
        let stat = fs::read_to_string(proc.join("stat"))?;
        // After the name in brackets, which may hold blanks: fields 14 and 15 of proc(5) are user and system time.
        let fields = stat.rsplit_once(')').context("the kernel's stat line has no name")?.1;
        let ticks: f64 = fields
            .split_ascii_whitespace()
            .skip(11)
            .take(2)
            .map(str::parse::<f64>)
            .sum::<Result<f64, _>>()?;
        Ok(Self { rss_mib: rss_kib / 1024.0, cpu_s: ticks / TICKS_PER_S, cpu_percent: 0.0 })
    }
}

fn ms(span: Duration) -> f64 {
    span.as_secs_f64() * 1_000.0
}

fn us(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(MOST_US).clamp(1, MOST_US)
}
