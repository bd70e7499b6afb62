import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { createRef } from "react";
import { afterEach, expect, test, vi } from "vitest";
import { problemOf } from "@/api/problem";
import { Composer } from "@/features/orchestrator/chat/Composer";
import type { Upload } from "@/features/orchestrator/files/uploads";

afterEach(cleanup);

const file = { id: "f", name: "data.csv", size: 9 };

function show(uploads: Upload[] = [], onSend = vi.fn(async () => {})) {
  const files = { uploads, add: vi.fn(), remove: vi.fn(), clear: vi.fn() };
  render(<Composer files={files} onSend={onSend} field={createRef()} />);
  return { files, onSend, field: screen.getByLabelText<HTMLTextAreaElement>("Your message") };
}

test("Enter sends, Shift and Enter begin a line", async () => {
  const { onSend, field, files } = show([{ key: 1, name: file.name, size: 9, share: 1, file }]);
  await userEvent.type(field, "one{Shift>}{Enter}{/Shift}two{Enter}");
  expect(onSend).toHaveBeenCalledExactlyOnceWith({ text: "one\ntwo", files: [file] });
  expect(field.value).toBe("");
  expect(files.clear).toHaveBeenCalled();
});

test("what could not be sent stays, with the reason", async () => {
  const refuse = vi.fn(async () => {
    throw problemOf(413, {
      code: "message-too-large",
      detail: "The message is too long.",
      hint: "Send a file.",
    });
  });
  const { field } = show([], refuse);
  await userEvent.type(field, "hello{Enter}");
  expect(field.value).toBe("hello");
  expect(screen.getByRole("alert").textContent).toContain("The message is too long.");
});

test("nothing is sent while a file is on its way, or when it was refused", async () => {
  const onSend = vi.fn(async () => {});
  const { field } = show([{ key: 1, name: "big.csv", size: 9, share: 0.5 }], onSend);
  await userEvent.type(field, "hello{Enter}");
  expect(screen.getByLabelText("Uploading big.csv: 50%")).toBeTruthy();
  cleanup();
  const error = problemOf(413, { detail: "big.csv is too large." });
  const again = show([{ key: 1, name: "big.csv", size: 9, share: 0.5, error }], onSend);
  await userEvent.type(again.field, "hello{Enter}");
  expect(screen.getByRole("alert").textContent).toContain("big.csv is too large.");
  expect(onSend).not.toHaveBeenCalled();
});

test("pasted files are attached", () => {
  const { field, files } = show();
  const pasted = [new File(["a"], "a.png")];
  fireEvent.paste(field, { clipboardData: { files: pasted } });
  expect(files.add).toHaveBeenCalledWith(pasted);
});
