// One answer: player, transcript, criteria with their sentences, observations, measures, stages.

import { el } from "./dom.js";
import { clock, kindName, languageName, measureName, quantity, reasonText, stageName, stateName } from "./words.js";

const MAX_LEVEL = 5;

/** Returns the view of one answer. */
export function answerView(answer, sessionId) {
  const video = el("video", { controls: true, preload: "metadata", playsinline: true,
    src: `/media/${sessionId}/${answer.position}`, "aria-label": `Recording of answer ${answer.position}` });
  const seek = (seconds) => {
    video.currentTime = seconds;
    video.play().catch(() => {}); // a browser may want a click on the player first
    video.scrollIntoView({ block: "nearest", behavior: "smooth" });
  };
  return el("section", { class: "panel", "aria-labelledby": `answer-${answer.position}` },
    el("h2", { id: `answer-${answer.position}` }, `Answer ${answer.position}`, answer.question ? `: ${answer.question}` : ""),
    answer.error ? failure(answer.error) : null,
    el("div", { class: "columns" },
      el("div", {}, video, transcript(answer, video, seek)),
      el("div", {}, assessment(answer, seek))),
    observations(answer, video, seek),
    measures(answer.measures),
    stages(answer.stages));
}

function failure(error) {
  const stage = error.stage ? `${stageName(error.stage)}: ` : "";
  return el("p", { class: "notice problem" }, `${stage}${reasonText(error.reason, error.message)}`);
}

const timeButton = (seconds, seek) =>
  seconds === null || seconds === undefined ? null
    : el("button", { type: "button", class: "time", "aria-label": `Play from ${clock(seconds)}`, click: () => seek(seconds) }, clock(seconds));

function transcript(answer, video, seek) {
  if (answer.error) return null;
  const rows = answer.segments.map((segment) => el("li", {}, timeButton(segment.startS, seek), el("div", {},
    el("span", { lang: answer.language || null }, segment.text.trim()),
    segment.voice ? el("span", { class: "chip warn" }, `voice ${segment.voice + 1}`) : null,
    segment.translations.map((item) => el("div", { class: "translation", lang: item.language }, item.text)))));
  video.addEventListener("timeupdate", () => answer.segments.forEach((segment, index) =>
    rows[index].classList.toggle("now", segment.startS <= video.currentTime && video.currentTime < segment.endS)));
  const language = answer.language ? ` (${languageName(answer.language)})` : "";
  return [el("h3", {}, `Transcript${language}`),
    answer.warnings.map((text) => el("p", { class: "hint" }, text)),
    rows.length ? el("ol", { class: "transcript", tabindex: 0 }, rows)
      : el("p", { class: "hint" }, reasonText(answer.transcriptOutcome, answer.transcriptReason) || "There is no transcript.")];
}

function assessment(answer, seek) {
  if (answer.error) return null;
  const reason = reasonText(answer.assessmentOutcome, answer.assessmentReason);
  return [el("h3", {}, "Assessment ", answer.total === null ? null : el("span", { class: "chip" }, `${Math.round(answer.total)} of 100`)),
    answer.method === "baseline" ? el("p", { class: "hint" }, el("span", { class: "chip warn" }, "baseline"),
      " No language model is set up. Fixed rules sort the sentences, so take the levels as a rough order only.") : null,
    reason ? el("p", { class: "hint" }, reason) : null,
    answer.conclusion ? el("p", {}, answer.conclusion) : null,
    answer.criteria.map((criterion) => criterionView(criterion, seek))];
}

function criterionView(criterion, seek) {
  return el("div", { class: "criterion" },
    el("div", { class: "criterion-head" }, el("h4", {}, criterion.name), level(criterion)),
    criterion.level === null ? el("p", { class: "hint" }, reasonText(criterion.outcome, criterion.reason)) : null,
    remarks("What is there", criterion.strengths),
    remarks("What is missing", criterion.gaps),
    criterion.evidence.length ? el("ul", { class: "evidence", "aria-label": "Sentences that it rests on" },
      criterion.evidence.map((item) => el("li", {}, timeButton(item.startS, seek), el("span", {}, item.text, " ",
        item.otherVoice ? el("span", { class: "chip warn" }, "another voice") : null)))) : null);
}

function level(criterion) {
  if (criterion.level === null) return el("span", { class: "chip" }, "not judged");
  const bar = el("span", {});
  bar.style.width = `${(100 * criterion.level) / MAX_LEVEL}%`;
  const spread = criterion.spread === null ? "" : ` ± ${criterion.spread.toFixed(1)}`;
  return el("span", { class: "level" }, el("span", { class: "meter", "aria-hidden": "true" }, bar),
    `${criterion.level.toFixed(1)} of ${MAX_LEVEL}${spread}`);
}

