//! Weights that lie in a file of their own.

use std::path::{Component, Path};

use tract_onnx::pb;

use crate::Error;

/// Whether a tensor's data lie in another file.
pub(crate) fn is_external(t: &pb::TensorProto) -> bool {
    t.data_location == Some(pb::tensor_proto::DataLocation::External as i32)
}

/// Reads the data of such tensors into the model; the file must lie in the model's folder or below it.
pub(crate) fn inline(graph: &mut pb::GraphProto, folder: Option<&Path>, limit: u64) -> Result<(), Error> {
    for t in graph.initializer.iter_mut().filter(|t| is_external(t)) {
        let entry = |key: &str| t.external_data.iter().find(|e| e.key == key).map(|e| e.value.clone());
        let file = entry("location").unwrap_or_default();
        let fail = |cause: Box<dyn std::error::Error + Send + Sync>| Error::ExternalData {
            tensor: t.name.clone(),
            file: file.clone(),
            cause,
        };
        let folder = folder.ok_or_else(|| fail("only the bytes of the model itself were given".into()))?;
        let relative = Path::new(&file);
        let inside = |c: Component| matches!(c, Component::Normal(_) | Component::CurDir);
        if file.is_empty() || !relative.components().all(inside) {
            return Err(fail("it must lie in the model's folder".into()));
        }
        let number = |key: &str| -> Result<Option<usize>, Error> {
            entry(key).map(|v| v.parse().map_err(|_| fail(format!("`{key}` is `{v}`").into()))).transpose()
        };
        let path = folder.join(relative);
        let resolved = path.canonicalize().map_err(|e| fail(e.into()))?;
        let home = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let home = home.canonicalize().map_err(|e| fail(e.into()))?;
        if !resolved.starts_with(&home) {
            return Err(fail("it must lie in the model's folder".into()));
        }
        let size = resolved.metadata().map_err(|e| fail(e.into()))?.len();
        if size > limit {
            return Err(fail(format!("it has {size} bytes, more than {limit}").into()));
        }
        let all = std::fs::read(&resolved).map_err(|e| fail(e.into()))?;
        let start = number("offset")?.unwrap_or(0);
        let end = number("length")?.map_or(Some(all.len()), |l| start.checked_add(l));
        let part = end.and_then(|end| all.get(start..end));
        let part =
            part.ok_or_else(|| fail(format!("its {} bytes end before the tensor does", all.len()).into()))?;
        t.raw_data = part.to_vec();
        t.data_location = None;
        t.external_data.clear();
        super::check::tensor(t)?;
    }
    Ok(())
}
