//! Work on a database, and its trouble as the service tells it.

use crate::{
    error::{Result, ServiceError},
    store::{Sql, StoreError, StoreErrorKind, Work},
};

/// Hands a database work whose answer is wanted.
pub(crate) fn once<T>(
    place: &str,
    work: impl FnOnce(&mut dyn Sql) -> Result<T, StoreError>,
    run: impl FnOnce(Work<'_>) -> Result<(), StoreError>,
) -> Result<T> {
    let (mut work, mut answer) = (Some(work), None);
    let done = run(&mut |sql| {
        answer = work.take().map(|work| work(sql)).transpose()?;
        Ok(())
    });
    let answer = done.and_then(|()| answer.ok_or_else(|| StoreError::damaged("nothing was asked")));
    answer.map_err(|e| failed(place, e))
}

/// A database's trouble, as the service tells it.
pub(crate) fn failed(place: &str, source: StoreError) -> ServiceError {
    let journal = place.to_owned();
    match source.kind() {
        StoreErrorKind::InUse => ServiceError::JournalInUse { journal, holder: source.to_string() },
        StoreErrorKind::Away => ServiceError::JournalAway { journal, source },
        StoreErrorKind::Other => ServiceError::Journal { journal, source },
    }
}
