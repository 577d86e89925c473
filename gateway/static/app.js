// Decides which view is shown, by the page's address: /?session=ID, or a new session.

import { call, SIGN_IN_ENDED, signedInPerson, signIn, signOut, staySignedIn } from "./api.js";
import { byId, notice, showView } from "./dom.js";
import { showProgress } from "./progress.js";
import { showResult } from "./result.js";
import { showRecent, startUpload } from "./upload.js";

let stopFollowing = () => {};

const sessionInAddress = () => new URLSearchParams(location.search).get("session");

function showSession(sessionId) {
  stopFollowing();
  showView("progress-view");
  stopFollowing = showProgress(sessionId, async (session) => {
    try {
      showResult(await call(`/results/${encodeURIComponent(sessionId)}`), sessionId, session.held);
      showView("result-view");
    } catch (error) {
      notice(error.message);
    }
  });
}

async function showNew() {
  stopFollowing();
  showView("upload-view");
  await showRecent();
}

function showAddress() {
  notice("");
  const sessionId = sessionInAddress();
  return sessionId ? showSession(sessionId) : showNew();
}

async function start() {
  const settings = await call("/client-settings");
  startUpload(settings, (sessionId) => {
    history.pushState(null, "", `/?session=${sessionId}`);
    showAddress();
  });
  window.addEventListener("popstate", showAddress);
  byId("key-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await signIn(byId("key").value);
      byId("key").value = "";
      byId("sign-out").hidden = false;
      await showAddress();
    } catch (error) {
      notice(error.message);
    }
  });
  byId("sign-out").addEventListener("click", async () => {
    try {
      await signOut();
      location.assign("/");
    } catch (error) {
      notice(error.message);
    }
  });
  if (settings.key_needed) await staySignedIn();
  const key = sessionStorage.getItem("interview-key");
  const person = settings.sign_in_url && !key ? await signedInPerson() : null;
  if (settings.sign_in_url) offerSignIn(settings.sign_in_url, person);
  byId("sign-out").hidden = !settings.key_needed || !(key || person);
  if (!settings.key_needed || key || person) await showAddress();
  else showView("key-form");
}

/** Shows the way to the sign-in provider and back to this address, and who has come from there. */
function offerSignIn(url, person) {
  const lead = (link) => {
    link.href = `${url}?next=${encodeURIComponent(location.pathname + location.search)}`;
    link.hidden = false;
  };
  lead(byId("sign-in"));
  byId("sign-in-choice").hidden = false;
  byId("who").textContent = person ?? "";
  byId("who").hidden = !person;
  window.addEventListener(SIGN_IN_ENDED, () => {
    lead(byId("sign-in-again")); // What was filled in stays: the person may have to copy it first.
    byId("who").hidden = true;
    byId("sign-out").hidden = true;
  });
}

start().catch((error) => notice(error.message));
