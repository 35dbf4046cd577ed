"""The workflows of `deploy/soar/n8n`: that their JSON has the form of an export, and that each of their steps
does what it says against the service. A reader of ours takes the place of n8n: it knows the nodes and the
expressions that the workflows use, and refuses any other. Not tried: importing them into n8n."""

import json
import re
import urllib.parse
import uuid

import service
from soar_stories import lookup, run_all, text_of

FOLDER = service.ROOT / "deploy" / "soar" / "n8n"

NODE_KEYS = {"parameters", "id", "name", "type", "typeVersion", "position"}
MORE_KEYS = {"credentials", "webhookId", "retryOnFail", "maxTries", "waitBetweenTries"}
VERSIONS = {"webhook": 2, "set": 3.4, "httpRequest": 4.2, "switch": 3.2, "stickyNote": 1}
OPERATIONS = {"equals", "notEquals", "regex", "notRegex"}

PATH = r"\$json(?:\??\.[A-Za-z_]+)+|\$\('[^']+'\)\.first\(\)\.json(?:\.[A-Za-z_]+)+"
EXPRESSION = re.compile(rf"\{{\{{ (?:(JSON\.stringify|String)\()?({PATH})( \?\? (?:null|''))?\)? \}}\}}")


def run(checks, binary, _):
    """Checks the form of every workflow, and runs it."""
    for file in sorted(FOLDER.glob("*.json")):
        with checks.section(file.name):
            check_form(checks, f"n8n {file.stem}", json.loads(file.read_text()))
    run_all(checks, binary, "n8n", FOLDER, Workflow)


def check_form(checks, name, workflow):
    """Holds the form of an export: its keys, its nodes, their versions and their connections."""
    checks.equal(
        f"{name}: has a workflow's keys",
        set(workflow),
        {"name", "nodes", "connections", "active", "settings", "pinData", "tags"},
    )
    checks.check(f"{name}: is not active before it is looked at", workflow["active"] is False)
    nodes = {node["name"]: node for node in workflow["nodes"]}
    checks.equal(f"{name}: names are their own", len(nodes), len(workflow["nodes"]))
    ids = [node["id"] for node in workflow["nodes"]]
    checks.check(f"{name}: ids are their own", len(set(ids)) == len(ids) and all(uuid.UUID(one) for one in ids), ids)
    for node in workflow["nodes"]:
        kind = node["type"].removeprefix("n8n-nodes-base.")
        checks.check(
            f"{name}: {node['name']} has a node's keys and a known version",
            NODE_KEYS <= set(node) <= NODE_KEYS | MORE_KEYS and VERSIONS[kind] == node["typeVersion"],
            node,
        )
    hooks = [node for node in workflow["nodes"] if node["type"].endswith("webhook")]
    checks.check(
        f"{name}: its webhooks are guarded",
        hooks
        and all(
            hook["parameters"]["authentication"] == "headerAuth" and "httpHeaderAuth" in hook["credentials"]
            for hook in hooks
        ),
    )
    reached = set()
    for source, outputs in workflow["connections"].items():
        outputs = outputs["main"]
        expected = (
            len(nodes[source]["parameters"]["rules"]["values"]) if nodes[source]["type"].endswith("switch") else 1
        )
        checks.equal(f"{name}: {source} has its outputs", len(outputs), expected)
        for target in (target for output in outputs for target in output):
            reached.add(target["node"])
            checks.check(
                f"{name}: {source} leads somewhere",
                target["node"] in nodes and (target["type"], target["index"]) == ("main", 0),
            )
    lost = [
        node["name"]
        for node in workflow["nodes"]
        if node["name"] not in reached and not node["type"].endswith(("webhook", "stickyNote"))
    ]
    checks.equal(f"{name}: every node is reached", lost, [])
    text = json.dumps(workflow, ensure_ascii=False).replace('\\"', '"')
    named = set(re.findall(r"\$\('([^']+)'\)", text))
    checks.equal(f"{name}: what expressions name is there", named - set(nodes), set())
    checks.check(
        f"{name}: there is no other expression, and no key",
        "{{" not in EXPRESSION.sub("", text) and "Bearer `" not in text,
    )


