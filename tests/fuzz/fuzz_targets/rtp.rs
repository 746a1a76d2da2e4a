#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    synaq_fuzz_entries::rtp(data);
});
