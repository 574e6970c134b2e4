//! S3: a server over a directory.

use std::{
    convert::Infallible,
    error::Error,
    fs, io,
    net::{self, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    thread,
};

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use s3s_fs::FileSystem;
use tokio::{net::TcpListener, task::JoinSet};

/// An S3 server on the loopback interface. It checks signatures as S3 does; its objects are files.
pub(crate) struct S3 {
    address: SocketAddr,
    root: PathBuf,
}

impl S3 {
    /// The key that the server knows.
    pub(crate) const ACCESS_KEY: &str = "QUICKSTARTACCESSKEY";
    /// The secret of [`S3::ACCESS_KEY`].
    pub(crate) const SECRET_KEY: &str = "quickstart-secret-key";

    /// Serves the directory from a thread of its own.
    ///
    /// # Errors
    /// Where the directory or the socket cannot be had.
    pub(crate) fn start(root: &Path) -> Result<Self, Box<dyn Error>> {
        let mut service = S3ServiceBuilder::new(FileSystem::new(root).map_err(|error| format!("{error:?}"))?);
        service.set_auth(SimpleAuth::from_single(Self::ACCESS_KEY, Self::SECRET_KEY));
        let service = service.build();

        let listener = net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("s3".to_owned()).spawn(move || runtime.block_on(serve(listener, service)))?;
        Ok(Self { address, root: root.to_owned() })
    }

    /// For `store.url`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes a bucket: a directory.
    ///
    /// # Errors
    /// Where the directory cannot be made.
    pub(crate) fn create_bucket(&self, name: &str) -> Result<PathBuf, Box<dyn Error>> {
        let bucket = self.root.join(name);
        fs::create_dir_all(&bucket)?;
        Ok(bucket)
    }
}

async fn serve(listener: net::TcpListener, service: S3Service) -> io::Result<Infallible> {
    let listener = TcpListener::from_std(listener)?;
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                // An answer in two small packets would wait for an acknowledgement in between.
                let connection = stream.set_nodelay(true);
                let connection = connection.map(|()| http1::Builder::new().serve_connection(TokioIo::new(stream), service.clone()));
                connections.spawn(async move { Some(connection.ok()?.await) });
            }
            Some(_closed) = connections.join_next() => {}
        }
    }
}
