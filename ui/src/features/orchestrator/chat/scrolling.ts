import { useCallback, useEffect, useRef, useState } from "react";

const NEAR_PX = 48;

/**
 * Keeps a scrolled box at its end while it grows, as long as the reader is there.
 *
 * `box` scrolls, `content` grows within it.
 */
export function useEnd() {
  const box = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const top = useRef(0);
  const [atEnd, setAtEnd] = useState(true);

  const jump = useCallback(() => {
    following.current = true;
    setAtEnd(true);
    const place = box.current;
    if (place) place.scrollTop = place.scrollHeight;
  }, []);

  const onScroll = useCallback(() => {
    const place = box.current;
    if (!place) return;
    const near = place.scrollHeight - place.scrollTop - place.clientHeight < NEAR_PX;
    // A picture that has just come may have pushed the end away: only who scrolls up leaves it.
    if (near) following.current = true;
    else if (place.scrollTop < top.current) following.current = false;
    top.current = place.scrollTop;
    setAtEnd(following.current);
  }, []);

  useEffect(() => {
    const place = box.current;
    const inside = content.current;
    if (!place || !inside) return;
    const grown = new ResizeObserver(() => {
      if (following.current) place.scrollTop = place.scrollHeight;
    });
    grown.observe(inside);
    grown.observe(place);
    return () => grown.disconnect();
  }, []);

  /** Do something that adds to the top without moving what is read. */
  const keepPlace = useCallback(async (work: () => Promise<void>) => {
    const place = box.current;
    const below = place ? place.scrollHeight - place.scrollTop : 0;
    following.current = false;
    await work();
    requestAnimationFrame(() => {
      if (place) place.scrollTop = place.scrollHeight - below;
    });
  }, []);

  return { box, content, atEnd, jump, onScroll, keepPlace };
}
