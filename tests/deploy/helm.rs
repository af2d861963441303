//! The Helm chart. Helm itself is not to be had where the tests run: `helm/render.go` does what it would, with the same
//! template engine and functions, and what comes of it is judged here. No cluster has seen it.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::{deployed, program, succeed};
use crate::support::process::command;

const REQUIRED: &str =
    "publicUrl: https://auth.example.com\ndatabase: {existingSecret: db}\nmasterKey: {existingSecret: keys}\n";
/// Everything that is off.
const ALL: &str = "masterKey: {existingSecret: keys, previousKey: old}\nconfig: \"[log]\\nlevel = \\\"debug\\\"\\n\"\n\
     imagePullSecrets: [{name: pull}]\npersistence: {enabled: false}\ningress: {enabled: true, className: nginx, tlsSecret: tls}\n\
     trustedProxies: [10.0.0.1, 10.0.0.2]\nautoscaling: {enabled: true}\nserviceMonitor: {enabled: true, labels: {team: a}}\n\
     networkPolicy: {from: [{podSelector: {}}], monitoring: [{podSelector: {}}]}\npodLabels: {a: b}\npodAnnotations: {c: d}\n\
     nodeSelector: {disk: ssd}\ntolerations: [{key: x, operator: Exists}]\naffinity: {nodeAffinity: {}}\npriorityClassName: high\n\
     service: {annotations: {e: f}}\nserviceAccount: {annotations: {g: h}}\n";

struct Chart(Value);

impl Chart {
    fn render(values: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let program = renderer(directory.path());
        let mut render = Command::new(program);
        render.arg(deployed("helm/jeton")).arg("release");
        for (number, text) in values.iter().enumerate() {
            let path = directory.path().join(format!("{number}.yaml"));
            std::fs::write(&path, text).unwrap();
            render.arg(path);
        }
        Self(serde_json::from_slice(&succeed(&mut render).stdout).unwrap())
    }

    fn all(&self, kind: &str) -> Vec<&Value> {
        self.0["objects"].as_array().unwrap().iter().filter(|object| object["kind"] == kind).collect()
    }

    #[track_caller]
    fn one(&self, kind: &str) -> &Value {
        let [one] = self.all(kind)[..] else { panic!("not one {kind}") };
        one
    }

    fn pod(&self) -> &Value {
        &self.one("StatefulSet")["spec"]["template"]
    }

    fn container(&self) -> &Value {
        &self.pod()["spec"]["containers"][0]
    }
}

fn renderer(directory: &Path) -> std::path::PathBuf {
    let program_file = directory.join("render");
    let mut go = program("GO");
    go.env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode").env("GOFLAGS", "");
    go.env("GOCACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("go"));
    go.args(["build", "-o"]).arg(&program_file);
    go.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/deploy/helm/render.go"));
    succeed(&mut go);
    program_file
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().map(|item| item["name"].as_str().unwrap()).collect()
}

/// Every label of `selector` is one of the pod's.
fn selects(selector: &Value, pod: &Value) -> bool {
    let labels = selector.as_object().unwrap();
    !labels.is_empty() && labels.iter().all(|(name, value)| pod["metadata"]["labels"][name] == *value)
}

/// Whether the service accepts what the container's environment makes of it.
fn is_accepted(chart: &Chart) {
    let directory = tempfile::tempdir().unwrap();
    let keys = directory.path().join("keys");
    std::fs::create_dir(&keys).unwrap();
    let volumes = chart.pod()["spec"]["volumes"].as_array().unwrap();
    let secret = volumes.iter().find(|volume| volume["name"] == "keys").unwrap();
    for item in secret["secret"]["items"].as_array().unwrap() {
        std::fs::write(keys.join(item["path"].as_str().unwrap()), "ab".repeat(32)).unwrap();
    }
    let file = directory.path().join("jeton.toml");
    std::fs::write(&file, chart.one("ConfigMap")["data"]["jeton.toml"].as_str().unwrap()).unwrap();
    let mut check = command();
    check.current_dir(directory.path());
    for variable in chart.container()["env"].as_array().unwrap() {
        let value = match (variable["value"].as_str(), variable["valueFrom"]["secretKeyRef"].is_object()) {
            (Some("/etc/jeton/jeton.toml"), _) => file.to_str().unwrap().to_owned(),
            (Some(value), _) => value.replace("/run/secrets/jeton", keys.to_str().unwrap()),
            (None, true) => "postgres://me:secret@db/jeton".to_owned(),
            (None, false) => "jeton-0".to_owned(),
        };
        check.env(variable["name"].as_str().unwrap(), value);
    }
    let said = succeed(check.args(["config", "print"]));
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("public_url = \"https://auth.example.com\""), "{said}");
    assert!(said.contains("listen = \"0.0.0.0:8080\"") && said.contains("master = \"<hidden>\""), "{said}");
}

