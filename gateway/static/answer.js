// One answer: warnings, player, transcript, criteria with their sentences, observations, measures, stages.

import { el, timeButton } from "./dom.js";
import { measures } from "./measures.js";
import { observations } from "./observations.js";
import { createPlayer } from "./player.js";
import { clock, criteriaText, languageName, points, quantity, reasonText, stageName, stateName } from "./words.js";

/** Returns the view of one answer. */
export function answerView(answer, sessionId) {
  const player = createPlayer(`/media/${sessionId}/${answer.position}`, answer.recording, `Recording of answer ${answer.position}`);
  return el("section", { class: "panel", "aria-labelledby": `answer-${answer.position}` },
    el("h2", { id: `answer-${answer.position}` }, `Answer ${answer.position}`, answer.question ? `: ${answer.question}` : ""),
    answer.error ? failure(answer.error) : null,
    warnings(answer.warnings, player.seek),
    el("div", { class: "columns" },
      el("div", {}, player.view, transcript(answer, player)),
      el("div", {}, assessment(answer, player.seek))),
    observations(answer, player),
    measures(answer.measures),
    stages(answer.stages));
}

function failure(error) {
  const stage = error.stage ? `${stageName(error.stage)}: ` : "";
  return el("p", { class: "notice problem" }, `${stage}${reasonText(error.reason, error.message)}`);
}

function warnings(items, seek) {
  if (items.length === 0) return null;
  return el("ul", { class: "warnings", "aria-label": "What to know about this recording" }, items.map((item) =>
    el("li", {}, timeButton(item.startS, seek), el("span", {}, item.message, typeof item.endS === "number" ? el("span", { class: "hint" }, ` Until ${clock(item.endS)}.`) : null))));
}

function translation(item) {
  const doubts = item.doubts.map((doubt) => reasonText(doubt)).join(" ");
  return el("div", { class: "translation" }, el("span", { lang: item.language }, item.text),
    doubts ? [" ", el("span", { class: "chip warn" }, "check"), " ", el("span", { class: "hint" }, doubts)] : null);
}

function transcript(answer, player) {
  if (answer.error) return null;
  const rows = answer.segments.map((segment) => el("li", {}, timeButton(segment.startS, player.seek), el("div", {},
    el("span", { lang: answer.language || null }, segment.text.trim()),
    segment.voice ? " " : null, segment.voice ? el("span", { class: "chip warn" }, `voice ${segment.voice + 1}`) : null,
    segment.translations.map(translation))));
  player.onTime((seconds) => answer.segments.forEach((segment, index) =>
    rows[index].classList.toggle("now", segment.startS <= seconds && seconds < segment.endS)));
  const language = answer.language ? ` (${languageName(answer.language)})` : "";
  return [el("h3", {}, `Transcript${language}`),
    rows.length ? el("ol", { class: "transcript", tabindex: 0 }, rows)
      : el("p", { class: "hint" }, reasonText(answer.transcriptOutcome, answer.transcriptReason) || "There is no transcript.")];
}

function assessment(answer, seek) {
  if (answer.error) return null;
  const reason = reasonText(answer.assessmentOutcome, answer.assessmentReason);
  return [el("h3", {}, "Assessment ", answer.total === null ? null : el("span", { class: "chip" }, `${points(answer.total)} of 100`)),
    answer.total === null ? null : el("p", { class: "hint" }, `${criteriaText(answer)} A level is 1 to 5. Level 1 is 0 of 100, level 5 is 100 of 100.`),
    answer.method === "baseline" ? el("p", { class: "hint" }, el("span", { class: "chip warn" }, "baseline"),
      " No language model is set up. Fixed rules sort the sentences. Take the levels as a rough order only.") : null,
    reason ? el("p", { class: "hint" }, reason) : null,
    answer.conclusion ? el("p", {}, answer.conclusion) : null,
    el("div", {}, answer.criteria.map((criterion) => criterionView(criterion, seek)))];
}

function criterionView(criterion, seek) {
  return el("div", { class: "criterion" },
    el("div", { class: "criterion-head" }, el("h4", {}, criterion.name), level(criterion)),
    criterion.level === null ? el("p", { class: "hint" }, reasonText(criterion.outcome, criterion.reason)) : null,
    remarks("What is there", criterion.strengths),
    remarks("What is missing", criterion.gaps),
    criterion.evidence.length ? el("ul", { class: "evidence", "aria-label": "Sentences that this level is based on" },
      criterion.evidence.map((item) => el("li", {}, timeButton(item.startS, seek), el("span", {}, item.text, " ",
        item.otherVoice ? el("span", { class: "chip warn" }, "another voice") : null)))) : null);
}

function level(criterion) {
  if (criterion.level === null) return el("span", { class: "chip" }, "no level");
  const bar = el("span", {});
  bar.style.width = `${criterion.score}%`;
  const spread = criterion.spread === null ? "" : ` ± ${criterion.spread.toFixed(1)}`;
  return el("span", { class: "level" }, `Level ${criterion.level.toFixed(1)}${spread}`,
    el("span", { class: "meter", "aria-hidden": "true" }, bar), `${points(criterion.score)} of 100`);
}

const remarks = (title, texts) =>
  texts.length ? [el("p", { class: "hint" }, title), el("ul", { class: "remarks" }, texts.map((text) => el("li", {}, text)))] : null;

function stages(items) {
  if (items.length === 0) return null;
  return el("details", {}, el("summary", {}, "Stages"), el("div", { class: "scroll" }, el("table", {},
    el("thead", {}, el("tr", {}, ["Stage", "Outcome", "Time", "Model"].map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, items.map((item) => el("tr", {}, el("td", {}, stageName(item.name)),
      el("td", {}, el("span", { class: `chip ${item.state}` }, stateName(item.state)), " ",
        item.outcome === "OK" ? "" : reasonText(item.outcome, item.message)),
      el("td", { class: "number" }, quantity(item.run_s, "s")),
      el("td", {}, modelText(item.model))))))));
}

const modelText = (model) => (model ? [model.name, model.version].filter(Boolean).join(" ") : "");
