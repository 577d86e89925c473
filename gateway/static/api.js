// Calls to the gateway. A failed one throws an Error whose message is the gateway's own sentence.

const KEY = "interview-key";
const RENEW_MS = 5 * 60 * 1000;
/** Name of the event that tells that the person who was signed in is so no more. */
export const SIGN_IN_ENDED = "sign-in-ended";

/** Headers of a call: the key where one was entered. */
export function headers() {
  const key = sessionStorage.getItem(KEY);
  return key ? { "X-API-Key": key } : {};
}

export async function call(path, options = {}) {
  let reply;
  try {
    reply = await fetch(path, { ...options, headers: { Accept: "application/json", ...headers(), ...options.headers } });
  } catch {
    throw new Error("The server can't be reached. Check the connection and try again.");
  }
  const body = reply.status === 204 ? {} : await reply.json().catch(() => ({}));
  if (!reply.ok) throw refusal(reply.status, body);
  return body;
}

/** Returns an answer that is not a success as an Error: its `status`, and the `fields` that are wrong. */
function refusal(status, body) {
  if (body?.code === "SIGN_IN_ENDED") window.dispatchEvent(new Event(SIGN_IN_ENDED));
  const error = new Error(body?.message || `The server answered ${status}. Try again. If it stays, tell the operator this number.`);
  return Object.assign(error, { status, fields: body?.fields ?? {} });
}

/** Returns why nothing can be sent now, or an empty text. */
export async function whyNotReady() {
  try {
    await call("/readyz");
    return "";
  } catch (error) {
    if (error.status !== 503) return `${error.message} Nothing was sent.`;
    return "The assessment service can't be reached right now. Nothing was sent. Wait a minute, then start the assessment again.";
  }
}

/** Keeps a key for this tab, and gets a cookie that lets the player and the event stream read for a while. */
export async function signIn(key) {
  await call("/login", { method: "POST", headers: { "X-API-Key": key } });
  sessionStorage.setItem(KEY, key);
}

/** Forgets this tab's key, and the cookies. */
export async function signOut() {
  sessionStorage.removeItem(KEY);
  await call("/signout", { method: "POST" });
}

/** Returns what the person is called who signed in with this browser, or null. */
export async function signedInPerson() {
  const who = await call("/whoami").catch(() => ({}));
  return who.kind === "person" ? who.name || "Signed in" : null;
}

/** Renews the cookie now and every few minutes, long before it ends, while this tab has a key. */
export async function staySignedIn() {
  const renew = async () => {
    const key = sessionStorage.getItem(KEY);
    if (key) await signIn(key).catch((error) => {
      if (error.status === 403) sessionStorage.removeItem(KEY); // revoked or expired: ask for another one
    });
  };
  setInterval(renew, RENEW_MS);
  await renew();
}

/** Sends a form with XMLHttpRequest, which alone tells how much is sent. The same key again is the same session.
 *  Returns [promise, stop]. */
export function sendForm(path, form, key, onProgress) {
  const request = new XMLHttpRequest();
  const promise = new Promise((resolve, reject) => {
    request.open("POST", path);
    request.responseType = "json";
    for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
    request.setRequestHeader("Idempotency-Key", key);
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded, event.total));
    request.addEventListener("load", () => {
      if (request.status === 200) resolve(request.response);
      else reject(refusal(request.status, request.response));
    });
    request.addEventListener("error", () => reject(new Error("The upload broke off. Check the connection, then start the assessment again. It is accepted only once.")));
    request.addEventListener("abort", () => reject(new Error("The upload was stopped. Nothing was kept.")));
    request.send(form);
  });
  return [promise, () => request.abort()];
}
