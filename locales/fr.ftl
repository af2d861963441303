# Les mots de la console. Les clés suivent l’ordre des pages.

## Frame
skip = Aller au contenu
menu = Menu
menu-mine = À vous
my-tokens = Mes jetons
security = Paramètres de sécurité
language = Langue
theme = Thème
theme-auto = Auto
theme-light = Clair
theme-dark = Sombre
back-home = Retour à l’accueil

## Values
span-seconds = { $count ->
    [one] { $count } seconde
   *[other] { $count } secondes
}
span-minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
span-hours = { $count ->
    [one] { $count } heure
   *[other] { $count } heures
}
span-days = { $count ->
    [one] { $count } jour
   *[other] { $count } jours
}

## Signing in
sign-in = Se connecter
sign-in-title = Se connecter à Jeton
sign-in-lead = Créez, suivez et révoquez vos jetons.
sign-in-refused = Ce nom et ce mot de passe ne vont pas ensemble.
sign-in-throttled = Trop de tentatives. Réessayez dans { $wait }.
signed-out = Vous êtes déconnecté.
sign-out = Se déconnecter
username = Nom d’utilisateur
password = Mot de passe
workspace = Espace de travail
other-workspace = Se connecter à un espace précis
sso = Authentification unique
sso-sign-in = Se connecter avec { $provider }
sso-or = ou avec un mot de passe
sso-linked = Vous pouvez vous connecter avec { $provider } depuis
sso-not-begun = Cette connexion ne peut pas aboutir
sso-not-begun-text = Elle a commencé dans un autre navigateur ou une autre fenêtre, ou il y a trop longtemps. Recommencez.
sso-denied = Vous n’êtes pas connecté
sso-denied-text = La connexion a été annulée, ou le service d’authentification l’a refusée.
sso-unreachable = Le service d’authentification ne répond pas
sso-unreachable-text = Réessayez dans un instant. Votre compte n’est pas en cause.
sso-not-believed = Le service d’authentification a donné une réponse incorrecte
sso-not-believed-text = Par prudence, vous n’avez pas été connecté. Prévenez un opérateur de ce service, qui en trouvera la raison dans le journal.
sso-no-account = Vous n’avez pas de compte ici
sso-no-account-text = Le service d’authentification vous connaît, celui-ci non. Demandez un compte à un administrateur.
sso-several-text = Plusieurs comptes vous correspondent. Demandez à un administrateur lequel est le vôtre.
sso-somebody-else-text = Le compte qui vous correspond est lié à quelqu’un d’autre dans le service d’authentification. Demandez à un administrateur de le délier.
sso-name-taken-text = Un compte à votre nom existe, et rien ne dit qu’il est à vous. Demandez à un administrateur de vous le lier.
sso-throttled = Trop de tentatives
sso-throttled-text = Attendez un instant, puis réessayez.
setup-title = Choisissez votre mot de passe
setup-lead = Pour le compte { $name }. Vous vous connecterez désormais avec lui.
setup-gone = Ce lien ne peut plus servir
setup-gone-text = Il a déjà servi, ou son délai est passé. Demandez-en un nouveau à votre administrateur. Tant que personne ne s’est connecté, redémarrer le service en affiche un.
new-password = Nouveau mot de passe
new-password-again = Le même encore une fois
password-rule = Au moins { $count } caractères. Une phrase que vous seul écririez convient bien.
password-differs = Les deux mots de passe diffèrent.
password-too-short = Le mot de passe doit avoir au moins { $count } caractères.
password-too-long = Le mot de passe est trop long.
password-too-even = Le mot de passe répète toujours les mêmes caractères. Variez davantage.
set-password = Enregistrer et se connecter

