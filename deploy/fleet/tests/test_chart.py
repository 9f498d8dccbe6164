"""The Helm chart: linted, rendered, held against the schemas of Kubernetes and KEDA, and against what a fleet needs."""

import copy
import json
import re
import unittest

import helm_python
import jsonschema
import kubernetes_validate

from .chart import CHART, one, render, values
from .common import FLEET

# The oldest that the chart takes, and the newest whose schemas there are.
VERSIONS = ("1.27", "1.37")
EXAMPLES = ("example", "minimal")
KEDA = json.loads((FLEET / "tests" / "keda.schema.json").read_text())


def validate(document):
    """An error if no such object can be made."""
    if document["apiVersion"].startswith("keda.sh/"):
        jsonschema.validate(document, KEDA)
        return
    for version in VERSIONS:
        kubernetes_validate.validate(document, version, strict=True)


def containers(objects):
    """Each pod's settings with each of its containers."""
    for document in objects:
        if document["kind"] in ("Deployment", "Job"):
            pod = document["spec"]["template"]["spec"]
            for container in [*pod.get("initContainers", []), *pod["containers"]]:
                yield document["metadata"]["name"], pod, container


class Lint(unittest.TestCase):
    def test_helm_has_nothing_to_say(self):
        for name in EXAMPLES:
            report = helm_python.lint(CHART, values(name), strict=True, kube_version="v1.31.0")
            self.assertEqual(report["errors"], [])
            self.assertEqual([message["error"] for message in report["messages"] if message["error"] != "icon is recommended"], [])

    def test_kubernetes_and_keda_take_all_of_it(self):
        for name in EXAMPLES:
            objects = render(values(name))
            self.assertGreater(len(objects), 6)
            for document in objects:
                validate(document)
        broken = copy.deepcopy(one(render(values("example")), "Deployment", "fleet-worker"))
        broken["spec"]["template"]["spec"]["containers"][0]["port"] = 1
        with self.assertRaises(kubernetes_validate.ValidationError):
            validate(broken)
        broken = copy.deepcopy(one(render(values("example")), "ScaledObject", "fleet-worker"))
        broken["spec"]["triggers"][0]["metadata"]["targetQueryValue"] = 2
        with self.assertRaises(jsonschema.ValidationError):
            validate(broken)

    def test_versions_are_the_programs(self):
        manifest = (FLEET.parents[1] / "Cargo.toml").read_text()
        version = re.search(r'\[workspace\.package\]\nversion = "([^"]+)"', manifest)[1]
        with helm_python.Chart.load(CHART) as chart:
            self.assertEqual(chart.metadata["appVersion"], version)
        self.assertIn(f"zkml-chain:${{ZKML_VERSION:-{version}}}", (FLEET / "compose.yaml").read_text())

    def test_what_is_missing_or_wrong_is_named(self):
        wrong = {
            "chain__consumer": "0x1", "chain__rpcVariable": "https://node/key", "objects__url": "http://bucket", "worker__memoryMiB": "3GiB",
            "worker__maxUnavailable": "0%", "worker__terminationGracePeriodSeconds": 1, "account__secret": "", "image__digest": "sha256:1",
            "database__readerSecret__name": "", "keda__minReplicas": -1, "watch__replicas": 2, "worker__extraArgs": ["x"],
        }
        for path, value in wrong.items():
            with self.subTest(path), self.assertRaises(helm_python.HelmValuesError) as refused:
                render(values("example", **{path: value}))
            self.assertIn(path.split("__")[-1 if path != "database__readerSecret__name" else 1], str(refused.exception))
        with self.assertRaises(helm_python.HelmValuesError):
            render(values("minimal", objects__existingClaim=""))
        with self.assertRaises(helm_python.HelmRenderError) as refused:
            render(values("example", keda__minReplicas=21))
        self.assertIn("keda.minReplicas is 21", str(refused.exception))


