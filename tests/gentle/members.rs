use crate::{Form, report::Report};
pub(crate) async fn run(_: &Form, _: &mut Report) {}
