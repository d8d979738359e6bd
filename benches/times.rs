//! What it costs to read the time of one record, or to see that it has none.
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use logscrub::time::stamp::{Clock, Stamp, Unit};

/// The beginnings of records, each with a name for its form.
const RECORDS: [(&str, &[u8]); 12] = [
    ("rfc3339", b"2024-03-01T12:34:56.789012Z stdout F ready to serve requests"),
    ("log4j", b"2024-03-01 12:34:56,789 INFO [main] org.example.Server: ready to serve requests"),
    ("access", b"203.0.113.7 - - [01/Mar/2024:12:34:56 +0100] \"GET /index.html HTTP/1.1\" 200 512 \"-\" \"curl/8.5\""),
    ("access_user", b"203.0.113.7 - bob [01/Mar/2024:12:34:56 +0100] \"GET / HTTP/1.1\" 200 512 \"-\" \"curl/8.5\""),
    ("syslog", b"<34>Mar  1 12:34:56 host sshd[4711]: session opened"),
    ("apache", b"[Fri Mar 01 12:34:56.789012 2024] [core:error] [pid 4711] File does not exist"),
    ("klog", b"I0301 12:34:56.789012   12345 file.go:42] ready"),
    ("zeek", b"1709296496.789012\tCHhAvVGS1DHFjwGM9\t203.0.113.7\t54321\t198.51.100.9\t53"),
    ("audit", b"type=USER_LOGIN msg=audit(1709296496.789:42): pid=4711 uid=0"),
    ("none_json", b"{\"level\":\"info\",\"message\":\"ready\"}"),
    ("none_trace", b"\tat org.example.Server.main(Server.java:42)"),
    ("none_words", b"Caused by: java.lang.IllegalStateException: the server is not ready to serve requests"),
];

fn heads(criterion: &mut Criterion) {
    let clock = Clock { zone: None, reference: jiff::Timestamp::constant(1_710_504_000, 0) };
    let mut group = criterion.benchmark_group("time");
    for (name, record) in RECORDS {
        group.bench_function(name, |bencher| bencher.iter(|| Stamp::at_head(black_box(record), &clock)));
    }
    for (name, record) in RECORDS.into_iter().take(6) {
        let Some(stamp) = Stamp::at_head(record, &clock) else { continue };
        group.bench_function(format!("moment/{name}"), |bencher| {
            bencher.iter(|| black_box(&stamp).moment(Some(Unit::Hour)));
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(std::time::Duration::from_millis(200))
        .measurement_time(std::time::Duration::from_millis(500));
    targets = heads
}
criterion_main!(benches);
