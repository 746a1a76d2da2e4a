//! HTTP/1.1 by hand, over whatever stream: the tests say exactly what goes over the line.

use serde_json::Value;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;

use crate::process::local;

pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The cookie to send back.
    pub(crate) fn cookie(&self) -> String {
        self.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
    }
}

pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// `http://localhost:8080`: sent as Origin, its host as Host
    pub(crate) origin: &'a str,
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: Option<Value>,
}

impl Request<'_> {
    fn text(&self) -> String {
        let Self { method, path, origin, .. } = self;
        let host = origin.split_once("://").unwrap().1;
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n");
        for (name, value) in self.headers {
            write!(text, "{name}: {value}\r\n").unwrap();
        }
        if let Some(body) = &self.body {
            let body = body.to_string();
            let length = body.len();
            write!(text, "Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
        } else {
            text.push_str("\r\n");
        }
        text
    }

    /// Sends it and reads the head and, by its length, the body of the answer.
    pub(crate) fn over(&self, stream: &mut (impl Read + Write)) -> Reply {
        stream.write_all(self.text().as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            assert_eq!(stream.read(&mut byte).unwrap(), 1, "the connection ended: {head:?}");
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut reply = Reply { status, head, body: String::new() };
        let length = reply.header("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        reply.body = String::from_utf8(body).unwrap();
        reply
    }

    pub(crate) fn to(&self, port: u16) -> Reply {
        self.over(&mut TcpStream::connect(local(port)).unwrap())
    }
}

/// To `http://localhost:<port>`.
pub(crate) fn call(
    port: u16,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<Value>,
) -> Reply {
    let origin = format!("http://localhost:{port}");
    Request { method, path, origin: &origin, headers, body }.to(port)
}

pub(crate) fn get(port: u16, path: &str) -> Reply {
    call(port, "GET", path, &[], None)
}

pub(crate) fn post(port: u16, path: &str, body: Value) -> Reply {
    call(port, "POST", path, &[], Some(body))
}

/// The headers of a WebSocket upgrade (RFC 6455 section 4.1); the key is the RFC's own.
pub(crate) const UPGRADE: [(&str, &str); 4] = [
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];
/// What a server must answer to that key.
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
