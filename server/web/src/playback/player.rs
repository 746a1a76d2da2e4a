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

/// Evidence, who looks at it, and what is remembered of both.
#[derive(Clone)]
pub(crate) struct Player {
    pub(crate) runtime: Handle,
    pub(crate) evidence: Arc<dyn Evidence>,
    pub(crate) indexes: Arc<Indexes>,
    pub(crate) clips: Arc<Clips>,
    pub(crate) views: Arc<Views>,
    pub(crate) audit: Audit,
    pub(crate) key: LinkKey,
    pub(crate) clock: Arc<dyn Clock>,
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
