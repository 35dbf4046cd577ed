"""The stories of `deploy/soar/tines`: that their JSON has the form of an export, and that each of their steps
does what it says against the service. A reader of ours takes the place of Tines: it knows the actions and the
templates that the stories use, and refuses any other. Not tried: importing them into Tines."""

import json
import re

import service
from soar_stories import lookup, run_all, text_of

FOLDER = service.ROOT / "deploy" / "soar" / "tines"

STORY_KEYS = {
    "schema_version",
    "standard_lib_version",
    "action_runtime_version",
    "name",
    "description",
    "guid",
    "slug",
    "agents",
    "links",
    "diagram_layout",
    "diagram_notes",
    "send_to_story_enabled",
    "keep_events_for",
}
AGENT_KEYS = {
    "type",
    "name",
    "disabled",
    "description",
    "guid",
    "options",
    "reporting",
    "monitoring",
    "width",
    "schedule",
}
OPTIONS = {
    "WebhookAgent": {"path", "secret", "verbs"},
    "TriggerAgent": {"rules"},
    "EventTransformationAgent": {"mode", "loop", "payload"},
    "HTTPRequestAgent": {"url", "method", "headers", "timeout", "content_type", "payload"},
}
RULES = {"field==value", "field!=value", "regex", "!regex"}
GUID = re.compile(r"[0-9a-f]{32}")
TEMPLATE = re.compile(r"<<([A-Za-z_][\w.]*)>>")


def run(checks, binary, _):
    """Checks the form of every story, and runs it."""
    for file in sorted(FOLDER.glob("*.json")):
        with checks.section(file.name):
            check_form(checks, f"Tines {file.stem}", json.loads(file.read_text()))
    run_all(checks, binary, "Tines", FOLDER, Story)


def check_form(checks, name, story):
    """Holds the form of an export: its keys, its actions and their options, and that what is named is there."""
    checks.check(f"{name}: has a story's keys", STORY_KEYS <= set(story), STORY_KEYS - set(story))
    agents = story["agents"]
    for agent in agents:
        kind = agent["type"].removeprefix("Agents::")
        checks.check(
            f"{name}: {agent['name']} has an action's keys and options",
            set(agent) == AGENT_KEYS and set(agent["options"]) <= OPTIONS[kind],
            agent,
        )
        checks.equal(
            f"{name}: {agent['name']} tells when it gets no answer, if it asks",
            agent["monitoring"]["monitor_failures"],
            kind == "HTTPRequestAgent",
        )
    guids = [agent["guid"] for agent in agents]
    checks.check(
        f"{name}: guids are their own", len(set(guids)) == len(guids) and all(map(GUID.fullmatch, guids)), guids
    )
    slugs = [slug(agent["name"]) for agent in agents]
    checks.equal(f"{name}: names are their own", len(set(slugs)), len(slugs))
    checks.equal(f"{name}: every action has its place", set(json.loads(story["diagram_layout"])), set(guids))
    links = [(link["source"], link["receiver"]) for link in story["links"]]
    checks.check(
        f"{name}: links lead from action to action",
        len(set(links)) == len(links) and all(0 <= end < len(agents) for link in links for end in link),
        links,
    )
    reached = {receiver for _, receiver in links}
    lost = [
        agent["name"] for index, agent in enumerate(agents) if index not in reached and "Webhook" not in agent["type"]
    ]
    checks.equal(f"{name}: every action is reached", lost, [])
    named = {template.split(".")[0] for template in TEMPLATE.findall(json.dumps(agents))}
    checks.equal(f"{name}: what templates name is there", named - set(slugs) - {"RESOURCE", "CREDENTIAL"}, set())
    plain = TEMPLATE.sub("", json.dumps(story, ensure_ascii=False))
    checks.check(
        f"{name}: there is no other template, and no key",
        "<<" not in plain and "{{" not in plain and all(part.startswith('"') for part in plain.split("Bearer ")[1:]),
    )
    rules = [rule for agent in agents for rule in agent["options"].get("rules", [])]
    checks.check(
        f"{name}: rules are of known types",
        all(set(rule) == {"type", "value", "path"} and rule["type"] in RULES for rule in rules),
        rules,
    )


def slug(name):
    """The name by which templates call an action."""
    return re.sub(r"\W+", "_", name.lower())


class Story:
    """One run of a story."""

    def __init__(self, document, send):
        self._agents, self._send = document["agents"], send
        self._links = [(link["source"], link["receiver"]) for link in document["links"]]
        self.entries = [agent["name"] for agent in self._agents if agent["type"] == "Agents::WebhookAgent"]
        self.steps = {agent["name"] for agent in self._agents}
        self.gone = set()

    def start(self, entry, body):
        """Sends an event to an entry; returns the messages in which the story ends, with their actions."""
        index = next(index for index, agent in enumerate(self._agents) if agent["name"] == entry)
        waiting, ended = [
            (index, {"RESOURCE": {"aws_ilm_url": "https://ilm.example.com"}, "CREDENTIAL": {"aws_ilm": "KEY"}}, body)
        ], []
        for _ in range(200):
            if not waiting:
                return ended
            index, events, body = waiting.pop(0)
            agent = self._agents[index]
            event = self._act(agent, events, body)
            if event is None:
                continue
            self.gone.add(agent["name"])
            events = {**events, slug(agent["name"]): event}
            receivers = [receiver for source, receiver in self._links if source == index]
            waiting += [(receiver, events, None) for receiver in receivers]
            if not receivers:
                ended.append((agent["name"], event["message"]))
        raise AssertionError("the story does not end")

    def _act(self, agent, events, body):
        """The event that an action gives on; None where a trigger gives none."""
        options, kind = agent["options"], agent["type"].removeprefix("Agents::")
        if kind == "WebhookAgent":
            return {"body": body}
        if kind == "TriggerAgent":
            return {} if all(holds(rule, filled(rule["path"], events)) for rule in options["rules"]) else None
        if kind == "EventTransformationAgent":
            assert options["mode"] == "message_only" and not options["loop"]
            return filled(options["payload"], events)
        assert kind == "HTTPRequestAgent"
        answer = self._send(
            options["method"].upper(),
            filled(options["url"], events),
            filled(options["headers"], events),
            filled(options.get("payload"), events),
        )
        return {"status": answer.status, "headers": dict(answer.headers), "body": answer.json}


def holds(rule, value):
    """Whether a rule of a trigger holds."""
    kind, wanted = rule["type"], rule["value"]
    if kind.endswith("regex"):
        return bool(re.search(wanted, value)) != kind.startswith("!")
    return (value == wanted) == (kind == "field==value")


def filled(template, events):
    """A value with its templates filled in."""
    if isinstance(template, dict):
        return {key: filled(value, events) for key, value in template.items()}
    if not isinstance(template, str):
        return template
    return TEMPLATE.sub(lambda match: text_of(lookup(events, match[1])), template)