## Errors
error-not-found = Il n’y a rien ici
error-not-found-text = La page n’existe pas, ou ce dont elle parlait a disparu.
error-forbidden = Votre compte n’y a pas accès
error-forbidden-text = Vous êtes connecté, mais sans le rôle que cette page demande. Un administrateur de votre espace peut vous aider.
error-other-site = Ce formulaire vient d’ailleurs
error-other-site-text = Pour votre sécurité, seuls les formulaires de cette console sont acceptés. Rien n’a été modifié. Ouvrez la page ici et recommencez.
error-form = Ce formulaire ne peut pas être traité
error-form-text = Il est incomplet ou trop ancien. Rien n’a été modifié. Ouvrez de nouveau la page et remplissez-le encore une fois.
error-sent-before = Ce formulaire a déjà été envoyé
error-sent-before-text = Sa demande a été exécutée la première fois, et un secret n’est montré qu’une fois. Si vous l’avez perdu, révoquez le jeton et créez-en un autre.
error-no-passwords = Les mots de passe sont désactivés
error-no-passwords-text = On se connecte à ce service autrement.
error-session = Votre session est terminée
error-session-text = Rien n’a été modifié. Connectez-vous et recommencez.
error-invalid = Une valeur ne peut pas être acceptée
error-invalid-text = Rien n’a été modifié. Revenez en arrière et corrigez ceci :
error-conflict = Impossible pour le moment
error-conflict-text = La situation a changé, ou une règle s’y oppose. Rien n’a été modifié.
error-unavailable = Momentanément impossible
error-unavailable-text = Le service n’atteint pas sa base de données ou est très occupé. On ignore si quelque chose a été modifié. Réessayez dans un instant.

