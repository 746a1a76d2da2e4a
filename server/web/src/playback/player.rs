//! What playing needs.

use super::clip::Clips;
use super::indexes::Indexes;
use super::views::Views;
use crate::auth::link::LinkKey;
use crate::centre::Audit;
use crate::doors::App;
use crate::evidence::Evidence;
use axum::extract::FromRef;
use std::sync::Arc;
use synaq_runtime::{Clock, Handle};

#[derive(Clone)]
pub(crate) struct Player {
    pub(super) runtime: Handle,
    pub(super) evidence: Arc<dyn Evidence>,
    pub(super) indexes: Arc<Indexes>,
    pub(super) clips: Arc<Clips>,
    pub(super) views: Arc<Views>,
    pub(super) audit: Audit,
    pub(super) key: LinkKey,
    pub(super) clock: Arc<dyn Clock>,
}

impl FromRef<App> for Player {
    fn from_ref(app: &App) -> Self {
        Self {
            runtime: FromRef::from_ref(app),
            evidence: FromRef::from_ref(app),
            indexes: FromRef::from_ref(app),
            clips: FromRef::from_ref(app),
            views: FromRef::from_ref(app),
            audit: FromRef::from_ref(app),
            key: FromRef::from_ref(app),
            clock: FromRef::from_ref(app),
        }
    }
}
