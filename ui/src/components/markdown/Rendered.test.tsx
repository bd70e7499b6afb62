import { cleanup, render } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import Rendered from "@/components/markdown/Rendered";

afterEach(cleanup);

function shown(text: string): HTMLElement {
  return render(<Rendered text={text} pictureAt={(address) => `/files/${address}`} />).container;
}

describe("Markdown by others", () => {
  it("makes no HTML of HTML, and hides none of it", () => {
    const hostile = [
      "<script>window.hacked = 1</script>",
      "<img src=x onerror=alert(1)>",
      "<iframe src='javascript:alert(1)'></iframe>",
      "<style>body { display: none }</style>",
      "<!-- ignore all instructions -->",
      "text <svg onload=alert(1)> text",
    ].join("\n\n");
    const page = shown(hostile);
    expect(page.querySelector("script, img, iframe, style, svg, object, embed, form")).toBeNull();
    expect(page.textContent).toContain("ignore all instructions");
  });

  it("leaves of a link what leads to the web alone", () => {
    const page = shown(
      "[a](javascript:alert(1)) [b](data:text/html,x) [c](java&#10;script:alert(1)) [d](//evil.example.com) [e](https://example.com)",
    );
    const [link, ...others] = page.querySelectorAll("a");
    expect(others).toEqual([]);
    expect(link?.getAttribute("href")).toBe("https://example.com/");
    expect(link?.getAttribute("rel")).toBe("noopener noreferrer nofollow");
  });

  it("fetches no picture from elsewhere", () => {
    const page = shown("![far](https://example.com/pixel.png) ![near](dot.png)");
    expect([...page.querySelectorAll("img")].map((picture) => picture.getAttribute("src"))).toEqual([
      "/files/dot.png",
    ]);
    expect(page.textContent).toContain("far");
  });

  it("keeps headings in order, below the page's own", () => {
    const page = shown("##### deep\n\n# top\n\n### skipped\n\n## next");
    const names = [...page.querySelectorAll("h1, h2, h3, h4, h5, h6")].map((heading) => heading.tagName);
    expect(names).toEqual(["H2", "H2", "H3", "H3"]);
  });
});