#[test]
#[ignore = "needs Go: cargo xtask test"]
fn a_node_is_started_with_a_configuration_that_it_accepts() {
    is_accepted(&Chart::render(&[REQUIRED]));
    let all = Chart::render(&[REQUIRED, ALL]);
    is_accepted(&all);
    let proxies = all.container()["env"].as_array().unwrap().iter();
    let proxies: Vec<_> = proxies.filter(|variable| variable["name"] == "JETON__HTTP__TRUSTED_PROXIES").collect();
    assert_eq!(proxies[0]["value"], "10.0.0.1,10.0.0.2");
}

#[test]
#[ignore = "needs Go: cargo xtask test"]
fn the_parts_of_the_chart_find_each_other() {
    for values in [&[REQUIRED][..], &[REQUIRED, ALL]] {
        let chart = Chart::render(values);
        let (set, pod, container) = (chart.one("StatefulSet"), chart.pod(), chart.container());
        let ports = names(&container["ports"]);
        assert!(selects(&set["spec"]["selector"]["matchLabels"], pod));
        for service in chart.all("Service") {
            assert!(selects(&service["spec"]["selector"], pod), "{service}");
            let port = service["spec"]["ports"][0]["targetPort"].as_str().unwrap();
            assert!(ports.contains(&port), "{service}");
        }
        let services: Vec<&Value> = chart.all("Service").iter().map(|service| &service["metadata"]["name"]).collect();
        assert!(services.contains(&&set["spec"]["serviceName"]), "{services:?}");
        for kind in ["PodDisruptionBudget", "NetworkPolicy"] {
            let spec = &chart.one(kind)["spec"];
            let selector = if kind == "NetworkPolicy" { &spec["podSelector"] } else { &spec["selector"] };
            assert!(selects(&selector["matchLabels"], pod), "{kind}");
        }
        assert_eq!(pod["spec"]["serviceAccountName"], chart.one("ServiceAccount")["metadata"]["name"]);
        let claims = set["spec"]["volumeClaimTemplates"].as_array().into_iter().flatten();
        let claims = claims.map(|claim| claim["metadata"]["name"].as_str().unwrap());
        let mut volumes = names(&pod["spec"]["volumes"]);
        volumes.extend(claims);
        let mut mounts = names(&container["volumeMounts"]);
        volumes.sort_unstable();
        mounts.sort_unstable();
        assert_eq!(volumes, mounts);
        for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
            assert_eq!(container[probe]["httpGet"]["port"], "management");
            let path = container[probe]["httpGet"]["path"].as_str().unwrap();
            assert!(["/health/live", "/health/ready"].contains(&path));
        }
        // Secrets are named, never made.
        assert!(chart.all("Secret").is_empty());
    }
}

#[test]
#[ignore = "needs Go: cargo xtask test"]
fn a_pod_may_do_nothing_that_it_does_not_need() {
    let chart = Chart::render(&[REQUIRED]);
    let (pod, container) = (&chart.pod()["spec"], chart.container());
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    let may = &container["securityContext"];
    assert_eq!(may["readOnlyRootFilesystem"], true);
    assert_eq!(may["allowPrivilegeEscalation"], false);
    assert_eq!(may["capabilities"]["drop"], json!(["ALL"]));
    let policy = &chart.one("NetworkPolicy")["spec"];
    assert_eq!(policy["policyTypes"], json!(["Ingress", "Egress"]));
    // Nobody but the kubelet reaches the management port.
    assert_eq!(policy["ingress"], json!([{ "ports": [{ "port": "http" }] }]));
    let keys = pod["volumes"].as_array().unwrap().iter().find(|volume| volume["name"] == "keys").unwrap();
    assert_eq!(keys["secret"]["defaultMode"], 0o440);
    // The image runs as the same user.
    let dockerfile = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Dockerfile")).unwrap();
    assert!(dockerfile.contains(&format!("USER {0}:{0}", pod["securityContext"]["runAsUser"])));
}