## What can’t be taken
bad-empty = Ce champ ne peut pas être vide.
bad-too-long = Au plus { $max } caractères.
bad-too-many = Au plus { $max }.
bad-characters = Sans caractères de contrôle, sauts de ligne ni caractères qui changent le sens du texte.
bad-scope = Une portée se compose de caractères ASCII visibles, sans guillemet double ni barre oblique inversée.
bad-scopes = Au plus { $words } portées d’au plus { $characters } caractères.
bad-catalog-name = De 1 à { $max } minuscules (a–z), chiffres, points, traits bas et traits d’union.
bad-audience = Une adresse absolue d’au plus { $max } caractères ASCII visibles, sans fragment (#).
bad-email = Une adresse e-mail d’au plus { $max } caractères ASCII visibles.
bad-subject = De 1 à { $max } caractères ASCII visibles.
bad-lifetime = Un nombre entier de secondes, ou un nombre suivi de s, m, h ou d.
bad-number = Un nombre entier de 1 à { $max }.
bad-period = De 1s à { $max }.
bad-api = Cet espace n’a pas d’API de ce nom.
bad-plan = Cet espace n’a pas de forfait de ce nom.
bad-owner = Aucun utilisateur ni client de cet espace n’a cet identifiant.
bad-owner-role = Le propriétaire a un rôle supérieur au vôtre.
bad-extra-fields = Au plus { $max } octets en tout.
bad-redirect-characters = Au plus { $max } caractères ASCII visibles, sans espace ni barre oblique inversée.
bad-redirect-relative = Ce n’est pas une adresse absolue.
bad-redirect-wildcard = Sans utilisateur, mot de passe ni joker (*).
bad-redirect-fragment = Sans fragment (#).
bad-redirect-http = Elle doit commencer par https, sauf sur cette machine même.
bad-redirect-scheme = Une adresse de ce genre ne peut pas servir de redirection.
bad-public-credentials = Un client public ne peut pas obtenir ses propres jetons : il ne prouve rien.
bad-public-anonymous = Un client public ne peut pas ouvrir de sessions anonymes : il ne prouve rien.
bad-public-introspects = Un client public ne peut pas interroger de jetons : il ne prouve rien.
bad-deadline-earlier = Elle précède l’échéance actuelle, { $present }.
bad-deadline-later = Elle doit être à venir, et au plus tard le { $latest }.
bad-deadline-passed = Elle doit être à venir.
bad-name-taken = Ce nom est ou a été utilisé ici. Choisissez-en un autre.
bad-subject-taken = Un autre utilisateur de l’espace a cet identifiant.
bad-client-id-taken = Cet identifiant est ou a été utilisé. Choisissez-en un autre.
bad-catalog-full = Un espace en a au plus { $max }.
bad-last-of-role = Personne d’autre dans cet espace n’a le rôle { $role }.
bad-not-active = Seul un jeton actif se modifie.
bad-over-http = Il se révoque par HTTP seulement, par DELETE /oauth20/access-token avec le jeton lui-même ; sa page donne l’appel complet.

## Account
account = Compte
account-lead = Connecté en tant que { $name } avec le rôle { $role }.
change-password = Changer de mot de passe
change-password-text = Vous serez déconnecté partout ailleurs.
old-password = Mot de passe actuel
old-password-wrong = Le mot de passe actuel n’est pas le bon.
old-password-throttled = Trop de tentatives. Attendez une demi-minute.
password-changed = Votre mot de passe est changé. Toutes les autres sessions sont terminées.
sessions = Où vous êtes connecté
sessions-lead = Terminez ce que vous ne reconnaissez pas, puis changez de mot de passe.
session-ended = La session est terminée.
sessions-ended = Toutes les autres sessions sont terminées.
end-others = Terminer toutes les autres
end-session = Terminer
device = Appareil
device-unknown = Inconnu
address = Adresse
last-seen = Vu
signed-in-at = Connecté
this-session = Celle-ci
actions = Actions

## Lists and values
name = Nom
kind = Type
status = État
status-active = Actif
status-expired = Expiré
status-disabled = Désactivé
status-revoked = Révoqué
code = Code
owner = Propriétaire
owners = Propriétaires
linked-app = Application liée
created = Créé
expires = Expire
last-used = Dernier usage
never = Jamais
no-end = Sans fin
ends-in = prend fin dans { $time }
scopes = Portées
origin = Créé par
origin-api = API REST
origin-admin = Administrateur
origin-console = Console
origin-oauth = OAuth
origin-import = Importation
search-name = Chercher par nom
any-status = Tous les états
filter = Filtrer
clear = Effacer
select = Sélection
select-all = Tout
select-one = Sélectionner { $name }
actions-for = Actions pour { $name }
first-page = Première page
next-page = Page suivante
pages = Pages
nothing-found = Aucun résultat
nothing-found-text = Aucun jeton ne correspond. Essayez avec moins de filtres.
back = Retour
cancel = Annuler
save = Enregistrer
edit = Modifier
overview = Aperçu

## My tokens
my-tokens-lead = Des jetons pour vos scripts et outils. Chaque secret n’est montré qu’une fois, à sa création.
welcome = Bienvenue. Votre mot de passe est enregistré.
generate = Générer
no-tokens = Pas encore de jeton
no-tokens-text = Générez une paire pour un script qui tourne des jours ou des mois, ou bien un jeton d’accès de courte durée ou une clé d’API dans les paramètres de sécurité.
new-token = Générer un jeton
new-token-lead = Vous obtenez un jeton d’accès, valable { $access }, et un jeton d’actualisation qui en fournit d’autres jusqu’à la fin choisie.
name-hint = À quoi il sert : ce nom le distingue des autres dans la liste.
lifetime-days = Durée en jours
lifetime-days-hint = De { $min } à { $max } jours. La fin ne bouge jamais, même après actualisation.
lifetime-needed = Indiquez la durée en nombre entier.
lifetime-outside = La durée doit être comprise entre { $min } et { $max }.
more-options = Autres options
scopes-hint = Séparées par des espaces. Laissez vide sauf si le service appelé en demande.
token-disabled = Désactivé.
token-deleted = Supprimé.
token-revoked = Révoqué.

## The secret
token-made = Votre nouveau jeton
key-made = Votre nouvelle clé d’API
only-once = Copiez-le maintenant.
only-once-text = Il n’est montré que cette fois. S’il est perdu, révoquez-le et créez-en un autre.
access-token = Jeton d’accès
refresh-token = Jeton d’actualisation
api-key = Clé d’API
good-for = Valable { $time }
good-for-ever = Valable jusqu’à révocation
copy = Copier
copied = Copié
copy-failed = Pas copié. Sélectionnez le texte et copiez-le à la main.
how-to-refresh = Pour l’actualiser
how-to-use = Pour l’utiliser
client-id = Identifiant du client
token-endpoint = Point d’accès des jetons
paste-here = collez-le ici, puis Entrée
refresh-note = Chaque actualisation donne une nouvelle paire ; le jeton d’actualisation précédent est alors mort.
kept-it = Je l’ai gardé

## Security settings
security-lead = Vos jetons d’accès de courte durée et vos clés d’API durables.
tokens-forbidden = Un administrateur a interdit la création de jetons pour votre compte.
access-token-lead = Pour quelques heures de travail. Il s’utilise partout où une clé d’API s’utilise.
expiration = Expiration
expiration-number = Combien
unit = Unité
minutes = minutes
hours = heures
bounds = De { $min } à { $max }.
no-access-tokens = Vous n’avez aucun jeton d’accès en vie.
see-all = Les voir tous
revoke-all = Révoquer tous les jetons d’accès
revoke-all-title = Révoquer tous vos jetons d’accès ?
revoke-all-warning = Toute requête avec l’un d’eux recevra HTTP 401. C’est irréversible.
revoke-all-keys = Vos clés d’API ne sont pas touchées.
all-revoked = Tous les jetons d’accès ont été révoqués.
api-keys = Clés d’API
api-keys-lead = Nommées, sans fin. Pour les serveurs qui gardent bien leurs secrets.
generate-key = Générer une clé
no-keys = Vous n’avez aucune clé d’API.
revoke = Révoquer
revoke-one = Révoquer { $name }

## Ending tokens
disable = Désactiver
delete = Supprimer
confirm-disable = { $count ->
    [one] Désactiver { $count } jeton ?
   *[other] Désactiver { $count } jetons ?
}
confirm-delete = { $count ->
    [one] Supprimer { $count } jeton ?
   *[other] Supprimer { $count } jetons ?
}
confirm-revoke = { $count ->
    [one] Révoquer { $count } jeton ?
   *[other] Révoquer { $count } jetons ?
}
disable-meaning = Un jeton désactivé ne peut plus servir ni être réactivé. Il reste dans la liste.
delete-meaning = Un jeton supprimé ne peut plus servir et quitte la liste. Il est gardé pour l’audit.
revoke-meaning = Les requêtes avec un jeton révoqué reçoivent HTTP 401. C’est irréversible.
access-goes-on = L’actualisation cesse aussitôt. Les jetons d’accès déjà remis vivent jusqu’à leur propre fin, au plus { $time }.
tokens-ended = Jetons terminés
used-lately = Utilisés ces 7 derniers jours
reaches-more = Les règles de leur politique entraînent d’autres jetons du même propriétaire.
not-included = Non compris :
nothing-changes = Rien ne changerait.
reason = Motif
type-count = { $count ->
    [one] Tapez { $count } pour confirmer
   *[other] Tapez { $count } pour confirmer
}
typed-wrong = Ce n’est pas ce nombre.
count-changed = Le nombre a changé depuis son affichage. Rien n’a encore été fait.
do-disable = Désactiver
do-delete = Supprimer
do-confirm = Confirmer
basic-info = Informations
apis-and-plans = API et forfaits
apis = API
plans = Forfaits
extra-fields = Champs supplémentaires
no-extra-fields = Aucun.
no-apis = Aucune : il n’est lié à aucune API.
no-plans = Aucun.
disabled-at = Désactivé
revoked-at = Révoqué
oauth-made = Un parcours OAuth a créé ce jeton ; il se révoque par HTTP, par son porteur ou par son client :

## Overview of the workspace
overview-lead = L’activité de cet espace. Les jours sont en UTC.
live-tokens = Jetons en vie
ending-soon = Finissent sous 7 jours
figure-issued = Délivrés
figure-issued-lead = Jetons remis ces 14 derniers jours, renouvelés compris.
figure-validated = Validés
figure-validated-lead = Requêtes avec un bon jeton ces 14 derniers jours.
figure-alt = { $total } en 14 jours, { $most } le jour le plus chargé
as-numbers = En chiffres
day = Jour
nothing-yet = Rien encore.
live-by-policy = Jetons en vie par règle
counted-at = Comptés
being-counted = Ils sont en train d’être comptés. Revenez dans quelques minutes.
refused-by-reason = Refus, par motif
refused-lead = Requêtes des 14 derniers jours.
nothing-refused = Rien n’a été refusé.

## All tokens
menu-workspace = Espace de travail
all-tokens = Tous les jetons
all-tokens-lead = Ceux de tout l’espace de travail, les plus récents d’abord.
search = Chercher
export = Toute la liste en fichier :
search-hint = Nom du jeton, du propriétaire ou de l’application
any-kind = Tous les types
more-filters = Autres filtres
owner-id = Identifiant du propriétaire
linked-app-id = Identifiant de l’application
api = API
created-from = Créé à partir du
created-to = Créé jusqu’au
expires-from = Expire à partir du
expires-to = Expire jusqu’au
edit-title = Modifier { $name }
merge-text = Quelqu’un d’autre a modifié ceci entre-temps. Votre saisie est ci-dessous, avec ce qui est enregistré à côté. Enregistrez de nouveau pour l’écraser.
owner-hint = Actuellement { $name } ({ $id }). L’identifiant d’un utilisateur (usr_…) ou d’un client.
stored-now = Enregistré :
stored-on = coché actuellement
stored-off = non coché actuellement
value = Valeur
extra-hint = Videz un nom pour retirer son champ.
no-apis-yet = Cet espace n’a aucune API.
no-plans-yet = Cet espace n’a aucun forfait.
read-only-rest = Le reste d’un jeton est fixé à sa création.
token-edited = Enregistré. En vigueur dès la prochaine requête.

## Forms of administrators
not-saved = Quelque chose ne peut pas être accepté. Rien n’a été enregistré.
recently-used = Derniers utilisés
catalog-name-hint = Minuscules, chiffres, points, tirets bas et traits d’union. Il ne change jamais : les jetons le connaissent par son nom.
catalog-name-fixed = En vigueur dès la prochaine requête. Le nom reste : les jetons le connaissent par lui.

## Clients
clients = Clients
clients-lead = Les applications et services qui obtiennent des jetons par OAuth, ou qui s’en informent.
new-client = Nouveau client
new-client-lead = Son secret est affiché une seule fois, à sa création.
edit-client-lead = En vigueur dès sa prochaine requête.
make-client = Créer le client
search-client = Chercher par nom ou identifiant
no-clients-text = Aucun client ne correspond.
client-may = Peut
client-auth = Présente son secret
client-auth-hint = Un client public tourne là où aucun secret ne peut être gardé : dans un navigateur, sur un téléphone. Ce choix est définitif.
auth-basic = Dans l’en-tête (client_secret_basic)
auth-post = Dans le formulaire (client_secret_post)
auth-none = Pas du tout : un client public
public-client = Public
confidential-client = Confidentiel
may-client-credentials = Obtenir ses propres jetons
may-refresh-token = Renouveler des jetons
may-anonymous = Ouvrir des sessions anonymes
may-token-exchange = Échanger des jetons
may-introspect = Introspection
client-scopes-hint = Celles que ses jetons peuvent avoir, séparées par des espaces.
redirect-uris = URI de redirection
redirect-uris-hint = Une par ligne. https, ou http sur la machine même.
introspection = Introspection
introspect-all = De tous les jetons de l’espace
introspect-own = De ses propres jetons
introspect-hint = Pour les serveurs de ressources et les passerelles qui jugent les jetons des autres.
own-client = Les jetons d’API de cet espace sont renouvelés avec ce client : il ne peut être ni modifié ni supprimé.
new-secret = Nouveau secret
two-secrets = Deux secrets sont acceptés. Le précédent prend fin
rotate-title = Nouveau secret pour { $name }
rotate-lead = Le nouveau secret est valable aussitôt. L’actuel le reste un moment, pour que rien ne s’arrête pendant que vous le remplacez.
rotate-ends-previous = Deux secrets sont acceptés en ce moment. Le plus ancien, qui finirait de lui-même plus tard, prend fin aussitôt :
overlap = Le secret actuel prend fin après
overlap-hint = S’il a fuité, faites-le finir aussitôt.
at-once = Aussitôt
make-secret = Créer le secret
client-made = Votre nouveau client
secret-changed = Le nouveau secret
client-secret = Secret du client
only-once-client = Il n’est affiché que cette fois. S’il est perdu, créez-en un autre.
client-edited = Enregistré. En vigueur dès sa prochaine requête.
client-deleted = Le client est supprimé, et tout ce qui lui a été délivré est révoqué.
delete-client-title = Supprimer le client { $name } ?
delete-client-meaning = Il ne peut plus s’authentifier, et tout ce qui lui a été délivré reçoit HTTP 401. Son identifiant ne sera plus jamais attribué.
tokens = Jetons
its-tokens = Ses jetons

## APIs and plans
apis-lead = Les ressources protégées. Un jeton qui nomme des API n’est valable que pour elles.
new-api = Nouvelle API
new-api-lead = Un service qui accepte les jetons de cet espace.
make-api = Créer l’API
no-apis-text = Les jetons valent partout dans l’espace tant qu’ils ne sont pas liés à des API.
audience = Audience
audience-hint = L’adresse du service. Elle figure dans « aud » quand un de ses jetons est introspecté.
api-scopes-hint = Celles qui ont un sens pour elle, séparées par des espaces. Vide : toutes.
any-scope = Toutes
api-made = L’API est créée.
api-edited = Enregistré. En vigueur dès la prochaine requête.
api-deleted = L’API est supprimée.
delete-api-title = Supprimer l’API { $name } ?
delete-api-meaning = Aucun jeton ne prend fin, mais ceux qui la nomment y sont désormais refusés. Le nom ne sera plus jamais attribué.
tokens-naming = Jetons qui le nomment
plans-lead = Les limites d’usage. Un jeton qui a épuisé son forfait est refusé avec HTTP 429.
new-plan = Nouveau forfait
new-plan-lead = Tant de requêtes en tant de temps, pour chaque jeton.
make-plan = Créer le forfait
no-plans-text = Les jetons ne sont pas limités tant qu’ils n’ont pas de forfait.
plan-limit = Limite
plan-limit-text = { $requests } en { $time }
plan-requests = Requêtes
plan-period = En
plan-period-hint = Par exemple 1s, 1m, 24h ou 31d.
plan-apis = Pour ces API
plan-apis-hint = Aucune cochée : pour toutes.
all-apis = Toutes
plan-made = Le forfait est créé.
plan-edited = Enregistré. En vigueur dès la prochaine requête.
plan-deleted = Le forfait est supprimé.
delete-plan-title = Supprimer le forfait { $name } ?
delete-plan-meaning = Aucun jeton ne prend fin, mais ceux qui le nomment ne sont plus limités par lui, ni valables pour une API que seul ce forfait couvre. Le nom ne sera plus jamais attribué.

## Policies
policies = Politiques
policies-lead = Les règles selon lesquelles les jetons sont émis. Elles se changent dans la configuration du service.
policy-gives = Fournit
policy-lifetime = Durée
policy-at-most = Au plus { $max }
policy-whole = Toute la durée
policy-revoking = En révoquer un
policy-disabling = Désactiver
credential-access = Jeton d’accès
credential-pair = Jetons d’accès et d’actualisation
credential-key = Clé d’API
revokes-one = Ce jeton
revokes-all = Tous ceux du propriétaire
revokes-by-http = Par HTTP seulement
disables-all = Effet immédiat
disables-refresh = Met fin à l’actualisation ; les jetons d’accès vivent jusqu’à leur fin

## Legacy tokens
legacy = Anciens jetons
legacy-lead = Les jetons d’un système plus ancien restent valables jusqu’à une échéance, et sont refusés après.
no-imports = Rien n’a été importé
no-imports-text = Les jetons d’un système plus ancien s’importent en ligne de commande ou par l’API REST.
import-source = Ancien système
import-open = Importation en cours
import-complete = Utilisables
import-ended = Échéance passée
import-purged = Purgés
deadline = Échéance
imported = Importés
import-used = Utilisés ici
import-refused = Lignes refusées
import-scheme = Conservés en
extend = Prolonger
new-deadline = Nouvelle échéance
deadline-hint = En UTC. En vigueur aussitôt, partout, même si l’ancienne est passée.
deadline-needed = Indiquez une date et une heure.
import-extended = L’échéance est déplacée.
import-revoked = Tous ses jetons sont révoqués.
revoke-import = Tout révoquer
revoke-import-title = Révoquer tous les jetons de { $name } ?
revoke-import-meaning = Les requêtes avec l’un d’eux reçoivent désormais HTTP 401. C’est irréversible.
still-in-use = Qui les utilise encore
used-within = Utilisés dans
last-days = { $count ->
    [one] Dernier jour
   *[other] { $count } derniers jours
}
show = Afficher
none-in-use = Personne n’en a utilisé pendant ce temps
more-in-use = Il y en a d’autres. Tous :

## Explain
explain = Expliquer
explain-lead = Pourquoi une requête a été refusée, et ce qui est arrivé à un jeton.
explain-id = Identifiant d’une requête ou d’un jeton
explain-hint = Le X-Request-Id de la réponse refusée, le code d’un jeton (grt_…), ou l’identifiant d’une chaîne de jeton (jti). Jamais le jeton lui-même.
explain-do = Expliquer
explain-answer = Réponse
explain-is-a-token = C’est un jeton, pas son identifiant. Il n’a pas été conservé. Si d’autres ont pu le voir, révoquez-le.
explain-unknown = Aucun refus et aucun jeton de cet espace n’a cet identifiant. Les refus sont gardés quelques jours.
accepted-now = Il est accepté maintenant.
refused-now = Il est refusé maintenant.
proved-none = La requête n’a prouvé aucun jeton : on ne connaît que la règle.
token-string = Chaîne de jeton
refusals = Requêtes refusées
why = Pourquoi
endpoint = Point d’accès
request = Requête
times = Fois
timeline = Ce qui s’est passé
event-issued = Créé
event-token-issued = Cette chaîne de jeton a été délivrée
event-used = Utilisé pour la dernière fois
event-expired = A atteint sa fin
event-cut-off = Révoqué avec beaucoup d’autres
event-refused = Refusé
rule-missing = La requête ne portait aucun jeton.
rule-malformed = La requête portait deux jetons, ou un qui est illisible.
rule-tag = La chaîne ne vient pas de ce service : étrangère, mal copiée, tronquée ou falsifiée.
rule-unknown = La chaîne vient d’ici, mais ce jeton n’est pas (ou plus) enregistré.
rule-kind = La chaîne ne sert pas à une requête : jeton de renouvellement ou secret de client.
rule-expired = Le jeton avait atteint sa fin.
rule-revoked = Le jeton était révoqué.
rule-cut-off-owner = Tous les jetons de son propriétaire ont été révoqués, sous sa règle ou sous toutes.
rule-cut-off-client = Tous les jetons de son client ont été révoqués, comme à la suppression d’un client.
rule-cut-off-workspace = Tous les jetons de son espace ont été révoqués.
rule-parent-dead = La clé qui a ouvert la session est morte.
rule-disabled = Le jeton était désactivé ou supprimé.
rule-replaced = Un jeton plus récent a pris sa place.
rule-other-workspace = La requête concernait un autre espace que celui du jeton.
rule-scope = Il manque au jeton une portée que la requête exigeait.
rule-not-covered = Les API et les forfaits du jeton ne couvrent pas la requête.
rule-plan-limit = La limite de son forfait était épuisée.
rule-not-allowed = Le jeton est bon, mais son porteur n’a pas ce droit.

## Audit
audit = Audit
audit-lead = Qui a fait quoi dans cet espace, le plus récent d’abord.
audit-when = Quand
audit-action = Quoi
audit-actor = Qui
audit-target = Sur quoi
audit-detail = Détails
date-from = À partir du
date-to = Jusqu’au
no-events = Rien de tel ne s’est passé

## Users
users = Utilisateurs
users-lead = Les personnes de cet espace. Chaque nouvelle personne reçoit un lien pour choisir son mot de passe.
new-user = Nouvel utilisateur
make-user = Créer
email = E-mail
role = Rôle
role-member = Membre
role-admin = Administrateur
role-operator = Opérateur
password-set = Choisi
password-none = Pas encore
making-tokens = Création de jetons
allowed = Permise
forbidden = Interdite
allow = Permettre
forbid = Interdire
allow-one = Permettre à { $name } de créer des jetons
forbid-one = Interdire à { $name } de créer des jetons
new-link = Nouveau lien
no-users-text = Aucun utilisateur ne correspond.
more-users = Il y en a d’autres : cherchez-les.
user-made = Le compte est créé. La personne se connecte par authentification unique.
user-allowed = La création de jetons est permise.
user-forbidden = La création de jetons est interdite. Les jetons existants restent.
link-title = Lien pour choisir un mot de passe
link-text = Remettez-le vous-même à { $name }. Il sert une fois, pendant 24 heures.
link-label = Lien
user-edited = Enregistré.
user-deleted = L’utilisateur est supprimé, et tous ses jetons sont révoqués.
edit-user-lead = Le nom reste : il figure dans le journal.
role-hint = Les administrateurs voient et changent tout dans l’espace.
subject = Identifiant auprès du service d’authentification
subject-hint = Qui est la personne là-bas (le sub d’un jeton d’identité). Il se remplit à sa première connexion, si la configuration permet de la reconnaître. Le vider la délie et ferme ses sessions.
their-tokens = Ses jetons
delete-user-title = Supprimer l’utilisateur { $name } ?
delete-user-meaning = Il ne peut plus se connecter, et chacun de ses jetons reçoit HTTP 401. Le nom ne sera plus jamais attribué.
delete-self-meaning = C’est vous. Vous êtes déconnecté aussitôt, et chacun de vos jetons reçoit HTTP 401.
