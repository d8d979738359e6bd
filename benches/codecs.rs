//! What it costs to compress a log, by the number of threads, and to read it again.
#![allow(missing_docs)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{self, Read, Write};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use logscrub::codec::{Codec, Encoding};

const LOG_BYTES: usize = 8 << 20;

fn log() -> Vec<u8> {
    let (mut log, mut state) = (String::new(), 42_u64);
    while log.len() < LOG_BYTES {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let (id, millis) = (state >> 40, state >> 54);
        let _ = writeln!(
            log,
            "2024-03-01T12:34:56Z host app[4711]: request {id:x} of 203.0.113.{} took {millis} ms",
            id % 250
        );
    }
    log.into_bytes()
}

fn encoded<W: Write>(codec: Codec, log: &[u8], threads: usize, out: W) -> io::Result<W> {
    let mut encoder = codec.encoder(out, &Encoding { threads, ..Encoding::default() })?;
    encoder.write_all(log)?;
    encoder.finish()
}

fn codecs(criterion: &mut Criterion) {
    let log = log();
    let mut group = criterion.benchmark_group("codecs");
    group.throughput(Throughput::Bytes(log.len() as u64));
    for codec in [Codec::Gzip, Codec::Zstd, Codec::Lz4] {
        for threads in [1, 2] {
            group.bench_function(format!("{}/encode/{threads}", codec.name()), |bencher| {
                bencher.iter(|| encoded(codec, black_box(&log), threads, io::sink()).is_ok());
            });
        }
        let Ok(compressed) = encoded(codec, &log, 2, Vec::new()) else { continue };
        let mut buffer = vec![0; 128 << 10];
        group.bench_function(format!("{}/decode", codec.name()), |bencher| {
            bencher.iter(|| {
                let Ok(mut decoder) = codec.decoder(black_box(&compressed[..])) else { return };
                while decoder.read(&mut buffer).is_ok_and(|bytes| bytes > 0) {}
            });
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(std::time::Duration::from_millis(300))
        .measurement_time(std::time::Duration::from_secs(2));
    targets = codecs
}
criterion_main!(benches);
