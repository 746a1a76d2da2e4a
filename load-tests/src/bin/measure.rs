//! Prints the figures of one server on this machine: start, memory, durable acknowledgements, cost of a publishing
//! candidate. How to run it and how to read it: `load-tests/README.md`.

use anyhow::Context as _;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use synaq_load_tests::candidate::Candidate;
use synaq_load_tests::proctor::Proctor;
use synaq_load_tests::report::Figure;
use synaq_load_tests::server::Server;
use synaq_load_tests::single;
use synaq_load_tests::site::Site;
use synaq_load_tests::staff::Centre;
use synaq_wire::candidate::Lang;

/// Starts that are measured; the first one, which makes keys and imports the bank, is told apart.
const STARTS: usize = 5;
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
    let one = single::measure(folder.path(), &mut first, &server.demo.ops_url).await?;
    for figure in &one.figures {
        println!("{:<30} {:.2} {}{}", figure.name, figure.value, figure.unit, verdict(figure));
    }
    Ok(())
}

fn verdict(figure: &Figure) -> &'static str {
    match figure.target.map(|target| target.met(figure.value)) {
        Some(true) => " (target met)",
        Some(false) => " (target MISSED)",
        None => "",
    }
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