#[test]
#[ignore = "needs Go: cargo xtask test"]
fn what_can_be_switched_on_is_there_when_it_is() {
    let (plain, all) = (Chart::render(&[REQUIRED]), Chart::render(&[REQUIRED, ALL]));
    for kind in ["HorizontalPodAutoscaler", "Ingress", "ServiceMonitor"] {
        assert!(plain.all(kind).is_empty(), "{kind}");
    }
    assert_eq!(plain.one("StatefulSet")["spec"]["replicas"], 2);
    assert!(all.one("StatefulSet")["spec"]["replicas"].is_null(), "it would undo what the autoscaler does");
    let target = &all.one("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"];
    assert_eq!(target["name"], all.one("StatefulSet")["metadata"]["name"]);
    let ingress = &all.one("Ingress")["spec"];
    assert_eq!(ingress["rules"][0]["host"], "auth.example.com");
    assert_eq!(ingress["tls"], json!([{ "hosts": ["auth.example.com"], "secretName": "tls" }]));
    let monitor = &all.one("ServiceMonitor")["spec"];
    let nodes = all.all("Service").into_iter().find(|service| service["spec"]["clusterIP"] == "None").unwrap();
    let wanted = monitor["selector"]["matchLabels"].as_object().unwrap();
    assert!(wanted.iter().all(|(name, value)| nodes["metadata"]["labels"][name] == *value));
    assert_eq!(monitor["endpoints"][0]["port"], nodes["spec"]["ports"][0]["name"]);
    assert!(plain.one("StatefulSet")["spec"]["volumeClaimTemplates"].is_array());
    assert!(all.one("StatefulSet")["spec"]["volumeClaimTemplates"].is_null());
    // A changed file starts the pods anew.
    let checksum = |chart: &Chart| chart.pod()["metadata"]["annotations"]["checksum/config"].clone();
    assert_ne!(checksum(&plain), checksum(&all));
}

#[test]
#[ignore = "needs Go: cargo xtask test"]
fn values_that_cannot_work_are_refused_by_the_schema() {
    let schema = std::fs::read_to_string(deployed("helm/jeton/values.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let good = Chart::render(&[REQUIRED, ALL]).0["values"].clone();
    let complaints: Vec<String> = schema.iter_errors(&good).map(|error| error.to_string()).collect();
    assert_eq!(complaints, Vec::<String>::new(), "the values of the chart, with what is required");
    let refused = |pointer: &str, value: Value| {
        let mut values = good.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        values.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(key.to_owned(), value);
        assert!(!schema.is_valid(&values), "{pointer}");
    };
    refused("/publicUrl", json!(""));
    refused("/publicUrl", json!("https://auth.example.com/path"));
    refused("/database/existingSecret", json!(""));
    refused("/masterKey/existingSecret", json!(""));
    refused("/masterKey/value", json!("c0ffee"));
    refused("/replicas", json!(0));
    refused("/replicaCount", json!(3));
    refused("/service/port", json!(70_000));
    refused("/trustedProxies", json!(["a.example.com"]));
    refused("/image/pullPolicy", json!("Sometimes"));
    // Without what is required nothing is rendered at all.
    assert!(!schema.is_valid(&Chart::render(&[]).0["values"]));
}

#[test]
fn the_chart_is_of_this_version() {
    let chart = std::fs::read_to_string(deployed("helm/jeton/Chart.yaml")).unwrap();
    for key in ["version", "appVersion"] {
        assert!(chart.contains(&format!("\n{key}: {}\n", env!("CARGO_PKG_VERSION"))), "{key}");
    }
}
