import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { api, data } from "@/api/client";
import { problemOf } from "@/api/problem";
import { send } from "@/features/orchestrator/files/uploads";

const LONGEST_TITLE = 200;

interface Asked {
  question: string;
  name: string;
  content: () => Blob | Promise<Blob>;
}

/** The made-up data of the examples, or any other file of our own. */
export async function contentOf(address: string): Promise<Blob> {
  const answer = await fetch(address);
  if (!answer.ok) throw problemOf(answer.status, null);
  return answer.blob();
}

/** Begins a conversation with a file and a question, and goes to it. */
export function useAsk() {
  const navigate = useNavigate();
  return useMutation({
    mutationFn: async ({ question, name, content }: Asked) => {
      const { id: fileId } = await send(new File([await content()], name));
      const session = await data(
        api.POST("/api/v1/orchestrator/sessions", { body: { title: question.slice(0, LONGEST_TITLE) } }),
      );
      await data(
        api.POST("/api/v1/orchestrator/sessions/{session_id}/messages", {
          params: { path: { session_id: session.id } },
          body: { text: question, files: [fileId] },
        }),
      );
      return session.id;
    },
    onSuccess: (sessionId) => navigate({ to: "/chat/$sessionId", params: { sessionId } }),
  });
}
