# The words of the console. Keys are in the order of the pages.

## Frame
skip = Skip to the content
menu = Menu
menu-mine = Yours
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
error-session = Your session has ended
error-session-text = Nothing was changed. Sign in and do it again.
error-invalid = Something can’t be accepted
error-invalid-text = Nothing was changed. Go back and correct this:
error-conflict = This can’t be done now
error-conflict-text = Things have changed, or a rule forbids it. Nothing was changed.
error-unavailable = Not possible at the moment
error-unavailable-text = The service can’t reach its database or is very busy. It is not known whether anything was changed. Try again in a moment.

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

