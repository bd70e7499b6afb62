/** Hidden windows draw no frames; what they are told is gathered for this long. */
const HIDDEN_MS = 250;

/** Does something at most once a drawn frame, however often it is asked for. */
export function frames(work: () => void): { ask: () => void; cancel: () => void } {
  let cancel: (() => void) | null = null;
  const run = () => {
    cancel?.();
    cancel = null;
    work();
  };
  const ask = () => {
    if (cancel) return;
    // A window that becomes hidden meanwhile would wait for ever for its frame.
    const timer = setTimeout(run, HIDDEN_MS);
    const frame = requestAnimationFrame(run);
    cancel = () => {
      clearTimeout(timer);
      cancelAnimationFrame(frame);
    };
  };
  return {
    ask,
    cancel: () => {
      cancel?.();
      cancel = null;
    },
  };
}
