//! A picture in any format, under limits that memory here allows.
#![no_main]

use std::panic;

use avizor_data::decode::{CutOff, Limits};
use avizor_data::{DecodeOptions, decode, probe};

libfuzzer_sys::fuzz_target!(
    // Panics of foreign decoders are caught where they are called; the fuzzer's own hook would end the process before.
    // One that nobody catches still reaches the fuzzer.
    init: panic::set_hook(Box::new(|_| {})),
    |bytes: &[u8]| {
        let limits = Limits { max_pixels: 1 << 22, ..Limits::default() };
        let probed = probe(bytes, &limits);
        for cut_off in [CutOff::Refuse, CutOff::Keep] {
            let options = DecodeOptions { limits, cut_off, ..DecodeOptions::default() };
            if let Ok(decoded) = decode(bytes, &options) {
                let facts = probed.as_ref().expect("what can be decoded can be probed");
                assert_eq!(decoded.picture.size(), facts.size());
            }
        }
    }
);
