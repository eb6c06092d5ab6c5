//! `/etc/ssl/certs/ca-certificates.crt`, as `update-ca-certificates` would make it: the certificates
//! below `/usr/share/ca-certificates`, in the order of their paths, each ending with a line end.

use crate::diag::Result;
use crate::host::file_problem;
use crate::layer::compose::Work;
use crate::layer::tree::{Data, NodeKind};
use crate::source::ContentReader;

/// The bundle, if the recipe takes certificates.
pub(in crate::layer) fn certificates(work: &Work) -> Result<Option<Vec<u8>>> {
    let mut bundle = Vec::new();
    let mut reader = ContentReader::new();
    for (path, node) in &work.tree.nodes {
        let wanted = path.as_str().starts_with("/usr/share/ca-certificates/")
            && path.file_name().rsplit_once('.').is_some_and(|(_, ending)| ending == "crt");
        let NodeKind::File(Data::Parcel { parcel, content, .. }) = &node.kind else { continue };
        if wanted {
            let bytes = reader.bytes(work.inputs.parcel(*parcel), content);
            bundle.extend(
                bytes
                    .map_err(|error| file_problem("reading", std::path::Path::new(path.as_str()), &error))?,
            );
            if !bundle.ends_with(b"\n") {
                bundle.push(b'\n');
            }
        }
    }
    Ok((!bundle.is_empty()).then_some(bundle))
}
