//! A forward proxy for plain HTTP that wants Basic credentials, and writes down what it is asked.

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use crate::proxy::read_message;

pub(crate) struct ForwardProxy {
    address: SocketAddr,
    asked: Arc<Asked>,
    stopping: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

/// How many requests there were.
#[derive(Default)]
pub(crate) struct Asked {
    /// With the right user and password.
    pub(crate) forwarded: AtomicU64,
    /// Answered with 407.
    pub(crate) refused: AtomicU64,
}

impl ForwardProxy {
    pub(crate) fn start(user: &str, password: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (asked, stopping) = (Arc::new(Asked::default()), Arc::new(AtomicBool::new(false)));
        let (counts, stopped) = (Arc::clone(&asked), Arc::clone(&stopping));
        let wanted: Arc<str> = format!("Basic {}", base64(format!("{user}:{password}").as_bytes())).into();
        let accepting = std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let (counts, wanted) = (Arc::clone(&counts), Arc::clone(&wanted));
                // Ends with its connection.
                std::thread::spawn(move || drop(serve(stream, &wanted, &counts)));
            }
        });
        Self { address, asked, stopping, accepting: Some(accepting) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn asked(&self) -> &Asked {
        &self.asked
    }
}

impl Drop for ForwardProxy {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            accepting.join().expect("the proxy did not panic");
        }
    }
}

fn serve(mut client: TcpStream, wanted: &str, asked: &Asked) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let mut reader = BufReader::new(client.try_clone()?);
    while let Some((head, body)) = read_message(&mut reader, false)? {
        let given = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("proxy-authorization"));
        if given.map(|(_, value)| value) != Some(wanted) {
            asked.refused.fetch_add(1, Ordering::SeqCst);
            client.write_all(b"HTTP/1.1 407 -\r\nProxy-Authenticate: Basic realm=\"proxy\"\r\nContent-Length: 0\r\n\r\n")?;
            continue;
        }
        asked.forwarded.fetch_add(1, Ordering::SeqCst);
        let (method, rest) = head.split_once(" http://").expect("a request for a proxy names the host");
        let (host, path) = rest.split_once('/').expect("a path");
        let mut server = TcpStream::connect(host)?;
        server.write_all(&[format!("{method} /{path}").as_bytes(), &body].concat())?;
        let Some((head, body)) = read_message(&mut BufReader::new(server), method == "HEAD")? else { return Ok(()) };
        client.write_all(&[head.as_bytes(), &body].concat())?;
    }
    Ok(())
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let four = |three: &[u8]| {
        let at = |index: usize| u32::from(three.get(index).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        let digit =
            |index: usize| if index > three.len() { '=' } else { char::from(DIGITS[(bits >> (18 - 6 * index)) as usize & 63]) };
        [0, 1, 2, 3].map(digit)
    };
    bytes.chunks(3).flat_map(four).collect()
}

#[test]
fn texts_are_encoded_as_http_wants_it() {
    for (text, encoded) in
        [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("Aladdin:opensesame", "QWxhZGRpbjpvcGVuc2VzYW1l")]
    {
        assert_eq!(base64(text.as_bytes()), encoded);
    }
}
