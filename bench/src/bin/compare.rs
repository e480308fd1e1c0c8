//! Compares the server's CPU per request with the yardstick's, over the same rows in the same PostgreSQL, in rounds
//! that take turns. Prints a table; asserts only that both answer the same.
//!
//! `compare <server url> <server pid> <key> <yardstick url> <yardstick pid> <account> <connections>`

use std::error::Error;
use std::fs;
use std::io::Write;
use std::time::Instant;

use reqwest::Client;
use serde_json::{Value, json};

const ROUNDS: usize = 7;
const SECONDS_A_TURN: u64 = 2;
const CONCURRENCY: usize = 4;

const QUERY: &str = "query Nested($first: Int!) { connections(first: $first) { nodes { connectionId ssoConnectionId \
    invitationId status relationshipType createdAt updatedAt createdBy uiState { raw } \
    connectedAccount { id ssoId name } \
    accountEntity { id name description standard account pending connected connectedAccountId deprecated see \
    fieldSuffix invitationId invitationExpiresAt expired flowIds logoUrl moduleIds source recipient timeZone \
    trustedformCertifiedVendor website createdAt updatedAt } \
    customEntities { id name source recipient } } } }";

type Failure = Box<dyn Error + Send + Sync>;

struct Contender {
    name: &'static str,
    process: u32,
    request: reqwest::Request,
    client: Client,
}

impl Contender {
    async fn body(&self) -> Result<Value, Failure> {
        let request = self.request.try_clone().ok_or("a request with a stream")?;
        let response = self.client.execute(request).await?.error_for_status()?;
        Ok(serde_json::from_slice(&response.bytes().await?)?)
    }

    /// Microseconds of CPU per request, and requests per second, over one turn.
    async fn turn(&self) -> Result<(f64, f64), Failure> {
        let (cpu, start) = (cpu_nanoseconds(self.process)?, Instant::now());
        let workers = (0..CONCURRENCY).map(|_| {
            let client = self.client.clone();
            let request = self.request.try_clone();
            tokio::spawn(async move {
                let request = request.ok_or("a request with a stream")?;
                let mut count = 0_u32;
                while start.elapsed().as_secs() < SECONDS_A_TURN {
                    let Some(request) = request.try_clone() else { break };
                    client.execute(request).await?.error_for_status()?.bytes().await?;
                    count += 1;
                }
                Ok::<_, Failure>(count)
            })
        });
        let mut requests = 0_u32;
        for worker in workers.collect::<Vec<_>>() {
            requests += worker.await??;
        }
        let seconds = start.elapsed().as_secs_f64();
        let used = std::time::Duration::from_nanos(cpu_nanoseconds(self.process)?.saturating_sub(cpu));
        Ok((used.as_secs_f64() * 1e6 / f64::from(requests), f64::from(requests) / seconds))
    }
}

/// CPU time of all threads, by the scheduler's own account.
fn cpu_nanoseconds(process: u32) -> Result<u64, Failure> {
    let mut sum = 0;
    for task in fs::read_dir(format!("/proc/{process}/task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        sum += text.split_whitespace().next().ok_or("an empty schedstat")?.parse::<u64>()?;
    }
    Ok(sum)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server, server_process, key, yardstick, yardstick_process, account, connections] = arguments.as_slice() else {
        return Err(
            "usage: compare <server url> <server pid> <key> <yardstick url> <yardstick pid> <account> <connections>"
                .into(),
        );
    };
    // The client wants one, though nothing here speaks TLS.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().build()?;
    let first: u32 = connections.parse()?;
    let body = json!({"query": QUERY, "variables": {"first": first}}).to_string();
    let server = Contender {
        name: "lc-connections",
        process: server_process.parse()?,
        request: client
            .post(format!("{server}/graphql"))
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "application/json")
            .body(body)
            .build()?,
        client: client.clone(),
    };
    let yardstick = Contender {
        name: "L1b",
        process: yardstick_process.parse()?,
        request: client.get(format!("{yardstick}/connections?account={account}")).build()?,
        client,
    };
    let (ours, theirs) = (server.body().await?, yardstick.body().await?);
    let nodes = &ours["data"]["connections"]["nodes"];
    if *nodes != theirs || nodes.as_array().map(Vec::len) != usize::try_from(first).ok() {
        return Err(format!("the two answer differently for {connections} connections").into());
    }

    let mut figures = [(Vec::new(), Vec::new()), (Vec::new(), Vec::new())];
    for round in 0..=ROUNDS {
        for (contender, (cpu, rate)) in [&server, &yardstick].into_iter().zip(&mut figures) {
            let (microseconds, per_second) = contender.turn().await?;
            // The first round warms up.
            if round > 0 {
                cpu.push(microseconds);
                rate.push(per_second);
            }
        }
    }
    let [(ours, our_rate), (theirs, their_rate)] = figures;
    let ratios = ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs).collect();
    let mut out = std::io::stdout().lock();
    for (contender, cpu, rate) in [(&server, ours, our_rate), (&yardstick, theirs, their_rate)] {
        let (cpu, rate) = (median(cpu), median(rate));
        writeln!(
            out,
            "{connections:>5} connections  {:<15} {cpu:>9.0} µs CPU/request {rate:>9.0} requests/s",
            contender.name
        )?;
    }
    writeln!(out, "{connections:>5} connections  CPU ratio, median of {ROUNDS} pairs: {:.2}", median(ratios))?;
    Ok(())
}
