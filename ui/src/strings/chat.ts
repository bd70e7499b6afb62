const percent = (share: number) => `${Math.round(share * 100)} %`;
const count = (number: number, one: string, many: string) =>
  `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

export const chat = {
  title: "Chat",
  cards: {
    label: "Steps",
    search: (query: string) => `Searched skills for “${query}”`,
    searching: "Searching skills",
    found: (hits: number) => (hits ? `${count(hits, "skill", "skills")} found` : "No skill found"),
    skill: "Skill",
    score: "Score",
    words: "Words",
    meaning: "Meaning",
    notInstalled: "not installed",
    loading: (skill: string) => `Loading ${skill}`,
    loaded: (skill: string) => `Loaded ${skill}`,
    whyFound: "Why",
    why: (score: number, words: number, meaning: number | null) =>
      `Best fit of the search: score ${score.toFixed(2)} (words ${percent(words)}${
        meaning === null ? "" : `, meaning ${percent(meaning)}`
      }).`,
    whyFoundAs: (place: number, score: number, words: number, meaning: number | null) =>
      `Number ${place} of the search: score ${score.toFixed(2)} (words ${percent(words)}${
        meaning === null ? "" : `, meaning ${percent(meaning)}`
      }).`,
    whyUnknown: "The model asked for it by name.",
    mayDo: "What it may do",
    notGranted: "This version is not installed any more.",
    leftRoom: (skills: string[]) => `${skills.join(", ")} left to make room.`,
    unload: (skill: string) => `Unloaded ${skill}`,
    read: (path: string, skill: string) => `Read ${path} of ${skill}`,
    running: (name: string) => `Running ${name}`,
    ran: (name: string) => `Ran ${name}`,
    model: (name: string) => `Asked ${name}`,
    asking: (name: string) => `Asking ${name}`,
    promptTokens: (tokens: number) => `${count(tokens, "token", "tokens")} in the prompt`,
    firstEvent: (time: string) => `first word after ${time}`,
    asked: (times: number) => `asked ${count(times, "time", "times")}`,
    leftOut: (turns: number) => `${count(turns, "earlier turn", "earlier turns")} left out`,
    details: "Input, output and limits",
    input: "Input",
    output: "Output",
    raw: "As JSON",
    nothing: "None",
    sandbox: "Sandbox",
    limits: "Limits",
    limitsOf: (seconds: number, memory: string, disk: string) =>
      `${seconds} s, ${memory} of memory, ${disk} of files`,
    driver: (driver: string) => `driver ${driver}`,
    exitCode: (code: number) => `exit code ${code}`,
    cpu: (time: string) => `${time} of processor time`,
    memory: (size: string) => `${size} of memory at most`,
    wall: (time: string) => `ran for ${time}`,
    verdicts: {
      ok: "finished normally",
      error: "ended with an error",
      signal: "was ended by a signal",
      timeout: "ran out of time",
      oom: "ran out of memory",
      disk_full: "ran out of disk space",
      pids: "started too many processes",
      output_limit: "printed too much",
      sandbox_error: "could not start",
    } as Record<string, string>,
    weakened: (guarantees: string[]) =>
      `Held by supervision, not by the kernel, on this machine: ${guarantees.join(", ")}.`,
    statuses: {
      running: "Running",
      ok: "Done",
      error: "Failed",
      unknown: "Outcome unknown",
      stopped: "Stopped",
    },
    begunBefore: "A worker was lost in the middle of this step.",
    unknown: "Nobody can say whether it happened; it was not repeated, so that it does not happen twice.",
    artifacts: "Files made",
    picture: (name: string) => `Picture ${name}`,
    download: (name: string) => `Download ${name}`,
    more: (rows: number) => `and ${count(rows, "more row", "more rows")} (see the JSON)`,
  },
};