const remarks = (title, texts) =>
  texts.length ? [el("p", { class: "hint" }, title), el("ul", { class: "remarks" }, texts.map((text) => el("li", {}, text)))] : null;

function observations(answer, video, seek) {
  const kinds = [...new Set(answer.observations.map((item) => item.kind))];
  if (kinds.length === 0 && answer.error) return null;
  if (kinds.length === 0) return [el("h3", {}, "Observations"), el("p", { class: "hint" }, "Nothing was observed.")];
  const ends = [...answer.observations.map((item) => item.end_s ?? item.start_s), ...answer.segments.map((item) => item.endS)];
  const tracks = kinds.map((kind) => ({ kind, track: el("div", { class: "track" }), head: el("div", { class: "playhead" }) }));
  const draw = () => {
    const duration = Number.isFinite(video.duration) ? video.duration : Math.max(...ends, 1);
    for (const { kind, track, head } of tracks) {
      const marks = answer.observations.filter((item) => item.kind === kind).map((item) => mark(item, duration, seek));
      track.replaceChildren(...marks, head);
    }
    return duration;
  };
  draw();
  video.addEventListener("loadedmetadata", draw);
  video.addEventListener("timeupdate", () => {
    const share = Number.isFinite(video.duration) && video.duration > 0 ? video.currentTime / video.duration : 0;
    for (const { head } of tracks) head.style.left = `${100 * share}%`;
  });
  return [el("h3", {}, "Observations"),
    el("div", { class: "timeline" }, tracks.map(({ kind, track }) => el("div", { class: "lane" }, el("span", { class: "name" }, kindName(kind)), track))),
    el("details", {}, el("summary", {}, "As a list"), observationTable(answer.observations, seek))];
}

function mark(item, duration, seek) {
  const end = item.end_s ?? item.start_s;
  const text = `${kindName(item.kind)}, ${clock(item.start_s)} to ${clock(end)}`;
  const button = el("button", { type: "button", class: "mark", title: item.reason ? `${text}: ${item.reason}` : text,
    "aria-label": `Play from ${text}`, click: () => seek(item.start_s) });
  button.style.left = `${(100 * item.start_s) / duration}%`;
  button.style.width = `${(100 * Math.max(0, end - item.start_s)) / duration}%`;
  return button;
}

function observationTable(items, seek) {
  return el("div", { class: "scroll" }, el("table", {},
    el("thead", {}, el("tr", {}, ["From", "To", "What", "Value", "Limit", "Why"].map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, items.map((item) => el("tr", {}, el("td", {}, timeButton(item.start_s, seek)), el("td", {}, clock(item.end_s ?? item.start_s)),
      el("td", {}, kindName(item.kind)), el("td", { class: "number" }, quantity(item.value, item.unit)),
      el("td", { class: "number" }, quantity(item.threshold, item.unit)), el("td", {}, item.reason ?? ""))))));
}

function measures(items) {
  if (items.length === 0) return "";
  return el("details", {}, el("summary", {}, "Measures of speech, face and voice"),
    el("p", { class: "hint" }, "Physical quantities. They say nothing about a person's feelings or character, and move no score."),
    el("div", { class: "scroll" }, el("table", {},
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Measure"), el("th", { scope: "col", class: "number" }, "Value"),
        el("th", { scope: "col", class: "number" }, "Measured over"), el("th", { scope: "col" }, ""))),
      el("tbody", {}, items.map((item) => el("tr", {},
        el("td", {}, measureName(item.name), " ", el("span", { class: "hint" }, item.group)),
        el("td", { class: "number" }, quantity(item.value, item.unit)),
        el("td", { class: "number" }, coverage(item)),
        el("td", {}, item.outcome && item.outcome !== "OK" ? reasonText(item.outcome, item.reason) : "")))))));
}

const coverage = (item) => quantity(item.coverage, "ratio");

function stages(items) {
  if (items.length === 0) return "";
  return el("details", {}, el("summary", {}, "Stages"), el("div", { class: "scroll" }, el("table", {},
    el("thead", {}, el("tr", {}, ["Stage", "Outcome", "Time", "Model"].map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, items.map((item) => el("tr", {}, el("td", {}, stageName(item.name)),
      el("td", {}, el("span", { class: `chip ${item.state}` }, stateName(item.state)), " ",
        item.outcome === "OK" ? "" : reasonText(item.outcome, item.message)),
      el("td", { class: "number" }, quantity(item.run_s, "s")),
      el("td", {}, modelText(item.model))))))));
}

const modelText = (model) => (model ? [model.name, model.version].filter(Boolean).join(" ") : "");
