//! The HTTP side of a server under test.

use anyhow::{Context as _, bail};
use reqwest::header::{CONTENT_TYPE, LOCATION, ORIGIN};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Longer than any answer of a healthy server on the same machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// One server, by its base address.
#[derive(Clone, Debug)]
pub struct Site {
    client: Client,
    base: String,
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub enum As<'a> {
    /// Nobody in particular
    Anyone,
    /// `Authorization: Bearer` of a candidate's device
    Device(&'a str),
    /// `Cookie` of a member of staff
    Staff(&'a str),
}

impl Site {
    /// `base`: `http://localhost:8080`, without a slash at the end.
    ///
    /// # Errors
    /// If the HTTP client cannot be built.
    pub fn new(base: &str) -> anyhow::Result<Self> {
        // The client wants a TLS provider although only loopback is spoken to; a second installation is no error.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().timeout(PATIENCE).no_proxy().build()?;
        Ok(Self { client, base: base.to_owned() })
    }

    /// The base address.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The same address for WebSockets.
    #[must_use]
    pub fn socket_base(&self) -> String {
        self.base.replacen("http", "ws", 1)
    }

    /// Reads JSON.
    ///
    /// # Errors
    /// If there is no answer, or one that is no success.
    pub async fn get<T: DeserializeOwned>(&self, path: &str, who: As<'_>) -> anyhow::Result<T> {
        Ok(self.call(self.request(Method::GET, path, who)).await?.json().await?)
    }

    /// Sends JSON, reads JSON.
    ///
    /// # Errors
    /// If there is no answer, or one that is no success.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        who: As<'_>,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        Ok(self.call(self.request(Method::POST, path, who).json(body)).await?.json().await?)
    }

    /// Sends bytes, reads text; the second part is `Location`, if there is one.
    ///
    /// # Errors
    /// If there is no answer, or one that is no success.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        who: As<'_>,
        media_type: &str,
        body: Vec<u8>,
    ) -> anyhow::Result<(String, Option<String>)> {
        let request = self.request(method, path, who).header(CONTENT_TYPE, media_type).body(body);
        let response = self.call(request).await?;
        let location =
            response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok((response.text().await?, location))
    }

    /// Signs in; the answer is the `Cookie` header to send from now on.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn sign_in(&self, login: &str, password: &str) -> anyhow::Result<String> {
        let body = serde_json::json!({ "login": login, "password": password });
        let response =
            self.call(self.request(Method::POST, "/api/v1/staff/sign-in", As::Anyone).json(&body)).await?;
        let cookie = response.headers().get("set-cookie").context("signing in set no cookie")?;
        Ok(cookie.to_str()?.split(';').next().unwrap_or_default().to_owned())
    }

    fn request(&self, method: Method, path: &str, who: As<'_>) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base)).header(ORIGIN, &self.base);
        match who {
            As::Anyone => request,
            As::Device(credential) => request.bearer_auth(credential),
            As::Staff(cookie) => request.header("cookie", cookie),
        }
    }

    async fn call(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let response = request.send().await?;
        let (status, url) = (response.status(), response.url().path().to_owned());
        if status.is_success() {
            return Ok(response);
        }
        let problem = response.text().await.unwrap_or_default();
        bail!("{url} answered {status}: {problem}")
    }
}
