//! stub
use crate::domain::{id::*, sso_view::*};
#[derive(Clone)]
pub struct Sso;
impl Sso {
    pub async fn view(&self, _a: SsoId, _r: &str) -> SsoView {
        todo!()
    }
    pub async fn connection(
        &self,
        _i: SsoConnectionId,
        _a: SsoId,
        _r: &str,
    ) -> Result<Option<SsoConnection>, SourceFailure> {
        todo!()
    }
    pub fn mark_stale(&self, _a: SsoId) {}
}
