//! What the log lines say, and what they never say.

use super::house::House;
use super::seat::{Device, check};
use serde_json::json;
use std::io;
use std::sync::{Arc, Mutex};
use synaq_store::Role;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_log_line_holds_a_name_a_number_a_link_a_key_a_password_or_what_somebody_wrote() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // Of the whole process: what the other tests log beside this one must be as clean.
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let house = House::open().await;
    let at = house.listen().await;
    let device = Device::new(&house, 0, 77);
    house.post("/api/v1/candidate/open", &[], &json!({ "link": device.link })).await;
    device.bind(&house).await;
    let mut socket = device.connect(&house, at).await;
    check(&mut socket).await;
    socket.done(json!({ "do": "say", "text": "canary of a message" })).await;
    socket.send_text("{\"type\":\"canary of a frame\"}".to_owned()).await;
    socket.until("refused").await;
    device.put_photo(&house, "face", b"canary of a photo".to_vec()).await;
    let password = json!({ "login": "canary of a login", "password": "canary of a password" });
    house.post("/api/v1/staff/sign-in", &[], &password).await;
    let list = b"name,iin\nCanary Name,123456789013\n".to_vec();
    let path = format!("/api/v1/centre/sittings/{}/candidates", uuid::Uuid::from_u128(super::house::SITTING));
    house.post_as(Role::Centre, &path, "text/csv", list).await;
    house.store.fail_next(synaq_store::Fault::BeforeCommit);
    socket.command(json!({ "do": "say", "text": "canary of a lost message" })).await;
    drop(socket);

    let lines = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(lines.contains("/api/v1/candidate/open"), "routes are there: {lines}");
    let cookie = super::house::cookie(0, Role::Centre);
    let cookie = cookie.split_once('=').unwrap().1;
    for canary in
        ["anary", "123456789013", "Candidate 0", device.link.as_str(), device.key.as_str(), cookie, "ticket="]
    {
        assert!(!lines.contains(canary), "{canary} in {lines}");
    }
}
