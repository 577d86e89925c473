// What was observed in picture and sound: on a timeline, and as a list. What was not looked at is said as that.

import { el, timeButton } from "./dom.js";
import { clock, kindName, quantity, reasonText } from "./words.js";

/** Returns the view of one answer's observations. */
export function observations(answer, player) {
  if (answer.error && answer.observations.length === 0) return null;
  const items = answer.observations;
  return [el("h3", {}, "Observations"),
    sense("Picture", answer.picture, "looked at", "no picture"),
    sense("Voices", answer.voices, "listened to", "no sound"),
    items.length === 0 ? null : [timeline(answer, player),
      el("details", {}, el("summary", {}, "As a list"), observationTable(items, player.seek))]];
}

/** Says of one sense of how much of the recording it speaks, and that nothing was observed there, where that is so. */
function sense(name, { share, outcome, reason, count }, done, nothingThere) {
  if (share === 0) {
    const why = ["NO_VIDEO", "NO_AUDIO"].includes(outcome) ? `${nothingThere}.` : reasonText(outcome, reason);
    return el("p", {}, el("strong", {}, `${name}. `), `Not ${done}: ${why}`);
  }
  const isPart = share !== null && share < 1;
  const over = isPart ? `${quantity(share, "ratio")} of the recording was ${done}.` : "";
  const found = count === 0 ? `Nothing was observed${isPart ? " there" : ""}.` : "";
  return over || found ? el("p", { class: isPart ? null : "hint" }, el("strong", {}, `${name}. `), `${over} ${found}`.trim()) : null;
}

function timeline(answer, player) {
  const kinds = [...new Set(answer.observations.map((item) => item.kind))];
  const ends = [...answer.observations.map(endOf), ...answer.segments.map((item) => item.endS)];
  const lanes = kinds.map((kind) => ({ kind, track: el("div", { class: "track" }), head: el("div", { class: "playhead" }) }));
  const durationS = () => player.durationS() ?? Math.max(...ends, 1);
  const draw = () => {
    for (const { kind, track, head } of lanes) {
      const marks = answer.observations.filter((item) => item.kind === kind).map((item) => mark(item, durationS(), player.seek));
      track.replaceChildren(...marks, head);
    }
  };
  draw();
  player.onReady(draw);
  player.onTime((seconds) => {
    for (const { head } of lanes) head.style.left = `${Math.min(100, (100 * seconds) / durationS())}%`;
  });
  return el("div", { class: "timeline" }, lanes.map(({ kind, track }) =>
    el("div", { class: "lane" }, el("span", { class: "name" }, kindName(kind)), track)));
}

const endOf = (item) => item.end_s ?? item.start_s;

function mark(item, durationS, seek) {
  const text = `${kindName(item.kind)}, ${clock(item.start_s)} to ${clock(endOf(item))}`;
  const button = el("button", { type: "button", class: "mark", title: item.reason ? `${text}: ${item.reason}` : text,
    "aria-label": `Play from ${text}`, click: () => seek(item.start_s) });
  button.style.left = `${(100 * item.start_s) / durationS}%`;
  button.style.width = `${(100 * Math.max(0, endOf(item) - item.start_s)) / durationS}%`;
  return button;
}

function observationTable(items, seek) {
  return el("div", { class: "scroll" }, el("table", {},
    el("thead", {}, el("tr", {}, ["From", "To", "What", "Value", "Limit", "Why"].map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, items.map((item) => el("tr", {}, el("td", {}, timeButton(item.start_s, seek)), el("td", {}, clock(endOf(item))),
      el("td", {}, kindName(item.kind)), el("td", { class: "number" }, quantity(item.value, item.unit)),
      el("td", { class: "number" }, quantity(item.threshold, item.unit)), el("td", {}, item.reason ?? ""))))));
}
