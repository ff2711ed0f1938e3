//! Signing in, which is as slow as the hash of a password is meant to be.

use std::thread;
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};

use super::messages::durable;
use crate::Bench;
use crate::load::closed_loop;
use crate::report::Report;
use crate::system::System;

/// How many sign in at once.
const CLIENTS: usize = 8;

/// OWASP's first choice, as the server has it: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

pub(super) async fn measure(bench: Bench, report: &mut Report) -> anyhow::Result<()> {
    let system = System::on_sqlite(&bench).await?;
    system.people(CLIENTS).await?;
    let logins = || (0..CLIENTS).map(|number| system.login(number)).collect::<Vec<_>>();
    let ours = closed_loop(system.address(), logins(), bench.span).await?.rate();
    let span = bench.span;
    let reference = tokio::task::spawn_blocking(move || hash(span)).await??;
    report.ratio("Sign-ins, 8 at once", (ours, reference), "argon2 alone", "1/s", "≥ 0.9");

    let calm = durable(&system, 1, bench.span).await?.percentile_ms(99);
    let (busy, meanwhile) = tokio::try_join!(
        durable(&system, 1, bench.span),
        closed_loop(system.address(), logins(), bench.span + Duration::from_secs(2)),
    )?;
    let p99 = (busy.percentile_ms(99), calm);
    report.ratio("Messages of 64 clients while 8 sign in, p99", p99, "while nobody does", "ms", "≤ 2");
    report.figure("Sign-ins meanwhile, 8 at once", format!("{:.0} 1/s", meanwhile.rate()), "–");
    Ok(())
}

/// Hashes on all cores, and gives how many passwords a second.
fn hash(span: Duration) -> anyhow::Result<f64> {
    let threads = thread::available_parallelism()?.get();
    let until = Instant::now() + span;
    let work = move || {
        let params = Params::new(MEMORY_KIB, PASSES, 1, None).expect("parameters that argon2 allows");
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
        let mut memory = vec![Block::default(); params.block_count()];
        let mut count = 0_u32;
        while Instant::now() < until {
            let mut hash = [0; 32];
            argon2
                .hash_password_into_with_memory(b"correct-horse-battery", &[7; 16], &mut hash, &mut memory)
                .expect("a password and a salt");
            count += 1;
        }
        count
    };
    let workers: Vec<_> = (0..threads).map(|_| thread::spawn(work)).collect();
    let count: u32 = workers.into_iter().map(|worker| worker.join().expect("no panic")).sum();
    Ok(f64::from(count) / span.as_secs_f64())
}
