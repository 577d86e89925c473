// The view of a session that is not completed: its stages, what failed, and what can be done about it.

import { call } from "./api.js";
import { byId, el, notice } from "./dom.js";
import { follow, isFinal, isLasting } from "./following.js";
import { about, reasonText, stageName, stateName, waitingText } from "./words.js";

/** Shows a session until it ends; `showResult` is called with its state when it is completed. Returns a stop function. */
export function showProgress(sessionId, showResult) {
  let stop = () => {};
  let troubled = false;
  let last = {};
  const takeState = (session) => {
    if (troubled) notice("");
    troubled = false;
    last = session;
    draw(session);
    if (session.state === "completed") showResult(session);
  };
  const takeProblem = (error) => {
    if (isLasting(error)) return drawAbsent(error);
    troubled = true;
    notice(error.message);
  };
  const start = () => {
    stop();
    stop = follow(sessionId, takeState, takeProblem);
  };
  const act = (verb) => call(`/sessions/${encodeURIComponent(sessionId)}/${verb}`, { method: "POST" });
  byId("cancel").onclick = () => act("cancel").catch((error) => notice(error.message));
  byId("retry").onclick = () => act("retry").then(start, (error) => notice(error.message));
  byId("show-result").onclick = () => showResult(last);
  drawLooking();
  start();
  return () => stop();
}

function drawLooking() {
  byId("progress-title").textContent = "Looking for the session…";
  byId("progress").hidden = byId("absent").hidden = true;
}

/** Says that there is nothing to follow. No part of a session that may run is shown then. */
function drawAbsent(error) {
  const forbidden = error.status === 401 || error.status === 403;
  byId("progress-title").textContent = forbidden ? "This session can't be shown" : "There is no such session";
  byId("absent-message").textContent = forbidden ? error.message
    : error.status === 400 ? "The session's number in the address is not complete, or it was changed. Check the address, or open the session from the start page."
      : "It was deleted, or its number in the address is wrong. Check the address, or open the session from the start page.";
  byId("progress").hidden = true;
  byId("absent").hidden = false;
}

function draw(session) {
  const ended = isFinal(session);
  const name = session.candidate_name ? `: ${session.candidate_name}` : "";
  byId("progress").hidden = false;
  byId("absent").hidden = true;
  byId("progress-title").textContent = titleOf(session.state) + name;
  byId("progress-message").textContent = session.error || waitingMessage(session) || session.message;
  byId("held").hidden = !session.held;
  byId("overall").value = session.percent;
  const eta = session.eta_s !== null && !ended ? ` · about ${about(session.eta_s)} left` : "";
  byId("progress-figures").textContent = `${Math.round(session.percent)} %${eta}`;
  drawStages(session.answers);
  drawProblems(session.answers);
  byId("cancel").hidden = byId("come-back").hidden = ended;
  byId("retry").hidden = !(session.state === "failed" || session.state === "cancelled");
  byId("show-result").hidden = !(session.state === "failed" || session.state === "completed");
}

const titleOf = (state) =>
  ({ completed: "Assessment completed", failed: "Assessment failed", cancelled: "Assessment cancelled" })[state] ??
  "Assessment under way";

/** Returns since when a session waits, where nothing of it is at work. The message itself has the time in UTC. */
function waitingMessage(session) {
  const stages = session.answers.flatMap((answer) => answer.stages);
  const waiting = stages.filter((stage) => stage.state === "waiting");
  if (!waiting.length || stages.some((stage) => stage.state === "running")) return "";
  return waitingText(waiting.reduce((first, stage) => (stage.waiting_since_s < first.waiting_since_s ? stage : first)));
}

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
  return el("span", { class: `chip ${stage.state}`, title: (stage.state === "waiting" ? waitingText(stage) : reasonText(stage.reason, stage.message)) || null },
    stateName(stage.state) + share);
}

function drawProblems(answers) {
  const found = answers.flatMap((answer) => answer.stages
    .filter((stage) => stage.state === "failed" || stage.state === "waiting")
    .map((stage) => `Answer ${answer.position}, ${stageName(stage.stage)}: ${
      stage.state === "waiting" ? waitingText(stage) : reasonText(stage.reason, stage.message)}`));
  byId("stage-problems").replaceChildren(...found.map((text) => el("li", {}, text)));
}
