//! [`GzipEncoder`]: one member of gzip, compressed in chunks on several threads.
//!
//! Each chunk is compressed by itself, with the end of the one before it as a dictionary, and ends on a whole byte; so they
//! stand one behind another as the blocks of one deflate stream. The output depends on the level alone.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

use super::gzip_head::GzipHead;

/// Bytes of a chunk: what pigz takes. The first of them find less to refer to, so that smaller ones cost space.
const CHUNK_BYTES: usize = 128 << 10;

/// How far deflate looks back.
const WINDOW_BYTES: usize = 32 << 10;

/// Chunks under way for each thread.
const CHUNKS_PER_THREAD: usize = 2;

/// Bytes to be compressed behind those of which they may repeat something.
#[derive(Default)]
struct Chunk {
    bytes: Vec<u8>,
    /// How many of them are the dictionary.
    dictionary: usize,
    last: bool,
}

impl Chunk {
    fn data(&self) -> &[u8] {
        self.bytes.get(self.dictionary..).unwrap_or_default()
    }

    /// The one behind this, in another's memory.
    fn next_in(&self, mut bytes: Vec<u8>) -> Chunk {
        let window = self.bytes.len().saturating_sub(WINDOW_BYTES);
        bytes.clear();
        bytes.extend_from_slice(self.bytes.get(window..).unwrap_or_default());
        Chunk { dictionary: bytes.len(), bytes, last: false }
    }
}

/// A chunk, compressed.
struct Squashed {
    deflated: Vec<u8>,
    crc: Crc,
    /// The memory of the chunk, to be used again.
    bytes: Vec<u8>,
}

/// Compresses one chunk after another.
struct Deflater(Compress);

impl Deflater {
    fn new(level: u32) -> Deflater {
        Deflater(Compress::new(Compression::new(level), false))
    }

    fn deflate(&mut self, chunk: Chunk) -> io::Result<Squashed> {
        self.0.reset();
        if let Some(dictionary) = chunk.bytes.get(..chunk.dictionary).filter(|bytes| !bytes.is_empty()) {
            self.0.set_dictionary(dictionary)?;
        }
        let data = chunk.data();
        let flush = if chunk.last { FlushCompress::Finish } else { FlushCompress::Sync };
        let mut deflated = Vec::with_capacity(data.len() / 2 + 1024);
        loop {
            let read = self.0.total_in() as usize;
            let status = self.0.compress_vec(data.get(read..).unwrap_or_default(), &mut deflated, flush)?;
            let roomy = deflated.len() < deflated.capacity();
            if status == Status::StreamEnd || (!chunk.last && roomy) {
                break;
            }
            deflated.reserve(data.len() / 4 + 1024);
        }
        let mut crc = Crc::new();
        crc.update(data);
        Ok(Squashed { deflated, crc, bytes: chunk.bytes })
    }
}

/// Encodes to gzip.
pub(super) struct GzipEncoder<W> {
    out: W,
    chunk: Chunk,
    crc: Crc,
    crew: Crew,
    spare: Vec<Vec<u8>>,
}

impl<W: Write> GzipEncoder<W> {
    pub(super) fn new(mut out: W, level: u32, threads: usize, head: &GzipHead) -> io::Result<GzipEncoder<W>> {
        out.write_all(&head.bytes(level))?;
        let crew = Crew::new(level, threads);
        Ok(GzipEncoder { out, chunk: Chunk::default(), crc: Crc::new(), crew, spare: Vec::new() })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = CHUNK_BYTES - self.chunk.data().len().min(CHUNK_BYTES);
            let (part, behind) = rest.split_at(room.min(rest.len()));
            self.chunk.bytes.extend_from_slice(part);
            rest = behind;
            if self.chunk.data().len() >= CHUNK_BYTES {
                let next = self.chunk.next_in(self.spare.pop().unwrap_or_default());
                let full = std::mem::replace(&mut self.chunk, next);
                self.hand_over(full)?;
            }
        }
        Ok(bytes.len())
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        let last = Chunk { last: true, ..std::mem::take(&mut self.chunk) };
        self.hand_over(last)?;
        while let Some(squashed) = self.crew.first() {
            self.put(squashed?)?;
        }
        self.out.write_all(&self.crc.sum().to_le_bytes())?;
        self.out.write_all(&self.crc.amount().to_le_bytes())?;
        Ok(self.out)
    }

    fn hand_over(&mut self, chunk: Chunk) -> io::Result<()> {
        while self.crew.is_busy() {
            let Some(squashed) = self.crew.first() else { break };
            self.put(squashed?)?;
        }
        self.crew.hand_over(chunk)
    }

    fn put(&mut self, squashed: Squashed) -> io::Result<()> {
        self.crc.combine(&squashed.crc);
        self.spare.push(squashed.bytes);
        self.out.write_all(&squashed.deflated)
    }
}

/// A chunk, and where what becomes of it is awaited.
type Job = (Chunk, Sender<io::Result<Squashed>>);

/// Those who compress: threads, or without any this one.
struct Crew {
    deflater: Deflater,
    level: u32,
    /// How many threads there are to be; one is none.
    wanted: usize,
    threads: Vec<JoinHandle<()>>,
    jobs: Option<Sender<Job>>,
    queue: Arc<Mutex<Receiver<Job>>>,
    /// What is under way, in order.
    pending: VecDeque<Receiver<io::Result<Squashed>>>,
}

impl Crew {
    fn new(level: u32, threads: usize) -> Crew {
        let (jobs, queue) = channel();
        Crew {
            deflater: Deflater::new(level),
            level,
            wanted: threads,
            threads: Vec::new(),
            jobs: Some(jobs),
            queue: Arc::new(Mutex::new(queue)),
            pending: VecDeque::new(),
        }
    }

    fn is_busy(&self) -> bool {
        self.pending.len() >= CHUNKS_PER_THREAD * self.wanted
    }

    fn hand_over(&mut self, chunk: Chunk) -> io::Result<()> {
        if self.wanted > 1 && !chunk.last && self.threads.len() < self.wanted {
            self.start();
        }
        let (sender, receiver) = channel();
        self.pending.push_back(receiver);
        match &self.jobs {
            Some(jobs) if !self.threads.is_empty() => {
                jobs.send((chunk, sender)).map_err(|_| io::Error::other(NOT_COMPRESSED))
            }
            _ => {
                let _ = sender.send(self.deflater.deflate(chunk)); // to `pending`, which is here
                Ok(())
            }
        }
    }

    /// Starts one thread more; without one those that are there must do.
    fn start(&mut self) {
        let (queue, level) = (Arc::clone(&self.queue), self.level);
        match thread::Builder::new().spawn(move || work(&queue, level)) {
            Ok(thread) => self.threads.push(thread),
            Err(_) => self.wanted = self.threads.len().max(1),
        }
    }

    /// Waits for the first chunk that is under way.
    fn first(&mut self) -> Option<io::Result<Squashed>> {
        let first = self.pending.pop_front()?;
        Some(first.recv().unwrap_or_else(|_| Err(io::Error::other(NOT_COMPRESSED))))
    }
}

/// A thread ended before its time.
const NOT_COMPRESSED: &str = "a chunk was not compressed";

impl Drop for Crew {
    fn drop(&mut self) {
        self.jobs = None;
        self.threads.drain(..).for_each(|thread| drop(thread.join())); // one that panicked has been missed above
    }
}

fn work(queue: &Mutex<Receiver<Job>>, level: u32) {
    let mut deflater = Deflater::new(level);
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((chunk, sender)) = next else { return };
        let _ = sender.send(deflater.deflate(chunk)); // nobody waits for it any more after an error
    }
}
