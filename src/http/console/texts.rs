//! The words of the pages: `locales/en.ftl` and `fr.ftl` (Fluent), embedded and parsed once.

use std::borrow::Cow;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

use super::language::Language;

const ENGLISH: &str = include_str!("../../../locales/en.ftl");
const FRENCH: &str = include_str!("../../../locales/fr.ftl");

static ENGLISH_TEXTS: LazyLock<Texts> = LazyLock::new(|| Texts::parse(Language::English, ENGLISH));
static FRENCH_TEXTS: LazyLock<Texts> = LazyLock::new(|| Texts::parse(Language::French, FRENCH));

/// All texts in one language.
pub(super) struct Texts(FluentBundle<FluentResource>);

impl Texts {
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &ENGLISH_TEXTS,
            Language::French => &FRENCH_TEXTS,
        }
    }

    fn parse(language: Language, source: &str) -> Self {
        let resource = FluentResource::try_new(source.to_owned()).expect("a test parses the embedded texts");
        let tag: LanguageIdentifier = language.tag().parse().expect("a language tag");
        let mut bundle = FluentBundle::new_concurrent(vec![tag]);
        // Values stand in HTML, whose elements isolate them.
        bundle.set_use_isolating(false);
        bundle.add_resource(resource).expect("a test looks for repeated keys");
        Self(bundle)
    }

    /// The text of a key; the key itself if there is none, which a test looks for.
    pub(super) fn text<'k>(&self, key: &'k str, values: &[(&'static str, Value<'_>)]) -> Cow<'k, str> {
        let Some(pattern) = self.0.get_message(key).and_then(|message| message.value()) else {
            return Cow::Borrowed(key);
        };
        let mut args = FluentArgs::new();
        for (name, value) in values {
            match value {
                Value::Text(text) => args.set(*name, FluentValue::from(*text)),
                Value::Number(number) => args.set(*name, FluentValue::from(*number)),
            }
        }
        Cow::Owned(self.0.format_pattern(pattern, Some(&args), &mut Vec::new()).into_owned())
    }
}

/// What is put into a text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Text(&'a str),
    /// Chooses the plural.
    Number(u64),
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use regex::Regex;

    use super::*;

    /// Keys and the variables that each text uses.
    fn keys(source: &str) -> BTreeMap<String, BTreeSet<String>> {
        let entry = Regex::new(r"(?m)^([a-z][a-z0-9-]*) =((?:.*\n)(?:[ ].*\n|\n)*)").unwrap();
        let variable = Regex::new(r"\{ ?\$([a-z]+)").unwrap();
        let mut all = BTreeMap::new();
        for found in entry.captures_iter(source) {
            let variables = variable.captures_iter(&found[2]).map(|variable| variable[1].to_owned()).collect();
            assert!(all.insert(found[1].to_owned(), variables).is_none(), "{} stands twice", &found[1]);
        }
        all
    }

    /// Everything in quotes in templates and handlers that looks like a key.
    fn used() -> BTreeSet<String> {
        let mut used = BTreeSet::new();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let quoted = Regex::new("\"([a-z0-9]+(?:-[a-z0-9]+)*)\"").unwrap();
        let mut folders = vec![root.join("templates/console"), root.join("src/http/console")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let text = std::fs::read_to_string(path).unwrap();
                    used.extend(quoted.captures_iter(&text).map(|found| found[1].to_owned()));
                }
            }
        }
        used
    }

    /// Calls of `t`, `n` and `with`.
    fn called() -> BTreeSet<String> {
        let mut called = BTreeSet::new();
        let call = Regex::new("\\.(?:t|n|with)\\(\\s*\"([^\"]+)\"").unwrap();
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/console")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let text = std::fs::read_to_string(path).unwrap();
                    called.extend(call.captures_iter(&text).map(|found| found[1].to_owned()));
                }
            }
        }
        called
    }

    #[test]
    fn both_languages_have_the_same_keys_with_the_same_variables() {
        assert_eq!(keys(ENGLISH), keys(FRENCH));
        for language in Language::ALL {
            let texts = Texts::of(language);
            for key in keys(ENGLISH).keys() {
                assert!(texts.0.has_message(key), "{key} can't be read in {language:?}");
            }
        }
    }

    #[test]
    fn every_key_that_is_used_exists_and_every_key_is_used() {
        let known: BTreeSet<String> = keys(ENGLISH).into_keys().collect();
        assert_eq!(called().difference(&known).collect::<Vec<_>>(), Vec::<&String>::new(), "used and not there");
        assert_eq!(known.difference(&used()).collect::<Vec<_>>(), Vec::<&String>::new(), "there and not used");
    }

    #[test]
    fn numbers_choose_the_plural() {
        let count = |language, count| Texts::of(language).text("span-days", &[("count", Value::Number(count))]);
        assert_eq!(count(Language::English, 1), "1 day");
        assert_eq!(count(Language::English, 0), "0 days");
        assert_eq!(count(Language::French, 0), "0 jour");
        assert_eq!(count(Language::French, 2), "2 jours");
    }
}
