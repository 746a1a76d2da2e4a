use ring::rand::SystemRandom;
use serde_json::{Value, json};

use super::*;
use crate::key::{Algorithm, PublicKey, TrustedKey};

const TYP: &str = "test+jws";
const PAYLOAD: &[u8] = br#"{"passed":true}"#;
const EXPECTED: Expected<'_> = Expected { typ: TYP, purpose: Purpose::Seal, at: Some(5) };

fn key(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm, &SystemRandom::new()).unwrap()
}

fn trust(key: &SigningKey) -> TrustSet {
    let key = key.public().clone();
    TrustSet::new(vec![TrustedKey { key, purpose: Purpose::Seal, use_from: 0, use_to: Some(10) }]).unwrap()
}

fn signed(key: &SigningKey) -> Jws {
    sign(PAYLOAD, TYP, key, &SystemRandom::new()).unwrap()
}

/// A signature over any header, made with the right key.
fn with_header(key: &SigningKey, header: &Value) -> Jws {
    let protected = b64::encode(&serde_json::to_vec(header).unwrap());
    let payload = b64::encode(PAYLOAD);
    let raw = key.sign(format!("{protected}.{payload}").as_bytes(), &SystemRandom::new()).unwrap();
    Jws { payload, signatures: vec![Signature { protected, signature: b64::encode(&raw) }] }
}

#[test]
fn signature_of_a_trusted_key_counts() {
    for algorithm in [Algorithm::Es256, Algorithm::Ed25519] {
        let key = key(algorithm);
        let verified = verify(&signed(&key), &EXPECTED, &trust(&key)).unwrap();
        assert_eq!(verified, Verified { payload: PAYLOAD.to_vec(), kids: vec![key.public().kid().clone()] });
    }
}

