use ring::rand::SystemRandom;
use serde_json::{Value, json};

use super::*;

const BOTH: [Algorithm; 2] = [Algorithm::Es256, Algorithm::Ed25519];

fn fresh(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm, &SystemRandom::new()).unwrap()
}

fn trusted(key: &SigningKey) -> TrustedKey {
    TrustedKey { key: key.public().clone(), purpose: Purpose::Seal, use_from: 1_000, use_to: Some(2_000) }
}

#[test]
fn key_read_back_from_pkcs8_is_the_same_key() {
    for algorithm in BOTH {
        let key = fresh(algorithm);
        let again = SigningKey::from_pkcs8(key.pkcs8(), &SystemRandom::new()).unwrap();
        assert_eq!(again.public(), key.public());
        let signature = again.sign(b"text", &SystemRandom::new()).unwrap();
        assert!(key.public().verifies(b"text", &signature));
        assert!(!key.public().verifies(b"texts", &signature));
        assert!(!fresh(algorithm).public().verifies(b"text", &signature));
    }
    assert!(matches!(SigningKey::from_pkcs8(b"junk", &SystemRandom::new()), Err(Error::Pkcs8)));
}

#[test]
fn debug_never_shows_the_private_half() {
    for algorithm in BOTH {
        let key = fresh(algorithm);
        assert_eq!(format!("{key:?}"), format!("SigningKey {{ public: {:?}, .. }}", key.public()));
    }
}

#[test]
fn thumbprints_equal_rfc_7638_and_rfc_8037() {
    // RFC 7638 section 3.1 is an RSA key: we sign with none, but name keys by the same rule.
    let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCi\
             FV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9\
             c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1j\
             F44-csFCur-kEgU8awapJzKnqDKgw";
    let rsa = [("e", "AQAB".into()), ("kty", "RSA".into()), ("n", n.into())].into();
    assert_eq!(thumbprint(&rsa).0, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    // RFC 8037 A.3
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let kid = PublicKey::from_jwk(&jwk).unwrap().kid().clone();
    assert_eq!(kid.0, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn jwk_round_trips() {
    for algorithm in BOTH {
        let key = fresh(algorithm);
        assert_eq!(&PublicKey::from_jwk(&key.public().to_jwk()).unwrap(), key.public());
    }
}

#[test]
fn jwk_with_anything_unexpected_is_refused() {
    let with = |algorithm, name: &str, value: Value| {
        let mut jwk = fresh(algorithm).public().to_jwk();
        jwk[name] = value;
        PublicKey::from_jwk(&jwk).unwrap_err()
    };
    let es256 = |name, value| with(Algorithm::Es256, name, value);
    assert!(matches!(es256("x5c", json!(["junk"])), Error::JwkShape(_)));
    assert!(matches!(es256("d", json!("AA")), Error::PrivateJwk));
    assert!(matches!(es256("crv", json!("P-384")), Error::JwkType));
    assert!(matches!(es256("x", json!("AA")), Error::JwkCoordinate));
    assert!(matches!(es256("y", Value::Null), Error::JwkCoordinate));
    assert!(matches!(es256("alg", json!("EdDSA")), Error::JwkUse));
    assert!(matches!(es256("use", json!("enc")), Error::JwkUse));
    assert!(matches!(es256("kid", json!("mine")), Error::KidMismatch { .. }));
    assert!(matches!(with(Algorithm::Ed25519, "y", json!("AA")), Error::JwkCoordinate));
    assert!(matches!(PublicKey::from_jwk(&json!([])), Err(Error::JwkShape(_))));
}

#[test]
fn trust_set_round_trips() {
    let set = TrustSet::new(BOTH.map(|algorithm| trusted(&fresh(algorithm))).to_vec()).unwrap();
    let again = TrustSet::from_json(&set.to_json()).unwrap();
    assert_eq!(again, set);
    assert_eq!(again.iter().count(), 2);
}

#[test]
fn trust_set_with_anything_unexpected_is_refused_by_name() {
    let key = fresh(Algorithm::Es256);
    let text = |change: &dyn Fn(&mut Value)| {
        let set = TrustSet::new(vec![trusted(&key)]).unwrap();
        let mut value: Value = serde_json::from_slice(&set.to_json()).unwrap();
        change(&mut value);
        TrustSet::from_json(&serde_json::to_vec(&value).unwrap()).unwrap_err()
    };
    assert!(matches!(text(&|set| set["more"] = json!(1)), TrustError::Shape(_)));
    assert!(matches!(text(&|set| set["keys"][0]["more"] = json!(1)), TrustError::Key { index: 0, .. }));
    assert!(matches!(
        text(&|set| set["keys"][0]["purpose"] = json!("all")),
        TrustError::Terms { index: 0, .. }
    ));
    assert!(matches!(
        text(&|set| set["keys"][0]["use_from"] = json!("1")),
        TrustError::Terms { index: 0, .. }
    ));
    assert!(matches!(text(&|set| set["keys"][0]["use_to"] = json!(999)), TrustError::Window { .. }));
    let endless = TrustedKey { use_to: Some(i64::MAX), ..trusted(&key) };
    assert!(matches!(TrustSet::new(vec![endless]), Err(TrustError::Window { .. })));
    let twice = |set: &mut Value| {
        let mut other = set["keys"][0].clone();
        other["purpose"] = json!("platform");
        set["keys"].as_array_mut().unwrap().push(other);
    };
    assert!(matches!(text(&twice), TrustError::Repeated { .. }));
    assert!(matches!(TrustSet::from_json(br#"{"keys":[],"keys":[]}"#), Err(TrustError::Json(_))));
}

#[test]
fn retired_key_is_in_use_only_within_its_window() {
    let mut key = trusted(&fresh(Algorithm::Ed25519));
    let in_use =
        |key: &TrustedKey| [None, Some(999), Some(1_000), Some(2_000), Some(2_001)].map(|at| key.in_use(at));
    assert_eq!(in_use(&key), [false, false, true, true, false]);
    key.use_to = None;
    assert_eq!(in_use(&key), [true, false, true, true, true]);
}
