"""Writes the inventory that belongs to the events of tests/benches/events.rs: every PAT of theirs, with an owner and scopes.

    python tests/benches/peers/inventory.py --tokens 8334 > inventory.json

Six in ten of the generator's tokens are PATs, so 8,334 of them make 5,000.
"""

import argparse
import json
import sys

MASK = (1 << 64) - 1
SCOPES = ["app_token", "vso.code_write vso.build_execute", "vso.code_manage vso.project_manage", "vso.release_manage vso.variablegroups_manage",
          "vso.agentpools_manage", "vso.serviceendpoint_manage vso.build", "vso.code", "vso.graph_manage vso.security_manage", "vso.packaging_manage"]


def mix(n):
    n = n + 0x9E3779B97F4A7C15 & MASK
    n = (n ^ n >> 30) * 0xBF58476D1CE4E5B9 & MASK
    n = (n ^ n >> 27) * 0x94D049BB133111EB & MASK
    return n ^ n >> 31


def guid(kind, n):
    """The same GUIDs as in tests/benches/events.rs."""
    a, b = mix(kind << 48 ^ n), mix(mix(kind << 48 ^ n))
    return f"{a >> 32:08x}-{a >> 16 & 0xffff:04x}-4{a & 0xfff:03x}-9{b >> 52:03x}-{b & 0xffffffffffff:012x}"


def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--tokens", type=int, default=5_000)
    o = ask.parse_args()
    zero = "00000000-0000-0000-0000-000000000000"
    rows = [
        {
            "clientId": zero,
            "authorizationId": guid(2, token),
            "userId": guid(7, token // 3),
            "validFrom": f"2026-0{1 + token % 5}-11T08:00:00",
            "validTo": f"202{6 + token % 7 // 6 * 2}-1{token % 3}-0{1 + token % 9}T08:00:00",
            "displayName": f"token {token:05}",
            "scope": SCOPES[token % len(SCOPES)],
            "targetAccounts": ["5b0d6f57-2f9e-4b0e-9c1e-1f4a3e3f7a10"],
            "isValid": True,
            "isPublic": False,
        }
        for token in range(o.tokens)
        if token % 10 <= 5
    ]
    json.dump({"value": rows, "continuationToken": None}, sys.stdout)


if __name__ == "__main__":
    main()
