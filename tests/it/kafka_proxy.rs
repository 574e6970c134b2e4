//! A proxy between a consumer and a broker that can spoil what the broker answers.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// What happens to an answer: its bytes without the length before them.
type Spoil = dyn Fn(&mut [u8]) + Send + Sync;

pub(crate) struct KafkaProxy {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl KafkaProxy {
    /// Listens, and stands for the broker at `upstream` (`host:port`): clients are told this address wherever they would be told the broker's.
    pub(crate) fn start(upstream: &str, spoil: impl Fn(&mut [u8]) + Send + Sync + 'static) -> Self {
        let upstream: SocketAddr = upstream.parse().expect("host:port");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let stopping = Arc::new(AtomicBool::new(false));
        let (stopped, spoil): (_, Arc<Spoil>) = (Arc::clone(&stopping), Arc::new(spoil));
        let accepting = std::thread::spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(server) = TcpStream::connect(upstream) else { continue };
                drop((client.set_nodelay(true), server.set_nodelay(true)));
                let (Ok(asking), Ok(asked)) = (client.try_clone(), server.try_clone()) else { continue };
                // Both end with the connection.
                std::thread::spawn(move || pass_requests(asking, asked));
                let spoil = Arc::clone(&spoil);
                std::thread::spawn(move || {
                    drop(pass_answers(&server, &client, [upstream, address], &*spoil));
                    drop((server.shutdown(Shutdown::Both), client.shutdown(Shutdown::Both)));
                });
            }
        });
        Self { address, stopping, accepting: Some(accepting) }
    }

    pub(crate) fn bootstrap_servers(&self) -> String {
        self.address.to_string()
    }
}

impl Drop for KafkaProxy {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            accepting.join().expect("the proxy did not panic");
        }
    }
}

fn pass_requests(mut client: TcpStream, mut server: TcpStream) {
    drop(std::io::copy(&mut client, &mut server));
    drop((server.shutdown(Shutdown::Both), client.shutdown(Shutdown::Both)));
}

fn pass_answers(
    mut server: &TcpStream,
    mut client: &TcpStream,
    [broker, proxy]: [SocketAddr; 2],
    spoil: &Spoil,
) -> std::io::Result<()> {
    let (broker, proxy) = (as_told(broker), as_told(proxy));
    loop {
        let mut length = [0; 4];
        server.read_exact(&mut length)?;
        let mut answer = vec![0; usize::try_from(u32::from_be_bytes(length)).expect("a length")];
        server.read_exact(&mut answer)?;
        while let Some(at) = find(&answer, &broker) {
            answer[at..at + proxy.len()].copy_from_slice(&proxy);
        }
        spoil(&mut answer);
        client.write_all(&[&length[..], &answer].concat())?;
    }
}

/// A broker's address as answers of all versions hold it: the host's text, and the port in four bytes.
fn as_told(address: SocketAddr) -> Vec<u8> {
    [address.ip().to_string().as_bytes(), &u32::from(address.port()).to_be_bytes()].concat()
}

/// Where some bytes first are in others.
pub(crate) fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[test]
fn clients_of_the_proxy_read_through_it_alone() {
    use crate::cluster::{Cluster, Record};
    use std::sync::atomic::AtomicUsize;

    let Some(cluster) = Cluster::from_environment("proxy of the broker") else { return };
    let topic = format!("proxied-{}", std::process::id());
    cluster.create_topic(&topic, 1, &[]);
    cluster.produce(&[Record { topic: topic.clone(), value: Some(b"through the proxy".to_vec()), ..Record::default() }]);
    let seen = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&seen);
    let proxy = KafkaProxy::start(cluster.bootstrap_servers(), move |answer| {
        if find(answer, b"through the proxy").is_some() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let records = Cluster::new(proxy.bootstrap_servers()).read_all(&topic);
    assert_eq!(records[0].value.as_deref(), Some(&b"through the proxy"[..]));
    assert!(seen.load(Ordering::SeqCst) > 0, "the record did not pass the proxy");
    cluster.delete_topic(&topic);
}