class Workflow:
    """One run of a workflow."""

    def __init__(self, document, send, reader=None):
        self._document, self._send, self._reader = document, send, reader or OwnReader()
        self._nodes = {node["name"]: node for node in document["nodes"]}
        self._connections = document["connections"]
        self.entries = [name for name, node in self._nodes.items() if node["type"].endswith("webhook")]
        self.steps = {name for name, node in self._nodes.items() if not node["type"].endswith("stickyNote")}
        self.steps |= {
            (name, rule["outputKey"])
            for name, node in self._nodes.items()
            for rule in node["parameters"].get("rules", {}).get("values", [])
        }
        self.gone = set()

    def start(self, entry, body):
        """Sends an event to an entry; returns the message in which the workflow ends, with its node."""
        name, item, given = entry, {"headers": {}, "params": {}, "query": {}, "body": body}, {}
        for _ in range(200):
            node = self._nodes[name]
            self.gone.add(name)
            item, output = self._act(node, item, given)
            given[name] = item
            outputs = self._connections.get(name, {}).get("main", [])
            if output is None:
                return []
            if not outputs:
                return [(name, item["message"])]
            [target] = outputs[output]
            name = target["node"]
        raise AssertionError("the workflow does not end")

    def _act(self, node, item, given):
        """What a node gives on, and at which output; no output where no rule of a switch holds."""
        kind, parameters = node["type"].removeprefix("n8n-nodes-base."), node["parameters"]
        place = {"document": self._document, "node": node["name"], "item": item, "given": given}
        if kind == "webhook":
            return item, 0
        if kind == "set":
            assigned = parameters["assignments"]["assignments"]
            made = {one["name"]: self._reader.filled(one["value"], place) for one in assigned}
            return {**(item if parameters.get("includeOtherFields") else {}), **made}, 0
        if kind == "switch":
            for index, rule in enumerate(parameters["rules"]["values"]):
                if self._reader.holds(rule["conditions"], place):
                    self.gone.add((node["name"], rule["outputKey"]))
                    return item, index
            return item, None
        assert kind == "httpRequest"
        return self._request(node, parameters, place), 0

    def _request(self, node, parameters, place):
        """The answer to a request, with its status and header fields (`fullResponse`), whatever it is
        (`neverError`)."""
        assert parameters["options"]["response"]["response"] == {"fullResponse": True, "neverError": True}
        assert parameters["genericAuthType"] == "httpHeaderAuth" and "httpHeaderAuth" in node["credentials"]

        def filled(value):
            return self._reader.filled(value, place)

        def pairs(sent, field):
            given = parameters[field]["parameters"] if parameters.get(sent) else []
            return {pair["name"]: filled(pair["value"]) for pair in given}

        url, query = filled(parameters["url"]), pairs("sendQuery", "queryParameters")
        if query:
            url = f"{url}?{urllib.parse.urlencode(query)}"
        body = json.loads(filled(parameters["jsonBody"])) if parameters.get("sendBody") else None
        headers = {"Authorization": "Bearer KEY", **pairs("sendHeaders", "headerParameters")}
        answer = self._send(parameters["method"], url, headers, body)
        return {"statusCode": answer.status, "headers": dict(answer.headers), "body": answer.json}


class OwnReader:
    """Reads expressions and conditions of the forms that the workflows use. That n8n reads them so is held by
    soar_n8n_engine.py."""

    def holds(self, conditions, place):
        """Whether the conditions of a switch's output hold."""
        assert conditions["combinator"] == "and"
        return all(self._holds(condition, place) for condition in conditions["conditions"])

    def _holds(self, condition, place):
        operation, value = condition["operator"]["operation"], self.filled(condition["leftValue"], place)
        assert operation in OPERATIONS and condition["operator"]["type"] == "string"
        if operation.endswith("egex"):
            return bool(re.search(condition["rightValue"], value)) == (operation == "regex")
        return (value == condition["rightValue"]) == (operation == "equals")

    def filled(self, text, place):
        """A parameter with its expressions evaluated; one without `=` is a plain text."""
        if not text.startswith("="):
            return text

        def value(match):
            function, path, _ = match.groups()
            root, _, rest = path.replace("?", "").partition("json.")
            found = lookup(place["item"] if root == "$" else place["given"][root[3 : root.index("')")]], rest)
            if function == "JSON.stringify":
                return json.dumps(found, ensure_ascii=False)
            # JavaScript's name for what is not there.
            return "undefined" if found is None and function == "String" else text_of(found)

        return EXPRESSION.sub(value, text[1:])
