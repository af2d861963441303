//! How far a revocation has come: which nodes are known to have it in force, and which are not.

use serde::Serialize;

use super::Service;
use super::caller::Caller;
use super::error::ApiFailure;
use crate::domain::grant::Revision;
use crate::domain::ids::NodeId;

/// One revision of the log, as the nodes have applied it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RevocationStatus {
    pub revision: Revision,
    pub applied_by: u32,
    pub of: u32,
    /// Nodes that are not known to have it in force. While one is named here, a revocation that has been answered is in
    /// force on it all the same: it answers from memory only under a lease, and that was waited for.
    pub waiting_for: Vec<NodeView>,
    pub nodes: Vec<NodeView>,
}

/// One node.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Node)]
pub struct NodeView {
    pub id: NodeId,
    pub name: String,
    /// The newest revision that it is known to have in force.
    pub applied_revision: Revision,
}

impl Service {
    /// # Errors
    /// [`ApiFailure::NotFound`] for a revision that has not been reached, or the store's.
    pub async fn revocation_status(&self, _: &Caller, revision: Revision) -> Result<RevocationStatus, ApiFailure> {
        let head = self.store.confirmed_head().await?;
        if revision <= Revision::ZERO || revision > head {
            return Err(ApiFailure::NotFound("revocation"));
        }
        let Some(member) = &self.member else {
            let (waiting_for, nodes) = (Vec::new(), Vec::new());
            return Ok(RevocationStatus { revision, applied_by: 1, of: 1, waiting_for, nodes });
        };
        let nodes = self.store.list_nodes().await?;
        let views = nodes.iter().map(|node| NodeView {
            id: node.id,
            name: node.name.clone(),
            // Of itself a node knows what its row does not say yet.
            applied_revision: if node.id == member.id { self.cache.applied().max(node.applied) } else { node.applied },
        });
        let nodes: Vec<NodeView> = views.collect();
        let waiting_for: Vec<NodeView> =
            nodes.iter().filter(|node| node.applied_revision < revision).cloned().collect();
        let count = |nodes: &[NodeView]| u32::try_from(nodes.len()).unwrap_or(u32::MAX);
        let (of, missing) = (count(&nodes), count(&waiting_for));
        Ok(RevocationStatus { revision, applied_by: of - missing, of, waiting_for, nodes })
    }
}
