//! The Dockerfile and the compose file, step by step: no image can be pulled where the tests run.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use super::{deployed, program, succeed};
use crate::support::process::command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The instructions of the Dockerfile with their continuation lines, without comments.
fn instructions() -> Vec<String> {
    let text = std::fs::read_to_string(root().join("Dockerfile")).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let joined = lines.join("\n").replace("\\\n", " ");
    joined.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
}

/// The one instruction of that name.
fn instruction(name: &str) -> String {
    let found: Vec<_> = instructions().iter().filter_map(|line| line.strip_prefix(name)).map(str::to_owned).collect();
    let [one] = &found[..] else { panic!("{name}: {found:?}") };
    one.trim().to_owned()
}

/// What the image sets.
fn environment() -> Vec<(String, String)> {
    let pairs = instruction("ENV ");
    let pairs = pairs.split_whitespace().map(|pair| pair.split_once('=').unwrap());
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Whether `config check` accepts this environment; what it says.
fn check(environment: &[(String, String)]) -> (bool, String) {
    let directory = tempfile::tempdir().unwrap();
    let mut check = command();
    check.current_dir(directory.path()).args(["config", "check"]);
    let output = check.envs(environment.iter().map(|(name, value)| (name, value))).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn the_image_sets_what_the_configuration_knows_and_needs_only_a_public_url() {
    let mut environment = environment();
    let (accepted, said) = check(&environment);
    assert!(!accepted && said.contains("public_url"), "{said}");
    environment.push(("JETON__PUBLIC_URL".to_owned(), "https://auth.example.org".to_owned()));
    let (accepted, said) = check(&environment);
    assert!(accepted, "{said}");
    environment.push(("JETON__HTTP__LISTN".to_owned(), "x".to_owned()));
    assert!(!check(&environment).0, "a misspelled key passes: the cases above can't fail");
}

#[test]
fn the_image_runs_the_binary_as_a_number_that_owns_its_data() {
    assert_eq!(instruction("ENTRYPOINT "), r#"["/usr/local/bin/jeton"]"#);
    assert_eq!(instruction("CMD "), r#"["serve"]"#);
    assert!(instruction("HEALTHCHECK ").ends_with(r#"CMD ["/usr/local/bin/jeton", "health"]"#));
    assert_eq!(instruction("USER "), "65532:65532");
    let data = instruction("VOLUME ");
    let made = instructions().into_iter().any(|line| {
        line.starts_with("RUN ") && line.contains(&format!("--owner 65532 --group 65532 --mode 0700 {data}"))
    });
    assert!(made, "{data} belongs to somebody else");
    assert!(environment().contains(&("JETON__DATA_DIR".to_owned(), data)));
}

#[test]
fn the_image_is_built_by_a_compiler_that_can_from_files_that_are_sent() {
    let [builder, runtime] =
        &instructions().into_iter().filter(|line| line.starts_with("FROM ")).collect::<Vec<_>>()[..]
    else {
        panic!("not two stages");
    };
    // The binary needs the glibc that it was linked with.
    assert!(builder.contains("bookworm") && runtime.contains("bookworm"), "{builder}, {runtime}");
    let compiler = builder.split(':').nth(1).and_then(|tag| tag.split('-').next()).unwrap();
    let minor = |version: &str| version.split('.').nth(1).unwrap().parse::<u32>().unwrap();
    assert!(minor(compiler) >= minor(env!("CARGO_PKG_RUST_VERSION")), "{compiler}");
    let touched = instructions().into_iter().find(|line| line.contains("touch ")).unwrap();
    let touched = touched.split("touch ").nth(1).unwrap().split("&&").next().unwrap().to_owned();
    for file in touched.split_whitespace() {
        assert!(root().join(file).is_file(), "{file}");
    }
    let ignored = std::fs::read_to_string(root().join(".dockerignore")).unwrap();
    for file in ["target", "data"] {
        assert!(ignored.lines().any(|line| line.trim_start_matches("**/") == file), "{file} is sent to the builder");
    }
    for needed in ["Cargo.lock", "src", "guard", "model", "xtask", "migrations", "templates", "locales", "assets"] {
        assert!(!ignored.lines().any(|line| line.trim_matches('/') == needed), "{needed} is not sent to the builder");
    }
}

/// The compose file as the structure that it is.
fn compose() -> Value {
    let mut python = program("PYTHON");
    python.args(["-I", "-c", "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)"]);
    let output = succeed(python.arg(deployed("compose/compose.yaml")).stdin(Stdio::null()));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
#[ignore = "needs a YAML parser: cargo xtask test"]
fn the_compose_file_gives_the_service_a_configuration_that_it_takes() {
    let compose = compose();
    let jeton = &compose["services"]["jeton"];
    assert!(deployed("compose").join(jeton["build"].as_str().unwrap()).join("Dockerfile").is_file());
    // As `docker compose` fills them in.
    let password = regex::Regex::new(r"\$\{POSTGRES_PASSWORD[^}]*\}").unwrap();
    let with_default = regex::Regex::new(r"\$\{[A-Z_]+:-([^}]*)\}").unwrap();
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), "0".repeat(64)).unwrap();
    let mut environment = environment();
    for (name, value) in jeton["environment"].as_object().unwrap() {
        let value = password.replace_all(value.as_str().unwrap(), "0123456789abcdef");
        let value =
            with_default.replace_all(&value, "$1").replace("/run/secrets/master_key", key.path().to_str().unwrap());
        assert!(!value.contains("${"), "{name}: {value}");
        environment.push((name.clone(), value));
    }
    let (accepted, said) = check(&environment);
    assert!(accepted, "{said}");
    assert!(compose["secrets"]["master_key"].is_object());
    assert_eq!(jeton["volumes"][0], "jeton:/data");
    for (service, depends_on) in [("jeton", "postgres"), ("nginx", "jeton")] {
        assert_eq!(compose["services"][service]["depends_on"][depends_on]["condition"], "service_healthy");
    }
}

#[test]
#[ignore = "needs nginx and a YAML parser: cargo xtask test"]
fn the_gateway_of_the_compose_file_is_understood_and_leads_to_the_service() {
    let compose = compose();
    let mounted = compose["services"]["nginx"]["volumes"][0].as_str().unwrap();
    let (file, _) = mounted.split_once(':').unwrap();
    let recipe = std::fs::read_to_string(deployed("compose").join(file)).unwrap();
    // The name resolves among containers only; the port is the one that the image listens on.
    let port = environment().into_iter().find(|(name, _)| name == "JETON__HTTP__LISTEN").unwrap().1;
    let address = format!("jeton:{}", port.rsplit(':').next().unwrap());
    assert!(recipe.contains(&address), "nothing leads to {address}");
    let directory = tempfile::tempdir().unwrap();
    let main = directory.path().join("main.conf");
    std::fs::write(directory.path().join("site.conf"), recipe.replace(&address, "127.0.0.1:8080")).unwrap();
    std::fs::write(
        &main,
        format!(
            "pid {0}/pid; events {{}} http {{ access_log off; include {0}/site.conf; }}",
            directory.path().display()
        ),
    )
    .unwrap();
    succeed(program("NGINX").args(["-t", "-q", "-e", "stderr", "-c"]).arg(main));
}
