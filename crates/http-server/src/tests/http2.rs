//! The same over HTTP/2, and what one connection with many requests adds to it.

use h2::client::SendRequest;
use h2::{Reason, RecvStream};
use http::{Request, Response, StatusCode};

use tokio::time::Instant;

use super::*;

/// A connection whose client reads and acknowledges what comes, and asks when it is told to.
struct Connection {
    requests: SendRequest<Bytes>,
    /// Ends with the connection.
    end: JoinHandle<Result<(), h2::Error>>,
}

impl Running {
    async fn http_2(&self, builder: &h2::client::Builder) -> Connection {
        let (requests, connection) = builder.handshake(self.connect().await).await.unwrap();
        Connection { requests, end: tokio::spawn(connection) }
    }

    async fn usual_http_2(&self) -> Connection {
        self.http_2(&h2::client::Builder::new()).await
    }

    /// A connection whose client speaks HTTP/2 by hand, and reads nothing unless it is told to.
    async fn by_hand(&self, more: &[u8]) -> TcpStream {
        let mut stream = self.connect().await;
        stream.write_all(&[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", more].concat()).await.unwrap();
        stream
    }
}

impl Connection {
    fn ask(&mut self, path: &str) -> h2::client::ResponseFuture {
        let request = Request::get(format!("http://test{path}")).body(()).unwrap();
        self.requests.send_request(request, true).unwrap().0
    }

    async fn get(&mut self, path: &str) -> String {
        let answer = self.ask(path);
        whole(answer.await.unwrap()).await.unwrap()
    }

    /// Waits until the server ends the connection, which must come to pass.
    async fn ends(self) {
        timeout(LONG, self.end).await.expect("the server must close the connection").unwrap().unwrap();
    }
}

/// The body, whose client is ready for more as soon as it has read something.
async fn whole(response: Response<RecvStream>) -> Result<String, h2::Error> {
    let mut body = response.into_body();
    let mut text = Vec::new();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len()).unwrap();
        text.extend(data);
    }
    Ok(String::from_utf8(text).unwrap())
}

const EMPTY_SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];

#[tokio::test]
async fn many_requests_over_one_connection_are_answered_side_by_side() {
    let running = start(Timeouts::default(), 0, 5_000);
    let mut connection = running.usual_http_2().await;
    let began = Instant::now();
    let answers: Vec<_> = (0..50).map(|_| connection.ask("/slow")).collect();
    for answer in answers {
        let answer = answer.await.unwrap();
        assert_eq!((answer.status(), answer.headers()["content-length"].to_str().unwrap()), (StatusCode::OK, "8"));
        assert_eq!(whole(answer).await.unwrap(), "finished");
    }
    assert!(began.elapsed() < Duration::from_millis(50 * 300 / 2), "one after the other: {:?}", began.elapsed());
}

#[tokio::test]
async fn a_client_that_begins_slowly_or_not_at_all_is_closed() {
    let running = start(short_timeouts(), 0, 5_000);
    let mut slow = running.connect().await;
    slow.write_all(b"PRI * HT").await.unwrap();
    assert_eq!(until_closed(&mut slow).await, "");
    let no_settings = running.by_hand(b"").await;
    let open_head = running.by_hand(&[&EMPTY_SETTINGS[..], &[0, 0, 1, 1, 0, 0, 0, 0, 1, 0x82]].concat()).await;
    for mut stream in [no_settings, open_head] {
        assert!(!until_closed(&mut stream).await.contains("hello"));
    }
}

