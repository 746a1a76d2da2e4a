//! HTTP/1.1 over one connection that is kept while a candidate prepares, and closed then.

use super::{Stream, Target, dial};
use anyhow::{Context as _, ensure};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

/// Longer than any answer of a healthy server on the same machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// A sitting of ten thousand candidates has about 5 MiB.
const ANSWER_BYTES: usize = 64 * 1024 * 1024;
const HEADERS: usize = 48;

/// One connection.
pub(crate) struct Http<'a> {
    target: &'a Target,
    stream: Stream,
    buffer: Vec<u8>,
}

/// An answer that is a success.
pub(crate) struct Answer {
    /// `Set-Cookie` up to its first semicolon
    pub(crate) cookie: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// Who asks, as a header line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Who<'a> {
    Anyone,
    Device(&'a str),
    Staff(&'a str),
}

impl<'a> Http<'a> {
    pub(crate) async fn connect(target: &'a Target, source: Ipv4Addr) -> anyhow::Result<Self> {
        Ok(Self { target, stream: dial(target, source).await?, buffer: Vec::new() })
    }

    /// Sends JSON, reads JSON.
    pub(crate) async fn post<T: DeserializeOwned>(
        &mut self,
        path: &str,
        who: Who<'_>,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        let body = serde_json::to_vec(body)?;
        let answer = self.send("POST", path, who, "application/json", &body).await?;
        serde_json::from_slice(&answer.body).with_context(|| format!("{path}: unknown answer"))
    }

    /// Reads JSON.
    pub(crate) async fn get<T: DeserializeOwned>(&mut self, path: &str, who: Who<'_>) -> anyhow::Result<T> {
        let answer = self.send("GET", path, who, "application/json", &[]).await?;
        serde_json::from_slice(&answer.body).with_context(|| format!("{path}: unknown answer"))
    }

    /// Sends bytes.
    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        who: Who<'_>,
        media_type: &str,
        body: &[u8],
    ) -> anyhow::Result<Answer> {
        let Target { authority, origin, .. } = self.target;
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {authority}\r\norigin: {origin}\r\ncontent-type: {media_type}\r\n\
             content-length: {}\r\n",
            body.len()
        );
        // Writing to a String cannot fail.
        let _ = match who {
            Who::Anyone => Ok(()),
            Who::Device(credential) => write!(head, "authorization: Bearer {credential}\r\n"),
            Who::Staff(cookie) => write!(head, "cookie: {cookie}\r\n"),
        };
        head.push_str("\r\n");
        let mut request = head.into_bytes();
        request.extend_from_slice(body);
        let exchange = async {
            self.stream.write_all(&request).await?;
            self.stream.flush().await?;
            self.answer().await
        };
        let (status, answer) = timeout(PATIENCE, exchange)
            .await
            .with_context(|| format!("{path}: no answer in time"))?
            .with_context(|| format!("{path}: broken"))?;
        if (200..300).contains(&status) {
            return Ok(answer);
        }
        Err(Refusal::of(status, &answer.body).into())
    }

    async fn answer(&mut self) -> anyhow::Result<(u16, Answer)> {
        self.buffer.clear();
        let (status, cookie, head, length) = loop {
            if let Some(read) = head(&self.buffer)? {
                break read;
            }
            ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "closed before the answer");
        };
        ensure!(length <= ANSWER_BYTES, "an answer of {length} bytes");
        while self.buffer.len() < head + length {
            ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "closed within the answer");
        }
        Ok((status, Answer { cookie, body: self.buffer[head..head + length].to_vec() }))
    }
}

#[derive(serde::Deserialize)]
struct Code {
    code: String,
    #[serde(default)]
    retry_after_ms: Option<u64>,
}

/// An answer that is none of success.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// Of the problem; empty if there was none
    pub(crate) code: String,
    /// What the server asks for
    pub(crate) retry_after: Option<Duration>,
}

impl Refusal {
    /// Of an answer with this body, which holds a problem if it is ours.
    pub(crate) fn of(status: u16, body: &[u8]) -> Self {
        let problem = serde_json::from_slice::<Code>(body).ok();
        let retry_after =
            problem.as_ref().and_then(|problem| problem.retry_after_ms).map(Duration::from_millis);
        Self { status, code: problem.map(|problem| problem.code).unwrap_or_default(), retry_after }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let code = if self.code.is_empty() { "without a code" } else { &self.code };
        write!(f, "http {} {code}", self.status)
    }
}

impl std::error::Error for Refusal {}

/// Status, cookie, length of the head and of the body.
type Head = (u16, Option<String>, usize, usize);

/// Once the head is whole.
fn head(bytes: &[u8]) -> anyhow::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(bytes)? else { return Ok(None) };
    let value = |name: &str| {
        let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(found.value).ok()
    };
    ensure!(value("transfer-encoding").is_none(), "the server sends in chunks, which nobody asked for");
    let length = value("content-length").map_or(Ok(0), str::parse)?;
    let cookie = value("set-cookie").and_then(|line| line.split(';').next()).map(str::to_owned);
    Ok(Some((response.code.context("an answer has a status")?, cookie, head, length)))
}
