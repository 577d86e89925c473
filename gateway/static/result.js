// The result of a session: a summary, then answer by answer.

import { answerView } from "./answer.js";
import { call } from "./api.js";
import { byId, el, notice } from "./dom.js";
import { readDocument } from "./result_document.js";
import { criteriaText } from "./words.js";

const FAIRNESS =
  "Observations are for a person to check, each with its time in the video. They never change a level or a score. A person decides what they mean.";

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
  return el("div", { class: "panel" },
    el("div", { class: "head" },
      el("div", {},
        el("h1", {}, result.name || "Result"),
        el("p", { class: "hint" }, counts(result), methods(result))),
      el("div", {},
        el("div", { class: "score" }, result.total === null ? "–" : String(Math.round(result.total)), el("small", {}, " of 100")),
        el("p", { class: "hint" }, basis(result)))),
    result.conclusion ? el("p", {}, result.conclusion) : null,
    el("p", { class: "fairness" }, FAIRNESS),
    el("div", { class: "actions" },
      el("a", { class: "button", href: download(document_), download: `result-${sessionId}.json` }, "Download as JSON"),
      el("button", { type: "button", click: () => window.print() }, "Print"),
      el("button", { type: "button", click: () => remove(sessionId) }, "Delete this session")));
}

function counts(result) {
  const unread = result.answers.filter((answer) => answer.error).length;
  return `${result.scored.length} of ${result.answers.length} answers scored` + (unread ? ` · ${unread} could not be read` : "");
}

/** Says what the number in the head is made of, or why there is none. */
function basis({ scored, answers, isComparable }) {
  if (scored.length === 0) return "No answer could be scored. Each answer says why.";
  if (!isComparable) return "The answers were scored by different criteria, so there is no mean. See each answer's score.";
  const whose = answers.length === 1 ? "" : scored.length === answers.length ? "Mean of all answers. " : `Mean of ${scored.length} of ${answers.length} answers. `;
  return whose + criteriaText(scored[0]);
}

function methods(result) {
  const baseline = result.answers.some((answer) => answer.method === "baseline");
  return baseline ? el("span", {}, " · ", el("span", { class: "chip warn" }, "baseline")) : null;
}

const download = (document_) =>
  URL.createObjectURL(new Blob([JSON.stringify(document_, null, 2)], { type: "application/json" }));

async function remove(sessionId) {
  if (!confirm("Delete the recordings, the transcripts and the result? They can't be brought back.")) return;
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
  return el("details", { class: "panel" }, el("summary", {}, "How this result was made"),
    el("table", {}, el("tbody", {}, entries.map(([name, value]) => el("tr", {},
      el("th", { scope: "row" }, name.replaceAll("_", " ")),
      el("td", { class: "mono" }, typeof value === "object" ? JSON.stringify(value) : String(value)))))));
}
