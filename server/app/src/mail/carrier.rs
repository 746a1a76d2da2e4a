//! What takes a letter on: a mail server over SMTP, or a folder where letters become files.

use crate::private;
use anyhow::Context as _;
use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Body, Mailbox};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use synaq_store::NewLetter;
use synaq_web::Content;

/// Connecting, greeting and each command of one letter; shorter than a claim.
const TIME_OUT: Duration = Duration::from_secs(20);

/// Of a line without its end (RFC 5322, 2.1.1).
const LINE_BYTES: usize = 998;

/// How the connection is secured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Security {
    /// TLS from the first byte, port 465 (RFC 8314)
    #[default]
    Tls,
    /// STARTTLS, and nothing without it, port 587
    Starttls,
    /// In the clear: within this machine only
    None,
}

impl Security {
    const fn port(self) -> u16 {
        match self {
            Self::Tls => 465,
            Self::Starttls => 587,
            Self::None => 25,
        }
    }
}

/// A mail server.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    pub(crate) security: Security,
    /// User and password
    pub(crate) account: Option<(String, String)>,
}

/// Sends letters.
pub(crate) struct Carrier {
    from: Mailbox,
    way: Way,
}

enum Way {
    Server(AsyncSmtpTransport<Tokio1Executor>),
    Folder(PathBuf),
}

impl fmt::Debug for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Carrier(..)")
    }
}

/// Why a letter did not go. Names no address and quotes no letter.
#[derive(Debug)]
pub(crate) enum Undelivered {
    /// Another attempt may succeed
    Later(String),
    /// No attempt will
    Never(String),
}

impl Carrier {
    /// By a mail server.
    pub(crate) fn server(from: Mailbox, server: Server) -> anyhow::Result<Self> {
        let Server { host, port, security, account } = server;
        let tls = || TlsParameters::new(host.clone()).context("[mail] host cannot be used for TLS");
        let tls = match security {
            Security::Tls => Tls::Wrapper(tls()?),
            Security::Starttls => Tls::Required(tls()?),
            Security::None => Tls::None,
        };
        let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(port.unwrap_or_else(|| security.port()))
            .tls(tls)
            .timeout(Some(TIME_OUT));
        let transport = match account {
            Some((user, password)) => transport.credentials(Credentials::new(user, password)),
            None => transport,
        };
        Ok(Self { from, way: Way::Server(transport.build()) })
    }

    /// Into files of this folder, readable for this user alone.
    pub(crate) const fn folder(from: Mailbox, folder: PathBuf) -> Self {
        Self { from, way: Way::Folder(folder) }
    }

    /// What speaks against it; greets the mail server.
    pub(crate) async fn complaint(&self) -> Option<String> {
        match &self.way {
            Way::Server(transport) => match transport.test_connection().await {
                Ok(true) => None,
                Ok(false) => Some("the mail server does not answer as one".to_owned()),
                Err(error) => Some(format!("the mail server cannot be used: {error}")),
            },
            Way::Folder(folder) => {
                private::folder(folder).err().map(|error| format!("{}: {error}", folder.display()))
            }
        }
    }

    /// Sends one letter.
    pub(crate) async fn send(&self, letter: &NewLetter, content: Content) -> Result<(), Undelivered> {
        let message = self.message(letter, content)?;
        match &self.way {
            Way::Server(transport) => match transport.send(message).await {
                Ok(_) => Ok(()),
                Err(error) => {
                    // Its words may quote the address; its code never does.
                    let code = error.status().map_or_else(String::new, |code| format!(" {code}"));
                    Err(match error.is_permanent() {
                        true => Undelivered::Never(format!("refused by the mail server{code}")),
                        false if error.is_tls() => {
                            Undelivered::Later("no secure connection to the mail server".to_owned())
                        }
                        false => Undelivered::Later(format!("the mail server did not take it{code}")),
                    })
                }
            },
            Way::Folder(folder) => {
                let file = folder.join(format!("{}.eml", letter.id));
                private::folder(folder)
                    .map_err(anyhow::Error::from)
                    .and_then(|()| private::write(&file, &message.formatted()))
                    .map_err(|error| Undelivered::Later(format!("the folder of letters: {error:#}")))
            }
        }
    }

    fn message(&self, letter: &NewLetter, content: Content) -> Result<Message, Undelivered> {
        let unwritable = |_| Undelivered::Never("the letter cannot be written".to_owned());
        let to = letter.recipient.parse().map(|address| Mailbox::new(None, address));
        let to = to.map_err(|_| Undelivered::Never("the address is none".to_owned()))?;
        let domain = self.from.email.domain();
        let builder = Message::builder()
            .from(self.from.clone())
            .to(to)
            // The same in each attempt: a reader shows a letter that came twice once.
            .message_id(Some(format!("<{}@{domain}>", letter.id)))
            .subject(content.subject);
        match &self.way {
            // The folder is read by people and tests: as it is, in UTF-8.
            Way::Folder(_) => {
                let text = as_lines(&content.text)
                    .ok_or_else(|| Undelivered::Never("a line is too long".to_owned()))?;
                let encoding = ContentTransferEncoding::EightBit;
                let body = Body::dangerous_pre_encoded(text.into_bytes(), encoding);
                builder.header(ContentType::TEXT_PLAIN).body(body).map_err(unwritable)
            }
            Way::Server(_) => builder.header(ContentType::TEXT_PLAIN).body(content.text).map_err(unwritable),
        }
    }
}

