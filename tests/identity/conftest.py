"""Passwords of these tests are hashed at the least cost argon2id has: each is the program's work, at a fortieth of the time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from grants.identity.services import passwords, signing_in
from tests.factories import identity as factory

OWN = passwords.hasher
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(autouse=True, scope="package")
def quick_hashes() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module in (passwords, signing_in):
            patch.setattr(module, "hasher", QUICK)
        # A password that was hashed at the full cost before would be hashed again when it is used.
        patch.setattr(factory, "_hashes", {})
        passwords._nobodys_hash.cache_clear()
        yield
    passwords._nobodys_hash.cache_clear()
