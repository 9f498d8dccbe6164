//! Object storage: a folder, S3, or Google's. What is public is named by its SHA-256 digest, and believed only if it has that.

use super::FleetError;
use crate::error::Result;
use object_store::{
    ObjectStore, ObjectStoreExt, PutMode, PutOptions, aws::AmazonS3Builder, gcp::GoogleCloudStorageBuilder,
    local::LocalFileSystem, path::Path as Name,
};
use sha2::{Digest, Sha256};
use std::{fmt, sync::Arc, time::Duration};
use tokio::runtime::Runtime;

/// Object storage; clones share it. Its functions wait for answers: call them where that is allowed.
#[derive(Clone)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    prefix: Name,
    place: String,
    runtime: Arc<Background>,
}

/// A runtime of its own, so that whoever waits need not be in one. It ends without waiting.
struct Background(Option<Runtime>);

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Objects({})", self.place)
    }
}

impl Objects {
    /// Object storage at a URL: `file:///folder`, `s3://bucket/prefix` or `gs://bucket/prefix`. Keys of the latter come from the environment, as
    /// their own tools take them.
    ///
    /// # Errors
    /// [`FleetError::Location`].
    pub fn at(url: &str) -> Result<Self> {
        let refuse = |why: String| FleetError::Location { given: plain(url), why };
        let (scheme, rest) = url.split_once("://").ok_or_else(|| {
            refuse("it is no URL: file:///folder, s3://bucket/prefix or gs://bucket/prefix".to_owned())
        })?;
        if rest.contains('@') {
            return Err(
                refuse("keys do not belong into it: they come from the environment".to_owned()).into()
            );
        }
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let store: Arc<dyn ObjectStore> = match scheme {
            "file" => {
                let folder = std::path::Path::new(rest);
                if !folder.is_absolute() {
                    return Err(refuse("a folder has to be absolute: file:///folder".to_owned()).into());
                }
                std::fs::create_dir_all(folder)
                    .map_err(|e| crate::Error::io("make the folder", folder, e))?;
                Arc::new(LocalFileSystem::new_with_prefix(folder).map_err(|e| refuse(e.to_string()))?)
            }
            "s3" => {
                zkml_deploy::http::choose_tls();
                Arc::new(
                    AmazonS3Builder::from_env()
                        .with_bucket_name(bucket)
                        .build()
                        .map_err(|e| refuse(e.to_string()))?,
                )
            }
            "gs" => {
                zkml_deploy::http::choose_tls();
                let builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket);
                Arc::new(builder.build().map_err(|e| refuse(e.to_string()))?)
            }
            _ => return Err(refuse("it begins with none of file, s3 and gs".to_owned()).into()),
        };
        let prefix = if scheme == "file" { Name::default() } else { Name::from(prefix) };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|e| crate::Error::io("start", std::path::Path::new("threads"), e))?;
        Ok(Self { store, prefix, place: plain(url), runtime: Arc::new(Background(Some(runtime))) })
    }

    /// Its place, for people.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    fn wait<T>(
        &self,
        action: &'static str,
        object: &str,
        patience: Duration,
        work: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T> {
        let limited = async { tokio::time::timeout(patience, work).await };
        let done = match &self.runtime.0 {
            Some(runtime) => runtime.block_on(limited),
            None => Ok(Err(object_store::Error::NotImplemented {
                operation: "work".to_owned(),
                implementer: "none".to_owned(),
            })),
        };
        let late = |_| {
            Err(object_store::Error::Generic {
                store: "objects",
                source: format!("it has not answered for {} s", patience.as_secs()).into(),
            })
        };
        done.unwrap_or_else(late).map_err(|source| {
            let (object, place) = (object.to_owned(), self.place.clone());
            FleetError::Storage { action, object, place, source: Box::new(source) }.into()
        })
    }

    fn name(&self, object: &str) -> Name {
        object.split('/').fold(self.prefix.clone(), |name, part| name.join(part))
    }

    /// Puts bytes under a name.
    ///
    /// # Errors
    /// [`FleetError::Storage`].
    pub fn put(&self, object: &str, bytes: Vec<u8>) -> Result<()> {
        let (name, options) = (self.name(object), PutOptions::from(PutMode::Overwrite));
        let patience = patience(bytes.len() as u64);
        self.wait("write", object, patience, async {
            self.store.put_opts(&name, bytes.into(), options).await
        })
        .map(|_| ())
    }

    /// Number of bytes under a name; none if there is nothing.
    ///
    /// # Errors
    /// [`FleetError::Storage`].
    pub fn size(&self, object: &str) -> Result<Option<u64>> {
        let name = self.name(object);
        self.wait("look for", object, patience(0), async {
            match self.store.head(&name).await {
                Ok(found) => Ok(Some(found.size)),
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        })
    }

    /// Bytes under a name, no more than so many.
    ///
    /// # Errors
    /// [`FleetError::Storage`], [`FleetError::Damaged`] for more.
    pub fn get(&self, object: &str, most: u64) -> Result<Vec<u8>> {
        let name = self.name(object);
        let size = self.size(object)?.unwrap_or_default();
        if size > most {
            return Err(self.damaged(object, format!("it has {size} bytes, {most} are expected")));
        }
        // Whoever says one length and sends another is not followed.
        let bytes = self.wait("read", object, patience(size), async {
            let found = self.store.get(&name).await?;
            if found.meta.size > most { Ok(None) } else { found.bytes().await.map(Some) }
        })?;
        bytes.map(Into::into).ok_or_else(|| self.damaged(object, format!("it has more than {most} bytes")))
    }

    /// Bytes that have a digest.
    ///
    /// # Errors
    /// As [`Self::get`], and [`FleetError::Damaged`] for others.
    pub fn get_digest(&self, object: &str, digest: &str, most: u64) -> Result<Vec<u8>> {
        let bytes = self.get(object, most)?;
        let found = sha256(&bytes);
        if found == digest {
            return Ok(bytes);
        }
        Err(self.damaged(object, format!("its SHA-256 is {found}, {digest} is expected")))
    }

    /// Takes an object away; it need not be there.
    ///
    /// # Errors
    /// [`FleetError::Storage`].
    pub fn remove(&self, object: &str) -> Result<()> {
        let name = self.name(object);
        self.wait("remove", object, patience(0), async {
            match self.store.delete(&name).await {
                Err(object_store::Error::NotFound { .. }) => Ok(()),
                other => other,
            }
        })
    }

    pub(super) fn damaged(&self, object: &str, why: String) -> crate::Error {
        FleetError::Damaged { object: object.to_owned(), place: self.place.clone(), why }.into()
    }
}

/// Longest wait for storage with so many bytes: half a minute, and what they take at a megabyte a second.
fn patience(bytes: u64) -> Duration {
    Duration::from_secs(30 + bytes / 1_000_000)
}

/// SHA-256 in hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A URL without what might be a password.
fn plain(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://…@{rest}"),
        _ => url.to_owned(),
    }
}