#[tokio::test]
async fn what_only_looks_like_http_2_at_first_is_answered_as_http_1() {
    let running = start(Timeouts::default(), 0, 5_000);
    let mut stream = running.connect().await;
    for piece in ["P", "RI", " / HTTP/1.1\r\nHost: test\r\n\r\n"] {
        stream.write_all(piece.as_bytes()).await.unwrap();
        sleep(Duration::from_millis(10)).await;
    }
    assert!(until(&mut stream, "\r\n\r\n").await.starts_with("HTTP/1.1 405"));
    // Over clear text, a client may also offer to change over; it is answered as it asked.
    let upgrade = "GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
                   HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n";
    stream.write_all(upgrade.as_bytes()).await.unwrap();
    assert!(until(&mut stream, "hello").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_connection_that_stays_idle_is_closed_before_and_after_a_request() {
    let running = start(short_timeouts(), 0, 5_000);
    running.usual_http_2().await.ends().await;
    let mut connection = running.usual_http_2().await;
    assert_eq!(connection.get("/").await, "hello");
    connection.ends().await;
}

#[tokio::test]
async fn a_client_that_does_not_acknowledge_its_end_is_closed() {
    let timeouts = Timeouts { linger: Duration::from_millis(100), ..short_timeouts() };
    let running = start(timeouts, 0, 5_000);
    let mut stream = running.by_hand(&EMPTY_SETTINGS).await;
    until_closed(&mut stream).await;
}

#[tokio::test]
async fn a_connection_at_work_is_not_idle() {
    let running = start(short_timeouts(), 0, 5_000);
    let mut connection = running.usual_http_2().await;
    assert_eq!(connection.get("/slow").await, "finished");
}

#[tokio::test]
async fn a_client_that_drips_a_body_loses_that_request_alone() {
    let timeouts = Timeouts { head: LONG, ..short_timeouts() };
    let running = start(timeouts, 0, 5_000);
    let mut connection = running.usual_http_2().await;
    let request = Request::post("http://test/length").body(()).unwrap();
    let (answer, mut body) = connection.requests.send_request(request, false).unwrap();
    let drip = async {
        while body.send_data(Bytes::from_static(b"x"), false).is_ok() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    let status = timeout(LONG, async {
        tokio::select! {
            () = drip => None,
            answer = answer => answer.ok().map(|answer| answer.status()),
        }
    });
    let status = status.await.expect("the server must not wait");
    assert!(status.is_none_or(|status| status == StatusCode::BAD_REQUEST), "{status:?}");
    assert_eq!(connection.get("/").await, "hello");
}

#[tokio::test]
async fn a_client_that_does_not_take_an_answer_loses_that_answer_alone() {
    let timeouts = Timeouts { head: LONG, ..short_timeouts() };
    let running = start(timeouts, 0, 5_000);
    let mut builder = h2::client::Builder::new();
    let mut connection = running.http_2(builder.initial_connection_window_size(1024 * 1024)).await;
    let mut stuck = connection.ask("/big").await.unwrap().into_body();
    // It reads, and never makes room for more.
    let refused = loop {
        match timeout(LONG, stuck.data()).await.expect("the server must give up").unwrap() {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(refused.reason(), Some(Reason::CANCEL));
    assert_eq!(connection.get("/").await, "hello");
}

#[tokio::test]
async fn an_answer_far_larger_than_what_the_client_takes_at_once_comes_whole() {
    let running = start(Timeouts::default(), 0, 5_000);
    let mut builder = h2::client::Builder::new();
    let mut connection = running.http_2(builder.initial_window_size(1000)).await;
    assert_eq!(connection.get("/medium").await.len(), MEDIUM);
    let head = Request::head("http://test/medium").body(()).unwrap();
    let answer = connection.requests.send_request(head, true).unwrap().0.await.unwrap();
    assert_eq!(answer.headers()["content-length"].to_str().unwrap(), MEDIUM.to_string());
    assert_eq!(whole(answer).await.unwrap(), "");
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let running = start(Timeouts::default(), 0, 5_000);
    let mut connection = running.usual_http_2().await;
    let mut request = Request::get("http://test/");
    for number in 0..5 {
        request = request.header(format!("x-big-{number}"), "x".repeat(15_000));
    }
    let answer = connection.requests.send_request(request.body(()).unwrap(), true).unwrap().0.await.unwrap();
    assert_eq!(answer.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    assert_eq!(connection.get("/").await, "hello");
}

#[tokio::test]
async fn a_client_that_takes_back_what_it_asks_for_is_closed_once_it_does_so_without_end() {
    let running = start(Timeouts::default(), 0, 5_000);
    let mut patient = running.usual_http_2().await;
    let mut hasty = running.usual_http_2().await;
    let mut taken_back = 0;
    let is_refused = timeout(LONG, async {
        while hasty.requests.clone().ready().await.is_ok() {
            let answer = hasty.ask("/stuck");
            // Until it has reached its handler.
            sleep(Duration::from_millis(1)).await;
            drop(answer);
            taken_back += 1;
        }
    });
    is_refused.await.expect("the server must end it");
    // On a busy machine some are taken back before they reach their handlers: of those the library bears fewer.
    assert!((20..200).contains(&taken_back), "{taken_back}");
    assert_eq!(patient.get("/").await, "hello");
}

#[tokio::test]
async fn taking_back_some_of_many_requests_is_no_offence() {
    let running = start(Timeouts::default(), 0, 5_000);
    let mut connection = running.usual_http_2().await;
    for _ in 0..300 {
        let taken_back = connection.ask("/stuck");
        assert_eq!(connection.get("/").await, "hello");
        drop(taken_back);
    }
    assert_eq!(connection.get("/").await, "hello");
}

#[tokio::test]
async fn readiness_turns_first_and_connections_are_told_to_leave_after_the_delay() {
    let running = start(Timeouts::default(), 1_000, 60_000);
    running.shutdown.start();
    let mut connection = running.usual_http_2().await;
    assert_eq!(connection.get("/ready").await, "stopping");
    running.refuses().await;
    connection.ends().await;
    running.ends().await;
}

#[tokio::test]
async fn what_is_in_flight_is_finished_and_nothing_new_is_begun() {
    let running = start(Timeouts::default(), 0, 20_000);
    let mut connection = running.usual_http_2().await;
    let in_flight: Vec<_> = (0..50).map(|_| connection.ask("/slow")).collect();
    // Until the requests have reached their handlers.
    sleep(Duration::from_millis(50)).await;
    running.shutdown.start();
    running.refuses().await;
    sleep(Duration::from_millis(50)).await;
    let late = connection.requests.clone().ready().await;
    assert!(late.is_err_and(|error| error.is_go_away() && error.reason() == Some(Reason::NO_ERROR)));
    for answer in in_flight {
        assert_eq!(whole(answer.await.unwrap()).await.unwrap(), "finished");
    }
    connection.ends().await;
    running.ends().await;
}

#[tokio::test]
async fn a_client_that_asks_until_it_is_told_to_leave_loses_no_answer() {
    let running = start(Timeouts::default(), 0, 60_000);
    let mut connections = Vec::new();
    for _ in 0..8 {
        connections.push(running.usual_http_2().await);
    }
    let asking = connections.into_iter().map(|connection| {
        tokio::spawn(async move {
            let mut answered = 0;
            while let Ok(mut requests) = connection.requests.clone().ready().await {
                let request = Request::get("http://test/medium").body(()).unwrap();
                let Ok((answer, _)) = requests.send_request(request, true) else { break };
                assert_eq!(whole(answer.await.unwrap()).await.unwrap().len(), MEDIUM);
                answered += 1;
            }
            connection.ends().await;
            answered
        })
    });
    let asking: Vec<_> = asking.collect();
    sleep(Duration::from_millis(100)).await;
    running.shutdown.start();
    running.ends().await;
    for client in asking {
        assert!(timeout(LONG, client).await.unwrap().unwrap() > 0);
    }
}

#[tokio::test]
async fn neither_an_idle_connection_nor_one_that_says_nothing_holds_the_end_up() {
    let running = start(Timeouts { head: LONG * 10, protocol_detection: LONG * 10, ..Timeouts::default() }, 0, 600_000);
    let mut idle = running.usual_http_2().await;
    assert_eq!(idle.get("/").await, "hello");
    let _dumb = running.by_hand(&EMPTY_SETTINGS).await;
    let _silent = running.connect().await;
    running.shutdown.start();
    running.ends().await;
}

#[tokio::test]
async fn a_stuck_request_does_not_hold_the_end_up_beyond_the_limit() {
    let running = start(Timeouts::default(), 0, 1_000);
    let mut connection = running.usual_http_2().await;
    let stuck = connection.ask("/stuck");
    sleep(Duration::from_millis(50)).await;
    running.shutdown.start();
    running.ends().await;
    assert!(timeout(LONG, stuck).await.unwrap().is_err());
}
