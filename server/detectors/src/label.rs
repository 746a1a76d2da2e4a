//! The camera's name, as the browser tells it. A weak sign: a name is easily changed.

/// Parts of names of programs that make a picture of their own, in lower case.
const VIRTUAL: &[&str] = &[
    "obs",
    "virtual",
    "manycam",
    "snap camera",
    "xsplit",
    "droidcam",
    "iriun",
    "ivcam",
    "epoccam",
    "e2esoft",
    "vcam",
    "splitcam",
    "youcam",
    "webcamoid",
    "v4l2loopback",
    "dummy video",
    "ndi",
    "mmhmm",
    "nvidia broadcast",
    "deepfacelive",
    "fake",
];

/// Whether the name is one of a program rather than of a camera.
#[must_use]
pub fn looks_virtual(label: &str) -> bool {
    let label = label.to_lowercase();
    let words: Vec<&str> = label.split(|c: char| !c.is_alphanumeric()).collect();
    VIRTUAL.iter().any(|name| match name.len() {
        // A short name is only itself: "obs" is not in "observer".
        ..=4 => words.contains(name),
        _ => label.contains(name),
    })
}

#[cfg(test)]
mod tests {
    use super::looks_virtual;

    #[test]
    fn programs_are_told_from_cameras() {
        for name in
            ["OBS Virtual Camera", "ManyCam Video Source", "Snap Camera", "NDI Webcam 1", "e2eSoft VCam"]
        {
            assert!(looks_virtual(name), "{name}");
        }
        for name in [
            "",
            "Integrated Camera (04f2:b6d9)",
            "FaceTime HD Camera",
            "HD Webcam C525",
            "Observer 2K",
            "Logitech BRIO",
            "USB2.0 HD UVC WebCam",
            "Sandisk Hindi cam",
        ] {
            assert!(!looks_virtual(name), "{name}");
        }
    }
}
