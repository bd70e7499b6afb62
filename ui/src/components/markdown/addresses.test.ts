import { describe, expect, it } from "vitest";
import { safeLink, safePicture } from "@/components/markdown/addresses";

describe("addresses in texts of others", () => {
  it.each([
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " java\nscript:alert(1)",
    "\u0001javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:https://example.com/1",
    "//evil.example.com",
    "/\\evil.example.com",
    "\\\\evil.example.com",
    "/\t/evil.example.com",
  ])("lead nowhere: %j", (address) => {
    expect(safeLink(address, (asked) => asked)).toBe("");
    expect(safePicture(address, (asked) => asked)).toBe("");
  });

  it("lead to the web and to e-mail", () => {
    expect(safeLink("https://example.com/a")).toBe("https://example.com/a");
    expect(safeLink("mailto:me@example.com")).toBe("mailto:me@example.com");
  });

  it("never fetch a picture from elsewhere", () => {
    expect(safePicture("https://example.com/pixel.png", (asked) => asked)).toBe("");
    expect(safePicture("a.png", () => "/api/a.png")).toBe("/api/a.png");
    expect(safePicture("a.png", () => "//evil.example.com")).toBe("");
    expect(safePicture("a.png")).toBe("");
  });
});
