//! `jeton client …`

use serde_json::json;

use super::args::Client;
use super::confirm::confirm;
use super::exit::Failed;
use super::output;
use super::remote::Api;
use super::token::segment;

const COLUMNS: [&str; 6] = ["client_id", "name", "grant_types", "scopes", "token_endpoint_auth_method", "created_at"];

pub(super) fn run(command: Client) -> Result<(), Failed> {
    match command {
        Client::Create { name, grant_types, scopes, redirect_uris, auth_method, introspect, client_id, remote } => {
            let mut body = json!({
                "name": name,
                "grant_types": grant_types,
                "scopes": scopes,
                "redirect_uris": redirect_uris,
                "token_endpoint_auth_method": auth_method,
                "introspect": introspect,
            });
            if let Some(client_id) = client_id {
                body["client_id"] = json!(client_id);
            }
            output::object(&Api::new(&remote)?.post("/admin/v1/clients", &body)?, remote.output)
        }
        Client::List { remote } => {
            output::rows(&Api::new(&remote)?.list("/admin/v1/clients")?, &COLUMNS, remote.output)
        }
        Client::Show { client_id, remote } => {
            let path = format!("/admin/v1/clients/{}", segment(&client_id));
            output::object(&Api::new(&remote)?.get(&path)?, remote.output)
        }
        Client::Delete { client_id, confirmation, remote } => {
            let api = Api::new(&remote)?;
            let question = format!("Delete client {client_id} and revoke everything that was issued to it?");
            confirm(&question, confirmation)?;
            let path = format!("/admin/v1/clients/{}", segment(&client_id));
            output::object(&api.delete(&path)?, remote.output)
        }
    }
}
