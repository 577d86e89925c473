// Builds elements. Whatever comes from outside becomes text, never HTML.

import { clock } from "./words.js";

/** Returns an element: el("p", {class: "hint"}, "text", child, …). Nothing is made of null children. */
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(key, value);
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

/** Returns a button that plays from a time, or nothing where there is none. */
export const timeButton = (seconds, seek) =>
  seconds === null || seconds === undefined ? null
    : el("button", { type: "button", class: "time", "aria-label": `Play from ${clock(seconds)}`, click: () => seek(seconds) }, clock(seconds));

export const byId = (id) => document.getElementById(id);

/** Shows one of the views and moves the focus to its heading, for those who listen to the page. */
export function showView(id) {
  for (const view of ["key-form", "upload-view", "progress-view", "result-view"]) byId(view).hidden = view !== id;
  byId("main").focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

/** Shows a message at the top of the page; an empty one hides it. */
export function notice(text, problem = true) {
  const place = byId("notice");
  place.textContent = text;
  place.className = problem ? "notice problem" : "notice";
  place.hidden = !text;
}
