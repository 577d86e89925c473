// Choosing recordings, a question for each, and sending them.

import { call, sendForm, whyNotReady } from "./api.js";
import { byId, el, notice } from "./dom.js";
import { languageName, fileSize, stateName } from "./words.js";

const EXTENSIONS = /\.(mp4|avi|mov|mkv|webm)$/i;
const DEFAULT_RUBRIC = "general";
const RUBRICS = { behavioural: "Behavioural rubric (STAR)", technical: "Technical rubric" };
const AS_ALL = "as all";
let lastSent = {}; // {content, key} of the upload that was not accepted yet
const SHOWN_FIRST = ["auto", "en", "id"];

/** Sets the form up. `limits` is /client-settings; `onAccepted` gets the new session's id. */
export function startUpload(limits, onAccepted) {
  const chosen = []; // {file, question, rubric, refusal}
  fillLanguages(limits.languages);
  fillRubrics(byId("rubric"), rubricChoices(limits.rubrics ?? []));
  byId("limits").textContent =
    `mp4, avi, mov, mkv or webm. Up to ${limits.max_file_count} recordings, each up to ${fileSize(limits.max_file_bytes)}.`;

  const add = (files) => {
    const refusals = [];
    for (const file of files) {
      const refusal = refusalOf(file, chosen.length, limits);
      if (refusal) refusals.push(refusal);
      else chosen.push({ file, question: "", rubric: AS_ALL, refusal: "" });
    }
    notice(refusals.join(" "));
    draw(chosen);
  };

  byId("files").addEventListener("change", (event) => {
    add(event.target.files);
    event.target.value = ""; // so that a removed file can be chosen again
  });
  startDropping(byId("drop"), add);
  byId("upload-form").addEventListener("submit", (event) => {
    event.preventDefault();
    send(chosen, onAccepted);
  });
  draw(chosen);
}

function refusalOf(file, count, limits) {
  if (count >= limits.max_file_count) return `“${file.name}” was left out. A session has no more than ${limits.max_file_count} recordings.`;
  if (!EXTENSIONS.test(file.name)) return `“${file.name}” was left out. It is not an mp4, avi, mov, mkv or webm file. Export the recording as one of them.`;
  if (file.size === 0) return `“${file.name}” was left out. It is empty. Choose the file again.`;
  if (file.size > limits.max_file_bytes) return `“${file.name}” was left out. It is larger than ${fileSize(limits.max_file_bytes)}. Send a smaller file.`;
  return "";
}

function fillLanguages(codes) {
  const rest = codes.filter((code) => !SHOWN_FIRST.includes(code));
  const options = rest.map((code) => [code, languageName(code)]).sort((a, b) => a[1].localeCompare(b[1]));
  const first = [["en", "English"], ["id", "Indonesian"], ["auto", "Detect the language"]];
  byId("language").replaceChildren(...[...first, ...options].map(([value, text]) => el("option", { value }, text)));
}

/** Returns the rubrics to choose from: those that the server names, or those that come with the system. */
function rubricChoices(named) {
  const names = named.length ? named.filter((name) => name !== DEFAULT_RUBRIC) : Object.keys(RUBRICS);
  return [["", "General rubric"], ...names.map((name) => [name, RUBRICS[name] ?? name])];
}

function fillRubrics(select, choices) {
  select.replaceChildren(...choices.map(([value, text]) => el("option", { value }, text)));
}

function startDropping(place, add) {
  for (const kind of ["dragenter", "dragover"]) {
    place.addEventListener(kind, (event) => {
      event.preventDefault();
      place.classList.add("over");
    });
  }
  place.addEventListener("dragleave", () => place.classList.remove("over"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("over");
    add(event.dataTransfer.files);
  });
}

function draw(chosen) {
  byId("chosen").replaceChildren(...chosen.map((item, index) => {
    const id = `question-${index + 1}`;
    const text = el("textarea", { id, maxlength: 2000, input: (event) => (item.question = event.target.value) });
    text.value = item.question;
    const remove = () => {
      chosen.splice(index, 1);
      draw(chosen);
      notice("");
    };
    return el("li", { class: item.refusal ? "refused" : null },
      el("div", { class: "row" },
        el("span", { class: "file" }, el("strong", {}, `Answer ${index + 1}: `), item.file.name,
          el("span", { class: "hint" }, ` · ${fileSize(item.file.size)}`)),
        el("button", { type: "button", class: "link", "aria-label": `Remove ${item.file.name}`, click: remove }, "Remove")),
      item.refusal ? el("p", { class: "notice problem refusal", tabindex: -1 }, item.refusal) : null,
      el("label", { for: id }, "Question that was asked"), text, ...rubricOf(item, index));
  }));
  byId("submit").disabled = chosen.length === 0;
}

