//! `synaq demo`: the whole main job on the embedded default, with a real profession's programme and the platform
//! sandbox as a second process.

use crate::command::platform::PlatformFolder;
use crate::installation::{self, Folders, Start};
use crate::keys::Keys;
use crate::{clock, config, keys, serve, telemetry};
use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use synaq_core::ids::{BankId, CentreId, ProgrammeId, SessionId, SittingId, StaffId};
use synaq_core::time::{At, Span};
use synaq_question_banks::{DEMO_BANK, DEMO_PROGRAMME};
use synaq_seal::blob::{SessionKey, wrap};
use synaq_store::{BankRow, CentreRow, Directory, NewCandidate, ProgrammeRow, Role, SittingRow, StaffRow};
use synaq_store_sqlite::SqliteStore;
use tokio::process::{Child, Command};
use uuid::Uuid;

/// A made-up number with a right check digit: the demo centre is nobody's.
const DEMO_BIN: &str = "900101300811";
/// The sitting stays open this long, so that a demo folder is useful for weeks.
const SITTING_OPEN: Span = Span::mins(30 * 24 * 60);
/// Made-up people with right check digits, or none.
const CANDIDATES: [(&str, &str); 6] = [
    ("Ахметова Әлия Серікқызы", "900101300823"),
    ("Жұмабаев Ерлан Қайратұлы", "061211600012"),
    ("Смирнова Ольга Викторовна", "KZ:N0000001"),
    ("Оспанов Нұрлан Бекұлы", "KZ:N0000002"),
    ("Ким Виктория Сергеевна", "KZ:N0000003"),
    ("Қасымова Гүлнәр Маратқызы", "KZ:N0000004"),
];

/// Options of the demo.
#[derive(clap::Args, Debug)]
pub struct Demo {
    /// Folder of everything; kept between runs
    #[arg(long, default_value = "synaq-data")]
    data: PathBuf,
    /// Port of the server; the platform takes the next one, media the one after
    #[arg(long, default_value_t = 8080, value_parser = clap::value_parser!(u16).range(1..65_533))]
    port: u16,
}

/// Login and password.
#[derive(Clone, Serialize, Deserialize)]
struct Credentials {
    login: String,
    password: String,
}

/// `demo.json`
#[derive(Serialize, Deserialize)]
struct Links {
    base_url: String,
    platform_url: String,
    /// Process of the platform sandbox
    platform_pid: u32,
    /// How to start it again by hand
    platform_command: Vec<String>,
    candidate_links: Vec<String>,
    proctor: Credentials,
    second_proctor: Credentials,
    centre: Credentials,
    commission: Credentials,
    /// Public keys for `synaq verify`
    trust: PathBuf,
}

struct Account {
    login: &'static str,
    name: &'static str,
    role: Role,
}

const ACCOUNTS: [Account; 4] = [
    Account {
        login: "proctor", name: "Сейітова Мадина Асқарқызы", role: Role::Proctor
    },
    Account { login: "proctor2", name: "Петров Андрей Иванович", role: Role::Proctor },
    Account { login: "centre", name: "Тұрсынов Данияр Болатұлы", role: Role::Centre },
    Account {
        login: "commission", name: "Ибраева Сәуле Нұрланқызы", role: Role::Commission
    },
];

/// Runs until a stop signal.
pub async fn run(demo: Demo) -> anyhow::Result<()> {
    telemetry::start(&config::Log::default())?;
    let data = absolute(&demo.data)?;
    let folders = Folders::new(&data);
    let (store, keys) = installation::open(&folders).await?;
    let centre = centre(&store).await?;
    let credentials = accounts(&store, centre, &data).await?;
    let sitting = sitting(&store, centre, &keys).await?;

    let base_url = format!("http://localhost:{}", demo.port);
    let (child, platform) = start_platform(&data, demo.port + 1, &keys)?;
    let links = Links {
        candidate_links: candidate_links(&store, centre, sitting, &keys, &base_url).await?,
        base_url: base_url.clone(),
        platform_url: format!("http://localhost:{}", demo.port + 1),
        platform_pid: child.id().context("the platform ended at once; is its port taken?")?,
        platform_command: platform.command,
        proctor: credentials[0].clone(),
        second_proctor: credentials[1].clone(),
        centre: credentials[2].clone(),
        commission: credentials[3].clone(),
        trust: folders.trust(),
    };
    let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let start = Start {
        media: synaq_media::Options::new(loopback(demo.port + 2)),
        web: web_options(&base_url, demo.port),
        platform_url: format!("http://127.0.0.1:{}", demo.port + 1),
        platform_trust: keys::read_trust(&platform.folder.public())?,
    };
    let installation = installation::start(&folders, store, keys, start).await?;
    let announce = || announce(&links, &data);
    let served = serve::run(loopback(demo.port), None, installation, announce).await;
    // Closing its standard input is what stops it.
    drop(child);
    served
}

