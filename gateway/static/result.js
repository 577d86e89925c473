// The result of a session: a summary, then answer by answer.

import { answerView } from "./answer.js";
import { call } from "./api.js";
import { byId, el, notice } from "./dom.js";
import { readDocument } from "./result_document.js";

const FAIRNESS =
  "Observations are things to look at, each with its time. They never move a level or a score; a person decides what they mean.";

/** Draws a result document. */
export function showResult(document_, sessionId) {
  const result = readDocument(document_);
  byId("result-view").replaceChildren(
    summary(result, sessionId, document_),
    ...result.answers.map((answer) => answerView(answer, sessionId)),
    provenance(result),
  );
}

function summary(result, sessionId, document_) {
  const good = result.answers.filter((answer) => !answer.error).length;
  return el("div", { class: "panel" },
    el("div", { class: "head" },
      el("div", {},
        el("h1", {}, result.name || "Result"),
        el("p", { class: "hint" }, `${good} of ${result.answers.length} answers assessed`, methods(result))),
      el("div", {},
        el("div", { class: "score" }, result.total === null ? "–" : String(Math.round(result.total)), el("small", {}, " of 100")),
        el("p", { class: "hint" }, result.total === null ? "No answer could be judged" : "Mean of the answers"))),
    result.conclusion ? el("p", {}, result.conclusion) : null,
    el("p", { class: "fairness" }, FAIRNESS),
    el("div", { class: "actions" },
      el("a", { class: "button", href: download(document_), download: `result-${sessionId}.json` }, "Download as JSON"),
      el("button", { type: "button", click: () => window.print() }, "Print"),
      el("button", { type: "button", click: () => remove(sessionId) }, "Delete this session")));
}

function methods(result) {
  const baseline = result.answers.some((answer) => answer.method === "baseline");
  return baseline ? el("span", {}, " · ", el("span", { class: "chip warn" }, "baseline")) : null;
}

const download = (document_) =>
  URL.createObjectURL(new Blob([JSON.stringify(document_, null, 2)], { type: "application/json" }));

async function remove(sessionId) {
  if (!confirm("Delete the recordings, the transcript and the result for good?")) return;
  try {
    await call(`/sessions/${sessionId}`, { method: "DELETE" });
    location.assign("/");
  } catch (error) {
    notice(error.message);
  }
}

function provenance(result) {
  const entries = Object.entries(result.provenance);
  if (entries.length === 0) return "";
  return el("details", { class: "panel" }, el("summary", {}, "What this result rests on"),
    el("table", {}, el("tbody", {}, entries.map(([name, value]) => el("tr", {},
      el("th", { scope: "row" }, name.replaceAll("_", " ")),
      el("td", { class: "mono" }, typeof value === "object" ? JSON.stringify(value) : String(value)))))));
}