/** A choice of rubric for one answer of several; a single answer has the session's. */
function rubricOf(item, index) {
  const id = `rubric-${index + 1}`;
  const select = el("select", { id, change: (event) => (item.rubric = event.target.value) });
  const choices = [...byId("rubric").options].map((option) => [option.value, option.text]);
  fillRubrics(select, [[AS_ALL, "As chosen above"], ...choices]);
  select.value = item.rubric;
  return [el("label", { for: id }, "Rubric of this answer"), select];
}

async function send(chosen, onAccepted) {
  if (chosen.length === 0) return notice("Choose at least one recording.");
  for (const item of chosen) item.refusal = "";
  draw(chosen);
  notice("");
  busy(true);
  try {
    const trouble = await whyNotReady();
    if (trouble) return notice(trouble);
    const form = formOf(chosen);
    const [answer, stop] = sendForm("/upload", form, keyOf(form), showSent);
    byId("stop-upload").onclick = stop;
    byId("stop-upload").hidden = false;
    const sessionId = (await answer).session_id;
    lastSent = {}; // the same recordings once more are a new session, if that is wanted
    onAccepted(sessionId);
  } catch (error) {
    showRefusal(error, chosen);
  } finally {
    busy(false);
  }
}

/** Returns the key of a form: the same one for the same content, until that was accepted. Its answer can be lost. */
function keyOf(form) {
  const content = JSON.stringify([...form].map(([name, value]) => [name, ...(value instanceof File ? [value.name, value.size, value.lastModified] : [value])]));
  if (content !== lastSent.content) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    lastSent = { content, key: Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("") };
  }
  return lastSent.key;
}

function formOf(chosen) {
  const form = new FormData();
  form.append("candidate_name", byId("candidate").value);
  form.append("language", byId("language").value);
  // The short ones first: what is wrong with them is told before the recordings are sent.
  for (const { question, rubric } of chosen) {
    form.append("questions", question);
    form.append("rubric", rubric === AS_ALL ? byId("rubric").value : rubric);
  }
  for (const { file } of chosen) form.append("videos", file, file.name);
  return form;
}

/** Shows a refusal at the file that it is about, if it is about one. */
function showRefusal(error, chosen) {
  const places = Object.keys(error.fields ?? {}).map((name) => /^videos\[(\d+)\]$/.exec(name)?.[1]);
  const item = chosen[places.find((place) => place in chosen)];
  if (!item) return notice(error.message);
  item.refusal = error.message;
  draw(chosen);
  notice(`“${item.file.name}” was refused. Nothing was kept. Remove this recording, or choose another file instead of it. Then start again.`);
  const place = document.querySelector(".refusal");
  place.focus({ preventScroll: true });
  place.scrollIntoView({ block: "center" });
}

function busy(active) {
  byId("sending").hidden = !active;
  byId("stop-upload").hidden = true;
  byId("submit").disabled = active;
  byId("sent").value = 0;
  byId("sent-text").textContent = "Asking whether the service is ready…";
  if (active) window.addEventListener("beforeunload", askBeforeLeaving);
  else window.removeEventListener("beforeunload", askBeforeLeaving);
}

/** Lets the browser ask, in its own words, whether the page is to be left. */
function askBeforeLeaving(event) {
  event.preventDefault();
}

function showSent(sent, total) {
  byId("sent").value = total ? (100 * sent) / total : 0;
  byId("sent-text").textContent =
    sent < total ? `Uploading… ${fileSize(sent)} of ${fileSize(total)}` : "Uploaded. The server is storing it…";
}

/** Lists the newest sessions, where this client may see them. */
export async function showRecent() {
  const page = await call("/sessions?page_size=8").catch(() => ({ sessions: [] }));
  byId("recent").hidden = page.sessions.length === 0;
  byId("recent-list").replaceChildren(...page.sessions.map((session) => el("li", {},
    el("a", { href: `/?session=${session.session_id}` }, session.candidate_name || "Without a name"),
    el("span", { class: `chip ${session.state === "completed" ? "done" : session.state}` }, stateName(session.state)),
    session.held ? el("span", { class: "chip warn" }, "On legal hold") : null,
    el("span", { class: "when" }, new Date(session.create_time_s * 1000).toLocaleString()))));
}
