//! SSO moves to another address while it is asked without a pause: connections to the old one get too old.
//!
//! The reports, and why no client library does it by itself: <https://github.com/seanmonstar/reqwest/issues/3033>,
//! <https://github.com/aio-libs/aiohttp/issues/4948>, <https://github.com/zalando-stups/put-it-to-rest/issues/2>.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use super::support::{AMPLE, REQUEST, TOKEN, account, network_connection};
use crate::sso::client::Client;
use crate::sso::http_pool::{HttpPool, HttpSettings};
use crate::sso::simulator::Simulator;

/// Long enough on any machine; whoever waits for longer waits for ever.
const LONGEST: Duration = Duration::from_mins(1);

/// Where SSO's name leads now.
struct Directory(Mutex<Ipv4Addr>);

impl Resolve for Directory {
    fn resolve(&self, name: Name) -> Resolving {
        assert_eq!(name.as_str(), "sso.example");
        let address = IpAddr::V4(*self.0.lock().unwrap());
        let found: Addrs = Box::new(std::iter::once(SocketAddr::new(address, 0)));
        Box::pin(std::future::ready(Ok(found)))
    }
}

/// Two servers of one port, at two addresses.
async fn two_servers() -> (u16, [Simulator; 2]) {
    let connections = vec![network_connection(1, 1, 2)];
    let servers = [Simulator::new(connections.clone()), Simulator::new(connections)];
    let first = TcpListener::bind((FIRST, 0)).await.unwrap();
    let port = first.local_addr().unwrap().port();
    servers[0].spawn(first);
    servers[1].spawn(TcpListener::bind((SECOND, port)).await.unwrap());
    (port, servers)
}

const FIRST: Ipv4Addr = Ipv4Addr::LOCALHOST;
const SECOND: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// How many lists a server was asked for.
fn calls(server: &Simulator) -> u64 {
    server.calls().list
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waited = async {
        while !holds() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LONGEST, waited).await.unwrap_or_else(|_| panic!("{what}"));
}

#[tokio::test]
async fn busy_client_follows_sso_to_a_new_address_without_a_failed_call() {
    let (port, [old, new]) = two_servers().await;
    let directory = Arc::new(Directory(Mutex::new(FIRST)));
    let url = format!("http://sso.example:{port}/").parse().unwrap();
    let mut settings = HttpSettings::new(&url, AMPLE).unwrap();
    settings.max_age = Duration::from_millis(200);
    settings.resolver = Some(Arc::clone(&directory) as _);
    let http = HttpPool::new(settings).unwrap();
    let client = Client::with_pool(&url, &TOKEN.to_owned().into(), AMPLE, None, http).unwrap();

    let (stop, rounds) = (AtomicBool::new(false), [const { AtomicUsize::new(0) }; 8]);
    let load = join_all(rounds.iter().map(async |round| {
        while !stop.load(SeqCst) {
            assert!(client.list(&[account(1)], None, REQUEST).await.is_ok(), "no call fails");
            round.fetch_add(1, SeqCst);
        }
    }));
    let scene = async {
        until("the first address is asked", || calls(&old) > 100).await;
        assert_eq!(calls(&new), 0);
        *directory.0.lock().unwrap() = SECOND;
        until("the second address is never asked", || calls(&new) > 0).await;
        // Calls under way may still end at the first.
        let before: Vec<usize> = rounds.iter().map(|round| round.load(SeqCst)).collect();
        until("all have ended", || rounds.iter().zip(&before).all(|(now, then)| now.load(SeqCst) > *then)).await;
        let (last, first) = (calls(&old), calls(&new));
        until("the second address is asked", || calls(&new) > first + 500).await;
        assert_eq!(calls(&old), last, "nobody asks the first any more");
        stop.store(true, SeqCst);
    };
    tokio::join!(load, scene);
}

#[tokio::test]
async fn young_connections_are_reused() {
    let connections = Arc::new(AtomicUsize::new(0));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let simulator = Simulator::new(vec![network_connection(1, 1, 2)]);
    let inner = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let inner_address = inner.local_addr().unwrap();
    simulator.spawn(inner);
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, SeqCst);
            tokio::spawn(async move {
                let mut behind = tokio::net::TcpStream::connect(inner_address).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut behind).await;
            });
        }
    });
    let url = format!("http://{address}/").parse().unwrap();
    let http = HttpPool::new(HttpSettings::new(&url, AMPLE).unwrap()).unwrap();
    let client = Client::with_pool(&url, &TOKEN.to_owned().into(), AMPLE, None, http).unwrap();
    for _ in 0..50 {
        assert!(client.list(&[account(1)], None, REQUEST).await.is_ok());
    }
    assert_eq!(connections.load(SeqCst), 1, "one connection for calls that come one after another");
}
