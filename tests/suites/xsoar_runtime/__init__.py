"""A stand-in for Cortex XSOAR: runs the commands of an uploaded integration as the server would, from its
documented contract. Only what is in the integration's file is known to it: its parameters, its commands and
their arguments."""

import contextlib
import functools
import io

from . import common_server, yaml_subset
from .context import Context

__all__ = ["Context", "Instance", "NotRunError", "common_server", "yaml_subset"]


class NotRunError(Exception):
    """What the server refuses before the integration runs."""


@functools.cache
def _uploaded(unified):
    """What an uploaded file holds, and its script."""
    integration = yaml_subset.load(unified)
    return integration, compile(integration["script"]["script"], "integration", "exec")


class _Demisto:
    """The object `demisto` of one execution."""

    def __init__(self, instance, command, args):
        self._instance, self._command, self._args = instance, command, args
        self.entries = []

    def params(self):
        """The instance's parameters."""
        return self._instance.params

    def args(self):
        """The command's arguments."""
        return self._args

    def command(self):
        """The command's name."""
        return self._command

    def results(self, entry):
        """Takes an entry of the War Room."""
        self.entries.append(entry)

    def integrationInstance(self):
        """The instance's name."""
        return self._instance.name

    def debug(self, _):
        """Takes a line of the log."""


class Instance:
    """An instance of an uploaded integration, with what was entered into its form."""

    def __init__(self, unified, entered, name="AWS-ILM_instance_1", version=(8, 0)):
        self.integration, self._script = _uploaded(unified)
        self.name, self.version, self.context = name, version, Context()
        self.commands = {command["name"]: command for command in self.integration["script"]["commands"]}
        form = {field["name"]: field for field in self.integration["configuration"]}
        unknown = set(entered) - set(form)
        if unknown:
            raise NotRunError(f"the form has no {unknown}")
        self.params = {}
        for field in form.values():
            value = entered.get(field["name"], field.get("defaultvalue"))
            if field["required"] and value in (None, ""):
                raise NotRunError(f"{field['name']} is required")
            # A switch arrives as a boolean, whatever its default is written as.
            self.params[field["name"]] = value in (True, "true") if field["type"] == 8 else value

    def run(self, command, args=None):
        """The entries of one execution; what belongs to the context is put there."""
        args = self._arguments(command, dict(args or {}))
        demisto = _Demisto(self, command, args)
        scope = {"__name__": "__builtin__", **common_server.names(demisto, self.version)}
        printed = io.StringIO()
        with contextlib.suppress(SystemExit), contextlib.redirect_stdout(printed):
            exec(self._script, scope)
        if printed.getvalue():
            raise AssertionError(f"the integration prints: {printed.getvalue()}")
        for entry in demisto.entries:
            if isinstance(entry, dict):
                self.context.put(entry.get("EntryContext"))
                if "PollingCommand" in entry:
                    self._require_polling(command)
                    self._require_polling(entry["PollingCommand"])
        return demisto.entries

    def run_to_end(self, command, args=None, polls=20, between=lambda: None):
        """The last entries of a command and of what it schedules, as a playbook's task waits for it. Time
        does not pass here: `between` is called where the server would wait."""
        entries = self.run(command, args)
        for _ in range(polls + 1):
            scheduled = [entry for entry in entries if isinstance(entry, dict) and "PollingCommand" in entry]
            if not scheduled:
                return entries
            between()
            entries = self.run(scheduled[0]["PollingCommand"], scheduled[0]["PollingArgs"])
        raise AssertionError(f"{command} is still polling after {polls} times")

    def _arguments(self, command, given):
        if command in ("test-module", "get-mapping-fields"):
            return given
        if command not in self.commands:
            raise NotRunError(f"the integration has no command {command}")
        known = {argument["name"]: argument for argument in self.commands[command]["arguments"]}
        if set(given) - set(known):
            raise NotRunError(f"{command} has no argument {set(given) - set(known)}")
        for name, argument in known.items():
            if name not in given and "defaultValue" in argument:
                given[name] = argument["defaultValue"]
            if argument.get("required") and given.get(name) in (None, ""):
                raise NotRunError(f"{command} needs {name}")
        return given

    def _require_polling(self, command):
        if not self.commands[command].get("polling"):
            raise AssertionError(f"{command} schedules or is scheduled, and is not marked with `polling: true`")