/// The same server under both names of this machine; browsers give both a camera.
fn web_options(base_url: &str, port: u16) -> synaq_web::Options {
    let mut options = synaq_web::Options::for_origin(base_url);
    options.public_origins.push(format!("http://127.0.0.1:{port}"));
    options.hosts.push(format!("127.0.0.1:{port}"));
    options
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(path).with_context(|| format!("{} cannot be made", path.display()))?;
    path.canonicalize().with_context(|| format!("{} cannot be found", path.display()))
}

async fn centre(store: &SqliteStore) -> anyhow::Result<CentreId> {
    if let Some(known) = store.centres().await?.into_iter().find(|centre| centre.bin == DEMO_BIN) {
        return Ok(known.id);
    }
    let centre = CentreRow {
        id: CentreId(Uuid::now_v7()),
        bin: DEMO_BIN.to_owned(),
        name_kk: "«Сынақ» кәсіптік біліктілікті тану орталығы (көрсетілім)".to_owned(),
        name_ru: "Центр признания профессиональных квалификаций «Сынақ» (демонстрация)".to_owned(),
    };
    store.add_centre(centre.clone()).await?;
    Ok(centre.id)
}

/// Generated once; `demo.json` is the only place that knows the passwords, so without it they are made anew.
async fn accounts(store: &SqliteStore, centre: CentreId, data: &Path) -> anyhow::Result<[Credentials; 4]> {
    let known: Option<Links> =
        fs::read(data.join("demo.json")).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    if let Some(known) = known {
        return Ok([known.proctor, known.second_proctor, known.centre, known.commission]);
    }
    let mut all = Vec::with_capacity(ACCOUNTS.len());
    for account in &ACCOUNTS {
        let password = random_text::<12>()?;
        let mut salt = [0; 16];
        fill(&mut salt)?;
        let hash = synaq_web::hash_password(&password, &salt)?;
        match store.staff_by_login(account.login).await? {
            Some(staff) => store.set_password(staff.id, hash).await?,
            None => {
                let staff = StaffRow {
                    id: StaffId(Uuid::now_v7()),
                    centre,
                    login: account.login.to_owned(),
                    name: account.name.to_owned(),
                    roles: vec![account.role],
                    password_hash: Some(hash),
                    disabled: false,
                };
                store.add_staff(staff).await?;
            }
        }
        all.push(Credentials { login: account.login.to_owned(), password });
    }
    <[Credentials; 4]>::try_from(all).map_err(|_| anyhow::anyhow!("one account a line of the table"))
}

/// The newest open sitting, or a fresh one with the demo's candidates.
async fn sitting(store: &SqliteStore, centre: CentreId, keys: &Keys) -> anyhow::Result<SittingId> {
    let now = At(clock::wall_millis());
    if let Some((open, _)) =
        store.sittings(centre).await?.into_iter().find(|(sitting, _)| sitting.closes_at > now)
    {
        return Ok(open.id);
    }
    let bank = bank(store, centre, now).await?;
    let programme = programme(store, centre, bank, now).await?;
    let sitting = SittingRow {
        id: SittingId(Uuid::now_v7()),
        centre,
        programme,
        title: "Көрсетілім / Демонстрация".to_owned(),
        opens_at: now - Span::mins(1),
        closes_at: now + SITTING_OPEN,
    };
    store.add_sitting(sitting.clone()).await?;
    let candidates = CANDIDATES.iter().map(|(name, identity)| candidate(name, identity, keys));
    let candidates = candidates.collect::<anyhow::Result<Vec<_>>>()?;
    store.add_candidates(centre, sitting.id, candidates).await?;
    Ok(sitting.id)
}

async fn bank(store: &SqliteStore, centre: CentreId, now: At) -> anyhow::Result<BankId> {
    let (bank, report) = synaq_question_banks::read(DEMO_BANK)?;
    let row = BankRow {
        id: BankId(Uuid::now_v7()),
        centre,
        slug: bank.slug,
        version: bank.version,
        source: DEMO_BANK.to_owned(),
        sha256: report.sha256,
        imported_at: now,
    };
    Ok(store.add_bank(row).await?.id)
}

