/** Brings the keyboard and the screen reader to what has just opened. Source: WCAG 2.2, 2.4.3 (focus order). */
import { type RefObject, useEffect, useRef } from "react";

/** For `ref` of an element with `tabIndex={-1}`. */
export function useFocusOnOpen<Element extends HTMLElement>(): RefObject<Element | null> {
  const element = useRef<Element>(null);
  useEffect(() => element.current?.focus(), []);
  return element;
}
