"""What the directory of the crash suite does to requests: it throttles, fails, and loses answers, by turns."""


def fault(api, probability, kind):
    """A fault of the sandbox that stays until it is taken back."""
    return {"api": api, "times": "forever", "probability": probability, "kind": kind}


# No write is hung up on before it is done: what the replay of the writes goes by is that an answer that never came
# belongs to a write that was carried out.
MILD = [one for api in ("PatchUser", "CreateUser") for one in (
    fault(api, 0.1, {"throttle": {"retry_after": None}}),
    fault(api, 0.1, "answer_lost"),
    fault(api, 0.1, {"fail_after_work": {"status": 504}}),
    fault(api, 0.1, {"status": {"status": 503}}),
    fault(api, 0.05, {"slow": {"milliseconds": 200}}),
)] + [one for api in ("ListUsers", "GetUser") for one in (
    fault(api, 0.05, "hang_up"),
    fault(api, 0.05, {"status": {"status": 503}}),
    fault(api, 0.05, {"slow": {"milliseconds": 100}}),
)]

STORM = [one for api in ("PatchUser", "CreateUser") for one in (
    fault(api, 0.4, {"status": {"status": 503}}),
    fault(api, 0.6, "answer_lost"),
    fault(api, 1.0, {"fail_after_work": {"status": 504}}),
)]

OUTAGE = [fault(None, 1.0, {"status": {"status": 503}})]

WEATHER = [(MILD, 2), (STORM, 2), (MILD, 2), (OUTAGE, 3), ([], 1)]
"""What the directory does to requests, and for how many seconds."""


def change(world):
    """Lets the directory fail by turns until the world stops."""
    while True:
        for faults, seconds in WEATHER:
            world.directory.script(faults)
            if world.stopping.wait(seconds):
                return