async fn programme(
    store: &SqliteStore,
    centre: CentreId,
    bank: BankId,
    now: At,
) -> anyhow::Result<ProgrammeId> {
    let (programme, _) = synaq_question_banks::read_programme(DEMO_PROGRAMME)?;
    let row = ProgrammeRow {
        id: ProgrammeId(Uuid::now_v7()),
        centre,
        slug: programme.slug,
        version: programme.version,
        source: DEMO_PROGRAMME.to_owned(),
        bank,
        created_at: now,
    };
    Ok(store.add_programme(row).await?.id)
}

fn candidate(name: &str, identity: &str, keys: &Keys) -> anyhow::Result<NewCandidate> {
    let random = SystemRandom::new();
    let session = SessionId(Uuid::now_v7());
    let key = SessionKey::generate(&random)?;
    let wrapped = wrap(&key, &keys.installation, session.0.as_bytes(), &random)?;
    Ok(NewCandidate {
        session,
        name: name.to_owned(),
        identity: identity.to_owned(),
        extra_minutes: 0,
        switched_off: Vec::new(),
        wrapped_key: wrapped.as_bytes().to_vec(),
    })
}

async fn candidate_links(
    store: &SqliteStore,
    centre: CentreId,
    sitting: SittingId,
    keys: &Keys,
    base_url: &str,
) -> anyhow::Result<Vec<String>> {
    let links = synaq_web::LinkKey::new(&keys.derivation);
    let candidates = store.candidates(centre, sitting).await?;
    Ok(candidates.iter().map(|row| format!("{base_url}/c/{}", links.token(row.candidate.session))).collect())
}

struct StartedPlatform {
    folder: PlatformFolder,
    command: Vec<String>,
}

/// A real second process with its own key. It ends when its standard input closes, so it never outlives the demo.
fn start_platform(data: &Path, port: u16, keys: &Keys) -> anyhow::Result<(Child, StartedPlatform)> {
    let folder = PlatformFolder(data.join("platform"));
    folder.prepare()?;
    let trust = data.join("platform").join("centre-keys.json");
    keys::write_trust(&trust, keys.trust(0))?;
    let program = std::env::current_exe().context("this program's own file cannot be found")?;
    let arguments = [
        "platform".to_owned(),
        "--data".to_owned(),
        folder.0.display().to_string(),
        "--listen".to_owned(),
        format!("127.0.0.1:{port}"),
        "--trust".to_owned(),
        trust.display().to_string(),
    ];
    let child = Command::new(&program)
        .args(&arguments)
        .arg("--until-stdin-closes")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("the platform sandbox cannot be started")?;
    let command = std::iter::once(program.display().to_string()).chain(arguments).collect();
    Ok((child, StartedPlatform { folder, command }))
}

fn announce(links: &Links, data: &Path) -> anyhow::Result<()> {
    let file = data.join("demo.json");
    let draft = data.join("demo.json.draft");
    fs::write(&draft, serde_json::to_vec_pretty(links)?)?;
    private(&draft)?;
    fs::rename(&draft, &file).with_context(|| format!("{} cannot be written", file.display()))?;
    println!("Synaq demo is running. Everything lies in {}.", data.display());
    println!();
    println!("Candidates (open one in a browser with camera and microphone):");
    for link in &links.candidate_links {
        println!("  {link}");
    }
    let seat = |what: &str, path: &str, who: &Credentials| {
        println!("{what:<12} {}{path:<10} login {:<11} password {}", links.base_url, who.login, who.password);
    };
    println!();
    seat("Proctor", "/proctor/", &links.proctor);
    seat("Centre", "/centre/", &links.centre);
    seat("Commission", "/centre/", &links.commission);
    println!("{:<12} {}", "Platform", links.platform_url);
    println!();
    println!(
        "The same stands in {}. Stop with Ctrl+C; run again and everything is still there.",
        file.display()
    );
    Ok(())
}

fn private(path: &Path) -> anyhow::Result<()> {
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

fn random_text<const BYTES: usize>() -> anyhow::Result<String> {
    let mut bytes = [0; BYTES];
    fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn fill(bytes: &mut [u8]) -> anyhow::Result<()> {
    SystemRandom::new().fill(bytes).map_err(|_| anyhow::anyhow!("the system gives no random bytes"))
}
