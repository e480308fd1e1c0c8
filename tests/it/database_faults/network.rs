//! What is between the program and PostgreSQL fails.

use crate::support::cluster::Cluster;
use crate::support::proxy::Proxy;

use super::Subject;

/// A database behind a network of its own, and the application that reaches it through that.
async fn behind_a_proxy() -> (Cluster, Proxy, Subject) {
    let cluster = Cluster::start().await;
    let proxy = Proxy::before(cluster.port()).await;
    let subject = Subject::start(&cluster.database_behind(&proxy).await).await;
    (cluster, proxy, subject)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_network_swallows_everything_for_a_while() {
    let (_cluster, proxy, subject) = behind_a_proxy().await;
    proxy.fall_silent();
    subject.is_out_of_service().await;
    proxy.resume();
    subject.recovers().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_network_forgets_the_connections_that_were_open() {
    let (_cluster, proxy, subject) = behind_a_proxy().await;
    proxy.fall_silent();
    subject.is_out_of_service().await;
    proxy.resume_without_the_old();
    subject.recovers().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_network_resets_all_connections() {
    let (_cluster, proxy, subject) = behind_a_proxy().await;
    proxy.reset();
    subject.works().await;
}
