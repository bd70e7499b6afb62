export const registry = { title: "Skills" };
