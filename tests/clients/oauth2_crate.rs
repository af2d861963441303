//! A token's whole life with the crate oauth2.

use std::pin::Pin;
use std::time::Duration;

use oauth2::basic::{BasicClient, BasicErrorResponse, BasicErrorResponseType, BasicTokenType};
use oauth2::{
    AccessToken, AsyncHttpClient, AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, IntrospectionUrl, RefreshToken, RequestTokenError, RevocationUrl, Scope,
    TokenIntrospectionResponse as _, TokenResponse as _, TokenUrl,
};

use super::parties::{Confidential, Parties, http_client};
use crate::support::TestDatabase;
use crate::support::process::Jeton;

#[tokio::test]
async fn the_oauth2_crate_lives_through_a_tokens_whole_life_on_sqlite() {
    let database = TestDatabase::sqlite();
    everything_on(&Jeton::fresh(&database)).await;
}

#[tokio::test]
#[ignore = "needs the PostgreSQL server that cargo xtask test starts"]
async fn the_oauth2_crate_lives_through_a_tokens_whole_life_on_postgres() {
    let database = TestDatabase::postgres().await;
    everything_on(&Jeton::fresh(&database)).await;
    database.remove().await;
}

type Client = BasicClient<EndpointNotSet, EndpointNotSet, EndpointSet, EndpointSet, EndpointSet>;
type Failed = RequestTokenError<reqwest::Error, BasicErrorResponse>;

async fn everything_on(jeton: &Jeton) {
    let (parties, http) = (Parties::register(jeton).await, Http(http_client()));
    // The library form-encodes id and secret in Basic (RFC 6749 §2.3.1), so that any id and secret work.
    for auth_type in [AuthType::BasicAuth, AuthType::RequestBody] {
        for client in [&parties.migrated_client, &parties.ordinary_client] {
            whole_life(&parties, &http, client, auth_type.clone()).await;
        }
        a_wrong_secret_is_an_invalid_client(&parties, &http, auth_type).await;
    }
    a_pair_is_refreshed_and_revoked(&parties, &http).await;
}

async fn whole_life(parties: &Parties, http: &Http, named: &Confidential, auth_type: AuthType) {
    let client = confidential(parties, named, auth_type);
    let scope = Scope::new("orders:read".to_owned());
    let token = client.exchange_client_credentials().add_scope(scope.clone()).request_async(http).await.unwrap();
    assert_eq!(*token.token_type(), BasicTokenType::Bearer);
    assert_eq!(token.scopes(), Some(&vec![scope.clone()]));
    assert!(token.refresh_token().is_none(), "client_credentials gave a refresh token (RFC 6749 §4.4.3)");
    let expires_in = token.expires_in().expect("expires_in");
    assert!(!expires_in.is_zero() && expires_in <= Duration::from_secs(86_400), "expires_in is {expires_in:?}");

    let state = client.introspect(token.access_token()).request_async(http).await.unwrap();
    assert!(state.active());
    assert_eq!(state.scopes(), Some(&vec![scope]));
    assert_eq!(state.client_id().map(|id| id.as_str()), Some(named.client_id.as_str()));
    assert_eq!(state.token_type(), Some(&BasicTokenType::Bearer));
    let lifetime = state.exp().expect("exp") - state.iat().expect("iat");
    assert_eq!(lifetime.to_std(), Ok(expires_in));
    assert_eq!(status_of_resource(parties, http, token.access_token()).await, 200);

    client.revoke_token(token.access_token().into()).unwrap().request_async(http).await.unwrap();
    assert!(!client.introspect(token.access_token()).request_async(http).await.unwrap().active());
    assert_eq!(status_of_resource(parties, http, token.access_token()).await, 401);
    client.revoke_token(token.access_token().into()).unwrap().request_async(http).await.unwrap();
}