class Fleet(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.objects = render(values("example"))
        cls.watch = one(cls.objects, "Deployment", "fleet-watch")
        cls.worker = one(cls.objects, "Deployment", "fleet-worker")

    def test_one_watch_and_never_two(self):
        self.assertEqual(self.watch["spec"]["replicas"], 1)
        self.assertEqual(self.watch["spec"]["strategy"], {"type": "Recreate"})
        scaled = [document for document in self.objects if document["kind"] == "ScaledObject"]
        self.assertEqual([document["spec"]["scaleTargetRef"]["name"] for document in scaled], ["fleet-worker"])

    def test_keda_owns_the_number_of_workers_where_it_is_on(self):
        self.assertNotIn("replicas", self.worker["spec"])
        minimal = render(values("minimal", worker__replicas=7))
        self.assertEqual(one(minimal, "Deployment", "fleet-worker")["spec"]["replicas"], 7)
        self.assertFalse([document for document in minimal if document["apiVersion"].startswith("keda")])

    def test_the_fleet_grows_with_length_and_age(self):
        triggers = {trigger["name"]: trigger for trigger in one(self.objects, "ScaledObject", "fleet-worker")["spec"]["triggers"]}
        self.assertEqual(triggers["queue-length"]["metricType"], "AverageValue")
        self.assertIn("leased", triggers["queue-length"]["metadata"]["query"], "busy workers would be taken away")
        self.assertEqual(triggers["queue-age"]["metricType"], "Value")
        self.assertIn("oldest_seconds", triggers["queue-age"]["metadata"]["query"])

    def test_a_worker_has_time_for_what_it_has_begun(self):
        pod = self.worker["spec"]["template"]["spec"]
        self.assertEqual(pod["terminationGracePeriodSeconds"], 900)
        self.assertIn("--grace=880", pod["containers"][0]["args"], "there is time to give it back")
        pod = self.watch["spec"]["template"]["spec"]
        grace = next(argument for argument in pod["containers"][0]["args"] if argument.startswith("--grace="))
        self.assertGreater(pod["terminationGracePeriodSeconds"], int(grace.removeprefix("--grace=")))

    def test_memory_of_a_worker_is_within_its_limit(self):
        container = one(render(values("example", worker__memoryMiB=1000, worker__overheadMiB=100)), "Deployment", "fleet-worker")
        container = container["spec"]["template"]["spec"]["containers"][0]
        self.assertIn("--memory=1000MiB", container["args"])
        self.assertEqual(container["resources"]["limits"]["memory"], "1100Mi")
        self.assertEqual(container["resources"]["requests"]["memory"], "1100Mi")

    def test_every_container_is_confined(self):
        seen = 0
        for example in EXAMPLES:
            for name, pod, container in containers(render(values(example))):
                seen += 1
                self.assertFalse(pod["automountServiceAccountToken"], name)
                self.assertTrue(pod["securityContext"]["runAsNonRoot"], name)
                self.assertEqual(pod["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"}, name)
                security = container["securityContext"]
                self.assertEqual(security["capabilities"], {"drop": ["ALL"]}, name)
                self.assertTrue(security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"], name)
                self.assertIn("memory", container["resources"]["limits"], name)
                mounted = {mount["name"] for mount in container["volumeMounts"]}
                self.assertLessEqual(mounted, {volume["name"] for volume in pod["volumes"]}, name)
        self.assertEqual(seen, 8)

    def test_secrets_are_references(self):
        self.assertFalse([document for document in self.objects if document["kind"] == "Secret"])
        for name, _, container in containers(self.objects):
            for variable in container.get("env", []):
                if re.search("URL|PASSWORD|KEY|SECRET", variable["name"]):
                    self.assertIn("secretKeyRef", variable["valueFrom"], name)

    def test_a_worker_is_given_what_it_needs_and_no_more(self):
        pod = self.worker["spec"]["template"]["spec"]
        named = set(re.findall(r'"(?:secretName|name)": "(zkml-[^"]+)"', json.dumps(pod)))
        self.assertEqual(named, {"zkml-database-worker", "zkml-database-ca", "zkml-objects-read", "zkml-identity"})
        watch = json.dumps(self.watch["spec"]["template"]["spec"])
        self.assertNotIn('"zkml-identity"', watch, "who seals opens nothing")
        self.assertNotIn("zkml-database-worker", watch)

    def test_probes_ask_at_the_port_that_is_listened_at(self):
        for deployment, port, ready in ((self.watch, 9184, "/healthz"), (self.worker, 9185, "/readyz")):
            container = deployment["spec"]["template"]["spec"]["containers"][0]
            self.assertIn(f"--listen=0.0.0.0:{port}", container["args"])
            self.assertEqual(container["ports"], [{"name": "metrics", "containerPort": port}])
            self.assertEqual(container["readinessProbe"]["httpGet"], {"path": ready, "port": "metrics"})
            self.assertEqual(container["livenessProbe"]["httpGet"], {"path": "/healthz", "port": "metrics"})
            self.assertEqual(deployment["spec"]["template"]["metadata"]["annotations"]["prometheus.io/port"], str(port))

    def test_migrations_come_first(self):
        job = one(self.objects, "Job", "fleet-migrate")
        self.assertEqual(job["metadata"]["annotations"]["helm.sh/hook"], "pre-install,pre-upgrade")
        container = job["spec"]["template"]["spec"]["containers"][0]
        self.assertEqual(container["args"], ["queue", "migrate"])
        back = one(render(values("minimal")), "Job", "fleet-migrate")["spec"]["template"]["spec"]
        self.assertEqual(back["containers"][0]["args"], ["queue", "migrate", "--to=1"])
        self.assertNotIn("serviceAccountName", job["spec"]["template"]["spec"], "the release has made none yet")
        self.assertFalse([document for document in render(values("example", migrate__enabled=False)) if document["kind"] == "Job"])

    def test_pods_talk_to_database_storage_and_endpoint_only(self):
        ports = {}
        for component in ("watch", "worker", "migrate"):
            policy = one(self.objects, "NetworkPolicy", f"fleet-{component}")["spec"]
            self.assertEqual(policy["policyTypes"], ["Ingress", "Egress"])
            self.assertEqual(policy["podSelector"]["matchLabels"]["app.kubernetes.io/component"], component)
            ports[component] = [entry["port"] for rule in policy["egress"] for entry in rule["ports"]]
        self.assertEqual(ports, {"watch": [53, 53, 5432, 443, 443], "worker": [53, 53, 5432, 443], "migrate": [53, 53, 5432]})
        database = [{"ipBlock": {"cidr": "10.1.0.0/16"}}]
        narrowed = render(values("example", networkPolicy__database={"port": 6432, "to": database}))
        rule = one(narrowed, "NetworkPolicy", "fleet-worker")["spec"]["egress"][1]
        self.assertEqual(rule, {"ports": [{"protocol": "TCP", "port": 6432}], "to": database})
        validate(one(narrowed, "NetworkPolicy", "fleet-worker"))

    def test_labels_select_their_own_pods(self):
        for deployment in (self.watch, self.worker):
            chosen = deployment["spec"]["selector"]["matchLabels"]
            labels = deployment["spec"]["template"]["metadata"]["labels"]
            self.assertLessEqual(chosen.items(), labels.items())
        budget = one(self.objects, "PodDisruptionBudget", "fleet-worker")
        self.assertEqual(budget["spec"]["selector"], self.worker["spec"]["selector"])
        spread = self.worker["spec"]["template"]["spec"]["topologySpreadConstraints"]
        self.assertEqual([constraint["labelSelector"] for constraint in spread], [self.worker["spec"]["selector"]] * 2)

    def test_an_image_may_be_pinned_by_its_digest(self):
        for name, _, container in containers(render(values("minimal"))):
            self.assertRegex(container["image"], r"^zkml-chain:[\d.]+@sha256:[0-9a-f]{64}$", name)


if __name__ == "__main__":
    unittest.main()
