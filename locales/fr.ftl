# Les mots de la console. Les clés suivent l’ordre des pages.

## Frame
skip = Aller au contenu
menu = Menu
menu-mine = À vous
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
error-session = Votre session est terminée
error-session-text = Rien n’a été modifié. Connectez-vous et recommencez.
error-invalid = Une valeur ne peut pas être acceptée
error-invalid-text = Rien n’a été modifié. Revenez en arrière et corrigez ceci :
error-conflict = Impossible pour le moment
error-conflict-text = La situation a changé, ou une règle s’y oppose. Rien n’a été modifié.
error-unavailable = Momentanément impossible
error-unavailable-text = Le service n’atteint pas sa base de données ou est très occupé. On ignore si quelque chose a été modifié. Réessayez dans un instant.

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

