// The result of a session: a summary, then answer by answer.

import { answerView } from "./answer.js";
import { call } from "./api.js";
import { byId, el, notice } from "./dom.js";
import { readDocument } from "./result_document.js";
import { criteriaText, points } from "./words.js";

const FAIRNESS =
  "Observations are for a person to check, each with its time in the video. They never change a level or a score. A person decides what they mean.";

/** Draws a result document. `held` says whether its session is under a legal hold. */
export function showResult(document_, sessionId, held = false) {
  const result = readDocument(document_);
  byId("result-view").replaceChildren(
    summary(result, sessionId, document_, held),
    ...result.answers.map((answer) => answerView(answer, sessionId)),
    provenance(result),
  );
}

function summary(result, sessionId, document_, held) {
  const [score, basis] = headline(result);
  return el("div", { class: "panel" },
    el("div", { class: "head" },
      el("div", {},
        el("h1", {}, result.name || "Result"),
        el("p", { class: "hint" }, counts(result), methods(result), held ? [" · ", el("span", { class: "chip warn" }, "On legal hold")] : null)),
      el("div", { class: "total" },
        el("div", { class: "score" }, score === null ? "–" : String(points(score)), el("small", {}, " of 100")),
        el("p", { class: "hint" }, basis))),
    result.conclusion ? el("p", {}, result.conclusion) : null,
    el("p", { class: "fairness" }, FAIRNESS),
    el("div", { class: "actions" },
      el("a", { class: "button", href: download(document_), download: `result-${sessionId}.json` }, "Download as JSON"),
      el("button", { type: "button", click: () => window.print() }, "Print"),
      el("button", { type: "button", click: () => remove(sessionId) }, "Delete this session")));
}

function counts({ totals, answers }) {
  const unread = answers.filter((answer) => answer.error).length;
  return `${totals.scoredCount} of ${answers.length} answers scored` + (unread ? ` · ${unread} could not be read` : "");
}

/** Returns the number in the head, and what it is made of or why there is none. */
function headline({ totals: { scoredCount, averagedCount, mean, reason }, answers }) {
  if (scoredCount === 0) return [null, "No answer could be scored. Each answer says why."];
  if (answers.length === 1) return [answers[0].total, criteriaText(answers[0])];
  if (mean === null) return [null, `There is no mean. ${reason} See the score of each answer.`];
  const whose = averagedCount === answers.length ? "The mean of all answers." : `The mean of ${averagedCount} of ${answers.length} answers.`;
  return [mean, averagedCount < scoredCount ? `${whose} Scores of only some criteria are left out of it.` : whose];
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