async fn a_pair_is_refreshed_and_revoked(parties: &Parties, http: &Http) {
    let public = endpoints(parties, BasicClient::new(ClientId::new(parties.pair.client_id.clone())));
    let introspector = confidential(parties, &parties.ordinary_client, AuthType::BasicAuth);
    let first = RefreshToken::new(parties.pair.refresh_token.clone());
    let pair = public.exchange_refresh_token(&first).request_async(http).await.unwrap();
    assert_ne!(pair.access_token().secret(), &parties.pair.access_token);
    let second = pair.refresh_token().expect("a refresh token");
    assert_ne!(second.secret(), first.secret());
    let scopes = pair.scopes().expect("scope").iter().map(|scope| scope.as_str());
    assert_eq!(scopes.collect::<Vec<_>>(), ["orders:read", "orders:write"]);
    let state = introspector.introspect(pair.access_token()).request_async(http).await.unwrap();
    assert!(state.active());
    assert_eq!(state.client_id().map(|id| id.as_str()), Some(parties.pair.client_id.as_str()));
    assert_eq!(status_of_resource(parties, http, pair.access_token()).await, 200);

    public.revoke_token(second.into()).unwrap().request_async(http).await.unwrap();
    assert_eq!(status_of_resource(parties, http, pair.access_token()).await, 401, "outlived its refresh token");
    assert!(!introspector.introspect(pair.access_token()).request_async(http).await.unwrap().active());
    let refused = public.exchange_refresh_token(second).request_async(http).await.unwrap_err();
    assert_error(&refused, &BasicErrorResponseType::InvalidGrant);
}

async fn a_wrong_secret_is_an_invalid_client(parties: &Parties, http: &Http, auth_type: AuthType) {
    let ordinary = &parties.ordinary_client;
    let client_secret = format!("{}x", ordinary.client_secret);
    let wrong = Confidential { client_id: ordinary.client_id.clone(), client_secret };
    let client = confidential(parties, &wrong, auth_type);
    let refused = client.exchange_client_credentials().request_async(http).await.unwrap_err();
    assert_error(&refused, &BasicErrorResponseType::InvalidClient);
    let any = AccessToken::new("any".to_owned());
    let refused = client.introspect(&any).request_async(http).await.unwrap_err();
    assert_error(&refused, &BasicErrorResponseType::InvalidClient);
    let refused = client.revoke_token(any.into()).unwrap().request_async(http).await.unwrap_err();
    assert!(
        matches!(&refused, RequestTokenError::ServerResponse(answer) if answer.error().to_string() == "invalid_client"),
        "{refused:?}"
    );
}

fn assert_error(refused: &Failed, expected: &BasicErrorResponseType) {
    let RequestTokenError::ServerResponse(answer) = refused else {
        panic!("not an answer of the service: {refused:?}")
    };
    assert_eq!(answer.error(), expected);
}

fn confidential(parties: &Parties, client: &Confidential, auth_type: AuthType) -> Client {
    let named = BasicClient::new(ClientId::new(client.client_id.clone()));
    let secret = ClientSecret::new(client.client_secret.clone());
    endpoints(parties, named.set_client_secret(secret).set_auth_type(auth_type))
}

fn endpoints(parties: &Parties, client: BasicClient) -> Client {
    let url = |path| format!("{}/oauth20/{path}", parties.issuer);
    // The library revokes over TLS only (RFC 7009 §2), which the tests don't have; `Http` puts it right.
    let revoke = url("revoke").replacen("http:", "https:", 1);
    client
        .set_token_uri(TokenUrl::new(url("token")).unwrap())
        .set_introspection_url(IntrospectionUrl::new(url("introspect")).unwrap())
        .set_revocation_url(RevocationUrl::new(revoke).unwrap())
}

/// The HTTP client that the library is given. It takes the place of the proxy that ends TLS, too.
#[derive(Debug)]
struct Http(reqwest::Client);

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = reqwest::Error;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, reqwest::Error>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let mut request = reqwest::Request::try_from(request)?;
            request.url_mut().set_scheme("http").expect("https becomes http");
            let response = self.0.execute(request).await?;
            let (status, headers) = (response.status(), response.headers().clone());
            let mut answer = HttpResponse::new(response.bytes().await?.into());
            (*answer.status_mut(), *answer.headers_mut()) = (status, headers);
            Ok(answer)
        })
    }
}

/// Calls something that shows the session of the token that it is called with.
async fn status_of_resource(parties: &Parties, http: &Http, token: &AccessToken) -> u16 {
    let request = http.0.get(format!("{}/oauth20/access-token", parties.issuer)).bearer_auth(token.secret());
    request.send().await.unwrap().status().as_u16()
}
