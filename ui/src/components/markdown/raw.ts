import type { Nodes, Parents, Root } from "hast";

/**
 * Shows HTML in Markdown as it was written. Models read it too, comments and all, so leaving it out would hide from people
 * what a model is told.
 */
export function htmlAsText() {
  return (root: Root) => visit(root);
}

function visit(parent: Parents): void {
  parent.children.forEach((child: Nodes, index) => {
    if (child.type === "raw") parent.children[index] = { type: "text", value: child.value };
    else if ("children" in child) visit(child);
  });
}
