//! A header field of an answer, as the document has it.

use utoipa::openapi::{Header, RefOr, header::HeaderBuilder, schema::ObjectBuilder};

/// A header field of this meaning and form.
pub(super) fn header(description: &str, schema: ObjectBuilder) -> RefOr<Header> {
    HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some(description))
        .build()
        .into()
}
