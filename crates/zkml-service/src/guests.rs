//! A listener for strangers: so many connections at a time, each for so long. Whoever keeps connections open and says nothing would
//! otherwise use up the files that the process may open, and the journal and the endpoint need some.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::serve::Listener;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Sleep,
};

/// Connections at a time.
const MOST: usize = 64;
/// Time that each may take.
const LONGEST: Duration = Duration::from_secs(10);

/// A listener with room for some.
pub(crate) struct Guests {
    listener: TcpListener,
    room: Arc<Semaphore>,
    longest: Duration,
}

impl Guests {
    /// With what suits a page of figures.
    pub(crate) fn new(listener: TcpListener) -> Self {
        Self::within(listener, MOST, LONGEST)
    }

    fn within(listener: TcpListener, most: usize, longest: Duration) -> Self {
        Self { listener, room: Arc::new(Semaphore::new(most)), longest }
    }
}

impl Listener for Guests {
    type Io = Guest;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Guest, SocketAddr) {
        // Nobody closes it.
        let place = Arc::clone(&self.room).acquire_owned().await.ok();
        let (stream, address) = Listener::accept(&mut self.listener).await;
        (Guest { stream, end: Box::pin(tokio::time::sleep(self.longest)), _place: place }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that ends by itself.
pub(crate) struct Guest {
    stream: TcpStream,
    end: Pin<Box<Sleep>>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Guest {
    fn in_time(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.end.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Guest {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.in_time(context)?;
        Pin::new(&mut self.stream).poll_read(context, to)
    }
}

impl AsyncWrite for Guest {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.in_time(context)?;
        Pin::new(&mut self.stream).poll_write(context, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.in_time(context)?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.in_time(context)?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, routing::get};
    use std::{
        io::{Read, Write},
        net::TcpStream as Stream,
        time::Instant,
    };

    /// Serves a page to two at a time, 300 ms each; its address.
    async fn page() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let guests = Guests::within(listener, 2, Duration::from_millis(300));
        let routes = Router::new().route("/", get(|| async { "here" }));
        tokio::spawn(async move { axum::serve(guests, routes).await });
        address
    }

    fn ask(address: SocketAddr) -> String {
        let mut stream = Stream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_says_nothing_is_shown_out_and_the_next_one_is_answered() {
        let address = page().await;
        let silent: Vec<Stream> = (0..6).map(|_| Stream::connect(address).unwrap()).collect();
        // One that begins to ask and never ends.
        let mut slow = Stream::connect(address).unwrap();
        slow.write_all(b"GET / HTTP/1.1\r\nx: ").unwrap();
        let started = Instant::now();
        let answer = tokio::task::spawn_blocking(move || ask(address)).await.unwrap();
        assert!(answer.ends_with("here"), "{answer}");
        // Seven before it, two at a time.
        let waited = started.elapsed();
        assert!(waited > Duration::from_millis(850), "more than two were let in: {waited:?}");
        for mut stream in silent.into_iter().chain([slow]) {
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            let end = stream.read(&mut [0; 64]).unwrap_or_default();
            assert_eq!(end, 0, "it was closed");
        }
    }
}
