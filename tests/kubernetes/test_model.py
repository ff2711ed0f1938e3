"""Random lives of resources, with everybody failing now and then, against what the specification says of them.

A run that fails says its seed; `SEED=…` plays it again.
"""

from __future__ import annotations

import os
import random
import secrets

import pytest

from kubernetes.processes import wait_for
from kubernetes.stage import KIND, conditions, says

LONG = bool(os.environ.get("LONG"))
LIVES = 1 if "SEED" in os.environ else 60 if LONG else 10
STEPS = 80
NAMES = ("alpha", "beta", "gamma")
CALM_S = 90


class Model:
    """What people have asked for, and what they have done behind the operator's back."""

    def __init__(self, stage, operator, chance: random.Random) -> None:
        self.stage, self.operator, self.chance = stage, operator, chance
        self.specs: dict[str, dict] = {}
        self.resources: dict[str, dict] = {}
        # Resources that were deleted, and how their rooms are to be left.
        self.going: dict[str, tuple[dict, str]] = {}
        self.story: list[str] = []
        self.is_up = True

    def step(self) -> None:
        deeds = [self.create, self.create, self.edit, self.edit, self.policy, self.suspend, self.drift, self.close, self.delete, self.bury,
                 self.server, self.kill, self.look]
        deed = self.chance.choice(deeds)
        told = deed()
        if told:
            self.story.append(f"{deed.__name__} {told}")

    def some(self) -> str | None:
        return self.chance.choice(sorted(self.specs)) if self.specs else None

    def create(self) -> str | None:
        name = self.chance.choice(NAMES)
        if name in self.specs or name in self.going:
            return None
        self.specs[name] = {"capacity": self.chance.randint(2, 99), "lobby": self.chance.random() < 0.5, "suspend": False,
                            "driftPolicy": "Correct", "deletionPolicy": "Delete", "displayName": "Class"}
        self.resources[name] = self.stage.create(name, **self.specs[name])
        return name

    def change(self, **change: object) -> str | None:
        name = self.some()
        if name is None:
            return None
        self.specs[name] |= change
        self.stage.edit(self.resources[name], **change)
        return f"{name} {change}"

    def edit(self) -> str | None:
        return self.change(displayName=f"Class {self.chance.randint(1, 99)}", capacity=self.chance.randint(2, 99))

    def policy(self) -> str | None:
        return self.change(
            driftPolicy=self.chance.choice(["Correct", "Report"]), deletionPolicy=self.chance.choice(["Delete", "Retain"])
        )

    def suspend(self) -> str | None:
        return self.change(suspend=self.chance.random() < 0.3)

    def drift(self) -> str | None:
        name = self.some()
        if name is None or self.stage.room(self.resources[name]) is None:
            return None
        self.stage.break_room(self.resources[name], name=f"By hand {self.chance.randint(1, 99)}")
        return name

    def close(self) -> str | None:
        name = self.some()
        if name is None or self.stage.room(self.resources[name]) is None:
            return None
        self.stage.close_room(self.resources[name])
        return name

    def delete(self) -> str | None:
        name = self.some()
        if name is None:
            return None
        resource, spec = self.resources.pop(name), self.specs.pop(name)
        self.going[name] = (resource, spec["deletionPolicy"])
        self.stage.delete(resource)
        return name

    def bury(self) -> str | None:
        """Waits until a resource is gone, so that another may have its name."""
        if not self.going or not self.is_up:
            return None
        name = self.chance.choice(sorted(self.going))
        self.gone(name)
        return name

    def gone(self, name: str) -> None:
        resource, policy = self.going.pop(name)
        number = (self.stage.room(resource) or {}).get("room_id")
        self.stage.gone(resource, CALM_S)
        assert self.stage.room(resource) is None
        if number is not None:
            room = self.stage.owner.get(f"/api/rooms/{number}").json()
            # Let go, it is its owner's; or closed for good.
            assert (room["is_active"], room["managed_by"] is None) == (policy == "Retain", policy == "Retain"), room

    def server(self) -> str:
        self.is_up = not self.is_up
        self.stage.cloudmeet_proxy.accept() if self.is_up else self.stage.cloudmeet_proxy.refuse()
        return "back" if self.is_up else "away"

    def kill(self) -> str:
        self.operator.kill()
        self.operator.start()
        return "the operator"

    def look(self) -> str | None:
        """Gives the operator the time to do something, of one resource."""
        name = self.some()
        if name is None or not self.is_up:
            return None
        self.settle(name)
        return name

    def settle(self, name: str, timeout: float = CALM_S) -> None:
        resource, spec = self.resources[name], self.specs[name]

        def settled(seen: dict) -> bool:
            room, found = self.stage.room(resource), conditions(seen)
            if seen.get("status", {}).get("observedGeneration") != seen["metadata"]["generation"] or "Synced" not in found:
                return False
            if spec["suspend"]:
                return found["Synced"]["reason"] == "Suspended" and found["Ready"]["status"] == "Unknown"
            is_so = room is not None and all(
                room[word] == spec[field] for word, field in (("name", "displayName"), ("capacity", "capacity"), ("lobby", "lobby"))
            )
            if is_so:
                return says("Ready", "True")(seen) and says("Synced", "True")(seen) and seen["status"]["roomID"] == room["room_id"]
            reported = says("Synced", "False", "Drifted")(seen) and says("Ready", "True" if room else "False")(seen)
            return spec["driftPolicy"] == "Report" and reported

        self.stage.until(resource, settled, timeout)

    def end(self) -> None:
        """All is well again: everything becomes what it should be, and stays so."""
        if not self.is_up:
            self.server()
        for name in self.specs:
            self.settle(name)
        for name in list(self.going):
            self.gone(name)
        live = {resource["metadata"]["uid"] for resource in self.resources.values()}
        rooms = self.stage.cloudmeet.all_managed(self.stage.manager)
        assert {room["uid"] for room in rooms} <= live and len({room["uid"] for room in rooms}) == len(rooms)
        versions = {one["metadata"]["uid"]: one["metadata"]["resourceVersion"] for one in self.stage.namespace.list(KIND)}
        assert set(versions) == live
        # A look at all of them by another operator finds nothing to do.
        self.stage.api_proxy.forget()
        self.stage.cloudmeet_proxy.forget()
        self.kill()
        wait_for(lambda: self.operator.metrics().value("cloudmeet_operator_stream_live") == 1, 60, "the next operator at work")
        wait_for(lambda: self.operator.metrics().value("cloudmeet_operator_rooms") == len(live), 30, "all looked at")
        wait_for(lambda: self.operator.metrics().value("cloudmeet_operator_queue_depth") == 0, 30, "an empty queue")
        written = [call for call in (*self.stage.api_proxy.seen(), *self.stage.cloudmeet_proxy.seen()) if call.method != "GET"]
        assert [call.path for call in written if "/leases" not in call.path] == []


@pytest.mark.parametrize("life", range(LIVES))
def test_random_lives_end_as_the_specification_says(stage, meddled, life):
    seed = int(os.environ.get("SEED", secrets.randbelow(10**6)))
    model = Model(stage, meddled().start(), random.Random(seed))
    try:
        for _ in range(STEPS):
            model.step()
        model.end()
    except BaseException as error:
        error.add_note(f"SEED={seed}; " + "; ".join(model.story))
        raise
