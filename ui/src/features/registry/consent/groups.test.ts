import { describe, expect, it } from "vitest";
import { groupsOf, staysInside } from "@/features/registry/consent/groups";
import type { Capabilities } from "@/features/registry/queries";
import { t } from "@/strings";

const words = t.registry.capabilities;
const MIB = 1024 * 1024;
const limits = {
  timeout_seconds: 60,
  memory_bytes: 512 * MIB,
  cpus: 1,
  pids: 64,
  disk_bytes: 256 * MIB,
  output_bytes: 8 * MIB,
};
const nothing: Capabilities = { limits, network: [], secrets: {}, services: {} };
const much: Capabilities = {
  limits,
  network: ["api.example.com:443", "[2001:db8::1]:8443"],
  secrets: { KEY: "api.example.com:443" },
  services: { hubspot: ["deals.search", "notes.create"] },
};

function changes(declared: Capabilities, granted: Capabilities) {
  return groupsOf(declared, granted)
    .flatMap((group) => group.lines)
    .filter((line) => line.change !== "kept")
    .map((line) => [line.change, line.text, line.before]);
}

describe("what a skill may do, by kind", () => {
  it("has a line for each thing, and none for what is not asked", () => {
    const groups = groupsOf(much);
    expect(groups.map((group) => [group.kind, group.lines.length])).toEqual([
      ["network", 2],
      ["secrets", 1],
      ["services", 2],
      ["limits", 6],
    ]);
    expect(groups[0]?.lines.map((line) => line.text)).toEqual([
      words.host("api.example.com", "443"),
      words.host("[2001:db8::1]", "8443"),
    ]);
    expect(groups.flatMap((group) => group.lines).every((line) => line.change === "kept")).toBe(true);
    expect(groupsOf(nothing).map((group) => group.kind)).toEqual(["limits"]);
  });

  it("says when nothing outside is reached", () => {
    expect(staysInside(nothing)).toBe(true);
    expect(staysInside({ limits, services: { hubspot: [] } })).toBe(true);
    for (const part of ["network", "secrets", "services"] as const) {
      expect(staysInside({ ...nothing, [part]: much[part] })).toBe(false);
    }
  });

  it("marks what an upgrade adds and no longer needs", () => {
    const next: Capabilities = {
      ...much,
      network: ["api.example.com:443"],
      services: { hubspot: ["deals.search"], "google-ads": ["campaigns.search"] },
    };
    expect(changes(next, much)).toEqual([
      ["removed", words.host("[2001:db8::1]", "8443"), undefined],
      ["added", words.service("google-ads", "campaigns.search"), undefined],
      ["removed", words.service("hubspot", "notes.create"), undefined],
    ]);
    expect(changes(much, much)).toEqual([]);
  });

  it("counts a secret for another host as another secret", () => {
    const moved = { ...much, secrets: { KEY: "other.example.com:443" } };
    expect(changes(moved, much)).toEqual([
      ["added", words.secret("KEY", "other.example.com:443"), undefined],
      ["removed", words.secret("KEY", "api.example.com:443"), undefined],
    ]);
  });

  it("shows a changed limit with what it was", () => {
    const other = { ...nothing, limits: { ...limits, timeout_seconds: 120, memory_bytes: 256 * MIB } };
    expect(changes(other, nothing)).toEqual([
      ["added", words.seconds(120), words.seconds(60)],
      ["removed", words.memory(256), words.memory(512)],
    ]);
  });
});
