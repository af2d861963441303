# The words of the console. Keys are in the order of the pages.

## Frame
skip = Skip to the content
menu = Menu
menu-mine = Yours
my-tokens = My tokens
security = Security settings
language = Language
theme = Theme
theme-auto = Auto
theme-light = Light
theme-dark = Dark
back-home = Back to the start

## Values
span-seconds = { $count ->
    [one] { $count } second
   *[other] { $count } seconds
}
span-minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
span-hours = { $count ->
    [one] { $count } hour
   *[other] { $count } hours
}
span-days = { $count ->
    [one] { $count } day
   *[other] { $count } days
}

## Signing in
sign-in = Sign in
sign-in-title = Sign in to Jeton
sign-in-lead = Make, watch and revoke your tokens.
sign-in-refused = This name and password don’t fit together.
sign-in-throttled = Too many attempts. Try again in { $wait }.
signed-out = You are signed out.
sign-out = Sign out
username = Username
password = Password
workspace = Workspace
other-workspace = Sign in to a certain workspace
sso = Single sign-on
sso-sign-in = Sign in with { $provider }
sso-or = or with a password
sso-linked = You can sign in with { $provider } since
sso-not-begun = This sign-in can’t be finished
sso-not-begun-text = It was begun in another browser or window, or too long ago. Begin again.
sso-denied = You were not signed in
sso-denied-text = It was cancelled, or the sign-in service did not let you in.
sso-unreachable = The sign-in service doesn’t answer
sso-unreachable-text = Try again in a moment. Nothing is wrong with your account.
sso-not-believed = The sign-in service gave a wrong answer
sso-not-believed-text = You were not signed in, to be safe. Tell an operator of this service, who finds the reason in its log.
sso-no-account = You have no account here
sso-no-account-text = The sign-in service knows you, this one does not. Ask an administrator for an account.
sso-several-text = More than one account fits you. Ask an administrator to settle which one is yours.
sso-somebody-else-text = The account that fits you is tied to somebody else at the sign-in service. Ask an administrator to untie it.
sso-name-taken-text = An account with your name exists, and it isn’t known whether it is yours. Ask an administrator to tie it to you.
sso-throttled = Too many attempts
sso-throttled-text = Wait a moment, then try again.
setup-title = Set your password
setup-lead = For the account { $name }. You sign in with it from now on.
setup-gone = This link can’t be used
setup-gone-text = It has been used, or its time is over. Ask your administrator for a new one. Before anybody has signed in for the first time, restarting the service prints one.
new-password = New password
new-password-again = The same again
password-rule = At least { $count } characters. A sentence that only you would write is a good one.
password-differs = The two passwords are not the same.
password-too-short = The password needs at least { $count } characters.
password-too-long = The password is too long.
password-too-even = The password repeats the same few characters. Choose one with more of them.
set-password = Set password and sign in

## Errors
error-not-found = There is nothing here
error-not-found-text = The page doesn’t exist, or what it was about is gone.
error-forbidden = This is not for your account
error-forbidden-text = You are signed in, but not with the role that this page needs. An administrator of your workspace can help.
error-other-site = This form came from somewhere else
error-other-site-text = For your safety, forms are taken only from this console’s own pages. Nothing was changed. Open the page here and try again.
error-form = This form can’t be taken
error-form-text = It is incomplete or too old. Nothing was changed. Open the page again and fill it in anew.
error-sent-before = This form was sent before
error-sent-before-text = What it asked for was done the first time, and a secret is shown only once. If you lost it, revoke the token and make a new one.
error-no-passwords = Passwords are switched off
error-no-passwords-text = People sign in to this service in another way.
error-session = Your session has ended
error-session-text = Nothing was changed. Sign in and do it again.
error-invalid = Something can’t be accepted
error-invalid-text = Nothing was changed. Go back and correct this:
error-conflict = This can’t be done now
error-conflict-text = Things have changed, or a rule forbids it. Nothing was changed.
error-unavailable = Not possible at the moment
error-unavailable-text = The service can’t reach its database or is very busy. It is not known whether anything was changed. Try again in a moment.

