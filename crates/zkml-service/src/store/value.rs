//! Values that go into a database, and come out of it.

use std::sync::Arc;

use super::StoreError;

/// A value of a row, or of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Integer(i64),
    Bytes(Vec<u8>),
    Text(String),
}

/// Parameters of a statement.
macro_rules! values {
    ($($value:expr),* $(,)?) => { [$($crate::store::Value::from($value)),*] };
}
pub(crate) use values;

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Integer(flag.into())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(bytes: [u8; N]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Value {
    fn from(bytes: &[u8; N]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<&Vec<u8>> for Value {
    fn from(bytes: &Vec<u8>) -> Self {
        Self::Bytes(bytes.clone())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<std::borrow::Cow<'_, str>> for Value {
    fn from(text: std::borrow::Cow<'_, str>) -> Self {
        Self::Text(text.into_owned())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row of an answer.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(super) columns: Arc<[String]>,
    pub(super) values: Vec<Value>,
}

/// A column, by its number or its name.
pub(crate) trait Column: Copy {
    fn of(self, row: &Row) -> Option<usize>;
    fn name(self) -> String;
}

impl Column for usize {
    fn of(self, _: &Row) -> Option<usize> {
        Some(self)
    }

    fn name(self) -> String {
        format!("column {self}")
    }
}

impl Column for &str {
    fn of(self, row: &Row) -> Option<usize> {
        row.columns.iter().position(|column| column == self)
    }

    fn name(self) -> String {
        self.to_owned()
    }
}

impl Row {
    /// A value, as the type that it should be of.
    pub(crate) fn get<T: FromValue>(&self, column: impl Column) -> Result<T, StoreError> {
        let value = column.of(self).and_then(|place| self.values.get(place));
        let found = value.and_then(T::of);
        found.ok_or_else(|| StoreError::damaged(format!("{} is no {}", column.name(), T::NAME)))
    }
}

/// A type that values can be read as.
pub(crate) trait FromValue: Sized {
    const NAME: &str;
    fn of(value: &Value) -> Option<Self>;
}

impl FromValue for i64 {
    const NAME: &str = "number";

    fn of(value: &Value) -> Option<Self> {
        if let Value::Integer(number) = value { Some(*number) } else { None }
    }
}

impl FromValue for bool {
    const NAME: &str = "flag";

    fn of(value: &Value) -> Option<Self> {
        if let Value::Integer(number @ 0..=1) = value { Some(*number == 1) } else { None }
    }
}

impl FromValue for String {
    const NAME: &str = "text";

    fn of(value: &Value) -> Option<Self> {
        if let Value::Text(text) = value { Some(text.clone()) } else { None }
    }
}

impl FromValue for Vec<u8> {
    const NAME: &str = "bytes";

    fn of(value: &Value) -> Option<Self> {
        if let Value::Bytes(bytes) = value { Some(bytes.clone()) } else { None }
    }
}

impl<const N: usize> FromValue for [u8; N] {
    const NAME: &str = "bytes of its length";

    fn of(value: &Value) -> Option<Self> {
        if let Value::Bytes(bytes) = value { bytes.as_slice().try_into().ok() } else { None }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    const NAME: &str = T::NAME;

    fn of(value: &Value) -> Option<Self> {
        if *value == Value::Null { Some(None) } else { T::of(value).map(Some) }
    }
}
