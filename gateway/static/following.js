// How a session's changes arrive: from its event stream, or by asking.
//
// A browser opens six connections to one host, for all its tabs together. An event stream holds one of them as long
// as a session runs. So one tab listens at a time, and the others ask until it is their turn.

import { call } from "./api.js";

const FINAL = ["completed", "failed", "cancelled"];
const ASK_MS = 3000;
const LISTEN_AGAIN_MS = 15000;
const TURN = "interview-events";
/** Statuses that stay as they are, however often one asks: malformed, not allowed, not there. */
const LASTING = [400, 401, 403, 404, 410];

export const isFinal = (session) => FINAL.includes(session.state);

/**
 * Follows a session until it ends. Each state goes to `onState`, each failure to `onProblem`.
 * Where `isLasting(error)`, nothing is asked any more. Returns a function that stops it.
 */
export function follow(sessionId, onState, onProblem) {
  const ending = new AbortController();
  const { signal } = ending;
  const id = encodeURIComponent(sessionId);
  let source = null;
  let asking = false;

  const take = (session) => {
    if (signal.aborted) return;
    if (isFinal(session)) ending.abort();
    onState(session);
  };
  const ask = async () => {
    if (asking || signal.aborted) return;
    asking = true;
    try {
      take(await call(`/status/${id}`, { signal }));
    } catch (error) {
      if (signal.aborted) return;
      if (isLasting(error)) ending.abort();
      onProblem(error);
    } finally {
      asking = false;
    }
  };
  const listen = () => new Promise((leave) => {
    source = new EventSource(`/sessions/${id}/events`);
    source.addEventListener("session", (event) => {
      const session = JSON.parse(event.data);
      // The end of an earlier attempt is among the events of a session that runs again: ask how it is now.
      if (isFinal(session)) ask();
      else take(session);
    });
    source.addEventListener("problem", (event) => onProblem(JSON.parse(event.data)));
    source.addEventListener("error", () => {
      ask();
      // The browser connects again by itself, but not after an answer that it does not understand.
      if (source.readyState === EventSource.CLOSED) leave();
    });
    signal.addEventListener("abort", () => {
      source.close();
      leave();
    });
  });

  const timer = setInterval(() => {
    if (source?.readyState !== EventSource.OPEN) ask();
  }, ASK_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  ask().then(() => listenInTurn(listen, signal));
  return () => ending.abort();
}

export const isLasting = (error) => LASTING.includes(error.status);

/** Listens whenever it is this tab's turn. Browsers without turns (Web Locks need HTTPS or this machine) only ask. */
async function listenInTurn(listen, signal) {
  while (navigator.locks && !signal.aborted) {
    try {
      await navigator.locks.request(TURN, { signal }, listen);
    } catch (error) {
      if (!signal.aborted) console.warn(error);
    }
    if (!signal.aborted) await pause(LISTEN_AGAIN_MS, signal);
  }
}

const pause = (milliseconds, signal) => new Promise((resolve) => {
  const timer = setTimeout(resolve, milliseconds);
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    resolve();
  });
});
