import { useQuery } from "@tanstack/react-query";
import { installationsQuery } from "@/features/registry/queries";

/** What the organisation granted a skill, in the version that ran; null when it is not installed so any more. */
export function useGrant(skill: string | undefined, version: string | undefined) {
  const { data: installations } = useQuery(installationsQuery);
  if (!installations) return undefined;
  return installations.find((one) => one.name === skill && one.version === version) ?? null;
}
