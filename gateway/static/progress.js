// Following a session live: events where they come, asking where they don't.

import { call } from "./api.js";
import { byId, el, notice } from "./dom.js";
import { about, reasonText, stageName, stateName } from "./words.js";

const FINAL = ["completed", "failed", "cancelled"];
const POLL_MS = 3000;

/** Follows a session until it ends; `showResult` is called when it is completed. Returns a stop function. */
export function follow(sessionId, showResult) {
  let source = null;
  let timer = 0;
  const stop = () => {
    source?.close();
    clearTimeout(timer);
  };
  const take = (session) => {
    draw(session, sessionId, showResult);
    if (!FINAL.includes(session.state)) return;
    stop();
    if (session.state === "completed") showResult();
  };
  const poll = async () => {
    clearTimeout(timer);
    try {
      take(await call(`/status/${sessionId}`));
      notice("");
    } catch (error) {
      notice(error.message);
      if (error.status === 404) return stop();
    }
    if (source?.readyState === EventSource.CLOSED) timer = setTimeout(poll, POLL_MS);
  };
  source = new EventSource(`/sessions/${sessionId}/events`);
  source.addEventListener("session", (event) => {
    notice("");
    const session = JSON.parse(event.data);
    // The end of an earlier attempt is among the events of a session that runs again: ask how it is now.
    if (FINAL.includes(session.state)) poll();
    else take(session);
  });
  source.addEventListener("problem", (event) => notice(JSON.parse(event.data).message));
  // The browser reconnects by itself, with the last event's id; where it gave up, we ask.
  source.addEventListener("error", poll);
  return stop;
}

function draw(session, sessionId, showResult) {
  const ended = FINAL.includes(session.state);
  const name = session.candidate_name ? `: ${session.candidate_name}` : "";
  byId("progress-title").textContent = titleOf(session.state) + name;
  byId("progress-message").textContent = session.error || session.message;
  byId("overall").value = session.percent;
  const eta = session.eta_s !== null && !ended ? ` · about ${about(session.eta_s)} left` : "";
  byId("progress-figures").textContent = `${Math.round(session.percent)} %${eta}`;
  drawStages(session.answers);
  drawProblems(session.answers);
  byId("cancel").hidden = ended;
  byId("retry").hidden = !(session.state === "failed" || session.state === "cancelled");
  byId("show-result").hidden = session.state !== "failed";
  byId("show-result").onclick = showResult;
  byId("cancel").onclick = () => act("cancel");
  byId("retry").onclick = () => act("retry").then(() => follow(sessionId, showResult));

  const act = (verb) =>
    call(`/sessions/${sessionId}/${verb}`, { method: "POST" }).catch((error) => notice(error.message));
}

const titleOf = (state) =>
  ({ completed: "Assessment completed", failed: "Assessment failed", cancelled: "Assessment cancelled" })[state] ??
  "Assessment under way";

function drawStages(answers) {
  const stages = [...new Set(answers.flatMap((answer) => answer.stages.map((stage) => stage.stage)))];
  const head = el("tr", {}, el("th", { scope: "col" }, "Answer"), stages.map((name) => el("th", { scope: "col" }, stageName(name))));
  const rows = answers.map((answer) => el("tr", {}, el("th", { scope: "row" }, String(answer.position)),
    stages.map((name) => el("td", {}, chip(answer.stages.find((stage) => stage.stage === name))))));
  byId("stages").replaceChildren(el("thead", {}, head), el("tbody", {}, rows));
}

function chip(stage) {
  if (!stage) return "";
  const share = stage.state === "running" && stage.percent !== null ? ` ${Math.round(stage.percent)} %` : "";
  return el("span", { class: `chip ${stage.state}`, title: reasonText(stage.reason, stage.message) || null },
    stateName(stage.state) + share);
}

function drawProblems(answers) {
  const found = answers.flatMap((answer) => answer.stages
    .filter((stage) => stage.state === "failed")
    .map((stage) => `Answer ${answer.position}, ${stageName(stage.stage)}: ${reasonText(stage.reason, stage.message)}`));
  byId("stage-problems").replaceChildren(...found.map((text) => el("li", {}, text)));
}