#[test]
fn rfc_8037_a4_signature_is_reproduced() {
    // RFC 8037 A.1, as the PKCS#8 that RFC 8410 wraps around the private key.
    let seed = b64::decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
    let prefix =
        [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    let key = SigningKey::from_pkcs8(&[&prefix[..], &seed].concat(), &SystemRandom::new()).unwrap();
    assert_eq!(key.public().to_jwk()["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    let protected = b64::encode(br#"{"alg":"EdDSA"}"#);
    let message = signing_input(&protected, &b64::encode(b"Example of Ed25519 signing"));
    let raw = key.sign(message.as_bytes(), &SystemRandom::new()).unwrap();
    assert_eq!(
        b64::encode(&raw),
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    );
}

#[test]
fn rfc_7515_a3_signature_verifies() {
    let jwk = json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
    let key = PublicKey::from_jwk(&jwk).unwrap();
    let message = "eyJhbGciOiJFUzI1NiJ9.\
                   eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let raw = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let raw = b64::decode(raw).unwrap();
    assert!(key.verifies(message.as_bytes(), &raw));
    assert!(!key.verifies(&message.as_bytes()[1..], &raw));
}

#[test]
fn header_with_anything_but_alg_kid_typ_is_refused() {
    let key = key(Algorithm::Es256);
    let good = json!({"alg": "ES256", "kid": key.public().kid(), "typ": TYP});
    assert!(verify(&with_header(&key, &good), &EXPECTED, &trust(&key)).is_ok());
    for (name, value) in [
        ("jwk", key.public().to_jwk()),
        ("jku", json!("https://example.org/jwks.json")),
        ("x5u", json!("https://example.org/cert")),
        ("x5c", json!([])),
        ("crit", json!(["b64"])),
        ("b64", json!(false)),
        ("cty", json!("json")),
    ] {
        let mut header = good.clone();
        header[name] = value;
        let refusal = verify(&with_header(&key, &header), &EXPECTED, &trust(&key));
        assert!(matches!(refusal, Err(Error::HeaderShape(_))), "{name}");
    }
    for name in ["alg", "kid", "typ"] {
        let mut header = good.clone();
        header.as_object_mut().unwrap().remove(name);
        let refusal = verify(&with_header(&key, &header), &EXPECTED, &trust(&key));
        assert!(matches!(refusal, Err(Error::HeaderShape(_))), "{name}");
    }
}

#[test]
fn algorithm_is_bound_to_the_key() {
    let (es256, ed25519) = (key(Algorithm::Es256), key(Algorithm::Ed25519));
    let outcome = |key: &SigningKey, alg: &str| {
        let header = json!({"alg": alg, "kid": key.public().kid(), "typ": TYP});
        verify(&with_header(key, &header), &EXPECTED, &trust(key))
    };
    assert!(outcome(&es256, "ES256").is_ok());
    assert!(outcome(&ed25519, "EdDSA").is_ok());
    assert!(outcome(&ed25519, "Ed25519").is_ok());
    for (key, alg) in
        [(&es256, "EdDSA"), (&es256, "none"), (&es256, "HS256"), (&ed25519, "ES256"), (&ed25519, "")]
    {
        assert!(matches!(outcome(key, alg), Err(Error::Algorithm { .. })), "{alg}");
    }
}

#[test]
fn untrusted_key_other_purpose_other_kind_and_other_time_do_not_count() {
    let own = key(Algorithm::Es256);
    let (jws, trust) = (signed(&own), trust(&own));
    let stranger = signed(&key(Algorithm::Es256));
    assert!(matches!(verify(&stranger, &EXPECTED, &trust), Err(Error::Untrusted { .. })));
    let other = Expected { purpose: Purpose::Platform, ..EXPECTED };
    assert!(matches!(verify(&jws, &other, &trust), Err(Error::Purpose { .. })));
    assert!(matches!(verify(&jws, &Expected { typ: "other+jws", ..EXPECTED }, &trust), Err(Error::Typ)));
    for at in [None, Some(-1), Some(11)] {
        assert!(matches!(verify(&jws, &Expected { at, ..EXPECTED }, &trust), Err(Error::NotInUse { .. })));
    }
}

#[test]
fn number_of_signatures_is_bounded_and_each_must_count() {
    let key = key(Algorithm::Es256);
    let with = |signatures: Vec<Signature>| Jws { signatures, ..signed(&key) };
    let one = signed(&key).signatures[0].clone();
    let stranger = signed(&self::key(Algorithm::Ed25519)).signatures[0].clone();
    let outcome = |signatures| verify(&with(signatures), &EXPECTED, &trust(&key));
    assert!(matches!(outcome(vec![]), Err(Error::Count { actual: 0 })));
    assert!(matches!(outcome(vec![one.clone(); 5]), Err(Error::Count { actual: 5 })));
    assert!(matches!(outcome(vec![one.clone(), one.clone()]), Err(Error::Repeated { .. })));
    assert!(matches!(outcome(vec![one, stranger]), Err(Error::Untrusted { .. })));
}

#[test]
fn every_changed_character_of_a_signature_is_refused() {
    let key = key(Algorithm::Ed25519);
    let (whole, trust) = (serde_json::to_string(&signed(&key)).unwrap(), trust(&key));
    for at in 0..whole.len() {
        let mut text = whole.clone().into_bytes();
        text[at] = if text[at] == b'A' { b'B' } else { b'A' };
        let Ok(jws) = serde_json::from_slice::<Jws>(&text) else { continue };
        assert!(verify(&jws, &EXPECTED, &trust).is_err(), "character {at}");
    }
}

#[test]
fn detached_form_is_the_same_signature() {
    let key = key(Algorithm::Es256);
    let jws = signed(&key);
    let detached = jws.signatures[0].detached();
    assert_eq!(Jws::attach(&detached, PAYLOAD).unwrap(), jws);
    let other = Jws::attach(&detached, b"other").unwrap();
    assert!(matches!(verify(&other, &EXPECTED, &trust(&key)), Err(Error::Mismatch { .. })));
    for bad in ["", "a.b", "a.b.c", "a..b..c", "a...b"] {
        assert!(matches!(Jws::attach(bad, PAYLOAD), Err(Error::Detached)), "{bad}");
    }
}
