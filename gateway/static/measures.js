// What was measured: values with their units, and what is usual where a source says so.

import { el } from "./dom.js";
import { measureName, quantity, rangeText, reasonText } from "./words.js";

/** Returns a table of measures, to be opened. */
export function measures(items) {
  if (items.length === 0) return null;
  const hasRanges = items.some((item) => item.reference_range);
  const heads = ["Measure", "Value", ...(hasRanges ? ["Usual range"] : []), "Measured over", "Why there is no value"];
  return el("details", {}, el("summary", {}, "Measures of recording, speech, face and voice"),
    el("p", { class: "hint" }, "These are physical quantities. They say nothing about feelings or character. They never change a score."),
    hasRanges ? el("p", { class: "hint" }, "A usual range comes from the source that stands with it. A value outside it is not a fault.") : null,
    el("div", { class: "scroll" }, el("table", {},
      el("thead", {}, el("tr", {}, heads.map((name) => el("th", { scope: "col", class: ["Value", "Measured over"].includes(name) ? "number" : null }, name)))),
      el("tbody", {}, items.map((item) => row(item, hasRanges))))));
}

function row(item, hasRanges) {
  const range = item.reference_range;
  return el("tr", {},
    el("td", {}, measureName(item.name), " ", el("span", { class: "hint" }, item.group)),
    el("td", { class: "number" }, quantity(item.value, item.unit)),
    hasRanges ? el("td", {}, range && item.value !== null ? [rangeText(range, item.unit), el("div", { class: "hint" }, range.source ?? "")] : "–") : null,
    el("td", { class: "number" }, quantity(item.coverage, "ratio")),
    el("td", {}, item.outcome && item.outcome !== "OK" ? reasonText(item.outcome, item.reason) : ""));
}
