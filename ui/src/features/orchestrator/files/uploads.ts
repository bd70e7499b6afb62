/** Files on their way to the server, with how far each has come: `fetch` does not tell, XMLHttpRequest does. */
import { useReducer } from "react";
import { ApiProblem, problemOf } from "@/api/problem";
import { renewSession } from "@/api/session";
import type { FileRef } from "@/features/orchestrator/stream/events";
import { t } from "@/strings";

export interface Upload {
  key: number;
  name: string;
  size: number;
  /** From 0 to 1. */
  share: number;
  file?: FileRef;
  error?: unknown;
}

type Change =
  | { type: "begun"; uploads: Upload[] }
  | { type: "changed"; key: number; change: Partial<Upload> }
  | { type: "removed"; key: number }
  | { type: "cleared" };

function reduce(uploads: Upload[], change: Change): Upload[] {
  switch (change.type) {
    case "begun":
      return [...uploads, ...change.uploads];
    case "changed":
      return uploads.map((one) => (one.key === change.key ? { ...one, ...change.change } : one));
    case "removed":
      return uploads.filter((one) => one.key !== change.key);
    case "cleared":
      return [];
  }
}

let last = 0;

export function useUploads() {
  const [uploads, dispatch] = useReducer(reduce, []);
  const add = (files: Iterable<File>) => {
    const begun = Array.from(files, (file) => {
      last += 1;
      return { file, upload: { key: last, name: file.name, size: file.size, share: 0 } };
    });
    dispatch({ type: "begun", uploads: begun.map(({ upload }) => upload) });
    for (const { file, upload } of begun) {
      const change = (part: Partial<Upload>) => dispatch({ type: "changed", key: upload.key, change: part });
      send(file, (share) => change({ share })).then(
        (stored) => change({ file: stored, share: 1 }),
        (error: unknown) => change({ error }),
      );
    }
  };
  return {
    uploads,
    add,
    remove: (key: number) => dispatch({ type: "removed", key }),
    clear: () => dispatch({ type: "cleared" }),
  };
}

export async function send(file: File, onProgress: (share: number) => void = () => {}): Promise<FileRef> {
  try {
    return await sendOnce(file, onProgress);
  } catch (error) {
    if (!(error instanceof ApiProblem && error.status === 401) || !(await renewSession())) throw error;
    return sendOnce(file, onProgress);
  }
}

function sendOnce(file: File, onProgress: (share: number) => void): Promise<FileRef> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/api/v1/orchestrator/files?name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0);
    request.onload = () => {
      const answer = parsed(request.responseText);
      if (request.status === 201) resolve(answer as FileRef);
      else reject(problemOf(request.status, answer));
    };
    request.onerror = () => reject(new ApiProblem(0, "upload-broken", t.chat.composer.broken));
    request.send(file);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