/// Lines as a mail has them, none if one is longer than `LINE_BYTES`. Our own, because lettre takes nothing longer than 76
/// bytes as it is, and a link alone is longer.
fn as_lines(text: &str) -> Option<String> {
    text.lines().all(|line| line.len() <= LINE_BYTES).then(|| {
        let lines: Vec<&str> = text.lines().collect();
        lines.join("\r\n") + "\r\n"
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use synaq_core::ids::CentreId;
    use synaq_core::time::At;
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::TcpListener;
    use uuid::Uuid;

    fn letter() -> NewLetter {
        NewLetter {
            id: Uuid::from_u128(7),
            centre: CentreId(Uuid::from_u128(1)),
            kind: "invitation".to_owned(),
            about: "x".to_owned(),
            recipient: "aigul@example.kz".to_owned(),
            sealed: Vec::new(),
            created_at: At(0),
        }
    }

    fn content() -> Content {
        Content {
            subject: "Шақыру\r\nBcc: everybody@example.kz".to_owned(),
            text: "Құпиясөз орнату үшін мына сілтемені ашыңыз, ол бір рет қана жарамды:\n\
                   https://exam.example.kz/centre/setup/abc-wZ4kQm0pVt7sYx2cRb9nLd6gHf3jKa8eUi1oTy5PzQ0_w\n"
                .to_owned(),
        }
    }

    fn from() -> Mailbox {
        "Орталық <exam@example.kz>".parse().unwrap()
    }

    /// One conversation with a mail server that answers each line by its first word; what it heard.
    async fn conversation(rcpt: &'static str) -> (Result<(), Undelivered>, Vec<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let (read, mut write) = stream.into_split();
            let (mut lines, mut heard, mut in_data) = (BufReader::new(read).lines(), Vec::new(), false);
            write.write_all(b"220 test\r\n").await.unwrap();
            while let Ok(Some(line)) = lines.next_line().await {
                let answer = match line.split([' ', ':']).next().unwrap_or_default() {
                    "." if in_data => {
                        in_data = false;
                        "250 taken"
                    }
                    _ if in_data => "",
                    "DATA" => {
                        in_data = true;
                        "354 go on"
                    }
                    "RCPT" => rcpt,
                    _ => "250 test",
                };
                let quits = !in_data && line == "QUIT";
                heard.push(line);
                if !answer.is_empty() {
                    write.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
                }
                if quits {
                    break;
                }
            }
            heard
        });
        let (host, security) = ("127.0.0.1".to_owned(), Security::None);
        let server_options = Server { host, port: Some(port), security, account: None };
        let carrier = Carrier::server(from(), server_options).unwrap();
        let sent = carrier.send(&letter(), content()).await;
        drop(carrier);
        (sent, server.await.unwrap())
    }

    #[tokio::test]
    async fn a_mail_server_takes_a_letter_and_a_subject_is_never_a_second_header() {
        let (sent, heard) = conversation("250 known").await;
        sent.unwrap();
        assert!(heard.iter().any(|line| line == "RCPT TO:<aigul@example.kz>"), "{heard:?}");
        assert!(heard.iter().any(|line| line.starts_with("Message-ID: <00000000-")), "{heard:?}");
        assert!(!heard.iter().any(|line| line.to_lowercase().starts_with("bcc")), "{heard:?}");
    }

    #[tokio::test]
    async fn what_a_mail_server_refuses_for_good_is_told_from_what_it_takes_later() {
        let (sent, _) = conversation("550 aigul@example.kz is nobody").await;
        let Err(Undelivered::Never(why)) = sent else { panic!("{sent:?}") };
        assert!(why.contains("550") && !why.contains("aigul"), "{why}");
        let (sent, _) = conversation("451 later").await;
        assert!(matches!(&sent, Err(Undelivered::Later(why)) if why.contains("451")), "{sent:?}");
    }

    #[tokio::test]
    async fn in_a_folder_a_letter_is_a_file_to_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let carrier = Carrier::folder(from(), folder.path().join("mail"));
        carrier.send(&letter(), content()).await.unwrap();
        let file = folder.path().join("mail").join(format!("{}.eml", letter().id));
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.contains("To: aigul@example.kz\r\n") && text.contains("/centre/setup/abc"), "{text}");
        assert!(!text.to_lowercase().contains("\r\nbcc"), "{text}");
        assert!(as_lines(&"ұ".repeat(LINE_BYTES)).is_none());
    }
}
