import type { File } from "@/features/registry/queries";

export interface Folder {
  name: string;
  path: string;
  folders: Folder[];
  files: File[];
}

/** The files of a version as folders in folders, each in alphabetical order. */
export function treeOf(files: File[]): Folder {
  const root: Folder = { name: "", path: "", folders: [], files: [] };
  const known = new Map([["", root]]);
  const folderAt = (path: string): Folder => {
    const found = known.get(path);
    if (found) return found;
    const cut = path.lastIndexOf("/");
    const folder = { name: path.slice(cut + 1), path, folders: [], files: [] };
    known.set(path, folder);
    folderAt(path.slice(0, Math.max(cut, 0))).folders.push(folder);
    return folder;
  };
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    folderAt(file.path.slice(0, Math.max(file.path.lastIndexOf("/"), 0))).files.push(file);
  }
  return root;
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Where a relative address in the file at `from` leads, as a path of the skill; undefined when it leaves it. */
export function pathFrom(from: string, address: string): string | undefined {
  const written = address.split(/[?#]/, 1)[0] ?? "";
  const parts = from.split("/").slice(0, -1);
  for (const part of written.split("/")) {
    if (part === "..") {
      if (parts.pop() === undefined) return undefined;
    } else if (part !== "." && part !== "") parts.push(part);
  }
  return decoded(parts.join("/"));
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