## What can’t be taken
bad-empty = It can’t be empty.
bad-too-long = At most { $max } characters.
bad-too-many = At most { $max } of them.
bad-characters = Without control characters, line breaks, and characters that change the direction of text.
bad-scope = A scope is made of visible ASCII characters without double quotes and backslashes.
bad-scopes = At most { $words } scopes of at most { $characters } characters.
bad-catalog-name = 1 to { $max } small letters (a–z), digits, dots, underscores and hyphens.
bad-audience = An absolute address of at most { $max } visible ASCII characters, without a fragment (#).
bad-email = An e-mail address of at most { $max } visible ASCII characters.
bad-subject = 1 to { $max } visible ASCII characters.
bad-lifetime = A whole number of seconds, or a number with s, m, h or d.
bad-number = A whole number from 1 to { $max }.
bad-period = From 1s to { $max }.
bad-api = This workspace has no such API.
bad-plan = This workspace has no such plan.
bad-owner = This workspace has no user and no client with this id.
bad-owner-role = The owner has a higher role than you.
bad-extra-fields = At most { $max } bytes in all.
bad-redirect-characters = At most { $max } visible ASCII characters, without blanks and backslashes.
bad-redirect-relative = It is not an absolute address.
bad-redirect-wildcard = Without a user, a password, and wildcards (*).
bad-redirect-fragment = Without a fragment (#).
bad-redirect-http = It must begin with https, except on this very machine.
bad-redirect-scheme = An address of this kind can’t be a redirect.
bad-public-credentials = A public client can’t get tokens of its own: it proves nothing.
bad-public-anonymous = A public client can’t open anonymous sessions: it proves nothing.
bad-public-introspects = A public client can’t introspect: it proves nothing.
bad-deadline-earlier = It is before the present one, { $present }.
bad-deadline-later = It must lie ahead, and at { $latest } at the latest.
bad-deadline-passed = It must lie ahead.
bad-name-taken = This name is or was in use here. Choose another one.
bad-subject-taken = Another user of the workspace has this subject.
bad-client-id-taken = This id is or was in use. Choose another one.
bad-catalog-full = A workspace has at most { $max } of these.
bad-last-of-role = Nobody else in this workspace has the role { $role }.
bad-not-active = Only an active token is edited.
bad-over-http = It is revoked over HTTP only, by DELETE /oauth20/access-token with the token itself; its page has the whole call.

## Account
account = Account
account-lead = Signed in as { $name } with the role { $role }.
change-password = Change password
change-password-text = You are signed out everywhere else when it is changed.
old-password = Password until now
old-password-wrong = The password until now is not right.
old-password-throttled = Too many attempts. Wait half a minute.
password-changed = Your password is changed. All other sessions have ended.
sessions = Where you are signed in
sessions-lead = End what you don’t recognize, then change your password.
session-ended = The session has ended.
sessions-ended = All other sessions have ended.
end-others = End all others
end-session = End
device = Device
device-unknown = Unknown
address = Address
last-seen = Last seen
signed-in-at = Signed in
this-session = This one
actions = Actions

## Lists and values
name = Name
kind = Kind
status = Status
status-active = Active
status-expired = Expired
status-disabled = Disabled
status-revoked = Revoked
code = Code
owner = Owner
owners = Owners
linked-app = Linked app
created = Created
expires = Expires
last-used = Last used
never = Never
no-end = No end
ends-in = ends in { $time }
scopes = Scopes
origin = Made through
origin-api = REST API
origin-admin = Administrator
origin-console = Console
origin-oauth = OAuth
origin-import = Import
search-name = Search by name
any-status = Any status
filter = Filter
clear = Clear
select = Select
select-all = All
select-one = Select { $name }
actions-for = Actions for { $name }
first-page = First page
next-page = Next page
pages = Pages
nothing-found = Nothing matches
nothing-found-text = No token is like that. Try with fewer filters.
back = Back
cancel = Cancel
save = Save
edit = Edit
overview = Overview

## My tokens
my-tokens-lead = Tokens for your scripts and tools. Each secret is shown once, when it is made.
welcome = Welcome. Your password is set.
generate = Generate
no-tokens = No tokens yet
no-tokens-text = Generate a pair for a script that runs for days or months, or a short-lived access token or an API key under Security settings.
new-token = Generate a token
new-token-lead = You get an access token, good for { $access }, and a refresh token that gets new ones until the end that you choose.
name-hint = What it is for: it tells this token from the others in the list.
lifetime-days = Lifetime in days
lifetime-days-hint = From { $min } to { $max } days. The end never moves, however often it is refreshed.
lifetime-needed = Give the lifetime as a whole number.
lifetime-outside = The lifetime must be between { $min } and { $max }.
more-options = More options
scopes-hint = Separated by spaces. Leave empty unless the service that you call asks for them.
token-disabled = Disabled.
token-deleted = Deleted.
token-revoked = Revoked.

## The secret
token-made = Your new token
key-made = Your new API key
only-once = Copy it now.
only-once-text = It is shown this once. If it is lost, revoke it and make a new one.
access-token = Access token
refresh-token = Refresh token
api-key = API key
good-for = Good for { $time }
good-for-ever = Good until you revoke it
copy = Copy
copied = Copied
copy-failed = Not copied. Select the text and copy it by hand.
how-to-refresh = How to refresh
how-to-use = How to use it
client-id = Client id
token-endpoint = Token endpoint
paste-here = paste it here, then press Enter
refresh-note = Each refresh gives a new pair; the refresh token before it is dead then.
kept-it = I have kept it

## Security settings
security-lead = Short-lived access tokens and long-lived API keys of your own.
tokens-forbidden = An administrator has switched off making tokens for your account.
access-token-lead = For a few hours of work. Works wherever an API key works.
expiration = Expiration
expiration-number = How many
unit = Unit
minutes = minutes
hours = hours
bounds = From { $min } to { $max }.
no-access-tokens = You have no access token that is alive.
see-all = See all of them
revoke-all = Revoke All Access Tokens
revoke-all-title = Revoke all your access tokens?
revoke-all-warning = Every request with one of them gets HTTP 401 from then on. This can’t be undone.
revoke-all-keys = Your API keys are not touched.
all-revoked = All Access Tokens have been revoked.
api-keys = API keys
api-keys-lead = Named, without an end. For servers that keep secrets well.
generate-key = Generate key
no-keys = You have no API key.
revoke = Revoke
revoke-one = Revoke { $name }

## Ending tokens
disable = Disable
delete = Delete
confirm-disable = { $count ->
    [one] Disable { $count } token?
   *[other] Disable { $count } tokens?
}
confirm-delete = { $count ->
    [one] Delete { $count } token?
   *[other] Delete { $count } tokens?
}
confirm-revoke = { $count ->
    [one] Revoke { $count } token?
   *[other] Revoke { $count } tokens?
}
disable-meaning = A disabled token can’t be used again, nor be enabled. It stays in the list.
delete-meaning = A deleted token can’t be used again and leaves the list. It is kept for the audit.
revoke-meaning = Requests with a revoked token get HTTP 401. This can’t be undone.
access-goes-on = Refreshing ends at once. Access tokens that were handed out go on to their own end, for up to { $time }.
tokens-ended = Tokens that end
used-lately = Used in the last 7 days
reaches-more = The rules of their policy take further tokens of the same owner with them.
not-included = Not included:
nothing-changes = Nothing would change.
reason = Reason
type-count = { $count ->
    [one] Type { $count } to confirm
   *[other] Type { $count } to confirm
}
typed-wrong = That is not the number.
count-changed = The number has changed since it was shown. Nothing was done yet.
do-disable = Disable
do-delete = Delete
do-confirm = Confirm
basic-info = Basic info
apis-and-plans = APIs and Plans
apis = APIs
plans = Plans
extra-fields = Extra fields
no-extra-fields = None.
no-apis = None: it is not bound to APIs.
no-plans = None.
disabled-at = Disabled
revoked-at = Revoked
oauth-made = An OAuth flow has made this token; it is revoked over HTTP, by its bearer or by its client:

## Overview of the workspace
overview-lead = How much goes on in this workspace. Days are days in UTC.
live-tokens = Live tokens
ending-soon = End within 7 days
figure-issued = Issued
figure-issued-lead = Tokens handed out in the last 14 days, refreshed ones too.
figure-validated = Validated
figure-validated-lead = Requests with a good token in the last 14 days.
figure-alt = { $total } in 14 days, { $most } on the busiest one
as-numbers = As numbers
day = Day
nothing-yet = Nothing yet.
live-by-policy = Live tokens by policy
counted-at = Counted
being-counted = They are being counted. Come back in a few minutes.
refused-by-reason = Refused, by reason
refused-lead = Requests of the last 14 days.
nothing-refused = Nothing was refused.

## All tokens
menu-workspace = Workspace
all-tokens = All tokens
all-tokens-lead = Everybody’s in this workspace, newest first.
search = Search
export = All of these as a file:
search-hint = Name of token, owner or app
any-kind = Any kind
more-filters = More filters
owner-id = Owner’s id
linked-app-id = Linked app’s id
api = API
created-from = Created from
created-to = Created until
expires-from = Expires from
expires-to = Expires until
edit-title = Edit { $name }
merge-text = Somebody else has changed this meanwhile. What you typed is below; what is stored now stands beside it. Save again to overwrite it.
owner-hint = Now { $name } ({ $id }). The id of a user (usr_…) or of a client.
stored-now = Stored now:
stored-on = now ticked
stored-off = now not ticked
value = Value
extra-hint = Clear a name to remove its field.
no-apis-yet = This workspace has no APIs.
no-plans-yet = This workspace has no plans.
read-only-rest = Everything else of a token is fixed when it is made.
token-edited = Saved. In force from the next request on.

## Forms of administrators
not-saved = Something can’t be accepted. Nothing was saved.
recently-used = Used last
catalog-name-hint = Small letters, digits, dots, underscores and hyphens. It never changes: tokens know it by its name.
catalog-name-fixed = In force from the next request on. The name stays: tokens know it by it.

## Clients
clients = Clients
clients-lead = Applications and services that get tokens over OAuth, or ask about them.
new-client = New client
new-client-lead = Its secret is shown once, when it is made.
edit-client-lead = In force from its next request on.
make-client = Make client
search-client = Search by name or id
no-clients-text = No client is like that.
client-may = May
client-auth = Shows its secret
client-auth-hint = A public client runs where no secret can be kept: in a browser, on a phone. This can’t be changed later.
auth-basic = In the header (client_secret_basic)
auth-post = In the form (client_secret_post)
auth-none = Not at all: a public client
public-client = Public
confidential-client = Confidential
may-client-credentials = Get tokens of its own
may-refresh-token = Refresh tokens
may-anonymous = Open anonymous sessions
may-token-exchange = Exchange tokens
may-introspect = Introspect
client-scopes-hint = Those that its tokens may have, separated by spaces.
redirect-uris = Redirect URIs
redirect-uris-hint = One in each line. https, or http on this very machine.
introspection = Introspection
introspect-all = About every token of the workspace
introspect-own = About its own tokens
introspect-hint = For resource servers and gateways that decide about the tokens of others.
own-client = API tokens of this workspace are refreshed with this client, so it can’t be edited or deleted.
new-secret = New secret
two-secrets = Two secrets are accepted. The one before ends
rotate-title = New secret for { $name }
rotate-lead = The new secret is good at once. The one in use stays good for a while, so that nothing stops while you replace it.
rotate-ends-previous = Two secrets are accepted now. The older one, which would end by itself later, ends at once:
overlap = The secret in use ends after
overlap-hint = If it has leaked, let it end at once.
at-once = At once
make-secret = Make secret
client-made = Your new client
secret-changed = The new secret
client-secret = Client secret
only-once-client = It is shown this once. If it is lost, make a new one.
client-edited = Saved. In force from its next request on.
client-deleted = The client is deleted, and all that was issued to it is revoked.
delete-client-title = Delete the client { $name }?
delete-client-meaning = It can’t sign in any more, and everything that was issued to it gets HTTP 401. Its id is never given out again.
tokens = Tokens
its-tokens = Its tokens

## APIs and plans
apis-lead = Protected resources. A token that names APIs is good for those only.
new-api = New API
new-api-lead = A service that accepts tokens of this workspace.
make-api = Make API
no-apis-text = Tokens are good everywhere in the workspace until they are bound to APIs.
audience = Audience
audience-hint = The address of the service. It stands in “aud” when one of its tokens is introspected.
api-scopes-hint = Those that mean something to it, separated by spaces. Empty: any.
any-scope = Any
api-made = The API is made.
api-edited = Saved. In force from the next request on.
api-deleted = The API is deleted.
delete-api-title = Delete the API { $name }?
delete-api-meaning = No token ends, but those that name it are refused there from then on. The name is never given out again.
tokens-naming = Tokens that name it
plans-lead = Usage limits. A token with a plan is refused with HTTP 429 when it has used it up.
new-plan = New plan
new-plan-lead = So many requests in so much time, for each token.
make-plan = Make plan
no-plans-text = Tokens are not limited until they are given a plan.
plan-limit = Limit
plan-limit-text = { $requests } in { $time }
plan-requests = Requests
plan-period = In
plan-period-hint = For instance 1s, 1m, 24h or 31d.
plan-apis = For these APIs
plan-apis-hint = None ticked: for all.
all-apis = All
plan-made = The plan is made.
plan-edited = Saved. In force from the next request on.
plan-deleted = The plan is deleted.
delete-plan-title = Delete the plan { $name }?
delete-plan-meaning = No token ends, but those that name it are no longer limited by it, and no longer good for an API that only this plan covers. The name is never given out again.

## Policies
policies = Policies
policies-lead = The rules that tokens are issued under. They are changed in the configuration of the service.
policy-gives = Gives
policy-lifetime = Lifetime
policy-at-most = Up to { $max }
policy-whole = All of it
policy-revoking = Revoking one
policy-disabling = Disabling
credential-access = Access token
credential-pair = Access and refresh token
credential-key = API key
revokes-one = That token
revokes-all = All of the owner’s
revokes-by-http = Over HTTP only
disables-all = Takes effect at once
disables-refresh = Ends refreshing; access tokens go on to their end

## Legacy tokens
legacy = Legacy tokens
legacy-lead = Tokens of older systems go on working until a deadline, and are refused after it.
no-imports = Nothing was imported
no-imports-text = Tokens of an older system are imported with the command line or the REST API.
import-source = Older system
import-open = Being imported
import-complete = Usable
import-ended = Past its deadline
import-purged = Purged
deadline = Deadline
imported = Imported
import-used = Used here
import-refused = Lines refused
import-scheme = Kept as
extend = Extend
new-deadline = New deadline
deadline-hint = In UTC. In force at once, everywhere, also when the old one has passed.
deadline-needed = Give a date and a time.
import-extended = The deadline is moved.
import-revoked = Every token of it is revoked.
revoke-import = Revoke all of it
revoke-import-title = Revoke every token of { $name }?
revoke-import-meaning = Requests with one of them get HTTP 401 from then on. This can’t be undone.
still-in-use = Who still uses them
used-within = Used in
last-days = { $count ->
    [one] Last { $count } day
   *[other] Last { $count } days
}
show = Show
none-in-use = Nobody has used one in that time
more-in-use = There are more. All of them:

## Explain
explain = Explain
explain-lead = Why a request was refused, and what has happened to a token.
explain-id = Id of a request or of a token
explain-hint = The X-Request-Id of the refused answer, the code of a token (grt_…), or the id of a token string (jti). Never the token itself.
explain-do = Explain
explain-answer = Answer
explain-is-a-token = That is a token, not its id. It was not kept. If others may have seen it, revoke it.
explain-unknown = No refusal and no token of this workspace has this id. Refusals are remembered for a few days.
accepted-now = It is accepted now.
refused-now = It is refused now.
proved-none = The request proved no token: nothing but the rule is known.
token-string = Token string
refusals = Refused requests
why = Why
endpoint = Endpoint
request = Request
times = Times
timeline = What has happened
event-issued = Made
event-token-issued = This token string was issued
event-used = Used, for the last time
event-expired = Reached its end
event-cut-off = Revoked with many others
event-refused = Refused
rule-missing = The request carried no credential.
rule-malformed = The request carried two credentials, or one that can’t be read.
rule-tag = The string was not made by this service: foreign, mistyped, cut off or forged.
rule-unknown = The string was made here, but no such token is stored (any more).
rule-kind = The string is no credential of a request: a refresh token or a client secret.
rule-expired = The token was past its end.
rule-revoked = The token was revoked.
rule-cut-off-owner = All tokens of its owner were revoked, under its policy or under all.
rule-cut-off-client = All tokens of its client were revoked, as when a client is deleted.
rule-cut-off-workspace = All tokens of its workspace were revoked.
rule-parent-dead = The key that opened the session is dead.
rule-disabled = The token was disabled or deleted.
rule-replaced = A newer token has taken its place.
rule-other-workspace = The request was for another workspace than the token’s.
rule-scope = The token lacks a scope that the request needed.
rule-not-covered = The APIs and plans of the token do not cover the request.
rule-plan-limit = The limit of its plan was used up.
rule-not-allowed = The token is good, but its holder may not do this.

## Audit
audit = Audit
audit-lead = Who did what in this workspace, newest first.
audit-when = When
audit-action = What
audit-actor = Who
audit-target = On what
audit-detail = Details
date-from = From
date-to = Until
no-events = Nothing happened that is like that

## Users
users = Users
users-lead = The people of this workspace. A new one gets a link with which they set their password.
new-user = New user
make-user = Make user
email = E-mail
role = Role
role-member = Member
role-admin = Administrator
role-operator = Operator
password-set = Set
password-none = None yet
making-tokens = Making tokens
allowed = Allowed
forbidden = Forbidden
allow = Allow
forbid = Forbid
allow-one = Allow { $name } to make tokens
forbid-one = Forbid { $name } to make tokens
new-link = New link
no-users-text = No user is like that.
more-users = There are more: search for them.
user-made = The account is made. They sign in with single sign-on.
user-allowed = Allowed to make tokens.
user-forbidden = Making tokens is forbidden. Tokens that are there stay.
link-title = Link to set a password
link-text = Hand it to { $name } yourself. It works once, for 24 hours.
link-label = Link
user-edited = Saved.
user-deleted = The user is deleted, and all their tokens are revoked.
edit-user-lead = The name stays: it is in the audit.
role-hint = Administrators see and change everything of the workspace.
subject = Subject at the sign-in service
subject-hint = Who they are there (the sub of an ID token). It fills itself when they sign in, where the configuration lets them be recognized. Emptied, it unties them and ends their sessions.
their-tokens = Their tokens
delete-user-title = Delete the user { $name }?
delete-user-meaning = They can’t sign in any more, and every token of theirs gets HTTP 401. The name is never given out again.
delete-self-meaning = This is you. You are signed out at once, and every token of yours gets HTTP 401.
