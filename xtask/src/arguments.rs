//! Splits the command lines that are passed on to other programs.

use std::ffi::{OsStr, OsString};

/// What `xtask test` was given, before and after the first `--`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TestArguments {
    pub(crate) cargo: Vec<OsString>,
    pub(crate) binary: Vec<OsString>,
}

impl TestArguments {
    pub(crate) fn split(mut arguments: Vec<OsString>) -> Self {
        let Some(separator) = arguments.iter().position(|argument| argument == "--") else {
            return Self { cargo: arguments, binary: Vec::new() };
        };
        let binary = arguments.split_off(separator + 1);
        arguments.truncate(separator);
        Self { cargo: arguments, binary }
    }

    /// Whether a filter of the caller's names this test or something in it.
    pub(crate) fn name(&self, test: &str) -> bool {
        self.cargo.iter().chain(&self.binary).any(|argument| argument.to_string_lossy().starts_with(test))
    }

    /// Whether the caller chose packages: cargo ignores `--package` beside `--workspace`.
    pub(crate) fn choose_packages(&self) -> bool {
        self.cargo.iter().any(|argument| {
            let argument = argument.to_string_lossy();
            argument == "--package"
                || argument.starts_with("--package=")
                || (argument.starts_with("-p") && !argument.starts_with("--"))
        })
    }
}

/// The program and its arguments, with or without a `--` before them.
pub(crate) fn program(arguments: &[OsString]) -> Option<(&OsStr, &[OsString])> {
    let arguments = match arguments {
        [first, rest @ ..] if first == "--" => rest,
        all => all,
    };
    let (program, rest) = arguments.split_first()?;
    Some((program, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn arguments_without_a_separator_are_cargos() {
        let split = TestArguments::split(words("--test it token"));
        assert_eq!(split, TestArguments { cargo: words("--test it token"), binary: vec![] });
    }

    #[test]
    fn a_filter_names_what_begins_with_it() {
        assert!(TestArguments::split(words("-- slow::one")).name("slow::one"));
        assert!(TestArguments::split(words("--test it slow::one::on_sqlite")).name("slow::one"));
        assert!(!TestArguments::split(words("--test it -- --skip fast")).name("slow::one"));
    }

    #[test]
    fn only_the_first_separator_splits() {
        let split = TestArguments::split(words("-p jeton -- --nocapture -- x"));
        assert_eq!(split, TestArguments { cargo: words("-p jeton"), binary: words("--nocapture -- x") });
    }

    #[test]
    fn a_package_is_recognised_in_every_spelling() {
        for line in ["-p jeton", "-pjeton", "--package jeton", "--package=jeton"] {
            assert!(TestArguments::split(words(line)).choose_packages(), "{line}");
        }
        for line in ["", "--profile release", "--test it", "name -- -p"] {
            assert!(!TestArguments::split(words(line)).choose_packages(), "{line}");
        }
    }

    #[test]
    fn a_program_may_follow_a_separator() {
        let with = words("-- psql -c x");
        let without = words("psql -c x");
        assert_eq!(program(&with), program(&without));
        assert_eq!(program(&without), Some((OsStr::new("psql"), &without[1..])));
        assert_eq!(program(&words("--")), None);
        assert_eq!(program(&[]), None);
    }
}
